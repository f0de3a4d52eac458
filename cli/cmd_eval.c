/* SPDX-License-Identifier: Apache-2.0 */
/* whet eval: how good models are on data, side by side. */

#include <math.h>

#include "eval.h"
#include "input.h"
#include "media.h"
#include "samples.h"
#include "whet/whet.h"

#define AT(field) offsetof(cli_eval_opts, field)
static const cli_opt k_options[] = {
    {"metric", 0, CLI_CHOICE, AT(metric), "auto|top1|top5|auc|mse|map|loss",
     "the figure that counts (default: top1 for classes, mse for numbers, map for detectors)", 0, 0},
    {"html", 0, CLI_TEXT, AT(html), "FILE.html", "write a page with charts and matrices", 0, 0},
    {"positive", 0, CLI_TEXT, AT(positive), "NAME",
     "auc: the class that is found, against all others (default: the last of two; of more, each against the others)", 0, 0},
    {"threads", 't', CLI_INT, AT(threads), "N", "threads of a run (default: all)", 1, 1024},
    {"precision", 0, CLI_CHOICE, AT(precision), "f32|bf16", "what factors of float products are rounded to (default: f32)", 0, 0},
    {0}};
static const cli_opt k_data[] = {
    {"data", 'd', CLI_TEXT, AT(data), "DIR",
     "items: MNIST's idx files, CIFAR's .bin, a folder for each class of pictures or sounds (also in a .tar.gz), .npy or CSV; for "
     "detectors a folder of pictures with annotations.csv", 0, 0},
    {"split", 0, CLI_TEXT, AT(split), "NAME[:FROM..TO]", "which part of it, where it holds several (default: test)", 0, 0},
    {"limit", 'n', CLI_INT, AT(limit), "N", "the first N items only", 1, 1e12},
    {"labels", 0, CLI_TEXT, AT(labels), "NAMES", "the classes in order, \"a,b,c\" or a file with a line for each", 0, 0},
    {"target", 0, CLI_TEXT, AT(target), "COLUMN", "CSV: the column to be told (default: label, class, target or y, else the last)", 0, 0},
    {"range", 0, CLI_TEXT, AT(range), "LO..HI",
     "what samples of 0..255 become (default: as the model's metadata say, else 0..1 for idx files and 0..255)", 0, 0},
    {"mean", 0, CLI_TEXT, AT(mean), "A,B,C", "is then taken away from each channel", 0, 0},
    {"std", 0, CLI_TEXT, AT(std), "A,B,C", "by which each channel is then divided", 0, 0},
    CLI_SOUND_OPTIONS(AT(rate), AT(mel)),
    {0}};
static const cli_opt k_boxes[] = {
    {"detector", 0, CLI_CHOICE, AT(detector), "none|scores-boxes|yolo|ssd|boxes|anchors",
     "how the models' outputs are boxes, as for the stage detect of pipelines", 0, 0},
    {"fit", 0, CLI_CHOICE, AT(fit), "stretch|crop|letterbox", "how pictures are fitted (default: stretch)", 0, 0},
    {"bgr", 0, CLI_FLAG, AT(bgr), NULL, "channels are blue, green, red", 0, 0},
    {"score", 0, CLI_REAL, AT(score), "S", "boxes of a lower score are none (default: 0.01)", 0, 1},
    {"overlap", 0, CLI_REAL, AT(overlap), "S", "boxes of a class that overlap more are one (default: 0.45)", 0, 1},
    {"objectness", 0, CLI_FLAG, AT(objectness), NULL, "yolo: the fifth number scales the scores (YOLOv5)", 0, 0},
    {"anchors", 0, CLI_TEXT, AT(anchors), "FILE", "anchors: a line x y w h for each", 0, 0},
    {"sigmoid", 0, CLI_FLAG, AT(sigmoid), NULL, "anchors: scores are logits", 0, 0},
    {0}};

static const cli_use k_use = {
    .synopsis = "MODEL... --data DIR [OPTION]...",
    .about = "Runs models over a data set, each on the same items, and shows how good they are: accuracy with its margin, loss, precision "
             "and recall of every class, who is taken for whom, how often two models agree, and whether their difference can be chance. "
             "Models of numbers are measured by squared error; those that tell their input again (autoencoders) by that error, and as finders "
             "of anomalies by the area under the curve; detectors by average precision.\n"
             "With several models the first is the one that others are compared with.",
    .examples = "  whet eval digits.tflite digits_int8.tflite --data mnist\n"
                "  whet eval net.onnx --data cifar10 --range -1..1 --html net.html\n"
                "  whet eval ad01.tflite --data machine --metric auc --positive anomaly\n"
                "  whet eval faces.onnx --data photos --detector scores-boxes --mean 127 --std 128\n",
    .least = 1,
    .most = CLI_EVAL_MODELS,
    .missing = "name a model"};

/* Which figure, by what the data have. */
static whet_status settle(cli_evaluation *e, const whet_set *set, whet_err *err) {
  e->metric = (cli_metric)e->o->metric;
  if (e->o->detector) {
    if (e->metric == CLI_METRIC_AUTO) e->metric = CLI_METRIC_MAP;
    return e->metric == CLI_METRIC_MAP ? WHET_OK : whet__fail(err, WHET_E_DATA, "detectors are measured by map");
  }
  if (e->metric == CLI_METRIC_MAP) return whet__fail(err, WHET_E_DATA, "--metric map is for detectors: say which with --detector");
  e->classes = whet__set_classes(set);
  e->kind = whet__set_kind(set);
  e->name = cli_keep((size_t)(e->classes + 1) * sizeof *e->name);
  for (int32_t i = 0; i < e->classes; i++) { /* the text lasts until the next call */
    const char *name = whet__set_class(set, i);
    e->name[i] = cli_keep_str(name, strlen(name));
  }
  if (e->metric == CLI_METRIC_AUTO) e->metric = e->classes ? CLI_METRIC_TOP1 : CLI_METRIC_MSE;
  bool by_class = e->metric == CLI_METRIC_TOP1 || e->metric == CLI_METRIC_TOP5 || e->metric == CLI_METRIC_AUC;
  if (by_class && !e->classes)
    return whet__fail(err, WHET_E_DATA, "--metric %s needs items with classes, and these have none", cli_metric_name(e->metric));
  e->positive = -1;
  if (e->metric != CLI_METRIC_AUC) return WHET_OK;
  if (e->classes == 2) e->positive = 1;
  if (!e->o->positive) return WHET_OK;
  for (e->positive = 0; e->positive < e->classes; e->positive++)
    if (!strcmp(e->name[e->positive], e->o->positive)) return WHET_OK;
  return whet__fail(err, WHET_E_NAME, "--positive %.60s: there is no such class; the first is \"%s\"", e->o->positive, e->name[0]);
}

static int measure(cli_evaluation *e, whet_set *set, char **path, int n) {
  for (int i = 0; i < n; i++) {
    whet_err err = {0};
    whet_model *model;
    cli_eval_model *m = &e->m[i];
    m->path = path[i];
    if (whet_model_open(path[i], NULL, &model, &err)) return cli_fail_err(path[i], &err);
    whet_status s = e->o->detector ? cli_eval_boxes(e, model, m, &err) : cli_eval_classes(e, set, model, m, &err);
    whet_model_close(&model);
    if (s) return cli_fail_err(path[i], &err);
    e->n_model++;
  }
  return CLI_DONE;
}

static int finish(const cli_evaluation *e, bool json) {
  whet_err err = {0};
  if (e->o->html && cli_eval_page(e, e->o->html, &err)) return cli_fail_err(e->o->html, &err);
  if (json) return cli_json(cli_eval_json(e), 9);
  cli_eval_print(e);
  return CLI_DONE;
}

static int eval_all(const cli_eval_opts *o, char **path, int n, bool json) {
  static cli_evaluation e;
  whet_set_opts so = cli_set_opts(false, o->split, o->labels, o->target, o->rate);
  int status = cli_set_mel(&so, o->mel);
  if (status) return status;
  whet_set *set = NULL;
  whet_err err = {0};
  e = (cli_evaluation){.o = o, .positive = -1};
  whet_status s = o->detector ? cli_eval_boxes_open(&e, &err) : whet__set_open(o->data, &so, cli_mem(), &set, &err);
  if (!s) s = settle(&e, set, &err);
  if (!s && set && !whet__set_count(set)) s = whet__fail(&err, WHET_E_DATA, "there are no items in it");
  status = s ? cli_fail_err(o->data, &err) : measure(&e, set, path, n);
  if (!status) status = finish(&e, json);
  for (size_t i = 0; i < e.n_model; i++) whet__measure_free(&e.m[i].x, cli_mem());
  whet__set_close(&set);
  return status;
}

int cli_eval(int argc, char **argv) {
  cli_eval_opts o = {.score = 0.01, .overlap = 0.45};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"options", k_options, &o};
  use.tables[1] = (cli_table){"data", k_data, &o};
  use.tables[2] = (cli_table){"detectors", k_boxes, &o};
  bool json;
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &json, argc, argv, &arg, &n_arg, &status)) return status;
  if (!o.data) return cli_wrong("say on what they are measured: --data DIR");
  const cli_input_opts given = {.range = o.range, .mean = o.mean, .std = o.std};
  if ((status = cli_input_check(&given))) return status;
  if ((o.detector == 1 + 4) != (o.anchors != NULL)) return cli_wrong("--detector anchors and --anchors FILE belong together");
  return eval_all(&o, arg, n_arg, json);
}
