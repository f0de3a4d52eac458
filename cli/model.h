/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_MODEL_H
#define WHET_CLI_MODEL_H

/* The options that all commands share that run a model, and opening a model as they say. */

#include "opts.h"
#include "whet/whet.h"

typedef struct cli_model_opts {
  int64_t threads;     /* 0: as many as the process may use */
  const char *cpu;     /* NULL: WHET_CPU, else all */
  cli_list shape;      /* "INPUT:DIMS" */
  int prefer;          /* whet_prefer */
  size_t memory_limit; /* 0: none */
  int64_t deadline_ms; /* 0: none */
  bool exact, no_group;
  bool tune;
  int precision;         /* 0: f32, 1: bf16 */
  const char *signature; /* NULL: the main graph */
  int rules;             /* 0: litert, 1: micro */
  const cli_list *given; /* "[NAME=]FILE", set by commands: initialisers named there become inputs, where the model lets
                          * them (whet_model_overridables); NULL: none */
} cli_model_opts;
extern const cli_opt cli_model_options[];

typedef struct cli_model {
  const char *path;
  whet_model *model;
  whet_program *program;
  whet_session *session;
  whet_run_opts run;
  bool *shaped; /* by input: --shape set its shape; NULL: none has one */
} cli_model;

/* Open the file, make a program and a session, set the shapes. On failure one line is printed and the exit status
 * answered, and nothing stays open; 0 when all is well. */
WHET_MUST int cli_model_open(cli_model *m, const char *path, const cli_model_opts *o);
/* The same for a model that is open already; it is not taken over, and m keeps a reference. */
WHET_MUST int cli_model_prepare(cli_model *m, whet_model *model, const char *path, const cli_model_opts *o);
/* The two halves of it: program and session (no line is printed), and the shapes that the options name. */
WHET_MUST whet_status cli_model_make(cli_model *m, whet_model *model, const char *path, const cli_model_opts *o,
                                     whet_err *err);
WHET_MUST int cli_model_shapes(cli_model *m, const cli_model_opts *o);
void cli_model_close(cli_model *m);

/* What the options say to whet_model_open, and to whet_program_create. */
whet_model_opts cli_model_open_opts(const cli_model_opts *o);
whet_program_opts cli_program_opts(const cli_model_opts *o);

/* What input i takes: as the session has it, but with sizes that the model leaves open shown as such (-1), unless
 * --shape set them. */
void cli_input_info(const cli_model *m, size_t i, whet_info *out);
/* The first input whose sizes are open and that --shape does not set, -1: none. Such sizes count as 1. */
int32_t cli_open_input(const cli_model *m);
/* The same as cli_fail_err for a run or a plan that failed; says so when it is about shapes and sizes are open. */
WHET_COLD int cli_fail_run(const cli_model *m, const whet_err *err);
/* The model's inputs as text, for messages: "x float32 [1, 3, ?, ?], y int64 []". */
const char *cli_model_inputs(const cli_model *m);
/* One of them, as "float32 [1, 3, ?, ?]". */
const char *cli_info_text(const whet_info *info);

#endif
