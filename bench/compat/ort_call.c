/* SPDX-License-Identifier: Apache-2.0 */
/* What a call through ONNX Runtime's table costs above whet's own: ort_call MODEL [ROUNDS]. The model has one float
 * input and one output; its runs are timed in turns through whet_session_run, the table's Run into a given output,
 * and RunWithBinding. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "onnxruntime_c_api.h"
#include "whet/whet.h"

enum { CALLS = 2000 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static const OrtApi *g;
static void ok(OrtStatus *s) {
  if (!s) return;
  fprintf(stderr, "%s\n", g->GetErrorMessage(s));
  exit(1);
}
static void fine(whet_status s, const whet_err *err) {
  if (!s) return;
  fprintf(stderr, "%s\n", err->text);
  exit(1);
}

int main(int argc, char **argv) {
  if (argc < 2) return fprintf(stderr, "usage: ort_call MODEL [ROUNDS]\n"), 2;
  int rounds = argc > 2 ? atoi(argv[2]) : 50;
  whet_err err;
  whet_program_opts po = whet_program_opts_default();
  whet_session *s;
  whet_info in, out;
  size_t in_bytes, out_bytes;
  po.threads = 1;
  fine(whet_session_open(argv[1], NULL, &po, &s, &err), &err);
  float *x = whet_session_input(s, 0, &in_bytes, &err);
  whet_session_input_info(s, 0, &in);
  fine(whet_session_run(s, NULL, &err), &err);
  whet_session_output_info(s, 0, &out);
  whet_session_output(s, 0, &out_bytes, &err);
  float *y = calloc(1, out_bytes);
  for (size_t i = 0; i < in_bytes / 4; i++) x[i] = 1;
  fine(whet_session_bind_output(s, 0, y, out_bytes, &err), &err);

  g = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  OrtEnv *env;
  OrtSessionOptions *o;
  OrtSession *t;
  OrtMemoryInfo *m;
  OrtValue *vx, *vy;
  OrtIoBinding *b;
  ok(g->CreateEnv(ORT_LOGGING_LEVEL_WARNING, "bench", &env));
  ok(g->CreateSessionOptions(&o));
  ok(g->SetIntraOpNumThreads(o, 1));
  ok(g->CreateSession(env, argv[1], o, &t));
  ok(g->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &m));
  ok(g->CreateTensorWithDataAsOrtValue(m, x, in_bytes, in.dims, (size_t)in.rank, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                                       &vx));
  ok(g->CreateTensorWithDataAsOrtValue(m, y, out_bytes, out.dims, (size_t)out.rank,
                                       ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &vy));
  ok(g->CreateIoBinding(t, &b));
  ok(g->BindInput(b, in.name, vx));
  ok(g->BindOutput(b, out.name, vy));
  double best[3] = {1e18, 1e18, 1e18};
  for (int r = 0; r < rounds; r++)
    for (int way = 0; way < 3; way++) {
      double start = now();
      for (int i = 0; i < CALLS; i++) {
        if (way == 0) fine(whet_session_run(s, NULL, &err), &err);
        if (way == 1) ok(g->Run(t, NULL, &in.name, (const OrtValue *const *)&vx, 1, &out.name, 1, &vy));
        if (way == 2) ok(g->RunWithBinding(t, NULL, b));
      }
      double each = (now() - start) / CALLS;
      if (each < best[way]) best[way] = each;
    }
  printf("whet_session_run %.3f us, Run %.3f us (+%.3f), RunWithBinding %.3f us (+%.3f)\n", best[0], best[1],
         best[1] - best[0], best[2], best[2] - best[0]);
  return 0;
}
