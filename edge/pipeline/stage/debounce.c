/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `debounce`: a frame passes when what it says has been said by so many frames on end, or for so long. */

#include "edge/pipeline/measure.h"

typedef struct debounce {
  pl_node n;
  int64_t frames;
  double time;
  bool said;
  uint64_t key;
  int64_t run, since; /* frames that said it, and the time of the first */
} debounce;

#define AT(field) offsetof(debounce, field)
static const conf_key k_keys[] = {
    {.name = "frames", CONF_INT, AT(frames), NULL, 1, 1e9}, {.name = "for", CONF_SECONDS, AT(time)}, {0}};
static const debounce k_defaults = {.frames = 1};

static whet_status open_debounce(pl_node *n, whet_err *err) {
  debounce *s = (debounce *)n;
  return s->frames > 1 || s->time > 0 ? WHET_OK : pl_fail(n, err, "expected frames (2 or more) or for (a time)");
}

static void begin(pl_node *n) { ((debounce *)n)->said = false; }

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  debounce *s = (debounce *)n;
  uint64_t key = pl_says(f);
  if (!s->said || key != s->key) {
    s->said = true;
    s->key = key;
    s->run = 0;
    s->since = f->time;
  }
  s->run++;
  return s->run >= s->frames && (double)(f->time - s->since) * 1e-9 >= s->time - 1e-9 ? pl_pass(n, f, err) : WHET_OK;
}

const pl_kind pl_stage_debounce = {.name = "debounce",
                                   .size = sizeof(debounce),
                                   .keys = k_keys,
                                   .lone = "frames",
                                   .defaults = &k_defaults,
                                   .open = open_debounce,
                                   .run = run,
                                   .begin = begin};
