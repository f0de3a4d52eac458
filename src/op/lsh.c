/* SPDX-License-Identifier: Apache-2.0 */
/* LshProjection(seeds, x, weights): bits that are alike for like inputs. Bit j of hash i is 1 where the sum over the rows
 * of x of weight * h(seed[i][j], row) is positive, h a 64-bit hash of the seed's and the row's bytes, signed.
 *
 * TFLite LSH_PROJECTION: dense (every bit an element) or sparse (a hash's bits as one number, the first one highest, plus
 * i << bits). x of any type; weights f32 or absent. The hash is FarmHash's Fingerprint64 (version "na"), as published.
 * Exact. */

#include "op/move.h"

enum { SEEDS, X, WEIGHTS };

struct lsh {
  uint8_t sparse;
};
static const whet_attr_desc k_attrs[] = {{"sparse", WHET_ATTR_BOOL, offsetof(struct lsh, sparse)}, {0}};

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct lsh, a);
  int64_t type = whet__tfl_int(im, 0, 0);
  if (type != 1 && type != 2) return whet__im_fail(im, WHET_E_DATA, "projection of type %lld", (long long)type);
  a->sparse = type == 1;
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"tflite", "LSH_PROJECTION", 1, from_tfl}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct lsh *a = n->attr;
  const whet_shape *s = whet__in_shape(f, SEEDS), *x = whet__in_shape(f, X), *w = whet__in_shape(f, WEIGHTS);
  whet_shape *out = whet__out(f, 0, WHET_S32);
  out->rank = 1;
  out->d[0] = WHET_DIM_ANY;
  if (whet__in_dtype(f, SEEDS) != WHET_F32 || !whet__dtype_size(whet__in_dtype(f, X)) ||
      whet__in_dtype(f, X) == WHET_STRING || (whet__in_has(f, WEIGHTS) && whet__in_dtype(f, WEIGHTS) != WHET_F32))
    return whet__infer_fail(f, WHET_E_TYPE, "seeds and weights must be float32, the input numbers");
  WHET_TRY(whet__infer_rank(f, SEEDS, 2, 2));
  WHET_TRY(whet__infer_rank(f, X, 1, WHET_MAX_RANK));
  if (whet__dim_known(s->d[1]) && s->d[1] > 31)
    return whet__infer_fail(f, WHET_E_SHAPE, "hashes of %lld bits, at most 31", (long long)s->d[1]);
  if (whet__in_has(f, WEIGHTS)) WHET_TRY(whet__infer_rank(f, WEIGHTS, 1, 1));
  if (whet__in_has(f, WEIGHTS) && whet__dim_known(w->d[0]) && whet__dim_known(x->d[0]) && w->d[0] != x->d[0])
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld weights for %lld rows", (long long)w->d[0], (long long)x->d[0]);
  out->d[0] = a->sparse ? s->d[0] : whet__dim_mul(s->d[0], s->d[1]);
  whet_dim total;
  return whet__infer_count(f, out, &total);
}

/* ---- the hash -------------------------------------------------------------------------------- */

#define K0 UINT64_C(0xc3a5c85c97cb3127)
#define K1 UINT64_C(0xb492b66fbe98f273)
#define K2 UINT64_C(0x9ae16a3b2f90404f)

static uint64_t load64(const uint8_t *p) {
  uint64_t v = 0;
  for (int i = 7; i >= 0; i--) v = v << 8 | p[i];
  return v;
}
static uint64_t load32(const uint8_t *p) { return load64((const uint8_t[8]){p[0], p[1], p[2], p[3]}); }
static uint64_t rotate(uint64_t v, int n) { return n ? v >> n | v << (64 - n) : v; }
static uint64_t fold(uint64_t v) { return v ^ v >> 47; }

/* Two words mixed to one by a multiplier. */
static uint64_t mix(uint64_t a, uint64_t b, uint64_t mul) {
  uint64_t x = fold((a ^ b) * mul);
  return fold((b ^ x) * mul) * mul;
}

static uint64_t hash_16(const uint8_t *s, size_t n) {
  uint64_t mul = K2 + n * 2;
  if (n >= 8) {
    uint64_t a = load64(s) + K2, b = load64(s + n - 8);
    return mix(rotate(b, 37) * mul + a, (rotate(a, 25) + b) * mul, mul);
  }
  if (n >= 4) return mix(n + (load32(s) << 3), load32(s + n - 4), mul);
  if (!n) return K2;
  uint32_t y = s[0] + ((uint32_t)s[n >> 1] << 8), z = (uint32_t)n + ((uint32_t)s[n - 1] << 2);
  return fold(y * K2 ^ z * K0) * K2;
}

static uint64_t hash_32(const uint8_t *s, size_t n) {
  uint64_t mul = K2 + n * 2, a = load64(s) * K1, b = load64(s + 8);
  uint64_t c = load64(s + n - 8) * mul, d = load64(s + n - 16) * K2;
  return mix(rotate(a + b, 43) + rotate(c, 30) + d, a + rotate(b + K2, 18) + c, mul);
}

static uint64_t hash_64(const uint8_t *s, size_t n) {
  uint64_t mul = K2 + n * 2, a = load64(s) * K2, b = load64(s + 8);
  uint64_t c = load64(s + n - 8) * mul, d = load64(s + n - 16) * K2;
  uint64_t y = rotate(a + b, 43) + rotate(c, 30) + d, z = mix(y, a + rotate(b + K2, 18) + c, mul);
  uint64_t e = load64(s + 16) * mul, f = load64(s + 24);
  uint64_t g = (y + load64(s + n - 32)) * mul, h = (z + load64(s + n - 24)) * mul;
  return mix(rotate(e + f, 43) + rotate(g, 30) + h, e + rotate(f + a, 18) + g, mul);
}

/* Two running words and 32 bytes. */
static void weak(uint64_t v[2], const uint8_t *s, uint64_t a, uint64_t b) {
  uint64_t w = load64(s), x = load64(s + 8), y = load64(s + 16), z = load64(s + 24);
  a += w;
  b = rotate(b + a + z, 21);
  uint64_t c = a;
  a += x + y;
  v[0] = a + z;
  v[1] = b + rotate(a, 44) + c;
}

static uint64_t hash(const uint8_t *s, size_t n) {
  if (n <= 16) return hash_16(s, n);
  if (n <= 32) return hash_32(s, n);
  if (n <= 64) return hash_64(s, n);
  uint64_t x = 81, y = 81 * K1 + 113, z = fold(y * K2 + 113) * K2, v[2] = {0}, w[2] = {0}, t;
  const uint8_t *last = s + (n - 1) / 64 * 64, *tail = s + n - 64;
  x = x * K2 + load64(s);
  for (; s != last; s += 64) {
    x = rotate(x + y + v[0] + load64(s + 8), 37) * K1;
    y = rotate(y + v[1] + load64(s + 48), 42) * K1;
    x ^= w[1];
    y += v[0] + load64(s + 40);
    z = rotate(z + w[0], 33) * K1;
    weak(v, s, v[1] * K1, x + w[0]);
    weak(w, s + 32, z + w[1], y + load64(s + 16));
    t = z, z = x, x = t;
  }
  uint64_t mul = K1 + ((z & 0xff) << 1);
  w[0] += (n - 1) & 63;
  v[0] += w[0];
  w[0] += v[0];
  x = rotate(x + y + v[0] + load64(tail + 8), 37) * mul;
  y = rotate(y + v[1] + load64(tail + 48), 42) * mul;
  x ^= w[1] * 9;
  y += v[0] * 9 + load64(tail + 40);
  z = rotate(z + w[0], 33) * mul;
  weak(v, tail, v[1] * mul, x + w[0]);
  weak(w, tail + 32, z + w[1], y + load64(tail + 16));
  t = z, z = x, x = t;
  return mix(mix(v[0], w[0], mul) + fold(y) * K0 + z, mix(v[1], w[1], mul) + x, mul);
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Bytes of a seed and a row. */
static size_t key_bytes(const whet_tensor *x) {
  return sizeof(float) + (size_t)whet__dim_product(x->dim, 1, x->rank) * whet__dtype_size(x->dtype);
}
static size_t scratch(const whet_args *a) { return key_bytes(&a->in[X]); }

static whet_status ref(const whet_args *args) {
  const struct lsh *a = args->attr;
  const whet_tensor *seeds = &args->in[SEEDS], *x = &args->in[X], *out = &args->out[0];
  const whet_tensor *w = args->n_in > WEIGHTS && args->in[WEIGHTS].data ? &args->in[WEIGHTS] : NULL;
  uint8_t *key = args->scratch;
  int64_t row = whet__dim_product(x->dim, 1, x->rank), bits = seeds->dim[1];
  size_t e = whet__dtype_size(x->dtype), n = key_bytes(x);
  for (int64_t i = 0; i < seeds->dim[0]; i++) {
    uint32_t all = 0;
    for (int64_t j = 0; j < bits; j++) {
      double score = 0;
      memcpy(key, (const float *)seeds->data + i * seeds->stride[0] + j * seeds->stride[1], sizeof(float));
      for (int64_t r = 0; r < x->dim[0]; r++) {
        for (int64_t k = 0; k < row; k++)
          memcpy(key + sizeof(float) + (size_t)k * e,
                 (const char *)x->data + (size_t)whet__flat_offset(x, r * row + k) * e, e);
        double h = (double)(int64_t)hash(key, n);
        score += w ? (double)((const float *)w->data)[r * w->stride[0]] * h : h;
      }
      all = all << 1 | (score > 0);
      if (!a->sparse) whet__set_i64(WHET_S32, out->data, (i * bits + j) * out->stride[0], score > 0);
    }
    if (a->sparse) whet__set_i64(WHET_S32, out->data, i * out->stride[0], (int64_t)(int32_t)(all + ((uint32_t)i << bits)));
  }
  return WHET_OK;
}

const whet_op whet_op_LshProjection = {
    .name = "LshProjection",
    .attr_size = sizeof(struct lsh),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .ref = ref,
    .scratch = scratch,
};
