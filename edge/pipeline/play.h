/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_PLAY_H
#define WHET_EDGE_PIPELINE_PLAY_H

/* A file as an item: its messages become frames, the first begins the item and the last ends it. Files of one picture
 * each, and all files if asked, are one item together: frames of a video, pieces of a recording. */

#include "edge/pipeline/payload.h"

typedef struct pl_play {
  pl_payload payload;
  double every; /* seconds between frames; 0: as fast as they are taken */
  bool whole;   /* all files are one item */
  bool began;   /* the first frame was given */
  size_t at;    /* rows or frames of the item so far */
  pl_stream stream;
  int64_t due; /* when the next frame may go; 0: at once */
} pl_play;

#define PL_PLAY_KEYS(type, at)                                                                 \
  PL_PAYLOAD_KEYS(type, at.payload), {.name = "whole", CONF_BOOL, offsetof(type, at.whole)}, { \
    .name = "every", CONF_SECONDS, offsetof(type, at.every), NULL, 0, 86400                    \
  }
#define PL_PLAY_DEFAULTS                                  \
  {                                                       \
    .payload = PL_PAYLOAD_DEFAULTS, .stream = {.fd = -1 } \
  }

/* Give the frames of a descriptor, which is closed. taken: nanoseconds since 1970 at which the item began; 0: each
 * frame is of now. False: the pipeline ends. A frame that cannot be read is counted and passed over. */
bool pl_play_fd(pl_play *p, pl_node *n, int fd, const char *item, int64_t taken);
/* The same for a file; one that cannot be opened counts as failed. */
bool pl_play_file(pl_play *p, pl_node *n, const char *path);
void pl_play_close(pl_play *p);

#endif
