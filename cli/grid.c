/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of text: columns as wide as their widest cell, two spaces between. */

#include <stdarg.h>
#include <unistd.h>

#include "cmd.h"
#include "out.h"

/* Columns that a text takes on a terminal: its UTF-8 characters. */
static size_t width(const char *s) {
  size_t n = 0;
  for (; *s; s++) n += ((unsigned char)*s & 0xc0) != 0x80;
  return n;
}

void cli_grid_init(cli_grid *g, const char *align) { *g = (cli_grid){.align = align, .cols = strlen(align)}; }

/* Append a cell whose text is kept. */
static void add(cli_grid *g, char *text) {
  if (g->n == g->cap) {
    size_t cap = g->cap ? g->cap * 2 : 64;
    char **bigger = cli_keep(cap * sizeof *bigger);
    if (g->n) memcpy(bigger, g->cell, g->n * sizeof *bigger);
    g->cell = bigger;
    g->cap = cap;
  }
  g->cell[g->n++] = text;
}

void cli_grid_cell(cli_grid *g, const char *fmt, ...) {
  char text[1024];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  const char *clean = cli_clean(text);
  add(g, clean == text ? cli_keep_str(text, strlen(text)) : (char *)clean);
}

void cli_grid_head(cli_grid *g, ...) {
  va_list ap;
  va_start(ap, g);
  if (!g->n) g->heads = 1;
  for (const char *s; (s = va_arg(ap, const char *));) add(g, cli_keep_str(s, strlen(s)));
  va_end(ap);
}

/* Characters of s that take at most `most` columns. */
static int cut(const char *s, size_t most) {
  size_t i = 0, n = 0;
  while (s[i]) {
    size_t next = i + 1;
    while (((unsigned char)s[next] & 0xc0) == 0x80) next++;
    if (++n > most) break;
    i = next;
  }
  return (int)i;
}

void cli_grid_print(cli_grid *g, FILE *to) {
  size_t *wide = cli_keep(g->cols * sizeof *wide);
  for (size_t i = 0; i < g->n; i++) {
    size_t w = width(g->cell[i]);
    if (w > wide[i % g->cols]) wide[i % g->cols] = w;
  }
  bool fit = to == stdout && isatty(fileno(to));
  for (size_t r = 0; r * g->cols < g->n; r++) {
    size_t at = 0;
    bool head = r < g->heads && to == stdout;
    size_t cols = g->cols; /* empty cells at the end take no room */
    while (cols && r * g->cols + cols - 1 < g->n && !*g->cell[r * g->cols + cols - 1]) cols--;
    if (head) fputs(cli_bold(), to);
    for (size_t c = 0; c < cols && r * g->cols + c < g->n; c++) {
      const char *s = g->cell[r * g->cols + c];
      size_t w = width(s), pad = wide[c] > w ? wide[c] - w : 0;
      bool last = c + 1 == cols;
      if (c) fputs("  ", to), at += 2;
      if (g->align[c] == 'r')
        fprintf(to, "%*s%s", (int)pad, "", s);
      else if (g->align[c] == 'w' && fit && at + w > (size_t)cli_columns())
        fprintf(to, "%.*s", cut(s, (size_t)cli_columns() > at ? (size_t)cli_columns() - at : 0), s);
      else
        fprintf(to, "%s%*s", s, last ? 0 : (int)pad, "");
      at += wide[c];
    }
    if (head) fputs(cli_plain(), to);
    fputc('\n', to);
  }
}
