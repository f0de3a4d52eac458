/* SPDX-License-Identifier: Apache-2.0 */
/* How the variants of whet shrink trade: score against time and against memory, as SVG. */

#include <math.h>

#include "chart.h"
#include "out.h"
#include "shrink.h"

/* Is there a variant with at least this one's score that costs less? */
static bool beaten(const cli_shrink_variant *v, size_t n, size_t i, bool by_ram) {
  for (size_t k = 0; k < n; k++) {
    double a = by_ram ? (double)v[k].ram : v[k].ms, b = by_ram ? (double)v[i].ram : v[i].ms;
    if (v[k].model && k != i && v[k].score >= v[i].score && (a < b || (v[k].score > v[i].score && a <= b))) return true;
  }
  return false;
}

/* Three curves over one cost: all variants, the front of those that nothing beats (in order of cost), the chosen one. */
static void draw(whet_text *t, const cli_shrink_variant *v, size_t n, int best, bool by_ram, double at) {
  double *x = cli_keep(4 * (n + 1) * sizeof *x), *y = x + n + 1, *fx = y + n + 1, *fy = fx + n + 1;
  size_t front = 0;
  for (size_t i = 0; i < n; i++) {
    x[i] = by_ram ? (double)v[i].ram / 1e6 : v[i].ms;
    y[i] = v[i].model ? v[i].score / 100 : NAN;
    if (!v[i].model || beaten(v, n, i, by_ram)) continue;
    size_t k = front++;
    for (; k > 0 && fx[k - 1] > x[i]; k--) fx[k] = fx[k - 1], fy[k] = fy[k - 1];
    fx[k] = x[i], fy[k] = y[i];
  }
  const cli_curve c[] = {{"variants", x, y, n, true}, {"best for the cost", fx, fy, front, false},
                         {"chosen", best < 0 ? x : x + best, best < 0 ? y : y + best, best < 0 ? 0 : 1, true}};
  cli_chart chart = {by_ram ? "Score against memory" : "Score against time",
                     by_ram ? "weights and memory of a run, MB" : "milliseconds of a run", "", c, best < 0 ? 2 : 3, true, false};
  cli_chart_draw(t, &chart, 10, at, 740, 300);
}

int cli_shrink_chart(const char *path, const cli_shrink_variant *v, size_t n, int best) {
  whet_text t = {.mem = cli_mem()};
  whet_err err = {0};
  cli_chart_open(&t, 760, 640);
  draw(&t, v, n, best, false, 10);
  draw(&t, v, n, best, true, 320);
  return cli_chart_save(&t, path, &err) ? cli_fail_err(path, &err) : 0;
}
