/* SPDX-License-Identifier: Apache-2.0 */
/* Contract: any bytes with the checksums of a .whet file end in a named error or, run within limits, in a clean run.
 */

#include <stdlib.h>

#include "lib/drive.h"
#include "lib/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  whet_err err = {0};
  uint8_t *copy = malloc(n ? n : 1);
  if (!copy) return 0;
  if (n) memcpy(copy, p, n);
  seal(copy, n);
  drive(copy, n, &(drive_opts){.format = WHET_FORMAT_WHET, .run = true}, &err);
  free(copy);
  return 0;
}
