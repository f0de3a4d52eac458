/* SPDX-License-Identifier: Apache-2.0 */
/* Operators by TfLiteRegistration, the older form: its functions see a context whose tensors are those of the one
 * node. */

#include "shim.h"

/* A call: the context that the functions are given comes first. */
struct call {
  TfLiteContext ctx;
  const classic_node *node;
};

static void say(TfLiteContext *ctx, const char *format, ...) {
  const struct call *c = (const struct call *)ctx;
  char text[400];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  if (c->node && c->node->report) c->node->report(c->node->user, text);
}

/* ---- what there is ----------------------------------------------------------------------------- */

static TfLiteStatus resize(TfLiteContext *ctx, TfLiteTensor *t, TfLiteIntArray *dims) {
  const struct call *c = (const struct call *)ctx;
  ptrdiff_t i = t - ctx->tensors - (c->node ? c->node->n_in : 0);
  bool ok = c->node && dims && i >= 0 && i < c->node->n_out && dims->size <= WHET_MAX_RANK;
  for (int k = 0; ok && k < dims->size; k++) ok = dims->data[k] >= 0;
  if (!ok) {
    free(dims);
    say(ctx, "ResizeTensor: only outputs of the node, to sizes from 0 on");
    return kTfLiteError;
  }
  if (dims != t->dims) free(t->dims);
  t->dims = dims;
  return c->node->resized(c->node->user, (int)i, t);
}

static TfLiteStatus resize_explicit(TfLiteContext *ctx, TfLiteTensor *t, int n, const int *shape) {
  TfLiteIntArray *dims = TfLiteIntArrayCreate(n);
  if (!dims) return kTfLiteError;
  if (n) memcpy(dims->data, shape, (size_t)n * sizeof *shape);
  return resize(ctx, t, dims);
}

static TfLiteTensor *get_tensor(const TfLiteContext *ctx, int i) {
  return i >= 0 && (size_t)i < ctx->tensors_size ? &ctx->tensors[i] : NULL;
}

/* ---- what there is not ------------------------------------------------------------------------- */

static TfLiteStatus refuse(const TfLiteContext *ctx, const char *name) {
  say((TfLiteContext *)(uintptr_t)ctx, "TfLiteContext.%s: not there", name);
  return kTfLiteError;
}
static TfLiteStatus no_plan(TfLiteContext *ctx, TfLiteIntArray **p) {
  return (void)p, refuse(ctx, "GetExecutionPlan");
}
static TfLiteStatus no_more(TfLiteContext *ctx, int n, int *first) {
  return (void)n, (void)first, refuse(ctx, "AddTensors");
}
static TfLiteStatus no_node(TfLiteContext *ctx, int i, TfLiteNode **n, TfLiteRegistration **r) {
  return (void)i, (void)n, (void)r, refuse(ctx, "GetNodeAndRegistration");
}
static TfLiteStatus no_replace(TfLiteContext *ctx, TfLiteRegistration r, const TfLiteIntArray *n,
                               struct TfLiteDelegate *d) {
  return (void)r, (void)n, (void)d, refuse(ctx, "ReplaceNodeSubsetsWithDelegateKernels");
}
static TfLiteExternalContext *no_external(TfLiteContext *ctx, int type) { return (void)ctx, (void)type, NULL; }
static void no_set(TfLiteContext *ctx, int type, TfLiteExternalContext *e) { (void)ctx, (void)type, (void)e; }
static void *no_persistent(TfLiteContext *ctx, size_t n) {
  return (void)n, refuse(ctx, "AllocatePersistentBuffer"), NULL;
}
static TfLiteStatus no_buffer(TfLiteContext *ctx, size_t n, void **p) {
  return (void)n, (void)p, refuse(ctx, "AllocateBufferForEval");
}
static TfLiteStatus no_scratch(TfLiteContext *ctx, size_t n, int *i) {
  return (void)n, (void)i, refuse(ctx, "RequestScratchBufferInArena");
}
static void *no_scratch_buffer(TfLiteContext *ctx, int i) { return (void)i, refuse(ctx, "GetScratchBuffer"), NULL; }
static TfLiteStatus no_preview(TfLiteContext *ctx, const TfLiteIntArray *n, TfLiteDelegateParams **p, int *k) {
  return (void)n, (void)p, (void)k, refuse(ctx, "PreviewDelegatePartitioning");
}
static TfLiteEvalTensor *no_eval(const TfLiteContext *ctx, int i) {
  return (void)i, refuse(ctx, "GetEvalTensor"), NULL;
}
static TfLiteStatus no_metadata(const TfLiteContext *ctx, const char *name, const char **p, size_t *n) {
  return (void)name, (void)p, (void)n, refuse(ctx, "GetModelMetadata");
}
static TfLiteStatus no_subgraph(TfLiteContext *ctx, int i, TfLiteContext **c) {
  return (void)i, (void)c, refuse(ctx, "AcquireSubgraphContext");
}
static TfLiteStatus no_release(TfLiteContext *ctx, int i) { return (void)i, refuse(ctx, "ReleaseSubgraphContext"); }

static struct call call_of(const classic_node *node) {
  return (struct call){.ctx = {.GetExecutionPlan = no_plan,
                               .ResizeTensor = resize,
                               .ReportError = say,
                               .AddTensors = no_more,
                               .GetNodeAndRegistration = no_node,
                               .ReplaceNodeSubsetsWithDelegateKernels = no_replace,
                               .recommended_num_threads = 1,
                               .GetExternalContext = no_external,
                               .SetExternalContext = no_set,
                               .AllocatePersistentBuffer = no_persistent,
                               .AllocateBufferForEval = no_buffer,
                               .RequestScratchBufferInArena = no_scratch,
                               .GetScratchBuffer = no_scratch_buffer,
                               .ResizeTensorExplicit = resize_explicit,
                               .PreviewDelegatePartitioning = no_preview,
                               .GetTensor = get_tensor,
                               .GetEvalTensor = no_eval,
                               .GetModelMetadata = no_metadata,
                               .AcquireSubgraphContext = no_subgraph,
                               .ReleaseSubgraphContext = no_release},
                       .node = node};
}

/* ---- calls ------------------------------------------------------------------------------------- */

void *classic_init(const TfLiteRegistration *r, const void *options, size_t n) {
  struct call c = call_of(NULL);
  return r->init ? r->init(&c.ctx, options, n) : NULL;
}

void classic_free(const TfLiteRegistration *r, void *state) {
  struct call c = call_of(NULL);
  if (r->free) r->free(&c.ctx, state);
}

TfLiteStatus classic_call(const TfLiteRegistration *r, const classic_node *n, bool running) {
  struct call c = call_of(n);
  size_t all = (size_t)(n->n_in + n->n_out);
  TfLiteIntArray *in = TfLiteIntArrayCreate(n->n_in), *out = TfLiteIntArrayCreate(n->n_out),
                 *none = TfLiteIntArrayCreate(0);
  TfLiteIntArray *none2 = TfLiteIntArrayCreate(0);
  c.ctx.tensors = calloc(all + 1, sizeof *c.ctx.tensors);
  c.ctx.tensors_size = all;
  TfLiteStatus s = kTfLiteError;
  if (in && out && none && none2 && c.ctx.tensors) {
    for (int i = 0; i < n->n_in; i++) {
      c.ctx.tensors[i] = n->in[i].t;
      in->data[i] = n->in[i].t.dims ? i : -1;
    }
    for (int i = 0; i < n->n_out; i++) {
      c.ctx.tensors[n->n_in + i] = n->out[i].t;
      out->data[i] = n->n_in + i;
    }
    TfLiteNode node = {.inputs = in,
                       .outputs = out,
                       .intermediates = none,
                       .temporaries = none2,
                       .user_data = n->state,
                       .custom_initial_data = n->options,
                       .custom_initial_data_size = (int)n->n_options};
    s = (running ? r->invoke : r->prepare)(&c.ctx, &node);
    for (int i = 0; i < n->n_out; i++) n->out[i].t = c.ctx.tensors[n->n_in + i];
    if (node.temporaries != none2) TfLiteIntArrayFree(node.temporaries), none2 = NULL; /* they were replaced */
  }
  TfLiteIntArrayFree(in);
  TfLiteIntArrayFree(out);
  TfLiteIntArrayFree(none);
  TfLiteIntArrayFree(none2);
  free(c.ctx.tensors);
  return s;
}
