/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EXPORT_ONNX_H
#define WHET_EXPORT_ONNX_H

/* The ONNX writer from inside: what the operators' functions in onnx_ops.c call. Field numbers are those of onnx.proto3. */

#include "export/export.h"
#include "wire/pb_out.h"

typedef struct whet_onnx_out {
  whet_export x;
  int opset;          /* of ai.onnx */
  bool uses_ms;       /* com.microsoft is imported */
  whet_text *nodes;   /* the graph that is being written: its nodes ... */
  whet_text *init;    /* ... and initialisers */
  whet_text *top;     /* initialisers of the main graph: constants of all graphs stand there */
  whet_text attr;     /* attributes of the node that is being written */
  uint8_t *written;   /* by value: its initialiser stands in the file */
} whet_onnx_out;

/* Attributes of the next node. */
void whet__ox_int(whet_onnx_out *o, const char *name, int64_t v);
void whet__ox_float(whet_onnx_out *o, const char *name, float v);
void whet__ox_ints(whet_onnx_out *o, const char *name, const int64_t *v, int32_t n);
void whet__ox_floats(whet_onnx_out *o, const char *name, const float *v, int32_t n);
void whet__ox_str(whet_onnx_out *o, const char *name, const char *v);
void whet__ox_strs(whet_onnx_out *o, const char *name, const char *const *v, int32_t n);
/* A graph of a body. */
whet_status whet__ox_graph(whet_onnx_out *o, const char *name, const whet_region *r);
/* Append a node of ai.onnx (or "com.microsoft:Type") with the attributes given so far. */
void whet__ox_node(whet_onnx_out *o, const char *label, const char *type, const char *const *in, int n_in,
                   const char *const *out, int n_out);
/* The same with the names of node n, whose inputs are as they are. */
whet_status whet__ox_as_is(whet_onnx_out *o, const whet_node *n, const char *type);
/* A new initialiser; its name. */
const char *whet__ox_const(whet_onnx_out *o, const char *like, whet_dtype t, int32_t rank, const int64_t *dims, const void *p);
/* A list of integers, as the newer operators take it. */
const char *whet__ox_list(whet_onnx_out *o, const char *like, const int64_t *v, int32_t n);
/* The name of value v, whose initialiser is written when it is a constant. */
const char *whet__ox_name(whet_onnx_out *o, int32_t v);
/* Is n a DequantizeLinear of a constant? It is written where its result is first named, or turned. */
bool whet__ox_late(const whet_onnx_out *o, const whet_node *n);
/* Value v with its dimensions turned: another initialiser, or a Transpose. */
const char *whet__ox_turned(whet_onnx_out *o, int32_t v, const int8_t *perm, int32_t rank);

/* QuantizeLinear (down) or DequantizeLinear of numbers of type t under q. */
void whet__ox_linear(whet_onnx_out *o, const char *label, bool down, const char *in, const char *out, whet_dtype t,
                     const whet_quant *q);

/* Write one node (onnx_ops.c); one that is an LSTM, GRU or RNN (onnx_rnn.c). */
whet_status whet__onnx_node(whet_onnx_out *o, const whet_node *n);
whet_status whet__onnx_rnn(whet_onnx_out *o, const whet_node *n);

#endif
