/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_OUT_H
#define WHET_CLI_OUT_H

/* What commands say: errors, tables, numbers for people, progress, JSON. */

#include <jansson.h>
#include <stdio.h>

#include "base/base.h"

/* One line on standard error: "whet VERB: text". */
void cli_error(const char *fmt, ...) WHET_PRINTF(1, 2);
/* The same; the answer is the exit status of a failure, or of wrong use. */
WHET_COLD int cli_fail(const char *fmt, ...) WHET_PRINTF(1, 2);
WHET_COLD int cli_wrong(const char *fmt, ...) WHET_PRINTF(1, 2);
/* The same for an error of the library, with `where` (a file, say; may be NULL) put before its text unless it starts
 * with it; the exit status that belongs to its code. */
WHET_COLD int cli_fail_err(const char *where, const whet_err *err);

/* Standard output is a terminal that shows colours / a text encoding that has block characters; columns of text. */
bool cli_color(void);
bool cli_utf8(void);
int cli_columns(void);
/* Escape sequences, "" when there are no colours. */
const char *cli_bold(void);
const char *cli_dim(void);
const char *cli_plain(void);

/* "1.27 MB" (powers of 1000), "12,345": texts from a small ring, valid for the next 15 calls. */
const char *cli_bytes(uint64_t n);
const char *cli_count(int64_t n);
/* "1.23 ms" from microseconds. */
const char *cli_time(double us);
/* "[1, 3, 224, 224]"; -1 shows as "?" or its symbol where sym has one (sym may be NULL). */
const char *cli_dims(int32_t rank, const int64_t *dims, const char *const *sym);
/* A bar of `width` characters, `part` (0..1) of it filled. */
const char *cli_bar(double part, int width);
/* Text with bytes that are no printable UTF-8 replaced by '?', so that names from files cannot drive the terminal. */
const char *cli_clean(const char *s);

/* A table: cells are added left to right, a row ends with cli_grid_row. align: one letter a column, 'l', 'r', or 'w'
 * for a last column that may be cut to the terminal's width. */
typedef struct cli_grid {
  const char *align; /* alignment of each column */
  char **cell;       /* all cells, row by row */
  size_t n, cap;     /* cells in use, capacity */
  size_t cols;       /* columns */
  size_t heads;      /* rows at the top that are headings */
} cli_grid;
void cli_grid_init(cli_grid *g, const char *align);
void cli_grid_cell(cli_grid *g, const char *fmt, ...) WHET_PRINTF(2, 3);
/* A whole row of plain texts, NULL after the last; the first such row before any other is the heading. */
void cli_grid_head(cli_grid *g, ...);
void cli_grid_print(cli_grid *g, FILE *to);

/* Progress of long work, one line on standard error that is rewritten; nothing when that is no terminal.
 * cli_progress_end wipes it. Errors wipe it too. */
void cli_progress(const char *what, int64_t done, int64_t of);
void cli_progress_end(void);

/* Print a JSON value on standard output, reals with so many digits (9 keep every float32), and drop the reference.
 * Exit status. */
int cli_json(json_t *j, int digits);
/* A number as JSON: NaN and infinities, which JSON has not, as the strings "nan", "inf", "-inf". */
json_t *cli_json_real(double v);
json_t *cli_json_dims(int32_t rank, const int64_t *dims);
/* A text from a file: invalid UTF-8 replaced. Never NULL. */
json_t *cli_json_text(const char *s);

#endif
