/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_OPTS_H
#define WHET_CLI_OPTS_H

/* Options: each command has tables that say name, argument, help text and where the value goes; parsing, `--help` and
 * messages come from them. `--name VALUE` and `--name=VALUE` are the same; `--` ends the options. */

#include "cmd.h"

typedef enum cli_kind {
  CLI_FLAG,  /* bool */
  CLI_TEXT,  /* const char * */
  CLI_LIST,  /* cli_list: the option may be given again and again */
  CLI_INT,   /* int64_t, least..most */
  CLI_SIZE,  /* size_t: bytes with K, M or G behind (1024s) */
  CLI_REAL,  /* double, least..most */
  CLI_CHOICE /* int: number of the word among those of `arg`, "speed|memory" */
} cli_kind;

typedef struct cli_list {
  const char **v;
  size_t n, cap;
} cli_list;

typedef struct cli_opt {
  const char *name; /* without the dashes; NULL ends a table */
  char letter;      /* short form, or 0 */
  cli_kind kind;
  size_t offset;      /* of the field in the table's struct */
  const char *arg;    /* what help calls the value; CHOICE: the words; NULL for a flag */
  const char *help;   /* one sentence */
  double least, most; /* bounds of INT and REAL; both 0: none but the type's */
} cli_opt;

/* Options that go into one struct, under one heading of the help. */
typedef struct cli_table {
  const char *heading; /* "input", say */
  const cli_opt *opt;
  void *into; /* the struct; filled with defaults by the caller */
} cli_table;

typedef struct cli_use {
  const char *synopsis; /* what follows the verb: "MODEL [OPTION]..." */
  const char *about;    /* what the command does: paragraphs */
  const char *examples; /* lines, or NULL */
  cli_table tables[6];  /* up to the first without options */
  int least, most;      /* how many arguments that are no options; most -1: any number */
  const char *missing;  /* what is missing when there are too few: "name a model" */
} cli_use;

/* Parse. Arguments that are no options are moved to arg[0..*n_arg-1], which lie in argv. True when the command should
 * go on; else *status is its exit status (help was printed, or one line said what is wrong). Every table gets
 * `--help`, and `--json` when `json` is not NULL. */
bool cli_parse(const cli_use *use, bool *json, int argc, char **argv, char ***arg, int *n_arg, int *status);

/* Bytes from "64M"; false when it is no size. */
bool cli_parse_size(const char *s, size_t *out);
/* A whole number or a real one, the whole text; false when it is none. */
bool cli_parse_int(const char *s, int64_t *out);
bool cli_parse_real(const char *s, double *out);
/* The first word of a file, for --token-file; kept to the end of the process. NULL: not to be had, in err. */
const char *cli_read_token(const char *path, whet_err *err);

#endif
