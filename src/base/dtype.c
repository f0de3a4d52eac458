/* SPDX-License-Identifier: Apache-2.0 */
/* Element types: names, sizes, and conversion of single elements. */

#include "base/dtype.h"

#include <math.h>

struct dtype_row {
  const char *name;
  uint16_t bits;
};
static const struct dtype_row k_rows[WHET_DTYPE_COUNT] = {
#define ROW(name, value, bits, text, numpy) [value] = {text, bits},
    WHET_DTYPE_MAP(ROW)
#undef ROW
};

const char *whet_dtype_name(whet_dtype t) { return (unsigned)t < WHET_DTYPE_COUNT ? k_rows[t].name : "unknown"; }

whet_dtype whet_dtype_from_name(const char *name) {
  for (int i = 1; i < WHET_DTYPE_COUNT; i++)
    if (!strcmp(name, k_rows[i].name)) return (whet_dtype)i;
  return WHET_NONE;
}

unsigned whet_dtype_bits(whet_dtype t) { return (unsigned)t < WHET_DTYPE_COUNT ? k_rows[t].bits : 0; }

size_t whet_dtype_bytes(whet_dtype t, size_t n) {
  size_t bits = whet_dtype_bits(t), bytes;
  if (bits >= 8) return whet__mul_size(n, bits / 8, &bytes) ? bytes : 0;
  if (!bits) return 0;
  size_t per = 8 / bits;
  return n / per + (n % per != 0);
}

int64_t whet__dtype_min(whet_dtype t) {
  switch (t) {
    case WHET_S8:
      return INT8_MIN;
    case WHET_S16:
      return INT16_MIN;
    case WHET_S32:
      return INT32_MIN;
    case WHET_S64:
      return INT64_MIN;
    case WHET_S4:
      return -8;
    case WHET_S2:
      return -2;
    default:
      return 0;
  }
}

int64_t whet__dtype_max(whet_dtype t) {
  switch (t) {
    case WHET_BOOL:
      return 1;
    case WHET_S8:
      return INT8_MAX;
    case WHET_U8:
      return UINT8_MAX;
    case WHET_S16:
      return INT16_MAX;
    case WHET_U16:
      return UINT16_MAX;
    case WHET_S32:
      return INT32_MAX;
    case WHET_U32:
      return UINT32_MAX;
    case WHET_S64:
    case WHET_U64:
      return INT64_MAX;
    case WHET_S4:
      return 7;
    case WHET_U4:
      return 15;
    case WHET_S2:
      return 1;
    case WHET_U2:
      return 3;
    default:
      return 0;
  }
}

static uint32_t bits_of(float f) {
  uint32_t u;
  memcpy(&u, &f, 4);
  return u;
}
static float float_of(uint32_t u) {
  float f;
  memcpy(&f, &u, 4);
  return f;
}

/* A small float format: 1 sign bit (or none), e exponent bits, m mantissa bits. */
struct small {
  uint8_t e, m, sign;
  int16_t bias;
  uint8_t inf; /* the all-ones exponent holds infinity and NaN as in IEEE 754 */
  uint8_t nan; /* without inf: 1: all ones is NaN; 2: only negative zero is NaN; 0: there is no NaN */
};
static struct small small_of(whet_dtype t) {
  switch (t) {
    case WHET_F16:
      return (struct small){5, 10, 1, 15, 1, 0};
    case WHET_F8E5M2:
      return (struct small){5, 2, 1, 15, 1, 0};
    case WHET_F8E4M3FN:
      return (struct small){4, 3, 1, 7, 0, 1};
    case WHET_F8E4M3FNUZ:
      return (struct small){4, 3, 1, 8, 0, 2};
    case WHET_F8E5M2FNUZ:
      return (struct small){5, 2, 1, 16, 0, 2};
    case WHET_F6E2M3:
      return (struct small){2, 3, 1, 1, 0, 0};
    case WHET_F6E3M2:
      return (struct small){3, 2, 1, 3, 0, 0};
    default:
      return (struct small){2, 1, 1, 1, 0, 0}; /* F4E2M1 */
  }
}

/* The value of a bit pattern. Exact. */
static float small_to_f32(struct small s, uint32_t b) {
  uint32_t man = b & ((1u << s.m) - 1), exp = b >> s.m & ((1u << s.e) - 1), neg = b >> (s.m + s.e) & 1;
  if (s.inf && exp == (1u << s.e) - 1) return float_of(neg << 31 | 0x7f800000u | man << (23 - s.m));
  if (!s.inf && s.nan == 1 && exp == (1u << s.e) - 1 && man == (1u << s.m) - 1)
    return float_of(neg << 31 | 0x7fc00000u);
  if (s.nan == 2 && neg && !exp && !man) return float_of(0x7fc00000u);
  float v = exp ? ldexpf((float)(man | 1u << s.m), (int)exp - s.bias - s.m) : ldexpf((float)man, 1 - s.bias - s.m);
  return neg ? -v : v;
}

/* Round to nearest even. Values past the largest finite one: `saturate`: the largest; else infinity or NaN. */
static uint32_t f32_to_small(struct small s, float f, bool saturate) {
  uint32_t u = bits_of(f), neg = u >> 31, top = (1u << s.e) - 1, sign = neg << (s.m + s.e);
  uint32_t inf = top << s.m, nan = s.inf        ? inf | 1u << (s.m - 1)
                                   : s.nan == 1 ? (1u << (s.e + s.m)) - 1
                                   : s.nan == 2 ? 1u << (s.e + s.m)
                                                : 0;
  uint32_t largest = s.inf ? inf - 1 : s.nan == 1 ? inf + (1u << s.m) - 2 : inf + (1u << s.m) - 1;
  if (isnan(f)) return s.nan == 2 || (!s.inf && !s.nan) ? nan : sign | nan;
  uint32_t over = saturate     ? sign | largest
                  : s.inf      ? sign | inf
                  : s.nan == 2 ? nan
                  : s.nan == 1 ? sign | nan
                               : sign | largest;
  if (isinf(f)) return over;
  int32_t exp = (int32_t)(u >> 23 & 0xff) - 127 + s.bias;
  uint32_t man = (u & 0x7fffff) | (u & 0x7f800000 ? 0x800000 : 0);
  if (!(u & 0x7f800000)) exp++;
  int drop = 23 - s.m;
  if (exp < 1) {
    drop += 1 - exp;
    exp = 0;
  }
  if (drop > 25) drop = 25;
  uint32_t kept = man >> drop, rest = man & ((1u << drop) - 1), half = 1u << (drop - 1);
  if (rest > half || (rest == half && kept & 1)) kept++;
  uint32_t out = exp ? ((uint32_t)(exp - 1) << s.m) + kept : kept;
  if (exp > (int32_t)top || out > largest) return over;
  if (!out && s.nan == 2) return 0; /* there is no negative zero */
  return sign | out;
}

float whet__f16_to_f32(uint16_t h) { return small_to_f32(small_of(WHET_F16), h); }
uint16_t whet__f32_to_f16(float f) { return (uint16_t)f32_to_small(small_of(WHET_F16), f, false); }
float whet__bf16_to_f32(uint16_t h) { return float_of((uint32_t)h << 16); }
uint16_t whet__f32_to_bf16(float f) {
  uint32_t u = bits_of(f);
  if (isnan(f)) return (uint16_t)(u >> 16 | 0x40);
  return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

float whet__f8_to_f32(whet_dtype t, uint8_t b) {
  if (t == WHET_F8E8M0) return b == 0xff ? float_of(0x7fc00000u) : ldexpf(1, (int)b - 127);
  return small_to_f32(small_of(t), b);
}

uint8_t whet__f32_to_f8(whet_dtype t, float f, bool saturate) {
  if (t != WHET_F8E8M0) return (uint8_t)f32_to_small(small_of(t), f, saturate);
  /* Powers of two from 2^-127 to 2^127, no sign; halfway cases go up. */
  if (isnan(f) || (isinf(f) && !saturate)) return 0xff;
  float a = fabsf(f);
  if (a <= ldexpf(1, -127)) return 0;
  if (isinf(f)) return 0xfe;
  int e;
  float m = frexpf(a, &e); /* a = m * 2^e, m in [0.5, 1) */
  int p = e - 1 + (m >= 0.75f);
  return (uint8_t)(p > 127 ? (saturate ? 0xfe : 0xff) : p + 127);
}

/* Element i of a packed array of `bits` bits, low bits first. */
static unsigned packed_get(const void *p, int64_t i, unsigned bits) {
  unsigned per = 8 / bits;
  return ((const uint8_t *)p)[i / per] >> (unsigned)(i % per) * bits & ((1u << bits) - 1);
}
static void packed_set(void *p, int64_t i, unsigned bits, unsigned v) {
  unsigned per = 8 / bits, shift = (unsigned)(i % per) * bits, mask = ((1u << bits) - 1) << shift;
  uint8_t *b = (uint8_t *)p + i / per;
  *b = (uint8_t)((*b & ~mask) | (v << shift & mask));
}
static int64_t sign_extend(unsigned v, unsigned bits) { return (int64_t)(v ^ 1u << (bits - 1)) - (1 << (bits - 1)); }

#define LOAD(type) (memcpy(&v_##type, (const char *)p + i * (int64_t)sizeof(type), sizeof(type)), v_##type)

int64_t whet__get_i64(whet_dtype t, const void *p, int64_t i) {
  int16_t v_int16_t;
  uint16_t v_uint16_t;
  int32_t v_int32_t;
  uint32_t v_uint32_t;
  int64_t v_int64_t;
  switch (t) {
    case WHET_BOOL:
      return ((const uint8_t *)p)[i] != 0;
    case WHET_U8:
      return ((const uint8_t *)p)[i];
    case WHET_S8:
      return ((const int8_t *)p)[i];
    case WHET_U16:
      return LOAD(uint16_t);
    case WHET_S16:
      return LOAD(int16_t);
    case WHET_U32:
      return LOAD(uint32_t);
    case WHET_S32:
      return LOAD(int32_t);
    case WHET_U64:
    case WHET_S64:
      return LOAD(int64_t);
    case WHET_U4:
      return packed_get(p, i, 4);
    case WHET_S4:
      return sign_extend(packed_get(p, i, 4), 4);
    case WHET_U2:
      return packed_get(p, i, 2);
    case WHET_S2:
      return sign_extend(packed_get(p, i, 2), 2);
    default: {
      double d = whet__get_f64(t, p, i);
      if (isnan(d)) return 0;
      if (d >= 9223372036854775808.0) return INT64_MAX;
      if (d < -9223372036854775808.0) return INT64_MIN;
      return (int64_t)d;
    }
  }
}

double whet__get_f64(whet_dtype t, const void *p, int64_t i) {
  float v_float;
  double v_double;
  uint16_t v_uint16_t;
  switch (t) {
    case WHET_F32:
      return LOAD(float);
    case WHET_F64:
      return LOAD(double);
    case WHET_F16:
      return whet__f16_to_f32(LOAD(uint16_t));
    case WHET_BF16:
      return whet__bf16_to_f32(LOAD(uint16_t));
    case WHET_F8E4M3FN:
    case WHET_F8E4M3FNUZ:
    case WHET_F8E5M2:
    case WHET_F8E5M2FNUZ:
    case WHET_F8E8M0:
    case WHET_F6E2M3:
    case WHET_F6E3M2:
      return whet__f8_to_f32(t, ((const uint8_t *)p)[i]);
    case WHET_F4E2M1:
      return whet__f8_to_f32(t, (uint8_t)packed_get(p, i, 4));
    case WHET_U64:
      return (double)(uint64_t)whet__get_i64(t, p, i);
    case WHET_NONE:
    case WHET_STRING:
    case WHET_C64:
    case WHET_C128:
      return 0;
    default:
      return (double)whet__get_i64(t, p, i);
  }
}

#define STORE(type, v)                                                \
  do {                                                                \
    type x_ = (type)(v);                                              \
    memcpy((char *)p + i * (int64_t)sizeof(type), &x_, sizeof(type)); \
  } while (0)

void whet__set_i64(whet_dtype t, void *p, int64_t i, int64_t v) {
  switch (t) {
    case WHET_BOOL:
      ((uint8_t *)p)[i] = v != 0;
      break;
    case WHET_U8:
    case WHET_S8:
      ((uint8_t *)p)[i] = (uint8_t)v;
      break;
    case WHET_U16:
    case WHET_S16:
      STORE(uint16_t, v);
      break;
    case WHET_U32:
    case WHET_S32:
      STORE(uint32_t, v);
      break;
    case WHET_U64:
    case WHET_S64:
      STORE(int64_t, v);
      break;
    case WHET_U4:
    case WHET_S4:
      packed_set(p, i, 4, (unsigned)v & 15);
      break;
    case WHET_U2:
    case WHET_S2:
      packed_set(p, i, 2, (unsigned)v & 3);
      break;
    default:
      whet__set_f64(t, p, i, (double)v);
  }
}

/* A float that rounds to every smaller type as v itself does: v cut off after 24 bits, with the last bit set when
 * something was lost (round to odd). */
static float narrow(double v) {
  float f = (float)v;
  if (isnan(v) || isinf(v) || (double)f == v) return f;
  if (fabs((double)f) > fabs(v)) f = nextafterf(f, 0); /* infinity becomes the largest float */
  return float_of(bits_of(f) | 1);
}

void whet__set_f64(whet_dtype t, void *p, int64_t i, double v) {
  switch (t) {
    case WHET_F32:
      STORE(float, v);
      break;
    case WHET_F64:
      STORE(double, v);
      break;
    case WHET_F16:
      STORE(uint16_t, whet__f32_to_f16(narrow(v)));
      break;
    case WHET_BF16:
      STORE(uint16_t, whet__f32_to_bf16(narrow(v)));
      break;
    case WHET_F8E4M3FN:
    case WHET_F8E4M3FNUZ:
    case WHET_F8E5M2:
    case WHET_F8E5M2FNUZ:
    case WHET_F8E8M0:
    case WHET_F6E2M3:
    case WHET_F6E3M2:
      ((uint8_t *)p)[i] = whet__f32_to_f8(t, narrow(v), true);
      break;
    case WHET_F4E2M1:
      packed_set(p, i, 4, whet__f32_to_f8(t, narrow(v), true));
      break;
    case WHET_BOOL:
      ((uint8_t *)p)[i] = v != 0;
      break;
    case WHET_U64:
      STORE(uint64_t, isnan(v) || v < 0 ? 0 : v >= 18446744073709551616.0 ? UINT64_MAX : (uint64_t)v);
      break;
    case WHET_NONE:
    case WHET_STRING:
    case WHET_C64:
    case WHET_C128:
      break;
    default:
      whet__set_i64(t, p, i,
                    isnan(v)                     ? 0
                    : v >= 9223372036854775808.0 ? INT64_MAX
                    : v < -9223372036854775808.0 ? INT64_MIN
                                                 : (int64_t)v);
  }
}
