/* SPDX-License-Identifier: Apache-2.0 */
/* Contract: any bytes end in a named error or, read as this format, in a model that can be asked about itself. */

#include "lib/drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  whet_err err = {0};
  drive(p, n, &(drive_opts){.format = WHET_FORMAT_TFLITE, .run = false}, &err);
  return 0;
}
