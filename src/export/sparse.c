/* SPDX-License-Identifier: Apache-2.0 */
#include "export/sparse.h"

#include "base/dtype.h"

static bool is_zero(const char *p, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (p[i]) return false;
  return true;
}

bool whet__export_sparse(whet_export *x, whet_dtype t, int64_t count, const void *p, int bytes_at, size_t more,
                         whet_sparse_out *out) {
  size_t each = t == WHET_STRING ? 0 : whet__dtype_size(t), all = each * (size_t)count, k = 0;
  const char *from = p;
  *out = (whet_sparse_out){0};
  if (x->dense || !each || whet__is_float6(t) || all < WHET_SPARSE_LEAST) return false;
  for (int64_t i = 0; i < count; i++) out->n += !is_zero(from + (size_t)i * each, each);
  if (!out->n || 2 * ((size_t)out->n * (each + (size_t)bytes_at) + more) > all) return false;
  char *values = whet__arena_alloc(&x->a, (size_t)out->n * each + 1);
  int64_t *at = whet__arena_array(&x->a, (size_t)out->n + 1, sizeof *at);
  if (!values || !at) return x->failed = true, false;
  for (int64_t i = 0; i < count; i++) {
    if (is_zero(from + (size_t)i * each, each)) continue;
    memcpy(values + k * each, from + (size_t)i * each, each);
    at[k++] = i;
  }
  out->values = values;
  out->at = at;
  return true;
}
