/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing values: element by element as doubles, 64-bit integers and strings as they are. */

#include "compare.h"

#include <math.h>
#include <stdio.h>

#include "base/dtype.h"
#include "opts.h"
#include "out.h"
#include "show.h"

bool cli_tolerance_parse(const char *s, cli_tolerance *out) {
  static const char *name[] = {"exact", "abs", "rel", "close", "random"};
  size_t n = strcspn(s, ":");
  *out = (cli_tolerance){.kind = CLI_TOL_EXACT};
  for (int k = 0; k < 5; k++) {
    if (strlen(name[k]) != n || memcmp(s, name[k], n)) continue;
    out->kind = k;
    if (k == CLI_TOL_EXACT || k == CLI_TOL_RANDOM) return !s[n];
    if (!s[n]) return false;
    const char *value = s + n + 1, *rest = strchr(value, ':');
    const char *first = rest ? cli_keep_str(value, (size_t)(rest - value)) : value;
    if (!cli_parse_real(first, &out->value) || out->value < 0) return false;
    if (k != CLI_TOL_CLOSE) return !rest;
    return rest && cli_parse_real(rest + 1, &out->rtol) && out->rtol >= 0;
  }
  return false;
}

/* Part k (0, 1: real and imaginary) of element i. */
static double part(const whet_value *v, size_t i, int k) {
  const void *p = whet_value_const_data(v);
  whet_dtype t = whet_value_dtype(v);
  if (t == WHET_C64) return (double)((const float *)p)[2 * i + (size_t)k];
  if (t == WHET_C128) return ((const double *)p)[2 * i + (size_t)k];
  return whet__get_f64(t, p, (int64_t)i);
}

/* The difference of two numbers: 0 when equal or both NaN, infinite when only one is NaN or they are opposite
 * infinities. */
static double apart(double a, double b) {
  if (a == b || (isnan(a) && isnan(b))) return 0;
  double d = fabs(a - b);
  return isnan(d) ? INFINITY : d;
}

/* What the tolerance allows for an element that should be `want`; `scale`: the tensor's greatest magnitude. */
static double allowed(const cli_tolerance *t, whet_dtype type, double want, double scale) {
  switch (t->kind) {
    case CLI_TOL_ABS:
      return t->value;
    case CLI_TOL_REL:
      return whet__is_float(type) || whet__is_complex(type) ? t->value * scale : 0;
    case CLI_TOL_CLOSE: { /* and one rounding step: bfloat16's neighbours are up to 2^-7 apart; what is left in f32 where
                             the greatest elements cancel is as coarse as they are */
      double step = type == WHET_BF16 ? 1.0 / 128 : 0, left = type == WHET_F32 ? scale / 8388608 : 0;
      return t->value + left + fmax(t->rtol, step) * (isfinite(want) ? fabs(want) : 0);
    }
    default:
      return 0;
  }
}

/* Strings without the zeros that numpy cuts off. */
static bool same_string(whet_str a, whet_str b) {
  while (a.n && !a.p[a.n - 1]) a.n--;
  while (b.n && !b.p[b.n - 1]) b.n--;
  return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

/* Elements of two tensors of one type and shape. */
static void elements(const whet_value *got, const whet_value *want, const cli_tolerance *t, cli_difference *d) {
  whet_dtype type = whet_value_dtype(got);
  int parts = whet__is_complex(type) ? 2 : 1;
  double scale = 0, worst_past = -1;
  size_t at = 0;
  d->n = whet_value_count(got);
  if (type == WHET_STRING) {
    const whet_str *a = whet_value_const_data(got), *b = whet_value_const_data(want);
    for (size_t i = 0; i < d->n; i++)
      if (!same_string(a[i], b[i]) && !d->differ++) at = i;
  } else if (type == WHET_S64 || type == WHET_U64) {
    const int64_t *a = whet_value_const_data(got), *b = whet_value_const_data(want);
    for (size_t i = 0; i < d->n; i++) {
      double off = type == WHET_S64 ? fabs((double)a[i] - (double)b[i])
                                    : fabs((double)(uint64_t)a[i] - (double)(uint64_t)b[i]);
      if (a[i] != b[i] && off < 1) off = 1;
      double may = allowed(t, type, type == WHET_S64 ? (double)b[i] : (double)(uint64_t)b[i], 0);
      if (off > d->worst) d->worst = off, d->allowed = may;
      if (off > may) {
        d->differ++;
        if (off - may > worst_past) worst_past = off - may, at = i;
      }
    }
  } else {
    for (size_t i = 0; i < d->n; i++)
      for (int k = 0; k < parts; k++) {
        double m = fabs(part(want, i, k));
        if (isfinite(m) && m > scale) scale = m;
      }
    for (size_t i = 0; i < d->n; i++) {
      bool past = false;
      for (int k = 0; k < parts; k++) {
        double b = part(want, i, k), off = apart(part(got, i, k), b), may = allowed(t, type, b, scale);
        if (off > d->worst) d->worst = off, d->allowed = may;
        if (off > may) {
          past = true;
          if (off - may > worst_past) worst_past = off - may, at = i;
        }
      }
      d->differ += past;
    }
  }
  if (!d->allowed) d->allowed = allowed(t, type, scale, scale);
  d->fine = !d->differ;
  if (d->fine) return;
  int n = snprintf(d->text, sizeof d->text, "%s of %s differ%s; %s at %s: got %s, expected %s",
                   cli_count((int64_t)d->differ), cli_count((int64_t)d->n), d->differ == 1 ? "s" : "",
                   type == WHET_STRING ? "first" : "worst", cli_index(got, at), cli_element(got, at),
                   cli_element(want, at));
  if (type != WHET_STRING && n > 0 && (size_t)n < sizeof d->text)
    snprintf(d->text + n, sizeof d->text - (size_t)n, ", off by %.3g where %.3g is allowed",
             worst_past + allowed(t, type, part(want, at, 0), scale), allowed(t, type, part(want, at, 0), scale));
}

/* Values of a map, which are a vector or a sequence of single elements: those of `v` as a vector, where that can be; else v
 * itself. A reference for the caller. */
static whet_value *as_vector(whet_value *v) {
  size_t n = whet_value_items(v);
  const whet_value *first = whet_value_kind(v) == WHET_SEQUENCE ? whet_value_item(v, 0) : NULL;
  whet_value *out = NULL;
  if (!first || whet_value_create(whet_value_dtype(first), 1, (int64_t[]){(int64_t)n}, &out)) return whet_value_ref(v);
  for (size_t i = 0; i < n; i++) {
    const whet_value *one = whet_value_item(v, i);
    size_t each = whet_value_bytes(first);
    bool fits = whet_value_kind(one) == WHET_TENSOR && whet_value_count(one) == 1 &&
                whet_value_dtype(one) == whet_value_dtype(first) && whet_dtype_bits(whet_value_dtype(one)) >= 8;
    const whet_str *s = fits && whet_value_dtype(one) == WHET_STRING ? whet_value_const_data(one) : NULL;
    if (!fits || (s && whet_value_set_string(out, i, s->p, s->n))) {
      whet_value_unref(&out);
      return whet_value_ref(v);
    }
    if (!s) memcpy((char *)whet_value_data(out) + i * each, whet_value_const_data(one), each);
  }
  return out;
}

void cli_compare(const whet_value *got, const whet_value *want, const cli_tolerance *t, cli_difference *out) {
  static const char *kind[] = {"a tensor", "a sequence", "a map", "an optional"};
  *out = (cli_difference){.fine = false};
  whet_kind a = whet_value_kind(got), b = whet_value_kind(want);
  if (a != b) {
    snprintf(out->text, sizeof out->text, "got %s, expected %s", kind[a & 3], kind[b & 3]);
    return;
  }
  if (a != WHET_TENSOR) {
    size_t n = whet_value_items(got), m = whet_value_items(want);
    out->comparable = n == m;
    out->fine = n == m;
    if (n != m) snprintf(out->text, sizeof out->text, "%zu items, expected %zu", n, m);
    for (size_t i = 0; out->fine && i < n; i++) {
      cli_difference item;
      whet_value *x = a == WHET_MAP ? as_vector(whet_value_item(got, i)) : whet_value_ref(whet_value_item(got, i));
      whet_value *y = a == WHET_MAP ? as_vector(whet_value_item(want, i)) : whet_value_ref(whet_value_item(want, i));
      cli_compare(x, y, t, &item);
      whet_value_unref(&x);
      whet_value_unref(&y);
      out->n += item.n;
      out->differ += item.differ;
      if (item.worst > out->worst) out->worst = item.worst, out->allowed = item.allowed;
      if (item.fine) continue;
      out->fine = false;
      snprintf(out->text, sizeof out->text, "item %zu: %.370s", i, item.text);
    }
    return;
  }
  if (whet_value_dtype(got) != whet_value_dtype(want)) {
    snprintf(out->text, sizeof out->text, "got %s, expected %s", whet_dtype_name(whet_value_dtype(got)),
             whet_dtype_name(whet_value_dtype(want)));
    return;
  }
  int32_t rank = whet_value_rank(got);
  if (rank != whet_value_rank(want) ||
      (rank && memcmp(whet_value_dims(got), whet_value_dims(want), (size_t)rank * sizeof(int64_t)))) {
    snprintf(out->text, sizeof out->text, "got shape %s, expected %s", cli_dims(rank, whet_value_dims(got), NULL),
             cli_dims(whet_value_rank(want), whet_value_dims(want), NULL));
    return;
  }
  out->comparable = true;
  if (t->kind == CLI_TOL_RANDOM)
    out->fine = true;
  else
    elements(got, want, t, out);
}
