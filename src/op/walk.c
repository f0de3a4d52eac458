/* SPDX-License-Identifier: Apache-2.0 */
/* Walking tensors in step, and blocks of carriers. */

#include "op/walk.h"

#include <math.h>

void whet__walk_init(whet_walk *w, int32_t rank, const int64_t *dim) {
  w->n = 0; /* what is not of a dimension or tensor that there is stays as it was: most walks are short */
  w->rank = rank;
  w->started = false;
  for (int32_t i = 0; i < rank; i++) w->dim[i] = dim[i], w->index[i] = 0;
  w->run = rank ? dim[rank - 1] : 1;
}

void whet__walk_add(whet_walk *w, const whet_tensor *t) {
  int k = w->n++;
  w->at[k] = 0;
  for (int32_t i = 0; i < w->rank; i++) {
    int32_t from = t->rank - 1 - i, to = w->rank - 1 - i;
    w->stride[k][to] = from < 0 || t->dim[from] == 1 ? 0 : t->stride[from];
  }
  w->step[k] = w->rank ? w->stride[k][w->rank - 1] : 0;
}

bool whet__walk_row(whet_walk *w) {
  if (!w->started) {
    w->started = true;
    for (int32_t i = 0; i < w->rank; i++)
      if (!w->dim[i]) return false;
    return true;
  }
  for (int32_t i = w->rank - 2; i >= 0; i--) {
    for (int k = 0; k < w->n; k++) w->at[k] += w->stride[k][i];
    if (++w->index[i] < w->dim[i]) return true;
    for (int k = 0; k < w->n; k++) w->at[k] -= w->stride[k][i] * w->dim[i];
    w->index[i] = 0;
  }
  return false;
}

/* The plain types of a carrier move in loops of their own, neighbours in one that becomes vectors; the others element by
 * element. Constants may lie at any address, hence memcpy. */
#define LOAD(type)                                                                                       \
  {                                                                                                      \
    const char *p = (const char *)t->data + at * (int64_t)sizeof(type);                                  \
    type v;                                                                                              \
    if (step == 1)                                                                                       \
      for (int64_t i = 0; i < n; i++) memcpy(&v, p + i * (int64_t)sizeof v, sizeof v), to[i] = v;        \
    else                                                                                                 \
      for (int64_t i = 0; i < n; i++, p += step * (int64_t)sizeof v) memcpy(&v, p, sizeof v), to[i] = v; \
    return;                                                                                              \
  }
#define STORE(type)                                                \
  {                                                                \
    type *p = (type *)t->data + at;                                \
    if (step == 1)                                                 \
      for (int64_t i = 0; i < n; i++) p[i] = (type)from[i];        \
    else                                                           \
      for (int64_t i = 0; i < n; i++) p[i * step] = (type)from[i]; \
    return;                                                        \
  }

void whet__load_f64(const whet_tensor *t, int64_t at, int64_t step, int64_t n, double *to) {
  switch (t->dtype) {
    case WHET_F32:
      LOAD(float)
    case WHET_F64:
      LOAD(double)
    default:
      break;
  }
  for (int64_t i = 0; i < n; i++) to[i] = whet__get_f64(t->dtype, t->data, at + i * step);
}

void whet__load_i64(const whet_tensor *t, int64_t at, int64_t step, int64_t n, int64_t *to) {
  switch (t->dtype) {
    case WHET_S32:
      LOAD(int32_t)
    case WHET_S64:
      LOAD(int64_t)
    case WHET_U32:
      LOAD(uint32_t)
    case WHET_S16:
      LOAD(int16_t)
    case WHET_S8:
      LOAD(int8_t)
    case WHET_U8:
      LOAD(uint8_t)
    default:
      break;
  }
  for (int64_t i = 0; i < n; i++) to[i] = whet__get_i64(t->dtype, t->data, at + i * step);
}

void whet__store_f64(const whet_tensor *t, int64_t at, int64_t step, int64_t n, const double *from) {
  switch (t->dtype) {
    case WHET_F32:
      STORE(float)
    case WHET_F64:
      STORE(double)
    default:
      break;
  }
  for (int64_t i = 0; i < n; i++) whet__set_f64(t->dtype, t->data, at + i * step, from[i]);
}

void whet__store_i64(const whet_tensor *t, int64_t at, int64_t step, int64_t n, const int64_t *from) {
  switch (t->dtype) {
    case WHET_S32:
      STORE(int32_t)
    case WHET_S64:
      STORE(int64_t)
    case WHET_U32:
      STORE(uint32_t)
    case WHET_S16:
      STORE(int16_t)
    case WHET_S8:
      STORE(int8_t)
    case WHET_U8:
      STORE(uint8_t)
    default:
      break;
  }
  for (int64_t i = 0; i < n; i++) whet__set_i64(t->dtype, t->data, at + i * step, from[i]);
}

whet_tensor whet__complex_part(const whet_tensor *t, int part) {
  whet_tensor p = *t;
  if (!t->data || !whet__is_complex(t->dtype)) return p;
  p.dtype = t->dtype == WHET_C64 ? WHET_F32 : WHET_F64;
  p.data = (char *)t->data + (size_t)part * whet__dtype_size(p.dtype);
  for (int32_t i = 0; i < t->rank; i++) p.stride[i] *= 2;
  return p;
}

double whet__get_real(const whet_tensor *t, int64_t i) {
  if (!whet__quantised(t->dtype, t->q)) return whet__get_f64(t->dtype, t->data, i);
  return (double)t->q->scale[0] * (double)(whet__get_i64(t->dtype, t->data, i) - t->q->zero[0]);
}

void whet__set_real(const whet_tensor *t, int64_t i, double v, whet_round how) {
  if (!whet__quantised(t->dtype, t->q)) {
    whet__set_f64(t->dtype, t->data, i, v);
    return;
  }
  int64_t zero = t->q->zero[0], lo = whet__dtype_min(t->dtype), hi = whet__dtype_max(t->dtype);
  v /= (double)t->q->scale[0];
  v = (how == WHET_ROUND_ONNX_REAL ? rint(v) : round(v)) + (double)zero;
  whet__set_i64(t->dtype, t->data, i, isnan(v) ? zero : v <= (double)lo ? lo : v >= (double)hi ? hi : (int64_t)v);
}

void whet__known_map(whet_infer *f, int o, int i, whet_dim (*fn)(whet_dim x, const void *ctx), const void *ctx) {
  int32_t n;
  const whet_dim *x = whet__in_known(f, i, &n);
  whet_dim *y = x ? whet__out_known(f, o, n) : NULL;
  if (!y) return;
  for (int32_t k = 0; k < n; k++) y[k] = fn(x[k], ctx);
}

bool whet__perm_is_chan(const int8_t *perm, int rank, bool last) {
  for (int i = 0; i < rank; i++) {
    int to_last = i == 0 ? 0 : i == rank - 1 ? 1 : i + 1, to_second = i == 0 ? 0 : i == 1 ? rank - 1 : i - 1;
    if (perm[i] != (last ? to_second : to_last)) return false;
  }
  return rank > 1;
}

/* Constant v with `rank` dimensions, ones in front, turned by perm; v itself when it has one element, -1 when it
 * cannot be done. */
static int32_t turned_const(whet_edit *e, int32_t v, const int8_t *perm, int rank) {
  const whet_val x = whet__ed_graph(e)->val[v];
  int64_t dims[WHET_MAX_RANK];
  if (whet__shape_count(&x.shape) == 1) return v;
  if (!x.data || x.shape.rank > rank || (x.q && x.q->n > 1)) return -1;
  for (int i = 0; i < rank; i++) {
    int k = i - (rank - x.shape.rank);
    dims[i] = k < 0 ? 1 : x.shape.d[k];
  }
  int32_t c = x.shape.rank == rank ? v : whet__ed_const(e, (whet_dtype)x.dtype, rank, dims, x.data->p);
  if (c < 0) return -1;
  whet__ed_graph(e)->val[c].q = x.q;
  int32_t t = whet__ed_permuted_const(e, c, perm, rank);
  if (t >= 0) whet__ed_graph(e)->val[t].q = x.q;
  return t;
}

bool whet__permute_broadcast(whet_edit *e, int32_t node, const int8_t *perm, int rank) {
  whet_graph *g = whet__ed_graph(e);
  int32_t in[WHET_WALK_MAX];
  int n = g->node[node].n_in;
  if (n > WHET_WALK_MAX) return false;
  for (int i = 0; i < n; i++) {
    in[i] = g->node[node].in[i];
    const whet_val *x = &g->val[in[i]];
    if (x->role == WHET_ROLE_CONST)
      in[i] = turned_const(e, in[i], perm, rank);
    else if (x->shape.rank != rank && whet__shape_count(&x->shape) != 1)
      return false;
    if (in[i] < 0) return false;
  }
  memcpy(whet__ed_graph(e)->node[node].in, in, (size_t)n * sizeof *in);
  return true;
}

bool whet__pl_dense(const whet_planner *p, int32_t v) {
  int64_t rows, run, pitch;
  whet__pl_pitch(p, v, &rows, &run, &pitch);
  return rows <= 1 || run == pitch;
}

bool whet__pl_rows(const whet_planner *p, int32_t x, int32_t y, int64_t *rows, int64_t *run, int64_t *x_pitch,
                   int64_t *y_pitch) {
  int64_t xr, xn, yr, yn;
  whet__pl_pitch(p, x, &xr, &xn, x_pitch);
  whet__pl_pitch(p, y, &yr, &yn, y_pitch);
  bool x_dense = xr <= 1 || *x_pitch == xn, y_dense = yr <= 1 || *y_pitch == yn;
  *rows = x_dense ? yr : xr;
  *run = x_dense ? yn : xn;
  if (x_dense && y_dense) *run *= *rows, *rows = 1;
  if (x_dense) *x_pitch = *run;
  if (y_dense) *y_pitch = *run;
  return x_dense || y_dense || xn == yn;
}
