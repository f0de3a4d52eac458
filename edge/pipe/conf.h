/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPE_CONF_H
#define WHET_EDGE_PIPE_CONF_H

/* Settings of the stages picture and detect as files have them, for the server and for pipelines. */

#include "conf/conf.h"
#include "edge/pipe/detect.h"
#include "edge/pipe/picture.h"

typedef struct pipe_picture_raw {
  int fit, filter, color, layout;
  conf_reals range, mean, std;
  int64_t pad;
} pipe_picture_raw;
#define PIPE_PICTURE_KEYS(type, at)                                                                                 \
  {.name = "fit", CONF_CHOICE, offsetof(type, at.fit), "stretch|crop|letterbox"},                                   \
      {.name = "filter", CONF_CHOICE, offsetof(type, at.filter), "antialias|bilinear|area|nearest"},                \
      {.name = "color", CONF_CHOICE, offsetof(type, at.color), "rgb|bgr"},                                          \
      {.name = "layout", CONF_CHOICE, offsetof(type, at.layout), "auto|nchw|nhwc"},                                 \
      {.name = "range", CONF_REALS, offsetof(type, at.range)},                                                      \
      {.name = "mean", CONF_REALS, offsetof(type, at.mean)}, {.name = "std", CONF_REALS, offsetof(type, at.std)}, { \
    .name = "pad", CONF_INT, offsetof(type, at.pad), NULL, 0, 255                                                   \
  }
/* What they mean; failures name the line of `at`. */
EDGE_MUST whet_status pipe_picture_conf(conf_file *f, const conf_node *at, const pipe_picture_raw *r,
                                        pipe_picture_opts *o, whet_err *err);

typedef struct pipe_detect_raw {
  int kind;
  double score, overlap;
  int64_t most;
  bool objectness, background;
} pipe_detect_raw;
#define PIPE_DETECT_KEYS(type, at)                                                                           \
  {.name = "kind", CONF_CHOICE, offsetof(type, at.kind), "scores-boxes|yolo|ssd|boxes|anchors", 0, 0, true}, \
      {.name = "score", CONF_REAL, offsetof(type, at.score), NULL, 0, 1},                                    \
      {.name = "overlap", CONF_REAL, offsetof(type, at.overlap), NULL, 0, 1},                                \
      {.name = "most", CONF_INT, offsetof(type, at.most), NULL, 1, 10000},                                   \
      {.name = "objectness", CONF_BOOL, offsetof(type, at.objectness)}, {                                    \
    .name = "background", CONF_BOOL, offsetof(type, at.background)                                           \
  }
#define PIPE_DETECT_DEFAULTS \
  { .score = 0.5, .overlap = 0.45, .most = 100, .background = true }
pipe_detect_opts pipe_detect_conf(const pipe_detect_raw *r);

#endif
