/* SPDX-License-Identifier: Apache-2.0 */
#include "run/state.h"

#include <stdatomic.h>

#include "format/model.h"
#include "plan/program.h"

/* One variable's memory. Counted: sessions that share it hold it together. */
struct whet_state {
  _Atomic int ref;
  whet_model *model; /* pays for the memory */
  const char *name;  /* lies in the model */
  size_t bytes;
  void *p;
};

static void drop(struct whet_state *v) {
  if (!v || atomic_fetch_sub(&v->ref, 1) > 1) return;
  whet_model *m = v->model;
  whet__free(&m->mem, v->p);
  whet__free(&m->mem, v);
  whet_model_close(&m);
}

/* The first value. */
static void first(const struct whet_state *v, const whet_data *d) {
  if (d)
    memcpy(v->p, d->p, v->bytes);
  else
    memset(v->p, 0, v->bytes);
}

static struct whet_state *make(whet_model *m, const char *name, size_t bytes, const whet_data *d) {
  struct whet_state *v = whet__alloc0(&m->mem, sizeof *v);
  void *p = whet__alloc0(&m->mem, bytes);
  if (!v || !p) {
    whet__free(&m->mem, v);
    whet__free(&m->mem, p);
    return NULL;
  }
  *v = (struct whet_state){.model = whet_model_ref(m), .name = name, .bytes = bytes, .p = p};
  atomic_init(&v->ref, 1);
  first(v, d);
  return v;
}

whet_status whet__state_attach(whet_session *s, whet_err *err) {
  const whet_program *p = s->program;
  struct whet_state **list = whet__alloc_array(&s->mem, (size_t)p->n_var + 1, sizeof *list);
  bool ok = list != NULL;
  for (int32_t i = 0; ok && i < p->n_var; i++) {
    const whet_val *x = &p->graph.val[p->var[i].val];
    for (int32_t k = 0; x->flags & WHET_VAL_SHARED && k < s->n_state && !list[i]; k++)
      if (s->state[k] && s->state[k]->bytes == p->var[i].bytes && !strcmp(s->state[k]->name, x->name)) {
        list[i] = s->state[k];
        atomic_fetch_add(&list[i]->ref, 1);
      }
    if (!list[i]) list[i] = make(p->model, x->name, p->var[i].bytes, x->data);
    ok = list[i] != NULL;
  }
  whet__state_detach(s);
  s->state = list;
  s->n_state = list ? p->n_var : 0;
  return ok ? WHET_OK : whet__no_memory(&s->mem, p->var_bytes, err, "variables");
}

void whet__state_detach(whet_session *s) {
  for (int32_t i = 0; i < s->n_state; i++) drop(s->state[i]);
  whet__free(&s->mem, s->state);
  s->state = NULL;
  s->n_state = 0;
}

void *whet__state_memory(const whet_session *s, int32_t v) {
  for (int32_t i = 0; i < s->n_state; i++)
    if (s->program->var[i].val == v) return s->state[i]->p;
  return NULL;
}

whet_status whet_session_reset(whet_session *s) {
  const whet_program *p = s->program;
  whet__free(&s->mem, s->once);
  s->once = NULL;
  for (int32_t i = 0; i < s->n_state; i++) first(s->state[i], p->graph.val[p->var[i].val].data);
  return WHET_OK;
}

whet_status whet_session_share(whet_session *s, whet_session *with, whet_err *err) {
  if (err) *err = (whet_err){0};
  if (s->program->model != with->program->model)
    return whet__fail(err, WHET_E_MISUSE, "sessions of different models share no state");
  for (int32_t i = 0; i < s->n_state; i++) {
    const whet_val *x = &s->program->graph.val[s->program->var[i].val];
    for (int32_t k = 0; x->flags & WHET_VAL_SHARED && k < with->n_state; k++) {
      struct whet_state *v = with->state[k];
      if (v == s->state[i] || v->bytes != s->state[i]->bytes || strcmp(v->name, x->name)) continue;
      atomic_fetch_add(&v->ref, 1);
      drop(s->state[i]);
      s->state[i] = v;
    }
  }
  whet__free(&s->mem, s->once);
  s->once = NULL;
  s->stale = s->rebind = true;
  return WHET_OK;
}
