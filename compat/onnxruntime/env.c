/* SPDX-License-Identifier: Apache-2.0 */
/* Environments, threading options, allocators, descriptions of memory, providers. */

#include "shim.h"

/* Make an environment; t NULL: every session has its own number of threads. */
static OrtStatus *env_new(OrtLoggingFunction fn, void *param, OrtLoggingLevel level, const char *id,
                          const OrtThreadingOptions *t, OrtEnv **out) {
  OrtEnv *e = calloc(1, sizeof *e);
  if (!e) return no_memory();
  e->log = (listener){.fn = fn, .param = param, .level = level};
  snprintf(e->log.id, sizeof e->log.id, "%s", id ? id : "");
  if (t) e->threading = *t, e->global_threads = true;
  *out = e;
  return NULL;
}

OrtStatus *API(CreateEnv)(OrtLoggingLevel level, const char *id, OrtEnv **out) {
  NEED(out);
  return env_new(NULL, NULL, level, id, NULL, out);
}
OrtStatus *API(CreateEnvWithCustomLogger)(OrtLoggingFunction fn, void *param, OrtLoggingLevel level, const char *id,
                                          OrtEnv **out) {
  NEED(fn);
  NEED(out);
  return env_new(fn, param, level, id, NULL, out);
}
OrtStatus *API(CreateEnvWithGlobalThreadPools)(OrtLoggingLevel level, const char *id, const OrtThreadingOptions *t,
                                               OrtEnv **out) {
  NEED(t);
  NEED(out);
  return env_new(NULL, NULL, level, id, t, out);
}
OrtStatus *API(CreateEnvWithCustomLoggerAndGlobalThreadPools)(OrtLoggingFunction fn, void *param,
                                                              OrtLoggingLevel level, const char *id,
                                                              const OrtThreadingOptions *t, OrtEnv **out) {
  NEED(fn);
  NEED(t);
  NEED(out);
  return env_new(fn, param, level, id, t, out);
}
OrtStatus *API(CreateEnvWithOptions)(const OrtEnvCreationOptions *o, OrtEnv **out) {
  NEED(o);
  NEED(out);
  return env_new(o->custom_logging_function, o->custom_logging_param, (OrtLoggingLevel)o->logging_severity_level,
                 o->log_id, o->threading_options, out);
}
void API(ReleaseEnv)(OrtEnv *e) { free(e); }
OrtStatus *API(UpdateEnvWithCustomLogLevel)(OrtEnv *e, OrtLoggingLevel level) {
  NEED(e);
  e->log.level = level;
  return NULL;
}

/* Nothing is ever reported to anybody. */
OrtStatus *API(EnableTelemetryEvents)(const OrtEnv *e) {
  NEED(e);
  return NULL;
}
OrtStatus *API(DisableTelemetryEvents)(const OrtEnv *e) {
  NEED(e);
  return NULL;
}
OrtStatus *API(SetLanguageProjection)(const OrtEnv *e, OrtLanguageProjection projection) {
  NEED(e);
  (void)projection;
  return NULL;
}

/* Threads for all sessions of an environment. */
OrtStatus *API(CreateThreadingOptions)(OrtThreadingOptions **out) {
  NEED(out);
  *out = calloc(1, sizeof **out);
  if (!*out) return no_memory();
  (*out)->spin = 1;
  return NULL;
}
void API(ReleaseThreadingOptions)(OrtThreadingOptions *t) { free(t); }
OrtStatus *API(SetGlobalIntraOpNumThreads)(OrtThreadingOptions *t, int n) {
  NEED(t);
  t->threads = n;
  return NULL;
}
OrtStatus *API(SetGlobalInterOpNumThreads)(OrtThreadingOptions *t, int n) {
  NEED(t);
  (void)n;
  return NULL;
}
OrtStatus *API(SetGlobalSpinControl)(OrtThreadingOptions *t, int allow) {
  NEED(t);
  if (allow != 0 && allow != 1) return fail(ORT_INVALID_ARGUMENT, "Received invalid value for allow_spinning. Valid values are 0 or 1");
  t->spin = allow;
  return NULL;
}
OrtStatus *API(SetGlobalDenormalAsZero)(OrtThreadingOptions *t) {
  NEED(t);
  return NULL;
}
OrtStatus *API(SetGlobalIntraOpThreadAffinity)(OrtThreadingOptions *t, const char *affinity) {
  NEED(t);
  NEED(affinity);
  return NULL;
}
OrtStatus *API(SetGlobalCustomCreateThreadFn)(OrtThreadingOptions *t, OrtCustomCreateThreadFn fn) {
  NEED(t);
  t->start = fn;
  return NULL;
}
OrtStatus *API(SetGlobalCustomThreadCreationOptions)(OrtThreadingOptions *t, void *options) {
  NEED(t);
  t->start_options = options;
  return NULL;
}
OrtStatus *API(SetGlobalCustomJoinThreadFn)(OrtThreadingOptions *t, OrtCustomJoinThreadFn fn) {
  NEED(t);
  t->join = fn;
  return NULL;
}

const OrtMemoryInfo cpu_memory = {.name = "Cpu", .type = OrtDeviceAllocator};

/* Where memory of that name lies, as the original has it; false for a name that is none. */
static bool device_of(const char *name, OrtMemoryInfo *m) {
  static const struct {
    const char *name, *canonical;
    OrtMemoryInfoDeviceType device;
    OrtDeviceMemoryType mem;
    uint32_t vendor;
  } known[] = {{"Cpu", "Cpu", OrtMemoryInfoDeviceType_CPU, OrtDeviceMemoryType_DEFAULT, 0},
               {"Cuda", "Cuda", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, 0x10de},
               {"CudaPinned", "CudaPinned", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_HOST_ACCESSIBLE, 0x10de},
               {"DML", "DML", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, 0x1414},
               {"Hip", "Hip", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, 0x1002},
               {"HipPinned", "HipPinned", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_HOST_ACCESSIBLE, 0x1002},
               {"OpenVINO_GPU", "OpenVINO_GPU", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, 0x8086},
               {"WebGPU_Buffer", "WebGPU_Buf", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, 0},
               {"WebGPU_Buf", "WebGPU_Buf", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, 0},
               {"WebNN_Tensor", "WebNN_Ten", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, 0},
               {"WebNN_Ten", "WebNN_Ten", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, 0},
               {"QnnHtpShared", "QnnHtpShared", OrtMemoryInfoDeviceType_CPU, OrtDeviceMemoryType_HOST_ACCESSIBLE, 0x5143}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(name, known[i].name) != 0) continue;
    m->name = known[i].canonical;
    m->device = known[i].device;
    m->device_mem = known[i].mem;
    m->vendor = known[i].vendor;
    return true;
  }
  return false;
}

OrtStatus *API(CreateMemoryInfo)(const char *name, OrtAllocatorType type, int id, OrtMemType mem, OrtMemoryInfo **out) {
  NEED(name);
  NEED(out);
  OrtMemoryInfo m = {.type = type, .id = id, .mem_type = mem};
  if (!device_of(name, &m))
    return fail(ORT_INVALID_ARGUMENT, "Specified device is not supported. Try CreateMemoryInfo_V2.");
  *out = malloc(sizeof **out);
  if (!*out) return no_memory();
  **out = m;
  return NULL;
}
OrtStatus *API(CreateMemoryInfo_V2)(const char *name, OrtMemoryInfoDeviceType device, uint32_t vendor, int32_t id,
                                    OrtDeviceMemoryType mem, size_t alignment, OrtAllocatorType type,
                                    OrtMemoryInfo **out) {
  NEED(name);
  NEED(out);
  (void)alignment;
  size_t n = strlen(name) + 1;
  OrtMemoryInfo *m = calloc(1, sizeof *m + n);
  if (!m) return no_memory();
  memcpy(m + 1, name, n);
  *m = (OrtMemoryInfo){(const char *)(m + 1), type, id, OrtMemTypeDefault, device, mem, vendor};
  *out = m;
  return NULL;
}
OrtStatus *API(CreateCpuMemoryInfo)(OrtAllocatorType type, OrtMemType mem, OrtMemoryInfo **out) {
  return API(CreateMemoryInfo)("Cpu", type, 0, mem, out);
}
void API(ReleaseMemoryInfo)(OrtMemoryInfo *m) {
  if (m != &cpu_memory) free(m);
}
OrtStatus *API(CompareMemoryInfo)(const OrtMemoryInfo *a, const OrtMemoryInfo *b, int *out) {
  NEED(a);
  NEED(b);
  NEED(out);
  *out = strcmp(a->name, b->name) != 0 || a->type != b->type || a->id != b->id || a->mem_type != b->mem_type ? -1 : 0;
  return NULL;
}
OrtStatus *API(MemoryInfoGetName)(const OrtMemoryInfo *m, const char **out) {
  NEED(m);
  NEED(out);
  *out = m->name;
  return NULL;
}
OrtStatus *API(MemoryInfoGetId)(const OrtMemoryInfo *m, int *out) {
  NEED(m);
  NEED(out);
  *out = m->id;
  return NULL;
}
OrtStatus *API(MemoryInfoGetMemType)(const OrtMemoryInfo *m, OrtMemType *out) {
  NEED(m);
  NEED(out);
  *out = m->mem_type;
  return NULL;
}
OrtStatus *API(MemoryInfoGetType)(const OrtMemoryInfo *m, OrtAllocatorType *out) {
  NEED(m);
  NEED(out);
  *out = m->type;
  return NULL;
}
void API(MemoryInfoGetDeviceType)(const OrtMemoryInfo *m, OrtMemoryInfoDeviceType *out) {
  if (m && out) *out = m->device;
}
OrtDeviceMemoryType API(MemoryInfoGetDeviceMemType)(const OrtMemoryInfo *m) {
  return m ? m->device_mem : OrtDeviceMemoryType_DEFAULT;
}
uint32_t API(MemoryInfoGetVendorId)(const OrtMemoryInfo *m) { return m ? m->vendor : 0; }

/* Memory of the C library, aligned for vectors. NULL for no bytes, as the original has it. */
static void *cpu_alloc(OrtAllocator *a, size_t n) {
  void *p = NULL;
  (void)a;
  return n && !posix_memalign(&p, 64, n) ? p : NULL;
}
static void cpu_free(OrtAllocator *a, void *p) {
  (void)a;
  free(p);
}
static const OrtMemoryInfo *cpu_info(const OrtAllocator *a) {
  (void)a;
  return &cpu_memory;
}
OrtAllocator cpu_allocator = {
    .version = ORT_API_VERSION, .Alloc = cpu_alloc, .Free = cpu_free, .Info = cpu_info, .Reserve = cpu_alloc};

OrtStatus *API(GetAllocatorWithDefaultOptions)(OrtAllocator **out) {
  NEED(out);
  *out = &cpu_allocator;
  return NULL;
}
OrtStatus *API(CreateAllocator)(const OrtSession *s, const OrtMemoryInfo *m, OrtAllocator **out) {
  NEED(s);
  NEED(m);
  NEED(out);
  if (m->device != OrtMemoryInfoDeviceType_CPU)
    return fail(ORT_INVALID_ARGUMENT, "No requested allocator available: memory \"%s\"", m->name);
  *out = malloc(sizeof **out);
  if (!*out) return no_memory();
  **out = cpu_allocator;
  return NULL;
}
void API(ReleaseAllocator)(OrtAllocator *a) {
  if (a != &cpu_allocator) free(a);
}
OrtStatus *API(AllocatorAlloc)(OrtAllocator *a, size_t n, void **out) {
  NEED(a);
  NEED(out);
  *out = a->Alloc(a, n);
  return *out || !n ? NULL : no_memory();
}
OrtStatus *API(AllocatorFree)(OrtAllocator *a, void *p) {
  NEED(a);
  a->Free(a, p);
  return NULL;
}
OrtStatus *API(AllocatorGetInfo)(const OrtAllocator *a, const OrtMemoryInfo **out) {
  NEED(a);
  NEED(out);
  *out = a->Info(a);
  return NULL;
}
/* The C library keeps no counts. */
OrtStatus *API(AllocatorGetStats)(const OrtAllocator *a, OrtKeyValuePairs **out) {
  NEED(a);
  NEED(out);
  if (a->version >= 23 && a->GetStats) return a->GetStats(a, out);
  API(CreateKeyValuePairs)(out);
  return *out ? NULL : no_memory();
}

OrtStatus *text_out(OrtAllocator *a, const char *text, char **out) {
  size_t n = strlen(text) + 1;
  char *p = a->Alloc(a, n);
  if (!p) return no_memory();
  memcpy(p, text, n);
  *out = p;
  return NULL;
}

/* Allocators that sessions share: one of the caller's, for those that ask with session.use_env_allocators. */
OrtStatus *API(RegisterAllocator)(OrtEnv *e, OrtAllocator *a) {
  NEED(e);
  NEED(a);
  const OrtMemoryInfo *m = a->Info(a);
  if (!m || m->device != OrtMemoryInfoDeviceType_CPU)
    return fail(ORT_INVALID_ARGUMENT, "RegisterAllocator: only memory of the CPU can be shared");
  if (e->shared) return fail(ORT_INVALID_ARGUMENT, "An allocator for this device has already been registered for sharing.");
  e->shared = a;
  return NULL;
}
OrtStatus *API(CreateAndRegisterAllocator)(OrtEnv *e, const OrtMemoryInfo *m, const OrtArenaCfg *arena) {
  NEED(e);
  NEED(m);
  (void)arena;
  if (m->device != OrtMemoryInfoDeviceType_CPU)
    return fail(ORT_INVALID_ARGUMENT, "CreateAndRegisterAllocator: only memory of the CPU can be shared");
  return API(RegisterAllocator)(e, &cpu_allocator);
}
OrtStatus *API(CreateAndRegisterAllocatorV2)(OrtEnv *e, const char *provider, const OrtMemoryInfo *m,
                                             const OrtArenaCfg *arena, const char *const *keys,
                                             const char *const *values, size_t n) {
  (void)keys, (void)values, (void)n;
  NEED(provider);
  if (strcmp(provider, "CPUExecutionProvider") != 0)
    return fail(ORT_INVALID_ARGUMENT, "CreateAndRegisterAllocatorV2: provider \"%s\" is not there; CPUExecutionProvider is",
                provider);
  return API(CreateAndRegisterAllocator)(e, m, arena);
}
OrtStatus *API(UnregisterAllocator)(OrtEnv *e, const OrtMemoryInfo *m) {
  NEED(e);
  NEED(m);
  if (!e->shared) return fail(ORT_INVALID_ARGUMENT, "No allocator for this device has been registered for sharing.");
  e->shared = NULL;
  return NULL;
}
OrtStatus *API(GetSharedAllocator)(OrtEnv *e, const OrtMemoryInfo *m, OrtAllocator **out) {
  NEED(e);
  NEED(m);
  NEED(out);
  *out = m->device == OrtMemoryInfoDeviceType_CPU ? e->shared ? e->shared : &cpu_allocator : NULL;
  return NULL;
}

/* How an arena of the original would grow: read, and of no effect. */
struct OrtArenaCfg {
  char none;
};
OrtStatus *API(CreateArenaCfg)(size_t max, int strategy, int first, int dead, OrtArenaCfg **out) {
  NEED(out);
  (void)max, (void)strategy, (void)first, (void)dead;
  *out = calloc(1, sizeof **out);
  return *out ? NULL : no_memory();
}
OrtStatus *API(CreateArenaCfgV2)(const char *const *keys, const size_t *values, size_t n, OrtArenaCfg **out) {
  static const char *const known[] = {"max_mem",
                                      "arena_extend_strategy",
                                      "initial_chunk_size_bytes",
                                      "max_dead_bytes_per_chunk",
                                      "initial_growth_chunk_size_bytes",
                                      "max_power_of_two_extend_bytes"};
  (void)values;
  if (n) NEED(keys);
  for (size_t i = 0; i < n; i++) {
    size_t k = 0;
    while (k < sizeof known / sizeof *known && strcmp(keys[i], known[k]) != 0) k++;
    if (k == sizeof known / sizeof *known) return fail(ORT_INVALID_ARGUMENT, "Invalid key found: %s", keys[i]);
  }
  return API(CreateArenaCfg)(0, 0, 0, 0, out);
}
void API(ReleaseArenaCfg)(OrtArenaCfg *c) { free(c); }

/* The CPU is the one provider. */
OrtStatus *API(GetAvailableProviders)(char ***out, int *n) {
  NEED(out);
  NEED(n);
  char **p = malloc(sizeof *p);
  if (p && !(*p = strdup("CPUExecutionProvider"))) {
    free(p);
    p = NULL;
  }
  if (!p) return no_memory();
  *out = p;
  *n = 1;
  return NULL;
}
OrtStatus *API(ReleaseAvailableProviders)(char **p, int n) {
  for (int i = 0; p && i < n; i++) free(p[i]);
  free(p);
  return NULL;
}
const char *API(GetBuildInfoString)(void) { return "whet: ONNX Runtime's interface"; }
