/* SPDX-License-Identifier: Apache-2.0 */
/* A heap of k entries whose root is the lowest; then the heap is emptied from its end. */

#include "edge/pipe/topk.h"

#include <math.h>

/* Does a stand behind b? */
static bool behind(pipe_class a, pipe_class b) {
  if (isnan(a.score) || isnan(b.score)) return isnan(a.score) && (!isnan(b.score) || a.index > b.index);
  return a.score < b.score || (a.score == b.score && a.index > b.index);
}

/* Let the root of h[0..n-1] sink to where it belongs. */
static void sink(pipe_class *h, size_t n) {
  for (size_t at = 0;;) {
    size_t low = at, left = 2 * at + 1;
    if (left < n && behind(h[left], h[low])) low = left;
    if (left + 1 < n && behind(h[left + 1], h[low])) low = left + 1;
    if (low == at) return;
    pipe_class t = h[at];
    h[at] = h[low];
    h[low] = t;
    at = low;
  }
}

size_t pipe_topk(const float *score, size_t n, size_t k, pipe_class *out) {
  size_t m = 0;
  if (!k) return 0;
  for (size_t i = 0; i < n; i++) {
    pipe_class c = {.index = (uint32_t)i, .score = score[i]};
    if (m < k) { /* rise */
      size_t at = m++;
      for (; at && behind(c, out[(at - 1) / 2]); at = (at - 1) / 2) out[at] = out[(at - 1) / 2];
      out[at] = c;
    } else if (behind(out[0], c)) {
      out[0] = c;
      sink(out, m);
    }
  }
  for (size_t left = m; left > 1;) { /* the lowest goes last */
    pipe_class t = out[0];
    out[0] = out[--left];
    out[left] = t;
    sink(out, left);
  }
  return m;
}

void pipe_softmax(float *score, size_t n) {
  float most = -INFINITY;
  double sum = 0;
  for (size_t i = 0; i < n; i++) most = score[i] > most ? score[i] : most;
  if (!isfinite(most)) return;
  for (size_t i = 0; i < n; i++) sum += score[i] = expf(score[i] - most);
  for (size_t i = 0; i < n; i++) score[i] = (float)(score[i] / sum);
}
