/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EXPORT_TFLITE_H
#define WHET_EXPORT_TFLITE_H

/* The TFLite writer from inside: what the operators' functions in tflite_ops.c call. Numbers are those of schema 3. Channels stand
 * last, but for nodes that could not be turned: those are refused. */

#include "export/export.h"
#include "export/fb_out.h"
#include "wire/tflite.h"

/* Fused activations. */
enum { WHET_TFL_NONE, WHET_TFL_RELU, WHET_TFL_RELU_N1_TO_1, WHET_TFL_RELU6, WHET_TFL_TANH };

/* A field of an options table. */
typedef struct whet_tfl_field {
  int id;
  int64_t i;
  float f;
  const int32_t *list;
  int32_t n;
} whet_tfl_field;
enum { WHET_TFL_FIELDS = 10 };

typedef struct whet_tfl_code {
  int32_t builtin, version;
} whet_tfl_code;

typedef struct whet_tfl_out {
  whet_export x;
  whet_fbo b;
  int32_t *tensor; /* by value: its number, -1: none yet */
  uint8_t *skip;   /* by node: done with another one */
  uint32_t *tensors, *buffers, *ops;
  size_t n_tensor, cap_tensor, n_buffer, cap_buffer, n_op, cap_op;
  whet_tfl_code *code;
  size_t n_code, cap_code;
  whet_tfl_field field[WHET_TFL_FIELDS]; /* options of the operator that is being written */
  int n_field;
  int activation;
  bool sparse; /* the operator that is being written reads sparse weights */
} whet_tfl_out;

/* The tensor of value v (-1: -1). */
int32_t whet__tx_tensor(whet_tfl_out *o, int32_t v);
/* A new constant; a new tensor like value v, of a shape (NULL: v's). q: quantisation, NULL: none. */
int32_t whet__tx_const(whet_tfl_out *o, const char *like, whet_dtype t, int32_t rank, const int64_t *dims, const void *p,
                       const whet_quant *q);
int32_t whet__tx_like(whet_tfl_out *o, const char *name, int32_t v, const whet_shape *s);
int32_t whet__tx_typed(whet_tfl_out *o, const char *name, whet_dtype t, const whet_shape *s);
/* A constant list of int32, from int64 with numbers beyond its range brought to the nearest. */
int32_t whet__tx_list(whet_tfl_out *o, const char *like, const int64_t *v, int32_t n);
/* The same of constant value v, whatever its integer type is; -1: it is none. */
int32_t whet__tx_narrow(whet_tfl_out *o, int32_t v);
/* Value v with its dimensions turned: a constant, or TRANSPOSE. */
int32_t whet__tx_turned(whet_tfl_out *o, int32_t v, const int8_t *perm, int32_t rank);

/* Weights v of a product, turned: sparse where they are float and that is much smaller (LiteRT's delegates refuse sparse integers). direct: the
 * operator reads sparse weights itself; else DENSIFY comes before it. */
int32_t whet__tx_weights(whet_tfl_out *o, int32_t v, const int8_t *perm, int32_t rank, bool direct);

/* Options of the next operator. */
void whet__tx_int(whet_tfl_out *o, int id, int64_t v);
void whet__tx_float(whet_tfl_out *o, int id, float v);
void whet__tx_ints(whet_tfl_out *o, int id, const int32_t *v, int32_t n);
/* Append an operator with the options given so far. type: the version depends on it. */
void whet__tx_op(whet_tfl_out *o, const char *builtin, whet_dtype type, const int32_t *in, int n_in, const int32_t *out, int n_out);
/* The value that node n's operator writes, and in o->activation what it does to it: the activation that alone uses n's result is
 * done by the operator itself. */
int32_t whet__tx_activated(whet_tfl_out *o, const whet_node *n);

/* Write one node (tflite_ops.c). */
whet_status whet__tflite_node(whet_tfl_out *o, const whet_node *n);

#endif
