/* SPDX-License-Identifier: Apache-2.0 */
/* whetinfer: a model on every picture; its outputs as WhetTensorsMeta. */

#include <string.h>

#include "edge/pipe/picture.h"
#include "edge/pipe/tensor.h"
#include "plugins/gst/elements.h"
#include "plugins/gst/props.h"
#include "plugins/gst/tensors.h"

typedef struct GstWhetInfer {
  GstBaseTransform base;
  /* properties */
  char *model, *cpu, *range, *mean, *std;
  gint threads, fit, filter, color, layout, pad, every;
  gboolean exact;
  /* between start and stop */
  whet_session *session;
  pipe_picture *pic;
  GstVideoInfo info;
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
    {"fit", GST_WHET_CHOICE, AT(fit), 0, 0, 0, "stretch|crop|letterbox", "How a picture meets an input of another aspect"},
    {"filter", GST_WHET_CHOICE, AT(filter), 0, 0, 0, "antialias|bilinear|area|nearest", "How it is resized"},
    {"color", GST_WHET_CHOICE, AT(color), 0, 0, 0, "rgb|bgr", "Order of the input's channels"},
    {"layout", GST_WHET_CHOICE, AT(layout), 0, 0, 0, "auto|nchw|nhwc", "Where the input's channels stand"},
    {"range", GST_WHET_STR, AT(range), 0, 0, 0, NULL, "LO,HI: what samples 0 and 255 stand for, before mean and std"},
    {"mean", GST_WHET_STR, AT(mean), 0, 0, 0, NULL, "Subtracted: a number, or one for each channel (127 or 0.4,0.5,0.5)"},
    {"std", GST_WHET_STR, AT(std), 0, 0, 0, NULL, "Divided by: a number, or one for each channel"},
    {"pad", GST_WHET_INT, AT(pad), 0, 255, 0, NULL, "Sample around a letterboxed picture"},
    {"every", GST_WHET_INT, AT(every), 1, 1000000, 1, NULL, "The model sees every so many-th picture; others go through"},
    {0}};
GST_WHET_PROPS(k_props)

/* The settings of the picture's way into the input. */
static whet_status picture_opts(GstWhetInfer *s, pipe_picture_opts *o, whet_err *err) {
  float range[2];
  *o = (pipe_picture_opts){.order = (pipe_order)s->layout,
                           .fit = (whet_fit)s->fit,
                           .filter = (whet_filter)s->filter,
                           .bgr = s->color == 1,
                           .pad = (uint8_t)s->pad,
                           .cpu = s->cpu};
  int n = gst_whet_numbers(s->range, range, 2);
  o->n_mean = gst_whet_numbers(s->mean, o->mean, 4);
  o->n_std = gst_whet_numbers(s->std, o->std, 4);
  if (n == -1 || n == 1 || (n == 2 && range[0] == range[1]))
    return edge_fail(err, WHET_E_DATA, "range \"%.60s\": expected two different numbers, as 0,1", s->range);
  if (o->n_mean < 0) return edge_fail(err, WHET_E_DATA, "mean \"%.60s\": expected numbers, as 127 or 0.4,0.5,0.5", s->mean);
  if (o->n_std < 0) return edge_fail(err, WHET_E_DATA, "std \"%.60s\": expected numbers, as 128 or 0.2,0.2,0.3", s->std);
  for (int i = 0; i < o->n_std; i++)
    if (!(o->std[i] > 0)) return edge_fail(err, WHET_E_DATA, "std \"%.60s\": expected numbers above 0", s->std);
  o->ranged = n == 2 || o->n_mean || o->n_std;
  o->lo = n == 2 ? range[0] : 0;
  o->hi = n == 2 ? range[1] : 255;
  return WHET_OK;
}

static gboolean stop(GstBaseTransform *t) {
  GstWhetInfer *s = (GstWhetInfer *)t;
  pipe_picture_close(&s->pic);
  whet_session_close(&s->session);
  return TRUE;
}

static gboolean start(GstBaseTransform *t) {
  GstWhetInfer *s = (GstWhetInfer *)t;
  whet_err err = {0};
  whet_model *m = NULL;
  whet_program *p = NULL;
  whet_info info;
  pipe_picture_opts o;
  whet_program_opts po = whet_program_opts_default();
  po.threads = s->threads;
  po.exact = s->exact;
  po.cpu = s->cpu;
  whet_status st = s->model && *s->model
                       ? whet_model_open(s->model, NULL, &m, &err)
                       : edge_fail(&err, WHET_E_DATA, "the property model is not set: expected a .onnx, .tflite or .whet file");
  if (!st) st = picture_opts(s, &o, &err);
  if (!st) st = whet_program_create(m, &po, &p, &err);
  if (!st) st = whet_session_create(p, &s->session, &err);
  if (!st && whet_model_inputs(m) != 1)
    st = edge_fail(&err, WHET_E_UNSUPPORTED, "%s has %zu inputs; expected one, a picture", s->model, whet_model_inputs(m));
  if (!st) st = whet_model_input(m, 0, &info);
  if (!st) st = pipe_picture_create(&info, whet_model_format(m) == WHET_FORMAT_ONNX, &o, &s->pic, &err);
  whet_program_close(&p);
  whet_model_close(&m);
  s->count = 0;
  if (!st) return TRUE;
  stop(t);
  GST_WHET_ERROR(s, RESOURCE, OPEN_READ, &err);
  return FALSE;
}

static gboolean set_caps(GstBaseTransform *t, GstCaps *in, GstCaps *out) {
  return gst_video_info_from_caps(&((GstWhetInfer *)t)->info, in);
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

static GstFlowReturn transform_ip(GstBaseTransform *t, GstBuffer *b) {
  GstWhetInfer *s = (GstWhetInfer *)t;
  GstVideoFrame f;
  whet_err err = {0};
  if (GST_BUFFER_FLAG_IS_SET(b, GST_BUFFER_FLAG_GAP) || s->count++ % (guint64)s->every) return GST_FLOW_OK;
  WhetTensorsMeta *m = whet_tensors_add(b); /* first: a mapped frame holds the buffer, which is not writable then */
  if (!gst_video_frame_map(&f, &s->info, b, GST_MAP_READ)) {
    GST_ELEMENT_ERROR(s, STREAM, FORMAT, ("a buffer of %" G_GSIZE_FORMAT " bytes holds no picture of these caps", gst_buffer_get_size(b)),
                      (NULL));
    return GST_FLOW_ERROR;
  }
  whet_status st = run(s, &f, m, &err);
  gst_video_frame_unmap(&f);
  if (!st) st = take(s, m, &err);
  if (!st) return GST_FLOW_OK;
  gst_buffer_remove_meta(b, &m->meta);
  GST_WHET_ERROR(s, STREAM, FAILED, &err);
  return GST_FLOW_ERROR;
}

static void finalize(GObject *o) {
  gst_whet_props_free(o, k_props);
  G_OBJECT_CLASS(gst_whet_infer_parent_class)->finalize(o);
}

static void gst_whet_infer_class_init(GstWhetInferClass *c) {
  GObjectClass *o = (GObjectClass *)c;
  GstBaseTransformClass *t = (GstBaseTransformClass *)c;
  o->set_property = set_property;
  o->get_property = get_property;
  o->finalize = finalize;
  gst_whet_props_install(o, k_props);
  gst_whet_class((GstElementClass *)c, GST_WHET_CAPS, "whet inference", "Filter/Analyzer/Video",
                 "Runs a model on pictures; its outputs travel as WhetTensorsMeta");
  t->start = start;
  t->stop = stop;
  t->set_caps = set_caps;
  t->transform_ip = transform_ip;
  t->transform_ip_on_passthrough = FALSE;
}

static void gst_whet_infer_init(GstWhetInfer *s) {
  gst_whet_props_init((GObject *)s, k_props);
  gst_base_transform_set_in_place((GstBaseTransform *)s, TRUE);
}
