/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PLUGINS_GST_TENSORS_H
#define WHET_PLUGINS_GST_TENSORS_H

/* WhetTensorsMeta: the outputs of a model on a buffer, as whetinfer leaves them. API type "WhetTensorsMetaAPI",
 * implementation "WhetTensorsMeta", tags "video", "size". A program that does not link the plugin finds it by
 * gst_buffer_get_meta(buffer, g_type_from_name("WhetTensorsMetaAPI")).
 *
 * Elements that copy a buffer's metadata take it along; where a picture is scaled (videoscale, videoconvertscale) the
 * place is scaled with it. */

#include <gst/gst.h>

#include "whet/prep.h"
#include "whet/types.h"

enum { WHET_TENSORS_MOST = 16 };

typedef struct WhetTensor {
  char name[64]; /* of the output, cut */
  whet_dtype dtype;
  gint32 rank;
  gint64 dims[WHET_MAX_RANK];
  gsize n, bytes; /* elements, and what they take */
  gsize at;       /* where in `data` they begin */
  gboolean quant; /* real = scale * (stored - zero) */
  gfloat scale;
  gint32 zero;
} WhetTensor;

typedef struct WhetTensorsMeta {
  GstMeta meta;
  guint n;
  WhetTensor tensor[WHET_TENSORS_MOST];
  GBytes *data;               /* of all tensors, shared between copies */
  gint32 in_width, in_height; /* of the input that the picture was made into */
  gint32 width, height;       /* of the picture */
  whet_prep_place place;      /* where it came to lie in the input */
  GstClockTime at, until;     /* what it was run on: the picture's time, or where a window of sound begins and ends */
} WhetTensorsMeta;

GType whet_tensors_meta_api(void);
const GstMetaInfo *whet_tensors_meta_info(void);
/* An empty one, added to a writable buffer. */
WhetTensorsMeta *whet_tensors_add(GstBuffer *b);
/* The buffer's; NULL: it has none. A buffer of sound has one for each window that ends in it, which
 * gst_buffer_iterate_meta_filtered gives in their order. */
WhetTensorsMeta *whet_tensors_get(GstBuffer *b);

#endif
