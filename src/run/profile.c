/* SPDX-License-Identifier: Apache-2.0 */
/* Time spent in each step, for callers (whet_session_profile). */

#include "plan/program.h"
#include "run/session.h"

whet_status whet_session_profile(whet_session *s, int on, whet_err *err) {
  if (err) *err = (whet_err){0};
  return whet__session_profile(s, on != 0, NULL, err);
}

size_t whet_session_steps(const whet_session *s) { return s->frame.plan ? (size_t)s->frame.plan->n_step : 0; }

/* What does the step's work. */
static const char *kernel(const whet_step *s) {
  static const char *const k_kind[] = {
      [WHET_STEP_REF] = "reference", [WHET_STEP_PACK] = "pack", [WHET_STEP_IF] = "if", [WHET_STEP_LOOP] = "loop"};
  return s->row ? s->row->name : s->kind < WHET_COUNT(k_kind) && k_kind[s->kind] ? k_kind[s->kind] : "";
}

whet_status whet_session_step(const whet_session *s, size_t i, whet_step_info *out) {
  if (!out || out->size < sizeof *out || i >= whet_session_steps(s)) return WHET_E_MISUSE;
  const whet_step *step = &s->frame.plan->step[i];
  const whet_node *n = step->node >= 0 ? &s->program->graph.node[step->node] : NULL;
  out->node = n ? n->origin : -1;
  out->name = n && n->name ? n->name : "";
  out->op = n ? n->op->name : "";
  out->kernel = kernel(step);
  out->ns = s->profile ? s->profile[i] : 0;
  return WHET_OK;
}
