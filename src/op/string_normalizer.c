/* SPDX-License-Identifier: Apache-2.0 */
/* StringNormalizer(x): elements that are no stop words, in upper or lower case or as they are. ONNX StringNormalizer 10:
 * x is [C] or [1, C]; when nothing is left the output is one empty text. Case is that of single Unicode characters in any
 * locale. Without is_case_sensitive stop words and elements are compared in the case that is asked for (lower if none). */

#include "op/keys.h"
#include "op/move.h"
#include "op/object.h"
#include "op/text.h"

enum { AS_IS, LOWER, UPPER };
struct normalizer {
  int32_t action;
  bool sensitive;
  whet_strs stop;
  const whet_keys *keys; /* of `stop`, in the case in which it is compared */
};
static const whet_attr_desc k_attrs[] = {{"case_change_action", WHET_ATTR_I32, offsetof(struct normalizer, action)},
                                         {"is_case_sensitive", WHET_ATTR_BOOL, offsetof(struct normalizer, sensitive)},
                                         {"stopwords", WHET_ATTR_STRS, offsetof(struct normalizer, stop)},
                                         {0}};

/* The case in which stop words are compared. */
static int compared(const struct normalizer *a) { return a->sensitive ? AS_IS : a->action == UPPER ? UPPER : LOWER; }

static whet_status read_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct normalizer, a);
  static const char *const action[] = {"NONE", "LOWER", "UPPER"};
  whet_str s = whet__onnx_str(im, "case_change_action", "NONE");
  while (a->action < 3 && (strlen(action[a->action]) != s.n || memcmp(action[a->action], s.p, s.n))) a->action++;
  if (a->action == 3) return whet__im_fail(im, WHET_E_DATA, "case_change_action \"%.20s\"", s.p);
  a->sensitive = whet__onnx_int(im, "is_case_sensitive", 0) != 0;
  a->stop = whet__onnx_strs(im, "stopwords");
  whet_arena *mem = whet__im_arena(im);
  whet_str *words = whet__arena_array(mem, (size_t)a->stop.n + 1, sizeof *words);
  int how = compared(a);
  for (int32_t i = 0; words && i < a->stop.n; i++) {
    words[i] = a->stop.v[i];
    if (how == AS_IS) continue;
    size_t room = whet__text_cased_room(words[i].n);
    char *to = room == SIZE_MAX ? NULL : whet__arena_alloc(mem, room + 1);
    if (!to) return whet__im_fail(im, WHET_E_MEMORY, "no memory for stop words");
    words[i].n = whet__text_cased(words[i].p, words[i].n, how == UPPER, to);
    words[i].p = to;
  }
  a->keys = words ? whet__keys_new(mem, WHET_KEY_TEXT, words, a->stop.n) : NULL;
  if (!a->keys) return whet__im_fail(im, WHET_E_MEMORY, "no memory for stop words");
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"", "StringNormalizer", 10, read_onnx}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct normalizer *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  if (whet__in_dtype(f, 0) != WHET_STRING)
    return whet__infer_fail(f, WHET_E_TYPE, "input 0 is %s, expected string", whet_dtype_name(whet__in_dtype(f, 0)));
  if (x->rank >= 0 && x->rank != 1 && !(x->rank == 2 && (x->d[0] == 1 || x->d[0] < 0)))
    return whet__infer_fail(f, WHET_E_SHAPE, "the input is neither [C] nor [1, C]");
  whet_shape *y = whet__out(f, 0, WHET_STRING);
  *y = *x;
  if (x->rank < 0) return WHET_LATE;
  if (a->stop.n || x->d[x->rank - 1] == 0) y->d[x->rank - 1] = WHET_DIM_ANY;
  return WHET_LATE;
}

/* Element i in a case; its characters live as long as the run. */
static whet_status cased(const whet_args *a, int64_t i, int how, whet_str *out) {
  whet_str s = ((const whet_str *)a->in[0].data)[i];
  *out = s;
  if (how == AS_IS) return WHET_OK;
  size_t room = whet__text_cased_room(s.n);
  char *to = whet__late_bytes(a, room);
  if (!to) return a->err->code;
  *out = (whet_str){to, whet__text_cased(s.p, s.n, how == UPPER, to)};
  return WHET_OK;
}

static whet_status late(const whet_args *a) {
  const struct normalizer *s = a->attr;
  const whet_tensor *x = &a->in[0];
  int64_t n = whet__tensor_count(x), dim[2] = {1, 1}, kept = 0;
  if (x->rank == 2 && x->dim[0] != 1) return whet__fail(a->err, WHET_E_SHAPE, "the input is neither [C] nor [1, C]");
  whet_str *list = (void *)whet__late_bytes(a, ((size_t)n + 1) * sizeof *list + sizeof(double)), word;
  if (!list) return a->err->code;
  list = (void *)(((uintptr_t)list + sizeof(double) - 1) & ~(uintptr_t)(sizeof(double) - 1));
  for (int64_t i = 0; i < n; i++) {
    WHET_TRY(cased(a, i, compared(s), &word));
    if (whet__keys_text(s->keys, word) >= 0) continue;
    if (s->action != compared(s)) WHET_TRY(cased(a, i, s->action, &word));
    list[kept++] = word;
  }
  dim[x->rank - 1] = kept ? kept : 1;
  whet_str *y = whet__late_out(a, 0, WHET_STRING, x->rank, dim);
  if (!y) return a->err->code;
  if (kept)
    memcpy(y, list, (size_t)kept * sizeof *y);
  else
    y[0] = (whet_str){"", 0};
  return WHET_OK;
}

const whet_op whet_op_StringNormalizer = {.name = "StringNormalizer",
                                          .flags = WHET_OP_OBJECT | WHET_OP_FROM_FILE,
                                          .attr_size = sizeof(struct normalizer),
                                          .attrs = k_attrs,
                                          .from = k_from,
                                          .infer = infer,
                                          .late = late};
