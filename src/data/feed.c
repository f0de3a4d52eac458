/* SPDX-License-Identifier: Apache-2.0 */
/* Items into tensors. */

#include <math.h>

#include "base/dtype.h"
#include "data/inner.h"
#include "whet/prep.h"

struct whet_reader {
  const whet_set *set;
  whet_feed feed;
  whet_scratch scratch;
  int64_t count;          /* elements of the tensor */
  int64_t height, width;  /* of the tensor, when items are pictures */
  int32_t channels;
  float mul[4], add[4];   /* sample -> number */
  whet_prep *prep;        /* made for the first picture of another size */
  float *wide;            /* the tensor as floats, when it is of another type */
  uint8_t *turned;        /* planes as pixels */
};

/* ---- shapes ---------------------------------------------------------------------------------- */

/* Height, width and channels that a feed's dimensions stand for. */
static bool picture_dims(const whet_set *s, const whet_feed *f, int64_t *h, int64_t *w, int32_t *c) {
  int64_t count = 1;
  for (int32_t i = 0; i < f->rank; i++) count *= f->dims[i];
  if (f->rank == 3) {
    *h = f->dims[f->first ? 1 : 0], *w = f->dims[f->first ? 2 : 1];
    *c = (int32_t)whet__min_i(f->dims[f->first ? 0 : 2], 5);
    return *c == 1 || *c == 3;
  }
  if (f->rank == 2 && f->dims[1] != s->dims[1] && count == s->dims[0] * s->dims[1] * s->dims[2]) goto flat;
  if (f->rank == 2) {
    *h = f->dims[0], *w = f->dims[1], *c = 1;
    return true;
  }
flat:
  if (s->rank != 3 || count != s->dims[0] * s->dims[1] * s->dims[2]) return false;
  *h = s->dims[0], *w = s->dims[1], *c = (int32_t)s->dims[2];
  return true;
}

whet_status whet__feed_of(const whet_set *s, const whet_info *in, whet_feed *out, whet_err *err) {
  *out = (whet_feed){.dtype = in->dtype, .quant = in->quant, .rank = in->rank - 1};
  if (in->kind != WHET_TENSOR || in->rank < 1)
    return whet__fail(err, WHET_E_SHAPE, "input \"%s\" takes no batch of items", in->name);
  if (in->quant.n > 1) return whet__fail(err, WHET_E_UNSUPPORTED, "input \"%s\" is quantised by channels", in->name);
  for (int32_t i = 0; i < out->rank; i++) out->dims[i] = in->dims[i + 1];
  bool as_is = out->rank == 3 && s->rank == 3 && out->dims[0] == s->dims[0] && out->dims[2] == s->dims[2];
  bool turned = out->rank == 3 && s->rank == 3 && out->dims[0] == s->dims[2] && out->dims[1] == s->dims[0];
  if (turned && !as_is)
    out->first = true;
  else if (out->rank == 3 && !as_is)
    out->first = (out->dims[0] == 1 || out->dims[0] == 3) && !(out->dims[2] == 1 || out->dims[2] == 3);
  for (int32_t i = 0; i < out->rank; i++) {
    if (out->dims[i] >= 0) continue;
    int32_t from = out->rank != s->rank ? -1 : !out->first ? i : i ? i - 1 : 2;
    if (from < 0) return whet__fail(err, WHET_E_SHAPE, "dimension %d of input \"%s\" is open, and the data do not settle it", i + 1, in->name);
    out->dims[i] = s->dims[from];
  }
  return WHET_OK;
}

/* ---- readers --------------------------------------------------------------------------------- */

/* One mean and one std for all channels, or one for each. */
static whet_status check_numbers(const whet_feed *f, int32_t channels, whet_err *err) {
  for (int k = 0; k < 2; k++) {
    int n = k ? f->n_std : f->n_mean;
    if (n > 1 && n != channels)
      return whet__fail(err, WHET_E_DATA, "%s has %d numbers, the input %d channel%s", k ? "std" : "mean", n, channels, channels > 1 ? "s" : "");
  }
  return WHET_OK;
}

whet_status whet__reader_create(const whet_set *s, const whet_feed *f, whet_reader **out, whet_err *err) {
  *out = NULL;
  whet_reader *r = whet__alloc0(s->mem, sizeof *r);
  if (!r) return whet__no_memory(s->mem, sizeof *r, err, "a reader");
  *r = (whet_reader){.set = s, .feed = *f, .scratch = {.mem = s->mem}, .count = 1};
  whet_feed *t = &r->feed;
  whet_status code = WHET_OK;
  if (!t->dtype) t->dtype = WHET_F32;
  for (int32_t i = 0; i < t->rank; i++) r->count *= t->dims[i];
  if (!(whet__is_float(t->dtype) || whet__is_int(t->dtype)) || whet_dtype_bits(t->dtype) < 8)
    code = whet__fail(err, WHET_E_TYPE, "the input is %s; numbers of 8 bits and more are fed", whet_dtype_name(t->dtype));
  int64_t items = 1;
  for (int32_t i = 0; i < s->rank; i++) items *= s->dims[i];
  if (!code && s->item_kind == WHET_ITEM_NUMBERS && items != r->count)
    code = whet__fail(err, WHET_E_SHAPE, "the model takes %lld numbers, an item of %s has %lld", (long long)r->count, s->path, (long long)items);
  if (!code && s->item_kind == WHET_ITEM_PICTURE && !picture_dims(s, t, &r->height, &r->width, &r->channels))
    code = whet__fail(err, WHET_E_SHAPE,
                      "the input is no picture of 1 or 3 channels, and has not as many numbers as one of %s (%lld x %lld x %lld)", s->path,
                      (long long)s->dims[1], (long long)s->dims[0], (long long)s->dims[2]);
  if (!code && s->item_kind == WHET_ITEM_PICTURE) code = check_numbers(t, r->channels, err);
  float lo = t->ranged ? t->lo : 0, hi = t->ranged ? t->hi : whet__set_white(s);
  for (int c = 0; c < 4; c++) {
    float mean = t->n_mean ? t->mean[t->n_mean > 1 ? c : 0] : 0, std = t->n_std ? t->std[t->n_std > 1 ? c : 0] : 1;
    r->mul[c] = (hi - lo) / 255 / std;
    r->add[c] = (lo - mean) / std;
  }
  if (!code && (t->dtype != WHET_F32 || t->quant.n)) {
    r->wide = whet__alloc_array(s->mem, (size_t)r->count, sizeof *r->wide);
    if (!r->wide) code = whet__no_memory(s->mem, (size_t)r->count * 4, err, "a tensor");
  }
  if (code) {
    whet__reader_close(&r);
    return code;
  }
  *out = r;
  return WHET_OK;
}

void whet__reader_close(whet_reader **r) {
  if (!*r) return;
  whet_mem *m = (*r)->scratch.mem;
  const whet_set *s = (*r)->set;
  if ((*r)->scratch.sound.data) s->opts.sound_free(&(*r)->scratch.sound);
  whet__free(m, (*r)->scratch.p);
  whet__free(m, (*r)->wide);
  whet__free(m, (*r)->turned);
  whet_prep_close(&(*r)->prep);
  whet__free(m, *r);
  *r = NULL;
}

size_t whet__reader_bytes(const whet_reader *r) { return (size_t)r->count * whet__dtype_size(r->feed.dtype); }

/* A picture of another size or another number of channels. */
static whet_status resized(whet_reader *r, const whet_item *x, float *to, whet_err *err) {
  if (!r->prep) {
    whet_prep_opts o = whet_prep_opts_default();
    o.width = (int32_t)r->width, o.height = (int32_t)r->height;
    o.color = r->channels == 1 ? WHET_PIXEL_GRAY : WHET_PIXEL_RGB;
    o.layout = r->feed.first ? WHET_LAYOUT_NCHW : WHET_LAYOUT_NHWC;
    o.lo = 0, o.hi = 255;
    for (int c = 0; c < 4; c++) o.mean[c] = -r->add[c] / r->mul[c], o.std[c] = 1 / r->mul[c];
    WHET_TRY(whet_prep_create(&o, &r->prep, err));
  }
  whet_picture pic = {.size = sizeof pic, .data = x->data, .width = x->width, .height = x->height};
  pic.pixel = x->channels == 1 ? WHET_PIXEL_GRAY : WHET_PIXEL_RGB;
  return whet_prep_run(r->prep, &pic, to, (size_t)r->count * sizeof *to, err);
}

static whet_status picture(whet_reader *r, const whet_item *from, float *to, whet_err *err) {
  whet_item x = *from;
  int64_t n = (int64_t)x.height * x.width, c = x.channels;
  if (x.planes) {
    if (!r->turned && !(r->turned = whet__alloc(r->scratch.mem, (size_t)(n * c))))
      return whet__no_memory(r->scratch.mem, (size_t)(n * c), err, "a picture");
    for (int64_t k = 0; k < c; k++)
      for (int64_t i = 0; i < n; i++) r->turned[i * c + k] = x.planes[k * n + i];
    x.data = r->turned;
  }
  if (x.height != r->height || x.width != r->width || x.channels != r->channels) return resized(r, &x, to, err);
  const uint8_t *p = x.data;
  if (c == 1) {
    for (int64_t i = 0; i < n; i++) to[i] = (float)p[i] * r->mul[0] + r->add[0];
  } else if (r->feed.first) {
    for (int64_t k = 0; k < c; k++)
      for (int64_t i = 0; i < n; i++) to[k * n + i] = (float)p[i * c + k] * r->mul[k] + r->add[k];
  } else {
    for (int64_t i = 0; i < n; i++)
      for (int64_t k = 0; k < c; k++) to[i * c + k] = (float)p[i * c + k] * r->mul[k] + r->add[k];
  }
  return WHET_OK;
}

void whet__feed_numbers(whet_feed *f, const whet_feed *from) {
  if (!from) return;
  f->ranged = from->ranged, f->lo = from->lo, f->hi = from->hi;
  f->n_mean = from->n_mean, f->n_std = from->n_std;
  memcpy(f->mean, from->mean, sizeof f->mean);
  memcpy(f->std, from->std, sizeof f->std);
}

void whet__feed_store(const whet_feed *f, const float *from, int64_t n, void *to) {
  bool q = f->quant.n > 0, whole = whet__is_int(f->dtype);
  double scale = q ? (double)f->quant.scale[0] : 1, zero = q && f->quant.zero ? f->quant.zero[0] : 0;
  double least = whole ? (double)whet__dtype_min(f->dtype) : 0, most = whole ? (double)whet__dtype_max(f->dtype) : 0;
  for (int64_t k = 0; k < n; k++) {
    double v = (double)from[k];
    if (whole) {
      v = round(v / scale) + zero;
      v = v < least ? least : v > most ? most : v;
    }
    whet__set_f64(f->dtype, to, k, v);
  }
}

whet_status whet__reader_get(whet_reader *r, int64_t i, void *tensor, float *targets, whet_err *err) {
  const whet_set *s = r->set;
  whet_item x;
  float *to = r->wide ? r->wide : tensor;
  WHET_TRY(s->item(s, &r->scratch, s->first + i, &x, targets, err));
  if (x.kind == WHET_ITEM_PICTURE) {
    WHET_TRY(picture(r, &x, to, err));
  } else if (x.kind == WHET_ITEM_SOUND) {
    int64_t n = whet__min_i(x.count, r->count);
    memcpy(to, x.data, (size_t)n * sizeof *to);
    for (int64_t k = n; k < r->count; k++) to[k] = 0;
  } else {
    for (int64_t k = 0; k < r->count; k++) to[k] = (float)whet__get_f64(x.dtype, x.data, k);
  }
  if (r->wide) whet__feed_store(&r->feed, to, r->count, tensor);
  return WHET_OK;
}
