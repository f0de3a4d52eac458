/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_H
#define WHET_TRAIN_H

/* Training: a net from a list of layers, or a model that goes on learning, from a data set on disk. Part of libwhet_make.
 *
 *   whet_model_layers("784,128:relu,10:softmax", 1, &net, &err);
 *   whet_train(net, "mnist", NULL, &digits, &err);
 *   whet_model_export(digits, "digits.tflite", WHET_FORMAT_TFLITE, NULL, &err);
 *
 * The same seed gives the same bytes with any number of threads, and after a run that was interrupted and went on from its
 * checkpoint. Gradients are exact derivatives of the graph; Adam: Kingma and Ba, 2015; AdamW: Loshchilov and Hutter, 2019;
 * distillation: Hinton, Vinyals and Dean, 2015. */

#include "whet/media.h"
#include "whet/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum whet_loss {
  WHET_LOSS_AUTO = 0,          /* cross-entropy for classes, squared error for numbers */
  WHET_LOSS_CROSS_ENTROPY = 1, /* -sum t log softmax(y), mean over the batch; a Softmax that ends the model is not run twice */
  WHET_LOSS_MSE = 2,           /* mean of (y - t)^2 */
  WHET_LOSS_KL = 3,            /* sum t (log t - log softmax(y)), mean over the batch */
  WHET_LOSS_FORCE_INT = 0x7fffffff
} whet_loss;

typedef enum whet_optimizer {
  WHET_SGD = 0,
  WHET_ADAM = 1,
  WHET_ADAMW = 2,
  WHET_OPTIMIZER_FORCE_INT = 0x7fffffff
} whet_optimizer;

typedef enum whet_schedule {
  WHET_RATE_CONSTANT = 0,
  WHET_RATE_STEP = 1,
  WHET_RATE_COSINE = 2,
  WHET_SCHEDULE_FORCE_INT = 0x7fffffff
} whet_schedule;

/* What layers are trained to bear (quantisation-aware training). */
typedef enum whet_rounded {
  WHET_ROUNDED_NONE = 0,
  WHET_ROUNDED_INT8 = 1,    /* weights and tensors of 8 bits */
  WHET_ROUNDED_INT16X8 = 2, /* weights of 8, tensors of 16 bits */
  WHET_ROUNDED_WEIGHTS = 3, /* weights of 8 bits only */
  WHET_ROUNDED_INT4 = 4,    /* weights of 4 bits only */
  WHET_ROUNDED_FORCE_INT = 0x7fffffff
} whet_rounded;

/* What is done to items before they are learnt; 0: nothing. */
typedef struct whet_augment {
  int32_t shift;      /* pictures: by up to so many pixels in both directions, zeros following */
  int flip;           /* pictures: left and right exchanged in half of them */
  float crop;         /* pictures: a part of at least this share of the sides, enlarged: 0.8; 0: none */
  float mixup;        /* a of Beta(a, a) by which two items and their targets are mixed */
  int32_t time_shift; /* sounds: by up to so many frames */
  float noise;        /* standard deviation of what is added to every number */
} whet_augment;

/* A model that teaches (knowledge distillation): its outputs, softened, are learnt beside the data's classes. Any model that
 * runs can teach, of any type; it sees the same items as the pupil, in its own layout and size. */
typedef struct whet_teach {
  whet_model *model;  /* NULL: nobody teaches. It outlives the training */
  double temperature; /* by which both models' scores are divided; 0: 4 */
  double mix;         /* the teacher's share of the loss, 0..1; with 1 the data need no classes. Negative: 0.7 */
  const char *cache;  /* a file that keeps what it says of each item, for later epochs and runs; NULL: none. Not with augmentation */
  const char *match, *match_teacher; /* tensors or nodes of the pupil and the teacher: which items are alike by one, are to be by
                                        the other; NULL: none */
  double match_weight; /* 0: 3000 */
} whet_teach;

/* One epoch as it went. */
typedef struct whet_epoch {
  int32_t epoch; /* from 1 */
  int64_t step;  /* steps made so far */
  double loss, accuracy; /* over the epoch; accuracy -1: there are no classes */
  double test_loss, test_accuracy; /* -1: not measured */
  double rate, seconds;
} whet_epoch;

typedef struct whet_train_state {
  int64_t step, steps;   /* made and in all */
  int32_t epoch, epochs; /* the one under way, from 1 */
  double loss, accuracy; /* mean over the epoch so far */
  double rate;
} whet_train_state;

typedef struct whet_train_opts {
  size_t size; /* sizeof(whet_train_opts) */
  /* The data: see whet_train. */
  const char *split;        /* the half that is learnt, where there are two: "train", "test", "train:0..50000"; NULL: train* */
  int no_test;              /* not 0: the other half is not measured after every epoch */
  const char *labels;       /* the classes in order: "a,b,c", or a file with a line for each; NULL: by the set */
  const char *target;       /* CSV: the column to be told; NULL: label, class, target or y, else the last */
  const float *range;       /* two numbers: what samples of 0..255 become; NULL: 0..1 for idx files, else 0..255 */
  const float *mean, *std;  /* then (x - mean) / std: n_mean, n_std numbers, 1 or one for each channel; 0: none */
  int n_mean, n_std;
  whet_status (*sound)(const void *bytes, size_t n, const whet_sound_opts *o, whet_sound *out, whet_err *err);
  void (*sound_free)(whet_sound *s); /* whet_sound_decode and whet_sound_free of libwhet_media; NULL: files of sound are refused */
  int32_t sound_rate;                /* samples a second that sounds are resampled into; 0: those of the first */
  /* Learning; 0 takes what is said behind it. */
  whet_loss loss;
  whet_optimizer optimizer;
  double rate;         /* 0.001; SGD: 0.01 */
  double momentum;     /* of SGD, and Adam's first moment; negative: 0.9 */
  double beta2;        /* Adam's second moment: 0.999 */
  double epsilon;      /* Adam: 1e-7 */
  double decay;        /* of weights of two dimensions and more: added to gradients, or with ADAMW to the step */
  int nesterov;        /* SGD looks ahead */
  whet_schedule schedule;
  double step_factor;  /* STEP: the rate's factor: 0.1 */
  int32_t step_epochs; /* STEP: after so many epochs again and again: a third of all */
  double warmup;       /* epochs in which the rate rises from 0 */
  double smoothing;    /* share of a target that all classes get */
  int32_t epochs, batch; /* 5, 32 */
  int32_t last;        /* train the last so many layers with weights only: all */
  uint64_t seed;       /* of order and augmentation */
  int threads;         /* all; the result does not depend on it */
  whet_augment augment;
  whet_teach teach;
  whet_rounded rounded;
  int keep_zeros;      /* not 0: weights of layers that are zero stay zero (pruned models) */
  const char *checkpoint;   /* a file that is written after every epoch, and from which training goes on if it is there; NULL: none */
  int64_t checkpoint_steps; /* and after so many steps */
  int restart;              /* not 0: begin anew although there is a checkpoint */
  /* Called on the calling thread after every step with e NULL, and after every epoch with what it brought. Not 0: training ends with
   * E_CANCELLED; the checkpoint stays. NULL: nobody. */
  int (*progress)(void *user, const whet_train_state *s, const whet_epoch *e);
  void *user;
} whet_train_opts;

/* Adam, 5 epochs of batches of 32, seed 1. */
WHET_API whet_train_opts whet_train_opts_default(void);

/* A model with first weights drawn from a seed, from a line of layers: the shape of an item (784 or 28x28x1, channels last), then
 * layers as 128:relu, conv16:relu, depthwise, pool2, mean, lstm64, gru64, norm, flatten; after the colon relu, relu6, sigmoid,
 * tanh, softmax, gelu, swish, hard_swish, elu or leaky_relu. Its input is "input", its output "output". E_DATA names the layer
 * that is none, E_SHAPE one that does not fit. */
WHET_API whet_status whet_model_layers(const char *layers, uint64_t seed, whet_model **out, whet_err *err);

/* Train m on the data set at path `data`; *out is a new model with its weights, m is not changed. A data set is MNIST's idx files
 * (.gz too), CIFAR's .bin, a folder for each class of pictures or sounds (also inside a .tar.gz), x.npy with y.npy beside it,
 * or CSV; it is streamed. Pictures but BMP and PNM need libwhet_media (whet/media.h). o may be NULL. Any thread; it takes as long
 * as training takes. E_UNSUPPORTED names the node that cannot be differentiated; E_IO, E_NAME, E_FORMAT and E_DATA name file and
 * place; E_SHAPE: items or classes do not fit the model. */
WHET_API whet_status whet_train(whet_model *m, const char *data, const whet_train_opts *o, whet_model **out, whet_err *err);

#ifdef __cplusplus
}
#endif
#endif
