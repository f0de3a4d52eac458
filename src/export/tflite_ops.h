/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EXPORT_TFLITE_OPS_H
#define WHET_EXPORT_TFLITE_OPS_H

/* What the functions of operators share: each writes node n, whose operator TFLite calls `builtin` where there is one answer. */

#include "export/tflite.h"

#define IN(i) ((i) < n->n_in ? n->in[i] : -1)
#define TENSOR(i) whet__tx_tensor(o, IN(i))
#define TYPE(n) ((whet_dtype)o->x.g->val[(n)->in[0]].dtype)

/* A scalar of value `like`'s type. */
int32_t whet__tx_scalar(whet_tfl_out *o, int32_t like, double v);
/* The operator that makes n's result from these tensors; one whose result is an inner tensor of the same shape. */
whet_status whet__tx_simple(whet_tfl_out *o, const whet_node *n, const char *builtin, const int32_t *in, int n_in);
int32_t whet__tx_step(whet_tfl_out *o, const whet_node *n, const char *builtin, const int32_t *in, int n_in);

/* 16-bit activations with a bias of 32 bits, which the operator must be told. */
static inline bool whet__tx_narrow_bias(const whet_tfl_out *o, const whet_node *n) {
  return TYPE(n) == WHET_S16 && IN(2) >= 0 && o->x.g->val[n->in[2]].dtype == WHET_S32;
}
/* The weights of a product whose activations alone are rounded: integers, as its operator takes them. */
int32_t whet__tx_integer_weights(const whet_tfl_out *o, const whet_node *n);

#define FN(name) whet_status whet__tx_##name(whet_tfl_out *o, const whet_node *n, const char *builtin);
/* tflite_windows.c */
FN(conv) FN(conv_transpose) FN(pool) FN(resize) FN(blocks)
/* tflite_moves.c */
FN(cast) FN(concat) FN(with_list) FN(fill) FN(reshape) FN(gather) FN(pad) FN(shape) FN(slice) FN(split) FN(strided) FN(topk)
FN(transpose)
#undef FN

#endif
