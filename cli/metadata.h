/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_METADATA_H
#define WHET_CLI_METADATA_H

/* What a model's metadata says of its picture inputs: TFLite Metadata (normalisation, colour space), ONNX's image
 * properties (MetadataProps: Image.BitmapPixelFormat, Image.NominalPixelRange), and whet.samples, which whet train
 * writes into both. */

#include <stdbool.h>

#include "whet/model.h"
#include "whet/prep.h"

typedef struct cli_metadata {
  bool ranged; /* lo, hi hold what 0 and 255 stand for */
  float lo, hi;
  bool normalised; /* mean and std hold, in units of the range; n_mean and n_std numbers, 1: for every channel */
  float mean[4], std[4];
  uint32_t n_mean, n_std;
  bool colored; /* color holds */
  whet_pixel color;
} cli_metadata;

/* For input i of the main graph. Metadata that cannot be read counts as absent. */
void cli_metadata_read(const whet_model *m, size_t i, cli_metadata *out);

#endif
