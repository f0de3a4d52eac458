/* SPDX-License-Identifier: Apache-2.0 */
/* Steps on a ladder, with hysteresis. */

#include "edge/power/governor.h"

#include <math.h>

void governor_begin(governor *g) {
  g->rung = 0;
  g->cause = -1;
  g->stepped = INT64_MIN;
  for (size_t i = 0; i < g->n; i++) g->bad[i] = g->good[i] = -1;
}

/* Since when something holds, now that `holds` is known. */
static void since(int64_t *at, bool holds, int64_t now) {
  if (!holds)
    *at = -1;
  else if (*at < 0)
    *at = now;
}

/* Has it held for so many seconds since then, and since the last step? */
static bool held(const governor *g, int64_t at, double seconds, int64_t now) {
  if (at < 0) return false;
  int64_t from = at > g->stepped ? at : g->stepped;
  return (double)(now - from) * 1e-9 >= seconds;
}

int governor_step(governor *g, const double *reading, int64_t now) {
  int down = -1;
  bool up = g->rung > 0;
  int last = -1; /* the rule that was the last to allow a step up */
  for (size_t i = 0; i < g->n; i++) {
    const governor_rule *r = &g->rule[i];
    double v = reading[i];
    since(&g->bad[i], !isnan(v) && (r->low ? v < r->down : v > r->down), now);
    since(&g->good[i], isnan(v) || (r->low ? v >= r->up : v <= r->up), now);
    if (down < 0 && g->rung < r->lowest && held(g, g->bad[i], r->hold_down, now)) down = (int)i;
    if (g->rung > r->lowest) continue;
    if (!held(g, g->good[i], r->hold_up, now)) up = false;
    if (!isnan(v) && (last < 0 || g->good[i] > g->good[last])) last = (int)i;
  }
  if (down < 0 && !up) return 0;
  g->rung += down >= 0 ? 1 : -1;
  g->cause = down >= 0 ? down : last;
  g->stepped = now;
  return down >= 0 ? 1 : -1;
}
