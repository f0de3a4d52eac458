/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_SAVE_H
#define WHET_CLI_SAVE_H

/* Writing a model to a file whose ending says the format. */

#include <stdbool.h>

#include "whet/whet.h"

#define CLI_SAVE_ENDINGS ".tflite, .onnx or .whet"

/* The ending is one that is written, and files can be made in that folder; else one line is printed. Exit status. */
int cli_save_check(const char *path);
/* Could the format say this model? Asked before long work whose end is to write one like it. */
whet_status cli_save_could(whet_model *m, const char *path, whet_err *err);
/* The format that the ending says; AUTO for .whet, which holds either. */
whet_format cli_save_format(const char *path);
/* Write it; all or nothing. dense: weights are written as they are however many are zero. */
whet_status cli_save(whet_model *m, const char *path, bool dense, whet_err *err);

#endif
