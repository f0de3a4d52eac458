/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_COMPRESS_PROBE_H
#define WHET_COMPRESS_PROBE_H

/* Running a graph over samples and looking at values inside it. */

#include "format/model.h"
#include "ir/infer.h"
#include "whet/quantize.h"
#include "whet/session.h"

typedef struct whet_probe {
  whet_model *model;
  whet_program *program;
  whet_session *session;
  size_t first; /* output number of the first value that is looked at */
  size_t n;
} whet_probe;

/* Ready to run m's graph with n of its values as further outputs. o may be NULL. */
WHET_MUST whet_status whet__probe_open(whet_probe *p, whet_model *m, const int32_t *val, size_t n, const whet_program_opts *o,
                                       whet_err *err);
/* Run sample i. */
WHET_MUST whet_status whet__probe_run(whet_probe *p, const whet_samples *s, int64_t i, whet_err *err);
/* Value k after a run: its numbers, count and type. NULL: err says why. */
const void *whet__probe_value(whet_probe *p, size_t k, int64_t *count, whet_dtype *t, whet_err *err);
/* An output of the model itself. */
const void *whet__probe_output(whet_probe *p, size_t k, int64_t *count, whet_dtype *t, whet_err *err);
void whet__probe_close(whet_probe *p);

/* Shapes of all values of a graph when its free dimensions are 1. Arrays lie in a. */
WHET_MUST whet_status whet__shapes_of_one(const whet_graph *g, whet_arena *a, whet_env *env, whet_err *err);

#endif
