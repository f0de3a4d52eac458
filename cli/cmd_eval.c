/* SPDX-License-Identifier: Apache-2.0 */
/* whet eval: how well models do on a data set. */

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd.h"
#include "eval.h"
#include "eval_boxes.h"
#include "input.h"
#include "media.h"
#include "model.h"
#include "out.h"
#include "samples.h"
#include "whet/whet.h"

struct options {
  const char *data, *split, *labels, *target, *range, *mean, *std, *html, *boxes, *detector, *positive;
  int64_t items, threads;
  double score;
  int metric;
  bool confusion, json;
};

static const char *const k_metrics[] = {"auto", "top1", "top5", "f1", "auc", "loss", "mse", "mae", "map"};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_data[] = {
    {"data", 'd', CLI_TEXT, AT(data), "DIR",
     "a folder, archive or file of MNIST, CIFAR, classes of pictures or sounds, .npy or CSV", 0, 0},
    {"split", 0, CLI_TEXT, AT(split), "NAME[:FROM..TO]",
     "which part of the data, where they hold several (default: test)", 0, 0},
    {"items", 'n', CLI_INT, AT(items), "N", "no more than so many", 1, 1e12},
    {"labels", 0, CLI_TEXT, AT(labels), "NAMES", "the classes in order, \"a,b,c\" or a file with a line for each", 0,
     0},
    {"target", 0, CLI_TEXT, AT(target), "COLUMN", "CSV: the column to be told", 0, 0},
    {"range", 0, CLI_TEXT, AT(range), "LO..HI",
     "what samples of 0..255 become (default: as the model's metadata say, else 0..1 for idx files and 0..255)", 0,
     0},
    {"mean", 0, CLI_TEXT, AT(mean), "A,B,C", "is then taken away from each channel", 0, 0},
    {"std", 0, CLI_TEXT, AT(std), "A,B,C", "by which each channel is then divided", 0, 0},
    {0}};
static const cli_opt k_what[] = {
    {"metric", 'm', CLI_CHOICE, AT(metric), "auto|top1|top5|f1|auc|loss|mse|mae|map",
     "the figure that matters: models are listed by it. auc of a model that gives its input back: of its error, for "
     "anomalies; map: of boxes (default: "
     "top1, or mse for numbers)",
     0, 0},
    {"confusion", 'c', CLI_FLAG, AT(confusion), NULL, "print which classes were taken for which", 0, 0},
    {"html", 0, CLI_TEXT, AT(html), "FILE", "write a page with tables and plots", 0, 0},
    {"threads", 't', CLI_INT, AT(threads), "N", "threads (default: all)", 1, 1024},
    {0}};
static const cli_opt k_boxes[] = {
    {"boxes", 0, CLI_TEXT, AT(boxes), "FILE.csv",
     "map: the true boxes, lines of picture,class,x0,y0,x1,y1 in pixels (default: DIR/boxes.csv)", 0, 0},
    {"detector", 0, CLI_TEXT, AT(detector), "KIND",
     "map: how outputs are read: scores-boxes, yolo, yolo-objectness, ssd or boxes", 0, 0},
    {"positive", 0, CLI_TEXT, AT(positive), "CLASS", "auc of errors: the class of anomalies (default: the second)", 0,
     0},
    {0}};

static const cli_use k_use = {
    .synopsis = "MODEL... --data DIR [OPTION]...",
    .about =
        "Runs models over a data set and says how well they do: accuracy, loss, F1, area under the curve, "
        "calibration; by class; what is taken for what; and how often "
        "models say the same. Models of any type and format stand side by side.",
    .examples =
        "  whet eval model.tflite --data cifar10 --confusion\n"
        "  whet eval model.onnx model_int8.onnx --data photos --split val --range 0..1 --html report.html\n"
        "  whet eval autoencoder.tflite --data machines --metric auc --positive broken\n"
        "  whet eval detector.onnx --data street --metric map --detector yolo\n",
    .least = 1,
    .most = -1,
    .missing = "name a model"};

static whet_status sound(const void *bytes, size_t n, const whet_sound_opts *o, whet_sound *out, whet_err *err) {
  return whet_sound_decode(bytes, n, o, out, err);
}

static whet_status progress(void *user, int64_t done, int64_t of) {
  cli_progress(user, done, of);
  return WHET_OK;
}

/* Area under the curve of how badly the input comes back, and the error that parts best. */
static whet_status anomalies(eval_model *m, int32_t positive, whet_err *err) {
  int64_t n = m->x.n, pos = 0;
  uint8_t *is = cli_keep((size_t)n + 1);
  double *sorted = cli_keep((size_t)(n + 1) * sizeof *sorted), best = -1;
  for (int64_t i = 0; i < n; i++) pos += is[i] = m->x.label[i] == positive;
  m->anomaly_auc = whet__auc(m->x.rebuilt, is, n, cli_mem());
  if (!(m->anomaly_auc >= 0)) return whet__fail(err, WHET_E_DATA, "all items are of one kind: there is no curve");
  for (int k = 1; k < 200; k++) { /* Youden's index over the quantiles */
    int64_t hit = 0, false_ = 0;
    double bound;
    memcpy(sorted, m->x.rebuilt, (size_t)n * sizeof *sorted);
    bound = cli_eval_quantile(sorted, (size_t)n, k / 200.0);
    for (int64_t i = 0; i < n; i++)
      if (m->x.rebuilt[i] >= bound) hit += is[i], false_ += !is[i];
    double j = (double)hit / (double)pos - (double)false_ / (double)(n - pos);
    if (j > best) best = j, m->anomaly_bound = bound;
  }
  return WHET_OK;
}

static whet_status one(const char *path, const struct options *o, const whet_set *set, eval_model *m, whet_err *err) {
  struct stat st;
  whet_feed feed = {0};
  whet_model *model;
  whet_info out;
  *m = (eval_model){
      .path = path, .bytes = stat(path, &st) ? 0 : (int64_t)st.st_size, .anomaly_auc = NAN, .anomaly_bound = NAN};
  WHET_TRY(whet_model_open(path, NULL, &model, err));
  cli_feed_numbers(model, o->range, o->mean, o->std, &feed);
  whet_measure_opts mo = {.threads = (int)o->threads,
                          .most = o->items,
                          .feed = &feed,
                          .progress = progress,
                          .user = (void *)(uintptr_t)path};
  whet_info in;
  whet_status s = whet_model_input(model, 0, &in);
  if (!s) s = whet_model_output(model, 0, &out);
  int64_t numbers = 1, inputs = 1;
  for (int32_t d = 1; !s && d < out.rank; d++) numbers *= out.dims[d] > 0 ? out.dims[d] : 1;
  for (int32_t d = 1; !s && d < in.rank; d++) inputs *= in.dims[d] > 0 ? in.dims[d] : 1;
  bool rebuilds = !strcmp(k_metrics[o->metric], "auc") && numbers == inputs && numbers != whet__set_classes(set);
  int32_t classes = whet__set_classes(set);
  if (!s && !rebuilds && classes && numbers > 1 && numbers < classes)
    s = whet__fail(err, WHET_E_SHAPE, "the model tells %lld classes, the data have %d", (long long)numbers,
                   (int)classes);
  mo.rebuild = rebuilds;
  mo.scores = !rebuilds && (double)numbers * (double)whet__set_count(set) < 1e8;
  if (!s) s = whet__measure(model, set, &mo, cli_mem(), &m->x, err);
  cli_progress_end();
  if (!s) s = whet__figures(&m->x, cli_mem(), &m->f, err);
  if (!s && rebuilds) {
    int32_t positive = 1;
    for (int32_t c = 0; o->positive && c < whet__set_classes(set); c++)
      if (!strcmp(whet__set_class(set, c), o->positive)) positive = c;
    m->f.top1 = m->f.macro_f1 = m->f.auc = m->f.top5 = NAN;
    s = anomalies(m, positive, err);
  }
  whet_model_close(&model);
  return s;
}

static const eval_report *k_report;
static int by_metric(const void *a, const void *b) {
  const char *name;
  bool percent;
  double x = eval_figure(k_report, a, &name, &percent), y = eval_figure(k_report, b, &name, &percent);
  bool less =
      !strcmp(k_report->metric, "loss") || !strcmp(k_report->metric, "mse") || !strcmp(k_report->metric, "mae");
  if (isnan(x) || isnan(y)) return isnan(x) - isnan(y);
  return less ? (x > y) - (x < y) : (x < y) - (x > y);
}

static int evaluate(char **path, int n, const struct options *o, const whet_set *set) {
  eval_report r = {.data = o->data, .set = set, .model = cli_keep((size_t)n * sizeof *r.model), .n = (size_t)n};
  const char *name;
  bool percent;
  whet_err err = {0};
  r.metric = o->metric ? k_metrics[o->metric] : whet__set_classes(set) ? "top1" : "mse";
  for (int i = 0; i < n; i++)
    if (one(path[i], o, set, &r.model[i], &err)) return cli_fail_err(path[i], &err);
  r.items = r.model[0].x.n;
  if (isnan(eval_figure(&r, &r.model[0], &name, &percent)))
    return cli_fail("%s: there is no %s of such data and such a model", path[0], r.metric);
  k_report = &r;
  if (o->metric) qsort(r.model, r.n, sizeof *r.model, by_metric); /* else in the order that was asked for */
  int status = o->html ? eval_page(&r, o->html) : 0;
  if (!status && o->json) status = cli_json(eval_json(&r), 9);
  if (!status && !o->json) eval_print(&r, o->confusion);
  for (size_t i = 0; i < r.n; i++) {
    whet__figures_free(&r.model[i].f, cli_mem());
    whet__measure_free(&r.model[i].x, cli_mem());
  }
  return status;
}

int cli_eval(int argc, char **argv) {
  struct options o = {0};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"data", k_data, &o};
  use.tables[1] = (cli_table){"what", k_what, &o};
  use.tables[2] = (cli_table){"detection and anomalies", k_boxes, &o};
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &o.json, argc, argv, &arg, &n_arg, &status)) return status;
  if (!o.data) return cli_wrong("say on what: --data DIR");
  const cli_input_opts in = {.range = o.range, .mean = o.mean, .std = o.std};
  if ((status = cli_input_check(&in))) return status;
  if (!strcmp(k_metrics[o.metric], "map")) {
    const eval_boxes_opts b = {.data = o.data,
                               .boxes = o.boxes,
                               .detector = o.detector,
                               .labels = o.labels,
                               .range = o.range,
                               .mean = o.mean,
                               .std = o.std,
                               .items = o.items,
                               .threads = (int)o.threads,
                               .json = o.json,
                               .html = o.html};
    return eval_boxes(arg, n_arg, &b);
  }
  whet_set_opts so = {.training = false,
                      .split = o.split,
                      .labels = o.labels,
                      .target = o.target,
                      .codecs = cli_media_load,
                      .sound = sound,
                      .sound_free = whet_sound_free};
  whet_set *set;
  whet_err err = {0};
  if (whet__set_open(o.data, &so, cli_mem(), &set, &err)) return cli_fail_err(NULL, &err);
  if (!whet__set_classes(set) && !whet__set_targets(set))
    status = cli_fail("%s: the data have neither classes nor targets to compare with", o.data);
  else
    status = evaluate(arg, n_arg, &o, set);
  whet__set_close(&set);
  return status;
}
