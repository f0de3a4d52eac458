/* SPDX-License-Identifier: Apache-2.0 */
/* Contract: any bytes given as a pipeline's file end in an error that says where, or in a pipeline; any bytes given to a source
 * as a message end in a named error or in a frame whose content lies within its memory. The first byte chooses: below 128 a
 * format, whose settings the second gives; else the rest is a file. */

#include <stdlib.h>
#include <string.h>

#include "edge/pipeline/event.h"
#include "edge/pipeline/payload.h"
#include "whet/pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void file(const char *text, size_t n) {
  whet_err err = {0};
  whet_pipeline *p = NULL;
  if (memchr(text, '/', n)) return; /* names of files are not what is tried here */
  whet_status s = whet_pipeline_parse(text, n, "text", NULL, &p, &err);
  if (s == WHET_OK ? !p : p || !err.text[0]) abort();
  if (p && whet_pipeline_stats(p, NULL, 0) < 2) abort();
  whet_pipeline_close(&p);
}

/* Read every byte that a frame says it has. */
static void touch(const pl_frame *f) {
  uint8_t sum = 0;
  const uint8_t *at = f->content == PL_PICTURE ? f->pic.data : f->numbers.data;
  size_t n = f->content == PL_PICTURE ? (size_t)f->pic.height * (size_t)f->pic.stride : whet_dtype_bytes(f->numbers.dtype, f->numbers.n);
  if (n > f->blob->cap) abort();
  for (size_t i = 0; i < n; i++) sum ^= at[i];
  static volatile uint8_t kept;
  kept = sum;
  (void)kept;
}

static void message(int format, uint8_t how, const uint8_t *bytes, size_t n) {
  static const char *k_field[] = {"a", "b", "t"};
  pl_payload p = PL_PAYLOAD_DEFAULTS;
  pl_pool pool;
  whet_err err = {0};
  p.format = format % (PL_CSV + 1);
  p.width = 1 + (how & 3), p.height = 1 + (how >> 2 & 3), p.pixel = how >> 4 & 3;
  p.columns = 1 + (how & 1), p.rate = 1;
  if (how & 2) p.fields = (conf_strs){k_field, 1 + (how >> 3 & 1)};
  if (how & 4) p.time = k_field[2];
  pl_pool_init(&pool, 1 << 20);
  for (int round = 0; round < 2; round++) { /* of CSV the first may be a heading */
    uint8_t *copy = malloc(n ? n : 1); /* of exactly its size */
    pl_frame *f = pl_frame_new(&pool);
    memcpy(copy, bytes, n);
    err = (whet_err){0};
    whet_status s = pl_payload_frame(&p, f, copy, n, &err);
    if (s && s != WHET_E_CANCELLED && !err.text[0]) abort();
    if (!s && f->content != PL_NOTHING) touch(f);
    if (!s) {
      serve_buf b = {0};
      pl_event(f, "x", &b);
      free(b.p);
    }
    pl_frame_free(f);
    free(copy);
  }
  pl_payload_close(&p);
  pl_pool_free(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  if (n < 2 || n > 1 << 16) return 0;
  if (p[0] & 128) file((const char *)p + 1, n - 1);
  else message(p[0], p[1], p + 2, n - 2);
  return 0;
}
