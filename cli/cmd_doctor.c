/* SPDX-License-Identifier: Apache-2.0 */
/* whet doctor: where two models, or two settings of one, part. */

#include <math.h>

#include "compress/doctor.h"
#include "model.h"
#include "out.h"
#include "samples.h"

struct options {
  const char *cpu;
  bool exact, no_group, all;
  double threshold;
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_options[] = {
    {"threshold", 0, CLI_REAL, AT(threshold), "DB", "decibels of signal over difference from which values count as equal (default: 100)", 0, 160},
    {"all", 'a', CLI_FLAG, AT(all), NULL, "list every value, not only those that differ", 0, 0},
    {0}};
static const cli_opt k_second[] = {
    {"second-cpu", 0, CLI_TEXT, AT(cpu), "LEVEL", "the second uses no more than this CPU level", 0, 0},
    {"second-exact", 0, CLI_FLAG, AT(exact), NULL, "the second keeps the documented order of sums", 0, 0},
    {"second-no-group", 0, CLI_FLAG, AT(no_group), NULL, "the second runs every node alone", 0, 0},
    {0}};

static const cli_use k_use = {
    .synopsis = "MODEL [SECOND] --data DIR [OPTION]...",
    .about = "Runs two models, or one under two settings, on the same samples and compares what their nodes make, in order: "
             "a float model and what became of it, say. Names the first value that differs and the one that brings most of the "
             "difference, each with its likely cause. Values are matched by name, operator and shape; layouts may differ.",
    .examples = "  whet doctor model.tflite model_int8.tflite --data cifar10\n"
                "  whet doctor model.onnx --second-cpu c --data photos --samples 5\n",
    .least = 1,
    .most = 2,
    .missing = "name a model"};

static json_t *json_row(const whet_finding *f) {
  json_t *j = json_pack("{s:o, s:s, s:o, s:s}", "name", cli_json_text(f->name), "op", f->op, "other", cli_json_text(f->other), "other_op",
                        f->other_op);
  const struct {
    const char *key;
    double v;
  } numbers[] = {{"snr_db", f->snr}, {"lost_db", f->lost}, {"added", f->added}, {"max_difference", f->most}, {"mean_difference", f->mean},
                 {"lo", f->lo}, {"hi", f->hi}, {"clipped", f->clipped}, {"levels", f->levels}};
  for (size_t i = 0; i < WHET_COUNT(numbers); i++) json_object_set_new(j, numbers[i].key, cli_json_real(numbers[i].v));
  if (f->cause) json_object_set_new(j, "cause", json_string(f->cause));
  return j;
}

static int say_json(const char *a, const char *b, int64_t samples, const whet_diagnosis *d) {
  json_t *rows = json_array();
  for (size_t i = 0; i < d->n; i++) json_array_append_new(rows, json_row(&d->row[i]));
  json_t *first = d->first < 0 ? json_null() : json_row(&d->row[d->first]);
  json_t *worst = d->worst < 0 ? json_null() : json_row(&d->row[d->worst]);
  return cli_json(json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:I, s:I}", "model", a, "second", b, "samples", (json_int_t)samples, "values", rows,
                            "first", first, "worst", worst, "alone_in_first", (json_int_t)d->alone_a, "alone_in_second",
                            (json_int_t)d->alone_b),
                  9);
}

static void say_one(const char *what, const whet_finding *f) {
  printf("%s%s%s %s (%s): %.1f dB, differs by up to %.4g\n    %s\n", cli_bold(), what, cli_plain(), cli_clean(f->name), f->op, f->snr, f->most,
         f->cause ? f->cause : "");
}

static void say(const whet_diagnosis *d, bool all, double threshold) {
  cli_grid g;
  cli_grid_init(&g, "llrrrw");
  cli_grid_head(&g, "value", "operator", "dB", "lost", "largest", "", NULL);
  size_t listed = 0;
  for (size_t i = 0; i < d->n; i++) {
    const whet_finding *f = &d->row[i];
    if (!all && f->snr >= threshold) continue;
    listed++;
    cli_grid_cell(&g, "%.50s", cli_clean(f->name));
    cli_grid_cell(&g, "%s", f->op);
    cli_grid_cell(&g, "%.1f", f->snr);
    cli_grid_cell(&g, "%.1f", f->lost);
    cli_grid_cell(&g, "%.3g", f->most);
    cli_grid_cell(&g, "%s", f->cause ? f->cause : "");
  }
  if (listed) cli_grid_print(&g, stdout);
  printf("%s%zu values compared", listed ? "\n" : "", d->n);
  if (d->alone_a || d->alone_b) printf(", %zu of the first and %zu of the second have no counterpart", d->alone_a, d->alone_b);
  printf("\n");
  if (d->first < 0) {
    printf("none differs\n");
    return;
  }
  say_one("first:", &d->row[d->first]);
  say_one("worst:", &d->row[d->worst]);
}

int cli_doctor(int argc, char **argv) {
  struct options o = {.threshold = 100};
  cli_samples_opts so = {.samples = 16};
  cli_model_opts mo = {0};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"options", k_options, &o};
  use.tables[1] = (cli_table){"second", k_second, &o};
  use.tables[2] = (cli_table){"data", cli_samples_options, &so};
  use.tables[3] = (cli_table){"models", cli_model_options, &mo};
  bool json;
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &json, argc, argv, &arg, &n_arg, &status)) return status;
  if (!so.data) return cli_wrong("name samples: --data DIR");
  const char *path[2] = {arg[0], arg[n_arg - 1]};
  whet_model_opts open = cli_model_open_opts(&mo);
  whet_program_opts po[2] = {cli_program_opts(&mo), cli_program_opts(&mo)};
  if (o.cpu) po[1].cpu = o.cpu;
  po[1].exact |= o.exact;
  po[1].no_group |= o.no_group;
  cli_samples samples;
  cli_feed feed[2] = {{0}};
  whet_model *m[2] = {NULL, NULL};
  whet_patient pair[2];
  whet_diagnosis d;
  whet_arena a;
  whet_err err = {0};
  if ((status = cli_samples_open(&samples, &so, so.samples, NULL))) return status;
  for (int k = 0; k < 2 && !status; k++) {
    if (whet_model_open(path[k], &open, &m[k], &err) || cli_feed_open(&feed[k], &samples, m[k], &err)) status = cli_fail_err(path[k], &err);
    if (!status && !k) cli_feed_doubt(path[k], m[k], samples.set, so.range, so.mean, so.std);
    pair[k] = (whet_patient){.model = m[k], .opts = &po[k], .fill = cli_feed_fill, .user = &feed[k]};
  }
  whet__arena_init(&a, cli_mem());
  if (!status && whet__diagnose(pair, samples.n, o.threshold, &a, &d, &err)) status = cli_fail_err(NULL, &err);
  if (!status && json)
    status = say_json(path[0], path[1], samples.n, &d);
  else if (!status)
    say(&d, o.all, o.threshold);
  whet__arena_free(&a);
  for (int k = 0; k < 2; k++) {
    cli_feed_close(&feed[k]);
    whet_model_close(&m[k]);
  }
  cli_samples_close(&samples);
  return status;
}
