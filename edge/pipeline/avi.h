/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_AVI_H
#define WHET_EDGE_PIPELINE_AVI_H

/* Motion JPEG in an AVI file (RIFF, with an index), as players take it everywhere. */

#include "edge/serve/buf.h"

typedef struct pl_avi {
  int fd;
  uint32_t width, height, frames, largest;
  uint64_t at; /* bytes written */
  serve_buf index;
} pl_avi;

/* Begin a file. E_IO. */
EDGE_MUST whet_status pl_avi_open(pl_avi *a, const char *path, uint32_t width, uint32_t height, whet_err *err);
/* Add a picture (a whole JPEG). E_LIMIT: the file would pass 1 GB. */
EDGE_MUST whet_status pl_avi_add(pl_avi *a, const void *jpeg, size_t n, whet_err *err);
/* Write the index and, now that they are known, the counts; `seconds` is what all frames took. Closes the file. */
EDGE_MUST whet_status pl_avi_close(pl_avi *a, double seconds, whet_err *err);

#endif
