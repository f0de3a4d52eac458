/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_SESSION_H
#define WHET_SESSION_H

/* whet_session: one run at a time of a program: its memory, bindings and state.
 *
 * A session belongs to one thread at a time; only whet_cancel may be called from another. Sessions of one program are
 * independent. Once its shapes are settled and outputs are owned or bound, a run allocates nothing. */

#include "whet/program.h"
#include "whet/value.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct whet_session whet_session;

/* The session keeps a reference to the program. Memory is taken when the first run, resize or pointer asks for it. */
WHET_API whet_status whet_session_create(whet_program *p, whet_session **out, whet_err *err);
/* Model, program and session in one: for programs that run one model. mo and po may be NULL. */
WHET_API whet_status whet_session_open(const char *path, const whet_model_opts *mo, const whet_program_opts *po,
                                       whet_session **out, whet_err *err);
/* Frees the session and sets *s to NULL; NULL is accepted. */
WHET_API void whet_session_close(whet_session **s);
WHET_API whet_program *whet_session_program(whet_session *s);

/* What the session has now: dims are those of the last resize, and for outputs of the last plan or run (-1: known after
 * a run only). E_MISUSE past the end. */
WHET_API size_t whet_session_inputs(const whet_session *s);
WHET_API size_t whet_session_outputs(const whet_session *s);
WHET_API whet_status whet_session_input_info(whet_session *s, size_t i, whet_info *out);
WHET_API whet_status whet_session_output_info(whet_session *s, size_t i, whet_info *out);
/* The number of an input or output by name (a signature's names too); -1: no such name. */
WHET_API int32_t whet_session_find_input(const whet_session *s, const char *name);
WHET_API int32_t whet_session_find_output(const whet_session *s, const char *name);

/* Set an input's shape. Takes effect before the next run or pointer; a shape that the model cannot take is E_SHAPE, now
 * or when the plan is made. Pointers of all inputs and outputs that the session owns become invalid. */
WHET_API whet_status whet_session_resize(whet_session *s, size_t input, int32_t rank, const int64_t *dims, whet_err *err);

/* The session's own memory of an input or output: write before a run, read after it. Valid until the next resize, bind
 * or close. bytes receives the size and may be NULL. NULL: the shape cannot be planned (err says why), the value is
 * no tensor, or its size is known after a run only and none was made. */
WHET_API void *whet_session_input(whet_session *s, size_t i, size_t *bytes, whet_err *err);
WHET_API const void *whet_session_output(whet_session *s, size_t i, size_t *bytes, whet_err *err);

/* Use the caller's memory instead, without a copy: at least the value's bytes, aligned to its element, alive until
 * bound anew. data NULL: back to the session's own. E_SHAPE: too small. */
WHET_API whet_status whet_session_bind_input(whet_session *s, size_t i, const void *data, size_t bytes, whet_err *err);
WHET_API whet_status whet_session_bind_output(whet_session *s, size_t i, void *data, size_t bytes, whet_err *err);

/* Give or take an input or output as a value: any kind, shape taken from the value. The session keeps a reference to an
 * input until it is set again. An output is a new reference to a value of its own memory. */
WHET_API whet_status whet_session_set_input(whet_session *s, size_t i, whet_value *v, whet_err *err);
WHET_API whet_status whet_session_get_output(whet_session *s, size_t i, whet_value **out, whet_err *err);

/* Called during a run as soon as output i's size is known, to ask for its memory: `bytes` bytes, 64-byte aligned is
 * best; NULL fails the run with E_MEMORY. */
typedef void *(*whet_out_fn)(void *user, size_t i, whet_dtype t, int32_t rank, const int64_t *dims, size_t bytes);
WHET_API whet_status whet_session_out_alloc(whet_session *s, size_t i, whet_out_fn fn, void *user);

/* A flag that another thread raises to end a run at the next step. Counted by its owner alone: it must outlive the run. */
typedef struct whet_cancel {
  volatile int flag; /* 0 to begin with */
} whet_cancel;
WHET_API void whet_cancel_raise(whet_cancel *c);
/* Was it raised? From any thread. */
WHET_API int whet_cancel_raised(const whet_cancel *c);

typedef struct whet_run_opts {
  size_t size;          /* sizeof(whet_run_opts) */
  whet_cancel *cancel;  /* NULL: none; else E_CANCELLED once raised */
  int64_t deadline_ms;  /* from the call on; 0: none; else E_DEADLINE, checked between steps */
} whet_run_opts;

/* Run. o may be NULL. After a failure the outputs hold nothing of use and the session can run again. */
WHET_API whet_status whet_session_run(whet_session *s, const whet_run_opts *o, whet_err *err);

/* Set every variable (state that lives from run to run) back to its first value. */
WHET_API whet_status whet_session_reset(whet_session *s);

/* Let s use the resource variables of `with` from now on: for sessions of several signatures of one model, whose calls must
 * take turns. E_MISUSE: another model. */
WHET_API whet_status whet_session_share(whet_session *s, whet_session *with, whet_err *err);

/* An inner value that the program keeps (keep, keep_all), by the file's tensor number: shape and memory after a run.
 * E_NAME: not kept. */
WHET_API whet_status whet_session_kept(whet_session *s, size_t tensor, whet_info *info, const void **data, whet_err *err);

/* Sum the time that runs spend in each step from now on (on not 0), or stop. A run costs two readings of the clock for each
 * step more. Models whose sizes only data tell: the part whose sizes are told by shapes. */
WHET_API whet_status whet_session_profile(whet_session *s, int on, whet_err *err);

/* A step of the plan that the session has now: one node, or several that run as one. */
typedef struct whet_step_info {
  size_t size;        /* sizeof(whet_step_info), set by the caller */
  int32_t node;       /* the file's node that leads it, in the whole file's numbering; -1: made by a pass */
  const char *name;   /* of that node; "" when it has none */
  const char *op;     /* whet's operator */
  const char *kernel; /* "conv_f32__avx512_direct", "reference", "pack", "if", "loop" */
  uint64_t ns;        /* spent in it since profiling began; 0 without */
} whet_step_info;
/* Steps are there once shapes are settled (a run, or a pointer asked for); texts live until they change. */
WHET_API size_t whet_session_steps(const whet_session *s);
WHET_API whet_status whet_session_step(const whet_session *s, size_t i, whet_step_info *out);

/* Bytes that this session's plan needs, as whet_program_cost, for the shapes it has now. */
WHET_API whet_status whet_session_cost(whet_session *s, whet_cost *out, whet_err *err);

#ifdef __cplusplus
}
#endif
#endif
