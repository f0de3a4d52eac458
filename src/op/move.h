/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_MOVE_H
#define WHET_OP_MOVE_H

/* What operators share that move elements without looking at them: walking indices, copying through strides for any
 * element type, numbers that stand in input tensors, steps of family copy. */

#include "base/dtype.h"
#include "kern/copy.h"
#include "op/edit.h"

/* ---- elements and indices -------------------------------------------------------------------- */

/* Bytes of an element as kernels move it (1 .. 16); 0 for packed types (4 and 2 bits), which only references move. */
static inline int32_t whet__move_bytes(whet_dtype t) { return (int32_t)whet__dtype_size(t); }

/* out[oi] = in[ii], elements of type t. */
void whet__move_one(whet_dtype t, void *out, int64_t oi, const void *in, int64_t ii);

/* The next index of a box in row-major order; false when all were seen (at is all 0 again). */
static inline bool whet__index_next(int32_t rank, const int64_t *dim, int64_t *at) {
  for (int32_t i = rank - 1; i >= 0; i--) {
    if (++at[i] < dim[i]) return true;
    at[i] = 0;
  }
  return false;
}

/* Offset in elements of an index. */
static inline int64_t whet__index_offset(int32_t rank, const int64_t *at, const int64_t *stride) {
  int64_t o = 0;
  for (int32_t i = 0; i < rank; i++) o += at[i] * stride[i];
  return o;
}

/* Product of dim[from .. to-1]. */
static inline int64_t whet__dim_product(const int64_t *dim, int32_t from, int32_t to) {
  int64_t n = 1;
  for (int32_t i = from; i < to; i++) n *= dim[i];
  return n;
}

/* Strides in elements of a dense array. */
static inline void whet__dense_strides(int32_t rank, const int64_t *dim, int64_t *stride) {
  int64_t n = 1;
  for (int32_t i = rank - 1; i >= 0; i--) {
    stride[i] = n;
    n *= dim[i];
  }
}

/* For every index of the box dim: out[oo + index*os] = in[io + index*is], offsets and strides in elements. */
void whet__move_box(whet_dtype t, int32_t rank, const int64_t *dim, void *out, int64_t oo, const int64_t *os,
                    const void *in, int64_t io, const int64_t *is);

/* Elements of `in` in row-major order into `out` in row-major order; equal types and counts. */
void whet__move_flat(const whet_tensor *out, const whet_tensor *in);

/* Element number k in row-major order, as an offset. */
int64_t whet__flat_offset(const whet_tensor *t, int64_t k);

/* Element k of a tensor of rank 0 or 1 as an integer. */
static inline int64_t whet__vec_i64(const whet_tensor *t, int64_t k) {
  return whet__get_i64(t->dtype, t->data, t->rank ? k * t->stride[0] : 0);
}

/* Index `at` of an index tensor, for a dimension of `size` elements, made non-negative if it may be (wrap); E_DATA when
 * it is out of range. */
whet_status whet__index_read(const whet_args *a, const whet_tensor *idx, int64_t at, int64_t size, bool wrap,
                             int64_t *to);

/* ---- shape rule ------------------------------------------------------------------------------ */

/* The numbers that an integer input of rank 0 or 1 holds, as far as they are known. */
typedef struct whet_nums {
  const whet_dim *known; /* NULL: read `data` */
  const void *data;
  whet_dtype t;
  int32_t n;
} whet_nums;

/* Contents of input i. False when they are not known at all, then n is their count if that is known, else -1. A
 * tensor that is no integer or has rank over 1 answers false with n -2: whet__nums_fail then says so. */
bool whet__nums(const whet_infer *f, int i, whet_nums *out);
/* The same for a tensor of any rank, its elements in row-major order. */
bool whet__nums_flat(const whet_infer *f, int i, whet_nums *out);
/* Number k, a symbol or ANY. */
whet_dim whet__num(const whet_nums *s, int32_t k);
/* Every element is a number. */
bool whet__nums_all(const whet_nums *s);
/* What to answer after whet__nums was false: WHET_LATE, or E_TYPE for n -2. `what` names the input. */
whet_status whet__nums_late(whet_infer *f, const whet_nums *s, const char *what);

/* Output o holds what input i holds, in the same order, under another shape. */
void whet__known_pass(whet_infer *f, int o, int i);

/* Output o takes type and dimensions; every dimension must be a number or symbol that infer may answer. */
static inline void whet__out_dims(whet_infer *f, int o, whet_dtype t, int32_t rank, const whet_dim *d) {
  whet_shape *s = whet__out(f, o, t);
  s->rank = rank;
  for (int32_t i = 0; i < rank; i++) s->d[i] = d[i];
}

/* Fails with E_SHAPE unless input i has rank in lo..hi; WHET_LATE when its rank is not known. */
whet_status whet__infer_rank(whet_infer *f, int i, int32_t lo, int32_t hi);

/* Fails with E_TYPE unless input i is of an integer type. */
whet_status whet__infer_is_int(whet_infer *f, int i);

/* Element count of a shape: a number, or ANY when a dimension is none; E_SHAPE (with the place) when it overflows. */
whet_status whet__infer_count(whet_infer *f, const whet_shape *s, whet_dim *n);

/* ---- planning -------------------------------------------------------------------------------- */

/* Strides in elements of value v where it lies, a bigger buffer around it taken into account. */
void whet__pl_strides(const whet_planner *p, int32_t v, int64_t *stride);

/* Numbers of a value that is constant in this plan: up to max of them into out; their count, or -1 when they are not
 * known or too many. */
int32_t whet__pl_ints(const whet_planner *p, int32_t v, int64_t *out, int32_t max);

/* A step of family copy from value `in` to value `out`; elem_bytes is filled in. WHET_LATE for packed types. */
whet_status whet__pl_copy(whet_planner *p, int32_t out, int32_t in, whet_copy *c);
/* The same from any argument. */
whet_status whet__pl_copy_from(whet_planner *p, int32_t out, whet_arg in, whet_copy *c);
/* The same between any two; elem_bytes is set. */
whet_status whet__pl_copy_args(whet_planner *p, whet_arg out, whet_arg in, whet_copy *c);

/* A plan hook for operators whose reference copies input 0 and then changes some of it: the reference, in place where
 * nobody else needs that input. */
whet_status whet__pl_in_first(whet_planner *p, const whet_node *n);

/* ---- editing --------------------------------------------------------------------------------- */

/* Give a node another list of inputs. False when memory is refused. */
bool whet__ed_set_inputs(whet_edit *e, int32_t node, const int32_t *in, int n);

/* perm_out = perm: outputs are turned as inputs are. Answers true, for hooks to end with. */
static inline bool whet__perm_same(const int8_t *perm, int rank, int8_t *perm_out) {
  for (int i = 0; i < rank; i++) perm_out[i] = perm[i];
  return true;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Declares `type *a`, a zeroed attribute struct in the arena, or returns from the reading function. */
#define WHET_NEW_ATTR(im, type, a)                               \
  type *a = whet__arena_alloc(whet__im_arena(im), sizeof(type)); \
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes")

/* An axis or other small number from a file, clamped so that it fits; infer checks it. */
static inline int32_t whet__small(int64_t v) { return (int32_t)whet__clamp_i(v, INT32_MIN, INT32_MAX); }

/* Integers as a new constant of type S64 and rank 1. */
int32_t whet__im_ints(whet_import *im, const int64_t *v, int32_t n);
/* The integers of attribute `name` (ONNX) as such a constant, or -1 when it is absent. */
int32_t whet__onnx_ints_const(whet_import *im, const char *name);
/* Contents of constant v as a list in the arena; n -1 when v is absent or no constant. */
whet_ints whet__im_list(whet_import *im, int32_t v);

#endif
