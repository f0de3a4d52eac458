/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_WALK_H
#define WHET_OP_WALK_H

/* What naive references share: walking several strided tensors in step with numpy broadcasting, and moving blocks of
 * elements of any type to and from wide carriers (double, int64). */

#include "base/dtype.h"
#include "op/edit.h"

/* Sets of element types, for checks in infer. */
#define WHET_T(t) (UINT32_C(1) << WHET_##t)
enum {
  WHET_T_FLOAT = WHET_T(F32) | WHET_T(F16) | WHET_T(F64) | WHET_T(BF16),
  WHET_T_SINT = WHET_T(S8) | WHET_T(S16) | WHET_T(S32) | WHET_T(S64) | WHET_T(S4) | WHET_T(S2),
  WHET_T_UINT = WHET_T(U8) | WHET_T(U16) | WHET_T(U32) | WHET_T(U64) | WHET_T(U4) | WHET_T(U2),
  WHET_T_INT = WHET_T_SINT | WHET_T_UINT,
  WHET_T_BOOL = WHET_T(BOOL),
  WHET_T_NUM = WHET_T_FLOAT | WHET_T_INT,
  WHET_T_FLOAT8 = WHET_T(F8E4M3FN) | WHET_T(F8E4M3FNUZ) | WHET_T(F8E5M2) | WHET_T(F8E5M2FNUZ)
};
static inline bool whet__type_in(uint32_t set, whet_dtype t) { return (unsigned)t < 32 && set >> t & 1; }

/* True for numbers of 8 or 16 bits that stand for real ones: their meaning is in the _q8 files. */
static inline bool whet__quantised(whet_dtype t, const whet_quant *q) {
  return q && (t == WHET_S8 || t == WHET_U8 || t == WHET_S16 || t == WHET_U16);
}

enum { WHET_WALK_MAX = 4, WHET_BLOCK = 256 };

/* The rows along the last dimension of a shape, for up to WHET_WALK_MAX tensors that broadcast to it. */
typedef struct whet_walk {
  int n; /* tensors */
  int32_t rank;
  int64_t dim[WHET_MAX_RANK];
  int64_t stride[WHET_WALK_MAX][WHET_MAX_RANK]; /* elements; 0 where a tensor is repeated */
  int64_t index[WHET_MAX_RANK];
  int64_t run;                                    /* elements of a row */
  int64_t at[WHET_WALK_MAX], step[WHET_WALK_MAX]; /* of the row: first element and distance, in each tensor */
  bool started;
} whet_walk;

/* Over a shape; no tensors yet. */
void whet__walk_init(whet_walk *w, int32_t rank, const int64_t *dim);
/* Add a tensor whose dimensions, aligned at the last one, are those of the shape or 1. */
void whet__walk_add(whet_walk *w, const whet_tensor *t);
/* Go to the next row; false past the last one. Shapes without elements have no rows. */
bool whet__walk_row(whet_walk *w);

/* n elements of a tensor, `step` apart from element `at` on, to or from an array of carriers. Floats are rounded to
 * the type, integers are wrapped; U64 is held in int64 as its bits. */
void whet__load_f64(const whet_tensor *t, int64_t at, int64_t step, int64_t n, double *to);
void whet__load_i64(const whet_tensor *t, int64_t at, int64_t step, int64_t n, int64_t *to);
void whet__store_f64(const whet_tensor *t, int64_t at, int64_t step, int64_t n, const double *from);
void whet__store_i64(const whet_tensor *t, int64_t at, int64_t step, int64_t n, const int64_t *from);

/* The real (0) or imaginary (1) parts of complex numbers as a tensor of their own; another tensor as it is. */
whet_tensor whet__complex_part(const whet_tensor *t, int part);

/* Element at offset i as a real number: scale (stored - zero) for quantised tensors (one scale), else the number; and
 * back, to the nearest: half to even under WHET_ROUND_ONNX_REAL, else away from zero. */
double whet__get_real(const whet_tensor *t, int64_t i);
void whet__set_real(const whet_tensor *t, int64_t i, double v, whet_round round);

/* Tell the contents of output o from those of input i, element by element; nothing where they are not known. */
void whet__known_map(whet_infer *f, int o, int i, whet_dim (*fn)(whet_dim x, const void *ctx), const void *ctx);

/* Do the elements of value v lie one after the other? */
bool whet__pl_dense(const whet_planner *p, int32_t v);

/* Two values of one shape as matrices of rows x run elements, each with its own pitch; one row where both are dense.
 * False when their runs do not match. */
bool whet__pl_rows(const whet_planner *p, int32_t x, int32_t y, int64_t *rows, int64_t *run, int64_t *x_pitch,
                   int64_t *y_pitch);

/* Does perm bring channels from the last place to the second one (last), or from the second to the last? */
bool whet__perm_is_chan(const int8_t *perm, int rank, bool last);

/* The permute hook of operators that broadcast: constants are brought to `rank` dimensions and turned; inputs of one
 * element stay. False when an input that is no constant has another rank. */
bool whet__permute_broadcast(whet_edit *e, int32_t node, const int8_t *perm, int rank);

#endif
