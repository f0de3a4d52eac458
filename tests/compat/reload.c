/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that load libonnxruntime.so.1 and let go of it, again and again, as modules of Go and plug-ins do: reload
 * LIBRARY MODEL. Each time a session runs with threads, which must not be left without their code. */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "onnxruntime_c_api.h"

static int failed(const OrtApi *g, OrtStatus *s, const char *what) {
  if (s) printf("%s: %s\n", what, g->GetErrorMessage(s));
  return s != NULL;
}

/* One life of the library. */
static int once(const char *library, const char *model) {
  void *lib = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  const OrtApiBase *(*base)(void);
  if (lib) *(void **)&base = dlsym(lib, "OrtGetApiBase");
  if (!lib || !base) {
    printf("%s: %s\n", library, dlerror());
    return 1;
  }
  const OrtApi *g = base()->GetApi(ORT_API_VERSION);
  OrtEnv *env;
  OrtSessionOptions *o;
  OrtSession *s;
  OrtMemoryInfo *m;
  OrtAllocator *a;
  OrtTypeInfo *type;
  const OrtTensorTypeAndShapeInfo *info;
  int64_t dims[8];
  size_t rank, count = 1;
  char *in_name, *out_name;
  if (failed(g, g->CreateEnv(ORT_LOGGING_LEVEL_WARNING, "reload", &env), "environment") ||
      failed(g, g->CreateSessionOptions(&o), "options") || failed(g, g->SetIntraOpNumThreads(o, 3), "threads") ||
      failed(g, g->CreateSession(env, model, o, &s), "session") ||
      failed(g, g->GetAllocatorWithDefaultOptions(&a), "allocator") ||
      failed(g, g->SessionGetInputName(s, 0, a, &in_name), "input") ||
      failed(g, g->SessionGetOutputName(s, 0, a, &out_name), "output") ||
      failed(g, g->SessionGetInputTypeInfo(s, 0, &type), "type") ||
      failed(g, g->CastTypeInfoToTensorInfo(type, &info), "tensor") ||
      failed(g, g->GetDimensionsCount(info, &rank), "rank") ||
      failed(g, g->GetDimensions(info, dims, rank), "dimensions") ||
      failed(g, g->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &m), "memory"))
    return 1;
  for (size_t i = 0; i < rank; i++) count *= (size_t)(dims[i] = dims[i] < 0 ? 1 : dims[i]);
  float *x = calloc(count, sizeof *x);
  OrtValue *in, *out = NULL;
  if (failed(g,
             g->CreateTensorWithDataAsOrtValue(m, x, count * sizeof *x, dims, rank,
                                               ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &in),
             "tensor") ||
      failed(g,
             g->Run(s, NULL, (const char *const *)&in_name, (const OrtValue *const *)&in, 1,
                    (const char *const *)&out_name, 1, &out),
             "run"))
    return 1;
  g->ReleaseValue(in);
  g->ReleaseValue(out);
  free(x);
  a->Free(a, in_name);
  a->Free(a, out_name);
  g->ReleaseMemoryInfo(m);
  g->ReleaseTypeInfo(type);
  g->ReleaseSession(s);
  g->ReleaseSessionOptions(o);
  g->ReleaseEnv(env);
  if (!dlclose(lib)) return 0;
  printf("dlclose: %s\n", dlerror());
  return 1;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  for (int i = 0; i < 20; i++)
    if (once(argv[1], argv[2])) return 1;
  nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL); /* threads that wake up do so now */
  return 0;
}
