/* SPDX-License-Identifier: Apache-2.0 */
/* Curves with axes. */

#include "chart.h"

#include <math.h>

#include "base/file.h"

const char cli_chart_style[] =
    "<style>:root{--ink:#24292f;--soft:#d8dee4;--paper:#fff;--c0:#0969da;--c1:#cf222e;--c2:#1a7f37;--c3:#8250df;--c4:#9a6700;--c5:#57606a}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#373e47;--paper:#0d1117;--c0:#58a6ff;--c1:#ff7b72;--c2:#56d364;--c3:#bc8cff;"
    "--c4:#e3b341;--c5:#8b949e}}"
    ".chart text{font:12px system-ui,sans-serif;fill:var(--ink)}.chart .title{font-weight:600;font-size:14px}"
    ".chart .grid{stroke:var(--soft);stroke-width:1}.chart .line{fill:none;stroke-width:2}</style>";

enum { COLOURS = 6, MARGIN_LEFT = 58, MARGIN_RIGHT = 16, MARGIN_TOP = 34, MARGIN_BOTTOM = 44 };

void cli_chart_text(whet_text *out, const char *s) {
  for (; *s; s++) {
    const char *e = *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : *s == '"' ? "&quot;" : NULL;
    if (e)
      whet__text_add(out, e, strlen(e));
    else
      whet__text_add(out, s, 1);
  }
}

/* A round step that cuts a span into about `want` parts. */
static double round_step(double span, double want) {
  double raw = span / want, unit = pow(10, floor(log10(raw))), part = raw / unit;
  return unit * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
}

static void bounds(const cli_chart *c, double lo[2], double hi[2]) {
  lo[0] = lo[1] = INFINITY;
  hi[0] = hi[1] = -INFINITY;
  for (size_t k = 0; k < c->n_curve; k++)
    for (size_t i = 0; i < c->curve[k].n; i++) {
      double v[2] = {c->curve[k].x[i], c->curve[k].y[i] * (c->percent ? 100 : 1)};
      if (!isfinite(v[0]) || !isfinite(v[1])) continue;
      for (int a = 0; a < 2; a++) lo[a] = fmin(lo[a], v[a]), hi[a] = fmax(hi[a], v[a]);
    }
  if (c->zero) lo[1] = fmin(lo[1], 0);
  for (int a = 0; a < 2; a++) {
    if (!isfinite(lo[a])) lo[a] = 0, hi[a] = 1;
    if (hi[a] - lo[a] < 1e-12) hi[a] += 1, lo[a] -= a && !c->zero ? 1 : 0;
  }
}

void cli_chart_draw(whet_text *o, const cli_chart *c, double x, double y, double width, double height) {
  double lo[2], hi[2], size[2] = {width - MARGIN_LEFT - MARGIN_RIGHT, height - MARGIN_TOP - MARGIN_BOTTOM};
  bounds(c, lo, hi);
  double step[2] = {round_step(hi[0] - lo[0], width / 90), round_step(hi[1] - lo[1], height / 50)};
  lo[1] = floor(lo[1] / step[1] + 1e-9) * step[1];
  hi[1] = ceil(hi[1] / step[1] - 1e-9) * step[1];
  whet__text_printf(o, "<svg class=\"chart\" x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\">"
                    "<text class=\"title\" x=\"%d\" y=\"18\">",
                    x, y, width, height, width, height, MARGIN_LEFT);
  cli_chart_text(o, c->title);
  whet__text_printf(o, "</text>\n");
  for (double v = ceil(lo[0] / step[0] - 1e-9) * step[0]; v <= hi[0] + step[0] * 1e-6; v += step[0]) {
    double at = MARGIN_LEFT + size[0] * (v - lo[0]) / (hi[0] - lo[0]);
    whet__text_printf(o, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.6g</text>", at, height - MARGIN_BOTTOM + 16,
        fabs(v) < step[0] * 1e-6 ? 0 : v);
  }
  for (double v = lo[1]; v <= hi[1] + step[1] * 1e-6; v += step[1]) {
    double at = MARGIN_TOP + size[1] * (hi[1] - v) / (hi[1] - lo[1]);
    whet__text_printf(o, "<path class=\"grid\" d=\"M%d %.1fh%.1f\"/>"
                      "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.6g%s</text>", MARGIN_LEFT, at, size[0],
                      MARGIN_LEFT - 6, at + 4, fabs(v) < step[1] * 1e-6 ? 0 : v, c->percent ? " %" : "");
  }
  whet__text_printf(o, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", MARGIN_LEFT + size[0] / 2, height - 8);
  cli_chart_text(o, c->x_name);
  whet__text_printf(o, "</text>\n");
  double legend = MARGIN_LEFT + size[0];
  for (size_t k = c->n_curve; k-- > 0;) {
    legend -= 7.0 * (double)strlen(c->curve[k].name) + 24;
    whet__text_printf(o, "<rect x=\"%.1f\" y=\"9\" width=\"10\" height=\"10\" style=\"fill:var(--c%zu)\"/>"
                      "<text x=\"%.1f\" y=\"18\">", legend, k % COLOURS,
                      legend + 14);
    cli_chart_text(o, c->curve[k].name);
    whet__text_printf(o, "</text>");
  }
  for (size_t k = 0; k < c->n_curve; k++) {
    const cli_curve *u = &c->curve[k];
    bool pen = false;
    if (!u->points) whet__text_printf(o, "<path class=\"line\" style=\"stroke:var(--c%zu)\" d=\"", k % COLOURS);
    for (size_t i = 0; i < u->n; i++) {
      double v = u->y[i] * (c->percent ? 100 : 1);
      if (!isfinite(u->x[i]) || !isfinite(v)) {
        pen = false;
        continue;
      }
      double px = MARGIN_LEFT + size[0] * (u->x[i] - lo[0]) / (hi[0] - lo[0]), py = MARGIN_TOP + size[1] * (hi[1] - v) / (hi[1] - lo[1]);
      if (u->points)
        whet__text_printf(o, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" style=\"fill:var(--c%zu)\"/>", px, py, k % COLOURS);
      else
        whet__text_printf(o, "%c%.1f %.1f", pen ? 'L' : 'M', px, py);
      pen = true;
    }
    if (!u->points) whet__text_printf(o, "\"/>");
    if (!u->points && u->n == 1 && isfinite(u->y[0]))
      whet__text_printf(o, "<circle cx=\"%d\" cy=\"%.1f\" r=\"3\" style=\"fill:var(--c%zu)\"/>", MARGIN_LEFT,
                        MARGIN_TOP + size[1] * (hi[1] - u->y[0] * (c->percent ? 100 : 1)) / (hi[1] - lo[1]), k % COLOURS);
  }
  whet__text_printf(o, "</svg>\n");
}

void cli_chart_open(whet_text *t, int width, int height) {
  whet__text_printf(t,
                    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\">%s<rect width=\"100%%\" height=\"100%%\" "
                    "style=\"fill:var(--paper)\"/>\n",
                    width, height, cli_chart_style);
}

whet_status cli_chart_save(whet_text *t, const char *path, whet_err *err) {
  whet__text_printf(t, "</svg>\n");
  whet_status s = t->bad ? whet__fail(err, WHET_E_MEMORY, "out of memory: a chart") : whet__file_write(path, t->p, t->n, err);
  whet__text_free(t);
  return s;
}
