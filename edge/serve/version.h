/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_VERSION_H
#define WHET_EDGE_SERVE_VERSION_H

/* One version of a model, loaded: the program, instances that run it, its queue, its counters.
 *
 * Counted: the store holds one reference while it is served, each request one while it needs it, so that a version
 * that was replaced ends with its last request. */

#include <pthread.h>

#include "edge/serve/config.h"
#include "edge/serve/dtype.h"
#include "edge/serve/heap.h"
#include "edge/serve/stats.h"
#include "whet/session.h"

enum { VERSION_PRIORITIES = 8, VERSION_NAME = 128 };

/* An input or output as the model declares it. Borrowed from the model. */
typedef struct serve_io {
  const char *name;
  const serve_dtype *type;
  int32_t rank;                /* -1: any */
  int64_t dims[WHET_MAX_RANK]; /* -1: free */
} serve_io;

/* One run at a time. */
typedef struct serve_instance {
  whet_session *s;
  struct serve_instance *next; /* idle ones */
  int32_t *rank;               /* by input: its shape now, -1: not yet known */
  int64_t (*dims)[WHET_MAX_RANK];
  pipe_picture *picture; /* made at the first picture */
  pipe_detect *detect;
} serve_instance;

struct serve_infer;

typedef struct serve_version {
  _Atomic int refs;
  char name[VERSION_NAME];
  int64_t number;
  char text[24]; /* the number */
  model_settings set;
  pipe_labels labels;
  serve_heap *heap; /* what model, program and instances hold */
  whet_model *model;
  whet_program *program;
  serve_io *in, *out;
  size_t n_in, n_out;
  bool stateful;          /* variables are reset before each request */
  bool strings;           /* an input or output is BYTES */
  _Atomic int64_t run_ns; /* what a run takes: a moving mean */

  pthread_mutex_t lock; /* instances: idle, made. Nothing else is taken under it. */
  serve_instance *idle;
  int made, most, wanted; /* wanted: who waits for one */
  pthread_cond_t given;   /* one became idle */

  /* The queue, under the scheduler's lock. */
  struct serve_infer *head[VERSION_PRIORITIES], *tail[VERSION_PRIORITIES];
  _Atomic int64_t waiting, waiting_rows;
  _Atomic int64_t pictures;           /* that wait or run; they have no queue of their own */
  struct serve_version *next_waiting; /* in the scheduler's list */
  int64_t last_done, pace_ns; /* when a run ended while others waited, 0: none did; from one such end to the next */
  bool listed;

  void (*gone)(void *user, struct serve_version *v); /* as in version_source */
  void *gone_user;
  struct serve_version *next_gone; /* for who is told */

  serve_stats stats;
} serve_version;

/* What a new version must pass before it takes traffic, run on a session of its own: answers 0, or why not in err.
 * folder: the version's. */
typedef whet_status (*version_check)(void *user, const char *folder, whet_program *p, whet_err *err);

typedef struct version_source {
  const char *name, *folder, *file, *config; /* config NULL: none */
  const char *model_folder;                  /* where labels may lie too */
  int64_t number;
  const char *cpu;
  double deadline; /* the server's default */
  version_check check;
  void *check_user;
  /* Told when nobody refers to the version any more, and closes it; any thread. NULL: it is closed at once. */
  void (*gone)(void *user, serve_version *v);
  void *gone_user;
} version_source;

/* Load, warm up, check. On failure *out is NULL and err says why. */
EDGE_MUST whet_status version_open(const version_source *from, serve_version **out, whet_err *err);
serve_version *version_ref(serve_version *v);
void version_unref(serve_version **v);
/* One that nobody refers to. */
void version_close(serve_version **v);

/* An idle instance, made if there may be one more. NULL without err set: all are busy. */
serve_instance *version_take(serve_version *v, whet_err *err);
/* The same, but waits for one until a time of edge_now(): then E_DEADLINE. */
serve_instance *version_wait(serve_version *v, int64_t until, whet_err *err);
void version_give(serve_version *v, serve_instance *i);
/* Is one idle, or may one be made? */
bool version_free(serve_version *v);

/* After a run over a picture of width x height: the objects in the outputs, as the settings say. E_SHAPE: outputs
 * that this kind of detector does not have. */
EDGE_MUST whet_status instance_objects(serve_version *v, serve_instance *i, int32_t width, int32_t height,
                                       const pipe_object **out, size_t *n, whet_err *err);

/* Give input i of an instance a shape. */
EDGE_MUST whet_status instance_shape(serve_instance *i, size_t input, int32_t rank, const int64_t *dims,
                                     whet_err *err);

#endif
