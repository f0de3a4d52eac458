/* SPDX-License-Identifier: Apache-2.0 */
/* whet verify: outputs compared with stored ones. Folders of a suite run in a process each, so that a crash of one is
 * one failure and the rest goes on. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/target.h"
#include "judge.h"
#include "out.h"

struct options {
  cli_list suite;
  const char *only, *tolerance;
  bool verbose, one_process;
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_options[] = {
    {"suite", 0, CLI_LIST, AT(suite), "FOLDER", "verify every folder in it, each with a model and its cases", 0, 0},
    {"only", 0, CLI_TEXT, AT(only), "TEXT", "only cases whose name contains it", 0, 0},
    {"tolerance", 0, CLI_TEXT, AT(tolerance), "KIND",
     "instead of what the cases say: exact, abs:0.01, rel:1e-4 (of the greatest magnitude), "
     "close:1e-7:1e-3 (absolute and relative to each element)",
     0, 0},
    {"verbose", 'v', CLI_FLAG, AT(verbose), NULL, "a line for cases that pass too", 0, 0},
    {"one-process", 0, CLI_FLAG, AT(one_process), NULL, "run a suite without a process for each of its folders", 0,
     0},
    {0}};

static const cli_use k_use = {
    .synopsis = "MODEL FOLDER... [OPTION]...\n       whet verify --suite FOLDER [OPTION]...",
    .about =
        "Runs stored inputs and compares the outputs with stored ones. A FOLDER is a case or holds cases: "
        "input_<i>.npy and output_<i>.npy "
        "with the tolerance in meta.json or case.json (else rel:1e-4), ONNX's test_data_set_<k> with .pb files "
        "(close:1e-7:1e-3), or steps with "
        "sequence.json; docs/cli/verify.md has all of it. State is reset between cases. The last line says how many "
        "passed and failed; the exit status "
        "is 0 when none failed.",
    .examples =
        "  whet verify mobilenet.tflite goldens/mobilenet.tflite\n  whet verify --suite conformance/cases --cpu avx2 "
        "--threads 2\n"
        "  whet verify model.onnx test_data_set_0 --json\n",
    .most = -1};

/* Totals, and what is printed at the end. */
struct tally {
  int64_t passed, failed;
  json_t *cases; /* NULL: text */
  bool verbose;
};

/* One case is judged. */
static void report(struct tally *t, const char *name, const cli_verdict *v) {
  if (v->passed)
    t->passed++;
  else
    t->failed++;
  if (t->cases) {
    json_t *j = json_object();
    json_object_set_new(j, "name", cli_json_text(name));
    json_object_set_new(j, "passed", json_boolean(v->passed));
    if (v->passed)
      json_object_set_new(j, "worst", cli_json_real(v->worst));
    else
      json_object_set_new(j, "why", cli_json_text(v->text));
    json_array_append_new(t->cases, j);
    return;
  }
  if (v->passed && !t->verbose) return;
  cli_progress_end();
  if (!v->passed)
    printf("%sFAILED%s  %s: %s\n", cli_bold(), cli_plain(), cli_clean(name), cli_clean(v->text));
  else if (v->worst == 0)
    printf("passed  %s: equal\n", cli_clean(name));
  else
    printf("passed  %s: off by %.3g at most, %.3g allowed\n", cli_clean(name), v->worst, v->allowed);
}

/* The last words. */
static int finish(struct tally *t) {
  cli_progress_end();
  int status = t->failed || !t->passed ? CLI_FAILED : CLI_DONE;
  if (!t->cases) {
    printf("%s passed, %s failed\n", cli_count(t->passed), cli_count(t->failed));
    return status;
  }
  json_t *j = json_object();
  json_object_set_new(j, "passed", json_integer(t->passed));
  json_object_set_new(j, "failed", json_integer(t->failed));
  json_object_set_new(j, "cases", t->cases);
  int bad = cli_json(j, 9);
  return bad ? bad : status;
}

/* Called for every case that was judged. */
typedef void (*case_fn)(void *user, const char *name, const cli_verdict *v);

/* Judge all cases of a list on a model. `prefix` stands before their names. */
static whet_status judge_all(const char *model, const cli_cases *cases, const char *prefix, const struct options *o,
                             const cli_model_opts *mo, case_fn fn, void *user, whet_err *err) {
  cli_judge j;
  cli_tolerance t;
  WHET_TRY(cli_judge_open(&j, model, mo, err));
  for (size_t i = 0; i < cases->n; i++) {
    cli_verdict v;
    cli_case c = cases->v[i];
    const char *name = prefix[0] ? cases->n > 1 ? cli_keep_printf("%s/%s", prefix, c.name) : prefix : c.name;
    if (o->only && !strstr(name, o->only)) continue;
    if (o->tolerance && cli_tolerance_parse(o->tolerance, &t) && c.tolerance.kind != CLI_TOL_RANDOM) c.tolerance = t;
    cli_judge_case(&j, &c, &v);
    fn(user, name, &v);
  }
  cli_judge_close(&j);
  return WHET_OK;
}

static void report_case(void *user, const char *name, const cli_verdict *v) { report(user, name, v); }

/* The model in a folder of a suite: model.onnx, model.tflite, or the only file with such a name. */
static const char *find_model(const char *folder) {
  const char **name, *found = NULL;
  size_t n;
  whet_err err = {0};
  if (cli_folder_list(folder, &name, &n, &err)) return NULL;
  for (size_t i = 0; i < n; i++) {
    const char *dot = strrchr(name[i], '.');
    if (!dot || (strcmp(dot, ".onnx") && strcmp(dot, ".tflite"))) continue;
    if (found && strncmp(name[i], "model.", 6)) continue;
    found = name[i];
  }
  return found ? cli_keep_printf("%s/%s", folder, found) : NULL;
}

/* What a child sends for each case, through a pipe. */
struct message {
  cli_verdict v;
  char name[200];
};

static void send_case(void *user, const char *name, const cli_verdict *v) {
  struct message m = {.v = *v};
  snprintf(m.name, sizeof m.name, "%.199s", name);
  for (size_t at = 0; at < sizeof m;) {
    ssize_t n = write(*(int *)user, (const char *)&m + at, sizeof m - at);
    if (n < 0 && errno != EINTR) _exit(3);
    if (n > 0) at += (size_t)n;
  }
}

/* One folder of a suite: its cases, each given to fn. A model that cannot be opened is a failed case. */
static void judge_folder(const char *folder, const char *name, const struct options *o, const cli_model_opts *mo,
                         case_fn fn, void *user) {
  cli_cases cases = {0};
  cli_verdict v = {.passed = false};
  whet_err err = {0};
  const char *model = find_model(folder);
  whet_status s = cli_cases_find(folder, &cases, &err);
  if (!s && !cases.n) s = whet__fail(&err, WHET_E_IO, "no cases in this folder");
  if (!s) s = judge_all(model, &cases, name, o, mo, fn, user, &err);
  cli_cases_free(&cases);
  if (!s) return;
  snprintf(v.text, sizeof v.text, "%.490s", err.text);
  fn(user, name, &v);
}

/* The same in a child. False when no process can be made. */
static bool judge_apart(const char *folder, const char *name, const struct options *o, const cli_model_opts *mo,
                        struct tally *t) {
  int ends[2], status = 0;
  if (pipe(ends)) return false;
  fflush(stdout);
  pid_t child = fork();
  if (child < 0) {
    close(ends[0]);
    close(ends[1]);
    return false;
  }
  if (!child) {
    close(ends[0]);
    judge_folder(folder, name, o, mo, send_case, &ends[1]);
    _exit(0);
  }
  close(ends[1]);
  for (;;) {
    struct message m;
    size_t at = 0;
    while (at < sizeof m) {
      ssize_t n = read(ends[0], (char *)&m + at, sizeof m - at);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      at += (size_t)n;
    }
    if (at < sizeof m) break;
    report(t, m.name, &m.v);
  }
  close(ends[0]);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!status) return true;
  cli_verdict v = {.passed = false};
  if (WIFSIGNALED(status))
    snprintf(v.text, sizeof v.text, "the process ended by signal %d (%s)", WTERMSIG(status),
             strsignal(WTERMSIG(status)));
  else
    snprintf(v.text, sizeof v.text, "the process ended with status %d", WEXITSTATUS(status));
  report(t, name, &v);
  return true;
}

/* Every folder of a suite that holds a model. */
static int verify_suite(const char *suite, const struct options *o, const cli_model_opts *mo, struct tally *t) {
  const char **name;
  size_t n, found = 0;
  whet_err err = {0};
  if (cli_folder_list(suite, &name, &n, &err)) return cli_fail_err(NULL, &err);
  for (size_t i = 0; i < n; i++) {
    const char *folder = cli_keep_printf("%s/%s", suite, name[i]);
    if (!find_model(folder)) continue;
    found++;
    if (o->only && !strstr(name[i], o->only)) continue;
    cli_progress(suite, (int64_t)i, (int64_t)n);
    if (o->one_process || !judge_apart(folder, name[i], o, mo, t))
      judge_folder(folder, name[i], o, mo, report_case, t);
  }
  return found ? CLI_DONE : cli_fail("%s: no folder in it holds a model", suite);
}

/* Cases of the folders that the command line names, on one model. */
static int verify_model(const char *model, char **folder, int n, const struct options *o, const cli_model_opts *mo,
                        struct tally *t) {
  cli_cases cases = {0};
  whet_err err = {0};
  int status = CLI_DONE;
  for (int i = 0; !status && i < n; i++) {
    size_t before = cases.n;
    if (cli_cases_find(folder[i], &cases, &err))
      status = cli_fail_err(NULL, &err);
    else if (cases.n == before)
      status = cli_fail("%s: no cases there: no input_<i> and output_<i> files, nor folders with them", folder[i]);
  }
  if (!status && judge_all(model, &cases, "", o, mo, report_case, t, &err)) status = cli_fail_err(model, &err);
  cli_cases_free(&cases);
  return status;
}

int cli_verify(int argc, char **argv) {
  struct options o = {0};
  cli_model_opts mo = {0};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"cases", k_options, &o};
  use.tables[1] = (cli_table){"running", cli_model_options, &mo};
  bool json;
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &json, argc, argv, &arg, &n_arg, &status)) return status;
  cli_tolerance tolerance;
  whet_target target;
  whet_err err = {0};
  if (o.suite.n ? n_arg > 0 : n_arg < 2)
    return cli_wrong("name a model and folders with cases, or --suite FOLDER; `whet verify --help` says more");
  if (o.tolerance && !cli_tolerance_parse(o.tolerance, &tolerance))
    return cli_wrong("--tolerance %.60s: expected exact, abs:X, rel:X or close:X:Y", o.tolerance);
  if (mo.shape.n) return cli_wrong("--shape: the cases say their shapes");
  if (whet__target_at(mo.cpu, &target, &err)) return cli_wrong("%s%s", mo.cpu ? "--cpu: " : "", err.text);
  struct tally t = {.cases = json ? json_array() : NULL, .verbose = o.verbose};
  if (o.suite.n)
    for (size_t i = 0; !status && i < o.suite.n; i++) status = verify_suite(o.suite.v[i], &o, &mo, &t);
  else
    status = verify_model(arg[0], arg + 1, n_arg - 1, &o, &mo, &t);
  if (status) return status;
  if (!t.passed && !t.failed) return cli_fail("no case has \"%s\" in its name", o.only ? o.only : "");
  return finish(&t);
}
