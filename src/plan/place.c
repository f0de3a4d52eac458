/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets for buffers with lifetimes, packed tightly: "dynamic storage allocation", NP-hard, and small here.
 *
 * Several greedy orders are tried, each putting a buffer into the lowest gap among those that live at the same time
 * (Sekiyama et al., "Profile-guided memory optimization", 2018, and Pisarchyk & Lee, "Efficient memory management for
 * deep neural net inference", 2020); then a bounded local search moves the buffers that stick out to the front of the
 * order. The result is a pure function of the list. */

#include "plan/plan.h"

struct item {
  int32_t buf;
  int32_t from, to;
  size_t bytes, off;
};

/* Lowest offset where item k fits among the first k of the order. `near` has room for k entries. */
static void put(struct item *it, int32_t k, int32_t *near) {
  int32_t n = 0;
  for (int32_t i = 0; i < k; i++)
    if (it[i].from <= it[k].to && it[k].from <= it[i].to) near[n++] = i;
  for (int32_t i = 1; i < n; i++) { /* by offset; lists are short and nearly sorted */
    int32_t x = near[i], j = i;
    for (; j > 0 && it[near[j - 1]].off > it[x].off; j--) near[j] = near[j - 1];
    near[j] = x;
  }
  size_t at = 0;
  for (int32_t i = 0; i < n; i++) {
    if (it[near[i]].off >= at && it[near[i]].off - at >= it[k].bytes) break;
    size_t end = it[near[i]].off + it[near[i]].bytes;
    if (end > at) at = end;
  }
  it[k].off = at;
}

static size_t put_all(struct item *it, int32_t n, int32_t *near) {
  size_t top = 0;
  for (int32_t k = 0; k < n; k++) {
    put(it, k, near);
    if (it[k].off + it[k].bytes > top) top = it[k].off + it[k].bytes;
  }
  return top;
}

enum order { BY_BYTES, BY_AREA, BY_FROM, BY_LIFE, ORDERS };

/* Does a stand before b in this order? Ties go by size, then by number, so that the order is total. */
static bool before(const struct item *a, const struct item *b, enum order o) {
  int64_t la = a->to - a->from + 1, lb = b->to - b->from + 1;
  double ka = 0, kb = 0;
  switch (o) {
    case BY_BYTES:
      ka = (double)a->bytes, kb = (double)b->bytes;
      break;
    case BY_AREA:
      ka = (double)a->bytes * (double)la, kb = (double)b->bytes * (double)lb;
      break;
    case BY_FROM:
      ka = -a->from, kb = -b->from;
      break;
    default:
      ka = (double)la, kb = (double)lb;
      break;
  }
  if (ka != kb) return ka > kb;
  if (a->bytes != b->bytes) return a->bytes > b->bytes;
  return a->buf < b->buf;
}

/* Merge sort: stable, no recursion deeper than log n. */
static void sort(struct item *it, struct item *tmp, int32_t n, enum order o) {
  if (n < 2) return;
  int32_t half = n / 2;
  sort(it, tmp, half, o);
  sort(it + half, tmp, n - half, o);
  memcpy(tmp, it, (size_t)half * sizeof *it);
  for (int32_t i = 0, j = half, k = 0; i < half; k++)
    it[k] = j < n && before(&it[j], &tmp[i], o) ? it[j++] : tmp[i++];
}

/* The most bytes alive at one step. */
static size_t lower_bound(const struct item *it, int32_t n, int64_t *alive, int32_t steps) {
  size_t most = 0, now = 0;
  for (int32_t i = 0; i < n; i++) {
    alive[it[i].from] += (int64_t)it[i].bytes;
    alive[it[i].to + 1] -= (int64_t)it[i].bytes;
  }
  for (int32_t s = 0; s <= steps; s++) {
    now = (size_t)((int64_t)now + alive[s]);
    if (now > most) most = now;
  }
  return most;
}

/* Move the item that ends highest to the front and place anew, while that helps or for `tries` attempts. */
static size_t improve(struct item *it, struct item *best, int32_t n, int32_t *near, size_t top, size_t bound,
                      int tries) {
  size_t now = top;
  while (tries-- > 0 && top > bound) {
    int32_t high = 0;
    for (int32_t i = 1; i < n; i++)
      if (it[i].off + it[i].bytes > it[high].off + it[high].bytes) high = i;
    if (!high) break;
    struct item x = it[high];
    memmove(it + 1, it, (size_t)high * sizeof *it);
    it[0] = x;
    now = put_all(it, n, near);
    if (now < top) {
      top = now;
      memcpy(best, it, (size_t)n * sizeof *it);
    }
  }
  return top;
}

size_t whet__place_buffers(whet_mem *m, whet_buf *buf, int32_t n, size_t *bound) {
  int32_t count = 0, steps = 0;
  size_t top = SIZE_MAX;
  struct item *it = whet__alloc_array(m, (size_t)n + 1, 3 * sizeof *it), *best = it + n + 1, *tmp = best + n + 1;
  int32_t *near = whet__alloc_array(m, (size_t)n + 1, sizeof *near);
  int64_t *alive = NULL;
  *bound = 0;
  if (!it || !near) goto done;
  for (int32_t i = 0; i < n; i++) {
    if (buf[i].where != WHET_IN_ARENA) continue;
    it[count++] = (struct item){i, buf[i].from, buf[i].to, whet__round_up(buf[i].bytes, WHET_ALIGN), 0};
    if (buf[i].to > steps) steps = buf[i].to;
  }
  alive = whet__alloc_array(m, (size_t)steps + 2, sizeof *alive);
  if (!alive) goto done;
  *bound = lower_bound(it, count, alive, steps + 1);
  int tries = count > 2000 ? 0 : count > 500 ? 8 : 64;
  for (int o = 0; o < ORDERS && top > *bound; o++) {
    if (count > 2000 && o) break;
    sort(it, tmp, count, (enum order)o);
    size_t now = put_all(it, count, near);
    if (now < top) {
      top = now;
      memcpy(best, it, (size_t)count * sizeof *it);
    }
    top = improve(it, best, count, near, top, *bound, tries);
  }
  for (int32_t i = 0; i < count; i++) buf[best[i].buf].off = best[i].off;
done:
  whet__free(m, it);
  whet__free(m, near);
  whet__free(m, alive);
  return top;
}
