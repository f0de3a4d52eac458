/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_BINARY_F32_H
#define WHET_KERN_BINARY_F32_H

/* Family binary_f32: z = f(x, y) for every element, with broadcasting; f32 in, f32 or BOOL bytes out.
 *
 * The dimensions are those of z; strides of 0 repeat. Those of the last dimension are 1 in z, 0 or 1 in x and y. Drivers
 * merge dimensions first. Arithmetic is IEEE single precision, each operation rounded once; POW and
 * ATAN2 come from vmath.h: within 2 ulp. Every row gives the same bytes. Then come the micro-operations of the
 * epilogue, of which ADD and MUL read `res` (laid out as z).
 *
 * Arguments: [0] x, [1] y, [2] z, [3] res or NULL. z may be x or y where these are not repeated. */

#include "kern/epilogue.h"
#include "kern/kern.h"
#include "whet/types.h"

/* X(name, formula). MAX and MIN give NaN when an operand is NaN. */
#define WHET_BINARY_F32_MAP(X)          \
  X(ADD, "x + y")                       \
  X(SUB, "x - y")                       \
  X(MUL, "x y")                         \
  X(DIV, "x / y")                       \
  X(MAX, "the greater")                 \
  X(MIN, "the less")                    \
  X(POW, "x^y")                         \
  X(PRELU, "x < 0 ? x y : x")           \
  X(GATE, "x > 0 ? y : 0")              \
  X(ATAN2, "angle of the point (y, x)") \
  X(SQUARED_DIFFERENCE, "(x - y)^2")    \
  X(FLOOR_DIV, "floor(x / y)")          \
  X(EQUAL, "x = y, BOOL")               \
  X(NOT_EQUAL, "x != y, BOOL")          \
  X(LESS, "x < y, BOOL")                \
  X(LESS_EQUAL, "x <= y, BOOL")         \
  X(GREATER, "x > y, BOOL")             \
  X(GREATER_EQUAL, "x >= y, BOOL")

enum {
#define WHET_BINARY_F32_ENUM(name, formula) WHET_BIN_##name,
  WHET_BINARY_F32_MAP(WHET_BINARY_F32_ENUM)
#undef WHET_BINARY_F32_ENUM
      WHET_BIN_COUNT
};

typedef struct whet_binary_f32 {
  int32_t fn;   /* WHET_BIN_ */
  int32_t rank; /* 0 .. WHET_MAX_RANK */
  int64_t dim[WHET_MAX_RANK];
  int64_t x_stride[WHET_MAX_RANK], y_stride[WHET_MAX_RANK], z_stride[WHET_MAX_RANK]; /* elements */
  whet_epi_f32 epi;
} whet_binary_f32;

/* Drop dimensions of size 1 and merge neighbours that one stride walks in all three arrays. */
void whet__binary_f32_simplify(whet_binary_f32 *p);

#endif
