/* SPDX-License-Identifier: Apache-2.0 */
/* Which pixels an input wants is told from its shape (edge/pipe/geometry.h); where channels could stand first or last they
 * stand first for ONNX, last for TFLite. What the command line does not say, the model's metadata does, else pixels are
 * 0..255; an 8-bit quantised input without either takes pixel 0 as its least and 255 as its greatest number. */

#include "picture.h"

#include <stdio.h>

#include "base/dtype.h"
#include "edge/pipe/geometry.h"
#include "metadata.h"
#include "out.h"

int cli_numbers(const char *s, float out[4]) {
  int n = 0;
  while (n < 4) {
    char number[40];
    size_t len = strcspn(s, ",");
    double v;
    if (!len || len >= sizeof number) return 0;
    memcpy(number, s, len);
    number[len] = 0;
    if (!cli_parse_real(number, &v)) return 0;
    out[n++] = (float)v;
    if (!s[len]) return n;
    s += len + 1;
  }
  return 0;
}

bool cli_range(const char *s, float *lo, float *hi) {
  const char *dots = strstr(s, "..");
  double a, b;
  if (!dots || dots - s >= 40) return false;
  char first[40];
  memcpy(first, s, (size_t)(dots - s));
  first[dots - s] = 0;
  if (!cli_parse_real(first, &a) || !cli_parse_real(dots + 2, &b) || a == b) return false;
  *lo = (float)a;
  *hi = (float)b;
  return true;
}

/* The normalisation that options and metadata say; *by receives "" or who says so. */
static whet_status normalise(const cli_input_opts *o, const cli_metadata *meta, const whet_info *info, int c,
                             whet_prep_opts *p, const char **by, whet_err *err) {
  *by = "";
  float v[4];
  bool asked = o->range || o->mean || o->std;
  if (!asked && (meta->ranged || meta->normalised)) {
    *by = " (the model's metadata)";
    p->lo = meta->lo;
    p->hi = meta->hi;
    for (int i = 0; meta->normalised && i < c; i++) {
      p->mean[i] = meta->mean[meta->n_mean == 1 ? 0 : i];
      p->std[i] = meta->std[meta->n_std == 1 ? 0 : i];
    }
    if (meta->normalised &&
        ((meta->n_mean > 1 && (int)meta->n_mean < c) || (meta->n_std > 1 && (int)meta->n_std < c)))
      return whet__fail(err, WHET_E_DATA, "the model's metadata normalises fewer channels than its input has");
    return WHET_OK;
  }
  if (o->range) cli_range(o->range, &p->lo, &p->hi);
  for (int k = 0; k < 2; k++) {
    const char *text = k ? o->std : o->mean;
    int n = text ? cli_numbers(text, v) : 0;
    if (n > 1 && n != c)
      return whet__fail(err, WHET_E_DATA, "--%s has %d numbers, the input %d channel%s", k ? "std" : "mean", n, c,
                        c > 1 ? "s" : "");
    for (int i = 0; n && i < c; i++) (k ? p->std : p->mean)[i] = v[n == 1 ? 0 : i];
  }
  if (!asked && p->scale != 0 && whet_dtype_bits(info->dtype) == 8) {
    p->lo = p->scale * (float)(whet__dtype_min(info->dtype) - p->zero);
    p->hi = p->scale * (float)(whet__dtype_max(info->dtype) - p->zero);
    *by = " (all that its quantisation holds)";
  }
  return WHET_OK;
}

whet_status cli_picture_tensor(const cli_model *m, size_t i, const whet_info *info, const whet_picture *pic,
                               const cli_input_opts *o, whet_value **out, const char **note, whet_err *err) {
  static const whet_pixel colors[] = {WHET_PIXEL_RGB, WHET_PIXEL_RGB, WHET_PIXEL_BGR, WHET_PIXEL_GRAY};
  static const char *color_name[] = {"gray", "RGB", "BGR", "RGBA", "BGRA"},
                    *fit_name[] = {"stretched", "cropped", "letterboxed"};
  pipe_geometry g;
  cli_metadata meta;
  whet_prep *prep = NULL;
  *out = NULL;
  if (info->kind != WHET_TENSOR || !pipe_geometry_find(info, whet_model_format(m->model) == WHET_FORMAT_ONNX, (pipe_order)o->layout, &g))
    return whet__fail(err, WHET_E_SHAPE,
                      "input \"%.80s\" is %s: that holds no picture (expected are height, width and 1, 3 "
                      "or 4 channels, first or last, of a batch of one)",
                      info->name, cli_info_text(info));
  if (info->quant.n > 1)
    return whet__fail(err, WHET_E_UNSUPPORTED, "input \"%.80s\" has a scale for each channel", info->name);
  cli_metadata_read(m->model, i, &meta);
  whet_prep_opts p = whet_prep_opts_default();
  p.width = g.w < 0 ? pic->width : g.w;
  p.height = g.h < 0 ? pic->height : g.h;
  p.fit = (whet_fit)o->fit;
  p.filter = (whet_filter)o->filter;
  p.layout = g.layout;
  p.dtype = info->dtype;
  if (info->quant.n == 1) p.scale = info->quant.scale[0], p.zero = info->quant.zero ? info->quant.zero[0] : 0;
  p.color = g.c == 1 ? WHET_PIXEL_GRAY : g.c == 4 ? WHET_PIXEL_RGBA : WHET_PIXEL_RGB;
  if (!o->color && meta.colored) p.color = meta.color;
  if (o->color)
    p.color = g.c == 4 && o->color == 2   ? WHET_PIXEL_BGRA
              : g.c == 4 && o->color == 1 ? WHET_PIXEL_RGBA
                                          : colors[o->color];
  int c = p.color == WHET_PIXEL_GRAY ? 1 : p.color == WHET_PIXEL_RGBA || p.color == WHET_PIXEL_BGRA ? 4 : 3;
  if (c != g.c)
    return whet__fail(err, WHET_E_SHAPE, "input \"%.80s\" has %d channel%s, %s has %d", info->name, g.c,
                      g.c > 1 ? "s" : "", color_name[p.color], c);
  const char *by;
  WHET_TRY(normalise(o, &meta, info, c, &p, &by, err));
  float pad[4];
  int n = o->pad ? cli_numbers(o->pad, pad) : 0;
  if (n > 1 && n != c)
    return whet__fail(err, WHET_E_DATA, "--pad has %d numbers, the input %d channel%s", n, c, c > 1 ? "s" : "");
  for (int k = 0; n && k < c; k++) p.pad[k] = (uint8_t)pad[n == 1 ? 0 : k];
  if (g.at_h >= 0) g.dims[g.at_h] = p.height, g.dims[g.at_w] = p.width;
  WHET_TRY(whet_prep_create(&p, &prep, err));
  whet_status s = whet_value_create(p.dtype, g.rank, g.dims, out)
                      ? whet__fail(err, WHET_E_MEMORY, "no memory for the input")
                      : WHET_OK;
  if (!s) s = whet_prep_run(prep, pic, whet_value_data(*out), whet_value_bytes(*out), err);
  whet_prep_close(&prep);
  if (s) {
    whet_value_unref(out);
    return s;
  }
  const char *norm = o->mean || o->std || meta.normalised ? ", normalised" : "";
  *note = cli_keep_printf("%dx%d picture, %s to %dx%d, %s, %s%g..%g%s%s", pic->width, pic->height, fit_name[o->fit],
                          p.width, p.height, color_name[p.color],
                          c > 1 ? (p.layout == WHET_LAYOUT_NCHW ? "nchw, " : "nhwc, ") : "", p.lo, p.hi, norm, by);
  return WHET_OK;
}
