/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_SOURCE_H
#define WHET_SOURCE_H

/* The file's own graph, beside the one that runs: its subgraphs, tensors and nodes under the file's names and numbers,
 * before anything was rewritten. For tools, and for those who offer another runtime's interface.
 *
 * Everything is borrowed from the model and lives as long. Any thread. */

#include "whet/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Graphs: 0 is the main one. TFLite: the file's subgraphs. ONNX: the main graph only. */
WHET_API size_t whet_model_graphs(const whet_model *m);
WHET_API size_t whet_model_graph_tensors(const whet_model *m, size_t graph);
WHET_API size_t whet_model_graph_nodes(const whet_model *m, size_t graph);

typedef struct whet_tensor_info {
  size_t size;      /* sizeof(whet_tensor_info), set by the caller */
  whet_info info;   /* as the file declares it */
  int32_t number;   /* in the whole file: what nodes name it by, and whet_session_kept; graph 0 begins at 0 */
  int32_t block;    /* blockwise quantisation: elements that share a scale along the axis; 0: not blockwise */
  int constant;     /* not 0: its contents stand in the file */
  int variable;     /* not 0: state that lives from run to run */
  const void *data; /* a constant's elements, dense, row major; NULL: none, or nothing in the model uses it */
  size_t bytes;
  const char *type; /* ONNX: "seq(map(int64,tensor(float)))" where it is no tensor; else NULL */
} whet_tensor_info;

/* Tensor i of a graph as the file numbers it there. E_MISUSE past the end. */
WHET_API whet_status whet_model_graph_tensor(const whet_model *m, size_t graph, size_t i, whet_tensor_info *out);

typedef struct whet_node_info {
  size_t size;        /* sizeof(whet_node_info), set by the caller */
  const char *name;   /* "" when the file gives none */
  const char *type;   /* "CONV_2D", "Conv" */
  const char *domain; /* "" (ai.onnx), "ai.onnx.ml", "tflite", "tflite.custom" ... */
  int32_t since;      /* opset of the domain, or operator version */
  const int32_t *in;  /* numbers of tensors (whet_tensor_info.number), -1: absent */
  size_t n_in;
  const int32_t *out;
  size_t n_out;
} whet_node_info;

/* Node i of a graph in the file's order. E_MISUSE past the end. */
WHET_API whet_status whet_model_graph_node(const whet_model *m, size_t graph, size_t i, whet_node_info *out);

/* Signatures: the graph that one runs, and the numbers (whet_tensor_info.number) of its inputs and outputs. -1 past the
 * end. */
WHET_API int32_t whet_model_signature_graph(const whet_model *m, size_t i);
WHET_API int32_t whet_model_signature_input_tensor(const whet_model *m, size_t i, size_t k);
WHET_API int32_t whet_model_signature_output_tensor(const whet_model *m, size_t i, size_t k);

#ifdef __cplusplus
}
#endif
#endif
