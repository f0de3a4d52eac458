/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `columns`: some columns of the rows, in a new order; or their mean, as one (sound in one channel). */

#include "edge/pipeline/kind.h"

typedef struct columns {
  pl_node n;
  conf_reals take; /* numbers, from 0 */
  bool mean;
} columns;

static const conf_key k_keys[] = {{.name = "take", CONF_REALS, offsetof(columns, take), NULL, 0, 4095},
                                  {.name = "mean", CONF_BOOL, offsetof(columns, mean)},
                                  {0}};

static whet_status open_columns(pl_node *n, whet_err *err) {
  columns *s = (columns *)n;
  if (!s->take.n && !s->mean) return pl_fail(n, err, "expected take (numbers of columns) or mean: true");
  for (size_t i = 0; i < s->take.n; i++)
    if (s->take.v[i] != (double)(int)s->take.v[i])
      return pl_fail(n, err, "take: %g is no number of a column", s->take.v[i]);
  return WHET_OK;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  columns *s = (columns *)n;
  const float *p;
  size_t rows, cols, k = s->take.n;
  EDGE_TRY(pl_frame_rows(f, &rows, &cols, &p, err));
  if (!k) k = cols;
  for (size_t i = 0; i < s->take.n; i++)
    if (s->take.v[i] >= (double)cols)
      return edge_fail(err, WHET_E_SHAPE, "there is no column %g of %zu", s->take.v[i], cols);
  pl_frame *o = pl_frame_copy(f);
  if (!o) return edge_fail(err, WHET_E_MEMORY, "no memory for a frame");
  whet_status st = pl_frame_numbers(o, WHET_F32, 2, (int64_t[]){(int64_t)rows, s->mean ? 1 : (int64_t)k}, err);
  for (size_t r = 0; !st && r < rows; r++) {
    float *to = (float *)(void *)o->blob->p + r * (s->mean ? 1 : k);
    double sum = 0;
    for (size_t i = 0; i < k; i++) {
      float v = p[r * cols + (s->take.n ? (size_t)s->take.v[i] : i)];
      if (s->mean)
        sum += (double)v;
      else
        to[i] = v;
    }
    if (s->mean) *to = (float)(sum / (double)k);
  }
  if (!st) st = pl_pass(n, o, err);
  pl_frame_free(o);
  return st;
}

const pl_kind pl_stage_columns = {
    .name = "columns", .size = sizeof(columns), .keys = k_keys, .lone = "take", .open = open_columns, .run = run};
