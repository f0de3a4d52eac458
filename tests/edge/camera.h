/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_EDGE_CAMERA_H
#define TESTS_EDGE_CAMERA_H

/* A pipeline as a camera would feed it: raw frames of 320 x 240 with faces, 30 a second, through a detector. What the
 * tests and benchmarks of its cost share. */

#include "whet/pipeline.h"

/* The detector's path; NULL: the shared folder is not there. */
const char *camera_model(void);
/* A pipeline's file in `folder`: the frames without end, detector, tracker, a threshold, and sinks (YAML, below
 * "sinks:"). Every frame becomes an event. The path lives until the program ends. */
const char *camera_pipeline(const char *folder, const char *sinks);
/* A counter of a running pipeline, by `"name":`; -1: there is none. */
long camera_count(whet_pipeline *p, const char *key);
/* Run `whet pipeline FILE` for `run_ms` after its first event, SIGTERM, wait: seconds from the signal to the end. It
 * must end with status 0. *events: events that its sinks were given; *kept: records in its outbox. */
double camera_stop(const char *file, int run_ms, long *events, long *kept);

#endif
