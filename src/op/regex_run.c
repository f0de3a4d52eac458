/* SPDX-License-Identifier: Apache-2.0 */
/* Running a regex program: all its threads at once, each instruction at most once for each character. */

#include "op/regex_run.h"

#include "op/regex.h"
#include "op/text.h"

/* Threads that wait for a character, and what has been reached at this place of the text. */
struct threads {
  int32_t *at; /* instructions that take a character, or MATCH */
  int32_t n;
};
struct run {
  const whet_regex *re;
  uint32_t *seen; /* by instruction: the round in which it was reached */
  int32_t *stack;
  uint32_t round;
  uint32_t before, after; /* characters around this place; WHET_NO_CHAR at the ends */
  bool begin, end;
};

size_t whet__regex_scratch(const whet_regex *re) { return (size_t)re->n * 5 * sizeof(int32_t) + 64; }

static bool is_word(uint32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* Does a condition hold here? */
static bool holds(const struct run *r, int op) {
  bool edge = is_word(r->before) != is_word(r->after);
  switch (op) {
    case RX_BEGIN:
      return r->begin;
    case RX_END:
      return r->end;
    case RX_LINE_BEGIN:
      return r->begin || r->before == '\n';
    case RX_LINE_END:
      return r->end || r->after == '\n';
    case RX_WORD:
      return edge;
    case RX_NO_WORD:
      return !edge;
    default:
      return true;
  }
}

/* Follow instruction `pc` to all that it leads to without a character. */
static void follow(struct run *r, struct threads *t, int32_t pc) {
  int32_t n = 0;
  r->stack[n++] = pc;
  while (n) {
    pc = r->stack[--n];
    const whet_regex_inst *i = &r->re->inst[pc];
    if (r->seen[pc] == r->round) continue;
    r->seen[pc] = r->round;
    if (i->op <= RX_CLASS || i->op == RX_MATCH) {
      t->at[t->n++] = pc;
    } else if (holds(r, i->op)) {
      r->stack[n++] = pc + i->x;
      if (i->op == RX_SPLIT) r->stack[n++] = pc + i->y;
    }
  }
}

static bool in_ranges(const whet_regex *re, const whet_regex_class *k, uint32_t c) {
  const uint32_t *r = re->range + k->first;
  for (uint32_t i = 0; i < k->n; i++)
    if (c >= r[2 * i] && c <= r[2 * i + 1]) return true;
  return false;
}

/* Does the instruction take character c? */
static bool takes(const whet_regex *re, const whet_regex_inst *i, uint32_t c) {
  if (c == WHET_NO_CHAR) return false;
  switch (i->op) {
    case RX_CHAR:
      return c == i->c;
    case RX_FOLD:
      return whet__char_lower(whet__char_upper(c)) == i->c;
    case RX_ANY:
      return true;
    case RX_ANY_BUT_LINE:
      return c != '\n';
    default:
      break;
  }
  const whet_regex_class *k = &re->class[i->c];
  bool in = in_ranges(re, k, c);
  if (!in && k->fold) in = in_ranges(re, k, whet__char_lower(c)) || in_ranges(re, k, whet__char_upper(c));
  return in != k->negate;
}

bool whet__regex_full(const whet_regex *re, const char *p, size_t n, void *scratch) {
  int32_t *mem = scratch;
  struct threads now = {mem, 0}, next = {mem + re->n, 0};
  struct run r = {.re = re, .seen = (uint32_t *)mem + 2 * (size_t)re->n, .stack = mem + 3 * (size_t)re->n};
  const char *end = p + n;
  memset(r.seen, 0, (size_t)re->n * sizeof *r.seen);
  uint32_t c = WHET_NO_CHAR;
  for (const char *at = p;;) {
    const char *behind = at;
    r.round++;
    r.before = c;
    r.begin = at == p;
    r.end = at == end;
    r.after = r.end ? WHET_NO_CHAR : whet__utf8_next(&behind, end);
    next.n = 0;
    if (r.begin)
      follow(&r, &next, 0);
    else
      for (int32_t i = 0; i < now.n; i++)
        if (takes(re, &re->inst[now.at[i]], c)) follow(&r, &next, now.at[i] + 1);
    struct threads swap = now;
    now = next;
    next = swap;
    if (r.end || !now.n) break;
    c = r.after;
    at = behind;
  }
  if (!r.end) return false;
  for (int32_t i = 0; i < now.n; i++)
    if (re->inst[now.at[i]].op == RX_MATCH) return true;
  return false;
}
