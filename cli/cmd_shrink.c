/* SPDX-License-Identifier: Apache-2.0 */
/* whet shrink: of all that can be made of a model, the one that fits a budget. */

#include "base/dtype.h"
#include "compress/timing.h"
#include "format/model.h"
#include "model.h"
#include "out.h"
#include "samples.h"
#include "save.h"

struct options {
  const char *output, *max_drop;
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
    {"eval", 0, CLI_INT, AT(eval), "N", "samples that judge, others than calibrate (default: 1000)", 1, 1e9},
    {"eval-split", 0, CLI_TEXT, AT(eval_split), "NAME", "the part of the data that judges (default: the one that calibrates)", 0, 0},
    {0}};

static const cli_use k_use = {
    .synopsis = "MODEL --data DIR -o OUT [OPTION]...",
    .about = "Makes every variant of a float model that the format of OUT can hold (float16, small weights, integers everywhere, "
             "integers where they keep the score), measures size, memory, time and score of each on this machine, shows how they trade, and "
             "writes the fastest that keeps within the bounds; of those that are as fast, the smallest.",
    .examples = "  whet shrink model.tflite --data cifar10 --max-drop 0.5% -o small.tflite\n"
                "  whet shrink model.onnx --data photos --max-ram 2M --max-ms 5 -o small.onnx\n",
    .least = 1,
    .most = 1,
    .missing = "name a model"};

/* One way to make it smaller. */
typedef struct way {
  const char *name;
  whet_scheme scheme;
  int bits, group;
  bool searched, tflite, onnx; /* which formats have it */
} way;
static const way k_ways[] = {
    {"float16 weights", WHET_SCHEME_FLOAT16, 8, 0, false, true, true},
    {"int8 weights", WHET_SCHEME_WEIGHTS, 8, 0, false, true, true},
    {"int4 weights", WHET_SCHEME_WEIGHTS, 4, 0, false, false, true},
    {"dynamic int8", WHET_SCHEME_DYNAMIC, 8, 0, false, true, false},
    {"int8", WHET_SCHEME_INT8, 8, 0, false, true, true},
    {"int8 where it keeps the score", WHET_SCHEME_INT8, 8, 0, true, true, true},
};

/* A variant and what was measured. */
typedef struct variant {
  const char *name;
  whet_model *model; /* NULL: could not be made */
  const char *why;   /* why not, or what it breaks; NULL: it fits */
  double score, ms;
  size_t size, ram;
} variant;

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

static whet_status measure(variant *v, whet_model *real, cli_scorer *scorer, whet_err *err) {
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
static const char *broken(const variant *v, const struct options *o, double least) {
  if (v->score < least) return cli_keep_printf("score below %.2f", least);
  if (o->max_ram && v->ram > o->max_ram) return cli_keep_printf("more memory than %s", cli_bytes(o->max_ram));
  if (o->max_size && v->size > o->max_size) return cli_keep_printf("larger than %s", cli_bytes(o->max_size));
  if (o->max_ms > 0 && v->ms > o->max_ms) return cli_keep_printf("slower than %s", cli_time(o->max_ms * 1000));
  return NULL;
}

/* Is a to be taken before b, which both fit? As fast: within 3 %. */
static bool better(const variant *a, const variant *b) {
  if (a->ms < 0.97 * b->ms) return true;
  return a->ms < 1.03 * b->ms && a->size < b->size;
}

typedef struct job {
  const struct options *o;
  whet_model *real;
  const cli_samples *calibration;
  cli_scorer scorer;
  double drop;
  variant v[WHET_COUNT(k_ways) + 1];
  size_t n;
  int best; /* -1: none fits */
} job;

static int progress(void *user, const char *what, int64_t done, int64_t all) {
  cli_progress(cli_keep_printf("%s: %s", (const char *)user, what), done, all);
  return 0;
}

static whet_status make(job *j, const way *w, cli_feed *feed, variant *v, whet_err *err) {
  whet_quantize_opts q = whet_quantize_opts_default();
  whet_samples samples = {.n = j->calibration->n, .fill = cli_feed_fill, .user = feed};
  whet_search search = {.size = sizeof search, .max_drop = j->drop, .score = cli_score, .user = &j->scorer};
  q.format = cli_save_format(j->o->output);
  q.scheme = w->scheme;
  q.weight_bits = w->bits;
  q.group = w->group;
  q.progress = progress;
  q.user = (void *)(uintptr_t)w->name;
  *v = (variant){.name = w->name};
  return w->searched ? whet_quantize_within(j->real, &samples, &q, &search, &v->model, NULL, NULL, err)
                     : whet_quantize(j->real, &samples, &q, &v->model, NULL, err);
}

/* Everything that can be made, measured; the float model is the first. */
static whet_status run(job *j, cli_feed *feed, whet_err *err) {
  whet_format f = cli_save_format(j->o->output);
  if (f == WHET_FORMAT_AUTO) f = whet_model_format(j->real);
  j->v[j->n++] = (variant){.name = "as it is", .model = whet_model_ref(j->real)};
  WHET_TRY(measure(&j->v[0], j->real, &j->scorer, err));
  double least = j->v[0].score - j->drop;
  for (size_t i = 0; i < WHET_COUNT(k_ways); i++) {
    const way *w = &k_ways[i];
    variant *v = &j->v[j->n];
    whet_err why = {0};
    if (!(f == WHET_FORMAT_ONNX ? w->onnx : w->tflite)) continue;
    if (w->searched && !j->v[j->n - 1].why) continue; /* integers everywhere are within the bounds already */
    j->n++;
    whet_status s = make(j, w, feed, v, &why);
    if (s == WHET_E_UNSUPPORTED)
      v->why = cli_keep_str(why.text, strlen(why.text));
    else if (s || (s = measure(v, j->real, &j->scorer, &why))) {
      *err = why;
      return s;
    } else
      v->why = broken(v, j->o, least);
  }
  j->v[0].why = broken(&j->v[0], j->o, least);
  j->best = -1;
  for (size_t i = 0; i < j->n; i++)
    if (j->v[i].model && !j->v[i].why && (j->best < 0 || better(&j->v[i], &j->v[j->best]))) j->best = (int)i;
  return WHET_OK;
}

static int say_json(const job *j, const char *path) {
  json_t *list = json_array();
  for (size_t i = 0; i < j->n; i++) {
    const variant *v = &j->v[i];
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
    const variant *v = &j->v[i];
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
  if (j->best < 0) {
    if (!json) say(j);
    return cli_fail("%s: no variant keeps within the bounds", path);
  }
  if (cli_save(j->v[j->best].model, j->o->output, false, err)) return cli_fail_err(j->o->output, err);
  if (json) return say_json(j, path);
  say(j);
  return 0;
}

int cli_shrink(int argc, char **argv) {
  struct options o = {.eval = 1000, .max_drop = "1%"};
  cli_samples_opts so = {.samples = 200};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"options", k_options, &o};
  use.tables[1] = (cli_table){"data", cli_samples_options, &so};
  bool json;
  char **arg;
  int n_arg, status;
  job j = {.o = &o, .best = -1};
  if (!cli_parse(&use, &json, argc, argv, &arg, &n_arg, &status)) return status;
  if (!o.output) return cli_wrong("name the file to write: --output FILE");
  if ((status = cli_save_check(o.output))) return status;
  if (!cli_parse_percent(o.max_drop, &j.drop)) return cli_wrong("--max-drop %s: expected per cent, as 0.5%%", o.max_drop);
  if (!so.data) return cli_wrong("variants are judged by samples: --data DIR");
  whet_err err = {0};
  cli_samples calibration = {0}, eval = {0};
  cli_samples_opts eo = so;
  cli_feed feed = {0};
  if (o.eval_split) eo.split = o.eval_split;
  if ((status = cli_samples_open(&calibration, &so, so.samples, NULL))) return status;
  if ((status = cli_samples_open(&eval, &eo, o.eval, o.eval_split ? NULL : &calibration))) return status;
  j.calibration = &calibration;
  j.scorer.samples = &eval;
  if (whet_model_open(arg[0], NULL, &j.real, &err) || cli_feed_open(&feed, &calibration, j.real, &err) || run(&j, &feed, &err)) {
    cli_progress_end();
    status = cli_fail_err(arg[0], &err);
  } else {
    cli_progress_end();
    status = finish(&j, arg[0], json, &err);
  }
  cli_feed_close(&feed);
  for (size_t i = 0; i < j.n; i++) whet_model_close(&j.v[i].model);
  whet_model_close(&j.real);
  cli_samples_close(&eval);
  cli_samples_close(&calibration);
  return status;
}
