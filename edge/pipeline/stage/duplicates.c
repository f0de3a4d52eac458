/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `duplicates`: what was handed on a short time ago is not handed on again: frames that say the same,
 * tracked objects, or contents that are the same to the byte. */

#include <string.h>

#include "edge/pipeline/measure.h"

enum { SEEN = 256 };

typedef struct duplicates {
  pl_node n;
  double time;
  int by; /* says, track, content */
  struct {
    uint64_t key;
    int64_t time;
  } seen[SEEN];
  size_t used;
} duplicates;

#define AT(field) offsetof(duplicates, field)
static const conf_key k_keys[] = {{.name = "for", CONF_SECONDS, AT(time), NULL, 1e-6, 1e9, true},
                                  {.name = "by", CONF_CHOICE, AT(by), "says|track|content"},
                                  {0}};

/* Was the key seen within the time before `now`? It is now. */
static bool again(duplicates *s, uint64_t key, int64_t now) {
  size_t old = 0;
  for (size_t i = 0; i < s->used; i++) {
    if (s->seen[i].key == key) {
      bool is = (double)(now - s->seen[i].time) * 1e-9 < s->time;
      if (!is) s->seen[i].time = now;
      return is;
    }
    if (s->seen[i].time < s->seen[old].time) old = i;
  }
  if (s->used < SEEN) old = s->used++;
  s->seen[old].key = key;
  s->seen[old].time = now;
  return false;
}

/* A hash of all bytes of a content, eight at a time. */
static uint64_t content(const pl_frame *f) {
  uint64_t h = UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)f->content;
  const uint8_t *row = f->content == PL_PICTURE ? f->pic.data : f->numbers.data;
  size_t n = f->content == PL_PICTURE ? (size_t)f->pic.width * (size_t)pl_pixel_bytes(f->pic.pixel)
                                      : whet_dtype_bytes(f->numbers.dtype, f->numbers.n);
  int32_t rows = f->content == PL_PICTURE ? f->pic.height : f->content == PL_NUMBERS ? 1 : 0;
  for (int32_t y = 0; y < rows; y++, row += f->pic.stride)
    for (size_t i = 0; i < n; i += 8) {
      uint64_t v = 0;
      memcpy(&v, row + i, n - i < 8 ? n - i : 8);
      h = (h ^ v) * UINT64_C(0xff51afd7ed558ccd);
      h ^= h >> 32;
    }
  return h;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  duplicates *s = (duplicates *)n;
  if (s->by != 1) return again(s, s->by ? content(f) : pl_says(f), f->time) ? WHET_OK : pl_pass(n, f, err);
  size_t kept = 0;
  for (size_t i = 0; i < f->n_object; i++)
    if (!f->object[i].track || !again(s, (uint64_t)f->object[i].track, f->time)) f->object[kept++] = f->object[i];
  f->n_object = kept;
  return kept ? pl_pass(n, f, err) : WHET_OK;
}

const pl_kind pl_stage_duplicates = {
    .name = "duplicates", .size = sizeof(duplicates), .keys = k_keys, .lone = "for", .run = run};
