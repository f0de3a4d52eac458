/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of items that leave their class as it is. */

#include <math.h>

#include "base/rng.h"
#include "train/batch.h"

/* Where the samples of a picture lie. */
struct plane {
  int64_t h, w, c, row, pixel, chan; /* sizes; distances */
};

static bool plane_of(const whet_feed *f, struct plane *p) {
  if (f->rank == 3 && f->first)
    *p = (struct plane){f->dims[1], f->dims[2], f->dims[0], f->dims[2], 1, f->dims[1] * f->dims[2]};
  else if (f->rank == 3)
    *p = (struct plane){f->dims[0], f->dims[1], f->dims[2], f->dims[1] * f->dims[2], f->dims[2], 1};
  else if (f->rank == 2)
    *p = (struct plane){f->dims[0], f->dims[1], 1, f->dims[1], 1, 1};
  else if (f->rank == 1) { /* a square in a row */
    int64_t side = (int64_t)lround(sqrt((double)f->dims[0]));
    if (side * side != f->dims[0]) return false;
    *p = (struct plane){side, side, 1, side, 1, 1};
  } else {
    return false;
  }
  return true;
}

/* -most .. most */
static int64_t draw(uint32_t r, int64_t most) { return (int64_t)((uint64_t)r * (uint64_t)(2 * most + 1) >> 32) - most; }

/* Every sample from place (y * sy + oy, x * sx + ox), between its neighbours; zeros outside. */
static void resample(const struct plane *p, float *x, const float *from, double oy, double ox, double scale, bool flip) {
  for (int64_t i = 0; i < p->h; i++)
    for (int64_t j = 0; j < p->w; j++) {
      double y = (double)i * scale + oy, u = (double)(flip ? p->w - 1 - j : j) * scale + ox;
      int64_t y0 = (int64_t)floor(y), x0 = (int64_t)floor(u);
      float fy = (float)(y - (double)y0), fx = (float)(u - (double)x0);
      for (int64_t c = 0; c < p->c; c++) {
        float sum = 0;
        for (int k = 0; k < 4; k++) {
          int64_t yy = y0 + (k >> 1), xx = x0 + (k & 1);
          float share = (k >> 1 ? fy : 1 - fy) * (k & 1 ? fx : 1 - fx);
          if (share != 0 && yy >= 0 && yy < p->h && xx >= 0 && xx < p->w) sum += share * from[yy * p->row + xx * p->pixel + c * p->chan];
        }
        x[i * p->row + j * p->pixel + c * p->chan] = sum;
      }
    }
}

/* The same by whole pixels. */
static void move(const struct plane *p, float *x, const float *from, int64_t oy, int64_t ox, bool flip) {
  for (int64_t i = 0; i < p->h; i++)
    for (int64_t j = 0; j < p->w; j++) {
      int64_t y = i + oy, u = (flip ? p->w - 1 - j : j) + ox;
      bool inside = y >= 0 && y < p->h && u >= 0 && u < p->w;
      for (int64_t c = 0; c < p->c; c++)
        x[i * p->row + j * p->pixel + c * p->chan] = inside ? from[y * p->row + u * p->pixel + c * p->chan] : 0;
    }
}

static void picture(const whet_augment *a, const whet_feed *f, int64_t n, float *x, float *tmp, const uint32_t r[4]) {
  struct plane p;
  if ((!a->shift && !a->flip && !(a->crop > 0)) || !plane_of(f, &p)) return;
  bool flip = a->flip && (r[0] & 1);
  memcpy(tmp, x, (size_t)n * sizeof *x);
  if (a->crop > 0 && a->crop < 1) {
    double scale = (double)a->crop + (1 - (double)a->crop) * (double)whet__rng_unit(r[1]);
    double oy = (1 - scale) * (double)(p.h - 1) * (double)whet__rng_unit(r[2]), ox = (1 - scale) * (double)(p.w - 1) * (double)whet__rng_unit(r[3]);
    resample(&p, x, tmp, oy, ox, scale, flip);
    return;
  }
  move(&p, x, tmp, draw(r[1], a->shift), draw(r[2], a->shift), flip);
}

static void sound(const whet_augment *a, int64_t n, float *x, float *tmp, uint32_t r) {
  if (!a->time_shift) return;
  int64_t by = whet__clamp_i(draw(r, a->time_shift), -n, n);
  memcpy(tmp, x, (size_t)n * sizeof *x);
  for (int64_t i = 0; i < n; i++) x[i] = i + by >= 0 && i + by < n ? tmp[i + by] : 0;
}

void whet__augment(const whet_augment *a, whet_item_kind kind, const whet_feed *f, float *x, float *tmp, uint64_t seed, uint64_t key) {
  uint32_t r[4];
  int64_t n = 1;
  for (int32_t i = 0; i < f->rank; i++) n *= f->dims[i];
  whet__rng_block(seed, WHET_DRAW_PICTURE, key, r);
  if (kind == WHET_ITEM_SOUND)
    sound(a, n, x, tmp, r[0]);
  else
    picture(a, f, n, x, tmp, r);
  if (!(a->noise > 0)) return;
  for (int64_t i = 0; i < n; i += 2) { /* Box and Muller */
    whet__rng_block(seed ^ key * UINT64_C(0x9e3779b97f4a7c15), WHET_DRAW_NOISE, (uint64_t)i, r);
    float radius = a->noise * sqrtf(-2 * logf(1 - whet__rng_unit(r[0]))), angle = 6.2831853f * whet__rng_unit(r[1]);
    x[i] += radius * cosf(angle);
    if (i + 1 < n) x[i + 1] += radius * sinf(angle);
  }
}

float whet__mix_share(float a, uint64_t seed, uint64_t key) {
  for (uint64_t k = 0; k < 100; k++) { /* Johnk */
    uint32_t r[4];
    whet__rng_block(seed, WHET_DRAW_MIX, key * 128 + k, r);
    float x = powf(1 - whet__rng_unit(r[0]), 1 / a), y = powf(1 - whet__rng_unit(r[1]), 1 / a);
    if (x + y <= 1 && x + y > 0) return x / (x + y);
  }
  return 0.5f;
}
