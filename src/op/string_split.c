/* SPDX-License-Identifier: Apache-2.0 */
/* StringSplit(x): (pieces [..., most], count [...]): each element cut at a delimiter, the shorter lists padded with empty
 * text. ONNX StringSplit 20: no delimiter: at runs of white space, none of it kept; maxsplit: at most that many cuts, the
 * rest stays whole, white space at its end too. Pieces lie in the text that they come from. Exact. */

#include "op/move.h"
#include "op/object.h"

struct split {
  whet_str delimiter;
  int64_t most; /* cuts; -1: any number */
};
static const whet_attr_desc k_attrs[] = {{"delimiter", WHET_ATTR_STR, offsetof(struct split, delimiter)},
                                         {"maxsplit", WHET_ATTR_I64, offsetof(struct split, most)},
                                         {0}};

static whet_status read_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct split, a);
  a->delimiter = whet__onnx_str(im, "delimiter", "");
  a->most = whet__onnx_int(im, "maxsplit", -1);
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"", "StringSplit", 20, read_onnx}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_shape *x = whet__in_shape(f, 0);
  if (whet__in_dtype(f, 0) != WHET_STRING)
    return whet__infer_fail(f, WHET_E_TYPE, "input 0 is %s, expected string", whet_dtype_name(whet__in_dtype(f, 0)));
  if (x->rank >= WHET_MAX_RANK) return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, at most %d", x->rank + 1, WHET_MAX_RANK);
  *whet__out(f, 1, WHET_S64) = *x;
  whet_shape *y = whet__out(f, 0, WHET_STRING);
  *y = *x;
  if (x->rank >= 0) y->d[y->rank++] = WHET_DIM_ANY;
  return WHET_LATE;
}

/* White space as Python splits ASCII text. */
static bool blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f); }

/* The next piece of *rest, which moves behind it; false past the last. cuts: how many more may be made. */
static bool next_piece(const struct split *a, whet_str *rest, bool *ended, int64_t *cuts, whet_str *piece) {
  if (*ended) return false;
  if (!a->delimiter.n) {
    while (rest->n && blank(rest->p[0])) rest->p++, rest->n--;
    if (!rest->n) return false;
    size_t n = 0;
    if (*cuts == 0) {
      n = rest->n;
    } else {
      while (n < rest->n && !blank(rest->p[n])) n++;
    }
    *piece = (whet_str){rest->p, n};
    *rest = (whet_str){rest->p + n, rest->n - n};
    if (*cuts == 0) *ended = true;
  } else {
    const char *hit = *cuts && rest->n >= a->delimiter.n ? memmem(rest->p, rest->n, a->delimiter.p, a->delimiter.n) : NULL;
    *ended = !hit;
    *piece = (whet_str){rest->p, hit ? (size_t)(hit - rest->p) : rest->n};
    if (hit) *rest = (whet_str){hit + a->delimiter.n, rest->n - piece->n - a->delimiter.n};
  }
  if (*cuts > 0) --*cuts;
  return true;
}

/* Pieces of element i; into `to` where that is not NULL. */
static int64_t pieces(const whet_args *a, int64_t i, whet_str *to) {
  const struct split *s = a->attr;
  whet_str rest = ((const whet_str *)a->in[0].data)[i], piece;
  int64_t cuts = s->most, n = 0;
  for (bool ended = false; next_piece(s, &rest, &ended, &cuts, &piece); n++)
    if (to) to[n] = piece;
  return n;
}

static whet_status late(const whet_args *a) {
  const whet_tensor *x = &a->in[0];
  int64_t n = whet__tensor_count(x), dim[WHET_MAX_RANK] = {0}, most = 0;
  for (int32_t i = 0; i < x->rank; i++) dim[i] = x->dim[i];
  int64_t *count = whet__late_out(a, 1, WHET_S64, x->rank, dim);
  if (!count) return a->err->code;
  for (int64_t i = 0; i < n; i++) most = whet__max_i(most, count[i] = pieces(a, i, NULL));
  dim[x->rank] = most;
  whet_str *y = whet__late_out(a, 0, WHET_STRING, x->rank + 1, dim);
  if (!y) return a->err->code;
  for (int64_t i = 0; i < n; i++) pieces(a, i, y + i * most);
  return WHET_OK;
}

const whet_op whet_op_StringSplit = {.name = "StringSplit",
                                     .flags = WHET_OP_OBJECT,
                                     .attr_size = sizeof(struct split),
                                     .attrs = k_attrs,
                                     .from = k_from,
                                     .infer = infer,
                                     .late = late};
