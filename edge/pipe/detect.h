/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPE_DETECT_H
#define WHET_EDGE_PIPE_DETECT_H

/* The stage outputs -> objects: boxes of a detector in pixels of the picture, best first, duplicates removed.
 *
 *   SCORES_BOXES  two outputs: scores [1][n][classes] and corners [1][n][4] (x0 y0 x1 y1), parts of the tensor's size
 *                 (UltraFace; class 0 is background unless told otherwise)
 *   YOLO          one output [1][4 + classes][n] or [1][n][4 + classes]: centre x, y, width, height in pixels of the
 * tensor, then scores (YOLOv8 and later); with `objectness` a fifth number scales the scores (YOLOv5) SSD four
 * outputs of TFLite_Detection_PostProcess: boxes [1][n][4] (y0 x0 y1 x1, parts), classes [1][n], scores [1][n], count
 * [1]; duplicates are gone already
 *
 *   BOXES         one output [1][n][6]: x0 y0 x1 y1 in pixels of the tensor, score, class; duplicates are gone already
 *                 (YOLOv10 and later, end to end)
 *   ANCHORS       two outputs: boxes [1][n][4 or more], coded against n anchors, and scores [1][n][classes]:
 *                 SSD (y x h w): y = t0 / scale0 * h_a + y_a, h = h_a * exp(t2 / scale2), and so for x and w;
 *                 linear (x y w h): x = t0 / scale0 * w_a + x_a, w = t2 / scale2 * w_a (MediaPipe's)
 *
 * A stage belongs to one thread at a time; it allocates when it sees more boxes than ever before. */

#include "edge/pipe/tensor.h"
#include "whet/prep.h"

typedef enum pipe_detector {
  PIPE_DETECT_SCORES_BOXES,
  PIPE_DETECT_YOLO,
  PIPE_DETECT_SSD,
  PIPE_DETECT_BOXES,
  PIPE_DETECT_ANCHORS
} pipe_detector;

/* Parts of the tensor's size. */
typedef struct pipe_anchor {
  float x, y, w, h; /* centre and size */
} pipe_anchor;

typedef struct pipe_detect_opts {
  pipe_detector kind;
  float least_score; /* below it a box is none; default 0.5 */
  float overlap;     /* intersection over union past which the lesser box of a class goes; default 0.45 */
  size_t most;       /* boxes at most; default 100 */
  bool objectness;   /* YOLO: the fifth number is one */
  bool background;   /* SCORES_BOXES, ANCHORS: class 0 is no object; classes count from it all the same */
  const pipe_anchor *anchor; /* ANCHORS: n_anchor of them, which outlive the stage */
  size_t n_anchor;
  float scale[4];    /* by which the four numbers are divided; all 0: 10 10 5 5 (SSD), or 1 */
  bool linear;       /* boxes are coded linearly */
  bool sigmoid;      /* scores are logits */
} pipe_detect_opts;

typedef struct pipe_object {
  float x0, y0, x1, y1; /* pixels of the picture, within it */
  float score;
  uint32_t index; /* class */
} pipe_object;

typedef struct pipe_detect pipe_detect;

pipe_detect_opts pipe_detect_opts_default(pipe_detector kind);
EDGE_MUST whet_status pipe_detect_create(const pipe_detect_opts *o, pipe_detect **out, whet_err *err);
/* Frees it and sets *d to NULL; NULL is accepted. */
void pipe_detect_close(pipe_detect **d);
/* The objects in the outputs of one run over a tensor of width x height pixels, into which the picture of pic_w x
 * pic_h came as `place` says. *out lives until the next call. E_SHAPE: outputs that this kind of detector does not
 * have. */
EDGE_MUST whet_status pipe_detect_run(pipe_detect *d, const pipe_tensor *outputs, size_t n, int32_t width,
                                      int32_t height, const whet_prep_place *place, int32_t pic_w, int32_t pic_h,
                                      const pipe_object **out, size_t *n_out, whet_err *err);

/* Anchors from a text: a line each, x y w h (centre and size, parts of the tensor) between spaces or commas; *out is freed
 * with free. E_IO, E_DATA with the line, E_LIMIT (over 1,000,000). */
EDGE_MUST whet_status pipe_anchors_read(const char *path, pipe_anchor **out, size_t *n, whet_err *err);
/* Intersection over union of two boxes. */
float pipe_overlap(const pipe_object *a, const pipe_object *b);

#endif
