/* SPDX-License-Identifier: Apache-2.0 */
/* SkipGram(text): groups of up to n words of a text, in their order, with at most `skip` words left out between
 * neighbours; each group's words joined by a space.
 *
 * TFLite SKIP_GRAM: the first string of the input; words end at white space; groups of exactly n words, or of 1 to n.
 * Groups come in the order of their first words, the longest of a beginning first. Texts of fewer than n words have
 * none. */

#include "op/move.h"
#include "op/object.h"

struct skip_gram {
  int32_t n, skip;
  uint8_t all; /* groups of fewer words, too */
};
static const whet_attr_desc k_attrs[] = {{"n", WHET_ATTR_I32, offsetof(struct skip_gram, n)},
                                         {"skip", WHET_ATTR_I32, offsetof(struct skip_gram, skip)},
                                         {"all", WHET_ATTR_BOOL, offsetof(struct skip_gram, all)},
                                         {0}};

enum { MAX_WORDS = 64, MAX_GROUPS = 1 << 24 };

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct skip_gram, a);
  int64_t n = whet__tfl_int(im, 0, 0), skip = whet__tfl_int(im, 1, 0);
  if (n < 1 || n > MAX_WORDS || skip < 0)
    return whet__im_fail(im, WHET_E_DATA, "groups of %lld words (1 to %d) with %lld left out", (long long)n, MAX_WORDS,
                         (long long)skip);
  *a = (struct skip_gram){(int32_t)n, whet__small(skip), whet__tfl_int(im, 2, 0) != 0};
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_from[] = {{"tflite", "SKIP_GRAM", 1, from_tfl}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  int64_t count = whet__shape_count(whet__in_shape(f, 0));
  whet_shape *out = whet__out(f, 0, WHET_STRING);
  out->rank = 1;
  out->d[0] = WHET_DIM_ANY;
  if (whet__in_dtype(f, 0) != WHET_STRING)
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(whet__in_dtype(f, 0)));
  if (!count) return whet__infer_fail(f, WHET_E_SHAPE, "there is no text");
  return WHET_LATE;
}

/* ---- run ------------------------------------------------------------------------------------- */

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The words of a text into `word`, where it is not NULL; how many there are. As LiteRT has it, a space that begins the
 * text ends nothing but spoils the word after it, unless that is the last one. */
static int64_t split(const whet_str *text, whet_str *word) {
  int64_t n = 0;
  size_t from = 0;
  for (size_t i = 1; i <= text->n; i++) {
    bool end = i == text->n;
    if (!end && !is_space(text->p[i])) continue;
    if (i > from && (end || !is_space(text->p[from]))) {
      if (word) word[n] = (whet_str){text->p + from, i - from};
      n++;
    }
    from = i + 1;
  }
  return n;
}

/* Where groups go: counted first, then written. */
struct sink {
  int64_t groups;
  size_t bytes;
  whet_str *to; /* NULL: only count */
  char *text;
};

static void emit(struct sink *s, const whet_str *word, const int64_t *stack, int32_t n) {
  char *from = s->text ? s->text + s->bytes : NULL;
  for (int32_t i = 0; i < n; i++) {
    const whet_str *w = &word[stack[i]];
    if (from) {
      if (i) s->text[s->bytes] = ' ';
      memcpy(s->text + s->bytes + (i > 0), w->p, w->n);
    }
    s->bytes += w->n + (i > 0);
  }
  if (s->to) s->to[s->groups] = (whet_str){from, (size_t)(s->text + s->bytes - from)};
  s->groups++;
}

/* All groups, depth first. False when there are too many. */
static bool groups(const struct skip_gram *a, const whet_str *word, int64_t n_words, struct sink *s) {
  int64_t stack[MAX_WORDS] = {0};
  for (int32_t depth = 1; depth >= 0;) {
    /* Words chosen: stack[0 .. depth-1]; the next one is the one after stack[depth]. */
    bool deeper = depth < a->n && stack[depth] + 1 < n_words && (!depth || stack[depth] - stack[depth - 1] <= a->skip);
    if (deeper) {
      stack[depth++]++;
      if (depth < a->n) stack[depth] = stack[depth - 1];
      continue;
    }
    if (depth > 0 && (a->all || depth == a->n)) {
      if (s->groups == MAX_GROUPS) return false;
      emit(s, word, stack, depth);
    }
    depth--;
  }
  return true;
}

static whet_status late(const whet_args *args) {
  const struct skip_gram *a = args->attr;
  const whet_str *text = args->in[0].data;
  struct sink s = {0};
  int64_t n = split(text, NULL), need = n + 1;
  whet_str *word = whet__late_out(args, args->n_out, WHET_STRING, 1, &need); /* scratch */
  if (!word) return WHET_E_MEMORY;
  split(text, word);
  if (n >= a->n && !groups(a, word, n, &s))
    return whet__fail(args->err, WHET_E_LIMIT, "more than %d groups of words", MAX_GROUPS);
  int64_t count = s.groups;
  s.to = whet__late_out(args, 0, WHET_STRING, 1, &count);
  s.text = whet__late_bytes(args, s.bytes);
  if (!s.to || !s.text) return WHET_E_MEMORY;
  s.groups = 0;
  s.bytes = 0;
  if (count) groups(a, word, n, &s);
  return WHET_OK;
}

const whet_op whet_op_SkipGram = {
    .name = "SkipGram",
    .flags = WHET_OP_OBJECT,
    .attr_size = sizeof(struct skip_gram),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .late = late,
};
