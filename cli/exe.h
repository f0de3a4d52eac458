/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_EXE_H
#define WHET_CLI_EXE_H

/* How large each source file's code and tables are, from the ELF symbol table of the running program: local symbols
 * follow the name of the file that they come from. A program without a symbol table (stripped) is refused. */

#include "base/base.h"

typedef struct cli_exe_file {
  const char *name;    /* "conv_f32_avx2.c" */
  size_t text, tables; /* bytes of local functions, and of local constants and variables */
} cli_exe_file;

typedef struct cli_exe {
  cli_exe_file *file;
  size_t n;
} cli_exe;

WHET_MUST whet_status cli_exe_read(cli_exe *out, whet_err *err);
/* Bytes of all files of a kernel family: <family>.c, <family>_<suffix>.c where no longer family name fits better.
 * files (may be NULL) receives their number. */
size_t cli_exe_family(const cli_exe *e, const char *family, size_t *files);

#endif
