/* SPDX-License-Identifier: Apache-2.0 */
/* whet_model_export: prepare, write, put the file in its place. */

#include "base/file.h"
#include "export/export.h"
#include "whet/export.h"

enum { OLDEST_OPSET = 13, NEWEST_OPSET = 21, OPSET = 17 };

whet_export_opts whet_export_opts_default(void) { return (whet_export_opts){.size = sizeof(whet_export_opts), .opset = OPSET}; }

whet_status whet_model_export(whet_model *m, const char *path, whet_format format, const whet_export_opts *opts,
                              whet_err *err) {
  whet_export_opts o = whet_export_opts_default();
  if (!m || !path) return whet__fail(err, WHET_E_MISUSE, "no model or no path");
  if (opts && (opts->size < sizeof(size_t) || opts->size > sizeof o))
    return whet__fail(err, WHET_E_MISUSE, "options of %zu bytes: expected at most %zu", opts->size, sizeof o);
  if (opts) memcpy(&o, opts, opts->size);
  if (o.opset < OLDEST_OPSET || o.opset > NEWEST_OPSET)
    return whet__fail(err, WHET_E_UNSUPPORTED, "opset %d: %d to %d can be written", o.opset, OLDEST_OPSET, NEWEST_OPSET);
  if (format != WHET_FORMAT_ONNX && format != WHET_FORMAT_TFLITE)
    return whet__fail(err, WHET_E_UNSUPPORTED, "this format is not written here");
  for (int32_t i = 0; i < m->n_signature; i++)
    if (m->signature[i].graph)
      return whet__fail(err, WHET_E_UNSUPPORTED, "signature \"%.80s\" is a graph of its own: models of one graph are written",
                        m->signature[i].key);
  whet_model *p;
  WHET_TRY(whet__export_prepare(m, format, &p, err));
  whet_text bytes = {.mem = &p->mem};
  whet_status s = format == WHET_FORMAT_ONNX ? whet__onnx_bytes(p, o.opset, o.dense != 0, &bytes, err)
                                             : whet__tflite_bytes(p, o.dense != 0, &bytes, err);
  if (!s) s = whet__file_write(path, bytes.p, bytes.n, err);
  whet__text_free(&bytes);
  whet_model_close(&p);
  return s;
}
