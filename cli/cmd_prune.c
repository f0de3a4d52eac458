/* SPDX-License-Identifier: Apache-2.0 */
/* whet prune: a model with fewer channels, or with zeros among its weights. */

#include "compress/prune.h"

#include <math.h>
#include <stdio.h>

#include "fit.h"
#include "model.h"
#include "op/op.h"
#include "samples.h"
#include "save.h"

struct options {
  const char *output, *keep, *pattern;
  int64_t align;
  int score, across;
  double ramp;
  cli_list keep_dense;
  bool dense;
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_options[] = {
    {"output", 'o', CLI_TEXT, AT(output), "FILE", "the file to write; its ending says the format: " CLI_SAVE_ENDINGS,
     0, 0},
    {"pattern", 'p', CLI_TEXT, AT(pattern), "WHAT",
     "what goes: channels; or what becomes zero: weights, all but 2 of 4 inputs that follow each other (2:4, or any "
     "N:M), or blocks of 1 input "
     "by 16 outputs (1x16, or any IxO) (default: channels)",
     0, 0},
    {"keep", 0, CLI_TEXT, AT(keep), "N%",
     "part that stays, of the multiply-adds (channels) or of the weights; N:M says it itself (default: 50%)", 0, 0},
    {"align", 0, CLI_INT, AT(align), "N", "channels that stay are a multiple of N (default: 8)", 1, 1024},
    {"score", 0, CLI_CHOICE, AT(score), "magnitude|gradient",
     "what goes first: small weights, or those on which the loss depends least, by their gradients on --data "
     "(default: magnitude)",
     0, 0},
    {"across", 0, CLI_CHOICE, AT(across), "layer|model",
     "weights are compared in each layer, or over the whole model (default: layer)", 0, 0},
    {"keep-dense", 0, CLI_LIST, AT(keep_dense), "NODE",
     "a layer whose weights stay, by its name or that of its output; may be given again", 0, 0},
    {"dense", 0, CLI_FLAG, AT(dense), NULL, ".tflite, .onnx: write zeros, too, for readers that know no sparse weights", 0, 0},
    {"ramp", 0, CLI_REAL, AT(ramp), "SHARE",
     "with --data: part of the training over which the zeros come, fast at first (default: 0.6)", 0.0001, 1},
    {0}};

static const cli_use k_use = {
    .synopsis = "MODEL -o OUT [OPTION]...",
    .about =
        "Makes a float model smaller. By default it cuts whole channels out, so that the graph really becomes "
        "smaller and every runtime "
        "gains. Channels that a residual, a concatenation or a depthwise convolution joins go together; those whose "
        "filters are smallest "
        "go first, the same share everywhere. Inputs and outputs stay. With --pattern weights become zero instead: "
        "files store the others "
        "only, and whet computes with those only where that is faster.\n"
        "With --data the model is trained as by whet train, whose options serve here, too: after channels are cut, "
        "or while ever more weights "
        "become zero.",
    .examples =
        "  whet prune net.onnx --keep 50% -o half.onnx\n"
        "  whet prune net.onnx --keep 50% --data cifar10 --epochs 10 --rate 0.002 -o half.onnx\n"
        "  whet prune digits.tflite --pattern weights --keep 10% --data mnist --epochs 10 -o sparse.tflite\n"
        "  whet prune digits.tflite --pattern 2:4 -o half.tflite\n"
        "  whet train --model half.tflite --keep-zeros --data mnist --epochs 2 -o half-tuned.tflite\n",
    .least = 1,
    .most = 1,
    .missing = "name a model"};

/* "50%" or "0.5". */
static bool part(const char *s, double *out) {
  size_t n = strlen(s);
  char number[40];
  if (!n || n >= sizeof number) return false;
  memcpy(number, s, n + 1);
  bool percent = s[n - 1] == '%';
  if (percent) number[n - 1] = 0;
  if (!cli_parse_real(number, out)) return false;
  if (percent) *out /= 100;
  return *out > 0 && *out <= 1;
}

/* What --pattern says, into *s; channels are no pattern of zeros. */
static bool pattern(const char *text, whet_sparsity *s, bool *channels) {
  int a, b, end = 0;
  *channels = !text || !strcmp(text, "channels");
  if (*channels || !strcmp(text, "weights")) return true;
  if (strlen(text) > 12) return false;
  if (sscanf(text, "%4d:%4d%n", &a, &b, &end) == 2 && !text[end]) {
    s->n = a, s->m = b;
    return a >= 1 && b > a && b <= 64;
  }
  if (sscanf(text, "%4dx%4d%n", &a, &b, &end) != 2 || text[end]) return false;
  s->block_in = a, s->block_out = b;
  return a >= 1 && b >= 1;
}

/* What was asked for. */
struct job {
  struct options o;
  cli_recipe r;
  whet_sparsity how;
  double keep;
  bool channels, trains, json;
};

static int check(struct job *j) {
  struct options *o = &j->o;
  int status;
  if (!o->output) return cli_wrong("name the file to write: --output FILE");
  if ((status = cli_save_check(o->output))) return status;
  if (!pattern(o->pattern, &j->how, &j->channels))
    return cli_wrong("--pattern %.40s: expected channels, weights, N:M with N below M and M at most 64, or IxO",
                     o->pattern);
  if (j->how.m && o->keep) return cli_wrong("--keep: %.40s says what stays", o->pattern);
  j->keep = 0.5;
  if (o->keep && !part(o->keep, &j->keep))
    return cli_wrong("--keep %.40s: expected a part above 0 and at most 1, as 50%% or 0.5", o->keep);
  if (o->align && !j->channels) return cli_wrong("--align is for channels; zeros have a pattern: IxO");
  if (j->channels && (o->across >= 0 || o->keep_dense.n || o->ramp > 0))
    return cli_wrong("%s is for weights: --pattern weights, N:M or IxO", o->across >= 0 ? "--across"
                                                                         : o->ramp > 0  ? "--ramp"
                                                                                        : "--keep-dense");
  if (j->how.m && o->across >= 0) return cli_wrong("--across: of N:M every layer keeps the same part");
  j->trains = j->r.data != NULL;
  if (!j->trains && memcmp(&j->r, &cli_fit_default, sizeof j->r))
    return cli_wrong("options of training need data: --data DIR");
  if (!j->trains && o->ramp > 0) return cli_wrong("--ramp is a part of the training: --data DIR");
  if (!j->trains && o->score == WHET_BY_GRADIENT)
    return cli_wrong("--score gradient: gradients come with training: --data DIR");
  if (o->score == WHET_BY_GRADIENT && j->r.optimizer == WHET_SGD)
    return cli_wrong("--score gradient: the gradients are Adam's: --optimizer adam or adamw");
  j->how.zeros = 1 - j->keep;
  j->how.score = (whet_importance)o->score;
  j->how.across = o->across == 1;
  j->how.ramp = o->ramp > 0 ? o->ramp : 0.6;
  j->how.dense = o->keep_dense.v;
  j->how.n_dense = o->keep_dense.n;
  return j->trains ? cli_fit_check(&j->r) : 0;
}

/* Cut channels out of m. set: NULL, or what tells gradients. */
static whet_status cut(const struct job *j, whet_model *m, const whet_set *set, whet_model **out,
                       whet_prune_report *r, whet_err *err) {
  whet_feed feed;
  whet_trainer_opts learn = cli_fit_opts(&j->r, m, &feed);
  whet_prune_opts o = {.keep = j->keep, .align = (int32_t)j->o.align};
  learn.how.checkpoint = NULL;
  if (j->how.score == WHET_BY_GRADIENT) o.data = set, o.learn = &learn;
  return whet__prune(m, &o, out, r, err);
}

/* Zeros in m, or channels out of it, and training. *pruned: the model that r speaks of. One line is printed on
 * failure; exit status. */
static int work(const struct job *j, const char *path, whet_model *m, whet_set *set, whet_model **pruned,
                whet_model **out, whet_prune_report *r, json_t **epochs) {
  whet_err err = {0};
  cli_fitted made;
  if (set && cli_save_could(m, j->o.output, &err)) return cli_fail_err(j->o.output, &err);
  if (set) cli_feed_doubt(path, m, set, j->r.range, j->r.mean, j->r.std);
  if (j->channels) {
    if (cut(j, m, set, pruned, r, &err)) return cli_fail_err(path, &err);
    *out = whet_model_ref(*pruned);
  } else if (!set) {
    if (whet__prune_weights(m, &j->how, out, &err)) return cli_fail_err(path, &err);
  }
  if (set) {
    int status = cli_fit(&j->r, set, j->channels ? *pruned : m, j->channels ? NULL : &j->how, j->json, &made);
    if (status) return status;
    whet_model_close(out);
    *out = made.model;
    *epochs = made.epochs;
  }
  if (j->channels) return 0;
  *pruned = whet_model_ref(*out);
  return whet__prune_count(*out, r, &err) ? cli_fail_err(path, &err) : 0;
}

static void say_head(const struct job *j, const char *path, const whet_prune_report *r) {
  double all = 0, left = 0;
  for (size_t i = 0; i < r->n_layer; i++) all += (double)r->layer[i].had, left += (double)r->layer[i].has;
  printf("%s -> %s\n", cli_clean(path), cli_clean(j->o.output));
  if (j->channels)
    printf("multiply-adds %.4g -> %.4g (%.1f %%)\n\n  had  has  layer\n", r->had_macs, r->macs,
           100 * r->macs / r->had_macs);
  else
    printf("%s of %s weights are not zero (%.1f %%)\n\n  weights  not zero        layer\n", cli_count((int64_t)left),
           cli_count((int64_t)all), 100 * left / fmax(all, 1));
}

/* m: the model as r has its nodes. */
static int report(const struct job *j, const char *path, const whet_model *m, const whet_prune_report *r,
                  json_t *epochs) {
  json_t *list = json_array();
  if (!j->json) say_head(j, path, r);
  for (size_t i = 0; i < r->n_layer; i++) {
    const whet_node *n = &m->graph.node[r->layer[i].node];
    const char *name = *n->name ? n->name : m->graph.val[n->out[0]].name;
    long long had = r->layer[i].had, has = r->layer[i].has;
    if (j->json)
      json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I}", "layer", name, "operator", n->op->name, "had",
                                            (json_int_t)had, "has", (json_int_t)has));
    else if (j->channels)
      printf("%5lld%5lld  %s (%s)\n", had, has, cli_clean(name), n->op->name);
    else
      printf("%9lld %9lld %5.1f %%  %s (%s)\n", had, has, 100 * (double)has / (double)whet__max_i(had, 1),
             cli_clean(name), n->op->name);
  }
  if (!j->json) {
    json_decref(list);
    return CLI_DONE;
  }
  json_t *all = json_pack("{s:s, s:s, s:o}", "model", path, "output", j->o.output, "layers", list);
  if (j->channels) {
    json_object_set_new(all, "macs", cli_json_real(r->macs));
    json_object_set_new(all, "macs_before", cli_json_real(r->had_macs));
  }
  if (epochs) json_object_set_new(all, "epochs", epochs);
  return cli_json(all, 9);
}

/* Prune a model and write it. */
static int prune(const struct job *j, const char *path) {
  whet_model *m, *pruned = NULL, *out = NULL;
  whet_set *set = NULL;
  whet_prune_report r = {0};
  json_t *epochs = NULL;
  whet_err err = {0};
  if (whet_model_open(path, NULL, &m, &err)) return cli_fail_err(path, &err);
  int status = j->trains ? cli_fit_open(&j->r, &set) : 0;
  if (!status) status = work(j, path, m, set, &pruned, &out, &r, &epochs);
  if (!status && cli_save(out, j->o.output, j->o.dense, &err)) status = cli_fail_err(j->o.output, &err);
  if (!status) status = report(j, path, pruned, &r, epochs);
  whet_model_close(&out);
  whet_model_close(&pruned);
  whet__set_close(&set);
  whet_model_close(&m);
  return status;
}

int cli_prune(int argc, char **argv) {
  struct job j = {.o = {.across = -1}};
  memcpy(&j.r, &cli_fit_default, sizeof j.r);
  cli_use use = k_use;
  use.tables[0] = (cli_table){"options", k_options, &j.o};
  use.tables[1] = (cli_table){"data", cli_fit_data, &j.r};
  use.tables[2] = (cli_table){"learning", cli_fit_learn, &j.r};
  use.tables[3] = (cli_table){"augmentation", cli_fit_augment, &j.r};
  use.tables[4] = (cli_table){"teacher", cli_fit_teach, &j.r};
  use.tables[5] = (cli_table){"files", cli_fit_files, &j.r};
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &j.json, argc, argv, &arg, &n_arg, &status)) return status;
  return (status = check(&j)) ? status : prune(&j, arg[0]);
}
