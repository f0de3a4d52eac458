/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `threshold`: on from `on` up, off below `off`; what lies between leaves it as it is (hysteresis). Frames
 * pass while it is on, or only when it turns. */

#include "edge/pipeline/measure.h"

typedef struct threshold {
  pl_node n;
  pl_measure what;
  double on, off;
  int pass; /* on, turns, all */
  bool is;
} threshold;

#define AT(field) offsetof(threshold, field)
static const conf_key k_keys[] = {PL_MEASURE_KEYS(threshold, what),
                                  {.name = "on", CONF_REAL, AT(on), NULL, 0, 0, true},
                                  {.name = "off", CONF_REAL, AT(off)},
                                  {.name = "pass", CONF_CHOICE, AT(pass), "on|turns|all"},
                                  {0}};
static const threshold k_defaults = {.what = PL_MEASURE_DEFAULTS};

static whet_status open_threshold(pl_node *n, whet_err *err) {
  threshold *s = (threshold *)n;
  if (!pl_given(n, "off")) s->off = s->on;
  if (s->off > s->on) return pl_fail(n, err, "off: expected at most on (%g), got %g", s->on, s->off);
  return pl_measure_known(n, &s->what, err);
}

static void begin(pl_node *n) { ((threshold *)n)->is = false; }

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  threshold *s = (threshold *)n;
  double v = pl_measured(&s->what, f);
  bool was = s->is;
  s->is = was ? v >= s->off : v >= s->on;
  if (s->is != was && s->pass) f->event = s->is ? "on" : "off";
  return s->pass == 2 || (s->pass == 1 && s->is != was) || (s->pass == 0 && s->is) ? pl_pass(n, f, err) : WHET_OK;
}

const pl_kind pl_stage_threshold = {.name = "threshold",
                                    .size = sizeof(threshold),
                                    .keys = k_keys,
                                    .lone = "on",
                                    .defaults = &k_defaults,
                                    .open = open_threshold,
                                    .run = run,
                                    .begin = begin};
