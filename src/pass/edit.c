/* SPDX-License-Identifier: Apache-2.0 */
/* What hooks and passes call to change a graph. */

#include "base/dtype.h"
#include "pass/pass.h"

whet_graph *whet__ed_graph(whet_edit *e) { return e->g; }
whet_err *whet__ed_err(whet_edit *e) { return e->pass->err; }

void *whet__ed_attr(whet_edit *e, int32_t node) {
  whet_node *n = &e->g->node[node];
  void *copy = n->op->attr_size ? whet__arena_copy(&e->g->arena, n->attr, n->op->attr_size) : NULL;
  if (!copy)
    e->failed = true;
  else
    n->attr = copy;
  return copy;
}

int32_t whet__ed_val(whet_edit *e, const char *suffix, whet_dtype t, const whet_shape *s) {
  int32_t v = whet__graph_val(e->g, NULL);
  if (v < 0) {
    e->failed = true;
    return -1;
  }
  whet_val *x = &e->g->val[v];
  if (suffix) {
    char *name = whet__arena_printf(&e->g->arena, "%s_%d", suffix, v);
    if (name) x->name = name;
  }
  x->dtype = (uint8_t)t;
  if (s) x->shape = *s;
  return v;
}

int32_t whet__ed_like(whet_edit *e, int32_t v) {
  if (v < 0) return -1;
  whet_val like = e->g->val[v];
  int32_t u = whet__ed_val(e, NULL, (whet_dtype)like.dtype, &like.shape);
  if (u < 0) return -1;
  e->g->val[u].kind = like.kind;
  e->g->val[u].q = like.q;
  return u;
}

int32_t whet__ed_const(whet_edit *e, whet_dtype t, int32_t rank, const int64_t *dims, const void *p) {
  int32_t v = whet__graph_const_copy(e->g, NULL, t, rank, dims, p);
  if (v < 0) e->failed = true;
  return v;
}

int32_t whet__ed_node(whet_edit *e, const whet_op *op, const void *attr, const int32_t *in, int n_in,
                      const int32_t *out, int n_out) {
  void *copy = op->attr_size && attr ? whet__arena_copy(&e->g->arena, attr, op->attr_size) : NULL;
  int32_t n = e->failed || (op->attr_size && attr && !copy)
                  ? -1
                  : whet__graph_node(e->g, NULL, op, copy, in, n_in, out, n_out);
  if (n < 0 || !whet__region_insert(e->g, e->r, e->at, n)) {
    e->failed = true;
    return -1;
  }
  e->at++;
  return n;
}

int32_t whet__ed_permuted_const(whet_edit *e, int32_t v, const int8_t *perm, int rank) {
  bool same = true;
  for (int i = 0; i < rank; i++) same &= perm[i] == i;
  if (v < 0 || same) return v;
  whet_val x = e->g->val[v];
  if (x.role != WHET_ROLE_CONST || x.shape.rank != rank) {
    e->failed = true;
    return v;
  }
  size_t size = whet__dtype_size((whet_dtype)x.dtype);
  int64_t dims[WHET_MAX_RANK], stride[WHET_MAX_RANK], from[WHET_MAX_RANK], at[WHET_MAX_RANK] = {0}, n = 1, step = 1;
  for (int i = rank - 1; i >= 0; i--) stride[i] = step, step *= x.shape.d[i];
  for (int i = 0; i < rank; i++) dims[i] = x.shape.d[perm[i]], from[i] = stride[perm[i]], n *= dims[i];
  int32_t u = whet__ed_const(e, (whet_dtype)x.dtype, rank, dims, NULL);
  if (u < 0) return v;
  char *to = (char *)e->g->val[u].data->p;
  for (int64_t i = 0, src = 0; i < n; i++) {
    if (size)
      memcpy(to + (size_t)i * size, (const char *)x.data->p + (size_t)src * size, size);
    else
      whet__set_i64((whet_dtype)x.dtype, to, i, whet__get_i64((whet_dtype)x.dtype, x.data->p, src));
    for (int k = rank - 1; k >= 0; k--) {
      src += from[k];
      if (++at[k] < dims[k]) break;
      src -= from[k] * dims[k];
      at[k] = 0;
    }
  }
  e->g->val[u].q = x.q;
  return u;
}

const int64_t *whet__ed_ints(whet_edit *e, int32_t v, int32_t *n) {
  if (v < 0 || e->g->val[v].role != WHET_ROLE_CONST) return NULL;
  const whet_val *x = &e->g->val[v];
  int64_t count = whet__shape_count(&x->shape);
  if (!whet__is_int((whet_dtype)x->dtype) || count < 0 || count > WHET_KNOWN_MAX) return NULL;
  int64_t *out = whet__arena_array(&e->pass->a, (size_t)count + 1, sizeof *out);
  if (!out) {
    e->failed = true;
    return NULL;
  }
  for (int64_t i = 0; i < count; i++) out[i] = whet__get_i64((whet_dtype)x->dtype, x->data->p, i);
  *n = (int32_t)count;
  return out;
}
