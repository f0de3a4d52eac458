/* SPDX-License-Identifier: Apache-2.0 */
/* whetinfer: a model on every picture, or on windows of sound; its outputs as WhetTensorsMeta. */

#include <string.h>

#include "edge/pipe/picture.h"
#include "edge/pipe/tensor.h"
#include "plugins/gst/elements.h"
#include "plugins/gst/picture.h"
#include "plugins/gst/sound.h"
#include "plugins/gst/tensors.h"

typedef struct GstWhetInfer {
  GstBaseTransform base;
  /* properties */
  char *model, *cpu;
  gint threads, every;
  gboolean exact, post;
  gst_whet_way way;
  gst_whet_hearing hearing;
  /* between start and stop */
  whet_session *session;
  whet_info input;
  bool first; /* channels stand first where the shape leaves it open */
  pipe_picture *pic;
  GstVideoInfo info;
  gst_whet_sound *sound; /* NULL: pictures */
  guint64 count;
} GstWhetInfer;
typedef struct GstWhetInferClass {
  GstBaseTransformClass base;
} GstWhetInferClass;

G_DEFINE_TYPE(GstWhetInfer, gst_whet_infer, GST_TYPE_BASE_TRANSFORM)

#define AT(field) offsetof(GstWhetInfer, field)
static const gst_whet_prop k_props[] = {
    {"model", GST_WHET_STR, AT(model), 0, 0, 0, NULL, "File of the model: .onnx, .tflite or .whet"},
    {"threads", GST_WHET_INT, AT(threads), 0, 1024, 1, NULL, "Threads of one run; 0: all that the process may use"},
    {"exact", GST_WHET_BOOL, AT(exact), 0, 0, 0, NULL, "The same bytes on every CPU"},
    {"cpu", GST_WHET_STR, AT(cpu), 0, 0, 0, NULL, "Highest instruction set that is used, as c, avx2, neon"},
    GST_WHET_WAY(GstWhetInfer),
    {"every", GST_WHET_INT, AT(every), 1, 1000000, 1, NULL,
     "The model sees every so many-th picture; others go through"},
    GST_WHET_HEARING(GstWhetInfer),
    {"post", GST_WHET_BOOL, AT(post), 0, 0, 0, NULL, "Post the message whet-tensors for every run"},
    {0}};
GST_WHET_ELEMENT(GstWhetInfer, gst_whet_infer, k_props)

static gboolean stop(GstBaseTransform *t) {
  GstWhetInfer *s = (GstWhetInfer *)t;
  pipe_picture_close(&s->pic);
  gst_whet_sound_close(&s->sound);
  whet_session_close(&s->session);
  return TRUE;
}

static gboolean start(GstBaseTransform *t) {
  GstWhetInfer *s = (GstWhetInfer *)t;
  whet_err err = {0};
  whet_model *m = NULL;
  whet_program *p = NULL;
  pipe_picture_opts o;
  whet_program_opts po = whet_program_opts_default();
  po.threads = s->threads;
  po.exact = s->exact;
  po.cpu = s->cpu;
  whet_status st =
      s->model && *s->model
          ? whet_model_open(s->model, NULL, &m, &err)
          : edge_fail(&err, WHET_E_DATA, "the property model is not set: expected a .onnx, .tflite or .whet file");
  if (!st) st = gst_whet_way_opts(&s->way, &o, &err);
  if (!st) st = whet_program_create(m, &po, &p, &err);
  if (!st) st = whet_session_create(p, &s->session, &err);
  if (!st && whet_model_inputs(m) != 1)
    st = edge_fail(&err, WHET_E_UNSUPPORTED, "%s has %zu inputs; expected one, a picture or sound", s->model,
                   whet_model_inputs(m));
  if (!st) st = whet_session_input_info(s->session, 0, &s->input);
  s->first = !st && whet_model_format(m) == WHET_FORMAT_ONNX;
  whet_program_close(&p);
  whet_model_close(&m);
  s->count = 0;
  if (!st) return TRUE;
  stop(t);
  GST_WHET_ERROR(s, RESOURCE, OPEN_READ, &err);
  return FALSE;
}

/* The shape of what comes is known: the way into the model's input is made. */
static gboolean set_caps(GstBaseTransform *t, GstCaps *in, GstCaps *out) {
  GstWhetInfer *s = (GstWhetInfer *)t;
  whet_err err = {0};
  whet_status st;
  (void)out;
  pipe_picture_close(&s->pic);
  gst_whet_sound_close(&s->sound);
  if (!strcmp(gst_structure_get_name(gst_caps_get_structure(in, 0)), "audio/x-raw")) {
    GstAudioInfo info;
    st = gst_audio_info_from_caps(&info, in) ? gst_whet_sound_create(&s->hearing, &info, &s->input, &s->sound, &err)
                                             : edge_fail(&err, WHET_E_DATA, "these caps are no sound");
  } else {
    pipe_picture_opts o;
    st = gst_whet_way_opts(&s->way, &o, &err);
    o.cpu = s->cpu;
    if (!st && !gst_video_info_from_caps(&s->info, in))
      st = edge_fail(&err, WHET_E_DATA, "these caps are no picture");
    if (!st) st = pipe_picture_create(&s->input, s->first, &o, &s->pic, &err);
  }
  if (!st) return TRUE;
  GST_WHET_ERROR(s, STREAM, FORMAT, &err);
  return FALSE;
}

/* The picture into the model's input, and a run. */
static whet_status run(GstWhetInfer *s, GstVideoFrame *f, WhetTensorsMeta *m, whet_err *err) {
  whet_picture pic = gst_whet_picture(f);
  whet_info now;
  int64_t dims[WHET_MAX_RANK];
  int32_t rank;
  size_t need, have;
  EDGE_TRY(pipe_picture_shape(s->pic, pic.width, pic.height, &rank, dims, &need, err));
  EDGE_TRY(whet_session_input_info(s->session, 0, &now));
  bool same = now.rank == rank;
  for (int32_t i = 0; same && i < rank; i++) same = now.dims[i] == dims[i];
  if (!same) EDGE_TRY(whet_session_resize(s->session, 0, rank, dims, err));
  void *to = whet_session_input(s->session, 0, &have, err);
  if (!to) return err->code ? err->code : WHET_E_SHAPE;
  EDGE_TRY(pipe_picture_run(s->pic, &pic, to, have, err));
  EDGE_TRY(pipe_picture_placed(s->pic, pic.width, pic.height, &m->place, err));
  pipe_picture_size(s->pic, &m->in_width, &m->in_height);
  m->width = pic.width;
  m->height = pic.height;
  return whet_session_run(s->session, NULL, err);
}

/* Copy the outputs. */
static whet_status take(GstWhetInfer *s, WhetTensorsMeta *m, whet_err *err) {
  pipe_tensor t[WHET_TENSORS_MOST];
  size_t at = 0;
  for (size_t i = 0; i < whet_session_outputs(s->session) && i < WHET_TENSORS_MOST; i++) {
    EDGE_TRY(pipe_tensor_output(s->session, i, &t[i], err));
    WhetTensor *o = &m->tensor[i];
    g_strlcpy(o->name, t[i].name ? t[i].name : "", sizeof o->name);
    o->dtype = t[i].dtype;
    o->rank = t[i].rank;
    memcpy(o->dims, t[i].dims, sizeof o->dims);
    o->n = t[i].n;
    o->bytes = whet_dtype_bytes(t[i].dtype, t[i].n);
    o->at = at;
    if (t[i].quant.n > 1)
      return edge_fail(err, WHET_E_UNSUPPORTED, "output \"%.60s\" has a scale for each channel", o->name);
    o->quant = t[i].quant.n == 1;
    if (o->quant) o->scale = t[i].quant.scale[0], o->zero = t[i].quant.zero ? t[i].quant.zero[0] : 0;
    at += (o->bytes + 63) / 64 * 64;
    m->n++;
  }
  char *all = g_malloc(at ? at : 1);
  for (guint i = 0; i < m->n; i++)
    if (m->tensor[i].bytes) memcpy(all + m->tensor[i].at, t[i].data, m->tensor[i].bytes);
  m->data = g_bytes_new_take(all, at);
  return WHET_OK;
}

/* One window of sound, which ends within the buffer. */
struct heard {
  GstWhetInfer *s;
  GstBuffer *b;
};
static whet_status hear(void *user, const float *v, size_t n, GstClockTime at, GstClockTime until, whet_err *err) {
  const struct heard *h = user;
  GstWhetInfer *s = h->s;
  size_t bytes;
  void *to = whet_session_input(s->session, 0, &bytes, err);
  if (!to) return err->code ? err->code : WHET_E_SHAPE;
  if (bytes != whet_dtype_bytes(s->input.dtype, n))
    return edge_fail(err, WHET_E_SHAPE, "the input \"%.60s\" has %zu bytes, a window %zu numbers", s->input.name,
                     bytes, n);
  EDGE_TRY(pipe_tensor_put(&s->input, s->hearing.raw, s->hearing.scale, v, n, to, err));
  EDGE_TRY(whet_session_run(s->session, NULL, err));
  WhetTensorsMeta *m = whet_tensors_add(h->b);
  m->at = at, m->until = until;
  whet_status st = take(s, m, err);
  if (!st && s->post) gst_whet_tensors_post((GstElement *)s, m);
  if (st) gst_buffer_remove_meta(h->b, &m->meta);
  return st;
}

static GstFlowReturn listen_ip(GstWhetInfer *s, GstBuffer *b) {
  whet_err err = {0};
  struct heard h = {s, b};
  if (!gst_whet_sound_take(s->sound, b, hear, &h, &err)) return GST_FLOW_OK;
  GST_WHET_ERROR(s, STREAM, FAILED, &err);
  return GST_FLOW_ERROR;
}

static GstFlowReturn transform_ip(GstBaseTransform *t, GstBuffer *b) {
  GstWhetInfer *s = (GstWhetInfer *)t;
  GstVideoFrame f;
  whet_err err = {0};
  if (s->sound) return listen_ip(s, b);
  if (GST_BUFFER_FLAG_IS_SET(b, GST_BUFFER_FLAG_GAP) || s->count++ % (guint64)s->every) return GST_FLOW_OK;
  WhetTensorsMeta *m = whet_tensors_add(b); /* first: a mapped frame holds the buffer, which is not writable then */
  if (!gst_video_frame_map(&f, &s->info, b, GST_MAP_READ)) {
    GST_ELEMENT_ERROR(
        s, STREAM, FORMAT,
        ("a buffer of %" G_GSIZE_FORMAT " bytes holds no picture of these caps", gst_buffer_get_size(b)), (NULL));
    return GST_FLOW_ERROR;
  }
  whet_status st = run(s, &f, m, &err);
  gst_video_frame_unmap(&f);
  if (!st) st = take(s, m, &err);
  if (!st) {
    m->at = m->until = GST_BUFFER_PTS(b);
    if (s->post) gst_whet_tensors_post((GstElement *)s, m);
    return GST_FLOW_OK;
  }
  gst_buffer_remove_meta(b, &m->meta);
  GST_WHET_ERROR(s, STREAM, FAILED, &err);
  return GST_FLOW_ERROR;
}

static void gst_whet_infer_class_init(GstWhetInferClass *c) {
  GstBaseTransformClass *t = begin_class(c);
  gst_whet_class((GstElementClass *)c, GST_WHET_CAPS "; " GST_WHET_SOUND_CAPS, "whet inference",
                 "Filter/Analyzer/Video/Audio",
                 "Runs a model on pictures or on windows of sound; its outputs travel as WhetTensorsMeta");
  t->start = start;
  t->stop = stop;
  t->set_caps = set_caps;
  t->transform_ip = transform_ip;
}
