/* SPDX-License-Identifier: Apache-2.0 */
/* What both writers need: names, constants, the list of what is refused. */

#include "export/export.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/dtype.h"
#include "op/conv.h"

whet_status whet__export_open(whet_export *x, const whet_model *m, whet_err *err) {
  whet_mem *mem = (whet_mem *)&m->mem; /* counted, not changed */
  *x = (whet_export){.m = m, .g = &m->graph, .err = err, .refused = {.mem = mem}, .taken = {.mem = mem}};
  whet__arena_init(&x->a, mem);
  x->name = whet__arena_array(&x->a, (size_t)x->g->n_val + 1, sizeof *x->name);
  if (!x->name || !whet__graph_uses(x->g, &x->a, &x->uses)) x->failed = true;
  return WHET_OK;
}

whet_status whet__export_close(whet_export *x, whet_status s) {
  if (!s && x->failed) s = whet__no_memory(x->refused.mem, 0, x->err, "a file");
  if (!s && x->n_refused)
    s = whet__fail(x->err, WHET_E_UNSUPPORTED, "%d node%s cannot be said in this format:%s", x->n_refused,
                   x->n_refused == 1 ? "" : "s", x->refused.p ? x->refused.p : "");
  whet__text_free(&x->refused);
  whet__names_free(&x->taken);
  whet__arena_free(&x->a);
  return s;
}

/* Take a name if nobody has it. */
static bool take(whet_export *x, const char *s) {
  if (whet__names_get(&x->taken, s, strlen(s)) >= 0) return false;
  if (!whet__names_set(&x->taken, s, strlen(s), 1)) x->failed = true;
  return true;
}

const char *whet__export_fresh(whet_export *x, const char *like) {
  const char *s = like;
  while (!*s || !take(x, s)) {
    s = whet__arena_printf(&x->a, "%s_%d", like, ++x->fresh);
    if (!s) return x->failed = true, "";
  }
  return s;
}

const char *whet__export_name(whet_export *x, int32_t v) {
  if (v < 0 || !x->name) return "";
  if (!x->name[v]) x->name[v] = whet__export_fresh(x, x->g->val[v].name[0] ? x->g->val[v].name : "value");
  return x->name[v];
}

bool whet__export_text(const whet_model *m, int32_t i) {
  static const char *const own[] = {"producer_name", "producer_version", "graph_name", "description", "version"};
  for (size_t k = 0; k < WHET_COUNT(own); k++)
    if (!strcmp(m->meta[i].key, own[k])) return false;
  for (int32_t k = 0; k < i; k++)
    if (!strcmp(m->meta[k].key, m->meta[i].key)) return false;
  return true;
}

whet_status whet__export_refuse(whet_export *x, const whet_node *n, const char *fmt, ...) {
  char why[300];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(why, sizeof why, fmt, ap);
  va_end(ap);
  x->n_refused++;
  whet__text_printf(&x->refused, "%s node %d \"%.80s\" (%s): %s", x->n_refused > 1 ? ";" : "", n->origin, n->name, n->op->name, why);
  return WHET_OK;
}

const int64_t *whet__export_ints(whet_export *x, int32_t v, int32_t *n) {
  const whet_data *d = whet__export_data(x, v);
  *n = 0;
  if (!d || !whet__is_int((whet_dtype)x->g->val[v].dtype)) return NULL;
  int64_t count = whet__shape_count(&x->g->val[v].shape);
  int64_t *out = whet__arena_array(&x->a, (size_t)count + 1, sizeof *out);
  if (!out) return x->failed = true, NULL;
  for (int64_t i = 0; i < count; i++) out[i] = whet__get_i64((whet_dtype)x->g->val[v].dtype, d->p, i);
  *n = (int32_t)count;
  return out;
}

const void *whet__export_turned(whet_export *x, int32_t v, const int8_t *perm, int64_t *dims) {
  const whet_data *d = whet__export_data(x, v);
  if (!d) return NULL;
  const whet_val *c = &x->g->val[v];
  int32_t rank = c->shape.rank;
  int64_t stride[WHET_MAX_RANK], at[WHET_MAX_RANK] = {0}, step = 1, count = whet__shape_count(&c->shape);
  size_t size = whet__dtype_size((whet_dtype)c->dtype);
  char *out = whet__arena_alloc(&x->a, whet_dtype_bytes((whet_dtype)c->dtype, (size_t)count) + 1);
  if (!out) return x->failed = true, NULL;
  for (int32_t i = rank - 1; i >= 0; i--) stride[i] = step, step *= c->shape.d[i];
  for (int32_t i = 0; i < rank; i++) dims[i] = c->shape.d[perm[i]];
  for (int64_t i = 0; i < count; i++) {
    int64_t from = 0;
    for (int32_t k = 0; k < rank; k++) from += at[k] * stride[perm[k]];
    if (size)
      memcpy(out + (size_t)i * size, (const char *)d->p + (size_t)from * size, size);
    else
      whet__set_i64((whet_dtype)c->dtype, out, i, whet__get_i64((whet_dtype)c->dtype, d->p, from));
    for (int32_t k = rank - 1; k >= 0 && ++at[k] == dims[k]; k--) at[k] = 0;
  }
  return out;
}

/* Axes of weights: outputs, inputs, first spatial. */
static void axes_of(int weights, int rank, int *out, int *in, int *space) {
  static const int8_t k[][3] = {{0, 1, 2}, {0, -1, 1}, {-1, 0, 1}, {-1, -2, 0}, {1, 0, 2}, {-2, -1, 0}}; /* WHET_CONV_ in order */
  *out = k[weights][0] < 0 ? rank + k[weights][0] : k[weights][0];
  *in = k[weights][1] < 0 ? rank + k[weights][1] : k[weights][1];
  *space = k[weights][2];
}

void whet__export_order(int weights, int target, int rank, int8_t *perm) {
  int from[3], to[3];
  axes_of(weights, rank, &from[0], &from[1], &from[2]);
  axes_of(target, rank, &to[0], &to[1], &to[2]);
  perm[to[0]] = (int8_t)from[0];
  perm[to[1]] = (int8_t)from[1];
  for (int i = 0; i < rank - 2; i++) perm[to[2] + i] = (int8_t)(from[2] + i);
}
