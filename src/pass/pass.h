/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PASS_PASS_H
#define WHET_PASS_PASS_H

/* Passes: functions from graph to graph that hold on any machine. passes.def gives the order; each is one file with
 * its before and after drawn at the top. */

#include "ir/infer.h"
#include "op/edit.h"

struct whet_program;
struct whet_target;

typedef struct whet_pass {
  whet_graph *g;
  const struct whet_target *target;
  const struct whet_program *program; /* options; NULL in tools that run passes alone */
  whet_err *err;
  whet_arena a;  /* emptied after each pass */
  whet_env *env; /* whet__pass_env: shapes with symbols; valid until the graph changes */
  int64_t work;  /* element operations that folding may still spend */
  bool files;    /* the graph goes to a file: constants stay in the form that makes it small */
  bool first;    /* layout brings channels to the front, for ONNX; else to the end */
  bool changed;  /* some pass changed something since this was last cleared */
} whet_pass;

/* Where an edit stands: new nodes go before position `at` of the region, and `at` moves on. */
struct whet_edit {
  whet_pass *pass;
  whet_graph *g;
  whet_region *r;
  int32_t at;
  bool failed; /* memory was refused */
  struct whet_grads *grads; /* while grad hooks run (gradient.c); else NULL */
};

/* All passes on a program's graph. */
WHET_MUST whet_status whet__passes_run(struct whet_program *p, whet_err *err);
/* Shapes of all values, free dimensions as symbols, made anew. */
WHET_MUST whet_status whet__pass_env(whet_pass *p);
/* Call fn for every region of the graph, inner ones first; stops at the first failure. */
whet_status whet__pass_regions(whet_pass *p, whet_status (*fn)(whet_pass *, whet_region *));
/* The value is a constant; its data. NULL: it is none. */
static inline const whet_data *whet__pass_const(const whet_pass *p, int32_t v) {
  return v >= 0 && p->g->val[v].role == WHET_ROLE_CONST ? p->g->val[v].data : NULL;
}
/* Is node n that operator? */
static inline bool whet__is_op(const whet_node *n, const char *name) { return !strcmp(n->op->name, name); }
/* Out of memory in a pass. */
whet_status whet__pass_full(whet_pass *p);

#define PASS(name) whet_status whet__pass_##name(whet_pass *p);
#define AGAIN(name)
#include "pass/passes.def"
#undef PASS
#undef AGAIN

#endif
