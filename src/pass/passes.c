/* SPDX-License-Identifier: Apache-2.0 */
/* Running the passes, and what they share. */

#include "pass/pass.h"
#include "plan/program.h"

enum { FOLD_WORK = 200 << 20 }; /* element operations that all folding together may take */

static const struct {
  const char *name;
  whet_status (*fn)(whet_pass *);
} k_passes[] = {
#define PASS(name) {#name, whet__pass_##name},
#define AGAIN(name) PASS(name)
#include "pass/passes.def"
#undef PASS
#undef AGAIN
};

whet_status whet__passes_run(struct whet_program *program, whet_err *err) {
  whet_pass p = {.g = &program->graph, .target = &program->target, .program = program, .err = err, .work = FOLD_WORK};
  whet__arena_init(&p.a, &program->mem);
  whet_status s = WHET_OK;
  for (size_t i = 0; i < WHET_COUNT(k_passes) && !s; i++) {
    p.env = NULL;
    s = k_passes[i].fn(&p);
#ifdef WHET_DEBUG
    if (!s && (s = whet__graph_verify(p.g, err))) whet__fail_in(err, "after pass %s", k_passes[i].name);
#endif
    whet__arena_free(&p.a);
    whet__arena_init(&p.a, &program->mem);
  }
  whet__arena_free(&p.a);
  return s;
}

whet_status whet__pass_full(whet_pass *p) { return whet__no_memory(p->g->mem, 0, p->err, "a pass over the graph"); }

whet_status whet__pass_env(whet_pass *p) {
  p->env = whet__arena_alloc(&p->a, sizeof *p->env);
  if (!p->env || !whet__env_init(p->env, p->g, &p->a, p->err)) return whet__pass_full(p);
  whet_status s = whet__env_region(p->env, &p->g->main, false, NULL);
  return s < 0 ? s : WHET_OK;
}

static whet_status regions_of(whet_pass *p, whet_region *r, whet_status (*fn)(whet_pass *, whet_region *)) {
  for (int32_t i = 0; i < r->n_node; i++)
    for (int b = 0; b < p->g->node[r->node[i]].n_body; b++)
      WHET_TRY(regions_of(p, p->g->node[r->node[i]].body[b], fn));
  return fn(p, r);
}

whet_status whet__pass_regions(whet_pass *p, whet_status (*fn)(whet_pass *, whet_region *)) {
  return regions_of(p, &p->g->main, fn);
}
