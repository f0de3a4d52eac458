/* SPDX-License-Identifier: Apache-2.0 */
/* Contract: any bytes given as the body of an inference request end in a named error or in a request whose tensors
 * lie within their memory, and lists of numbers read at once are those read one by one. The first byte chooses: below
 * 128 a body, of which the second byte tells how much is JSON; else the rest is a list of numbers. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "edge/serve/infer.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static serve_io io(const char *name, const char *type, int32_t rank, int64_t a, int64_t b) {
  return (serve_io){.name = name, .type = dtype_named((json_text){type, strlen(type)}), .rank = rank, .dims = {a, b}};
}

/* A version that only declares: of every type, with free and fixed dimensions, of any rank. It is never freed. */
static serve_version *version(bool batches) {
  static serve_io in[7], out[2];
  static serve_version v[2];
  in[0] = io("f", "FP32", 2, 1, 4), in[1] = io("c", "INT8", 2, -1, 3), in[2] = io("s", "BYTES", 1, -1, 0);
  in[3] = io("l", "INT64", -1, 0, 0), in[4] = io("b", "BOOL", 1, 2, 0), in[5] = io("d", "FP64", 0, 0, 0),
  in[6] = io("h", "FP16", 1, -1, 0);
  out[0] = io("y", "FP32", 2, 1, 4), out[1] = io("t", "BYTES", 1, -1, 0);
  for (int i = 0; i < 2; i++) {
    v[i].refs = 1000;
    memcpy(v[i].name, "m", 2);
    v[i].set.c.priorities = 3, v[i].set.c.deadline = 1, v[i].set.c.batch_max = i ? 4 : 0;
    v[i].in = i ? in + 1 : in, v[i].n_in = i ? 1 : 7;
    v[i].out = out, v[i].n_out = 2;
  }
  v[batches].refs++;
  return &v[batches];
}

/* Read every byte that a tensor says it has. */
static void touch(const serve_io *d, const infer_tensor *t) {
  static volatile uint8_t kept;
  uint8_t sum = 0;
  size_t count = 1;
  if (!t->given || t->rank < 0 || t->rank > WHET_MAX_RANK) abort();
  for (int32_t i = 0; i < t->rank; i++) count *= (size_t)t->dims[i];
  if (count != t->count || (d->rank >= 0 && d->rank != t->rank)) abort();
  if (t->strings) {
    const whet_str *s = whet_value_const_data(t->strings);
    if (whet_value_count(t->strings) != count) abort();
    for (size_t i = 0; i < count; i++)
      for (size_t k = 0; k < s[i].n; k++) sum ^= (uint8_t)s[i].p[k];
  } else if (!t->region) {
    if (t->bytes != count * d->type->bytes) abort();
    for (size_t i = 0; i < t->bytes; i++) sum ^= t->data[i];
  }
  kept = sum;
  (void)kept;
}

static void body(int how, size_t json, const uint8_t *bytes, size_t n) {
  whet_err err = {0};
  serve_infer *x = NULL;
  char *copy = malloc(n ? n : 1); /* of exactly its size; escapes are resolved in it */
  serve_regions *r = how & 2 ? regions_create() : NULL;
  memcpy(copy, bytes, n);
  whet_status s = infer_read(version(how & 1), r, copy, n, json, &x, &err);
  if (s ? x || err.code != s || !err.text[0] : !x || err.code) abort();
  if (x) {
    for (size_t i = 0; i < x->v->n_in; i++) touch(&x->v->in[i], &x->in[i]);
    if (x->n_want > x->v->n_out || x->rows < 1 || (x->v->set.c.batch_max && !infer_alike(x, x))) abort();
    for (size_t i = 0; i < x->id.n; i++)
      if (x->id.p + i < copy || x->id.p + i >= copy + n) abort();
  }
  infer_free(&x);
  regions_free(&r);
  free(copy);
}

/* The list's numbers, many at a time or one by one; how many before its end or a failure. */
static size_t list(char *text, size_t n, bool many, float *out, size_t most, bool *bad) {
  whet_err err = {0};
  json_in j;
  size_t k = 0;
  jin_init(&j, text, n, &err);
  for (jin_begin(&j, '['); k < most && jin_next(&j, ']');) {
    size_t got = many ? jin_floats(&j, out + k, most - k) : 0;
    if (!got) {
      double v;
      jin_double(&j, &v);
      if (j.bad) break;
      out[k] = (float)v;
      got = 1;
    }
    k += got;
  }
  *bad = j.bad;
  return k;
}

static void numbers(const uint8_t *bytes, size_t n) {
  enum { MOST = 64 };
  float a[MOST], b[MOST];
  bool bad_a, bad_b;
  char *copy = malloc(n ? n : 1);
  memcpy(copy, bytes, n);
  size_t k = list(copy, n, true, a, MOST, &bad_a), m = list(copy, n, false, b, MOST, &bad_b);
  if (k != m || bad_a != bad_b || memcmp(a, b, k * sizeof *a)) abort();
  for (size_t i = 0; i < k; i++) {
    serve_buf out = {0};
    if (!isfinite(a[i])) continue;
    buf_float(&out, a[i]); /* what is written is read as the same number */
    if (!buf_room(&out, 1)) abort();
    out.p[out.n] = 0;
    float back = strtof(out.p, NULL);
    if (memcmp(&back, &a[i], sizeof back)) abort();
    free(out.p); /* not buf_free: the tests have one of that name */
  }
  free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  if (n < 2) return 0;
  if (p[0] & 128)
    numbers(p + 1, n - 1);
  else
    body(p[0], p[1] == 255 || p[1] > n - 2 ? n - 2 : n - 2 - p[1], p + 2, n - 2);
  return 0;
}
