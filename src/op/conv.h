/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_CONV_H
#define WHET_OP_CONV_H

/* What Conv, ConvTranspose and their quantised halves share: attributes, sizes, how weights lie. */

#include "op/op.h"

/* Order of the dimensions of a weight tensor; S: the spatial ones. */
enum {
  WHET_CONV_OIS, /* ONNX Conv: outputs, inputs of a group */
  WHET_CONV_OSI, /* TFLite CONV_2D, TRANSPOSE_CONV */
  WHET_CONV_1SO, /* TFLite DEPTHWISE_CONV_2D */
  WHET_CONV_SIO, /* TFLite CONV_3D */
  WHET_CONV_IOS, /* ONNX ConvTranspose: inputs, outputs of a group */
  WHET_CONV_SOI, /* TFLite CONV_3D_TRANSPOSE */
  WHET_CONV_ISO, /* all inputs, outputs of a group: OSI seen from the gradient */
  WHET_CONV_ISO_1 /* 1SO likewise: one output for each group */
};
enum { WHET_CONV_PADS, WHET_CONV_SAME_UPPER, WHET_CONV_SAME_LOWER, WHET_CONV_VALID };

typedef struct whet_conv_attr {
  whet_ints strides, dilations; /* for each spatial dimension; n 0: ones */
  whet_ints pads;               /* all begins, then all ends; n 0: none. Only for WHET_CONV_PADS */
  whet_ints kernel;             /* as the file says it, to be checked; n 0: not said */
  whet_ints out_pad, out_shape; /* ConvTranspose: output_padding, output_shape; n 0: not said */
  int64_t group;                /* 0: told by channels and weights */
  uint8_t pad_mode;             /* WHET_CONV_PADS ... */
  uint8_t last;                 /* channels are the last dimension of input and output; else dimension 1 */
  uint8_t weights;              /* WHET_CONV_OIS ... */
  float pad_value;              /* Conv of floats: what taps outside the input read */
} whet_conv_attr;
extern const whet_attr_desc whet__conv_attrs[];

/* Sizes of one call. Spatial dimensions stand at the end of the arrays of three: those that are missing are of
 * size 1. in, out and batch may be symbols or ANY while a program is made; all else is numbers, or -1 where it is not
 * known. */
typedef struct whet_conv_geo {
  int32_t n; /* spatial dimensions */
  whet_dim batch, in[3], out[3];
  int64_t groups, ic, oc; /* channels of one group */
  int64_t kernel[3], stride[3], dilation[3];
  int64_t pad[3], pad_end[3];            /* positions before and after */
  int64_t w_group, w_oc, w_ic, w_tap[3]; /* elements of the weights from one to the next */
} whet_conv_geo;

enum { WHET_CONV_WHY = 200 };
/* Sizes of a convolution of x with weights w, which have known ranks. transposed: of ConvTranspose; `out` is then the
 * output's shape where an input tells it, else NULL. False when they do not fit each other; `why` then says so. */
bool whet__conv_geo(const whet_conv_attr *a, bool transposed, const whet_shape *x, const whet_shape *w,
                    const whet_shape *out, whet_conv_geo *g, char why[WHET_CONV_WHY]);
/* Place of spatial dimension i (0..2 of the geometry) in an input or output; of its channels. */
static inline int32_t whet__conv_axis(const whet_conv_attr *a, const whet_conv_geo *g, int i) {
  return i - (3 - g->n) + (a->last ? 1 : 2);
}
static inline int32_t whet__conv_chan(const whet_conv_attr *a, const whet_conv_geo *g) {
  return a->last ? g->n + 1 : 1;
}
/* The output's shape. */
void whet__conv_out_shape(const whet_conv_attr *a, const whet_conv_geo *g, whet_shape *out);

/* So many groups side by side, with zeros between them, still fit a vector of `lanes` outputs: as many multiplications as apart, in runs as
 * many times as long. 1: none. */
int64_t whet__conv_joined(const whet_conv_geo *g, int64_t lanes);

/* Sizes for a node of a plan, whose shapes have passed infer; for a reference. */
whet_conv_geo whet__conv_plan_geo(const whet_planner *p, const whet_node *n, bool transposed);
whet_conv_geo whet__conv_ref_geo(const whet_args *a, bool transposed);

/* The permute hook of both: channels first to channels last and back. Weights and bias stay as they are. */
bool whet__conv_permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out);

/* Reading, shared: ONNX attributes strides, dilations, pads, auto_pad, group, kernel_shape; the padding of TFLite. */
whet_status whet__conv_read_onnx(whet_import *im, whet_conv_attr *a);
whet_status whet__conv_read_tfl_padding(whet_import *im, int64_t code, whet_conv_attr *a);
/* n numbers as a list in the arena; v NULL when memory is refused. */
whet_ints whet__conv_list(whet_import *im, const int64_t *v, int32_t n);

/* Types: float x with weights and bias of the same type, f32 x with quantised integer weights, or quantised 8- or
 * 16-bit x. Sets *t to the output's type.
 */
whet_status whet__conv_types(whet_infer *f, int x, int w, int b, whet_dtype *t);
/* Integer weights (input w) of a float product have one scale, or one for each of its `channels` outputs. */
whet_status whet__conv_scales(whet_infer *f, int w, whet_dim channels);

/* Gradient hooks: conv_grad.c. */
whet_status whet__conv_grad(whet_edit *e, int32_t node);
whet_status whet__conv_transpose_grad(whet_edit *e, int32_t node);

/* Quantised meaning, input of 8 or 16 bits with a scale: conv_q8.c. The rule that TFLite's kernels take for input x
 * and bias b (NULL: none). */
whet_round whet__conv_q8_rule(const whet_val *x, const whet_val *b, bool micro);
whet_status whet__conv_q8_plan(whet_planner *p, const whet_node *n);
whet_status whet__conv_q8_ref(const whet_args *a);
whet_status whet__conv_transpose_q8_plan(whet_planner *p, const whet_node *n);
whet_status whet__conv_transpose_q8_ref(const whet_args *a);

#endif
