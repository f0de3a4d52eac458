/* SPDX-License-Identifier: Apache-2.0 */
/* A graph with further outputs, run over samples. */

#include "compress/probe.h"

#include "base/dtype.h"

whet_status whet__probe_open(whet_probe *p, whet_model *m, const int32_t *val, size_t n, const whet_program_opts *o,
                              whet_err *err) {
  *p = (whet_probe){.n = n};
  WHET_TRY(whet__model_derive(m, &p->model, err));
  whet_region *r = &p->model->graph.main;
  p->first = (size_t)r->n_out;
  int32_t *out = whet__arena_array(&p->model->graph.arena, (size_t)r->n_out + n + 1, sizeof *out);
  if (!out) return whet__no_memory(&p->model->mem, n, err, "a probe");
  for (int32_t i = 0; i < r->n_out; i++) out[i] = r->out[i];
  for (size_t i = 0; i < n; i++) out[r->n_out + (int32_t)i] = val[i];
  r->out = out;
  r->n_out += (int32_t)n;
  WHET_TRY(whet_program_create(p->model, o, &p->program, err));
  WHET_TRY(whet_session_create(p->program, &p->session, err));
  for (size_t i = 0; i < whet_session_inputs(p->session); i++) { /* free dimensions are 1 */
    whet_info info;
    WHET_TRY(whet_model_input(p->model, i, &info));
    int64_t dims[WHET_MAX_RANK];
    for (int32_t k = 0; k < info.rank; k++) dims[k] = info.dims[k] < 0 ? 1 : info.dims[k];
    if (info.rank >= 0) WHET_TRY(whet_session_resize(p->session, i, info.rank, dims, err));
  }
  return WHET_OK;
}

whet_status whet__probe_run(whet_probe *p, const whet_samples *s, int64_t i, whet_err *err) {
  for (size_t k = 0; k < whet_session_inputs(p->session); k++) {
    size_t bytes;
    void *to = whet_session_input(p->session, k, &bytes, err);
    if (!to) return err->code;
    WHET_TRY(s->fill(s->user, i, k, to, bytes, err));
  }
  return whet_session_run(p->session, NULL, err);
}

const void *whet__probe_output(whet_probe *p, size_t k, int64_t *count, whet_dtype *t, whet_err *err) {
  size_t bytes;
  const void *x = whet_session_output(p->session, k, &bytes, err);
  whet_info info;
  if (!x || whet_session_output_info(p->session, k, &info)) return NULL;
  *t = info.dtype;
  *count = 1;
  for (int32_t i = 0; i < info.rank; i++) *count *= info.dims[i];
  return x;
}

const void *whet__probe_value(whet_probe *p, size_t k, int64_t *count, whet_dtype *t, whet_err *err) {
  return whet__probe_output(p, p->first + k, count, t, err);
}

void whet__probe_close(whet_probe *p) {
  whet_session_close(&p->session);
  whet_program_close(&p->program);
  whet_model_close(&p->model);
}

whet_status whet__shapes_of_one(const whet_graph *g, whet_arena *a, whet_env *env, whet_err *err) {
  if (!whet__env_init(env, g, a, err)) return whet__no_memory(g->mem, 0, err, "shapes");
  for (int32_t i = 0; i < g->main.n_in; i++) {
    const whet_val *v = &g->val[g->main.in[i]];
    whet_shape s = v->shape;
    if (s.rank < 0) return whet__fail(err, WHET_E_SHAPE, "input \"%.200s\" has no known rank", v->name);
    for (int32_t k = 0; k < s.rank; k++)
      if (s.d[k] < 0) s.d[k] = 1;
    whet__env_set(env, g->main.in[i], (whet_dtype)v->dtype, &s, NULL);
  }
  env->numbers = true;
  whet_status s = whet__env_region(env, &g->main, false, NULL);
  return s < 0 ? s : WHET_OK;
}
