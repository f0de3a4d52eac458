/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 64 };

/* Read all of two descriptors while writing to a third. */
static void talk(int in, const char *bytes, size_t n, int out, int err, char **text) {
  size_t len[2] = {0}, cap[2] = {4096, 4096};
  struct pollfd p[3] = {{out, POLLIN, 0}, {err, POLLIN, 0}, {in, POLLOUT, 0}};
  for (int k = 0; k < 2; k++) text[k] = malloc(cap[k] + 1);
  if (!n) close(in), p[2].fd = -1;
  while (p[0].fd >= 0 || p[1].fd >= 0) {
    if (poll(p, 3, -1) < 0) continue;
    if (p[2].fd >= 0 && p[2].revents) {
      ssize_t put = write(in, bytes, n);
      if (put > 0) bytes += put, n -= (size_t)put;
      if (put < 0 || !n) close(in), p[2].fd = -1;
    }
    for (int k = 0; k < 2; k++) {
      if (p[k].fd < 0 || !p[k].revents) continue;
      if (len[k] == cap[k]) text[k] = realloc(text[k], (cap[k] *= 2) + 1);
      ssize_t got = read(p[k].fd, text[k] + len[k], cap[k] - len[k]);
      if (got > 0)
        len[k] += (size_t)got;
      else
        close(p[k].fd), p[k].fd = -1;
    }
  }
  for (int k = 0; k < 2; k++) text[k][len[k]] = 0;
}

static said run(const void *bytes, size_t n, const char *format, va_list ap) {
  static said last;
  char line[8192], *arg[WORDS + 2], path[1024], marked[4096];
  int n_arg = 1, in[2], out[2], err[2], status;
  /* Spaces of the format part words, those of its values do not: the former become a mark first. */
  size_t i = 0;
  for (; format[i] && i + 1 < sizeof marked; i++) marked[i] = format[i] == ' ' ? '\1' : format[i];
  marked[i] = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  vsnprintf(line, sizeof line, marked, ap);
#pragma GCC diagnostic pop
  for (char *w = strtok(line, "\1"); w && n_arg < WORDS; w = strtok(NULL, "\1")) arg[n_arg++] = w;
  arg[n_arg] = NULL;
  const char *build = getenv("WHET_BUILD");
  snprintf(path, sizeof path, "%s/whet", build ? build : ".");
  arg[0] = path;
  if (pipe(in) || pipe(out) || pipe(err)) abort();
  fflush(NULL);
  pid_t child = fork();
  if (child < 0) abort();
  if (!child) {
    dup2(in[0], 0), dup2(out[1], 1), dup2(err[1], 2);
    for (int k = 0; k < 2; k++) close(in[k]), close(out[k]), close(err[k]);
    execv(path, arg);
    _exit(127);
  }
  close(in[0]), close(out[1]), close(err[1]);
  free(last.out);
  free(last.err);
  char *text[2];
  talk(in[1], bytes, n, out[0], err[0], text);
  while (waitpid(child, &status, 0) < 0) {
  }
  last = (said){WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text[0], text[1]};
  return last;
}

said whet(const char *words, ...) {
  va_list ap;
  va_start(ap, words);
  said s = run(NULL, 0, words, ap);
  va_end(ap);
  return s;
}

said whet_with_input(const void *in, size_t n, const char *words, ...) {
  va_list ap;
  va_start(ap, words);
  said s = run(in, n, words, ap);
  va_end(ap);
  return s;
}

void must_fail(said s, int status, const char *says) {
  const char *end = strchr(s.err, '\n');
  if (s.status != status) fail_msg("exit status %d, not %d: %s%s", s.status, status, s.err, s.out);
  if (!end || end[1]) fail_msg("not one line of error: \"%s\"", s.err);
  if (!strstr(s.err, says)) fail_msg("\"%s\" does not say \"%s\"", s.err, says);
  if (s.out[0]) fail_msg("something on standard output: \"%s\"", s.out);
}

void must_pass(said s) {
  if (s.status || s.err[0]) fail_msg("exit status %d: %s%s", s.status, s.err, s.out);
}

json_t *json_of(said s) {
  json_error_t e;
  must_pass(s);
  json_t *j = json_loads(s.out, 0, &e);
  if (!j) fail_msg("no JSON: %s at line %d of \"%s\"", e.text, e.line, s.out);
  return j;
}

json_t *at(json_t *j, const char *path) {
  char key[200];
  const char *p = path;
  while (*p) {
    size_t n = strcspn(p, ".");
    memcpy(key, p, n);
    key[n] = 0;
    j = json_is_array(j) ? json_array_get(j, (size_t)atoi(key)) : json_object_get(j, key);
    if (!j) fail_msg("there is no \"%s\" of \"%s\"", key, path);
    p += n + (p[n] == '.');
  }
  return j;
}

double number_at(json_t *j, const char *path) {
  json_t *v = at(j, path);
  if (!json_is_number(v)) fail_msg("\"%s\" is no number", path);
  return json_number_value(v);
}

const char *text_at(json_t *j, const char *path) {
  json_t *v = at(j, path);
  if (!json_is_string(v)) fail_msg("\"%s\" is no text", path);
  return json_string_value(v);
}

char *read_file(const char *path, size_t *n) {
  FILE *f = fopen(path, "rb");
  if (!f) return NULL;
  fseek(f, 0, SEEK_END);
  long len = ftell(f);
  rewind(f);
  char *p = malloc((size_t)len + 1);
  if (fread(p, 1, (size_t)len, f) != (size_t)len) abort();
  p[len] = 0;
  fclose(f);
  if (n) *n = (size_t)len;
  return p;
}

int entries(const char *folder) {
  DIR *d = opendir(folder);
  int n = 0;
  if (!d) return -1;
  for (struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
  closedir(d);
  return n;
}

/* What join() has made, until the program ends. */
enum { MOST_KEPT = 1000 };
static char *g_kept[MOST_KEPT];
static int g_n_kept;
static void drop(void) {
  while (g_n_kept) free(g_kept[--g_n_kept]);
}

const char *join(const char *folder, const char *name) {
  size_t n = strlen(folder) + strlen(name) + 2;
  char *p = malloc(n);
  if (g_n_kept == MOST_KEPT) abort();
  if (!g_n_kept) atexit(drop);
  g_kept[g_n_kept++] = p;
  snprintf(p, n, "%s/%s", folder, name);
  return p;
}

const char *write_npy(const char *folder, const char *name, const char *descr, const char *shape, const void *p,
                      size_t bytes) {
  char head[512];
  int n =
      snprintf(head + 10, sizeof head - 10, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape);
  memcpy(head, "\x93NUMPY\1\0", 8);
  head[8] = (char)n;
  head[9] = 0;
  char *all = malloc((size_t)n + 10 + bytes);
  memcpy(all, head, (size_t)n + 10);
  if (bytes) memcpy(all + n + 10, p, bytes);
  const char *path = test_write(folder, name, all, (size_t)n + 10 + bytes);
  free(all);
  return path;
}

const char *write_model(const char *folder, const char *name, buf model) {
  const char *path = test_write(folder, name, model.p, model.n);
  buf_free(&model);
  return path;
}

/* y = op(x) */
static buf unary(const char *op, int type, int rank, const int64_t *dims) {
  buf g = {0};
  pb_str(&g, 2, "g");
  ox_add_node(&g, ox_node_in(NULL, op, "only", "x", "y", NULL));
  ox_add_in(&g, ox_info("x", type, rank, dims, "n"));
  ox_add_out(&g, ox_info("y", type, rank, dims, "n"));
  return ox_model(g, 8, 17);
}

buf identity_model(int type, int rank, const int64_t *dims) { return unary("Identity", type, rank, dims); }
buf relu_model(int rank, const int64_t *dims) { return unary("Relu", 1, rank, dims); }

buf quant_model(int type, float scale, int64_t zero, int rank, const int32_t *dims) {
  tf_tensor t = {.name = "x", .type = type, .rank = rank, .n_quant = 1, .scale = {scale}, .zero = {zero}};
  for (int i = 0; i < rank; i++) t.dim[i] = dims[i];
  const tf_graph g = {.n_tensor = 1, .n_in = 1, .n_out = 1, .tensor = &t, .in = {0}, .out = {0}};
  return tf_model(&g, 1, NULL, 0);
}

const char *digit_folders(const char *dir) {
  for (int d = 0; d < 10; d++) {
    char name[40];
    size_t n;
    snprintf(name, sizeof name, "tools/demo_model/samples/%d.pgm", d);
    char *p = read_file(test_source(name), &n);
    assert_non_null(p);
    snprintf(name, sizeof name, "%s/%d", dir, d);
    assert_int_equal(mkdir(name, 0777), 0);
    test_write(name, "a.pgm", p, n);
    free(p);
  }
  return dir;
}
