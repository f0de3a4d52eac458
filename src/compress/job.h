/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_COMPRESS_JOB_H
#define WHET_COMPRESS_JOB_H

/* One quantisation while it is under way, and the stages that it goes through:
 *
 *   prepare    fold what is constant, batch norms into weights, products into the target's operators
 *   equalize   (where asked for) even out the weights of neighbouring products
 *   rules      which nodes get integers, which values share parameters
 *   observe    run the float model over the samples: histograms of values, second moments of products' inputs
 *   params     scales and zero points
 *   weights    integers for weights and biases
 *   emit       the new graph */

#include "compress/hist.h"
#include "format/model.h"
#include "ir/infer.h"
#include "op/weighted.h"
#include "whet/quantize.h"

/* How parameters of inputs and outputs hang together. */
typedef enum whet_tie {
  WHET_TIE_NONE,    /* no integer form */
  WHET_TIE_PRODUCT, /* input 0 free, weights 1, bias 2, output free */
  WHET_TIE_MATRIX,  /* PRODUCT when input 1 is constant, else FREE */
  WHET_TIE_FREE,    /* every input and the output their own */
  WHET_TIE_SAME,    /* outputs as input 0; other inputs stay as they are */
  WHET_TIE_JOIN,    /* output and all inputs the same */
  WHET_TIE_POOL,    /* TFLite: SAME; ONNX: FREE */
  WHET_TIE_ACT,     /* a clamp: as what makes its input where that can do it on the way, else FREE */
  WHET_TIE_UNIT,    /* output in 0..1 with a fixed scale */
  WHET_TIE_SIGNED_UNIT, /* in -1..1 */
  WHET_TIE_LOG_UNIT     /* logarithms of those of 0..1 */
} whet_tie;

/* Scale and zero point of a value. */
typedef struct whet_param {
  bool set;
  float scale;
  int32_t zero;
} whet_param;

typedef struct whet_job {
  whet_quantize_opts o;
  whet_model *source;  /* the caller's */
  whet_model *model;   /* prepared; owned */
  whet_graph *g;       /* of it */
  const whet_samples *samples;
  whet_err *err;
  whet_mem mem;
  whet_arena a;        /* everything below */
  whet_env env;        /* shapes with a batch of one where the batch is free */
  whet_uses uses;
  bool qdq;            /* ONNX's form */
  whet_dtype t;        /* of activations */
  /* By node. */
  uint8_t *tie;        /* whet_tie; NONE: stays float */
  uint8_t *tail;       /* the node before does it on the way: a clamp, or (ONNX) adding the bias of a MatMul */
  const char **why;    /* why it stays float */
  const char **force;  /* why it must stay float; NULL: it need not */
  whet_weighted **product; /* PRODUCTs */
  /* By value. */
  int32_t *root;       /* values with one root share parameters */
  whet_param *param;   /* by root */
  whet_hist **hist;    /* by value; NULL: not observed */
} whet_job;

/* Stages; each fails with err set. */
WHET_MUST whet_status whet__job_open(whet_job *j, whet_model *m, const whet_samples *s, const whet_quantize_opts *o,
                                     whet_err *err);
void whet__job_close(whet_job *j);
WHET_MUST whet_status whet__prepare(whet_model *m, whet_format format, whet_model **out, whet_err *err);
/* Even out the weights of neighbouring products of a prepared model. */
WHET_MUST whet_status whet__equalize(whet_model *m, whet_err *err);
/* Which nodes get integers. May be called again when `force` has changed: parameters are then to be made anew, what was observed
 * stays. */
WHET_MUST whet_status whet__job_rules(whet_job *j);
WHET_MUST whet_status whet__job_observe(whet_job *j);
WHET_MUST whet_status whet__job_params(whet_job *j);
WHET_MUST whet_status whet__job_weights(whet_job *j);
WHET_MUST whet_status whet__job_emit(whet_job *j, whet_model **out);
WHET_MUST whet_status whet__job_emit_float(whet_job *j, whet_model **out); /* DYNAMIC, WEIGHTS, FLOAT16 */

/* The constant that is the bias of a product; -1: it has none. */
int32_t whet__job_bias(const whet_job *j, const whet_weighted *p);
/* Does the operator do more than move numbers or clamp them? */
bool whet__job_computes(const char *op);
/* Fill the caller's report; it lies in `out`. */
WHET_MUST whet_status whet__job_report(const whet_job *j, whet_model *out, whet_quantized *r);
whet_status whet__job_full(whet_job *j);
/* The value whose parameters v has. */
int32_t whet__job_root(const whet_job *j, int32_t v);
/* v is a float tensor whose shape is known. */
bool whet__job_is_float(const whet_job *j, int32_t v);
/* The range of v is that of other values with its parameters. */
bool whet__job_follows(const whet_job *j, int32_t v);
/* Is input k of integer node n a number that is quantised as activations are? */
bool whet__job_takes(const whet_job *j, const whet_node *n, int k);
/* Levels of an activation: 256 or 65536 (one less where symmetric). */
int whet__job_levels(const whet_job *j);
/* Scale and zero point for a range. */
whet_param whet__job_param(const whet_job *j, whet_range r);
/* A scale that is at least s. In QDQ it has so many binary digits, 1 for activations (a power of two), 4 for weights: scales times stored
 * numbers, and sums of their products up to 2^20, then are exact in float32, and ties fall where they do in integers, so that runtimes that
 * compute QDQ in floats get the very integers. */
float whet__job_scale(const whet_job *j, double s, int digits);
/* Tell the caller; E_CANCELLED when he wants no more. */
whet_status whet__job_progress(whet_job *j, const char *what, int64_t done, int64_t all);
#define WHET_JOB_OP(j, node) ((j)->g->node[node].op->name)

#endif
