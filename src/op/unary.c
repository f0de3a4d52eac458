/* SPDX-License-Identifier: Apache-2.0 */
/* Unary operators: y = f(x) for every element. unary.def has a row for each: names in both formats, function, kernel,
 * attributes, gradient. ONNX opsets 1 to the newest; TFLite ABS, CEIL, COS, ELU, EXP, FLOOR, GELU, HARD_SWISH,
 * LEAKY_RELU, LOG, LOGICAL_NOT, LOGISTIC, NEG, RELU*, ROUND, RSQRT, SIGN, SIN, SQRT, SQUARE, TANH and StableHLO's.
 *
 * Types: as the row says; f32 by kernels (errors in unary_f32.h), the others through double or int64. Quantised 8-
 * and 16-bit numbers: unary_q8.c. Clip with bounds that are computed, or that f32 cannot hold, becomes Min(Max(x,
 * min), max). */

#include "op/unary.h"

#include <math.h>

#include "kern/unary_f32.h"
#include "op/edit.h"
#include "op/grad.h"
#include "op/tile.h"
#include "op/unary_q8.h"
#include "op/walk.h"

#define SQRT1_2 0.70710678118654752440

/* ---- functions ------------------------------------------------------------------------------- */

/* -x and x*x that wrap. */
static int64_t wneg(int64_t x) { return (int64_t)(0 - (uint64_t)x); }
static int64_t wmul(int64_t x, int64_t y) { return (int64_t)((uint64_t)x * (uint64_t)y); }
/* max(a, min(x, b)); NaN stays. */
static double clip(double x, double a, double b) {
  x = x > b ? b : x;
  return x < a ? a : x;
}
/* An integer as a double. */
static double to_real(int64_t x, bool u) { return u ? (double)(uint64_t)x : (double)x; }
/* The same for an integer, with bounds that are integers or infinite. */
static int64_t iclip(int64_t x, bool u, double a, double b) {
  if (to_real(x, u) > b) x = b < -0x1p63 ? INT64_MIN : (int64_t)b;
  return to_real(x, u) < a ? (a >= 0x1p63 ? INT64_MAX : (int64_t)a) : x;
}
static int64_t ishrink(int64_t x, bool u, double a, double b) {
  double r = to_real(x, u), y = r < -a ? r + b : r > a ? r - b : 0;
  return y >= 0x1p63 ? INT64_MAX : y < -0x1p63 ? INT64_MIN : (int64_t)y;
}
static double sigmoid(double x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); }
static double softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }
/* x times the logistic function of 2 sqrt(2/pi) (x + 0.044715 x^3): the tanh form of GELU. */
static double gelu_tanh(double x) { return x * sigmoid(1.5957691216057307 * (x + 0.044715 * x * x * x)); }

#define UNARY(name, types, f64, i64, kernel, a_, b_, to_bool, grad, from)          \
  static double name##_f64(double x, double a, double b) { return (double)(f64); } \
  static int64_t name##_i64(int64_t x, bool u, double a, double b) { return (i64); }
#include "op/unary.def"
#undef UNARY

/* ---- reading --------------------------------------------------------------------------------- */

/* Append op with attributes a and b from input in to output out. */
static whet_status put(whet_import *im, const whet_op *op, float a, float b, int32_t in, int32_t out) {
  whet_unary_attr at = {a, b};
  const void *attr = NULL;
  if (op->attr_size && !(attr = whet__arena_copy(whet__im_arena(im), &at, sizeof at)))
    return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  return whet__im_node(im, op, attr, &in, 1, &out, 1);
}
/* The same from and to the file's operator's own first input and output. */
static whet_status put_own(whet_import *im, const whet_op *op, float a, float b) {
  if (whet__im_in(im, 0) < 0 || whet__im_out(im, 0) < 0)
    return whet__im_fail(im, WHET_E_FORMAT, "expected an input and an output");
  return put(im, op, a, b, whet__im_in(im, 0), whet__im_out(im, 0));
}

/* Default values of attributes, in the order of the rows. */
struct dflt {
  float a, b;
};
static struct dflt defaults(const whet_op *op);

/* ONNX: attributes by the names that the row gives. */
static whet_status read_onnx(whet_import *im, const whet_op *op) {
  struct dflt d = defaults(op);
  if (op->attrs && op->attrs[0].name) d.a = whet__onnx_float(im, op->attrs[0].name, d.a);
  if (op->attrs && op->attrs[0].name && op->attrs[1].name) d.b = whet__onnx_float(im, op->attrs[1].name, d.b);
  return put_own(im, op, d.a, d.b);
}
static whet_status read_tfl(whet_import *im, const whet_op *op) {
  struct dflt d = defaults(op);
  return put_own(im, op, d.a, d.b);
}
static whet_status tfl_leaky(whet_import *im, const whet_op *op) {
  return put_own(im, op, whet__tfl_float(im, 0, 0), 0);
}
static whet_status tfl_gelu(whet_import *im, const whet_op *op) {
  return put_own(im, op, whet__tfl_int(im, 0, 0) != 0, 0);
}
static whet_status tfl_relu6(whet_import *im, const whet_op *op) { return put_own(im, op, 0, 6); }
static whet_status tfl_relu1(whet_import *im, const whet_op *op) { return put_own(im, op, -1, 1); }
static whet_status tfl_relu01(whet_import *im, const whet_op *op) { return put_own(im, op, 0, 1); }
static whet_status isinf_flags(whet_import *im, const whet_op *op) {
  return put_own(im, op, whet__onnx_int(im, "detect_negative", 1) != 0,
                 whet__onnx_int(im, "detect_positive", 1) != 0);
}
static whet_status gelu_erf(whet_import *im, const whet_op *op) { return put_own(im, op, 0, 0); }
static whet_status quick_gelu(whet_import *im, const whet_op *op) {
  return put_own(im, op, whet__onnx_float(im, "alpha", 1.702f), 0);
}
static whet_status gelu(whet_import *im, const whet_op *op) {
  whet_str s = whet__onnx_str(im, "approximate", "none");
  if (s.n == 4 && !memcmp(s.p, "none", 4)) return put_own(im, op, 0, 0);
  if (s.n == 4 && !memcmp(s.p, "tanh", 4)) return put_own(im, op, 1, 0);
  return whet__im_fail(im, WHET_E_DATA, "approximate is \"%.*s\": expected none or tanh",
                       (int)whet__min_i((int64_t)s.n, 40), s.p);
}
/* com.microsoft FastGelu (tanh form) and BiasGelu: an optional bias is added first. */
static whet_status biased(whet_import *im, const whet_op *op, bool fast) {
  int32_t in[2] = {whet__im_in(im, 0), whet__im_in(im, 1)};
  if (in[1] < 0) return put_own(im, op, fast, 0);
  int32_t sum = whet__im_new(im, "biased");
  WHET_TRY(whet__im_node(im, whet__op_find("Add"), NULL, in, 2, &sum, 1));
  return put(im, op, fast, 0, sum, whet__im_out(im, 0));
}
static whet_status gelu_fast(whet_import *im, const whet_op *op) { return biased(im, op, true); }
static whet_status gelu_bias(whet_import *im, const whet_op *op) { return biased(im, op, false); }
/* Clip before opset 11: bounds are attributes. */
static whet_status clip_attr(whet_import *im, const whet_op *op) {
  return put_own(im, op, whet__onnx_float(im, "min", -INFINITY), whet__onnx_float(im, "max", INFINITY));
}
/* One bound as a constant that f32 holds exactly; false when it is not one. */
static bool bound(whet_import *im, int32_t v, float *to) {
  const whet_val *x = whet__im_val(im, v);
  int32_t n = 0;
  if (!x || x->role != WHET_ROLE_CONST || x->dtype == WHET_F64 || x->dtype == WHET_U64) return false;
  if (whet__is_int((whet_dtype)x->dtype)) {
    const int64_t *i = whet__im_const_ints(im, v, &n);
    if (!i || n != 1 || i[0] > 1 << 24 || i[0] < -(1 << 24)) return false;
    *to = (float)i[0];
    return true;
  }
  const float *f = whet__im_const_floats(im, v, &n);
  if (!f || n != 1) return false;
  *to = f[0];
  return true;
}
/* Clip from opset 11 on: bounds are inputs, each may be absent. */
static whet_status clip_inputs(whet_import *im, const whet_op *op) {
  float a = -INFINITY, b = INFINITY;
  int32_t x = whet__im_in(im, 0), lo = whet__im_in(im, 1), hi = whet__im_in(im, 2), out = whet__im_out(im, 0);
  if ((lo < 0 || bound(im, lo, &a)) && (hi < 0 || bound(im, hi, &b))) return put_own(im, op, a, b);
  if (lo >= 0) {
    int32_t in[2] = {x, lo};
    int32_t y = hi < 0 ? out : whet__im_new(im, "max");
    WHET_TRY(whet__im_node(im, whet__op_find("Max"), NULL, in, 2, &y, 1));
    x = y;
  }
  if (hi < 0) return WHET_OK;
  int32_t in[2] = {x, hi};
  return whet__im_node(im, whet__op_find("Min"), NULL, in, 2, &out, 1);
}

/* ---- rows ------------------------------------------------------------------------------------ */

enum { WHET_UN_NONE = -1 };
#define UNARY(name, types, f64, i64, kernel, a, b, to_bool, grad, from) extern const whet_op whet_op_##name;
#include "op/unary.def"
#undef UNARY

#define A(name, dflt) 1, name, dflt
#define NIL 0, NULL, 0
#define HAS_(has, name, dflt) has
#define HAS(...) HAS_(__VA_ARGS__)
#define NAME_(has, name, dflt) name
#define NAME(...) NAME_(__VA_ARGS__)
#define VALUE_(has, name, dflt) dflt
#define VALUE(...) VALUE_(__VA_ARGS__)

static const whet_unary_row k_rows[] = {
#define UNARY(name, types, f64, i64, kernel, a, b, to_bool, grad, from) \
  {&whet_op_##name, types, name##_f64, name##_i64, WHET_UN_##kernel, to_bool, grad},
#include "op/unary.def"
#undef UNARY
};
static const struct dflt k_defaults[] = {
#define UNARY(name, types, f64, i64, kernel, a, b, to_bool, grad, from) {VALUE(a), VALUE(b)},
#include "op/unary.def"
#undef UNARY
};

const whet_unary_row *whet__unary_row(const whet_op *op) {
  for (size_t i = 0; i < WHET_COUNT(k_rows); i++)
    if (k_rows[i].op == op) return &k_rows[i];
  return NULL;
}

static struct dflt defaults(const whet_op *op) {
  const whet_unary_row *r = whet__unary_row(op);
  return r ? k_defaults[r - k_rows] : (struct dflt){0, 0};
}

bool whet__unary_f32_of(const whet_op *op, const whet_unary_attr *at, uint8_t *fn, float *a, float *b) {
  const whet_unary_row *r = whet__unary_row(op);
  if (!r || r->un < 0 || r->to_bool) return false;
  *fn = (uint8_t)r->un;
  *a = at ? at->a : 0;
  *b = at ? at->b : 0;
  if (!strcmp(op->name, "Relu")) *b = INFINITY;
  if (!strcmp(op->name, "Gelu") && *a != 0) *fn = WHET_UN_GELU_TANH;
  return true;
}

/* ---- shape and type -------------------------------------------------------------------------- */

/* What the function makes of a known integer. */
struct known {
  const whet_unary_row *row;
  bool u;
  double a, b;
};
static whet_dim map_known(whet_dim x, const void *ctx) {
  const struct known *k = ctx;
  if (!whet__dim_number(x)) return WHET_DIM_ANY;
  int64_t y = k->row->i64(x, k->u, k->a, k->b);
  return whet__dim_number(y) ? y : WHET_DIM_ANY;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_unary_row *row = whet__unary_row(n->op);
  whet_dtype t = whet__in_dtype(f, 0);
  if (whet__in_n(f) != 1 || !whet__in_has(f, 0))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected 1 input, got %d", whet__in_n(f));
  bool quantised = whet__quantised(t, whet__in_quant(f, 0));
  if (!whet__type_in(row->types, t) && !quantised)
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  const whet_val *y = whet__out_val(f, 0);
  if (quantised && y && whet__quantised((whet_dtype)y->dtype, y->q)) t = (whet_dtype)y->dtype;
  *whet__out(f, 0, row->to_bool ? WHET_BOOL : t) = *whet__in_shape(f, 0);
  if (quantised || !(row->types & (WHET_T_INT | WHET_T_BOOL))) return WHET_OK;
  const whet_unary_attr *at = n->attr;
  struct known k = {row, whet__is_unsigned_int(t), at ? at->a : 0, at ? at->b : 0};
  whet__known_map(f, 0, 0, map_known, &k);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  if (whet__quantised(x->dtype, x->q)) return whet__unary_q8_ref(arg);
  const whet_unary_row *row = whet__unary_row(arg->node->op);
  const whet_unary_attr *at = arg->attr;
  double a = at ? at->a : 0, b = at ? at->b : 0;
  bool is_int = !whet__is_float(x->dtype), u = whet__is_unsigned_int(x->dtype);
  whet_walk w;
  whet__walk_init(&w, x->rank, x->dim);
  whet__walk_add(&w, x);
  whet__walk_add(&w, y);
  while (whet__walk_row(&w))
    for (int64_t i = 0; i < w.run; i += WHET_BLOCK) {
      int64_t n = whet__min_i(WHET_BLOCK, w.run - i), xi = w.at[0] + i * w.step[0], yi = w.at[1] + i * w.step[1];
      double f[WHET_BLOCK];
      int64_t v[WHET_BLOCK];
      if (is_int) {
        whet__load_i64(x, xi, w.step[0], n, v);
        for (int64_t k = 0; k < n; k++) v[k] = row->i64(v[k], u, a, b);
        whet__store_i64(y, yi, w.step[1], n, v);
      } else {
        whet__load_f64(x, xi, w.step[0], n, f);
        for (int64_t k = 0; k < n; k++) f[k] = row->f64(f[k], a, b);
        whet__store_f64(y, yi, w.step[1], n, f);
      }
    }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

/* Nanoseconds that one core takes for an element, about. */
static double element_ns(const whet_target *t, uint8_t fn) {
  bool light = fn == WHET_UN_ABS || fn == WHET_UN_NEG || fn == WHET_UN_SQUARE || fn == WHET_UN_CLIP ||
               (fn >= WHET_UN_CEIL && fn <= WHET_UN_LEAKY_RELU) || fn >= WHET_UN_SHRINK;
  double wide = t->isa & WHET_ISA_AVX512 ? 1 : t->isa & WHET_ISA_AVX2 ? 2 : light ? 4 : 50;
  return wide * (light ? 0.06 : 0.4);
}

static whet_status plan(whet_planner *p, const whet_node *n) {
  whet_unary_f32 k = {0};
  uint8_t fn;
  int32_t out = whet__pl_group_out(p), res;
  if (whet__quantised(whet__pl_dtype(p, n->in[0]), whet__pl_quant(p, n->in[0])))
    return whet__unary_q8_plan(p, n);
  if (whet__pl_dtype(p, n->in[0]) != WHET_F32 || !whet__unary_f32_of(n->op, n->attr, &fn, &k.a, &k.b))
    return WHET_LATE;
  k.fn = fn;
  if (!whet__pl_rows(p, n->in[0], out, &k.rows, &k.run, &k.x_pitch, &k.y_pitch)) return WHET_LATE;
  whet__pl_epi_f32(p, n, &k.epi, &res);
  if (res >= 0) {
    int64_t rows, run, res_pitch, y_pitch;
    if (!whet__pl_rows(p, res, out, &rows, &run, &res_pitch, &y_pitch) || res_pitch != y_pitch) return WHET_LATE;
  }
  whet_arg arg[3] = {whet__rd(n->in[0]), whet__wr(out), whet__rd(res)};
  int64_t total = k.rows * k.run, parts = k.rows > 1 ? k.rows : whet__ceil_div(total, 1024);
  return whet__pl_kern(p, WHET_FAMILY_unary_f32, &k, sizeof k, arg, 3, parts,
                       (double)total * element_ns(whet__pl_target(p), fn));
}

/* The one element of a constant f32 value. */
static bool constant(const whet_graph *g, int32_t v, float *c) {
  const whet_val *x = v < 0 ? NULL : &g->val[v];
  if (!x || x->role != WHET_ROLE_CONST || !x->data || x->dtype != WHET_F32 ||
      whet__shape_count(&x->shape) != 1)
    return false;
  memcpy(c, x->data->p, sizeof *c);
  return true;
}

/* A binary operator with a constant second input as a function of the first. */
static bool with_constant(const char *name, float c, uint8_t *fn, float *a, float *b) {
  static const struct {
    const char *name;
    uint8_t fn;
  } rows[] = {{"Add", WHET_UN_ADD}, {"Mul", WHET_UN_MUL}, {"Div", WHET_UN_DIV}, {"PRelu", WHET_UN_LEAKY_RELU}};
  *a = c;
  *b = 0;
  for (size_t i = 0; i < WHET_COUNT(rows); i++)
    if (!strcmp(name, rows[i].name)) return *fn = rows[i].fn, true;
  if (!strcmp(name, "Sub")) return *fn = WHET_UN_ADD, *a = -c, true;
  if (!strcmp(name, "Pow") && c == 2) return *fn = WHET_UN_SQUARE, true;
  if (isnan(c)) return false;
  if (!strcmp(name, "Max")) return *fn = WHET_UN_CLIP, *b = INFINITY, true;
  if (!strcmp(name, "Min")) return *fn = WHET_UN_CLIP, *a = -INFINITY, *b = c, true;
  return false;
}

bool whet__micro_f32(const whet_graph *g, const whet_node *n, uint8_t *op, float *a, float *b) {
  float c;
  if (n->n_in < 1 || n->in[0] < 0 || g->val[n->in[0]].dtype != WHET_F32) return false;
  if (n->n_in == 2 ? !constant(g, n->in[1], &c) || !with_constant(n->op->name, c, op, a, b)
                   : n->n_in != 1 || !whet__unary_f32_of(n->op, n->attr, op, a, b))
    return false;
  *op = *op == WHET_UN_CLIP ? WHET_MICRO_CLAMP : (uint8_t)(WHET_MICRO_UNARY + *op);
  return true;
}

/* ---- permutation ----------------------------------------------------------------------------- */

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) { return true; }

/* ---- gradient -------------------------------------------------------------------------------- */

static whet_status grad(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  const whet_unary_attr *a = n.attr;
  const struct dflt d = defaults(n.op);
  const char *text = whet__unary_row(n.op)->grad;
  const whet_grad_name name[] = {{'x', n.in[0], 0},
                                 {'y', n.out[0], 0},
                                 {'g', whet__grad_of(e, n.out[0]), 0},
                                 {'a', -1, (double)(a ? a->a : d.a)},
                                 {'b', -1, (double)(a ? a->b : d.b)}};
  if (!*text || !whet__grad_wants(e, n.in[0])) return WHET_OK;
  whet__grad_add(e, n.in[0], whet__grad_formula(e, text, name, 5, whet__ed_dtype(e, n.in[0])));
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

#define O(name_) {"", name_, 1, read_onnx},
#define T(name_) {"tflite", name_, 1, read_tfl},
#define X(domain_, name_, since_, fn_) {domain_, name_, since_, fn_},
#define UNARY(name_, types, f64, i64, kernel, a_, b_, to_bool, grad_, from_)                              \
  static const whet_from name_##_from[] = {from_{0}};                                                     \
  static const whet_attr_desc name_##_attrs[] = {{NAME(a_), WHET_ATTR_F32, offsetof(whet_unary_attr, a)}, \
                                                 {NAME(b_), WHET_ATTR_F32, offsetof(whet_unary_attr, b)}, \
                                                 {0}};                                                    \
  const whet_op whet_op_##name_ = {.name = #name_,                                                        \
                                   .flags = WHET_OP_POINTWISE | WHET_OP_INPLACE | WHET_OP_TILE |           \
                                            WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT,                          \
                                   .attr_size = HAS(a_) * sizeof(whet_unary_attr),                        \
                                   .attrs = name_##_attrs,                                                \
                                   .from = name_##_from,                                                  \
                                   .infer = infer,                                                        \
                                   .plan = plan,                                                          \
                                   .permute = permute,                                                    \
                                   .grad = grad,                                                          \
                                   .ref = ref};
#include "op/unary.def"
#undef UNARY
