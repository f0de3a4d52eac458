/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_NPY_H
#define WHET_CLI_NPY_H

/* NumPy's .npy files, versions 1 to 3 (numpy.lib.format), read into values and written from them.
 *
 * Read: every numeric type of either byte order, bool, S and U strings, C and Fortran order. V1 and V2, as which
 * numpy saves types that it does not know (float8, bfloat16), come as uint8 and uint16. Structured and pickled arrays
 * are refused. Written: version 1, C order, little-endian; strings as S; bfloat16 and float8 as V2 and V1; types
 * under 8 bits one element a byte. */

#include "base/str.h"
#include "whet/value.h"

/* Do bytes begin as an .npy file? */
bool cli_npy_knows(const void *p, size_t n);
WHET_MUST whet_status cli_npy_read(const void *p, size_t n, whet_value **out, whet_err *err);
/* The file of a tensor, appended to out. */
WHET_MUST whet_status cli_npy_write(const whet_value *v, whet_text *out, whet_err *err);

#endif
