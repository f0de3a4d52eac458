/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing and sorting: see order.h. A merge sort: never more than n log n steps, whatever the data. */

#include "op/order.h"

#include <math.h>

#include "base/dtype.h"

static int compare_real(double a, double b) {
  if (isnan(a) || isnan(b)) return (int)isnan(a) - (int)isnan(b);
  return (a > b) - (a < b);
}

int whet__compare(whet_dtype t, const void *a, int64_t i, const void *b, int64_t j) {
  if (t == WHET_STRING) {
    const whet_str *x = (const whet_str *)a + i, *y = (const whet_str *)b + j;
    size_t n = x->n < y->n ? x->n : y->n;
    int c = n ? memcmp(x->p, y->p, n) : 0;
    return c ? c : (x->n > y->n) - (x->n < y->n);
  }
  if (whet__is_complex(t)) {
    whet_dtype part = t == WHET_C64 ? WHET_F32 : WHET_F64;
    int c = compare_real(whet__get_f64(part, a, 2 * i), whet__get_f64(part, b, 2 * j));
    return c ? c : compare_real(whet__get_f64(part, a, 2 * i + 1), whet__get_f64(part, b, 2 * j + 1));
  }
  if (whet__is_float(t)) return compare_real(whet__get_f64(t, a, i), whet__get_f64(t, b, j));
  int64_t x = whet__get_i64(t, a, i), y = whet__get_i64(t, b, j);
  return t == WHET_U64 ? ((uint64_t)x > (uint64_t)y) - ((uint64_t)x < (uint64_t)y) : (x > y) - (x < y);
}

int64_t *whet__sort_places(int64_t n, int64_t *a, int64_t *b, int (*compare)(const void *ctx, int64_t i, int64_t j),
                           const void *ctx) {
  for (int64_t i = 0; i < n; i++) a[i] = i;
  for (int64_t w = 1; w < n; w *= 2) {
    for (int64_t lo = 0; lo < n; lo += 2 * w) {
      int64_t mid = whet__min_i(lo + w, n), hi = whet__min_i(lo + 2 * w, n), i = lo, j = mid;
      for (int64_t k = lo; k < hi; k++)
        b[k] = j == hi || (i < mid && compare(ctx, a[i], a[j]) <= 0) ? a[i++] : a[j++];
    }
    int64_t *t = a;
    a = b;
    b = t;
  }
  return a;
}
