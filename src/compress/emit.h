/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_COMPRESS_EMIT_H
#define WHET_COMPRESS_EMIT_H

/* What the writers of the two quantised forms share. Numbers of values and nodes are those of the job's graph; new ones follow. */

#include "compress/job.h"
#include "pass/pass.h"

/* A value in another form: stored numbers under a scale and zero point, or real ones again. */
typedef struct whet_form {
  int32_t of;
  bool real;
  whet_param param;
  int32_t val;
} whet_form;

typedef struct whet_emit {
  whet_job *j;
  whet_model *m;
  whet_graph *g;
  whet_pass pass;
  whet_edit e;      /* before the node that is being rewritten */
  uint8_t *home;    /* by value: it holds stored numbers itself (TFLite); an integer node makes it (ONNX) */
  whet_form *form;  /* forms made so far */
  size_t n_form, cap_form;
} whet_emit;

WHET_MUST whet_status whet__emit_open(whet_emit *e, whet_job *j);
/* The new model, or nothing when s says that it failed. */
whet_status whet__emit_close(whet_emit *e, whet_status s, whet_model **out);
whet_status whet__emit_full(whet_emit *e);

/* A form found among those made; -1: there is none. Remember one. */
int32_t whet__emit_find(const whet_emit *e, int32_t of, bool real, whet_param p);
bool whet__emit_keep(whet_emit *e, int32_t of, bool real, whet_param p, int32_t val);
/* Parameters of a value of the job's graph. */
whet_param whet__emit_param(const whet_emit *e, int32_t v);
/* Say that v holds numbers of type t under p. */
void whet__emit_store(whet_emit *e, int32_t v, whet_dtype t, whet_param p);
/* A new value like `like`, with numbers of type t under p (p.set false: real ones). */
int32_t whet__emit_val(whet_emit *e, int32_t like, const char *suffix, whet_dtype t, whet_param p);
/* QuantizeLinear or DequantizeLinear from `in` to `out`, under a rule. */
void whet__emit_linear(whet_emit *e, const char *op, int32_t in, int32_t out, whet_round round);
/* Float constant v as numbers of type t under p. */
int32_t whet__emit_const(whet_emit *e, int32_t v, whet_dtype t, whet_param p);
/* Weights and bias of a product as constants; *bias is -1 when it has none. sx: scale of its input. */
void whet__emit_weights(whet_emit *e, const whet_weighted *p, float sx, int32_t *weights, int32_t *bias);
/* Let the node have three inputs. */
void whet__emit_three(whet_emit *e, int32_t node);
/* Exchange the names of two values. */
void whet__emit_swap_names(whet_emit *e, int32_t a, int32_t b);

whet_status whet__emit_tflite(whet_emit *e);
whet_status whet__emit_onnx(whet_emit *e);

#endif
