/* SPDX-License-Identifier: Apache-2.0 */
/* Element types of the protocol ("Tensor Data Types" of its REST specification; BF16 as Triton has it). */

#include "edge/serve/dtype.h"

static const serve_dtype k_types[] = {
    {"FP32", WHET_F32, 4, true},   {"UINT8", WHET_U8, 1, true},     {"INT8", WHET_S8, 1, true},
    {"BOOL", WHET_BOOL, 1, true},  {"INT64", WHET_S64, 8, true},    {"INT32", WHET_S32, 4, true},
    {"INT16", WHET_S16, 2, true},  {"UINT16", WHET_U16, 2, true},   {"UINT32", WHET_U32, 4, true},
    {"UINT64", WHET_U64, 8, true}, {"FP64", WHET_F64, 8, true},     {"FP16", WHET_F16, 2, false},
    {"BF16", WHET_BF16, 2, false}, {"BYTES", WHET_STRING, 0, true},
};

const serve_dtype *dtype_of(whet_dtype t) {
  for (size_t i = 0; i < EDGE_COUNT(k_types); i++)
    if (k_types[i].whet == t) return &k_types[i];
  return NULL;
}

const serve_dtype *dtype_named(json_text name) {
  for (size_t i = 0; i < EDGE_COUNT(k_types); i++)
    if (text_is(name, k_types[i].name)) return &k_types[i];
  return NULL;
}
