/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: made of a file or bytes, asked for their inputs, outputs and the texts of the file. */

#include "shim.h"

#include <time.h>

/* A log line of whet, to whoever listens. */
static void log_line(void *user, int level, const char *line) {
  const listener *l = user;
  static const OrtLoggingLevel of[] = {ORT_LOGGING_LEVEL_ERROR, ORT_LOGGING_LEVEL_WARNING, ORT_LOGGING_LEVEL_INFO,
                                       ORT_LOGGING_LEVEL_VERBOSE};
  OrtLoggingLevel severity = of[level < 0 ? 0 : level > 3 ? 3 : level];
  if (severity < l->level) return;
  if (l->fn)
    l->fn(l->param, severity, "whet", l->id, "", line);
  else
    fprintf(stderr, "[%s] %s\n", l->id, line);
}

/* Threads on the caller's terms. */
static void *thread_start(void *user, void (*fn)(void *), void *arg) {
  OrtSession *s = user;
  return (void *)s->start(s->start_options, fn, arg);
}
static void thread_join(void *user, void *handle) { ((OrtSession *)user)->join((OrtCustomThreadHandle)handle); }

/* The pool: the process's, but where the caller starts threads or forbids them to spin. */
static OrtStatus *make_pool(OrtSession *s, int threads, bool spin) {
  whet_pool_opts o = whet_pool_opts_default();
  whet_err err;
  if (spin && !s->start) return NULL;
  o.threads = threads > 0 ? threads : 0;
  if (!spin) o.spin_us = 0;
  if (s->start) o.start = thread_start, o.join = thread_join, o.user = s;
  return of_whet(whet_pool_create(&o, &s->pool, &err), &err);
}

/* Fix the free dimensions that options give a number. */
static void replace_dims(const OrtSessionOptions *o, whet_info *info) {
  for (int i = 0; i < info->rank; i++) {
    const char *n = info->symbol[i] ? pairs_get(&o->dims, info->symbol[i]) : NULL;
    if (n && info->dims[i] < 0) info->dims[i] = atoll(n);
  }
}

/* ONNX's text for the type of a value that is no tensor; NULL for tensors. */
static const char *text_of(const whet_model *m, const whet_info *info, int32_t tensor) {
  whet_tensor_info t = {.size = sizeof t};
  if (info->kind == WHET_TENSOR || tensor < 0 || whet_model_graph_tensor(m, 0, (size_t)tensor, &t)) return NULL;
  return t.type;
}

/* What the operators' rules tell of an output's shape where the file says nothing. Symbols live as long as the
 * program. */
static void infer_dims(const OrtSession *s, size_t i, whet_info *x) {
  whet_info told;
  if (x->kind != WHET_TENSOR || whet_program_output(s->program, i, &told)) return;
  if (told.rank < 0 || (x->rank >= 0 && told.rank != x->rank)) return;
  for (int k = 0; k < told.rank; k++) {
    if (x->rank >= 0 && (x->dims[k] >= 0 || x->symbol[k])) continue;
    x->dims[k] = told.dims[k];
    x->symbol[k] = told.symbol[k];
  }
  x->rank = told.rank;
}

/* The inputs and outputs, with their types. */
static OrtStatus *make_ports(OrtSession *s, const OrtSessionOptions *o) {
  whet_model *m = s->model;
  s->n_in = whet_model_inputs(m);
  s->n_out = whet_model_outputs(m);
  s->n_over = whet_model_overridables(m);
  s->in = calloc(s->n_in + 1, sizeof *s->in);
  s->out = calloc(s->n_out + 1, sizeof *s->out);
  s->over = calloc(s->n_over + 1, sizeof *s->over);
  if (!s->in || !s->out || !s->over) return no_memory();
  for (size_t i = 0; i < s->n_in; i++) {
    whet_info *x = &s->in[i].info;
    TRY(of_whet(whet_model_input(m, i, x), NULL));
    replace_dims(o, x);
    TRY(type_of_info(x, text_of(m, x, whet_model_input_tensor(m, i)), &s->in[i].type));
  }
  for (size_t i = 0; i < s->n_out; i++) {
    whet_info *x = &s->out[i].info;
    TRY(of_whet(whet_model_output(m, i, x), NULL));
    infer_dims(s, i, x);
    replace_dims(o, x);
    TRY(type_of_info(x, text_of(m, x, whet_model_output_tensor(m, i)), &s->out[i].type));
  }
  for (size_t i = 0; i < s->n_over; i++) {
    TRY(of_whet(whet_model_overridable(m, i, &s->over[i].info), NULL));
    TRY(type_of_info(&s->over[i].info, NULL, &s->over[i].type));
  }
  return NULL;
}

/* Make the program of a model. */
static OrtStatus *make_program(OrtSession *s, const OrtEnv *env, const OrtSessionOptions *o, whet_packs *packs) {
  whet_program_opts p = whet_program_opts_default();
  whet_err err;
  bool global = env->global_threads && !o->per_session_threads;
  const char *spin = pairs_get(&o->config, "session.intra_op.allow_spinning");
  int threads = global ? env->threading.threads : o->threads;
  s->start = global ? env->threading.start : o->start;
  s->join = global ? env->threading.join : o->join;
  s->start_options = global ? env->threading.start_options : o->start_options;
  if (!s->start != !s->join)
    return fail(ORT_INVALID_ARGUMENT, "custom join thread function not set for the custom create thread function");
  if (threads != 1) TRY(make_pool(s, threads, global ? env->threading.spin : !spin || strcmp(spin, "0") != 0));
  whet_dim_override *dim = calloc(o->dims.n + 1, sizeof *dim);
  if (!dim) return no_memory();
  for (size_t i = 0; i < o->dims.n; i++) dim[i] = (whet_dim_override){o->dims.key[i], atoll(o->dims.value[i])};
  p.threads = threads > 0 ? threads : 0;
  p.pool = s->pool;
  p.packs = packs;
  p.dims = dim;
  p.n_dims = o->dims.n;
  whet_status st = whet_program_create(s->model, &p, &s->program, &err);
  free(dim);
  return custom_status(st, &err);
}

/* Where a file or bytes are in ORT format: convert them, and let *bytes and *n be what they became. */
static OrtStatus *convert(OrtSession *s, const char *path, const void **bytes, size_t *n) {
  uint8_t head[8];
  FILE *f = path ? fopen(path, "rb") : NULL;
  OrtStatus *st = NULL;
  void *all = NULL;
  if (path && !f)
    return fail(ORT_NO_SUCHFILE, "Load model from %s failed:Load model %s failed. File doesn't exist", path, path);
  if (f && fread(head, 1, sizeof head, f) == sizeof head && ort_format_is(head, sizeof head)) {
    long size = fseek(f, 0, SEEK_END) ? -1 : ftell(f);
    rewind(f);
    all = size > 0 ? malloc((size_t)size) : NULL;
    if (!all || fread(all, 1, (size_t)size, f) != (size_t)size) st = fail(ORT_FAIL, "%s cannot be read", path);
    *bytes = all;
    *n = (size_t)size;
  }
  if (f) fclose(f);
  if (!st && *bytes && ort_format_is(*bytes, *n)) {
    st = ort_format_convert(*bytes, *n, &s->converted);
    if (!st) *bytes = s->converted->text.p, *n = s->converted->text.n;
  }
  free(all);
  return st;
}

/* Read the model. */
static OrtStatus *read_model(OrtSession *s, const OrtSessionOptions *o, const char *path, const void *bytes, size_t n,
                             const char *const *inputs, size_t n_inputs) {
  whet_model_opts m = whet_model_opts_default();
  whet_err err = {0};
  const char *direct = pairs_get(&o->config, "session.use_ort_model_bytes_directly");
  m.log = log_line;
  m.log_user = &s->log;
  m.data_folder = pairs_get(&o->config, "session.model_external_initializers_file_folder_path");
  m.custom = custom_domains(s->custom, &m.n_custom);
  m.inputs = inputs;
  m.n_inputs = n_inputs;
  if (!path && !bytes) return fail(ORT_INVALID_ARGUMENT, "Model data pointer is null.");
  if (!path && !n) return fail(ORT_INVALID_ARGUMENT, "No graph was found in the protobuf.");
  TRY(convert(s, path, &bytes, &n));
  /* Bytes are the caller's only until the session is made: the model's, but where an entry says otherwise, and
   * files'. */
  if (s->converted)
    path = NULL;
  else if (!path && !(direct && !strcmp(direct, "1")))
    m.map = WHET_MAP_PRIVATE_COPY;
  if (o->given.n_file) m.map = WHET_MAP_PRIVATE_COPY;
  whet_initializer *list;
  TRY(given_copy(&s->given, &o->given));
  TRY(given_opts(&s->given, &m, &list));
  whet_status st =
      path ? whet_model_open(path, &m, &s->model, &err) : whet_model_open_memory(bytes, n, &m, &s->model, &err);
  free(list);
  return of_whet(st, &err);
}

/* The model as it is, where the original would write its optimised one: whet's own form is no ONNX. */
static OrtStatus *write_copy(const char *to, const char *path, const void *bytes, size_t n) {
  char part[1 << 14];
  FILE *in = path ? fopen(path, "rb") : NULL;
  FILE *out = fopen(to, "wb");
  bool good = out && (in || !path);
  if (good && !path) good = fwrite(bytes, 1, n, out) == n;
  for (size_t k; good && in && (k = fread(part, 1, sizeof part, in));) good = fwrite(part, 1, k, out) == k;
  if (in) good &= !ferror(in), fclose(in);
  if (out) good &= !fclose(out);
  return good ? NULL : fail(ORT_FAIL, "the model cannot be written to %s", to);
}

OrtStatus *session_open(const OrtEnv *env, const char *path, const void *bytes, size_t n,
                        const OrtSessionOptions *user, whet_packs *packs, const char *const *inputs, size_t n_inputs,
                        OrtSession **out) {
  static const OrtSessionOptions plain = {.severity = -1, .per_session_threads = true};
  const OrtSessionOptions *o = user ? user : &plain;
  if (o->cancel_load) return fail(ORT_MODEL_LOAD_CANCELED, "Session initialization canceled due to user request.");
  const char *elsewhere = pairs_get(&o->config, "session.disable_cpu_ep_fallback");
  if (elsewhere && !strcmp(elsewhere, "1"))
    return fail(
        ORT_FAIL,
        "This session contains graph nodes that are assigned to the default CPU EP, but fallback to CPU EP has been "
        "explicitly disabled by the user.");
  OrtSession *s = calloc(1, sizeof *s);
  if (!s) return no_memory();
  pthread_mutex_init(&s->lock, NULL);
  pthread_mutex_init(&s->variants.lock, NULL);
  pthread_cond_init(&s->quiet, NULL);
  s->log = env->log;
  if (o->log) s->log.fn = o->log, s->log.param = o->log_param;
  if (o->severity >= 0) s->log.level = (OrtLoggingLevel)o->severity;
  if (o->log_id) snprintf(s->log.id, sizeof s->log.id, "%s", o->log_id);
  const char *shared = pairs_get(&o->config, "session.use_env_allocators");
  s->allocator = shared && !strcmp(shared, "1") && env->shared ? env->shared : &cpu_allocator;
  OrtStatus *st = custom_open(o, &s->log, &s->custom);
  if (!st) st = read_model(s, o, path, bytes, n, inputs, n_inputs);
  if (!st) st = make_program(s, env, o, packs);
  if (!st) st = make_ports(s, o);
  if (!st && !n_inputs) st = devices_choose(o, env, s);
  if (!st && o->profile && !(s->profile = strdup(o->profile))) st = no_memory();
  if (!st && o->optimized) st = write_copy(o->optimized, path, bytes, n);
  const char *direct = pairs_get(&o->config, "session.use_ort_model_bytes_directly");
  if (!st && s->n_over && !n_inputs)
    st = variants_keep(s, env, path, bytes, n, direct && !strcmp(direct, "1"), o, packs);
  if (st) {
    API(ReleaseSession)(s);
    return st;
  }
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  s->profile_start = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  *out = s;
  return NULL;
}

OrtStatus *API(CreateSession)(const OrtEnv *env, const char *path, const OrtSessionOptions *o, OrtSession **out) {
  NEED(env);
  NEED(path);
  NEED(out);
  return session_open(env, path, NULL, 0, o, NULL, NULL, 0, out);
}
OrtStatus *API(CreateSessionFromArray)(const OrtEnv *env, const void *bytes, size_t n, const OrtSessionOptions *o,
                                       OrtSession **out) {
  NEED(env);
  NEED(out);
  return session_open(env, NULL, bytes, n, o, NULL, NULL, 0, out);
}

/* Packed weights that sessions share. */
OrtStatus *API(CreatePrepackedWeightsContainer)(OrtPrepackedWeightsContainer **out) {
  NEED(out);
  OrtPrepackedWeightsContainer *c = calloc(1, sizeof *c);
  if (!c || whet_packs_create(&c->packs)) {
    free(c);
    return no_memory();
  }
  *out = c;
  return NULL;
}
void API(ReleasePrepackedWeightsContainer)(OrtPrepackedWeightsContainer *c) {
  if (!c) return;
  whet_packs_close(&c->packs);
  free(c);
}
OrtStatus *API(CreateSessionWithPrepackedWeightsContainer)(const OrtEnv *env, const char *path,
                                                           const OrtSessionOptions *o,
                                                           OrtPrepackedWeightsContainer *c, OrtSession **out) {
  NEED(env);
  NEED(path);
  NEED(c);
  NEED(out);
  return session_open(env, path, NULL, 0, o, c->packs, NULL, 0, out);
}
OrtStatus *API(CreateSessionFromArrayWithPrepackedWeightsContainer)(const OrtEnv *env, const void *bytes, size_t n,
                                                                    const OrtSessionOptions *o,
                                                                    OrtPrepackedWeightsContainer *c,
                                                                    OrtSession **out) {
  NEED(env);
  NEED(c);
  NEED(out);
  return session_open(env, NULL, bytes, n, o, c->packs, NULL, 0, out);
}

/* Free n ports. */
static void ports_free(port *p, size_t n) {
  for (size_t i = 0; p && i < n; i++) API(ReleaseTypeInfo)(p[i].type);
  free(p);
}

void API(ReleaseSession)(OrtSession *s) {
  if (!s) return;
  pthread_mutex_lock(&s->lock);
  while (s->pending) pthread_cond_wait(&s->quiet, &s->lock);
  pthread_mutex_unlock(&s->lock);
  if (s->profile && s->program) API(ReleaseStatus)(profile_write(s, NULL));
  runners_free(s);
  whet_program_close(&s->program);
  whet_model_close(&s->model);
  whet_pool_close(&s->pool);
  custom_close(s->custom);
  given_free(&s->given);
  ort_format_free(s->converted);
  ports_free(s->in, s->n_in);
  ports_free(s->out, s->n_out);
  ports_free(s->over, s->n_over);
  free(s->profile);
  variants_free(&s->variants);
  pthread_mutex_destroy(&s->lock);
  pthread_cond_destroy(&s->quiet);
  free(s);
}

/* Counts, names and types of the three lists. */
#define LIST(What, list, count)                                                                        \
  OrtStatus *API(SessionGet##What##Count)(const OrtSession *s, size_t *out) {                          \
    NEED(s);                                                                                           \
    NEED(out);                                                                                         \
    *out = s->count;                                                                                   \
    return NULL;                                                                                       \
  }                                                                                                    \
  OrtStatus *API(SessionGet##What##Name)(const OrtSession *s, size_t i, OrtAllocator *a, char **out) { \
    NEED(s);                                                                                           \
    NEED(a);                                                                                           \
    NEED(out);                                                                                         \
    if (i >= s->count) return fail(ORT_FAIL, "Index out of range: %zu of %zu", i, s->count);           \
    return text_out(a, s->list[i].info.name ? s->list[i].info.name : "", out);                         \
  }                                                                                                    \
  OrtStatus *API(SessionGet##What##TypeInfo)(const OrtSession *s, size_t i, OrtTypeInfo **out) {       \
    NEED(s);                                                                                           \
    NEED(out);                                                                                         \
    if (i >= s->count) return fail(ORT_FAIL, "out of index: %zu of %zu", i, s->count);                 \
    return type_copy(s->list[i].type, out);                                                            \
  }
LIST(Input, in, n_in)
LIST(Output, out, n_out)
LIST(OverridableInitializer, over, n_over)

OrtStatus *API(SessionGetMemoryInfoForInputs)(const OrtSession *s, const OrtMemoryInfo **out, size_t n) {
  NEED(s);
  if (n) NEED(out);
  if (n < s->n_in) return fail(ORT_INVALID_ARGUMENT, "there are %zu inputs; room for %zu is given", s->n_in, n);
  for (size_t i = 0; i < s->n_in; i++) out[i] = &cpu_memory;
  return NULL;
}
OrtStatus *API(SessionGetMemoryInfoForOutputs)(const OrtSession *s, const OrtMemoryInfo **out, size_t n) {
  NEED(s);
  if (n) NEED(out);
  if (n < s->n_out) return fail(ORT_INVALID_ARGUMENT, "there are %zu outputs; room for %zu is given", s->n_out, n);
  for (size_t i = 0; i < s->n_out; i++) out[i] = &cpu_memory;
  return NULL;
}

/* Profiles. */
OrtStatus *API(SessionGetProfilingStartTimeNs)(const OrtSession *s, uint64_t *out) {
  NEED(s);
  NEED(out);
  *out = s->profile_start;
  return NULL;
}
OrtStatus *API(SessionEndProfiling)(OrtSession *s, OrtAllocator *a, char **out) {
  NEED(s);
  NEED(a);
  NEED(out);
  if (!s->profile) return text_out(a, "", out);
  char *path = NULL;
  TRY(profile_write(s, &path));
  free(s->profile);
  s->profile = NULL;
  OrtStatus *st = text_out(a, path, out);
  free(path);
  return st;
}

/* The texts of the file: a reference to the model. */
struct OrtModelMetadata {
  whet_model *model;
};
OrtStatus *API(SessionGetModelMetadata)(const OrtSession *s, OrtModelMetadata **out) {
  NEED(s);
  NEED(out);
  *out = malloc(sizeof **out);
  if (!*out) return no_memory();
  (*out)->model = whet_model_ref(s->model);
  return NULL;
}
void API(ReleaseModelMetadata)(OrtModelMetadata *m) {
  if (!m) return;
  whet_model_close(&m->model);
  free(m);
}
/* Texts that the format itself names, with whet's name for each. */
#define FIELD(fn, key)                                                         \
  OrtStatus *API(fn)(const OrtModelMetadata *m, OrtAllocator *a, char **out) { \
    NEED(m);                                                                   \
    NEED(a);                                                                   \
    NEED(out);                                                                 \
    const char *text = whet_model_meta(m->model, key, NULL);                   \
    return text_out(a, text ? text : "", out);                                 \
  }
FIELD(ModelMetadataGetProducerName, "producer_name")
FIELD(ModelMetadataGetGraphName, "graph_name")
FIELD(ModelMetadataGetDomain, "domain")
FIELD(ModelMetadataGetDescription, "description")
FIELD(ModelMetadataGetGraphDescription, "graph_description")
OrtStatus *API(ModelMetadataGetVersion)(const OrtModelMetadata *m, int64_t *out) {
  NEED(m);
  NEED(out);
  const char *text = whet_model_meta(m->model, "version", NULL);
  long long n = text ? atoll(text) : 0;
  *out = n ? n : INT64_MAX; /* what the original says of a model that gives none */
  return NULL;
}

/* Whether a key is one of the format's own fields. */
static bool is_field(const char *key) {
  static const char *const name[] = {"producer_name", "producer_version", "domain",           "graph_name",
                                     "description",   "version",          "graph_description"};
  for (size_t i = 0; i < sizeof name / sizeof *name; i++)
    if (!strcmp(key, name[i])) return true;
  return false;
}
OrtStatus *API(ModelMetadataLookupCustomMetadataMap)(const OrtModelMetadata *m, OrtAllocator *a, const char *key,
                                                     char **out) {
  NEED(m);
  NEED(a);
  NEED(key);
  NEED(out);
  const char *text = is_field(key) ? NULL : whet_model_meta(m->model, key, NULL);
  *out = NULL;
  return text ? text_out(a, text, out) : NULL;
}
OrtStatus *API(ModelMetadataGetCustomMetadataMapKeys)(const OrtModelMetadata *m, OrtAllocator *a, char ***keys,
                                                      int64_t *n) {
  NEED(m);
  NEED(a);
  NEED(keys);
  NEED(n);
  size_t all = whet_model_metas(m->model), own = 0;
  *keys = NULL;
  *n = 0;
  for (size_t i = 0; i < all; i++) own += !is_field(whet_model_meta_key(m->model, i));
  if (!own) return NULL;
  char **list = a->Alloc(a, own * sizeof *list);
  if (!list) return no_memory();
  size_t k = 0;
  OrtStatus *st = NULL;
  for (size_t i = 0; i < all && !st; i++) {
    const char *key = whet_model_meta_key(m->model, i);
    if (is_field(key)) continue;
    st = text_out(a, key, &list[k]);
    if (!st) k++;
  }
  if (st) {
    while (k) a->Free(a, list[--k]);
    a->Free(a, list);
    return st;
  }
  *keys = list;
  *n = (int64_t)own;
  return NULL;
}
