/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_FORMAT_ONNX_H
#define WHET_FORMAT_ONNX_H

/* Inside the ONNX reader: scopes of names and calls of functions. Both live on the stack. */

#include "format/import.h"

/* A function whose body is being read in place of a node that calls it. */
struct whet_ox_call {
  const whet_ox_function *fn;
  const whet_ox_node *node;    /* the call: its attributes are what the body refers to */
  struct whet_ox_scope *scope; /* where the call stands */
  whet_names outs;             /* names of outputs -> the call's values */
};

/* The names of one graph or function body. */
struct whet_ox_scope {
  struct whet_ox_scope *up;    /* graph in which this one is nested; NULL: main graph or function */
  struct whet_ox_scope *owner; /* the scope that owns the region: itself, or for a function that of its call */
  struct whet_ox_call *call;   /* the function that is being read, NULL: none */
  whet_names names;            /* to value numbers, or WHET_OX_ABSENT */
  const whet_ox_opset *opset;
  int32_t n_opset;
  whet_region *region;
  const char *prefix; /* stands before names of values and nodes */
  bool main;
  bool unsorted; /* a node of the region stands before one that it needs */
};
enum { WHET_OX_ABSENT = -2 };

/* Attribute `name` of the operator that is being read, followed through references of functions; *scope receives the
 * scope where its graphs' names are looked up. NULL: absent. */
const whet_ox_attr *whet__ox_attr(whet_import *im, const char *name, struct whet_ox_scope **scope);
/* The contents of a Constant node as a constant in value v. */
WHET_MUST whet_status whet__ox_constant(whet_import *im, struct whet_im_op *o, int32_t v);
/* Read graph g into region r, as the body of an operator whose names are those of `up`. */
WHET_MUST whet_status whet__ox_body(whet_import *im, const whet_ox_graph *g, struct whet_ox_scope *up, whet_region *r,
                                    whet_err *err);
/* Give value v the type that the file declares. `make`: unknown names of dimensions become symbols. */
WHET_MUST whet_status whet__ox_declare(whet_import *im, int32_t v, const whet_ox_type *t, bool make, whet_err *err);

/* A formula of op/expand.def for operator o, as a function with o's attributes settled; *fn NULL when there is none.
 * Fails on a fault in the text. */
WHET_MUST whet_status whet__expand_find(whet_import *im, struct whet_im_op *o, const whet_ox_function **fn,
                                        whet_err *err);
/* For tests: how many formulas there are; formula `row` for operator o; any formula. */
size_t whet__expand_count(void);
const char *whet__expand_name(size_t row, const char **domain, int *since);
WHET_MUST whet_status whet__expand_row(whet_import *im, struct whet_im_op *o, size_t row, const whet_ox_function **fn,
                                       whet_err *err);
WHET_MUST whet_status whet__expand_parse(whet_import *im, const struct whet_im_op *call, const char *sig,
                                         const char *text, const whet_ox_function **fn, whet_err *err);

#endif
