/* SPDX-License-Identifier: Apache-2.0 */
/* whet kernels: the kernel families, their rows for each instruction set, and which of them a CPU level gets.
 *
 * A row's name says all: family__isa_variant. Sizes come from the symbol table of this very program (exe.h). */

#include "exe.h"
#include "kern/kern.h"
#include "opts.h"
#include "out.h"

struct options {
  const char *cpu;
  bool size, rows;
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_options[] = {
    {"cpu", 0, CLI_TEXT, AT(cpu), "LEVEL",
     "show what a CPU of this level gets: c, avx2, avxvnni, avx512, vnni, amx, "
     "neon, dotprod, i8mm, sve2, rvv (default: WHET_CPU, else all that this CPU has)",
     0, 0},
    {"rows", 0, CLI_FLAG, AT(rows), NULL, "one line for each row instead of one for each family", 0, 0},
    {"size", 0, CLI_FLAG, AT(size), NULL, "bytes of code and tables of each family", 0, 0},
    {0}};

static const cli_use k_use = {
    .synopsis = "[FAMILY]... [OPTION]...",
    .about =
        "Shows the kernel families, for which instruction sets each has rows, and which rows this CPU gets. The "
        "first row in "
        "the order given that fits an operator's parameters is taken, or the cheapest where rows know their cost.",
    .examples = "  whet kernels\n  whet kernels conv_f32 --rows\n  WHET_CPU=avx2 whet kernels --json\n",
    .most = -1};

/* An instruction set that rows are written for. */
struct isa {
  const char *name; /* as in .def lines: "avx2" */
  uint32_t bit;     /* WHET_ISA_ bit; 0: portable C */
};

/* The instruction sets of this build's architecture, portable C first; *n of them. */
static const struct isa *isas(size_t *n) {
  static const struct isa all[] = {
    {"c", 0},
#if defined(__x86_64__)
    {"avx2", WHET_ISA_AVX2},
    {"avxvnni", WHET_ISA_AVXVNNI},
    {"avx512", WHET_ISA_AVX512},
    {"vnni", WHET_ISA_VNNI},
    {"bf16", WHET_ISA_BF16},
    {"amx", WHET_ISA_AMX},
#elif defined(__aarch64__) || defined(__ARM_NEON)
    {"neon", WHET_ISA_NEON},
    {"fp16", WHET_ISA_FP16},
    {"dotprod", WHET_ISA_DOTPROD},
    {"i8mm", WHET_ISA_I8MM},
    {"armbf16", WHET_ISA_ARMBF16},
    {"sve2", WHET_ISA_SVE2},
#elif defined(__riscv)
    {"rvv", WHET_ISA_RVV},
#endif
  };
  *n = WHET_COUNT(all);
  return all;
}

/* The part of a row's name after the double underscore, "avx512_direct": its instruction set (length *n) and variant.
 */
static const char *row_isa(const whet_kern *k, size_t *n, const char **variant) {
  const char *at = strstr(k->name, "__");
  at = at ? at + 2 : k->name;
  *n = strcspn(at, "_");
  *variant = at[*n] ? at + *n + 1 : at + *n;
  return at;
}

/* Is row k written for this instruction set? */
static bool row_is(const whet_kern *k, const char *isa) {
  size_t n;
  const char *variant, *at = row_isa(k, &n, &variant);
  return strlen(isa) == n && !memcmp(at, isa, n);
}

/* The word of a family's name that is its element type, or "". */
static const char *family_type(const char *family) {
  static const char *known[] = {"f32", "q8", "q16", "s8", "u8", "s16", "s32", "s64", "f16", "bf16", "f64", "u8s8"};
  const char *last = strrchr(family, '_');
  for (size_t i = 0; last && i < WHET_COUNT(known); i++)
    if (!strcmp(last + 1, known[i])) return known[i];
  return "";
}

/* Was the family asked for? None named: all are. */
static bool wanted(const whet_family *f, char **name, int n) {
  for (int i = 0; i < n; i++)
    if (!strcmp(name[i], f->name)) return true;
  return n == 0;
}

/* The rows of f that the target may use, best first: "avx512_direct avx2_direct". */
static const char *usable(const whet_family *f, const whet_target *t) {
  char text[400];
  size_t at = 0;
  text[0] = 0;
  const whet_kern *k;
  for (size_t i = 0; at < sizeof text - 80 && (k = whet__family_next(f, &i));) {
    size_t n;
    const char *variant;
    if ((k->isa & t->isa) != k->isa) continue;
    at += (size_t)snprintf(text + at, sizeof text - at, "%s%.70s", at ? " " : "", row_isa(k, &n, &variant));
  }
  return cli_keep_str(text, strlen(text));
}

/* The answer as JSON. */
static int answer_json(const whet_target *t, const cli_exe *exe, char **name, int n_name) {
  json_t *j = json_object(), *families = json_array();
  json_object_set_new(j, "cpu", cli_json_text(t->cpu));
  json_object_set_new(j, "level", json_string(whet__isa_level(t->isa)));
  json_object_set_new(j, "cores", json_integer(t->cores));
  json_object_set_new(j, "left_out", json_string(whet__kern_left_out()));
  for (unsigned id = 0; id < WHET_FAMILY_COUNT; id++) {
    const whet_family *f = whet__family(id);
    if (!wanted(f, name, n_name)) continue;
    json_t *one = json_object(), *rows = json_array();
    json_object_set_new(one, "family", json_string(f->name));
    if (exe) json_object_set_new(one, "bytes", json_integer((json_int_t)cli_exe_family(exe, f->name, NULL)));
    const whet_kern *k;
    for (size_t i = 0; (k = whet__family_next(f, &i));) {
      json_t *row = json_object();
      json_object_set_new(row, "name", json_string(k->name));
      json_object_set_new(row, "exact", json_boolean(k->exact));
      json_object_set_new(row, "usable", json_boolean((k->isa & t->isa) == k->isa));
      json_array_append_new(rows, row);
    }
    json_object_set_new(one, "rows", rows);
    json_array_append_new(families, one);
  }
  json_object_set_new(j, "families", families);
  return cli_json(j, 9);
}

/* One line for each row. */
static void print_rows(const whet_target *t, char **name, int n_name) {
  cli_grid g;
  cli_grid_init(&g, "llll");
  cli_grid_head(&g, "family", "row, best first", "exact", "this CPU", NULL);
  for (unsigned id = 0; id < WHET_FAMILY_COUNT; id++) {
    const whet_family *f = whet__family(id);
    const whet_kern *k;
    for (size_t i = 0; wanted(f, name, n_name) && (k = whet__family_next(f, &i));) {
      size_t n;
      const char *variant;
      cli_grid_cell(&g, "%s", i > 1 ? "" : f->name);
      cli_grid_cell(&g, "%s", row_isa(k, &n, &variant));
      cli_grid_cell(&g, "%s", k->exact ? "yes" : "no");
      cli_grid_cell(&g, "%s", (k->isa & t->isa) == k->isa ? "yes" : "no");
    }
  }
  cli_grid_print(&g, stdout);
}

/* Is `word` one of the words of a text? */
static bool listed(const char *text, const char *word) {
  size_t n = strlen(word);
  for (; *text; text += strspn(text, " ")) {
    size_t len = strcspn(text, " ");
    if (len == n && !memcmp(text, word, n)) return true;
    text += len;
  }
  return false;
}

/* One line for each family, a column for each instruction set. */
static void print_families(const whet_target *t, const cli_exe *exe, char **name, int n_name) {
  size_t n_isa;
  const struct isa *isa = isas(&n_isa);
  char align[24] = "ll", head[64];
  const char *left_out = whet__kern_left_out();
  size_t cols = 2;
  for (size_t i = 0; i < n_isa; i++) align[cols++] = 'l';
  if (exe) align[cols++] = 'r';
  align[cols++] = 'w';
  cli_grid g;
  cli_grid_init(&g, align);
  cli_grid_cell(&g, "family");
  cli_grid_cell(&g, "type");
  for (size_t i = 0; i < n_isa; i++) cli_grid_cell(&g, "%s", isa[i].name);
  if (exe) cli_grid_cell(&g, "bytes");
  snprintf(head, sizeof head, "rows that this CPU gets, best first");
  cli_grid_cell(&g, "%s", head);
  g.heads = 1;
  for (unsigned id = 0; id < WHET_FAMILY_COUNT; id++) {
    const whet_family *f = whet__family(id);
    if (!wanted(f, name, n_name)) continue;
    const char *type = family_type(f->name);
    cli_grid_cell(&g, "%.*s", (int)(strlen(f->name) - (*type ? strlen(type) + 1 : 0)), f->name);
    cli_grid_cell(&g, "%s", type);
    for (size_t i = 0; i < n_isa; i++) {
      int rows = 0;
      const whet_kern *k;
      for (size_t r = 0; (k = whet__family_next(f, &r));) rows += row_is(k, isa[i].name);
      if (rows)
        cli_grid_cell(&g, "%d", rows);
      else
        cli_grid_cell(&g, "%s", listed(left_out, isa[i].name) ? "left out" : "-");
    }
    if (exe) cli_grid_cell(&g, "%s", cli_count((int64_t)cli_exe_family(exe, f->name, NULL)));
    cli_grid_cell(&g, "%s", usable(f, t));
  }
  cli_grid_print(&g, stdout);
}

int cli_kernels(int argc, char **argv) {
  struct options o = {0};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"options", k_options, &o};
  bool json;
  char **name;
  int n_name, status;
  if (!cli_parse(&use, &json, argc, argv, &name, &n_name, &status)) return status;
  whet_target t;
  whet_err err = {0};
  if (whet__target_at(o.cpu, &t, &err)) return cli_wrong("%s%s", o.cpu ? "--cpu: " : "", err.text);
  for (int i = 0; i < n_name; i++) {
    bool there = false;
    for (unsigned id = 0; id < WHET_FAMILY_COUNT; id++) there |= !strcmp(name[i], whet__family(id)->name);
    if (!there) return cli_wrong("there is no kernel family \"%.60s\"; `whet kernels` lists them", name[i]);
  }
  cli_exe exe = {0}, *sized = NULL;
  if (o.size) {
    if (cli_exe_read(&exe, &err)) return cli_fail_err(NULL, &err);
    sized = &exe;
  }
  if (json) return answer_json(&t, sized, name, n_name);
  printf("%s%s%s, %d core%s; level %s", cli_bold(), t.cpu, cli_plain(), t.cores, t.cores == 1 ? "" : "s",
         whet__isa_level(t.isa));
  if (*whet__kern_left_out()) printf("; left out of this build: %s", whet__kern_left_out());
  printf("\n\n");
  if (o.rows)
    print_rows(&t, name, n_name);
  else
    print_families(&t, sized, name, n_name);
  if (sized) {
    size_t code = 0;
    for (unsigned id = 0; id < WHET_FAMILY_COUNT; id++)
      if (wanted(whet__family(id), name, n_name)) code += cli_exe_family(&exe, whet__family(id)->name, NULL);
    printf("\n%s bytes in all\n", cli_count((int64_t)code));
  }
  return CLI_DONE;
}
