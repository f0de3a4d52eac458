/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled where GStreamer has gstreamer-analytics-1.0. */

#include "plugins/gst/analytics.h"

#include <gst/analytics/analytics.h>

#include "plugins/gst/objects.h"

/* How many entries of a type the metadata have. */
static guint entries(GstAnalyticsRelationMeta *r, GstAnalyticsMtdType type) {
  GstAnalyticsMtd m;
  gpointer state = NULL;
  guint n = 0;
  while (gst_analytics_relation_meta_iterate(r, &state, type, &m)) n++;
  return n;
}

void gst_whet_analytics_read(GstBuffer *b) {
  GstAnalyticsRelationMeta *r = gst_buffer_get_analytics_relation_meta(b);
  GstAnalyticsMtd m;
  gpointer state = NULL;
  if (!r || gst_buffer_get_meta(b, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) return;
  while (gst_analytics_relation_meta_iterate(r, &state, gst_analytics_od_mtd_get_mtd_type(), &m)) {
    const GstAnalyticsODMtd *od = (const GstAnalyticsODMtd *)&m;
    gint x, y, w, h;
    gfloat score;
    GQuark type = gst_analytics_od_mtd_get_obj_type(od);
    if (!gst_analytics_od_mtd_get_location(od, &x, &y, &w, &h, &score)) continue;
    gint x1 = x + w, y1 = y + h;
    x = MAX(x, 0), y = MAX(y, 0); /* regions have no negative places */
    gst_whet_object_add(b, &(gst_whet_object){.label = type ? g_quark_to_string(type) : "object",
                                              .score = (gdouble)score,
                                              .x = (guint)x,
                                              .y = (guint)y,
                                              .w = (guint)MAX(x1 - x, 0),
                                              .h = (guint)MAX(y1 - y, 0)});
  }
}

/* The metadata that regions go into: new ones where those there are hold objects or classes that may have gone. */
static GstAnalyticsRelationMeta *emptied(GstBuffer *b) {
  GstAnalyticsRelationMeta *r = gst_buffer_get_analytics_relation_meta(b);
  if (r && (entries(r, gst_analytics_od_mtd_get_mtd_type()) || entries(r, gst_analytics_cls_mtd_get_mtd_type()))) {
    gst_buffer_remove_meta(b, (GstMeta *)r);
    r = NULL;
  }
  return r ? r : gst_buffer_add_analytics_relation_meta(b);
}

void gst_whet_analytics_write(GstBuffer *b, gboolean whole) {
  GstVideoRegionOfInterestMeta *m;
  gpointer state = NULL;
  GstAnalyticsRelationMeta *r = emptied(b);
  while (r && (m = gst_whet_object_next(b, &state))) {
    gst_whet_object o = gst_whet_object_of(m);
    GstAnalyticsODMtd od;
    GstAnalyticsClsMtd cls;
    if (whole)
      (void)gst_analytics_relation_meta_add_one_cls_mtd(r, (gfloat)o.score, m->roi_type, &cls);
    else
      (void)gst_analytics_relation_meta_add_od_mtd(r, m->roi_type, (gint)o.x, (gint)o.y, (gint)o.w, (gint)o.h,
                                                   (gfloat)o.score, &od);
  }
}
