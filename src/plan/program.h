/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PLAN_PROGRAM_H
#define WHET_PLAN_PROGRAM_H

/* The inside of a program: optimised graph, packed weights, plans. */

#include <pthread.h>

#include "base/pool.h"
#include "base/target.h"
#include "ir/graph.h"
#include "plan/choice.h"
#include "plan/packs.h"
#include "plan/plan.h"
#include "whet/program.h"

/* A variable: state that lives in a session from run to run. */
typedef struct whet_var {
  int32_t val;
  size_t off, bytes; /* in the session's block */
} whet_var;

struct whet_program {
  _Atomic int ref;
  whet_mem mem;
  whet_model *model;
  whet_program_opts opts; /* texts and lists in it lie in `texts` */
  whet_arena texts;
  /* Programs for input shapes that the model does not declare: a fixed batch that a caller changed. `base` made them
   * and holds them; they share its packed weights. */
  whet_program *base;
  whet_program **variant;
  size_t n_variant, cap_variant;
  whet_target target;
  whet_choices choices; /* of ways that were measured; they lie in `texts` */
  whet_trial *trial;    /* while it is measured; else NULL */
  whet_pool *pool;
  int threads;
  whet_graph graph;
  whet_packs *packs;
  bool own_packs;
  bool objects; /* some node takes or makes strings, sequences, optionals or maps */
  whet_var *var;
  int32_t n_var;
  size_t var_bytes;
  const struct whet_signature *signature; /* whose names callers use; NULL: the values' own */
  /* Plans, newest use first to go last; `lock` guards the list and whatever makes plans. Rank 1: taken before the
   * packs' lock, never while a lease is held. */
  pthread_mutex_t lock;
  whet_plan **plan;
  size_t n_plan, cap_plan, max_plans;
  uint64_t clock;
};

/* whet_program_create with choices (NULL: those that the model's file holds), or as a trial. */
WHET_MUST whet_status whet__program_make(whet_model *m, const whet_program_opts *o, const whet_choices *choices,
                                         whet_trial *trial, struct whet_program **out, whet_err *err);
/* The plan for these shapes of the inputs, found or made. One reference for the caller. */
WHET_MUST whet_status whet__program_plan(struct whet_program *p, const whet_shape *in, whet_plan **out,
                                         whet_err *err);
/* What callers are told of value v when its shape is `shape`; name NULL: its own. */
void whet__program_info(const struct whet_program *p, int32_t v, const char *name, whet_dtype t, const whet_shape *shape,
                        whet_info *out);
/* The file's name of output i: passes may have put one value in another's place. */
const char *whet__program_out_name(const struct whet_program *p, size_t i);
/* Do the declared shapes of the inputs allow these? */
bool whet__program_takes(const struct whet_program *p, const whet_shape *in);
/* The program that takes these shapes: p itself, or a variant. One reference for the caller. */
WHET_MUST whet_status whet__program_variant(struct whet_program *p, const whet_shape *in, struct whet_program **out,
                                            whet_err *err);
/* States of the caller's own operators (custom.c). */
WHET_MUST whet_status whet__program_custom(struct whet_program *p, whet_err *err);
void whet__program_custom_free(struct whet_program *p);
/* Fill the caller's whet_cost for a plan. */
whet_status whet__program_cost_of(struct whet_program *p, const whet_plan *q, whet_cost *out);
/* Shapes of the inputs as the model has them; free dimensions count as 1. */
void whet__program_shapes(const struct whet_program *p, whet_shape *in);
/* An environment for planning: everything that the graph tells, inputs with these shapes. */
WHET_MUST whet_status whet__program_env(struct whet_program *p, const whet_shape *in, whet_arena *a,
                                        struct whet_env *env, whet_err *err);

#endif
