/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PIPELINE_H
#define WHET_PIPELINE_H

/* libwhet_edge (-lwhet_edge -lwhet): pipelines. A file in YAML says where frames come from, which stages they go
 * through, and where what was found goes; docs/pipelines.md has every stage and key.
 *
 * A pipeline is opened, started, and ends by itself when its sources do, or when it is stopped. Every branch of it
 * runs in a thread of its own, every source too. Functions may be called from any thread but where it is said
 * otherwise. */

#include "whet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct whet_pipeline whet_pipeline;

typedef struct whet_pipeline_opts {
  size_t size; /* sizeof(whet_pipeline_opts) */
  /* Lines for people: 0 errors, 1 warnings, 2 information. From any thread of the pipeline. NULL: nobody reads them.
   */
  void (*log)(void *user, int level, const char *line);
  /* What sinks of the kind `app` get: one event, a JSON object without a line's end, in memory of the pipeline. From
   * the thread of the branch. NULL: such sinks drop it. */
  void (*event)(void *user, const char *sink, const char *json, size_t n);
  void *user;
  const char *sysfs, *procfs; /* where the kernel tells of devices and processes; NULL: /sys, /proc */
  double drain; /* seconds that a stop waits for frames in queues; < 0: what the file says, 0.1 unless told */
} whet_pipeline_opts;

WHET_API whet_pipeline_opts whet_pipeline_opts_default(void);

/* Read a file, or n bytes of text that messages call `name`, and check it: every key and value, every model and
 * stage. Nothing is written, no connection is made. o may be NULL. E_DATA: "FILE:LINE: ..." what was expected there.
 */
WHET_API whet_status whet_pipeline_open(const char *path, const whet_pipeline_opts *o, whet_pipeline **out,
                                        whet_err *err);
WHET_API whet_status whet_pipeline_parse(const char *text, size_t n, const char *name, const whet_pipeline_opts *o,
                                         whet_pipeline **out, whet_err *err);
/* Open sources and sinks and begin. Once. On failure nothing runs. */
WHET_API whet_status whet_pipeline_start(whet_pipeline *p, whet_err *err);
/* Ask it to end: sources stop, queues are emptied for as long as `drain` says. Returns at once; may be called from a
 * signal handler. */
WHET_API void whet_pipeline_stop(whet_pipeline *p);
/* Wait until it has ended, at most so many seconds (< 0: without end). E_DEADLINE: it goes on. E_DATA: it ended, and
 * frames or sinks failed; err has the first failure. */
WHET_API whet_status whet_pipeline_wait(whet_pipeline *p, double seconds, whet_err *err);
/* Stop, wait, free, set *p to NULL; NULL is accepted. */
WHET_API void whet_pipeline_close(whet_pipeline **p);

/* Give one message to the branch whose source is of the kind `app`: `n` bytes as that source's format has it. time:
 * nanoseconds since 1970, 0: now. Waits where the branch's queue blocks. E_NAME: no such branch, or another source;
 * E_MISUSE: it does not run. */
WHET_API whet_status whet_pipeline_push(whet_pipeline *p, const char *branch, const void *bytes, size_t n,
                                        int64_t time, whet_err *err);
/* What it has done so far, as JSON: copied, cut to `cap` with an end; the answer is the length that it has. */
WHET_API size_t whet_pipeline_stats(whet_pipeline *p, char *to, size_t cap);

#ifdef __cplusplus
}
#endif
#endif
