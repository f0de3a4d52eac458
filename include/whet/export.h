/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EXPORT_H
#define WHET_EXPORT_H

/* Models as .onnx and .tflite files (libwhet_make).
 *
 * What a format cannot say is refused: the error names every such node. Names and order of inputs and outputs stay, and so
 * does their layout. The file is written all or nothing. */

#include "whet/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct whet_export_opts {
  size_t size; /* of this struct, as the caller knows it */
  int opset;   /* ONNX: of ai.onnx, 13 to 21 */
  int dense;   /* 0: weights that are mostly zero are written sparse, where that saves half of their bytes; 1: never */
} whet_export_opts;

/* Defaults: opset 17, sparse weights. */
WHET_API whet_export_opts whet_export_opts_default(void);

/* Write a model to path in a format, WHET_FORMAT_ONNX or WHET_FORMAT_TFLITE. The model is not changed. o may be NULL. Any
 * thread. E_UNSUPPORTED lists the nodes that the format cannot say; E_IO names the file. */
WHET_API whet_status whet_model_export(whet_model *m, const char *path, whet_format format, const whet_export_opts *o,
                                       whet_err *err);

#ifdef __cplusplus
}
#endif
#endif
