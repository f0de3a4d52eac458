/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of keys: see keys.h. Hashes are secret, so no file can make them slow. */

#include "op/keys.h"

#include <math.h>

#include "base/dtype.h"
#include "base/str.h"

whet_key_class whet__key_class(whet_dtype t) {
  if (t == WHET_STRING) return WHET_KEY_TEXT;
  if (whet__is_float(t)) return WHET_KEY_REAL;
  return whet__is_int(t) || t == WHET_BOOL ? WHET_KEY_INT : WHET_KEY_NONE;
}

/* One form for each number: one zero, one NaN. */
static double canonical(double v) { return isnan(v) ? (double)NAN : v == 0 ? 0.0 : v; }

static uint32_t hash_of(const whet_keys *k, int32_t i) {
  if (k->class == WHET_KEY_TEXT) {
    whet_str s = ((const whet_str *)k->key)[i];
    return (uint32_t)whet__hash_secret(s.p, s.n);
  }
  double d = k->class == WHET_KEY_REAL ? canonical(((const double *)k->key)[i]) : 0;
  return (uint32_t)(k->class == WHET_KEY_REAL ? whet__hash_secret(&d, sizeof d)
                                              : whet__hash_secret((const int64_t *)k->key + i, sizeof(int64_t)));
}

int32_t whet__keys_int(const whet_keys *k, int64_t v) {
  for (uint32_t at = (uint32_t)whet__hash_secret(&v, sizeof v) & k->mask; k->slot[at]; at = (at + 1) & k->mask)
    if (((const int64_t *)k->key)[k->slot[at] - 1] == v) return (int32_t)k->slot[at] - 1;
  return -1;
}

int32_t whet__keys_real(const whet_keys *k, double v) {
  v = canonical(v);
  for (uint32_t at = (uint32_t)whet__hash_secret(&v, sizeof v) & k->mask; k->slot[at]; at = (at + 1) & k->mask) {
    double x = ((const double *)k->key)[k->slot[at] - 1];
    if (x == v || (isnan(x) && isnan(v))) return (int32_t)k->slot[at] - 1;
  }
  return -1;
}

int32_t whet__keys_text(const whet_keys *k, whet_str v) {
  for (uint32_t at = (uint32_t)whet__hash_secret(v.p, v.n) & k->mask; k->slot[at]; at = (at + 1) & k->mask) {
    const whet_str *x = (const whet_str *)k->key + (k->slot[at] - 1);
    if (x->n == v.n && (!v.n || !memcmp(x->p, v.p, v.n))) return (int32_t)k->slot[at] - 1;
  }
  return -1;
}

/* The place of key i itself, if an equal one is there already. */
static int32_t find_own(const whet_keys *k, int32_t i) {
  switch (k->class) {
    case WHET_KEY_TEXT:
      return whet__keys_text(k, ((const whet_str *)k->key)[i]);
    case WHET_KEY_REAL:
      return whet__keys_real(k, ((const double *)k->key)[i]);
    default:
      return whet__keys_int(k, ((const int64_t *)k->key)[i]);
  }
}

whet_keys *whet__keys_room(whet_arena *a, whet_key_class c, const void *key, int32_t cap) {
  whet_keys *k = whet__arena_alloc(a, sizeof *k);
  uint32_t slots = 4;
  while (slots < (uint32_t)cap * 2 && slots < UINT32_C(1) << 31) slots *= 2;
  uint32_t *slot = whet__arena_array(a, slots, sizeof *slot);
  if (!k || !slot) return NULL;
  *k = (whet_keys){c, 0, key, slot, slots - 1};
  return k;
}

bool whet__keys_put(whet_keys *k, int32_t n) {
  if (n >= k->n) k->n = n + 1;
  if (find_own(k, n) >= 0) return false;
  uint32_t at = hash_of(k, n) & k->mask;
  while (k->slot[at]) at = (at + 1) & k->mask;
  k->slot[at] = (uint32_t)n + 1;
  return true;
}

const whet_keys *whet__keys_new(whet_arena *a, whet_key_class c, const void *key, int32_t n) {
  whet_keys *k = whet__keys_room(a, c, key, n);
  for (int32_t i = 0; k && i < n; i++) whet__keys_put(k, i);
  return k;
}

const whet_keys *whet__keys_of_floats(whet_arena *a, whet_floats v) {
  return whet__keys_of_tensor(a, WHET_F32, v.v, v.n);
}

const whet_keys *whet__keys_of_tensor(whet_arena *a, whet_dtype t, const void *p, int32_t n) {
  whet_key_class c = whet__key_class(t);
  if (c == WHET_KEY_TEXT) return whet__keys_new(a, c, p, n);
  double *d = whet__arena_array(a, (size_t)n + 1, sizeof *d);
  int64_t *v = (int64_t *)(void *)d;
  if (!d) return NULL;
  for (int32_t i = 0; i < n; i++) {
    if (c == WHET_KEY_REAL)
      d[i] = whet__get_f64(t, p, i);
    else
      v[i] = whet__get_i64(t, p, i);
  }
  return whet__keys_new(a, c, d, n);
}

int32_t whet__keys_find(const whet_keys *k, whet_dtype t, const void *p, int64_t i) {
  if (k->class == WHET_KEY_TEXT) return whet__keys_text(k, ((const whet_str *)p)[i]);
  return k->class == WHET_KEY_REAL ? whet__keys_real(k, whet__get_f64(t, p, i)) : whet__keys_int(k, whet__get_i64(t, p, i));
}
