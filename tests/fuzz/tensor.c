/* SPDX-License-Identifier: Apache-2.0 */
/* Contract: any bytes given as a tensor file end in a named error or a value: .npy as they are, others as the ONNX
 * message that the last bits of their length choose. A value read is written and read again. */

#include <stdlib.h>

#include "codec/npy.h"
#include "format/onnx_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Write a tensor and read what was written. */
static void again(const whet_value *v) {
  whet_mem mem;
  whet_err err = {0};
  whet_value *w = NULL;
  whet__mem_init(&mem, NULL, NULL, 0);
  whet_text t = {.mem = &mem};
  if (whet__npy_write(v, &t, &err) || whet__npy_read(t.p, t.n, &w, &err) || whet_value_count(w) != whet_value_count(v))
    abort();
  whet_value_unref(&w);
  whet__text_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  whet_err err = {0};
  whet_value *v = NULL;
  whet_status s =
      whet__npy_knows(p, n) ? whet__npy_read(p, n, &v, &err) : whet__onnx_value(p, n, (whet_kind)(n & 3), &v, &err);
  if (s == WHET_OK ? !v : v || !err.text[0]) abort();
  if (v && whet_value_kind(v) == WHET_TENSOR && whet_value_count(v) < 1 << 16) again(v);
  whet_value_unref(&v);
  return 0;
}
