/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_CHECKPOINT_H
#define WHET_TRAIN_CHECKPOINT_H

/* Checkpoints: where training is, every variable, and the epochs so far, in one file that is written beside its place and
 * renamed. With what is drawn being a function of places, nothing else is needed to go on to the same bytes.
 *
 * The file: "WHETCKP1", the head below, n_epoch whet_epoch, then the variables' bytes; the head holds the checksum of what follows
 * it. It is read by the program and the machine type that wrote it. */

#include "train/train.h"

typedef struct whet_checkpoint {
  char magic[8];
  uint32_t crc, n_var;
  uint64_t print; /* of the graph, the options and the data: others go on from no such file */
  uint64_t bytes; /* of all variables */
  int64_t step;   /* made */
  int64_t seen, right; /* items of the epoch under way */
  double loss;         /* its sum */
  uint64_t n_epoch;
} whet_checkpoint;

typedef struct whet_memory {
  void *p;
  size_t n;
} whet_memory;

WHET_MUST whet_status whet__checkpoint_write(const char *path, whet_checkpoint *c, const whet_epoch *epoch, const whet_memory *var, size_t n_var,
                                             whet_mem *m, whet_err *err);
/* Fill c, the variables and *epoch (of m). *there is false when there is no file. E_DATA: of other training; E_FORMAT: damaged. */
WHET_MUST whet_status whet__checkpoint_read(const char *path, uint64_t print, whet_checkpoint *c, whet_epoch **epoch, const whet_memory *var,
                                            size_t n_var, whet_mem *m, bool *there, whet_err *err);

#endif
