/* SPDX-License-Identifier: Apache-2.0 */
/* Cast(x, to): the same numbers in another type. CastLike(x, t): in the type of t.
 *
 * ONNX Cast 1-28, CastLike 15-25; TFLite CAST, STABLEHLO_CONVERT. All types. Floats to integers are cut towards zero
 * (TFLite: past the range they become its end), integers to narrower ones lose their high bits, to BOOL everything
 * but 0 is true; to floats: nearest, half to even; to 8-bit floats with or without saturation; to FLOAT8E8M0 by
 * round_mode; complex numbers lose their imaginary part; text: cast_text.c. Quantised tensors: the stored numbers.
 * Exact. */

#include "op/cast.h"

#include <math.h>

#include "op/edit.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

enum { E8M0_UP, E8M0_DOWN, E8M0_NEAREST };

typedef struct cast_attr {
  int32_t to;    /* whet_dtype; Cast only */
  bool saturate; /* numbers past the largest float8 become the largest */
  uint8_t e8m0;  /* E8M0_: rounding to that type */
  bool clamp;    /* floats past an integer type's range become its end, what is no number its greatest (TFLite) */
} cast_attr;

static const whet_attr_desc k_attrs[] = {{"to", WHET_ATTR_I32, offsetof(cast_attr, to)},
                                         {"saturate", WHET_ATTR_BOOL, offsetof(cast_attr, saturate)},
                                         {"round_mode", WHET_ATTR_U8, offsetof(cast_attr, e8m0)},
                                         {"clamp", WHET_ATTR_BOOL, offsetof(cast_attr, clamp)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status put(whet_import *im, const whet_op *op, int64_t to, bool saturate, uint8_t e8m0, bool clamp) {
  cast_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  *a = (cast_attr){(int32_t)to, saturate, e8m0, clamp};
  return whet__im_node_as_is(im, op, a);
}

whet_status whet__im_cast(whet_import *im, int32_t x, int32_t y, whet_dtype to) {
  cast_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  *a = (cast_attr){(int32_t)to, true, E8M0_UP, false};
  return whet__im_node(im, whet__op_find("Cast"), a, &x, 1, &y, 1);
}

int32_t whet__ed_cast(whet_edit *e, int32_t x, int32_t y, whet_dtype to) {
  const cast_attr a = {(int32_t)to, true, E8M0_UP, false};
  return whet__ed_node(e, whet__op_find("Cast"), &a, &x, 1, &y, 1);
}

whet_status whet__im_cast_like(whet_import *im, int32_t x, int32_t like, int32_t y) {
  cast_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  *a = (cast_attr){.saturate = true};
  const int32_t in[2] = {x, like};
  return whet__im_node(im, whet__op_find("CastLike"), a, in, 2, &y, 1);
}

/* How ONNX rounds to FLOAT8E8M0. */
static whet_status read_round(whet_import *im, uint8_t *mode) {
  static const char *const names[] = {"up", "down", "nearest"};
  whet_str s = whet__onnx_str(im, "round_mode", "up");
  for (uint8_t i = 0; i < WHET_COUNT(names); i++)
    if (s.n == strlen(names[i]) && !memcmp(s.p, names[i], s.n)) {
      *mode = i;
      return WHET_OK;
    }
  return whet__im_fail(im, WHET_E_DATA, "round_mode must be up, down or nearest");
}

static whet_status read_onnx(whet_import *im, const whet_op *op) {
  uint8_t mode;
  WHET_TRY(read_round(im, &mode));
  int64_t to = whet__onnx_int(im, "to", 0);
  if (to <= WHET_NONE || to >= WHET_DTYPE_COUNT)
    return whet__im_fail(im, WHET_E_DATA, "attribute to is %lld: that is no element type", (long long)to);
  return put(im, op, to, whet__onnx_int(im, "saturate", 1) != 0, mode, false);
}
static whet_status read_like(whet_import *im, const whet_op *op) {
  uint8_t mode;
  WHET_TRY(read_round(im, &mode));
  return put(im, op, 0, whet__onnx_int(im, "saturate", 1) != 0, mode, false);
}
/* Cast before opset 6: the type by its name. */
static whet_status read_name(whet_import *im, const whet_op *op) {
  static const struct {
    const char *name;
    whet_dtype t;
  } names[] = {{"FLOAT", WHET_F32}, {"UINT8", WHET_U8},   {"INT8", WHET_S8},     {"UINT16", WHET_U16},
               {"INT16", WHET_S16}, {"INT32", WHET_S32},  {"INT64", WHET_S64},   {"STRING", WHET_STRING},
               {"BOOL", WHET_BOOL}, {"DOUBLE", WHET_F64}, {"FLOAT16", WHET_F16}, {"UINT32", WHET_U32},
               {"UINT64", WHET_U64}};
  whet_str s = whet__onnx_str(im, "to", "");
  for (size_t i = 0; i < WHET_COUNT(names); i++)
    if (s.n == strlen(names[i].name) && !memcmp(s.p, names[i].name, s.n))
      return put(im, op, names[i].t, true, E8M0_UP, false);
  return whet__im_fail(im, WHET_E_DATA, "attribute to names no element type");
}
static whet_status read_tfl(whet_import *im, const whet_op *op) {
  const whet_val *out = whet__im_val(im, whet__im_out(im, 0));
  if (!out || !out->dtype) return whet__im_fail(im, WHET_E_FORMAT, "expected an output with a type");
  return put(im, op, out->dtype, true, E8M0_UP, true);
}

static const whet_from k_from[] = {{"", "Cast", 1, read_name},
                                   {"", "Cast", 6, read_onnx},
                                   {"tflite", "CAST", 1, read_tfl},
                                   {"tflite", "STABLEHLO_CONVERT", 1, read_tfl},
                                   {0}};
static const whet_from k_like_from[] = {{"", "CastLike", 15, read_like}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

/* A known number in another type, where that holds it. */
static whet_dim map_known(whet_dim x, const void *ctx) {
  whet_dtype t = *(const whet_dtype *)ctx;
  if (t == WHET_BOOL) return whet__dim_number(x) ? x != 0 : WHET_DIM_ANY;
  if (!whet__dim_number(x))
    return t == WHET_S64 || t == WHET_S32 || t == WHET_F32 || t == WHET_F64 ? x : WHET_DIM_ANY;
  if (whet__is_float(t)) return x <= 1 << 24 && x >= -(1 << 24) ? x : WHET_DIM_ANY;
  return x >= whet__dtype_min(t) && x <= whet__dtype_max(t) ? x : WHET_DIM_ANY;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const cast_attr *a = n->attr;
  bool like = !a->to;
  if (whet__in_n(f) != 1 + like || !whet__in_has(f, like))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected %d inputs, got %d", 1 + like, whet__in_n(f));
  whet_dtype t = like ? whet__in_dtype(f, 1) : (whet_dtype)a->to, from = whet__in_dtype(f, 0);
  if (t == WHET_NONE || from == WHET_NONE || (whet__is_complex(from) && t == WHET_STRING) ||
      (whet__is_complex(t) && from == WHET_STRING))
    return whet__infer_fail(f, WHET_E_TYPE, "%s cannot become %s", whet_dtype_name(from), whet_dtype_name(t));
  *whet__out(f, 0, t) = *whet__in_shape(f, 0);
  if (t != WHET_STRING) whet__known_map(f, 0, 0, map_known, &t);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* A double as an f32 that rounds on to any narrower type as the double would (round to odd). */
static float to_odd(double v) {
  float f = (float)v;
  uint32_t u;
  if ((double)f == v || isnan(v) || isinf(f)) return f;
  memcpy(&u, &f, 4);
  if (u & 1) return f;
  /* The even neighbour was taken: step to the odd one on v's side. */
  u = (fabs((double)f) < fabs(v)) ? u + 1 : u - 1;
  memcpy(&f, &u, 4);
  return f;
}

/* FLOAT8E8M0 from an f32: its exponent, rounded. */
static uint8_t to_e8m0(float f, const cast_attr *a) {
  uint32_t u;
  memcpy(&u, &f, 4);
  uint32_t e = u >> 23 & 0xff, rest = u & 0x7fffff;
  if (e == 0xff) return a->saturate && !rest ? 0xfe : 0xff;
  bool up =
      a->e8m0 == E8M0_UP ? rest != 0 : a->e8m0 == E8M0_NEAREST && (rest > 0x400000 || (rest == 0x400000 && e > 0));
  if (up && !(a->saturate && e == 0xfe)) e++;
  return (uint8_t)e;
}

/* A real number within the range of an integer type; what is no number is the greatest. */
static double clamped(whet_dtype t, double v) {
  double lo = (double)whet__dtype_min(t), hi = t == WHET_U64 ? 18446744073709551616.0 : (double)whet__dtype_max(t);
  return v >= hi || isnan(v) ? hi : v < lo ? lo : v;
}

/* Store a real number. */
static void put_real(const cast_attr *a, const whet_tensor *y, int64_t i, double v) {
  switch (y->dtype) {
    case WHET_F32:
    case WHET_F64:
    case WHET_BOOL:
      whet__set_f64(y->dtype, y->data, i, v);
      return;
    case WHET_F8E8M0:
      ((uint8_t *)y->data)[i] = to_e8m0((float)v, a);
      return;
    case WHET_F8E4M3FN:
    case WHET_F8E4M3FNUZ:
    case WHET_F8E5M2:
    case WHET_F8E5M2FNUZ:
      ((uint8_t *)y->data)[i] = whet__f32_to_f8(y->dtype, to_odd(v), a->saturate);
      return;
    default:
      whet__set_f64(y->dtype, y->data, i,
                    whet__is_float(y->dtype) ? (double)to_odd(v)
                    : a->clamp               ? clamped(y->dtype, v)
                                             : v);
  }
}

/* Real part of a complex number; a complex number from a real one. */
static double get_complex(const whet_tensor *x, int64_t i, double *imag) {
  if (x->dtype == WHET_C64) {
    *imag = (double)((const float *)x->data)[2 * i + 1];
    return (double)((const float *)x->data)[2 * i];
  }
  *imag = ((const double *)x->data)[2 * i + 1];
  return ((const double *)x->data)[2 * i];
}
static void put_complex(const whet_tensor *y, int64_t i, double real, double imag) {
  if (y->dtype == WHET_C64)
    ((float *)y->data)[2 * i] = (float)real, ((float *)y->data)[2 * i + 1] = (float)imag;
  else
    ((double *)y->data)[2 * i] = real, ((double *)y->data)[2 * i + 1] = imag;
}

/* Integers and booleans, which blocks of int64 carry. */
static bool integer(whet_dtype t) { return !whet__is_float(t) && !whet__is_complex(t); }

/* n elements, one after the other: every pair of types but text. */
static void slow(const cast_attr *a, const whet_tensor *x, int64_t xi, int64_t xs, const whet_tensor *y, int64_t yi,
                 int64_t ys, int64_t n) {
  for (int64_t i = 0; i < n; i++, xi += xs, yi += ys) {
    double imag = 0, real;
    if (whet__is_complex(x->dtype)) {
      real = get_complex(x, xi, &imag);
    } else if (whet__is_float(x->dtype)) {
      real = whet__get_f64(x->dtype, x->data, xi);
    } else {
      int64_t v = whet__get_i64(x->dtype, x->data, xi);
      if (y->dtype == WHET_F32) { /* rounded once */
        ((float *)y->data)[yi] = x->dtype == WHET_U64 ? (float)(uint64_t)v : (float)v;
        continue;
      }
      real = x->dtype == WHET_U64 ? (double)(uint64_t)v : (double)v;
    }
    if (whet__is_complex(y->dtype))
      put_complex(y, yi, real, imag);
    else
      put_real(a, y, yi, real);
  }
}

/* Types that blocks of double carry without loss and without rounding twice. */
static bool plain(whet_dtype t) { return integer(t) && whet_dtype_bits(t) <= 32; }

static whet_status ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  if (x->dtype == WHET_STRING || y->dtype == WHET_STRING) return whet__cast_text(arg);
  bool ints = integer(x->dtype), reals = x->dtype == WHET_F32 && (y->dtype == WHET_F64 || plain(y->dtype));
  bool clamp = ((const cast_attr *)arg->attr)->clamp && !whet__is_float(y->dtype) && y->dtype != WHET_BOOL;
  whet_walk w;
  whet__walk_init(&w, x->rank, x->dim);
  whet__walk_add(&w, x);
  whet__walk_add(&w, y);
  while (whet__walk_row(&w))
    for (int64_t i = 0; i < w.run; i += WHET_BLOCK) {
      int64_t n = whet__min_i(WHET_BLOCK, w.run - i), xi = w.at[0] + i * w.step[0], yi = w.at[1] + i * w.step[1];
      int64_t v[WHET_BLOCK];
      double f[WHET_BLOCK];
      if (ints && integer(y->dtype)) {
        whet__load_i64(x, xi, w.step[0], n, v);
        whet__store_i64(y, yi, w.step[1], n, v);
      } else if (plain(x->dtype) && (y->dtype == WHET_F32 || y->dtype == WHET_F64)) {
        whet__load_i64(x, xi, w.step[0], n, v);
        for (int64_t k = 0; k < n; k++) f[k] = (double)v[k];
        whet__store_f64(y, yi, w.step[1], n, f);
      } else if (reals) {
        whet__load_f64(x, xi, w.step[0], n, f);
        for (int64_t k = 0; k < n && clamp; k++) f[k] = clamped(y->dtype, f[k]);
        whet__store_f64(y, yi, w.step[1], n, f);
      } else {
        slow(arg->attr, x, xi, w.step[0], y, yi, w.step[1], n);
      }
    }
  return WHET_OK;
}

/* ---- permutation, records -------------------------------------------------------------------- */

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) { return true; }

const whet_op whet_op_Cast = {.name = "Cast",
                              .flags = WHET_OP_POINTWISE,
                              .attr_size = sizeof(cast_attr),
                              .attrs = k_attrs,
                              .from = k_from,
                              .infer = infer,
                              .permute = permute,
                              .ref = ref};
const whet_op whet_op_CastLike = {.name = "CastLike",
                                  .attr_size = sizeof(cast_attr),
                                  .attrs = k_attrs,
                                  .from = k_like_from,
                                  .infer = infer,
                                  .permute = permute,
                                  .ref = ref};
