/* SPDX-License-Identifier: Apache-2.0 */
/* whet compat check: would a program that was built for ONNX Runtime or TensorFlow Lite run on whet? */

#include <string.h>

#include "base/file.h"
#include "cmd.h"
#include "linkage.h"
#include "opts.h"
#include "out.h"

struct options {
  bool all, json;
};
#define AT(field) offsetof(struct options, field)
static const cli_opt k_show[] = {{"all", 'a', CLI_FLAG, AT(all), NULL, "list the functions that whet has, too", 0, 0},
                                 {0}};

static const cli_use k_use = {
    .synopsis = "check PROGRAM-OR-LIBRARY...",
    .about =
        "Reads which functions of ONNX Runtime's and TensorFlow Lite's C interfaces programs and libraries ask for, "
        "and says whether whet's libraries in their place have them. Files of any processor; nothing is run.\n"
        "The exit status is 0 when whet has all of them, or none is asked for, and 1 when one is missing.",
    .examples =
        "  whet compat check ./detector\n"
        "  whet compat check build/libvision.so /usr/lib/node_modules/onnxruntime-node/bin/*/*/*/*.node\n",
    .least = 2,
    .most = -1,
    .missing = "say what to do, and with which file: check PROGRAM"};

/* A library of another runtime, and what stands for it. */
typedef struct runtime {
  const char *name, *soname, *prefix; /* "libonnxruntime.so"; its functions begin with */
  const char *own;                    /* whet's file */
  const char *const *function, *const *release;
  const char *page;
} runtime;

#define FUNCTION(f) #f,
#define RELEASE(r)
static const char *const k_ort_functions[] = {
#include "compat/onnxruntime/functions.def"
    NULL};
static const char *const k_tflite_functions[] = {
#include "compat/tflite/functions.def"
    NULL};
#undef FUNCTION
#undef RELEASE
#define FUNCTION(f)
#define RELEASE(r) "VERS_" #r,
static const char *const k_ort_releases[] = {
#include "compat/onnxruntime/functions.def"
    NULL};
#undef FUNCTION
#undef RELEASE

static const runtime k_runtimes[] = {{"ONNX Runtime", "libonnxruntime.so", "Ort", "libonnxruntime.so.1",
                                      k_ort_functions, k_ort_releases, "docs/moving-from-onnxruntime.md"},
                                     {"TensorFlow Lite", "libtensorflowlite_c.so", "TfLite", "libtensorflowlite_c.so",
                                      k_tflite_functions, NULL, "docs/moving-from-tflite.md"}};
enum { RUNTIMES = WHET_COUNT(k_runtimes) };

static bool listed(const char *const *list, const char *name) {
  for (; *list; list++)
    if (!strcmp(*list, name)) return true;
  return false;
}

/* One file as it was found. */
typedef struct found {
  const char *path;
  elf_file elf;
  const char *linked[RUNTIMES];           /* the library of it that is loaded with the file; NULL: none */
  bool named[RUNTIMES], inside[RUNTIMES]; /* its name stands in the file; it is in the file */
  int asked[RUNTIMES], lacks[RUNTIMES];
  int cxx; /* symbols of TensorFlow Lite's C++ interface that are asked for */
} found;

static bool contains(const whet_file *f, const char *text) { return memmem(f->p, f->n, text, strlen(text)) != NULL; }

/* Whether a library of that name is the runtime's: as it is called, or with a hash in its name,
 * "libonnxruntime-9a682863.so", as tools call the libraries that they put into wheels of Python. */
static bool is_file_of(const runtime *r, const char *name) {
  size_t n = strlen(r->soname), stem = n - strlen(".so");
  if (!strncmp(name, r->soname, n)) return true;
  if (strncmp(name, r->soname, stem) != 0 || name[stem] != '-') return false;
  size_t hash = strspn(name + stem + 1, "0123456789abcdef");
  return hash >= 8 && !strncmp(name + stem + 1 + hash, ".so", 3);
}

/* Which runtime a symbol is of, -1: none. */
static int runtime_of(const elf_symbol *s) {
  for (int i = 0; i < RUNTIMES; i++) {
    size_t n = strlen(k_runtimes[i].prefix);
    bool capital = !strncmp(s->name, k_runtimes[i].prefix, n) && s->name[n] >= 'A' && s->name[n] <= 'Z';
    if (capital && (!*s->library || is_file_of(&k_runtimes[i], s->library))) return i;
  }
  return -1;
}

static bool there(const runtime *r, const elf_symbol *s) {
  if (!listed(r->function, s->name)) return false;
  return !r->release || strncmp(s->version, "VERS_", 5) || listed(r->release, s->version);
}

static whet_status look(const char *path, found *x, whet_err *err) {
  whet_file f;
  *x = (found){.path = path};
  WHET_TRY(whet__file_open(path, false, cli_mem(), &f, err)); /* names stay in it: it is kept to the end */
  if (cli_elf_read(f.p, f.n, &x->elf, err)) return err->code;
  for (int i = 0; i < RUNTIMES; i++) {
    const runtime *r = &k_runtimes[i];
    for (size_t k = 0; k < x->elf.n_needed; k++)
      if (is_file_of(r, x->elf.needed[k])) x->linked[i] = x->elf.needed[k];
    x->named[i] = contains(&f, r->soname);
  }
  for (size_t k = 0; k < x->elf.n_symbol; k++) {
    const elf_symbol *s = &x->elf.symbol[k];
    int i = runtime_of(s);
    x->cxx +=
        !s->defined && !strncmp(s->name, "_ZN", 3) && strstr(s->name, "6tflite") == s->name + 3 + (s->name[3] == 'K');
    if (i < 0) continue;
    if (s->defined) {
      x->inside[i] = true;
    } else {
      x->asked[i]++;
      x->lacks[i] += !there(&k_runtimes[i], s);
    }
  }
  return WHET_OK;
}

static bool all_there(const found *x) {
  bool all = !x->cxx;
  for (int i = 0; i < RUNTIMES; i++) all &= !x->lacks[i];
  return all;
}

/* ---- text -------------------------------------------------------------------------------------- */

static void print_runtime(const found *x, int i, bool all) {
  const runtime *r = &k_runtimes[i];
  if (x->inside[i] && !x->asked[i]) {
    printf("  %s: the file has it inside (or is it): there is nothing to put in its place\n", r->name);
    return;
  }
  if (!x->asked[i] && !x->linked[i]) {
    if (x->named[i])
      printf(
          "  %s: loaded by name while it runs; which functions it looks for cannot be seen here\n"
          "    have it find whet's: %s (%s)\n",
          r->name, r->own, r->page);
    return;
  }
  printf("  %s: %s for %d function%s, %s\n", r->name, x->linked[i] ? "linked with it, asks" : "asks", x->asked[i],
         x->asked[i] == 1 ? "" : "s",
         !x->asked[i]  ? "nothing is missing"
         : x->lacks[i] ? cli_keep_printf("whet lacks %d", x->lacks[i])
                       : "whet has all of them");
  for (size_t k = 0; k < x->elf.n_symbol; k++) {
    const elf_symbol *s = &x->elf.symbol[k];
    if (s->defined || runtime_of(s) != i || (!all && there(r, s))) continue;
    const char *why = there(r, s)                    ? "there"
                      : listed(r->function, s->name) ? "not in this version: releases 1.8 to 1.32 are known"
                                                     : "missing";
    printf("    %-44s %-12s %s\n", cli_clean(s->name), cli_clean(s->version), why);
  }
  if (!strcmp(r->prefix, "Ort") && x->asked[i])
    printf("    functions behind the table of OrtGetApiBase cannot be seen here: %s lists their states\n", r->page);
  if (x->lacks[i]) return;
  if (x->linked[i] && strncmp(x->linked[i], r->soname, strlen(r->soname)) != 0)
    printf("    put whet's %s in place of its %s (%s)\n", r->own, cli_clean(x->linked[i]), r->page);
  else
    printf("    have it load whet's %s: LD_LIBRARY_PATH=FOLDER (%s)\n", r->own, r->page);
}

static void print(const found *x, bool all) {
  const elf_file *e = &x->elf;
  bool any = x->cxx != 0;
  printf("%s: %s, %d bits, %s\n", cli_clean(x->path), e->program ? "program" : "library", e->bits, e->machine);
  for (int i = 0; i < RUNTIMES; i++) {
    any |= x->linked[i] != NULL || x->asked[i] || x->named[i] || x->inside[i];
    print_runtime(x, i, all);
  }
  if (x->cxx)
    printf("  TensorFlow Lite: asks for %d symbols of its C++ interface; whet offers the C interface\n", x->cxx);
  if (!any) printf("  asks for nothing of ONNX Runtime or TensorFlow Lite\n");
}

/* ---- JSON -------------------------------------------------------------------------------------- */

static json_t *as_json(const found *x) {
  json_t *list = json_array(), *libraries = json_array(), *runtimes = json_array();
  for (size_t k = 0; k < x->elf.n_needed; k++)
    json_array_append_new(libraries, json_string(cli_clean(x->elf.needed[k])));
  for (size_t k = 0; k < x->elf.n_symbol; k++) {
    const elf_symbol *s = &x->elf.symbol[k];
    int i = runtime_of(s);
    if (i < 0 || s->defined) continue;
    json_array_append_new(
        list, json_pack("{s:s, s:s, s:s, s:b}", "name", cli_clean(s->name), "version", cli_clean(s->version),
                        "runtime", k_runtimes[i].name, "there", there(&k_runtimes[i], s)));
  }
  for (int i = 0; i < RUNTIMES; i++)
    if (x->linked[i] || x->asked[i] || x->named[i] || x->inside[i])
      json_array_append_new(runtimes, json_pack("{s:s, s:b, s:b, s:b, s:i, s:i}", "name", k_runtimes[i].name,
                                                "linked", x->linked[i] != NULL, "named", x->named[i], "inside",
                                                x->inside[i], "asked", x->asked[i], "missing", x->lacks[i]));
  return json_pack("{s:s, s:s, s:i, s:s, s:o, s:o, s:o, s:i, s:b}", "file", cli_clean(x->path), "kind",
                   x->elf.program ? "program" : "library", "bits", x->elf.bits, "machine", x->elf.machine,
                   "libraries", libraries, "runtimes", runtimes, "functions", list, "cxx", x->cxx, "ok",
                   all_there(x));
}

int cli_compat(int argc, char **argv) {
  struct options a = {0};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"showing", k_show, &a};
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &a.json, argc, argv, &arg, &n_arg, &status)) return status;
  if (strcmp(arg[0], "check")) return cli_wrong("%s: expected check", arg[0]);
  json_t *all = json_array();
  for (int i = 1; i < n_arg; i++) {
    whet_err err = {0};
    found x;
    if (look(arg[i], &x, &err)) {
      status = cli_fail_err(arg[i], &err);
      continue;
    }
    if (!all_there(&x) && !status) status = CLI_FAILED;
    if (a.json)
      json_array_append_new(all, as_json(&x));
    else
      print(&x, a.all);
  }
  if (!a.json) {
    json_decref(all);
    return status;
  }
  int written = cli_json(json_pack("{s:o}", "files", all), 6);
  return status ? status : written;
}
