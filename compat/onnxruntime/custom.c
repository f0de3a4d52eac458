/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of the caller's own: an OrtCustomOp becomes a custom operator of whet that tells its sizes while it runs.
 */

#include "shim.h"

#include <dlfcn.h>

struct custom_set {
  struct custom_op *own;
  whet_custom_op *op;
  const whet_custom_op **list;
  whet_custom_domain *domain;
  const whet_custom_domain **domains;
  size_t n_domain, n_op;
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
static bool by_status(const OrtCustomOp *op) {
  return op->version >= 16 && op->CreateKernelV2 && op->KernelComputeV2;
}

/* The caller's kernel is the state. */
static whet_status create(void *user, const whet_custom_ctx *c, void **state) {
  custom_op *own = user;
  const OrtCustomOp *op = own->op;
  const OrtApi *api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  OrtKernelInfo info = {(whet_custom_ctx *)c, own};
  if (by_status(op)) return passed_on(info.ctx, op->CreateKernelV2(op, api, &info, state));
  *state = op->CreateKernel(op, api, &info);
  if (*state) return WHET_OK;
  whet_custom_error(info.ctx, "CreateKernel answered no kernel");
  return WHET_E_DATA;
}
static void destroy(void *user, void *state) { ((const custom_op *)user)->op->KernelDestroy(state); }

/* Compute, then let go of the handles. */
static whet_status run(void *user, void *state, whet_custom_ctx *c) {
  const custom_op *own = user;
  const OrtCustomOp *op = own->op;
  OrtKernelContext k = {.ctx = c, .own = own, .n_in = whet_custom_inputs(c), .n_out = whet_custom_outputs(c)};
  OrtValue **value = calloc(k.n_in + k.n_out + 1, sizeof *value);
  if (!value) return WHET_E_MEMORY;
  k.in = value;
  k.out = value + k.n_in;
  OrtStatus *s = NULL;
  if (by_status(op))
    s = op->KernelComputeV2(state, &k);
  else
    op->KernelCompute(state, &k);
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
OrtStatus *custom_open(const OrtSessionOptions *o, const listener *log, custom_set **out) {
  size_t n = 0;
  *out = NULL;
  for (size_t i = 0; i < o->n_domain; i++) n += o->domain[i]->n;
  if (!n) return NULL;
  custom_set *c = calloc(1, sizeof *c);
  if (!c) return no_memory();
  c->own = calloc(n, sizeof *c->own);
  c->op = calloc(n, sizeof *c->op);
  c->list = calloc(n, sizeof *c->list);
  c->domain = calloc(o->n_domain, sizeof *c->domain);
  c->domains = calloc(o->n_domain, sizeof *c->domains);
  if (!c->own || !c->op || !c->list || !c->domain || !c->domains) {
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
      c->own[at] = (custom_op){.op = op, .domain = d->name, .log = log};
      OrtStatus *s = pairs_copy(&c->own[at].config, &o->config);
      if (s) {
        custom_close(c);
        return s;
      }
      c->n_op = at + 1;
      *w = (whet_custom_op){.size = sizeof *w,
                            .name = op->GetName(op),
                            .create = create,
                            .destroy = destroy,
                            .run = run,
                            .user = &c->own[at],
                            .thread_safe = 1};
      arity(op, op->GetInputTypeCount(op), op->GetInputCharacteristic, op->GetVariadicInputMinArity, &w->min_in,
            &w->max_in);
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
  for (size_t i = 0; i < c->n_op; i++) {
    custom_op *own = &c->own[i];
    pairs_free(&own->config);
    while (own->kept) {
      kept_value *k = own->kept;
      own->kept = k->next;
      API(ReleaseValue)(k->v);
      free(k);
    }
  }
  free(c->own);
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
  return fn ? fn(o, OrtGetApiBase())
            : fail(ORT_INVALID_ARGUMENT, "RegisterCustomOpsUsingFunction: no function %s", name);
}
