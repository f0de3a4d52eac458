/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG 2000 by OpenJPEG: JP2 files and bare codestreams of one to four components of equal size; other precisions
 * than 8 bits are shifted to 8, sYCC becomes RGB. */

#include <openjpeg.h>
#include <string.h>

#include "media.h"

/* The bytes as a stream. */
struct bytes {
  const uint8_t *p;
  size_t n, at;
};

static int knows(const uint8_t *p, size_t n) {
  return (n >= 12 && !memcmp(p + 4, "jP  \r\n\x87\n", 8)) || (n >= 4 && !memcmp(p, "\xff\x4f\xff\x51", 4));
}

static OPJ_SIZE_T read_bytes(void *to, OPJ_SIZE_T n, void *user) {
  struct bytes *b = user;
  if (b->at >= b->n) return (OPJ_SIZE_T)-1;
  if (n > b->n - b->at) n = b->n - b->at;
  memcpy(to, b->p + b->at, n);
  b->at += n;
  return n;
}

static OPJ_OFF_T skip(OPJ_OFF_T n, void *user) {
  struct bytes *b = user;
  if (n < 0) return -1;
  if ((uint64_t)n > b->n - b->at) n = (OPJ_OFF_T)(b->n - b->at);
  b->at += (size_t)n;
  return n;
}

static OPJ_BOOL seek(OPJ_OFF_T at, void *user) {
  struct bytes *b = user;
  if (at < 0 || (uint64_t)at > b->n) return OPJ_FALSE;
  b->at = (size_t)at;
  return OPJ_TRUE;
}

/* The library's first complaint. */
static void complain(const char *text, void *user) {
  media_fail(user, WHET_E_FORMAT, "JPEG 2000: %.*s", (int)strcspn(text, "\n"), text);
}

/* Sample i of component c as 8 bits. */
static uint8_t sample(const opj_image_comp_t *c, size_t i) {
  int64_t v = c->data[i] + (c->sgnd ? (int64_t)1 << (c->prec - 1) : 0);
  v = c->prec > 8 ? v >> (c->prec - 8) : c->prec < 8 ? v * 255 / (((int64_t)1 << c->prec) - 1) : v;
  return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* A value of YCbCr arithmetic as a sample. */
static uint8_t clamp(double v) { return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5); }

/* Decode what the headers of `image` describe. */
static whet_status picture(opj_codec_t *codec, opj_stream_t *stream, opj_image_t *image, whet_canvas *to,
                           whet_err *err) {
  static const whet_pixel pixel[] = {WHET_PIXEL_GRAY, WHET_PIXEL_GRAYA, WHET_PIXEL_RGB, WHET_PIXEL_RGBA};
  unsigned n = image->numcomps;
  if (n < 1 || n > 4) return media_fail(err, WHET_E_UNSUPPORTED, "JPEG 2000: %u components", n);
  for (unsigned i = 0; i < n; i++)
    if (image->comps[i].w != image->comps[0].w || image->comps[i].h != image->comps[0].h ||
        image->comps[i].prec < 1 || image->comps[i].prec > 31)
      return media_fail(err, WHET_E_UNSUPPORTED, "JPEG 2000: component %u has another size or %u bits", i,
                        image->comps[i].prec);
  size_t w = image->comps[0].w, h = image->comps[0].h;
  uint8_t *out = whet_canvas_open(to, (int64_t)w, (int64_t)h, pixel[n - 1], err);
  if (!out) return err->code;
  if (!opj_decode(codec, stream, image) || !opj_end_decompress(codec, stream))
    return media_fail(err, WHET_E_FORMAT, "JPEG 2000: the picture is damaged or cut short");
  for (unsigned i = 0; i < n; i++)
    if (!image->comps[i].data || image->comps[i].w != w || image->comps[i].h != h)
      return media_fail(err, WHET_E_FORMAT, "JPEG 2000: component %u was not decoded", i);
  for (size_t i = 0; i < w * h; i++)
    for (unsigned k = 0; k < n; k++) out[i * n + k] = sample(&image->comps[k], i);
  if (image->color_space == OPJ_CLRSPC_SYCC && n >= 3)
    for (size_t i = 0; i < w * h; i++) {
      uint8_t *p = out + i * n;
      double y = p[0], cb = p[1] - 128.0, cr = p[2] - 128.0;
      p[0] = clamp(y + 1.402 * cr);
      p[1] = clamp(y - 0.344136 * cb - 0.714136 * cr);
      p[2] = clamp(y + 1.772 * cb);
    }
  return WHET_OK;
}

static whet_status decode(const uint8_t *p, size_t n, whet_canvas *to, whet_err *err) {
  struct bytes b = {p, n, 0};
  opj_dparameters_t params;
  opj_image_t *image = NULL;
  opj_codec_t *codec = opj_create_decompress(p[0] == 0xff ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
  opj_stream_t *stream = opj_stream_default_create(OPJ_TRUE);
  whet_status s = WHET_OK;
  if (!codec || !stream) {
    s = media_fail(err, WHET_E_MEMORY, "JPEG 2000: out of memory");
    goto done;
  }
  opj_set_error_handler(codec, complain, err);
  opj_stream_set_user_data(stream, &b, NULL);
  opj_stream_set_user_data_length(stream, n);
  opj_stream_set_read_function(stream, read_bytes);
  opj_stream_set_skip_function(stream, skip);
  opj_stream_set_seek_function(stream, seek);
  opj_set_default_decoder_parameters(&params);
  if (!opj_setup_decoder(codec, &params) || !opj_read_header(stream, codec, &image))
    s = media_fail(err, WHET_E_FORMAT, "JPEG 2000: the header is damaged");
  else
    s = picture(codec, stream, image, to, err);
done:
  if (image) opj_image_destroy(image);
  if (stream) opj_stream_destroy(stream);
  if (codec) opj_destroy_codec(codec);
  return s;
}

const whet_codec media_jpeg2000 = {sizeof(whet_codec), "jpeg2000", knows, decode, NULL};
