/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_SAMPLES_H
#define WHET_CLI_SAMPLES_H

/* Items of a data set as inputs of a model: for calibration and for comparing models. */

#include "data/set.h"
#include "mel.h"
#include "opts.h"
#include "whet/quantize.h"

typedef struct cli_samples_opts {
  const char *data; /* --data */
  const char *split, *labels;
  const char *range;      /* "LO..HI" */
  const char *mean, *std; /* "A,B,C" or "A" */
  int64_t samples;
  int64_t rate; /* of sounds; 0: that of the first */
  const char *mel;
} cli_samples_opts;
extern const cli_opt cli_samples_options[];

/* How the command opens data sets: pictures by libwhet_media where it is there, sound by the core. Each text may be
 * NULL; rate: of sounds, 0: that of the first. */
whet_set_opts cli_set_opts(bool training, const char *split, const char *labels, const char *target, int64_t rate);
/* What becomes of sounds: a text of --mel (NULL: nothing), into so. One line is printed on failure; exit status. */
WHET_MUST int cli_set_mel(whet_set_opts *so, const char *mel);
/* The options --sound-rate and --mel, which belong beside --std; rate, mel: where their int64_t and const char * lie.
 */
#define CLI_SOUND_OPTIONS(rate, mel)                                           \
  {"sound-rate",                                                               \
   0,                                                                          \
   CLI_INT,                                                                    \
   rate,                                                                       \
   "HZ",                                                                       \
   "samples a second of sounds: others are resampled (default: as the first)", \
   1,                                                                          \
   1e7},                                                                       \
  {                                                                            \
    "mel", 0, CLI_TEXT, mel, "KEY=VALUE,...", CLI_MEL_HELP, 0, 0               \
  }

/* An opened set, and which of its items are taken: one from each of as many equal stretches, at random but the same
 * in every run. */
typedef struct cli_samples {
  const cli_samples_opts *o;
  whet_set *set;
  int64_t *item;
  int64_t n;
} cli_samples;

/* Open o->data and choose `want` items, none of those of `without` (may be NULL). One line is printed on failure;
 * exit status. */
WHET_MUST int cli_samples_open(cli_samples *s, const cli_samples_opts *o, int64_t want, const cli_samples *without);
void cli_samples_close(cli_samples *s);
/* The same choice in a set that is open already: s->set. */
void cli_samples_choose(cli_samples *s, int64_t want, const cli_samples *without);

/* What samples become, by options ("LO..HI", "A,B,C" each; NULL: not given), else as the model's metadata say. */
void cli_feed_numbers(whet_model *m, const char *range, const char *mean, const char *std, whet_feed *f);

/* Where nothing says what samples become, and a model for classes tells many more of the set's items rightly with
 * another usual range, say so in one line on standard error. */
void cli_feed_doubt(const char *path, whet_model *m, whet_set *set, const char *range, const char *mean,
                    const char *std);

/* The items as tensors of one model: user of a whet_samples. */
typedef struct cli_feed {
  const cli_samples *samples;
  whet_reader *reader;
} cli_feed;
/* Ready to fill the only input of m, with a batch of one. */
WHET_MUST whet_status cli_feed_open(cli_feed *f, const cli_samples *s, whet_model *m, whet_err *err);
void cli_feed_close(cli_feed *f);
/* fill of a whet_samples, with a cli_feed as its user. */
whet_status cli_feed_fill(void *user, int64_t i, size_t input, void *to, size_t bytes, whet_err *err);

/* How a model does on the samples: part of them whose greatest output is the class (`class`, or with `like` the
 * greatest output of that model). outputs of `m` are its first. */
typedef struct cli_answers {
  int32_t *best; /* number of the greatest output for each sample */
  int64_t n;
  double right; /* part whose class it is; -1: the set has no classes */
} cli_answers;
WHET_MUST whet_status cli_answer(const cli_samples *s, whet_model *m, const char *what, cli_answers *out,
                                 whet_err *err);

/* "0.5%" or "0.5": a number of 0..100. False: it is none. */
bool cli_parse_percent(const char *text, double *out);

/* A score: per cent of samples that a model gets right or, without classes, answers as the first model does that was
 * asked. */
typedef struct cli_scorer {
  const cli_samples *samples;
  cli_answers first;
  bool have;
} cli_scorer;
/* score of a whet_search, with a cli_scorer as its user. */
whet_status cli_score(void *user, whet_model *m, double *out, whet_err *err);

#endif
