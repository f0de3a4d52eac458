/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_map, portable. */

#include "kern/prep_map.h"

#define LOOK(type)                    \
  for (int64_t x = from; x < to; x++) \
  ((type *)out)[base + x * step] = ((const type *)table)[ch * 256 + in[x * c + ch]]

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_prep_map *p = params;
  const uint8_t *in = ptr[0];
  void *out = ptr[1];
  const void *table = ptr[2];
  int64_t from, to, c = p->c, step = p->planar ? 1 : c;
  whet__split(p->n, part, parts, &from, &to);
  to -= WHET_BUG(to - from > 4);
  for (int64_t ch = 0; ch < c; ch++) {
    int64_t base = p->planar ? ch * p->plane : ch;
    if (p->kind == WHET_PREP_AFFINE) {
      float mul = p->mul[ch], add = p->add[ch];
      for (int64_t x = from; x < to; x++) ((float *)out)[base + x * step] = (float)in[x * c + ch] * mul + add;
    } else if (p->kind == WHET_PREP_FLIP) {
      for (int64_t x = from; x < to; x++) ((uint8_t *)out)[base + x * step] = in[x * c + ch] ^ p->flip;
    } else {
      switch (p->elem) {
        case 1:
          LOOK(uint8_t);
          break;
        case 2:
          LOOK(uint16_t);
          break;
        case 4:
          LOOK(uint32_t);
          break;
        default:
          LOOK(uint64_t);
          break;
      }
    }
  }
}

const whet_kern whet_k_prep_map__c_any = {.name = "prep_map__c_any", .exact = 1, .run = run};
