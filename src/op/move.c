/* SPDX-License-Identifier: Apache-2.0 */
/* What operators share that move elements: see move.h. */

#include "op/move.h"

/* ---- elements and indices -------------------------------------------------------------------- */

void whet__move_one(whet_dtype t, void *out, int64_t oi, const void *in, int64_t ii) {
  size_t e = whet__dtype_size(t);
  if (e) {
    memmove((char *)out + (size_t)oi * e, (const char *)in + (size_t)ii * e, e);
    return;
  }
  unsigned bits = whet_dtype_bits(t), per = 8 / bits, mask = (1u << bits) - 1;
  unsigned v = ((const uint8_t *)in)[ii / per] >> (unsigned)(ii % per) * bits & mask;
  unsigned shift = (unsigned)(oi % per) * bits;
  uint8_t *b = (uint8_t *)out + oi / per;
  *b = (uint8_t)((*b & ~(mask << shift)) | v << shift);
}

void whet__move_box(whet_dtype t, int32_t rank, const int64_t *dim, void *out, int64_t oo, const int64_t *os,
                    const void *in, int64_t io, const int64_t *is) {
  int64_t at[WHET_MAX_RANK] = {0};
  if (!whet__dim_product(dim, 0, rank)) return;
  /* Innermost dimension in runs, the others by index. */
  int32_t outer = rank ? rank - 1 : 0;
  int64_t run = rank ? dim[rank - 1] : 1, so = rank ? os[rank - 1] : 1, si = rank ? is[rank - 1] : 1;
  size_t e = whet__dtype_size(t);
  do {
    int64_t o = oo + whet__index_offset(outer, at, os), i = io + whet__index_offset(outer, at, is);
    if (e && so == 1 && si == 1) {
      memcpy((char *)out + (size_t)o * e, (const char *)in + (size_t)i * e, (size_t)run * e);
      continue;
    }
    for (int64_t k = 0; k < run; k++) whet__move_one(t, out, o + k * so, in, i + k * si);
  } while (whet__index_next(outer, dim, at));
}

int64_t whet__flat_offset(const whet_tensor *t, int64_t k) {
  int64_t o = 0;
  for (int32_t i = t->rank - 1; i >= 0; i--) {
    o += k % t->dim[i] * t->stride[i];
    k /= t->dim[i];
  }
  return o;
}

void whet__move_flat(const whet_tensor *out, const whet_tensor *in) {
  int64_t n = whet__tensor_count(out);
  size_t e = whet__dtype_size(out->dtype);
  if (e && whet__tensor_dense(out) && whet__tensor_dense(in)) {
    if (n && out->data != in->data) memmove(out->data, in->data, (size_t)n * e);
    return;
  }
  int64_t a[WHET_MAX_RANK] = {0}, b[WHET_MAX_RANK] = {0};
  for (int64_t k = 0; k < n; k++) {
    whet__move_one(out->dtype, out->data, whet__index_offset(out->rank, a, out->stride), in->data,
                   whet__index_offset(in->rank, b, in->stride));
    whet__index_next(out->rank, out->dim, a);
    whet__index_next(in->rank, in->dim, b);
  }
}

whet_status whet__index_read(const whet_args *a, const whet_tensor *idx, int64_t at, int64_t size, bool wrap,
                             int64_t *to) {
  int64_t k = whet__get_i64(idx->dtype, idx->data, at);
  if (k < (wrap ? -size : 0) || k >= size)
    return whet__fail(a->err, WHET_E_DATA, "index %lld of a dimension of size %lld", (long long)k, (long long)size);
  *to = k < 0 ? k + size : k;
  return WHET_OK;
}

/* ---- shape rule ------------------------------------------------------------------------------ */

bool whet__nums(const whet_infer *f, int i, whet_nums *out) {
  if (whet__in_shape(f, i)->rank <= 1) return whet__nums_flat(f, i, out);
  *out = (whet_nums){.n = -2, .t = whet__in_dtype(f, i)};
  return false;
}

bool whet__nums_flat(const whet_infer *f, int i, whet_nums *out) {
  *out = (whet_nums){.n = -1, .t = whet__in_dtype(f, i)};
  const whet_shape *s = whet__in_shape(f, i);
  if (whet__in_has(f, i) && out->t != WHET_NONE && !whet__is_int(out->t)) {
    out->n = -2;
    return false;
  }
  out->known = whet__in_known(f, i, &out->n);
  if (out->known) return true;
  int64_t count = whet__shape_count(s);
  out->n = count < 0 || count > INT32_MAX ? -1 : (int32_t)count;
  out->data = whet__in_data(f, i);
  return out->data && out->n >= 0;
}

whet_dim whet__num(const whet_nums *s, int32_t k) {
  if (s->known) return s->known[k];
  int64_t v = whet__get_i64(s->t, s->data, k);
  return whet__dim_number(v) ? v : WHET_DIM_SYM(INT32_MAX) + 1;
}

bool whet__nums_all(const whet_nums *s) {
  for (int32_t k = 0; k < s->n; k++)
    if (!whet__dim_number(whet__num(s, k))) return false;
  return true;
}

whet_status whet__nums_late(whet_infer *f, const whet_nums *s, const char *what) {
  if (s->n == -2) return whet__infer_fail(f, WHET_E_TYPE, "%s must be integers in one dimension", what);
  return WHET_LATE;
}

void whet__known_pass(whet_infer *f, int o, int i) {
  int32_t n;
  const whet_dim *from = whet__in_known(f, i, &n);
  whet_dim *to = from ? whet__out_known(f, o, n) : NULL;
  if (to) memcpy(to, from, (size_t)n * sizeof *to);
}

whet_status whet__infer_rank(whet_infer *f, int i, int32_t lo, int32_t hi) {
  int32_t r = whet__in_shape(f, i)->rank;
  if (r < 0) return WHET_LATE;
  if (r < lo || r > hi)
    return whet__infer_fail(f, WHET_E_SHAPE, "input %d has %d dimensions, expected %d to %d", i, r, lo, hi);
  return WHET_OK;
}

whet_status whet__infer_is_int(whet_infer *f, int i) {
  whet_dtype t = whet__in_dtype(f, i);
  if (t == WHET_NONE || whet__is_int(t)) return WHET_OK;
  return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s, expected integers", i, whet_dtype_name(t));
}

whet_status whet__infer_count(whet_infer *f, const whet_shape *s, whet_dim *n) {
  *n = WHET_DIM_ANY;
  if (s->rank < 0) return WHET_OK;
  for (int32_t i = 0; i < s->rank; i++)
    if (!whet__dim_known(s->d[i])) return WHET_OK;
  int64_t c = whet__shape_count(s);
  if (c < 0) return whet__infer_fail(f, WHET_E_SHAPE, "the tensor would have more elements than can be counted");
  *n = c;
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

void whet__pl_strides(const whet_planner *p, int32_t v, int64_t *stride) {
  const whet_shape *s = whet__pl_shape(p, v);
  int64_t rows, run, pitch;
  whet__dense_strides(s->rank, s->d, stride);
  whet__pl_pitch(p, v, &rows, &run, &pitch);
  if (rows <= 1 || run <= 0 || run == pitch) return;
  for (int32_t i = 0; i < s->rank; i++)
    if (stride[i] >= run) stride[i] = stride[i] / run * pitch;
}

int32_t whet__pl_ints(const whet_planner *p, int32_t v, int64_t *out, int32_t max) {
  const whet_data *d = v < 0 ? NULL : whet__pl_data(p, v);
  const whet_shape *s = whet__pl_shape(p, v);
  int64_t n = d && s->rank >= 0 ? whet__shape_count(s) : -1;
  if (n < 0 || n > max) return -1;
  for (int64_t k = 0; k < n; k++) out[k] = whet__get_i64(whet__pl_dtype(p, v), d->p, k);
  return (int32_t)n;
}

whet_status whet__pl_copy_args(whet_planner *p, whet_arg out, whet_arg in, whet_copy *c) {
  int64_t n = whet__dim_product(c->dim, 0, c->rank);
  if (!n) return WHET_OK;
  whet__copy_simplify(c);
  whet_arg arg[] = {in, out};
  /* Memory speed, a read and a write: about 0.1 ns a byte. */
  return whet__pl_kern(p, WHET_FAMILY_copy, c, sizeof *c, arg, 2, n, (double)n * c->elem_bytes * 0.1);
}

whet_status whet__pl_copy_from(whet_planner *p, int32_t out, whet_arg in, whet_copy *c) {
  c->elem_bytes = whet__move_bytes(whet__pl_dtype(p, out));
  return c->elem_bytes ? whet__pl_copy_args(p, whet__wr(out), in, c) : WHET_LATE;
}

whet_status whet__pl_copy(whet_planner *p, int32_t out, int32_t in, whet_copy *c) {
  return whet__pl_copy_from(p, out, whet__rd(in), c);
}

whet_status whet__pl_in_first(whet_planner *p, const whet_node *n) {
  bool alone = true;
  for (int i = 1; i < n->n_in; i++) alone &= n->in[i] != n->in[0];
  if (alone) whet__pl_may_overlay(p, n->out[0], n->in[0]);
  return WHET_LATE;
}

/* ---- editing --------------------------------------------------------------------------------- */

bool whet__ed_set_inputs(whet_edit *e, int32_t node, const int32_t *in, int n) {
  whet_graph *g = whet__ed_graph(e);
  int32_t *list = whet__arena_copy(&g->arena, in, (size_t)n * sizeof *in);
  if (!list) return false;
  g->node[node].in = list;
  g->node[node].n_in = (uint16_t)n;
  return true;
}

/* ---- reading --------------------------------------------------------------------------------- */

int32_t whet__im_ints(whet_import *im, const int64_t *v, int32_t n) {
  int64_t d = n;
  return whet__im_const(im, WHET_S64, 1, &d, v);
}

int32_t whet__onnx_ints_const(whet_import *im, const char *name) {
  if (!whet__onnx_has(im, name)) return -1;
  whet_ints a = whet__onnx_ints(im, name);
  return whet__im_ints(im, a.v, a.n);
}

whet_ints whet__im_list(whet_import *im, int32_t v) {
  whet_ints a = {NULL, -1};
  if (v >= 0) a.v = whet__im_const_ints(im, v, &a.n);
  if (!a.v) a.n = -1;
  return a;
}
