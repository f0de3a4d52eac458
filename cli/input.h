/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_INPUT_H
#define WHET_CLI_INPUT_H

/* Files as inputs of a model: .npy, ONNX .pb, raw bytes, pictures, WAV. What a file is, is told by its first bytes.
 */

#include "model.h"
#include "whet/prep.h"

/* How pictures and sound become tensors. */
typedef struct cli_input_opts {
  int fit, filter;        /* whet_fit, whet_filter */
  int color;              /* 0: by the model; else 1 + rgb, bgr, gray */
  int layout;             /* 0: by the shape; else 1 + nchw, nhwc */
  const char *range;      /* "LO..HI", NULL: by the model */
  const char *mean, *std; /* "A,B,C", NULL: by the model */
  const char *pad;        /* "A,B,C" or "A": around letterboxed pictures */
  int64_t rate;           /* frames a second into which sound is resampled; 0: as it comes */
  const char *mel;        /* sound becomes rows of it, as cli_mel_parse reads it; NULL: samples */
} cli_input_opts;
extern const cli_opt cli_input_options[];

/* Check the texts among the options once, before anything is opened; 0 or an exit status. */
WHET_MUST int cli_input_check(const cli_input_opts *o);

/* Make the tensor for input i out of a file and give it to the session. *note receives what was done, "640x480
 * picture, stretched to 224x224, RGB, 0..255", or "". One line is printed on failure; exit status. */
WHET_MUST int cli_input_set(const cli_model *m, size_t i, const char *file, const cli_input_opts *o,
                            const char **note);

/* Give every input its contents: from a list of "[NAME=]FILE", or made up (fill: 0: all must be given; else 1 +
 * cli_fill). files and notes, as many as inputs, receive the file (NULL: none) and what was made of it. */
WHET_MUST int cli_inputs_set(const cli_model *m, const cli_list *given, int fill, const cli_input_opts *in,
                             const char **files, const char **notes);

/* Read a tensor file (.npy or .pb) as a value of the kind and type that `info` declares (NULL: whatever it is). */
WHET_MUST whet_status cli_tensor_read(const char *path, const whet_info *info, whet_value **out, whet_err *err);

#endif
