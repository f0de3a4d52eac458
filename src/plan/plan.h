/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PLAN_PLAN_H
#define WHET_PLAN_PLAN_H

/* A plan: what a run does for one set of shapes. Plain data, no weights, immutable once made: a pure function of
 * program and shapes. Runtime, code generator, `inspect` and cost report read the same plan. */

#include "base/mem.h"
#include "ir/graph.h"
#include "kern/kern.h"
#include "op/op.h"

struct whet_program;
struct whet_env;

/* Where a buffer lies. */
typedef enum whet_where {
  WHET_IN_NOTHING, /* no memory: contents are known to the plan, or nobody needs them */
  WHET_IN_ARENA,   /* off bytes into the session's arena */
  WHET_IN_CONST,   /* contents of constant value `id` */
  WHET_IN_VAR,     /* off bytes into the session's variables */
  WHET_IN_BLOB,    /* bytes of the plan, number `id` */
  WHET_IN_OUTER,   /* value `id`, made by an outer or earlier plan */
  WHET_IN_SLOT     /* object slot `id`: sequences, optionals, maps */
} whet_where;

/* A piece of memory with one lifetime. Several values may lie in it: views, in place, parts. */
typedef struct whet_buf {
  uint8_t where;
  int32_t id;
  size_t off, bytes;
  int32_t from, to;      /* steps between which it holds something, both included */
  int32_t input, output; /* number of the graph input or output that callers may bind here, or -1 */
} whet_buf;

/* Where a value lies: rows of `run` contiguous elements, `pitch` elements apart. */
typedef struct whet_store {
  int32_t buf;        /* -1: none */
  size_t off;         /* bytes into the buffer */
  int64_t run, pitch; /* 0: dense */
} whet_store;

typedef enum whet_step_kind {
  WHET_STEP_KERN, /* call the row */
  WHET_STEP_REF,  /* call the operator's reference; params is a whet_ref_params */
  WHET_STEP_PACK, /* pack an operand that is no constant; params is a whet_pack_step */
  WHET_STEP_IF,   /* run one of two ranges of steps; params is a whet_branch */
  WHET_STEP_LOOP  /* run a range of steps again and again; params is a whet_branch */
} whet_step_kind;

enum { WHET_SHARED_ARGS = 32 };

typedef struct whet_step {
  uint8_t kind;
  uint8_t checked; /* it may report a fault in the data, or stop the run */
  uint16_t family;
  const whet_kern *row;
  uint16_t parts, n_arg;        /* with more than one part WHET_SHARED_ARGS at most */
  uint16_t scratch_at;          /* which argument is scratch ... */
  size_t scratch;               /* ... and its bytes for each thread; 0: none */
  uint32_t args;                /* first argument */
  uint32_t params, params_size; /* bytes in `params` */
  int32_t node;                 /* the node that leads it */
  int32_t next;                 /* IF, LOOP: the step after all of their ranges; else this + 1 */
} whet_step;

/* An argument: a place in a buffer, or a packed weight. */
typedef struct whet_place {
  uint8_t kind; /* WHET_ARG_ */
  uint8_t write;
  int32_t buf; /* buffer, or number in `pack`; -1: absent */
  int32_t val; /* value number, or -1 */
  size_t off;  /* bytes into the buffer */
} whet_place;

/* Parameters of a PACK step, followed by the kind's own. Arguments: the sources, then the packed result. */
typedef struct whet_pack_step {
  const whet_pack_kind *kind;
  int32_t n_src;
} whet_pack_step;

/* Parameters of IF and LOOP. */
typedef struct whet_branch {
  int32_t node;
  int32_t begin[2], end[2]; /* ranges of steps: then, else; or condition, body */
} whet_branch;

typedef struct whet_plan {
  _Atomic int ref;
  whet_mem mem;
  whet_arena arena; /* everything below lies here */
  struct whet_program *program;
  whet_shape *in_shape; /* for which it was made, as many as the program has inputs */
  int32_t n_in;
  int32_t n_val;
  whet_store *store; /* by value number, like shape and dtype */
  whet_shape *shape;
  uint8_t *dtype;
  whet_buf *buf;
  int32_t n_buf;
  whet_step *step;
  int32_t n_step;
  whet_place *place;
  int32_t n_place;
  uint8_t *params;
  size_t n_params;
  const void **blob; /* each aligned to WHET_ALIGN */
  int32_t n_blob;
  struct whet_pack **pack; /* packed weights that the program holds */
  int32_t n_pack;
  size_t arena_bytes, bound_bytes;
  int64_t macs;
  int32_t late;  /* position in the region of the first node whose shapes only data tell; its n_node: none */
  uint64_t used; /* the program's clock at its last use */
} whet_plan;

/* Make the plan of the nodes of a region from position `from` on, given an environment in which the inputs, or
 * whatever earlier plans made, are told. It ends at the first node whose shapes only data tell. */
typedef struct whet_plan_req {
  struct whet_program *program;
  const whet_region *region;
  int32_t from;
  struct whet_env *env;
  const uint8_t *outer; /* by value: made by an outer or earlier plan; NULL: none */
  const whet_shape *in_shape;
} whet_plan_req;
/* One reference for the caller. */
WHET_MUST whet_status whet__plan_make(const whet_plan_req *r, whet_plan **out, whet_err *err);
whet_plan *whet__plan_ref(whet_plan *p);
void whet__plan_unref(whet_plan *p);
/* A number that two plans share when they do the same. */
uint64_t whet__plan_print(const whet_plan *p);

/* Can the planner lay out this node, and whatever its bodies hold, ahead of a run? Its rule has just run in e. */
bool whet__can_plan(const struct whet_env *e, const whet_node *n);

/* Offsets for buffers with lifetimes (place.c): fills `off` of those in the arena; the arena's size, or SIZE_MAX when
 * memory for the work is refused. *bound: the most bytes alive at one step. */
size_t whet__place_buffers(whet_mem *m, whet_buf *buf, int32_t n, size_t *bound);

#endif
