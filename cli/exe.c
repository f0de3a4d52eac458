/* SPDX-License-Identifier: Apache-2.0 */
/* The program's own ELF symbol table. The file is the one that runs, yet every offset in it is checked. */

#include "exe.h"

#include <elf.h>

#include "base/file.h"
#include "cmd.h"
#include "kern/kern.h"

/* Section i, or NULL when there is none or it lies outside the file. */
static const Elf64_Shdr *section(const whet_file *f, const Elf64_Ehdr *h, size_t i) {
  size_t end;
  if (i >= h->e_shnum || h->e_shentsize != sizeof(Elf64_Shdr)) return NULL;
  if (!whet__add_size(h->e_shoff, (i + 1) * sizeof(Elf64_Shdr), &end) || end > f->n || h->e_shoff % 8) return NULL;
  const Elf64_Shdr *s = (const Elf64_Shdr *)(f->p + h->e_shoff) + i;
  if (s->sh_type != SHT_NOBITS && (!whet__add_size(s->sh_offset, s->sh_size, &end) || end > f->n)) return NULL;
  return s;
}

/* Add the local symbols of one table to e. */
static void collect(cli_exe *e, const whet_file *f, const Elf64_Shdr *symbols, const Elf64_Shdr *names) {
  size_t n = symbols->sh_size / sizeof(Elf64_Sym), files = 0;
  const Elf64_Sym *sym = (const Elf64_Sym *)(f->p + symbols->sh_offset);
  const char *text = (const char *)f->p + names->sh_offset;
  for (size_t i = 0; i < n; i++) files += ELF64_ST_TYPE(sym[i].st_info) == STT_FILE;
  e->file = cli_keep((files + 1) * sizeof *e->file);
  for (size_t i = 0; i < n && ELF64_ST_BIND(sym[i].st_info) == STB_LOCAL; i++) {
    int type = ELF64_ST_TYPE(sym[i].st_info);
    if (type == STT_FILE) {
      bool named = sym[i].st_name < names->sh_size;
      e->file[e->n++].name =
          named ? cli_keep_str(text + sym[i].st_name, strnlen(text + sym[i].st_name, names->sh_size - sym[i].st_name))
                : "";
    } else if (e->n && type == STT_FUNC) {
      e->file[e->n - 1].text += sym[i].st_size;
    } else if (e->n && type == STT_OBJECT) {
      e->file[e->n - 1].tables += sym[i].st_size;
    }
  }
}

whet_status cli_exe_read(cli_exe *out, whet_err *err) {
  whet_file f;
  *out = (cli_exe){0};
  /* The link itself is no regular file; what it leads to is. */
  whet_status s = whet__file_open("/proc/self/exe", false, cli_mem(), &f, err);
  if (s) return s;
  const Elf64_Ehdr *h = (const Elf64_Ehdr *)f.p;
  if (f.n >= sizeof *h && !memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_ident[EI_CLASS] == ELFCLASS64)
    for (size_t i = 0; i < h->e_shnum; i++) {
      const Elf64_Shdr *symbols = section(&f, h, i);
      if (!symbols || symbols->sh_type != SHT_SYMTAB || symbols->sh_offset % 8) continue;
      const Elf64_Shdr *names = section(&f, h, symbols->sh_link);
      if (names) collect(out, &f, symbols, names);
      break;
    }
  if (!out->n)
    s = whet__fail(err, WHET_E_UNSUPPORTED,
                   "--size needs the program's symbol table, and this whet is stripped of it: use "
                   "the one in the build folder");
  whet__file_close(&f);
  return s;
}

/* Does source file `name` belong to the family? "conv_f32_avx2.c" does to conv_f32, not to conv. */
static bool belongs(const char *name, const char *family) {
  size_t n = strlen(family);
  if (strncmp(name, family, n) || (name[n] != '_' && name[n] != '.')) return false;
  for (unsigned id = 0; id < WHET_FAMILY_COUNT; id++) {
    const char *other = whet__family(id)->name;
    size_t m = strlen(other);
    if (m > n && !strncmp(name, other, m) && (name[m] == '_' || name[m] == '.')) return false;
  }
  return true;
}

size_t cli_exe_family(const cli_exe *e, const char *family, size_t *files) {
  size_t bytes = 0, n = 0;
  for (size_t i = 0; i < e->n; i++)
    if (belongs(e->file[i].name, family)) bytes += e->file[i].text + e->file[i].tables, n++;
  if (files) *files = n;
  return bytes;
}
