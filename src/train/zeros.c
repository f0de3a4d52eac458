/* SPDX-License-Identifier: Apache-2.0 */
#include "train/zeros.h"

#include <math.h>

#include "base/dtype.h"

enum { TIMES = 50 /* that zeros are added */ };

struct whet_zeros {
  whet_mem *mem;
  whet_arena a;
  const whet_sparsity *how;
  whet_sparse_layer *l;
  size_t n;
  float **w, **square, **score; /* by layer: weights, Adam's second moments, scores (NULL: magnitudes) */
  int64_t *count;
  uint8_t **zero;
};

/* The trained constant of each layer; layers that are not trained drop out. */
static bool bind(whet_zeros *z, const whet_train_graph *g, bool adam, const whet_memory *var) {
  size_t n = 0;
  z->w = whet__arena_array(&z->a, z->n + 1, sizeof *z->w);
  z->square = whet__arena_array(&z->a, z->n + 1, sizeof *z->square);
  z->score = whet__arena_array(&z->a, z->n + 1, sizeof *z->score);
  z->zero = whet__arena_array(&z->a, z->n + 1, sizeof *z->zero);
  z->count = whet__arena_array(&z->a, z->n + 1, sizeof *z->count);
  if (!z->w || !z->square || !z->score || !z->zero || !z->count) return false;
  for (size_t i = 0; i < z->n; i++) {
    int32_t learnt = 0;
    for (int32_t k = 0; k < g->n_trained; learnt += g->trained[k++].learnt) {
      if (g->trained[k].val != z->l[i].val) continue;
      z->w[n] = var[k].p;
      if (adam) z->square[n] = var[g->n_trained + 2 * learnt + 1].p;
      z->count[n] = (int64_t)(var[k].n / sizeof(float));
      z->zero[n] = whet__arena_alloc(&z->a, (size_t)z->count[n] + 1);
      if (z->how && z->how->score == WHET_BY_GRADIENT)
        z->score[n] = whet__arena_array(&z->a, (size_t)z->count[n] + 1, sizeof **z->score);
      if (!z->zero[n] || (z->how && z->how->score == WHET_BY_GRADIENT && !z->score[n])) return false;
      z->l[n++] = z->l[i];
      break;
    }
  }
  z->n = n;
  return true;
}

whet_status whet__zeros_open(whet_model *m, const whet_sparsity *how, const whet_train_graph *g, bool adam,
                             const whet_memory *var, whet_mem *mem, whet_zeros **out, whet_err *err) {
  whet_zeros *z = *out = whet__alloc0(mem, sizeof *z);
  if (!z) return whet__no_memory(mem, sizeof *z, err, "weights that stay zero");
  z->mem = mem;
  z->how = how;
  whet__arena_init(&z->a, mem);
  whet_status s = whet__sparse_layers(m, how, &z->a, &z->l, &z->n, err);
  if (!s && how && how->score == WHET_BY_GRADIENT && !adam)
    s = whet__fail(err, WHET_E_UNSUPPORTED,
                   "scores by gradient are of Adam's mean squares: train with adam or adamw");
  if (!s && !bind(z, g, adam, var)) s = whet__no_memory(mem, 0, err, "weights that stay zero");
  if (!s && !z->n) s = whet__fail(err, WHET_E_UNSUPPORTED, "none of the layers that are trained can have zeros");
  if (s) whet__zeros_close(out);
  return s;
}

void whet__zeros_close(whet_zeros **z) {
  if (!*z) return;
  whet__arena_free(&(*z)->a);
  whet__free((*z)->mem, *z);
  *z = NULL;
}

void whet__zeros_note(whet_zeros *z) {
  for (size_t i = 0; i < z->n; i++)
    for (int64_t k = 0; k < z->count[i]; k++) z->zero[i][k] = z->w[i][k] == 0;
}

static whet_status more(whet_zeros *z, double done, whet_err *err) {
  bool gradient = z->how->score == WHET_BY_GRADIENT;
  for (size_t i = 0; gradient && i < z->n; i++)
    for (int64_t k = 0; k < z->count[i]; k++) z->score[i][k] = fabsf(z->w[i][k]) * sqrtf(z->square[i][k]);
  WHET_TRY(whet__sparsify(z->how, z->l, z->n, z->w, gradient ? z->score : NULL, done, z->mem, err));
  whet__zeros_note(z);
  return WHET_OK;
}

whet_status whet__zeros_step(whet_zeros *z, int64_t step, int64_t steps, whet_err *err) {
  for (size_t i = 0; i < z->n; i++)
    for (int64_t k = 0; k < z->count[i]; k++)
      if (z->zero[i][k]) z->w[i][k] = 0;
  if (!z->how) return WHET_OK;
  int64_t last = whet__max_i(1, (int64_t)(z->how->ramp * (double)steps + 0.5)), every = whet__max_i(1, last / TIMES);
  if (step > last || (step != last && step % every)) return WHET_OK;
  return more(z, whet__sparsity_at((double)step / (double)last), err);
}
