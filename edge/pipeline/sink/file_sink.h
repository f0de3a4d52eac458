/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_SINK_FILE_SINK_H
#define WHET_EDGE_PIPELINE_SINK_FILE_SINK_H

/* Sinks that make files, and may also hand them over: each file is a record whose key is its name, in a request of
 * its own unless told. */

#include "edge/pipeline/inner.h"

struct courier;

/* What the struct of such a sink begins with. */
typedef struct file_sink {
  pl_node n;
  const conf_node *send; /* settings of the sink `send`; NULL: files stay here */
  struct courier *c;
} file_sink;

#define FILE_SINK_KEY(type) \
  { .name = "send", CONF_NODE, offsetof(type, f.send) }

/* As courier.h has them; where files stay here they do nothing. */
EDGE_MUST whet_status file_sink_open(pl_node *n, whet_err *err);
EDGE_MUST whet_status file_sink_start(pl_node *n, whet_err *err);
EDGE_MUST whet_status file_sink_give(pl_node *n, const void *data, size_t bytes, const char *type, const char *name,
                                     whet_err *err);
/* The same with the contents of a file. */
EDGE_MUST whet_status file_sink_give_file(pl_node *n, const char *path, const char *type, const char *name,
                                          whet_err *err);
EDGE_MUST whet_status file_sink_flush(pl_node *n, whet_err *err);
void file_sink_close(pl_node *n);
void file_sink_stop(pl_node *n);
void file_sink_stats(pl_node *n, serve_buf *b);
bool file_sink_link(pl_node *n, pl_link *out);

#endif
