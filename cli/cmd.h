/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_CMD_H
#define WHET_CLI_CMD_H

/* What a command is, and what main and the commands share.
 *
 * To add a command: one line in cmds.def, and cmd_<verb>.c with `int cli_<verb>(int argc, char **argv)`, which parses
 * its options with cli_parse (opts.h) and answers an exit status. Answers go to stdout, everything else to stderr. */

#include "base/mem.h"

/* Exit statuses. */
enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_WRONG_USE = 2 };

#define CMD(verb, text) int cli_##verb(int argc, char **argv);
#include "cmds.def"
#undef CMD

/* Memory that lives until the process ends: option lists, copies of names. Never NULL: when memory is refused the
 * command ends with one line and status 1. */
void *cli_keep(size_t n);
char *cli_keep_str(const char *s, size_t n);
char *cli_keep_printf(const char *fmt, ...) WHET_PRINTF(1, 2);

/* From now on what this thread keeps lies in `a`, whose owner frees it; NULL: until the process ends, as at first. For
 * commands that do not end. */
void cli_keep_in(whet_arena *a);

/* The account that allocations of this process go to; no limit. */
whet_mem *cli_mem(void);

/* The verb that runs, for messages: "run"; NULL before one was found. */
extern const char *cli_verb;

/* Number of single-character edits (insert, delete, replace, swap of neighbours) between two words; `most` + 1 when
 * there are more. Used for "did you mean". */
int cli_distance(const char *a, const char *b, int most);

#endif
