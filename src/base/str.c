/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

void whet__text_add(whet_text *t, const char *s, size_t n) {
  if (t->bad || n >= SIZE_MAX - t->n || !whet__grow(t->mem, (void **)&t->p, &t->cap, t->n + n + 1, 1)) {
    t->bad = true;
    return;
  }
  memcpy(t->p + t->n, s, n);
  t->n += n;
  t->p[t->n] = 0;
}

void whet__text_printf(whet_text *t, const char *fmt, ...) {
  char small[512];
  va_list ap, again;
  va_start(ap, fmt);
  va_copy(again, ap);
  int n = vsnprintf(small, sizeof small, fmt, ap);
  va_end(ap);
  if (n >= 0 && (size_t)n < sizeof small) {
    whet__text_add(t, small, (size_t)n);
  } else if (n >= 0 && !t->bad && whet__grow(t->mem, (void **)&t->p, &t->cap, t->n + (size_t)n + 1, 1)) {
    vsnprintf(t->p + t->n, (size_t)n + 1, fmt, again);
    t->n += (size_t)n;
  } else {
    t->bad = true;
  }
  va_end(again);
}

void whet__text_free(whet_text *t) {
  whet__free(t->mem, t->p);
  *t = (whet_text){.mem = t->mem};
}

uint64_t whet__hash(uint64_t h, const void *p, size_t n) {
  const uint8_t *b = p;
  for (size_t i = 0; i < n; i++) h = (h ^ b[i]) * UINT64_C(0x100000001b3);
  return h;
}

/* A key for whet__hash_secret that nobody outside the process can guess. */
static uint64_t k_key[2];
static pthread_once_t k_once = PTHREAD_ONCE_INIT;
static void draw_key(void) {
  struct timespec t;
  if (getrandom(k_key, sizeof k_key, GRND_NONBLOCK) == sizeof k_key) return;
  clock_gettime(CLOCK_MONOTONIC, &t);
  k_key[0] = (uint64_t)(uintptr_t)&t ^ (uint64_t)t.tv_nsec << 20;
  k_key[1] = (uint64_t)getpid() << 32 ^ (uint64_t)t.tv_sec;
}

static inline uint64_t rotl(uint64_t x, int n) { return x << n | x >> (64 - n); }
static inline void sip_round(uint64_t v[4]) {
  v[0] += v[1], v[1] = rotl(v[1], 13) ^ v[0], v[0] = rotl(v[0], 32);
  v[2] += v[3], v[3] = rotl(v[3], 16) ^ v[2];
  v[0] += v[3], v[3] = rotl(v[3], 21) ^ v[0];
  v[2] += v[1], v[1] = rotl(v[1], 17) ^ v[2], v[2] = rotl(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein, 2012) under a key of the process: names come from files, and nobody should be
 * able to write a file whose names all fall on one slot. */
uint64_t whet__hash_secret(const void *p, size_t n) {
  const char *key = p;
  pthread_once(&k_once, draw_key);
  uint64_t v[4] = {k_key[0] ^ UINT64_C(0x736f6d6570736575), k_key[1] ^ UINT64_C(0x646f72616e646f6d),
                   k_key[0] ^ UINT64_C(0x6c7967656e657261), k_key[1] ^ UINT64_C(0x7465646279746573)};
  uint64_t last = (uint64_t)n << 56, word;
  size_t at = 0;
  for (; n - at >= 8; at += 8) {
    memcpy(&word, key + at, 8);
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
  }
  for (int shift = 0; at < n; at++, shift += 8) last |= (uint64_t)(uint8_t)key[at] << shift;
  v[3] ^= last;
  sip_round(v);
  v[0] ^= last;
  v[2] ^= 0xff;
  for (int i = 0; i < 3; i++) sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The slot of a key, or the free one where it would go. */
static struct whet_names_slot *find(const whet_names *m, const char *key, size_t n) {
  size_t i = (size_t)whet__hash_secret(key, n) & (m->cap - 1);
  while (m->slot[i].key && (m->slot[i].n != n || memcmp(m->slot[i].key, key, n))) i = (i + 1) & (m->cap - 1);
  return &m->slot[i];
}

int32_t whet__names_get(const whet_names *m, const char *key, size_t n) {
  if (!m->cap) return -1;
  const struct whet_names_slot *s = find(m, key, n);
  return s->key ? s->value : -1;
}

bool whet__names_set(whet_names *m, const char *key, size_t n, int32_t value) {
  if (m->used * 2 >= m->cap) {
    whet_names bigger = {.mem = m->mem, .cap = m->cap ? m->cap * 2 : 16};
    bigger.slot = whet__alloc_array(m->mem, bigger.cap, sizeof *bigger.slot);
    if (!bigger.slot) return false;
    for (size_t i = 0; i < m->cap; i++)
      if (m->slot[i].key) *find(&bigger, m->slot[i].key, m->slot[i].n) = m->slot[i];
    bigger.used = m->used;
    whet__free(m->mem, m->slot);
    *m = bigger;
  }
  struct whet_names_slot *s = find(m, key, n);
  if (!s->key) m->used++;
  *s = (struct whet_names_slot){key, n, value};
  return true;
}

void whet__names_free(whet_names *m) {
  whet__free(m->mem, m->slot);
  *m = (whet_names){.mem = m->mem};
}
