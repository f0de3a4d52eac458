/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/drive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Say what was promised, and stop. */
static void broken(const char *promise, whet_status s, const whet_err *err) {
  fprintf(stderr, "broken promise: %s (status %s, text \"%s\")\n", promise, whet_status_name(s), err->text);
  abort();
}

/* What holds after every call: a failure has a code and one line of text, success leaves the record alone. */
static whet_status checked(whet_status s, const whet_err *err) {
  if (!s && err->code) broken("success leaves the error alone", s, err);
  if (s && (err->code != s || !err->text[0])) broken("a failure says why", s, err);
  if (strchr(err->text, '\n')) broken("an error is one line", s, err);
  return s;
}

/* Give every input a shape of numbers: free dimensions become 1, an unknown rank a scalar. */
static whet_status settle(whet_session *s, whet_err *err) {
  for (size_t i = 0; i < whet_session_inputs(s); i++) {
    whet_info info;
    if (whet_session_input_info(s, i, &info)) broken("an input within range can be asked for", WHET_E_MISUSE, err);
    if (info.kind != WHET_TENSOR) continue;
    bool open = info.rank < 0;
    for (int32_t d = 0; d < info.rank; d++)
      if (info.dims[d] < 0) open = true, info.dims[d] = 1;
    if (!open) continue;
    whet_status st = checked(whet_session_resize(s, i, info.rank < 0 ? 0 : info.rank, info.dims, err), err);
    if (st) return st;
  }
  return WHET_OK;
}

/* Write something that is not all zero to every input that the session owns. */
static whet_status fill(whet_session *s, whet_err *err) {
  for (size_t i = 0; i < whet_session_inputs(s); i++) {
    whet_info info;
    size_t bytes = 0;
    if (whet_session_input_info(s, i, &info)) broken("an input within range can be asked for", WHET_E_MISUSE, err);
    if (info.kind != WHET_TENSOR || info.dtype == WHET_STRING) continue;
    uint8_t *p = whet_session_input(s, i, &bytes, err);
    if (!p) {
      if (!err->code) broken("no memory of an input without a reason", WHET_OK, err);
      return err->code;
    }
    for (size_t k = 0; k < bytes; k++)
      p[k] = (uint8_t)(info.dtype == WHET_F32 && k % 4 == 3 ? 0x3c + k % 8 / 4 : k * 37 + i);
  }
  return WHET_OK;
}

/* Read every byte of every output, so that a sanitizer sees those that are not there. */
static void look(whet_session *s, whet_err *err) {
  unsigned sum = 0;
  for (size_t i = 0; i < whet_session_outputs(s); i++) {
    whet_info info;
    size_t bytes = 0;
    if (whet_session_output_info(s, i, &info)) broken("an output within range can be asked for", WHET_E_MISUSE, err);
    if (info.kind != WHET_TENSOR || info.dtype == WHET_STRING) continue;
    const uint8_t *p = whet_session_output(s, i, &bytes, err);
    if (!p && !err->code) broken("no output without a reason", WHET_OK, err);
    for (size_t k = 0; p && k < bytes; k++) sum += p[k];
  }
  __asm__ volatile("" : : "r"(sum)); /* the compiler must think that the sum is wanted */
}

whet_status drive(const void *bytes, size_t n, const drive_opts *o, whet_err *err) {
  whet_model_opts mo = whet_model_opts_default();
  whet_program_opts po = whet_program_opts_default();
  whet_run_opts ro = {.size = sizeof ro, .deadline_ms = o->deadline_ms ? o->deadline_ms : 200};
  whet_model *m = (whet_model *)&mo;
  whet_program *p = NULL;
  whet_session *s = NULL;
  mo.format = o->format;
  mo.limits.memory_bytes = o->memory ? o->memory : (size_t)256 << 20;
  mo.limits.nodes = 20000;
  mo.limits.load_ms = 2000;
  mo.allocator = o->alloc;
  po.threads = o->threads ? o->threads : 1;
  po.cpu = o->cpu;
  whet_status st = checked(whet_model_open_memory(bytes, n, &mo, &m, err), err);
  if (st) {
    if (m) broken("a failed open leaves no model", st, err);
    return st;
  }
  for (size_t i = 0; i < whet_model_inputs(m); i++) {
    whet_info info;
    if (whet_model_input(m, i, &info) || !info.name) broken("inputs can be asked for", WHET_E_MISUSE, err);
  }
  for (size_t i = 0; i < whet_model_outputs(m); i++) {
    whet_info info;
    if (whet_model_output(m, i, &info) || !info.name) broken("outputs can be asked for", WHET_E_MISUSE, err);
  }
  if (o->run) {
    st = checked(whet_program_create(m, &po, &p, err), err);
    if (!st) st = checked(whet_session_create(p, &s, err), err);
    if (!st) st = settle(s, err);
    if (!st) st = fill(s, err);
    if (!st) st = checked(whet_session_run(s, &ro, err), err);
    if (!st) look(s, err);
  }
  whet_session_close(&s);
  whet_program_close(&p);
  whet_model_close(&m);
  return st;
}
