/* SPDX-License-Identifier: Apache-2.0 */
/* The picture's way into an input. */

#include "plugins/gst/picture.h"

whet_status gst_whet_way_opts(const gst_whet_way *s, pipe_picture_opts *o, whet_err *err) {
  float range[2];
  *o = (pipe_picture_opts){.order = (pipe_order)s->layout,
                           .fit = (whet_fit)s->fit,
                           .filter = (whet_filter)s->filter,
                           .bgr = s->color == 1,
                           .pad = (uint8_t)s->pad};
  int n = gst_whet_numbers(s->range, range, 2);
  o->n_mean = gst_whet_numbers(s->mean, o->mean, 4);
  o->n_std = gst_whet_numbers(s->std, o->std, 4);
  if (n == -1 || n == 1 || (n == 2 && range[0] == range[1]))
    return edge_fail(err, WHET_E_DATA, "range \"%.60s\": expected two different numbers, as 0,1", s->range);
  if (o->n_mean < 0)
    return edge_fail(err, WHET_E_DATA, "mean \"%.60s\": expected numbers, as 127 or 0.4,0.5,0.5", s->mean);
  if (o->n_std < 0)
    return edge_fail(err, WHET_E_DATA, "std \"%.60s\": expected numbers, as 128 or 0.2,0.2,0.3", s->std);
  for (int i = 0; i < o->n_std; i++)
    if (!(o->std[i] > 0)) return edge_fail(err, WHET_E_DATA, "std \"%.60s\": expected numbers above 0", s->std);
  o->ranged = n == 2 || o->n_mean || o->n_std;
  o->lo = n == 2 ? range[0] : 0;
  o->hi = n == 2 ? range[1] : 255;
  return WHET_OK;
}
