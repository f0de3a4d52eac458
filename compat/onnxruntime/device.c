/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of execution providers: one, the CPU, which every choice among them comes to. */

#include "shim.h"

struct OrtHardwareDevice {
  uint32_t vendor_id;
  const char *vendor;
  OrtKeyValuePairs metadata;
};
struct OrtEpDevice {
  const OrtHardwareDevice *device;
  OrtKeyValuePairs metadata, options;
};

static OrtHardwareDevice cpu;
static char s_key[] = "version", s_text[24], *s_keys[] = {s_key}, *s_values[] = {s_text};
static OrtEpDevice provider = {.device = &cpu, .metadata = {{s_keys, s_values, 1}}};
static const OrtEpDevice *const s_all[] = {&provider};

/* Who made the processor, with the number that its devices on a bus have. */
static void describe(void) {
  snprintf(s_text, sizeof s_text, "%s", whet_version());
  cpu.vendor = "";
#if defined(__x86_64__) || defined(__i386__)
  __builtin_cpu_init();
  if (__builtin_cpu_is("intel")) cpu.vendor = "Intel", cpu.vendor_id = 0x8086;
  if (__builtin_cpu_is("amd")) cpu.vendor = "AMD", cpu.vendor_id = 0x1022;
#endif
}

OrtStatus *API(GetEpDevices)(const OrtEnv *env, const OrtEpDevice *const **out, size_t *n) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  NEED(env);
  NEED(out);
  NEED(n);
  pthread_once(&once, describe);
  *out = s_all;
  *n = 1;
  return NULL;
}
OrtStatus *API(GetNumHardwareDevices)(const OrtEnv *env, size_t *n) {
  const OrtEpDevice *const *all;
  return API(GetEpDevices)(env, &all, n);
}
OrtStatus *API(GetHardwareDevices)(const OrtEnv *env, const OrtHardwareDevice **out, size_t n) {
  const OrtEpDevice *const *all;
  size_t have;
  NEED(out);
  TRY(API(GetEpDevices)(env, &all, &have));
  if (n < have)
    return fail(ORT_INVALID_ARGUMENT, "num_devices is less than the number of available hardware devices.");
  out[0] = all[0]->device;
  return NULL;
}

/* What they tell. */
OrtHardwareDeviceType API(HardwareDevice_Type)(const OrtHardwareDevice *d) {
  return (void)d, OrtHardwareDeviceType_CPU;
}
uint32_t API(HardwareDevice_VendorId)(const OrtHardwareDevice *d) { return d ? d->vendor_id : 0; }
const char *API(HardwareDevice_Vendor)(const OrtHardwareDevice *d) { return d ? d->vendor : ""; }
uint32_t API(HardwareDevice_DeviceId)(const OrtHardwareDevice *d) { return (void)d, 0; }
const OrtKeyValuePairs *API(HardwareDevice_Metadata)(const OrtHardwareDevice *d) { return d ? &d->metadata : NULL; }
const char *API(EpDevice_EpName)(const OrtEpDevice *d) { return (void)d, "CPUExecutionProvider"; }
const char *API(EpDevice_EpVendor)(const OrtEpDevice *d) { return (void)d, "whet"; }
const OrtKeyValuePairs *API(EpDevice_EpMetadata)(const OrtEpDevice *d) { return d ? &d->metadata : NULL; }
const OrtKeyValuePairs *API(EpDevice_EpOptions)(const OrtEpDevice *d) { return d ? &d->options : NULL; }
const OrtHardwareDevice *API(EpDevice_Device)(const OrtEpDevice *d) { return d ? d->device : NULL; }
/* The provider has no memory of its own: the CPU's default allocator serves it. */
const OrtMemoryInfo *API(EpDevice_MemoryInfo)(const OrtEpDevice *d, OrtDeviceMemoryType t) {
  return (void)d, (void)t, NULL;
}

/* Choices. */
OrtStatus *API(SessionOptionsAppendExecutionProvider_V2)(OrtSessionOptions *o, OrtEnv *env,
                                                         const OrtEpDevice *const *device, size_t n,
                                                         const char *const *keys, const char *const *values,
                                                         size_t n_options) {
  NEED(o);
  NEED(env);
  if (!n || !device) return fail(ORT_INVALID_ARGUMENT, "Must provide one or more OrtEpDevice instances.");
  for (size_t i = 0; i < n; i++)
    if (device[i] != &provider) return fail(ORT_INVALID_ARGUMENT, "device %zu is none of this library's", i);
  if (n_options) {
    NEED(keys);
    NEED(values);
  }
  return NULL;
}
OrtStatus *API(SessionOptionsSetEpSelectionPolicy)(OrtSessionOptions *o, OrtExecutionProviderDevicePolicy policy) {
  NEED(o);
  (void)policy;
  o->choose = NULL;
  return NULL;
}
OrtStatus *API(SessionOptionsSetEpSelectionPolicyDelegate)(OrtSessionOptions *o, EpSelectionDelegate choose,
                                                           void *state) {
  NEED(o);
  o->choose = choose;
  o->choose_state = state;
  return NULL;
}

/* The model's metadata as the caller's function sees them: those that the format names are always there. */
static OrtStatus *metadata_of(const OrtSession *s, pairs *to) {
  static const char *const always[] = {"producer_name", "producer_version", "domain",           "model_version",
                                       "doc_string",    "graph_name",       "graph_description"};
  for (size_t i = 0; i < sizeof always / sizeof *always; i++) TRY(pairs_set(to, always[i], ""));
  for (size_t i = 0; i < whet_model_metas(s->model); i++) {
    const char *key = whet_model_meta_key(s->model, i), *name = key;
    if (!strcmp(key, "version")) name = "model_version";
    if (!strcmp(key, "description")) name = "doc_string";
    TRY(pairs_set(to, name, whet_model_meta(s->model, key, NULL)));
  }
  return NULL;
}

/* Let the caller's function choose, where there is one. */
OrtStatus *devices_choose(const OrtSessionOptions *o, const OrtEnv *env, const OrtSession *s) {
  enum { most = 8 };
  const OrtEpDevice *const *all, *offered[1], *chosen[most] = {0};
  size_t n, picked = 0;
  OrtKeyValuePairs model = {{0}}, runtime = {{0}};
  if (!o->choose) return NULL;
  TRY(API(GetEpDevices)(env, &all, &n));
  offered[0] = all[0];
  OrtStatus *st = metadata_of(s, &model.p);
  if (!st) st = o->choose(offered, n, &model, &runtime, chosen, most, &picked, o->choose_state);
  pairs_free(&model.p);
  if (st) {
    OrtStatus *said = fail(ORT_FAIL, "EP selection delegate failed: %s", API(GetErrorMessage)(st));
    API(ReleaseStatus)(st);
    return said;
  }
  if (!picked || picked > most) return fail(ORT_FAIL, "EP selection delegate did not select anything.");
  for (size_t i = 0; i < picked; i++)
    if (chosen[i] != &provider)
      return fail(ORT_FAIL, "EP selection delegate selected a device that it was not offered.");
  return NULL;
}

/* Where inputs and outputs of a session are: all on the CPU. */
OrtStatus *API(SessionGetEpDeviceForInputs)(const OrtSession *s, const OrtEpDevice **out, size_t n) {
  NEED(s);
  if (n) NEED(out);
  if (n != s->n_in) return fail(ORT_INVALID_ARGUMENT, "the session has %zu inputs, not %zu", s->n_in, n);
  for (size_t i = 0; i < n; i++) out[i] = &provider;
  return NULL;
}
OrtStatus *API(SessionGetEpDeviceForOutputs)(const OrtSession *s, const OrtEpDevice **out, size_t n) {
  NEED(s);
  if (n) NEED(out);
  if (n != s->n_out) return fail(ORT_INVALID_ARGUMENT, "the session has %zu outputs, not %zu", s->n_out, n);
  for (size_t i = 0; i < n; i++) out[i] = &provider;
  return NULL;
}
