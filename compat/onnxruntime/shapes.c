/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator of the caller's own says of its outputs before a run: OrtCustomOp's InferOutputShapeFn. */

#include "guard.h"
#include "shim.h"

/* What that function sees. Attributes and types of inputs live until it returns. */
struct OrtShapeInferContext {
  whet_custom_ctx *ctx;
  struct kept {
    struct kept *next;
    OrtOpAttr *a;
    OrtTypeInfo *type;
  } * kept;
};

/* Room for one more of them; NULL: no memory. */
static struct kept *keep(const OrtShapeInferContext *context) {
  OrtShapeInferContext *c = (OrtShapeInferContext *)context;
  struct kept *k = calloc(1, sizeof *k);
  if (!k) return NULL;
  k->next = c->kept;
  c->kept = k;
  return k;
}

OrtStatus *API(ShapeInferContext_GetInputCount)(const OrtShapeInferContext *c, size_t *out) {
  NEED(c);
  NEED(out);
  *out = whet_custom_inputs(c->ctx);
  return NULL;
}

OrtStatus *API(ShapeInferContext_GetInputTypeShape)(const OrtShapeInferContext *c, size_t i,
                                                    OrtTensorTypeAndShapeInfo **out) {
  NEED(c);
  NEED(out);
  whet_info x;
  *out = NULL;
  size_t n = whet_custom_inputs(c->ctx);
  if (i >= n) return fail(ORT_INVALID_ARGUMENT, "input %zu of %zu", i, n);
  TRY(of_whet(whet_custom_input(c->ctx, i, &x, NULL), NULL));
  struct kept *k = keep(c);
  if (!k) return no_memory();
  TRY(type_of_info(&x, NULL, &k->type));
  *out = k->type->tensor;
  return NULL;
}

OrtStatus *API(ShapeInferContext_GetAttribute)(const OrtShapeInferContext *context, const char *name,
                                               const OrtOpAttr **out) {
  NEED(context);
  NEED(name);
  NEED(out);
  struct kept *k = keep(context);
  if (!k) return no_memory();
  TRY(attr_of_node(context->ctx, name, &k->a));
  *out = k->a;
  return NULL;
}

OrtStatus *API(ShapeInferContext_SetOutputTypeShape)(const OrtShapeInferContext *c, size_t i,
                                                     const OrtTensorTypeAndShapeInfo *info) {
  NEED(c);
  NEED(info);
  whet_info x = {.dtype = whet_type(info->type), .rank = info->has_shape ? (int32_t)info->rank : -1};
  for (int32_t k = 0; k < x.rank; k++) {
    x.dims[k] = info->dims[k];
    x.symbol[k] = info->symbol[k];
  }
  if (x.dtype == WHET_NONE) return fail(ORT_INVALID_ARGUMENT, "output %zu: no element type", i);
  return of_whet(whet_custom_output_told(c->ctx, i, &x), NULL);
}

/* What the operator declares: the types of its outputs. */
static void tell_types(whet_custom_ctx *ctx, const OrtCustomOp *op) {
  size_t types = op->GetOutputTypeCount(op);
  for (size_t i = 0; types && i < whet_custom_outputs(ctx); i++) {
    whet_info x = {.rank = -1, .dtype = whet_type(op->GetOutputType(op, i < types ? i : types - 1))};
    if (x.dtype != WHET_NONE) whet_custom_output_told(ctx, i, &x);
  }
}

/* A function that fails has said nothing, which a line of the log tells, as with the original. */
whet_status custom_tell(void *user, whet_custom_ctx *ctx) {
  const custom_op *own = custom_fit(user, ctx);
  const OrtCustomOp *op = own->op;
  tell_types(ctx, op);
  if (op->version < 17 || !op->InferOutputShapeFn) return WHET_OK;
  OrtShapeInferContext c = {ctx, NULL};
  OrtStatus *st = guard_infer(op, &c);
  if (st) {
    tell_types(ctx, op);
    API(ReleaseStatus)
    (API(Logger_LogMessage)((const OrtLogger *)(const void *)own->log, ORT_LOGGING_LEVEL_WARNING,
                            API(GetErrorMessage)(st), "", 0, op->GetName(op)));
    API(ReleaseStatus)(st);
  }
  while (c.kept) {
    struct kept *k = c.kept;
    c.kept = k->next;
    API(ReleaseOpAttr)(k->a);
    API(ReleaseTypeInfo)(k->type);
    free(k);
  }
  return WHET_OK;
}
