/* SPDX-License-Identifier: Apache-2.0 */
/* Height, width and channels from a shape. */

#include "edge/pipe/geometry.h"

#include <math.h>

static bool channels(int64_t d) { return d == 1 || d == 3 || d == 4; }

/* The side of a square of n pixels of c samples; 0 when n is none. */
static int32_t side(int64_t n, int c) {
  if (n % c) return 0;
  int64_t s = llround(sqrt((double)(n / c)));
  return s > 0 && s * s == n / c && s < 1 << 15 ? (int32_t)s : 0;
}

bool pipe_geometry_find(const whet_info *info, bool first, pipe_order asked, pipe_geometry *g) {
  *g = (pipe_geometry){.rank = info->rank, .at_h = -1, .at_w = -1, .at_c = -1};
  for (int32_t i = 0; i < info->rank; i++) g->dims[i] = info->dims[i];
  int from = info->rank == 4 || (info->rank == 2 && (info->dims[0] == 1 || info->dims[0] == -1)) ? 1 : 0;
  if (from && info->dims[0] > 1) return false;
  if (from) g->dims[0] = 1;
  int n = info->rank - from;
  const int64_t *d = g->dims + from;
  if (n == 1) { /* a row of numbers: a square picture, grey or coloured */
    g->c = side(d[0], 1) ? 1 : 3;
    g->h = g->w = side(d[0], g->c);
    g->layout = asked == PIPE_ORDER_NCHW ? WHET_LAYOUT_NCHW : WHET_LAYOUT_NHWC;
    return g->h > 0;
  }
  if (n == 2) { /* rows and columns, grey */
    g->at_h = from;
    g->at_w = from + 1;
    g->c = 1;
  } else if (n == 3) {
    bool a = channels(d[0]) || d[0] < 0, b = channels(d[2]) || d[2] < 0;
    if (a && b && channels(d[0]) != channels(d[2]))
      a = channels(d[0]), b = !a; /* a number tells more than a free size */
    if (asked) a = asked == PIPE_ORDER_NCHW, b = asked == PIPE_ORDER_NHWC;
    if (!a && !b) return false;
    g->layout = a && (!b || first) ? WHET_LAYOUT_NCHW : WHET_LAYOUT_NHWC;
    g->at_c = from + (g->layout == WHET_LAYOUT_NCHW ? 0 : 2);
    g->at_h = from + (g->layout == WHET_LAYOUT_NCHW ? 1 : 0);
    g->at_w = g->at_h + 1;
    if (g->dims[g->at_c] < 0) g->dims[g->at_c] = 3;
    if (!channels(g->dims[g->at_c])) return false;
    g->c = (int32_t)g->dims[g->at_c];
  } else {
    return false;
  }
  if (g->dims[g->at_h] > 1 << 24 || g->dims[g->at_w] > 1 << 24) return false;
  g->h = (int32_t)g->dims[g->at_h];
  g->w = (int32_t)g->dims[g->at_w];
  return true;
}
