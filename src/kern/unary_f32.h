/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_UNARY_F32_H
#define WHET_KERN_UNARY_F32_H

/* Family unary_f32: y = f(x) for every element; f32 in and out.
 *
 * The same functions serve as steps of their own, as micro-operations of tile epilogues (kern/epilogue.h:
 * WHET_MICRO_UNARY + number) and inside other pointwise families. They use no libm: polynomials and fused
 * multiply-adds by name, in one source (vmath.h) over a thin vector layer, so every row gives the same bytes.
 * Denormals are kept, NaN gives NaN (its bits are not fixed). Without FMA in hardware the portable row is slow.
 *
 * Step: rows x run matrix. Arguments: [0] x, [1] y, [2] res or NULL: what ADD or MUL of the epilogue reads, laid out
 * as y. y may be x when the pitches are equal. */

#include "kern/epilogue.h"
#include "kern/kern.h"

/* X(name, formula, ulp): functions with parameters a and b, and the greatest error in units of the last place of the
 * result (0.5: correctly rounded; 0: exact). For GELU, GELU_TANH, SWISH and MISH these are
 * units of max(|y|, |x| / 64), for HARD_SWISH of max(|y|, |x| / 4). New ones are added at the end. */
#define WHET_UNARY_F32_MAP(X)                                              \
  X(ABS, "|x|", 0)                                                         \
  X(NEG, "-x", 0)                                                          \
  X(EXP, "e^x", 1.1)                                                       \
  X(LOG, "ln x", 1)                                                        \
  X(SQRT, "sqrt x", 0.5)                                                   \
  X(RSQRT, "1 / sqrt x", 1.5)                                              \
  X(RECIPROCAL, "1 / x", 0.5)                                              \
  X(SQUARE, "x x", 0.5)                                                    \
  X(SIN, "sin x", 2)                                                       \
  X(COS, "cos x", 2)                                                       \
  X(TAN, "tan x", 4)                                                       \
  X(ASIN, "asin x", 2)                                                     \
  X(ACOS, "acos x", 1.5)                                                   \
  X(ATAN, "atan x", 2)                                                     \
  X(SINH, "sinh x", 3)                                                     \
  X(COSH, "cosh x", 2)                                                     \
  X(ASINH, "asinh x", 3)                                                   \
  X(ACOSH, "acosh x", 3)                                                   \
  X(ATANH, "atanh x", 3)                                                   \
  X(TANH, "tanh x", 3)                                                     \
  X(SIGMOID, "1 / (1 + e^-x)", 2.5)                                        \
  X(ERF, "erf x", 1.5)                                                     \
  X(CEIL, "least integer >= x", 0)                                         \
  X(FLOOR, "greatest integer <= x", 0)                                     \
  X(ROUND, "nearest integer, half to even", 0)                             \
  X(SIGN, "-1, 0 or 1", 0)                                                 \
  X(CLIP, "max(a, min(x, b))", 0)                                          \
  X(LEAKY_RELU, "x < 0 ? a x : x", 0.5)                                    \
  X(ELU, "x < 0 ? a (e^x - 1) : x", 3)                                     \
  X(SELU, "x < 0 ? b a (e^x - 1) : b x", 3)                                \
  X(CELU, "x < 0 ? a (e^(x/a) - 1) : x", 3)                                \
  X(THRESHOLDED_RELU, "x > a ? x : 0", 0)                                  \
  X(HARD_SIGMOID, "max(0, min(1, a x + b))", 1)                            \
  X(HARD_SWISH, "x max(0, min(1, x/6 + 1/2))", 2)                          \
  X(SOFTPLUS, "ln(1 + e^x)", 4)                                            \
  X(SOFTSIGN, "x / (1 + |x|)", 1.5)                                        \
  X(MISH, "x tanh(ln(1 + e^x))", 6)                                        \
  X(GELU, "x (1 + erf(x / sqrt 2)) / 2", 10)                               \
  X(GELU_TANH, "x / (1 + e^(-2 u)), u = sqrt(2/pi) (x + 0.044715 x^3)", 8) \
  X(SWISH, "x / (1 + e^(-a x))", 6)                                        \
  X(SHRINK, "x < -a ? x + b : x > a ? x - b : 0", 0.5)                     \
  X(ADD, "x + a", 0.5)                                                     \
  X(MUL, "x a", 0.5)                                                       \
  X(RSUB, "a - x", 0.5)                                                    \
  X(RDIV, "a / x", 0.5)                                                    \
  X(DIV, "x / a", 0.5)

enum {
#define WHET_UNARY_F32_ENUM(name, formula, ulp) WHET_UN_##name,
  WHET_UNARY_F32_MAP(WHET_UNARY_F32_ENUM)
#undef WHET_UNARY_F32_ENUM
      WHET_UN_COUNT
};

typedef struct whet_unary_f32 {
  int32_t fn;               /* WHET_UN_ */
  float a, b;               /* its parameters */
  int64_t rows, run;        /* matrix of rows x run elements */
  int64_t x_pitch, y_pitch; /* elements from row to row */
  whet_epi_f32 epi;         /* micro-operations after it */
} whet_unary_f32;

/* All micro-operations of an epilogue over m rows of n neighbouring results x, ldx from row to row; res: the elements that ADD or
 * MUL take (NULL when e->res is 0), ldr from row to row. Rows without gaps are one row. For tiles: while they are in the first cache. */
void whet__epi_f32_c(const whet_epi_f32 *e, float *x, int64_t ldx, const float *res, int64_t ldr, int64_t m, int64_t n);
void whet__epi_f32_avx2(const whet_epi_f32 *e, float *x, int64_t ldx, const float *res, int64_t ldr, int64_t m, int64_t n);
void whet__epi_f32_avx512(const whet_epi_f32 *e, float *x, int64_t ldx, const float *res, int64_t ldr, int64_t m, int64_t n);
void whet__epi_f32_neon(const whet_epi_f32 *e, float *x, int64_t ldx, const float *res, int64_t ldr, int64_t m, int64_t n);
void whet__epi_f32_rvv(const whet_epi_f32 *e, float *x, int64_t ldx, const float *res, int64_t ldr, int64_t m, int64_t n);

#endif
