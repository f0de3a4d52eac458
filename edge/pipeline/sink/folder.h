/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_SINK_FOLDER_H
#define WHET_EDGE_PIPELINE_SINK_FOLDER_H

/* Folders of files that are named by their time, so that the oldest come first and go first. */

#include "edge/pipeline/event.h"
#include "edge/pipeline/inner.h"
#include "edge/serve/buf.h"

/* start of a sink: the folder is there from now on. */
EDGE_MUST whet_status sink_folder_make(pl_node *n, const char *folder, whet_err *err);
/* "TIME_BRANCH" of a frame, with no character that some file system refuses. */
void sink_folder_name(const pl_frame *f, char *out, size_t n);
/* Delete the oldest until `most` are left of the files with one of the endings, which are of four characters:
 * ".jpg.ppm". */
void sink_folder_trim(const char *folder, const char *endings, int64_t most);
/* room of whet_picture_encode, with a serve_buf as its user. */
void *sink_room(void *user, size_t bytes);

#endif
