/* SPDX-License-Identifier: Apache-2.0 */
/* Integer models give the same bytes on every CPU: those of the shared folder, each run once on made-up inputs at the
 * best level of the machine and in portable C; a sum over the outputs is what is written here, whatever the
 * architecture. Models of many products are left out where the machine is emulated, unless --all asks for them. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "whet/whet.h"

static const struct {
  const char *name;
  bool large;
  uint32_t sum;
} k_models[] = {
    {"ad01_int8.tflite", false, 0x20d2f310u},          {"audio_preprocessor_int8.tflite", false, 0x6829c1a4u},
    {"hello_world_int8.tflite", false, 0x840b920cu},   {"kws_int8.tflite", false, 0xab2fdbf1u},
    {"micro_speech_int8.tflite", false, 0x8be96555u},  {"mnist_lstm_int8.tflite", false, 0x3b9472c1u},
    {"person_detect_int8.tflite", false, 0x6450b69du}, {"resnet8_int8.tflite", false, 0x557bd362u},
    {"vww_int8.tflite", false, 0x3a5f7f09u},           {"mobilenet_v2_quant.tflite", true, 0xe4c1f028u},
    {"mobilenet_v2_quant.onnx", true, 0xbb8154b6u},
};

/* The next of the made-up numbers. */
static uint32_t next(uint32_t *q) { return *q = *q * 1664525u + 1013904223u; }

/* The sum (FNV-1a, output by output) of a model's outputs at a level; exits where it does not run. */
static uint32_t sum_of(const char *path, const char *level) {
  whet_session *s = NULL;
  whet_err err = {0};
  whet_program_opts o = whet_program_opts_default();
  uint32_t sum = 0;
  size_t n;
  o.cpu = level;
  o.threads = 1;
  if (whet_session_open(path, NULL, &o, &s, &err)) goto fail;
  for (size_t i = 0; i < whet_session_inputs(s); i++) {
    whet_info info;
    unsigned char *x = whet_session_input(s, i, &n, &err);
    uint32_t q = 1;
    if (!x || whet_session_input_info(s, i, &info)) goto fail;
    if (info.dtype == WHET_F32)
      for (size_t j = 0; j < n / 4; j++) ((float *)(void *)x)[j] = (float)(next(&q) >> 8) / 8388608.0f - 1.0f;
    else
      for (size_t j = 0; j < n; j++) x[j] = (unsigned char)(next(&q) >> 24);
  }
  if (whet_session_run(s, NULL, &err)) goto fail;
  for (size_t i = 0; i < whet_session_outputs(s); i++) {
    const unsigned char *y = whet_session_output(s, i, &n, &err);
    if (!y) goto fail;
    sum = 2166136261u;
    for (size_t j = 0; j < n; j++) sum = (sum ^ y[j]) * 16777619u;
  }
  whet_session_close(&s);
  return sum;
fail:
  printf("%s: %s\n", path, err.text);
  exit(1);
}

int main(int argc, char **argv) {
  const char *shared = getenv("WHET_SHARED"), *source = getenv("WHET_SOURCE");
  bool all = argc > 1 && !strcmp(argv[1], "--all");
  int bad = 0, tried = 0;
  for (size_t i = 0; i < sizeof k_models / sizeof *k_models; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s%s/models/%s",
             shared   ? shared
             : source ? source
                      : ".",
             shared ? "" : "/../shared", k_models[i].name);
    FILE *f = fopen(path, "rb");
    if (!f) {
      printf("skipped: %s is not there (WHET_SHARED names the shared folder)\n", path);
      return 77;
    }
    fclose(f);
    if (k_models[i].large && !all) continue;
    for (int c = 0; c < 2; c++, tried++) {
      uint32_t sum = sum_of(path, c ? "c" : NULL);
      if (sum == k_models[i].sum) continue;
      printf("%s: outputs %s sum up to %08x, not to %08x\n", k_models[i].name,
             c ? "in portable C" : "at the best level", (unsigned)sum, (unsigned)k_models[i].sum);
      bad++;
    }
  }
  printf("%d runs, %d with other bytes\n", tried, bad);
  return bad != 0;
}
