/* SPDX-License-Identifier: Apache-2.0 */
/* whet shrink: of all that can be made of a model, the one that fits a budget. */

#include <math.h>

#include "base/dtype.h"
#include "compress/timing.h"
#include "format/model.h"
#include "model.h"
#include "out.h"
#include "save.h"
#include "shrink.h"
#include "train/train.h"

struct options {
  const char *output, *max_drop, *keep, *chart;
  int64_t train;
  double train_rate;
  size_t max_ram, max_size;
  double max_ms;
  int64_t eval;
  const char *eval_split;
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_options[] = {
    {"output", 'o', CLI_TEXT, AT(output), "FILE", "the file to write; its ending says the format: " CLI_SAVE_ENDINGS, 0, 0},
    {"max-drop", 0, CLI_TEXT, AT(max_drop), "N%", "the score may fall by so much (default: 1%)", 0, 0},
    {"max-ram", 0, CLI_SIZE, AT(max_ram), "SIZE", "weights and memory of a run together at most", 0, 0},
    {"max-size", 0, CLI_SIZE, AT(max_size), "SIZE", "constants at most", 0, 0},
    {"max-ms", 0, CLI_REAL, AT(max_ms), "MS", "milliseconds of a run on this machine at most", 0.000001, 1e9},
    {"train", 0, CLI_INT, AT(train), "EPOCHS",
     "also make variants with fewer channels, each trained for so many epochs with the model as its teacher, then with smaller numbers", 1, 1e6},
    {"keep", 0, CLI_TEXT, AT(keep), "N%,...", "with --train: parts of the multiply-adds that stay (default: 75%,50%,25%)", 0, 0},
    {"train-rate", 0, CLI_REAL, AT(train_rate), "R", "learning rate of that (default: 0.001)", 1e-12, 1},
    {"chart", 0, CLI_TEXT, AT(chart), "FILE.svg", "draw score against time and against memory of all variants", 0, 0},
    {"eval", 0, CLI_INT, AT(eval), "N", "samples that judge, others than calibrate (default: 1000)", 1, 1e9},
    {"eval-split", 0, CLI_TEXT, AT(eval_split), "NAME",
     "the part of the data that judges (default: the one that calibrates; with --train: test)", 0, 0},
    {0}};

static const cli_use k_use = {
    .synopsis = "MODEL --data DIR -o OUT [OPTION]...",
    .about = "Makes every variant of a float model that the format of OUT can hold (float16, small weights, integers everywhere, "
             "integers where they keep the score; with --train the same of models with fewer channels), measures size, "
             "memory, time and score of each on this machine, shows how they trade, and "
             "writes the fastest that keeps within the bounds; of those that are as fast, the smallest.",
    .examples = "  whet shrink model.tflite --data cifar10 --max-drop 0.5% -o small.tflite\n"
                "  whet shrink model.onnx --data photos --max-ram 2M --max-ms 5 -o small.onnx\n"
                "  whet shrink net.onnx --data cifar10 --train 10 --max-drop 1% --chart trade.svg -o small.tflite\n",
    .least = 1,
    .most = 1,
    .missing = "name a model"};

/* Bytes of constants that the graph needs, each once. */
static size_t constants(const whet_model *m) {
  const whet_graph *g = &m->graph;
  uint8_t *seen = cli_keep(g->next_data + 1);
  size_t sum = 0;
  for (int32_t i = 0; i < g->main.n_node; i++) {
    const whet_node *n = &g->node[g->main.node[i]];
    for (int k = 0; k < n->n_in; k++) {
      const whet_val *v = n->in[k] < 0 ? NULL : &g->val[n->in[k]];
      if (!v || !v->data || v->data->id > g->next_data || seen[v->data->id]) continue;
      seen[v->data->id] = 1;
      sum += v->data->n;
    }
  }
  return sum;
}

static whet_status measure(cli_shrink_variant *v, whet_model *real, cli_scorer *scorer, whet_err *err) {
  whet_program *p;
  whet_cost cost = {.size = sizeof cost};
  double us[2];
  const whet_part whole[2] = {{.model = real, .in = -1}, {.model = v->model, .in = -1}};
  WHET_TRY(whet_program_create(v->model, NULL, &p, err));
  whet_status s = whet_program_cost(p, &cost, err);
  whet_program_close(&p);
  if (s) return s;
  v->size = constants(v->model);
  v->ram = cost.weights_bytes + cost.mapped_bytes + cost.arena_bytes + cost.variable_bytes;
  WHET_TRY(whet__time_parts(whole, us, err));
  v->ms = us[1] / 1000;
  return cli_score(scorer, v->model, &v->score, err);
}

/* What a variant breaks, NULL: nothing. */
static const char *broken(const cli_shrink_variant *v, const struct options *o, double least) {
  if (v->score < least) return cli_keep_printf("score below %.2f", least);
  if (o->max_ram && v->ram > o->max_ram) return cli_keep_printf("more memory than %s", cli_bytes(o->max_ram));
  if (o->max_size && v->size > o->max_size) return cli_keep_printf("larger than %s", cli_bytes(o->max_size));
  if (o->max_ms > 0 && v->ms > o->max_ms) return cli_keep_printf("slower than %s", cli_time(o->max_ms * 1000));
  return NULL;
}

/* Is a to be taken before b, which both fit? As fast: within 3 %. */
static bool better(const cli_shrink_variant *a, const cli_shrink_variant *b) {
  if (a->ms < 0.97 * b->ms) return true;
  return a->ms < 1.03 * b->ms && a->size < b->size;
}

enum { MOST_KEEP = 8, MOST = 64 };

typedef struct job {
  const struct options *o;
  cli_shrink_plan plan;
  cli_scorer scorer;
  double keep[MOST_KEEP];
  cli_shrink_variant v[MOST];
  size_t n;
  int best; /* -1: none fits */
} job;

/* Make and measure one variant. What its format or the operators cannot is said in its row; other failures end all. */
static whet_status add(job *j, const cli_shrink_way *w, const char *name, whet_model *from, double drop, double least,
                       whet_err *err) {
  cli_shrink_variant *v = &j->v[j->n++];
  *v = (cli_shrink_variant){.name = name};
  whet_status s = cli_shrink_make(&j->plan, w, name, from, drop, &v->model, err);
  if (s == WHET_E_UNSUPPORTED) {
    v->why = cli_keep_str(err->text, strlen(err->text));
    return WHET_OK;
  }
  if (!s) s = measure(v, j->plan.real, &j->scorer, err);
  if (!s) v->why = broken(v, j->o, least);
  return s;
}

/* All ways of one model. keep: the part of the multiply-adds that it has; 1: it is the model itself. */
static whet_status ways_of(job *j, whet_model *from, double keep, double least, whet_err *err) {
  size_t first = keep == 1 ? 0 : j->n; /* the variant that nothing is rounded in */
  for (int i = 0; i < cli_shrink_n_ways && j->n < MOST; i++) {
    const cli_shrink_way *w = &cli_shrink_ways[i];
    if (!(j->plan.format == WHET_FORMAT_ONNX ? w->onnx : w->tflite) || (keep < 1 && !w->cut) || (keep == 1 && w->plain)) continue;
    if (w->searched && !j->v[j->n - 1].why) continue; /* integers everywhere are within the bounds already */
    const char *name = keep == 1  ? w->name
                       : w->plain ? cli_keep_printf("%.0f %% of the multiply-adds", 100 * keep)
                                  : cli_keep_printf("%.0f %%, %s", 100 * keep, w->name);
    double drop = j->n > first && j->v[first].model ? fmax(j->v[first].score - least, 0) : 0; /* what the cut has left of it */
    WHET_TRY(add(j, w, name, from, drop, least, err));
  }
  return WHET_OK;
}

/* Everything that can be made, measured; the float model is the first. */
static whet_status run(job *j, whet_err *err) {
  cli_shrink_plan *p = &j->plan;
  if (p->format == WHET_FORMAT_AUTO) p->format = whet_model_format(p->real);
  j->v[j->n++] = (cli_shrink_variant){.name = "as it is", .model = whet_model_ref(p->real)};
  WHET_TRY(measure(&j->v[0], p->real, &j->scorer, err));
  double least = j->v[0].score - p->drop;
  WHET_TRY(ways_of(j, p->real, 1, least, err));
  for (int i = 0; i < p->n_keep && p->epochs && j->n < MOST; i++) {
    whet_model *cut;
    whet_status s = cli_shrink_cut(p, p->keep[i], &cut, err);
    if (s == WHET_E_UNSUPPORTED) {
      j->v[j->n++] = (cli_shrink_variant){.name = cli_keep_printf("%.0f %% of the multiply-adds", 100 * p->keep[i]),
                                          .why = cli_keep_str(err->text, strlen(err->text))};
      continue;
    }
    if (s) return s;
    s = ways_of(j, cut, p->keep[i], least, err);
    whet_model_close(&cut);
    if (s) return s;
  }
  *err = (whet_err){0};
  j->v[0].why = broken(&j->v[0], j->o, least);
  j->best = -1;
  for (size_t i = 0; i < j->n; i++)
    if (j->v[i].model && !j->v[i].why && (j->best < 0 || better(&j->v[i], &j->v[j->best]))) j->best = (int)i;
  return WHET_OK;
}

static int say_json(const job *j, const char *path) {
  json_t *list = json_array();
  for (size_t i = 0; i < j->n; i++) {
    const cli_shrink_variant *v = &j->v[i];
    json_t *row = json_pack("{s:s, s:b}", "name", v->name, "chosen", (int)i == j->best);
    if (v->model) {
      json_object_set_new(row, "score", cli_json_real(v->score));
      json_object_set_new(row, "ms", cli_json_real(v->ms));
      json_object_set_new(row, "constants_bytes", json_integer((json_int_t)v->size));
      json_object_set_new(row, "ram_bytes", json_integer((json_int_t)v->ram));
    }
    if (v->why) json_object_set_new(row, "why_not", json_string(v->why));
    json_array_append_new(list, row);
  }
  return cli_json(json_pack("{s:s, s:s, s:o}", "model", path, "output", j->o->output, "variants", list), 9);
}

static void say(const job *j) {
  cli_grid g;
  cli_grid_init(&g, "llrrrrw");
  cli_grid_head(&g, "", "variant", "score", "time", "constants", "memory", "", NULL);
  for (size_t i = 0; i < j->n; i++) {
    const cli_shrink_variant *v = &j->v[i];
    cli_grid_cell(&g, "%s", (int)i == j->best ? "*" : "");
    cli_grid_cell(&g, "%s", v->name);
    cli_grid_cell(&g, "%s", v->model ? cli_keep_printf("%.2f", v->score) : "");
    cli_grid_cell(&g, "%s", v->model ? cli_time(v->ms * 1000) : "");
    cli_grid_cell(&g, "%s", v->model ? cli_bytes(v->size) : "");
    cli_grid_cell(&g, "%s", v->model ? cli_bytes(v->ram) : "");
    cli_grid_cell(&g, "%s", v->why ? v->why : "");
  }
  cli_grid_print(&g, stdout);
  if (j->best >= 0) printf("\n%s: %s\n", cli_clean(j->o->output), j->v[j->best].name);
}

static int finish(job *j, const char *path, bool json, whet_err *err) {
  int drawn = j->o->chart ? cli_shrink_chart(j->o->chart, j->v, j->n, j->best) : 0;
  if (drawn) return drawn;
  if (j->best < 0) {
    if (!json) say(j);
    return cli_fail("%s: no variant keeps within the bounds", path);
  }
  if (cli_save(j->v[j->best].model, j->o->output, false, err)) return cli_fail_err(j->o->output, err);
  if (json) return say_json(j, path);
  say(j);
  return 0;
}

/* "75%,50%" into the job. */
static int take_keep(job *j, const char *text) {
  char *list = cli_keep_str(text, strlen(text)), *save = NULL;
  for (char *s = strtok_r(list, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
    double per_cent;
    if (j->plan.n_keep == MOST_KEEP) return cli_wrong("--keep: more than %d parts", MOST_KEEP);
    if (!cli_parse_percent(s, &per_cent) || per_cent <= 0 || per_cent >= 100)
      return cli_wrong("--keep %.40s: expected parts between 0 and 100 per cent, as 75%%,50%%", text);
    j->keep[j->plan.n_keep++] = per_cent / 100;
  }
  return j->plan.n_keep ? 0 : cli_wrong("--keep: no parts");
}

static int check(job *j, const struct options *o, const cli_samples_opts *so) {
  int status;
  if (!o->output) return cli_wrong("name the file to write: --output FILE");
  if ((status = cli_save_check(o->output))) return status;
  if (!cli_parse_percent(o->max_drop, &j->plan.drop)) return cli_wrong("--max-drop %s: expected per cent, as 0.5%%", o->max_drop);
  if (!so->data) return cli_wrong("variants are judged by samples: --data DIR");
  if (!o->train && (o->keep || o->train_rate > 0)) return cli_wrong("models with fewer channels are trained: --train EPOCHS");
  return take_keep(j, o->keep ? o->keep : "75%,50%,25%");
}

/* Open the samples that calibrate, which are learnt with --train, and those that judge. */
static int open_samples(const struct options *o, const cli_samples_opts *so, cli_samples_opts *eo, cli_samples *calibration, cli_samples *eval) {
  int status = cli_samples_open(calibration, so, so->samples, NULL);
  if (status) return status;
  *eo = *so;
  if (o->eval_split) eo->split = o->eval_split;
  if (o->train && !o->eval_split) {
    whet_set_opts other = cli_set_opts(true, so->split, so->labels, NULL, so->rate);
    whet_set *test = whet__test_half(so->data, &other, calibration->set, cli_mem());
    if (!test) return cli_wrong("--train learns all that the data hold: name others that judge: --eval-split NAME");
    whet__set_close(&test);
    eo->split = "test";
  }
  return cli_samples_open(eval, eo, o->eval, eo->split != so->split ? NULL : calibration);
}

int cli_shrink(int argc, char **argv) {
  struct options o = {.eval = 1000, .max_drop = "1%"};
  cli_samples_opts so = {.samples = 200}, eo;
  cli_use use = k_use;
  use.tables[0] = (cli_table){"options", k_options, &o};
  use.tables[1] = (cli_table){"data", cli_samples_options, &so};
  bool json;
  char **arg;
  int n_arg, status;
  job j = {.o = &o, .best = -1};
  if (!cli_parse(&use, &json, argc, argv, &arg, &n_arg, &status)) return status;
  if ((status = check(&j, &o, &so))) return status;
  whet_err err = {0};
  cli_samples calibration = {0}, eval = {0};
  if ((status = open_samples(&o, &so, &eo, &calibration, &eval))) return status;
  j.plan.calibration = &calibration;
  j.plan.scorer = &j.scorer;
  j.plan.keep = j.keep;
  j.plan.epochs = (int32_t)o.train;
  j.plan.rate = o.train_rate > 0 ? o.train_rate : 1e-3;
  j.plan.format = cli_save_format(o.output);
  j.scorer.samples = &eval;
  status = whet_model_open(arg[0], NULL, &j.plan.real, &err) ? WHET_E_INTERNAL : 0;
  if (!status) cli_feed_doubt(arg[0], j.plan.real, calibration.set, so.range, so.mean, so.std);
  if (!status && run(&j, &err)) status = WHET_E_INTERNAL;
  cli_progress_end();
  status = status ? cli_fail_err(arg[0], &err) : finish(&j, arg[0], json, &err);
  for (size_t i = 0; i < j.n; i++) whet_model_close(&j.v[i].model);
  whet_model_close(&j.plan.real);
  cli_samples_close(&eval);
  cli_samples_close(&calibration);
  return status;
}
