/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_IR_GRAPH_H
#define WHET_IR_GRAPH_H

/* The graph: values and nodes in whet's own operators. Nothing here knows a file format or a machine.
 *
 * Values and nodes are numbered once for the whole graph; a region is an ordered list of node numbers. The body of an
 * If or Loop may use any value that is in scope where its node stands, so a capture is simply a use. Everything lies in
 * the graph's arena and is freed with it. */

#include "base/mem.h"
#include "base/str.h"

struct whet_op;

/* A dimension: a number >= 0, WHET_DIM_ANY, or the symbol with index i, WHET_DIM_SYM(i). Two equal symbols are the same
 * number in every run; ANY equals nothing, not even itself. The contents of small integer tensors are held in the same
 * form, where negative numbers are numbers too: symbols lie below WHET_DIM_LOWEST, which stands for INT64_MIN as well. */
typedef int64_t whet_dim;
#define WHET_DIM_ANY INT64_MIN
#define WHET_DIM_SYM(i) (WHET_DIM_ANY + 1 + (int64_t)(i))
#define WHET_DIM_LOWEST (WHET_DIM_SYM(INT32_MAX) + 1)
static inline bool whet__dim_known(whet_dim d) { return d >= 0; }
/* A number of either sign: what to ask of contents. */
static inline bool whet__dim_number(whet_dim d) { return d > WHET_DIM_SYM(INT32_MAX); }
static inline int32_t whet__dim_symbol(whet_dim d) {
  return d == WHET_DIM_ANY || whet__dim_number(d) ? -1 : (int32_t)(d - WHET_DIM_SYM(0));
}

typedef struct whet_shape {
  int32_t rank; /* -1: not known */
  whet_dim d[WHET_MAX_RANK];
} whet_shape;

/* Affine quantisation of a value: real = scale * (stored - zero). n is 1, or the size of dimension `axis`. `block` > 0:
 * each scale covers that many neighbours along `axis`, and n counts blocks of the whole tensor in row-major order. */
typedef struct whet_quant {
  int32_t n, axis, block;
  const float *scale;
  const int32_t *zero;
} whet_quant;

/* Bytes of a constant. Ids are unique within a model and its programs: packed weights are keyed by them. */
typedef struct whet_data {
  const void *p;
  size_t n;
  uint32_t id;
  bool mapped; /* p lies in the model's file: any alignment, not ours to write */
} whet_data;

/* Rule by which an integer result is rescaled; one scalar function each in kern/requant.h. */
typedef enum whet_round {
  WHET_ROUND_NONE,
  WHET_ROUND_TFL_FIX,   /* 32-bit multiplier, rounding doubling high multiply, then rounding shift (two roundings) */
  WHET_ROUND_TFL_FIX1,  /* the same multiplier, one rounding of the 64-bit product */
  WHET_ROUND_TFL_REAL,  /* LiteRT's reference FULLY_CONNECTED: double, half away from zero */
  WHET_ROUND_TFL_16X8,  /* 16-bit activations: 64-bit accumulator, reduced multiplier */
  WHET_ROUND_ONNX_REAL  /* rne((float)acc * (sx*sw/sy)), f32 operations in that order, then the zero point */
} whet_round;

typedef enum whet_role { WHET_ROLE_NODE, WHET_ROLE_INPUT, WHET_ROLE_CONST, WHET_ROLE_VARIABLE } whet_role;

typedef struct whet_val {
  const char *name;       /* as the file has it, or made up; never NULL */
  uint8_t dtype;          /* whet_dtype; of the items for sequences and optionals */
  uint8_t kind;           /* whet_kind */
  uint8_t role;           /* whet_role */
  uint8_t flags;          /* WHET_VAL_ */
  whet_shape shape;
  const whet_quant *q;    /* NULL: plain numbers */
  const whet_data *data;  /* CONST: the contents; VARIABLE: the first value or NULL for zeros */
  int32_t origin;         /* tensor number in the source, or -1 */
  int8_t perm[WHET_MAX_RANK]; /* how it is turned against the source: dimension i here is perm[i] there; all 0: not */
} whet_val;

enum {
  WHET_VAL_KEEP = 1,      /* must survive to the end of a run */
  WHET_VAL_SHARED = 4     /* VARIABLE: a resource that sessions of several signatures may share */
};

typedef struct whet_region {
  int32_t *node;          /* node numbers, each after those that make its inputs */
  int32_t n_node;
  size_t cap_node;
  int32_t *in, *out;      /* value numbers */
  int32_t n_in, n_out;
  const char *name;
} whet_region;

typedef struct whet_node {
  const struct whet_op *op;
  const void *attr;       /* the operator's own plain struct, canonical; NULL when it has none */
  int32_t *in, *out;      /* value numbers, -1: absent */
  uint16_t n_in, n_out;
  uint8_t n_body;
  uint8_t round;          /* whet_round */
  uint8_t dead;           /* removed; no region lists it */
  whet_region **body;     /* n_body of them */
  const char *name;       /* as the file has it, or made up */
  int32_t origin;         /* node number in the source, or -1 */
} whet_node;

typedef struct whet_graph {
  whet_mem *mem;
  whet_arena arena;
  whet_val *val;
  int32_t n_val;
  size_t cap_val;
  whet_node *node;
  int32_t n_node;
  size_t cap_node;
  const char **symbol;    /* names of free dimensions */
  int32_t n_symbol;
  size_t cap_symbol;
  whet_region main;
  uint32_t next_data;     /* next whet_data id */
} whet_graph;

/* An empty graph, counted against mem. */
void whet__graph_init(whet_graph *g, whet_mem *mem);
void whet__graph_free(whet_graph *g);
/* A copy that shares constants' bytes, which must outlive it. */
WHET_MUST whet_status whet__graph_copy(const whet_graph *from, whet_mem *mem, whet_graph *to, whet_err *err);

/* Append a value (role NODE, rank unknown, origin -1); its number, or -1 when memory is refused. name may be NULL. */
int32_t whet__graph_val(whet_graph *g, const char *name);
/* A constant over bytes that outlive the graph. -1 also for a shape that is not of numbers or too large to count. */
int32_t whet__graph_const(whet_graph *g, const char *name, whet_dtype t, int32_t rank, const int64_t *dims, const void *p,
                          bool mapped);
/* A constant whose bytes are copied into the graph's arena (p NULL: zeros). */
int32_t whet__graph_const_copy(whet_graph *g, const char *name, whet_dtype t, int32_t rank, const int64_t *dims,
                               const void *p);
/* True when data of type t lies as its elements want it: always, but for big constants in a file. */
bool whet__data_aligned(const whet_data *d, whet_dtype t);
/* Copy constant v into the graph's arena if it is not aligned. False when memory is refused. */
bool whet__graph_align(whet_graph *g, int32_t v);
/* Quantisation in the graph's arena; scale and zero are copied; zero NULL: all 0. NULL when memory is refused. */
const whet_quant *whet__graph_quant(whet_graph *g, int32_t n, int32_t axis, const float *scale, const int32_t *zero);
/* The dimension for a named symbol, made when new. WHET_DIM_ANY when memory is refused. */
whet_dim whet__graph_symbol(whet_graph *g, const char *name);

/* Append a node to a region (NULL: in no region yet); inputs and outputs are copied. Number, or -1. */
int32_t whet__graph_node(whet_graph *g, whet_region *r, const struct whet_op *op, const void *attr, const int32_t *in,
                         int n_in, const int32_t *out, int n_out);
/* Put node `n` before position `at` of region r's list. False when memory is refused. */
bool whet__region_insert(whet_graph *g, whet_region *r, int32_t at, int32_t n);
/* Take position `at` out of a region's list and mark the node dead. */
void whet__region_remove(whet_graph *g, whet_region *r, int32_t at);
/* Replace every use of value `from` by `to`, in nodes of all regions and in region outputs. */
void whet__graph_replace(whet_graph *g, int32_t from, int32_t to);
/* Sort a region so that each node stands after those that make its inputs; E_FORMAT when nodes need each other. */
WHET_MUST whet_status whet__region_sort(whet_graph *g, whet_region *r, whet_err *err);

/* Who makes and who uses each value; indices are value numbers. Rebuilt, not kept up to date. */
typedef struct whet_uses {
  int32_t *maker;   /* node, or -1 */
  int32_t *count;   /* uses by nodes (of any region) and by region outputs */
  int32_t *first;   /* start in `user`, n_val + 1 entries */
  int32_t *user;    /* node numbers, once per use; region outputs are not listed but counted */
} whet_uses;
/* Arrays from `a`. False when memory is refused. */
bool whet__graph_uses(const whet_graph *g, whet_arena *a, whet_uses *out);

/* Every node, value and region number is in range, every value is made once and before use, attributes are there. Run
 * after reading and after each pass in debug builds; E_FORMAT names the node. */
WHET_MUST whet_status whet__graph_verify(const whet_graph *g, whet_err *err);

/* Element count of a shape whose dimensions are numbers; -1 if one is not or it overflows. */
int64_t whet__shape_count(const whet_shape *s);
/* "[1, 3, height, ?]" into text; returns text. */
const char *whet__shape_text(const whet_graph *g, const whet_shape *s, char *text, size_t n);
/* Rank and dimensions as callers are told them: -1 for those that are no numbers, and the names that g (NULL: none) has
 * for such. */
void whet__graph_tell(const whet_graph *g, int32_t rank, const int64_t *dims, whet_info *out);
static inline whet_shape whet__shape(int32_t rank, const int64_t *d) {
  whet_shape s = {.rank = rank};
  for (int32_t i = 0; i < rank; i++) s.d[i] = d[i];
  return s;
}
/* The same parameters (NULL equals NULL). */
bool whet__quant_equal(const whet_quant *a, const whet_quant *b);
bool whet__shape_equal(const whet_shape *a, const whet_shape *b);

#endif
