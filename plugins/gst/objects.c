/* SPDX-License-Identifier: Apache-2.0 */
/* Detections as regions of interest. */

#include "plugins/gst/objects.h"

#include <string.h>

void gst_whet_object_add(GstBuffer *b, const gst_whet_object *o) {
  char name[24];
  g_snprintf(name, sizeof name, "class-%u", o->id);
  const char *label = o->label ? o->label : name;
  GstVideoRegionOfInterestMeta *m = gst_buffer_add_video_region_of_interest_meta(b, label, o->x, o->y, o->w, o->h);
  gst_video_region_of_interest_meta_add_param(
      m, gst_structure_new("detection", "confidence", G_TYPE_DOUBLE, o->score, "label-id", G_TYPE_UINT, o->id,
                           "label", G_TYPE_STRING, label, NULL));
}

gst_whet_object gst_whet_object_of(const GstVideoRegionOfInterestMeta *m) {
  gst_whet_object o = {
      .label = g_quark_to_string(m->roi_type), .score = 1, .x = m->x, .y = m->y, .w = m->w, .h = m->h};
  const GstStructure *p = gst_video_region_of_interest_meta_get_param((GstVideoRegionOfInterestMeta *)m, "detection");
  if (p) {
    gst_structure_get_double(p, "confidence", &o.score);
    gst_structure_get_uint(p, "label-id", &o.id);
  }
  return o;
}

GstVideoRegionOfInterestMeta *gst_whet_object_next(GstBuffer *b, gpointer *state) {
  return (GstVideoRegionOfInterestMeta *)gst_buffer_iterate_meta_filtered(b, state,
                                                                          GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
}

void gst_whet_objects_post(GstElement *e, const char *name, GstBuffer *b) {
  GValue list = G_VALUE_INIT;
  gint n = 0;
  gpointer state = NULL;
  GstVideoRegionOfInterestMeta *m;
  g_value_init(&list, GST_TYPE_ARRAY);
  while ((m = gst_whet_object_next(b, &state))) {
    gst_whet_object o = gst_whet_object_of(m);
    GValue v = G_VALUE_INIT;
    g_value_init(&v, GST_TYPE_STRUCTURE);
    g_value_take_boxed(
        &v, gst_structure_new("object", "label", G_TYPE_STRING, o.label ? o.label : "", "label-id", G_TYPE_UINT, o.id,
                              "confidence", G_TYPE_DOUBLE, o.score, "x", G_TYPE_UINT, o.x, "y", G_TYPE_UINT, o.y, "w",
                              G_TYPE_UINT, o.w, "h", G_TYPE_UINT, o.h, NULL));
    gst_value_array_append_and_take_value(&list, &v);
    n++;
  }
  GstStructure *s =
      gst_structure_new(name, "pts", G_TYPE_UINT64, (guint64)GST_BUFFER_PTS(b), "count", G_TYPE_INT, n, NULL);
  gst_structure_take_value(s, "objects", &list);
  gst_element_post_message(e, gst_message_new_element((GstObject *)e, s));
}

gboolean gst_whet_label_in(const char *label, const char *list) {
  if (!list || !*list) return TRUE;
  if (!label) return FALSE;
  size_t n = strlen(label);
  for (const char *p = list;; p++) {
    const char *end = strchr(p, ',');
    size_t len = end ? (size_t)(end - p) : strlen(p);
    if (len == n && !memcmp(p, label, n)) return TRUE;
    if (!end) return FALSE;
    p = end;
  }
}
