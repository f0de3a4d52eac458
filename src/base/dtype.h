/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BASE_DTYPE_H
#define WHET_BASE_DTYPE_H

/* Element types: classes, and conversion of single elements between any type and wide carriers. */

#include "base/base.h"

static inline bool whet__is_float6(whet_dtype t) { return t == WHET_F6E2M3 || t == WHET_F6E3M2; }
static inline bool whet__is_float(whet_dtype t) {
  return t == WHET_F32 || t == WHET_F16 || t == WHET_F64 || t == WHET_BF16 ||
         (t >= WHET_F8E4M3FN && t <= WHET_F8E5M2FNUZ) || t == WHET_F4E2M1 || t == WHET_F8E8M0 || whet__is_float6(t);
}
static inline bool whet__is_signed_int(whet_dtype t) {
  return t == WHET_S8 || t == WHET_S16 || t == WHET_S32 || t == WHET_S64 || t == WHET_S4 || t == WHET_S2;
}
static inline bool whet__is_unsigned_int(whet_dtype t) {
  return t == WHET_U8 || t == WHET_U16 || t == WHET_U32 || t == WHET_U64 || t == WHET_U4 || t == WHET_U2;
}
static inline bool whet__is_int(whet_dtype t) { return whet__is_signed_int(t) || whet__is_unsigned_int(t); }
static inline bool whet__is_complex(whet_dtype t) { return t == WHET_C64 || t == WHET_C128; }

/* Bytes of one element; 0 for packed types (4 and 2 bits) and NONE. */
static inline size_t whet__dtype_size(whet_dtype t) { return whet_dtype_bits(t) / 8; }

/* Least and greatest value of an integer type (BOOL: 0, 1), clamped to int64. */
int64_t whet__dtype_min(whet_dtype t);
int64_t whet__dtype_max(whet_dtype t);

/* Half, bfloat16 and float8 as bits; to: round to nearest even, from: exact. */
float whet__f16_to_f32(uint16_t h);
uint16_t whet__f32_to_f16(float f);
float whet__bf16_to_f32(uint16_t h);
uint16_t whet__f32_to_bf16(float f);
/* Any float type of 8 or 4 bits. `saturate`: values past the largest become the largest (ONNX Cast's default). */
float whet__f8_to_f32(whet_dtype t, uint8_t b);
uint8_t whet__f32_to_f8(whet_dtype t, float f, bool saturate);

/* Element i of an array of type t as a double, as an int64 (floats truncate and clamp, U64 wraps), and back.
 * Writing rounds floats to the type and wraps integers. Not for STRING and complex types. */
double whet__get_f64(whet_dtype t, const void *p, int64_t i);
int64_t whet__get_i64(whet_dtype t, const void *p, int64_t i);
void whet__set_f64(whet_dtype t, void *p, int64_t i, double v);
void whet__set_i64(whet_dtype t, void *p, int64_t i, int64_t v);

#endif
