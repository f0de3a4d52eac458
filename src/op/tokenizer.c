/* SPDX-License-Identifier: Apache-2.0 */
/* Tokenizer(x [c] or [n, c]): the tokens of each text along a new last dimension, filled up with pad_value. com.microsoft 1,
 * which exporters of text models write: tokens are what tokenexp matches, one match after the other, or what lies between
 * matches of separators (none of them: single characters); shorter ones than mincharnum characters do not count; with mark,
 * \2 stands before and \3 behind. Tokens lie in the text that they come from. */

#include "op/move.h"
#include "op/object.h"
#include "op/regex.h"
#include "op/text.h"

enum { MAX_SEPARATORS = 64 };
typedef struct tokenizer {
  bool mark, tokens; /* tokens: `re` says what a token is, else what is none */
  int32_t n_re;      /* 0: characters */
  int64_t least;
  whet_str pad;
  const whet_regex *re;
} tokenizer;
static const whet_attr_desc k_attrs[] = {{"mark", WHET_ATTR_BOOL, offsetof(tokenizer, mark)},
                                         {"mincharnum", WHET_ATTR_I64, offsetof(tokenizer, least)},
                                         {"pad_value", WHET_ATTR_STR, offsetof(tokenizer, pad)},
                                         {0}};

static whet_status read_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, tokenizer, a);
  whet_strs list = whet__onnx_strs(im, "separators");
  whet_str exp = whet__onnx_str(im, "tokenexp", "");
  a->mark = whet__onnx_int(im, "mark", 0) != 0;
  a->least = whet__onnx_int(im, "mincharnum", 1);
  a->pad = whet__onnx_str(im, "pad_value", "");
  a->tokens = exp.n != 0;
  if ((exp.n != 0) == (list.n != 0) || a->least < 1)
    return whet__im_fail(im, WHET_E_DATA, "one of separators and tokenexp is expected, and mincharnum from 1 on");
  if (exp.n) list = (whet_strs){&exp, 1};
  if (list.n > MAX_SEPARATORS) return whet__im_fail(im, WHET_E_LIMIT, "%d separators", list.n);
  whet_regex *re = whet__arena_array(whet__im_arena(im), (size_t)list.n, sizeof *re);
  if (!re) return whet__im_fail(im, WHET_E_MEMORY, "no memory for patterns");
  for (int32_t i = 0; i < list.n; i++) {
    whet_err err = {0};
    if (list.n == 1 && !list.v[0].n) break;
    whet_status s = whet__regex_make(whet__im_arena(im), list.v[i].p, list.v[i].n, &re[a->n_re++], &err);
    if (s) return whet__im_fail(im, s, "%s", err.text);
  }
  a->re = re;
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"com.microsoft", "Tokenizer", 1, read_onnx}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_shape *x = whet__in_shape(f, 0);
  if (whet__in_dtype(f, 0) != WHET_STRING)
    return whet__infer_fail(f, WHET_E_TYPE, "input 0 is %s, expected string", whet_dtype_name(whet__in_dtype(f, 0)));
  if (x->rank >= 0 && x->rank != 1 && x->rank != 2) return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, expected 1 or 2", x->rank);
  whet_shape *y = whet__out(f, 0, WHET_STRING);
  *y = *x;
  if (x->rank >= 0) y->d[y->rank++] = WHET_DIM_ANY;
  return WHET_LATE;
}

/* Where the tokens of a text go: counted, and (to not NULL) written. */
struct sink {
  const tokenizer *a;
  whet_str *to;
  int64_t n;
};

/* One token, if it is long enough. */
static void put(struct sink *s, const char *p, size_t n) {
  const char *end = p + n;
  int64_t chars = 0;
  for (const char *at = p; at < end && chars < s->a->least; chars++) whet__utf8_next(&at, end);
  if (chars < s->a->least) return;
  if (s->to) s->to[s->n] = (whet_str){p, n};
  s->n++;
}

/* The earliest match of any pattern at or behind `from`; a match of nothing does not count as a separator. */
static bool next_match(const tokenizer *a, whet_str t, size_t from, void *scratch, size_t *begin, size_t *end) {
  bool found = false;
  for (int32_t i = 0; i < a->n_re; i++) {
    size_t b, e;
    for (size_t at = from; at <= t.n && whet__regex_find(&a->re[i], t.p, t.n, at, scratch, &b, &e); at = e + 1) {
      if (e == b && !a->tokens) continue;
      if (!found || b < *begin) *begin = b, *end = e;
      found = true;
      break;
    }
  }
  return found;
}

/* All tokens of a text. */
static int64_t tokens(const tokenizer *a, whet_str t, void *scratch, whet_str *to) {
  struct sink s = {a, to, 0};
  size_t from = 0, b = 0, e = 0;
  if (!a->n_re) {
    for (const char *at = t.p, *end = t.p + t.n; at < end;) {
      const char *p = at;
      whet__utf8_next(&at, end);
      put(&s, p, (size_t)(at - p));
    }
    return s.n;
  }
  while (from <= t.n && next_match(a, t, from, scratch, &b, &e)) {
    put(&s, t.p + (a->tokens ? b : from), a->tokens ? e - b : b - from);
    from = e > b ? e : e + 1;
  }
  if (!a->tokens && from < t.n) put(&s, t.p + from, t.n - from);
  return s.n;
}

static whet_status late(const whet_args *arg) {
  const tokenizer *a = arg->attr;
  const whet_tensor *x = &arg->in[0];
  const whet_str *text = x->data;
  int64_t n = whet__tensor_count(x), dim[3] = {0}, most = 0, extra = a->mark ? 2 : 0;
  size_t room = 64;
  for (int32_t i = 0; i < a->n_re; i++)
    if (whet__regex_scratch(&a->re[i]) > room) room = whet__regex_scratch(&a->re[i]);
  void *scratch = whet__late_bytes(arg, room + 16);
  if (!scratch) return arg->err->code;
  scratch = (void *)whet__round_up((size_t)(uintptr_t)scratch, 16);
  for (int64_t i = 0; i < n; i++) most = whet__max_i(most, tokens(a, text[i], scratch, NULL));
  for (int32_t i = 0; i < x->rank; i++) dim[i] = x->dim[i];
  most = most ? most + extra : 0;
  dim[x->rank] = most;
  whet_str *y = whet__late_out(arg, 0, WHET_STRING, x->rank + 1, dim);
  if (!y) return arg->err->code;
  for (int64_t i = 0; i < n && most; i++, y += most) {
    int64_t k = tokens(a, text[i], scratch, y + (a->mark ? 1 : 0));
    if (a->mark) {
      y[0] = (whet_str){"\2", 1};
      y[++k] = (whet_str){"\3", 1};
      k++;
    }
    for (; k < most; k++) y[k] = a->pad;
  }
  return WHET_OK;
}

const whet_op whet_op_Tokenizer = {.name = "Tokenizer",
                                   .flags = WHET_OP_OBJECT | WHET_OP_FROM_FILE,
                                   .attr_size = sizeof(tokenizer),
                                   .attrs = k_attrs,
                                   .from = k_from,
                                   .infer = infer,
                                   .late = late};
