/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors: what callers are shown of a session's inputs and outputs. */

#include "shim.h"

static const struct {
  whet_dtype w;
  TfLiteType t;
} k_type[] = {{WHET_F32, kTfLiteFloat32}, {WHET_S32, kTfLiteInt32},     {WHET_U8, kTfLiteUInt8},
              {WHET_S64, kTfLiteInt64},   {WHET_STRING, kTfLiteString}, {WHET_BOOL, kTfLiteBool},
              {WHET_S16, kTfLiteInt16},   {WHET_C64, kTfLiteComplex64}, {WHET_S8, kTfLiteInt8},
              {WHET_F16, kTfLiteFloat16}, {WHET_F64, kTfLiteFloat64},   {WHET_C128, kTfLiteComplex128},
              {WHET_U64, kTfLiteUInt64},  {WHET_U32, kTfLiteUInt32},    {WHET_U16, kTfLiteUInt16},
              {WHET_S4, kTfLiteInt4},     {WHET_BF16, kTfLiteBFloat16}};

TfLiteType type_of(whet_dtype w) {
  for (size_t i = 0; i < sizeof k_type / sizeof *k_type; i++)
    if (k_type[i].w == w) return k_type[i].t;
  return kTfLiteNoType;
}
whet_dtype dtype_of(TfLiteType t) {
  for (size_t i = 0; i < sizeof k_type / sizeof *k_type; i++)
    if (k_type[i].t == t) return k_type[i].w;
  return WHET_NONE;
}

void port_free(port *p) {
  free(p->t.dims);
  free((void *)p->t.dims_signature);
  free(p->affine.scale);
  free(p->affine.zero_point);
  free(p->text);
  p->t.dims = NULL;
  p->t.dims_signature = NULL;
  p->affine = (TfLiteAffineQuantization){0};
  p->text = NULL;
}

static TfLiteIntArray *dims_of(int32_t rank, const int64_t *d) {
  TfLiteIntArray *a = calloc(1, sizeof *a + (size_t)(rank < 0 ? 0 : rank) * sizeof *a->data);
  if (!a) return NULL;
  a->size = rank < 0 ? 0 : rank;
  for (int32_t i = 0; i < a->size; i++) a->data[i] = d[i] > INT32_MAX ? INT32_MAX : (int)d[i];
  return a;
}

/* Scales and zero points of an affine quantisation. */
static bool describe_quant(port *p, const whet_quant_info *q) {
  if (q->n < 1) return true;
  TfLiteAffineQuantization *a = &p->affine;
  a->scale = calloc(1, sizeof *a->scale + (size_t)q->n * sizeof(float));
  a->zero_point = calloc(1, sizeof *a->zero_point + (size_t)q->n * sizeof(int));
  if (!a->scale || !a->zero_point) return false;
  a->scale->size = a->zero_point->size = q->n;
  a->quantized_dimension = q->n > 1 ? q->axis : 0;
  for (int32_t i = 0; i < q->n; i++) {
    a->scale->data[i] = q->scale[i];
    a->zero_point->data[i] = q->zero ? q->zero[i] : 0;
  }
  p->t.quantization = (TfLiteQuantization){kTfLiteAffineQuantization, a};
  if (q->n == 1) p->t.params = (TfLiteQuantizationParams){q->scale[0], q->zero ? q->zero[0] : 0};
  return true;
}

bool port_describe(port *p, const whet_info *info) {
  int64_t now[WHET_MAX_RANK];
  void *text = p->text;
  p->text = NULL;
  port_free(p);
  p->text = text;
  p->t.name = info->name;
  p->t.type = type_of(info->dtype);
  p->t.params = (TfLiteQuantizationParams){0, 0};
  p->t.quantization = (TfLiteQuantization){kTfLiteNoQuantization, NULL};
  p->t.buffer_handle = kTfLiteNullBufferHandle;
  for (int32_t i = 0; i < info->rank; i++)
    now[i] = info->dims[i] < 0 ? 1 : info->dims[i]; /* as the original counts them */
  p->t.dims = dims_of(info->rank, now);
  p->t.dims_signature = dims_of(info->rank, info->dims);
  return p->t.dims && p->t.dims_signature && describe_quant(p, &info->quant);
}

TfLiteType TfLiteTensorType(const TfLiteTensor *t) { return t ? t->type : kTfLiteNoType; }
int32_t TfLiteTensorNumDims(const TfLiteTensor *t) { return !t ? 0 : !t->dims ? -1 : t->dims->size; }
int32_t TfLiteTensorDim(const TfLiteTensor *t, int32_t i) {
  return t && t->dims && i >= 0 && i < t->dims->size ? t->dims->data[i] : -1;
}
size_t TfLiteTensorByteSize(const TfLiteTensor *t) { return t ? t->bytes : 0; }
void *TfLiteTensorData(const TfLiteTensor *t) { return t ? t->data.data : NULL; }
const char *TfLiteTensorName(const TfLiteTensor *t) { return t ? t->name : NULL; }
TfLiteQuantizationParams TfLiteTensorQuantizationParams(const TfLiteTensor *t) {
  return t ? t->params : (TfLiteQuantizationParams){0, 0};
}

/* Strings go to the session as a value; the tensor shows the packed form. */
static TfLiteStatus copy_strings(port *p, const void *data, size_t n) {
  int64_t dims[WHET_MAX_RANK];
  whet_err err = {0};
  for (int i = 0; i < p->t.dims->size; i++) dims[i] = p->t.dims->data[i];
  whet_value *v = p->r && !p->out ? strings_unpack(data, n, p->t.dims->size, dims) : NULL;
  void *text = malloc(n ? n : 1);
  if (!v || !text || whet_session_set_input(p->r->session, p->i, v, &err)) {
    if (p->r)
      report_say(&p->r->report, "TfLiteTensorCopyFromBuffer: tensor \"%s\": %s", p->t.name,
                 v ? err.text : "these bytes are no packed strings of that count");
    whet_value_unref(&v);
    free(text);
    return kTfLiteError;
  }
  whet_value_unref(&v);
  memcpy(text, data, n);
  free(p->text);
  p->text = p->t.data.raw = text;
  p->t.bytes = n;
  return kTfLiteOk;
}

TfLiteStatus TfLiteTensorCopyFromBuffer(TfLiteTensor *t, const void *data, size_t n) {
  if (!t || (!data && n)) return kTfLiteError;
  port *p = (port *)t;
  if (t->type == kTfLiteString) return copy_strings(p, data, n);
  if (n != t->bytes || (!t->data.data && n)) {
    if (p->r)
      report_say(&p->r->report, "TfLiteTensorCopyFromBuffer: %zu bytes for tensor \"%s\" of %zu", n, t->name,
                 t->bytes);
    return kTfLiteError;
  }
  if (n) memcpy(t->data.data, data, n);
  return kTfLiteOk;
}

TfLiteStatus TfLiteTensorCopyToBuffer(const TfLiteTensor *t, void *data, size_t n) {
  if (!t || (!data && n)) return kTfLiteError;
  const port *p = (const port *)t;
  if (n != t->bytes || (!t->data.data && n)) {
    if (p->r)
      report_say(&p->r->report, "TfLiteTensorCopyToBuffer: %zu bytes of tensor \"%s\" of %zu", n, t->name, t->bytes);
    return kTfLiteError;
  }
  if (n) memcpy(data, t->data.data, n);
  return kTfLiteOk;
}

/* ---- strings: count, count + 1 offsets (int32 each), characters -------------------------------------------------
 */

static int32_t i32_at(const void *p, size_t i) {
  int32_t v;
  memcpy(&v, (const char *)p + 4 * i, 4);
  return v;
}

int32_t strings_count(const void *p, size_t n) {
  int32_t count = p && n >= 4 ? i32_at(p, 0) : -1;
  bool ok = count >= 0 && (size_t)count <= (n - 4) / 4 - (n >= 8);
  for (int32_t i = 0; ok && i < count; i++) {
    int32_t from = i32_at(p, 1 + (size_t)i), to = i32_at(p, 2 + (size_t)i);
    ok = from >= 0 && to >= from && (size_t)to <= n;
  }
  return ok ? count : -1;
}

whet_str strings_at(const void *p, int32_t i) {
  int32_t from = i32_at(p, 1 + (size_t)i), to = i32_at(p, 2 + (size_t)i);
  return (whet_str){(const char *)p + from, (size_t)(to - from)};
}

whet_value *strings_unpack(const void *p, size_t n, int32_t rank, const int64_t *dims) {
  whet_value *v = NULL;
  int32_t count = strings_count(p, n);
  if (count < 0 || whet_value_create(WHET_STRING, rank, dims, &v)) return NULL;
  bool ok = (size_t)count == whet_value_count(v);
  for (int32_t i = 0; ok && i < count; i++) {
    whet_str s = strings_at(p, i);
    ok = !whet_value_set_string(v, (size_t)i, s.p, s.n);
  }
  if (!ok) whet_value_unref(&v);
  return v;
}

void *strings_pack(const whet_str *s, size_t count, size_t *n) {
  size_t at = 4 * (count + 2);
  *n = at;
  for (size_t i = 0; i < count; i++) *n += s[i].n;
  char *p = *n <= INT32_MAX ? malloc(*n) : NULL;
  if (!p) return NULL;
  memcpy(p, &(int32_t){(int32_t)count}, 4);
  for (size_t i = 0; i < count; i++) {
    memcpy(p + 4 * (i + 1), &(int32_t){(int32_t)at}, 4);
    if (s[i].n) memcpy(p + at, s[i].p, s[i].n);
    at += s[i].n;
  }
  memcpy(p + 4 * (count + 1), &(int32_t){(int32_t)at}, 4);
  return p;
}
