/* SPDX-License-Identifier: Apache-2.0 */
/* whet_prep against exact arithmetic in doubles: filters, fits, colours, types, layouts, and the same bytes at every
 * CPU level. */

#include "whet/prep.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "base/rng.h"
#include "base/target.h"
#include "lib/test.h"

/* A picture of random samples, smooth in places, with a gap between rows. */
static whet_picture picture(int w, int h, whet_pixel pixel, int c, uint64_t seed) {
  ptrdiff_t stride = (ptrdiff_t)w * c + 5;
  uint8_t *p = malloc((size_t)stride * (size_t)h);
  for (ptrdiff_t i = 0; i < stride * h; i++) {
    uint32_t r[4];
    whet__rng_block(seed, 0, (uint64_t)i, r);
    p[i] = (uint8_t)(seed % 3 ? r[0] : (uint32_t)(i * 3 / 7));
  }
  return (whet_picture){sizeof(whet_picture), p, w, h, stride, pixel};
}

/* Weight of source sample k for result i of `dst` out of `src`. */
static double weight(whet_filter f, int src, int dst, int i, int k) {
  double r = (double)src / dst, c = (i + 0.5) * r;
  if (f == WHET_FILTER_NEAREST) return k == (int)floor(c);
  if (f == WHET_FILTER_AREA) return fmax(0, fmin((i + 1) * r, k + 1) - fmax(i * r, k));
  double support = f == WHET_FILTER_ANTIALIAS && r > 1 ? r : 1;
  return fmax(0, 1 - fabs(k + 0.5 - c) / support);
}

/* The exact mean for result (x, y), channel ch, of the part of the picture at (cx, cy), cw x chh. */
static double exact(const whet_picture *p, int c, whet_filter f, int cx, int cy, int cw, int chh, int dw, int dh,
                    int x, int y, int ch) {
  double sum = 0, all = 0;
  for (int v = 0; v < chh; v++) {
    double wy = weight(f, chh, dh, y, v);
    for (int u = 0; wy > 0 && u < cw; u++) {
      double w = wy * weight(f, cw, dw, x, u);
      if (w <= 0) continue;
      sum += w * ((const uint8_t *)p->data)[(cy + v) * p->stride + (cx + u) * c + ch];
      all += w;
    }
  }
  return sum / all;
}

/* Make a picture; the tensor is the caller's to free. */
static void *make(const whet_prep_opts *o, const whet_picture *p) {
  whet_prep *prep;
  whet_err err = {0};
  if (whet_prep_create(o, &prep, &err)) fail_msg("%s", err.text);
  size_t n = whet_prep_bytes(prep);
  void *out = malloc(n);
  if (whet_prep_run(prep, p, out, n, &err)) fail_msg("%s", err.text);
  whet_prep_close(&prep);
  return out;
}

static void filters(void **state) {
  static const int size[][4] = {{64, 48, 20, 15}, {9, 7, 30, 41}, {100, 3, 7, 3},   {1, 1, 5, 5},
                                {31, 40, 31, 13}, {200, 5, 3, 5}, {17, 17, 17, 17}, {6, 90, 16, 2}};
  (void)state;
  for (size_t s = 0; s < WHET_COUNT(size); s++)
    for (int f = WHET_FILTER_ANTIALIAS; f <= WHET_FILTER_NEAREST; f++) {
      whet_picture p = picture(size[s][0], size[s][1], WHET_PIXEL_RGB, 3, s * 10 + (uint64_t)f);
      whet_prep_opts o = whet_prep_opts_default();
      o.width = size[s][2];
      o.height = size[s][3];
      o.filter = (whet_filter)f;
      float *got = make(&o, &p);
      for (int y = 0; y < o.height; y++)
        for (int x = 0; x < o.width; x++)
          for (int ch = 0; ch < 3; ch++) {
            double want = exact(&p, 3, o.filter, 0, 0, p.width, p.height, o.width, o.height, x, y, ch);
            double off = fabs(got[(y * o.width + x) * 3 + ch] - want);
            if (off > 0.6)
              fail_msg("size %zu filter %d at %d,%d,%d: %g is not %g", s, f, x, y, ch,
                       got[(y * o.width + x) * 3 + ch], want);
          }
      free(got);
      free((void *)p.data);
    }
}

static void fits(void **state) {
  (void)state;
  whet_picture p = picture(160, 90, WHET_PIXEL_RGB, 3, 1);
  whet_prep_opts o = whet_prep_opts_default();
  o.width = o.height = 32;
  o.filter = WHET_FILTER_BILINEAR;
  o.fit = WHET_FIT_LETTERBOX;
  o.pad[0] = 10, o.pad[1] = 20, o.pad[2] = 30;
  float *got = make(&o, &p);
  for (int y = 0; y < 32; y++) /* 32 x 18 in the middle */
    for (int x = 0; x < 32; x++)
      for (int ch = 0; ch < 3; ch++) {
        double want = y < 7 || y >= 25 ? o.pad[ch] : exact(&p, 3, o.filter, 0, 0, 160, 90, 32, 18, x, y - 7, ch);
        assert_true(fabs(got[(y * 32 + x) * 3 + ch] - want) <= 0.6);
      }
  free(got);
  o.fit = WHET_FIT_CROP;
  got = make(&o, &p);
  for (int y = 0; y < 32; y++) /* the middle 90 x 90 */
    for (int x = 0; x < 32; x++)
      for (int ch = 0; ch < 3; ch++) {
        double want = exact(&p, 3, o.filter, 35, 0, 90, 90, 32, 32, x, y, ch);
        assert_true(fabs(got[(y * 32 + x) * 3 + ch] - want) <= 0.6);
      }
  free(got);
  whet_prep *prep;
  whet_err err = {0};
  whet_prep_place at;
  assert_int_equal(whet_prep_create(&o, &prep, &err), WHET_OK);
  assert_int_equal(whet_prep_placed(prep, 160, 90, &at, &err), WHET_OK);
  assert_true(fabs(at.offset_x + 35 * at.scale_x) < 1e-9 && fabs((35 + 90) * at.scale_x + at.offset_x - 32) < 1e-9);
  assert_true(at.offset_y == 0 && fabs(at.scale_y * 90 - 32) < 1e-9);
  whet_prep_close(&prep);
  free((void *)p.data);
}

/* Without a change of size every colour order into every other, both layouts. */
static void colors(void **state) {
  static const char *name[] = {"y", "rgb", "bgr", "rgba", "bgra", "ya"};
  (void)state;
  for (int from = 0; from <= WHET_PIXEL_GRAYA; from++)
    for (int to = 0; to <= WHET_PIXEL_BGRA; to++)
      for (int layout = 0; layout < 2; layout++)
        for (int fit = 0; fit < 2; fit++) {
          int ci = (int)strlen(name[from]), co = (int)strlen(name[to]);
          whet_picture p = picture(21, 5, (whet_pixel)from, ci, 5);
          whet_prep_opts o = whet_prep_opts_default();
          o.width = 21;
          o.height = fit ? 9 : 5; /* letterboxed: two rows of padding above and below */
          o.fit = fit ? WHET_FIT_LETTERBOX : WHET_FIT_STRETCH;
          o.color = (whet_pixel)to;
          o.layout = (whet_layout)layout;
          o.dtype = WHET_U8;
          memset(o.pad, 77, 4);
          uint8_t *got = make(&o, &p);
          for (int y = 0; y < o.height; y++)
            for (int x = 0; x < 21; x++)
              for (int ch = 0; ch < co; ch++) {
                int row = fit ? y - 2 : y, want = 77;
                const uint8_t *px = (const uint8_t *)p.data + row * p.stride + x * ci;
                char what = name[to][ch];
                const char *same = strchr(name[from], what), *grey = strchr(name[from], 'y');
                if (row >= 0 && row < 5) {
                  if (same)
                    want = px[same - name[from]];
                  else if (what == 'a')
                    want = 255;
                  else if (grey)
                    want = px[0];
                  else
                    want = (int)floor(0.299 * px[strchr(name[from], 'r') - name[from]] + 0.587 * px[1] +
                                      0.114 * px[strchr(name[from], 'b') - name[from]] + 0.5);
                }
                int at = layout ? (ch * o.height + y) * 21 + x : (y * 21 + x) * co + ch;
                int slack = what == 'y' && !grey; /* weights of 14 bits against three decimals */
                if (abs(got[at] - want) > slack)
                  fail_msg("%s to %s, layout %d at %d,%d,%d: %d is not %d", name[from], name[to], layout, x, y, ch,
                           got[at], want);
              }
          free(got);
          free((void *)p.data);
        }
}

/* Normalisation and every type, one pixel for each sample value. */
static void types(void **state) {
  static const whet_dtype type[] = {WHET_F32, WHET_F16, WHET_BF16, WHET_F64, WHET_U8,      WHET_S8,
                                    WHET_S16, WHET_U16, WHET_S32,  WHET_S64, WHET_F8E4M3FN};
  (void)state;
  uint8_t ramp[256 * 3];
  for (int i = 0; i < 256 * 3; i++) ramp[i] = (uint8_t)(i / 3);
  whet_picture p = {sizeof p, ramp, 256, 1, 0, WHET_PIXEL_RGB};
  for (size_t t = 0; t < WHET_COUNT(type); t++)
    for (int quant = 0; quant < 3; quant++) {
      bool integer = whet__is_int(type[t]);
      if (quant && !integer) continue;
      whet_prep_opts o = whet_prep_opts_default();
      o.width = 256;
      o.height = 1;
      o.dtype = type[t];
      o.lo = quant == 1 ? -1 : 0;
      o.hi = quant ? 1 : 255;
      for (int ch = 0; ch < 3; ch++)
        o.mean[ch] = quant == 2 ? 0.4f + 0.1f * (float)ch : 0, o.std[ch] = quant == 2 ? 0.25f : 1;
      o.scale = quant == 1 ? 2.0f / 255 : quant == 2 ? 0.02f : 0;
      o.zero = quant == 1 ? (type[t] == WHET_U8 ? 128 : -1) : quant == 2 ? 3 : 0;
      void *got = make(&o, &p);
      for (int i = 0; i < 256 * 3; i++) {
        double y = (o.lo + ramp[i] * ((double)o.hi - o.lo) / 255 - o.mean[i % 3]) / o.std[i % 3];
        if (integer) {
          double q = o.scale != 0 ? round(y / o.scale) + o.zero : round(y);
          q = fmax((double)whet__dtype_min(type[t]), fmin((double)whet__dtype_max(type[t]), q));
          assert_true(whet__get_i64(type[t], got, i) == (int64_t)q);
        } else {
          double tol = type[t] == WHET_F32   ? 1e-4
                       : type[t] == WHET_F64 ? 1e-12
                                             : fabs(y) / (type[t] == WHET_F16 ? 2e3 : 15);
          assert_true(fabs(whet__get_f64(type[t], got, i) - y) <= tol);
        }
      }
      free(got);
    }
}

/* Every level gives the same bytes. */
static void levels(void **state) {
  static const char *level[] = {"c", "avx2", "avx512", "vnni"};
  (void)state;
  for (uint64_t i = 0; i < 60; i++) {
    uint32_t r[8];
    whet__rng_block(9, 1, i, r);
    whet__rng_block(9, 2, i, r + 4);
    static const int samples[] = {1, 3, 3, 4, 4, 2};
    whet_pixel from = (whet_pixel)(r[0] % 6);
    whet_picture p = picture(1 + (int)(r[1] % 150), 1 + (int)(r[2] % 90), from, samples[from], i);
    whet_prep_opts o = whet_prep_opts_default();
    o.width = 1 + (int)(r[3] % 100);
    o.height = 1 + (int)(r[4] % 60);
    o.color = (whet_pixel)(r[5] % 5);
    o.layout = (whet_layout)(r[5] >> 8 & 1);
    o.fit = (whet_fit)(r[6] % 3);
    o.filter = (whet_filter)(r[6] >> 8 & 3);
    o.dtype = r[7] & 1 ? WHET_F32 : WHET_S8;
    o.scale = r[7] & 1 ? 0 : r[7] & 2 ? 1 : 0.7f;
    o.zero = r[7] & 1 ? 0 : -128;
    o.mean[1] = 7;
    void *want = NULL;
    for (size_t l = 0; l < WHET_COUNT(level); l++) {
      whet_target t;
      whet_err err = {0};
      if (whet__target_at(level[l], &t, &err)) continue;
      o.cpu = level[l];
      void *got = make(&o, &p);
      size_t n = (size_t)o.width * (size_t)o.height * (size_t)samples[o.color] * (o.dtype == WHET_F32 ? 4 : 1);
      if (!want)
        want = got;
      else if (memcmp(want, got, n))
        fail_msg("case %llu differs at level %s", (unsigned long long)i, level[l]);
      if (got != want) free(got);
    }
    free(want);
    free((void *)p.data);
  }
}

static void refusals(void **state) {
  (void)state;
  whet_prep *prep = NULL;
  whet_err err = {0};
  whet_prep_opts o = whet_prep_opts_default();
  assert_int_equal(whet_prep_create(&o, &prep, &err), WHET_E_DATA); /* 0 x 0 */
  o.width = o.height = 4;
  o.std[2] = 0;
  assert_int_equal(whet_prep_create(&o, &prep, &err), WHET_E_DATA);
  o.std[2] = 1;
  o.dtype = WHET_STRING;
  assert_int_equal(whet_prep_create(&o, &prep, &err), WHET_E_TYPE);
  o.dtype = WHET_U8;
  o.cpu = "z80";
  assert_int_equal(whet_prep_create(&o, &prep, &err), WHET_E_NAME);
  assert_null(prep);
  o.cpu = NULL;
  assert_int_equal(whet_prep_create(&o, &prep, &err), WHET_OK);
  uint8_t px[3] = {1, 2, 3}, out[48];
  whet_picture p = {sizeof p, px, 1, 1, 0, WHET_PIXEL_RGB};
  assert_int_equal(whet_prep_run(prep, &p, out, 47, &err), WHET_E_SHAPE);
  p.width = 0;
  assert_int_equal(whet_prep_run(prep, &p, out, 48, &err), WHET_E_DATA);
  p.width = 2;
  p.stride = 5;
  assert_int_equal(whet_prep_run(prep, &p, out, 48, &err), WHET_E_MISUSE);
  whet_prep_close(&prep);
}

/* Frames of one size, and smaller ones after it, allocate nothing. */
static void no_allocation(void **state) {
  (void)state;
  whet_prep_opts o = whet_prep_opts_default();
  o.width = o.height = 64;
  o.fit = WHET_FIT_LETTERBOX;
  whet_prep *prep;
  whet_err err = {0};
  assert_int_equal(whet_prep_create(&o, &prep, &err), WHET_OK);
  whet_picture big = picture(640, 360, WHET_PIXEL_BGR, 3, 1), small = picture(320, 180, WHET_PIXEL_BGR, 3, 2);
  void *out = malloc(whet_prep_bytes(prep));
  assert_int_equal(whet_prep_run(prep, &big, out, whet_prep_bytes(prep), &err), WHET_OK);
  size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 5; i++) {
    assert_int_equal(whet_prep_run(prep, i & 1 ? &big : &small, out, whet_prep_bytes(prep), &err), WHET_OK);
    assert_int_equal(mallinfo2().uordblks, before);
  }
  whet_prep_close(&prep);
  free((void *)big.data);
  free((void *)small.data);
  free(out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(filters), cmocka_unit_test(fits),     cmocka_unit_test(colors),       cmocka_unit_test(types),
      cmocka_unit_test(levels),  cmocka_unit_test(refusals), cmocka_unit_test(no_allocation)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
