/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_LIB_BUILD_H
#define TESTS_LIB_BUILD_H

/* Tiny models made byte by byte: protocol buffer messages for ONNX, FlatBuffers for TFLite. For tests and fuzzers
 * only: memory is not checked, sizes are small. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that grow. Zero it to begin; free p at the end. */
typedef struct buf {
  uint8_t *p;
  size_t n, cap;
} buf;
void buf_add(buf *b, const void *p, size_t n);
void buf_free(buf *b);

/* ---- protocol buffers: append one field -------------------------------------------------------------------------
 */

void pb_varint(buf *b, uint64_t v);
void pb_int(buf *b, unsigned field, int64_t v);
void pb_float(buf *b, unsigned field, float v);
void pb_bytes(buf *b, unsigned field, const void *p, size_t n);
void pb_str(buf *b, unsigned field, const char *s);
/* A nested message; `sub` is freed and emptied. */
void pb_msg(buf *b, unsigned field, buf *sub);

/* ---- ONNX messages ----------------------------------------------------------------------------------------------
 */

/* TensorProto.DataType numbers equal whet_dtype for FLOAT 1 to INT2 26. */
typedef struct ox_attr {
  const char *name;
  int type; /* AttributeType; 0 ends a list */
  float f;
  int64_t i;
  const char *s;   /* STRING, STRINGS (n times, or with n 0 split at commas); with ref set: unused */
  const char *ref; /* ref_attr_name */
  buf *t;          /* TENSOR, GRAPH or SPARSE message; freed */
  const int64_t *ints;
  const float *floats;
  int n;
} ox_attr;

/* A TensorProto with raw_data. name may be NULL. */
buf ox_tensor(const char *name, int type, int rank, const int64_t *dims, const void *raw, size_t bytes);
/* A ValueInfoProto of a tensor. A dim of -1 takes its name from `symbol` (NULL: unknown). rank -1: no shape. */
buf ox_info(const char *name, int type, int rank, const int64_t *dims, const char *symbol);
/* A NodeProto; in and out are names with commas between ("a,,b" leaves one out); attrs ends with type 0, or is NULL.
 */
buf ox_node(const char *op, const char *in, const char *out, const ox_attr *attrs);
/* The same with domain and name. */
buf ox_node_in(const char *domain, const char *op, const char *name, const char *in, const char *out,
               const ox_attr *attrs);

/* Append to a GraphProto; the messages are freed. */
void ox_add_node(buf *graph, buf node);
void ox_add_init(buf *graph, buf tensor);
void ox_add_in(buf *graph, buf info);
void ox_add_out(buf *graph, buf info);
/* A ModelProto of a graph (freed) with IR and ai.onnx opset. */
buf ox_model(buf graph, int ir, int opset);

/* ---- FlatBuffers ------------------------------------------------------------------------------------------------
 */

/* A table with room for n fields of up to 8 bytes. Children are made after their parents, as references point
 * forward. */
typedef struct fb_tab {
  size_t pos, vt;
} fb_tab;
/* Begin a buffer with an identifier; its root is the next table. */
void fb_begin(buf *b, const char *id);
fb_tab fb_table(buf *b, int n);
void fb_num(buf *b, fb_tab t, int id, int bytes, int64_t v);
void fb_float(buf *b, fb_tab t, int id, float v);
/* Make field id refer to what stands at pos. */
void fb_ref(buf *b, fb_tab t, int id, size_t pos);
/* A vector of n elements of `each` bytes (NULL: zeros); its place. Aligned to 16. */
size_t fb_vec(buf *b, const void *p, size_t n, size_t each);
/* A vector of n references, to be set with fb_item; a table for item k. */
size_t fb_refs(buf *b, size_t n);
void fb_item(buf *b, size_t vec, size_t k, size_t pos);
size_t fb_str(buf *b, const char *s);

/* ---- TFLite models ----------------------------------------------------------------------------------------------
 */

/* A dimension of a sparse tensor: dense with a size, or the places in each part of what is above it. */
typedef struct tf_level {
  int32_t size; /* 0: listed */
  int n_segment, n_index;
  int32_t segment[8];
  uint8_t index[8];
} tf_level;

typedef struct tf_tensor {
  const char *name;
  int type; /* TensorType */
  int rank;
  int32_t dim[4];
  int n_quant; /* scales; 0: none */
  float scale[4];
  int64_t zero[4];
  int axis;
  const void *data; /* contents: the tensor is constant */
  size_t bytes;
  bool variable;
  int n_level, n_block; /* sparse where n_level is not 0: levels in this order, blocks of these dimensions */
  tf_level level[4];
  int32_t order[4], block[2];
} tf_tensor;

typedef struct tf_op {
  int code;           /* BuiltinOperator */
  const char *custom; /* name, for code 32 */
  int version;
  int n_in, in[6], n_out, out[3];
  int options; /* number in BuiltinOptions; 0: none */
  int n_field;
  struct tf_field {
    int id, bytes;
    int64_t v;
  } field[6];
} tf_op;

typedef struct tf_graph {
  int n_tensor, n_op, n_in, n_out;
  const tf_tensor *tensor;
  const tf_op *op;
  int in[4], out[4];
} tf_graph;

typedef struct tf_sig {
  const char *key;
  int graph;
  int n_in, n_out;
  const char *in_name[4], *out_name[4];
  int in[4], out[4];
} tf_sig;

buf tf_model(const tf_graph *g, int n_graph, const tf_sig *sig, int n_sig);

#endif
