/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_EVENT_H
#define WHET_EDGE_PIPELINE_EVENT_H

/* A frame's findings as JSON, without those that are hidden; and times as texts. */

#include "edge/pipeline/kind.h"
#include "edge/serve/buf.h"
#include "edge/serve/json.h"

/* Append the event of a frame: one object, no line's end. */
void pl_event(const pl_frame *f, const char *branch, serve_buf *out);
/* Is this part shown? */
bool pl_shows(const pl_frame *f, pl_field what);

enum { PL_TIME = 32 };
/* RFC 3339 in UTC with microseconds: "2026-01-31T12:00:00.000001Z". */
void pl_time_text(int64_t ns, char out[PL_TIME]);
/* The same back, with any offset and number of digits; or a number: seconds, milliseconds, microseconds or
 * nanoseconds since 1970, which its size tells. False when it is none. */
bool pl_time_read(const char *text, size_t n, int64_t *ns);

#endif
