/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_STORE_H
#define WHET_EDGE_SERVE_STORE_H

/* The folder of models, NAME/VERSION/model.{onnx,tflite,whet}, and what of it is served.
 *
 * Files are looked at when the system tells of a change and every `poll` seconds. A file that changed is loaded
 * beside the version that it replaces; the old one takes requests until the new one has passed its check, and stays
 * when it does not. Names that come from the network are only compared with those that stand in the folder. */

#include "edge/serve/version.h"

typedef struct serve_store serve_store;

typedef struct store_opts {
  const char *folder;
  const char *cpu;
  double deadline; /* default of requests, seconds */
  double poll;     /* seconds */
  version_check check;
  void *check_user;
  void (*log)(void *user, int level, const char *line); /* 0 error, 1 warning, 2 information */
  void *log_user;
} store_opts;

/* Reads the folder and loads what is in it; a model that cannot be loaded is logged and shown in the index. E_IO: no
 * such folder. */
EDGE_MUST whet_status store_open(const store_opts *o, serve_store **out, whet_err *err);
/* Begin to watch for changes. */
EDGE_MUST whet_status store_watch(serve_store *s, whet_err *err);
void store_close(serve_store **s);
/* Look at the folder now. */
void store_scan(serve_store *s);

/* The version of a model to run, with a reference: the newest when version.n is 0. NULL: err is E_NAME with what
 * there is. */
serve_version *store_find(serve_store *s, json_text model, json_text version, whet_err *err);
/* Load a model of the folder again (or at last), or stop serving it. E_NAME; for load also why it is not served.
 * Blocks. */
EDGE_MUST whet_status store_load(serve_store *s, json_text model, whet_err *err);
EDGE_MUST whet_status store_unload(serve_store *s, json_text model, whet_err *err);

/* What the index lists. */
typedef struct store_entry {
  const char *model, *version; /* version NULL: the model has none */
  bool ready;
  const char *reason; /* "" or why it is not ready, or why a newer file was refused */
} store_entry;
void store_each(serve_store *s, void (*fn)(void *user, const store_entry *e), void *user);
/* Versions that are served, with references that the caller drops. NULL: none of this name, or (name NULL) none at
 * all; *n 0. */
serve_version **store_versions(serve_store *s, const json_text *model, size_t *n);

#endif
