/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_SETTINGS_H
#define WHET_EDGE_SERVE_SETTINGS_H

/* What can be changed while the server runs: traces and the log, by the extensions of those names.
 *
 * A trace is one line of JSON for a request that was sampled: its model, its times. Traces go to the file that the
 * server was started with; addresses and levels that would need another are refused by name. */

#include "edge/serve/buf.h"
#include "edge/serve/json.h"

typedef struct serve_settings serve_settings;

/* level: of the log, as in serve_opts. trace: a file that is appended to, or NULL. */
EDGE_MUST whet_status settings_create(int level, const char *trace, serve_settings **out, whet_err *err);
void settings_close(serve_settings **s);

/* Is a line of this level written? 0 error, 1 warning, 2 information, 3 each request. */
bool settings_logs(const serve_settings *s, int level);
/* Write a line with its time. */
void settings_log(serve_settings *s, int level, const char *line);
void settings_log_json(serve_settings *s, serve_buf *out);
/* Take a request of the logging extension. E_DATA, E_UNSUPPORTED; then nothing is changed. */
EDGE_MUST whet_status settings_log_set(serve_settings *s, char *body, size_t n, whet_err *err);

/* The settings of a model, or (model.n 0) those of all that have none of their own. */
void settings_trace_json(serve_settings *s, json_text model, serve_buf *out);
EDGE_MUST whet_status settings_trace_set(serve_settings *s, json_text model, char *body, size_t n, whet_err *err);

/* Is anything traced at all? Cheap. */
bool settings_traces(const serve_settings *s);
/* A request of a model was answered: write its trace if it is sampled. */
void settings_trace(serve_settings *s, const char *model, const char *version, json_text id, int status,
                    int64_t arrived, int64_t queued_ns, int64_t done);

#endif
