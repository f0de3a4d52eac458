/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_TEACHER_H
#define WHET_TRAIN_TEACHER_H

/* A teacher at work: what it says of a batch of the pupil's items. */

#include "train/train.h"

typedef struct whet_teacher whet_teacher;

/* feed: the pupil's; numbers: floats that are told of each item; soften: they are scores of classes. E_SHAPE: the teacher
 * cannot be shown such items, or tells another number of numbers. */
WHET_MUST whet_status whet__teacher_open(const whet_train_opts *o, const whet_set *s, const whet_feed *feed, int64_t numbers, bool soften,
                                         whet_mem *m, whet_teacher **out, whet_err *err);
void whet__teacher_close(whet_teacher **t);

/* x: [batch][item] as the pupil sees them, of set items item[batch]. told [batch][numbers]: softened shares that add up to 1, or
 * the numbers; alike [batch][batch] (NULL: not asked for): see loss.c. */
WHET_MUST whet_status whet__teacher_tell(whet_teacher *t, const float *x, const int32_t *item, float *told, float *alike, whet_err *err);

/* A number that another teacher, other options or other data change. */
uint64_t whet__teacher_print(const whet_teacher *t);

/* ---- what it said, on the disk (said.c) ------------------------------------------------------- */

/* A file of one row of numbers for each item of a set. Each row has a checksum: whatever a kill left half written is told anew. */
typedef struct whet_said {
  int fd; /* -1: no file */
  const char *path;
  int64_t n, width;
} whet_said;

/* Open or make it. E_DATA: it is of another teacher, other data or another width. */
WHET_MUST whet_status whet__said_open(const char *path, uint64_t print, int64_t n, int64_t width, whet_said *out, whet_err *err);
void whet__said_close(whet_said *s);
/* Row i; false: not there. */
bool whet__said_get(const whet_said *s, int64_t i, float *row);
WHET_MUST whet_status whet__said_put(const whet_said *s, int64_t i, const float *row, whet_err *err);

#endif
