/* SPDX-License-Identifier: Apache-2.0 */
/* Settings into options. */

#include "edge/pipe/conf.h"

/* One number for every channel, or one for each. */
static whet_status channels(conf_file *f, const conf_node *at, const char *what, conf_reals v, float out[4], int *n,
                            whet_err *err) {
  if (v.n > 4) return conf_fail(f, at, err, "%s: expected at most 4 numbers, got %zu", what, v.n);
  for (size_t i = 0; i < v.n; i++) out[i] = (float)v.v[i];
  *n = (int)v.n;
  return WHET_OK;
}

whet_status pipe_picture_conf(conf_file *f, const conf_node *at, const pipe_picture_raw *r, pipe_picture_opts *o,
                              whet_err *err) {
  *o = (pipe_picture_opts){.order = (pipe_order)r->layout,
                           .fit = (whet_fit)r->fit,
                           .filter = (whet_filter)r->filter,
                           .bgr = r->color == 1,
                           .pad = (uint8_t)r->pad};
  if (r->range.n) {
    if (r->range.n != 2 || r->range.v[0] == r->range.v[1])
      return conf_fail(f, at, err, "range: expected two different numbers, what 0 and 255 stand for");
    o->ranged = true;
    o->lo = (float)r->range.v[0];
    o->hi = (float)r->range.v[1];
  }
  EDGE_TRY(channels(f, at, "mean", r->mean, o->mean, &o->n_mean, err));
  EDGE_TRY(channels(f, at, "std", r->std, o->std, &o->n_std, err));
  for (int i = 0; i < o->n_std; i++)
    if (!(o->std[i] > 0)) return conf_fail(f, at, err, "std: expected numbers above 0");
  if ((o->n_mean || o->n_std) && !o->ranged) o->ranged = true, o->lo = 0, o->hi = 255;
  return WHET_OK;
}

pipe_detect_opts pipe_detect_conf(const pipe_detect_raw *r) {
  return (pipe_detect_opts){.kind = (pipe_detector)r->kind,
                            .least_score = (float)r->score,
                            .overlap = (float)r->overlap,
                            .most = (size_t)r->most,
                            .objectness = r->objectness,
                            .background = r->background};
}
