/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns into programs, in one walk without a tree: code is relative to itself, so what is repeated is copied, and what
 * turns out to be optional or one of several is moved to make room before it (Thompson, 1968; Pike's sam). */

#include "op/regex.h"

#include "op/regex_run.h"
#include "op/text.h"

enum { MAX_DEPTH = 200, MAX_REPEAT = 1000 };
enum { FLAG_I = 1, FLAG_M = 2, FLAG_S = 4, FLAG_U = 8 };

struct parse {
  const char *start, *p, *end;
  whet_mem *mem;
  whet_regex_inst *inst;
  size_t n, cap_inst;
  whet_regex_class *class;
  size_t n_class, cap_class;
  uint32_t *range;
  size_t n_range, cap_range;
  unsigned flags;
  int depth;
  whet_status status;
  whet_err *err;
};

/* ---- emitting -------------------------------------------------------------------------------- */

/* Record what is wrong, once. */
static void bad(struct parse *s, whet_status code, const char *what) {
  if (!s->status)
    s->status = whet__fail(s->err, code, "pattern \"%.*s\", byte %zu: %s", (int)(s->end - s->start < 80 ? s->end - s->start : 80),
                           s->start, (size_t)(s->p - s->start), what);
}

/* Room for n instructions more. */
static bool room(struct parse *s, size_t n) {
  if (s->status) return false;
  if (n > WHET_REGEX_MOST - s->n) {
    bad(s, WHET_E_LIMIT, "it is too large");
    return false;
  }
  if (whet__grow(s->mem, (void **)&s->inst, &s->cap_inst, s->n + n, sizeof *s->inst)) return true;
  bad(s, WHET_E_MEMORY, "no memory");
  return false;
}

static void emit(struct parse *s, int op, uint32_t c, int32_t x, int32_t y) {
  if (room(s, 1)) s->inst[s->n++] = (whet_regex_inst){(uint8_t)op, c, x, y};
}

/* Put an instruction before number `at`. */
static void insert(struct parse *s, size_t at, int op, int32_t x, int32_t y) {
  if (!room(s, 1)) return;
  memmove(s->inst + at + 1, s->inst + at, (s->n++ - at) * sizeof *s->inst);
  s->inst[at] = (whet_regex_inst){(uint8_t)op, 0, x, y};
}

static void add_range(struct parse *s, uint32_t first, uint32_t last) {
  if (s->status) return;
  if (s->n_range > 4 * WHET_REGEX_MOST) {
    bad(s, WHET_E_LIMIT, "it is too large");
    return;
  }
  if (!whet__grow(s->mem, (void **)&s->range, &s->cap_range, s->n_range + 2, sizeof *s->range)) {
    bad(s, WHET_E_MEMORY, "no memory");
    return;
  }
  s->range[s->n_range++] = first;
  s->range[s->n_range++] = last;
}

/* A class of what was added since `first` (a place in `range`), and the instruction that takes it. */
static void emit_class(struct parse *s, size_t first, bool negate) {
  if (s->status) return;
  if (!whet__grow(s->mem, (void **)&s->class, &s->cap_class, s->n_class + 1, sizeof *s->class)) {
    bad(s, WHET_E_MEMORY, "no memory");
    return;
  }
  s->class[s->n_class] =
      (whet_regex_class){(uint32_t)first, (uint32_t)(s->n_range - first) / 2, negate, (s->flags & FLAG_I) != 0};
  emit(s, RX_CLASS, (uint32_t)s->n_class++, 1, 0);
}

static void emit_char(struct parse *s, uint32_t c) {
  bool fold = s->flags & FLAG_I && (whet__char_lower(c) != c || whet__char_upper(c) != c);
  emit(s, fold ? RX_FOLD : RX_CHAR, fold ? whet__char_lower(whet__char_upper(c)) : c, 1, 0);
}

/* ---- classes --------------------------------------------------------------------------------- */

/* Named classes: their ASCII ranges as pairs of characters. */
static const struct named {
  const char *name, *pairs;
} k_named[] = {{"alnum", "09AZaz"},       {"alpha", "AZaz"},      {"ascii", "\1\177"},  {"blank", "\t\t  "},
               {"cntrl", "\1\37\177\177"}, {"digit", "09"},        {"graph", "!~"},      {"lower", "az"},
               {"print", " ~"},            {"punct", "!/:@[`{~"},  {"space", "\t\r  "},  {"upper", "AZ"},
               {"word", "09AZ__az"},       {"xdigit", "09AFaf"},   {"d", "09"},          {"w", "09AZ__az"},
               {"s", "\t\n\f\r  "}};

/* Add a named class, or all that is not in it. */
static bool add_named(struct parse *s, const char *name, size_t n, bool negate) {
  for (size_t i = 0; i < WHET_COUNT(k_named); i++) {
    const char *pairs = k_named[i].pairs;
    bool nul = k_named[i].name[0] == 'a' && !strcmp(k_named[i].name, "ascii"), ctl = !strcmp(k_named[i].name, "cntrl");
    if (strlen(k_named[i].name) != n || memcmp(k_named[i].name, name, n)) continue;
    uint32_t next = 0;
    for (size_t k = 0; pairs[k]; k += 2) {
      uint32_t first = (uint8_t)pairs[k], last = (uint8_t)pairs[k + 1];
      if (first == 1 && (nul || ctl)) first = 0;
      if (!negate)
        add_range(s, first, last);
      else if (first > next)
        add_range(s, next, first - 1);
      next = last + 1;
    }
    if (negate) add_range(s, next, 0x10ffff);
    return true;
  }
  return false;
}

/* The number of an escape in a base, at most `most` digits; s->p stands behind it. */
static uint32_t digits(struct parse *s, int base, int most) {
  uint32_t v = 0;
  for (int i = 0; i < most && s->p < s->end; i++, s->p++) {
    char c = *s->p;
    int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
    if (d >= base) break;
    v = v * (uint32_t)base + (uint32_t)d;
  }
  return v;
}

/* The character of an escape; s->p stands behind the backslash. Fails for what is none. */
static uint32_t escaped(struct parse *s) {
  static const char letter[] = "aftnrv", meant[] = "\a\f\t\n\r\v";
  if (s->p == s->end) {
    bad(s, WHET_E_DATA, "a backslash at the end");
    return 0;
  }
  char c = *s->p++;
  const char *at = strchr(letter, c);
  if (at && c) return (uint8_t)meant[at - letter];
  if (c == '0' || (c >= '1' && c <= '7' && s->p < s->end && *s->p >= '0' && *s->p <= '7')) {
    s->p--;
    return digits(s, 8, 3);
  }
  if (c == 'x' && s->p < s->end) {
    bool brace = *s->p == '{';
    s->p += brace;
    const char *from = s->p;
    uint32_t v = digits(s, 16, brace ? 7 : 2);
    bool fine = brace ? s->p > from && s->p < s->end && *s->p == '}' : s->p == from + 2;
    if (fine && brace) s->p++;
    if (fine && v <= 0x10ffff) return v;
  } else if ((uint8_t)c < 0x80 && !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
    return (uint8_t)c;
  }
  if (c == 'p' || c == 'P' || c == 'C')
    bad(s, WHET_E_UNSUPPORTED, c == 'C' ? "\\C is not taken" : "classes by Unicode property (\\p) are not taken");
  else
    bad(s, WHET_E_DATA, "no such escape");
  return 0;
}

/* One character as it stands. */
static uint32_t plain(struct parse *s) {
  uint32_t c = whet__utf8_next(&s->p, s->end);
  if (c == WHET_NO_CHAR) bad(s, WHET_E_DATA, "no UTF-8");
  return c;
}

/* \d \D \s \S \w \W at s->p (a backslash): added, and walked over. */
static bool perl_class(struct parse *s) {
  if (s->end - s->p < 2 || s->p[0] != '\\' || !s->p[1] || !strchr("dDsSwW", s->p[1])) return false;
  char c = s->p[1], low = (char)(c | 0x20);
  s->p += 2;
  return add_named(s, &low, 1, c != low);
}

/* [:name:] or [:^name:] at s->p: added, and walked over. */
static bool posix_class(struct parse *s) {
  if (s->end - s->p < 4 || s->p[0] != '[' || s->p[1] != ':') return false;
  const char *name = s->p + 2, *to = memmem(name, (size_t)(s->end - name), ":]", 2);
  if (!to) return false;
  bool negate = name < to && *name == '^';
  name += negate;
  if (to - name < 2 || !add_named(s, name, (size_t)(to - name), negate)) {
    bad(s, WHET_E_DATA, "no such class of characters");
    return false;
  }
  s->p = to + 2;
  return true;
}

/* [...]; s->p stands behind the bracket. */
static void bracket(struct parse *s) {
  size_t first = s->n_range;
  bool negate = s->p < s->end && *s->p == '^';
  s->p += negate;
  for (bool begun = false; !s->status; begun = true) {
    if (s->p == s->end) {
      bad(s, WHET_E_DATA, "a [ without a ]");
      return;
    }
    if (*s->p == ']' && begun) break;
    if (posix_class(s) || perl_class(s) || s->status) continue;
    bool escape = *s->p == '\\';
    s->p += escape;
    uint32_t lo = escape ? escaped(s) : plain(s), hi = lo;
    if (s->end - s->p >= 2 && s->p[0] == '-' && s->p[1] != ']') {
      s->p++;
      escape = *s->p == '\\';
      s->p += escape;
      hi = escape ? escaped(s) : plain(s);
      if (hi < lo) bad(s, WHET_E_DATA, "a range that ends before it begins");
    }
    add_range(s, lo, hi);
  }
  s->p++;
  emit_class(s, first, negate);
}

/* ---- expressions ----------------------------------------------------------------------------- */

static void alternatives(struct parse *s);

/* (?flags) sets them for the rest of the group: true; (?flags: goes on as a group. s->p stands behind the ?. */
static bool group_flags(struct parse *s) {
  bool off = false;
  for (; s->p < s->end; s->p++) {
    unsigned f = *s->p == 'i' ? FLAG_I : *s->p == 'm' ? FLAG_M : *s->p == 's' ? FLAG_S : *s->p == 'U' ? FLAG_U : 0;
    if (*s->p == '-' && !off)
      off = true;
    else if (f)
      s->flags = off ? s->flags & ~f : s->flags | f;
    else
      break;
  }
  if (s->p == s->end || (*s->p != ')' && *s->p != ':')) {
    bad(s, WHET_E_DATA, "no such kind of group");
    return true;
  }
  return *s->p++ == ')';
}

/* (...); s->p stands behind the parenthesis. False when it only sets flags. */
static bool group(struct parse *s) {
  unsigned flags = s->flags;
  if (s->p < s->end && *s->p == '?') {
    s->p++;
    bool named = s->end - s->p > 2 && s->p[0] == 'P' && s->p[1] == '<';
    if (named || (s->p < s->end && *s->p == '<')) {
      const char *name = s->p + 1 + named, *to = name;
      while (to < s->end && ((*to >= '0' && *to <= '9') || (*to >= 'a' && *to <= 'z') || (*to >= 'A' && *to <= 'Z') || *to == '_')) to++;
      if (to == name || to == s->end || *to != '>') bad(s, WHET_E_DATA, "no name of a group");
      s->p = to + 1;
    } else if (group_flags(s)) {
      return false;
    }
  }
  if (s->status) return true;
  if (++s->depth > MAX_DEPTH) {
    bad(s, WHET_E_LIMIT, "groups nest too deep");
    return true;
  }
  alternatives(s);
  s->depth--;
  if (s->p == s->end)
    bad(s, WHET_E_DATA, "a ( without a )");
  else
    s->p++;
  s->flags = flags;
  return true;
}

/* \Q...\E: text as it stands, but for its last character, which a repetition may follow. */
static void quoted(struct parse *s) {
  const char *to = memmem(s->p, (size_t)(s->end - s->p), "\\E", 2), *stop = to ? to : s->end;
  while (s->p < stop && !s->status) emit_char(s, plain(s));
  s->p = to ? to + 2 : s->end;
}

/* One thing that may be repeated; false when there is nothing to repeat. */
static bool atom(struct parse *s) {
  char c = *s->p;
  if (c == '(') {
    s->p++;
    return group(s);
  }
  size_t first = s->n_range;
  if (perl_class(s)) {
    emit_class(s, first, false);
    return true;
  }
  s->p++;
  switch (c) {
    case '[':
      bracket(s);
      return true;
    case '.':
      emit(s, s->flags & FLAG_S ? RX_ANY : RX_ANY_BUT_LINE, 0, 1, 0);
      return true;
    case '^':
      emit(s, s->flags & FLAG_M ? RX_LINE_BEGIN : RX_BEGIN, 0, 1, 0);
      return true;
    case '$':
      emit(s, s->flags & FLAG_M ? RX_LINE_END : RX_END, 0, 1, 0);
      return true;
    case '*':
    case '+':
    case '?':
      bad(s, WHET_E_DATA, "nothing to repeat");
      return true;
    case '\\':
      break;
    default:
      s->p--;
      emit_char(s, plain(s));
      return true;
  }
  static const char letter[] = "AzbB", op[] = {RX_BEGIN, RX_END, RX_WORD, RX_NO_WORD};
  const char *at = s->p < s->end && *s->p ? strchr(letter, *s->p) : NULL;
  if (at) {
    s->p++;
    emit(s, op[at - letter], 0, 1, 0);
  } else if (s->p < s->end && *s->p == 'Q') {
    s->p++;
    quoted(s);
    return false;
  } else {
    emit_char(s, escaped(s));
  }
  return true;
}

/* {n}, {n,} or {n,m} at s->p: its numbers (most -1: no bound), walked over. False: it is text. */
static bool braces(struct parse *s, int *least, int *most) {
  const char *p = s->p + 1;
  int v[2] = {-1, -1}, i = 0;
  for (; p < s->end && *p != '}'; p++) {
    if (*p == ',' && !i && v[0] >= 0)
      i = 1;
    else if (*p >= '0' && *p <= '9')
      v[i] = v[i] < 0 ? *p - '0' : v[i] > MAX_REPEAT ? v[i] : v[i] * 10 + (*p - '0');
    else
      return false;
  }
  if (p == s->end || v[0] < 0) return false;
  *least = v[0];
  *most = i ? v[1] : v[0];
  s->p = p + 1;
  if (*least > MAX_REPEAT || *most > MAX_REPEAT || (*most >= 0 && *most < *least))
    bad(s, WHET_E_DATA, "such a number of repetitions is not taken");
  return true;
}

/* Code from `at` on, once more. */
static void again(struct parse *s, size_t at, size_t n) {
  if (!room(s, n)) return;
  memcpy(s->inst + s->n, s->inst + at, n * sizeof *s->inst);
  s->n += n;
}

/* A split that prefers its first way, or its second if lazy, before number `at`, or (at == s->n) at the end. */
static void split(struct parse *s, size_t at, bool lazy, int32_t first, int32_t second) {
  insert(s, at, RX_SPLIT, lazy ? second : first, lazy ? first : second);
}

/* Repeat the code from `at` on, which was emitted last. */
static void repeat(struct parse *s, size_t at, int least, int most, bool lazy) {
  size_t n = s->n - at;
  int32_t len = (int32_t)n;
  if (most == 0) {
    s->n = at;
    return;
  }
  emit(s, RX_NOP, 0, 1, 0); /* what is repeated takes room, even if it is empty: so work is bounded */
  n++, len++;
  for (int i = 1; i < least && !s->status; i++) again(s, s->n - n, n);
  if (most < 0) {
    if (least) {
      split(s, s->n, lazy, -len, 1);
    } else {
      split(s, at, lazy, 1, len + 2);
      emit(s, RX_JUMP, 0, -len - 1, 0);
    }
    return;
  }
  if (!least) {
    split(s, at, lazy, 1, len + 1);
    least = 1;
  }
  for (int i = least; i < most && !s->status; i++) { /* the last copy stands at the end, optional or not */
    size_t from = s->n - n;
    split(s, s->n, lazy, 1, len + 1);
    again(s, from, n);
  }
}

static void concatenation(struct parse *s) {
  while (!s->status && s->p < s->end && *s->p != '|' && *s->p != ')') {
    size_t at = s->n;
    bool thing = atom(s), done = false;
    while (!s->status && s->p < s->end) {
      int least = 0, most = -1;
      char c = *s->p;
      if (c == '{') {
        if (!braces(s, &least, &most)) break;
      } else if (c == '*' || c == '+' || c == '?') {
        least = c == '+';
        most = c == '?' ? 1 : -1;
        s->p++;
      } else {
        break;
      }
      if (!thing || done) bad(s, WHET_E_DATA, done ? "a repetition of a repetition" : "nothing to repeat");
      bool lazy = s->p < s->end && *s->p == '?';
      s->p += lazy;
      if (!s->status) repeat(s, at, least, most, lazy != ((s->flags & FLAG_U) != 0));
      done = true;
    }
  }
}

static void alternatives(struct parse *s) {
  size_t at = s->n;
  int32_t hole = -1; /* the jump to the end made last; y of each names the one before */
  concatenation(s);
  while (!s->status && s->p < s->end && *s->p == '|') {
    s->p++;
    insert(s, at, RX_SPLIT, 1, (int32_t)(s->n - at) + 2);
    emit(s, RX_JUMP, 0, 0, hole);
    hole = (int32_t)s->n - 1;
    at = s->n;
    concatenation(s);
  }
  while (!s->status && hole >= 0) {
    int32_t before = s->inst[hole].y;
    s->inst[hole].x = (int32_t)s->n - hole;
    s->inst[hole].y = 0;
    hole = before;
  }
}

whet_status whet__regex_make(whet_arena *a, const char *p, size_t n, whet_regex *out, whet_err *err) {
  struct parse s = {.start = p, .p = p, .end = p + n, .mem = a->mem, .err = err};
  alternatives(&s);
  if (!s.status && s.p < s.end) bad(&s, WHET_E_DATA, "a ) without a (");
  emit(&s, RX_MATCH, 0, 0, 0);
  if (!s.status) {
    *out = (whet_regex){whet__arena_copy(a, s.inst, s.n * sizeof *s.inst),
                        whet__arena_copy(a, s.class, s.n_class * sizeof *s.class),
                        whet__arena_copy(a, s.range, s.n_range * sizeof *s.range), (int32_t)s.n};
    if (!out->inst || (s.n_class && (!out->class || !out->range))) bad(&s, WHET_E_MEMORY, "no memory");
  }
  whet__free(s.mem, s.inst);
  whet__free(s.mem, s.class);
  whet__free(s.mem, s.range);
  return s.status;
}
