/* SPDX-License-Identifier: Apache-2.0 */
/* .whet files: what is written is what is read, damage is found, forged files end in a named error or a clean run. */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/drive.h"
#include "lib/seal.h"
#include "lib/test.h"
#include "lib/tiny.h"

static whet_model *open_bytes(const void *p, size_t n) {
  whet_model *m;
  whet_err err = {0};
  if (whet_model_open_memory(p, n, NULL, &m, &err)) fail_msg("%s", err.text);
  return m;
}

static whet_program *program_of(whet_model *m, const char *cpu) {
  whet_program *p;
  whet_err err = {0};
  whet_program_opts o = whet_program_opts_default();
  o.threads = 1;
  o.cpu = cpu;
  if (whet_program_create(m, &o, &p, &err)) fail_msg("%s", err.text);
  return p;
}

/* The whole of a file. */
static buf slurp(const char *path) {
  buf b = {0};
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  fseek(f, 0, SEEK_END);
  b.n = (size_t)ftell(f);
  rewind(f);
  b.p = malloc(b.n + 1);
  assert_int_equal(fread(b.p, 1, b.n, f), b.n);
  fclose(f);
  return b;
}

/* The program of model bytes as a file's bytes; n 0 when the format cannot hold it. */
static buf saved(const buf *model, const char *cpu, bool without_packed) {
  char path[] = "whet_file_XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  whet_model *m = open_bytes(model->p, model->n);
  whet_program *p = program_of(m, cpu);
  whet_err err = {0};
  whet_save_opts o = whet_save_opts_default();
  o.without_packed = without_packed;
  whet_status s = whet_program_save(p, path, &o, &err);
  if (s && s != WHET_E_UNSUPPORTED) fail_msg("%s", err.text);
  buf b = s ? (buf){0} : slurp(path);
  unlink(path);
  whet_program_close(&p);
  whet_model_close(&m);
  return b;
}

/* The bytes of all tensor outputs of a run on the same input; *weights: packed weights in memory. */
static buf run(const buf *model, size_t *weights) {
  buf out = {0};
  whet_model *m = open_bytes(model->p, model->n);
  whet_program *p = program_of(m, NULL);
  whet_session *s;
  whet_err err = {0};
  whet_cost cost = {.size = sizeof cost};
  if (whet_session_create(p, &s, &err)) fail_msg("%s", err.text);
  for (size_t i = 0; i < whet_session_inputs(s); i++) {
    whet_info f;
    size_t n;
    whet_session_input_info(s, i, &f);
    for (int32_t d = 0; d < f.rank; d++)
      if (f.dims[d] < 0) f.dims[d] = 1;
    if (f.kind != WHET_TENSOR || f.dtype == WHET_STRING) continue;
    if (whet_session_resize(s, i, f.rank < 0 ? 0 : f.rank, f.dims, &err)) fail_msg("%s", err.text);
    uint8_t *x = whet_session_input(s, i, &n, &err);
    for (size_t k = 0; x && k < n; k++) x[k] = (uint8_t)(f.dtype == WHET_F32 && k % 4 == 3 ? 0x3d : k * 11 + i);
  }
  whet_status st = whet_session_run(s, NULL, &err);
  for (size_t i = 0; !st && i < whet_session_outputs(s); i++) {
    whet_info f;
    size_t n = 0;
    whet_session_output_info(s, i, &f);
    const void *y = f.kind == WHET_TENSOR && f.dtype != WHET_STRING ? whet_session_output(s, i, &n, &err) : NULL;
    if (!y) continue;
    out.p = realloc(out.p, out.n + n + 1);
    memcpy(out.p + out.n, y, n);
    out.n += n;
  }
  if (!whet_program_cost(p, &cost, &err) && weights) *weights = cost.weights_bytes;
  whet_session_close(&s);
  whet_program_close(&p);
  whet_model_close(&m);
  return out;
}

/* What is common to a list of models: the file gives what the model gives. */
static size_t round_trip(const tiny *list, size_t count) {
  size_t held = 0;
  for (size_t i = 0; i < count; i++) {
    buf b = list[i].make();
    for (int plain = 0; plain < 2; plain++) {
      buf f = saved(&b, NULL, plain);
      if (!f.n) continue;
      held++;
      buf y = run(&b, NULL), z = run(&f, NULL);
      if (y.n != z.n || (y.n && memcmp(y.p, z.p, y.n))) fail_msg("%s: the file gives something else", list[i].name);
      whet_model *m = open_bytes(f.p, f.n), *was = open_bytes(b.p, b.n);
      whet_err err = {0};
      assert_int_equal(whet_model_format(m), WHET_FORMAT_WHET);
      assert_int_equal(whet_model_check(m, &err), WHET_OK);
      assert_int_equal(whet_model_inputs(m), whet_model_inputs(was));
      for (size_t k = 0; k < whet_model_inputs(m); k++) {
        whet_info p, q;
        assert_int_equal(whet_model_input(m, k, &p) || whet_model_input(was, k, &q), 0);
        assert_string_equal(p.name, q.name);
      }
      whet_model_close(&m);
      whet_model_close(&was);
      free(y.p);
      free(z.p);
      free(f.p);
    }
    buf_free(&b);
  }
  return held;
}

static void same(void **state) {
  size_t n = round_trip(tiny_onnx, tiny_n_onnx) + round_trip(tiny_tflite, tiny_n_tflite);
  printf("# %zu files\n", n);
  assert_true(n > 8);
}

/* The first model that the format can hold and that has blocks. */
static buf example(void) {
  for (size_t i = 0; i < tiny_n_onnx; i++) {
    buf b = tiny_onnx[i].make(), f = saved(&b, NULL, false);
    buf_free(&b);
    if (!f.n) continue;
    whet_model *m = open_bytes(f.p, f.n);
    bool blocks = m->n_block > 0;
    whet_model_close(&m);
    if (blocks) return f;
    free(f.p);
  }
  fail_msg("no model has constants");
  return (buf){0};
}

/* Every bit of a file is under some checksum, but for the gaps between blocks. */
static void damage(void **state) {
  buf f = example();
  whet_model *m = open_bytes(f.p, f.n);
  size_t at = m->block[0].at, n = m->block[0].n;
  whet_model_close(&m);
  for (size_t i = 0; i < f.n; i++) {
    whet_err err = {0};
    bool in_block = i >= at && i < at + n, head = i < WHET_FILE_HEADER;
    uint64_t index = 0;
    for (int k = 0; k < 8; k++) index |= (uint64_t)f.p[WHET_FILE_AT_INDEX + k] << 8 * k;
    f.p[i] ^= 0x10;
    whet_status s = whet_model_open_memory(f.p, f.n, NULL, &m, &err);
    if (!s && in_block) assert_int_equal(whet_model_check(m, &err), WHET_E_FORMAT);
    if (s == WHET_OK && (head || i >= index)) fail_msg("a change at byte %zu is not seen", i);
    whet_model_close(&m);
    f.p[i] ^= 0x10;
  }
  for (size_t k = 0; k < f.n; k++) {
    whet_err err = {0};
    if (!whet_model_open_memory(f.p, k, NULL, &m, &err)) fail_msg("%zu bytes of %zu pass", k, f.n);
  }
  free(f.p);
}

/* Files of another CPU level are read, and their weights packed anew. */
static void other_level(void **state) {
  for (size_t i = 0; i < tiny_n_onnx; i++) {
    buf b = tiny_onnx[i].make(), f = saved(&b, "c", false);
    if (f.n) {
      buf y = run(&b, NULL), z = run(&f, NULL);
      if (y.n != z.n || (y.n && memcmp(y.p, z.p, y.n)))
        fail_msg("%s: the file gives something else", tiny_onnx[i].name);
      free(y.p);
      free(z.p);
    }
    free(f.p);
    buf_free(&b);
  }
}

/* Every byte of the index changed in several ways, its checksum put right: a named error or a clean run. */
static void forged(void **state) {
  static const uint8_t k_xor[] = {0x01, 0x02, 0x08, 0x40, 0x80, 0xff};
  size_t read = 0, all = 0;
  for (size_t i = 0; i < tiny_n_onnx + tiny_n_tflite; i++) {
    const tiny *t = i < tiny_n_onnx ? &tiny_onnx[i] : &tiny_tflite[i - tiny_n_onnx];
    buf b = t->make(), f = saved(&b, NULL, false);
    buf_free(&b);
    for (size_t at = WHET_FILE_HEADER; at < f.n; at++)
      for (size_t k = 0; k < WHET_COUNT(k_xor); k++) {
        whet_err err = {0};
        f.p[at] ^= k_xor[k];
        seal(f.p, f.n);
        whet_status s = drive(f.p, f.n, &(drive_opts){.run = true, .memory = 16 << 20, .deadline_ms = 100}, &err);
        if (s == WHET_E_INTERNAL) fail_msg("%s: byte %zu: a fault of our own: %s", t->name, at, err.text);
        f.p[at] ^= k_xor[k];
        read += s == WHET_OK;
        all++;
      }
    free(f.p);
  }
  printf("# %zu of %zu changed files ran\n", read, all);
  assert_true(read < all);
}

static whet_status open_close(void *arg, const whet_allocator *a, whet_err *err) {
  const buf *b = arg;
  whet_model_opts o = whet_model_opts_default();
  whet_model *m;
  o.allocator = a;
  whet_status s = whet_model_open_memory(b->p, b->n, &o, &m, err);
  whet_model_close(&m);
  return s;
}
static whet_status save_again(void *arg, const whet_allocator *a, whet_err *err) {
  const buf *b = arg;
  whet_model_opts o = whet_model_opts_default();
  whet_model *m;
  whet_program *p = NULL;
  whet_program_opts po = whet_program_opts_default();
  po.threads = 1;
  o.allocator = a;
  whet_status s = whet_model_open_memory(b->p, b->n, &o, &m, err);
  if (!s) s = whet_program_create(m, &po, &p, err);
  if (!s) s = whet_program_save(p, "/dev/null", NULL, err);
  whet_program_close(&p);
  whet_model_close(&m);
  return s;
}
static void memory(void **state) {
  buf f = example();
  test_oom("open .whet", open_close, &f, 0);
  test_oom("save .whet", save_again, &f, 1); /* the plan may not be kept for later */
  free(f.p);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(same), cmocka_unit_test(damage), cmocka_unit_test(other_level),
                                     cmocka_unit_test(forged), cmocka_unit_test(memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
