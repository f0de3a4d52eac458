/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_RUN_SESSION_H
#define WHET_RUN_SESSION_H

/* The inside of a session. */

#include "run/frame.h"
#include "whet/session.h"
#include "whet/value.h"

/* An input or output as the caller has set it. */
typedef struct whet_io {
  const void *memory; /* the caller's, instead of the session's own; NULL: none */
  size_t bytes;       /* of it */
  whet_value *value;  /* an input given as a value: one reference */
  whet_out_fn alloc;  /* asks for an output's memory; NULL: none */
  void *user;
} whet_io;

struct whet_session {
  whet_program *program; /* that runs: the one it was made for, or a variant */
  whet_program *home;    /* that it was made for, and that pays for its memory */
  whet_mem mem;
  whet_io *in, *out;
  size_t n_in, n_out;
  whet_shape *in_shape;
  bool stale;  /* shapes or bindings changed: plan or bind before the next run */
  bool asks;   /* some output's memory is asked for in every run */
  int width;   /* threads of a run at most; 0: as many as the program may use */
  bool shared; /* some step has more than one part: the run leases workers */
  struct whet_state **state; /* of each variable of the program */
  int32_t n_state;
  bool rebind;         /* the same plan must be bound anew */
  void **outer;           /* by value: made by an earlier plan; NULL when all shapes are told at once */
  whet_frame frame;       /* of the main graph, or its first part */
  whet_arena text;     /* characters of strings that the last run has made */
  struct whet_late *late; /* what a run whose sizes only data tell needs; NULL: none (late.h) */
  struct whet_account *account; /* pays for the values that runs make; NULL: none was made */
  uint8_t *once;          /* by node: a CallOnce that has run; NULL: none has */
  uint64_t *profile;      /* by step of the frame's plan; NULL: not asked */
};

/* Where variable v lies; NULL: it is none (state.c). */
void *whet__state_memory(const whet_session *s, int32_t v);
/* Settle plan, memory and bindings. */
WHET_MUST whet_status whet__session_ready(whet_session *s, whet_err *err);
/* Ask for (on) or stop profiling: nanoseconds of each step of the main plan are summed from now on; the array belongs
 * to the session and changes with the plan. */
WHET_MUST whet_status whet__session_profile(whet_session *s, bool on, uint64_t **out, whet_err *err);

#endif
