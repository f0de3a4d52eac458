/* SPDX-License-Identifier: Apache-2.0 */
/* Contents of ONNX tensors: TensorProto with raw_data, typed fields or external data, and SparseTensorProto.
 *
 * Bytes that have the right form already (raw_data, external data, packed float and double fields) are used where
 * they lie, if they are aligned to their element; everything else is copied. whet runs on little-endian machines
 * only, which is how raw_data is stored. */

#include "base/dtype.h"
#include "format/import.h"
#include "wire/pb.h"

/* What a tensor's contents are read with. */
struct want {
  whet_import *im;
  const whet_ox_tensor *t;
  whet_dtype dtype;
  int64_t count; /* elements */
  size_t bytes;  /* of them here */
  size_t raw;    /* of them as raw or external data */
  whet_err *err;
};

/* Room for the contents in the graph's arena, with the slack that kernels may read over. */
static void *room(const struct want *w) {
  size_t n;
  void *p = whet__add_size(w->bytes, WHET_SLACK, &n) ? whet__arena_alloc(&w->im->g->arena, n) : NULL;
  if (!p) whet__im_no_memory(w->im, w->err, w->bytes, w->t->name.p);
  return p;
}

/* Bytes that lie in a file in the right form and length. */
static whet_status take_bytes(const struct want *w, const uint8_t *src, const void **p, bool *mapped) {
  return whet__im_bytes(w->im, w->t->name.p, w->dtype, src, w->bytes, p, mapped, w->err);
}

/* Raw or external data: as they are, but for floats of 6 bits, of which four lie in three bytes, low bits first. */
static whet_status take_raw(const struct want *w, const uint8_t *src, const void **p, bool *mapped) {
  if (!whet__is_float6(w->dtype)) return take_bytes(w, src, p, mapped);
  uint8_t *dst = room(w);
  if (!dst) return w->err->code;
  for (size_t i = 0; i < w->bytes; i++) {
    size_t at = i / 4 * 3 + i % 4 * 6 / 8;
    unsigned two = src[at] | (at + 1 < w->raw ? (unsigned)src[at + 1] << 8 : 0);
    dst[i] = two >> i * 6 % 8 & 63;
  }
  *p = dst;
  return WHET_OK;
}

static whet_status wrong_size(const struct want *w, const char *where, uint64_t got, uint64_t need) {
  return whet__fail(w->err, WHET_E_FORMAT,
                    "byte %zu: tensor \"%.80s\" of type %s has %llu %s, expected %llu by its shape", w->t->self.at,
                    w->t->name.p, whet_dtype_name(w->dtype), (unsigned long long)got, where,
                    (unsigned long long)need);
}

/* "./w.bin" is "w.bin". */
static whet_str plain_name(whet_str s) {
  while (s.n > 2 && s.p[0] == '.' && s.p[1] == '/') s.p += 2, s.n -= 2;
  return s;
}

/* Add a file to the model's, under its name in this reading. */
static whet_status add_file(whet_import *im, whet_str name, whet_file f, int32_t *at, whet_err *err) {
  whet_model *m = im->m;
  if (!whet__grow(&m->mem, (void **)&m->file, &m->cap_file, (size_t)m->n_file + 1, sizeof *m->file) ||
      !whet__names_set(&im->ox_files, name.p, name.n, m->n_file)) {
    whet__file_close(&f);
    return whet__im_no_memory(im, err, sizeof f, "external data");
  }
  *at = m->n_file++;
  m->file[*at] = f;
  return WHET_OK;
}

/* data_location EXTERNAL. Every file is opened once, and only below the model's folder. */
static whet_status external(const struct want *w, const void **p, bool *mapped) {
  whet_import *im = w->im;
  whet_model *m = im->m;
  whet_str loc = plain_name(w->t->location);
  int32_t at = whet__names_get(&im->ox_files, loc.p, loc.n);
  if (at < 0 && !m->folder)
    return whet__fail(w->err, WHET_E_DATA,
                      "tensor \"%.80s\" lies in file \"%.80s\", and no folder for external data is given",
                      w->t->name.p, loc.p);
  if (w->dtype == WHET_STRING)
    return whet__fail(w->err, WHET_E_FORMAT, "tensor \"%.80s\": strings cannot be external data", w->t->name.p);
  if (at < 0) {
    whet_file f;
    if (whet__file_open_in(m->folder, loc.p, m->copy, &m->mem, &f, w->err))
      return whet__fail_in(w->err, "tensor \"%.80s\"", w->t->name.p);
    WHET_TRY(add_file(im, loc, f, &at, w->err));
  }
  const whet_file *f = &m->file[at];
  uint64_t off = w->t->offset;
  if (off > f->n || w->raw > f->n - off)
    return whet__fail(w->err, WHET_E_FORMAT,
                      "tensor \"%.80s\": %zu bytes at %llu of file \"%.80s\", which has %zu bytes", w->t->name.p,
                      w->raw, (unsigned long long)off, loc.p, f->n);
  if (w->t->has_length && w->t->length != w->raw) return wrong_size(w, "external bytes", w->t->length, w->raw);
  return take_raw(w, f->p + off, p, mapped);
}

/* string_data: the strings are copied, so that nothing is read from the file again. */
static whet_status strings(const struct want *w, const void **p) {
  whet_span s = w->t->self;
  whet_pb f;
  whet_str *v = room(w);
  int64_t got = 0;
  if (!v) return w->err->code;
  while (whet__pb_next(&s, &f)) {
    if (f.field != 6) continue;
    if (f.wire != WHET_PB_BYTES || got == w->count)
      return wrong_size(w, "strings or more", (uint64_t)got + 1, (uint64_t)w->count);
    char *c = whet__arena_str(&w->im->g->arena, (const char *)f.bytes.p, f.bytes.n);
    if (!c) return whet__im_no_memory(w->im, w->err, f.bytes.n, w->t->name.p);
    v[got++] = (whet_str){c, f.bytes.n};
  }
  if (got != w->count) return wrong_size(w, "strings", (uint64_t)got, (uint64_t)w->count);
  *p = v;
  return WHET_OK;
}

/* The typed field that holds elements of a type: its number, how single elements are written, and the bytes that each
 * becomes. */
static void typed_field(whet_dtype t, uint32_t *field, uint8_t *wire, unsigned *each) {
  *each = (unsigned)whet__dtype_size(t);
  switch (t) {
    case WHET_F32:
    case WHET_C64:
      *field = 4, *wire = WHET_PB_FIXED32, *each = 4;
      break;
    case WHET_F64:
    case WHET_C128:
      *field = 10, *wire = WHET_PB_FIXED64, *each = 8;
      break;
    case WHET_S64:
      *field = 7, *wire = WHET_PB_VARINT;
      break;
    case WHET_U32:
    case WHET_U64:
      *field = 11, *wire = WHET_PB_VARINT;
      break;
    default:
      *field = 5, *wire = WHET_PB_VARINT;
      break; /* int32_data; types under 8 bits: a packed byte in each */
  }
  if (!*each) *each = 1;
}

/* The contents when they are one packed run of fixed-size elements; NULL otherwise. */
static const uint8_t *one_run(const struct want *w, uint32_t field) {
  whet_span s = w->t->self;
  whet_pb f;
  const uint8_t *found = NULL;
  while (whet__pb_next(&s, &f)) {
    if (f.field != field) continue;
    if (found || f.wire != WHET_PB_BYTES || f.bytes.n != w->bytes) return NULL;
    found = f.bytes.p;
  }
  return found;
}

static whet_status typed(const struct want *w, const void **p, bool *mapped) {
  uint32_t field;
  uint8_t wire;
  unsigned each;
  uint64_t bits;
  typed_field(w->dtype, &field, &wire, &each);
  const uint8_t *run = wire != WHET_PB_VARINT && w->bytes ? one_run(w, field) : NULL;
  if (run) return take_bytes(w, run, p, mapped);
  size_t need = w->bytes / each, got = whet__pb_elements(w->t->self, field, wire);
  if (got != need) return wrong_size(w, "values", got, need); /* before any memory is taken */
  uint8_t *dst = room(w);
  if (!dst) return w->err->code;
  whet_pb_each e = whet__pb_each(w->t->self, field, wire);
  for (got = 0; got < need && whet__pb_each_next(&e, &bits); got++) {
    if (w->dtype == WHET_BOOL) bits = bits != 0;
    memcpy(dst + got * each, &bits, each);
  }
  if (e.msg.bad || got != need)
    return whet__fail(w->err, WHET_E_FORMAT, "byte %zu: tensor \"%.80s\": malformed numbers", e.msg.at, w->t->name.p);
  *p = dst;
  return WHET_OK;
}

/* Dimensions of a tensor, checked. */
static whet_status read_shape(const char *name, const int64_t *dim, int32_t n, whet_shape *s, whet_err *err) {
  if (n > WHET_MAX_RANK)
    return whet__fail(err, WHET_E_UNSUPPORTED, "tensor \"%.80s\" has %d dimensions; at most %d are taken", name,
                      (int)n, WHET_MAX_RANK);
  s->rank = n;
  for (int32_t i = 0; i < n; i++) {
    if (dim[i] < 0)
      return whet__fail(err, WHET_E_FORMAT, "tensor \"%.80s\": dimension %d is %lld", name, (int)i,
                        (long long)dim[i]);
    s->d[i] = dim[i];
  }
  return WHET_OK;
}

/* Type, shape and size of a tensor. */
static whet_status measure(struct want *w, const int64_t *dim, int32_t n_dim, whet_shape *s) {
  const char *name = w->t->name.p;
  w->dtype = whet__ox_dtype(w->t->type);
  if (w->dtype == WHET_NONE)
    return whet__fail(w->err, WHET_E_FORMAT, "byte %zu: tensor \"%.80s\" has element type %d, which is none",
                      w->t->self.at, name, (int)w->t->type);
  WHET_TRY(read_shape(name, dim, n_dim, s, w->err));
  w->count = whet__shape_count(s);
  w->bytes = w->count < 0 ? 0 : whet_dtype_bytes(w->dtype, (size_t)w->count);
  if (w->count < 0 || (w->count && !w->bytes))
    return whet__fail(w->err, WHET_E_FORMAT, "byte %zu: tensor \"%.80s\": its size overflows", w->t->self.at, name);
  w->raw = whet__is_float6(w->dtype) ? w->bytes - w->bytes / 4 : w->bytes;
  return WHET_OK;
}

whet_status whet__ox_contents(whet_import *im, const whet_ox_tensor *t, whet_dtype *dtype, whet_shape *shape,
                              const void **p, bool *mapped, whet_err *err) {
  struct want w = {.im = im, .t = t, .err = err};
  *p = NULL;
  *mapped = false;
  WHET_TRY(measure(&w, t->dim, t->n_dim, shape));
  *dtype = w.dtype;
  if (t->external) return external(&w, p, mapped);
  if (w.dtype == WHET_STRING) {
    /* Before room is taken, see that the message could hold them: a tag and a length each. */
    if ((uint64_t)w.count > t->self.n / 2) return wrong_size(&w, "bytes at most", t->self.n / 2, (uint64_t)w.count);
    return strings(&w, p);
  }
  if (t->has_raw && (t->raw.n || !w.bytes)) {
    if (t->raw.n != w.raw) return wrong_size(&w, "bytes", t->raw.n, w.raw);
    return take_raw(&w, t->raw.p, p, mapped);
  }
  return typed(&w, p, mapped);
}

whet_status whet__ox_initializer(whet_import *im, const whet_ox_tensor *t, whet_dtype *dtype, whet_shape *shape,
                                 const void **p, bool *mapped, whet_err *err) {
  int32_t at = whet__names_get(&im->ox_given, t->name.p, t->name.n);
  if (at < 0) return whet__ox_contents(im, t, dtype, shape, p, mapped, err);
  const whet_initializer *x = &im->opts->initializers[at];
  struct want w = {.im = im, .t = t, .err = err};
  WHET_TRY(measure(&w, t->dim, t->n_dim, shape));
  *dtype = w.dtype;
  *mapped = false;
  if (x->external && !t->external)
    return whet__fail(err, WHET_E_DATA,
                      "initializer \"%.80s\" is given as external data, and the model itself has its contents",
                      x->name);
  if (x->dtype != w.dtype)
    return whet__fail(err, WHET_E_TYPE, "initializer \"%.80s\": given as %s, the model has %s", x->name,
                      whet_dtype_name(x->dtype), whet_dtype_name(w.dtype));
  whet_shape s = {.rank = x->rank};
  if (x->rank) memcpy(s.d, x->dims, (size_t)x->rank * sizeof *s.d);
  if (!whet__shape_equal(&s, shape)) {
    char got[80], want[80];
    return whet__fail(err, WHET_E_SHAPE, "initializer \"%.80s\": given as %s, the model has %s", x->name,
                      whet__shape_text(im->g, &s, got, sizeof got),
                      whet__shape_text(im->g, shape, want, sizeof want));
  }
  if (w.dtype != WHET_STRING) return take_bytes(&w, x->data, p, mapped);
  *p = x->data;
  return WHET_OK;
}

whet_status whet__ox_take_given(whet_import *im) {
  const whet_model_opts *o = im->opts;
  for (size_t i = 0; i < o->n_initializers; i++) {
    const char *name = o->initializers[i].name;
    if (whet__names_get(&im->ox_given, name, strlen(name)) >= 0)
      return whet__fail(im->err, WHET_E_MISUSE, "initializer \"%.80s\" is given twice", name);
    if (!whet__names_set(&im->ox_given, name, strlen(name), (int32_t)i))
      return whet__im_no_memory(im, im->err, sizeof *o->initializers, "initializers");
  }
  for (size_t i = 0; i < o->n_data_files; i++) {
    const whet_data_file *d = &o->data_files[i];
    whet_str name = plain_name((whet_str){d->name, strlen(d->name)});
    whet_file f = {.p = d->bytes, .n = d->n};
    int32_t at;
    if (whet__names_get(&im->ox_files, name.p, name.n) >= 0)
      return whet__fail(im->err, WHET_E_MISUSE, "file \"%.80s\" of external data is given twice", d->name);
    if (im->m->copy) {
      uint8_t *copy = whet__alloc(&im->m->mem, d->n);
      if (!copy) return whet__im_no_memory(im, im->err, d->n, d->name);
      if (d->n) memcpy(copy, d->bytes, d->n);
      f.p = copy;
      f.mem = &im->m->mem;
    }
    WHET_TRY(add_file(im, name, f, &at, im->err));
  }
  return WHET_OK;
}

/* Place in the dense tensor of entry k; -1 when its index is out of range. `wide`: an index for each dimension. */
static int64_t place(const whet_shape *s, int64_t count, const void *index, bool wide, int64_t k) {
  int64_t at = 0;
  if (!wide) {
    at = whet__get_i64(WHET_S64, index, k);
    return at < 0 || at >= count ? -1 : at;
  }
  for (int32_t d = 0; d < s->rank; d++) {
    int64_t i = whet__get_i64(WHET_S64, index, k * s->rank + d);
    if (i < 0 || i >= s->d[d]) return -1;
    at = at * s->d[d] + i;
  }
  return at;
}

whet_status whet__ox_dense(whet_import *im, const whet_ox_sparse *t, whet_dtype *dtype, whet_shape *shape,
                           const void **p, whet_err *err) {
  struct want w = {.im = im, .t = &t->values, .err = err};
  whet_shape vs, is;
  whet_dtype vt, it;
  const void *v, *index;
  bool mapped;
  const char *name = t->values.name.p;
  WHET_TRY(whet__ox_contents(im, &t->values, &vt, &vs, &v, &mapped, err));
  WHET_TRY(whet__ox_contents(im, &t->indices, &it, &is, &index, &mapped, err));
  WHET_TRY(measure(&w, t->dim, t->n_dim, shape));
  int64_t n = whet__shape_count(&vs);
  bool wide = is.rank == 2;
  if (vs.rank != 1 || it != WHET_S64 || is.rank < 1 || is.rank > 2 || is.d[0] != n ||
      (wide && is.d[1] != shape->rank))
    return whet__fail(err, WHET_E_FORMAT,
                      "byte %zu: sparse tensor \"%.80s\": values must be [n], indices int64 [n] or [n, %d]", t->at,
                      name, (int)shape->rank);
  if (vt == WHET_STRING) return whet__fail(err, WHET_E_UNSUPPORTED, "sparse tensor \"%.80s\" of strings", name);
  WHET_TRY(whet__im_inflate(im, w.bytes, (uint64_t)n * 8, name, err));
  uint8_t *dst = room(&w);
  if (!dst) return err->code;
  size_t each = whet__dtype_size(vt);
  for (int64_t k = 0; k < n; k++) {
    int64_t at = place(shape, w.count, index, wide, k);
    if (at < 0)
      return whet__fail(err, WHET_E_FORMAT, "byte %zu: sparse tensor \"%.80s\": index %lld is out of range", t->at,
                        name, (long long)k);
    if (each)
      memcpy(dst + (size_t)at * each, (const uint8_t *)v + (size_t)k * each, each);
    else
      whet__set_i64(vt == WHET_F4E2M1 ? WHET_U4 : vt, dst, at, whet__get_i64(vt == WHET_F4E2M1 ? WHET_U4 : vt, v, k));
  }
  *dtype = vt;
  *p = dst;
  return WHET_OK;
}
