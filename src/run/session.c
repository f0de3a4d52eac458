/* SPDX-License-Identifier: Apache-2.0 */
/* whet_session: shapes, memory, bindings, runs. */

#include "run/session.h"

#include <stdatomic.h>

#include "base/dtype.h"
#include "format/model.h"
#include "plan/program.h"
#include "run/late.h"
#include "run/state.h"
#include "run/value.h"

whet_status whet_session_create(whet_program *p, whet_session **out, whet_err *err) {
  whet_err mine = {0};
  if (!err) err = &mine;
  *err = (whet_err){0};
  if (out) *out = NULL;
  if (!p || !out) return whet__fail(err, WHET_E_MISUSE, "whet_session_create: program and out must be given");
  whet_session *s = whet__alloc0(&p->mem, sizeof *s);
  if (!s) return whet__no_memory(&p->mem, sizeof *s, err, "a session");
  s->program = whet_program_ref(p);
  s->home = whet_program_ref(p);
  whet__mem_init(&s->mem, &p->mem, NULL, 0);
  s->frame.session = s;
  whet__arena_init(&s->text, &s->mem);
  s->n_in = (size_t)p->graph.main.n_in;
  s->n_out = (size_t)p->graph.main.n_out;
  s->in = whet__alloc_array(&s->mem, s->n_in + 1, sizeof *s->in);
  s->out = whet__alloc_array(&s->mem, s->n_out + 1, sizeof *s->out);
  s->in_shape = whet__alloc_array(&s->mem, s->n_in + 1, sizeof *s->in_shape);
  whet_status st =
      s->in && s->out && s->in_shape ? whet__state_attach(s, err) : whet__no_memory(&s->mem, 0, err, "a session");
  if (st) {
    whet_session_close(&s);
    return st;
  }
  whet__program_shapes(p, s->in_shape);
  s->stale = true;
  *out = s;
  return WHET_OK;
}

whet_status whet_session_open(const char *path, const whet_model_opts *mo, const whet_program_opts *po,
                              whet_session **out, whet_err *err) {
  whet_model *m = NULL;
  whet_program *p = NULL;
  if (!out) return whet__fail(err, WHET_E_MISUSE, "whet_session_open: out must be given");
  *out = NULL;
  whet_status s = whet_model_open(path, mo, &m, err);
  if (!s) s = whet_program_create(m, po, &p, err);
  if (!s) s = whet_session_create(p, out, err);
  whet_program_close(&p);
  whet_model_close(&m);
  return s;
}

void whet_session_close(whet_session **ps) {
  whet_session *s = ps ? *ps : NULL;
  if (!s) return;
  *ps = NULL;
  whet__late_free(s);
  whet__frame_free(&s->frame);
  whet__arena_free(&s->text);
  for (size_t i = 0; s->in && i < s->n_in; i++) whet_value_unref(&s->in[i].value);
  whet__free(&s->mem, s->in);
  whet__free(&s->mem, s->out);
  whet__free(&s->mem, s->in_shape);
  whet__state_detach(s);
  whet__free(&s->mem, s->profile);
  whet__free(&s->mem, s->once);
  whet__account_unref(s->account);
  whet_program *p = s->program, *home = s->home;
  whet__free(&home->mem, s);
  whet_program_close(&p);
  whet_program_close(&home);
}

whet_program *whet_session_program(whet_session *s) { return s->program; }
size_t whet_session_inputs(const whet_session *s) { return s->n_in; }
size_t whet_session_outputs(const whet_session *s) { return s->n_out; }

static int32_t in_val(const whet_session *s, size_t i) { return s->program->graph.main.in[i]; }
static int32_t out_val(const whet_session *s, size_t i) { return s->program->graph.main.out[i]; }

/* Names are those of the file: passes may have put one value in another's place. */
static const char *in_name(const whet_session *s, size_t i) {
  const whet_signature *sig = s->program->signature;
  const whet_graph *g = &s->program->model->graph;
  return sig ? sig->name_in[i] : g->val[g->main.in[i]].name;
}
static const char *out_name(const whet_session *s, size_t i) { return whet__program_out_name(s->program, i); }

whet_status whet_session_input_info(whet_session *s, size_t i, whet_info *out) {
  if (i >= s->n_in) return WHET_E_MISUSE;
  int32_t v = in_val(s, i);
  whet__program_info(s->program, v, in_name(s, i), (whet_dtype)s->program->graph.val[v].dtype, &s->in_shape[i], out);
  return WHET_OK;
}

whet_status whet_session_output_info(whet_session *s, size_t i, whet_info *out) {
  if (i >= s->n_out) return WHET_E_MISUSE;
  int32_t v = out_val(s, i);
  whet_err err = {0};
  const whet_val *x = &s->program->graph.val[v];
  whet_shape shape = x->shape;
  whet_dtype t = (whet_dtype)x->dtype;
  if (!whet__session_ready(s, &err)) whet__late_shape(s, v, &t, &shape);
  whet__program_info(s->program, v, out_name(s, i), t, &shape, out);
  return WHET_OK;
}

int32_t whet_session_find_input(const whet_session *s, const char *name) {
  for (size_t i = 0; i < s->n_in; i++)
    if (!strcmp(in_name(s, i), name)) return (int32_t)i;
  return -1;
}
int32_t whet_session_find_output(const whet_session *s, const char *name) {
  for (size_t i = 0; i < s->n_out; i++)
    if (!strcmp(out_name(s, i), name)) return (int32_t)i;
  return -1;
}

static whet_status no_input(const whet_session *s, size_t i, whet_err *err) {
  return whet__fail(err, WHET_E_MISUSE, "there is no input %zu: the model has %zu", i, s->n_in);
}
static whet_status no_output(const whet_session *s, size_t i, whet_err *err) {
  return whet__fail(err, WHET_E_MISUSE, "there is no output %zu: the model has %zu", i, s->n_out);
}

whet_status whet_session_resize(whet_session *s, size_t i, int32_t rank, const int64_t *dims, whet_err *err) {
  if (err) *err = (whet_err){0};
  if (i >= s->n_in) return no_input(s, i, err);
  if (rank < 0 || rank > WHET_MAX_RANK)
    return whet__fail(err, WHET_E_SHAPE, "input \"%s\": %d dimensions; 0 to %d are possible", in_name(s, i), rank,
                      WHET_MAX_RANK);
  if (rank > 0 && !dims) return whet__fail(err, WHET_E_MISUSE, "input \"%s\": no dimensions given", in_name(s, i));
  whet_shape want = whet__shape(rank, dims);
  if (whet__shape_count(&want) < 0)
    return whet__fail(err, WHET_E_SHAPE, "input \"%s\": a shape with a negative or too large dimension",
                      in_name(s, i));
  if (whet__shape_equal(&s->in_shape[i], &want)) return WHET_OK;
  s->in_shape[i] = want;
  s->stale = true;
  return WHET_OK;
}

/* Bytes of a value in the current plan; 0 when its shape is not known. */
static size_t value_bytes(const whet_session *s, int32_t v) {
  int64_t n = whet__shape_count(&s->frame.plan->shape[v]);
  return n < 0 ? 0 : whet_dtype_bytes((whet_dtype)s->frame.plan->dtype[v], (size_t)n);
}

/* Callers' memory must be large enough for the shapes that hold now. */
static whet_status check_bound(const whet_session *s, const whet_io *io, size_t need, const char *what,
                               const char *name, whet_err *err) {
  if (!io->memory || io->bytes >= need) return WHET_OK;
  return whet__fail(err, WHET_E_SHAPE, "%s \"%s\" takes %zu bytes; %zu were bound", what, name, need, io->bytes);
}

/* Shapes that the program does not declare: go on with a variant of it. State starts anew. */
static whet_status change_program(whet_session *s, whet_err *err) {
  whet_program *other, *old = s->program;
  WHET_TRY(whet__program_variant(old, s->in_shape, &other, err));
  whet__late_free(s);
  whet__frame_free(&s->frame);
  s->program = other;
  whet_program_close(&old);
  whet__free(&s->mem, s->once);
  s->once = NULL;
  return whet__state_attach(s, err);
}

/* Text inputs that nobody writes are empty, not whatever lay there. */
static void clear_text(whet_session *s) {
  for (size_t i = 0; i < s->n_in; i++) {
    int32_t v = in_val(s, i);
    void *p =
        s->program->graph.val[v].dtype == WHET_STRING && !s->in[i].memory ? whet__frame_value(&s->frame, v) : NULL;
    if (p && s->program->graph.val[v].kind == WHET_TENSOR) memset(p, 0, value_bytes(s, v));
  }
}

whet_status whet__session_ready(whet_session *s, whet_err *err) {
  if (WHET_LIKELY(!s->stale)) return WHET_OK;
  if (WHET_UNLIKELY(!whet__program_takes(s->program, s->in_shape))) WHET_TRY(change_program(s, err));
  whet_plan *plan;
  whet_status st = whet__program_plan(s->program, s->in_shape, &plan, err);
  if (st) return st;
  if (plan == s->frame.plan && !s->rebind) {
    whet__plan_unref(plan);
  } else {
    s->rebind = false;
    if ((st = whet__frame_bind(&s->frame, plan, err))) return st;
    clear_text(s);
    s->shared = false;
    for (int32_t i = 0; i < plan->n_step; i++) s->shared |= plan->step[i].parts > 1;
    if (s->profile && (st = whet__session_profile(s, true, &s->profile, err))) return st;
  }
  for (size_t i = 0; i < s->n_in && !st; i++)
    st = check_bound(s, &s->in[i], value_bytes(s, in_val(s, i)), "input", in_name(s, i), err);
  for (size_t i = 0; i < s->n_out && !st; i++)
    st = check_bound(s, &s->out[i], value_bytes(s, out_val(s, i)), "output", out_name(s, i), err);
  if (!st) st = whet__late_prepare(s, err);
  if (!st) s->stale = false;
  return st;
}

void *whet_session_input(whet_session *s, size_t i, size_t *bytes, whet_err *err) {
  if (err) *err = (whet_err){0};
  if (i >= s->n_in) return no_input(s, i, err), NULL;
  if (whet__session_ready(s, err)) return NULL;
  int32_t v = in_val(s, i);
  if (s->program->graph.val[v].kind != WHET_TENSOR)
    return whet__fail(err, WHET_E_TYPE, "input \"%s\" is no tensor: set it as a value", in_name(s, i)), NULL;
  if (bytes) *bytes = value_bytes(s, v);
  return whet__frame_value(&s->frame, v);
}

const void *whet_session_output(whet_session *s, size_t i, size_t *bytes, whet_err *err) {
  if (err) *err = (whet_err){0};
  if (i >= s->n_out) return no_output(s, i, err), NULL;
  if (whet__session_ready(s, err)) return NULL;
  return whet__late_output(s, i, bytes, err);
}

/* Point the steps at where the buffer of value v lies now. */
static void repoint(whet_session *s, int32_t v) {
  if (s->stale) return;
  int32_t buf = s->frame.plan->store[v].buf;
  if (buf >= 0) whet__frame_repoint(&s->frame, buf, whet__frame_buffer(&s->frame, buf));
}

whet_status whet_session_bind_input(whet_session *s, size_t i, const void *data, size_t bytes, whet_err *err) {
  if (err) *err = (whet_err){0};
  if (i >= s->n_in) return no_input(s, i, err);
  if (!s->stale) {
    whet_io io = {.memory = data, .bytes = bytes};
    WHET_TRY(check_bound(s, &io, value_bytes(s, in_val(s, i)), "input", in_name(s, i), err));
  }
  whet_value_unref(&s->in[i].value);
  s->in[i].memory = data;
  s->in[i].bytes = bytes;
  repoint(s, in_val(s, i));
  return WHET_OK;
}

whet_status whet_session_bind_output(whet_session *s, size_t i, void *data, size_t bytes, whet_err *err) {
  if (err) *err = (whet_err){0};
  if (i >= s->n_out) return no_output(s, i, err);
  if (!s->stale) {
    whet_io io = {.memory = data, .bytes = bytes};
    WHET_TRY(check_bound(s, &io, value_bytes(s, out_val(s, i)), "output", out_name(s, i), err));
  }
  s->out[i].memory = data;
  s->out[i].bytes = bytes;
  s->out[i].alloc = NULL;
  repoint(s, out_val(s, i));
  return WHET_OK;
}

whet_status whet_session_out_alloc(whet_session *s, size_t i, whet_out_fn fn, void *user) {
  if (i >= s->n_out) return WHET_E_MISUSE;
  s->out[i].alloc = fn;
  s->asks |= fn != NULL;
  s->out[i].user = user;
  return WHET_OK;
}

whet_status whet_session_set_input(whet_session *s, size_t i, whet_value *v, whet_err *err) {
  if (err) *err = (whet_err){0};
  if (i >= s->n_in) return no_input(s, i, err);
  const whet_val *x = &s->program->graph.val[in_val(s, i)];
  if ((whet_kind)x->kind != whet_value_kind(v))
    return whet__fail(err, WHET_E_TYPE, "input \"%s\" is of another kind than the value", in_name(s, i));
  if (x->kind == WHET_TENSOR) {
    if ((whet_dtype)x->dtype != whet_value_dtype(v))
      return whet__fail(err, WHET_E_TYPE, "input \"%s\" is %s; %s was given", in_name(s, i),
                        whet_dtype_name((whet_dtype)x->dtype), whet_dtype_name(whet_value_dtype(v)));
    WHET_TRY(whet_session_resize(s, i, whet_value_rank(v), whet_value_dims(v), err));
    WHET_TRY(whet_session_bind_input(s, i, whet_value_data(v), whet_value_bytes(v), err));
  }
  whet_value_unref(&s->in[i].value);
  s->in[i].value = whet_value_ref(v);
  return WHET_OK;
}

whet_status whet_session_get_output(whet_session *s, size_t i, whet_value **out, whet_err *err) {
  if (err) *err = (whet_err){0};
  *out = NULL;
  if (i >= s->n_out) return no_output(s, i, err);
  return whet__late_get(s, i, out, err);
}

void whet_cancel_raise(whet_cancel *c) { __atomic_store_n(&c->flag, 1, __ATOMIC_RELAXED); }
int whet_cancel_raised(const whet_cancel *c) { return __atomic_load_n(&c->flag, __ATOMIC_RELAXED); }

/* Ask callers for the memory of outputs whose sizes are known now. */
static whet_status ask_outputs(whet_session *s, whet_err *err) {
  for (size_t i = 0; i < s->n_out; i++) {
    if (!s->out[i].alloc) continue;
    int32_t v = out_val(s, i);
    const whet_shape *shape = &s->frame.plan->shape[v];
    if (whet__shape_count(shape) < 0 || whet__late_owns(s, v)) continue;
    size_t bytes = value_bytes(s, v);
    void *p = s->out[i].alloc(s->out[i].user, i, (whet_dtype)s->frame.plan->dtype[v], shape->rank, shape->d, bytes);
    if (!p)
      return whet__fail(err, WHET_E_MEMORY, "output \"%s\": the caller gave no memory for %zu bytes", out_name(s, i),
                        bytes);
    s->out[i].memory = p;
    s->out[i].bytes = bytes;
    repoint(s, v);
  }
  return WHET_OK;
}

whet_status whet_session_run(whet_session *s, const whet_run_opts *user, whet_err *err) {
  whet_err mine = {0};
  if (!err) err = &mine;
  err->code = WHET_OK;
  WHET_TRY(whet__session_ready(s, err));
  if (WHET_UNLIKELY(s->text.head != NULL)) whet__arena_free(&s->text);
  whet_lease lease = {.width = 1};
  whet_run r = {.frame = &s->frame, .lease = &lease, .profile = s->profile, .err = err};
  if (user) {
    whet_run_opts o = {0};
    WHET_TRY(whet__take_opts("whet_run_opts", user, sizeof o, &o, err));
    r.cancel = o.cancel;
    if (o.deadline_ms > 0 && o.deadline_ms < INT64_MAX / 2000000)
      r.until_ns = whet__now_ns() + o.deadline_ms * 1000000;
  }
  if (WHET_UNLIKELY(s->asks)) WHET_TRY(ask_outputs(s, err));
  int width = s->program->threads;
  if (s->width && s->width < width) width = s->width;
  if (s->shared) whet__lease_take(s->program->pool, width, &lease);
  whet_status st = whet__frame_run(&r, 0, s->frame.plan->n_step);
  if (!st && s->late) st = whet__late_run(s, &r);
  if (s->shared) whet__lease_drop(&lease);
  return st;
}

whet_status whet_session_kept(whet_session *s, size_t tensor, whet_info *info, const void **data, whet_err *err) {
  if (err) *err = (whet_err){0};
  WHET_TRY(whet__session_ready(s, err));
  for (int32_t v = 0; v < s->program->graph.n_val; v++) {
    const whet_val *x = &s->program->graph.val[v];
    if (x->origin != (int32_t)tensor) continue;
    void *p = x->role == WHET_ROLE_CONST ? (void *)x->data->p : whet__frame_value(&s->frame, v);
    bool kept = x->role != WHET_ROLE_NODE || x->flags & WHET_VAL_KEEP || s->program->opts.keep_all;
    for (size_t i = 0; i < s->n_out; i++) kept |= out_val(s, i) == v;
    if (!p || !kept) continue;
    whet__program_info(s->program, v, NULL, (whet_dtype)s->frame.plan->dtype[v], &s->frame.plan->shape[v], info);
    *data = p;
    return WHET_OK;
  }
  return whet__fail(err, WHET_E_NAME, "tensor %zu is not kept: ask for it when the program is made", tensor);
}

whet_status whet_session_cost(whet_session *s, whet_cost *out, whet_err *err) {
  if (err) *err = (whet_err){0};
  WHET_TRY(whet__session_ready(s, err));
  return whet__program_cost_of(s->program, s->frame.plan, out);
}

whet_status whet__session_profile(whet_session *s, bool on, uint64_t **out, whet_err *err) {
  uint64_t *p = NULL;
  if (on) {
    if (!s->frame.plan) WHET_TRY(whet__session_ready(s, err));
    p = whet__alloc_array(&s->mem, (size_t)s->frame.plan->n_step + 1, sizeof *p);
    if (!p) return whet__no_memory(&s->mem, 0, err, "a profile");
  }
  whet__free(&s->mem, s->profile);
  s->profile = p;
  if (out) *out = p;
  return WHET_OK;
}
