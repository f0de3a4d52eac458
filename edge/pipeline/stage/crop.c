/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `crop`: a part of the picture goes on, nothing is copied; boxes found in it are told in pixels of the
 * whole. */

#include <math.h>

#include "edge/pipeline/region.h"

typedef struct crop {
  pl_node n;
  conf_reals box; /* x0 y0 x1 y1 in parts of the picture */
} crop;

static const conf_key k_keys[] = {{.name = "box", CONF_REALS, offsetof(crop, box), NULL, 0, 1, true}, {0}};

static whet_status open_crop(pl_node *n, whet_err *err) {
  crop *s = (crop *)n;
  if (s->box.n != 4 || s->box.v[0] >= s->box.v[2] || s->box.v[1] >= s->box.v[3])
    return pl_fail(n, err, "box: expected x0, y0, x1, y1 in parts of the picture, the lesser first");
  return WHET_OK;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  crop *s = (crop *)n;
  if (f->content != PL_PICTURE) return edge_fail(err, WHET_E_TYPE, "the frame holds no picture");
  double w = f->pic.width, h = f->pic.height;
  EDGE_TRY(pl_crop(f,
                   (pl_box){(int32_t)lround(s->box.v[0] * w), (int32_t)lround(s->box.v[1] * h),
                            (int32_t)lround(s->box.v[2] * w), (int32_t)lround(s->box.v[3] * h)},
                   err));
  return pl_pass(n, f, err);
}

const pl_kind pl_stage_crop = {
    .name = "crop", .size = sizeof(crop), .keys = k_keys, .lone = "box", .open = open_crop, .run = run};
