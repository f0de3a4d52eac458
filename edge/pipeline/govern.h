/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_GOVERN_H
#define WHET_EDGE_PIPELINE_GOVERN_H

/* The governor of a pipeline: a thread that looks at the machine and steps on the ladder that the file declares. A
 * branch asks once for each frame on which rung it goes, so that a step falls between two frames. */

#include "edge/pipeline/inner.h"
#include "edge/power/governor.h"

enum { PL_RUNGS = 32 };

typedef struct pl_rung {
  const char *name;
  double rate;   /* frames in a second of every source; 0: as they come */
  conf_strs off; /* sinks that rest */
} pl_rung;

typedef struct pl_govern {
  struct whet_pipeline *p;
  const conf_node *at, *ladder;
  double every, hold[2];
  conf_strs tell;
  const conf_node *sensor[GOVERNOR_RULES];
  pl_rung rung[PL_RUNGS];
  int n_rung;
  int which[GOVERNOR_RULES]; /* the sensor of each rule */
  const char *zone;          /* of the temperature */
  int wake;                  /* eventfd: end */
  pthread_t thread;
  bool runs;
  pthread_mutex_t lock; /* all that follows; a leaf */
  governor g;
  double reading[GOVERNOR_RULES]; /* by rule */
  bool unknown[GOVERNOR_RULES];   /* and it was said that nothing tells it */
  uint64_t down, up;
  int64_t since; /* edge_now of the last step */
  char why[120];
  _Atomic int now; /* the rung, for branches; written under the lock */
} pl_govern;

/* The governor's settings, before the stages are read: the ladder's names. *out NULL: the file has none. */
EDGE_MUST whet_status pl_govern_read(struct whet_pipeline *p, const conf_node *v, pl_govern **out, whet_err *err);
/* When the sinks are known: which of them rest, which are told. */
EDGE_MUST whet_status pl_govern_sinks(pl_govern *g, whet_err *err);
EDGE_MUST whet_status pl_govern_start(pl_govern *g, whet_err *err);
void pl_govern_stop(pl_govern *g);
void pl_govern_close(pl_govern *g);

/* The number of a rung's name; -1: there is none. */
int pl_govern_find(const pl_govern *g, const char *name);
/* A frame begins: set the branch's rung, wait where the source can wait. False: it is one too many. */
bool pl_govern_admit(struct pl_branch *b);
/* Members of the counters: ",\"governor\":{...}". */
void pl_govern_stats(pl_govern *g, serve_buf *b);
/* Sensors' names, NULL behind the last; by `which`. */
extern const char *const pl_govern_sensors[];

#endif
