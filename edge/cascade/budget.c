/* SPDX-License-Identifier: Apache-2.0 */
/* What may be spent in an hour, as token buckets. */

#include <math.h>

#include "edge/cascade/inner.h"

double cascade_now(const cascade *c) { return 1e-9 * (double)edge_now() * c->o.speed; }

bool cascade_pay(cascade *c, double bytes) {
  const cascade_budget *b = &c->o.budget;
  cascade_purse *p = &c->purse;
  const double most[4] = {b->bytes, b->requests, b->money, b->joules};
  const double cost[4] = {bytes, 1, b->price + b->price_byte * bytes, b->joule + b->joule_byte * bytes};
  double now = cascade_now(c), past = p->begun ? fmax(now - p->at, 0) / 3600 : 1;
  for (int i = 0; i < 4; i++) p->left[i] = fmin(most[i], p->left[i] + most[i] * past);
  p->at = now;
  p->begun = true;
  for (int i = 0; i < 4; i++)
    if (most[i] > 0 && p->left[i] < cost[i]) return false;
  for (int i = 0; i < 4; i++) p->left[i] -= cost[i];
  c->stats.money += cost[2];
  c->stats.joules += cost[3];
  return true;
}
