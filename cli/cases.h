/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_CASES_H
#define WHET_CLI_CASES_H

/* Stored cases: folders with inputs and the outputs that a model should give for them.
 *
 *   case<k>/input_<i>.npy, output_<i>.npy; meta.json in it or beside it has the tolerance; output_<i>.<engine>.npy
 * are outputs that are right too, all of one engine together test_data_set_<k>/input_<i>.pb, output_<i>.pb: ONNX's
 * own, compared as its test runner does sequence<k>/ with sequence.json: many runs in one file, state kept between
 * them a folder with case.json: input_<i>.npy, output_<i>.npy and run<k>_... of later runs, signatures, tolerance
 */

#include <jansson.h>

#include "compare.h"

/* One file of a run. */
typedef struct cli_case_file {
  const char *path;
  const char *name; /* the signature's name for it; NULL: by its number */
} cli_case_file;

/* One run: its signature (NULL: the main graph) and files in order of the model's inputs and outputs; a path of NULL
 * is an output that is not compared. */
typedef struct cli_case_run {
  const char *signature;
  cli_case_file *in, *out;
  size_t n_in, n_out;
} cli_case_run;

typedef struct cli_case {
  const char *name; /* for messages: "case0" */
  const char *folder;
  cli_tolerance tolerance;
  cli_case_run *run; /* in order, without a reset between them */
  size_t n_run;
  const char **engine; /* names of other engines whose outputs are right too */
  size_t n_engine;
  json_t *sequence; /* sequence.json, or NULL */
} cli_case;

typedef struct cli_cases {
  cli_case *v;
  size_t n, cap;
} cli_cases;

/* Add the cases of a folder: itself, or the folders in it (sorted by name, numbers as numbers). E_IO, E_FORMAT name
 * the file; a folder without cases adds none. */
WHET_MUST whet_status cli_cases_find(const char *folder, cli_cases *out, whet_err *err);
void cli_cases_free(cli_cases *l);
/* The path of output i's alternative by an engine, or NULL when there is none. */
const char *cli_case_other(const cli_case *c, size_t output, const char *engine);

/* The names of what lies in a folder, sorted, numbers as numbers; *n of them. */
WHET_MUST whet_status cli_folder_list(const char *folder, const char ***out, size_t *n, whet_err *err);

#endif
