/* SPDX-License-Identifier: Apache-2.0 */
#include "prep/pixel.h"

int32_t whet__pixel_samples(whet_pixel p) {
  switch (p) {
    case WHET_PIXEL_GRAY:
      return 1;
    case WHET_PIXEL_GRAYA:
      return 2;
    case WHET_PIXEL_RGB:
    case WHET_PIXEL_BGR:
      return 3;
    case WHET_PIXEL_RGBA:
    case WHET_PIXEL_BGRA:
      return 4;
    default:
      return 0;
  }
}

/* Place of red (0), green, blue, alpha (3) in a pixel; WHET_PREP_MAX for an alpha that is not there. Grey is all
 * three. */
static uint8_t place(whet_pixel p, int what) {
  if (what == 3) return p == WHET_PIXEL_RGBA || p == WHET_PIXEL_BGRA ? 3 : p == WHET_PIXEL_GRAYA ? 1 : WHET_PREP_MAX;
  if (p == WHET_PIXEL_GRAY || p == WHET_PIXEL_GRAYA) return 0;
  return (uint8_t)(p == WHET_PIXEL_BGR || p == WHET_PIXEL_BGRA ? 2 - what : what);
}

bool whet__pixel_convert(whet_pixel from, whet_pixel to, int64_t n, whet_prep_color *k) {
  *k = (whet_prep_color){.n = n, .c_in = whet__pixel_samples(from), .c_out = whet__pixel_samples(to)};
  bool gray = from == WHET_PIXEL_GRAY || from == WHET_PIXEL_GRAYA;
  k->luma = to == WHET_PIXEL_GRAY && !gray;
  bool same = k->c_in == k->c_out && !k->luma;
  for (int i = 0; i < 4; i++) {
    int what = !k->luma && i < 3 && (to == WHET_PIXEL_BGR || to == WHET_PIXEL_BGRA) ? 2 - i : i;
    k->from[i] = place(from, what);
    if (i < k->c_out && k->from[i] != i) same = false;
  }
  return !same;
}
