/* SPDX-License-Identifier: Apache-2.0 */
/* whet pipeline: a pipeline from its file. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "media.h"
#include "out.h"
#include "opts.h"

#ifdef WHET_HAVE_PIPELINE
#include "whet/pipeline.h"
#endif

struct options {
  bool check, quiet, json;
  const char *stats, *sysfs, *procfs;
  double stats_every;
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_options[] = {
    {"check", 0, CLI_FLAG, AT(check), NULL, "read the file, open the models, say what is wrong, and end", 0, 0},
    {"stats", 0, CLI_TEXT, AT(stats), "FILE", "write counters as JSON to FILE when it ends; - for standard error", 0,
     0},
    {"stats-every", 0, CLI_REAL, AT(stats_every), "SECONDS", "write them again and again", 0.01, 86400},
    {"sysfs", 0, CLI_TEXT, AT(sysfs), "DIR", "where the kernel tells of devices (default: /sys)", 0, 0},
    {"procfs", 0, CLI_TEXT, AT(procfs), "DIR", "and of processes (default: /proc)", 0, 0},
    {"quiet", 'q', CLI_FLAG, AT(quiet), NULL, "say nothing but errors", 0, 0},
    {0}};

static const cli_use k_use = {
    .synopsis = "FILE [OPTION]...",
    .about =
        "Runs a pipeline: sources give frames (files, a folder, standard input and others), stages prepare them, run "
        "models, read the "
        "answers and filter them, sinks take what is left. FILE, in YAML, says which; docs/pipelines.md has every "
        "key. "
        "Ends when its sources "
        "do, or at SIGTERM or SIGINT, when what waits is done. --json prints the counters when it ends, or what the "
        "file holds with --check.",
    .examples = "  whet pipeline faces.yaml --check\n  whet pipeline faces.yaml --stats -\n",
    .least = 1,
    .most = 1,
    .missing = "name the pipeline's file"};

#ifdef WHET_HAVE_PIPELINE

static whet_pipeline *volatile g_running;

/* The signal asks; the pipeline ends in its own time. */
static void asked(int sig) {
  (void)sig;
  whet_pipeline *p = g_running;
  if (p) whet_pipeline_stop(p);
}

/* A line of the pipeline on standard error. */
static void line(void *user, int level, const char *text) {
  const struct options *o = user;
  if (level == 0 || !o->quiet) fprintf(stderr, "whet: %s%s\n", level == 1 ? "warning: " : "", cli_clean(text));
}

/* Counters to where they go ("" is standard output); a file is made anew each time. */
static int write_stats(whet_pipeline *p, const char *path) {
  size_t n = whet_pipeline_stats(p, NULL, 0) + 4096;
  char *s = malloc(n);
  if (!s) return cli_fail("no memory for counters");
  whet_pipeline_stats(p, s, n);
  FILE *f = !*path ? stdout : strcmp(path, "-") ? fopen(path, "w") : stderr;
  bool ok = f && fprintf(f, "%s\n", s) > 0;
  if (f && f != stderr && f != stdout) ok = !fclose(f) && ok;
  free(s);
  return ok ? CLI_DONE : cli_fail("%s: %s", path, strerror(errno));
}

/* Run it to its end. */
static int run(whet_pipeline *p, const struct options *o) {
  struct sigaction a = {.sa_handler = asked};
  whet_err err = {0};
  signal(SIGPIPE, SIG_IGN);
  g_running = p;
  sigaction(SIGTERM, &a, NULL);
  sigaction(SIGINT, &a, NULL);
  if (whet_pipeline_start(p, &err)) return cli_fail_err(NULL, &err);
  whet_status s;
  int status = CLI_DONE;
  while ((s = whet_pipeline_wait(p, o->stats_every > 0 ? o->stats_every : 3600, &err)) == WHET_E_DEADLINE &&
         !status) {
    if (o->stats_every > 0) status = write_stats(p, o->stats ? o->stats : "-");
    err = (whet_err){0};
  }
  if (o->stats) status = write_stats(p, o->stats);
  if (o->json) status = write_stats(p, "");
  return s ? CLI_FAILED : status;
}

static int pipeline(const char *file, struct options *o) {
  whet_pipeline_opts po = whet_pipeline_opts_default();
  whet_pipeline *p;
  whet_err err = {0};
  for (int fd = 0; fd < 3; fd++) /* one that is closed would become some other file of ours */
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) < 0)
      return cli_fail("/dev/null: %s", strerror(errno));
  po.log = line;
  po.user = o;
  po.sysfs = o->sysfs;
  po.procfs = o->procfs;
  cli_media_load(); /* a kind of picture that it has no codec for is refused by name */
  if (whet_pipeline_open(file, &po, &p, &err)) return cli_fail_err(NULL, &err);
  int status = CLI_DONE;
  if (o->check && o->json)
    status = write_stats(p, "");
  else if (o->check)
    printf("%s: good\n", cli_clean(file));
  else
    status = run(p, o);
  g_running = NULL;
  whet_pipeline_close(&p);
  return status;
}

#else

static int pipeline(const char *file, struct options *o) {
  (void)file, (void)o;
  return cli_fail("this build has no pipelines: libyaml was not there (Debian: libyaml-dev)");
}

#endif

int cli_pipeline(int argc, char **argv) {
  struct options o = {0};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"running", k_options, &o};
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &o.json, argc, argv, &arg, &n_arg, &status)) return status;
  return pipeline(arg[0], &o);
}
