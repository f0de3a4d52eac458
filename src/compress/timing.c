/* SPDX-License-Identifier: Apache-2.0 */
/* Timing of single nodes: each becomes a model of its own. */

#include "compress/timing.h"

#include <time.h>

#include "compress/probe.h"
#include "op/op.h"

enum { ROUNDS = 25 };
static const double k_round_us = 400; /* of a round: short runs are repeated */

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

/* Leave nothing of the model's graph but the way from `in` to `out`. False when memory is refused. */
static bool cut(whet_model *m, const whet_part *p) {
  whet_graph *g = &m->graph;
  uint8_t *need = whet__arena_array(&g->arena, (size_t)g->n_val + 1, 1);
  int32_t *ends = whet__arena_array(&g->arena, 2, sizeof *ends);
  if (!need || !ends) return false;
  need[p->out] = 1;
  for (int32_t i = g->main.n_node - 1; i >= 0; i--) {
    const whet_node *n = &g->node[g->main.node[i]];
    bool wanted = false;
    for (int k = 0; k < n->n_out; k++) wanted |= n->out[k] >= 0 && n->out[k] != p->in && need[n->out[k]];
    for (int k = 0; k < n->n_in && wanted; k++)
      if (n->in[k] >= 0) need[n->in[k]] = 1;
    if (!wanted) whet__region_remove(g, &g->main, i);
  }
  ends[0] = p->in, ends[1] = p->out;
  g->val[p->in].role = WHET_ROLE_INPUT;
  g->val[p->in].shape = p->shape;
  g->main.in = ends, g->main.n_in = 1;
  g->main.out = ends + 1, g->main.n_out = 1;
  m->n_signature = 0;
  return true;
}

static whet_status open_part(const whet_part *p, whet_probe *probe, whet_err *err) {
  whet_model *m;
  if (p->in < 0) return whet__probe_open(probe, p->model, NULL, 0, NULL, err);
  *probe = (whet_probe){0};
  WHET_TRY(whet__model_derive(p->model, &m, err));
  whet_status s = cut(m, p) ? WHET_OK : whet__no_memory(&m->mem, 0, err, "a part of the graph");
  if (!s) s = whet__probe_open(probe, m, NULL, 0, NULL, err);
  whet_model_close(&m);
  return s;
}

/* Inputs that are neither zeros nor denormal. */
static whet_status fill(whet_probe *p, whet_err *err) {
  for (size_t i = 0; i < whet_session_inputs(p->session); i++) {
    size_t bytes;
    whet_info info;
    void *x = whet_session_input(p->session, i, &bytes, err);
    if (!x) return err->code;
    if (whet_session_input_info(p->session, i, &info)) continue;
    if (info.dtype == WHET_F32)
      for (size_t k = 0; k < bytes / 4; k++) ((float *)x)[k] = (float)(k * 37 % 101) / 101;
    else
      for (size_t k = 0; k < bytes && info.dtype != WHET_S32 && info.dtype != WHET_S64; k++) ((uint8_t *)x)[k] = (uint8_t)(k * 37 % 101);
  }
  return whet_session_run(p->session, NULL, err);
}

whet_status whet__time_parts(const whet_part part[2], double us[2], whet_err *err) {
  whet_probe probe[2] = {{0}};
  int repeat[2] = {1, 1};
  whet_status s = WHET_OK;
  us[0] = us[1] = 1e30;
  for (int k = 0; k < 2 && !s; k++) {
    s = open_part(&part[k], &probe[k], err);
    if (!s) s = fill(&probe[k], err);
  }
  for (int i = 0; i < ROUNDS && !s; i++)
    for (int k = 0; k < 2 && !s; k++) {
      double start = now_us(), took;
      for (int r = 0; r < repeat[k] && !s; r++) s = whet_session_run(probe[k].session, NULL, err);
      took = (now_us() - start) / repeat[k];
      if (took < us[k]) us[k] = took;
      repeat[k] = took > 0 ? (int)whet__clamp_i((int64_t)(k_round_us / took), 1, 200) : 200;
      if (i > 5 && took > 50000) i = ROUNDS; /* big ones need no more */
    }
  for (int k = 0; k < 2; k++) whet__probe_close(&probe[k]);
  return s;
}
