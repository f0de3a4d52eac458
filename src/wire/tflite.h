/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_WIRE_TFLITE_H
#define WHET_WIRE_TFLITE_H

/* The tables of TFLite's schema 3 as plain structs, read once from untrusted bytes into an arena.
 *
 * Names and lists are copied; contents of buffers stay where they lie. Indices are as the file has them: who uses one
 * checks it against the list's length. Options of operators are read field by field when they are asked for. */

#include "base/mem.h"
#include "wire/fb.h"
#include "whet/model.h"

/* TensorType as a whet_dtype; WHET_NONE for numbers that are none. RESOURCE (a handle to a variable or table) and
 * VARIANT have no elements and answer WHET_NONE too. */
whet_dtype whet__tf_dtype(int64_t code);
/* The schema's name of a tensor type, for messages. */
const char *whet__tf_type_name(int64_t code);
enum { WHET_TF_RESOURCE = 13, WHET_TF_VARIANT = 14 };

/* Builtin operators that readers know by number. */
enum {
#define BUILTIN(code, name, options) WHET_TF_##name = code,
#include "wire/tfl_builtin.def"
#undef BUILTIN
};
/* The name of a builtin operator; NULL for a code that is none. */
const char *whet__tf_builtin_name(int32_t code);
/* The code of that name, or -1. */
int32_t whet__tf_builtin_code(const char *name);

/* The options table of that name: its number in BuiltinOptions and the letters of its fields (tfl_options.def). False when
 * there is none. */
bool whet__tf_options(const char *name, uint8_t *number, const char **fields);
/* The code of a tensor type, or -1. */
int32_t whet__tf_type(whet_dtype t);

typedef struct whet_tf_ints {
  const int32_t *v;
  int32_t n;
} whet_tf_ints;

typedef enum whet_tf_details {
  WHET_TF_PLAIN,
  WHET_TF_CUSTOM_QUANT,
  WHET_TF_BLOCKWISE,
  WHET_TF_MULTI_AXIS
} whet_tf_details;

typedef struct whet_tf_quant {
  const float *scale;
  const int64_t *zero;
  int32_t n_scale, n_zero;
  int32_t axis;         /* quantized_dimension */
  int32_t details;      /* whet_tf_details */
  int32_t block;        /* BLOCKWISE: neighbours under one scale */
  int32_t scale_tensor; /* BLOCKWISE: tensor that holds the scales */
  int32_t zero_tensor;  /* BLOCKWISE: tensor that holds the zero points, -1: none */
} whet_tf_quant;

/* One dimension of a sparse tensor (DimensionMetadata). */
typedef struct whet_tf_sparse_dim {
  bool csr;     /* SPARSE_CSR, else DENSE */
  int32_t size; /* DENSE */
  whet_tf_ints segments, indices;
} whet_tf_sparse_dim;

typedef struct whet_tf_sparsity {
  whet_tf_ints order, block_map;
  const whet_tf_sparse_dim *dim;
  int32_t n_dim;
} whet_tf_sparsity;

typedef struct whet_tf_tensor {
  whet_str name;
  int32_t type; /* TensorType */
  whet_tf_ints shape;
  whet_tf_ints signature; /* the shape with -1 where a size is not fixed; empty: all are */
  uint32_t buffer;
  bool variable, has_rank;
  bool external; /* contents in a file of their own */
  whet_tf_quant quant;
  const whet_tf_sparsity *sparsity; /* NULL: dense */
} whet_tf_tensor;

typedef struct whet_tf_op {
  uint32_t code; /* index of the operator code */
  whet_tf_ints in, out, intermediates;
  whet_fb_table options;    /* of either union */
  const char *fields;       /* kinds of the option fields, see tfl_options.def; NULL: no options */
  const char *options_name; /* of the table that is there; NULL: none */
  const uint8_t *custom;    /* custom options, also those past the end of the tables */
  size_t n_custom;
} whet_tf_op;

typedef struct whet_tf_subgraph {
  whet_str name;
  const whet_tf_tensor *tensor;
  int32_t n_tensor;
  whet_tf_ints in, out;
  const whet_tf_op *op;
  int32_t n_op;
} whet_tf_subgraph;

typedef struct whet_tf_code {
  int32_t builtin; /* BuiltinOperator, extended or deprecated field resolved */
  whet_str custom;
  int32_t version;
} whet_tf_code;

typedef struct whet_tf_buffer {
  const uint8_t *p; /* NULL: holds nothing */
  size_t n;
} whet_tf_buffer;

typedef struct whet_tf_name {
  whet_str name;
  uint32_t index; /* tensor of the signature's subgraph, or buffer of a metadata entry */
} whet_tf_name;

typedef struct whet_tf_signature {
  whet_str key;
  uint32_t subgraph;
  const whet_tf_name *in, *out;
  int32_t n_in, n_out;
} whet_tf_signature;

typedef struct whet_tf_model {
  uint32_t version;
  whet_str description;
  const whet_tf_code *code;
  const whet_tf_subgraph *subgraph;
  const whet_tf_buffer *buffer;
  const whet_tf_name *meta;
  const whet_tf_signature *signature;
  int32_t n_code, n_subgraph, n_buffer, n_meta, n_signature;
  whet_fb fb; /* what option tables are read from */
} whet_tf_model;

/* Read a model of n bytes at p, which must outlive *out. At most `ops` operators are taken (E_LIMIT). */
WHET_MUST whet_status whet__tf_model(const void *p, size_t n, whet_arena *a, int64_t ops, whet_tf_model *out,
                                     whet_err *err);
/* True when the bytes carry TFLite's file identifier. */
bool whet__tf_looks_like_model(const void *p, size_t n);

/* The option table that operators of a builtin code carry ("Conv2D"; "NONE"). */
const char *whet__tf_builtin_options(int32_t code);

#endif
