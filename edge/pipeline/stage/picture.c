/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `picture`: a picture resized, coloured, normalised, quantised and laid out straight into the input of the
 * model behind it. */

#include "edge/pipe/conf.h"
#include "edge/pipeline/stage/infer.h"

typedef struct picture {
  pl_node n;
  pipe_picture_raw raw;
  pipe_picture *pic;
  infer *to;
} picture;

static const conf_key k_keys[] = {PIPE_PICTURE_KEYS(picture, raw), {0}};

static whet_status open_picture(pl_node *n, whet_err *err) {
  picture *s = (picture *)n;
  pipe_picture_opts o;
  EDGE_TRY(pipe_picture_conf(&n->p->file, n->at, &s->raw, &o, err));
  EDGE_TRY(infer_behind(n, &s->to, err));
  o.cpu = s->to->m->cpu;
  return pipe_picture_create(&s->to->info, infer_first(s->to), &o, &s->pic, err) ? pl_fail_here(n, err) : WHET_OK;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  picture *s = (picture *)n;
  int64_t dims[WHET_MAX_RANK];
  int32_t rank;
  size_t need, have;
  void *to;
  if (f->content != PL_PICTURE)
    return edge_fail(err, WHET_E_TYPE, "the frame holds %s", f->content == PL_NUMBERS ? "numbers" : "no content");
  EDGE_TRY(pipe_picture_shape(s->pic, f->pic.width, f->pic.height, &rank, dims, &need, err));
  EDGE_TRY(infer_room(s->to, rank, dims, &to, &have, err));
  EDGE_TRY(pipe_picture_run(s->pic, &f->pic, to, have, err));
  EDGE_TRY(pipe_picture_placed(s->pic, f->pic.width, f->pic.height, &f->place, err));
  /* places are those of the picture as it came */
  f->place.offset_x -= f->crop_x * f->place.scale_x;
  f->place.offset_y -= f->crop_y * f->place.scale_y;
  pipe_picture_size(s->pic, &f->in_w, &f->in_h);
  f->loaded = true;
  return pl_pass(n, f, err);
}

static void close_picture(pl_node *n) { pipe_picture_close(&((picture *)n)->pic); }

const pl_kind pl_stage_picture = {.name = "picture",
                                  .size = sizeof(picture),
                                  .keys = k_keys,
                                  .open = open_picture,
                                  .run = run,
                                  .close = close_picture};
