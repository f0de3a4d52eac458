/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_FILE_H
#define WHET_EDGE_FILE_H

/* Bytes into descriptors and files, for the rooms of edge/, which know public headers of whet only. */

#include "edge/edge.h"

/* All n bytes, however few the system takes at a time; false: errno says why. */
EDGE_MUST bool edge_write(int fd, const void *p, size_t n);
/* The file `name` in the open folder (AT_FDCWD: where the process is), which nobody sees half: written as a hidden
 * one beside its place, brought to the disk where `keep` says so, moved there. A link of that name is replaced, not
 * followed. False: errno says why, and nothing is left. */
EDGE_MUST bool edge_save(int folder, const char *name, const void *p, size_t n, bool keep);

#endif
