/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BASE_STR_H
#define WHET_BASE_STR_H

/* Text that grows, and a map from names to numbers. */

#include "base/mem.h"

/* Grows as needed; when memory is refused `bad` is set and further text is dropped. Terminated once something was
 * added. */
typedef struct whet_text {
  whet_mem *mem;
  char *p;
  size_t n, cap;
  bool bad;
} whet_text;

void whet__text_add(whet_text *t, const char *s, size_t n);
void whet__text_printf(whet_text *t, const char *fmt, ...) WHET_PRINTF(2, 3);
void whet__text_free(whet_text *t);

/* Names to numbers; open addressing. Keys are borrowed. */
typedef struct whet_names {
  whet_mem *mem;
  struct whet_names_slot {
    const char *key;
    size_t n;
    int32_t value;
  } * slot;
  size_t cap, used;
} whet_names;

/* The number of a name, or -1. */
int32_t whet__names_get(const whet_names *m, const char *key, size_t n);
/* Set it, replacing what was there. False when memory is refused. */
bool whet__names_set(whet_names *m, const char *key, size_t n, int32_t value);
void whet__names_free(whet_names *m);

/* A hash under a key of the process, for tables of what files hold. */
uint64_t whet__hash_secret(const void *p, size_t n);
/* FNV-1a, for keys and fingerprints. */
uint64_t whet__hash(uint64_t seed, const void *p, size_t n);
#define WHET_HASH_SEED UINT64_C(0xcbf29ce484222325)

#endif
