/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of the caller's own: an OrtCustomOp becomes a custom operator of whet that tells its sizes while it runs. */

#include "shim.h"

#include <dlfcn.h>

struct custom_set {
  whet_custom_op *op;
  const whet_custom_op **list;
  whet_custom_domain *domain;
  const whet_custom_domain **domains;
  size_t n_domain;
};

/* What CreateKernel sees, for its call. */
struct OrtKernelInfo {
  whet_custom_ctx *ctx;
  const OrtCustomOp *op;
};

/* What KernelCompute sees. Handles are made when asked for. */
struct OrtKernelContext {
  whet_custom_ctx *ctx;
  const OrtCustomOp *op;
  OrtValue **in, **out;
  size_t n_in, n_out;
};

/* Pass on why a function of the caller's failed. */
static whet_status passed_on(whet_custom_ctx *c, OrtStatus *s) {
  if (!s) return WHET_OK;
  whet_status w = API(GetErrorCode)(s) == ORT_NOT_IMPLEMENTED ? WHET_E_UNSUPPORTED : WHET_E_DATA;
  whet_custom_error(c, API(GetErrorMessage)(s));
  API(ReleaseStatus)(s);
  return w;
}

/* Operators of an API version before 16 have the functions without status alone. */
static bool by_status(const OrtCustomOp *op) { return op->version >= 16 && op->CreateKernelV2 && op->KernelComputeV2; }

/* The caller's kernel is the state. */
static whet_status create(void *user, const whet_custom_ctx *c, void **state) {
  const OrtCustomOp *op = user;
  const OrtApi *api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  OrtKernelInfo info = {(whet_custom_ctx *)c, op};
  if (by_status(op)) return passed_on(info.ctx, op->CreateKernelV2(op, api, &info, state));
  *state = op->CreateKernel(op, api, &info);
  if (*state) return WHET_OK;
  whet_custom_error(info.ctx, "CreateKernel answered no kernel");
  return WHET_E_DATA;
}
static void destroy(void *user, void *state) { ((const OrtCustomOp *)user)->KernelDestroy(state); }

/* Compute, then let go of the handles. */
static whet_status run(void *user, void *state, whet_custom_ctx *c) {
  const OrtCustomOp *op = user;
  OrtKernelContext k = {.ctx = c, .op = op, .n_in = whet_custom_inputs(c), .n_out = whet_custom_outputs(c)};
  OrtValue **value = calloc(k.n_in + k.n_out + 1, sizeof *value);
  if (!value) return WHET_E_MEMORY;
  k.in = value;
  k.out = value + k.n_in;
  OrtStatus *s = NULL;
  if (by_status(op)) s = op->KernelComputeV2(state, &k);
  else op->KernelCompute(state, &k);
  whet_status st = passed_on(c, s);
  for (size_t i = 0; i < k.n_in + k.n_out; i++) API(ReleaseValue)(value[i]);
  free(value);
  return st;
}

/* How many inputs (or outputs) an operator takes. */
static void arity(const OrtCustomOp *op, size_t n,
                  OrtCustomOpInputOutputCharacteristic (*kind)(const OrtCustomOp *, size_t),
                  int (*least)(const OrtCustomOp *), int32_t *min, int32_t *max) {
  *min = 0;
  *max = (int32_t)n;
  for (size_t i = 0; i < n; i++) {
    OrtCustomOpInputOutputCharacteristic c = kind ? kind(op, i) : INPUT_OUTPUT_REQUIRED;
    if (c == INPUT_OUTPUT_REQUIRED) *min = (int32_t)i + 1;
    if (c != INPUT_OUTPUT_VARIADIC) continue;
    *min = (int32_t)i + (op->version >= 14 && least ? least(op) : 1);
    *max = -1;
  }
}

/* Two domains of one name become one. */
OrtStatus *custom_open(const OrtSessionOptions *o, custom_set **out) {
  size_t n = 0;
  *out = NULL;
  for (size_t i = 0; i < o->n_domain; i++) n += o->domain[i]->n;
  if (!n) return NULL;
  custom_set *c = calloc(1, sizeof *c);
  if (!c) return no_memory();
  c->op = calloc(n, sizeof *c->op);
  c->list = calloc(n, sizeof *c->list);
  c->domain = calloc(o->n_domain, sizeof *c->domain);
  c->domains = calloc(o->n_domain, sizeof *c->domains);
  if (!c->op || !c->list || !c->domain || !c->domains) {
    custom_close(c);
    return no_memory();
  }
  c->n_domain = o->n_domain;
  for (size_t i = 0, at = 0; i < o->n_domain; i++) {
    const OrtCustomOpDomain *d = o->domain[i];
    c->domain[i] = (whet_custom_domain){sizeof *c->domain, d->name, c->list + at, d->n};
    c->domains[i] = &c->domain[i];
    for (size_t k = 0; k < d->n; k++, at++) {
      const OrtCustomOp *op = d->op[k];
      whet_custom_op *w = &c->op[at];
      *w = (whet_custom_op){.size = sizeof *w, .name = op->GetName(op), .create = create, .destroy = destroy, .run = run,
                            .user = (void *)op, .thread_safe = 1};
      arity(op, op->GetInputTypeCount(op), op->GetInputCharacteristic, op->GetVariadicInputMinArity, &w->min_in, &w->max_in);
      arity(op, op->GetOutputTypeCount(op), op->GetOutputCharacteristic, op->GetVariadicOutputMinArity, &w->min_out,
            &w->max_out);
      c->list[at] = w;
    }
  }
  *out = c;
  return NULL;
}
const whet_custom_domain *const *custom_domains(const custom_set *c, size_t *n) {
  *n = c ? c->n_domain : 0;
  return c ? c->domains : NULL;
}
void custom_close(custom_set *c) {
  if (!c) return;
  free(c->op);
  free(c->list);
  free(c->domain);
  free(c->domains);
  free(c);
}

/* Libraries of operators stay loaded: sessions may use them as long as the process lives. */
static OrtStatus *load(OrtSessionOptions *o, const char *path, void **handle) {
  *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!*handle) return fail(ORT_FAIL, "Failed to load library %s with error: %s", path, dlerror());
  RegisterCustomOpsFn fn;
  *(void **)&fn = dlsym(*handle, "RegisterCustomOps");
  if (!fn) return fail(ORT_FAIL, "%s has no function RegisterCustomOps", path);
  return fn(o, OrtGetApiBase());
}
OrtStatus *API(RegisterCustomOpsLibrary)(OrtSessionOptions *o, const char *path, void **handle) {
  NEED(o);
  NEED(path);
  NEED(handle);
  return load(o, path, handle);
}
OrtStatus *API(RegisterCustomOpsLibrary_V2)(OrtSessionOptions *o, const char *path) {
  NEED(o);
  NEED(path);
  void *handle;
  return load(o, path, &handle);
}
OrtStatus *API(RegisterCustomOpsUsingFunction)(OrtSessionOptions *o, const char *name) {
  NEED(o);
  NEED(name);
  RegisterCustomOpsFn fn;
  *(void **)&fn = dlsym(RTLD_DEFAULT, name);
  return fn ? fn(o, OrtGetApiBase()) : fail(ORT_INVALID_ARGUMENT, "RegisterCustomOpsUsingFunction: no function %s", name);
}

/* ---- what CreateKernel calls ------------------------------------------------------------------------------------ */

static OrtStatus *no_attribute(const char *name) { return fail(ORT_FAIL, "No attribute with name:'%s' is defined.", name); }

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
  if (have < need) return fail(ORT_INVALID_ARGUMENT, "Result buffer is not large enough: %zu, %zu needed", have, need);
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
OrtStatus *API(KernelInfoGetAttributeArray_float)(const OrtKernelInfo *k, const char *name, float *out, size_t *size) {
  NEED(k);
  NEED(name);
  NEED(size);
  const float *p;
  size_t n;
  return whet_custom_attr_floats(k->ctx, name, &p, &n) ? copy_out(p, n, sizeof *p, false, out, size) : no_attribute(name);
}
OrtStatus *API(KernelInfoGetAttributeArray_int64)(const OrtKernelInfo *k, const char *name, int64_t *out, size_t *size) {
  NEED(k);
  NEED(name);
  NEED(size);
  const int64_t *p;
  size_t n;
  return whet_custom_attr_ints(k->ctx, name, &p, &n) ? copy_out(p, n, sizeof *p, false, out, size) : no_attribute(name);
}
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
  const char *name = k->op->GetName(k->op);
  return copy_out(name, strlen(name), 1, true, out, size);
}

/* ---- what KernelCompute calls ----------------------------------------------------------------------------------- */

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
    st = whet_value_wrap(x->dtype, x->rank, x->dims, data ? data : &none, whet_dtype_bytes(x->dtype, n), NULL, NULL, &v);
  }
  return st ? fail(ORT_RUNTIME_EXCEPTION, "%s", whet_status_text(st)) : value_own(v, out);
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
  size_t n = k->op->GetOutputTypeCount(k->op);
  whet_dtype t = n ? whet_type(k->op->GetOutputType(k->op, i < n ? i : n - 1)) : WHET_NONE;
  whet_info x;
  const void *data;
  return t == WHET_NONE && !whet_custom_input(k->ctx, 0, &x, &data) ? x.dtype : t;
}

OrtStatus *API(KernelContext_GetOutput)(OrtKernelContext *k, size_t i, const int64_t *dims, size_t rank, OrtValue **out) {
  NEED(k);
  NEED(out);
  if (rank) NEED(dims);
  if (i >= k->n_out) return fail(ORT_INVALID_ARGUMENT, "output %zu of %zu", i, k->n_out);
  if (rank > WHET_MAX_RANK) return fail(ORT_INVALID_ARGUMENT, "%zu dimensions; whet has up to %d", rank, WHET_MAX_RANK);
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
OrtStatus *API(KernelContext_GetAllocator)(const OrtKernelContext *k, const OrtMemoryInfo *m, OrtAllocator **out) {
  NEED(k);
  NEED(m);
  NEED(out);
  *out = malloc(sizeof **out);
  if (!*out) return no_memory();
  **out = cpu_allocator;
  return NULL;
}
