/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_DATA_SET_H
#define WHET_DATA_SET_H

/* Data sets by path: items with a class or a target each, for training, evaluation and calibration.
 *
 *   MNIST's idx files (also .gz)           ...images-idx3-ubyte, ...labels-idx1-ubyte in a folder
 *   CIFAR-10 and -100 in binary form       *.bin
 *   a folder for each class                of JPEG, PNG, BMP ... or WAV, also inside a .tar or .tar.gz as it is
 *   NumPy arrays                           x*.npy with y*.npy beside it, or one array without targets
 *   CSV                                    a column "label", "class", "target" or "y", else the last one
 *   pictures or sounds in a folder         without classes: for calibration
 *
 * Nothing is held in memory but an index: plain files are mapped, compressed ones are unpacked once into a file that
 * has no name any more. Where a folder holds both halves, `training` takes what is called train* (CIFAR: data_batch*), else
 * t10k*, test* or val*; `split` names another. Items keep the order of the file, folders that of their names.
 *
 * A set is read by any number of threads, each through a whet_reader of its own. Errors name file and place. */

#include "base/mem.h"
#include "whet/media.h"

typedef struct whet_set whet_set;

typedef struct whet_set_opts {
  bool training;      /* which half is taken where there are two */
  const char *split;  /* "train", "test" or what the names of the files begin with; NULL: by `training`. ":FROM..TO" behind it, or alone,
                         takes items FROM to TO - 1 of that: "train:0..50000", ":100.." */
  const char *labels; /* the classes' names in order: "a,b,c", or a file with a line for each; NULL: by the set */
  const char *target; /* CSV: the column to be told; NULL: see above */
  int32_t rate;       /* sounds: samples a second that others are resampled into; 0: those of the first */
  const char *(*codecs)(void); /* called before the first picture: NULL or why pictures cannot be read; may be NULL */
  whet_status (*sound)(const void *bytes, size_t n, const whet_sound_opts *o, whet_sound *out, whet_err *err);
  void (*sound_free)(whet_sound *s); /* reader of sound; NULL: files of sound are refused */
  /* What becomes of a sound of one channel before it is an item: rows of features in place of samples. samples: as many as the
     first sound has, 0 for that one. NULL: nothing. */
  whet_status (*hear)(void *user, whet_sound *s, int64_t samples, whet_err *err);
  void *hear_user;
} whet_set_opts;

/* What items are before they become tensors. */
typedef enum whet_item_kind {
  WHET_ITEM_PICTURE, /* 8-bit samples [height][width][channels] */
  WHET_ITEM_SOUND,   /* float [frames] in -1..1, or rows of features */
  WHET_ITEM_NUMBERS  /* an array of any type */
} whet_item_kind;

/* Open; *out is closed with whet__set_close. m pays and outlives it. */
WHET_MUST whet_status whet__set_open(const char *path, const whet_set_opts *o, whet_mem *m, whet_set **out, whet_err *err);
/* Frees it and sets *s to NULL; NULL is accepted. */
void whet__set_close(whet_set **s);

const char *whet__set_path(const whet_set *s);
const char *whet__set_kind(const whet_set *s); /* "idx", "CIFAR", "pictures", "sounds", "npy", "CSV" */
whet_item_kind whet__set_item_kind(const whet_set *s);
int64_t whet__set_count(const whet_set *s);
/* Number of classes; 0: none are known. Names, "7" where the set has only numbers. */
int32_t whet__set_classes(const whet_set *s);
const char *whet__set_class(const whet_set *s, int32_t c);
/* Numbers to be told for each item where there are no classes; 0: none. */
int64_t whet__set_targets(const whet_set *s);
/* Shape of items: a picture's height, width, channels; rank 0 where each has its own. */
int32_t whet__set_dims(const whet_set *s, int64_t dims[WHET_MAX_RANK]);
/* What a picture's samples of 0..255 become unless something says otherwise: 0..1 for idx files, else 0..255. */
float whet__set_white(const whet_set *s);
/* Class of an item without reading it; -1: none. */
int32_t whet__set_label(const whet_set *s, int64_t i);
/* Where item i comes from: "train.tar.gz: train/cat/12.jpg", "x.npy: row 7". Into text; returns text. */
const char *whet__set_where(const whet_set *s, int64_t i, char *text, size_t n);

/* How an item becomes a tensor. Pictures are resized to the tensor's height and width and given its channels; sounds are cut, or
 * followed by silence; numbers must be as many. Samples of 0..255 become lo..hi, then (x - mean) / std. */
typedef struct whet_feed {
  int32_t rank;
  int64_t dims[WHET_MAX_RANK]; /* of one item, without the batch; pictures: which of first and last are the channels is told
                                  by `first` where both could be */
  bool first;                  /* channels stand first */
  bool ranged;                 /* lo and hi are given; else 0..1 for idx, 0..255 for other pictures */
  float lo, hi;
  int n_mean, n_std; /* how many are given: 0, 1 (for every channel) or the channels */
  float mean[4], std[4];
  whet_dtype dtype;      /* what the reader writes; NONE: F32 */
  whet_quant_info quant; /* n 1: stored = round(x / scale) + zero, clamped */
} whet_feed;

/* The feed of a model's input: its shape without the first dimension, type and quantisation. E_SHAPE, E_TYPE. */
WHET_MUST whet_status whet__feed_of(const whet_set *s, const whet_info *input, whet_feed *out, whet_err *err);

/* Take over from `from` (NULL: nothing) what samples become: range, mean and std. */
void whet__feed_numbers(whet_feed *f, const whet_feed *from);
/* n numbers as the feed's type and quantisation have them. */
void whet__feed_store(const whet_feed *f, const float *from, int64_t n, void *to);

/* The same as a text that models carry under a key of their metadata: "0..1", "-1..1 mean 0.5 std 0.2,0.3,0.2". Write is false where
 * items are no pictures, and read where the text is none such: f is then as it was. */
enum { WHET_FED_TEXT = 200 };
extern const char whet__fed_key[];
bool whet__fed_write(const whet_set *s, const whet_feed *f, char text[WHET_FED_TEXT]);
bool whet__fed_read(const char *text, size_t n, whet_feed *f);

typedef struct whet_reader whet_reader;
/* A reader belongs to one thread at a time; the set outlives it. */
WHET_MUST whet_status whet__reader_create(const whet_set *s, const whet_feed *f, whet_reader **out, whet_err *err);
void whet__reader_close(whet_reader **r);
/* Bytes of the tensor of one item. */
size_t whet__reader_bytes(const whet_reader *r);
/* Item i into `tensor`; targets (may be NULL) receives whet__set_targets() numbers. */
WHET_MUST whet_status whet__reader_get(whet_reader *r, int64_t i, void *tensor, float *targets, whet_err *err);

#endif
