/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin: its elements, and what they share. */

#include <string.h>

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

void gst_whet_view(const WhetTensorsMeta *m, pipe_tensor t[WHET_TENSORS_MOST]) {
  const char *all = g_bytes_get_data(m->data, NULL);
  for (guint i = 0; i < m->n; i++) {
    const WhetTensor *o = &m->tensor[i];
    t[i] = (pipe_tensor){.name = o->name, .dtype = o->dtype, .rank = o->rank, .data = all + o->at, .n = o->n};
    memcpy(t[i].dims, o->dims, sizeof o->dims);
    if (o->quant) t[i].quant = (whet_quant_info){.n = 1, .scale = &o->scale, .zero = &o->zero};
  }
}

void gst_whet_tensors_post(GstElement *e, const WhetTensorsMeta *m) {
  enum { MOST = 1024 };
  pipe_tensor t[WHET_TENSORS_MOST];
  float v[MOST];
  whet_err err;
  GValue list = G_VALUE_INIT;
  g_value_init(&list, GST_TYPE_ARRAY);
  gst_whet_view(m, t);
  for (guint i = 0; i < m->n; i++) {
    size_t n = t[i].n < MOST ? t[i].n : MOST;
    GValue values = G_VALUE_INIT, one = G_VALUE_INIT;
    if (pipe_tensor_floats(&t[i], 0, n, v, &err)) continue;
    g_value_init(&values, GST_TYPE_ARRAY);
    for (size_t k = 0; k < n; k++) {
      GValue x = G_VALUE_INIT;
      g_value_init(&x, G_TYPE_DOUBLE);
      g_value_set_double(&x, (double)v[k]);
      gst_value_array_append_and_take_value(&values, &x);
    }
    GstStructure *s = gst_structure_new("tensor", "name", G_TYPE_STRING, t[i].name, NULL);
    gst_structure_take_value(s, "values", &values);
    g_value_init(&one, GST_TYPE_STRUCTURE);
    g_value_take_boxed(&one, s);
    gst_value_array_append_and_take_value(&list, &one);
  }
  GstStructure *s = gst_structure_new("whet-tensors", "pts", G_TYPE_UINT64, (guint64)m->at, "until", G_TYPE_UINT64,
                                      (guint64)m->until, NULL);
  gst_structure_take_value(s, "tensors", &list);
  gst_element_post_message(e, gst_message_new_element((GstObject *)e, s));
}

void gst_whet_fed_end(GstElement *e, const gst_whet_fed *f) {
  if (f->come && !f->tensors)
    GST_ELEMENT_WARNING(e, STREAM, FAILED, ("no buffer had a model's outputs: whetinfer belongs before this element"),
                        (NULL));
}

static gboolean load(GstPlugin *p) {
  return gst_element_register(p, "whetinfer", GST_RANK_NONE, gst_whet_infer_get_type()) &&
#ifdef WHET_HAVE_OUTBOX
         gst_element_register(p, "whetcascade", GST_RANK_NONE, gst_whet_cascade_get_type()) &&
#endif
         gst_element_register(p, "whetdecode", GST_RANK_NONE, gst_whet_decode_get_type()) &&
         gst_element_register(p, "whetfilter", GST_RANK_NONE, gst_whet_filter_get_type()) &&
         gst_element_register(p, "whetoverlay", GST_RANK_NONE, gst_whet_overlay_get_type());
}

#define PACKAGE "whet"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, whet,
                  "Models on video and sound: inference, detections, privacy", load, WHET_VERSION_TEXT, "Apache 2.0",
                  "whet", "whet")
