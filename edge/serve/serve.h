/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_SERVE_H
#define WHET_EDGE_SERVE_SERVE_H

/* The server: models of a folder over HTTP, as the Open Inference Protocol v2 and Triton's extensions of it have it.
 */

#include "edge/serve/store.h"

typedef struct serve_opts {
  const char *models;             /* folder */
  const char *host;               /* default "127.0.0.1" */
  int64_t port;                   /* default 8000; 0: any that is free */
  const char *tls_cert, *tls_key; /* PEM files; both or neither */
  const char *token_file;         /* NULL: nobody is asked for one */
  const char *trace_file;         /* where traces go; NULL: there are none */
  const char *sysfs;              /* where the machine tells energy; NULL: /sys */
  const char *cpu;                /* as in whet_program_opts */
  int64_t threads;                /* that wait for connections; 0: as many as the process may use, at most 4 */
  int64_t workers;                /* that run what may not run at once; 0: as many as the process may use */
  int64_t connections;            /* open at once; default 16384 */
  int64_t per_address;            /* of one client; 0: no limit */
  size_t body;                    /* bytes of one request, also when unpacked; default 64M */
  size_t bodies;                  /* bytes of all requests at once; default 512M */
  double deadline;                /* seconds for requests that name none; default 30 */
  double idle;                    /* seconds that a connection may be silent; default 75 */
  double slow;                    /* seconds for all of a request to arrive; default 30 */
  double drain;                   /* seconds that the end waits for what runs; default 30 */
  double poll;                    /* seconds between looks at the folder; default 30 */
  double at_once;                 /* runs up to so many seconds are made by the thread that reads; default 0.002 */
  double spin;                    /* seconds that the next request of a quick client is looked for; default 0.0001 */
  bool shared_memory;             /* clients may register system shared memory */
  bool read_only;                 /* models are not loaded and unloaded, settings not changed over the network */
  bool compress;                  /* replies are compressed for those who accept it; default yes */
  bool sandbox;                   /* landlock and seccomp where the kernel has them; default yes */
  bool json;                      /* the address is printed as JSON: {"url": ..., "pid": ...} */
  int level;                      /* of the log: 0 errors, 1 warnings, 2 information, 3 each request */
  version_check check;            /* what a version passes before it takes traffic; NULL: nothing */
  void *check_user;
  const char *const *readable; /* more paths that the sandbox leaves readable, NULL after the last; NULL: none */
} serve_opts;

serve_opts serve_opts_default(void);
/* Serve until SIGTERM or SIGINT, then drain. Prints the address on standard output when it answers, its log on
 * standard error. Call it from the main thread of a process that has no other. */
EDGE_MUST whet_status serve_run(const serve_opts *o, whet_err *err);
/* The OpenAPI document, without running. */
void serve_openapi(serve_buf *out);

#endif
