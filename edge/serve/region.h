/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_REGION_H
#define WHET_EDGE_SERVE_REGION_H

/* System shared memory extension: regions that clients register. They are read and written by pread and pwrite, never
 * mapped: a client that shrinks its file cannot end the server. */

#include "edge/serve/buf.h"
#include "edge/serve/json.h"

typedef struct serve_region serve_region;
typedef struct serve_regions serve_regions;

serve_regions *regions_create(void);
void regions_free(serve_regions **r);
/* Open POSIX shared memory object `key` ("/name") and know `bytes` of it from offset on as `name`. E_DATA, E_NAME,
 * E_LIMIT. */
EDGE_MUST whet_status regions_add(serve_regions *r, json_text name, json_text key, uint64_t offset, uint64_t bytes,
                                  whet_err *err);
/* Forget one, or all (name.n 0). Requests that use it go on. */
void regions_drop(serve_regions *r, json_text name);
/* With a reference; NULL and E_DATA: no such region, or not so many bytes from offset on. */
serve_region *regions_find(serve_regions *r, json_text name, uint64_t offset, uint64_t bytes, whet_err *err);
void region_unref(serve_region **r);
EDGE_MUST whet_status region_read(serve_region *r, size_t offset, void *to, size_t n, whet_err *err);
EDGE_MUST whet_status region_write(serve_region *r, size_t offset, const void *from, size_t n, whet_err *err);
const char *region_name(const serve_region *r);
/* The status of one (E_NAME) or all as the extension's JSON array. */
EDGE_MUST whet_status regions_json(serve_regions *r, json_text name, serve_buf *out, whet_err *err);

#endif
