/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_RECIPE_H
#define WHET_CLI_RECIPE_H

/* What whet train is told: by options and by a recipe, a YAML file with the same names and a list of layers. */

#include "opts.h"
#include "train/layers.h"
#include "train/train.h"

typedef struct cli_recipe {
  const char *data, *split, *labels, *target; /* as for whet__set_open */
  const char *range, *mean, *std, *mel; /* of samples; mel: as cli_mel_parse reads it */
  const char *model, *output;
  const char *layers; /* "784,128:relu,10:softmax" */
  int loss, optimizer, schedule, rounded;
  double rate, momentum, beta2, decay, step_factor, warmup, smoothing;
  int64_t epochs, batch, step_epochs, last, seed, threads, checkpoint_steps, sound_rate;
  bool nesterov, no_test, restart, keep_zeros;
  const char *checkpoint, *log, *chart;
  int64_t shift, time_shift;
  bool flip;
  double crop, mixup, noise;
  const char *teacher, *teacher_cache, *match; /* match: "MINE=TEACHERS" */
  double temperature, mix, match_weight;
  /* Of the list in a recipe, or of `layers`. */
  int32_t rank; /* 0: as the data */
  int64_t dims[WHET_MAX_RANK];
  const whet_layer *layer;
  int n_layer;
} cli_recipe;

/* Read a recipe over what is in *r. One line is printed on failure; exit status. */
WHET_MUST int cli_recipe_read(const char *path, cli_recipe *r);
/* Read r->layers. */
WHET_MUST int cli_layers_parse(cli_recipe *r);

#endif
