/* SPDX-License-Identifier: Apache-2.0 */
/* Interpreters and signature runners. */

#include "shim.h"

struct TfLiteInterpreter {
  runner main;
  TfLiteModel *model;
  whet_model *m; /* the model, with the operators of the caller's own */
  domain *domain;
  int32_t threads;
  port *constant; /* made when asked for, by tensor */
  size_t n_constant;
  port *variable; /* the same, by variable */
  size_t n_variable;
};

struct TfLiteSignatureRunner {
  runner r;
  const TfLiteInterpreter *of;
};

/* The whet model that an interpreter runs: the model's own, or one opened anew with the caller's operators. */
static bool open_model(TfLiteInterpreter *it, const TfLiteInterpreterOptions *o) {
  const report *r = &it->main.report;
  op_list ops = {0};
  bool ok = !o || resolve(it->model, o, &ops, r);
  if (ok && ops.n && !(it->domain = domain_make(&ops))) {
    report_say(r, "out of memory");
    ok = false;
  }
  op_list_free(&ops);
  if (!ok) return false;
  it->m = it->model->m && !it->domain ? whet_model_ref(it->model->m)
                                      : model_reopen(it->model, it->domain ? domain_of(it->domain) : NULL, r);
  return it->m != NULL;
}

TfLiteInterpreter *TfLiteInterpreterCreate(const TfLiteModel *model, const TfLiteInterpreterOptions *o) {
  TfLiteInterpreter *it = model ? calloc(1, sizeof *it) : NULL;
  if (!it) return NULL;
  it->main.report = o && o->report.fn ? o->report : model->report;
  it->main.can_cancel = o && o->cancel;
  it->threads = o ? o->threads : -1;
  it->model = model_ref(model);
  if (o && o->delegate) {
    report_say(&it->main.report, "delegates other than this library's XNNPACK one are not supported");
  } else if (open_model(it, o) && runner_open(&it->main, it->m, NULL, it->threads)) {
    return it;
  }
  TfLiteInterpreterDelete(it);
  return NULL;
}

TfLiteInterpreter *TfLiteInterpreterCreateWithSelectedOps(const TfLiteModel *m, const TfLiteInterpreterOptions *o) {
  return TfLiteInterpreterCreate(m, o);
}

void TfLiteInterpreterDelete(TfLiteInterpreter *it) {
  if (!it) return;
  for (size_t i = 0; i < it->n_constant; i++) port_free(&it->constant[i]);
  free(it->constant);
  for (size_t i = 0; i < it->n_variable; i++) port_free(&it->variable[i]);
  free(it->variable);
  runner_close(&it->main);
  whet_model_close(&it->m);
  domain_free(it->domain);
  TfLiteModelDelete(it->model);
  free(it);
}

int32_t TfLiteInterpreterGetInputTensorCount(const TfLiteInterpreter *it) { return it ? (int32_t)it->main.n_in : 0; }
int32_t TfLiteInterpreterGetOutputTensorCount(const TfLiteInterpreter *it) {
  return it ? (int32_t)it->main.n_out : 0;
}
const int *TfLiteInterpreterInputTensorIndices(const TfLiteInterpreter *it) { return it ? it->main.in_index : NULL; }
const int *TfLiteInterpreterOutputTensorIndices(const TfLiteInterpreter *it) {
  return it ? it->main.out_index : NULL;
}
TfLiteTensor *TfLiteInterpreterGetInputTensor(const TfLiteInterpreter *it, int32_t i) {
  return it && i >= 0 && (size_t)i < it->main.n_in ? &it->main.in[i].t : NULL;
}
const TfLiteTensor *TfLiteInterpreterGetOutputTensor(const TfLiteInterpreter *it, int32_t i) {
  return it && i >= 0 && (size_t)i < it->main.n_out ? &it->main.out[i].t : NULL;
}
int32_t TfLiteInterpreterGetInputTensorIndex(const TfLiteInterpreter *it, int32_t i) {
  return it && i >= 0 && (size_t)i < it->main.n_in ? it->main.in_index[i] : -1;
}
int32_t TfLiteInterpreterGetOutputTensorIndex(const TfLiteInterpreter *it, int32_t i) {
  return it && i >= 0 && (size_t)i < it->main.n_out ? it->main.out_index[i] : -1;
}

/* The tensor of that number among inputs and outputs. */
static port *find(const TfLiteInterpreter *it, int index) {
  for (size_t i = 0; i < it->main.n_in; i++)
    if (it->main.in_index[i] == index) return &it->main.in[i];
  for (size_t i = 0; i < it->main.n_out; i++)
    if (it->main.out_index[i] == index) return &it->main.out[i];
  return NULL;
}

TfLiteTensor *TfLiteInterpreterGetTensor(const TfLiteInterpreter *user, int index) {
  TfLiteInterpreter *it = (TfLiteInterpreter *)user;
  if (!it || index < 0) return NULL;
  port *p = find(it, index);
  if (p) return &p->t;
  size_t n = whet_model_graph_tensors(it->m, 0);
  if (!it->constant && (it->constant = calloc(n + 1, sizeof *it->constant))) it->n_constant = n;
  whet_tensor_info t = {.size = sizeof t};
  if (!it->constant || (size_t)index >= n || whet_model_graph_tensor(it->m, 0, (size_t)index, &t) || !t.data)
    return NULL;
  p = &it->constant[index];
  if (!p->t.dims && !port_describe(p, &t.info)) return NULL;
  p->index = index;
  p->t.data.raw_const = t.data;
  p->t.bytes = t.bytes;
  p->t.allocation_type = kTfLiteMmapRo;
  return &p->t;
}

/* ---- variables ---------------------------------------------------------------------------------- */

/* Tensor number of variable `want` of the main subgraph, or with want -1 how many there are. */
static int32_t variable(const TfLiteInterpreter *it, int32_t want) {
  int32_t n = 0;
  for (size_t i = 0; i < whet_model_graph_tensors(it->m, 0); i++) {
    whet_tensor_info t = {.size = sizeof t};
    if (whet_model_graph_tensor(it->m, 0, i, &t) || !t.variable) continue;
    if (n++ == want) return t.number;
  }
  return want < 0 ? n : -1;
}

int32_t TfLiteInterpreterGetVariableTensorCount(const TfLiteInterpreter *it) { return it ? variable(it, -1) : 0; }

TfLiteTensor *TfLiteInterpreterGetVariableTensor(const TfLiteInterpreter *user, int32_t i) {
  TfLiteInterpreter *it = (TfLiteInterpreter *)(uintptr_t)user;
  int32_t number = it && i >= 0 ? variable(it, i) : -1;
  if (number < 0) return NULL;
  if (!it->variable && (it->variable = calloc((size_t)variable(it, -1) + 1, sizeof *it->variable)))
    it->n_variable = (size_t)variable(it, -1);
  whet_info info;
  const void *data = NULL;
  whet_err err = {0};
  if (!it->variable || whet_session_kept(it->main.session, (size_t)number, &info, &data, &err)) return NULL;
  port *p = &it->variable[i];
  if (!p->t.dims && !port_describe(p, &info)) return NULL;
  size_t n = 1;
  for (int k = 0; k < p->t.dims->size; k++) n *= (size_t)p->t.dims->data[k];
  p->index = number;
  p->t.is_variable = true;
  p->t.data.data = (void *)(uintptr_t)data; /* the session's own memory: programs set it */
  p->t.bytes = whet_dtype_bytes(info.dtype, n);
  p->t.allocation_type = kTfLiteArenaRwPersistent;
  return &p->t;
}

TfLiteStatus TfLiteInterpreterResizeInputTensor(TfLiteInterpreter *it, int32_t i, const int *dims, int32_t n) {
  return it && i >= 0 ? runner_resize(&it->main, (size_t)i, dims, n) : kTfLiteError;
}
TfLiteStatus TfLiteInterpreterResizeInputTensorStrict(TfLiteInterpreter *it, int32_t i, const int *dims, int32_t n) {
  if (!it || i < 0 || (size_t)i >= it->main.n_in || (n && !dims)) return kTfLiteError;
  const TfLiteTensor *t = &it->main.in[i].t;
  const TfLiteIntArray *open = t->dims_signature ? t->dims_signature : t->dims;
  bool ok = open->size == n;
  for (int32_t k = 0; ok && k < n; k++) ok = open->data[k] < 0 || open->data[k] == dims[k];
  if (!ok) {
    report_say(&it->main.report, "input \"%s\": only dimensions that the model leaves open may change", t->name);
    return kTfLiteError;
  }
  return runner_resize(&it->main, (size_t)i, dims, n);
}
TfLiteStatus TfLiteInterpreterAllocateTensors(TfLiteInterpreter *it) {
  return it ? runner_allocate(&it->main) : kTfLiteError;
}
TfLiteStatus TfLiteInterpreterInvoke(TfLiteInterpreter *it) { return it ? runner_invoke(&it->main) : kTfLiteError; }
TfLiteStatus TfLiteInterpreterResetVariableTensors(TfLiteInterpreter *it) {
  return it && !whet_session_reset(it->main.session) ? kTfLiteOk : kTfLiteError;
}

static TfLiteStatus cancel(const runner *r) {
  if (!r->can_cancel) return kTfLiteError;
  whet_cancel_raise(&((runner *)r)->cancel);
  return kTfLiteOk;
}
TfLiteStatus TfLiteInterpreterCancel(const TfLiteInterpreter *it) { return it ? cancel(&it->main) : kTfLiteError; }

TfLiteStatus TfLiteInterpreterModifyGraphWithDelegate(const TfLiteInterpreter *it, TfLiteDelegate *d) {
  if (!it || !d) return kTfLiteError;
  return delegate_is_ours(d) ? kTfLiteOk : kTfLiteDelegateError;
}

TfLiteStatus TfLiteInterpreterSetCustomAllocationForTensor(TfLiteInterpreter *it, int index,
                                                           const TfLiteCustomAllocation *a, int64_t flags) {
  port *p = it && a ? find(it, index) : NULL;
  whet_err err = {0};
  (void)flags;
  if (!p) return kTfLiteError;
  whet_status s = p->out ? whet_session_bind_output(it->main.session, p->i, a->data, a->bytes, &err)
                         : whet_session_bind_input(it->main.session, p->i, a->data, a->bytes, &err);
  if (s) {
    report_say(&it->main.report, "%s", err.text);
    return kTfLiteError;
  }
  p->t.data.data = a->data;
  p->t.allocation_type = kTfLiteCustom;
  return kTfLiteOk;
}

TfLiteStatus TfLiteInterpreterEnsureTensorDataIsReadable(TfLiteInterpreter *it, int index) {
  return it && TfLiteInterpreterGetTensor(it, index) ? kTfLiteOk : kTfLiteError;
}
TfLiteStatus TfLiteInterpreterSetBufferHandle(TfLiteInterpreter *it, TfLiteTensor *t, TfLiteBufferHandle handle,
                                              TfLiteOpaqueDelegate *d) {
  (void)t, (void)handle, (void)d;
  if (it) report_say(&it->main.report, "TfLiteInterpreterSetBufferHandle: no tensor belongs to a delegate");
  return kTfLiteError;
}
TfLiteStatus TfLiteInterpreterGetBufferHandle(TfLiteInterpreter *it, int index, TfLiteBufferHandle *handle,
                                              TfLiteOpaqueDelegate **d) {
  if (!it || !handle || !d || !TfLiteInterpreterGetTensor(it, index)) return kTfLiteError;
  *handle = kTfLiteNullBufferHandle;
  *d = NULL;
  return kTfLiteOk;
}
void TfLiteSetAllowBufferHandleOutput(const TfLiteInterpreter *it, bool allow) { (void)it, (void)allow; }

/* ---- signatures -------------------------------------------------------------------------------------------------
 */

int32_t TfLiteInterpreterGetSignatureCount(const TfLiteInterpreter *it) {
  return it ? (int32_t)whet_model_signatures(it->m) : 0;
}
const char *TfLiteInterpreterGetSignatureKey(const TfLiteInterpreter *it, int32_t i) {
  return it && i >= 0 ? whet_model_signature_key(it->m, (size_t)i) : NULL;
}

TfLiteSignatureRunner *TfLiteInterpreterGetSignatureRunner(const TfLiteInterpreter *it, const char *key) {
  if (!it) return NULL;
  if (!key && whet_model_signatures(it->m) == 1) key = whet_model_signature_key(it->m, 0);
  bool there = false;
  for (size_t i = 0; key && i < whet_model_signatures(it->m); i++)
    there |= !strcmp(key, whet_model_signature_key(it->m, i));
  TfLiteSignatureRunner *s = there ? calloc(1, sizeof *s) : NULL;
  if (!s) return NULL;
  whet_err err = {0};
  s->of = it;
  s->r.report = it->main.report;
  s->r.can_cancel = it->main.can_cancel;
  if (!runner_open(&s->r, it->m, key, it->threads) || whet_session_share(s->r.session, it->main.session, &err)) {
    TfLiteSignatureRunnerDelete(s);
    return NULL;
  }
  return s;
}

void TfLiteSignatureRunnerDelete(TfLiteSignatureRunner *s) {
  if (!s) return;
  runner_close(&s->r);
  free(s);
}

size_t TfLiteSignatureRunnerGetInputCount(const TfLiteSignatureRunner *s) { return s ? s->r.n_in : 0; }
size_t TfLiteSignatureRunnerGetOutputCount(const TfLiteSignatureRunner *s) { return s ? s->r.n_out : 0; }
const char *TfLiteSignatureRunnerGetInputName(const TfLiteSignatureRunner *s, int32_t i) {
  return s && i >= 0 ? whet_model_signature_input(s->r.model, (size_t)s->r.signature, (size_t)i) : NULL;
}
const char *TfLiteSignatureRunnerGetOutputName(const TfLiteSignatureRunner *s, int32_t i) {
  return s && i >= 0 ? whet_model_signature_output(s->r.model, (size_t)s->r.signature, (size_t)i) : NULL;
}
TfLiteTensor *TfLiteSignatureRunnerGetInputTensor(TfLiteSignatureRunner *s, const char *name) {
  int32_t i = s && name ? whet_session_find_input(s->r.session, name) : -1;
  return i < 0 ? NULL : &s->r.in[i].t;
}
const TfLiteTensor *TfLiteSignatureRunnerGetOutputTensor(const TfLiteSignatureRunner *s, const char *name) {
  int32_t i = s && name ? whet_session_find_output(s->r.session, name) : -1;
  return i < 0 ? NULL : &s->r.out[i].t;
}
TfLiteStatus TfLiteSignatureRunnerResizeInputTensor(TfLiteSignatureRunner *s, const char *name, const int *dims,
                                                    int32_t n) {
  int32_t i = s && name ? whet_session_find_input(s->r.session, name) : -1;
  return i < 0 ? kTfLiteError : runner_resize(&s->r, (size_t)i, dims, n);
}
TfLiteStatus TfLiteSignatureRunnerAllocateTensors(TfLiteSignatureRunner *s) {
  return s ? runner_allocate(&s->r) : kTfLiteError;
}
TfLiteStatus TfLiteSignatureRunnerInvoke(TfLiteSignatureRunner *s) { return s ? runner_invoke(&s->r) : kTfLiteError; }
TfLiteStatus TfLiteSignatureRunnerCancel(TfLiteSignatureRunner *s) { return s ? cancel(&s->r) : kTfLiteError; }
