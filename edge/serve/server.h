/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_SERVER_H
#define WHET_EDGE_SERVE_SERVER_H

/* What the parts of the server share: the server, a request on its way, the table of routes. */

#include <microhttpd.h>

#include "edge/pipeline/energy.h"
#include "edge/serve/auth.h"
#include "edge/serve/sched.h"
#include "edge/serve/serve.h"
#include "edge/serve/settings.h"
#include "edge/serve/watch.h"

typedef struct serve_server {
  serve_opts o;
  serve_store *store;
  serve_sched *sched;
  serve_regions *regions; /* NULL: not asked for */
  serve_auth *auth;       /* NULL: nobody is asked */
  serve_settings *settings;
  serve_watch *watch;
  struct MHD_Daemon *http;
  int64_t began; /* edge_now() */
  _Atomic bool ready, draining;
  _Atomic size_t bodies;   /* bytes that requests hold */
  _Atomic int64_t running; /* requests that were read and not yet answered */
  _Atomic int64_t connections;
  _Atomic uint64_t by_status[6]; /* answers, by the first digit of their status */
  stats_hist seconds;            /* of all requests */
  int statm;                     /* a file of /proc that /metrics reads; -1: none */
  pl_energy energy;
} serve_server;

typedef struct serve_req serve_req;

/* Who may use a route. */
typedef enum route_who { ROUTE_OPEN, ROUTE_ANY, ROUTE_MODEL, ROUTE_ADMIN } route_who;

typedef struct serve_route {
  const char *method, *path; /* "/v2/models/{model}/infer" */
  void (*fn)(serve_req *r);  /* answers with serve_ok or serve_refuse, or makes it later */
  route_who who;
  const char *id, *summary; /* of the OpenAPI operation */
  const char *takes,
      *gives; /* schemas of its bodies: a name of openapi.json, "" for none, "text/plain" and the like */
} serve_route;

extern const serve_route serve_routes[];
extern const size_t serve_n_routes;

enum { REQ_BODY, REQ_RUNS, REQ_DONE };

struct serve_req {
  serve_server *s;
  struct MHD_Connection *c;
  const serve_route *route; /* NULL: refused already */
  _Atomic int phase;        /* REQ_BODY, REQ_RUNS, REQ_DONE: a worker sets the last */
  char path[512];           /* cut where its parts end */
  json_text arg[2];         /* parts of the path that the pattern names */
  serve_buf body;
  size_t counted; /* bytes of the body that count against all bodies */
  bool asked;     /* for its deadline, as far as it has come */
  bool drop;      /* what still comes of the body is not kept */
  int64_t began;
  watch_ticket ticket; /* of the connection, while it is suspended */

  int status; /* of the answer */
  serve_buf out;
  const char *type;  /* of its content */
  size_t json_bytes; /* of an answer with binary tensors */
  int64_t retry_ms;  /* 0: none */
  const char *allow; /* methods, with 405 */
  const void *fixed; /* content that is not in out: of a page */
  size_t n_fixed;
  serve_infer *infer;
  serve_version *version; /* of a picture; a reference */
};

/* Answer with what is in r->out, as JSON unless type says otherwise. */
void serve_ok(serve_req *r, const char *type);
/* Answer with an error of the protocol. */
void serve_refuse(serve_req *r, int status, const char *fmt, ...) EDGE_PRINTF(3, 4);
/* The same for a failure of whet, with the status that belongs to it. */
void serve_refuse_err(serve_req *r, const whet_err *err);
/* The connection waits; serve_wake answers with what was set, from any thread. */
void serve_later(serve_req *r);
void serve_wake(serve_req *r);
/* A header of the request; NULL: none. */
const char *serve_header(serve_req *r, const char *name);
/* Tell the log: 0 error ... 3 each request. */
void serve_log(serve_server *s, int level, const char *fmt, ...) EDGE_PRINTF(3, 4);
/* May models and settings be changed over the network? Refuses when not. */
bool serve_may_change(serve_req *r);

/* Turn a request for inference away, before the rest of its body has come, when its model's queue has no room for it:
 * when only its headers are there, and when its JSON is, in front of binary tensors, and tells its deadline. */
bool route_infer_full(serve_req *r);
bool route_infer_late(serve_req *r);
/* Turn what became of a run of r->infer into an answer. */
void serve_infer_answer(serve_req *r);

/* Callbacks of libmicrohttpd. */
enum MHD_Result req_handle(void *cls, struct MHD_Connection *c, const char *url, const char *method,
                           const char *version, const char *data, size_t *n, void **req);
void req_completed(void *cls, struct MHD_Connection *c, void **req, enum MHD_RequestTerminationCode why);

/* Find the route of a path and a method; parts of the path go to r->arg. NULL with *allow: the path is there, but for
 * other methods; both NULL: there is none. */
const serve_route *route_find(serve_req *r, const char *method, const char **allow);

/* The functions of routes.def. */
#define ROUTE(method, path, fn, who, id, summary, takes, gives) void fn(serve_req *r);
#include "edge/serve/routes.def"
#undef ROUTE

/* Shut the process in: only `read` paths may be read, nothing written but shared memory when it was asked for.
 * NULL-terminated list. Answers what holds, for the log. Before threads are made. */
const char *sandbox_files(const char *const *read, bool shared_memory);
/* Leave only the system calls that the server needs, in all threads. After all is open. */
const char *sandbox_calls(void);

#endif
