/* SPDX-License-Identifier: Apache-2.0 */
/* The number of threads of a step, by trying. */

#include "train/pace.h"

void whet__pace_start(whet_pace *p, int most) {
  *p = (whet_pace){.most = most, .width = most, .wait = WHET_PACE_WAIT, .left = WHET_PACE_TRIAL, .n = -WHET_PACE_WARM};
}

int whet__pace_width(const whet_pace *p) { return p->other ? p->other : p->width; }

static void start_trial(whet_pace *p) {
  if (p->width == 1) p->up = true;
  if (p->width == p->most) p->up = false;
  p->left = p->wait;
  if (!p->up && p->mean > WHET_PACE_ENOUGH) {
    p->up = true;
    return;
  }
  p->other = p->up ? (2 * p->width < p->most ? 2 * p->width : p->most) : (p->width + 1) / 2;
  p->tried = -WHET_PACE_WARM;
  p->sum = 0;
}

/* Is the trial's number the better one? More threads have to win by more: their rare long waits show in few of its steps. */
static bool better(const whet_pace *p) { return p->sum < (p->up ? 0.9 : 0.97) * p->mean * WHET_PACE_TRIAL; }

static void end_trial(whet_pace *p) {
  if (better(p)) {
    p->width = p->other;
    p->mean = p->sum / WHET_PACE_TRIAL;
    p->n = WHET_PACE_TRIAL;
    p->wait = p->left = WHET_PACE_WAIT; /* perhaps more of it is better still */
  } else {
    p->up = !p->up;
    p->left = p->wait;
    p->wait = p->wait < WHET_PACE_LONG ? 4 * p->wait : p->wait;
  }
  p->other = 0;
}

void whet__pace_took(whet_pace *p, double seconds) {
  if (p->most < 2) return;
  if (p->other) {
    if (p->tried++ >= 0) p->sum += seconds;
    if (p->tried == WHET_PACE_TRIAL || !better(p)) end_trial(p); /* what has lost already needs no more of it */
    return;
  }
  if (p->n++ >= 0) p->mean += (seconds - p->mean) / (double)(p->n < WHET_PACE_MEMORY ? p->n : WHET_PACE_MEMORY);
  if (--p->left <= 0) start_trial(p);
}
