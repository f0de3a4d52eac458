/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PLUGINS_GST_PICTURE_H
#define WHET_PLUGINS_GST_PICTURE_H

/* Properties that say how a picture becomes a model's input: of elements whose struct has them as `way`. */

#include "edge/pipe/picture.h"
#include "plugins/gst/props.h"

typedef struct gst_whet_way {
  char *range, *mean, *std;
  gint fit, filter, color, layout, pad;
} gst_whet_way;

#define GST_WHET_WAY(T)                                                                                              \
  {"fit",                                                                                                            \
   GST_WHET_CHOICE,                                                                                                  \
   offsetof(T, way.fit),                                                                                             \
   0,                                                                                                                \
   0,                                                                                                                \
   0,                                                                                                                \
   "stretch|crop|letterbox",                                                                                         \
   "How a picture meets an input of another aspect"},                                                                \
      {"filter",           GST_WHET_CHOICE, offsetof(T, way.filter), 0, 0, 0, "antialias|bilinear|area|nearest",     \
       "How it is resized"},                                                                                         \
      {"color", GST_WHET_CHOICE, offsetof(T, way.color), 0, 0, 0, "rgb|bgr", "Order of the input's channels"},       \
      {"layout", GST_WHET_CHOICE,  offsetof(T, way.layout),           0, 0,                                          \
       0,        "auto|nchw|nhwc", "Where the input's channels stand"},                                              \
      {"range",                                                                                                      \
       GST_WHET_STR,                                                                                                 \
       offsetof(T, way.range),                                                                                       \
       0,                                                                                                            \
       0,                                                                                                            \
       0,                                                                                                            \
       NULL,                                                                                                         \
       "LO,HI: what samples 0 and 255 stand for, before mean and std"},                                              \
      {"mean",                                                                                                       \
       GST_WHET_STR,                                                                                                 \
       offsetof(T, way.mean),                                                                                        \
       0,                                                                                                            \
       0,                                                                                                            \
       0,                                                                                                            \
       NULL,                                                                                                         \
       "Subtracted: a number, or one for each channel (127 or 0.4,0.5,0.5)"},                                        \
      {"std", GST_WHET_STR, offsetof(T, way.std), 0, 0, 0, NULL, "Divided by: a number, or one for each channel"}, { \
    "pad", GST_WHET_INT, offsetof(T, way.pad), 0, 255, 0, NULL, "Sample around a letterboxed picture"                \
  }

/* E_DATA: what a property expects. */
EDGE_MUST whet_status gst_whet_way_opts(const gst_whet_way *w, pipe_picture_opts *o, whet_err *err);

#endif
