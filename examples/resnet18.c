/* SPDX-License-Identifier: Apache-2.0 */
/* ResNet-18 on one thread:   resnet18 MODEL.onnx [PICTURE.raw]
 *
 * MODEL takes 1x3x224x224 floats. PICTURE.raw holds them as they are (prepared by whoever made it); without one the input is a
 * grey ramp. Prints the five largest outputs. Build: cc resnet18.c $(pkg-config --cflags --libs whet) */

#include <stdio.h>
#include <whet/whet.h>

enum { N = 3 * 224 * 224 };

/* Fill the input from a file, or with a ramp; 0 when the file is not of that size. */
static int fill(float *x, const char *path) {
  for (int i = 0; i < N; i++) x[i] = (float)(i % 224) / 112 - 1;
  if (!path) return 1;
  FILE *f = fopen(path, "rb");
  int ok = f && fread(x, sizeof *x, N, f) == N && fgetc(f) == EOF;
  if (f) fclose(f);
  return ok;
}

int main(int argc, char **argv) {
  whet_program_opts opts = whet_program_opts_default();
  whet_session *session = NULL;
  whet_err err = {0};
  size_t bytes = 0;

  if (argc < 2 || argc > 3) {
    fprintf(stderr, "usage: %s MODEL.onnx [PICTURE.raw]\n", argv[0]);
    return 2;
  }
  opts.threads = 1;
  if (whet_session_open(argv[1], NULL, &opts, &session, &err)) goto fail;
  const int64_t dims[4] = {1, 3, 224, 224}; /* the batch size may be left open in the file */
  if (whet_session_resize(session, 0, 4, dims, &err)) goto fail;
  float *x = whet_session_input(session, 0, &bytes, &err);
  if (!x) goto fail;
  if (bytes != sizeof(float) * N || !fill(x, argc > 2 ? argv[2] : NULL)) {
    fprintf(stderr, "the input is not 1x3x224x224 floats\n");
    whet_session_close(&session);
    return 1;
  }
  if (whet_session_run(session, NULL, &err)) goto fail;
  const float *y = whet_session_output(session, 0, &bytes, &err);
  if (!y) goto fail;

  size_t n = bytes / sizeof *y, shown[5];
  for (size_t k = 0; k < 5 && k < n; k++) {
    size_t best = n;
    for (size_t i = 0; i < n; i++) {
      int taken = 0;
      for (size_t j = 0; j < k; j++) taken |= shown[j] == i;
      if (!taken && (best == n || y[i] > y[best])) best = i;
    }
    shown[k] = best;
    printf("class %zu: %g\n", best, y[best]);
  }
  whet_session_close(&session);
  return 0;
fail:
  fprintf(stderr, "%s\n", err.text);
  whet_session_close(&session);
  return 1;
}
