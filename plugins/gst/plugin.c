/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin: its elements, and what they share. */

#include "plugins/gst/elements.h"

void gst_whet_class(GstElementClass *c, const char *caps, const char *name, const char *klass, const char *what) {
  GstCaps *any = gst_caps_from_string(caps);
  gst_element_class_add_pad_template(c, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, any));
  gst_element_class_add_pad_template(c, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, any));
  gst_caps_unref(any);
  gst_element_class_set_metadata(c, name, klass, what, "The whet authors");
}

whet_picture gst_whet_picture(const GstVideoFrame *f) {
  static const struct {
    GstVideoFormat format;
    whet_pixel pixel;
  } k[] = {{GST_VIDEO_FORMAT_RGB, WHET_PIXEL_RGB},   {GST_VIDEO_FORMAT_BGR, WHET_PIXEL_BGR},
           {GST_VIDEO_FORMAT_RGBx, WHET_PIXEL_RGBA}, {GST_VIDEO_FORMAT_BGRx, WHET_PIXEL_BGRA},
           {GST_VIDEO_FORMAT_RGBA, WHET_PIXEL_RGBA}, {GST_VIDEO_FORMAT_BGRA, WHET_PIXEL_BGRA},
           {GST_VIDEO_FORMAT_GRAY8, WHET_PIXEL_GRAY}};
  whet_picture p = {.size = sizeof p,
                    .data = GST_VIDEO_FRAME_PLANE_DATA(f, 0),
                    .width = GST_VIDEO_FRAME_WIDTH(f),
                    .height = GST_VIDEO_FRAME_HEIGHT(f),
                    .stride = GST_VIDEO_FRAME_PLANE_STRIDE(f, 0)};
  for (size_t i = 0; i < G_N_ELEMENTS(k); i++)
    if (k[i].format == GST_VIDEO_FRAME_FORMAT(f)) p.pixel = k[i].pixel;
  return p;
}

static gboolean load(GstPlugin *p) {
  return gst_element_register(p, "whetinfer", GST_RANK_NONE, gst_whet_infer_get_type()) &&
         gst_element_register(p, "whetdecode", GST_RANK_NONE, gst_whet_decode_get_type()) &&
         gst_element_register(p, "whetfilter", GST_RANK_NONE, gst_whet_filter_get_type()) &&
         gst_element_register(p, "whetoverlay", GST_RANK_NONE, gst_whet_overlay_get_type());
}

#define PACKAGE "whet"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, whet, "Models on video: inference, detections, privacy", load,
                  WHET_VERSION_TEXT, "Apache 2.0", "whet", "whet")
