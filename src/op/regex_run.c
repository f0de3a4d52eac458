/* SPDX-License-Identifier: Apache-2.0 */
/* Running a regex program: all its threads at once, each instruction at most once for each character. */

#include "op/regex_run.h"

#include "op/regex.h"
#include "op/text.h"

/* Threads at a place of the text, those that the pattern prefers first. */
struct threads {
  int32_t *at;   /* instructions that take a character, or MATCH */
  size_t *start; /* where each began */
  int32_t n;
};
struct run {
  const whet_regex *re;
  struct threads now, next;
  uint32_t *seen; /* by instruction: the round in which it was reached */
  int32_t *stack;
  uint32_t round;
  uint32_t before, after; /* characters around this place; WHET_NO_CHAR at the ends */
  bool begin, end;
};

size_t whet__regex_scratch(const whet_regex *re) {
  return (size_t)re->n * (2 * sizeof(size_t) + 6 * sizeof(int32_t)) + 64;
}

/* Lay out the scratch; nothing has been reached. */
static struct run prepare(const whet_regex *re, void *scratch) {
  size_t n = (size_t)re->n, *start = scratch;
  int32_t *at = (int32_t *)(start + 2 * n);
  struct run r = {.re = re,
                  .now = {at, start, 0},
                  .next = {at + n, start + n, 0},
                  .seen = (uint32_t *)at + 2 * n,
                  .stack = at + 3 * n,
                  .before = WHET_NO_CHAR};
  memset(r.seen, 0, n * sizeof *r.seen);
  return r;
}

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

/* Follow instruction `pc` to all that it leads to without a character; a split's first way before its second. The stack
 * takes two entries for each instruction, 2 n + 1 in all. */
static void follow(struct run *r, struct threads *t, int32_t pc, size_t start) {
  int32_t n = 0;
  r->stack[n++] = pc;
  while (n) {
    pc = r->stack[--n];
    const whet_regex_inst *i = &r->re->inst[pc];
    if (r->seen[pc] == r->round) continue;
    r->seen[pc] = r->round;
    if (i->op <= RX_CLASS || i->op == RX_MATCH) {
      t->start[t->n] = start;
      t->at[t->n++] = pc;
    } else if (holds(r, i->op)) {
      if (i->op == RX_SPLIT) r->stack[n++] = pc + i->y;
      r->stack[n++] = pc + i->x;
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

/* Go to the place `at`: what stands around it. Answers where the next one is. */
static const char *stand(struct run *r, const char *p, const char *at, const char *end) {
  const char *behind = at;
  r->begin = at == p;
  r->end = at == end;
  r->after = r->end ? WHET_NO_CHAR : whet__utf8_next(&behind, end);
  return behind;
}

/* The threads of the next place become those of this one. */
static void swap(struct run *r) {
  struct threads t = r->now;
  r->now = r->next;
  r->next = t;
  r->next.n = 0;
}

bool whet__regex_full(const whet_regex *re, const char *p, size_t n, void *scratch) {
  struct run r = prepare(re, scratch);
  const char *end = p + n;
  for (const char *at = p;;) {
    uint32_t c = r.before;
    const char *behind = stand(&r, p, at, end);
    r.round++;
    if (r.begin)
      follow(&r, &r.next, 0, 0);
    else
      for (int32_t i = 0; i < r.now.n; i++)
        if (takes(re, &re->inst[r.now.at[i]], c)) follow(&r, &r.next, r.now.at[i] + 1, 0);
    swap(&r);
    if (r.end || !r.now.n) break;
    r.before = r.after;
    at = behind;
  }
  if (!r.end) return false;
  for (int32_t i = 0; i < r.now.n; i++)
    if (re->inst[r.now.at[i]].op == RX_MATCH) return true;
  return false;
}

bool whet__regex_find(const whet_regex *re, const char *p, size_t n, size_t from, void *scratch, size_t *begin, size_t *stop) {
  struct run r = prepare(re, scratch);
  const char *end = p + n;
  bool found = false;
  for (const char *at = p; at < p + from;) r.before = whet__utf8_next(&at, end); /* what stands before */
  for (const char *at = p + from;;) {
    uint32_t c = r.before;
    const char *behind = stand(&r, p, at, end);
    r.round++;
    for (int32_t i = 0; i < r.now.n; i++)
      if (takes(re, &re->inst[r.now.at[i]], c)) follow(&r, &r.next, r.now.at[i] + 1, r.now.start[i]);
    if (!found) follow(&r, &r.next, 0, (size_t)(at - p));
    swap(&r);
    for (int32_t i = 0; i < r.now.n; i++)
      if (re->inst[r.now.at[i]].op == RX_MATCH) {
        found = true;
        *begin = r.now.start[i];
        *stop = (size_t)(at - p);
        r.now.n = i; /* what the pattern likes less is given up */
      }
    if (r.end || (found && !r.now.n)) return found;
    r.before = r.after;
    at = behind;
  }
}
