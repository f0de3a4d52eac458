/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of the caller's own: a registration becomes a whet_custom_op whose shape rule is `prepare` and whose
 * kernel is `invoke`. Tensors of a node are ports without a runner. Where `prepare` makes an output dynamic, both run
 * in the kernel. */

#include "node.h"

enum { CUSTOM_CODE = 32, MOST = 64 };

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
TfLiteRegistrationExternal *registration_classic(int code, const char *name, const TfLiteRegistration *from) {
  TfLiteRegistrationExternal *r = TfLiteRegistrationExternalCreate(code, name, from->version);
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
  for (int i = 0; n->out && i < n->n_out; i++) {
    TfLiteTensor *t = &n->out[i].t;
    if (t->type == kTfLiteString && t->data.raw != n->out[i].text)
      free(t->data.raw); /* the kernel's own packed strings */
    port_free(&n->out[i]);
  }
  free(n->in);
  free(n->out);
  free(n->number);
}

static size_t count_of(int32_t rank, const int64_t *dims) {
  size_t n = 1;
  for (int32_t i = 0; i < rank; i++) n *= dims[i] < 0 ? 0 : (size_t)dims[i];
  return n;
}

/* An input of strings shows them packed. */
static whet_status show(port *p, const whet_info *f, const void *data) {
  size_t n = count_of(f->rank, f->dims);
  p->t.allocation_type = kTfLiteArenaRw;
  p->t.data.raw_const = data;
  p->t.bytes = whet_dtype_bytes(f->dtype, n);
  if (f->dtype != WHET_STRING) return WHET_OK;
  p->t.bytes = 0;
  p->t.data.raw = p->text = data ? strings_pack(data, n, &p->t.bytes) : NULL;
  return data && !p->text ? WHET_E_MEMORY : WHET_OK;
}

/* Look at the node's inputs and at what the file says of its outputs. */
static whet_status node_open(TfLiteOpaqueNode *n, whet_custom_ctx *c, node_state *state) {
  *n = (TfLiteOpaqueNode){.state = state, .n_in = (int)whet_custom_inputs(c), .n_out = (int)whet_custom_outputs(c)};
  n->options = whet_custom_options(c, &n->n_options);
  n->in = calloc((size_t)n->n_in + 1, sizeof *n->in);
  n->out = calloc((size_t)n->n_out + 1, sizeof *n->out);
  n->number = calloc((size_t)n->n_in + (size_t)n->n_out + 1, sizeof *n->number);
  if (!n->in || !n->out || !n->number || n->n_out > MOST) return WHET_E_MEMORY;
  for (int i = 0; i < n->n_in; i++) {
    whet_info f;
    const void *data = NULL;
    whet_status s = whet_custom_input(c, (size_t)i, &f, &data);
    if (s) return s;
    n->number[i] = f.dtype == WHET_NONE ? -1 : i;
    if (f.dtype == WHET_NONE) continue;
    if (!port_describe(&n->in[i], &f)) return WHET_E_MEMORY;
    if ((s = show(&n->in[i], &f, data))) return s;
  }
  for (int i = 0; i < n->n_out; i++) {
    whet_info f;
    whet_status s = whet_custom_output_info(c, (size_t)i, &f);
    if (s) return s;
    if (f.dtype == WHET_NONE) f = state->out[i]; /* a kernel that tells its outputs */
    if (!port_describe(&n->out[i], &f)) return WHET_E_MEMORY;
    n->out[i].t.allocation_type = kTfLiteArenaRw;
    n->out[i].out = true;
    n->out[i].i = (size_t)i;
    n->number[n->n_in + i] = n->n_in + i;
  }
  return WHET_OK;
}

whet_status node_tell(whet_custom_ctx *c, port *p, bool running) {
  int64_t d[WHET_MAX_RANK];
  void *data = NULL;
  for (int i = 0; i < p->t.dims->size; i++) d[i] = p->t.dims->data[i];
  whet_status s = whet_custom_output(c, p->i, dtype_of(p->t.type), p->t.dims->size, d, running ? &data : NULL);
  if (s || !running || p->t.type == kTfLiteString) return s;
  p->t.data.data = data;
  p->t.bytes = whet_dtype_bytes(dtype_of(p->t.type), count_of(p->t.dims->size, d));
  return WHET_OK;
}

/* Output p, of the strings that the kernel has packed. */
static whet_status give_strings(whet_custom_ctx *c, port *p) {
  const void *packed = p->t.data.raw;
  int32_t n = strings_count(packed, p->t.bytes);
  if (n < 0) {
    whet_custom_error(c, "an output of strings holds no packed strings");
    return WHET_E_DATA;
  }
  whet_status s = node_tell(c, p, true);
  for (int32_t k = 0; !s && k < n; k++) {
    whet_str one = strings_at(packed, k);
    s = whet_custom_output_string(c, p->i, (size_t)k, one.p, one.n);
  }
  return s;
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

/* A node's state, before the caller's init has its part. NULL: no memory. */
static node_state *state_make(const whet_custom_ctx *c) {
  size_t n = whet_custom_outputs(c);
  node_state *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->out = calloc(n + 1, sizeof *s->out);
  bool ok = s->out != NULL;
  for (size_t i = 0; ok && i < n; i++) ok = !whet_custom_output_info(c, i, &s->out[i]);
  if (ok) return s;
  node_state_free(s);
  return NULL;
}

static whet_status on_create(void *user, const whet_custom_ctx *c, void **state) {
  const TfLiteRegistrationExternal *r = user;
  size_t n = 0;
  const void *options = whet_custom_options(c, &n);
  node_state *s = state_make(c);
  TfLiteOpaqueNode node = {s, options, n, NULL, NULL, (int)whet_custom_inputs(c), (int)whet_custom_outputs(c), NULL};
  TfLiteOpaqueContext ctx = {.c = (whet_custom_ctx *)(uintptr_t)c, .node = &node, .state = s, .op = r};
  if (!s) return WHET_E_MEMORY;
  s->own = r->old ? classic_init(&r->classic, options, n) : start(r, &ctx, options, n);
  *state = s;
  return WHET_OK;
}

static void on_destroy(void *user, void *state) {
  const TfLiteRegistrationExternal *r = user;
  node_state *s = state;
  TfLiteOpaqueContext ctx = {.op = r};
  if (r->old)
    classic_free(&r->classic, s->own);
  else if (r->free_with)
    r->free_with(r->user, &ctx, s->own);
  else if (r->free)
    r->free(&ctx, s->own);
  node_state_free(s);
}

/* The same for the older form: its outputs get memory where it is not known beforehand. */
static TfLiteStatus on_resized(void *user, int i, TfLiteTensor *t) {
  TfLiteOpaqueContext *ctx = user;
  port *p = &ctx->node->out[i];
  p->t.dims = t->dims;
  if (ctx->running && t->type != kTfLiteString && node_tell(ctx->c, p, true)) return kTfLiteError;
  t->data = p->t.data;
  t->bytes = p->t.bytes;
  return kTfLiteOk;
}
static void on_report(void *user, const char *text) { whet_custom_error(((TfLiteOpaqueContext *)user)->c, text); }

static TfLiteStatus apply(const TfLiteRegistrationExternal *r, TfLiteOpaqueContext *ctx, bool running) {
  TfLiteOpaqueNode *n = ctx->node;
  if (!r->old) return own(r, ctx, running);
  return classic_call(&r->classic,
                      &(classic_node){n->in, n->out, n->n_in, n->n_out, n->state->own, n->options, n->n_options, ctx,
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
static whet_status step(TfLiteOpaqueContext *ctx, bool running) {
  if (!apply(ctx->op, ctx, running)) return WHET_OK;
  whet_custom_error(ctx->c, running ? "the registration's invoke failed" : "the registration's prepare failed");
  return WHET_E_DATA;
}

static bool is_dynamic(const port *p) { return p->t.allocation_type == kTfLiteDynamic; }

/* The shape rule: what prepare has told, or that it is for the kernel to tell. */
static whet_status prepare(TfLiteOpaqueContext *ctx) {
  const TfLiteOpaqueNode *n = ctx->node;
  whet_status s = step(ctx, false);
  for (int i = 0; !s && i < n->n_out; i++)
    if (is_dynamic(&n->out[i])) return whet_custom_output_late(ctx->c);
  for (int i = 0; !s && i < n->n_out; i++) s = node_tell(ctx->c, &n->out[i], false);
  return s;
}

/* The kernel: outputs whose sizes are known get their memory before, the others when they are resized. */
static whet_status invoke(TfLiteOpaqueContext *ctx) {
  const TfLiteOpaqueNode *n = ctx->node;
  bool prepared = prepares(ctx->op), tells = whet_custom_tells(ctx->c);
  whet_status s = prepared && tells ? step(ctx, false) : WHET_OK;
  for (int i = 0; !s && prepared && i < n->n_out; i++)
    if (!tells || (!is_dynamic(&n->out[i]) && n->out[i].t.type != kTfLiteString))
      s = node_tell(ctx->c, &n->out[i], true);
  ctx->running = tells;
  if (!s) s = step(ctx, true);
  for (int i = 0; !s && i < n->n_out; i++)
    if (n->out[i].t.type == kTfLiteString) s = give_strings(ctx->c, &n->out[i]);
  return s;
}

static whet_status call(const TfLiteRegistrationExternal *r, node_state *state, whet_custom_ctx *c,
                        whet_status (*what)(TfLiteOpaqueContext *)) {
  TfLiteOpaqueNode n;
  TfLiteOpaqueContext ctx = {.c = c, .node = &n, .state = state, .op = r};
  whet_status s = node_open(&n, c, state);
  if (!s) s = what(&ctx);
  node_free(&n);
  return s;
}
static whet_status on_shape(void *user, void *state, whet_custom_ctx *c) { return call(user, state, c, prepare); }
static whet_status on_run(void *user, void *state, whet_custom_ctx *c) { return call(user, state, c, invoke); }

struct domain {
  whet_custom_domain d;
  const whet_custom_op **list;
  whet_custom_op *op;
  TfLiteRegistrationExternal **copy; /* the options, and the caller's own, may go before */
  size_t n;
};

domain *domain_make(const op_list *ops) {
  const TfLiteRegistrationExternal *const *op = ops->op;
  size_t n = ops->n;
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
