/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_RUN_FRAME_H
#define WHET_RUN_FRAME_H

/* A frame: one plan bound to memory. Steps become an array of {function, parameters, pointers} that a run walks. */

#include "base/pool.h"
#include "kern/ref.h"
#include "plan/plan.h"
#include "whet/session.h"

typedef struct whet_bound {
  whet_kern_fn fn;
  const void *params;
  void **ptr;
  uint16_t parts;
  uint8_t kind; /* whet_step_kind */
  uint8_t checked;
  int32_t next;
} whet_bound;

typedef struct whet_frame {
  struct whet_session *session;
  whet_plan *plan;
  char *arena;
  size_t arena_cap;
  whet_bound *bound;
  void **ptr;          /* one for each place of the plan */
  whet_tensor *tensor; /* of all reference steps */
  int32_t *tensor_at;  /* first tensor of step i */
  int32_t fault;       /* raised by a step whose data are out of range */
} whet_frame;

/* What one run carries from step to step. */
typedef struct whet_run {
  whet_frame *frame;
  const whet_lease *lease;
  const whet_cancel *cancel;
  int64_t until_ns;  /* deadline on the monotonic clock; 0: none */
  uint64_t *profile; /* nanoseconds spent in each step are added; NULL: not asked */
  whet_err *err;
} whet_run;

/* Bind a plan: takes over the caller's reference. The old plan and what belonged to it go. */
WHET_MUST whet_status whet__frame_bind(whet_frame *f, whet_plan *plan, whet_err *err);
void whet__frame_free(whet_frame *f);
/* Where a buffer of the frame's plan lies now; NULL when it has no memory. */
void *whet__frame_buffer(const whet_frame *f, int32_t buf);
/* Where a value lies now. */
void *whet__frame_value(const whet_frame *f, int32_t v);
/* Point every argument that lies in buffer `buf` at memory that starts at `base`. */
void whet__frame_repoint(whet_frame *f, int32_t buf, void *base);
/* Walk steps [from, to). */
WHET_MUST whet_status whet__frame_run(whet_run *r, int32_t from, int32_t to);
/* IF and LOOP. */
whet_status whet__frame_branch(whet_run *r, int32_t step);
int64_t whet__now_ns(void);

#endif
