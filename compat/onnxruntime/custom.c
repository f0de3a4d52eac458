/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of the caller's own: an OrtCustomOp becomes a custom operator of whet that tells its sizes while it runs.
 */

#include "guard.h"
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

static _Thread_local OrtErrorCode k_code;
whet_status custom_passed_on(whet_custom_ctx *c, OrtStatus *s) {
  if (!s) return WHET_OK;
  k_code = API(GetErrorCode)(s);
  whet_status w = API(GetErrorCode)(s) == ORT_NOT_IMPLEMENTED ? WHET_E_UNSUPPORTED : WHET_E_DATA;
  whet_custom_error(c, API(GetErrorMessage)(s));
  API(ReleaseStatus)(s);
  return w;
}

OrtStatus *custom_status(whet_status s, const whet_err *err) {
  OrtErrorCode code = k_code;
  k_code = ORT_OK;
  return s && code ? fail(code, "%s", err->text) : of_whet(s, err);
}

/* Operators of an API version before 16 have the functions without status alone. */
static bool by_status(const OrtCustomOp *op) {
  return op->version >= 16 && op->CreateKernelV2 && op->KernelComputeV2;
}

/* The operator that takes a node's inputs, of those that share a name: each type that is known is the one that it says. The
 * first where none does. */
custom_op *custom_fit(custom_op *first, const whet_custom_ctx *c) {
  for (custom_op *own = first; own; own = own->next) {
    const OrtCustomOp *op = own->op;
    size_t types = op->GetInputTypeCount(op), n = whet_custom_inputs(c);
    bool fits = true;
    for (size_t i = 0; fits && types && i < n; i++) {
      whet_info x;
      whet_dtype want = whet_type(op->GetInputType(op, i < types ? i : types - 1));
      fits = want == WHET_NONE || whet_custom_input(c, i, &x, NULL) || x.dtype == WHET_NONE || x.dtype == want;
    }
    if (fits) return own;
  }
  return first;
}

/* A node's state. */
typedef struct kernel {
  custom_op *own;
  void *made; /* by the caller */
} kernel;

static whet_status create(void *user, const whet_custom_ctx *c, void **state) {
  custom_op *own = custom_fit(user, c);
  const OrtCustomOp *op = own->op;
  const OrtApi *api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  OrtKernelInfo info = {(whet_custom_ctx *)c, own, false};
  whet_status st;
  kernel *k = calloc(1, sizeof *k);
  if (!k) return WHET_E_MEMORY;
  k->own = own;
  st = custom_passed_on(info.ctx, guard_create(op, by_status(op), api, &info, &k->made));
  if (!st && !by_status(op) && !k->made) {
    whet_custom_error(info.ctx, "CreateKernel answered no kernel");
    st = WHET_E_DATA;
  }
  if (st)
    free(k);
  else
    *state = k;
  return st;
}
static void destroy(void *user, void *state) {
  (void)user;
  kernel *k = state;
  k->own->op->KernelDestroy(k->made);
  free(k);
}

/* Strings were written to the handle's own memory: copy them to the output. */
static whet_status give_strings(whet_custom_ctx *c, size_t i, const OrtValue *o) {
  if (!o || whet_value_dtype(o->v) != WHET_STRING) return WHET_OK;
  const whet_str *s = whet_value_const_data(o->v);
  whet_status st = WHET_OK;
  for (size_t k = 0; !st && k < whet_value_count(o->v); k++) st = whet_custom_output_string(c, i, k, s[k].p, s[k].n);
  return st;
}

/* Compute, then let go of the handles. */
static whet_status run(void *user, void *state, whet_custom_ctx *c) {
  (void)user;
  const custom_op *own = ((kernel *)state)->own;
  void *made = ((kernel *)state)->made;
  const OrtCustomOp *op = own->op;
  OrtKernelContext k = {.ctx = c, .own = own, .n_in = whet_custom_inputs(c), .n_out = whet_custom_outputs(c)};
  OrtValue **value = calloc(k.n_in + k.n_out + 1, sizeof *value);
  if (!value) return WHET_E_MEMORY;
  k.in = value;
  k.out = value + k.n_in;
  whet_status st = custom_passed_on(c, guard_compute(op, by_status(op), made, &k));
  for (size_t i = 0; !st && i < k.n_out; i++) st = give_strings(c, i, k.out[i]);
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

/* The more of two bounds, -1 being none. */
static int32_t wider(int32_t a, int32_t b) { return a < 0 || b < 0 ? -1 : a > b ? a : b; }
/* Whether an operator of that name stands in the domain already: then the new one is put behind it. */
static bool joined(whet_custom_op *const w, const whet_custom_op **list, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (strcmp(list[i]->name, w->name) != 0) continue;
    whet_custom_op *first = (whet_custom_op *)list[i];
    custom_op *last = first->user;
    while (last->next) last = last->next;
    last->next = w->user;
    if (w->min_in < first->min_in) first->min_in = w->min_in;
    if (w->min_out < first->min_out) first->min_out = w->min_out;
    first->max_in = wider(first->max_in, w->max_in);
    first->max_out = wider(first->max_out, w->max_out);
    return true;
  }
  return false;
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
    const whet_custom_op **list = c->list + at;
    c->domain[i] = (whet_custom_domain){sizeof *c->domain, d->name, list, 0};
    c->domains[i] = &c->domain[i];
    for (size_t k = 0; k < d->n; k++, at++) {
      const OrtCustomOp *op = d->op[k];
      whet_custom_op *w = &c->op[at];
      c->own[at] = (custom_op){.op = op, .domain = d->name, .log = log, .threads = o->threads};
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
                            .thread_safe = 1,
                            .tell = custom_tell};
      arity(op, op->GetInputTypeCount(op), op->GetInputCharacteristic, op->GetVariadicInputMinArity, &w->min_in,
            &w->max_in);
      arity(op, op->GetOutputTypeCount(op), op->GetOutputCharacteristic, op->GetVariadicOutputMinArity, &w->min_out,
            &w->max_out);
      if (!joined(w, list, c->domain[i].n_ops)) list[c->domain[i].n_ops++] = w;
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
  return guard_register(fn, o, OrtGetApiBase());
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
  return fn ? guard_register(fn, o, OrtGetApiBase())
            : fail(ORT_INVALID_ARGUMENT, "RegisterCustomOpsUsingFunction: no function %s", name);
}
