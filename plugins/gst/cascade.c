/* SPDX-License-Identifier: Apache-2.0 */
/* whetcascade: what the model before it (whetinfer) is not sure of goes to a larger one behind the Open Inference
 * Protocol; its answers come in time, or as corrections by message. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "edge/cascade/cascade.h"
#include "edge/pipe/labels.h"
#include "plugins/gst/analytics.h"
#include "plugins/gst/elements.h"
#include "plugins/gst/objects.h"
#include "plugins/gst/picture.h"

typedef struct GstWhetCascade {
  GstBaseTransform base;
  /* properties */
  char *url, *model, *version, *token, *ca, *cert, *key, *outbox, *labels_file, *shape;
  gint measure, mode, type, output, features, workers;
  gdouble threshold, temperature, deadline, timeout, hedge, ttl, wait, scale, offset;
  gdouble bytes, requests, money, joules, price, price_byte, joule, joule_byte;
  gboolean keep, post, compress;
  gst_whet_way way;
  /* between start and stop */
  GstVideoInfo info;
  pipe_picture *pic;
  pipe_labels labels;
  cascade *c;
  float *scores;
  void *data;
  size_t cap_scores, cap_data;
  int64_t dims[WHET_MAX_RANK];
  int32_t rank;
  guint64 count;
  gst_whet_fed fed;
} GstWhetCascade;
typedef struct GstWhetCascadeClass {
  GstBaseTransformClass base;
} GstWhetCascadeClass;

G_DEFINE_TYPE(GstWhetCascade, gst_whet_cascade, GST_TYPE_BASE_TRANSFORM)

#define AT(field) offsetof(GstWhetCascade, field)
static const gst_whet_prop k_props[] = {
    {"url", GST_WHET_STR, AT(url), 0, 0, 0, NULL, "Server of the larger model, http(s)://HOST:PORT"},
    {"model", GST_WHET_STR, AT(model), 0, 0, 0, NULL, "Its name there"},
    {"version", GST_WHET_STR, AT(version), 0, 0, 0, NULL, "Its version; the newest unless told"},
    {"token", GST_WHET_STR, AT(token), 0, 0, 0, NULL, "Bearer token"},
    {"ca", GST_WHET_STR, AT(ca), 0, 0, 0, NULL, "TLS: certificates to trust, a file in PEM"},
    {"cert", GST_WHET_STR, AT(cert), 0, 0, 0, NULL, "TLS: certificate of one's own"},
    {"key", GST_WHET_STR, AT(key), 0, 0, 0, NULL, "TLS: its key"},
    {"shape", GST_WHET_STR, AT(shape), 0, 0, 0, NULL, "Shape of the larger model's input, as 1,3,224,224"},
    {"type", GST_WHET_CHOICE, AT(type), 0, 0, 0, "fp32|uint8|int8", "Type of its input"},
    GST_WHET_WAY(GstWhetCascade),
    {"measure", GST_WHET_CHOICE, AT(measure), 0, 0, 0, CASCADE_MEASURES, "What says how sure the local model is"},
    {"threshold", GST_WHET_REAL, AT(threshold), -1e9, 1e9, 0.9, NULL, "Sure from here on"},
    {"temperature", GST_WHET_REAL, AT(temperature), 0.001, 1000, 1, NULL, "Scores are divided by it first"},
    {"output", GST_WHET_INT, AT(output), 0, WHET_TENSORS_MOST - 1, 0, NULL,
     "The local model's output that holds the scores"},
    {"features", GST_WHET_INT, AT(features), -1, WHET_TENSORS_MOST - 1, -1, NULL,
     "Instead of the picture send this output of the local model, from which the larger one goes on; -1: the "
     "picture"},
    {"scale", GST_WHET_REAL, AT(scale), -1e12, 1e12, 1, NULL, "Features are multiplied by it,"},
    {"offset", GST_WHET_REAL, AT(offset), -1e12, 1e12, 0, NULL,
     "this is added, and where the type is one of integers they are rounded and cut to its range"},
    {"compress", GST_WHET_BOOL, AT(compress), 0, 0, 0, NULL, "Requests as gzip"},
    {"mode", GST_WHET_CHOICE, AT(mode), 0, 0, 1, "wait|correct",
     "wait: hold a hard picture until the answer or the deadline; correct: go on at once"},
    {"deadline", GST_WHET_REAL, AT(deadline), 0.001, 600, 0.2, NULL, "wait: seconds"},
    {"timeout", GST_WHET_REAL, AT(timeout), 0.01, 3600, 10, NULL, "Seconds for an answer"},
    {"hedge", GST_WHET_REAL, AT(hedge), 0, 3600, 0, NULL, "Seconds after which it is asked once more; 0: never"},
    {"outbox", GST_WHET_STR, AT(outbox), 0, 0, 0, NULL,
     "File of the cases that wait for the link; none: they are not corrected"},
    {"ttl", GST_WHET_REAL, AT(ttl), 0, 1e9, 0, NULL, "Seconds for which a correction is of use; 0: for ever"},
    {"bytes", GST_WHET_REAL, AT(bytes), 0, 1e18, 0, NULL, "Budget of an hour: bytes; 0: none"},
    {"requests", GST_WHET_REAL, AT(requests), 0, 1e18, 0, NULL, "Budget of an hour: requests; 0: none"},
    {"money", GST_WHET_REAL, AT(money), 0, 1e18, 0, NULL, "Budget of an hour: money; 0: none"},
    {"joules", GST_WHET_REAL, AT(joules), 0, 1e18, 0, NULL, "Budget of an hour: joules; 0: none"},
    {"price", GST_WHET_REAL, AT(price), 0, 1e18, 0, NULL, "Money for a request"},
    {"price-byte", GST_WHET_REAL, AT(price_byte), 0, 1e18, 0, NULL, "Money for a byte"},
    {"joule", GST_WHET_REAL, AT(joule), 0, 1e18, 0, NULL, "Joules for a request"},
    {"joule-byte", GST_WHET_REAL, AT(joule_byte), 0, 1e18, 0, NULL, "Joules for a byte"},
    {"workers", GST_WHET_INT, AT(workers), 1, 64, 4, NULL, "Requests at once"},
    {"wait-eos", GST_WHET_REAL, AT(wait), 0, 3600, 5, NULL,
     "At the stream's end: seconds for corrections that are still to come"},
    {"labels", GST_WHET_STR, AT(labels_file), 0, 0, 0, NULL, "Names of classes: a file, one a line"},
    {"keep-tensors", GST_WHET_BOOL, AT(keep), 0, 0, 0, NULL, "Leave WhetTensorsMeta on the buffer"},
    {"post", GST_WHET_BOOL, AT(post), 0, 0, 1, NULL, "Post the messages whet-cascade and whet-correction"},
    {0}};
GST_WHET_ELEMENT(GstWhetCascade, gst_whet_cascade, k_props)

static const char *text(const char *s) { return s && *s ? s : NULL; }

/* A correction, from a thread of the cascade. The key begins with the picture's time. */
static bool correct(void *user, const cascade_correction *k) {
  GstWhetCascade *s = user;
  unsigned long long pts = 0;
  if (!k->late || !s->post) return true;
  sscanf(k->key, "%llu", &pts);
  const char *label = k->best >= 0 ? pipe_label(&s->labels, (size_t)k->best) : NULL;
  double score = k->best >= 0 && (size_t)k->best < k->n ? (double)k->scores[k->best] : 0;
  gst_element_post_message(
      (GstElement *)s,
      gst_message_new_element((GstObject *)s, gst_structure_new("whet-correction", "pts", G_TYPE_UINT64, (guint64)pts,
                                                                "key", G_TYPE_STRING, k->key, "label-id", G_TYPE_INT,
                                                                k->best, "label", G_TYPE_STRING, label ? label : "",
                                                                "confidence", G_TYPE_DOUBLE, score, NULL)));
  return true;
}

static whet_status read_shape(GstWhetCascade *s, whet_err *err) {
  float v[WHET_MAX_RANK];
  int n = gst_whet_numbers(s->shape, v, WHET_MAX_RANK);
  bool ok = n > 0;
  for (int i = 0; ok && i < n; i++) {
    ok = v[i] >= 1 && v[i] < 1e6f && v[i] == floorf(v[i]);
    s->dims[i] = ok ? (int64_t)v[i] : 0;
  }
  s->rank = n > 0 ? n : 0;
  return ok ? WHET_OK
            : edge_fail(err, WHET_E_DATA,
                        "shape \"%.60s\": expected that of the larger model's input, as 1,3,224,224",
                        s->shape ? s->shape : "");
}

static gboolean stop(GstBaseTransform *t) {
  GstWhetCascade *s = (GstWhetCascade *)t;
  cascade_close(&s->c);
  pipe_picture_close(&s->pic);
  pipe_labels_close(&s->labels);
  s->labels = (pipe_labels){0};
  g_clear_pointer(&s->scores, g_free);
  g_clear_pointer(&s->data, g_free);
  s->cap_scores = s->cap_data = 0;
  s->fed = (gst_whet_fed){0};
  return TRUE;
}

static whet_dtype type_of(const GstWhetCascade *s) {
  static const whet_dtype k_type[] = {WHET_F32, WHET_U8, WHET_S8};
  return k_type[s->type];
}

static whet_status open_all(GstWhetCascade *s, whet_err *err) {
  whet_info info = {.name = "the remote's input", .kind = WHET_TENSOR, .dtype = type_of(s)};
  pipe_picture_opts o;
  cascade_link link;
  if (!text(s->url) || !text(s->model))
    return edge_fail(err, WHET_E_DATA,
                     "the properties url and model are not set: expected a server and the name of its model");
  EDGE_TRY(read_shape(s, err));
  EDGE_TRY(gst_whet_way_opts(&s->way, &o, err));
  info.rank = s->rank;
  memcpy(info.dims, s->dims, sizeof info.dims);
  if (s->features < 0) EDGE_TRY(pipe_picture_create(&info, true, &o, &s->pic, err));
  if (text(s->labels_file)) EDGE_TRY(pipe_labels_open(s->labels_file, &s->labels, err));
  const remote_opts r = {.url = s->url,
                         .model = s->model,
                         .version = text(s->version),
                         .token = text(s->token),
                         .ca = text(s->ca),
                         .cert = text(s->cert),
                         .key = text(s->key),
                         .timeout = s->timeout,
                         .hedge = s->hedge,
                         .compress = s->compress};
  const cascade_opts c = {
      .policy = {.measure = (cascade_measure)s->measure, .temperature = s->temperature, .threshold = s->threshold},
      .mode = s->mode ? CASCADE_CORRECT : CASCADE_WAIT,
      .deadline = s->deadline,
      .outbox = text(s->outbox),
      .ttl = s->ttl,
      .budget = {.bytes = s->bytes,
                 .requests = s->requests,
                 .money = s->money,
                 .joules = s->joules,
                 .price = s->price,
                 .price_byte = s->price_byte,
                 .joule = s->joule,
                 .joule_byte = s->joule_byte},
      .workers = s->workers,
      .correct = correct,
      .user = s};
  EDGE_TRY(cascade_http(&r, s->workers, &link, err));
  return cascade_open(&c, &link, &s->c, err);
}

static gboolean start(GstBaseTransform *t) {
  GstWhetCascade *s = (GstWhetCascade *)t;
  whet_err err = {0};
  s->count = 0;
  if (!open_all(s, &err)) return TRUE;
  stop(t);
  GST_WHET_ERROR(s, RESOURCE, SETTINGS, &err);
  return FALSE;
}

static gboolean set_caps(GstBaseTransform *t, GstCaps *in, GstCaps *out) {
  (void)out;
  return gst_video_info_from_caps(&((GstWhetCascade *)t)->info, in);
}

/* Memory for what is sent. */
static void room(GstWhetCascade *s, size_t bytes) {
  if (bytes <= s->cap_data) return;
  s->data = g_realloc(s->data, bytes);
  s->cap_data = bytes;
}

/* The picture as the larger model wants it. */
static whet_status picture(GstWhetCascade *s, GstBuffer *b, size_t *bytes, whet_err *err) {
  GstVideoFrame f;
  if (!gst_video_frame_map(&f, &s->info, b, GST_MAP_READ))
    return edge_fail(err, WHET_E_DATA, "a buffer that holds no picture of these caps");
  whet_picture pic = gst_whet_picture(&f);
  whet_status st = pipe_picture_shape(s->pic, pic.width, pic.height, &s->rank, s->dims, bytes, err);
  if (!st) room(s, *bytes);
  if (!st) st = pipe_picture_run(s->pic, &pic, s->data, *bytes, err);
  gst_video_frame_unmap(&f);
  return st;
}

/* An output of the local model as the larger one takes it. */
static whet_status features(GstWhetCascade *s, const pipe_tensor *t, guint n, size_t *bytes, whet_err *err) {
  size_t want = 1;
  if ((guint)s->features >= n)
    return edge_fail(err, WHET_E_NAME, "features: the local model has no output %d; it has %u", s->features, n);
  t += s->features;
  for (int32_t i = 0; i < s->rank; i++) want *= (size_t)s->dims[i];
  if (want != t->n)
    return edge_fail(err, WHET_E_SHAPE, "shape has %zu numbers, the local model's output %d has %zu", want,
                     s->features, t->n);
  *bytes = whet_dtype_bytes(type_of(s), t->n);
  room(s, *bytes);
  return pipe_tensor_convert(t, s->scale, s->offset, type_of(s), s->data, err);
}

static void told(GstWhetCascade *s, GstBuffer *b, const cascade_result *r, double score) {
  const char *label = r->best >= 0 ? pipe_label(&s->labels, (size_t)r->best) : NULL;
  if (r->best >= 0) {
    gst_whet_object_add(b, &(gst_whet_object){.label = label,
                                              .id = (guint)r->best,
                                              .score = score,
                                              .w = (guint)GST_VIDEO_INFO_WIDTH(&s->info),
                                              .h = (guint)GST_VIDEO_INFO_HEIGHT(&s->info)});
    gst_whet_analytics_write(b, TRUE);
  }
  if (!s->post) return;
  gst_element_post_message(
      (GstElement *)s,
      gst_message_new_element(
          (GstObject *)s,
          gst_structure_new("whet-cascade", "pts", G_TYPE_UINT64, (guint64)GST_BUFFER_PTS(b), "label-id", G_TYPE_INT,
                            r->best, "label", G_TYPE_STRING, label ? label : "", "sure", G_TYPE_DOUBLE, r->sure,
                            "hard", G_TYPE_BOOLEAN, (gboolean)r->hard, "remote", G_TYPE_BOOLEAN, (gboolean)r->remote,
                            "provisional", G_TYPE_BOOLEAN, (gboolean)r->provisional, "key", G_TYPE_STRING,
                            r->offloaded ? r->key : "", NULL)));
}

static whet_status decide(GstWhetCascade *s, GstBuffer *b, const WhetTensorsMeta *m, whet_err *err) {
  pipe_tensor t[WHET_TENSORS_MOST];
  cascade_result r;
  size_t bytes;
  char key[64];
  if ((guint)s->output >= m->n)
    return edge_fail(err, WHET_E_NAME, "the local model has no output %d; it has %u", s->output, m->n);
  gst_whet_view(m, t);
  const pipe_tensor *x = &t[s->output];
  if (x->n > s->cap_scores) {
    s->scores = g_renew(float, s->scores, x->n);
    s->cap_scores = x->n;
  }
  EDGE_TRY(pipe_tensor_floats(x, 0, x->n, s->scores, err));
  EDGE_TRY(s->features < 0 ? picture(s, b, &bytes, err) : features(s, t, m->n, &bytes, err));
  g_snprintf(key, sizeof key, "%llu-%llu", (unsigned long long)GST_BUFFER_PTS(b), (unsigned long long)s->count++);
  const cascade_case c = {.key = key, .rank = s->rank, .dims = s->dims, .data = s->data, .bytes = bytes};
  EDGE_TRY(cascade_decide(s->c, s->scores, x->n, &c, &r, err));
  told(s, b, &r, !r.remote && r.best >= 0 && (size_t)r.best < x->n ? (double)s->scores[r.best] : 1);
  return WHET_OK;
}

static GstFlowReturn transform_ip(GstBaseTransform *t, GstBuffer *b) {
  GstWhetCascade *s = (GstWhetCascade *)t;
  WhetTensorsMeta *m = whet_tensors_get(b);
  whet_err err = {0};
  s->fed.come = TRUE;
  s->fed.tensors |= m != NULL;
  if (!m) return GST_FLOW_OK; /* a picture that the model did not see */
  if (decide(s, b, m, &err)) {
    GST_WHET_ERROR(s, STREAM, FAILED, &err);
    return GST_FLOW_ERROR;
  }
  if (!s->keep) gst_buffer_remove_meta(b, &m->meta);
  return GST_FLOW_OK;
}

/* The stream ends: corrections may still come. */
static gboolean sink_event(GstBaseTransform *t, GstEvent *e) {
  GstWhetCascade *s = (GstWhetCascade *)t;
  if (GST_EVENT_TYPE(e) == GST_EVENT_EOS) {
    gst_whet_fed_end((GstElement *)s, &s->fed);
    if (s->c && s->wait > 0) cascade_settle(s->c, s->wait);
  }
  return GST_BASE_TRANSFORM_CLASS(gst_whet_cascade_parent_class)->sink_event(t, e);
}

static void gst_whet_cascade_class_init(GstWhetCascadeClass *c) {
  GstBaseTransformClass *t = begin_class(c);
  gst_whet_class((GstElementClass *)c, GST_WHET_CAPS, "whet cascade", "Filter/Analyzer/Video",
                 "Hard pictures to a larger model elsewhere; its answers in time or as corrections");
  t->start = start;
  t->stop = stop;
  t->set_caps = set_caps;
  t->sink_event = sink_event;
  t->transform_ip = transform_ip;
}
