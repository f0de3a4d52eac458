/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures go through a dozen operators, each between DequantizeLinear and QuantizeLinear: convolutions (by channel, with
 * zero points, in groups, depthwise, with biases as integers, floats or none), sums, products, gates, concatenations of
 * different scales, pooling, activations, resizing, moves, and islands of floats; then a product with weights. Scales
 * follow from an estimate of what a result's range is, so some results saturate. */

#include "model/qdq_draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "whet/whet.h"

enum { MOST = 48, FLOATS = 1, INT64S = 7, INT8S = 3, UINT8S = 2, INT32S = 6 };

/* A float value between a DequantizeLinear and what uses it. */
typedef struct value {
  char name[16];
  int64_t d[4]; /* N, C, H, W; or N, K and ones */
  double lo, hi;
} value;

typedef struct draw {
  uint64_t seed, at;
  buf g;
  value v[MOST];
  int n;         /* values */
  int made;      /* names */
  bool is_signed; /* activations are, mostly */
} draw;

static uint32_t any(draw *d, uint32_t below) {
  uint32_t r[4];
  whet__rng_block(d->seed, 7, d->at++, r);
  return r[0] % below;
}
static double unit(draw *d) { return any(d, 1u << 24) / 16777216.0; }
static double rms(const value *v) { return sqrt((v->lo * v->lo + v->lo * v->hi + v->hi * v->hi) / 3) + 1e-3; }
static const char *fresh(draw *d, char to[16]) {
  snprintf(to, 16, "v%d", d->made++);
  return to;
}

/* ---- pieces of the graph ------------------------------------------------------------------------------------------ */

static const char *constant(draw *d, char to[16], int type, int rank, const int64_t *dims, const void *p, size_t each) {
  size_t n = each;
  for (int i = 0; i < rank; i++) n *= (size_t)dims[i];
  ox_add_init(&d->g, ox_tensor(fresh(d, to), type, rank, dims, p, n));
  return to;
}
static const char *scalar(draw *d, char to[16], float v) { return constant(d, to, FLOATS, 0, NULL, &v, 4); }

/* out = op(in), `in` with commas; a name for the result. */
static const char *node(draw *d, char to[16], const char *op, const char *in, const ox_attr *a) {
  ox_add_node(&d->g, ox_node(op, in, fresh(d, to), a));
  return to;
}
static const char *two(draw *d, char to[16], const char *op, const char *a, const char *b, const ox_attr *at) {
  char in[140];
  snprintf(in, sizeof in, "%s,%s", a, b);
  return node(d, to, op, in, at);
}

/* DequantizeLinear(QuantizeLinear(x)) for a range: the name of the result; *dequantised receives the place before. */
static void quantised(draw *d, const char *x, double lo, double hi, char to[16], char stored[16]) {
  char s[16], z[16], in[64];
  bool sg = any(d, 8) ? d->is_signed : !d->is_signed;
  lo = fmin(lo, 0), hi = fmax(hi, lo + 1e-3);
  float scale = (float)((hi - lo) / 255);
  int zero = (int)rint(-lo / (double)scale) - (sg ? 128 : 0);
  if (any(d, 6) == 0 && lo < 0) { /* symmetric */
    scale = (float)(fmax(hi, -lo) / 127);
    zero = sg ? 0 : 128;
  }
  uint8_t byte = (uint8_t)zero;
  scalar(d, s, scale);
  constant(d, z, sg ? INT8S : UINT8S, 0, NULL, &byte, 1);
  snprintf(in, sizeof in, "%s,%s,%s", x, s, z);
  node(d, stored, "QuantizeLinear", in, NULL);
  snprintf(in, sizeof in, "%s,%s,%s", stored, s, z);
  node(d, to, "DequantizeLinear", in, NULL);
}

/* A new value: `name` of these dimensions, quantised. */
static void push(draw *d, const char *name, const int64_t dims[4], double lo, double hi) {
  char stored[16];
  value *v = &d->v[d->n++];
  *v = (value){.lo = lo, .hi = hi};
  memcpy(v->d, dims, sizeof v->d);
  quantised(d, name, lo, hi, v->name, stored);
}

/* Weights of n outputs (dimension `axis`) as stored numbers and a DequantizeLinear; *size receives their usual magnitude,
 * scale[o] what an output's unit is. */
static const char *weights(draw *d, char to[16], int rank, const int64_t *dims, int axis, double *size, float *scale,
                           bool *each) {
  static uint8_t w[32 * 48 * 25]; /* the largest of conv() */
  char q[16], s[16], z[16], in[64];
  int64_t count = 1, n = dims[axis];
  int8_t zeros[64] = {0};
  bool with_zero = any(d, 4) == 0;
  *each = !with_zero && any(d, 3) != 0;
  int type = with_zero ? UINT8S : INT8S;
  for (int i = 0; i < rank; i++) count *= dims[i];
  for (int64_t i = 0; i < count; i++) w[i] = (uint8_t)(with_zero ? any(d, 256) : any(d, 255) + 129);
  double base = (0.4 + unit(d)) / (75 * sqrt((double)(count / n))); /* results are about as large as inputs */
  for (int64_t i = 0; i < n; i++) scale[i] = (float)(base * (*each ? 0.3 + unit(d) : 1));
  uint8_t zero = (uint8_t)(100 + any(d, 56));
  constant(d, q, type, rank, dims, w, 1);
  constant(d, s, FLOATS, *each, &n, scale, 4);
  constant(d, z, type, *each, &n, with_zero ? (const void *)&zero : zeros, 1);
  snprintf(in, sizeof in, "%s,%s,%s", q, s, z);
  *size = base * 75;
  return node(d, to, "DequantizeLinear", in, (ox_attr[]){{.name = "axis", .type = 2, .i = axis}, {0}});
}

/* A bias of n: dequantised integers in units of x's scale times the weights', floats, or none (an empty name). x's scale is
 * that of its range. */
static const char *bias(draw *d, char to[16], int64_t n, double size, float sx, const float *sw, bool each) {
  char q[16], s[16], in[40];
  float f[64], unit_of[64];
  int32_t k[64];
  uint32_t kind = any(d, 5);
  to[0] = 0;
  if (kind == 0) return to;
  for (int64_t i = 0; i < n; i++) {
    f[i] = (float)(size * (2 * unit(d) - 1));
    unit_of[i] = sx * sw[i];
    k[i] = (int32_t)rint((double)f[i] / (double)unit_of[each ? i : 0]);
  }
  if (kind == 1) return constant(d, to, FLOATS, 1, &n, f, 4);
  constant(d, q, INT32S, 1, &n, k, 4);
  constant(d, s, FLOATS, each, &n, unit_of, 4);
  snprintf(in, sizeof in, "%s,%s", q, s);
  return node(d, to, "DequantizeLinear", in, (ox_attr[]){{.name = "axis", .type = 2, .i = 0}, {0}});
}

/* An activation after a float result, or none; the range follows. */
static const char *active(draw *d, char to[16], const char *x, double *lo, double *hi) {
  char a[16], b[16], in[64];
  switch (any(d, 4)) {
    case 0: *lo = 0; return node(d, to, "Relu", x, NULL);
    case 1:
      scalar(d, a, 0), scalar(d, b, (float)(*hi * 0.6));
      snprintf(in, sizeof in, "%s,%s,%s", x, a, b);
      *lo = 0, *hi *= 0.6;
      return node(d, to, "Clip", in, NULL);
    default: snprintf(to, 16, "%s", x); return to;
  }
}

/* ---- steps -------------------------------------------------------------------------------------------------------- */

static float scale_of(const value *v) { return (float)((fmax(v->hi, 1e-3) - fmin(v->lo, 0)) / 255); }

static void conv(draw *d, const value *x) {
  static const int64_t kernels[] = {1, 3, 3, 5}, outs[] = {4, 8, 16, 17, 24, 32};
  char w[16], b[16], y[16], z[16], in[64];
  float sw[64];
  double size;
  bool each;
  int64_t k = kernels[any(d, 4)], c = x->d[1], group = 1, oc = outs[any(d, 6)];
  if (any(d, 3) == 0) group = oc = c;
  else if (any(d, 4) == 0)
    for (group = 2 << any(d, 3); c % group || oc % group;) group /= 2;
  int64_t stride = x->d[2] > 4 ? 1 + any(d, 2) : 1, dil = k == 3 && any(d, 6) == 0 ? 2 : 1, pad = (k - 1) * dil / 2;
  int64_t dims[4] = {oc, c / group, k, k}, wide = (k - 1) * dil + 1;
  int64_t out[4] = {x->d[0], oc, (x->d[2] + 2 * pad - wide) / stride + 1, (x->d[3] + 2 * pad - wide) / stride + 1};
  weights(d, w, 4, dims, 0, &size, sw, &each);
  double range = 2.5 * sqrt((double)(dims[1] * k * k)) * size * rms(x), lo = -range, hi = range;
  bias(d, b, oc, range * 0.3, scale_of(x), sw, each);
  snprintf(in, sizeof in, b[0] ? "%s,%s,%s" : "%s,%s", x->name, w, b);
  node(d, y, "Conv", in,
       (ox_attr[]){{.name = "kernel_shape", .type = 7, .ints = (int64_t[]){k, k}, .n = 2},
                   {.name = "strides", .type = 7, .ints = (int64_t[]){stride, stride}, .n = 2},
                   {.name = "dilations", .type = 7, .ints = (int64_t[]){dil, dil}, .n = 2},
                   {.name = "pads", .type = 7, .ints = (int64_t[]){pad, pad, pad, pad}, .n = 4},
                   {.name = "group", .type = 2, .i = group},
                   {0}});
  active(d, z, y, &lo, &hi);
  push(d, z, out, lo, hi);
}

/* Another value of which dimensions from `from` on agree; x itself if there is none. */
static const value *partner(draw *d, const value *x, int from) {
  for (int i = d->n - 1; i >= 0; i--)
    if (&d->v[i] != x && d->v[i].d[0] == x->d[0] && !memcmp(d->v[i].d + from, x->d + from, (size_t)(4 - from) * 8) && any(d, 2))
      return &d->v[i];
  return x;
}

static void sum(draw *d, const value *x) {
  const value *o = partner(d, x, 1);
  char y[16], z[16];
  bool minus = any(d, 5) == 0;
  double lo = x->lo + (minus ? -o->hi : o->lo), hi = x->hi + (minus ? -o->lo : o->hi);
  two(d, y, minus ? "Sub" : "Add", x->name, o->name, NULL);
  active(d, z, y, &lo, &hi);
  push(d, z, x->d, lo, hi);
}

static void product(draw *d, const value *x) {
  const value *o = partner(d, x, 1);
  char y[16];
  double m = fmax(fabs(x->lo), fabs(x->hi)) * fmax(fabs(o->lo), fabs(o->hi));
  push(d, two(d, y, "Mul", x->name, o->name, NULL), x->d, x->lo < 0 || o->lo < 0 ? -m : 0, m);
}

static void concat(draw *d, const value *x) {
  const value *o = partner(d, x, 2), *third = any(d, 3) ? NULL : partner(d, x, 2);
  char y[16], in[64];
  int64_t dims[4];
  memcpy(dims, x->d, sizeof dims);
  dims[1] += o->d[1] + (third ? third->d[1] : 0);
  if (dims[1] > 48) return;
  snprintf(in, sizeof in, third ? "%s,%s,%s" : "%s,%s", x->name, o->name, third ? third->name : "");
  node(d, y, "Concat", in, (ox_attr[]){{.name = "axis", .type = 2, .i = 1}, {0}});
  push(d, y, dims, fmin(x->lo, o->lo), fmax(x->hi, o->hi));
}

static void pool(draw *d, const value *x) {
  char y[16];
  bool most = any(d, 2);
  int64_t k = 2 + any(d, 2), stride = 1 + any(d, 2), pad = k == 3, dims[4] = {x->d[0], x->d[1]};
  if (x->d[2] + 2 * pad < k || x->d[3] + 2 * pad < k) return;
  for (int i = 2; i < 4; i++) dims[i] = (x->d[i] + 2 * pad - k) / stride + 1;
  ox_attr a[] = {{.name = "kernel_shape", .type = 7, .ints = (int64_t[]){k, k}, .n = 2},
                 {.name = "strides", .type = 7, .ints = (int64_t[]){stride, stride}, .n = 2},
                 {.name = "pads", .type = 7, .ints = (int64_t[]){pad, pad, pad, pad}, .n = 4},
                 {.name = "count_include_pad", .type = most ? 0 : 2, .i = any(d, 2)},
                 {0}};
  node(d, y, most ? "MaxPool" : "AveragePool", x->name, a);
  push(d, y, dims, x->lo, x->hi);
}

/* Squeeze and excitation: means of channels, a product, a gate, a multiplication. */
static void gate(draw *d, const value *x) {
  char y[16], z[16];
  int64_t dims[4] = {x->d[0], x->d[1], 1, 1};
  push(d, node(d, y, "GlobalAveragePool", x->name, NULL), dims, x->lo * 0.5, x->hi * 0.5);
  const value *m = &d->v[d->n - 1];
  push(d, node(d, y, any(d, 2) ? "Sigmoid" : "HardSigmoid", m->name, NULL), dims, 0, 1);
  two(d, z, "Mul", x->name, d->v[d->n - 1].name, NULL);
  push(d, z, x->d, x->lo, x->hi);
}

static void unary(draw *d, const value *x) {
  static const char *const names[] = {"Relu", "Sigmoid", "HardSwish", "Tanh", "LeakyRelu", "HardSigmoid"};
  uint32_t k = any(d, 6);
  char y[16];
  double lo = k == 1 || k == 5 || k == 0 ? 0 : k == 2 ? -0.375 : k == 3 ? -1 : x->lo * 0.02;
  push(d, node(d, y, names[k], x->name, NULL), x->d, lo, k == 1 || k == 3 || k == 5 ? 1 : x->hi);
}

static void resize(draw *d, const value *x) {
  char s[16], y[16], in[64];
  bool linear = any(d, 2);
  if (x->d[2] > 8 || x->d[3] > 8) return;
  int64_t four = 4, dims[4] = {x->d[0], x->d[1], 2 * x->d[2], 2 * x->d[3]};
  constant(d, s, FLOATS, 1, &four, (float[]){1, 1, 2, 2}, 4);
  snprintf(in, sizeof in, "%s,,%s", x->name, s);
  node(d, y, "Resize", in,
       (ox_attr[]){{.name = "mode", .type = 3, .s = linear ? "linear" : "nearest"},
                   {.name = "coordinate_transformation_mode", .type = 3, .s = linear ? "half_pixel" : "asymmetric"},
                   {.name = "nearest_mode", .type = 3, .s = "floor"},
                   {0}});
  push(d, y, dims, x->lo, x->hi);
}

static void softmax(draw *d, const value *x) {
  char y[16];
  node(d, y, "Softmax", x->name, (ox_attr[]){{.name = "axis", .type = 2, .i = any(d, 2) ? 1 : -1}, {0}});
  push(d, y, x->d, 0, 1);
}

/* Floats that exporters left between two quantised parts: x * a + b, an activation. */
static void floats(draw *d, const value *x) {
  float a[64], b[64];
  char ca[16], cb[16], y[16], z[16], w[16];
  int64_t dims[3] = {x->d[1], 1, 1};
  for (int64_t i = 0; i < x->d[1]; i++) a[i] = (float)(0.5 + unit(d)), b[i] = (float)(unit(d) - 0.5);
  two(d, y, "Mul", x->name, constant(d, ca, FLOATS, 3, dims, a, 4), NULL);
  two(d, z, "Add", y, constant(d, cb, FLOATS, 3, dims, b, 4), NULL);
  double lo = x->lo * 1.5 - 0.5, hi = x->hi * 1.5 + 0.5;
  push(d, any(d, 2) ? node(d, w, "Tanh", z, NULL) : active(d, w, z, &lo, &hi), x->d, lo, hi);
}

static void move(draw *d, const value *x) {
  char y[16];
  int64_t dims[4] = {x->d[0], x->d[1], x->d[3], x->d[2]};
  node(d, y, "Transpose", x->name, (ox_attr[]){{.name = "perm", .type = 7, .ints = (int64_t[]){0, 1, 3, 2}, .n = 4}, {0}});
  push(d, y, dims, x->lo, x->hi);
}

/* The end: means or a row of all, and a product with weights: Gemm, or MatMul and Add. */
static void head(draw *d, const value *x) {
  char y[16], z[16], w[16], b[16], in[64];
  float sw[64];
  double size;
  bool each, as_gemm = any(d, 2);
  int64_t k = x->d[1] * x->d[2] * x->d[3], n = 3 + any(d, 30), dims[4] = {x->d[0], n, 1, 1};
  double range, lo, hi;
  value rows = *x;
  if (k > 256) {
    push(d, node(d, y, "GlobalAveragePool", x->name, NULL), (int64_t[]){x->d[0], x->d[1], 1, 1}, x->lo * 0.5, x->hi * 0.5);
    rows = d->v[d->n - 1];
    k = x->d[1];
  }
  node(d, y, "Flatten", rows.name, NULL);
  if (any(d, 2)) { /* some exporters quantise what is only moved again */
    char stored[16];
    quantised(d, y, rows.lo, rows.hi, z, stored);
    memcpy(y, z, sizeof y);
  }
  weights(d, w, 2, as_gemm ? (int64_t[]){n, k} : (int64_t[]){k, n}, as_gemm ? 0 : 1, &size, sw, &each);
  range = 2.5 * sqrt((double)k) * size * rms(&rows), lo = -range, hi = range;
  bias(d, b, n, range * 0.3, scale_of(&rows), sw, each);
  if (as_gemm) {
    snprintf(in, sizeof in, b[0] ? "%s,%s,%s" : "%s,%s", y, w, b);
    node(d, z, "Gemm", in, (ox_attr[]){{.name = "transB", .type = 2, .i = 1}, {0}});
  } else {
    two(d, z, "MatMul", y, w, NULL);
    if (b[0]) memcpy(in, z, sizeof z), two(d, z, "Add", in, b, NULL);
  }
  active(d, y, z, &lo, &hi);
  push(d, y, dims, lo, hi);
}

/* A convolution that is transposed: the picture grows. */
static void turned(draw *d, const value *x) {
  static const int64_t outs[] = {1, 3, 8, 16, 20};
  char w[16], b[16], y[16], z[16], in[64];
  float sw[64];
  double size;
  bool each;
  int64_t group = any(d, 5) == 0 && x->d[1] % 2 == 0 ? 2 : 1, stride = 1 + any(d, 2), k = stride + any(d, 3), pad = any(d, (uint32_t)k);
  int64_t dims[4] = {x->d[1], outs[any(d, 5)], k, k}, oc = dims[1] * group;
  int64_t out[4] = {x->d[0], oc, (x->d[2] - 1) * stride + k - 2 * pad, (x->d[3] - 1) * stride + k - 2 * pad};
  if (out[2] < 1 || out[3] < 1 || out[2] > 20 || out[3] > 20 || dims[0] > 48) return;
  weights(d, w, 4, dims, 1, &size, sw, &each);
  double range = 2.5 * sqrt((double)(dims[0] / group * k * k) / (double)(stride * stride)) * size * rms(x), lo = -range, hi = range;
  if (each && group > 1) b[0] = 0; /* scales repeat, which bias() does not */
  else bias(d, b, oc, range * 0.3, scale_of(x), sw, each);
  snprintf(in, sizeof in, b[0] ? "%s,%s,%s" : "%s,%s", x->name, w, b);
  node(d, y, "ConvTranspose", in,
       (ox_attr[]){{.name = "kernel_shape", .type = 7, .ints = (int64_t[]){k, k}, .n = 2},
                   {.name = "strides", .type = 7, .ints = (int64_t[]){stride, stride}, .n = 2},
                   {.name = "pads", .type = 7, .ints = (int64_t[]){pad, pad, pad, pad}, .n = 4},
                   {.name = "group", .type = 2, .i = group},
                   {0}});
  active(d, z, y, &lo, &hi);
  push(d, z, out, lo, hi);
}

buf qdq_draw(uint64_t seed) {
  static void (*const steps[])(draw *, const value *) = {conv, conv,  conv,  sum,     product, concat, pool,
                                                         gate, unary, unary, resize,  softmax, floats, move, turned};
  draw d = {.seed = seed};
  int64_t dims[4] = {1 + any(&d, 2), 1 + any(&d, 9), 5 + any(&d, 9), 5 + any(&d, 9)};
  d.is_signed = any(&d, 2);
  ox_add_in(&d.g, ox_info("x", FLOATS, 4, dims, NULL));
  push(&d, "x", dims, -1 - 2 * unit(&d), 1 + 2 * unit(&d));
  for (int i = 0, n = 4 + (int)any(&d, 9); i < n && d.n < MOST - 8; i++)
    steps[any(&d, sizeof steps / sizeof *steps)](&d, &d.v[any(&d, 4) ? d.n - 1 : (int)any(&d, (uint32_t)d.n)]);
  if (any(&d, 3) == 0) ox_add_out(&d.g, ox_info(d.v[d.n / 2].name, FLOATS, -1, NULL, NULL));
  const value last = d.v[d.n - 1];
  head(&d, &last);
  ox_add_out(&d.g, ox_info(d.v[d.n - 1].name, FLOATS, -1, NULL, NULL));
  pb_str(&d.g, 2, "qdq");
  return ox_model(d.g, 8, 17);
}
