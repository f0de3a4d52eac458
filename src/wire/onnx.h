/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_WIRE_ONNX_H
#define WHET_WIRE_ONNX_H

/* The messages of onnx.proto as plain structs, read once from untrusted bytes into an arena.
 *
 * Names and lists are copied; only the contents of tensors stay where they lie (spans of the file). Every list's
 * length is what was read, so nothing that the file says later is trusted. Fields that whet does not use are skipped.
 */

#include "base/mem.h"
#include "base/span.h"
#include "whet/model.h"

/* TensorProto.DataType as a whet_dtype; WHET_NONE for numbers that are none. */
whet_dtype whet__ox_dtype(int64_t code);

typedef struct whet_ox_tensor {
  whet_str name;
  const int64_t *dim;
  int32_t n_dim;
  int32_t type; /* TensorProto.DataType */
  bool has_raw;
  bool external;     /* data_location is EXTERNAL */
  whet_span raw;     /* raw_data */
  whet_span self;    /* the whole message: typed data is read from it */
  whet_str location; /* external_data: file name */
  uint64_t offset;   /* external_data: first byte */
  uint64_t length;   /* external_data: bytes */
  bool has_length;
} whet_ox_tensor;

typedef struct whet_ox_sparse {
  whet_ox_tensor values, indices;
  const int64_t *dim;
  int32_t n_dim;
  size_t at;
} whet_ox_sparse;

typedef struct whet_ox_dim {
  int64_t value;
  whet_str param;
  bool has_value;
} whet_ox_dim;

typedef struct whet_ox_type {
  whet_kind kind;    /* of the value; the innermost type of nested kinds is in elem */
  int32_t elem_type; /* TENSOR: TensorProto.DataType; 0: not said */
  int32_t key_type;  /* MAP */
  bool has_shape, sparse;
  const whet_ox_dim *dim;
  int32_t n_dim;
  const struct whet_ox_type *elem; /* SEQUENCE, OPTIONAL, MAP: of the items */
} whet_ox_type;

typedef struct whet_ox_info {
  whet_str name;
  const whet_ox_type *type; /* NULL: not said */
} whet_ox_info;

/* AttributeProto.AttributeType. */
typedef enum whet_ox_attr_type {
  WHET_OX_FLOAT = 1,
  WHET_OX_INT,
  WHET_OX_STRING,
  WHET_OX_TENSOR,
  WHET_OX_GRAPH,
  WHET_OX_FLOATS,
  WHET_OX_INTS,
  WHET_OX_STRINGS,
  WHET_OX_TENSORS,
  WHET_OX_GRAPHS,
  WHET_OX_SPARSE,
  WHET_OX_SPARSES,
  WHET_OX_TYPE,
  WHET_OX_TYPES
} whet_ox_attr_type;
/* "float", "ints" and the like, for messages. */
const char *whet__ox_attr_type_name(int32_t type);

typedef struct whet_ox_attr {
  whet_str name;
  whet_str ref; /* inside a function: take the caller's attribute of this name */
  int32_t type; /* whet_ox_attr_type */
  float f;
  int64_t i;
  whet_str s;
  const whet_ox_tensor *t;
  const struct whet_ox_graph *g;
  const whet_ox_sparse *sparse;
  const whet_ox_type *tp;
  const float *floats;
  const int64_t *ints;
  const whet_str *strings;
  int32_t n; /* of floats, ints, strings, or tensors */
  const whet_ox_tensor *tensors;
} whet_ox_attr;

typedef struct whet_ox_node {
  const whet_str *in, *out;
  int32_t n_in, n_out;
  whet_str name, op, domain, overload;
  const whet_ox_attr *attr;
  int32_t n_attr;
  size_t at;
} whet_ox_node;

typedef struct whet_ox_graph {
  whet_str name, doc;
  const whet_ox_node *node;
  int32_t n_node;
  const whet_ox_tensor *init;
  int32_t n_init;
  const whet_ox_sparse *sparse;
  int32_t n_sparse;
  const whet_ox_info *in, *out, *info;
  int32_t n_in, n_out, n_info;
} whet_ox_graph;

typedef struct whet_ox_opset {
  whet_str domain;
  int64_t version;
} whet_ox_opset;

typedef struct whet_ox_function {
  whet_str name, domain, overload;
  const whet_str *in, *out;
  int32_t n_in, n_out;
  const whet_ox_attr *dflt; /* attributes with defaults; those without need no view */
  int32_t n_dflt;
  const whet_ox_node *node;
  int32_t n_node;
  const whet_ox_opset *opset;
  int32_t n_opset;
} whet_ox_function;

typedef struct whet_ox_prop {
  whet_str key, value;
} whet_ox_prop;

typedef struct whet_ox_model {
  int64_t ir_version, version;
  whet_str producer, producer_version, domain, doc;
  const whet_ox_graph *graph; /* NULL: there is none */
  const whet_ox_opset *opset;
  int32_t n_opset;
  const whet_ox_function *fn;
  int32_t n_fn;
  const whet_ox_prop *prop;
  int32_t n_prop;
} whet_ox_model;

/* Read a ModelProto. Everything lies in `a`. At most `nodes` nodes and `depth` nested graphs are taken (E_LIMIT). */
WHET_MUST whet_status whet__ox_model(whet_span s, whet_arena *a, int64_t nodes, int32_t depth, whet_ox_model *out,
                                     whet_err *err);
/* Read a TensorProto, as .pb files of test data hold them. */
WHET_MUST whet_status whet__ox_tensor(whet_span s, whet_arena *a, whet_ox_tensor *out, whet_err *err);

/* True when bytes begin as a ModelProto does: a known field with its right type. */
bool whet__ox_looks_like_model(const void *p, size_t n);

#endif
