/* SPDX-License-Identifier: Apache-2.0 */
/* Family pool_q8, portable. */

#include "kern/pool_q8.h"

enum { BLOCK = 64 };

/* Blocks of channels of one result. */
static void unsigned_max(uint8_t *restrict best, const uint8_t *restrict a, int64_t n) {
  for (int64_t i = 0; i < n; i++) best[i] = a[i] > best[i] ? a[i] : best[i];
}
static void signed_max(int8_t *restrict best, const int8_t *restrict a, int64_t n) {
  for (int64_t i = 0; i < n; i++) best[i] = a[i] > best[i] ? a[i] : best[i];
}
static void unsigned_sum(int32_t *restrict s, const uint8_t *restrict a, int64_t n) {
  for (int64_t i = 0; i < n; i++) s[i] += a[i];
}
static void signed_sum(int32_t *restrict s, const int8_t *restrict a, int64_t n) {
  for (int64_t i = 0; i < n; i++) s[i] += a[i];
}

static int32_t clamped(const whet_pool_q8 *p, int32_t v) { return v < p->lo ? p->lo : v > p->hi ? p->hi : v; }

/* Channels [c, c + n) of a result of `taps` pixels. */
static void block(const whet_pool_q8 *p, const uint8_t *const *tap, int64_t taps, int64_t c, int64_t n,
                  uint8_t *out) {
  if (!p->mean) {
    uint8_t best[BLOCK];
    memcpy(best, tap[0] + c, (size_t)n);
    for (int64_t t = 1; t < taps; t++)
      if (p->is_signed)
        signed_max((int8_t *)best, (const int8_t *)tap[t] + c, n);
      else
        unsigned_max(best, tap[t] + c, n);
    for (int64_t i = 0; i < n; i++) out[i] = (uint8_t)clamped(p, p->is_signed ? (int8_t)best[i] : best[i]);
    return;
  }
  int32_t s[BLOCK] = {0};
  for (int64_t t = 0; t < taps; t++)
    if (p->is_signed)
      signed_sum(s, (const int8_t *)tap[t] + c, n);
    else
      unsigned_sum(s, tap[t] + c, n);
  for (int64_t i = 0; i < n; i++) out[i] = (uint8_t)whet__pool_mean(p, s[i] + WHET_BUG(1), (int32_t)taps);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_pool_q8 *p = params;
  const uint8_t **tap = ptr[2];
  int64_t from, to;
  whet__split((int64_t)p->images * p->out_h * p->out_w, part, parts, &from, &to);
  if (from == to) return;
  for (whet_pool_walk w = whet__pool_begin(p, ptr[0], from, tap);; whet__pool_next(&w)) {
    for (int64_t c = 0; c < p->channels; c += BLOCK)
      block(p, tap, w.taps, c, whet__min_i(BLOCK, p->channels - c), (uint8_t *)ptr[1] + from * p->out_pitch + c);
    if (++from == to) break;
  }
}

const whet_kern whet_k_pool_q8__c_any = {
    .name = "pool_q8__c_any", .exact = 1, .scratch = whet__pool_scratch, .run = run};
