/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_REGEX_H
#define WHET_OP_REGEX_H

/* Regular expressions in RE2's syntax over UTF-8. A pattern becomes a small program; all its threads walk
 * the text together, so time is bounded by text times program, whatever either holds.
 *
 * Taken: literals, . [..] [[:alpha:]] \d \s \w, their negations, escapes (\n \x{10FFFF} \101 \Q..\E ...), ^ $ \A \z \b \B,
 * groups of every spelling, flags i m s U, | * + ? {n,m} and their lazy forms. Refused by name: \p (Unicode classes), \C. */

#include "base/mem.h"

enum { WHET_REGEX_MOST = 10000 }; /* instructions of a program */

typedef struct whet_regex_inst {
  uint8_t op;
  uint32_t c;   /* a character, or the number of a class */
  int32_t x, y; /* where to go on, relative to this instruction */
} whet_regex_inst;

/* A class of characters: ranges [first, last], in pairs. */
typedef struct whet_regex_class {
  uint32_t first; /* in `range` */
  uint32_t n;
  bool negate, fold;
} whet_regex_class;

typedef struct whet_regex {
  const whet_regex_inst *inst;
  const whet_regex_class *class;
  const uint32_t *range;
  int32_t n;
} whet_regex;

/* The program of a pattern, in the arena. E_DATA: the pattern is wrong, E_UNSUPPORTED: not taken, E_LIMIT: too large; err
 * says what and where. */
WHET_MUST whet_status whet__regex_make(whet_arena *a, const char *p, size_t n, whet_regex *out, whet_err *err);
/* Bytes of scratch for matching. */
size_t whet__regex_scratch(const whet_regex *re);
/* The first match at or behind byte `from`: of those that begin there the one that the pattern prefers (greedy, first
 * alternatives first, as Perl's). False: there is none. */
bool whet__regex_find(const whet_regex *re, const char *p, size_t n, size_t from, void *scratch, size_t *begin, size_t *end);
/* Does the whole text match? */
bool whet__regex_full(const whet_regex *re, const char *p, size_t n, void *scratch);

#endif
