/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `change`: only frames that say something else than the last that passed, or whose number differs from its
 * by `step`. */

#include <math.h>

#include "edge/pipeline/measure.h"

typedef struct change {
  pl_node n;
  pl_measure what;
  double step, again;
  bool passed;
  uint64_t key;
  double v;
  int64_t time;
} change;

#define AT(field) offsetof(change, field)
static const conf_key k_keys[] = {PL_MEASURE_KEYS(change, what),
                                  {.name = "step", CONF_REAL, AT(step), NULL, 0, 1e30},
                                  {.name = "again", CONF_SECONDS, AT(again)},
                                  {0}};

static whet_status open_change(pl_node *n, whet_err *err) {
  change *s = (change *)n;
  if (!s->what.of != !(s->step > 0)) return pl_fail(n, err, "of and step (above 0) belong together");
  return s->what.of ? pl_measure_known(n, &s->what, err) : WHET_OK;
}

static void begin(pl_node *n) { ((change *)n)->passed = false; }

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  change *s = (change *)n;
  uint64_t key = pl_says(f);
  double v = s->what.of ? pl_measured(&s->what, f) : 0;
  bool new = !s->passed || (s->what.of ? !(fabs(v - s->v) < s->step) : key != s->key);
  if (!new && s->again > 0) new = (double)(f->time - s->time) * 1e-9 >= s->again;
  if (!new) return WHET_OK;
  s->passed = true;
  s->key = key;
  s->v = v;
  s->time = f->time;
  return pl_pass(n, f, err);
}

const pl_kind pl_stage_change = {
    .name = "change", .size = sizeof(change), .keys = k_keys, .open = open_change, .run = run, .begin = begin};
