/* SPDX-License-Identifier: Apache-2.0 */
/* Execution providers' devices through ONNX Runtime's C interface, on a machine that has a CPU: program MODEL (one
 * input, one output). Prints what there is to choose from, what each way of choosing answers, and where sessions then
 * run. */

#include <stdio.h>
#include <string.h>

#include "onnxruntime_c_api.h"

static const OrtApi *g;

/* The code of a status: 0 where there is none. */
static int code(OrtStatus *s) {
  int c = s ? (int)g->GetErrorCode(s) : 0;
  g->ReleaseStatus(s);
  return c;
}

static void show_pairs(const char *what, const OrtKeyValuePairs *p, int values) {
  const char *const *key = NULL, *const *value = NULL;
  size_t n = 0;
  if (p) g->GetKeyValuePairs(p, &key, &value, &n);
  printf("  %s: %d %zu\n", what, p != NULL, n);
  for (size_t i = 0; values && i < n; i++) {
    /* The order of the pairs is nobody's promise: by name. */
    size_t at = 0;
    for (size_t k = 0; k < n; k++) {
      size_t before = 0;
      for (size_t m = 0; m < n; m++) before += strcmp(key[m], key[k]) < 0;
      if (before == i) at = k;
    }
    printf("    %s=%s\n", key[at], value[at]);
  }
}

/* Takes as many of the devices as state says. */
static OrtStatus *ORT_API_CALL pick(const OrtEpDevice **device, size_t n, const OrtKeyValuePairs *model,
                                    const OrtKeyValuePairs *runtime, const OrtEpDevice **selected, size_t most,
                                    size_t *n_selected, void *state) {
  size_t want = *(const size_t *)state;
  printf("  to choose from: %zu, at most %zu\n", n, most);
  show_pairs("model", model, 1);
  show_pairs("runtime", runtime, 1);
  if (want > 1) return g->CreateStatus(ORT_EP_FAIL, "none of these");
  for (size_t i = 0; i < want; i++) selected[i] = device[0];
  *n_selected = want;
  return NULL;
}

/* Open the model with the options, and let go of them. */
static void open_with(OrtEnv *env, const char *path, OrtSessionOptions *o, const OrtEpDevice *cpu) {
  OrtSession *s = NULL;
  const OrtEpDevice *in = NULL, *out = NULL;
  int c = code(g->CreateSession(env, path, o, &s));
  printf("  session: %d\n", c);
  if (!c) {
    int i = code(g->SessionGetEpDeviceForInputs(s, &in, 1)), x = code(g->SessionGetEpDeviceForOutputs(s, &out, 1));
    printf("  inputs %d %d, outputs %d %d\n", i, in == cpu, x, out == cpu);
  }
  g->ReleaseSession(s);
  g->ReleaseSessionOptions(o);
}

int main(int argc, char **argv) {
  OrtEnv *env;
  const OrtEpDevice *const *all = NULL, *cpu;
  const OrtHardwareDevice *hw[1] = {NULL};
  OrtSessionOptions *o;
  size_t n = 0, m = 0;
  if (argc < 2 || !(g = OrtGetApiBase()->GetApi(24)) || code(g->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "devices", &env)))
    return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  int c = code(g->GetEpDevices(env, &all, &n));
  printf("devices: %d %zu\n", c, n);
  if (c || n != 1) return 1;
  cpu = all[0];
  const OrtHardwareDevice *d = g->EpDevice_Device(cpu);
  printf("%s of type %d, %d on %s\n", g->EpDevice_EpName(cpu), (int)g->HardwareDevice_Type(d),
         (int)g->HardwareDevice_VendorId(d), g->HardwareDevice_Vendor(d));
  printf("device %u, vendor said %d, memory %d %d\n", g->HardwareDevice_DeviceId(d), *g->EpDevice_EpVendor(cpu) != 0,
         g->EpDevice_MemoryInfo(cpu, OrtDeviceMemoryType_DEFAULT) != NULL,
         g->EpDevice_MemoryInfo(cpu, OrtDeviceMemoryType_HOST_ACCESSIBLE) != NULL);
  show_pairs("provider", g->EpDevice_EpMetadata(cpu), 0);
  show_pairs("options", g->EpDevice_EpOptions(cpu), 1);
  show_pairs("hardware", g->HardwareDevice_Metadata(d), 1);
  c = code(g->GetNumHardwareDevices(env, &m));
  printf("hardware: %d %zu, %d %d\n", c, m, code(g->GetHardwareDevices(env, hw, 0)),
         m == 1 ? code(g->GetHardwareDevices(env, hw, m)) : -1);
  for (int policy = 0; policy < 7; policy++) {
    if (code(g->CreateSessionOptions(&o))) return 1;
    printf("policy %d: %d\n", policy,
           code(g->SessionOptionsSetEpSelectionPolicy(o, (OrtExecutionProviderDevicePolicy)policy)));
    open_with(env, argv[1], o, cpu);
  }
  for (size_t want = 0; want < 3; want++) {
    if (code(g->CreateSessionOptions(&o))) return 1;
    printf("delegate for %zu: %d\n", want, code(g->SessionOptionsSetEpSelectionPolicyDelegate(o, pick, &want)));
    open_with(env, argv[1], o, cpu);
  }
  const char *key[] = {"colour"}, *value[] = {"blue"};
  for (int way = 0; way < 3; way++) {
    if (code(g->CreateSessionOptions(&o))) return 1;
    printf("append %d: %d\n", way,
           code(g->SessionOptionsAppendExecutionProvider_V2(o, env, all, way == 0 ? 0 : 1, key, value,
                                                            way == 2 ? 1 : 0)));
    open_with(env, argv[1], o, cpu);
  }
  if (code(g->CreateSessionOptions(&o))) return 1;
  printf("no fallback: %d\n", code(g->AddSessionConfigEntry(o, "session.disable_cpu_ep_fallback", "1")));
  open_with(env, argv[1], o, cpu);
  g->ReleaseEnv(env);
  return 0;
}
