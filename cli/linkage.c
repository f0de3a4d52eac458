/* SPDX-License-Identifier: Apache-2.0 */
/* The dynamic part of ELF files. */

#include "linkage.h"

#include <elf.h>
#include <string.h>

#include "cmd.h"

/* A file under reading, and where its tables lie. */
typedef struct reader {
  const uint8_t *p;
  size_t n;
  bool big, wide; /* byte order; 64 bits */
  uint64_t phdr, n_phdr, phdr_size;
  const char *strings; /* of the dynamic symbols */
  uint64_t strings_n, strings_at;
  uint64_t symbols, n_symbol, symbol_size, versions, needs, n_need; /* offsets in the file; 0: there are none */
  uint64_t looked;                                                  /* bytes of names */
  whet_err *err;
} reader;

static uint64_t number(const reader *r, uint64_t at, int bytes) {
  uint64_t v = 0;
  for (int i = 0; i < bytes; i++) v |= (uint64_t)r->p[at + (uint64_t)i] << 8 * (r->big ? bytes - 1 - i : i);
  return v;
}

static bool within(const reader *r, uint64_t at, uint64_t bytes) { return at <= r->n && bytes <= r->n - at; }

/* A field of a structure whose members lie elsewhere in 32 and 64 bits. */
#define FIELD(r, at, type, field)                                                                \
  ((r)->wide ? number(r, (at) + offsetof(Elf64_##type, field), sizeof((Elf64_##type *)0)->field) \
             : number(r, (at) + offsetof(Elf32_##type, field), sizeof((Elf32_##type *)0)->field))
#define SIZE(r, type) ((r)->wide ? sizeof(Elf64_##type) : sizeof(Elf32_##type))

static const char *machine_name(uint64_t m) {
  static const struct {
    uint16_t number;
    const char *name;
  } k_names[] = {{EM_X86_64, "x86-64"}, {EM_386, "x86"},         {EM_AARCH64, "AArch64"}, {EM_ARM, "Arm"},
                 {EM_RISCV, "RISC-V"},  {EM_PPC64, "PowerPC64"}, {EM_S390, "S/390"},      {EM_MIPS, "MIPS"}};
  for (size_t i = 0; i < WHET_COUNT(k_names); i++)
    if (k_names[i].number == m) return k_names[i].name;
  return "another machine";
}

/* Where an address of the loaded program lies in the file: 0 for none, since a file begins with its header. */
static uint64_t place(const reader *r, uint64_t address) {
  for (uint64_t i = 0; i < r->n_phdr; i++) {
    uint64_t h = r->phdr + i * r->phdr_size, from = FIELD(r, h, Phdr, p_vaddr), bytes = FIELD(r, h, Phdr, p_filesz);
    uint64_t at = FIELD(r, h, Phdr, p_offset);
    if (FIELD(r, h, Phdr, p_type) == PT_LOAD && address >= from && address - from < bytes && within(r, at, bytes))
      return at + (address - from);
  }
  return 0;
}

/* Bytes of a name, since C++ makes long ones, and of all names that are looked at: many symbols may share a long one.
 */
enum { LONGEST = 65536, MOST_NAMES = 1 << 29 };

static const char *string(reader *r, uint64_t at) {
  if (at >= r->strings_n || r->looked > MOST_NAMES) return NULL;
  uint64_t most = r->strings_n - at < LONGEST ? r->strings_n - at : LONGEST;
  const char *end = memchr(r->strings + at, 0, most);
  r->looked += end ? (uint64_t)(end - (r->strings + at)) : most;
  return end ? r->strings + at : NULL;
}

static whet_status header(reader *r, elf_file *out) {
  if (r->n < EI_NIDENT || memcmp(r->p, ELFMAG, SELFMAG))
    return whet__fail(r->err, WHET_E_DATA, "no ELF file: programs and libraries of Linux are");
  r->wide = r->p[EI_CLASS] == ELFCLASS64;
  r->big = r->p[EI_DATA] == ELFDATA2MSB;
  if ((!r->wide && r->p[EI_CLASS] != ELFCLASS32) || (!r->big && r->p[EI_DATA] != ELFDATA2LSB))
    return whet__fail(r->err, WHET_E_DATA, "byte 4: class %u, order %u; expected 1 or 2 of each", r->p[EI_CLASS],
                      r->p[EI_DATA]);
  if (r->n < SIZE(r, Ehdr)) return whet__fail(r->err, WHET_E_DATA, "the file ends in its header");
  uint64_t type = FIELD(r, 0, Ehdr, e_type);
  if (type != ET_EXEC && type != ET_DYN)
    return whet__fail(r->err, WHET_E_DATA, "an ELF file of type %llu: expected a program or a shared library",
                      (unsigned long long)type);
  r->phdr = FIELD(r, 0, Ehdr, e_phoff);
  r->n_phdr = FIELD(r, 0, Ehdr, e_phnum);
  r->phdr_size = FIELD(r, 0, Ehdr, e_phentsize);
  if (r->n_phdr && (r->phdr_size < SIZE(r, Phdr) || !within(r, r->phdr, r->n_phdr * r->phdr_size)))
    return whet__fail(r->err, WHET_E_DATA, "offset %llu: program headers reach beyond the file",
                      (unsigned long long)r->phdr);
  out->bits = r->wide ? 64 : 32;
  out->big_endian = r->big;
  out->machine = machine_name(FIELD(r, 0, Ehdr, e_machine));
  for (uint64_t i = 0; i < r->n_phdr; i++)
    out->program |= FIELD(r, r->phdr + i * r->phdr_size, Phdr, p_type) == PT_INTERP;
  return WHET_OK;
}

/* How many dynamic symbols there are is told by a section, else by the older hash table, else they end where strings
 * begin. */
static void count_symbols(reader *r, uint64_t hash) {
  uint64_t at = FIELD(r, 0, Ehdr, e_shoff), n = FIELD(r, 0, Ehdr, e_shnum), size = FIELD(r, 0, Ehdr, e_shentsize);
  r->n_symbol = 0;
  if (at && size >= SIZE(r, Shdr) && within(r, at, n * size))
    for (uint64_t i = 0; i < n; i++)
      if (FIELD(r, at + i * size, Shdr, sh_type) == SHT_DYNSYM &&
          FIELD(r, at + i * size, Shdr, sh_offset) == r->symbols)
        r->n_symbol = FIELD(r, at + i * size, Shdr, sh_size) / r->symbol_size;
  if (!r->n_symbol && hash && within(r, hash, 8)) r->n_symbol = number(r, hash + 4, 4);
  if (!r->n_symbol && r->strings_at > r->symbols) r->n_symbol = (r->strings_at - r->symbols) / r->symbol_size;
  uint64_t room = (r->n - r->symbols) / r->symbol_size;
  if (r->n_symbol > room) r->n_symbol = room;
}

static whet_status dynamic(reader *r, elf_file *out) {
  uint64_t at = 0, bytes = 0, strings = 0, hash = 0, entry = SIZE(r, Dyn), n = 0;
  for (uint64_t i = 0; i < r->n_phdr; i++) {
    uint64_t h = r->phdr + i * r->phdr_size;
    if (FIELD(r, h, Phdr, p_type) == PT_DYNAMIC)
      at = FIELD(r, h, Phdr, p_offset), bytes = FIELD(r, h, Phdr, p_filesz);
  }
  if (!at) return WHET_OK;
  if (!within(r, at, bytes))
    return whet__fail(r->err, WHET_E_DATA, "offset %llu: the dynamic section reaches beyond the file",
                      (unsigned long long)at);
  r->symbol_size = SIZE(r, Sym);
  for (uint64_t i = 0; i < bytes / entry; i++) {
    uint64_t d = at + i * entry, tag = FIELD(r, d, Dyn, d_tag), v = FIELD(r, d, Dyn, d_un);
    if (tag == DT_NULL) break;
    if (tag == DT_NEEDED) n++;
    if (tag == DT_STRTAB) strings = place(r, v);
    if (tag == DT_STRSZ) r->strings_n = v;
    if (tag == DT_SYMTAB) r->symbols = place(r, v);
    if (tag == DT_HASH) hash = place(r, v);
    if (tag == DT_VERSYM) r->versions = place(r, v);
    if (tag == DT_VERNEED) r->needs = place(r, v);
    if (tag == DT_VERNEEDNUM) r->n_need = v;
  }
  if (!strings || !within(r, strings, r->strings_n))
    return whet__fail(r->err, WHET_E_DATA, "offset %llu: names lie outside the file", (unsigned long long)strings);
  r->strings = (const char *)r->p + strings;
  r->strings_at = strings;
  if (r->symbols) count_symbols(r, hash);
  out->needed = cli_keep((size_t)(n + 1) * sizeof *out->needed);
  for (uint64_t i = 0; i < bytes / entry && out->n_needed < n; i++) {
    uint64_t d = at + i * entry;
    if (FIELD(r, d, Dyn, d_tag) != DT_NEEDED) continue;
    const char *name = string(r, FIELD(r, d, Dyn, d_un));
    if (!name)
      return whet__fail(r->err, WHET_E_DATA, "offset %llu: a library's name lies outside the names",
                        (unsigned long long)d);
    out->needed[out->n_needed++] = name;
  }
  return WHET_OK;
}

/* The versions that are asked for, by their numbers. Structures of versions are the same in 32 and 64 bits. */
typedef struct version {
  const char *name, *library;
} version;
enum { VERSIONS = 0x8000, MOST_STEPS = 1 << 16 };

static version *versions_of(reader *r) {
  version *v = cli_keep(VERSIONS * sizeof *v);
  uint64_t at = r->needs, steps = 0;
  for (uint64_t i = 0; at && i < r->n_need && within(r, at, sizeof(Elf64_Verneed)); i++) {
    uint64_t aux = at + FIELD(r, at, Verneed, vn_aux), next = FIELD(r, at, Verneed, vn_next), step = 1;
    const char *library = string(r, FIELD(r, at, Verneed, vn_file));
    for (uint64_t k = FIELD(r, at, Verneed, vn_cnt); k && step && within(r, aux, sizeof(Elf64_Vernaux)); k--) {
      const char *name = string(r, FIELD(r, aux, Vernaux, vna_name));
      if (name && library) v[FIELD(r, aux, Vernaux, vna_other) % VERSIONS] = (version){name, library};
      step = FIELD(r, aux, Vernaux, vna_next);
      aux += step;
      if (steps++ == MOST_STEPS) return v;
    }
    if (!next) break;
    at += next;
  }
  return v;
}

whet_status cli_elf_read(const uint8_t *p, size_t n, elf_file *out, whet_err *err) {
  reader r = {.p = p, .n = n, .err = err};
  *out = (elf_file){0};
  WHET_TRY(header(&r, out));
  WHET_TRY(dynamic(&r, out));
  const version *versions = versions_of(&r);
  elf_symbol *s = cli_keep((size_t)(r.n_symbol + 1) * sizeof *s);
  for (uint64_t i = 1; i < r.n_symbol; i++) {
    uint64_t at = r.symbols + i * r.symbol_size, own = r.versions + 2 * i;
    const char *name = string(&r, FIELD(&r, at, Sym, st_name));
    if (!name)
      return whet__fail(err, WHET_E_DATA, "offset %llu: the name of symbol %llu lies outside the names",
                        (unsigned long long)at, (unsigned long long)i);
    if (!*name) continue;
    elf_symbol *x = &s[out->n_symbol++];
    *x = (elf_symbol){name, "", "", FIELD(&r, at, Sym, st_shndx) != SHN_UNDEF};
    if (!r.versions || !within(&r, own, 2) || x->defined) continue;
    const version *v = &versions[number(&r, own, 2) % VERSIONS];
    if (v->name) x->version = v->name, x->library = v->library;
  }
  out->symbol = s;
  return WHET_OK;
}
