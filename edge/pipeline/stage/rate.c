/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `rate`: at most so many frames in a time, by the frames' own clock; apart for all that they say if asked.
 */

#include <string.h>

#include "edge/pipeline/measure.h"

enum { KEYS = 64 };

typedef struct bucket {
  uint64_t key;
  double left;  /* frames that may pass */
  int64_t time; /* of the last look */
} bucket;

typedef struct rate {
  pl_node n;
  double every;
  int64_t most;
  int by; /* all, says */
  bucket b[KEYS];
  size_t used;
} rate;

#define AT(field) offsetof(rate, field)
static const conf_key k_keys[] = {{.name = "every", CONF_SECONDS, AT(every), NULL, 1e-6, 1e9, true},
                                  {.name = "most", CONF_INT, AT(most), NULL, 1, 1e9},
                                  {.name = "by", CONF_CHOICE, AT(by), "all|says"},
                                  {0}};
static const rate k_defaults = {.most = 1};

/* The bucket of a key; where all are taken, that which was looked at longest ago. */
static bucket *find(rate *s, uint64_t key, int64_t now) {
  bucket *old = &s->b[0];
  for (size_t i = 0; i < s->used; i++) {
    if (s->b[i].key == key) return &s->b[i];
    if (s->b[i].time < old->time) old = &s->b[i];
  }
  if (s->used < KEYS) old = &s->b[s->used++];
  *old = (bucket){.key = key, .left = (double)s->most, .time = now};
  return old;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  rate *s = (rate *)n;
  bucket *b = find(s, s->by ? pl_says(f) : 0, f->time);
  double step = (double)(f->time - b->time) * 1e-9;
  if (step > 0) {
    b->left += step / s->every * (double)s->most;
    b->time = f->time;
  }
  if (b->left > (double)s->most) b->left = (double)s->most;
  if (b->left < 1 - 1e-9) return WHET_OK;
  b->left -= 1;
  return pl_pass(n, f, err);
}

const pl_kind pl_stage_rate = {
    .name = "rate", .size = sizeof(rate), .keys = k_keys, .lone = "every", .defaults = &k_defaults, .run = run};
