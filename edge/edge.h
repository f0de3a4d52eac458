/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_EDGE_H
#define WHET_EDGE_EDGE_H

/* What the rooms of edge/ share: the first failure with its text, and two macros. Only public headers of whet. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "whet/types.h"

#if defined(__GNUC__)
#define EDGE_MUST __attribute__((warn_unused_result))
#define EDGE_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define EDGE_MUST
#define EDGE_PRINTF(f, a)
#endif

#define EDGE_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define EDGE_TRY(call)               \
  do {                               \
    whet_status edge_try_ = (call);  \
    if (edge_try_) return edge_try_; \
  } while (0)

/* Record the first failure in err (NULL allowed) and return its code. */
whet_status edge_fail(whet_err *err, whet_status code, const char *fmt, ...) EDGE_PRINTF(3, 4);
/* The same with "WHERE: " before the text that err already has; returns err's code. */
whet_status edge_fail_in(whet_err *err, const char *fmt, ...) EDGE_PRINTF(2, 3);
/* The next of a row of numbers 0 <= x < 1 drawn at random: for jitter, not for secrets. */
double edge_draw(uint64_t *seed);
/* Monotonic time in nanoseconds. */
int64_t edge_now(void);

#endif
