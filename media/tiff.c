/* SPDX-License-Identifier: Apache-2.0 */
/* TIFF by libtiff: the first picture of a file, of any coding that libtiff turns into RGBA; RGBA where the file has
 * an alpha channel, else RGB. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "media.h"

/* The bytes as a file. */
struct bytes {
  const uint8_t *p;
  toff_t n, at;
};

static int knows(const uint8_t *p, size_t n) { return n >= 8 && (!memcmp(p, "II*\0", 4) || !memcmp(p, "MM\0*", 4)); }

static tmsize_t read_bytes(thandle_t h, void *to, tmsize_t n) {
  struct bytes *b = h;
  if (n < 0 || b->at >= b->n) return 0;
  if ((toff_t)n > b->n - b->at) n = (tmsize_t)(b->n - b->at);
  memcpy(to, b->p + b->at, (size_t)n);
  b->at += (toff_t)n;
  return n;
}

static tmsize_t write_bytes(thandle_t h, void *from, tmsize_t n) {
  (void)h, (void)from, (void)n;
  return -1;
}

static toff_t seek(thandle_t h, toff_t at, int whence) {
  struct bytes *b = h;
  b->at = whence == SEEK_CUR ? b->at + at : whence == SEEK_END ? b->n + at : at;
  return b->at;
}

static int close_bytes(thandle_t h) {
  (void)h;
  return 0;
}

static toff_t size(thandle_t h) { return ((struct bytes *)h)->n; }

/* The library's first complaint. */
static int complain(TIFF *t, void *user, const char *module, const char *fmt, va_list ap) {
  char text[300];
  (void)t, (void)module;
  vsnprintf(text, sizeof text, fmt, ap);
  media_fail(user, WHET_E_FORMAT, "TIFF: %s", text);
  return 1;
}

static int silent(TIFF *t, void *user, const char *module, const char *fmt, va_list ap) {
  (void)t, (void)user, (void)module, (void)fmt, (void)ap;
  return 1;
}

/* Decode the first picture of an open file. */
static whet_status picture(TIFF *t, whet_canvas *to, whet_err *err) {
  uint32_t w = 0, h = 0;
  uint16_t n_extra = 0, *extra = NULL;
  char why[1024];
  if (!TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &w) || !TIFFGetField(t, TIFFTAG_IMAGELENGTH, &h))
    return media_fail(err, WHET_E_FORMAT, "TIFF: width or height is missing");
  if (!TIFFRGBAImageOK(t, why)) return media_fail(err, WHET_E_UNSUPPORTED, "TIFF: %.300s", why);
  TIFFGetFieldDefaulted(t, TIFFTAG_EXTRASAMPLES, &n_extra, &extra);
  int n = n_extra && extra && (extra[0] == EXTRASAMPLE_ASSOCALPHA || extra[0] == EXTRASAMPLE_UNASSALPHA) ? 4 : 3;
  uint8_t *out = whet_canvas_open(to, w, h, n == 4 ? WHET_PIXEL_RGBA : WHET_PIXEL_RGB, err);
  if (!out) return err->code;
  size_t pixels = (size_t)w * h;
  uint32_t *raster = malloc(pixels * 4);
  if (!raster) return media_fail(err, WHET_E_MEMORY, "TIFF: no memory for %u x %u pixels", w, h);
  whet_status s = WHET_OK;
  if (!TIFFReadRGBAImageOriented(t, w, h, raster, ORIENTATION_TOPLEFT, 1))
    s = media_fail(err, WHET_E_FORMAT, "TIFF: the picture is damaged or cut short");
  for (size_t i = 0; !s && i < pixels; i++) {
    uint8_t *p = out + i * (size_t)n;
    p[0] = (uint8_t)TIFFGetR(raster[i]);
    p[1] = (uint8_t)TIFFGetG(raster[i]);
    p[2] = (uint8_t)TIFFGetB(raster[i]);
    if (n == 4) p[3] = (uint8_t)TIFFGetA(raster[i]);
  }
  free(raster);
  return s;
}

static whet_status decode(const uint8_t *p, size_t n, whet_canvas *to, whet_err *err) {
  struct bytes b = {p, n, 0};
  TIFFOpenOptions *o = TIFFOpenOptionsAlloc();
  if (!o) return media_fail(err, WHET_E_MEMORY, "TIFF: out of memory");
  TIFFOpenOptionsSetErrorHandlerExtR(o, complain, err);
  TIFFOpenOptionsSetWarningHandlerExtR(o, silent, NULL);
  TIFFOpenOptionsSetMaxSingleMemAlloc(o, (tmsize_t)512 << 20);
  TIFF *t = TIFFClientOpenExt("memory", "rm", &b, read_bytes, write_bytes, seek, close_bytes, size, NULL, NULL, o);
  TIFFOpenOptionsFree(o);
  if (!t) return media_fail(err, WHET_E_FORMAT, "TIFF: the header is damaged");
  whet_status s = picture(t, to, err);
  TIFFClose(t);
  return s;
}

const whet_codec media_tiff = {sizeof(whet_codec), "tiff", knows, decode, NULL};
