/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CUSTOM_H
#define WHET_CUSTOM_H

/* Operators of the caller's own, for both formats: a record with a shape rule and a kernel. */

#include "whet/model.h"
#include "whet/value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a kernel and a shape rule see. Borrowed for the call. */
typedef struct whet_custom_ctx whet_custom_ctx;

/* Attributes by name (ONNX), or the raw option bytes (TFLite custom_options). Answers 0 and leaves *out when absent. */
WHET_API int whet_custom_attr_int(const whet_custom_ctx *c, const char *name, int64_t *out);
WHET_API int whet_custom_attr_float(const whet_custom_ctx *c, const char *name, float *out);
WHET_API int whet_custom_attr_ints(const whet_custom_ctx *c, const char *name, const int64_t **out, size_t *n);
WHET_API int whet_custom_attr_floats(const whet_custom_ctx *c, const char *name, const float **out, size_t *n);
WHET_API int whet_custom_attr_string(const whet_custom_ctx *c, const char *name, const char **out, size_t *n);
WHET_API int whet_custom_attr_strings(const whet_custom_ctx *c, const char *name, const whet_str **out, size_t *n);
/* A tensor: type and shape, and its elements (STRING: an array of whet_str), which live as long as the model. */
WHET_API int whet_custom_attr_tensor(const whet_custom_ctx *c, const char *name, whet_info *info, const void **data);
WHET_API const void *whet_custom_options(const whet_custom_ctx *c, size_t *bytes);

/* The file's name of the node; "" when it has none. */
WHET_API const char *whet_custom_node(const whet_custom_ctx *c);
WHET_API size_t whet_custom_inputs(const whet_custom_ctx *c);
WHET_API size_t whet_custom_outputs(const whet_custom_ctx *c);
/* Type, shape and quantisation of input i; data is NULL in a shape rule unless the input is constant. Absent optional
 * inputs have dtype NONE. */
WHET_API whet_status whet_custom_input(const whet_custom_ctx *c, size_t i, whet_info *info, const void **data);
/* What the file declares of output i, as far as it does (dtype NONE, rank -1: nothing); in the kernel of an operator with a shape
 * rule, what that rule said. */
WHET_API whet_status whet_custom_output_info(const whet_custom_ctx *c, size_t i, whet_info *info);
/* Shape rule: say what output i is. Kernel of an operator without a shape rule: the same, and *data receives the memory.
 * Kernel of an operator with one: *data receives the memory; the shape given must be the one that the rule said. */
WHET_API whet_status whet_custom_output(whet_custom_ctx *c, size_t i, whet_dtype t, int32_t rank, const int64_t *dims,
                                        void **data);
/* Element k of output i, which is of strings: a copy of n bytes. In the kernel, once whet_custom_output has made the output. */
WHET_API whet_status whet_custom_output_string(whet_custom_ctx *c, size_t i, size_t k, const char *p, size_t n);
/* Shape rule: what the outputs are is known only when run. The kernel then tells all of them, as that of an operator without a shape
 * rule does. */
WHET_API whet_status whet_custom_output_late(whet_custom_ctx *c);
/* Kernel: not 0 when it tells what its outputs are. */
WHET_API int whet_custom_tells(const whet_custom_ctx *c);
/* In `tell`: output i has this type and these dimensions, as far as they are known: -1 is a free one, a symbol of the model by
 * its name. */
WHET_API whet_status whet_custom_output_told(whet_custom_ctx *c, size_t i, const whet_info *info);
/* In `create`: a context that answers the same as long as the program lives, which frees it. E_MEMORY. */
WHET_API whet_status whet_custom_keep(const whet_custom_ctx *c, whet_custom_ctx **out);
/* Say what went wrong, before a failing status is returned. */
WHET_API void whet_custom_error(whet_custom_ctx *c, const char *text);

typedef struct whet_custom_op {
  size_t size;          /* sizeof(whet_custom_op) */
  const char *name;     /* ONNX op_type, or TFLite custom_code */
  int32_t min_in, max_in, min_out, max_out; /* -1 for max: any number */
  /* Called once per node when a program is made; *state is given to the others. NULL: none needed. */
  whet_status (*create)(void *user, const whet_custom_ctx *c, void **state);
  void (*destroy)(void *user, void *state);
  /* Shape rule. NULL: sizes are known when run. */
  whet_status (*shape)(void *user, void *state, whet_custom_ctx *c);
  whet_status (*run)(void *user, void *state, whet_custom_ctx *c);
  void *user;
  int thread_safe;      /* not 0: run may be called at once from several sessions; 0: calls take turns */
  /* For an operator without a shape rule, what can be said of its outputs before a run, by whet_custom_output_told; the kernel
   * decides. Called while a program is made, where all inputs' ranks are known, any number of times. NULL: nothing. */
  whet_status (*tell)(void *user, whet_custom_ctx *c);
} whet_custom_op;

/* A named set of operators; ONNX nodes name their domain, TFLite models use the domain "". Caller owned. */
struct whet_custom_domain {
  size_t size;          /* sizeof(whet_custom_domain) */
  const char *name;
  const whet_custom_op *const *ops;
  size_t n_ops;
};

#ifdef __cplusplus
}
#endif
#endif
