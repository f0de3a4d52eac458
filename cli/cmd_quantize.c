/* SPDX-License-Identifier: Apache-2.0 */
/* whet quantize: a float model as one that computes with small integers. */

#include <sys/stat.h>

#include "model.h"
#include "out.h"
#include "samples.h"
#include "save.h"
#include "train/train.h"

struct options {
  const char *output;
  int scheme, activations, granularity, calibrate, rounding;
  int64_t weights, group, eval, train;
  double train_rate;
  const char *eval_split;
  double percentile;
  const char *max_drop;
  bool symmetric, any_scales, equalize, no_bias_correction, float_ends, untimed;
  cli_list keep_float;
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_options[] = {
    {"output", 'o', CLI_TEXT, AT(output), "FILE", "the file to write; its ending says the format: " CLI_SAVE_ENDINGS, 0, 0},
    {"scheme", 0, CLI_CHOICE, AT(scheme), "int8|int16x8|dynamic|weights|float16",
     "what becomes small: weights and activations (int8, int16x8), weights and, while it runs, activations (dynamic), weights alone "
     "(default: int8)", 0, 0},
    {"max-drop", 0, CLI_TEXT, AT(max_drop), "N%",
     "search: leave layers in float until the score falls by no more than that, and those that are slower with integers on this machine", 0, 0},
    {"keep-float", 0, CLI_LIST, AT(keep_float), "NODE", "a node that stays float, by its name or that of its output; may be given again", 0, 0},
    {"train", 0, CLI_INT, AT(train), "EPOCHS",
     "first train the model for so many epochs to answer as before with its weights and tensors rounded; no classes are needed", 1, 1e6},
    {"train-rate", 0, CLI_REAL, AT(train_rate), "R", "learning rate of that (default: 0.00003)", 1e-12, 1},
    {"float-ends", 0, CLI_FLAG, AT(float_ends), NULL, "TFLite: inputs and outputs stay float (ONNX: they always do)", 0, 0},
    {0}};
static const cli_opt k_numbers[] = {
    {"activations", 0, CLI_CHOICE, AT(activations), "auto|uint8|int8", "type of activations in ONNX (default: uint8)", 0, 0},
    {"weights", 0, CLI_INT, AT(weights), "BITS", "8, or 4 with --scheme weights (default: 8)", 4, 8},
    {"group", 0, CLI_INT, AT(group), "N", "--scheme weights, ONNX: neighbours in a row that share a scale (default: the row)", 8, 65536},
    {"granularity", 0, CLI_CHOICE, AT(granularity), "channel|tensor", "whether each output channel of weights has a scale (default: channel)", 0, 0},
    {"symmetric", 0, CLI_FLAG, AT(symmetric), NULL, "zero points of activations are 0", 0, 0},
    {"any-scales", 0, CLI_FLAG, AT(any_scales), NULL,
     "ONNX: scales as ranges ask for; else powers of two for activations and four binary digits for weights, with which runtimes that compute "
     "QDQ in floats get the same integers", 0, 0},
    {"calibrate", 0, CLI_CHOICE, AT(calibrate), "mse|minmax|percentile|entropy", "how ranges follow from the samples (default: mse)", 0, 0},
    {"percentile", 0, CLI_REAL, AT(percentile), "P", "part that --calibrate percentile keeps, of 100 (default: 99.99)", 50, 100},
    {"rounding", 0, CLI_CHOICE, AT(rounding), "least-squares|nearest", "how weights are rounded (default: least-squares)", 0, 0},
    {"no-bias-correction", 0, CLI_FLAG, AT(no_bias_correction), NULL, "biases do not make up for the mean error of rounded weights", 0, 0},
    {"equalize", 0, CLI_FLAG, AT(equalize), NULL, "even out weights across layers first", 0, 0},
    {"eval", 0, CLI_INT, AT(eval), "N", "samples that judge the result, others than calibrate (default: 1000; 0: none)", 0, 1e9},
    {"eval-split", 0, CLI_TEXT, AT(eval_split), "NAME", "the part of the data that judges (default: the one that calibrates)", 0, 0},
    {"untimed", 0, CLI_FLAG, AT(untimed), NULL, "with --max-drop: do not compare the speed of layers", 0, 0},
    {0}};

static const cli_use k_use = {
    .synopsis = "MODEL --data DIR -o OUT [OPTION]...",
    .about = "Writes a model whose layers compute with small integers: a quarter of the size, and faster where the CPU has "
             "instructions for it. Ranges of activations are taken from samples, weights are rounded so that the layers' "
             "outputs change least, and the result is judged on further samples: by their classes, where the data have "
             "some, else by how often its greatest output is that of the float model.",
    .examples = "  whet quantize model.tflite --data cifar10 -o model_int8.tflite\n"
                "  whet quantize model.onnx --data photos --range 0..1 -o model_int8.onnx\n"
                "  whet quantize model.tflite --data cifar10 --max-drop 0.5% -o model_int8.tflite\n"
                "  whet quantize model.onnx --data photos --scheme weights --weights 4 --train 3 --eval-split test -o model_int4.onnx\n"
                "  whet quantize model.onnx --scheme weights --weights 4 --group 32 -o model_int4.onnx\n",
    .least = 1,
    .most = 1,
    .missing = "name a model"};

static int progress(void *user, const char *what, int64_t done, int64_t all) {
  cli_progress(what, done, all);
  return 0;
}

static int64_t file_size(const char *path) {
  struct stat st;
  return stat(path, &st) ? -1 : (int64_t)st.st_size;
}

/* What was done, and what it did. */
typedef struct outcome {
  whet_quantized layers;
  whet_search_result found;
  bool searched, judged;
  double before, after, agree; /* per cent; before -1: there are no classes */
  int64_t eval, calibrated;
} outcome;

static whet_quantize_opts quantize_opts(const struct options *o, const char *output) {
  static const whet_dtype types[] = {WHET_NONE, WHET_U8, WHET_S8};
  whet_quantize_opts q = whet_quantize_opts_default();
  q.format = cli_save_format(output);
  q.scheme = (whet_scheme)o->scheme;
  q.activations = types[o->activations];
  q.weight_bits = o->weights ? (int)o->weights : 8;
  q.group = (int)o->group;
  q.per_tensor = o->granularity == 1;
  q.symmetric = o->symmetric;
  q.any_scales = o->any_scales || o->train; /* trained weights lie on steps of the scale that their range asks for */
  q.calibrate = (whet_calibrate)o->calibrate;
  q.percentile = o->percentile;
  q.rounding = (whet_rounding)o->rounding;
  q.no_bias_correction = o->no_bias_correction;
  q.equalize = o->equalize;
  q.float_ends = o->float_ends;
  q.keep_float = o->keep_float.v;
  q.n_keep_float = o->keep_float.n;
  q.progress = progress;
  return q;
}

/* Names that --keep-float was given and no node has. */
static const char *unknown(const struct options *o, const whet_quantized *r) {
  for (size_t i = 0; i < o->keep_float.n; i++) {
    bool found = false;
    for (size_t k = 0; k < r->n; k++) found |= r->layer[k].why && !strcmp(r->layer[k].name, o->keep_float.v[i]);
    if (!found) return o->keep_float.v[i];
  }
  return NULL;
}

static json_t *json_layers(const whet_quantized *r) {
  json_t *list = json_array();
  for (size_t i = 0; i < r->n; i++) {
    const whet_quantized_layer *l = &r->layer[i];
    json_t *j = json_pack("{s:o, s:s, s:s, s:I, s:o}", "name", cli_json_text(l->name), "op", l->op, "precision", l->precision, "weights",
                          (json_int_t)l->weights, "weight_noise", cli_json_real(l->noise));
    if (l->why) json_object_set_new(j, "why", json_string(l->why));
    json_array_append_new(list, j);
  }
  return list;
}

static int say_json(const char *from, const char *to, const outcome *x) {
  json_t *j = json_pack("{s:s, s:I, s:s, s:I, s:I, s:o}", "model", from, "bytes", (json_int_t)file_size(from), "output", to, "output_bytes",
                        (json_int_t)file_size(to), "samples", (json_int_t)x->calibrated, "layers", json_layers(&x->layers));
  if (x->judged)
    json_object_set_new(j, "judged", json_pack("{s:I, s:o, s:o, s:f}", "samples", (json_int_t)x->eval, "float_top1",
                                               x->before < 0 ? json_null() : json_real(x->before), "top1",
                                               x->before < 0 ? json_null() : json_real(x->after), "agreement", x->agree));
  if (x->searched)
    json_object_set_new(j, "search", json_pack("{s:f, s:f, s:f, s:f, s:f, s:i, s:i}", "float_score", x->found.score_float, "all_integer_score",
                                               x->found.score_all, "score", x->found.score, "float_ms", x->found.ms_float, "ms", x->found.ms,
                                               "layers", x->found.layers, "integer_layers", x->found.integer));
  return cli_json(j, 9);
}

static void say(const char *from, const char *to, const outcome *x) {
  cli_grid g;
  size_t integer = 0;
  cli_grid_init(&g, "lllrw");
  cli_grid_head(&g, "layer", "operator", "precision", "weights", "", NULL);
  for (size_t i = 0; i < x->layers.n; i++) {
    const whet_quantized_layer *l = &x->layers.layer[i];
    integer += l->why == NULL;
    cli_grid_cell(&g, "%.60s", cli_clean(l->name));
    cli_grid_cell(&g, "%s", l->op);
    cli_grid_cell(&g, "%s", l->precision);
    cli_grid_cell(&g, "%s", l->weights ? cli_count(l->weights) : "");
    if (l->why)
      cli_grid_cell(&g, "%s", l->why);
    else if (l->noise > 0)
      cli_grid_cell(&g, "weights changed by %.2g %%", 100 * __builtin_sqrt(l->noise));
    else
      cli_grid_cell(&g, "%s", "");
  }
  cli_grid_print(&g, stdout);
  printf("\n%s (%s) -> %s (%s); %zu of %zu layers quantised", cli_clean(from), cli_bytes((uint64_t)file_size(from)), cli_clean(to),
         cli_bytes((uint64_t)file_size(to)), integer, x->layers.n);
  if (x->calibrated) printf(", calibrated on %s samples", cli_count(x->calibrated));
  printf("\n");
  if (x->judged && x->before >= 0)
    printf("on %s other samples: %.2f %% right, float %.2f %%; the same answer for %.2f %%\n", cli_count(x->eval), x->after, x->before, x->agree);
  else if (x->judged)
    printf("on %s other samples: the same answer as the float model for %.2f %%\n", cli_count(x->eval), x->agree);
  if (x->searched) {
    printf("score: float %.2f, all integer %.2f, this model %.2f with %d of %d products in integers\n", x->found.score_float, x->found.score_all,
           x->found.score, x->found.integer, x->found.layers);
    if (x->found.ms > 0) printf("time of a run here: float %s, this model %s\n", cli_time(x->found.ms_float * 1000), cli_time(x->found.ms * 1000));
  }
}

static whet_status trained(void *user, const whet_train_state *s, const whet_epoch *e) {
  cli_progress("training", s->step, s->steps);
  return WHET_OK;
}

/* The model after quantisation-aware training, its own teacher. */
static whet_status train(whet_model *m, const struct options *o, const cli_samples *s, whet_model **out, whet_err *err) {
  static const whet_rounded of_scheme[] = {[WHET_SCHEME_INT8] = WHET_ROUNDED_INT8,
                                           [WHET_SCHEME_INT16X8] = WHET_ROUNDED_INT16X8,
                                           [WHET_SCHEME_DYNAMIC] = WHET_ROUNDED_WEIGHTS,
                                           [WHET_SCHEME_WEIGHTS] = WHET_ROUNDED_WEIGHTS};
  whet_feed feed = {0};
  whet_trainer_opts t = {.how = whet_train_opts_default(), .feed = &feed, .progress = trained};
  t.how.rate = o->train_rate > 0 ? o->train_rate : 3e-5;
  t.how.schedule = WHET_RATE_COSINE;
  t.how.epochs = (int32_t)o->train;
  t.how.rounded = o->weights == 4 ? WHET_ROUNDED_INT4 : of_scheme[o->scheme];
  t.how.teach = (whet_teach){.model = m, .temperature = 2, .mix = 1};
  cli_feed_numbers(m, s->o->range, s->o->mean, s->o->std, &feed);
  whet_status st = whet__trained(m, s->set, &t, cli_mem(), out, err);
  cli_progress_end();
  return st;
}

/* What options said of samples goes along with the model. */
static whet_status note_range(whet_model *out, const cli_samples *s, whet_err *err) {
  char text[WHET_FED_TEXT];
  whet_feed feed = {0};
  if (!s->o->range && !s->o->mean && !s->o->std) return WHET_OK;
  cli_feed_numbers(out, s->o->range, s->o->mean, s->o->std, &feed);
  return whet__fed_write(s->set, &feed, text) ? whet__model_note(out, whet__fed_key, text, err) : WHET_OK;
}

/* Quantise, judge, write. */
static whet_status work(whet_model *m, const struct options *o, const cli_samples *calibration, const cli_samples *eval, outcome *x,
                        whet_err *err) {
  whet_quantize_opts q = quantize_opts(o, o->output);
  cli_feed feed = {0};
  whet_model *out = NULL, *mine = NULL;
  if (o->train) WHET_TRY(train(m, o, calibration, &mine, err));
  whet_model *from = mine ? mine : m;
  cli_scorer j = {.samples = eval};
  whet_samples samples = {.n = calibration ? calibration->n : 0, .fill = cli_feed_fill, .user = &feed};
  whet_search search = {.size = sizeof search, .score = cli_score, .user = &j, .untimed = o->untimed};
  whet_status st = calibration ? cli_feed_open(&feed, calibration, from, err) : WHET_OK;
  const whet_samples *s = calibration ? &samples : NULL;
  x->searched = o->max_drop && cli_parse_percent(o->max_drop, &search.max_drop);
  x->calibrated = samples.n;
  if (!st)
    st = x->searched ? whet_quantize_within(from, s, &q, &search, &out, &x->layers, &x->found, err)
                     : whet_quantize(from, s, &q, &out, &x->layers, err);
  cli_feed_close(&feed);
  const char *wrong = st ? NULL : unknown(o, &x->layers);
  if (wrong) st = whet__fail(err, WHET_E_NAME, "--keep-float: no layer is called \"%.200s\"", wrong);
  if (!st && eval) {
    cli_answers a, b;
    if (!j.have) st = cli_score(&j, m, &x->before, err);
    a = j.first;
    if (!st) st = cli_answer(eval, out, "judging", &b, err);
    int64_t same = 0;
    for (int64_t i = 0; i < eval->n && !st; i++) same += a.best[i] == b.best[i];
    x->judged = true;
    x->eval = eval->n;
    if (!st) x->before = a.right < 0 ? -1 : 100 * a.right, x->after = 100 * b.right, x->agree = 100 * (double)same / (double)eval->n;
  }
  if (!st && calibration) st = note_range(out, calibration, err);
  if (!st) st = cli_save(out, o->output, false, err);
  cli_progress_end();
  whet_model_close(&mine);
  if (st) whet_model_close(&out); /* the layers' texts lie in it: it lives until the command ends */
  return st;
}

/* Do the options go together? */
static int check(const struct options *o, const cli_samples_opts *so) {
  double drop;
  if (!o->output) return cli_wrong("name the file to write: --output FILE");
  int status = cli_save_check(o->output);
  if (status) return status;
  if (o->max_drop && !cli_parse_percent(o->max_drop, &drop)) return cli_wrong("--max-drop %s: expected per cent, as 0.5%%", o->max_drop);
  if (o->max_drop && !o->eval) return cli_wrong("--max-drop needs samples that judge: --eval N");
  if (o->untimed && !o->max_drop) return cli_wrong("--untimed is for the search: --max-drop N%%");
  if (o->percentile > 0 && o->calibrate != WHET_CALIBRATE_PERCENTILE) return cli_wrong("--percentile goes with --calibrate percentile");
  if (o->train && o->scheme == WHET_SCHEME_FLOAT16) return cli_wrong("--train: float16 rounds too little to be trained for");
  if (o->train && !so->data) return cli_wrong("--train needs samples to train on: --data DIR");
  if (o->train_rate > 0 && !o->train) return cli_wrong("--train-rate is of training: --train EPOCHS");
  if (o->train && o->eval && !o->eval_split)
    return cli_wrong("--train learns all samples of the split: name others that judge, --eval-split test, or --eval 0");
  bool needs = o->scheme == WHET_SCHEME_INT8 || o->scheme == WHET_SCHEME_INT16X8;
  return needs && !so->data ? cli_wrong("ranges of activations are taken from samples: --data DIR") : 0;
}

int cli_quantize(int argc, char **argv) {
  struct options o = {.eval = 1000};
  cli_samples_opts so = {.samples = 200};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"options", k_options, &o};
  use.tables[1] = (cli_table){"data", cli_samples_options, &so};
  use.tables[2] = (cli_table){"numbers", k_numbers, &o};
  bool json;
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &json, argc, argv, &arg, &n_arg, &status)) return status;
  if ((status = check(&o, &so))) return status;
  whet_err err = {0};
  whet_model *m;
  cli_model_opts mo = {0};
  whet_model_opts open = cli_model_open_opts(&mo);
  if (whet_model_open(arg[0], &open, &m, &err)) return cli_fail_err(arg[0], &err);
  cli_samples calibration = {0}, eval = {0};
  outcome x = {0};
  if (so.data && (status = cli_samples_open(&calibration, &so, so.samples, NULL))) return status;
  if (so.data) cli_feed_doubt(arg[0], m, calibration.set, so.range, so.mean, so.std);
  cli_samples_opts eo = so;
  if (o.eval_split) eo.split = o.eval_split;
  bool others = o.eval_split || (so.data && whet__set_count(calibration.set) > calibration.n);
  if (so.data && o.eval && others && (status = cli_samples_open(&eval, &eo, o.eval, o.eval_split ? NULL : &calibration))) return status;
  if (o.max_drop && !eval.n) return cli_fail("%s: all samples calibrate, and none is left to judge: fewer --samples", so.data);
  if (work(m, &o, so.data ? &calibration : NULL, eval.n ? &eval : NULL, &x, &err))
    status = cli_fail_err(arg[0], &err);
  else if (json)
    status = say_json(arg[0], o.output, &x);
  else
    say(arg[0], o.output, &x);
  cli_samples_close(&eval);
  cli_samples_close(&calibration);
  whet_model_close(&m);
  return status;
}
