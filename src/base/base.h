/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BASE_BASE_H
#define WHET_BASE_BASE_H

/* What every room uses: checks, small helpers, fallible arithmetic on sizes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "whet/types.h"

#if defined(__GNUC__)
#define WHET_MUST __attribute__((warn_unused_result))
#define WHET_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define WHET_COLD __attribute__((cold, noinline))
#define WHET_LIKELY(x) __builtin_expect(!!(x), 1)
#define WHET_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define WHET_MUST
#define WHET_PRINTF(f, a)
#define WHET_COLD
#define WHET_LIKELY(x) (x)
#define WHET_UNLIKELY(x) (x)
#endif

/* Our own invariants: debug builds only, never turned into an assumption. */
#ifdef WHET_DEBUG
#include <assert.h>
#define WHET_ASSERT(x) assert(x)
#else
#define WHET_ASSERT(x) ((void)0)
#endif

#define WHET_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define WHET_TRY(call)               \
  do {                               \
    whet_status whet_try_ = (call);  \
    if (whet_try_) return whet_try_; \
  } while (0)

/* "Not yet": an answer that needs data which a run has not made. Positive, never given to callers. */
#define WHET_LATE ((whet_status)1)

/* Every buffer that whet owns is aligned so and may be read this far past its end. */
#define WHET_ALIGN 64
#define WHET_SLACK 64

static inline int64_t whet__min_i(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t whet__max_i(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t whet__clamp_i(int64_t x, int64_t lo, int64_t hi) { return x < lo ? lo : x > hi ? hi : x; }
static inline int64_t whet__ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline size_t whet__round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

/* a*b and a+b of sizes; false when they do not fit. */
static inline bool whet__mul_size(size_t a, size_t b, size_t *out) {
  if (b && a > SIZE_MAX / b) return false;
  *out = a * b;
  return true;
}
static inline bool whet__add_size(size_t a, size_t b, size_t *out) {
  if (a > SIZE_MAX - b) return false;
  *out = a + b;
  return true;
}

/* Replace control characters: names come from files, and a text must stay one line whatever they hold. */
void whet__one_line(char *text);
/* Copy a caller's options, a struct called `what` that begins with its size, over the defaults in *out of `own` bytes. The
 * caller may have been built against a smaller or a bigger struct: what is left out keeps its default, and what this
 * version does not know must be 0. user may be NULL. */
whet_status whet__take_opts(const char *what, const void *user, size_t own, void *out, whet_err *err);
/* Record the first failure in err (NULL allowed) and return its code. */
WHET_PRINTF(3, 4) WHET_COLD whet_status whet__fail(whet_err *err, whet_status code, const char *fmt, ...);
/* The same, with "WHERE: " before the text that err already has; returns err's code. */
WHET_PRINTF(2, 3) WHET_COLD whet_status whet__fail_in(whet_err *err, const char *fmt, ...);

/* Is a text this one? Are two the same? */
static inline bool whet__str_is(whet_str s, const char *text) {
  size_t n = strlen(text);
  return s.n == n && !memcmp(s.p, text, n);
}
static inline bool whet__str_same(whet_str a, whet_str b) { return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)); }

#endif
