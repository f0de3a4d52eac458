/* SPDX-License-Identifier: Apache-2.0 */
/* Runs that rise already are merged, two by two, there and back: what is sorted takes one look, most lists of boxes a
 * few turns. */

#include "edge/pipe/sort.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef int order(const void *a, const void *b);

/* How many things from `at` on rise. */
static size_t run_of(const uint8_t *at, size_t most, size_t size, order *compare) {
  size_t n = most ? 1 : 0;
  while (n < most && compare(at + (n - 1) * size, at + n * size) <= 0) n++;
  return n;
}

/* a and b behind it, both sorted, into `to`. */
static void merge(uint8_t *to, const uint8_t *a, size_t n_a, size_t n_b, size_t size, order *compare) {
  const uint8_t *end = a + n_a * size, *b = end, *stop = b + n_b * size;
  for (; a < end && b < stop; to += size) {
    bool first = compare(a, b) <= 0;
    memcpy(to, first ? a : b, size);
    *(first ? &a : &b) += size;
  }
  size_t left = (size_t)(end - a);
  if (left) memcpy(to, a, left);
  if (b < stop) memcpy(to + left, b, (size_t)(stop - b));
}

void pipe_sort(void *p, size_t n, size_t size, order *compare) {
  if (n < 2) return;
  uint8_t *from = p, *to = from + n * size;
  if (run_of(from, n, size, compare) == n) return;
  for (;;) {
    size_t merges = 0;
    for (size_t at = 0; at < n; merges++) {
      size_t a = run_of(from + at * size, n - at, size, compare);
      size_t b = run_of(from + (at + a) * size, n - at - a, size, compare);
      merge(to + at * size, from + at * size, a, b, size, compare);
      at += a + b;
    }
    uint8_t *t = from;
    from = to;
    to = t;
    if (merges < 2) break;
  }
  if (from != p) memcpy(p, from, n * size);
}
