/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_KIND_H
#define WHET_EDGE_PIPELINE_KIND_H

/* What a kind of source, stage or sink is: one record for each, in a file of its own; sources.def, stages.def and
 * sinks.def name them. Its struct begins with a pl_node; its keys name fields of that struct, which hold the settings
 * when `open` is called. */

#include "conf/conf.h"
#include "edge/pipeline/frame.h"
#include "edge/serve/buf.h"

struct pl_branch;
struct pl_node;

/* How a node gets on with the machine that it talks to. */
typedef struct pl_link {
  double down;               /* seconds for which nothing has got through; 0: it is well */
  int64_t waiting;           /* records that are not delivered yet */
  uint64_t sent;             /* bytes */
  uint64_t cases, offloaded; /* frames on which was decided where they are answered, and those that went elsewhere */
} pl_link;

typedef struct pl_kind {
  const char *name;
  size_t size;          /* of its struct */
  const conf_key *keys; /* NULL: it has no settings */
  const char *lone;     /* the key that a single text or list stands for: "infer: faces"; NULL */
  const void *defaults; /* a whole struct; NULL: zeros */

  /* Settings are there: check them and make what frames will need. Stages are opened from the last to the first.
   * Nothing is written and no connection is made: --check ends here. NULL: nothing to do, as for all below. */
  whet_status (*open)(struct pl_node *n, whet_err *err);
  /* Files and connections: sinks first, then stages, then sources. */
  whet_status (*start)(struct pl_node *n, whet_err *err);
  /* A stage: take a frame, hand it or others on with pl_pass, as many as it likes. The frame is the caller's.
   * A sink: write the frame. A source (f NULL): give frames until there are no more or pl_source_give says so. */
  whet_status (*run)(struct pl_node *n, pl_frame *f, whet_err *err);
  /* Stages: another item begins, forget the last one; and an item is over, hand on what was kept back. */
  void (*begin)(struct pl_node *n);
  whet_status (*end)(struct pl_node *n, whet_err *err);
  /* Sources that wait elsewhere than in pl_source_wait, and sinks that wait for others: give up. From the thread that
   * stops. */
  void (*stop)(struct pl_node *n);
  /* Stages that hand on frames later, from elsewhere (pl_queue_put_late): when the sources have ended by themselves,
   * wait for at most `seconds` and say how many are still to come; `spent` seconds were waited already. */
  int64_t (*settle)(struct pl_node *n, double seconds, double spent);
  /* Sinks: everything that was taken to where it is safe. */
  whet_status (*flush)(struct pl_node *n, whet_err *err);
  void (*close)(struct pl_node *n);
  /* More for the counters: members of a JSON object, each with a comma in front. Any thread, while the node is open.
   */
  void (*stats)(struct pl_node *n, serve_buf *b);
  /* Sources and stages that set values: do they set one of this name? Settings are there, open may not have been
   * called.
   */
  bool (*gives)(const struct pl_node *n, const char *name);
  /* Stages that name what they find: the file of names as it is set, NULL for none. As gives, before open. */
  const char *(*labels)(const struct pl_node *n);
  /* Stages and sinks that talk to another machine. False: it does not just now. Any thread, while the node is open.
   */
  bool (*link)(struct pl_node *n, pl_link *out);

  bool loose; /* settings are not looked at: a kind that this build lacks, whose open says so */
  bool live;  /* sources: frames come when they come; queues drop the oldest unless told */
} pl_kind;

typedef struct pl_node {
  const pl_kind *kind;
  const conf_node *at;      /* where it stands in the file */
  struct pl_branch *branch; /* NULL: a named sink */
  struct whet_pipeline *p;
  struct pl_node *next; /* the stage behind it; NULL: the last */
  const char *name;     /* of a named sink; else the kind's */
  bool opened, started;
  uint32_t off;                         /* sinks: bits of the governor's rungs on which they rest */
  bool told;                            /* sinks: the governor's steps are events for them */
  pthread_mutex_t lock;                 /* sinks: one writer at a time */
  _Atomic uint64_t in, out, failed, ns; /* frames taken and handed on; time, without those behind it */
  int64_t said;                         /* when a failure was last written, */
  char said_text[120];                  /* how it began */
  uint64_t unsaid;                      /* ... and how many since */
} pl_node;

/* Fail with E_DATA at the node's line. */
whet_status pl_fail(const pl_node *n, whet_err *err, const char *fmt, ...) EDGE_PRINTF(3, 4);
/* Put "FILE:LINE: " before the failure that err has; answers its code. */
whet_status pl_fail_here(const pl_node *n, whet_err *err);
/* conf_fill for a map inside the node's settings. */
EDGE_MUST whet_status pl_fill(const pl_node *n, const conf_node *map, const char *what, const conf_key *keys,
                              void *into, whet_err *err);
/* A path of the file: from the file's folder on. In memory of the pipeline. */
const char *pl_path(const pl_node *n, const char *path, whet_err *err);
/* Texts and lists that live as long as the pipeline. NULL when memory is refused, with err set. */
void *pl_keep(const pl_node *n, size_t bytes, whet_err *err);
/* A line for people, from this node: 0 error, 1 warning, 2 information. */
void pl_log(const pl_node *n, int level, const char *fmt, ...) EDGE_PRINTF(3, 4);
/* Count a failure that does not end the pipeline, and write it unless many were written just now. */
void pl_failed(pl_node *n, const pl_frame *f, const whet_err *err);

/* Stages: hand a frame to what stands behind. */
EDGE_MUST whet_status pl_pass(pl_node *n, pl_frame *f, whet_err *err);
/* The next stage of a kind behind n; NULL: none. */
pl_node *pl_find(const pl_node *n, const pl_kind *kind);
/* Does an infer stand before n? */
bool pl_is_behind_infer(const pl_node *n);
/* Was this setting given in the file? */
bool pl_given(const pl_node *n, const char *key);
bool pl_same(const char *a, const char *b);
/* Sources: a new frame with number and times; NULL when memory is refused (counted). */
pl_frame *pl_source_frame(pl_node *n);
/* Put it into the branch's queue; it is gone either way. False: end. */
bool pl_source_give(pl_node *n, pl_frame *f);
/* The same from a source that waits for its own time between frames. */
bool pl_source_give_timed(pl_node *n, pl_frame *f);
/* Wait until the monotonic clock shows `until` or (fd >= 0) fd can be read, whichever is first; until < 0: without
 * end. False: end. */
bool pl_source_wait(pl_node *n, int64_t until, int fd);
bool pl_stopping(const pl_node *n);
pl_pool *pl_pool_of(const pl_node *n);

/* All that there are, NULL behind the last. */
extern const pl_kind *const pl_sources[], *const pl_stages[], *const pl_sinks[];
#define PL_KIND(what, name) extern const pl_kind pl_##what##_##name;
#define SOURCE(name) PL_KIND(source, name)
#include "sources.def"
#undef SOURCE
#define STAGE(name) PL_KIND(stage, name)
#include "stages.def"
#undef STAGE
#define SINK(name) PL_KIND(sink, name)
#include "sinks.def"
#undef SINK

#endif
