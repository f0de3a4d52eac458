/* SPDX-License-Identifier: Apache-2.0 */
/* Binary operators: z = f(x, y) for every element, with numpy broadcasting. binary.def has a row for each.
 *
 * ONNX opsets 1 to the newest; before 7 the second input may be aligned at an axis, which becomes an Unsqueeze. Sum,
 * Max, Min and Mean of many inputs are folds from the left. TFLite's arithmetic, comparisons, logic, StableHLO's.
 *
 * Types: as the row says; f32 by kernels, the others through double or int64. Integer arithmetic wraps; x / 0 and the
 * remainder by 0 are 0. Quantised 8- and 16-bit numbers: binary_q8.c. Exact but for Pow and Atan2. */

#include "op/binary.h"

#include <math.h>

#include "kern/binary_f32.h"
#include "op/binary_q8.h"
#include "op/cast.h"
#include "op/edit.h"
#include "op/grad.h"
#include "op/move.h"
#include "op/move_attr.h"
#include "op/tile.h"
#include "op/walk.h"

/* ---- functions ------------------------------------------------------------------------------- */

WHET_INLINE int64_t wadd(int64_t x, int64_t y) { return (int64_t)((uint64_t)x + (uint64_t)y); }
WHET_INLINE int64_t wsub(int64_t x, int64_t y) { return (int64_t)((uint64_t)x - (uint64_t)y); }
WHET_INLINE int64_t wmul(int64_t x, int64_t y) { return (int64_t)((uint64_t)x * (uint64_t)y); }
static int64_t wsquare(int64_t x, int64_t y) { return wmul(wsub(x, y), wsub(x, y)); }
WHET_INLINE bool less(int64_t x, int64_t y, bool u) { return u ? (uint64_t)x < (uint64_t)y : x < y; }

/* Division towards zero (ONNX Div-7, TFLite DIV). */
static int64_t wdiv(int64_t x, int64_t y, bool u) {
  if (!y) return 0;
  if (u) return (int64_t)((uint64_t)x / (uint64_t)y);
  return y == -1 ? wsub(0, x) : x / y;
}
/* Its remainder, with the sign of x. */
static int64_t wrem(int64_t x, int64_t y, bool u) { return y ? wsub(x, wmul(wdiv(x, y, u), y)) : 0; }
/* Division towards minus infinity, and its remainder, with the sign of y. */
static int64_t floor_div(int64_t x, int64_t y, bool u) {
  int64_t r = wrem(x, y, u), q = wdiv(x, y, u);
  return !u && r && (r < 0) != (y < 0) ? q - 1 : q;
}
static int64_t ifloor_mod(int64_t x, int64_t y, bool u) {
  int64_t r = wrem(x, y, u);
  return !u && r && (r < 0) != (y < 0) ? wadd(r, y) : r;
}
static double floor_mod(double x, double y) {
  double r = fmod(x, y);
  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}
/* Shifts; those by as many bits as there are, or more, leave zero or the sign. */
static int64_t shift(int64_t x, int64_t y, bool u, int32_t right) {
  uint64_t n = (uint64_t)y; /* negative ones are more than there are */
  if (!right) return n > 63 ? 0 : (int64_t)((uint64_t)x << n);
  if (u) return n > 63 ? 0 : (int64_t)((uint64_t)x >> n);
  return x >> (n > 63 ? 63 : n);
}
/* x to the power of y by squaring; 0 for negative powers of anything but 1 and -1. */
static int64_t ipow(int64_t x, int64_t y, bool u) {
  if (!u && y < 0) return x == 1 ? 1 : x == -1 ? (y & 1 ? -1 : 1) : 0;
  int64_t r = 1;
  for (uint64_t n = (uint64_t)y; n; n >>= 1, x = wmul(x, x))
    if (n & 1) r = wmul(r, x);
  return r;
}

#define BINARY(name, types, f64, i64, kernel, kind, attr, flags, grad_x, grad_y, from) \
  static double name##_f64(double x, double y, int32_t mode) { return (double)(f64); } \
  static int64_t name##_i64(int64_t x, int64_t y, bool u, int32_t mode) { return (int64_t)(i64); } \
  static void name##_i64s(int64_t *x, const int64_t *y, int64_t n, bool u, int32_t mode) { \
    for (int64_t i = 0; i < n; i++) x[i] = name##_i64(x[i], y[i], u, mode); \
  }
#include "op/binary.def"
#undef BINARY

/* ---- reading --------------------------------------------------------------------------------- */

/* Append op (with attribute `mode`) on two values. */
static whet_status put(whet_import *im, const whet_op *op, int32_t mode, int32_t x, int32_t y, int32_t z) {
  whet_binary_attr at = {mode};
  const void *attr = NULL;
  if (x < 0 || y < 0 || z < 0) return whet__im_fail(im, WHET_E_FORMAT, "expected 2 inputs and an output");
  if (op->attr_size && !(attr = whet__arena_copy(whet__im_arena(im), &at, sizeof at)))
    return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  int32_t in[2] = {x, y};
  return whet__im_node(im, op, attr, in, 2, &z, 1);
}
/* The same on the file's operator's own inputs and output. */
static whet_status put_own(whet_import *im, const whet_op *op, int32_t mode) {
  if (whet__im_n_in(im) != 2) return whet__im_fail(im, WHET_E_FORMAT, "expected 2 inputs, got %d", whet__im_n_in(im));
  return put(im, op, mode, whet__im_in(im, 0), whet__im_in(im, 1), whet__im_out(im, 0));
}

/* The second input of an old ONNX operator, given dimensions of size 1 at its end so that its first dimension stands
 * under dimension `axis` of the first input. */
static whet_status aligned(whet_import *im, int64_t axis, int32_t *y) {
  const whet_shape *x = &whet__im_val(im, whet__im_in(im, 0))->shape, *s = &whet__im_val(im, *y)->shape;
  if (x->rank < 0 || s->rank < 0)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "axis %lld: the ranks of the inputs are not told by the file",
                         (long long)axis);
  if (axis < 0) axis += x->rank;
  int64_t extra = x->rank - axis - s->rank;
  if (axis < 0 || extra < 0)
    return whet__im_fail(im, WHET_E_DATA, "axis %lld does not fit inputs of ranks %d and %d", (long long)axis,
                         x->rank, s->rank);
  for (int64_t i = 0; i < extra; i++) {
    *y = whet__im_squeeze(im, "Unsqueeze", *y, s->rank + i, -1);
    if (*y < 0) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a value");
  }
  return WHET_OK;
}

static whet_status read_onnx(whet_import *im, const whet_op *op) {
  int32_t y = whet__im_in(im, 1);
  if (whet__im_since(im) < 7 && y >= 0 && whet__im_in(im, 0) >= 0 && whet__onnx_has(im, "axis"))
    WHET_TRY(aligned(im, whet__onnx_int(im, "axis", 0), &y));
  return put(im, op, 0, whet__im_in(im, 0), y, whet__im_out(im, 0));
}
static whet_status read_tfl(whet_import *im, const whet_op *op) { return put_own(im, op, 0); }
/* TFLite arithmetic: an activation may follow. */
static whet_status read_fused(whet_import *im, const whet_op *op) {
  int64_t code = whet__tfl_int(im, 0, 0);
  int32_t out = whet__tfl_before_activation(im, code);
  WHET_TRY(put(im, op, 0, whet__im_in(im, 0), whet__im_in(im, 1), out));
  bool shifts = (!strcmp(op->name, "Add") || !strcmp(op->name, "Sub")) && whet__tfl_int(im, 1, 1) &&
                whet__binary_q8_pot(whet__im_val(im, whet__im_in(im, 0)), whet__im_val(im, whet__im_in(im, 1)),
                                    whet__im_val(im, out));
  if (shifts) whet__im_round(im, WHET_ROUND_TFL_FIX1);
  return whet__tfl_activation(im, code, out, whet__im_out(im, 0));
}
/* Any number of inputs, from left to right. */
static whet_status fold(whet_import *im, const whet_op *op) {
  int n = whet__im_n_in(im);
  int32_t sum = whet__im_in(im, 0), out = whet__im_out(im, 0);
  if (n < 1 || sum < 0 || out < 0) return whet__im_fail(im, WHET_E_FORMAT, "expected at least 1 input");
  if (n == 1) return whet__im_node(im, whet__op_find("Identity"), NULL, &sum, 1, &out, 1);
  for (int i = 1; i < n; i++) {
    int32_t z = i == n - 1 ? out : whet__im_new(im, "part");
    WHET_TRY(put(im, op, 0, sum, whet__im_in(im, i), z));
    sum = z;
  }
  return WHET_OK;
}
/* Mean: the sum of all inputs, divided by their number in the inputs' type. */
static whet_status mean(whet_import *im, const whet_op *op) {
  int n = whet__im_n_in(im);
  float count = (float)n;
  int32_t sum = whet__im_in(im, 0), divisor = whet__im_new(im, "count");
  if (n < 1 || sum < 0) return whet__im_fail(im, WHET_E_FORMAT, "expected at least 1 input");
  for (int i = 1; i < n; i++) {
    int32_t z = whet__im_new(im, "sum");
    WHET_TRY(put(im, op, 0, sum, whet__im_in(im, i), z));
    sum = z;
  }
  WHET_TRY(whet__im_cast_like(im, whet__im_const(im, WHET_F32, 0, NULL, &count), whet__im_in(im, 0), divisor));
  return put(im, whet__op_find("Div"), 0, sum, divisor, whet__im_out(im, 0));
}
static whet_status mod(whet_import *im, const whet_op *op) {
  return put_own(im, op, whet__onnx_int(im, "fmod", 0) != 0);
}
static whet_status tfl_remainder(whet_import *im, const whet_op *op) { return put_own(im, op, 1); }
static whet_status bit_shift(whet_import *im, const whet_op *op) {
  whet_str s = whet__onnx_str(im, "direction", "");
  bool right = s.n == 5 && !memcmp(s.p, "RIGHT", 5);
  if (!right && !(s.n == 4 && !memcmp(s.p, "LEFT", 4)))
    return whet__im_fail(im, WHET_E_DATA, "direction must be LEFT or RIGHT");
  return put_own(im, op, right);
}
static whet_status tfl_shift_right(whet_import *im, const whet_op *op) { return put_own(im, op, 1); }
static whet_status tfl_shift_left(whet_import *im, const whet_op *op) { return put_own(im, op, 0); }
/* STABLEHLO_COMPARE: the operator by its direction. */
static whet_status tfl_compare(whet_import *im, const whet_op *op) {
  static const char *const k_name[] = {"Equal", "NotEqual", "GreaterOrEqual", "Greater", "LessOrEqual", "Less"};
  enum { TOTAL_ORDER = 2 };
  int64_t direction = whet__tfl_int(im, 0, 0);
  const whet_val *x = whet__im_val(im, whet__im_in(im, 0));
  if (direction < 0 || direction >= (int64_t)WHET_COUNT(k_name))
    return whet__im_fail(im, WHET_E_FORMAT, "comparison %lld, which is none", (long long)direction);
  if (whet__tfl_int(im, 1, 0) == TOTAL_ORDER && whet__is_float((whet_dtype)x->dtype))
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "the total order of floats");
  return put_own(im, whet__op_find(k_name[direction]), 0);
}
/* STABLEHLO_CLAMP(least, x, greatest). */
static whet_status tfl_clamp(whet_import *im, const whet_op *op) {
  int32_t part = whet__im_new(im, "part");
  if (whet__im_n_in(im) != 3) return whet__im_fail(im, WHET_E_FORMAT, "%d inputs: expected 3", whet__im_n_in(im));
  WHET_TRY(put(im, whet__op_find("Max"), 0, whet__im_in(im, 1), whet__im_in(im, 0), part));
  return put(im, op, 0, part, whet__im_in(im, 2), whet__im_out(im, 0));
}
/* ONNX PRelu: before opset 7 a slope vector belongs to the channels, dimension 1. */
static whet_status prelu(whet_import *im, const whet_op *op) {
  int32_t y = whet__im_in(im, 1);
  const whet_val *s = whet__im_val(im, y);
  if (whet__im_since(im) < 7 && s && s->shape.rank == 1 && s->shape.d[0] != 1) WHET_TRY(aligned(im, 1, &y));
  return put(im, op, 0, whet__im_in(im, 0), y, whet__im_out(im, 0));
}

/* ---- rows ------------------------------------------------------------------------------------ */

enum { WHET_BIN_NONE = -1 };
#define BINARY(name, types, f64, i64, kernel, kind, attr, flags, grad_x, grad_y, from) \
  extern const whet_op whet_op_##name;
#include "op/binary.def"
#undef BINARY

static const whet_binary_row k_rows[] = {
#define BINARY(name, types, f64, i64, kernel, kind, attr, flags, grad_x, grad_y, from) \
  {&whet_op_##name, types, name##_f64, name##_i64, name##_i64s, WHET_BIN_##kernel, WHET_BINARY_##kind, grad_x, grad_y},
#include "op/binary.def"
#undef BINARY
};

const whet_binary_row *whet__binary_row(const whet_op *op) {
  for (size_t i = 0; i < WHET_COUNT(k_rows); i++)
    if (k_rows[i].op == op) return &k_rows[i];
  return NULL;
}

/* Attribute `mode` of a node. */
static int32_t mode_of(const whet_node *n) { return n->attr ? ((const whet_binary_attr *)n->attr)->mode : 0; }

/* ---- shape and type -------------------------------------------------------------------------- */

/* Known contents of an input as real numbers, with symbols apart. */
struct operand {
  const whet_dim *dim; /* NULL: read data */
  const void *data;
  whet_dtype t;
  int32_t n;
};
/* True when the contents of input i are known, at least in part. */
static bool operand(whet_infer *f, int i, struct operand *o) {
  o->t = whet__in_dtype(f, i);
  if ((o->dim = whet__in_known(f, i, &o->n))) return true;
  int64_t n = whet__shape_count(whet__in_shape(f, i));
  o->data = whet__in_data(f, i);
  o->n = (int32_t)n;
  return o->data && n >= 0 && n <= WHET_KNOWN_MAX && whet__is_float(o->t);
}

/* One element of the result: exact for numbers, a few rules for symbols. */
static whet_dim known_pair(const whet_binary_row *r, const whet_node *n, const struct operand *a,
                           const struct operand *b, int32_t i) {
  int32_t ia = a->n == 1 ? 0 : i, ib = b->n == 1 ? 0 : i;
  const char *name = n->op->name;
  if (a->dim && b->dim) {
    whet_dim x = a->dim[ia], y = b->dim[ib];
    if (whet__dim_number(x) && whet__dim_number(y)) {
      if (!y && (!strcmp(name, "Div") || !strcmp(name, "Mod"))) return WHET_DIM_ANY;
      if (whet__is_float(a->t)) {
        double z = r->f64((double)x, (double)y, mode_of(n));
        return z == floor(z) && fabs(z) < 0x1p62 ? (whet_dim)z : WHET_DIM_ANY;
      }
      int64_t z = r->i64(x, y, whet__is_unsigned_int(a->t), mode_of(n));
      return whet__dim_number(z) ? z : WHET_DIM_ANY;
    }
    if (!strcmp(name, "Add")) return whet__dim_add(x, y);
    if (!strcmp(name, "Sub")) return whet__dim_sub(x, y);
    if (!strcmp(name, "Mul")) return whet__dim_mul(x, y);
    if (!strcmp(name, "Div") && !whet__is_float(a->t)) return whet__dim_div(x, y);
    if (x == y && x != WHET_DIM_ANY) {
      if (!strcmp(name, "Equal") || !strcmp(name, "LessOrEqual") || !strcmp(name, "GreaterOrEqual")) return 1;
      if (!strcmp(name, "Max") || !strcmp(name, "Min")) return x;
    }
    /* A symbol is a size: it is at least 0. */
    if (!strcmp(name, "Equal") && x != WHET_DIM_ANY && y != WHET_DIM_ANY &&
        ((whet__dim_number(x) && x < 0) || (whet__dim_number(y) && y < 0)))
      return 0;
    return WHET_DIM_ANY;
  }
  if ((a->dim && !whet__dim_number(a->dim[ia])) || (b->dim && !whet__dim_number(b->dim[ib]))) return WHET_DIM_ANY;
  double z = r->f64(a->dim ? (double)a->dim[ia] : whet__get_f64(a->t, a->data, ia),
                    b->dim ? (double)b->dim[ib] : whet__get_f64(b->t, b->data, ib), mode_of(n));
  return z == floor(z) && fabs(z) < 0x1p62 ? (whet_dim)z : WHET_DIM_ANY;
}

/* Record what is known of a result of rank 0 or 1. */
static void known(whet_infer *f, const whet_node *n, const whet_binary_row *r, const whet_shape *out) {
  struct operand a, b;
  int64_t count = whet__shape_count(out);
  if (out->rank > 1 || count < 0 || count > WHET_KNOWN_MAX || whet__in_dtype(f, 0) == WHET_STRING) return;
  if (!operand(f, 0, &a) || !operand(f, 1, &b) || (!a.dim && !b.dim)) return;
  if ((a.n != 1 && a.n != count) || (b.n != 1 && b.n != count)) return;
  whet_dim *z = whet__out_known(f, 0, (int32_t)count);
  for (int32_t i = 0; z && i < count; i++) z[i] = known_pair(r, n, &a, &b, i);
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_binary_row *r = whet__binary_row(n->op);
  whet_dtype t = whet__in_dtype(f, 0), u = whet__in_dtype(f, 1);
  if (whet__in_n(f) != 2 || !whet__in_has(f, 0) || !whet__in_has(f, 1))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected 2 inputs, got %d", whet__in_n(f));
  bool quantised = whet__quantised(t, whet__in_quant(f, 0));
  if ((!whet__type_in(r->types, t) && !quantised) || !whet__type_in(r->types, u))
    return whet__infer_fail(f, WHET_E_TYPE, "inputs of types %s and %s are not taken", whet_dtype_name(t),
                            whet_dtype_name(u));
  bool bytes = quantised && whet__quantised(u, whet__in_quant(f, 1)) && whet_dtype_bits(t) == whet_dtype_bits(u);
  if (r->kind != WHET_BINARY_FIRST && t != u && !bytes)
    return whet__infer_fail(f, WHET_E_TYPE, "expected inputs of one type, got %s and %s", whet_dtype_name(t),
                            whet_dtype_name(u));
  whet_shape s;
  WHET_TRY(whet__infer_broadcast(f, whet__in_shape(f, 0), whet__in_shape(f, 1), &s));
  const whet_val *z = whet__out_val(f, 0);
  if (bytes && z && whet__quantised((whet_dtype)z->dtype, z->q)) t = (whet_dtype)z->dtype;
  *whet__out(f, 0, r->kind == WHET_BINARY_BOOL ? WHET_BOOL : t) = s;
  if (!quantised) known(f, n, r, &s);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* A row of 32-bit numbers by one of the usual functions, without carriers; false for the others. Constants may lie at any address. */
static bool row_i32(int32_t fn, const whet_walk *w, const char *a, const char *b, int32_t *z) {
  int32_t v[2];
  int64_t x, y;
#define ROW(fn, value)                                     \
  case WHET_BIN_##fn:                                      \
    for (int64_t i = 0; i < w->run; i++) {                 \
      memcpy(v, a + i * w->step[0] * 4, 4), x = v[0];      \
      memcpy(v + 1, b + i * w->step[1] * 4, 4), y = v[1];  \
      z[i * w->step[2]] = (int32_t)(value);                \
    }                                                      \
    return true;
  switch (fn) {
    ROW(ADD, wadd(x, y))
    ROW(SUB, wsub(x, y))
    ROW(MUL, wmul(x, y))
    ROW(DIV, y == -1 ? wsub(0, x) : y ? (int32_t)x / (int32_t)y : 0)
    ROW(MIN, x < y ? x : y)
    ROW(MAX, x > y ? x : y)
    default:
      return false;
  }
#undef ROW
}

/* Equal and NotEqual on strings. */
static void ref_strings(const whet_args *arg, whet_walk *w, bool equal) {
  const whet_tensor *x = &arg->in[0], *y = &arg->in[1], *z = &arg->out[0];
  while (whet__walk_row(w))
    for (int64_t i = 0; i < w->run; i++) {
      const whet_str *a = (const whet_str *)x->data + w->at[0] + i * w->step[0];
      const whet_str *b = (const whet_str *)y->data + w->at[1] + i * w->step[1];
      bool same = a->n == b->n && (!a->n || !memcmp(a->p, b->p, a->n));
      ((uint8_t *)z->data)[w->at[2] + i * w->step[2]] = same == equal;
    }
}

/* Arithmetic on complex numbers, each step rounded to the type of their parts. */
static void ref_complex(const whet_args *arg, whet_walk *w, int fn) {
  const whet_tensor *in = arg->in, *z = &arg->out[0];
  whet_dtype part = z->dtype == WHET_C64 ? WHET_F32 : WHET_F64;
  bool single = part == WHET_F32;
  while (whet__walk_row(w))
    for (int64_t i = 0; i < w->run; i++) {
      double v[2][2], re, im, p[4], q;
      for (int k = 0; k < 4; k++)
        v[k / 2][k % 2] = whet__get_f64(part, in[k / 2].data, 2 * (w->at[k / 2] + i * w->step[k / 2]) + k % 2);
      double a = v[0][0], b = v[0][1], c = v[1][0], d = fn == WHET_BIN_DIV ? -v[1][1] : v[1][1];
      for (int k = 0; k < 4; k++) p[k] = (k & 2 ? b : a) * (k & 1 ? d : c);
      for (int k = 0; k < 4 && single && fn == WHET_BIN_MUL; k++) p[k] = (double)(float)p[k];
      re = p[0] - p[3], im = p[1] + p[2];
      if (fn == WHET_BIN_ADD) re = a + c, im = b + d;
      if (fn == WHET_BIN_SUB) re = a - c, im = b - d;
      if (fn == WHET_BIN_DIV) q = c * c + d * d, re /= q, im /= q;
      int64_t to = 2 * (w->at[2] + i * w->step[2]);
      whet__set_f64(part, z->data, to, re);
      whet__set_f64(part, z->data, to + 1, im);
    }
}

static whet_status ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->in[1], *z = &arg->out[0];
  if (whet__quantised(x->dtype, x->q)) return whet__binary_q8_ref(arg);
  const whet_binary_row *r = whet__binary_row(arg->node->op);
  int32_t mode = mode_of(arg->node);
  bool is_int = !whet__is_float(x->dtype) && !whet__is_float(y->dtype), u = whet__is_unsigned_int(x->dtype);
  whet_walk w;
  whet__walk_init(&w, z->rank, z->dim);
  whet__walk_add(&w, x);
  whet__walk_add(&w, y);
  whet__walk_add(&w, z);
  if (x->dtype == WHET_STRING) {
    ref_strings(arg, &w, !strcmp(arg->node->op->name, "Equal"));
    return WHET_OK;
  }
  if (whet__is_complex(x->dtype)) {
    ref_complex(arg, &w, r->bin);
    return WHET_OK;
  }
  const bool i32 = x->dtype == WHET_S32 && y->dtype == WHET_S32 && z->dtype == WHET_S32;
  while (whet__walk_row(&w)) {
    if (i32 && row_i32(r->bin, &w, (const char *)x->data + w.at[0] * 4, (const char *)y->data + w.at[1] * 4, (int32_t *)z->data + w.at[2]))
      continue;
    for (int64_t i = 0; i < w.run; i += WHET_BLOCK) {
      int64_t n = whet__min_i(WHET_BLOCK, w.run - i);
      int64_t xi = w.at[0] + i * w.step[0], yi = w.at[1] + i * w.step[1], zi = w.at[2] + i * w.step[2];
      if (is_int) {
        int64_t a[WHET_BLOCK], b[WHET_BLOCK];
        whet__load_i64(x, xi, w.step[0], n, a);
        whet__load_i64(y, yi, w.step[1], n, b);
        r->i64s(a, b, n, u, mode);
        whet__store_i64(z, zi, w.step[2], n, a);
      } else {
        double a[WHET_BLOCK], b[WHET_BLOCK];
        whet__load_f64(x, xi, w.step[0], n, a);
        whet__load_f64(y, yi, w.step[1], n, b);
        for (int64_t k = 0; k < n; k++) a[k] = r->f64(a[k], b[k], mode);
        whet__store_f64(z, zi, w.step[2], n, a);
      }
    }
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

/* Strides of value v where it broadcasts to `like`. */
static void strides(const whet_planner *p, int32_t v, const whet_shape *like, int64_t *stride) {
  const whet_shape *s = whet__pl_shape(p, v);
  int64_t own[WHET_MAX_RANK] = {0};
  whet__pl_strides(p, v, own);
  for (int32_t i = 0; i < like->rank; i++) {
    int32_t k = i - (like->rank - s->rank);
    stride[i] = k < 0 || s->d[k] == 1 ? 0 : own[k];
  }
}

static whet_status plan(whet_planner *p, const whet_node *n) {
  const whet_binary_row *r = whet__binary_row(n->op);
  if (whet__quantised(whet__pl_dtype(p, n->in[0]), whet__pl_quant(p, n->in[0])))
    return whet__binary_q8_plan(p, n);
  if (whet__pl_dtype(p, n->in[0]) != WHET_F32 || whet__pl_dtype(p, n->in[1]) != WHET_F32 || r->bin < 0)
    return WHET_LATE;
  int32_t out = whet__pl_group_out(p), res = -1;
  const whet_shape *z = whet__pl_shape(p, n->out[0]);
  whet_binary_f32 k = {.fn = r->bin, .rank = z->rank};
  int64_t count = 1;
  for (int32_t i = 0; i < z->rank; i++) count *= k.dim[i] = z->d[i];
  strides(p, n->in[0], z, k.x_stride);
  strides(p, n->in[1], z, k.y_stride);
  strides(p, out, z, k.z_stride);
  whet__pl_epi_f32(p, n, &k.epi, &res);
  if (res >= 0) {
    int64_t like[WHET_MAX_RANK];
    strides(p, res, z, like);
    if (memcmp(like, k.z_stride, (size_t)z->rank * sizeof *like)) return WHET_LATE;
  }
  whet__binary_f32_simplify(&k);
  int32_t last = k.rank - 1;
  if (last >= 0 && (k.z_stride[last] != 1 || k.x_stride[last] > 1 || k.y_stride[last] > 1)) return WHET_LATE;
  whet_arg arg[4] = {whet__rd(n->in[0]), whet__rd(n->in[1]), whet__wr(out), whet__rd(res)};
  bool slow = r->bin == WHET_BIN_POW || r->bin == WHET_BIN_ATAN2;
  return whet__pl_kern(p, WHET_FAMILY_binary_f32, &k, sizeof k, arg, 4, whet__max_i(1, count / 1024),
                       (double)count * (slow ? 1.5 : 0.12));
}

/* ---- permutation ----------------------------------------------------------------------------- */

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  return whet__permute_broadcast(e, node, perm, rank);
}

/* ---- gradient -------------------------------------------------------------------------------- */

static whet_status grad(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  const whet_binary_row *r = whet__binary_row(n.op);
  const char *text[2] = {r->grad_x, r->grad_y};
  whet_dtype t = whet__ed_dtype(e, n.in[0]);
  whet_grad_name name[] = {
      {'x', n.in[0], 0}, {'y', n.in[1], 0}, {'z', n.out[0], 0}, {'g', whet__grad_of(e, n.out[0]), 0}};
  for (int i = 0; i < 2; i++) {
    if (!*text[i] || !whet__grad_wants(e, n.in[i])) continue;
    if (whet__ed_dtype(e, name[1].v) != t) /* Pow's exponent */
      name[1].v = whet__ed_call(e, "CastLike", NULL, (int32_t[]){n.in[1], n.in[0]}, 2, t);
    int32_t g = whet__grad_formula(e, text[i], name, 4, t);
    if (i && whet__ed_dtype(e, n.in[1]) != t)
      g = whet__ed_call(e, "CastLike", NULL, (int32_t[]){g, n.in[1]}, 2, whet__ed_dtype(e, n.in[1]));
    WHET_TRY(whet__grad_add_summed(e, node, n.in[i], g, whet__ed_shape(e, n.out[0])));
  }
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

#define MODE(name) 1, name
#define NIL 0, NULL
#define HAS_(has, name) has
#define HAS(...) HAS_(__VA_ARGS__)
#define NAME_(has, name) name
#define NAME(...) NAME_(__VA_ARGS__)
#define O(name_, since_) {"", name_, since_, read_onnx},
#define V(name_, since_) {"", name_, since_, fold},
#define T(name_) {"tflite", name_, 1, read_tfl},
#define F(name_) {"tflite", name_, 1, read_fused},
#define X(domain_, name_, since_, fn_) {domain_, name_, since_, fn_},
#define BINARY(name_, types, f64, i64, kernel, kind, attr_, flags_, grad_x, grad_y, from_)                       \
  static const whet_from name_##_from[] = {from_{0}};                                                            \
  static const whet_attr_desc name_##_attrs[] = {{NAME(attr_), WHET_ATTR_I32, offsetof(whet_binary_attr, mode)}, \
                                                 {0}};                                                           \
  const whet_op whet_op_##name_ = {.name = #name_,                                                               \
                                   .flags = WHET_OP_POINTWISE | WHET_OP_INPLACE | WHET_OP_TILE |                 \
                                            WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT | (flags_),                     \
                                   .attr_size = HAS(attr_) * sizeof(whet_binary_attr),                           \
                                   .attrs = name_##_attrs,                                                       \
                                   .from = name_##_from,                                                         \
                                   .infer = infer,                                                               \
                                   .plan = plan,                                                                 \
                                   .permute = permute,                                                           \
                                   .grad = grad,                                                                 \
                                   .ref = ref};
#include "op/binary.def"
#undef BINARY
