/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PLAN_PLANNER_H
#define WHET_PLAN_PLANNER_H

/* The inside of the planner: what its files share while one plan is made. */

#include "ir/infer.h"
#include "plan/plan.h"
#include "plan/program.h"

/* A wish that `out` may lie exactly where `in` lies: the step reads each element of `in` before it writes that of
 * `out`. */
typedef struct whet_overlay {
  int32_t out, in, step;
} whet_overlay;

/* Memory that the steps of one node share. */
typedef struct whet_temp {
  size_t bytes;
  int32_t from, to; /* steps that use it */
} whet_temp;

struct whet_planner {
  struct whet_program *program;
  const whet_graph *g;
  whet_err *err;
  whet_status status; /* the first failure; later calls do nothing */
  whet_arena *a;      /* gone when the plan is finished */
  whet_env *env;
  const whet_region *region;
  int32_t from, to; /* positions in the region */
  const uint8_t *outer;

  /* By value number. */
  uint8_t *need;        /* some step or the caller needs its bytes */
  uint8_t *keep;        /* must survive to the end */
  uint8_t *made;        /* a node of this range makes it */
  int32_t *root;        /* value in whose buffer it lies; itself when it has its own */
  size_t *off;          /* bytes into the root's buffer */
  int64_t *run, *pitch; /* elements in a row, elements between rows; 0: dense */
  int32_t *uses;        /* by live nodes, of bodies too, and as output */
  int32_t *blob;        /* number of its contents in the plan, or -1 */

  whet_uses all; /* makers and users of the whole graph */

  /* By node number. */
  uint8_t *live;   /* some output is needed */
  int32_t *member; /* next node of its group, or -1 */
  int32_t *lead;   /* of the last node of a group: the node that leads it; else -1, or -2 for other members */

  const whet_node *now; /* the node whose plan hook runs */

  whet_step *step;
  whet_place *place; /* `buf` and `off` are set when the plan is finished; until then `buf` holds the argument's id */
  uint8_t *params;
  whet_overlay *overlay;
  whet_temp *temp;
  const void **blobs;
  size_t *blob_bytes;
  struct whet_pack **pack;
  size_t n_step, cap_step, n_place, cap_place, n_params, cap_params, n_overlay, cap_overlay, n_temp, cap_temp, n_blob,
      cap_blob, cap_blob_bytes, n_pack, cap_pack;
  int64_t macs;
};

/* group.c: find the groups of a region's nodes: fill member and lead. */
void whet__group_match(whet_planner *p, const whet_region *r, int32_t from, int32_t to);
/* emit.c: the steps of the live nodes of a region, in order. */
whet_status whet__emit_nodes(whet_planner *p, const whet_region *r, int32_t from, int32_t to);
/* join.c: place the inputs of Concats inside their outputs. */
void whet__join_concats(whet_planner *p, const whet_region *r, int32_t from, int32_t to);
/* region.c: the steps of an operator that runs bodies. */
whet_status whet__emit_bodies(whet_planner *p, const whet_node *n);
/* The body that an If runs, where that is known; else -1. */
int32_t whet__chosen_body(whet_env *e, const whet_node *n);
/* view.c: the step that copies value `in` to value `out` (equal sizes). */
whet_status whet__emit_copy(whet_planner *p, int32_t out, int32_t in);
/* view.c: let `out` lie where `in` lies, or copy. */
whet_status whet__emit_same(whet_planner *p, int32_t out, int32_t in);
/* emit.c: an IF or LOOP step; its ranges are filled in later. */
whet_status whet__emit_control(whet_planner *p, whet_step_kind kind, const whet_branch *b, const whet_arg *arg,
                               int n_arg);
/* finish.c: from what was emitted to the plan. */
whet_status whet__plan_finish(whet_planner *p, const whet_plan_req *r, whet_plan **out);

/* Bytes of a value when it is dense. */
size_t whet__pl_bytes(const whet_planner *p, int32_t v);
/* Its contents are known to the plan and no step makes them. */
bool whet__pl_is_known(const whet_planner *p, int32_t v);
/* Grow one of the planner's arrays; remembers a refusal. */
bool whet__pl_room(whet_planner *p, void **list, size_t *cap, size_t need, size_t each);

#endif
