/* SPDX-License-Identifier: Apache-2.0 */
/* corpus FOLDER: writes the tiny models of tests/lib/tiny.c to FOLDER/{onnx,tflite,run,whet}: where fuzzers begin. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/tiny.h"
#include "whet/whet.h"

static void folder(const char *path) {
  if (!mkdir(path, 0777) || errno == EEXIST) return;
  perror(path);
  exit(1);
}

/* Write every model of a list to root/sub, named after the list and the model. */
static void write_all(const char *root, const char *sub, const char *prefix, const tiny *list, size_t n) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", root, sub);
  folder(path);
  for (size_t i = 0; i < n; i++) {
    buf b = list[i].make();
    snprintf(path, sizeof path, "%s/%s/%s_%s", root, sub, prefix, list[i].name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(b.p, 1, b.n, f) != b.n || fclose(f)) {
      perror(path);
      exit(1);
    }
    buf_free(&b);
  }
}

/* The same as .whet files, of those that the format can hold. */
static void write_whet(const char *root, const tiny *list, size_t n) {
  char path[4096];
  snprintf(path, sizeof path, "%s/whet", root);
  folder(path);
  for (size_t i = 0; i < n; i++) {
    buf b = list[i].make();
    whet_model *m = NULL;
    whet_program *p = NULL;
    whet_err err = {0};
    snprintf(path, sizeof path, "%s/whet/%s", root, list[i].name);
    if (whet_model_open_memory(b.p, b.n, NULL, &m, &err) || whet_program_create(m, NULL, &p, &err) ||
        (whet_program_save(p, path, NULL, &err) && err.code != WHET_E_UNSUPPORTED)) {
      fprintf(stderr, "%s: %s\n", list[i].name, err.text);
      exit(1);
    }
    whet_program_close(&p);
    whet_model_close(&m);
    buf_free(&b);
  }
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "corpus FOLDER\n");
    return 2;
  }
  folder(argv[1]);
  write_all(argv[1], "onnx", "onnx", tiny_onnx, tiny_n_onnx);
  write_all(argv[1], "tflite", "tflite", tiny_tflite, tiny_n_tflite);
  write_all(argv[1], "run", "onnx", tiny_onnx, tiny_n_onnx);
  write_all(argv[1], "run", "tflite", tiny_tflite, tiny_n_tflite);
  write_whet(argv[1], tiny_onnx, tiny_n_onnx);
  write_whet(argv[1], tiny_tflite, tiny_n_tflite);
  printf("%zu models\n", tiny_n_onnx + tiny_n_tflite);
  return 0;
}
