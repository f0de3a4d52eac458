/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_ATTENTION_H
#define WHET_OP_ATTENTION_H

/* Attributes of Attention, for those who build such nodes. The operator's file says what each means. */

#include "op/op.h"

enum { WHET_ATTN_Q = 1, WHET_ATTN_K = 2, WHET_ATTN_V = 4, WHET_ATTN_Y = 8 };

typedef struct whet_attention {
  int64_t left, right; /* keys before and after a row's own position that it sees; -1: all */
  float scale;         /* with `scaled`; else 1 / sqrt of the width of q */
  float cap;           /* 0: none */
  uint8_t scaled;
  uint8_t inside;      /* WHET_ATTN_ bits: that operand is [batch, row, head, width]; else [batch, head, row, width] */
  uint8_t qk;          /* what output 1 is: 0 scores, 1 capped, 2 with the mask, 3 softmax */
  uint8_t nan;         /* a row that sees no key is NaN, as a Softmax of nothing but -Inf; else 0 */
} whet_attention;

#endif
