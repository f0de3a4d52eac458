/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `infer`: a model on a frame. The input comes from a stage that wrote into it already (picture), or from
 * the frame's numbers; other inputs are set once or are fed from the last run's outputs. */

#include "edge/pipeline/stage/infer.h"

#include <math.h>
#include <string.h>

#define AT(field) offsetof(infer, field)
static const conf_key k_keys[] = {{.name = "model", CONF_STR, AT(model), NULL, 0, 0, true},
                                  {.name = "input", CONF_STR, AT(input_name)},
                                  {.name = "set", CONF_NODE, AT(set)},
                                  {.name = "state", CONF_NODE, AT(state)},
                                  {.name = "scale", CONF_REAL, AT(scale), NULL, -1e12, 1e12},
                                  {.name = "raw", CONF_BOOL, AT(raw)},
                                  {.name = "reset", CONF_BOOL, AT(reset)},
                                  {0}};
static const infer k_defaults = {.scale = 1, .reset = true};

/* The model's file, opened once for all who use it. */
static whet_status load(infer *s, whet_err *err) {
  pl_node *n = &s->n;
  whet_pipeline *p = n->p;
  char list[400] = "";
  for (size_t i = 0; i < p->n_model; i++) {
    if (!strcmp(p->model[i].name, s->model)) s->m = &p->model[i];
    if (strlen(list) + strlen(p->model[i].name) + 3 < sizeof list)
      strcat(strcat(list, i ? ", " : ""), p->model[i].name);
  }
  if (!s->m) return pl_fail(n, err, "models has no \"%.60s\"%s%s", s->model, list[0] ? "; there are " : "", list);
  pl_model *m = s->m;
  if (m->program) return WHET_OK;
  const pl_node at = {.kind = n->kind, .at = m->at, .p = p};
  const char *path = pl_path(&at, m->file, err);
  whet_model_opts mo = whet_model_opts_default();
  whet_program_opts po = whet_program_opts_default();
  mo.limits.memory_bytes = m->memory;
  po.threads = (int)m->threads;
  po.exact = m->exact;
  po.cpu = m->cpu;
  if (!path) return WHET_E_MEMORY;
  whet_status st = whet_model_open(path, &mo, &m->model, err);
  if (!st) st = whet_program_create(m->model, &po, &m->program, err);
  return st ? edge_fail_in(err, "%s:%d: the model %s", p->file.name, m->at->line, m->name) : WHET_OK;
}

static int32_t find_input(const infer *s, const char *name) { return whet_session_find_input(s->session, name); }

static whet_status no_input(const infer *s, const conf_node *at, const char *name, whet_err *err) {
  char list[500] = "";
  for (size_t i = 0; i < whet_session_inputs(s->session); i++) {
    whet_info info;
    if (whet_session_input_info(s->session, i, &info)) continue;
    size_t n = strlen(list);
    if (n + strlen(info.name) + 3 < sizeof list) strcat(strcat(list, i ? ", " : ""), info.name);
  }
  const pl_node node = {.kind = s->n.kind, .at = at, .p = s->n.p};
  return pl_fail(&node, err, "the model %s has no input \"%.60s\"; there are %s", s->model, name, list);
}

/* Memory of the stage for an input that no frame fills: free sizes are one. The session is not asked for its own,
 * which would need a plan for shapes that only frames tell. */
static whet_status room(infer *s, const pl_node *at, size_t i, whet_info *info, void **p, size_t *n, size_t *bytes,
                        whet_err *err) {
  *n = 1;
  EDGE_TRY(whet_model_input(s->m->model, i, info));
  if (info->kind != WHET_TENSOR || info->rank < 0 || info->dtype == WHET_STRING)
    return pl_fail(at, err, "the input \"%.60s\" of %s is no tensor of numbers", info->name, s->model);
  for (int32_t k = 0; k < info->rank; k++) {
    if (info->dims[k] < 0) info->dims[k] = 1;
    *n *= (size_t)info->dims[k];
  }
  *bytes = whet_dtype_bytes(info->dtype, *n);
  if (!(*p = pl_keep(at, *bytes + 64, err))) return WHET_E_MEMORY;
  *p = (char *)*p + (64 - (uintptr_t)*p % 64) % 64;
  EDGE_TRY(whet_session_resize(s->session, i, info->rank, info->dims, err));
  return whet_session_bind_input(s->session, i, *p, *bytes, err) ? pl_fail_here(at, err) : WHET_OK;
}

/* An input that is the same in every run: one number for all elements, or one for each. */
static whet_status set_one(infer *s, const char *name, const conf_node *v, bool *taken, whet_err *err) {
  int32_t i = find_input(s, name);
  whet_info info;
  size_t bytes, n;
  void *to;
  const pl_node at = {.kind = s->n.kind, .at = v, .p = s->n.p};
  if (i < 0) return no_input(s, v, name, err);
  taken[i] = true;
  EDGE_TRY(room(s, &at, (size_t)i, &info, &to, &n, &bytes, err));
  size_t given = v->kind == CONF_LIST ? v->n : 1;
  if (given != 1 && given != n)
    return pl_fail(&at, err, "set %s: expected one number or %zu, got %zu", name, n, given);
  for (size_t k = 0; k < n; k++) {
    const conf_node *x = v->kind == CONF_LIST ? &v->item[given == 1 ? 0 : k] : v;
    double d;
    if (x->kind != CONF_TEXT || !conf_real(x->text, &d)) return pl_fail(&at, err, "set %s: expected numbers", name);
    if (!pipe_tensor_set(info.dtype, to, k, d))
      return pl_fail(&at, err, "set %s: it is %s", name, whet_dtype_name(info.dtype));
  }
  return WHET_OK;
}

/* An input that gets an output of the run before. */
static whet_status feed_one(infer *s, const char *name, const conf_node *v, bool *taken, whet_err *err) {
  const pl_node at = {.kind = s->n.kind, .at = v, .p = s->n.p};
  const char *output = v->kind == CONF_TEXT ? v->text : "";
  int32_t i = find_input(s, name), o = whet_session_find_output(s->session, output);
  whet_info info;
  size_t n;
  if (i < 0) return no_input(s, v, name, err);
  if (o < 0) return pl_fail(&at, err, "state %s: expected the name of an output, got \"%.60s\"", name, output);
  if (s->n_feed == INFER_STATE) return pl_fail(&at, err, "state: more than %d inputs", INFER_STATE);
  taken[i] = true;
  infer_state *f = &s->feed[s->n_feed];
  EDGE_TRY(room(s, &at, (size_t)i, &info, &f->room, &n, &f->bytes, err));
  f->from = (size_t)o;
  s->n_feed++;
  return WHET_OK;
}

/* Which input takes the frame: the one that is named, or the only one that nothing else fills. */
static whet_status which(infer *s, const bool *taken, whet_err *err) {
  size_t left = 0, n = whet_session_inputs(s->session);
  if (s->input_name) {
    int32_t i = find_input(s, s->input_name);
    if (i < 0) return no_input(s, s->n.at, s->input_name, err);
    s->input = (size_t)i;
    return WHET_OK;
  }
  for (size_t i = n; i-- > 0;)
    if (!taken[i]) s->input = i, left++;
  if (left == 1) return WHET_OK;
  return pl_fail(&s->n, err,
                 "the model %s has %zu inputs that nothing fills: name the one that takes frames with input, give "
                 "the others with set or state",
                 s->model, left);
}

static whet_status open_infer(pl_node *n, whet_err *err) {
  infer *s = (infer *)n;
  bool taken[64] = {0};
  EDGE_TRY(load(s, err));
  if (whet_session_create(s->m->program, &s->session, err)) return pl_fail_here(n, err);
  if (whet_session_inputs(s->session) > EDGE_COUNT(taken))
    return pl_fail(n, err, "the model %s has more than 64 inputs", s->model);
  const conf_node *maps[2] = {s->set, s->state};
  for (int k = 0; k < 2; k++) {
    if (!maps[k]) continue;
    const pl_node at = {.kind = n->kind, .at = maps[k], .p = n->p};
    if (maps[k]->kind != CONF_MAP) return pl_fail(&at, err, "%s: expected a map of inputs", k ? "state" : "set");
    for (size_t i = 0; i < maps[k]->n; i++)
      EDGE_TRY((k ? feed_one : set_one)(s, maps[k]->key[i], &maps[k]->item[i], taken, err));
  }
  EDGE_TRY(which(s, taken, err));
  EDGE_TRY(whet_model_input(s->m->model, s->input, &s->info));
  if (s->info.kind != WHET_TENSOR)
    return pl_fail(n, err, "the input \"%.60s\" of %s is no tensor", s->info.name, s->model);
  s->run = (whet_run_opts){.size = sizeof s->run, .cancel = &n->p->cancel};
  return WHET_OK;
}

whet_status infer_behind(const pl_node *n, infer **out, whet_err *err) {
  *out = (infer *)pl_find(n, &pl_stage_infer);
  return *out ? WHET_OK : pl_fail(n, err, "it prepares a model's input, but no infer stands behind it");
}

bool infer_first(const infer *s) { return whet_model_format(s->m->model) == WHET_FORMAT_ONNX; }

whet_status infer_room(infer *s, int32_t rank, const int64_t *dims, void **to, size_t *bytes, whet_err *err) {
  whet_info now;
  EDGE_TRY(whet_session_input_info(s->session, s->input, &now));
  bool same = now.rank == rank;
  for (int32_t i = 0; same && i < rank; i++) same = now.dims[i] == dims[i];
  if (!same) EDGE_TRY(whet_session_resize(s->session, s->input, rank, dims, err));
  *to = whet_session_input(s->session, s->input, bytes, err);
  return *to ? WHET_OK : err && err->code ? err->code : WHET_E_SHAPE;
}

static void begin(pl_node *n) {
  infer *s = (infer *)n;
  for (size_t i = 0; i < s->n_feed; i++) memset(s->feed[i].room, 0, s->feed[i].bytes);
  if (s->reset) whet_session_reset(s->session);
}

/* The shape that the input takes a frame's numbers in: its own where that is fixed, else the numbers' shape with a
 * batch of one in front, without a last dimension of one where there is one too many; else what fills its one free
 * size. */
static whet_status shape(const infer *s, const pipe_tensor *t, int64_t *dims, whet_err *err) {
  int32_t rank = s->info.rank, from = t->rank;
  int64_t have[WHET_MAX_RANK + 1];
  size_t n = 1, fixed = 1;
  int free = 0;
  for (int32_t i = 0; i < rank; i++) {
    free += s->info.dims[i] < 0;
    fixed *= s->info.dims[i] < 0 ? 1 : (size_t)s->info.dims[i];
    dims[i] = s->info.dims[i];
  }
  bool open = free > 0;
  if (!open && rank >= 0 && fixed == t->n) return WHET_OK;
  memcpy(have, t->dims, sizeof t->dims);
  while (from > 1 && from + 1 > rank && rank > 0 && have[from - 1] == 1) from--;
  if (open && from + 1 == rank) {
    memmove(have + 1, have, (size_t)from * sizeof *have);
    have[0] = 1;
    from++;
  }
  bool ok = open && from == rank;
  for (int32_t i = 0; ok && i < rank; i++) {
    ok = s->info.dims[i] < 0 || s->info.dims[i] == have[i];
    dims[i] = have[i];
    n *= (size_t)have[i];
  }
  if (ok && n == t->n) return WHET_OK;
  if (free == 1 && fixed && t->n && t->n % fixed == 0) { /* one size is free: it is what the numbers leave */
    for (int32_t i = 0; i < rank; i++) dims[i] = s->info.dims[i] < 0 ? (int64_t)(t->n / fixed) : s->info.dims[i];
    return WHET_OK;
  }
  return edge_fail(err, WHET_E_SHAPE, "the input \"%.60s\" of %s takes %zu%s numbers, the frame has %zu",
                   s->info.name, s->model, fixed, open ? " (times its free sizes)" : "", t->n);
}

static whet_status fill(infer *s, const pl_frame *f, whet_err *err) {
  int64_t dims[WHET_MAX_RANK];
  void *to;
  size_t bytes;
  const pipe_tensor *t = &f->numbers;
  if (f->content == PL_PICTURE)
    return edge_fail(err, WHET_E_TYPE, "a picture came to infer: put the stage picture before it");
  if (f->content != PL_NUMBERS) return edge_fail(err, WHET_E_TYPE, "a frame without content came to infer");
  EDGE_TRY(shape(s, t, dims, err));
  EDGE_TRY(infer_room(s, s->info.rank, dims, &to, &bytes, err));
  if (t->dtype == s->info.dtype && s->scale == 1) {
    size_t have = whet_dtype_bytes(t->dtype, t->n);
    if (have != bytes)
      return edge_fail(err, WHET_E_SHAPE, "the input \"%.60s\" has %zu bytes, the frame %zu", s->info.name, bytes,
                       have);
    memcpy(to, t->data, have);
    return WHET_OK;
  }
  if (t->dtype != WHET_F32)
    return edge_fail(err, WHET_E_TYPE, "the input \"%.60s\" is %s, the frame %s", s->info.name,
                     whet_dtype_name(s->info.dtype), whet_dtype_name(t->dtype));
  return pipe_tensor_put(&s->info, s->raw, s->scale, t->data, t->n, to, err);
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  infer *s = (infer *)n;
  if (!f->loaded) EDGE_TRY(fill(s, f, err));
  EDGE_TRY(whet_session_run(s->session, &s->run, err));
  f->loaded = false;
  f->n_output = 0;
  for (size_t i = 0; i < whet_session_outputs(s->session) && i < PL_OUTPUTS; i++)
    EDGE_TRY(pipe_tensor_output(s->session, i, &f->output[f->n_output++], err));
  for (size_t i = 0; i < s->n_feed; i++) {
    size_t have;
    const void *from = whet_session_output(s->session, s->feed[i].from, &have, err);
    if (!from || have != s->feed[i].bytes)
      return edge_fail(err, WHET_E_SHAPE, "state: the output has %zu bytes, the input %zu", from ? have : 0,
                       s->feed[i].bytes);
    memcpy(s->feed[i].room, from, have);
  }
  return pl_pass(n, f, err);
}

static void close_infer(pl_node *n) { whet_session_close(&((infer *)n)->session); }

const pl_kind pl_stage_infer = {.name = "infer",
                                .size = sizeof(infer),
                                .keys = k_keys,
                                .lone = "model",
                                .defaults = &k_defaults,
                                .open = open_infer,
                                .run = run,
                                .begin = begin,
                                .close = close_infer};
