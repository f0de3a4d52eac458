/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_LIB_TINY_H
#define TESTS_LIB_TINY_H

/* Tiny valid models of both formats, each with some of what a file can hold: what readers are cut, bent and fuzzed
 * with. */

#include "lib/build.h"

typedef struct tiny {
  const char *name;
  buf (*make)(void); /* the file's bytes, to be freed */
} tiny;

extern const tiny tiny_onnx[], tiny_tflite[];
extern const size_t tiny_n_onnx, tiny_n_tflite;

#endif
