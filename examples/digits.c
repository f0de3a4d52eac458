/* SPDX-License-Identifier: Apache-2.0 */
/* Which digit is it?   digits MODEL.tflite PICTURE.pgm
 *
 * MODEL takes 784 floats (a 28x28 picture, light on dark, 0..255) and gives ten probabilities:
 * tools/demo_model/digits_mlp.tflite does, with pictures beside it. Build: cc digits.c $(pkg-config --cflags --libs whet) */

#include <stdio.h>
#include <whet/whet.h>

/* Read 784 grey values; 0 when the file is not a binary 28x28 PGM. */
static int read_picture(const char *path, unsigned char pixel[784]) {
  FILE *f = fopen(path, "rb");
  int w = 0, h = 0, top = 0;
  int ok = f && fscanf(f, "P5 %d %d %d", &w, &h, &top) == 3 && w == 28 && h == 28 && top == 255 && fgetc(f) != EOF &&
           fread(pixel, 1, 784, f) == 784;
  if (f) fclose(f);
  return ok;
}

int main(int argc, char **argv) {
  unsigned char pixel[784];
  whet_session *session = NULL;
  whet_err err = {0};
  size_t in_bytes = 0, out_bytes = 0;
  int best = 0;

  if (argc != 3) {
    fprintf(stderr, "usage: %s MODEL.tflite PICTURE.pgm\n", argv[0]);
    return 2;
  }
  if (!read_picture(argv[2], pixel)) {
    fprintf(stderr, "%s is no 28x28 picture in binary PGM\n", argv[2]);
    return 1;
  }
  if (whet_session_open(argv[1], NULL, NULL, &session, &err)) goto fail;
  float *x = whet_session_input(session, 0, &in_bytes, &err);
  if (!x) goto fail;
  if (in_bytes != sizeof(float) * 784) {
    fprintf(stderr, "%s does not take 784 floats\n", argv[1]);
    whet_session_close(&session);
    return 1;
  }
  for (int i = 0; i < 784; i++) x[i] = pixel[i];
  if (whet_session_run(session, NULL, &err)) goto fail;
  const float *p = whet_session_output(session, 0, &out_bytes, &err);
  if (!p) goto fail;
  for (int i = 1; i < (int)(out_bytes / sizeof *p); i++)
    if (p[i] > p[best]) best = i;
  printf("%d (%.1f %%)\n", best, 100 * p[best]);
  whet_session_close(&session);
  return 0;
fail:
  fprintf(stderr, "%s\n", err.text);
  whet_session_close(&session);
  return 1;
}
