/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MODEL_QDQ_FLOAT_H
#define TESTS_MODEL_QDQ_FLOAT_H

/* The plain float form of a QDQ graph, node by node as the file has them, with a bound of what rounding to f32 can do. */

#include "format/model.h"
#include "ir/infer.h"

/* One value of the graph. Of floats: what real numbers give, in double; how far f32 operations in any order may be from that;
 * what f32 operations gave. Of stored numbers: the bytes. */
typedef struct qdq_value {
  double *real, *error;
  float *f32;
  const void *stored;
} qdq_value;

typedef struct qdq_count {
  int64_t compared; /* numbers that QuantizeLinear makes */
  int64_t differ;   /* of them, those where f32 operations give another */
  double widest;    /* the greatest bound, in steps */
} qdq_count;

/* Follow the model from the float values of its inputs (by input) through all nodes. What a run has stored stands in
 * stored[value] for every value that QuantizeLinear's Reinterpret makes; each is compared with the float form of what leads
 * to it: it and the f32 result must each be within a step's half and the bound of the real result, and within a step of each
 * other; the values then go on from what was stored. False: *why says where. */
bool qdq_float(const whet_model *m, const float *const *inputs, const void *const *stored, qdq_count *c, char why[200]);

#endif
