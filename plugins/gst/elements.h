/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PLUGINS_GST_ELEMENTS_H
#define WHET_PLUGINS_GST_ELEMENTS_H

/* What the elements share. All are transforms that leave the picture where it is: caps and strides go through
 * unchanged, only metadata is added, and pixels are written by whetoverlay alone. */

#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include "edge/pipe/tensor.h"
#include "plugins/gst/tensors.h"
#include "whet/prep.h"

/* Pictures that whet reads as they are. */
#define GST_WHET_CAPS GST_VIDEO_CAPS_MAKE("{ RGB, BGR, RGBx, BGRx, RGBA, BGRA, GRAY8 }")

/* Sound, of any rate and channels. */
#define GST_WHET_SOUND_CAPS                                                                                 \
  "audio/x-raw, format=(string){ S16LE, F32LE }, layout=(string)interleaved, rate=(int)[ 1, 2147483647 ], " \
  "channels=(int)[ 1, 64 ]"

GType gst_whet_cascade_get_type(void);
GType gst_whet_infer_get_type(void);
GType gst_whet_decode_get_type(void);
GType gst_whet_filter_get_type(void);
GType gst_whet_overlay_get_type(void);

/* Templates, names and the function that takes caps of a class. */
void gst_whet_class(GstElementClass *c, const char *caps, const char *name, const char *klass, const char *what);
/* A mapped frame as a picture of whet; its memory is the frame's. */
whet_picture gst_whet_picture(const GstVideoFrame *f);
/* A buffer's tensors as stages see them: views of m. */
void gst_whet_view(const WhetTensorsMeta *m, pipe_tensor t[WHET_TENSORS_MOST]);
/* Post the element message whet-tensors: pts, until (uint64), tensors: structures of name and values, of at most 1024
 * numbers each. */
void gst_whet_tensors_post(GstElement *e, const WhetTensorsMeta *m);
/* For elements that read what whetinfer left: has a buffer come, and one with tensors? */
typedef struct gst_whet_fed {
  gboolean come, tensors;
} gst_whet_fed;
/* The stream ends: a warning when no buffer of it had any tensors. */
void gst_whet_fed_end(GstElement *e, const gst_whet_fed *f);
/* A stand-alone error of the element, once. */
#define GST_WHET_ERROR(o, domain, code, e) GST_ELEMENT_ERROR(o, domain, code, ("%s", (e)->text), (NULL))

#endif
