/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of the caller's own: a registration becomes a whet_custom_op whose shape rule is `prepare` and whose
 * kernel is `invoke`. Tensors of a node are ports without a runner. */

#include "tensorflow/lite/c/c_api_opaque.h"

#include "shim.h"

enum { CUSTOM_CODE = 32, MOST = 64 };

/* One call of a registration's function. */
struct TfLiteOpaqueContext {
  whet_custom_ctx *c;
  bool running;
  struct TfLiteOpaqueNode *node;
};
struct TfLiteOpaqueNode {
  void *state;
  const void *options;
  size_t n_options;
  port *in, *out;
  int n_in, n_out;
};

TfLiteRegistrationExternal *TfLiteRegistrationExternalCreate(int code, const char *name, int version) {
  TfLiteRegistrationExternal *r = calloc(1, sizeof *r);
  if (!r) return NULL;
  *r = (TfLiteRegistrationExternal){.code = code, .version = version, .name = name ? strdup(name) : NULL};
  return r;
}
TfLiteRegistrationExternal *registration_copy(const TfLiteRegistrationExternal *from) {
  TfLiteRegistrationExternal *r = TfLiteRegistrationExternalCreate(from->code, from->name, from->version);
  if (!r) return NULL;
  char *name = r->name;
  *r = *from;
  r->name = name;
  return r;
}
TfLiteRegistrationExternal *registration_classic(const char *name, const TfLiteRegistration *from) {
  TfLiteRegistrationExternal *r = TfLiteRegistrationExternalCreate(CUSTOM_CODE, name, from->version);
  if (!r) return NULL;
  r->old = true;
  r->classic = *from;
  return r;
}
void TfLiteRegistrationExternalDelete(TfLiteRegistrationExternal *r) {
  if (!r) return;
  free(r->name);
  free(r);
}
int TfLiteRegistrationExternalGetBuiltInCode(const TfLiteRegistrationExternal *r) { return r ? r->code : -1; }
const char *TfLiteRegistrationExternalGetCustomName(const TfLiteRegistrationExternal *r) {
  return r ? r->name : NULL;
}
int TfLiteRegistrationExternalGetVersion(const TfLiteRegistrationExternal *r) { return r ? r->version : -1; }
void TfLiteRegistrationExternalSetInit(TfLiteRegistrationExternal *r,
                                       void *(*fn)(TfLiteOpaqueContext *, const char *, size_t)) {
  if (r) r->init = fn;
}
void TfLiteRegistrationExternalSetFree(TfLiteRegistrationExternal *r, void (*fn)(TfLiteOpaqueContext *, void *)) {
  if (r) r->free = fn;
}
void TfLiteRegistrationExternalSetPrepare(TfLiteRegistrationExternal *r,
                                          TfLiteStatus (*fn)(TfLiteOpaqueContext *, TfLiteOpaqueNode *)) {
  if (r) r->prepare = fn;
}
void TfLiteRegistrationExternalSetInvoke(TfLiteRegistrationExternal *r,
                                         TfLiteStatus (*fn)(TfLiteOpaqueContext *, TfLiteOpaqueNode *)) {
  if (r) r->invoke = fn;
}
void TfLiteRegistrationExternalSetInplaceOperator(TfLiteRegistrationExternal *r, uint64_t op) { (void)r, (void)op; }

/* ---- a node's tensors -------------------------------------------------------------------------------------------
 */

static void node_free(TfLiteOpaqueNode *n) {
  for (int i = 0; n->in && i < n->n_in; i++) port_free(&n->in[i]);
  for (int i = 0; n->out && i < n->n_out; i++) port_free(&n->out[i]);
  free(n->in);
  free(n->out);
}

static size_t bytes_of(const whet_info *f) {
  size_t n = 1;
  for (int32_t i = 0; i < f->rank; i++) n *= f->dims[i] < 0 ? 0 : (size_t)f->dims[i];
  return whet_dtype_bytes(f->dtype, n);
}

/* Look at the node's inputs and at what the file says of its outputs. */
static whet_status node_open(TfLiteOpaqueNode *n, whet_custom_ctx *c, void *state) {
  *n = (TfLiteOpaqueNode){.state = state, .n_in = (int)whet_custom_inputs(c), .n_out = (int)whet_custom_outputs(c)};
  n->options = whet_custom_options(c, &n->n_options);
  n->in = calloc((size_t)n->n_in + 1, sizeof *n->in);
  n->out = calloc((size_t)n->n_out + 1, sizeof *n->out);
  if (!n->in || !n->out || n->n_out > MOST) return WHET_E_MEMORY;
  for (int i = 0; i < n->n_in; i++) {
    whet_info f;
    const void *data = NULL;
    whet_status s = whet_custom_input(c, (size_t)i, &f, &data);
    if (s) return s;
    if (f.dtype == WHET_NONE) continue;
    if (!port_describe(&n->in[i], &f)) return WHET_E_MEMORY;
    n->in[i].t.data.raw_const = data;
    n->in[i].t.bytes = bytes_of(&f);
  }
  for (int i = 0; i < n->n_out; i++) {
    whet_info f;
    whet_status s = whet_custom_output_info(c, (size_t)i, &f);
    if (s) return s;
    if (!port_describe(&n->out[i], &f)) return WHET_E_MEMORY;
    n->out[i].out = true;
    n->out[i].i = (size_t)i;
  }
  return WHET_OK;
}

/* Say what output i is; in a run its memory comes with the answer. */
static whet_status tell(whet_custom_ctx *c, port *p, bool running) {
  int64_t d[WHET_MAX_RANK];
  void *data = NULL;
  for (int i = 0; i < p->t.dims->size; i++) d[i] = p->t.dims->data[i];
  whet_status s = whet_custom_output(c, p->i, dtype_of(p->t.type), p->t.dims->size, d, running ? &data : NULL);
  if (s || !running) return s;
  size_t n = 1;
  for (int i = 0; i < p->t.dims->size; i++) n *= (size_t)d[i];
  p->t.data.data = data;
  p->t.bytes = whet_dtype_bytes(dtype_of(p->t.type), n);
  return WHET_OK;
}

/* Its own functions: those with the caller's data go before those without. */
static void *start(const TfLiteRegistrationExternal *r, TfLiteOpaqueContext *ctx, const void *options, size_t n) {
  if (r->init_with) return r->init_with(r->user, ctx, options, n);
  return r->init ? r->init(ctx, options, n) : NULL;
}
static TfLiteStatus own(const TfLiteRegistrationExternal *r, TfLiteOpaqueContext *ctx, bool running) {
  TfLiteStatus (*with)(void *, TfLiteOpaqueContext *, TfLiteOpaqueNode *) =
      running ? r->invoke_with : r->prepare_with;
  return with ? with(r->user, ctx, ctx->node) : (running ? r->invoke : r->prepare)(ctx, ctx->node);
}

static whet_status on_create(void *user, const whet_custom_ctx *c, void **state) {
  const TfLiteRegistrationExternal *r = user;
  size_t n = 0;
  const void *options = whet_custom_options(c, &n);
  TfLiteOpaqueContext ctx = {.c = (whet_custom_ctx *)c};
  *state = r->old ? classic_init(&r->classic, options, n) : start(r, &ctx, options, n);
  return WHET_OK;
}

static void on_destroy(void *user, void *state) {
  const TfLiteRegistrationExternal *r = user;
  TfLiteOpaqueContext ctx = {0};
  if (r->old)
    classic_free(&r->classic, state);
  else if (r->free_with)
    r->free_with(r->user, &ctx, state);
  else if (r->free)
    r->free(&ctx, state);
}

/* The same for the older form: its outputs get memory where it is not known beforehand. */
static TfLiteStatus on_resized(void *user, int i, TfLiteTensor *t) {
  TfLiteOpaqueContext *ctx = user;
  port *p = &ctx->node->out[i];
  p->t.dims = t->dims;
  if (ctx->running && tell(ctx->c, p, true)) return kTfLiteError;
  t->data = p->t.data;
  t->bytes = p->t.bytes;
  return kTfLiteOk;
}
static void on_report(void *user, const char *text) { whet_custom_error(((TfLiteOpaqueContext *)user)->c, text); }

static TfLiteStatus apply(const TfLiteRegistrationExternal *r, TfLiteOpaqueContext *ctx, bool running) {
  TfLiteOpaqueNode *n = ctx->node;
  if (!r->old) return own(r, ctx, running);
  return classic_call(&r->classic,
                      &(classic_node){n->in, n->out, n->n_in, n->n_out, n->state, n->options, n->n_options, ctx,
                                      on_resized, on_report},
                      running);
}

static bool prepares(const TfLiteRegistrationExternal *r) {
  return r->old ? r->classic.prepare != NULL : r->prepare || r->prepare_with;
}
static bool invokes(const TfLiteRegistrationExternal *r) {
  return r->old ? r->classic.invoke != NULL : r->invoke || r->invoke_with;
}

/* A registration's function on a node. */
static whet_status call(const TfLiteRegistrationExternal *r, void *state, whet_custom_ctx *c, bool running) {
  TfLiteOpaqueNode n;
  TfLiteOpaqueContext ctx = {c, running && !prepares(r), &n};
  whet_status s = node_open(&n, c, state);
  for (int i = 0; !s && running && prepares(r) && i < n.n_out; i++) s = tell(c, &n.out[i], true);
  if (!s && apply(r, &ctx, running)) {
    whet_custom_error(c, running ? "the registration's invoke failed" : "the registration's prepare failed");
    s = WHET_E_DATA;
  }
  for (int i = 0; !s && !running && i < n.n_out; i++) s = tell(c, &n.out[i], false);
  node_free(&n);
  return s;
}
static whet_status on_shape(void *user, void *state, whet_custom_ctx *c) { return call(user, state, c, false); }
static whet_status on_run(void *user, void *state, whet_custom_ctx *c) { return call(user, state, c, true); }

struct domain {
  whet_custom_domain d;
  const whet_custom_op **list;
  whet_custom_op *op;
  TfLiteRegistrationExternal **copy; /* the options, and the caller's own, may go before */
  size_t n;
};

domain *domain_make(const TfLiteRegistrationExternal *const *op, size_t n) {
  domain *d = calloc(1, sizeof *d);
  if (!d) return NULL;
  d->list = calloc(n + 1, sizeof *d->list);
  d->op = calloc(n + 1, sizeof *d->op);
  d->copy = calloc(n + 1, sizeof *d->copy);
  if (!d->list || !d->op || !d->copy) {
    domain_free(d);
    return NULL;
  }
  size_t used = 0;
  for (size_t i = 0; i < n; i++) {
    if (!op[i]->name || !invokes(op[i]) || op[i]->code != CUSTOM_CODE) continue;
    const TfLiteRegistrationExternal *r = d->copy[d->n] = registration_copy(op[i]);
    if (!r) {
      domain_free(d);
      return NULL;
    }
    d->n++;
    d->op[used] = (whet_custom_op){.size = sizeof *d->op,
                                   .name = r->name,
                                   .max_in = -1,
                                   .max_out = -1,
                                   .create = on_create,
                                   .destroy = on_destroy,
                                   .shape = prepares(r) ? on_shape : NULL,
                                   .run = on_run,
                                   .user = (void *)r};
    d->list[used] = &d->op[used];
    used++;
  }
  d->d = (whet_custom_domain){sizeof d->d, "", d->list, used};
  return d;
}
const whet_custom_domain *domain_of(const domain *d) { return &d->d; }
void domain_free(domain *d) {
  if (!d) return;
  for (size_t i = 0; d->copy && i < d->n; i++) TfLiteRegistrationExternalDelete(d->copy[i]);
  free(d->copy);
  free(d->list);
  free(d->op);
  free(d);
}

/* ---- what a registration's functions call -----------------------------------------------------------------------
 */

/* Opaque tensors are ports. */
static port *as_port(const TfLiteOpaqueTensor *t) { return (port *)(uintptr_t)t; }
static const TfLiteTensor *plain(const TfLiteOpaqueTensor *t) { return (const TfLiteTensor *)(uintptr_t)t; }

int TfLiteOpaqueNodeNumberOfInputs(const TfLiteOpaqueNode *n) { return n ? n->n_in : -1; }
int TfLiteOpaqueNodeNumberOfOutputs(const TfLiteOpaqueNode *n) { return n ? n->n_out : -1; }
const TfLiteOpaqueTensor *TfLiteOpaqueNodeGetInput(const TfLiteOpaqueContext *c, const TfLiteOpaqueNode *n, int i) {
  (void)c;
  return n && i >= 0 && i < n->n_in && n->in[i].t.dims ? (const TfLiteOpaqueTensor *)(const void *)&n->in[i] : NULL;
}
TfLiteOpaqueTensor *TfLiteOpaqueNodeGetOutput(TfLiteOpaqueContext *c, const TfLiteOpaqueNode *n, int i) {
  (void)c;
  return n && i >= 0 && i < n->n_out ? (TfLiteOpaqueTensor *)(void *)&n->out[i] : NULL;
}
void *TfLiteOpaqueNodeGetUserData(const TfLiteOpaqueNode *n) { return n ? n->state : NULL; }
void *TfLiteOpaqueNodeGetBuiltinData(const TfLiteOpaqueNode *n) {
  (void)n;
  return NULL;
}
TfLiteStatus TfLiteOpaqueNodeGetCustomInitialData(const TfLiteOpaqueNode *n, const void **p, int *size) {
  if (!n || !p || !size) return kTfLiteError;
  *p = n->options;
  *size = (int)n->n_options;
  return kTfLiteOk;
}

TfLiteStatus TfLiteOpaqueContextResizeTensor(TfLiteOpaqueContext *c, TfLiteOpaqueTensor *t, TfLiteIntArray *size) {
  port *p = as_port(t);
  if (!c || !p || !size || !p->out || size->size > WHET_MAX_RANK) {
    free(size);
    return kTfLiteError;
  }
  for (int i = 0; i < size->size; i++)
    if (size->data[i] < 0) {
      free(size);
      return kTfLiteError;
    }
  free(p->t.dims);
  p->t.dims = size;
  return !c->running || !tell(c->c, p, true) ? kTfLiteOk : kTfLiteError;
}

void TfLiteOpaqueContextReportErrorVa(TfLiteOpaqueContext *c, const char *format, va_list ap) {
  char text[400];
  vsnprintf(text, sizeof text, format, ap);
  if (c && c->c) whet_custom_error(c->c, text);
}
void TfLiteOpaqueContextReportError(TfLiteOpaqueContext *c, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  TfLiteOpaqueContextReportErrorVa(c, format, ap);
  va_end(ap);
}
TfLiteStatus TfLiteOpaqueContextGetSizeOfType(TfLiteOpaqueContext *c, TfLiteType t, size_t *bytes) {
  (void)c;
  unsigned bits = whet_dtype_bits(dtype_of(t));
  if (!bytes || bits < 8 || t == kTfLiteString) return kTfLiteError;
  *bytes = bits / 8;
  return kTfLiteOk;
}

TfLiteType TfLiteOpaqueTensorType(const TfLiteOpaqueTensor *t) { return TfLiteTensorType(plain(t)); }
int32_t TfLiteOpaqueTensorNumDims(const TfLiteOpaqueTensor *t) { return TfLiteTensorNumDims(plain(t)); }
int32_t TfLiteOpaqueTensorDim(const TfLiteOpaqueTensor *t, int32_t i) { return TfLiteTensorDim(plain(t), i); }
TfLiteStatus TfLiteOpaqueTensorGetNumDimsSignature(const TfLiteOpaqueTensor *t, int32_t *n) {
  if (!t || !n) return kTfLiteError;
  *n = plain(t)->dims_signature ? plain(t)->dims_signature->size : -1;
  return kTfLiteOk;
}
TfLiteStatus TfLiteOpaqueTensorGetDimSignature(const TfLiteOpaqueTensor *t, int32_t i, int32_t *d) {
  const TfLiteIntArray *s = t ? plain(t)->dims_signature : NULL;
  if (!s || !d || i < 0 || i >= s->size) return kTfLiteError;
  *d = s->data[i];
  return kTfLiteOk;
}
int TfLiteOpaqueTensorIsVariable(const TfLiteOpaqueTensor *t) { return t && plain(t)->is_variable; }
size_t TfLiteOpaqueTensorByteSize(const TfLiteOpaqueTensor *t) { return TfLiteTensorByteSize(plain(t)); }
void *TfLiteOpaqueTensorData(const TfLiteOpaqueTensor *t) { return TfLiteTensorData(plain(t)); }
TfLiteAllocationType TfLiteOpaqueTensorGetAllocationType(const TfLiteOpaqueTensor *t) {
  return t ? plain(t)->allocation_type : kTfLiteMemNone;
}
const char *TfLiteOpaqueTensorName(const TfLiteOpaqueTensor *t) { return TfLiteTensorName(plain(t)); }
TfLiteQuantization TfLiteOpaqueTensorGetQuantization(const TfLiteOpaqueTensor *t) {
  return t ? plain(t)->quantization : (TfLiteQuantization){kTfLiteNoQuantization, NULL};
}
TfLiteQuantizationParams TfLiteOpaqueTensorGetQuantizationParams(const TfLiteOpaqueTensor *t) {
  return TfLiteTensorQuantizationParams(plain(t));
}
TfLiteStatus TfLiteOpaqueTensorCopyFromBuffer(TfLiteOpaqueTensor *t, const void *p, size_t n) {
  return TfLiteTensorCopyFromBuffer((TfLiteTensor *)(uintptr_t)t, p, n);
}
TfLiteStatus TfLiteOpaqueTensorCopyToBuffer(const TfLiteOpaqueTensor *t, void *p, size_t n) {
  return TfLiteTensorCopyToBuffer(plain(t), p, n);
}
