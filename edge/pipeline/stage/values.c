/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `values`: columns of rows become values with names, which filters look at and events show: the last row,
 * or the mean, least, most, root mean square or deviation of all. */

#include <math.h>
#include <string.h>

#include "edge/pipeline/kind.h"

typedef struct values {
  pl_node n;
  conf_strs names;
  int of;
} values;

static const conf_key k_keys[] = {{.name = "names", CONF_STRS, offsetof(values, names), NULL, 0, 0, true},
                                  {.name = "of", CONF_CHOICE, offsetof(values, of), "last|mean|least|most|rms|std"},
                                  {0}};

static whet_status open_values(pl_node *n, whet_err *err) {
  values *s = (values *)n;
  return s->names.n <= PL_VALUES ? WHET_OK : pl_fail(n, err, "names: %zu are more than %d", s->names.n, PL_VALUES);
}

static bool gives(const pl_node *n, const char *name) {
  const values *s = (const values *)n;
  for (size_t i = 0; i < s->names.n; i++)
    if (!strcmp(s->names.v[i], name)) return true;
  return false;
}

static double reduced(int of, const float *p, size_t rows, size_t step) {
  double sum = 0, squares = 0, least = INFINITY, most = -INFINITY;
  if (!rows) return NAN;
  if (!of) return (double)p[(rows - 1) * step];
  for (size_t r = 0; r < rows; r++) {
    double v = (double)p[r * step];
    sum += v;
    squares += v * v;
    least = v < least ? v : least;
    most = v > most ? v : most;
  }
  double mean = sum / (double)rows, square = squares / (double)rows;
  return of == 1   ? mean
         : of == 2 ? least
         : of == 3 ? most
         : of == 4 ? sqrt(square)
                   : sqrt(fmax(square - mean * mean, 0));
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  values *s = (values *)n;
  const float *p;
  size_t rows, columns;
  EDGE_TRY(pl_frame_rows(f, &rows, &columns, &p, err));
  if (columns != s->names.n) return edge_fail(err, WHET_E_SHAPE, "%zu names for %zu columns", s->names.n, columns);
  for (size_t c = 0; c < columns; c++) pl_set_value(f, s->names.v[c], reduced(s->of, p + c, rows, columns));
  return pl_pass(n, f, err);
}

const pl_kind pl_stage_values = {.name = "values",
                                 .size = sizeof(values),
                                 .keys = k_keys,
                                 .lone = "names",
                                 .open = open_values,
                                 .run = run,
                                 .gives = gives};
