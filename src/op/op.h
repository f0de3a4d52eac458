/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_OP_H
#define WHET_OP_OP_H

/* The record of an operator, and what its hooks may call. The contexts are opaque here and belong to lower rooms:
 * whet_import to format/, whet_infer to ir/infer.c, whet_planner and whet_packer to plan/, whet_edit to pass/.
 *
 * An operator's file holds, in this order: header comment, attributes, reading and writing, shape and type rule with
 * every check of untrusted values, naive reference, planning, permutation, gradient, one record. */

#include "base/base.h"
#include "ir/graph.h"
#include "kern/kern.h"

typedef struct whet_import whet_import;
typedef struct whet_infer whet_infer;
typedef struct whet_planner whet_planner;
typedef struct whet_edit whet_edit;
typedef struct whet_op whet_op;

/* ---- attributes -------------------------------------------------------------------------------------------------
 */

typedef enum whet_attr_kind {
  WHET_ATTR_I32,
  WHET_ATTR_I64,
  WHET_ATTR_F32,
  WHET_ATTR_BOOL,
  WHET_ATTR_U8,
  WHET_ATTR_I64S, /* whet_ints */
  WHET_ATTR_F32S, /* whet_floats */
  WHET_ATTR_STR,  /* whet_str */
  WHET_ATTR_STRS  /* whet_strs */
} whet_attr_kind;

typedef struct whet_ints {
  const int64_t *v;
  int32_t n;
} whet_ints;
typedef struct whet_floats {
  const float *v;
  int32_t n;
} whet_floats;
typedef struct whet_strs {
  const whet_str *v;
  int32_t n;
} whet_strs;

/* One field of an attribute struct: to print, compare, copy and write it. Lists end with name NULL. */
typedef struct whet_attr_desc {
  const char *name;
  uint16_t kind, offset;
} whet_attr_desc;

/* ---- reading ----------------------------------------------------------------------------------------------------
 */

/* One row says which operator of a file becomes this one. ONNX: domain ("" for ai.onnx), name, and the opset since
 * which fn holds (the highest `since` not above the model's opset is taken). TFLite: domain "tflite", name as the
 * schema has it ("CONV_2D"; custom operators by their custom_code, domain "tflite.custom"), since = operator version.
 * Lists end with name NULL. fn NULL: inputs and outputs are taken over as they are and there are no attributes. */
typedef struct whet_from {
  const char *domain, *name;
  int16_t since;
  whet_status (*fn)(whet_import *im, const whet_op *op);
} whet_from;

/* Inside fn: */
whet_err *whet__im_err(whet_import *im);
whet_arena *whet__im_arena(whet_import *im); /* attribute structs and arrays live here */
whet_graph *whet__im_graph(whet_import *im);
int whet__im_since(const whet_import *im); /* opset of the domain, or operator version */
int whet__im_n_in(const whet_import *im);
int whet__im_n_out(const whet_import *im);
int32_t whet__im_in(const whet_import *im, int i);  /* value number; -1: absent or past the end */
int32_t whet__im_out(const whet_import *im, int i); /* value number, made by the reader; -1: absent */
const whet_val *whet__im_val(const whet_import *im, int32_t v);
/* Contents of a constant value, or NULL; *n elements. Integers of any width as int64, floats of any as f32. In the
 * arena. */
const int64_t *whet__im_const_ints(whet_import *im, int32_t v, int32_t *n);
const float *whet__im_const_floats(whet_import *im, int32_t v, int32_t *n);
/* New inner value; a constant made on the spot. -1 when memory is refused (whet__im_node then fails cleanly). */
int32_t whet__im_new(whet_import *im, const char *suffix);
int32_t whet__im_const(whet_import *im, whet_dtype t, int32_t rank, const int64_t *dims, const void *p);
/* Append a node. attr lies in the arena. Any value number of -1 that stands for refused memory must be
 * `whet__im_new`'s. */
whet_status whet__im_node(whet_import *im, const whet_op *op, const void *attr, const int32_t *in, int n_in,
                          const int32_t *out, int n_out);
/* The same with all inputs and outputs of the file's operator. */
whet_status whet__im_node_as_is(whet_import *im, const whet_op *op, const void *attr);
/* Set how integer results of the node appended last are rescaled. */
void whet__im_round(whet_import *im, whet_round r);
/* Tell the rank of a value, for formulas that ask; rank -1: nothing is told. */
void whet__im_rank(whet_import *im, int32_t v, int32_t rank);
/* The operator by its canonical name; NULL if there is none. */
const whet_op *whet__op_find(const char *name);
/* Fail with the place (node index, name, operator) put in front. */
whet_status whet__im_fail(whet_import *im, whet_status code, const char *fmt, ...) WHET_PRINTF(3, 4);
/* Rules chosen in the model's options: true for tflite-micro's. */
bool whet__im_rules_micro(const whet_import *im);

/* ONNX attributes; the default is answered when absent. A wrong type fails when the node is finished. Lists and
 * strings lie in the arena. `has` tells. */
bool whet__onnx_has(whet_import *im, const char *name);
int64_t whet__onnx_int(whet_import *im, const char *name, int64_t dflt);
float whet__onnx_float(whet_import *im, const char *name, float dflt);
whet_str whet__onnx_str(whet_import *im, const char *name, const char *dflt);
whet_ints whet__onnx_ints(whet_import *im, const char *name);
whet_floats whet__onnx_floats(whet_import *im, const char *name);
whet_strs whet__onnx_strs(whet_import *im, const char *name);
/* A tensor attribute (sparse ones densified) as a new constant; -1 when absent. */
int32_t whet__onnx_tensor(whet_import *im, const char *name);
/* The value that a name stands for where the node is; -1: there is none. */
int32_t whet__onnx_named(whet_import *im, whet_str name);
/* A graph attribute read as a region; NULL when absent. */
whet_region *whet__onnx_region(whet_import *im, const char *name);
/* A graph attribute of one input and one output, its nodes appended here with the input bound to value v: its result; v
 * itself when the attribute is absent; -1 and a failure when it has another form. */
int32_t whet__onnx_inline(whet_import *im, const char *name, int32_t v);
/* Give the node appended last its bodies. */
whet_status whet__im_bodies(whet_import *im, whet_region *const *body, int n);

/* TFLite: field `id` of the operator's builtin options table (numbered from 0 as in the schema), or the default. */
int64_t whet__tfl_int(whet_import *im, int id, int64_t dflt);
float whet__tfl_float(whet_import *im, int id, float dflt);
whet_ints whet__tfl_ints(whet_import *im, int id);     /* lists of bytes, int32 or int64 */
whet_floats whet__tfl_floats(whet_import *im, int id);
whet_str whet__tfl_str(whet_import *im, int id);
/* Raw bytes of custom options. */
whet_str whet__tfl_custom(whet_import *im);
/* Scale and zero point of the operator's intermediate tensor i; false when it has none. */
bool whet__tfl_intermediate(whet_import *im, int i, float *scale, int32_t *zero);
/* Subgraph number `index` read as a region; NULL and a failure on a cycle. */
whet_region *whet__tfl_region(whet_import *im, int64_t index);
/* The same with its inputs bound to values that are in scope here; the region then has no inputs of its own (IF, CASE). */
whet_region *whet__tfl_region_with(whet_import *im, int64_t index, const int32_t *args, int n_args);
/* Append the node of a fused activation code (schema: NONE, RELU, RELU_N1_TO_1, RELU6, TANH, SIGN_BIT) that makes
 * `out` from `in`, which has out's type and quantisation. */
whet_status whet__tfl_activation(whet_import *im, int64_t code, int32_t in, int32_t out);
/* The value that an operator with activation `code` should write: the file's output, or a new value with its type,
 * shape and quantisation that whet__tfl_activation then turns into it. */
int32_t whet__tfl_before_activation(whet_import *im, int64_t code);

/* ---- shape and type rule ----------------------------------------------------------------------------------------
 */

/* Runs twice: on symbols when a program is made, and on numbers for each plan. It never allocates. Every value that
 * comes from a file is checked here: after infer has passed, reference and kernels trust shapes and attributes. It
 * may be called with data of inputs unknown; answer WHET_LATE when an output's shape cannot be told without them. */
int whet__in_n(const whet_infer *f);
/* Reading shape or type of an input that is not there fails the node, unless the rule asks whether it is, or how many
 * there are: so no rule forgets an input that a file left out. */
bool whet__in_has(const whet_infer *f, int i);
const whet_shape *whet__in_shape(const whet_infer *f, int i); /* rank -1 for absent inputs too */
whet_dtype whet__in_dtype(const whet_infer *f, int i);
const whet_quant *whet__in_quant(const whet_infer *f, int i);
/* Contents of a small integer tensor where they are known: numbers of either sign (whet__dim_number), symbols, ANY; NULL
 * where not. Constants answer here too. */
const whet_dim *whet__in_known(const whet_infer *f, int i, int32_t *n);
/* Bytes of an input where they are known (a constant, or data that a run has made); NULL where not. */
const void *whet__in_data(const whet_infer *f, int i);
bool whet__out_has(const whet_infer *f, int o);
/* Set the type and get the shape of output o to fill; rank starts at 0. */
whet_shape *whet__out(whet_infer *f, int o, whet_dtype t);
/* Say what output o contains: n integers to fill (n <= WHET_KNOWN_MAX, else NULL: not recorded). */
enum { WHET_KNOWN_MAX = 1024 };
whet_dim *whet__out_known(whet_infer *f, int o, int32_t n);
/* Output o is as input i: type, shape, known contents. */
void whet__out_like(whet_infer *f, int o, int i);
/* Kind of an output that is no tensor. */
void whet__out_kind(whet_infer *f, int o, whet_kind k);
const whet_val *whet__out_val(const whet_infer *f,
                              int o); /* what the graph says of it: declared type, quantisation */
whet_status whet__infer_fail(whet_infer *f, whet_status code, const char *fmt, ...) WHET_PRINTF(3, 4);
/* The graph that the node stands in; NULL: every free dimension is a number already. */
const whet_graph *whet__infer_symbols(const whet_infer *f);
/* Shapes and types of bodies: infer body b with inputs of these shapes; answers are read with whet__body_out. */
whet_status whet__infer_body(whet_infer *f, int b);
/* The same for a body that may never run: what is wrong with it is not recorded. */
whet_status whet__infer_body_try(whet_infer *f, int b);
/* The node has `bodies` bodies, and body b takes and gives so many values (n_in -1: any number); E_FORMAT otherwise. */
whet_status whet__infer_body_is(whet_infer *f, int bodies, int b, int n_in, int n_out);
/* Input i is absent or a tensor; E_TYPE otherwise. */
whet_status whet__infer_is_tensor(whet_infer *f, int i);
void whet__body_in(whet_infer *f, int b, int i, whet_dtype t, const whet_shape *s);
const whet_shape *whet__body_out(whet_infer *f, int b, int o, whet_dtype *t);
/* Kinds: of an input (TENSOR when absent), of a body's output; set that of a body's input. */
whet_kind whet__in_kind(const whet_infer *f, int i);
whet_kind whet__body_out_kind(const whet_infer *f, int b, int o);
void whet__body_in_kind(whet_infer *f, int b, int i, whet_kind k);
/* The shape that a body's input was told last. */
const whet_shape *whet__body_in_shape(const whet_infer *f, int b, int i);

/* Arithmetic on dimensions: a number when all are, else ANY (a symbol where the result is that symbol). */
whet_dim whet__dim_add(whet_dim a, whet_dim b);
whet_dim whet__dim_sub(whet_dim a, whet_dim b);
whet_dim whet__dim_mul(whet_dim a, whet_dim b);
whet_dim whet__dim_div(whet_dim a, whet_dim b);
/* Numpy broadcasting of two shapes (ANY where it cannot be told); E_SHAPE names the dimension. */
whet_status whet__infer_broadcast(whet_infer *f, const whet_shape *a, const whet_shape *b, whet_shape *out);
/* An axis in -rank..rank-1 made non-negative; E_DATA otherwise. */
whet_status whet__infer_axis(whet_infer *f, int64_t axis, int32_t rank, int32_t *out);

/* ---- naive reference --------------------------------------------------------------------------------------------
 */

/* A tensor as the reference sees it: any stride (in elements), all checks done. */
typedef struct whet_tensor {
  whet_dtype dtype;
  int32_t rank;
  int64_t dim[WHET_MAX_RANK], stride[WHET_MAX_RANK];
  void *data; /* NULL: absent */
  const whet_quant *q;
} whet_tensor;

typedef struct whet_args {
  const whet_node *node;
  const void *attr;
  const whet_tensor *in, *out;
  int n_in, n_out;
  void *scratch;            /* as many bytes as the record's scratch hook, or whet__pl_ref, asked for */
  struct whet_frame *frame; /* for string memory, objects and late outputs: see op/object.h; else unused */
  whet_err *err;
} whet_args;

/* Elements of a dense tensor. */
static inline int64_t whet__tensor_count(const whet_tensor *t) {
  int64_t n = 1;
  for (int32_t i = 0; i < t->rank; i++) n *= t->dim[i];
  return n;
}
bool whet__tensor_dense(const whet_tensor *t);

/* ---- planning ---------------------------------------------------------------------------------------------------
 */

/* plan() emits the steps of one node (or of the group that it leads) for concrete shapes. It runs once per plan.
 * Without a plan hook, or when it answers WHET_LATE ("not by me"), the planner emits the reference. */
whet_err *whet__pl_err(whet_planner *p);
const whet_target *whet__pl_target(const whet_planner *p);
const struct whet_program_opts *whet__pl_opts(const whet_planner *p);
const whet_graph *whet__pl_graph(const whet_planner *p);
whet_dtype whet__pl_dtype(const whet_planner *p, int32_t v);
const whet_quant *whet__pl_quant(const whet_planner *p, int32_t v);
/* Concrete shape; rank -1 for v = -1. */
const whet_shape *whet__pl_shape(const whet_planner *p, int32_t v);
/* Contents of a value that is constant in this plan; NULL if it is not. */
const whet_data *whet__pl_data(const whet_planner *p, int32_t v);
/* The k-th node of the group that this node leads (0: itself), NULL past the end; and the value that the group makes.
 */
const whet_node *whet__pl_group(const whet_planner *p, int k);
int32_t whet__pl_group_out(const whet_planner *p);
/* The node of n's group that comes after n; NULL: none. */
const whet_node *whet__pl_member(const whet_planner *p, const whet_node *n);
/* Elements between neighbours of the innermost run: a value may lie inside a bigger buffer (concat, split without
 * copies). The value is a matrix of `rows` rows of `run` contiguous elements, `pitch` elements apart. */
void whet__pl_pitch(const whet_planner *p, int32_t v, int64_t *rows, int64_t *run, int64_t *pitch);

/* Arguments of a step, in the order of the family's header. */
typedef struct whet_arg {
  uint8_t kind;  /* WHET_ARG_ */
  uint8_t write; /* not 0: the step writes it */
  int32_t id;    /* value number, or what whet__pl_pack, whet__pl_blob, whet__pl_temp answered */
} whet_arg;
/* FAULT: an int32_t that the kernel sets to 1 when data are out of range (a Gather index, say); the run then fails with
 * E_DATA and names the node. */
enum { WHET_ARG_NONE, WHET_ARG_VAL, WHET_ARG_PACK, WHET_ARG_BLOB, WHET_ARG_TEMP, WHET_ARG_SCRATCH, WHET_ARG_FAULT };
static inline whet_arg whet__rd(int32_t v) { return (whet_arg){v < 0 ? WHET_ARG_NONE : WHET_ARG_VAL, 0, v}; }
static inline whet_arg whet__wr(int32_t v) { return (whet_arg){v < 0 ? WHET_ARG_NONE : WHET_ARG_VAL, 1, v}; }
static inline whet_arg whet__pk(int32_t pack) { return (whet_arg){WHET_ARG_PACK, 0, pack}; }
static inline whet_arg whet__bl(int32_t blob) { return (whet_arg){WHET_ARG_BLOB, 0, blob}; }
static inline whet_arg whet__tm(int32_t temp, bool write) { return (whet_arg){WHET_ARG_TEMP, write, temp}; }
static inline whet_arg whet__scratch(void) { return (whet_arg){WHET_ARG_SCRATCH, 1, -1}; }
static inline whet_arg whet__fault(void) { return (whet_arg){WHET_ARG_FAULT, 1, -1}; }
static inline whet_arg whet__none(void) { return (whet_arg){WHET_ARG_NONE, 0, -1}; }

/* A packed weight: how to make it from constants, a plain description by which equal ones are shared (bytes
 * compared). Made once per program, when the first plan that needs it is made. */
typedef struct whet_pack_kind {
  const char *name; /* "conv_f32 panel" */
  size_t params_size; /* 0: params begin with their own size in bytes, a uint32_t (scales of each channel follow) */
  size_t (*bytes)(const void *params);
  /* src[i]: contents of the constants, NULL where absent. Runs on one of `parts` threads; parts write disjoint bytes.
   */
  void (*pack)(const void *params, const void *const *src, void *dst, int part, int parts);
  bool plain; /* nothing in the bytes but numbers to multiply and add: a .whet file may hold them. Shifts, offsets and
                 indices, which a kernel trusts, are none */
} whet_pack_kind;
static inline size_t whet__pack_params_size(const whet_pack_kind *k, const void *params) {
  uint32_t n;
  if (k->params_size) return k->params_size;
  memcpy(&n, params, sizeof n);
  return n;
}
/* Number of the packed weight, -1 on failure (recorded). src: value numbers (-1: absent), all constant. */
int32_t whet__pl_pack(whet_planner *p, const whet_pack_kind *k, const void *params, const int32_t *src, int n_src);
/* The same made in the arena by a step of every run, for operands that are no constants. The answer is a temp. */
int32_t whet__pl_pack_step(whet_planner *p, const whet_pack_kind *k, const void *params, const int32_t *src,
                           int n_src);
/* Bytes that belong to the plan (tables, indices); copied. */
int32_t whet__pl_blob(whet_planner *p, const void *bytes, size_t n);
/* Zeroed memory that is gone when the plan is made, for descriptions; NULL when refused (recorded). */
void *whet__pl_memory(whet_planner *p, size_t bytes);
/* Memory in the arena that several steps of this node share. */
int32_t whet__pl_temp(whet_planner *p, size_t bytes);

/* Append a step. params is copied. max_parts: into how many parts the work can be cut at most (1: none); the planner
 * takes some for each thread, and one when work_ns (estimated time on one core) is too short to share. A
 * family id, its row, parameters and arguments. */
typedef struct whet_step_req {
  unsigned family;
  const whet_kern *row;
  const void *params;
  size_t params_size;
  const whet_arg *arg;
  int n_arg;
  int64_t max_parts;
  double work_ns;
  int64_t pieces; /* which parts beyond one for each thread must not cut: a part of one costs as much as all of it; 0: none */
} whet_step_req;
whet_status whet__pl_step(whet_planner *p, const whet_step_req *s);
/* The row of a family for these parameters: the best by rank and estimate, or the one that was measured to be (plan/choice.h).
 * NULL when none fits (recorded). */
const whet_kern *whet__pl_pick(whet_planner *p, unsigned family, const void *params, size_t size);
/* Which of n ways to take for what these parameters of a family describe: the first, or the one that was measured. name: what
 * each is known by, text that outlives the program. */
int whet__pl_choose(whet_planner *p, unsigned family, const void *params, size_t size, const char *const *name, int n);
/* Pick a row of a family and append it: the common case. Fails with E_INTERNAL when no row fits. */
whet_status whet__pl_kern(whet_planner *p, unsigned family, const void *params, size_t params_size,
                          const whet_arg *arg, int n_arg, int64_t max_parts, double work_ns);
/* Emit the naive reference with `scratch` bytes. */
whet_status whet__pl_ref(whet_planner *p, const whet_node *n, size_t scratch);
/* Output o is input i seen with another shape, no step: the planner lets them share memory where it can and copies
 * where it cannot (a graph input that is also an output, a pitched buffer). */
whet_status whet__pl_view(whet_planner *p, const whet_node *n, int o, int i);
/* Output o starts `offset` elements into input i and has the given pitch: split and slice without copies. Answers
 * WHET_LATE when the planner cannot do so, and the operator must copy. */
whet_status whet__pl_part_of(whet_planner *p, const whet_node *n, int o, int i, int64_t offset, int64_t pitch);
/* Value `out`, which the next step makes, may lie exactly where `in` lies if nobody needs `in` after that step: every
 * element of `in` is read before the element of `out` at its place is written, whatever the parts. The planner offers the
 * inputs of operators marked WHET_OP_INPLACE by itself. */
void whet__pl_may_overlay(whet_planner *p, int32_t out, int32_t in);
/* Input i lies inside output o already, `offset` elements in (a Concat whose inputs were placed there): nothing to do for it. */
bool whet__pl_joined(const whet_planner *p, const whet_node *n, int o, int i, int64_t offset);
whet_status whet__pl_fail(whet_planner *p, whet_status code, const char *fmt, ...) WHET_PRINTF(3, 4);

/* ---- the record -------------------------------------------------------------------------------------------------
 */

enum {
  WHET_OP_POINTWISE = 1,   /* each output element depends on input elements at its own place only */
  WHET_OP_VIEW = 2,        /* same elements, other shape */
  WHET_OP_RANDOM = 4,      /* never folded, never shared */
  WHET_OP_STATE = 8,       /* reads or writes a variable: kept in order, never folded */
  WHET_OP_INPLACE = 16,    /* output 0 may lie where input 0 (or, POINTWISE, any input of equal type and shape) lay */
  WHET_OP_TILE = 32,       /* plan() takes a tile epilogue: see plan/group.h */
  WHET_OP_COMMUTES = 64,   /* two inputs may be exchanged */
  WHET_OP_SIGN_FREE = 128, /* quantised: the same result whether 8-bit numbers are held as s8 or, with the zero point
                              moved by 128, as u8 */
  WHET_OP_RUNS_BODY = 256, /* control flow: the planner and the runner know it by its record */
  WHET_OP_SPATIAL = 1024,    /* has a channel axis and wants it last: the layout pass turns it */
  WHET_OP_PITCH_IN = 2048,   /* plan() honours whet__pl_pitch of every input ... */
  WHET_OP_PITCH_OUT = 4096,  /* ... and of output 0 */
  WHET_OP_PACKS = 8192,      /* plan() packs its constant operands, from any alignment */
  WHET_OP_FROM_FILE = 16384, /* holds what its reader made of a file and checked there (tables, programs of patterns, trees): no
                                .whet file has such nodes */
  WHET_OP_OBJECT = 512     /* takes or makes sequences, optionals, maps or strings: reference only */
};

struct whet_op {
  const char *name; /* canonical: newest ONNX spelling where the meaning is the same */
  uint32_t flags;
  uint16_t attr_size; /* of the attribute struct; 0: none */
  const whet_attr_desc *attrs;
  const whet_from *from;
  whet_status (*infer)(whet_infer *f, const whet_node *n);
  whet_status (*plan)(whet_planner *p, const whet_node *n);
  /* Rewrite the node so that it works on inputs whose dimensions are turned by `perm` (new dimension i is old
   * perm[i]); true when done, and every output is then turned by perm_out[] (set by the hook, default perm). */
  bool (*permute)(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out);
  /* Append the nodes that make the gradients of the inputs from those of the outputs: see op/grad.h. */
  whet_status (*grad)(whet_edit *e, int32_t node);
  whet_status (*ref)(const whet_args *a);
  /* Bytes of scratch that ref needs for tensors of these shapes; their contents are not there. NULL: none. */
  size_t (*scratch)(const whet_args *a);
  /* For sizes that only the computation itself tells: compute and allocate outputs with whet__late_out. */
  whet_status (*late)(const whet_args *a);
};

/* Inside late(): memory of output o, now that its size is known; NULL when refused (err is set). */
void *whet__late_out(const whet_args *a, int o, whet_dtype t, int32_t rank, const int64_t *dims);
/* The strings of output o, which it allocated; NULL: no such output. */
whet_str *whet__late_strings(const whet_args *a, int o, size_t *n);

/* All operators, sorted by name. */
extern const whet_op *const whet__ops[];
extern const size_t whet__n_ops;

#endif
