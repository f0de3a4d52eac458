/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_CHART_H
#define WHET_CLI_CHART_H

/* Curves as SVG: a file that any browser shows, light or dark. */

#include "base/str.h"

typedef struct cli_curve {
  const char *name;
  const double *x, *y; /* NaN: no point */
  size_t n;
  bool points; /* marks without a line */
} cli_curve;

typedef struct cli_chart {
  const char *title, *x_name, *y_name;
  const cli_curve *curve;
  size_t n_curve;
  bool percent; /* y is a share: shown times 100 */
  bool zero;    /* y begins at 0 */
} cli_chart;

/* One <svg> element of width x height, placed at (x, y) of an outer one; colours come from classes that cli_chart_style tells. */
void cli_chart_draw(whet_text *out, const cli_chart *c, double x, double y, double width, double height);
/* A file of charts: its beginning, and its end, which writes it and frees the text. */
void cli_chart_open(whet_text *out, int width, int height);
WHET_MUST whet_status cli_chart_save(whet_text *t, const char *path, whet_err *err);
/* The <style> that goes with it. */
extern const char cli_chart_style[];
/* A text as XML. */
void cli_chart_text(whet_text *out, const char *s);

#endif
