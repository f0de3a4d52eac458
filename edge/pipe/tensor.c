/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors as stages see them. */

#include "edge/pipe/tensor.h"

#include <math.h>

#include <string.h>

#include "edge/pipe/numbers.h"

whet_status pipe_tensor_output(whet_session *s, size_t i, pipe_tensor *out, whet_err *err) {
  whet_info info;
  size_t bytes;
  EDGE_TRY(whet_session_output_info(s, i, &info));
  *out = (pipe_tensor){.name = info.name, .dtype = info.dtype, .rank = info.rank, .n = 1, .quant = info.quant};
  if (info.kind != WHET_TENSOR || info.rank < 0)
    return edge_fail(err, WHET_E_UNSUPPORTED, "output \"%.80s\" is no tensor", info.name);
  for (int32_t k = 0; k < info.rank; k++) {
    out->dims[k] = info.dims[k];
    out->n *= info.dims[k] < 0 ? 0 : (size_t)info.dims[k];
  }
  out->data = whet_session_output(s, i, &bytes, err);
  return out->data || !out->n ? WHET_OK : err && err->code ? err->code : WHET_E_INTERNAL;
}

whet_status pipe_tensor_floats(const pipe_tensor *t, size_t first, size_t n, float *out, whet_err *err) {
  if (first > t->n || n > t->n - first)
    return edge_fail(err, WHET_E_SHAPE, "\"%.80s\" has %zu elements, %zu from %zu on were asked for", t->name, t->n,
                     n, first);
  if (!pipe_numbers(t->dtype, t->data, first, n, out))
    return edge_fail(err, WHET_E_TYPE, "\"%.80s\" is %s, which holds no numbers that this stage reads", t->name,
                     whet_dtype_name(t->dtype));
  const whet_quant_info *q = &t->quant;
  if (!q->n) return WHET_OK;
  size_t inner = 1;
  for (int32_t k = q->axis + 1; q->n > 1 && k < t->rank; k++) inner *= (size_t)t->dims[k];
  for (size_t i = 0; i < n; i++) {
    size_t c = q->n == 1 ? 0 : (first + i) / inner % (size_t)q->n;
    out[i] = q->scale[c] * (out[i] - (float)(q->zero ? q->zero[c] : 0));
  }
  return WHET_OK;
}

bool pipe_tensor_set(whet_dtype t, void *to, size_t i, double v) {
  switch (t) {
    case WHET_F32:
      ((float *)to)[i] = (float)v;
      return true;
    case WHET_F64:
      ((double *)to)[i] = v;
      return true;
    case WHET_S8:
      ((int8_t *)to)[i] = (int8_t)fmin(fmax(v, -128), 127);
      return true;
    case WHET_U8:
      ((uint8_t *)to)[i] = (uint8_t)fmin(fmax(v, 0), 255);
      return true;
    case WHET_S16:
      ((int16_t *)to)[i] = (int16_t)fmin(fmax(v, -32768), 32767);
      return true;
    case WHET_U16:
      ((uint16_t *)to)[i] = (uint16_t)fmin(fmax(v, 0), 65535);
      return true;
    case WHET_S32:
      ((int32_t *)to)[i] = (int32_t)fmin(fmax(v, -2147483648.0), 2147483647.0);
      return true;
    case WHET_S64:
      ((int64_t *)to)[i] = (int64_t)fmin(fmax(v, -9.2e18), 9.2e18);
      return true;
    case WHET_BOOL:
      ((uint8_t *)to)[i] = v != 0;
      return true;
    default:
      return false;
  }
}

whet_status pipe_tensor_convert(const pipe_tensor *t, double scale, double offset, whet_dtype type, void *to,
                                whet_err *err) {
  enum { SOME = 256 };
  float v[SOME];
  bool whole = type != WHET_F32 && type != WHET_F64;
  for (size_t at = 0, n; at < t->n; at += n) {
    n = t->n - at < SOME ? t->n - at : SOME;
    EDGE_TRY(pipe_tensor_floats(t, at, n, v, err));
    for (size_t i = 0; i < n; i++) {
      double x = (double)v[i] * scale + offset;
      if (!pipe_tensor_set(type, to, at + i, whole ? round(x) : x))
        return edge_fail(err, WHET_E_TYPE, "\"%.60s\" cannot be sent as %s", t->name, whet_dtype_name(type));
    }
  }
  return WHET_OK;
}

whet_status pipe_tensor_put(const whet_info *info, bool raw, double factor, const float *v, size_t n, void *to,
                            whet_err *err) {
  const whet_quant_info *q = &info->quant;
  bool real = q->n && !raw, whole = info->dtype != WHET_F32 && info->dtype != WHET_F64;
  double scale = real ? (double)q->scale[0] : 1;
  int32_t zero = real && q->zero ? q->zero[0] : 0;
  if (real && q->n > 1)
    return edge_fail(err, WHET_E_UNSUPPORTED, "the input \"%.60s\" has a scale for each channel", info->name);
  for (size_t i = 0; i < n; i++) {
    double x = (double)v[i] * factor;
    if (!pipe_tensor_set(info->dtype, to, i, whole ? round(x / scale) + zero : x))
      return edge_fail(err, WHET_E_TYPE, "the input \"%.60s\" is %s, the frame float32", info->name,
                       whet_dtype_name(info->dtype));
  }
  return WHET_OK;
}
