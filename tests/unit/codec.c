/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures that the core reads itself, BMP and PNM: every coding, limits, conversion, and damaged bytes. */

#include "whet/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "lib/test.h"

/* Bytes of a file under construction. */
static uint8_t g_file[1 << 16];
static size_t g_n;

static void put(uint32_t v, int bytes) {
  for (int i = 0; i < bytes; i++) g_file[g_n++] = (uint8_t)(i < (int)sizeof v ? v >> 8 * i : 0);
}

/* A BMP header with a palette of `colors` greys that run downwards, and masks if there are any. */
static void bmp(int w, int h, int bits, uint32_t coding, int colors, const uint32_t mask[4]) {
  g_n = 0;
  put('B' | 'M' << 8, 2);
  put(0, 8);
  put(54 + (uint32_t)colors * 4 + (mask ? 16 : 0), 4);
  put(mask ? 56 : 40, 4);
  put((uint32_t)w, 4);
  put((uint32_t)h, 4);
  put(1, 2);
  put((uint32_t)bits, 2);
  put(coding, 4);
  put(0, 12);
  put((uint32_t)colors, 4);
  put(0, 4);
  for (int i = 0; mask && i < 4; i++) put(mask[i], 4);
  for (int i = 0; i < colors; i++) put((uint32_t)(255 - i) * 0x10101, 4);
}

/* Decode g_file; the samples must be `want`. */
static void expect(int w, int h, whet_pixel pixel, const void *want, size_t n) {
  whet_picture p;
  whet_err err = {0};
  if (whet_picture_decode(g_file, g_n, NULL, &p, &err)) fail_msg("%s", err.text);
  assert_int_equal(p.width, w);
  assert_int_equal(p.height, h);
  assert_int_equal(p.pixel, pixel);
  assert_memory_equal(p.data, want, n);
  whet_picture_free(&p);
}

/* Decoding g_file must fail with this code. */
static void refuse(whet_status code, const whet_decode_opts *o, const char *says) {
  whet_picture p;
  whet_err err = {0};
  assert_int_equal(whet_picture_decode(g_file, g_n, o, &p, &err), code);
  assert_null(p.data);
  if (!strstr(err.text, says)) fail_msg("\"%s\" does not say \"%s\"", err.text, says);
}

static void bmp_plain(void **state) {
  (void)state;
  bmp(3, 2, 24, 0, 0, NULL); /* bottom row first, blue first, rows of 12 bytes */
  for (int i = 0; i < 24; i++) put((uint32_t)i, 1);
  static const uint8_t rgb[] = {14, 13, 12, 17, 16, 15, 20, 19, 18, 2, 1, 0, 5, 4, 3, 8, 7, 6};
  expect(3, 2, WHET_PIXEL_RGB, rgb, sizeof rgb);
  bmp(3, -2, 24, 0, 0, NULL);
  for (int i = 0; i < 24; i++) put((uint32_t)i, 1);
  static const uint8_t down[] = {2, 1, 0, 5, 4, 3, 8, 7, 6, 14, 13, 12, 17, 16, 15, 20, 19, 18};
  expect(3, 2, WHET_PIXEL_RGB, down, sizeof down);
  bmp(9, 1, 1, 0, 2, NULL);
  put(0xa5, 1), put(0x80, 1), put(0, 2); /* 1010 0101 1 */
  uint8_t want[27];
  static const uint8_t bit[] = {1, 0, 1, 0, 0, 1, 0, 1, 1};
  for (int i = 0; i < 27; i++) want[i] = (uint8_t)(255 - bit[i / 3]);
  expect(9, 1, WHET_PIXEL_RGB, want, sizeof want);
  bmp(3, 1, 4, 0, 16, NULL);
  put(0x9c, 1), put(0x30, 1), put(0, 2);
  static const uint8_t four[] = {246, 246, 246, 243, 243, 243, 252, 252, 252};
  expect(3, 1, WHET_PIXEL_RGB, four, sizeof four);
  bmp(2, 1, 16, 0, 0, NULL);
  put(0x7fff, 2), put(0x7c00, 2);
  static const uint8_t five[] = {255, 255, 255, 255, 0, 0};
  expect(2, 1, WHET_PIXEL_RGB, five, sizeof five);
  static const uint32_t mask[] = {0xff, 0xff00, 0xff0000, 0xff000000};
  bmp(1, 1, 32, 3, 0, mask);
  put(0x04030201, 4);
  static const uint8_t rgba[] = {1, 2, 3, 4};
  expect(1, 1, WHET_PIXEL_RGBA, rgba, sizeof rgba);
}

static void bmp_runs(void **state) {
  (void)state;
  bmp(6, 2, 8, 1, 256, NULL);
  put(0x0703, 2), put(0x0300, 2), put(0x030201, 3), put(0, 1); /* 3 x 7, then 1 2 3 */
  put(0, 2);                                                   /* next row */
  put(0x0902, 2), put(0x0200, 2), put(0x0002, 2);              /* 2 x 9, two to the right */
  put(0x0502, 2), put(0x0100, 2);                              /* 2 x 5, end */
  static const uint8_t up[] = {9, 9, 0, 0, 5, 5}, low[] = {7, 7, 7, 1, 2, 3};
  uint8_t want[36];
  for (int i = 0; i < 36; i++) want[i] = (uint8_t)(255 - (i < 18 ? up : low)[i / 3 % 6]);
  expect(6, 2, WHET_PIXEL_RGB, want, sizeof want);
  bmp(5, 1, 4, 2, 16, NULL);
  put(0xab03, 2), put(0x0300, 2), put(0x0021, 2), put(0x0100, 2); /* a b a, then 2 1 and one past the end */
  static const uint8_t row[] = {10, 11, 10, 2, 1};
  for (int i = 0; i < 15; i++) want[i] = (uint8_t)(255 - row[i / 3]);
  expect(5, 1, WHET_PIXEL_RGB, want, 15);
  g_n -= 4;
  refuse(WHET_E_FORMAT, NULL, "end early");
}

/* Set the file to a text. */
static void text(const char *s) {
  g_n = strlen(s);
  memcpy(g_file, s, g_n);
}

static void pnm(void **state) {
  (void)state;
  static const uint8_t bits[] = {0, 255, 0, 255, 255, 0}, grey[] = {0, 85, 255}, rgb[] = {1, 2, 3, 250, 251, 252};
  text("P1 # a comment\n3 2\n101\n0 0 1\n");
  expect(3, 2, WHET_PIXEL_GRAY, bits, sizeof bits);
  text("P4\n3 2\n\xa0\x20");
  expect(3, 2, WHET_PIXEL_GRAY, bits, sizeof bits);
  text("P2\n#x\n3 1 3\n0 1 3");
  expect(3, 1, WHET_PIXEL_GRAY, grey, sizeof grey);
  text("P5 3 1 3 .\1\3");
  g_file[9] = 0;
  expect(3, 1, WHET_PIXEL_GRAY, grey, sizeof grey);
  text("P3 2 1 255 1 2 3 250 251 252");
  expect(2, 1, WHET_PIXEL_RGB, rgb, sizeof rgb);
  text("P6 2 1 255\n\1\2\3\xfa\xfb\xfc");
  expect(2, 1, WHET_PIXEL_RGB, rgb, sizeof rgb);
  text("P5 1 1 65535 \x80\x80");
  expect(1, 1, WHET_PIXEL_GRAY, "\x80", 1);
  text("P6 2 1 255\n\1\2\3\xfa\xfb");
  refuse(WHET_E_FORMAT, NULL, "5 bytes of samples, 6 expected");
  text("P2 2 1 9 1 99");
  refuse(WHET_E_FORMAT, NULL, "offset");
  text("P5 0 1 255 ");
  refuse(WHET_E_FORMAT, NULL, "width");
}

static void limits(void **state) {
  (void)state;
  whet_decode_opts o = whet_decode_opts_default();
  bmp(1 << 20, 1 << 20, 8, 1, 0, NULL);
  put(0x0100, 2);
  refuse(WHET_E_LIMIT, &o, "limit");
  o.max_pixels = 5;
  bmp(3, 2, 24, 0, 0, NULL);
  g_n += 24;
  refuse(WHET_E_LIMIT, &o, "3 x 2");
  text("no picture");
  refuse(WHET_E_FORMAT, NULL, "known kinds are bmp, pnm");
  memcpy(g_file, "\xff\xd8\xff\xe0", 4);
  refuse(WHET_E_UNSUPPORTED, NULL, "JPEG");
  g_n = 0;
  refuse(WHET_E_FORMAT, NULL, "no picture");
}

static void *no_memory(void *user, int64_t h, int64_t w, int32_t samples, size_t bytes) {
  *(size_t *)user = bytes;
  assert_true(h == 2 && w == 3 && samples == 1);
  return NULL;
}

static void conversion(void **state) {
  (void)state;
  whet_decode_opts o = whet_decode_opts_default();
  o.convert = 1;
  o.color = WHET_PIXEL_BGR;
  text("P6 2 1 255\n\1\2\3\xfa\xfb\xfc");
  whet_picture p;
  whet_err err = {0};
  assert_int_equal(whet_picture_decode(g_file, g_n, &o, &p, &err), WHET_OK);
  assert_memory_equal(p.data, "\3\2\1\xfc\xfb\xfa", 6);
  whet_picture_free(&p);
  o.color = WHET_PIXEL_GRAY;
  size_t asked = 0;
  o.alloc = no_memory;
  o.user = &asked;
  bmp(3, 2, 24, 0, 0, NULL);
  for (int i = 0; i < 24; i++) put((uint32_t)i, 1);
  refuse(WHET_E_MEMORY, &o, "no memory");
  assert_int_equal(asked, 6);
}

/* Every prefix and every byte changed: an error or a picture, never more. */
static void damage(void **state) {
  (void)state;
  for (int kind = 0; kind < 3; kind++) {
    if (kind == 0) bmp(5, 3, 4, 2, 16, NULL), put(0xab03, 2), put(0x0300, 2), put(0x0021, 2), put(0x0100, 2);
    if (kind == 1) bmp(5, 3, 8, 0, 16, NULL), g_n += 24;
    if (kind == 2) text("P3 2 1 255 1 2 3 250 251 252");
    uint8_t whole[2048];
    size_t n = g_n;
    memcpy(whole, g_file, n);
    whet_decode_opts o = whet_decode_opts_default();
    o.max_pixels = 1 << 16;
    for (size_t i = 0; i < n + 3000; i++) {
      size_t len = i < n ? i : n;
      uint8_t *bytes = malloc(len ? len : 1);
      memcpy(bytes, whole, len);
      uint32_t r[4];
      whet__rng_block(3, (uint64_t)kind, i, r);
      if (i >= n) bytes[r[0] % len] = (uint8_t)r[1];
      whet_picture p;
      whet_err err = {0};
      whet_status s = whet_picture_decode(bytes, len, &o, &p, &err);
      assert_true(s == WHET_OK ? p.data != NULL : err.text[0] && !p.data);
      whet_picture_free(&p);
      free(bytes);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(bmp_plain),  cmocka_unit_test(bmp_runs),
                                     cmocka_unit_test(pnm),        cmocka_unit_test(limits),
                                     cmocka_unit_test(conversion), cmocka_unit_test(damage)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
