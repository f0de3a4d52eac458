/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a version and its instances. */

#include "edge/serve/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/wait.h"

enum { MOST_OUTPUTS = 16 };

static void instance_free(serve_version *v, serve_instance *i) {
  (void)v;
  if (!i) return;
  whet_session_close(&i->s);
  pipe_picture_close(&i->picture);
  pipe_detect_close(&i->detect);
  free(i->rank);
  free(i->dims);
  free(i);
}

static whet_status instance_new(serve_version *v, serve_instance **out, whet_err *err) {
  serve_instance *i = calloc(1, sizeof *i);
  *out = NULL;
  if (i) {
    i->rank = malloc((v->n_in + 1) * sizeof *i->rank);
    i->dims = calloc(v->n_in + 1, sizeof *i->dims);
  }
  if (!i || !i->rank || !i->dims) {
    instance_free(v, i);
    return edge_fail(err, WHET_E_MEMORY, "no memory for an instance of \"%s\"", v->name);
  }
  for (size_t k = 0; k < v->n_in; k++) i->rank[k] = -1;
  whet_status s = whet_session_create(v->program, &i->s, err);
  if (s) {
    instance_free(v, i);
    return s;
  }
  *out = i;
  return WHET_OK;
}

whet_status instance_shape(serve_instance *i, size_t input, int32_t rank, const int64_t *dims, whet_err *err) {
  if (i->rank[input] == rank && !memcmp(i->dims[input], dims, (size_t)rank * sizeof *dims)) return WHET_OK;
  i->rank[input] = -1;
  EDGE_TRY(whet_session_resize(i->s, input, rank, dims, err));
  i->rank[input] = rank;
  memcpy(i->dims[input], dims, (size_t)rank * sizeof *dims);
  return WHET_OK;
}

whet_status instance_objects(serve_version *v, serve_instance *i, int32_t width, int32_t height,
                             const pipe_object **out, size_t *n, whet_err *err) {
  pipe_tensor t[MOST_OUTPUTS];
  whet_prep_place place;
  int32_t w, h;
  if (v->n_out > MOST_OUTPUTS)
    return edge_fail(err, WHET_E_UNSUPPORTED, "detect: more than %d outputs", MOST_OUTPUTS);
  if (!i->detect) EDGE_TRY(pipe_detect_create(&v->set.c.detect, &i->detect, err));
  for (size_t k = 0; k < v->n_out; k++) EDGE_TRY(pipe_tensor_output(i->s, k, &t[k], err));
  pipe_picture_size(i->picture, &w, &h);
  EDGE_TRY(pipe_picture_placed(i->picture, width, height, &place, err));
  return pipe_detect_run(i->detect, t, v->n_out, w, h, &place, width, height, out, n, err);
}

/* One that is idle or may be made; when there is none, wait until that time (0: not at all). */
static serve_instance *take(serve_version *v, int64_t until, whet_err *err) {
  bool make = false;
  pthread_mutex_lock(&v->lock);
  v->wanted++;
  while (until && !v->idle && v->made >= v->most)
    if (!edge_wait(&v->given, &v->lock, until)) break;
  v->wanted--;
  serve_instance *i = v->idle;
  if (i)
    v->idle = i->next;
  else if (v->made < v->most)
    make = true, v->made++;
  pthread_mutex_unlock(&v->lock);
  if (!make || !instance_new(v, &i, err)) return i;
  pthread_mutex_lock(&v->lock);
  v->made--;
  pthread_mutex_unlock(&v->lock);
  return NULL;
}

serve_instance *version_take(serve_version *v, whet_err *err) { return take(v, 0, err); }

serve_instance *version_wait(serve_version *v, int64_t until, whet_err *err) {
  serve_instance *i = take(v, until, err);
  if (!i && !err->code) edge_fail(err, WHET_E_DEADLINE, "all instances of model \"%s\" are busy", v->name);
  return i;
}

void version_give(serve_version *v, serve_instance *i) {
  pthread_mutex_lock(&v->lock);
  i->next = v->idle;
  v->idle = i;
  if (v->wanted) pthread_cond_signal(&v->given);
  pthread_mutex_unlock(&v->lock);
}

bool version_free(serve_version *v) {
  pthread_mutex_lock(&v->lock);
  bool yes = v->idle || v->made < v->most;
  pthread_mutex_unlock(&v->lock);
  return yes;
}

/* What the protocol says of an input or output; it must be a tensor of a type that it has a name for. */
static whet_status declare(const whet_info *info, const char *what, serve_io *out, whet_err *err) {
  *out = (serve_io){.name = info->name, .rank = info->rank};
  if (info->kind != WHET_TENSOR)
    return edge_fail(err, WHET_E_UNSUPPORTED,
                     "%s \"%.80s\" is a sequence, map or optional, which the protocol cannot carry", what,
                     info->name);
  out->type = dtype_of(info->dtype);
  if (!out->type)
    return edge_fail(err, WHET_E_UNSUPPORTED, "%s \"%.80s\" is %s, for which the protocol has no name", what,
                     info->name, whet_dtype_name(info->dtype));
  for (int32_t i = 0; i < info->rank; i++) out->dims[i] = info->dims[i];
  return WHET_OK;
}

static whet_status declare_all(serve_version *v, whet_err *err) {
  whet_info info;
  v->n_in = whet_model_inputs(v->model);
  v->n_out = whet_model_outputs(v->model);
  v->in = calloc(v->n_in + 1, sizeof *v->in);
  v->out = calloc(v->n_out + 1, sizeof *v->out);
  if (!v->in || !v->out) return edge_fail(err, WHET_E_MEMORY, "no memory for a model");
  if (v->n_in + v->n_out > 4096) return edge_fail(err, WHET_E_LIMIT, "more than 4096 inputs and outputs");
  for (size_t i = 0; i < v->n_in; i++) {
    EDGE_TRY(whet_model_input(v->model, i, &info));
    EDGE_TRY(declare(&info, "input", &v->in[i], err));
    v->strings |= !v->in[i].type->bytes;
  }
  for (size_t i = 0; i < v->n_out; i++) {
    EDGE_TRY(whet_model_output(v->model, i, &info));
    EDGE_TRY(declare(&info, "output", &v->out[i], err));
    v->strings |= !v->out[i].type->bytes;
  }
  return WHET_OK;
}

/* Runs that share rows: the first dimension of every input and output must be the number of rows. */
static whet_status check_batch(serve_version *v, serve_instance *i, whet_err *err) {
  whet_info info;
  if (v->strings) return edge_fail(err, WHET_E_UNSUPPORTED, "batch: the model has inputs or outputs of BYTES");
  if (v->stateful) return edge_fail(err, WHET_E_UNSUPPORTED, "batch: the model has variables");
  for (size_t k = 0; k < v->n_in; k++) {
    if (v->in[k].rank < 1)
      return edge_fail(err, WHET_E_SHAPE, "batch: input \"%.80s\" has no first dimension", v->in[k].name);
    int64_t dims[WHET_MAX_RANK];
    for (int32_t d = 0; d < v->in[k].rank; d++)
      dims[d] = d ? (v->in[k].dims[d] < 0 ? 1 : v->in[k].dims[d]) : v->set.c.batch_max;
    if (instance_shape(i, k, v->in[k].rank, dims, err))
      return edge_fail_in(err, "batch: %lld rows", (long long)dims[0]);
  }
  for (size_t k = 0; k < v->n_in; k++)
    if (!whet_session_input(i->s, k, NULL, err))
      return edge_fail_in(err, "batch: %lld rows", (long long)v->set.c.batch_max);
  for (size_t k = 0; k < v->n_out; k++) {
    EDGE_TRY(whet_session_output_info(i->s, k, &info));
    if (info.rank < 1 || (info.dims[0] != v->set.c.batch_max && info.dims[0] >= 0))
      return edge_fail(err, WHET_E_SHAPE,
                       "batch: the first dimension of output \"%.80s\" does not follow that of the inputs",
                       v->out[k].name);
  }
  return WHET_OK;
}

/* Run twice on zeros where the shapes are known, so that plans are made and the time of a run is known. A model that
 * zeros do not suit is served all the same. */
static void warm_up(serve_version *v, serve_instance *i) {
  whet_err err = {0};
  size_t bytes;
  int64_t began = 0;
  whet_run_opts o = {.size = sizeof o, .deadline_ms = (int64_t)(v->set.c.deadline * 1e3) + 1};
  for (size_t k = 0; k < v->n_in; k++) {
    if (!v->in[k].type->bytes || v->in[k].rank < 0) return;
    int64_t dims[WHET_MAX_RANK];
    for (int32_t d = 0; d < v->in[k].rank; d++) dims[d] = v->in[k].dims[d] < 0 ? 1 : v->in[k].dims[d];
    if (instance_shape(i, k, v->in[k].rank, dims, &err)) return;
  }
  for (size_t k = 0; k < v->n_in; k++) {
    void *p = whet_session_input(i->s, k, &bytes, &err);
    if (!p) return;
    memset(p, 0, bytes);
  }
  for (int run = 0; run < 2; run++) {
    began = edge_now();
    if (whet_session_run(i->s, &o, &err)) return;
  }
  v->run_ns = edge_now() - began;
}

/* Detectors: do the outputs of the run that warmed it up fit the settings? */
static whet_status check_detect(serve_version *v, serve_instance *i, whet_err *err) {
  const pipe_object *o;
  size_t n;
  whet_err why = {0};
  int32_t w, h;
  if (!v->set.c.detects || !v->run_ns) return WHET_OK;
  pipe_picture_size(i->picture, &w, &h);
  if (instance_objects(v, i, w, h, &o, &n, &why) != WHET_E_SHAPE) return WHET_OK;
  return edge_fail(err, WHET_E_SHAPE, "detect: %s", why.text);
}

/* The names of classes, in the version's folder or the model's. */
static whet_status read_labels(serve_version *v, const version_source *from, whet_err *err) {
  char path[4096];
  const char *folder[] = {from->folder, from->model_folder};
  if (!v->set.c.labels) return WHET_OK;
  for (int i = 0; i < 2; i++) {
    if (snprintf(path, sizeof path, "%s/%s", folder[i], v->set.c.labels) >= (int)sizeof path) break;
    if (!access(path, R_OK)) return pipe_labels_open(path, &v->labels, err);
  }
  return edge_fail(err, WHET_E_IO, "labels: there is no %s in the model's folder", v->set.c.labels);
}

static whet_status load(serve_version *v, const version_source *from, whet_err *err) {
  whet_cost cost = {.size = sizeof cost};
  whet_info info;
  EDGE_TRY(config_open(from->config, from->deadline, &v->set, err));
  EDGE_TRY(read_labels(v, from, err));
  whet_model_opts mo = whet_model_opts_default();
  mo.map = WHET_MAP_PRIVATE_COPY;
  mo.allocator = heap_allocator(v->heap);
  mo.limits.memory_bytes = v->set.c.memory;
  EDGE_TRY(whet_model_open(from->file, &mo, &v->model, err));
  EDGE_TRY(declare_all(v, err));
  whet_program_opts po = whet_program_opts_default();
  po.threads = (int)v->set.c.threads;
  po.cpu = from->cpu;
  EDGE_TRY(whet_program_create(v->model, &po, &v->program, err));
  if (!whet_program_cost(v->program, &cost, NULL)) v->stateful = cost.variable_bytes > 0;
  v->most = (int)v->set.c.instances;
  if (!v->most) v->most = whet_pool_width(NULL);
  if (v->most < 1) v->most = 1;
  serve_instance *i = version_take(v, err);
  if (!i) return err->code ? err->code : WHET_E_INTERNAL;
  whet_status s = v->set.c.batch_max ? check_batch(v, i, err) : WHET_OK;
  if (!s && (v->set.c.picture || v->set.c.detects)) {
    if (v->n_in != 1)
      s = edge_fail(err, WHET_E_UNSUPPORTED, "picture: the model has %zu inputs, expected is one", v->n_in);
    else if (!(s = whet_model_input(v->model, 0, &info)))
      s = pipe_picture_create(&info, whet_model_format(v->model) == WHET_FORMAT_ONNX, &v->set.c.pic, &i->picture,
                              err);
  }
  if (!s) {
    warm_up(v, i);
    s = check_detect(v, i, err);
  }
  version_give(v, i);
  if (!s && from->check) s = from->check(from->check_user, from->folder, v->program, err);
  return s;
}

whet_status version_open(const version_source *from, serve_version **out, whet_err *err) {
  *out = NULL;
  serve_version *v = calloc(1, sizeof *v);
  if (v) v->heap = heap_create();
  if (!v || !v->heap) {
    free(v);
    return edge_fail(err, WHET_E_MEMORY, "no memory for a model");
  }
  v->refs = 1;
  v->number = from->number;
  snprintf(v->name, sizeof v->name, "%s", from->name);
  snprintf(v->text, sizeof v->text, "%lld", (long long)from->number);
  pthread_mutex_init(&v->lock, NULL);
  edge_cond_init(&v->given);
  whet_status s = load(v, from, err);
  if (s) {
    version_close(&v);
    return s;
  }
  v->gone = from->gone;
  v->gone_user = from->gone_user;
  *out = v;
  return WHET_OK;
}

serve_version *version_ref(serve_version *v) {
  atomic_fetch_add(&v->refs, 1);
  return v;
}

void version_unref(serve_version **at) {
  serve_version *v = *at;
  *at = NULL;
  if (!v || atomic_fetch_sub(&v->refs, 1) > 1) return;
  if (v->gone)
    v->gone(v->gone_user, v);
  else
    version_close(&v);
}

void version_close(serve_version **at) {
  serve_version *v = *at;
  *at = NULL;
  while (v->idle) {
    serve_instance *i = v->idle;
    v->idle = i->next;
    instance_free(v, i);
  }
  whet_program_close(&v->program);
  whet_model_close(&v->model);
  heap_close(&v->heap);
  pipe_labels_close(&v->labels);
  config_close(&v->set);
  pthread_cond_destroy(&v->given);
  pthread_mutex_destroy(&v->lock);
  free(v->in);
  free(v->out);
  free(v);
}
