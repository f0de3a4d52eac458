/* SPDX-License-Identifier: Apache-2.0 */
/* The command whet: finds the verb in cmds.def and runs it. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cmd.h"
#include "out.h"

/* One line of cmds.def. */
static const struct command {
  const char *verb, *text;
  int (*run)(int argc, char **argv);
} k_commands[] = {
#define CMD(verb, text) {#verb, text, cli_##verb},
#include "cmds.def"
#undef CMD
};

const char *cli_verb;
static whet_mem g_mem;
static whet_arena g_kept;
static _Thread_local whet_arena *g_room; /* where this thread keeps things for now; NULL: until the end */

whet_mem *cli_mem(void) { return &g_mem; }

/* End the process because memory was refused. */
static void no_memory(void) {
  cli_error("out of memory");
  exit(CLI_FAILED);
}

void *cli_keep(size_t n) {
  void *p = whet__arena_alloc(g_room ? g_room : &g_kept, n);
  if (!p) no_memory();
  return p;
}

void cli_keep_in(whet_arena *a) { g_room = a; }

char *cli_keep_str(const char *s, size_t n) {
  char *p = cli_keep(n + 1);
  memcpy(p, s, n);
  p[n] = 0;
  return p;
}

char *cli_keep_printf(const char *fmt, ...) {
  va_list ap, again;
  va_start(ap, fmt);
  va_copy(again, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  char *p = cli_keep((size_t)(n < 0 ? 0 : n) + 1);
  vsnprintf(p, (size_t)(n < 0 ? 0 : n) + 1, fmt, again);
  va_end(again);
  return p;
}

int cli_distance(const char *a, const char *b, int most) {
  enum { LONGEST = 40 };
  int row[3][LONGEST + 1]; /* edit distances of prefixes: the row before last, the last, this one */
  size_t n = strlen(a), m = strlen(b);
  if (n > LONGEST || m > LONGEST) return most + 1;
  for (size_t j = 0; j <= m; j++) row[1][j] = (int)j;
  for (size_t i = 1; i <= n; i++) {
    int *old = row[(i + 2) % 3], *last = row[i % 3], *now = row[(i + 1) % 3];
    now[0] = (int)i;
    for (size_t j = 1; j <= m; j++) {
      int best = last[j - 1] + (a[i - 1] != b[j - 1]);
      if (last[j] + 1 < best) best = last[j] + 1;
      if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && old[j - 2] + 1 < best)
        best = old[j - 2] + 1;
      now[j] = best;
    }
  }
  int d = row[(n + 1) % 3][m];
  return d > most ? most + 1 : d;
}

/* The general help. */
static void help(FILE *to) {
  fprintf(to,
          "whet %s: runs trained neural networks (.onnx, .tflite)\n\n"
          "usage: whet COMMAND [OPTION]... [ARGUMENT]...\n\ncommands:\n",
          whet_version());
  for (size_t i = 0; i < WHET_COUNT(k_commands); i++)
    fprintf(to, "  %-10s %s\n", k_commands[i].verb, k_commands[i].text);
  fprintf(to,
          "\n`whet COMMAND --help` says what a command takes. Answers go to standard output, messages to standard\n"
          "error; the exit status is 0 when all is done, 1 when something failed, 2 when the command line is wrong.\n"
          "\n      --help       show this\n      --version    show the version\n");
}

/* The command named `verb`, or NULL. */
static const struct command *find(const char *verb) {
  for (size_t i = 0; i < WHET_COUNT(k_commands); i++)
    if (!strcmp(k_commands[i].verb, verb)) return &k_commands[i];
  return NULL;
}

/* Say that there is no such command, with the nearest one if one is near. */
static int unknown(const char *verb) {
  const char *near = NULL;
  int best = (int)strlen(verb) < 4 ? 1 : 2;
  for (size_t i = 0; i < WHET_COUNT(k_commands); i++) {
    int d = cli_distance(verb, k_commands[i].verb, best);
    if (d <= best && (!near || d < best)) near = k_commands[i].verb, best = d;
  }
  if (near) return cli_wrong("there is no command \"%.80s\"; did you mean \"%s\"?", verb, near);
  return cli_wrong("there is no command \"%.80s\"; `whet --help` lists them", verb);
}

/* Run what the arguments say; the exit status. */
static int dispatch(int argc, char **argv) {
  if (argc < 2) {
    help(stderr);
    return CLI_WRONG_USE;
  }
  const char *verb = argv[1];
  if (!strcmp(verb, "--version") || !strcmp(verb, "-V")) {
    printf("whet %s\n", whet_version());
    return CLI_DONE;
  }
  if (!strcmp(verb, "--help") || !strcmp(verb, "-h") || (!strcmp(verb, "help") && argc == 2)) {
    help(stdout);
    return CLI_DONE;
  }
  if (verb[0] == '-') return cli_wrong("a command comes first, not \"%.80s\"; `whet --help` lists them", verb);
  char *asked[] = {argv[0], "--help", NULL};
  bool about = !strcmp(verb, "help");
  if (about) verb = argv[2];
  const struct command *c = find(verb);
  if (!c) return unknown(verb);
  cli_verb = c->verb;
  return about ? c->run(2, asked) : c->run(argc - 1, argv + 1);
}

int main(int argc, char **argv) {
  whet__mem_init(&g_mem, NULL, NULL, 0);
  whet__arena_init(&g_kept, &g_mem);
  int status = dispatch(argc, argv);
  if ((fflush(stdout) || ferror(stdout)) && !status) {
    cli_error("standard output cannot be written");
    status = CLI_FAILED;
  }
  whet__arena_free(&g_kept);
  return status;
}
