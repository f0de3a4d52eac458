/* SPDX-License-Identifier: Apache-2.0 */
/* whet_model: opening and closing, and what its public calls answer. */

#include "format/model.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "format/import.h"
#include "format/whet_file.h"

enum { DEFAULT_NODES = 1000000, DEFAULT_DEPTH = 32, MOST_DEPTH = 60 }; /* a graph's verifier takes no more */

whet_model_opts whet_model_opts_default(void) {
  return (whet_model_opts){.size = sizeof(whet_model_opts), .limits.size = sizeof(whet_limits)};
}

/* Options of the caller, checked. */
static whet_status take_opts(const whet_model_opts *o, whet_model_opts *out, whet_err *err) {
  *out = whet_model_opts_default();
  WHET_TRY(whet__take_opts("whet_model_opts", o, sizeof *out, out, err));
  if (out->rules && strcmp(out->rules, "litert") && strcmp(out->rules, "micro"))
    return whet__fail(err, WHET_E_NAME, "rules \"%.40s\": expected \"litert\" or \"micro\"", out->rules);
  if (out->limits.nodes < 0 || out->limits.depth < 0 || out->limits.load_ms < 0)
    return whet__fail(err, WHET_E_MISUSE, "a limit is negative");
  for (size_t i = 0; i < out->n_inputs; i++)
    if (!out->inputs || !out->inputs[i]) return whet__fail(err, WHET_E_MISUSE, "input %zu has no name", i);
  for (size_t i = 0; i < out->n_custom; i++)
    if (!out->custom || !out->custom[i] || out->custom[i]->size < sizeof(whet_custom_domain))
      return whet__fail(err, WHET_E_MISUSE, "custom domain %zu: no domain, or its size field is not set", i);
  for (size_t i = 0; i < out->n_initializers; i++) {
    const whet_initializer *x = out->initializers ? &out->initializers[i] : NULL;
    if (!x || !x->name || !x->data || x->rank < 0 || x->rank > WHET_MAX_RANK || (x->rank && !x->dims))
      return whet__fail(err, WHET_E_MISUSE, "initializer %zu: no name, contents or dimensions", i);
  }
  for (size_t i = 0; i < out->n_data_files; i++)
    if (!out->data_files || !out->data_files[i].name || (out->data_files[i].n && !out->data_files[i].bytes))
      return whet__fail(err, WHET_E_MISUSE, "data file %zu: no name or no bytes", i);
  return WHET_OK;
}

whet_model *whet__model_new(const whet_model_opts *o, whet_err *err) {
  whet_mem root;
  whet__mem_init(&root, NULL, o->allocator, o->limits.memory_bytes);
  whet_model *m = whet__alloc0(&root, sizeof *m);
  if (!m) {
    whet__no_memory(&root, sizeof *m, err, "a model");
    return NULL;
  }
  m->mem = root;
  atomic_init(&m->ref, 1);
  m->limits = o->limits;
  if (!m->limits.nodes) m->limits.nodes = DEFAULT_NODES;
  if (m->limits.nodes > INT32_MAX / 16) m->limits.nodes = INT32_MAX / 16;
  if (!m->limits.depth) m->limits.depth = DEFAULT_DEPTH;
  if (m->limits.depth > MOST_DEPTH) m->limits.depth = MOST_DEPTH;
  m->micro = o->rules && !strcmp(o->rules, "micro");
  m->copy = o->map == WHET_MAP_PRIVATE_COPY;
  m->log = o->log;
  m->log_user = o->log_user;
  m->custom = o->custom;
  m->n_custom = o->n_custom;
  whet__graph_init(&m->graph, &m->mem);
  return m;
}

static void destroy(whet_model *m) {
  whet_mem root;
  for (int32_t i = 0; i < m->n_file; i++) whet__file_close(&m->file[i]);
  whet__free(&m->mem, m->file);
  if (!m->base) { /* a derived model has those of its base */
    whet__free(&m->mem, m->source.tensor);
    whet__free(&m->mem, m->source.node);
    whet__free(&m->mem, m->meta);
  }
  whet__graph_free(&m->graph);
  whet_model_close(&m->base);
  root = m->mem; /* the account outlives the block that holds it */
  whet__free(&root, m);
}

/* The format that the caller asked for, or that the first bytes show. */
static whet_status detect(whet_model *m, whet_format asked, whet_err *err) {
  static const uint8_t k_none[8] = {0};
  const uint8_t *b = m->bytes;
  uint8_t first[8];
  if (!m->n_bytes) return whet__fail(err, WHET_E_FORMAT, "the file is empty");
  memcpy(first, k_none, 8);
  memcpy(first, b, m->n_bytes < 8 ? m->n_bytes : 8);
  m->format = asked;
  if (asked == WHET_FORMAT_AUTO)
    m->format = whet__whet_looks_like_model(b, m->n_bytes) ? WHET_FORMAT_WHET
                : whet__tf_looks_like_model(b, m->n_bytes) ? WHET_FORMAT_TFLITE
                : whet__ox_looks_like_model(b, m->n_bytes) ? WHET_FORMAT_ONNX
                                                           : WHET_FORMAT_AUTO;
  if (m->format == WHET_FORMAT_WHET && !whet__whet_looks_like_model(b, m->n_bytes))
    return whet__fail(err, WHET_E_FORMAT, "no .whet file: it begins with other bytes");
  if (m->format >= WHET_FORMAT_ONNX && m->format <= WHET_FORMAT_WHET) return WHET_OK;
  if (asked == WHET_FORMAT_AUTO)
    return whet__fail(
        err, WHET_E_FORMAT,
        "neither an ONNX nor a TFLite nor a .whet model: it begins with bytes %02x %02x %02x %02x %02x %02x %02x %02x", first[0],
        first[1], first[2], first[3], first[4], first[5], first[6], first[7]);
  return whet__fail(err, WHET_E_UNSUPPORTED, "no reader for format %d", (int)asked);
}

/* The graph is sound, seen from the main graph and from every signature. */
static whet_status verify(const whet_model *m, whet_err *err) {
  WHET_TRY(whet__graph_verify(&m->graph, err));
  for (int32_t i = 0; i < m->n_signature; i++) {
    whet_graph g = m->graph;
    g.main = *m->signature[i].region;
    if (whet__graph_verify(&g, err)) return whet__fail_in(err, "signature \"%.60s\"", m->signature[i].key);
  }
  return WHET_OK;
}

/* Read the model's bytes into its graph. */
static whet_status read_bytes(whet_model *m, const whet_model_opts *o, whet_err *err) {
  WHET_TRY(detect(m, o->format, err));
  if (o->n_inputs && m->format != WHET_FORMAT_ONNX)
    return whet__fail(err, WHET_E_NAME, "only ONNX models have initializers that can be inputs");
  whet_import im = {.m = m, .g = &m->graph, .opts = o, .err = err, .nodes = m->limits.nodes, .work = m->limits.nodes * 16};
  whet__arena_init(&im.tmp, &m->mem);
  im.symbols.mem = im.missing_names.mem = &m->mem;
  if (m->limits.load_ms) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    im.deadline_ns = t.tv_sec * INT64_C(1000000000) + t.tv_nsec + m->limits.load_ms * INT64_C(1000000);
  }
  whet_status s = m->format == WHET_FORMAT_ONNX     ? whet__onnx_read(&im)
                  : m->format == WHET_FORMAT_TFLITE ? whet__tflite_read(&im)
                                                    : whet__whet_read(&im);
  if (!s && im.no_memory) s = whet__im_no_memory(&im, err, 64, "the graph");
  if (!s || s == WHET_E_FORMAT || s == WHET_E_TYPE || s == WHET_E_SHAPE) s = whet__im_missing_error(&im, s);
  if (!s) s = whet__im_align(&im);
  whet__names_free(&im.symbols);
  whet__names_free(&im.missing_names);
  whet__free(&m->mem, im.missing);
  whet__free(&m->mem, im.cache);
  whet__arena_free(&im.tmp);
  return s ? s : verify(m, err);
}

/* The folder part of a path, in the model's memory. */
static char *folder_of(whet_model *m, const char *path) {
  const char *slash = strrchr(path, '/');
  return !slash ? whet__arena_str(&m->graph.arena, ".", 1)
                : whet__arena_str(&m->graph.arena, path, slash == path ? 1 : (size_t)(slash - path));
}

static whet_status open_path(whet_model *m, const char *path, const whet_model_opts *o, whet_err *err) {
  if (!whet__grow(&m->mem, (void **)&m->file, &m->cap_file, 1, sizeof *m->file) || !(m->folder = folder_of(m, path)))
    return whet__no_memory(&m->mem, strlen(path), err, "a model");
  WHET_TRY(whet__file_open(path, m->copy, &m->mem, &m->file[0], err));
  m->n_file = 1;
  m->bytes = m->file[0].p;
  m->n_bytes = m->file[0].n;
  if (read_bytes(m, o, err)) return whet__fail_in(err, "%.190s", path);
  return WHET_OK;
}

static whet_status open_bytes(whet_model *m, const void *bytes, size_t n, const whet_model_opts *o, whet_err *err) {
  m->bytes = bytes;
  m->n_bytes = n;
  if (m->copy) { /* kept as if it were a file that was read */
    uint8_t *copy = whet__alloc(&m->mem, n);
    if (!copy || !whet__grow(&m->mem, (void **)&m->file, &m->cap_file, 1, sizeof *m->file)) {
      whet__free(&m->mem, copy);
      return whet__no_memory(&m->mem, n, err, "a copy of the model");
    }
    memcpy(copy, bytes, n);
    m->file[m->n_file++] = (whet_file){.p = copy, .n = n, .mem = &m->mem};
    m->bytes = copy;
  }
  if (o->data_folder && !(m->folder = whet__arena_str(&m->graph.arena, o->data_folder, strlen(o->data_folder))))
    return whet__no_memory(&m->mem, strlen(o->data_folder), err, "a model");
  return read_bytes(m, o, err);
}

/* All ways of opening; path NULL: from memory. */
static whet_status open_any(const char *path, const void *bytes, size_t n, bool loose, const whet_model_opts *opts,
                            whet_model **out, whet_err *user) {
  whet_err err = {0};
  whet_model_opts o;
  whet_status s = take_opts(opts, &o, &err);
  whet_model *m = s ? NULL : whet__model_new(&o, &err);
  if (!s && !m) s = err.code;
  if (m) m->loose = loose;
  if (m) s = path ? open_path(m, path, &o, &err) : open_bytes(m, bytes, n, &o, &err);
  if (!s) {
    *out = m;
    return WHET_OK;
  }
  if (m) destroy(m);
  err.code = s;
  if (user) *user = err; /* whatever stood there: callers need not prepare it */
  return s;
}

whet_status whet_model_open(const char *path, const whet_model_opts *o, whet_model **out, whet_err *err) {
  if (out) *out = NULL;
  if (!path || !out) return whet__fail(err, WHET_E_MISUSE, "whet_model_open: path and out must be given");
  return open_any(path, NULL, 0, false, o, out, err);
}

whet_status whet__model_open_loose(const char *path, const whet_model_opts *o, whet_model **out, whet_err *err) {
  *out = NULL;
  return open_any(path, NULL, 0, true, o, out, err);
}

whet_status whet_model_open_memory(const void *bytes, size_t n, const whet_model_opts *o, whet_model **out,
                                   whet_err *err) {
  if (out) *out = NULL;
  if ((!bytes && n) || !out)
    return whet__fail(err, WHET_E_MISUSE, "whet_model_open_memory: bytes and out must be given");
  return open_any(NULL, bytes, n, false, o, out, err);
}

whet_model *whet_model_ref(whet_model *m) {
  if (m) atomic_fetch_add(&m->ref, 1);
  return m;
}

void whet_model_close(whet_model **m) {
  if (!m || !*m) return;
  if (atomic_fetch_sub(&(*m)->ref, 1) == 1) destroy(*m);
  *m = NULL;
}

void whet__model_log(const whet_model *m, int level, const char *fmt, ...) {
  char line[1200];
  va_list ap;
  if (!m->log) return;
  va_start(ap, fmt);
  vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  whet__one_line(line);
  m->log(m->log_user, level, line);
}

/* ---- what is in it ----------------------------------------------------------------------------------------------
 */

whet_format whet_model_format(const whet_model *m) { return m->format; }
size_t whet_model_inputs(const whet_model *m) { return (size_t)m->graph.main.n_in; }
size_t whet_model_outputs(const whet_model *m) { return (size_t)m->graph.main.n_out; }
size_t whet_model_overridables(const whet_model *m) { return (size_t)m->n_override; }

/* Shape and quantisation of a value or source tensor. */
static void fill_info(const whet_model *m, const whet_shape *s, const whet_quant *q, whet_info *out) {
  whet__graph_tell(&m->graph, s->rank, s->d, out);
  if (q && !q->block) out->quant = (whet_quant_info){q->n, q->axis, q->scale, q->zero};
}

void whet__model_info(const whet_model *m, int32_t value, whet_info *out) {
  const whet_val *v = &m->graph.val[value];
  *out = (whet_info){.name = v->name, .kind = (whet_kind)v->kind, .dtype = (whet_dtype)v->dtype};
  fill_info(m, &v->shape, v->q, out);
}

/* Number i of a list of values. */
static whet_status info_at(const whet_model *m, const int32_t *list, int32_t n, size_t i, whet_info *out) {
  if (!out || i >= (size_t)n) return WHET_E_MISUSE;
  whet__model_info(m, list[i], out);
  return WHET_OK;
}

whet_status whet_model_input(const whet_model *m, size_t i, whet_info *out) {
  return info_at(m, m->graph.main.in, m->graph.main.n_in, i, out);
}
whet_status whet_model_output(const whet_model *m, size_t i, whet_info *out) {
  return info_at(m, m->graph.main.out, m->graph.main.n_out, i, out);
}
whet_status whet_model_overridable(const whet_model *m, size_t i, whet_info *out) {
  return info_at(m, m->override, m->n_override, i, out);
}

const whet_signature *whet__model_signature(const whet_model *m, const char *key) {
  for (int32_t i = 0; i < m->n_signature; i++)
    if (!strcmp(m->signature[i].key, key)) return &m->signature[i];
  return NULL;
}

size_t whet_model_signatures(const whet_model *m) { return (size_t)m->n_signature; }

/* Signature i, or one without names past the end. */
static const whet_signature *signature(const whet_model *m, size_t i) {
  static const whet_signature k_none = {0};
  return i < (size_t)m->n_signature ? &m->signature[i] : &k_none;
}

const char *whet_model_signature_key(const whet_model *m, size_t i) { return signature(m, i)->key; }
size_t whet_model_signature_inputs(const whet_model *m, size_t i) { return (size_t)signature(m, i)->n_in; }
size_t whet_model_signature_outputs(const whet_model *m, size_t i) { return (size_t)signature(m, i)->n_out; }
const char *whet_model_signature_input(const whet_model *m, size_t i, size_t k) {
  const whet_signature *s = signature(m, i);
  return k < (size_t)s->n_in ? s->name_in[k] : NULL;
}
const char *whet_model_signature_output(const whet_model *m, size_t i, size_t k) {
  const whet_signature *s = signature(m, i);
  return k < (size_t)s->n_out ? s->name_out[k] : NULL;
}

size_t whet_model_tensors(const whet_model *m) { return (size_t)m->source.n_main; }

void whet__model_source_info(const whet_model *m, int32_t i, whet_info *out) {
  const whet_source_tensor *t = &m->source.tensor[i];
  *out = (whet_info){.name = t->name, .kind = (whet_kind)t->kind, .dtype = (whet_dtype)t->dtype};
  fill_info(m, &t->shape, t->q, out);
}

whet_status whet_model_tensor(const whet_model *m, size_t i, whet_info *out) {
  if (!out || i >= (size_t)m->source.n_main) return WHET_E_MISUSE;
  whet__model_source_info(m, (int32_t)i, out);
  return WHET_OK;
}

int32_t whet_model_input_tensor(const whet_model *m, size_t input) {
  return input < (size_t)m->graph.main.n_in ? m->graph.val[m->graph.main.in[input]].origin : -1;
}
int32_t whet_model_output_tensor(const whet_model *m, size_t output) {
  return output < (size_t)m->graph.main.n_out ? m->graph.val[m->graph.main.out[output]].origin : -1;
}

size_t whet_model_metas(const whet_model *m) { return (size_t)m->n_meta; }
const char *whet_model_meta_key(const whet_model *m, size_t i) {
  return i < (size_t)m->n_meta ? m->meta[i].key : NULL;
}
const char *whet_model_meta(const whet_model *m, const char *key, size_t *n) {
  for (int32_t i = 0; i < m->n_meta && key; i++)
    if (!strcmp(m->meta[i].key, key)) {
      if (n) *n = m->meta[i].n;
      return m->meta[i].value;
    }
  if (n) *n = 0;
  return NULL;
}

/* ---- the graph of a signature -----------------------------------------------------------------------------------
 */

/* Mark the nodes of a region and of the bodies in it. */
static void mark(const whet_graph *g, const whet_region *r, uint8_t *live) {
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &g->node[r->node[i]];
    live[r->node[i]] = 1;
    for (int b = 0; b < n->n_body; b++) mark(g, n->body[b], live);
  }
}

whet_status whet__model_graph(const whet_model *m, const char *key, whet_mem *mem, whet_graph *out, whet_err *err) {
  whet_graph g = m->graph;
  if (key) {
    const whet_signature *s = whet__model_signature(m, key);
    if (!s) {
      char names[300] = "";
      size_t at = 0;
      for (int32_t i = 0; i < m->n_signature && at < sizeof names - 1; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "", m->signature[i].key);
      return whet__fail(err, WHET_E_NAME, "no signature \"%.60s\"; the model has: %s", key,
                        m->n_signature ? names : "none");
    }
    g.main = *s->region;
  }
  WHET_TRY(whet__graph_copy(&g, mem, out, err));
  uint8_t *live = whet__alloc0(mem, (size_t)out->n_node + 1);
  if (!live) {
    whet__graph_free(out);
    return whet__no_memory(mem, (size_t)g.n_node, err, "the graph");
  }
  mark(out, &out->main, live);
  for (int32_t i = 0; i < out->n_node; i++) out->node[i].dead |= !live[i];
  whet__free(mem, live);
  return WHET_OK;
}
