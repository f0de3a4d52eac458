/* SPDX-License-Identifier: Apache-2.0 */
/* ImageDecoder(bytes [n]): the picture that a file holds, [height, width, 3 or 1] of U8. ONNX ImageDecoder 20, pixel_format
 * RGB, BGR or Grayscale (0.299 R + 0.587 G + 0.114 B with 16 bits after the point, to the nearest). Which kinds of files can
 * be read is what whet_codec_register has been told (whet/codec.h). */

#include "op/move.h"
#include "op/object.h"
#include "whet/codec.h"

struct decoder {
  int32_t format;
};
static const whet_attr_desc k_attrs[] = {{"pixel_format", WHET_ATTR_I32, offsetof(struct decoder, format)}, {0}};

static const struct format {
  const char *name;
  whet_pixel pixel;
} k_formats[] = {{"RGB", WHET_PIXEL_RGB}, {"BGR", WHET_PIXEL_BGR}, {"Grayscale", WHET_PIXEL_RGB}};
enum { GRAY = 2 };

static whet_status read_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct decoder, a);
  whet_str s = whet__onnx_str(im, "pixel_format", "RGB");
  for (; a->format < 3; a->format++)
    if (strlen(k_formats[a->format].name) == s.n && !memcmp(k_formats[a->format].name, s.p, s.n))
      return whet__im_node_as_is(im, op, a);
  return whet__im_fail(im, WHET_E_DATA, "pixel_format \"%.20s\", expected RGB, BGR or Grayscale", s.p);
}
static const whet_from k_from[] = {{"", "ImageDecoder", 20, read_onnx}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct decoder *a = n->attr;
  if (whet__in_dtype(f, 0) != WHET_U8 || (whet__in_shape(f, 0)->rank >= 0 && whet__in_shape(f, 0)->rank != 1))
    return whet__infer_fail(f, WHET_E_TYPE, "input 0 is no vector of bytes");
  whet__out_dims(f, 0, WHET_U8, 3, (whet_dim[]){WHET_DIM_ANY, WHET_DIM_ANY, a->format == GRAY ? 1 : 3});
  return WHET_LATE;
}

/* Memory for a picture: output 0, or what is made gray afterwards. */
static void *open_out(void *user, int64_t height, int64_t width, int32_t samples, size_t bytes) {
  const whet_args *a = user;
  return ((const struct decoder *)a->attr)->format == GRAY ? (void *)whet__late_bytes(a, bytes)
                                                           : whet__late_out(a, 0, WHET_U8, 3, (int64_t[]){height, width, samples});
}

static whet_status late(const whet_args *a) {
  const struct decoder *d = a->attr;
  whet_decode_opts o = whet_decode_opts_default();
  whet_picture p;
  o.convert = 1;
  o.color = k_formats[d->format].pixel;
  o.alloc = open_out;
  o.user = (void *)(uintptr_t)a;
  WHET_TRY(whet_picture_decode(a->in[0].data, (size_t)whet__tensor_count(&a->in[0]), &o, &p, a->err));
  if (d->format != GRAY) return WHET_OK;
  uint8_t *y = whet__late_out(a, 0, WHET_U8, 3, (int64_t[]){p.height, p.width, 1});
  const uint8_t *x = p.data;
  if (!y) return a->err->code;
  for (int64_t i = 0; i < (int64_t)p.height * p.width; i++)
    y[i] = (uint8_t)((x[3 * i] * 19595u + x[3 * i + 1] * 38470u + x[3 * i + 2] * 7471u + 0x8000u) >> 16);
  return WHET_OK;
}

const whet_op whet_op_ImageDecoder = {.name = "ImageDecoder",
                                      .flags = WHET_OP_OBJECT | WHET_OP_FROM_FILE,
                                      .attr_size = sizeof(struct decoder),
                                      .attrs = k_attrs,
                                      .from = k_from,
                                      .infer = infer,
                                      .late = late};
