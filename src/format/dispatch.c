/* SPDX-License-Identifier: Apache-2.0 */
/* From the name that a file gives an operator to the record that reads it: a hash over the `from` rows of all
 * records.
 *
 * The table is static and filled at first need: no allocation that could fail and nothing at load time. */

#include <pthread.h>

#include "format/import.h"

enum { SLOTS = 8192 }; /* a power of two, more than twice as many as there are rows; a test watches that */

/* One row: number of the record and of the row in it, both + 1; 0: free. */
static struct slot { uint16_t op, row; } s_slot[SLOTS];
static size_t s_used;
static pthread_once_t s_once = PTHREAD_ONCE_INIT;

/* Where the search for a name starts. Rows of one name follow each other. */
static size_t start(const char *domain, const char *name) {
  uint64_t h = whet__hash(WHET_HASH_SEED, domain, strlen(domain) + 1);
  h = whet__hash(h, name, strlen(name));
  return (size_t)(h ^ h >> 32) & (SLOTS - 1);
}

static void fill(void) {
  for (size_t i = 0; i < whet__n_ops; i++) {
    const whet_from *f = whet__ops[i]->from;
    for (size_t k = 0; f && f[k].name; k++) {
      if (s_used >= SLOTS - 1) return;
      size_t at = start(f[k].domain, f[k].name);
      while (s_slot[at].op) at = (at + 1) & (SLOTS - 1);
      s_slot[at] = (struct slot){(uint16_t)(i + 1), (uint16_t)k};
      s_used++;
    }
  }
}

size_t whet__from_rows(void) {
  pthread_once(&s_once, fill);
  return s_used;
}

const whet_from *whet__from_find(const char *domain, const char *name, int version, const whet_op **op, int *oldest) {
  const whet_from *best = NULL;
  pthread_once(&s_once, fill);
  *oldest = -1;
  for (size_t at = start(domain, name); s_slot[at].op; at = (at + 1) & (SLOTS - 1)) {
    const whet_op *o = whet__ops[s_slot[at].op - 1];
    const whet_from *f = &o->from[s_slot[at].row];
    if (strcmp(f->name, name) || strcmp(f->domain, domain)) continue;
    if (*oldest < 0 || f->since < *oldest) *oldest = f->since;
    if (f->since > version || (best && f->since <= best->since)) continue;
    best = f;
    *op = o;
  }
  return best;
}
