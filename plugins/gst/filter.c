/* SPDX-License-Identifier: Apache-2.0 */
/* whetfilter: which regions stay on a buffer, and which buffers go on. */

#include "plugins/gst/analytics.h"
#include "plugins/gst/elements.h"
#include "plugins/gst/objects.h"
#include "plugins/gst/props.h"

enum { PASS_ALL, PASS_ON, PASS_OFF };

typedef struct GstWhetFilter {
  GstBaseTransform base;
  char *labels;
  gdouble score;
  gint least, count, on_after, off_after, pass;
  gboolean post;
  /* between start and stop */
  gboolean on;
  gint run; /* pictures on end that say the opposite of `on` */
} GstWhetFilter;
typedef struct GstWhetFilterClass {
  GstBaseTransformClass base;
} GstWhetFilterClass;

G_DEFINE_TYPE(GstWhetFilter, gst_whet_filter, GST_TYPE_BASE_TRANSFORM)

#define AT(field) offsetof(GstWhetFilter, field)
static const gst_whet_prop k_props[] = {
    {"score", GST_WHET_REAL, AT(score), 0, 1, 0, NULL, "Regions of a lower confidence are taken off"},
    {"labels", GST_WHET_STR, AT(labels), 0, 0, 0, NULL, "Only these labels stay: a,b,c"},
    {"least", GST_WHET_INT, AT(least), 0, 1 << 24, 0, NULL,
     "Regions narrower or lower than so many pixels are taken off"},
    {"count", GST_WHET_INT, AT(count), 1, 1000000, 1, NULL,
     "So many regions make a picture count as one with something in it"},
    {"on-after", GST_WHET_INT, AT(on_after), 1, 1000000, 1, NULL, "It turns on after so many such pictures on end"},
    {"off-after", GST_WHET_INT, AT(off_after), 1, 1000000, 1, NULL, "It turns off after so many others on end"},
    {"pass", GST_WHET_CHOICE, AT(pass), 0, 0, 0, "all|on|off", "Which buffers go on; others are dropped"},
    {"post", GST_WHET_BOOL, AT(post), 0, 0, 0, NULL, "Post the message whet-on or whet-off when it turns"},
    {0}};
GST_WHET_ELEMENT(GstWhetFilter, gst_whet_filter, k_props)

static gboolean start(GstBaseTransform *t) {
  ((GstWhetFilter *)t)->on = FALSE;
  ((GstWhetFilter *)t)->run = 0;
  return TRUE;
}

static gboolean stays(const GstWhetFilter *s, const GstVideoRegionOfInterestMeta *m) {
  gst_whet_object o = gst_whet_object_of(m);
  return o.score >= s->score && o.w >= (guint)s->least && o.h >= (guint)s->least &&
         gst_whet_label_in(o.label, s->labels);
}

static GstFlowReturn transform_ip(GstBaseTransform *t, GstBuffer *b) {
  GstWhetFilter *s = (GstWhetFilter *)t;
  GstVideoRegionOfInterestMeta *m;
  GSList *gone = NULL;
  gpointer state = NULL;
  gint n = 0;
  gst_whet_analytics_read(b);
  while ((m = gst_whet_object_next(b, &state)))
    if (stays(s, m))
      n++;
    else
      gone = g_slist_prepend(gone, m);
  for (GSList *g = gone; g; g = g->next) gst_buffer_remove_meta(b, &((GstVideoRegionOfInterestMeta *)g->data)->meta);
  if (gone) gst_whet_analytics_write(b, FALSE);
  g_slist_free(gone);
  s->run = (n >= s->count) != s->on ? s->run + 1 : 0;
  if (s->run >= (s->on ? s->off_after : s->on_after)) {
    s->on = !s->on;
    s->run = 0;
    if (s->post) gst_whet_objects_post((GstElement *)s, s->on ? "whet-on" : "whet-off", b);
  }
  return s->pass == PASS_ALL || s->on == (s->pass == PASS_ON) ? GST_FLOW_OK : GST_BASE_TRANSFORM_FLOW_DROPPED;
}

static void gst_whet_filter_class_init(GstWhetFilterClass *c) {
  GstBaseTransformClass *t = begin_class(c);
  gst_whet_class((GstElementClass *)c, "ANY", "whet filter", "Filter/Video",
                 "Takes regions of interest off buffers, and drops buffers by what is left on them");
  t->start = start;
  t->transform_ip = transform_ip;
}
