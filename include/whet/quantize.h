/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_QUANTIZE_H
#define WHET_QUANTIZE_H

/* Quantisation: from a float model to one that computes with small integers. Part of libwhet_make.
 *
 * Source: TFLite's 8-bit quantisation specification; ONNX Runtime's QDQ form. docs/quantization.md explains the choices. */

#include "whet/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Calibration data. Calls come from the thread that quantises, samples in any order and more than once; fill must give
 * the same numbers each time. */
typedef struct whet_samples {
  int64_t n; /* samples */
  /* Write sample i of model input `input` to `to`: `bytes` bytes as the float model takes them, with a batch of one. */
  whet_status (*fill)(void *user, int64_t i, size_t input, void *to, size_t bytes, whet_err *err);
  void *user;
} whet_samples;

typedef enum whet_scheme {
  WHET_SCHEME_INT8 = 0,    /* activations and weights of 8 bits, biases of 32 */
  WHET_SCHEME_INT16X8 = 1, /* activations of 16 bits, weights of 8, biases of 64 (TFLite) */
  WHET_SCHEME_DYNAMIC = 2, /* weights of 8 bits, float activations quantised as they come (TFLite hybrid kernels) */
  WHET_SCHEME_WEIGHTS = 3, /* weights of 8 or 4 bits, float arithmetic */
  WHET_SCHEME_FLOAT16 = 4, /* weights of 16-bit floats, float arithmetic */
  WHET_SCHEME_FORCE_INT = 0x7fffffff
} whet_scheme;

/* How the range of an activation follows from what was seen. */
typedef enum whet_calibrate {
  WHET_CALIBRATE_MSE = 0,        /* least mean squared error */
  WHET_CALIBRATE_MINMAX = 1,     /* everything seen */
  WHET_CALIBRATE_PERCENTILE = 2, /* all but a few outliers */
  WHET_CALIBRATE_ENTROPY = 3,    /* least Kullback-Leibler divergence */
  WHET_CALIBRATE_FORCE_INT = 0x7fffffff
} whet_calibrate;

typedef enum whet_rounding {
  WHET_ROUNDING_LEAST_SQUARES = 0, /* so that the layer's outputs on the samples change least */
  WHET_ROUNDING_NEAREST = 1,
  WHET_ROUNDING_FORCE_INT = 0x7fffffff
} whet_rounding;

typedef struct whet_quantize_opts {
  size_t size;               /* sizeof(whet_quantize_opts) */
  whet_format format;        /* whose rules: TFLITE or ONNX (QDQ); AUTO: the model's own format */
  whet_scheme scheme;
  whet_dtype activations;    /* ONNX INT8: U8 (default) or S8; TFLite: S8. NONE: the default */
  int weight_bits;           /* 8 (default) or 4 (WEIGHTS) */
  int group;                 /* WEIGHTS, ONNX: neighbours along a row that share a scale; 0: a row each */
  int per_tensor;            /* not 0: one scale for all channels of a weight tensor */
  int symmetric;             /* not 0: the zero point of 8-bit activations is 0 */
  whet_calibrate calibrate;
  double percentile;         /* PERCENTILE: how much is kept, of 100; 0: 99.99 */
  whet_rounding rounding;
  int no_bias_correction;    /* not 0: biases do not make up for the mean error of rounded weights */
  int equalize;              /* not 0: even out weight ranges across layers first */
  int float_ends;            /* not 0: inputs and outputs stay float (ONNX: always) */
  const char *const *keep_float; /* names of nodes, or of what they make, that stay float; n_keep_float of them */
  size_t n_keep_float;
  /* Told what is going on, `done` of `all` steps; returning not 0 ends with E_CANCELLED. NULL: nobody. */
  int (*progress)(void *user, const char *what, int64_t done, int64_t all);
  void *user;
  int any_scales;            /* ONNX INT8: not 0: scales as ranges ask for; else powers of two for activations, and four binary digits for
                                weights, with which runtimes that compute QDQ in floats get the same integers */
} whet_quantize_opts;

WHET_API whet_quantize_opts whet_quantize_opts_default(void);

/* What became of one node that has arithmetic. */
typedef struct whet_quantized_layer {
  const char *name, *op;
  const char *precision; /* "int8", "int16x8", "float32" ... */
  const char *why;       /* why it stayed float; NULL: it did not */
  double noise;          /* mean squared error of rounded weights by their mean square; 0: no weights */
  int64_t weights;       /* numbers among its weights */
} whet_quantized_layer;

typedef struct whet_quantized {
  size_t n;
  const whet_quantized_layer *layer; /* in the order of execution; belongs to the new model */
} whet_quantized;

/* A new model (one reference for the caller) that computes like m with small integers. m stays as it is, and alive as long as
 * the new one. samples may be NULL for schemes that need none (DYNAMIC, WEIGHTS, FLOAT16); report may be NULL. Failures:
 * E_UNSUPPORTED (the model is quantised already, the format cannot say it), E_DATA (samples are not finite), what fill answers,
 * E_MEMORY ... */
WHET_API whet_status whet_quantize(whet_model *m, const whet_samples *samples, const whet_quantize_opts *o, whet_model **out,
                                   whet_quantized *report, whet_err *err);

/* A bound for what may be lost, and how a model is judged. */
typedef struct whet_search {
  size_t size;     /* sizeof(whet_search) */
  double max_drop; /* the score may fall so much below the float model's */
  /* How good a model is: more is better. Called for the float model and for quantised ones. */
  whet_status (*score)(void *user, whet_model *m, double *score, whet_err *err);
  void *user;
  int untimed;     /* not 0: do not compare speed: layers may be slower than in float */
} whet_search;

/* What the search has found. */
typedef struct whet_search_result {
  double score_float, score_all, score; /* of the float model, with integers everywhere, of the result */
  double ms_float, ms;                  /* least milliseconds of a run on this machine; 0: untimed */
  int layers, integer;                  /* products, and those that compute with integers */
} whet_search_result;

/* whet_quantize (INT8, INT16X8), but layers stay float where that is needed to keep the score, and where integers are slower on
 * this machine. Layers are given back in the order of what each alone does to the outputs. E_UNSUPPORTED when not even the
 * least quantised model keeps the score. */
WHET_API whet_status whet_quantize_within(whet_model *m, const whet_samples *samples, const whet_quantize_opts *o, const whet_search *search,
                                          whet_model **out, whet_quantized *report, whet_search_result *result, whet_err *err);

#ifdef __cplusplus
}
#endif
#endif
