/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

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

/* The slot of a key, or the free one where it would go. */
static struct whet_names_slot *find(const whet_names *m, const char *key, size_t n) {
  size_t i = (size_t)whet__hash(WHET_HASH_SEED, key, n) & (m->cap - 1);
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
