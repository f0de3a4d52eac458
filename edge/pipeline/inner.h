/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_INNER_H
#define WHET_EDGE_PIPELINE_INNER_H

/* A pipeline as its own files see it: load.c makes it, run.c runs it, stats.c tells of it. */

#include "edge/pipe/labels.h"
#include "edge/pipeline/energy.h"
#include "edge/pipeline/kind.h"
#include "edge/pipeline/queue.h"
#include "whet/pipeline.h"
#include "whet/session.h"

enum { PL_BUCKETS = 48 };

typedef struct pl_model {
  const char *name, *file, *cpu;
  const conf_node *at;
  int64_t threads;
  size_t memory;
  bool exact;
  whet_model *model;
  whet_program *program;
} pl_model;

typedef struct pl_branch {
  struct whet_pipeline *p;
  const char *name;
  const conf_node *at;
  pl_node *source;         /* or */
  struct pl_branch *from;  /* the branch whose frames it takes */
  struct pl_branch **next; /* branches that take its frames */
  size_t n_next;
  pl_node **stage, **sink;
  size_t n_stage, n_sink;
  pl_queue queue;
  pthread_t source_thread, thread;
  bool source_runs, runs;
  bool inside;      /* an item has begun; whoever runs frames, as all that is said to be the branch's thread's */
  bool fresh;       /* the next frame handed on begins an item */
  uint64_t seq;     /* of the source */
  pl_node *culprit; /* the stage that refused the frame; of the branch's thread */
  _Atomic uint64_t frames, failed, events;
  _Atomic uint64_t thinned, bytes; /* frames that the governor's rate left out; content of all that came */
  int rung;                        /* the governor's, for the frame that runs; the branch's thread, as the next two */
  int64_t due;                     /* before which the governor's rate lets no frame through */
  int64_t behind;                  /* time that stages behind the one that runs took for themselves */
  _Atomic uint64_t bucket[PL_BUCKETS]; /* of the time from arrival to the sinks: 2^(i/2) microseconds and more */
} pl_branch;

struct whet_pipeline {
  whet_pipeline_opts o;
  whet_mem mem;
  conf_file file;
  bool parsed;
  const char *folder; /* of the file, with its last slash; "" */
  const char *name;
  double drain;
  bool stop_on_error;
  size_t memory;
  pl_pool pool;
  bool pooled;
  pl_model *model;
  size_t n_model;
  pl_branch *branch;
  size_t n_branch;
  pl_node **sink; /* all of them, named and not */
  size_t n_sink, n_named;
  struct pl_labels_file {
    const char *path;
    pipe_labels labels;
    struct pl_labels_file *next;
  } * labels;
  struct pl_govern *govern; /* NULL: none */
  power_opts power;         /* watts for the estimate, as the file has them */
  pl_energy energy;
  whet_cancel cancel; /* of runs, when the drain takes too long */
  _Atomic bool stopping, ended, started;
  int stop_fd, done_fd, fin_fd; /* eventfds: asked to stop, ended, and a branch ended */
  pthread_t keeper;             /* starts and ends the others */
  _Atomic bool kept;
  pthread_mutex_t lock; /* first, reason, log limits; a leaf */
  whet_err first;       /* failure of a frame or a sink */
  int64_t begun;        /* edge_now */
};

/* expand.c: variables of the environment in a tree's texts */
EDGE_MUST whet_status pl_expand(whet_pipeline *p, conf_node *v, whet_err *err);
/* load.c */
void pl_unload(whet_pipeline *p);
/* node.c: at the end, how many failures of a node were not written. */
void pl_failed_end(pl_node *n);
/* run.c */
EDGE_MUST whet_status pl_stage_from(pl_branch *b, pl_node *n, pl_frame *f, whet_err *err);
/* Run a frame of its source on the caller's thread, while the branch's own waits. False: that has something to do, or
 * the queue may drop frames; put it there. */
bool pl_run_here(pl_branch *b, pl_frame *f);
/* Some of a branch's stages forget the item and begin it anew; what they held back goes on. The branch's thread. */
void pl_stages_anew(pl_branch *b, size_t from, size_t n);
/* An event to a sink, whoever else writes to it. Any thread. */
void pl_sink_give(pl_node *n, pl_frame *f);
/* stats.c: all links together: the worst time, the sum of the rest. False: there is none. Any thread. */
bool pl_links(whet_pipeline *p, pl_link *sum);
/* Of stages: does a frame that leaves a come to b, by whatever way? */
bool pl_leads_to(const pl_node *a, const pl_node *b);

#endif
