/* SPDX-License-Identifier: Apache-2.0 */
/* Finding stored cases. */

#include "cases.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"

enum { MOST_FILES = 1000 };

/* Names in order, runs of digits as numbers: case2 before case10. */
static int by_name(const void *a, const void *b) {
  const char *x = *(const char *const *)a, *y = *(const char *const *)b;
  while (*x && *y) {
    if (*x >= '0' && *x <= '9' && *y >= '0' && *y <= '9') {
      char *ex, *ey;
      unsigned long long u = strtoull(x, &ex, 10), v = strtoull(y, &ey, 10);
      if (u != v) return u < v ? -1 : 1;
      x = ex;
      y = ey;
    } else if (*x != *y) {
      break;
    } else {
      x++, y++;
    }
  }
  return (unsigned char)*x - (unsigned char)*y;
}

whet_status cli_folder_list(const char *folder, const char ***out, size_t *n, whet_err *err) {
  DIR *d = opendir(folder);
  *n = 0;
  if (!d) return whet__fail(err, WHET_E_IO, "%s: %s", folder, strerror(errno));
  size_t cap = 64;
  const char **v = cli_keep(cap * sizeof *v);
  for (struct dirent *e; (e = readdir(d));) {
    if (e->d_name[0] == '.') continue;
    if (*n == cap) {
      const char **more = cli_keep(cap * 2 * sizeof *more);
      memcpy(more, v, cap * sizeof *v);
      v = more;
      cap *= 2;
    }
    v[(*n)++] = cli_keep_str(e->d_name, strlen(e->d_name));
  }
  closedir(d);
  qsort(v, *n, sizeof *v, by_name);
  *out = v;
  return WHET_OK;
}

/* folder/name if it is there, else NULL. */
static const char *there(const char *folder, const char *name) {
  const char *path = cli_keep_printf("%s/%s", folder, name);
  return access(path, F_OK) ? NULL : path;
}

/* The JSON object in a file. */
static whet_status read_json(const char *path, json_t **out, whet_err *err) {
  json_error_t e;
  *out = json_load_file(path, 0, &e);
  if (!*out) return whet__fail(err, WHET_E_FORMAT, "%s: line %d: %s", path, e.line, e.text);
  if (json_is_object(*out)) return WHET_OK;
  json_decref(*out);
  *out = NULL;
  return whet__fail(err, WHET_E_FORMAT, "%s: not an object", path);
}

/* The tolerance in an object's "tolerance". */
static whet_status read_tolerance(const char *path, const json_t *j, cli_tolerance *out, whet_err *err) {
  const json_t *t = json_object_get(j, "tolerance"), *value = json_object_get(t, "value");
  const char *kind = json_string_value(json_object_get(t, "kind"));
  *out = (cli_tolerance){.kind = CLI_TOL_EXACT, .value = json_is_number(value) ? json_number_value(value) : -1};
  if (!kind) return whet__fail(err, WHET_E_FORMAT, "%s: no \"tolerance\" with a \"kind\"", path);
  if (!strcmp(kind, "exact")) return WHET_OK;
  out->kind = !strcmp(kind, "abs") ? CLI_TOL_ABS : CLI_TOL_REL;
  if ((strcmp(kind, "abs") && strcmp(kind, "rel")) || out->value < 0)
    return whet__fail(err, WHET_E_FORMAT, "%s: tolerance \"%.40s\" of value %g; known are exact, abs and rel", path,
                      kind, out->value);
  return WHET_OK;
}

/* Files <prefix>_0<end>, <prefix>_1<end> ... of a folder. A gap in the numbers leaves a path of NULL. */
static cli_case_file *files(const char *folder, const char *prefix, const char *end, size_t *n) {
  cli_case_file *v = cli_keep(MOST_FILES * sizeof *v);
  *n = 0;
  for (size_t i = 0; i < MOST_FILES && i < *n + 16; i++) {
    v[i].path = there(folder, cli_keep_printf("%s_%zu%s", prefix, i, end));
    if (v[i].path) *n = i + 1;
  }
  return v;
}

/* Files that a list in case.json names. */
static whet_status named(const char *path, const char *folder, const json_t *list, cli_case_file **out, size_t *n,
                         whet_err *err) {
  *n = json_array_size(list);
  *out = cli_keep((*n + 1) * sizeof **out);
  for (size_t i = 0; i < *n; i++) {
    const json_t *one = json_array_get(list, i);
    const char *file = json_string_value(json_object_get(one, "file")),
               *name = json_string_value(json_object_get(one, "signature_name"));
    if (!file || strchr(file, '/'))
      return whet__fail(err, WHET_E_FORMAT, "%s: input or output %zu has no \"file\"", path, i);
    (*out)[i] =
        (cli_case_file){cli_keep_printf("%s/%s", folder, file), name ? cli_keep_str(name, strlen(name)) : NULL};
  }
  return WHET_OK;
}

/* A run out of an object with "signature", "inputs", "outputs". */
static whet_status read_run(const char *path, const char *folder, const json_t *j, cli_case_run *r, whet_err *err) {
  const char *signature = json_string_value(json_object_get(j, "signature"));
  r->signature = signature ? cli_keep_str(signature, strlen(signature)) : NULL;
  WHET_TRY(named(path, folder, json_object_get(j, "inputs"), &r->in, &r->n_in, err));
  return named(path, folder, json_object_get(j, "outputs"), &r->out, &r->n_out, err);
}

/* A folder with case.json. */
static whet_status read_case_json(const char *path, cli_case *c, whet_err *err) {
  json_t *j;
  WHET_TRY(read_json(path, &j, err));
  const json_t *more = json_object_get(j, "more_runs");
  c->n_run = 1 + json_array_size(more);
  c->run = cli_keep(c->n_run * sizeof *c->run);
  whet_status s = read_tolerance(path, j, &c->tolerance, err);
  if (json_is_true(json_object_get(j, "random"))) c->tolerance.kind = CLI_TOL_RANDOM;
  if (!s) s = read_run(path, c->folder, j, &c->run[0], err);
  for (size_t k = 1; !s && k < c->n_run; k++)
    s = read_run(path, c->folder, json_array_get(more, k - 1), &c->run[k], err);
  json_decref(j);
  return s;
}

/* The tolerance of a case without case.json: meta.json in the folder or beside it; for .pb files what ONNX's runner
 * allows. */
static whet_status find_tolerance(cli_case *c, bool pb, whet_err *err) {
  json_t *j;
  const char *meta = there(c->folder, "meta.json");
  if (!meta) meta = there(cli_keep_printf("%s/..", c->folder), "meta.json");
  const json_t *own = c->sequence ? json_object_get(c->sequence, "tolerance") : NULL;
  if (own) return read_tolerance(cli_keep_printf("%s/sequence.json", c->folder), c->sequence, &c->tolerance, err);
  if (!meta) {
    c->tolerance =
        (cli_tolerance){.kind = pb ? CLI_TOL_CLOSE : CLI_TOL_REL, .value = pb ? 1e-7 : 1e-4, .rtol = pb ? 1e-3 : 0};
    return WHET_OK;
  }
  WHET_TRY(read_json(meta, &j, err));
  whet_status s = read_tolerance(meta, j, &c->tolerance, err);
  json_decref(j);
  return s;
}

const char *cli_case_other(const cli_case *c, size_t output, const char *engine) {
  return there(c->folder, cli_keep_printf("output_%zu.%s.npy", output, engine));
}

/* Names of engines among files output_<i>.<engine>.npy. */
static whet_status find_engines(cli_case *c, whet_err *err) {
  const char **name;
  size_t n;
  WHET_TRY(cli_folder_list(c->folder, &name, &n, err));
  c->engine = cli_keep((n + 1) * sizeof *c->engine);
  for (size_t i = 0; i < n; i++) {
    const char *dot = strncmp(name[i], "output_", 7) ? NULL : strchr(name[i], '.'), *end = strrchr(name[i], '.');
    if (!dot || dot == end || strcmp(end, ".npy")) continue;
    const char *engine = cli_keep_str(dot + 1, (size_t)(end - dot - 1));
    size_t k = 0;
    while (k < c->n_engine && strcmp(c->engine[k], engine)) k++;
    if (k == c->n_engine) c->engine[c->n_engine++] = engine;
  }
  return WHET_OK;
}

/* The folder itself as a case; *is tells whether it is one. */
static whet_status as_case(const char *folder, cli_case *c, bool *is, whet_err *err) {
  size_t n = strlen(folder);
  while (n > 1 && folder[n - 1] == '/') n--;
  const char *own = cli_keep_str(folder, n), *slash = strrchr(own, '/');
  *c = (cli_case){.name = slash ? slash + 1 : own, .folder = own};
  const char *json = there(own, "case.json"), *sequence = there(own, "sequence.json");
  *is = true;
  if (json) return read_case_json(json, c, err);
  c->run = cli_keep(sizeof *c->run);
  c->n_run = 1;
  const char *ends[] = {".npy", ".pb"};
  bool pb = false, fed = false;
  for (int k = 0; k < 2 && !c->run->n_out; k++) {
    pb = k == 1;
    c->run->in = files(own, "input", ends[k], &c->run->n_in);
    c->run->out = files(own, "output", ends[k], &c->run->n_out);
    fed |= c->run->n_in > 0;
  }
  *is = fed || c->run->n_out; /* inputs alone are a case that lost its outputs: the judge says so */
  if (!*is) return WHET_OK;
  if (sequence) WHET_TRY(read_json(sequence, &c->sequence, err));
  whet_status s = find_tolerance(c, pb, err);
  if (!s) s = find_engines(c, err);
  if (s) json_decref(c->sequence);
  return s;
}

/* Append a case. */
static void add(cli_cases *l, const cli_case *c) {
  if (l->n == l->cap) {
    size_t cap = l->cap ? l->cap * 2 : 16;
    cli_case *v = cli_keep(cap * sizeof *v);
    if (l->n) memcpy(v, l->v, l->n * sizeof *v);
    l->v = v;
    l->cap = cap;
  }
  l->v[l->n++] = *c;
}

whet_status cli_cases_find(const char *folder, cli_cases *out, whet_err *err) {
  cli_case c;
  bool is;
  const char **name;
  size_t n;
  WHET_TRY(cli_folder_list(folder, &name, &n, err));
  WHET_TRY(as_case(folder, &c, &is, err));
  if (is) {
    add(out, &c);
    return WHET_OK;
  }
  for (size_t i = 0; i < n; i++) {
    const char *path = cli_keep_printf("%s/%s", folder, name[i]);
    DIR *d = opendir(path);
    if (!d) continue;
    closedir(d);
    WHET_TRY(as_case(path, &c, &is, err));
    if (is) add(out, &c);
  }
  return WHET_OK;
}

void cli_cases_free(cli_cases *l) {
  for (size_t i = 0; i < l->n; i++) json_decref(l->v[i].sequence);
  *l = (cli_cases){0};
}
