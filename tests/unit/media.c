/* SPDX-License-Identifier: Apache-2.0 */
/* libwhet_media: pictures written with the libraries' own encoders come back, sound from WAV files of every coding,
 * and damaged bytes end in an error. Left-out codecs are skipped by name. The files are kept as a corpus for the
 * fuzzer. */

#include "whet/media.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#if MEDIA_HAVE_jpeg
#include <jpeglib.h>
#endif
#if MEDIA_HAVE_png
#include <spng.h>
#endif
#if MEDIA_HAVE_tiff
#include <tiffio.h>
#endif
#if MEDIA_HAVE_webp
#include <webp/encode.h>
#endif
#if MEDIA_HAVE_jpeg2000
#include <openjpeg.h>
#endif

#include "base/rng.h"
#include "lib/test.h"

enum { W = 37, H = 23 };

static uint8_t *g_file; /* the encoded file */
static size_t g_n;

/* A smooth picture of c samples a pixel. */
static void paint(uint8_t *p, int c) {
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++)
      for (int k = 0; k < c; k++) p[(y * W + x) * c + k] = (uint8_t)(x * (3 + k) + y * (5 - k) + 40 * k);
}

/* Put the file into the fuzzer's corpus. */
static void keep(const char *name) {
  char path[600];
  const char *build = getenv("WHET_BUILD");
  if (!build) return;
  snprintf(path, sizeof path, "%s/corpus", build);
  mkdir(path, 0777);
  snprintf(path, sizeof path, "%s/corpus/media", build);
  mkdir(path, 0777);
  snprintf(path, sizeof path, "%s/corpus/media/%s", build, name);
  FILE *f = fopen(path, "wb");
  if (!f) return;
  fwrite(g_file, 1, g_n, f);
  fclose(f);
}

/* The file must decode to a picture within `off` of `want`. */
static void expect(const uint8_t *want, whet_pixel pixel, int c, int off) {
  whet_picture p;
  whet_err err = {0};
  assert_int_equal(whet_media_register(), WHET_OK);
  if (whet_picture_decode(g_file, g_n, NULL, &p, &err)) fail_msg("%s", err.text);
  assert_true(p.width == W && p.height == H && p.pixel == pixel);
  for (int i = 0; i < W * H * c; i++)
    if (abs(((const uint8_t *)p.data)[i] - want[i]) > off)
      fail_msg("sample %d is %d, not %d", i, ((const uint8_t *)p.data)[i], want[i]);
  whet_picture_free(&p);
}

/* Prefixes and changed bytes of the file. */
static void damage(const char *name) {
  keep(name);
  whet_decode_opts o = whet_decode_opts_default();
  o.max_pixels = 1 << 14;
  size_t step = g_n > 400 ? g_n / 400 : 1;
  for (size_t i = 0; i < 800; i++) {
    size_t len = i < 400 ? i * step : g_n;
    if (len > g_n) len = g_n;
    uint8_t *bytes = malloc(len ? len : 1);
    uint32_t r[4];
    whet__rng_block(7, g_n, i, r);
    memcpy(bytes, g_file, len);
    if (i >= 400) bytes[r[0] % len] ^= (uint8_t)(1 + r[1] % 255);
    whet_picture p;
    whet_err err = {0};
    whet_status s = whet_picture_decode(bytes, len, &o, &p, &err);
    assert_true(s == WHET_OK ? p.data != NULL : err.text[0] && !p.data);
    whet_picture_free(&p);
    free(bytes);
  }
  free(g_file);
}

static void jpeg(void **state) {
  (void)state;
#if MEDIA_HAVE_jpeg
  for (int kind = 0; kind < 3; kind++) { /* grey, colour, progressive colour */
    int c = kind ? 3 : 1;
    uint8_t want[W * H * 3];
    paint(want, c);
    struct jpeg_compress_struct e;
    struct jpeg_error_mgr errors;
    unsigned long n = 0;
    g_file = NULL;
    e.err = jpeg_std_error(&errors);
    jpeg_create_compress(&e);
    jpeg_mem_dest(&e, &g_file, &n);
    e.image_width = W;
    e.image_height = H;
    e.input_components = c;
    e.in_color_space = c == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&e);
    jpeg_set_quality(&e, 100, TRUE);
    for (int k = 0; k < c; k++) e.comp_info[k].h_samp_factor = e.comp_info[k].v_samp_factor = 1;
    if (kind == 2) jpeg_simple_progression(&e);
    jpeg_start_compress(&e, TRUE);
    while (e.next_scanline < H) {
      JSAMPROW row = want + e.next_scanline * W * (unsigned)c;
      jpeg_write_scanlines(&e, &row, 1);
    }
    jpeg_finish_compress(&e);
    jpeg_destroy_compress(&e);
    g_n = n;
    /* Samples wrap from 255 to 0 in the picture: an edge that even quality 100 bends a little. */
    expect(want, c == 1 ? WHET_PIXEL_GRAY : WHET_PIXEL_RGB, c, 6);
    damage(kind == 0 ? "grey.jpg" : kind == 1 ? "colour.jpg" : "progressive.jpg");
  }
#else
  skip();
#endif
}

static void png(void **state) {
  (void)state;
#if MEDIA_HAVE_png
  static const int type[] = {SPNG_COLOR_TYPE_GRAYSCALE, SPNG_COLOR_TYPE_GRAYSCALE_ALPHA, SPNG_COLOR_TYPE_TRUECOLOR,
                             SPNG_COLOR_TYPE_TRUECOLOR_ALPHA};
  static const whet_pixel pixel[] = {WHET_PIXEL_GRAY, WHET_PIXEL_GRAYA, WHET_PIXEL_RGB, WHET_PIXEL_RGBA};
  for (int c = 1; c <= 4; c++) {
    uint8_t want[W * H * 4];
    paint(want, c);
    spng_ctx *e = spng_ctx_new(SPNG_CTX_ENCODER);
    struct spng_ihdr h = {.width = W, .height = H, .bit_depth = 8, .color_type = (uint8_t)type[c - 1]};
    int bad = 0;
    spng_set_option(e, SPNG_ENCODE_TO_BUFFER, 1);
    spng_set_ihdr(e, &h);
    assert_int_equal(spng_encode_image(e, want, (size_t)(W * H * c), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE), 0);
    g_file = spng_get_png_buffer(e, &g_n, &bad);
    spng_ctx_free(e);
    expect(want, pixel[c - 1], c, 0);
    static const char *name[] = {"1.png", "2.png", "3.png", "4.png"};
    damage(name[c - 1]);
  }
  /* Sixteen bits: the high byte. */
  uint16_t wide[W * H];
  uint8_t want[W * H * 3];
  for (int i = 0; i < W * H; i++) wide[i] = (uint16_t)(i % 256 * 257), memset(want + 3 * i, i % 256, 3);
  spng_ctx *e = spng_ctx_new(SPNG_CTX_ENCODER);
  struct spng_ihdr h = {.width = W, .height = H, .bit_depth = 16};
  int bad = 0;
  spng_set_option(e, SPNG_ENCODE_TO_BUFFER, 1);
  spng_set_ihdr(e, &h);
  assert_int_equal(spng_encode_image(e, wide, sizeof wide, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE), 0);
  g_file = spng_get_png_buffer(e, &g_n, &bad);
  spng_ctx_free(e);
  expect(want, WHET_PIXEL_RGB, 3, 0);
  damage("16.png");
#else
  skip();
#endif
}

static void webp(void **state) {
  (void)state;
#if MEDIA_HAVE_webp
  for (int c = 3; c <= 4; c++) {
    uint8_t want[W * H * 4], *made = NULL;
    paint(want, c);
    for (int i = 0; c == 4 && i < W * H; i++) want[i * 4 + 3] |= 1; /* colours under alpha 0 are not kept */
    g_n = c == 3 ? WebPEncodeLosslessRGB(want, W, H, W * 3, &made) : WebPEncodeLosslessRGBA(want, W, H, W * 4, &made);
    assert_true(g_n > 0);
    g_file = malloc(g_n);
    memcpy(g_file, made, g_n);
    WebPFree(made);
    expect(want, c == 3 ? WHET_PIXEL_RGB : WHET_PIXEL_RGBA, c, 0);
    damage(c == 3 ? "3.webp" : "4.webp");
  }
#else
  skip();
#endif
}

/* Read what an encoder wrote to a file. */
static void take(const char *path) {
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  g_file = malloc(1 << 16);
  g_n = fread(g_file, 1, 1 << 16, f);
  fclose(f);
}

static void tiff(void **state) {
  (void)state;
#if MEDIA_HAVE_tiff
  for (int kind = 0; kind < 3; kind++) { /* colour, LZW, alpha */
    int c = kind == 2 ? 4 : 3;
    uint8_t want[W * H * 4];
    paint(want, c);
    for (int i = 0; c == 4 && i < W * H; i++) want[i * 4 + 3] = 255; /* libtiff multiplies alpha in */
    const char *path = test_write(test_folder(), "a.tif", "", 0);
    TIFF *t = TIFFOpen(path, "w");
    assert_non_null(t);
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, W);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, H);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, c);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
    TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(t, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
    TIFFSetField(t, TIFFTAG_COMPRESSION, kind == 1 ? COMPRESSION_LZW : COMPRESSION_NONE);
    uint16_t extra = EXTRASAMPLE_UNASSALPHA;
    if (c == 4) TIFFSetField(t, TIFFTAG_EXTRASAMPLES, 1, &extra);
    for (uint32_t y = 0; y < H; y++) TIFFWriteScanline(t, want + y * W * (unsigned)c, y, 0);
    TIFFClose(t);
    take(path);
    expect(want, c == 4 ? WHET_PIXEL_RGBA : WHET_PIXEL_RGB, c, 0);
    damage(kind == 0 ? "plain.tif" : kind == 1 ? "lzw.tif" : "alpha.tif");
  }
#else
  skip();
#endif
}

static void jpeg2000(void **state) {
  (void)state;
#if MEDIA_HAVE_jpeg2000
  for (int c = 1; c <= 3; c += 2) {
    uint8_t want[W * H * 3];
    paint(want, c);
    opj_image_cmptparm_t part[3];
    memset(part, 0, sizeof part);
    for (int k = 0; k < c; k++)
      part[k] = (opj_image_cmptparm_t){.dx = 1, .dy = 1, .w = W, .h = H, .prec = 8, .bpp = 8};
    opj_image_t *image = opj_image_create((unsigned)c, part, c == 1 ? OPJ_CLRSPC_GRAY : OPJ_CLRSPC_SRGB);
    image->x1 = W;
    image->y1 = H;
    for (int i = 0; i < W * H; i++)
      for (int k = 0; k < c; k++) image->comps[k].data[i] = want[i * c + k];
    opj_cparameters_t o;
    opj_set_default_encoder_parameters(&o);
    o.tcp_numlayers = 1;
    o.cp_disto_alloc = 1;
    o.numresolution = 3;
    const char *path = test_write(test_folder(), "a.jp2", "", 0);
    opj_codec_t *codec = opj_create_compress(OPJ_CODEC_JP2);
    opj_stream_t *stream = opj_stream_create_default_file_stream(path, OPJ_FALSE);
    assert_true(opj_setup_encoder(codec, &o, image) && opj_start_compress(codec, image, stream) &&
                opj_encode(codec, stream) && opj_end_compress(codec, stream));
    opj_stream_destroy(stream);
    opj_destroy_codec(codec);
    opj_image_destroy(image);
    take(path);
    expect(want, c == 1 ? WHET_PIXEL_GRAY : WHET_PIXEL_RGB, c, 0);
    damage(c == 1 ? "1.jp2" : "3.jp2");
  }
#else
  skip();
#endif
}

/* Append a little-endian number. */
static void put(uint64_t v, int bytes) {
  for (int i = 0; i < bytes; i++) g_file[g_n++] = (uint8_t)(i < (int)sizeof v ? v >> 8 * i : 0);
}

/* A WAV header for `bytes` of samples; a chunk of odd length stands before "fmt ". */
static void wav(unsigned coding, unsigned channels, unsigned rate, unsigned bits, unsigned bytes, bool extensible) {
  g_n = 0;
  memcpy(g_file, "RIFF....WAVELIST\3\0\0\0abc\0fmt ", 28);
  g_n = 28;
  put(extensible ? 40 : 16, 4);
  put(extensible ? 0xfffe : coding, 2), put(channels, 2), put(rate, 4), put(rate * channels * bits / 8, 4);
  put(channels * bits / 8, 2), put(bits, 2);
  if (extensible) put(22, 2), put(bits, 2), put(3, 4), put(coding, 2), put(0, 14);
  memcpy(g_file + g_n, "data", 4);
  g_n += 4;
  put(bytes, 4);
}

static void sound(void **state) {
  (void)state;
  static const float want[] = {0, 0.5f, -1, 0.25f};
  static const unsigned bits[] = {8, 16, 24, 32, 32, 64};
  g_file = calloc(1, 8192);
  for (int k = 0; k < 6; k++)
    for (int ext = 0; ext < 2; ext++) {
      bool real = k >= 4;
      wav(real ? 3 : 1, 2, 16000, bits[k], 4 * bits[k] / 8, ext);
      for (int i = 0; i < 4; i++) {
        double d = want[i];
        float f = want[i];
        uint64_t u = 0;
        if (real)
          memcpy(&u, bits[k] == 64 ? (void *)&d : (void *)&f, bits[k] / 8);
        else
          u = (uint64_t)llrint(ldexp(d, (int)bits[k] - 1)) + (bits[k] == 8 ? 128 : 0);
        put(u, (int)bits[k] / 8);
      }
      if (!ext) {
        char name[20];
        snprintf(name, sizeof name, "%d.wav", k);
        keep(name);
      }
      whet_sound s;
      whet_err err = {0};
      if (whet_sound_decode(g_file, g_n, NULL, &s, &err)) fail_msg("%s", err.text);
      assert_true(s.frames == 2 && s.channels == 2 && s.rate == 16000);
      assert_memory_equal(s.data, want, sizeof want);
      whet_sound_free(&s);
      whet_sound_opts o = whet_sound_opts_default();
      o.mono = 1;
      assert_int_equal(whet_sound_decode(g_file, g_n, &o, &s, &err), WHET_OK);
      assert_true(s.frames == 2 && s.channels == 1 && s.data[0] == 0.25f && s.data[1] == -0.375f);
      whet_sound_free(&s);
      o.max_frames = 1;
      assert_int_equal(whet_sound_decode(g_file, g_n, &o, &s, &err), WHET_E_LIMIT);
      for (size_t n = 0; n < g_n; n++) { /* every prefix lacks something */
        uint8_t *part = malloc(n ? n : 1);
        memcpy(part, g_file, n);
        assert_int_equal(whet_sound_decode(part, n, NULL, &s, &err), WHET_E_FORMAT);
        assert_null(s.data);
        free(part);
      }
    }
  whet_sound s;
  whet_err err = {0};
  wav(1, 1, 16000, 16, 2 * 1600, false); /* a tenth of a second of one value: it stays, also at another rate */
  for (int i = 0; i < 1600; i++) put(8192, 2);
  whet_sound_opts slow = whet_sound_opts_default();
  slow.rate = 8000;
  if (whet_sound_decode(g_file, g_n, &slow, &s, &err)) fail_msg("%s", err.text);
  assert_true(s.frames == 800 && s.rate == 8000 && s.came == 16000);
  for (int i = 200; i < 600; i++) assert_float_equal(s.data[i], 0.25f, 1e-5);
  whet_sound_free(&s);
  slow.rate = 3; /* of 16000: more than the resampler takes */
  assert_int_equal(whet_sound_decode(g_file, g_n, &slow, &s, &err), WHET_E_LIMIT);
  assert_null(s.data);
  wav(6, 1, 8000, 8, 0, false);
  assert_int_equal(whet_sound_decode(g_file, g_n, NULL, &s, &err), WHET_E_UNSUPPORTED);
  assert_non_null(strstr(err.text, "coding 6"));
  free(g_file);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(jpeg), cmocka_unit_test(png),      cmocka_unit_test(webp),
                                     cmocka_unit_test(tiff), cmocka_unit_test(jpeg2000), cmocka_unit_test(sound)};
  if (*whet_media_left_out()) printf("left out: %s\n", whet_media_left_out());
  return cmocka_run_group_tests(tests, NULL, NULL);
}
