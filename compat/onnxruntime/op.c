/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of whet that kernels of the caller's own run by name: each is a model of one node. It is made when the operator is
 * first run on values of such types, and kept: further runs on the same types and shapes plan nothing. */

#include "shim.h"

/* The node, ready for inputs of some types. */
typedef struct ready {
  struct ready *next;
  whet_text model; /* which the session uses */
  OrtSession *session;
  whet_dtype type[]; /* of each input; NONE: absent */
} ready;

struct OrtOp {
  whet_mem mem;
  whet_text node;   /* attributes and names, NodeProto without its inputs */
  char *domain;
  int version, threads;
  size_t n_in, n_out;
  char (*name)[16]; /* of inputs, then outputs */
  listener log;
  pthread_mutex_t lock; /* of the list */
  ready *list;
};

/* ModelProto: the node, its inputs of these types and any shape, its outputs of any type. */
static whet_text model_of(OrtOp *op, const whet_dtype *type) {
  whet_text m = {.mem = &op->mem}, g = m, n = m, set = m;
  for (size_t i = 0; i < op->n_in; i++) whet__pb_put_str(&n, 1, type[i] == WHET_NONE ? "" : op->name[i]);
  whet__text_add(&n, op->node.p, op->node.n);
  whet__pb_put_message(&g, 1, &n);
  whet__pb_put_str(&g, 2, "op");
  for (size_t i = 0; i < op->n_in + op->n_out; i++) {
    bool in = i < op->n_in;
    if (in && type[i] == WHET_NONE) continue;
    whet_text info = m, t = m, tensor = m;
    whet__pb_put_str(&info, 1, op->name[i]);
    if (in) {
      whet__pb_put_int(&tensor, 1, onnx_type(type[i]));
      whet__pb_put_message(&t, 1, &tensor);
      whet__pb_put_message(&info, 2, &t);
    }
    whet__pb_put_message(&g, in ? 11 : 12, &info);
  }
  whet__pb_put_int(&m, 1, 10); /* IR version */
  whet__pb_put_message(&m, 7, &g);
  whet__pb_put_str(&set, 1, op->domain);
  whet__pb_put_int(&set, 2, op->version);
  whet__pb_put_message(&m, 8, &set);
  return m;
}

/* Whether there is such an operator, with inputs of some type. */
static OrtStatus *known(OrtOp *op, whet_dtype t) {
  whet_dtype *type = calloc(op->n_in + 1, sizeof *type);
  if (!type) return no_memory();
  for (size_t i = 0; i < op->n_in; i++) type[i] = t;
  whet_text m = model_of(op, type);
  whet_model *model = NULL;
  whet_err err = {0};
  whet_status st = m.bad ? WHET_E_MEMORY : whet_model_open_memory(m.p, m.n, NULL, &model, &err);
  whet_model_close(&model);
  whet__text_free(&m);
  free(type);
  return m.bad ? no_memory() : of_whet(st, &err);
}

void API(ReleaseOp)(OrtOp *op) {
  if (!op) return;
  while (op->list) {
    ready *r = op->list;
    op->list = r->next;
    API(ReleaseSession)(r->session);
    whet__text_free(&r->model);
    free(r);
  }
  whet__text_free(&op->node);
  pthread_mutex_destroy(&op->lock);
  free(op->domain);
  free(op->name);
  free(op);
}

OrtStatus *API(CreateOp)(const OrtKernelInfo *info, const char *name, const char *domain, int version,
                         const char **constraint, const ONNXTensorElementDataType *constraint_type, int n_constraint,
                         const OrtOpAttr *const *attr, int n_attr, int n_in, int n_out, OrtOp **out) {
  NEED(info);
  NEED(name);
  NEED(out);
  *out = NULL;
  if (n_constraint > 0) NEED(constraint_type);
  if (n_attr > 0) NEED(attr);
  if (n_in < 0 || n_out < 1) return fail(ORT_INVALID_ARGUMENT, "%d inputs and %d outputs", n_in, n_out);
  (void)constraint;
  OrtOp *op = calloc(1, sizeof *op);
  if (!op) return no_memory();
  whet__mem_init(&op->mem, NULL, NULL, 0);
  pthread_mutex_init(&op->lock, NULL);
  op->node.mem = &op->mem;
  op->domain = strdup(domain ? domain : "");
  op->version = version;
  op->threads = info->own->threads;
  op->log = *info->own->log;
  op->n_in = (size_t)n_in;
  op->n_out = (size_t)n_out;
  op->name = calloc(op->n_in + op->n_out, sizeof *op->name);
  OrtStatus *st = op->domain && op->name ? NULL : no_memory();
  for (size_t i = 0; !st && i < op->n_in + op->n_out; i++)
    snprintf(op->name[i], sizeof op->name[i], i < op->n_in ? "in%zu" : "out%zu", i < op->n_in ? i : i - op->n_in);
  for (int i = 0; !st && i < n_out; i++) whet__pb_put_str(&op->node, 2, op->name[n_in + i]);
  whet__pb_put_str(&op->node, 3, name);
  whet__pb_put_str(&op->node, 4, name);
  for (int i = 0; !st && i < n_attr; i++)
    if (attr[i]) attr_put(attr[i], 5, &op->node);
  if (!st) whet__pb_put_str(&op->node, 7, op->domain);
  if (!st && op->node.bad) st = no_memory();
  if (!st) st = known(op, n_constraint > 0 ? whet_type(constraint_type[0]) : WHET_F32);
  if (st) {
    API(ReleaseOp)(op);
    return st;
  }
  *out = op;
  return NULL;
}

/* A session for inputs of these types: the one that is there, or a new one. The caller holds the lock. */
static OrtStatus *ready_for(OrtOp *op, const whet_dtype *type, OrtSession **out) {
  const OrtEnv env = {.log = op->log};
  const OrtSessionOptions o = {.severity = -1, .per_session_threads = true, .threads = op->threads,
                               .config = {(char *[]){"session.use_ort_model_bytes_directly"}, (char *[]){"1"}, 1}};
  for (ready *r = op->list; r; r = r->next)
    if (!memcmp(r->type, type, op->n_in * sizeof *type)) {
      *out = r->session;
      return NULL;
    }
  ready *r = calloc(1, sizeof *r + op->n_in * sizeof *type);
  if (!r) return no_memory();
  memcpy(r->type, type, op->n_in * sizeof *type);
  r->model = model_of(op, type);
  OrtStatus *st =
      r->model.bad ? no_memory() : session_open(&env, NULL, r->model.p, r->model.n, &o, NULL, NULL, 0, &r->session);
  if (st) {
    whet__text_free(&r->model);
    free(r);
    return st;
  }
  r->next = op->list;
  op->list = r;
  *out = r->session;
  return NULL;
}

/* Give the values to the node; types, names and values have room for all. */
static OrtStatus *invoke(OrtOp *op, const OrtValue *const *in, OrtValue *const *out, whet_dtype *type, const char **name,
                         const OrtValue **value) {
  size_t k = 0;
  for (size_t i = 0; i < op->n_in; i++) {
    type[i] = in[i] ? whet_value_dtype(in[i]->v) : WHET_NONE;
    if (!in[i]) continue;
    if (type[i] == WHET_NONE) return fail(ORT_INVALID_ARGUMENT, "InvokeOp: input %zu is no tensor", i);
    name[k] = op->name[i];
    value[k++] = in[i];
  }
  const char **out_name = name + op->n_in;
  OrtValue **to = (OrtValue **)(value + op->n_in);
  for (size_t i = 0; i < op->n_out; i++) {
    if (!out[i]) return fail(ORT_INVALID_ARGUMENT, "InvokeOp: output %zu is null", i);
    out_name[i] = op->name[op->n_in + i];
    to[i] = out[i];
  }
  OrtSession *s = NULL;
  pthread_mutex_lock(&op->lock);
  OrtStatus *st = ready_for(op, type, &s);
  pthread_mutex_unlock(&op->lock);
  return st ? st : session_run(s, NULL, name, value, k, out_name, op->n_out, to);
}

OrtStatus *API(InvokeOp)(const OrtKernelContext *context, const OrtOp *const_op, const OrtValue *const *in, int n_in,
                         OrtValue *const *out, int n_out) {
  OrtOp *op = (OrtOp *)const_op; /* its list grows */
  NEED(context);
  NEED(op);
  if (n_in > 0) NEED(in);
  NEED(out);
  if (n_in < 0 || (size_t)n_in != op->n_in || n_out < 0 || (size_t)n_out != op->n_out)
    return fail(ORT_INVALID_ARGUMENT, "%d inputs and %d outputs, the operator was made for %zu and %zu", n_in, n_out,
                op->n_in, op->n_out);
  size_t n = op->n_in + op->n_out;
  const char **name = malloc(n * (sizeof *name + sizeof in + sizeof(whet_dtype)));
  if (!name) return no_memory();
  const OrtValue **value = (const OrtValue **)(name + n);
  OrtStatus *st = invoke(op, in, out, (whet_dtype *)(value + n), name, value);
  free(name);
  return st;
}
