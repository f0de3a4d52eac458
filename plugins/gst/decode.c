/* SPDX-License-Identifier: Apache-2.0 */
/* whetdecode: the outputs that whetinfer left, into regions of interest. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pipe/detect.h"
#include "edge/pipe/labels.h"
#include "edge/pipe/topk.h"
#include "plugins/gst/analytics.h"
#include "plugins/gst/elements.h"
#include "plugins/gst/objects.h"
#include "plugins/gst/props.h"
#include "plugins/gst/tensors.h"

enum { CLASSES = 5 }; /* behind the detectors of pipe_detector */

typedef struct GstWhetDecode {
  GstBaseTransform base;
  /* properties */
  char *labels_file, *anchors_file, *scales;
  gint kind, most, code, output;
  gdouble score, overlap;
  gboolean objectness, background, sigmoid, softmax, keep, post;
  /* between start and stop */
  pipe_detect *detect;
  pipe_anchor *anchor;
  pipe_labels labels;
  float *scores; /* CLASSES */
  size_t cap;
  gst_whet_fed fed;
} GstWhetDecode;
typedef struct GstWhetDecodeClass {
  GstBaseTransformClass base;
} GstWhetDecodeClass;

G_DEFINE_TYPE(GstWhetDecode, gst_whet_decode, GST_TYPE_BASE_TRANSFORM)

#define AT(field) offsetof(GstWhetDecode, field)
static const gst_whet_prop k_props[] = {
    {"kind", GST_WHET_CHOICE, AT(kind), 0, 0, 0, "scores-boxes|yolo|ssd|boxes|anchors|classes",
     "How the outputs hold what was found; scores-boxes is UltraFace's, boxes YOLOv10's, classes one row of scores"},
    {"score", GST_WHET_REAL, AT(score), 0, 1, 0.5, NULL, "Below it nothing was found"},
    {"overlap", GST_WHET_REAL, AT(overlap), 0, 1, 0.45, NULL,
     "Intersection over union past which the lesser box goes"},
    {"most", GST_WHET_INT, AT(most), 1, 10000, 100, NULL,
     "Objects of a picture at most; kind=classes: so many classes, at most 16"},
    {"objectness", GST_WHET_BOOL, AT(objectness), 0, 0, 0, NULL, "yolo: the fifth number scales the scores (YOLOv5)"},
    {"background", GST_WHET_BOOL, AT(background), 0, 0, 1, NULL, "scores-boxes, anchors: class 0 is no object"},
    {"anchors", GST_WHET_STR, AT(anchors_file), 0, 0, 0, NULL, "anchors: a text of them, x y w h a line"},
    {"scales", GST_WHET_STR, AT(scales), 0, 0, 0, NULL, "anchors: four numbers by which boxes are divided"},
    {"code", GST_WHET_CHOICE, AT(code), 0, 0, 0, "ssd|linear", "anchors: how boxes are coded"},
    {"sigmoid", GST_WHET_BOOL, AT(sigmoid), 0, 0, 0, NULL, "anchors: scores are logits"},
    {"softmax", GST_WHET_BOOL, AT(softmax), 0, 0, 0, NULL, "classes: scores are logits"},
    {"output", GST_WHET_INT, AT(output), 0, WHET_TENSORS_MOST - 1, 0, NULL,
     "classes: the output that holds the scores"},
    {"labels", GST_WHET_STR, AT(labels_file), 0, 0, 0, NULL, "Names of classes: a file, one a line"},
    {"keep-tensors", GST_WHET_BOOL, AT(keep), 0, 0, 0, NULL, "Leave WhetTensorsMeta on the buffer"},
    {"post", GST_WHET_BOOL, AT(post), 0, 0, 0, NULL,
     "Post the message whet-objects for every picture that was decoded"},
    {0}};
GST_WHET_ELEMENT(GstWhetDecode, gst_whet_decode, k_props)

static gboolean stop(GstBaseTransform *t) {
  GstWhetDecode *s = (GstWhetDecode *)t;
  pipe_detect_close(&s->detect);
  pipe_labels_close(&s->labels);
  s->labels = (pipe_labels){0};
  free(s->anchor);
  s->anchor = NULL;
  g_clear_pointer(&s->scores, g_free);
  s->cap = 0;
  s->fed = (gst_whet_fed){0};
  return TRUE;
}

static gboolean start(GstBaseTransform *t) {
  GstWhetDecode *s = (GstWhetDecode *)t;
  whet_err err = {0};
  whet_status st = WHET_OK;
  if (s->labels_file && *s->labels_file) st = pipe_labels_open(s->labels_file, &s->labels, &err);
  if (!st && s->kind != CLASSES) {
    pipe_detect_opts o = pipe_detect_opts_default((pipe_detector)s->kind);
    o.least_score = (float)s->score;
    o.overlap = (float)s->overlap;
    o.most = (size_t)s->most;
    o.objectness = s->objectness;
    o.background = s->background;
    o.linear = s->code == 1;
    o.sigmoid = s->sigmoid;
    int n = gst_whet_numbers(s->scales, o.scale, 4);
    bool given = s->anchors_file && *s->anchors_file;
    if (n && n != 4)
      st = edge_fail(&err, WHET_E_DATA, "scales \"%.60s\": expected four numbers, as 10,10,5,5", s->scales);
    if (!st && given != (o.kind == PIPE_DETECT_ANCHORS))
      st = edge_fail(&err, WHET_E_DATA,
                     given ? "anchors belong to kind=anchors" : "kind=anchors needs anchors: a file of them");
    if (!st && given) st = pipe_anchors_read(s->anchors_file, &s->anchor, &o.n_anchor, &err);
    o.anchor = s->anchor;
    if (!st) st = pipe_detect_create(&o, &s->detect, &err);
  }
  if (!st) return TRUE;
  stop(t);
  GST_WHET_ERROR(s, RESOURCE, SETTINGS, &err);
  return FALSE;
}

static whet_status objects(GstWhetDecode *s, GstBuffer *b, const WhetTensorsMeta *m, const pipe_tensor *t,
                           whet_err *err) {
  const pipe_object *o;
  size_t n;
  EDGE_TRY(
      pipe_detect_run(s->detect, t, m->n, m->in_width, m->in_height, &m->place, m->width, m->height, &o, &n, err));
  for (size_t i = 0; i < n; i++) {
    float x0 = floorf(o[i].x0), y0 = floorf(o[i].y0), x1 = ceilf(o[i].x1), y1 = ceilf(o[i].y1);
    gst_whet_object to = {.label = pipe_label(&s->labels, o[i].index), .id = o[i].index, .score = (double)o[i].score};
    to.x = (guint)x0, to.y = (guint)y0, to.w = (guint)(x1 - x0), to.h = (guint)(y1 - y0);
    gst_whet_object_add(b, &to);
  }
  return WHET_OK;
}

/* The highest scores of a row, as regions that are the whole picture. */
static whet_status classes(GstWhetDecode *s, GstBuffer *b, const WhetTensorsMeta *m, const pipe_tensor *t,
                           whet_err *err) {
  if ((guint)s->output >= m->n)
    return edge_fail(err, WHET_E_NAME, "the model has no output %d; it has %u", s->output, m->n);
  const pipe_tensor *x = &t[s->output];
  if (x->n > s->cap) {
    s->scores = g_renew(float, s->scores, x->n);
    s->cap = x->n;
  }
  EDGE_TRY(pipe_tensor_floats(x, 0, x->n, s->scores, err));
  if (s->softmax) pipe_softmax(s->scores, x->n);
  pipe_class top[16];
  size_t n = pipe_topk(s->scores, x->n, s->most < 16 ? (size_t)s->most : 16, top);
  for (size_t i = 0; i < n; i++)
    if (top[i].score >= (float)s->score)
      gst_whet_object_add(b, &(gst_whet_object){.label = pipe_label(&s->labels, top[i].index),
                                                .id = top[i].index,
                                                .score = (double)top[i].score,
                                                .w = (guint)m->width,
                                                .h = (guint)m->height});
  return WHET_OK;
}

static GstFlowReturn transform_ip(GstBaseTransform *t, GstBuffer *b) {
  GstWhetDecode *s = (GstWhetDecode *)t;
  whet_err err = {0};
  pipe_tensor view[WHET_TENSORS_MOST];
  gpointer state = NULL;
  bool any = false;
  for (GstMeta *at; (at = gst_buffer_iterate_meta_filtered(b, &state, whet_tensors_meta_api()));) {
    const WhetTensorsMeta *m = (const WhetTensorsMeta *)at;
    gst_whet_view(m, view);
    whet_status st = s->detect ? objects(s, b, m, view, &err) : classes(s, b, m, view, &err);
    if (st) {
      GST_WHET_ERROR(s, STREAM, DECODE, &err);
      return GST_FLOW_ERROR;
    }
    any = true;
  }
  s->fed.come = TRUE;
  s->fed.tensors |= any;
  if (!any) return GST_FLOW_OK; /* a picture that the model did not see */
  for (WhetTensorsMeta *m; !s->keep && (m = whet_tensors_get(b));) gst_buffer_remove_meta(b, &m->meta);
  gst_whet_analytics_write(b, s->detect == NULL);
  if (s->post) gst_whet_objects_post((GstElement *)s, "whet-objects", b);
  return GST_FLOW_OK;
}

static gboolean sink_event(GstBaseTransform *t, GstEvent *e) {
  if (GST_EVENT_TYPE(e) == GST_EVENT_EOS) gst_whet_fed_end((GstElement *)t, &((GstWhetDecode *)t)->fed);
  return GST_BASE_TRANSFORM_CLASS(gst_whet_decode_parent_class)->sink_event(t, e);
}

static void gst_whet_decode_class_init(GstWhetDecodeClass *c) {
  GstBaseTransformClass *t = begin_class(c);
  gst_whet_class((GstElementClass *)c, "ANY", "whet decoder", "Filter/Analyzer/Video",
                 "Outputs of a model (WhetTensorsMeta) into GstVideoRegionOfInterestMeta");
  t->start = start;
  t->stop = stop;
  t->sink_event = sink_event;
  t->transform_ip = transform_ip;
}
