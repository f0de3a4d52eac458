/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers of counters (Salmon and others 2011, "Parallel random numbers: as easy as 1, 2, 3").
 *
 *   PhiloxUniform(shape, drawn), PhiloxNormal(shape, drawn)     f32 in [0, 1), or of the normal distribution
 *   PhiloxMultinomial(logits, n, drawn)                         n indices for each row of logits
 *   RngBitGenerator(state)                                      the next state, and random bits
 *
 * TFLite RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL, MULTINOMIAL: Philox4x32-10 with the seeds as key and upper half of the
 * counter, as TensorFlow's PhiloxRandom (LiteRT cuts them to 32 bits first); the variable `drawn` counts blocks of four
 * numbers from run to run. Two seeds of 0 ask for numbers that nobody can know: whet then takes the operator's place in
 * the file, so that runs can be repeated.
 * STABLEHLO_RNG_BIT_GENERATOR: Philox4x32-10 or Threefry2x32-20. Exact, but for logarithm, sine and cosine of the normal
 * distribution. */

#include <float.h>
#include <math.h>

#include "op/move.h"
#include "op/variable.h"

/* ---- the generators -------------------------------------------------------------------------- */

/* Four words from a counter and a key. */
static void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]}, k0 = key[0], k1 = key[1];
  for (int i = 0; i < 10; i++) {
    uint64_t a = (uint64_t)c[0] * 0xD2511F53, b = (uint64_t)c[2] * 0xCD9E8D57;
    uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k0, (uint32_t)b, (uint32_t)(a >> 32) ^ c[3] ^ k1, (uint32_t)a};
    memcpy(c, next, sizeof c);
    k0 += 0x9E3779B9, k1 += 0xBB67AE85;
  }
  memcpy(out, c, sizeof c);
}

/* Two words from a counter and a key. */
static void threefry(const uint32_t counter[2], const uint32_t key[2], uint32_t out[2]) {
  static const uint8_t k_turn[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  const uint32_t k[3] = {key[0], key[1], key[0] ^ key[1] ^ 0x1BD11BDA};
  uint32_t a = counter[0] + k[0], b = counter[1] + k[1];
  for (uint32_t i = 0; i < 5; i++) {
    for (int j = 0; j < 4; j++) {
      a += b;
      b = (b << k_turn[i & 1][j] | b >> (32 - k_turn[i & 1][j])) ^ a;
    }
    a += k[(i + 1) % 3];
    b += k[(i + 2) % 3] + i + 1;
  }
  out[0] = a, out[1] = b;
}

/* ---- attributes ------------------------------------------------------------------------------ */

struct random {
  int64_t seed, seed2;
};
static const whet_attr_desc k_attrs[] = {{"seed", WHET_ATTR_I64, offsetof(struct random, seed)},
                                         {"seed2", WHET_ATTR_I64, offsetof(struct random, seed2)},
                                         {0}};

/* Block number `at` of a stream. */
static void block(const struct random *a, uint64_t at, uint32_t out[4]) {
  uint32_t key[2] = {(uint32_t)a->seed, (uint32_t)((uint64_t)a->seed >> 32)};
  uint32_t counter[4] = {(uint32_t)at, (uint32_t)(at >> 32), (uint32_t)a->seed2, (uint32_t)((uint64_t)a->seed2 >> 32)};
  philox(counter, key, out);
}

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct random, a);
  int n = whet__im_n_in(im), want = !strcmp(op->name, "PhiloxMultinomial") ? 2 : 1;
  if (n != want || whet__im_n_out(im) != 1)
    return whet__im_fail(im, WHET_E_FORMAT, "%d inputs and %d outputs: expected %d and 1", n, whet__im_n_out(im), want);
  int32_t in[3] = {whet__im_in(im, 0), whet__im_in(im, 1), -1}, out = whet__im_out(im, 0);
  a->seed = (int32_t)(uint32_t)whet__tfl_int(im, 0, 0);
  a->seed2 = (int32_t)(uint32_t)whet__tfl_int(im, 1, 0);
  if (!a->seed && !a->seed2) a->seed2 = (int64_t)out + 1;
  in[n] = whet__variable_new(whet__im_graph(im), "drawn", WHET_U64, 0, NULL);
  if (in[n] < 0) return whet__im_fail(im, WHET_E_MEMORY, "no memory for state");
  return whet__im_node(im, op, a, in, n + 1, &out, 1);
}

static const whet_from k_uniform_from[] = {{"tflite", "RANDOM_UNIFORM", 1, read}, {0}};
static const whet_from k_normal_from[] = {{"tflite", "RANDOM_STANDARD_NORMAL", 1, read}, {0}};
static const whet_from k_multinomial_from[] = {{"tflite", "MULTINOMIAL", 1, read}, {0}};

/* ---- uniform and normal ---------------------------------------------------------------------- */

static whet_status shape_infer(whet_infer *f, const whet_node *n) {
  whet_shape *y = whet__out(f, 0, WHET_F32);
  whet_nums s;
  bool known = whet__nums(f, 0, &s);
  const whet_val *declared = whet__out_val(f, 0);
  if (declared && declared->dtype && declared->dtype != WHET_F32)
    return whet__infer_fail(f, WHET_E_TYPE, "an output of type %s is not taken: expected float32",
                            whet_dtype_name((whet_dtype)declared->dtype));
  if (s.n > WHET_MAX_RANK) return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, at most %d", s.n, WHET_MAX_RANK);
  y->rank = s.n < 0 ? -1 : s.n;
  for (int32_t k = 0; k < y->rank; k++) {
    y->d[k] = known ? whet__num(&s, k) : WHET_DIM_ANY;
    if (whet__dim_number(y->d[k]) && y->d[k] < 0)
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d is %lld", k, (long long)y->d[k]);
  }
  whet_dim count;
  return known ? whet__infer_count(f, y, &count) : whet__nums_late(f, &s, "the dimensions");
}

/* 23 bits as a float in [0, 1). */
static float unit(uint32_t x) {
  uint32_t bits = UINT32_C(127) << 23 | (x & 0x7fffff);
  float v;
  memcpy(&v, &bits, sizeof v);
  return v - 1.0f;
}

/* Two numbers of the normal distribution (Box and Muller). */
static void normal(uint32_t x, uint32_t y, float out[2]) {
  float u = unit(x), angle = (float)(2.0 * 3.14159265358979323846 * (double)unit(y));
  float r = sqrtf(-2.0f * logf(u < 1e-7f ? 1e-7f : u));
  out[0] = sinf(angle) * r;
  out[1] = cosf(angle) * r;
}

static whet_status shape_ref(const whet_args *args) {
  const whet_tensor *y = &args->out[0];
  bool gauss = !strcmp(args->node->op->name, "PhiloxNormal");
  uint64_t *drawn = args->in[1].data;
  for (int64_t i = 0, n = whet__tensor_count(y); i < n; i += 4) {
    uint32_t word[4];
    float v[4];
    block(args->attr, (*drawn)++, word);
    for (int k = 0; k < 4 && !gauss; k++) v[k] = unit(word[k]);
    for (int k = 0; k < 4 && gauss; k += 2) normal(word[k], word[k + 1], v + k);
    for (int64_t k = 0; k < 4 && i + k < n; k++) whet__set_f64(WHET_F32, y->data, whet__flat_offset(y, i + k), v[k]);
  }
  return WHET_OK;
}

/* ---- multinomial ----------------------------------------------------------------------------- */

static whet_status multinomial_infer(whet_infer *f, const whet_node *n) {
  const whet_val *declared = whet__out_val(f, 0);
  whet_dtype t = declared && declared->dtype ? (whet_dtype)declared->dtype : WHET_S64;
  if (whet__in_dtype(f, 0) != WHET_F32 || (t != WHET_S32 && t != WHET_S64))
    return whet__infer_fail(f, WHET_E_TYPE, "%s from logits of %s is not taken: expected int32 or int64 from float32",
                            whet_dtype_name(t), whet_dtype_name(whet__in_dtype(f, 0)));
  WHET_TRY(whet__infer_rank(f, 0, 2, 2));
  const whet_shape *x = whet__in_shape(f, 0);
  if (x->d[1] == 0) return whet__infer_fail(f, WHET_E_SHAPE, "logits of no class");
  whet_nums s;
  bool known = whet__nums(f, 1, &s);
  if (known && s.n != 1) return whet__infer_fail(f, WHET_E_SHAPE, "%d numbers of samples: expected 1", s.n);
  whet_dim d[2] = {x->d[0], known ? whet__num(&s, 0) : WHET_DIM_ANY};
  if (whet__dim_number(d[1]) && (d[1] < 0 || d[1] > INT32_MAX))
    return whet__infer_fail(f, WHET_E_DATA, "%lld samples are asked for", (long long)d[1]);
  whet__out_dims(f, 0, t, 2, d);
  whet_dim count;
  return known ? whet__infer_count(f, &(whet_shape){.rank = 2, .d = {d[0], d[1]}}, &count)
               : whet__nums_late(f, &s, "the number of samples");
}

static size_t multinomial_scratch(const whet_args *a) { return (size_t)a->in[0].dim[1] * sizeof(double); }

/* 52 bits as a double in [0, 1). */
static double unit64(uint32_t x, uint32_t y) {
  uint64_t bits = UINT64_C(1023) << 52 | (uint64_t)(x & 0xfffff) << 32 | y;
  double v;
  memcpy(&v, &bits, sizeof v);
  return v - 1.0;
}

/* Sums of the probabilities, up to a factor, of row r of logits; the last one. */
static double cumulate(const whet_tensor *x, int64_t r, double *sum) {
  int64_t n = x->dim[1];
  double top = -FLT_MAX, s = 0;
  for (int64_t i = 0; i < n; i++) {
    double v = whet__get_f64(WHET_F32, x->data, r * x->stride[0] + i * x->stride[1]);
    if (isfinite(v) && v > top) top = v;
  }
  for (int64_t i = 0; i < n; i++) {
    double v = whet__get_f64(WHET_F32, x->data, r * x->stride[0] + i * x->stride[1]);
    if (isfinite(v)) s += exp(v - top);
    sum[i] = s;
  }
  return s;
}

static whet_status multinomial_ref(const whet_args *args) {
  const whet_tensor *x = &args->in[0], *y = &args->out[0];
  uint64_t *drawn = args->in[2].data, at = *drawn;
  double *sum = args->scratch;
  if (!sum) return WHET_E_UNSUPPORTED; /* while constants are folded */
  uint32_t word[4];
  int used = 4;
  for (int64_t r = 0; r < y->dim[0]; r++) {
    double total = cumulate(x, r, sum);
    for (int64_t k = 0; k < y->dim[1]; k++) {
      if (used == 4) block(args->attr, at++, word), used = 0;
      double want = unit64(word[used], word[used + 1]) * total;
      used += 2;
      int64_t lo = 0, hi = x->dim[1]; /* the first sum above `want` */
      while (lo < hi) {
        int64_t mid = lo + (hi - lo) / 2;
        if (sum[mid] > want)
          hi = mid;
        else
          lo = mid + 1;
      }
      whet__set_i64(y->dtype, y->data, r * y->stride[0] + k * y->stride[1], lo);
    }
  }
  /* TensorFlow leaves this much room for a run, whatever it uses. */
  *drawn += (uint64_t)y->dim[0] * (((uint64_t)y->dim[1] + 3) / 4 * 4) * 2 * 256;
  return WHET_OK;
}

/* ---- bits ------------------------------------------------------------------------------------ */

struct bits {
  uint8_t threefry; /* else Philox */
};
static const whet_attr_desc k_bits_attrs[] = {{"threefry", WHET_ATTR_BOOL, offsetof(struct bits, threefry)}, {0}};

static whet_status read_bits(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct bits, a);
  int64_t algorithm = whet__tfl_int(im, 0, 0);
  if (algorithm < 0 || algorithm > 2)
    return whet__im_fail(im, WHET_E_FORMAT, "algorithm %lld, which is none", (long long)algorithm);
  if (whet__im_n_in(im) != 1 || whet__im_n_out(im) != 2)
    return whet__im_fail(im, WHET_E_FORMAT, "%d inputs and %d outputs: expected 1 and 2", whet__im_n_in(im),
                         whet__im_n_out(im));
  a->threefry = algorithm == 2;
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_bits_from[] = {{"tflite", "STABLEHLO_RNG_BIT_GENERATOR", 1, read_bits}, {0}};

static whet_status bits_infer(whet_infer *f, const whet_node *n) {
  const struct bits *a = n->attr;
  const whet_shape *state = whet__in_shape(f, 0);
  const whet_val *declared = whet__out_val(f, 1);
  whet_dtype t = declared ? (whet_dtype)declared->dtype : WHET_NONE;
  if (whet__in_dtype(f, 0) != WHET_U64 || (t != WHET_U32 && t != WHET_S32 && t != WHET_U64 && t != WHET_S64))
    return whet__infer_fail(f, WHET_E_TYPE,
                            "%s from a state of %s is not taken: expected integers of 32 or 64 bits from uint64",
                            whet_dtype_name(t), whet_dtype_name(whet__in_dtype(f, 0)));
  WHET_TRY(whet__infer_rank(f, 0, 1, 1));
  if (whet__dim_known(state->d[0]) && state->d[0] != 2 && (a->threefry || state->d[0] != 3))
    return whet__infer_fail(f, WHET_E_SHAPE, "a state of %lld numbers: expected 2%s", (long long)state->d[0],
                            a->threefry ? "" : " or 3");
  if (whet__shape_count(&declared->shape) < 0)
    return whet__infer_fail(f, WHET_E_SHAPE, "the file does not tell the output's dimensions");
  *whet__out(f, 0, WHET_U64) = *state;
  *whet__out(f, 1, t) = declared->shape;
  return WHET_OK;
}

static whet_status bits_ref(const whet_args *args) {
  const struct bits *a = args->attr;
  const whet_tensor *state = &args->in[0], *next = &args->out[0], *y = &args->out[1];
  uint32_t word[6] = {0}, made[4];
  int32_t n_state = (int32_t)state->dim[0], each = a->threefry ? 2 : 4, per = whet__dtype_size(y->dtype) == 8 ? 2 : 1;
  for (int32_t i = 0; i < n_state; i++) {
    uint64_t v = (uint64_t)whet__vec_i64(state, i);
    word[2 * i] = (uint32_t)v, word[2 * i + 1] = (uint32_t)(v >> 32);
  }
  int32_t tail = n_state == 3 ? 4 : 0;
  uint32_t counter[4] = {word[2], word[3], word[tail], word[tail + 1]};
  int32_t left = 0;
  for (int64_t i = 0, n = whet__tensor_count(y); i < n; i++) {
    if (!left) {
      if (a->threefry)
        threefry(counter, word, made);
      else
        philox(counter, word, made);
      if (!++counter[0]) ++counter[1];
      left = each;
    }
    uint64_t v = made[each - left];
    if (per == 2) v |= (uint64_t)made[each - left + 1] << 32;
    left -= per;
    if (y->data) whet__set_i64(y->dtype, y->data, whet__flat_offset(y, i), (int64_t)v);
  }
  word[2] = counter[0], word[3] = counter[1];
  for (int32_t i = 0; i < n_state && next->data; i++)
    whet__set_i64(WHET_U64, next->data, i * next->stride[0],
                  (int64_t)((uint64_t)word[2 * i] | (uint64_t)word[2 * i + 1] << 32));
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_PhiloxMultinomial = {.name = "PhiloxMultinomial",
                                           .flags = WHET_OP_RANDOM | WHET_OP_STATE,
                                           .attr_size = sizeof(struct random),
                                           .attrs = k_attrs,
                                           .from = k_multinomial_from,
                                           .infer = multinomial_infer,
                                           .ref = multinomial_ref,
                                           .scratch = multinomial_scratch};
const whet_op whet_op_PhiloxNormal = {.name = "PhiloxNormal",
                                      .flags = WHET_OP_RANDOM | WHET_OP_STATE,
                                      .attr_size = sizeof(struct random),
                                      .attrs = k_attrs,
                                      .from = k_normal_from,
                                      .infer = shape_infer,
                                      .ref = shape_ref};
const whet_op whet_op_PhiloxUniform = {.name = "PhiloxUniform",
                                       .flags = WHET_OP_RANDOM | WHET_OP_STATE,
                                       .attr_size = sizeof(struct random),
                                       .attrs = k_attrs,
                                       .from = k_uniform_from,
                                       .infer = shape_infer,
                                       .ref = shape_ref};
const whet_op whet_op_RngBitGenerator = {.name = "RngBitGenerator",
                                         .attr_size = sizeof(struct bits),
                                         .attrs = k_bits_attrs,
                                         .from = k_bits_from,
                                         .infer = bits_infer,
                                         .ref = bits_ref};
