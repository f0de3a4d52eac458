/* SPDX-License-Identifier: Apache-2.0 */
/* Combining elements: see accumulate.h. Sums and products of floats are taken in double and rounded once, which is what
 * the type's own arithmetic gives. */

#include "op/accumulate.h"

#include <math.h>

#include "op/move.h"
#include "op/walk.h"

bool whet__accumulates(whet_dtype t, whet_acc how) {
  return how == WHET_ACC_SET || t == WHET_BOOL || whet__is_int(t) || whet__is_float(t) || whet__is_complex(t);
}

static double real(whet_acc how, double a, double b) {
  switch (how) {
    case WHET_ACC_ADD:
      return a + b;
    case WHET_ACC_MUL:
      return a * b;
    case WHET_ACC_MAX:
      return isnan(a) || a > b ? a : b;
    case WHET_ACC_MIN:
      return isnan(a) || a < b ? a : b;
    default:
      return b;
  }
}

static int64_t whole(whet_acc how, int64_t a, int64_t b, bool u) {
  bool less = u ? (uint64_t)a < (uint64_t)b : a < b;
  switch (how) {
    case WHET_ACC_ADD:
      return (int64_t)((uint64_t)a + (uint64_t)b);
    case WHET_ACC_MUL:
      return (int64_t)((uint64_t)a * (uint64_t)b);
    case WHET_ACC_MAX:
      return less ? b : a;
    case WHET_ACC_MIN:
      return less ? a : b;
    default:
      return b;
  }
}

/* Complex numbers compare by their real parts first. */
static void complex_numbers(whet_dtype t, whet_acc how, void *out, int64_t oi, const void *in, int64_t ii) {
  whet_dtype part = t == WHET_C64 ? WHET_F32 : WHET_F64;
  double a[2], b[2], v[2];
  for (int k = 0; k < 2; k++) {
    a[k] = whet__get_f64(part, out, 2 * oi + k);
    b[k] = whet__get_f64(part, in, 2 * ii + k);
  }
  bool nan = isnan(a[0]) || isnan(a[1]), less = a[0] < b[0] || (a[0] == b[0] && a[1] < b[1]);
  bool other = isnan(b[0]) || isnan(b[1]), keep = nan || (!other && (how == WHET_ACC_MAX ? !less : less));
  for (int k = 0; k < 2; k++)
    v[k] = how == WHET_ACC_ADD ? a[k] + b[k] : keep ? a[k] : b[k];
  if (how == WHET_ACC_MUL) {
    v[0] = a[0] * b[0] - a[1] * b[1];
    v[1] = a[0] * b[1] + a[1] * b[0];
  }
  for (int k = 0; k < 2; k++) whet__set_f64(part, out, 2 * oi + k, v[k]);
}

void whet__accumulate(whet_dtype t, whet_acc how, void *out, int64_t oi, const void *in, int64_t ii) {
  if (how == WHET_ACC_SET) {
    whet__move_one(t, out, oi, in, ii);
  } else if (whet__is_complex(t)) {
    complex_numbers(t, how, out, oi, in, ii);
  } else if (whet__is_float(t)) {
    whet__set_f64(t, out, oi, real(how, whet__get_f64(t, out, oi), whet__get_f64(t, in, ii)));
  } else {
    int64_t a = whet__get_i64(t, out, oi), b = whet__get_i64(t, in, ii), v = whole(how, a, b, t == WHET_U64);
    whet__set_i64(t, out, oi, t == WHET_BOOL ? v != 0 : v);
  }
}

void whet__accumulate_box(whet_dtype t, whet_acc how, int32_t rank, const int64_t *dim, void *out, int64_t oo,
                          const int64_t *os, const void *in, int64_t io, const int64_t *is) {
  int64_t at[WHET_MAX_RANK] = {0};
  if (how == WHET_ACC_SET) {
    whet__move_box(t, rank, dim, out, oo, os, in, io, is);
    return;
  }
  for (int64_t left = whet__dim_product(dim, 0, rank); left > 0; left--, whet__index_next(rank, dim, at))
    whet__accumulate(t, how, out, oo + whet__index_offset(rank, at, os), in, io + whet__index_offset(rank, at, is));
}
