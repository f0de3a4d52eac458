/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_CONFIG_H
#define WHET_EDGE_SERVE_CONFIG_H

/* A model's settings: config.yaml in its folder, or in a version's, which then stands alone. */

#include "conf/conf.h"
#include "edge/pipe/detect.h"
#include "edge/pipe/labels.h"
#include "edge/pipe/picture.h"

typedef struct model_config {
  int64_t instances;  /* runs at once; 0: as many as the process has processors */
  int64_t threads;    /* of one run; default 1 */
  int64_t queue;      /* requests that may wait; default 64 */
  int64_t priorities; /* classes, 1 the first; default 3 */
  int64_t versions;   /* how many of the newest are served; 0: all */
  double deadline;    /* seconds for a request that names none */
  size_t memory;      /* bytes of model, program and sessions; 0: no limit */
  int64_t batch_max;  /* rows of a run that several requests share; 0: they share none */
  double batch_delay; /* seconds that a request waits for others */
  const char *labels; /* file in the model's folder, or NULL */
  bool picture;       /* pictures are taken; how: */
  pipe_picture_opts pic;
  int64_t top;  /* classes that a picture's answer lists; 0: none */
  bool softmax; /* scores are turned into probabilities first */
  bool detects; /* the outputs are boxes: */
  pipe_detect_opts detect;
} model_config;

typedef struct model_settings {
  model_config c;
  whet_mem mem;   /* the file's account */
  conf_file file; /* texts of c lie here */
  bool open;
} model_settings;

/* deadline: the server's default. path NULL: no file, all defaults. */
EDGE_MUST whet_status config_open(const char *path, double deadline, model_settings *out, whet_err *err);
void config_close(model_settings *s);

#endif
