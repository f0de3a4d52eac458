/* SPDX-License-Identifier: Apache-2.0 */
/* The one name that libwhet_avx512.so shows: its table of families, to the libwhet.so of the same build
 * (base/apart.h). */

#include "kern/kern.h"

__attribute__((visibility("default"))) const whet_family *whet_avx512_families(const char *build);

/* NULL where the caller is of another build: rows may then take other parameters, or mean other ones. */
const whet_family *whet_avx512_families(const char *build) {
  return strcmp(build, WHET_BUILD_ID) ? NULL : whet__families;
}
