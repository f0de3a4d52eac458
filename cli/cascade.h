/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_CASCADE_H
#define WHET_CLI_CASCADE_H

/* What the verbs of whet cascade share: settings, the two models, and a data set that feeds both. */

#include "data/set.h"
#include "edge/cascade/cascade.h"
#include "opts.h"

typedef struct cascade_settings {
  const char *local;
  const char *range, *mean, *std; /* of the local model's input */
  /* The remote: a server's URL and a model's name, or a file that runs here. */
  const char *url, *model, *version, *file, *token_file, *ca, *cert, *cert_key;
  const char *remote_range, *remote_mean, *remote_std;
  /* What it gets instead of the item: an output of the local model, times scale plus offset. -1: the item. */
  int64_t features, output; /* output: that with the scores */
  double scale, offset;     /* scale 0: as the remote's input is quantised, where that is known */
  const char *type; /* "FP32": of the remote's input, and its shape: for a start without a link */
  double shape[REMOTE_RANK];
  size_t rank;
  double timeout, hedge;
  bool json, compress;
  int measure, mode;
  double temperature, threshold;
  const double *per_class;
  size_t n_class;
  double deadline, ttl, failures_pause;
  const char *outbox;
  size_t outbox_bytes;
  cascade_budget budget;
  int64_t failures, workers, queue;
} cascade_settings;

/* Read a file of settings over what is in *s. One line is printed on failure; exit status. */
WHET_MUST int cli_cascade_read(const char *path, cascade_settings *s);

/* Both models over a data set. */
typedef struct cli_models {
  const cascade_settings *s;
  whet_set *set;
  whet_session *local;
  whet_program *remote_program; /* of a file; NULL: there is a server */
  whet_session *remote_session;
  remote *remote;
  whet_reader *in, *out; /* items as the local and the remote model want them */
  whet_info remote_in;
  int64_t dims[REMOTE_RANK]; /* of one case for the remote */
  int32_t rank;
  uint8_t *data; /* one case; features: NULL until the first */
  size_t bytes;
  float *scores; /* of the local model */
  size_t n;
} cli_models;

WHET_MUST whet_status cli_cascade_open(cli_models *c, const cascade_settings *s, const char *data, const char *split,
                                       const char *labels, whet_err *err);
void cli_cascade_close(cli_models *c);
/* Run the local model on item i; seconds that it took. */
WHET_MUST whet_status cli_cascade_local(cli_models *c, int64_t i, double *seconds, whet_err *err);
/* What the remote gets of the item for which cli_cascade_local ran last, into c->data. */
WHET_MUST whet_status cli_cascade_case(cli_models *c, int64_t i, whet_err *err);
/* Ask the remote about c->data now. */
WHET_MUST whet_status cli_cascade_ask(cli_models *c, remote_answer *a, whet_err *err);
/* A link to it for a cascade of so many workers. */
WHET_MUST whet_status cli_cascade_link(cli_models *c, int workers, cascade_link *out, whet_err *err);
/* Options of the cascade by the settings. */
cascade_opts cli_cascade_opts(const cascade_settings *s);
/* The value below which share p of v lies (v is sorted here); NaN for none. */
double cli_quantile(double *v, size_t n, double p);

typedef struct cascade_args {
  const char *local, *remote, *model, *data, *split, *labels, *output, *chart, *trace, *max_loss, *max_offload, *remote_range,
      *range, *events;
  int measure; /* the last of the choices: auto */
  bool per_class, json;
  double speed, wait, seconds;
  int64_t items, features;
} cascade_args;
int cli_cascade_tune(cascade_settings *s, const cascade_args *a);
int cli_cascade_simulate(cascade_settings *s, const cascade_args *a);

#endif
