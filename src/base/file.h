/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BASE_FILE_H
#define WHET_BASE_FILE_H

/* Files: mapped or read whole, found inside one folder only, written all or nothing. */

#include "base/mem.h"

/* The bytes of a file. */
typedef struct whet_file {
  const uint8_t *p;
  size_t n;
  size_t map; /* bytes of the mapping, 0 when the bytes were read into memory of `mem` */
  whet_mem *mem; /* NULL: the bytes are the caller's */
} whet_file;

/* Map the file at path, or (copy) read it into memory of m. Directories and devices are refused. */
WHET_MUST whet_status whet__file_open(const char *path, bool copy, whet_mem *m, whet_file *out, whet_err *err);
/* The same for a file below `folder`: `name` is relative; absolute names, "..", and symbolic links that leave the
 * folder are refused (E_DATA). */
WHET_MUST whet_status whet__file_open_in(const char *folder, const char *name, bool copy, whet_mem *m, whet_file *out,
                                         whet_err *err);
void whet__file_close(whet_file *f);
/* The pages that lie wholly in [p, p+n) of a mapped file are not needed any more: let the kernel take them. */
void whet__file_forget(const whet_file *f, const void *p, size_t n);

/* Write n bytes to path: to a new file beside it first, on the disk, then renamed, so that no half file is ever seen. A
 * device or pipe is written to as it is. */
WHET_MUST whet_status whet__file_write(const char *path, const void *p, size_t n, whet_err *err);
/* The same from pieces, one after the other. */
typedef struct whet_piece {
  const void *p;
  size_t n;
} whet_piece;
WHET_MUST whet_status whet__file_write_pieces(const char *path, const whet_piece *piece, size_t n, whet_err *err);

#endif
