/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TESTS_EDGE_HEARD_H
#define WHET_TESTS_EDGE_HEARD_H

/* A pipeline that frames are given to, one by one, and what it says. */

#include "edge/pipeline/inner.h"

typedef struct heard {
  char *text; /* events, a line each */
  size_t n, lines;
} heard;

/* Open and start what text says; sysfs, procfs: roots, or NULL. A failure fails the test. */
whet_pipeline *open_under(const char *text, const char *sysfs, const char *procfs, heard *h);
whet_pipeline *open_text(const char *text, heard *h);
/* A frame at `ms` milliseconds of a picture of 100 x 100. */
pl_frame *frame_at(whet_pipeline *p, int64_t ms);
/* To the first branch. */
void give(whet_pipeline *p, pl_frame *f);
/* End it when all frames are through; the text is the caller's. */
heard finish(whet_pipeline *p, heard *h);

#endif
