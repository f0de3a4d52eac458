/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_FORMAT_IMPORT_H
#define WHET_FORMAT_IMPORT_H

/* The import context: what the readers share, and what stands behind the whet__im_, whet__onnx_ and whet__tfl_
 * functions of op/op.h. One whet_import lives while a model is opened; a struct whet_im_op lives on the stack while
 * an operator of the file is turned into nodes, and operators inside its bodies nest. */

#include "format/model.h"
#include "op/op.h"
#include "wire/onnx.h"
#include "wire/tflite.h"

struct whet_ox_scope;
struct whet_tf_scope;

/* The operator of the file that is being read. */
struct whet_im_op {
  struct whet_im_op *up; /* the one in whose body it stands; NULL */
  whet_region *region;   /* where its nodes go */
  const char *name;      /* the file's name for it, or ""; inside a function with the call's in front */
  const char *type, *domain;
  int since;               /* opset of the domain, or operator version */
  const int32_t *in, *out; /* value numbers, -1: absent */
  int n_in, n_out;
  int32_t index;   /* place in its graph */
  int32_t origin;  /* number in the source graph */
  int32_t last;    /* node appended last, -1: none yet */
  whet_status bad; /* first failure that a getter without status has met */
  whet_err err;
  const whet_ox_node *ox; /* ONNX */
  struct whet_ox_scope *ox_scope;
  const whet_tf_op *tf; /* TFLite */
  struct whet_tf_scope *tf_scope;
};

/* An operator that cannot run, listed once however many nodes use it. */
struct whet_im_missing {
  const char *text;  /* "Foo (ai.onnx 13)" or what was wrong with the node */
  const char *place; /* the first node */
  int32_t count;
};

struct whet_import {
  whet_model *m;
  whet_graph *g;
  whet_err *err;  /* of the whole reading; never NULL */
  whet_arena tmp; /* the file's structure; freed when reading is done */
  struct whet_im_op *op;
  bool no_memory;      /* a value or constant could not be made */
  int64_t work;        /* budget of operators and list entries, counted down */
  int64_t nodes;       /* budget of operators, counted down */
  int64_t deadline_ns; /* 0: none */
  int32_t depth;       /* bodies and calls that are open */
  struct whet_im_missing *missing;
  int32_t n_missing;
  size_t cap_missing;
  whet_names missing_names; /* text -> index in missing */
  whet_names symbols;       /* name of a free dimension -> its number */
  struct whet_im_cache {
    const int64_t *ints;
    const float *floats;
  } * cache; /* contents of constants that were asked for, by value */
  size_t cap_cache;
  const whet_model_opts *opts; /* the caller's */
  const whet_ox_model *ox; /* ONNX */
  whet_names ox_functions; /* "domain:name:overload" -> index in ox->fn */
  whet_names ox_files;     /* location of external data -> index in m->file */
  whet_names ox_given;     /* initialiser -> index in opts->initializers */
  uint8_t *ox_made;        /* by value: a node that stands before has made it */
  size_t cap_made;
  int8_t *rank; /* by value: rank that its node tells, plus 1; 0: not told */
  size_t cap_rank;
  const whet_tf_model *tf;            /* TFLite */
  struct whet_tf_tensors *tf_tensors; /* per subgraph, what its tensors are */
};

/* ---- common -----------------------------------------------------------------------------------------------------
 */

/* Take `entries` (and, with `node`, an operator) from the budgets; E_LIMIT or E_DEADLINE when they are used up. */
WHET_MUST whet_status whet__im_spend(whet_import *im, int64_t entries, bool node, whet_err *err);
/* One more open body or call; E_LIMIT past the limit. Every success is paired with whet__im_leave. */
WHET_MUST whet_status whet__im_enter(whet_import *im, whet_err *err);
void whet__im_leave(whet_import *im);

/* Find the operator of the file among the records and turn it into nodes. An operator that is not supported is noted
 * and counts as success: whet__im_missing_error tells of all of them at the end. */
WHET_MUST whet_status whet__im_run(whet_import *im, struct whet_im_op *o);
/* Note that operator o cannot run. why NULL: there is no such operator. */
WHET_MUST whet_status whet__im_missing(whet_import *im, const struct whet_im_op *o, const char *why);
/* E_UNSUPPORTED with the list, or `s` when nothing is missing. */
whet_status whet__im_missing_error(whet_import *im, whet_status s);
/* Put the operator's place in front of o->err and hand it on to `err`. */
whet_status whet__im_place(struct whet_im_op *o, whet_err *err);

/* The caller's own operator for o (ONNX: its domain and type; TFLite: custom code), or NULL. */
const whet_custom_op *whet__im_custom(whet_import *im, const struct whet_im_op *o);
/* Append the node that runs it. */
WHET_MUST whet_status whet__im_custom_node(whet_import *im, struct whet_im_op *o, const whet_custom_op *c);

/* Rank of a value, by the file or by whet__im_rank; -1: not known. */
int32_t whet__im_rank_of(const whet_import *im, int32_t v);

/* Make value v a constant over bytes that outlive the model's graph. False when memory is refused. */
bool whet__im_set_const(whet_import *im, int32_t v, whet_dtype t, const whet_shape *s, const void *p, bool mapped);
/* Contents that lie in a file as `bytes` bytes in whet's own form: used in place; copied when they are few and not
 * aligned to their element, or are bools other than 0 and 1. */
WHET_MUST whet_status whet__im_bytes(whet_import *im, const char *name, whet_dtype t, const uint8_t *src,
                                     size_t bytes, const void **p, bool *mapped, whet_err *err);
/* Once the graph is read: copy the misaligned contents that were left in place, but for those that only records read
 * which pack them from any alignment. */
WHET_MUST whet_status whet__im_align(whet_import *im);
/* The dimension for a name: an old symbol, or a new one when `make`; else ANY. */
whet_dim whet__im_symbol(whet_import *im, whet_str name, bool make);
/* Number of a new source tensor or node; -1 when memory is refused. */
int32_t whet__im_source_tensor(whet_import *im, const whet_source_tensor *t);
int32_t whet__im_source_node(whet_import *im, const whet_source_node *n);
/* Add a text that the model carries. */
WHET_MUST whet_status whet__im_meta(whet_import *im, const char *key, whet_str value);
/* Fail because memory for `what` was refused. */
whet_status whet__im_no_memory(whet_import *im, whet_err *err, size_t n, const char *what);
/* E_LIMIT when `bytes` is so much more than the `stored` bytes of the file that only a trap would ask for it. */
WHET_MUST whet_status whet__im_inflate(whet_import *im, uint64_t bytes, uint64_t stored, const char *name,
                                       whet_err *err);

/* ---- dispatch ---------------------------------------------------------------------------------------------------
 */

/* The row and record for an operator of a file: of the rows with this domain and name, the one with the highest
 * `since` not above `version`. NULL: none; *oldest is then the lowest `since` there is, or -1. */
const whet_from *whet__from_find(const char *domain, const char *name, int version, const whet_op **op, int *oldest);
/* Rows that dispatch knows: all of them, unless its table is too small. */
size_t whet__from_rows(void);

/* ---- readers ----------------------------------------------------------------------------------------------------
 */

WHET_MUST whet_status whet__onnx_read(whet_import *im);
WHET_MUST whet_status whet__tflite_read(whet_import *im);

/* Contents of a tensor of an ONNX file as constant bytes of whet's form: used in place where that is possible. */
WHET_MUST whet_status whet__ox_contents(whet_import *im, const whet_ox_tensor *t, whet_dtype *dtype,
                                        whet_shape *shape, const void **p, bool *mapped, whet_err *err);
/* The same for a sparse tensor, made dense. */
WHET_MUST whet_status whet__ox_dense(whet_import *im, const whet_ox_sparse *t, whet_dtype *dtype, whet_shape *shape,
                                     const void **p, whet_err *err);
/* Contents of an initialiser of the main graph, for which the caller may have given others. */
WHET_MUST whet_status whet__ox_initializer(whet_import *im, const whet_ox_tensor *t, whet_dtype *dtype,
                                           whet_shape *shape, const void **p, bool *mapped, whet_err *err);
/* Index what the caller gives in place of files: initialisers and files of external data. */
WHET_MUST whet_status whet__ox_take_given(whet_import *im);
/* Contents of tensor t of a TFLite file, of type dtype and shape s: sparse ones made dense, strings split. */
WHET_MUST whet_status whet__tf_contents(whet_import *im, const whet_tf_tensor *t, const whet_tf_buffer *b,
                                        whet_dtype dtype, const whet_shape *s, const void **p, bool *mapped,
                                        whet_err *err);

#endif
