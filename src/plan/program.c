/* SPDX-License-Identifier: Apache-2.0 */
/* whet_program: from a model to something that runs on a target. */

#include "plan/program.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/apart.h"
#include "base/dtype.h"
#include "format/model.h"
#include "ir/infer.h"
#include "pass/pass.h"

whet_program_opts whet_program_opts_default(void) { return (whet_program_opts){.size = sizeof(whet_program_opts)}; }

/* The environment that every plan starts from. */
whet_status whet__program_env(struct whet_program *p, const whet_shape *in, whet_arena *a, whet_env *env,
                              whet_err *err) {
  if (!whet__env_init(env, &p->graph, a, err))
    return whet__no_memory(&p->mem, (size_t)p->graph.n_val * 100, err, "a plan");
  for (int32_t i = 0; i < p->graph.main.n_in; i++) {
    int32_t v = p->graph.main.in[i];
    whet__env_set(env, v, (whet_dtype)p->graph.val[v].dtype, &in[i], NULL);
  }
  return WHET_OK;
}

void whet__program_shapes(const struct whet_program *p, whet_shape *in) {
  for (int32_t i = 0; i < p->graph.main.n_in; i++) {
    in[i] = p->graph.val[p->graph.main.in[i]].shape;
    if (in[i].rank < 0) in[i].rank = 0;
    for (int32_t k = 0; k < in[i].rank; k++)
      if (in[i].d[k] < 0) in[i].d[k] = 1;
  }
}

/* Free dimensions that the caller gave a number. */
static whet_status override_dims(whet_program *p, const whet_program_opts *o, whet_err *err) {
  for (size_t i = 0; i < o->n_dims; i++) {
    int32_t sym = -1;
    for (int32_t k = 0; k < p->graph.n_symbol; k++)
      if (!strcmp(p->graph.symbol[k], o->dims[i].symbol)) sym = k;
    if (o->dims[i].value < 0)
      return whet__fail(err, WHET_E_DATA, "free dimension \"%.80s\" cannot be %lld", o->dims[i].symbol,
                        (long long)o->dims[i].value);
    if (sym < 0) continue; /* as ONNX Runtime has it: an override for a name that is not there has no effect */
    for (int32_t v = 0; v < p->graph.n_val; v++)
      for (int32_t k = 0; k < p->graph.val[v].shape.rank; k++)
        if (p->graph.val[v].shape.d[k] == WHET_DIM_SYM(sym)) p->graph.val[v].shape.d[k] = o->dims[i].value;
  }
  return WHET_OK;
}

static whet_status mark_keep(whet_program *p, const whet_program_opts *o, whet_err *err) {
  for (size_t i = 0; i < o->n_keep; i++) {
    int32_t found = -1;
    for (int32_t v = 0; v < p->graph.n_val && found < 0; v++)
      if (!strcmp(p->graph.val[v].name, o->keep[i])) found = v;
    if (found < 0) return whet__fail(err, WHET_E_NAME, "no value is called \"%.200s\"", o->keep[i]);
    p->graph.val[found].flags |= WHET_VAL_KEEP;
  }
  return WHET_OK;
}

/* Where variables lie in a session's block. */
static whet_status place_variables(whet_program *p, whet_err *err) {
  size_t n = 0, at = 0;
  for (int32_t v = 0; v < p->graph.n_val; v++) n += p->graph.val[v].role == WHET_ROLE_VARIABLE;
  p->var = whet__arena_array(&p->graph.arena, n + 1, sizeof *p->var);
  if (!p->var) return whet__no_memory(&p->mem, n * sizeof *p->var, err, "variables");
  for (int32_t v = 0; v < p->graph.n_val; v++) {
    const whet_val *x = &p->graph.val[v];
    if (x->role != WHET_ROLE_VARIABLE) continue;
    int64_t count = whet__shape_count(&x->shape);
    if (count < 0) return whet__fail(err, WHET_E_UNSUPPORTED, "variable \"%s\" has no fixed shape", x->name);
    size_t bytes = whet_dtype_bytes((whet_dtype)x->dtype, (size_t)count);
    p->var[p->n_var++] = (whet_var){v, at, bytes};
    if (!whet__add_size(at, whet__round_up(bytes + WHET_SLACK, WHET_ALIGN), &at))
      return whet__fail(err, WHET_E_SHAPE, "variables are too large");
  }
  p->var_bytes = at;
  return WHET_OK;
}

static void destroy(whet_program *p) {
  if (!p) return;
  for (size_t i = 0; i < p->n_plan; i++) whet__plan_unref(p->plan[i]);
  for (size_t i = 0; i < p->n_variant; i++) {
    p->variant[i]->base = NULL;
    whet_program_close(&p->variant[i]);
  }
  whet__free(&p->mem, p->plan);
  whet__free(&p->mem, p->variant);
  whet__arena_free(&p->texts);
  whet_packs_close(&p->packs);
  whet__program_custom_free(p);
  whet__graph_free(&p->graph);
  pthread_mutex_destroy(&p->lock);
  whet_model *m = p->model;
  whet_mem *mem = p->mem.parent;
  whet__free(mem, p);
  whet_model_close(&m);
}

/* The first plan is made now: it settles packed weights, and shows what cannot run. Models whose shapes the defaults
 * do not fit get theirs with the first run. */
static whet_status first_plan(whet_program *p, whet_err *err) {
  whet_shape *in = whet__alloc_array(&p->mem, (size_t)p->graph.main.n_in + 1, sizeof *in);
  if (!in) return whet__no_memory(&p->mem, 0, err, "a plan");
  whet__program_shapes(p, in);
  whet_plan *plan;
  whet_err why = {0};
  whet_status s = whet__program_plan(p, in, &plan, &why);
  if (!s)
    whet__plan_unref(plan);
  else if (s == WHET_E_SHAPE || s == WHET_E_DATA) {
    bool free_dims = false;
    for (int32_t i = 0; i < p->graph.main.n_in; i++)
      free_dims |= whet__shape_count(&p->graph.val[p->graph.main.in[i]].shape) < 0;
    if (free_dims) s = WHET_OK;
  }
  if (s && err) *err = why;
  whet__free(&p->mem, in);
  return s;
}

/* A copy of the caller's options whose texts and lists live as long as the program. */
static bool save_opts(whet_program *p, const whet_program_opts *o) {
  whet_arena *a = &p->texts;
  whet_program_opts *t = &p->opts;
  *t = *o;
  const char **keep = whet__arena_array(a, o->n_keep + 1, sizeof *keep);
  whet_dim_override *dims = whet__arena_array(a, o->n_dims + 1, sizeof *dims);
  bool ok = keep && dims;
  for (size_t i = 0; ok && i < o->n_keep; i++)
    ok = (keep[i] = whet__arena_str(a, o->keep[i], strlen(o->keep[i]))) != NULL;
  for (size_t i = 0; ok && i < o->n_dims; i++) {
    dims[i].value = o->dims[i].value;
    ok = (dims[i].symbol = whet__arena_str(a, o->dims[i].symbol, strlen(o->dims[i].symbol))) != NULL;
  }
  const char **text[] = {&t->cpu, &t->precision, &t->signature};
  for (size_t i = 0; ok && i < WHET_COUNT(text); i++)
    if (*text[i]) ok = (*text[i] = whet__arena_str(a, *text[i], strlen(*text[i]))) != NULL;
  t->keep = keep;
  t->dims = dims;
  return ok;
}

/* Choices that live as long as the program. */
static bool save_choices(whet_program *p, const whet_choices *c) {
  whet_choice *of = whet__arena_array(&p->texts, c->n + 1, sizeof *of);
  bool ok = of != NULL;
  for (size_t i = 0; ok && i < c->n; i++) {
    of[i].key = c->of[i].key;
    ok = (of[i].name = whet__arena_str(&p->texts, c->of[i].name, strlen(c->of[i].name))) != NULL;
  }
  p->choices = (whet_choices){of, ok ? c->n : 0};
  return ok;
}

/* The precision of float products, which only the caller lowers. */
static whet_status settle_precision(const whet_program_opts *o, whet_target *t, whet_err *err) {
  if (!o->precision || !strcmp(o->precision, "f32")) return WHET_OK;
  if (strcmp(o->precision, "bf16"))
    return whet__fail(err, WHET_E_NAME, "precision \"%.20s\": expected f32 or bf16", o->precision);
  if (o->exact) return whet__fail(err, WHET_E_MISUSE, "precision bf16 rounds factors, which exact forbids");
  if (!(t->isa & WHET_ISA_BF16))
    return whet__fail(err, WHET_E_UNSUPPORTED,
                      "precision bf16: level %s of this CPU has no bf16 dot products (AVX-512 BF16 or AMX)%s%s",
                      whet__isa_level(t->isa), *whet__apart_lack() ? "; " : "", whet__apart_lack());
  t->bf16 = true;
  return WHET_OK;
}

/* Target, threads and precision. */
static whet_status settle_target(whet_program *p, whet_err *err) {
  const whet_program_opts *o = &p->opts;
  WHET_TRY(whet__target_at(o->cpu, &p->target, err));
  p->pool = o->pool ? o->pool : whet__pool_default();
  p->threads = o->threads > 0 ? o->threads : p->target.cores;
  if (p->threads > whet_pool_width(p->pool)) p->threads = whet_pool_width(p->pool);
  p->target.cores = p->threads;
  return settle_precision(o, &p->target, err);
}

/* Declare inputs with these shapes where they differ in what is fixed. */
static void declare(whet_program *p, const whet_shape *in) {
  for (int32_t i = 0; i < p->graph.main.n_in; i++) {
    whet_shape *d = &p->graph.val[p->graph.main.in[i]].shape;
    if (d->rank != in[i].rank) *d = in[i];
    for (int32_t k = 0; k < d->rank; k++)
      if (d->d[k] >= 0) d->d[k] = in[i].d[k];
  }
}

/* Graph, passes, variables, first plan. `in`: shapes that a variant is for, or NULL. */
static whet_status build(whet_program *p, const whet_shape *in, whet_err *err) {
  WHET_TRY(settle_target(p, err));
  WHET_TRY(whet__model_graph(p->model, p->opts.signature, &p->mem, &p->graph, err));
  if (p->opts.signature) p->signature = whet__model_signature(p->model, p->opts.signature);
  if (in) declare(p, in);
  WHET_TRY(whet__program_custom(p, err));
  WHET_TRY(override_dims(p, &p->opts, err));
  WHET_TRY(mark_keep(p, &p->opts, err));
  WHET_TRY(whet__passes_run(p, err));
  WHET_TRY(place_variables(p, err));
  for (int32_t i = 0; i < p->graph.n_node; i++)
    p->objects |= !p->graph.node[i].dead && p->graph.node[i].op->flags & WHET_OP_OBJECT;
  return first_plan(p, err);
}

/* What a program is made with beside its options; each may be NULL. */
typedef struct origin {
  const whet_shape *in; /* shapes that a variant is for */
  whet_packs *packs;    /* shared; else its own */
  const whet_choices *choices;
  whet_trial *trial;
} origin;

static whet_status make(whet_model *m, const whet_program_opts *o, const origin *from, whet_program **out,
                        whet_err *err) {
  whet_program *p = whet__alloc0(&m->mem, sizeof *p);
  if (!p) return whet__no_memory(&m->mem, sizeof *p, err, "a program");
  whet__mem_init(&p->mem, &m->mem, NULL, 0);
  whet__arena_init(&p->texts, &p->mem);
  atomic_init(&p->ref, 1);
  pthread_mutex_init(&p->lock, NULL);
  p->model = whet_model_ref(m);
  p->max_plans = o->max_plans ? o->max_plans : 16;
  p->trial = from->trial;
  bool kept = save_opts(p, o) && save_choices(p, from->choices ? from->choices : &m->choices);
  whet_status s = kept ? WHET_OK : whet__no_memory(&p->mem, 0, err, "options");
  if (from->packs)
    p->packs = whet__packs_ref(from->packs);
  else if (!s && whet__packs_new(&p->mem, &p->packs))
    s = whet__no_memory(&p->mem, 0, err, "packed weights");
  if (!s) s = build(p, from->in, err);
  p->trial = NULL;
  if (s)
    destroy(p);
  else
    *out = p;
  return s;
}

whet_status whet__program_make(whet_model *m, const whet_program_opts *o, const whet_choices *choices,
                               whet_trial *trial, whet_program **out, whet_err *err) {
  return make(m, o, &(origin){.packs = o->packs, .choices = choices, .trial = trial}, out, err);
}

whet_status whet_program_create(whet_model *m, const whet_program_opts *user, whet_program **out, whet_err *err) {
  whet_err mine = {0};
  if (!err) err = &mine;
  *err = (whet_err){0};
  if (out) *out = NULL;
  if (!m || !out) return whet__fail(err, WHET_E_MISUSE, "whet_program_create: model and out must be given");
  whet_program_opts o = whet_program_opts_default();
  WHET_TRY(whet__take_opts("whet_program_opts", user, sizeof o, &o, err));
  if (o.threads < 0) return whet__fail(err, WHET_E_MISUSE, "whet_program_create: %d threads", o.threads);
  return whet__program_make(m, &o, NULL, NULL, out, err);
}

void whet__program_info(const struct whet_program *p, int32_t v, const char *name, whet_dtype t,
                        const whet_shape *shape, whet_info *o) {
  const whet_graph *g = &p->graph;
  const whet_val *x = &g->val[v];
  *o = (whet_info){.name = name ? name : x->name, .kind = (whet_kind)x->kind, .dtype = t};
  whet__graph_tell(g, shape->rank, shape->d, o);
  if (x->q) o->quant = (whet_quant_info){x->q->n, x->q->axis, x->q->scale, x->q->zero};
}

const char *whet__program_out_name(const struct whet_program *p, size_t i) {
  const whet_graph *g = &p->model->graph;
  return p->signature ? p->signature->name_out[i] : g->val[g->main.out[i]].name;
}

whet_status whet_program_output(const whet_program *p, size_t i, whet_info *out) {
  if (!p || !out || i >= (size_t)p->graph.main.n_out) return WHET_E_MISUSE;
  int32_t v = p->graph.main.out[i];
  const whet_val *x = &p->graph.val[v];
  whet__program_info(p, v, whet__program_out_name(p, i), (whet_dtype)x->dtype, &x->shape, out);
  return WHET_OK;
}

bool whet__program_takes(const struct whet_program *p, const whet_shape *in) {
  for (int32_t i = 0; i < p->graph.main.n_in; i++) {
    const whet_shape *d = &p->graph.val[p->graph.main.in[i]].shape;
    if (d->rank >= 0 && d->rank != in[i].rank) return false;
    for (int32_t k = 0; k < d->rank; k++)
      if (d->d[k] >= 0 && d->d[k] != in[i].d[k]) return false;
  }
  return true;
}

whet_status whet__program_variant(struct whet_program *p, const whet_shape *in, struct whet_program **out,
                                  whet_err *err) {
  whet_program *base = p->base ? p->base : p;
  whet_status s = WHET_OK;
  *out = NULL;
  if (whet__program_takes(base, in)) {
    *out = whet_program_ref(base);
    return WHET_OK;
  }
  pthread_mutex_lock(&base->lock);
  for (size_t i = 0; i < base->n_variant && !*out; i++)
    if (whet__program_takes(base->variant[i], in)) *out = whet_program_ref(base->variant[i]);
  if (!*out && !(s = make(base->model, &base->opts, &(origin){in, base->packs, &base->choices, NULL}, out, err))) {
    (*out)->base = base;
    if (base->n_variant == base->max_plans) { /* the oldest goes; sessions that hold it keep it alive */
      base->variant[0]->base = NULL;
      whet_program_close(&base->variant[0]);
      memmove(base->variant, base->variant + 1, --base->n_variant * sizeof *base->variant);
    }
    if (whet__grow(&base->mem, (void **)&base->variant, &base->cap_variant, base->n_variant + 1,
                   sizeof *base->variant))
      base->variant[base->n_variant++] = whet_program_ref(*out);
  }
  pthread_mutex_unlock(&base->lock);
  return s;
}

whet_program *whet_program_ref(whet_program *p) {
  atomic_fetch_add(&p->ref, 1);
  return p;
}

void whet_program_close(whet_program **pp) {
  whet_program *p = pp ? *pp : NULL;
  if (!p) return;
  *pp = NULL;
  if (atomic_fetch_sub(&p->ref, 1) == 1) destroy(p);
}

static bool fits(const whet_plan *q, const whet_shape *in, int32_t n) {
  for (int32_t i = 0; i < n; i++)
    if (!whet__shape_equal(&q->in_shape[i], &in[i])) return false;
  return true;
}

/* Keep a plan; the one unused for longest makes room. Plans that sessions hold live on until those let go. */
static void keep_plan(whet_program *p, whet_plan *q) {
  if (p->n_plan == p->max_plans) {
    size_t old = 0;
    for (size_t i = 1; i < p->n_plan; i++)
      if (p->plan[i]->used < p->plan[old]->used) old = i;
    whet__plan_unref(p->plan[old]);
    p->plan[old] = whet__plan_ref(q);
  } else if (whet__grow(&p->mem, (void **)&p->plan, &p->cap_plan, p->n_plan + 1, sizeof *p->plan)) {
    p->plan[p->n_plan++] = whet__plan_ref(q);
  }
}

/* Use the packed weights that the model's file holds; say when they were made for something else. */
static void adopt(whet_program *p) {
  const whet_model *m = p->model;
  size_t n = 0, left = m->n_stored ? whet__packs_adopt(p->packs, m->stored, m->n_stored) : 0;
  const char *cpu = whet_model_meta(m, "whet_cpu", &n);
  if (left)
    whet__model_log(m, 2, "%zu packed weights are made anew: the file was written by whet %s for CPU level %s", left,
                    whet_model_meta(m, "whet_version", &n), cpu ? cpu : "?");
}

whet_status whet__program_plan(struct whet_program *p, const whet_shape *in, whet_plan **out, whet_err *err) {
  whet_status s = WHET_OK;
  *out = NULL;
  pthread_mutex_lock(&p->lock);
  for (size_t i = 0; i < p->n_plan && !*out; i++)
    if (fits(p->plan[i], in, p->graph.main.n_in)) *out = whet__plan_ref(p->plan[i]);
  if (!*out) {
    whet_arena a;
    whet_env env;
    whet__arena_init(&a, &p->mem);
    s = whet__program_env(p, in, &a, &env, err);
    if (!s) s = whet__plan_make(&(whet_plan_req){p, &p->graph.main, 0, &env, NULL, in}, out, err);
    if (!s) adopt(p);
    bool fast = p->opts.prefer != WHET_PREFER_MEMORY;
    if (!s) s = whet__packs_fill(p->packs, p->pool, p->threads, fast, p->model->file, p->model->n_file, err);
    whet__arena_free(&a);
    if (!s)
      keep_plan(p, *out);
    else
      whet__plan_unref(*out), *out = NULL;
  }
  if (*out) (*out)->used = ++p->clock;
  pthread_mutex_unlock(&p->lock);
  return s;
}

whet_status whet__program_cost_of(whet_program *p, const whet_plan *q, whet_cost *user) {
  whet_cost c = {.size = sizeof c};
  c.weights_bytes = whet__packs_bytes(p->packs, &c.mapped_bytes);
  for (int32_t i = 0; i < q->n_buf; i++)
    if (q->buf[i].where == WHET_IN_CONST) {
      const whet_data *d = p->graph.val[q->buf[i].id].data;
      if (d->mapped)
        c.mapped_bytes += d->n;
      else
        c.weights_bytes += d->n;
    }
  c.arena_bytes = q->arena_bytes;
  c.variable_bytes = p->var_bytes;
  c.plan_bytes = q->mem.used + (size_t)q->n_step * 64 + (size_t)q->n_place * sizeof(void *);
  c.bound_bytes = q->bound_bytes;
  c.macs = q->macs;
  c.fingerprint = whet__plan_print(q);
  c.complete = q->late == p->graph.main.n_node;
  size_t n = user->size < sizeof c ? user->size : sizeof c;
  c.size = user->size;
  memcpy(user, &c, n);
  return WHET_OK;
}

whet_status whet_program_cost(whet_program *p, whet_cost *out, whet_err *err) {
  whet_err mine = {0};
  if (!err) err = &mine;
  *err = (whet_err){0};
  whet_shape *in = whet__alloc_array(&p->mem, (size_t)p->graph.main.n_in + 1, sizeof *in);
  if (!in) return whet__no_memory(&p->mem, 0, err, "a plan");
  whet__program_shapes(p, in);
  whet_plan *q;
  whet_status s = whet__program_plan(p, in, &q, err);
  if (!s) s = whet__program_cost_of(p, q, out);
  whet__plan_unref(q);
  whet__free(&p->mem, in);
  return s;
}
