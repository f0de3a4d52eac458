/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_CASCADE_CASCADE_H
#define WHET_EDGE_CASCADE_CASCADE_H

/* The cascade: a small model here answers every time; what it is not sure of also goes to a larger one elsewhere.
 *
 *   scores ─▶ policy: sure? ─▶ yes: that is the answer
 *                          └▶ no: budget? breaker? ─▶ ask the remote, and either
 *                               wait    for its answer, until the deadline; then the local answer stands for now
 *                               correct answer at once; the remote's answer comes later, as a correction
 *
 * What was not answered in time lies in an outbox (edge/outbox) until it is: across lost links, kills and power cuts.
 * The local path never waits for a disk or a link, except for the deadline of `wait` while the link is up. */

#include "edge/cascade/remote.h"

/* ---- how sure a model is -------------------------------------------------------------------------- */

typedef enum cascade_measure {
  CASCADE_CONFIDENCE, /* greatest share, 0..1 */
  CASCADE_MARGIN,     /* the greatest share less the next */
  CASCADE_ENTROPY,    /* 1 - entropy / log n, 0..1 */
  CASCADE_ENERGY,     /* T log sum exp(score / T): how far inside what was learnt (Liu et al. 2020). Of scores as they
                         are: shares     tell it little */
  CASCADE_SCORE /* the greatest score itself: of what is unlike all that was learnt it is small (Hendrycks et al.
                   2022) */
} cascade_measure;
#define CASCADE_MEASURES "confidence|margin|entropy|energy|score"

typedef struct cascade_policy {
  cascade_measure measure;
  double temperature;      /* scores are divided by it first; 0: 1 */
  double threshold;        /* sure from here on */
  const double *per_class; /* by the class that is told; NULL: threshold for all */
  size_t n_class;
  /* Instead: is this a hard case? May be NULL. Called by the thread that decides. */
  bool (*hard)(void *user, const float *scores, size_t n, int32_t best, double sure);
  void *user;
} cascade_policy;

/* How sure scores are by the policy's measure (greater: surer); *best: the class that they tell. Scores that are not
 * negative and add up to 1 are shares already. */
double cascade_sure(const cascade_policy *p, const float *scores, size_t n, int32_t *best);
bool cascade_is_hard(const cascade_policy *p, const float *scores, size_t n, double *sure, int32_t *best);

/* ---- what may be spent ----------------------------------------------------------------------------- */

/* In an hour; 0: no bound. What is not spent is saved up, for an hour at most. */
typedef struct cascade_budget {
  double bytes, requests, money, joules;
  double price, price_byte; /* money for a request, and for each byte of it */
  double joule, joule_byte; /* likewise */
} cascade_budget;

/* ---- the link ---------------------------------------------------------------------------------------- */

/* Whoever asks the remote, one for each worker; see cascade_http and sim.h. */
typedef struct cascade_link {
  void *own;
  whet_status (*ask)(void *own, int worker, const char *id, int32_t rank, const int64_t *dims, const void *data,
                     size_t bytes, remote_answer *a, whet_err *err);
  bool (*ready)(void *own); /* by a thread of its own */
  void (*wake)(void *own);  /* asks under way end soon, and all that follow */
  void (*close)(void *own);
} cascade_link;
/* Remotes over HTTP, `workers` of them and one to see whether the server is there. */
EDGE_MUST whet_status cascade_http(const remote_opts *o, int workers, cascade_link *out, whet_err *err);

/* ---- the cascade ------------------------------------------------------------------------------------ */

typedef struct cascade cascade;
typedef enum cascade_mode { CASCADE_WAIT, CASCADE_CORRECT } cascade_mode;

typedef struct cascade_correction {
  const char *key;     /* of the case */
  const float *scores; /* the remote's */
  size_t n;
  int32_t best;
  bool late; /* false: it answered while somebody waited, who has it as well */
} cascade_correction;

typedef struct cascade_opts {
  cascade_policy policy;
  cascade_mode mode;
  double deadline;      /* WAIT: seconds from cascade_decide on; 0: 0.2 */
  const char *outbox;   /* file of cases that wait; NULL: none, what is not answered in time is never corrected */
  int64_t outbox_bytes; /* cap; 0: 256 MiB, the oldest case goes */
  double ttl;           /* seconds for which a correction is of use; 0: for ever */
  cascade_budget budget;
  int failures; /* so many in a row open the breaker; 0: 5 */
  double pause; /* seconds until it looks again, up to half of them less at random; 0: 5, doubled to a minute */
  int workers;  /* requests at once; 0: 4 */
  size_t queue; /* cases between deciding and the disk; 0: 256. Past that they are not offloaded, and counted */
  double speed; /* simulated time: seconds of it in a real one; 0: 1 */
  /* From a thread of the cascade; a case that comes back twice has the same key. Returning false: it was not stored,
   * bring it again. */
  bool (*correct)(void *user, const cascade_correction *c);
  void *user;
} cascade_opts;

/* l is the cascade's from now on, also on failure. */
EDGE_MUST whet_status cascade_open(const cascade_opts *o, const cascade_link *l, cascade **out, whet_err *err);
/* Ends within 200 ms; what waits stays in the outbox. */
void cascade_close(cascade **c);

/* One case for the remote. */
typedef struct cascade_case {
  const char *key; /* at most 63 characters; NULL: one is made */
  int32_t rank;
  const int64_t *dims;
  const void *data; /* as the remote's input wants it */
  size_t bytes;
} cascade_case;

typedef struct cascade_result {
  int32_t best;     /* the answer */
  double sure;      /* of the local model */
  bool hard;        /* by the policy */
  bool offloaded;   /* the remote was asked or will be */
  bool remote;      /* the answer is the remote's */
  bool provisional; /* a correction will follow */
  const char *kept; /* why a hard case was not offloaded: "budget", "queue", "breaker" */
  char key[64];
} cascade_result;
/* Decide about one case whose local scores are known. Any thread. */
EDGE_MUST whet_status cascade_decide(cascade *c, const float *scores, size_t n, const cascade_case *x,
                                     cascade_result *r, whet_err *err);
/* Wait until nothing waits for the remote, or `seconds` are over; how many still do. */
int64_t cascade_settle(cascade *c, double seconds);

typedef struct cascade_stats {
  uint64_t cases, hard, offloaded, answered, corrected, failed;
  uint64_t kept_budget, kept_queue, kept_breaker, hedged, refused;
  int64_t up, down, waiting; /* bytes over the link; cases in the outbox and on the way there */
  double money, joules;
  bool open; /* the breaker */
} cascade_stats;
void cascade_stat(cascade *c, cascade_stats *s);

#endif
