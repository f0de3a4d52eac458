/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TYPES_H
#define WHET_TYPES_H

/* Element types, shapes and quantisation as callers see them. */

#include <stddef.h>
#include <stdint.h>

#include "whet/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WHET_MAX_RANK 8

/* X(name, value, bits, text, numpy): element types. Numbers are stable; new ones are added at the end.
 * Types under 8 bits are packed, low bits first; floats of 6 bits are the low bits of a byte each. STRING elements are
 * whet_str. */
#define WHET_DTYPE_MAP(X)                                                                             \
  X(NONE, 0, 0, "none", "")                                                                           \
  X(F32, 1, 32, "float32", "<f4")                                                                     \
  X(U8, 2, 8, "uint8", "|u1")                                                                         \
  X(S8, 3, 8, "int8", "|i1")                                                                          \
  X(U16, 4, 16, "uint16", "<u2")                                                                      \
  X(S16, 5, 16, "int16", "<i2")                                                                       \
  X(S32, 6, 32, "int32", "<i4")                                                                       \
  X(S64, 7, 64, "int64", "<i8")                                                                       \
  X(STRING, 8, 128, "string", "|S")                                                                   \
  X(BOOL, 9, 8, "bool", "|b1")                                                                        \
  X(F16, 10, 16, "float16", "<f2")                                                                    \
  X(F64, 11, 64, "float64", "<f8")                                                                    \
  X(U32, 12, 32, "uint32", "<u4")                                                                     \
  X(U64, 13, 64, "uint64", "<u8")                                                                     \
  X(C64, 14, 64, "complex64", "<c8")                                                                  \
  X(C128, 15, 128, "complex128", "<c16")                                                              \
  X(BF16, 16, 16, "bfloat16", "")                                                                     \
  X(F8E4M3FN, 17, 8, "float8e4m3fn", "")                                                              \
  X(F8E4M3FNUZ, 18, 8, "float8e4m3fnuz", "")                                                          \
  X(F8E5M2, 19, 8, "float8e5m2", "")                                                                  \
  X(F8E5M2FNUZ, 20, 8, "float8e5m2fnuz", "")                                                          \
  X(U4, 21, 4, "uint4", "")                                                                           \
  X(S4, 22, 4, "int4", "")                                                                            \
  X(F4E2M1, 23, 4, "float4e2m1", "")                                                                  \
  X(F8E8M0, 24, 8, "float8e8m0", "")                                                                  \
  X(U2, 25, 2, "uint2", "")                                                                           \
  X(S2, 26, 2, "int2", "")                                                                            \
  X(F6E2M3, 27, 8, "float6e2m3", "")                                                                  \
  X(F6E3M2, 28, 8, "float6e3m2", "")

typedef enum whet_dtype {
#define WHET_DTYPE_ENUM(name, value, bits, text, numpy) WHET_##name = value,
  WHET_DTYPE_MAP(WHET_DTYPE_ENUM)
#undef WHET_DTYPE_ENUM
  WHET_DTYPE_COUNT,
  WHET_DTYPE_FORCE_INT = 0x7fffffff
} whet_dtype;

/* One element of a STRING tensor: n bytes at p, not terminated. */
typedef struct whet_str {
  const char *p;
  size_t n;
} whet_str;

/* What a value is. A session's inputs and outputs are tensors but for models that say otherwise. */
typedef enum whet_kind {
  WHET_TENSOR = 0,
  WHET_SEQUENCE = 1,
  WHET_MAP = 2,
  WHET_OPTIONAL = 3,
  WHET_KIND_FORCE_INT = 0x7fffffff
} whet_kind;

/* Affine quantisation: real = scale * (stored - zero). n is 1 for a whole tensor, else one entry for each index
 * along `axis`; n 0 means plain numbers. Borrowed from the model. */
typedef struct whet_quant_info {
  int32_t n;
  int32_t axis;
  const float *scale;
  const int32_t *zero;
} whet_quant_info;

/* An input or output as the model declares it or as a session has it now. dims holds -1 where the size is not fixed;
 * rank -1 means that not even the number of dimensions is. symbol[i] names a free dimension or is NULL.
 * Borrowed: name and symbols live as long as the model. */
typedef struct whet_info {
  const char *name;
  whet_kind kind;
  whet_dtype dtype;
  int32_t rank;
  int64_t dims[WHET_MAX_RANK];
  const char *symbol[WHET_MAX_RANK];
  whet_quant_info quant;
} whet_info;

/* "float32" and the like; "unknown" for a number that is no type. */
WHET_API const char *whet_dtype_name(whet_dtype t);
/* The type of that name, or WHET_NONE. */
WHET_API whet_dtype whet_dtype_from_name(const char *name);
/* Bits of one element, 0 for NONE. */
WHET_API unsigned whet_dtype_bits(whet_dtype t);
/* Bytes of n elements, packed types rounded up; 0 when that does not fit in size_t. */
WHET_API size_t whet_dtype_bytes(whet_dtype t, size_t n);

/* Version of the library: the string "MAJOR.MINOR.PATCH". */
WHET_API const char *whet_version(void);

#ifdef __cplusplus
}
#endif
#endif
