/* SPDX-License-Identifier: Apache-2.0 */
/* One list of types, read twice. */

#include "edge/pipe/numbers.h"

#include <stdint.h>
#include <string.h>

/* IEEE half precision. */
static float half(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000u) << 16, e = (h >> 10) & 31, m = h & 1023, bits;
  if (e == 31) {
    bits = sign | 0x7f800000u | m << 13;
  } else if (e) {
    bits = sign | (e + 112) << 23 | m << 13;
  } else {
    float f = (float)m * 0x1p-24f;
    return sign ? -f : f;
  }
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

static float bfloat(uint16_t h) {
  uint32_t bits = (uint32_t)h << 16;
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

/* Type, what it is in memory, and its value v as a number. */
#define TYPES(X)               \
  X(F32, float, v)             \
  X(F64, double, v)            \
  X(F16, uint16_t, half(v))    \
  X(BF16, uint16_t, bfloat(v)) \
  X(U8, uint8_t, v)            \
  X(S8, int8_t, v)             \
  X(BOOL, uint8_t, v != 0)     \
  X(U16, uint16_t, v)          \
  X(S16, int16_t, v)           \
  X(U32, uint32_t, v)          \
  X(S32, int32_t, v)           \
  X(U64, uint64_t, v)          \
  X(S64, int64_t, v)

#define MANY(T, type, value)                                             \
  case WHET_##T:                                                         \
    for (size_t i = 0; i < n; i++) {                                     \
      type v;                                                            \
      memcpy(&v, (const uint8_t *)p + (first + i) * sizeof v, sizeof v); \
      out[i] = (float)(value);                                           \
    }                                                                    \
    return true;

bool pipe_numbers(whet_dtype t, const void *p, size_t first, size_t n, float *out) {
  switch (t) {
    TYPES(MANY)
    default:
      return false;
  }
}

#define ONE(T, type, value)                                  \
  case WHET_##T: {                                           \
    type v;                                                  \
    memcpy(&v, (const uint8_t *)p + i * sizeof v, sizeof v); \
    *out = (double)(value);                                  \
    return true;                                             \
  }

bool pipe_number(whet_dtype t, const void *p, size_t i, double *out) {
  switch (t) {
    TYPES(ONE)
    default:
      return false;
  }
}
