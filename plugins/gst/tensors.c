/* SPDX-License-Identifier: Apache-2.0 */
/* WhetTensorsMeta. */

#include "plugins/gst/tensors.h"

#include <gst/video/gstvideometa.h>
#include <string.h>

GType whet_tensors_meta_api(void) {
  static gsize once;
  static const gchar *tags[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR, NULL};
  if (g_once_init_enter(&once)) g_once_init_leave(&once, gst_meta_api_type_register("WhetTensorsMetaAPI", tags));
  return once;
}

static gboolean init(GstMeta *m, gpointer params, GstBuffer *b) {
  memset((char *)m + sizeof *m, 0, sizeof(WhetTensorsMeta) - sizeof *m);
  return TRUE;
}

static void clear(GstMeta *m, GstBuffer *b) { g_clear_pointer(&((WhetTensorsMeta *)m)->data, g_bytes_unref); }

/* A copy for another buffer; of a scaled picture the place is scaled too. */
static gboolean transform(GstBuffer *to, GstMeta *m, GstBuffer *from, GQuark type, gpointer data) {
  const WhetTensorsMeta *s = (const WhetTensorsMeta *)m;
  double fx = 1, fy = 1;
  if (!GST_META_TRANSFORM_IS_COPY(type)) {
    if (!GST_VIDEO_META_TRANSFORM_IS_SCALE(type)) return FALSE;
    const GstVideoMetaTransform *t = data;
    fx = (double)GST_VIDEO_INFO_WIDTH(t->out_info) / GST_VIDEO_INFO_WIDTH(t->in_info);
    fy = (double)GST_VIDEO_INFO_HEIGHT(t->out_info) / GST_VIDEO_INFO_HEIGHT(t->in_info);
  }
  WhetTensorsMeta *d = whet_tensors_add(to);
  if (!d) return FALSE;
  memcpy((char *)d + sizeof d->meta, (const char *)s + sizeof s->meta, sizeof *s - sizeof s->meta);
  if (d->data) g_bytes_ref(d->data);
  d->width = (gint32)(d->width * fx + 0.5);
  d->height = (gint32)(d->height * fy + 0.5);
  d->place.scale_x /= fx;
  d->place.scale_y /= fy;
  return TRUE;
}

const GstMetaInfo *whet_tensors_meta_info(void) {
  static gsize once;
  if (g_once_init_enter(&once))
    g_once_init_leave(&once, (gsize)gst_meta_register(whet_tensors_meta_api(), "WhetTensorsMeta",
                                                      sizeof(WhetTensorsMeta), init, clear, transform));
  return (const GstMetaInfo *)once;
}

WhetTensorsMeta *whet_tensors_add(GstBuffer *b) {
  return (WhetTensorsMeta *)gst_buffer_add_meta(b, whet_tensors_meta_info(), NULL);
}

WhetTensorsMeta *whet_tensors_get(GstBuffer *b) {
  return (WhetTensorsMeta *)gst_buffer_get_meta(b, whet_tensors_meta_api());
}
