/* SPDX-License-Identifier: Apache-2.0 */
/* What kernels of the caller's own ask for: attributes, the model's names and types, inputs and outputs, the log. */

#include "shim.h"

/* ---- what CreateKernel calls ------------------------------------------------------------------------------------
 */

static OrtStatus *no_attribute(const char *name) {
  return fail(ORT_FAIL, "No attribute with name:'%s' is defined.", name);
}

OrtStatus *API(KernelInfoGetAttribute_float)(const OrtKernelInfo *k, const char *name, float *out) {
  NEED(k);
  NEED(name);
  NEED(out);
  return whet_custom_attr_float(k->ctx, name, out) ? NULL : no_attribute(name);
}
OrtStatus *API(KernelInfoGetAttribute_int64)(const OrtKernelInfo *k, const char *name, int64_t *out) {
  NEED(k);
  NEED(name);
  NEED(out);
  return whet_custom_attr_int(k->ctx, name, out) ? NULL : no_attribute(name);
}

/* Copy n bytes and a zero (if text) into *size bytes; out NULL: say how many are needed. */
static OrtStatus *copy_out(const void *from, size_t n, size_t each, bool text, void *out, size_t *size) {
  size_t need = n + text, have = *size;
  *size = need;
  if (!out) return NULL;
  if (have < need)
    return fail(ORT_INVALID_ARGUMENT, "Result buffer is not large enough: %zu, %zu needed", have, need);
  if (n) memcpy(out, from, n * each);
  if (text) ((char *)out)[n] = 0;
  return NULL;
}
OrtStatus *API(KernelInfoGetAttribute_string)(const OrtKernelInfo *k, const char *name, char *out, size_t *size) {
  NEED(k);
  NEED(name);
  NEED(size);
  const char *p;
  size_t n;
  return whet_custom_attr_string(k->ctx, name, &p, &n) ? copy_out(p, n, 1, true, out, size) : no_attribute(name);
}
OrtStatus *API(KernelInfoGetAttributeArray_float)(const OrtKernelInfo *k, const char *name, float *out,
                                                  size_t *size) {
  NEED(k);
  NEED(name);
  NEED(size);
  const float *p;
  size_t n;
  return whet_custom_attr_floats(k->ctx, name, &p, &n) ? copy_out(p, n, sizeof *p, false, out, size)
                                                       : no_attribute(name);
}
OrtStatus *API(KernelInfoGetAttributeArray_int64)(const OrtKernelInfo *k, const char *name, int64_t *out,
                                                  size_t *size) {
  NEED(k);
  NEED(name);
  NEED(size);
  const int64_t *p;
  size_t n;
  return whet_custom_attr_ints(k->ctx, name, &p, &n) ? copy_out(p, n, sizeof *p, false, out, size)
                                                     : no_attribute(name);
}
OrtStatus *API(KernelInfoGetAttribute_tensor)(const OrtKernelInfo *k, const char *name, OrtAllocator *a,
                                              OrtValue **out) {
  NEED(k);
  NEED(name);
  NEED(a);
  NEED(out);
  whet_info x;
  const void *data;
  return whet_custom_attr_tensor(k->ctx, name, &x, &data) ? value_copy(a, &x, data, out) : no_attribute(name);
}

/* A copy answers as long as the session lives. */
OrtStatus *API(CopyKernelInfo)(const OrtKernelInfo *k, OrtKernelInfo **out) {
  NEED(k);
  NEED(out);
  OrtKernelInfo *copy = malloc(sizeof *copy);
  if (!copy) return no_memory();
  *copy = *k;
  copy->copied = true;
  if (!k->copied && whet_custom_keep(k->ctx, &copy->ctx)) {
    free(copy);
    return no_memory();
  }
  *out = copy;
  return NULL;
}
void API(ReleaseKernelInfo)(OrtKernelInfo *k) { free(k); }

OrtStatus *API(KernelInfo_GetInputCount)(const OrtKernelInfo *k, size_t *out) {
  NEED(k);
  NEED(out);
  *out = whet_custom_inputs(k->ctx);
  return NULL;
}
OrtStatus *API(KernelInfo_GetOutputCount)(const OrtKernelInfo *k, size_t *out) {
  NEED(k);
  NEED(out);
  *out = whet_custom_outputs(k->ctx);
  return NULL;
}
OrtStatus *API(KernelInfo_GetOperatorType)(const OrtKernelInfo *k, char *out, size_t *size) {
  NEED(k);
  NEED(size);
  const char *name = k->own->op->GetName(k->own->op);
  return copy_out(name, strlen(name), 1, true, out, size);
}

OrtStatus *API(KernelInfo_GetOperatorDomain)(const OrtKernelInfo *k, char *out, size_t *size) {
  NEED(k);
  NEED(size);
  return copy_out(k->own->domain, strlen(k->own->domain), 1, true, out, size);
}
OrtStatus *API(KernelInfo_GetOperatorSinceVersion)(const OrtKernelInfo *k, int *out) {
  NEED(k);
  NEED(out);
  const OrtCustomOp *op = k->own->op;
  *out = op->version >= 17 && op->GetStartVersion ? op->GetStartVersion(op) : 1;
  return NULL;
}
OrtStatus *API(KernelInfo_GetNodeName)(const OrtKernelInfo *k, char *out, size_t *size) {
  NEED(k);
  NEED(size);
  const char *name = whet_custom_node(k->ctx);
  return copy_out(name, strlen(name), 1, true, out, size);
}
OrtStatus *API(KernelInfo_GetConfigEntries)(const OrtKernelInfo *k, OrtKeyValuePairs **out) {
  NEED(k);
  NEED(out);
  API(CreateKeyValuePairs)(out);
  if (!*out) return no_memory();
  OrtStatus *s = pairs_copy(&(*out)->p, &k->own->config);
  if (s) API(ReleaseKeyValuePairs)(*out), *out = NULL;
  return s;
}

/* A handle over whet's memory of a tensor; strings are copied. */
static OrtStatus *handle_of(const whet_info *x, void *data, OrtValue **out) {
  static char none;
  whet_value *v;
  size_t n = 1;
  whet_status st;
  for (int32_t i = 0; i < x->rank; i++) n *= (size_t)x->dims[i];
  if (x->dtype == WHET_STRING) {
    st = whet_value_create(x->dtype, x->rank, x->dims, &v);
    const whet_str *s = data;
    for (size_t i = 0; !st && s && i < n; i++)
      if ((st = whet_value_set_string(v, i, s[i].p, s[i].n))) whet_value_unref(&v);
  } else {
    st = whet_value_wrap(x->dtype, x->rank, x->dims, data ? data : &none, whet_dtype_bytes(x->dtype, n), NULL, NULL,
                         &v);
  }
  return st ? fail(ORT_RUNTIME_EXCEPTION, "%s", whet_status_text(st)) : value_own(v, out);
}

/* What the model tells of input or output i; data (may be NULL): the contents of an input that is constant. */
static OrtStatus *tell(const OrtKernelInfo *k, bool in, size_t i, whet_info *x, const void **data) {
  size_t n = in ? whet_custom_inputs(k->ctx) : whet_custom_outputs(k->ctx);
  if (i >= n) return fail(ORT_INVALID_ARGUMENT, "%s %zu of %zu", in ? "input" : "output", i, n);
  return of_whet(in ? whet_custom_input(k->ctx, i, x, data) : whet_custom_output_info(k->ctx, i, x), NULL);
}
static OrtStatus *tell_name(const OrtKernelInfo *k, bool in, size_t i, char *out, size_t *size) {
  whet_info x;
  TRY(tell(k, in, i, &x, NULL));
  const char *name = x.name ? x.name : "";
  return copy_out(name, strlen(name), 1, true, out, size);
}
static OrtStatus *tell_type(const OrtKernelInfo *k, bool in, size_t i, OrtTypeInfo **out) {
  whet_info x;
  TRY(tell(k, in, i, &x, NULL));
  return type_of_info(&x, NULL, out);
}
OrtStatus *API(KernelInfo_GetInputName)(const OrtKernelInfo *k, size_t i, char *out, size_t *size) {
  NEED(k);
  NEED(size);
  return tell_name(k, true, i, out, size);
}
OrtStatus *API(KernelInfo_GetOutputName)(const OrtKernelInfo *k, size_t i, char *out, size_t *size) {
  NEED(k);
  NEED(size);
  return tell_name(k, false, i, out, size);
}
OrtStatus *API(KernelInfo_GetInputTypeInfo)(const OrtKernelInfo *k, size_t i, OrtTypeInfo **out) {
  NEED(k);
  NEED(out);
  return tell_type(k, true, i, out);
}
OrtStatus *API(KernelInfo_GetOutputTypeInfo)(const OrtKernelInfo *k, size_t i, OrtTypeInfo **out) {
  NEED(k);
  NEED(out);
  return tell_type(k, false, i, out);
}

/* The value lives as long as the session. */
OrtStatus *API(KernelInfoGetConstantInput_tensor)(const OrtKernelInfo *k, size_t i, int *constant,
                                                  const OrtValue **out) {
  NEED(k);
  NEED(constant);
  NEED(out);
  whet_info x;
  const void *data;
  TRY(tell(k, true, i, &x, &data));
  *constant = data != NULL;
  *out = NULL;
  if (!data) return NULL;
  kept_value *keep = malloc(sizeof *keep);
  if (!keep) return no_memory();
  OrtStatus *s = handle_of(&x, (void *)data, &keep->v);
  if (s) {
    free(keep);
    return s;
  }
  keep->next = k->own->kept;
  k->own->kept = keep;
  *out = keep->v;
  return NULL;
}

/* Text by text in an allocator's memory, as many as *size says; out NULL: say how many there are. */
OrtStatus *API(KernelInfoGetAttributeArray_string)(const OrtKernelInfo *k, const char *name, OrtAllocator *a,
                                                   char ***out, size_t *size) {
  NEED(k);
  NEED(name);
  NEED(a);
  NEED(out);
  NEED(size);
  const whet_str *s;
  size_t n;
  if (!whet_custom_attr_strings(k->ctx, name, &s, &n)) return no_attribute(name);
  char **list = a->Alloc(a, (n ? n : 1) * sizeof *list);
  if (!list) return no_memory();
  for (size_t i = 0; i < n; i++) {
    list[i] = a->Alloc(a, s[i].n + 1);
    if (!list[i]) {
      while (i) a->Free(a, list[--i]);
      a->Free(a, list);
      return no_memory();
    }
    if (s[i].n) memcpy(list[i], s[i].p, s[i].n);
    list[i][s[i].n] = 0;
  }
  *out = list;
  *size = n;
  return NULL;
}

/* ---- log lines --------------------------------------------------------------------------------------------------
 */

OrtStatus *API(KernelInfo_GetLogger)(const OrtKernelInfo *k, const OrtLogger **out) {
  NEED(k);
  NEED(out);
  *out = (const OrtLogger *)(const void *)k->own->log;
  return NULL;
}
OrtStatus *API(KernelContext_GetLogger)(const OrtKernelContext *k, const OrtLogger **out) {
  NEED(k);
  NEED(out);
  *out = (const OrtLogger *)(const void *)k->own->log;
  return NULL;
}
OrtStatus *API(Logger_GetLoggingSeverityLevel)(const OrtLogger *logger, OrtLoggingLevel *out) {
  NEED(logger);
  NEED(out);
  *out = ((const listener *)(const void *)logger)->level;
  return NULL;
}
OrtStatus *API(Logger_LogMessage)(const OrtLogger *logger, OrtLoggingLevel level, const char *message,
                                  const char *file, int line, const char *function) {
  NEED(logger);
  NEED(message);
  const listener *l = (const listener *)(const void *)logger;
  char place[256];
  if (level < l->level) return NULL;
  const char *slash = file ? strrchr(file, '/') : NULL;
  snprintf(place, sizeof place, "%s:%d %s", slash ? slash + 1 : file ? file : "", line, function ? function : "");
  if (l->fn)
    l->fn(l->param, level, "onnxruntime", l->id, place, message);
  else
    fprintf(stderr, "[%s] %s: %s\n", l->id, place, message);
  return NULL;
}

/* ---- what KernelCompute calls -----------------------------------------------------------------------------------
 */

OrtStatus *API(KernelContext_GetInputCount)(const OrtKernelContext *k, size_t *out) {
  NEED(k);
  NEED(out);
  *out = k->n_in;
  return NULL;
}
OrtStatus *API(KernelContext_GetOutputCount)(const OrtKernelContext *k, size_t *out) {
  NEED(k);
  NEED(out);
  *out = k->n_out;
  return NULL;
}

OrtStatus *API(KernelContext_GetInput)(const OrtKernelContext *k, size_t i, const OrtValue **out) {
  NEED(k);
  NEED(out);
  if (i >= k->n_in) return fail(ORT_INVALID_ARGUMENT, "input %zu of %zu", i, k->n_in);
  if (!k->in[i]) {
    whet_info x;
    const void *data;
    whet_status st = whet_custom_input(k->ctx, i, &x, &data);
    if (st) return of_whet(st, NULL);
    if (x.dtype != WHET_NONE) TRY(handle_of(&x, (void *)data, &k->in[i]));
  }
  *out = k->in[i];
  return NULL;
}

/* The type of output i: as the operator says; where that is left open, its first input's. */
static whet_dtype out_type(const OrtKernelContext *k, size_t i) {
  size_t n = k->own->op->GetOutputTypeCount(k->own->op);
  whet_dtype t = n ? whet_type(k->own->op->GetOutputType(k->own->op, i < n ? i : n - 1)) : WHET_NONE;
  whet_info x;
  const void *data;
  return t == WHET_NONE && !whet_custom_input(k->ctx, 0, &x, &data) ? x.dtype : t;
}

OrtStatus *API(KernelContext_GetOutput)(OrtKernelContext *k, size_t i, const int64_t *dims, size_t rank,
                                        OrtValue **out) {
  NEED(k);
  NEED(out);
  if (rank) NEED(dims);
  if (i >= k->n_out) return fail(ORT_INVALID_ARGUMENT, "output %zu of %zu", i, k->n_out);
  if (rank > WHET_MAX_RANK)
    return fail(ORT_INVALID_ARGUMENT, "%zu dimensions; whet has up to %d", rank, WHET_MAX_RANK);
  if (!k->out[i]) {
    whet_info x = {.dtype = out_type(k, i), .rank = (int32_t)rank};
    void *data;
    if (rank) memcpy(x.dims, dims, rank * sizeof *dims);
    whet_status st = whet_custom_output(k->ctx, i, x.dtype, x.rank, x.dims, &data);
    if (st) return fail(ORT_FAIL, "output %zu cannot be made: %s", i, whet_status_text(st));
    TRY(handle_of(&x, data, &k->out[i]));
  }
  *out = k->out[i];
  return NULL;
}

/* One after the other: a run has its threads already. */
OrtStatus *API(KernelContext_ParallelFor)(const OrtKernelContext *k, void (*fn)(void *, size_t), size_t total,
                                          size_t batches, void *user) {
  NEED(k);
  NEED(fn);
  (void)batches;
  for (size_t i = 0; i < total; i++) fn(user, i);
  return NULL;
}
/* An allocator of the caller's own to release. */
static OrtStatus *allocator_out(OrtAllocator **out) {
  *out = malloc(sizeof **out);
  if (!*out) return no_memory();
  **out = cpu_allocator;
  return NULL;
}
OrtStatus *API(KernelContext_GetAllocator)(const OrtKernelContext *k, const OrtMemoryInfo *m, OrtAllocator **out) {
  NEED(k);
  NEED(m);
  NEED(out);
  return allocator_out(out);
}
OrtStatus *API(KernelInfoGetAllocator)(const OrtKernelInfo *k, OrtMemType type, OrtAllocator **out) {
  NEED(k);
  NEED(out);
  (void)type;
  return allocator_out(out);
}

/* No stream, no output that is there before it is asked for. */
OrtStatus *API(KernelContext_GetGPUComputeStream)(const OrtKernelContext *k, void **out) {
  NEED(k);
  NEED(out);
  *out = NULL;
  return NULL;
}
OrtStatus *API(KernelContext_GetSyncStream)(const OrtKernelContext *k, OrtSyncStream **out) {
  NEED(k);
  NEED(out);
  *out = NULL;
  return NULL;
}
OrtStatus *API(KernelContext_GetPreallocatedOutput)(const OrtKernelContext *k, size_t i, OrtValue **out) {
  NEED(k);
  NEED(out);
  if (i >= k->n_out) return fail(ORT_INVALID_ARGUMENT, "output %zu of %zu", i, k->n_out);
  *out = NULL;
  return NULL;
}
