/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CODEC_NPY_H
#define WHET_CODEC_NPY_H

/* NumPy's .npy files, versions 1 to 3 (numpy.lib.format), read into values and written from them.
 *
 * Read: every numeric type of either byte order, bool, S and U strings, C and Fortran order. V1 and V2, as which
 * numpy saves types that it does not know (float8, bfloat16), come as uint8 and uint16. Structured and pickled arrays
 * are refused. Written: version 1, C order, little-endian; strings as S; bfloat16 and float8 as V2 and V1; types
 * under 8 bits one element a byte. */

#include "base/str.h"
#include "whet/value.h"

/* Do bytes begin as an .npy file? */
bool whet__npy_knows(const void *p, size_t n);
WHET_MUST whet_status whet__npy_read(const void *p, size_t n, whet_value **out, whet_err *err);
/* The file of a tensor, appended to out. */
WHET_MUST whet_status whet__npy_write(const whet_value *v, whet_text *out, whet_err *err);


/* Where the numbers of a file lie, for who reads some of them. */
typedef struct whet_npy {
  whet_dtype dtype;
  int32_t rank;
  int64_t dim[WHET_MAX_RANK];
  const uint8_t *data; /* into the file's bytes: row-major and little-endian, of any alignment */
} whet_npy;
/* The same checks as whet__npy_read, without a copy. E_UNSUPPORTED: strings, column-major or big-endian arrays. */
WHET_MUST whet_status whet__npy_view(const void *p, size_t n, whet_npy *out, whet_err *err);

#endif
