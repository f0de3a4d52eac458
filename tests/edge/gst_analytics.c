/* SPDX-License-Identifier: Apache-2.0 */
/* What whet's elements find stands in GstAnalyticsRelationMeta, too, and what others put there is filtered: built
 * where GStreamer has that library.
 *
 *   gst_analytics MODEL   a classifier of pictures, ten classes at least */

#include <gst/analytics/analytics.h>
#include <gst/gst.h>
#include <gst/video/gstvideometa.h>

/* What the last buffer had when it came to the sink. */
static guint g_objects, g_classes, g_regions;
static gfloat g_score;
static gint g_box[4];

static GstPadProbeReturn look(GstPad *pad, GstPadProbeInfo *info, gpointer user) {
  GstBuffer *b = GST_PAD_PROBE_INFO_BUFFER(info);
  GstAnalyticsRelationMeta *r = gst_buffer_get_analytics_relation_meta(b);
  GstAnalyticsMtd m;
  gpointer state = NULL;
  (void)pad, (void)user;
  g_objects = g_classes = g_regions = 0;
  while (r && gst_analytics_relation_meta_iterate(r, &state, gst_analytics_od_mtd_get_mtd_type(), &m)) {
    gst_analytics_od_mtd_get_location((GstAnalyticsODMtd *)&m, &g_box[0], &g_box[1], &g_box[2], &g_box[3], &g_score);
    g_objects++;
  }
  state = NULL;
  while (r && gst_analytics_relation_meta_iterate(r, &state, gst_analytics_cls_mtd_get_mtd_type(), &m)) {
    g_score = gst_analytics_cls_mtd_get_level((GstAnalyticsClsMtd *)&m, 0);
    g_classes++;
  }
  state = NULL;
  while (gst_buffer_iterate_meta_filtered(b, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) g_regions++;
  return GST_PAD_PROBE_OK;
}

/* Two objects of somebody else. */
static GstPadProbeReturn plant(GstPad *pad, GstPadProbeInfo *info, gpointer user) {
  GstBuffer *b = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GstAnalyticsRelationMeta *r = gst_buffer_add_analytics_relation_meta(b);
  GstAnalyticsODMtd od;
  (void)pad, (void)user;
  info->data = b;
  gst_analytics_relation_meta_add_od_mtd(r, g_quark_from_string("car"), -2, 3, 12, 6, 0.75f, &od);
  gst_analytics_relation_meta_add_od_mtd(r, g_quark_from_string("dog"), 1, 2, 3, 4, 0.25f, &od);
  return GST_PAD_PROBE_OK;
}

static void probe(GstElement *p, const char *element, const char *pad, GstPadProbeCallback call) {
  GstElement *e = gst_bin_get_by_name(GST_BIN(p), element);
  GstPad *at = gst_element_get_static_pad(e, pad);
  gst_pad_add_probe(at, GST_PAD_PROBE_TYPE_BUFFER, call, NULL, NULL);
  gst_object_unref(at);
  gst_object_unref(e);
}

/* Run a pipeline with a sink named `end`; `source`: an element behind which objects are planted, NULL: none. */
static void run(const char *text, const char *source) {
  GError *bad = NULL;
  GstElement *p = gst_parse_launch(text, &bad);
  if (!p) g_error("%s", bad->message);
  probe(p, "end", "sink", look);
  if (source) probe(p, source, "src", plant);
  gst_element_set_state(p, GST_STATE_PLAYING);
  GstBus *bus = gst_element_get_bus(p);
  GstMessage *m = gst_bus_timed_pop_filtered(bus, 30 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (!m || GST_MESSAGE_TYPE(m) != GST_MESSAGE_EOS) g_error("%s: did not end well", text);
  gst_message_unref(m);
  gst_object_unref(bus);
  gst_element_set_state(p, GST_STATE_NULL);
  gst_object_unref(p);
}

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc != 2) return 2;
#define SOURCE "videotestsrc name=source num-buffers=2 ! video/x-raw,width=28,height=28,format=RGB ! "
  char *text = g_strdup_printf(
      SOURCE "whetinfer model=%s ! whetdecode kind=classes most=3 score=0 ! fakesink name=end", argv[1]);
  run(text, NULL);
  g_assert_cmpuint(g_regions, ==, 3);
  g_assert_cmpuint(g_classes, ==, 3);
  g_assert_cmpuint(g_objects, ==, 0);
  g_assert_true(g_score >= 0 && g_score <= 1);
  g_free(text);
  run(SOURCE "whetfilter score=0.5 ! fakesink name=end", "source");
  g_assert_cmpuint(g_regions, ==, 1);
  g_assert_cmpuint(g_objects, ==, 1);
  g_assert_true(g_box[0] == 0 && g_box[1] == 3 && g_box[2] == 10 && g_box[3] == 6 && g_score == 0.75f);
  run(SOURCE "whetfilter labels=cat ! whetoverlay ! fakesink name=end", "source");
  g_assert_cmpuint(g_regions + g_objects, ==, 0);
  run(SOURCE "whetfilter ! fakesink name=end", "source"); /* nothing to take off: what stands there stays */
  g_assert_cmpuint(g_regions, ==, 2);
  g_assert_true(g_objects == 2 && g_box[0] == 1);
  return 0;
}
