/* SPDX-License-Identifier: Apache-2.0 */
/* What the functions of the caller's own operators ask of their node and its context (node.h). What concerns other
 * nodes, subgraphs and delegates is refused. */

#include "node.h"

void node_state_free(node_state *s) {
  for (size_t i = 0; i < s->n_temp; i++) {
    free(s->temp[i]->t.data.data);
    port_free(s->temp[i]);
    free(s->temp[i]);
  }
  free(s->temp);
  free(s->list);
  free(s->out);
  free(s);
}

/* ---- the node ----------------------------------------------------------------------------------- */

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
void *TfLiteOpaqueNodeGetUserData(const TfLiteOpaqueNode *n) { return n ? n->state->own : NULL; }
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

/* A list of numbers that the node has. */
static TfLiteStatus give(const int *list, int n, const int **p, int *size) {
  if (!p || !size) return kTfLiteError;
  *p = list;
  *size = n;
  return kTfLiteOk;
}
TfLiteStatus TfLiteOpaqueNodeInputs(const TfLiteOpaqueNode *n, const int **p, int *size) {
  return n ? give(n->number, n->n_in, p, size) : kTfLiteError;
}
TfLiteStatus TfLiteOpaqueNodeOutputs(const TfLiteOpaqueNode *n, const int **p, int *size) {
  return n ? give(n->number + n->n_in, n->n_out, p, size) : kTfLiteError;
}
TfLiteStatus TfLiteOpaqueNodeTemporaries(const TfLiteOpaqueNode *n, const int **p, int *size) {
  return n ? give(n->state->list, n->state->n_list, p, size) : kTfLiteError;
}
TfLiteStatus TfLiteOpaqueNodeSetTemporaries(TfLiteOpaqueNode *n, const int *list, int count) {
  if (!n || count < 0 || (count && !list)) return kTfLiteError;
  int *copy = calloc((size_t)count + 1, sizeof *copy);
  if (!copy) return kTfLiteError;
  if (count) memcpy(copy, list, (size_t)count * sizeof *copy);
  free(n->state->list);
  n->state->list = copy;
  n->state->n_list = count;
  return kTfLiteOk;
}
int TfLiteOpaqueNodeGetInputTensorIndex(const TfLiteOpaqueNode *n, int i) {
  return n && i >= 0 && i < n->n_in ? n->number[i] : -1;
}
int TfLiteOpaqueNodeGetOutputTensorIndex(const TfLiteOpaqueNode *n, int i) {
  return n && i >= 0 && i < n->n_out ? n->number[n->n_in + i] : -1;
}

/* ---- the context -------------------------------------------------------------------------------- */

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
static TfLiteStatus refuse(const TfLiteOpaqueContext *c, const char *name) {
  TfLiteOpaqueContextReportError((TfLiteOpaqueContext *)(uintptr_t)c, "%s: not there", name);
  return kTfLiteError;
}

TfLiteStatus TfLiteOpaqueContextGetSizeOfType(TfLiteOpaqueContext *c, TfLiteType t, size_t *bytes) {
  (void)c;
  unsigned bits = whet_dtype_bits(dtype_of(t));
  if (!bytes || bits < 8 || t == kTfLiteString) return kTfLiteError;
  *bytes = bits / 8;
  return kTfLiteOk;
}
size_t TfLiteOpaqueContextGetNumTensors(const TfLiteOpaqueContext *c) {
  return c && c->node ? (size_t)c->node->n_in + (size_t)c->node->n_out + c->state->n_temp : 0;
}
size_t TfLiteOpaqueContextGetNumNodes(const TfLiteOpaqueContext *c) { return c && c->node; }
const char *TfLiteOpaqueContextGetName(const TfLiteOpaqueContext *c) { return c ? "" : NULL; }

TfLiteOpaqueTensor *TfLiteOpaqueContextGetOpaqueTensor(const TfLiteOpaqueContext *c, int i) {
  const TfLiteOpaqueNode *n = c ? c->node : NULL;
  port *p = NULL;
  if (!n || i < 0 || (size_t)i >= TfLiteOpaqueContextGetNumTensors(c)) return NULL;
  if (i >= n->n_in + n->n_out)
    p = c->state->temp[i - n->n_in - n->n_out];
  else if (n->in && n->out)
    p = i < n->n_in ? &n->in[i] : &n->out[i - n->n_in];
  return p && p->t.dims ? (TfLiteOpaqueTensor *)(void *)p : NULL;
}

TfLiteStatus TfLiteOpaqueContextGetInputs(const TfLiteOpaqueContext *c, const int **p, int *size) {
  return c ? TfLiteOpaqueNodeInputs(c->node, p, size) : kTfLiteError;
}
TfLiteStatus TfLiteOpaqueContextGetOutputs(const TfLiteOpaqueContext *c, const int **p, int *size) {
  return c ? TfLiteOpaqueNodeOutputs(c->node, p, size) : kTfLiteError;
}
TfLiteStatus TfLiteOpaqueContextGetVariables(const TfLiteOpaqueContext *c, const int **p, int *size) {
  static const int none[1];
  return c ? give(none, 0, p, size) : kTfLiteError;
}
TfLiteStatus TfLiteOpaqueContextGetNodeInitDataMmapInfo(const TfLiteOpaqueContext *c, const TfLiteOpaqueNode *n,
                                                        int *fd, int64_t *offset, int64_t *size) {
  (void)n, (void)fd;
  if (offset) *offset = -1;
  if (size) *size = -1;
  return refuse(c, __func__);
}
TfLiteStatus TfLiteOpaqueContextGetExecutionPlan(TfLiteOpaqueContext *c, TfLiteIntArray **plan) {
  (void)plan;
  return refuse(c, __func__);
}
TfLiteStatus TfLiteOpaqueContextGetNodeAndRegistration(TfLiteOpaqueContext *c, int i, TfLiteOpaqueNode **n,
                                                       TfLiteRegistrationExternal **r) {
  (void)i, (void)n, (void)r;
  return refuse(c, __func__);
}
TfLiteStatus TfLiteOpaqueContextReplaceNodeSubsetsWithDelegateKernels(TfLiteOpaqueContext *c,
                                                                      TfLiteRegistrationExternal *r,
                                                                      const TfLiteIntArray *nodes,
                                                                      TfLiteOpaqueDelegate *d) {
  (void)nodes, (void)d;
  TfLiteRegistrationExternalDelete(r); /* it is taken over whatever the answer */
  return refuse(c, __func__);
}
TfLiteStatus TfLiteOpaqueContextAcquireSubgraphContext(TfLiteOpaqueContext *c, int i, TfLiteOpaqueContext **out) {
  (void)i, (void)out;
  return refuse(c, __func__);
}
TfLiteStatus TfLiteOpaqueContextReleaseSubgraphContext(TfLiteOpaqueContext *c, int i) {
  (void)i;
  return refuse(c, __func__);
}
TfLiteStatus TfLiteOpaqueContextMarkSubgraphAsDelegationSkippable(TfLiteOpaqueContext *c, int i) {
  (void)i;
  return refuse(c, __func__);
}

/* ---- sizes -------------------------------------------------------------------------------------- */

static bool is_temporary(const node_state *s, const port *p) {
  for (size_t i = 0; i < s->n_temp; i++)
    if (s->temp[i] == p) return true;
  return false;
}

/* Memory of a temporary tensor for its new size; what dynamic ones hold stays. */
static TfLiteStatus grow(port *p) {
  size_t n = 1;
  for (int i = 0; i < p->t.dims->size; i++)
    if (__builtin_mul_overflow(n, (size_t)p->t.dims->data[i], &n)) return kTfLiteError;
  size_t bytes = whet_dtype_bytes(dtype_of(p->t.type), n);
  void *data = n && !bytes ? NULL : realloc(p->t.data.data, bytes ? bytes : 1);
  if (!data) return kTfLiteError;
  p->t.data.data = data;
  p->t.bytes = bytes;
  return kTfLiteOk;
}

TfLiteStatus TfLiteOpaqueContextResizeTensor(TfLiteOpaqueContext *c, TfLiteOpaqueTensor *t, TfLiteIntArray *size) {
  port *p = (port *)(void *)t;
  bool temporary = c && p && is_temporary(c->state, p);
  bool ok = c && p && size && (p->out || temporary) && size->size <= WHET_MAX_RANK;
  for (int i = 0; ok && i < size->size; i++) ok = size->data[i] >= 0;
  if (!ok) {
    free(size);
    return kTfLiteError;
  }
  free(p->t.dims);
  p->t.dims = size;
  if (p->t.type == kTfLiteString) return kTfLiteOk; /* their memory comes with the strings */
  if (temporary) return grow(p);
  return !c->running || !node_tell(c->c, p, true) ? kTfLiteOk : kTfLiteError;
}

/* ---- tensors of a node's own --------------------------------------------------------------------- */

struct TfLiteOpaqueTensorBuilder {
  TfLiteType type;
  void *data;
  TfLiteAllocationType allocation;
  TfLiteQuantizationParams params;
  TfLiteQuantization quantization;
};
typedef TfLiteOpaqueTensorBuilder builder;

builder *TfLiteOpaqueTensorBuilderCreate(void) { return calloc(1, sizeof(builder)); }
void TfLiteOpaqueTensorBuilderDelete(builder *b) { free(b); }
builder *TfLiteOpaqueTensorBuilderSetType(builder *b, TfLiteType type) {
  if (b) b->type = type;
  return b;
}
builder *TfLiteOpaqueTensorBuilderSetData(builder *b, void *data) {
  if (b) b->data = data;
  return b;
}
builder *TfLiteOpaqueTensorBuilderSetAllocationType(builder *b, TfLiteAllocationType allocation) {
  if (b) b->allocation = allocation;
  return b;
}
builder *TfLiteOpaqueTensorBuilderSetQuantizationParams(builder *b, TfLiteQuantizationParams params) {
  if (b) b->params = params;
  return b;
}
builder *TfLiteOpaqueTensorBuilderSetQuantization(builder *b, TfLiteQuantization quantization) {
  if (b) b->quantization = quantization;
  return b;
}

/* A tensor as its builder says, of no elements yet. NULL: no memory. */
static port *built(const builder *b) {
  port *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  p->t.dims = calloc(1, sizeof *p->t.dims);
  p->t.type = b->type;
  p->t.data.data = b->data;
  p->t.allocation_type = b->allocation;
  p->t.params = b->params;
  p->t.quantization = b->quantization;
  p->t.buffer_handle = kTfLiteNullBufferHandle;
  if (p->t.dims) return p;
  free(p);
  return NULL;
}

TfLiteStatus TfLiteOpaqueContextAddTensor(TfLiteOpaqueContext *c, builder *b, int *number) {
  if (!c || !b || !c->state || !c->node) return kTfLiteError;
  bool dynamic = b->allocation == kTfLiteDynamic;
  if (!dynamic && b->allocation != kTfLiteArenaRw && b->allocation != kTfLiteArenaRwPersistent) {
    TfLiteOpaqueContextReportError(c, "AddTensor: allocation type %d: dynamic or the arena's", (int)b->allocation);
    return kTfLiteError;
  }
  if (dynamic != (b->data != NULL)) {
    TfLiteOpaqueContextReportError(c, "AddTensor: data are given for dynamic tensors, and only for these");
    return kTfLiteError;
  }
  node_state *s = c->state;
  port **more = realloc(s->temp, (s->n_temp + 1) * sizeof *more);
  if (more) s->temp = more;
  port *p = more ? built(b) : NULL;
  if (!p) return kTfLiteError;
  s->temp[s->n_temp++] = p;
  if (number) *number = (int)TfLiteOpaqueContextGetNumTensors(c) - 1;
  return kTfLiteOk;
}
