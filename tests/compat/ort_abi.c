/* SPDX-License-Identifier: Apache-2.0 */
/* The binary interface of libonnxruntime.so.1: where the last function of each API version stands, how structures
 * lie, and what each function does when it is called with nothing: those that the documents call refused say so and
 * name themselves, the others answer a status. The list of functions stands in the table's order;
 * tests/compat/clients compares all of it with the headers of the original and with the crate ort-sys, from version 17
 * to the last. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/test.h"
#include "onnxruntime_c_api.h"

/* The last function that each API version brought; versions without a line brought none. */
#define LAST(version, name, index) _Static_assert(offsetof(OrtApi, name) == (index) * sizeof(void *), #name)
LAST(1, ReleaseCustomOpDomain, 101);
LAST(2, ReleaseModelMetadata, 118);
LAST(3, AddFreeDimensionOverrideByName, 124);
LAST(4, ReleaseAvailableProviders, 126);
LAST(5, SetGlobalSpinControl, 149);
LAST(6, ReleaseArenaCfg, 157);
LAST(7, GetCurrentGpuDeviceId, 161);
LAST(8, CreateSessionFromArrayWithPrepackedWeightsContainer, 169);
LAST(10, SynchronizeBoundOutputs, 203);
LAST(11, SessionOptionsAppendExecutionProvider_MIGraphX, 209);
LAST(12, ReleaseKernelInfo, 218);
LAST(13, ReleaseCANNProviderOptions, 224);
LAST(14, GetSessionConfigEntry, 238);
LAST(15, GetBuildInfoString, 254);
LAST(16, KernelContext_GetResource, 265);
LAST(17, SessionOptionsAppendExecutionProvider_OpenVINO_V2, 275);
LAST(18, AddExternalInitializersFromFilesInMemory, 279);
LAST(20, SetEpDynamicOptions, 284);
LAST(22, GetEpApi, 317);
LAST(23, CreateExternalInitializerInfo, 389);
LAST(24, GetTensorElementTypeAndShapeDataReference, 414);
LAST(25, SetPerSessionThreadPoolCallbacks, 418);
LAST(27, SessionReleaseCapturedGraph, 421);
LAST(28, KernelContext_GetSyncStream, 423);
LAST(29, SessionOptionsSetWeightlessSourceModelBuffer, 424);
LAST(30, KernelContext_GetPreallocatedOutput, 425);
LAST(31, GetModelPackageApi, 427);
_Static_assert(sizeof(OrtApi) == 428 * sizeof(void *), "OrtApi");
_Static_assert(offsetof(OrtApi, CreateStatus) == 0 && offsetof(OrtApi, Run) == 9 * sizeof(void *), "OrtApi");

/* Structures, where pointers have eight bytes. */
#define SIZE(type, n) _Static_assert(sizeof(void *) != 8 || sizeof(type) == (n), #type)
#define FIELD(type, field, n) _Static_assert(sizeof(void *) != 8 || offsetof(type, field) == (n), #field)
SIZE(OrtAllocator, 64); /* version 25 added Shrink */
FIELD(OrtAllocator, Shrink, 56);
FIELD(OrtAllocator, Alloc, 8);
FIELD(OrtAllocator, Free, 16);
FIELD(OrtAllocator, Info, 24);
FIELD(OrtAllocator, Reserve, 32);
FIELD(OrtAllocator, GetStats, 40);
FIELD(OrtAllocator, AllocOnStream, 48);
SIZE(OrtCUDAProviderOptions, 64);
FIELD(OrtCUDAProviderOptions, gpu_mem_limit, 8);
FIELD(OrtCUDAProviderOptions, do_copy_in_default_stream, 20);
FIELD(OrtCUDAProviderOptions, user_compute_stream, 32);
FIELD(OrtCUDAProviderOptions, default_memory_arena_cfg, 40);
FIELD(OrtCUDAProviderOptions, tunable_op_enable, 48);
FIELD(OrtCUDAProviderOptions, tunable_op_max_tuning_duration_ms, 56);
SIZE(OrtROCMProviderOptions, 64);
FIELD(OrtROCMProviderOptions, gpu_mem_limit, 8);
FIELD(OrtROCMProviderOptions, user_compute_stream, 32);
FIELD(OrtROCMProviderOptions, default_memory_arena_cfg, 40);
SIZE(OrtTensorRTProviderOptions, 104);
FIELD(OrtTensorRTProviderOptions, user_compute_stream, 8);
FIELD(OrtTensorRTProviderOptions, trt_max_workspace_size, 24);
FIELD(OrtTensorRTProviderOptions, trt_int8_calibration_table_name, 40);
FIELD(OrtTensorRTProviderOptions, trt_engine_cache_path, 72);
FIELD(OrtTensorRTProviderOptions, trt_force_sequential_engine_build, 96);
SIZE(OrtMIGraphXProviderOptions, 88);
SIZE(OrtOpenVINOProviderOptions, 56);
FIELD(OrtOpenVINOProviderOptions, num_of_threads, 24);
FIELD(OrtOpenVINOProviderOptions, cache_dir, 32);
FIELD(OrtOpenVINOProviderOptions, context, 40);
SIZE(OrtApiBase, 16);
FIELD(OrtApiBase, GetApi, 0);
FIELD(OrtApiBase, GetVersionString, 8);
SIZE(OrtExternalMemoryDescriptor, 32);
FIELD(OrtExternalMemoryDescriptor, native_handle, 8);
FIELD(OrtExternalMemoryDescriptor, offset_bytes, 24);
SIZE(OrtExternalSemaphoreDescriptor, 16);
FIELD(OrtExternalSemaphoreDescriptor, native_handle, 8);
SIZE(OrtExternalTensorDescriptor, 32);
FIELD(OrtExternalTensorDescriptor, shape, 8);
FIELD(OrtExternalTensorDescriptor, offset_bytes, 24);
SIZE(OrtEnvCreationOptions, 48);
FIELD(OrtEnvCreationOptions, log_id, 8);
FIELD(OrtEnvCreationOptions, custom_logging_function, 16);
FIELD(OrtEnvCreationOptions, threading_options, 32);
FIELD(OrtEnvCreationOptions, config_entries, 40);
SIZE(OrtCustomOp, 208);
FIELD(OrtCustomOp, CreateKernel, 8);
FIELD(OrtCustomOp, GetName, 16);
FIELD(OrtCustomOp, GetExecutionProviderType, 24);
FIELD(OrtCustomOp, GetInputType, 32);
FIELD(OrtCustomOp, GetInputTypeCount, 40);
FIELD(OrtCustomOp, GetOutputType, 48);
FIELD(OrtCustomOp, GetOutputTypeCount, 56);
FIELD(OrtCustomOp, KernelCompute, 64);
FIELD(OrtCustomOp, KernelDestroy, 72);
FIELD(OrtCustomOp, GetInputCharacteristic, 80);
FIELD(OrtCustomOp, GetOutputCharacteristic, 88);
FIELD(OrtCustomOp, GetInputMemoryType, 96);
FIELD(OrtCustomOp, GetVariadicInputMinArity, 104);
FIELD(OrtCustomOp, GetVariadicInputHomogeneity, 112);
FIELD(OrtCustomOp, GetVariadicOutputMinArity, 120);
FIELD(OrtCustomOp, GetVariadicOutputHomogeneity, 128);
FIELD(OrtCustomOp, CreateKernelV2, 136);
FIELD(OrtCustomOp, KernelComputeV2, 144);
FIELD(OrtCustomOp, InferOutputShapeFn, 152);
FIELD(OrtCustomOp, GetStartVersion, 160);
FIELD(OrtCustomOp, GetEndVersion, 168);
FIELD(OrtCustomOp, GetMayInplace, 176);
FIELD(OrtCustomOp, ReleaseMayInplace, 184);
FIELD(OrtCustomOp, GetAliasMap, 192);
FIELD(OrtCustomOp, ReleaseAliasMap, 200);

/* The list, in order. */
typedef struct entry {
  const char *name;
  char kind; /* 's' answers a status, 'o' something else, 'v' nothing */
} entry;
static const entry s_list[] = {
#define ORT_STATUS(name, since, ...) {#name, 's'},
#define ORT_OTHER(type, name, since, ...) {#name, sizeof #type == sizeof "void" ? 'v' : 'o'},
#define ORT_RELEASE(what, since) {"Release" #what, 'v'},
#include "onnxruntime_c_api_functions.def"
#undef ORT_STATUS
#undef ORT_OTHER
#undef ORT_RELEASE
};
enum { N = sizeof s_list / sizeof *s_list };
_Static_assert((size_t)N * sizeof(void *) == sizeof(OrtApi), "every entry of the table is listed");

/* The documents' table of what is refused. */
static char *s_refused;
static int setup(void **state) {
  (void)state;
  char path[4096];
  const char *top = getenv("WHET_SOURCE");
  snprintf(path, sizeof path, "%s/docs/moving-from-onnxruntime.md", top ? top : ".");
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  char *text = calloc(1, 1 << 17);
  assert_non_null(text);
  size_t n = fread(text, 1, (1 << 17) - 1, f);
  fclose(f);
  assert_in_range(n, 1000, (1 << 17) - 2);
  char *at = strstr(text, "\nRefused by name (");
  assert_non_null(at);
  s_refused = strdup(at);
  free(text);
  return 0;
}
static int teardown(void **state) {
  (void)state;
  free(s_refused);
  return 0;
}
static bool is_refused(const char *name) {
  char quoted[128];
  snprintf(quoted, sizeof quoted, "`%s`", name);
  return strstr(s_refused, quoted) != NULL;
}

/* What programs do whose language does not know the types: call the slot with zeroes, more than the function takes.
 */
typedef void *(*slot_fn)(void *, void *, void *, void *, void *, void *, void *, void *, void *, void *, void *,
                         void *);
#if defined(__clang__)
__attribute__((no_sanitize("function")))
#endif
static void *
call(size_t i) {
  const OrtApi *api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  slot_fn fn;
  memcpy(&fn, (const char *)api + i * sizeof fn, sizeof fn);
  assert_non_null((void *)(size_t)fn);
  return fn(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
}

/* Every function of the table is called. */
static void call_through(void **state) {
  (void)state;
  const OrtApi *api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  size_t refused = 0, bad = 0;
  for (size_t i = 0; i < N; i++) {
    const entry *e = &s_list[i];
    bool no = is_refused(e->name);
    refused += no;
    if (e->kind == 'o' && !no) continue; /* the original reads these handles unasked */
    void *got = call(i);
    if (e->kind == 'v') continue; /* nothing happens */
    if (e->kind == 'o') {
      if (got) print_error("%s answers something\n", e->name), bad++;
      continue;
    }
    OrtStatus *st = got;
    OrtErrorCode code = st ? api->GetErrorCode(st) : ORT_OK;
    const char *text = st ? api->GetErrorMessage(st) : "";
    if (no && (code != ORT_NOT_IMPLEMENTED || strncmp(text, e->name, strlen(e->name)) != 0))
      print_error("%s is called refused and answers %d \"%s\"\n", e->name, code, text), bad++;
    if (!no && code == ORT_NOT_IMPLEMENTED && strstr(text, "no such notion"))
      print_error("%s is not called refused and answers \"%s\"\n", e->name, text), bad++;
    if (st) api->ReleaseStatus(st);
  }
  assert_true(refused > 100 && refused < N);
  assert_int_equal(bad, 0);
}

/* One table for every version up to ours, none for later ones. */
static void versions(void **state) {
  (void)state;
  const OrtApiBase *base = OrtGetApiBase();
  for (uint32_t v = 1; v <= ORT_API_VERSION; v++) assert_non_null(base->GetApi(v));
  assert_null(base->GetApi(0));
  assert_null(base->GetApi(ORT_API_VERSION + 1));
  assert_int_equal(strncmp(base->GetVersionString(), "1.31.", 5), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(call_through), cmocka_unit_test(versions)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
