/* SPDX-License-Identifier: Apache-2.0 */
/* Training as commands do it: options, progress, log and chart. */

#include "fit.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "chart.h"
#include "input.h"
#include "media.h"
#include "picture.h"
#include "samples.h"
#include "stats.h"

const cli_recipe cli_fit_default = {.optimizer = WHET_ADAM, .momentum = -1, .mix = -1, .seed = 1};

#define AT(field) offsetof(cli_recipe, field)
const cli_opt cli_fit_data[] = {
    {"data", 'd', CLI_TEXT, AT(data), "DIR",
     "what is learnt: MNIST's idx files, CIFAR's .bin, a folder for each class of pictures or sounds (also in a "
     ".tar.gz), .npy or CSV",
     0, 0},
    {"split", 0, CLI_TEXT, AT(split), "NAME",
     "the half that is learnt, where DIR holds two (default: train); the other is the test", 0, 0},
    {"labels", 0, CLI_TEXT, AT(labels), "NAMES", "the classes in order, \"a,b,c\" or a file with a line for each", 0,
     0},
    {"target", 0, CLI_TEXT, AT(target), "COLUMN",
     "CSV: the column to be told (default: label, class, target or y, else the last)", 0, 0},
    {"range", 0, CLI_TEXT, AT(range), "LO..HI",
     "what samples of 0..255 become (default: as the model's metadata say, else 0..1 for idx files and 0..255)", 0,
     0},
    {"mean", 0, CLI_TEXT, AT(mean), "A,B,C", "is then taken away from each channel", 0, 0},
    {"std", 0, CLI_TEXT, AT(std), "A,B,C", "by which each channel is then divided", 0, 0},
    CLI_SOUND_OPTIONS(AT(sound_rate), AT(mel)),
    {0}};
const cli_opt cli_fit_learn[] = {
    {"optimizer", 0, CLI_CHOICE, AT(optimizer), "sgd|adam|adamw",
     "how weights follow their gradients (default: adam)", 0, 0},
    {"rate", 'r', CLI_REAL, AT(rate), "R", "learning rate (default: 0.001; sgd: 0.01)", 1e-12, 1000},
    {"epochs", 'e', CLI_INT, AT(epochs), "N", "how often everything is learnt (default: 5)", 1, 1e6},
    {"batch", 'b', CLI_INT, AT(batch), "N", "items for each step (default: 32)", 1, 1e6},
    {"loss", 0, CLI_CHOICE, AT(loss), "auto|cross-entropy|mse|kl",
     "what is made small (default: cross-entropy for classes, mse for numbers)", 0, 0},
    {"schedule", 0, CLI_CHOICE, AT(schedule), "constant|step|cosine", "how the rate goes on (default: constant)", 0,
     0},
    {"step-factor", 0, CLI_REAL, AT(step_factor), "F", "step: the rate's factor (default: 0.1)", 0, 1},
    {"step-epochs", 0, CLI_INT, AT(step_epochs), "N", "step: after how many epochs (default: a third of all)", 1,
     1e6},
    {"warmup", 0, CLI_REAL, AT(warmup), "EPOCHS", "the rate rises from 0 over so many epochs", 0, 1e6},
    {"momentum", 0, CLI_REAL, AT(momentum), "M", "sgd's momentum, Adam's first moment (default: 0.9)", 0, 0.999999},
    {"nesterov", 0, CLI_FLAG, AT(nesterov), NULL, "sgd looks ahead", 0, 0},
    {"decay", 0, CLI_REAL, AT(decay), "D", "weight decay", 0, 1},
    {"smoothing", 0, CLI_REAL, AT(smoothing), "S", "share of a target that all classes get", 0, 0.99},
    {"quantization-aware", 0, CLI_CHOICE, AT(rounded), "no|int8|int16x8|weights|int4",
     "learn to bear what whet quantize will round: 8-bit weights and tensors, 16-bit tensors, weights only, 4-bit "
     "weights",
     0, 0},
    {"seed", 0, CLI_INT, AT(seed), "N", "for first weights, order and augmentation (default: 1)", 0, 1e15},
    {"threads", 't', CLI_INT, AT(threads), "N", "threads (default: all); the result does not depend on it", 1, 1024},
    {0}};
const cli_opt cli_fit_augment[] = {
    {"shift", 0, CLI_INT, AT(shift), "PIXELS", "move pictures by up to so many pixels", 0, 1000},
    {"flip", 0, CLI_FLAG, AT(flip), NULL, "exchange left and right in half of the pictures", 0, 0},
    {"crop", 0, CLI_REAL, AT(crop), "SHARE", "enlarge a part of at least this share of the sides", 0, 1},
    {"mixup", 0, CLI_REAL, AT(mixup), "A", "mix two items by a share drawn from Beta(A, A)", 0, 10},
    {"time-shift", 0, CLI_INT, AT(time_shift), "FRAMES", "move sounds by up to so many frames", 0, 1e9},
    {"noise", 0, CLI_REAL, AT(noise), "STD", "add noise of this standard deviation", 0, 1e6},
    {0}};
const cli_opt cli_fit_teach[] = {
    {"teacher", 0, CLI_TEXT, AT(teacher), "FILE",
     "a model whose answers are learnt, too (knowledge distillation): any that runs, of any type and input size", 0,
     0},
    {"temperature", 0, CLI_REAL, AT(temperature), "T", "both models' scores are divided by it (default: 4)", 0.01,
     1000},
    {"mix", 0, CLI_REAL, AT(mix), "SHARE",
     "the teacher's share of the loss; with 1 the data need no classes (default: 0.7)", 0, 1},
    {"match", 0, CLI_TEXT, AT(match), "MINE=ITS",
     "also make items alike by tensor or node MINE that are alike by the teacher's ITS", 0, 0},
    {"match-weight", 0, CLI_REAL, AT(match_weight), "W", "weight of that (default: 3000)", 0, 1e9},
    {"teacher-cache", 0, CLI_TEXT, AT(teacher_cache), "FILE", "keep the teacher's answers for later epochs and runs",
     0, 0},
    {0}};
const cli_opt cli_fit_files[] = {
    {"checkpoint", 'c', CLI_TEXT, AT(checkpoint), "FILE",
     "write where training is after every epoch, "
     "and go on from there when the file exists",
     0, 0},
    {"checkpoint-steps", 0, CLI_INT, AT(checkpoint_steps), "N", "write it after so many steps, too", 1, 1e12},
    {"restart", 0, CLI_FLAG, AT(restart), NULL, "begin anew although there is a checkpoint", 0, 0},
    {"log", 0, CLI_TEXT, AT(log), "FILE.csv", "write a line for each epoch", 0, 0},
    {"chart", 0, CLI_TEXT, AT(chart), "FILE.svg", "draw loss and accuracy", 0, 0},
    {"no-test", 0, CLI_FLAG, AT(no_test), NULL, "do not measure the test half after every epoch", 0, 0},
    {0}};

/* ---- showing --------------------------------------------------------------------------------- */

/* What the loop's calls need. */
struct show {
  const cli_recipe *r;
  whet_trainer *t;
  bool json, tty;
  double began, drawn;
  int64_t from; /* step that this run began with */
};

static double now(void) { return 1e-6 * cli_now_us(); }

/* The bar, a few times a second. */
static void bar(struct show *w, const whet_train_state *s) {
  double t = now(), done = (double)s->step / (double)s->steps;
  if (!w->tty || t - w->drawn < 0.1) return;
  w->drawn = t;
  double speed = (double)(s->step - w->from) / (t - w->began), rest = (double)(s->steps - s->step) / speed;
  char acc[40] = "", time[40];
  if (s->accuracy >= 0) snprintf(acc, sizeof acc, "  accuracy %.2f %%", 100 * s->accuracy);
  if (rest < 100)
    snprintf(time, sizeof time, "%.0f s", rest);
  else
    snprintf(time, sizeof time, "%d:%02d min", (int)rest / 60, (int)rest % 60);
  fprintf(stderr, "\r\033[Kepoch %d/%d  %s  loss %.4f%s  %s left", s->epoch, s->epochs, cli_bar(done, 24), s->loss,
          acc, time);
  fflush(stderr);
}

static whet_status write_log(const struct show *w, whet_err *err) {
  size_t n;
  const whet_epoch *e = whet__trainer_epochs(w->t, &n);
  whet_text t = {.mem = cli_mem()};
  whet__text_printf(&t, "epoch,step,loss,accuracy,test_loss,test_accuracy,rate,seconds\n");
  for (size_t i = 0; i < n; i++) {
    whet__text_printf(&t, "%d,%lld,%.9g", e[i].epoch, (long long)e[i].step, e[i].loss);
    const double v[] = {e[i].accuracy, e[i].test_loss, e[i].test_accuracy};
    for (int k = 0; k < 3; k++) whet__text_printf(&t, v[k] < 0 ? "," : ",%.9g", v[k]);
    whet__text_printf(&t, ",%.9g,%.3f\n", e[i].rate, e[i].seconds);
  }
  whet_status s = whet__file_write(w->r->log, t.p, t.n, err);
  whet__text_free(&t);
  return s;
}

static whet_status write_chart(const struct show *w, whet_err *err) {
  size_t n, k = 0;
  const whet_epoch *e = whet__trainer_epochs(w->t, &n);
  double *v = cli_keep(5 * (n + 1) * sizeof *v);
  for (size_t i = 0; i < n; i++) {
    v[i] = e[i].epoch;
    v[n + i] = e[i].loss;
    v[2 * n + i] = e[i].test_loss < 0 ? NAN : e[i].test_loss;
    v[3 * n + i] = e[i].accuracy < 0 ? NAN : e[i].accuracy;
    v[4 * n + i] = e[i].test_accuracy < 0 ? NAN : e[i].test_accuracy;
  }
  bool classes = n && e[0].accuracy >= 0, test = n && e[0].test_loss >= 0;
  cli_curve loss[2] = {{"training", v, v + n, n, false}, {"test", v, v + 2 * n, n, false}};
  cli_curve share[2] = {{"training", v, v + 3 * n, n, false}, {"test", v, v + 4 * n, n, false}};
  cli_chart chart[2] = {{"Loss", "epoch", "", loss, test ? 2 : 1, false, true},
                        {"Accuracy", "epoch", "", share, test ? 2 : 1, true, false}};
  whet_text t = {.mem = cli_mem()};
  cli_chart_open(&t, 760, classes ? 640 : 330);
  for (k = 0; k < (classes ? 2u : 1u); k++) cli_chart_draw(&t, &chart[k], 10, 10 + 310 * (double)k, 740, 300);
  return cli_chart_save(&t, w->r->chart, err);
}

static void show_epoch(const whet_epoch *e, int32_t epochs) {
  printf("epoch %d/%d  loss %.4f", e->epoch, epochs, e->loss);
  if (e->accuracy >= 0) printf("  accuracy %.2f %%", 100 * e->accuracy);
  if (e->test_loss >= 0) printf("  test loss %.4f", e->test_loss);
  if (e->test_accuracy >= 0) printf("  test accuracy %.2f %%", 100 * e->test_accuracy);
  printf("  %.1f s\n", e->seconds);
  fflush(stdout);
}

static whet_status progress(void *user, const whet_train_state *s, const whet_epoch *e) {
  struct show *w = user;
  whet_err err = {0};
  if (!e) {
    bar(w, s);
    return WHET_OK;
  }
  if (w->tty) fprintf(stderr, "\r\033[K");
  if (!w->json) show_epoch(e, s->epochs);
  whet_status r = w->r->log ? write_log(w, &err) : WHET_OK;
  if (!r && w->r->chart) r = write_chart(w, &err);
  if (r) cli_error("%s", err.text);
  return r;
}

/* ---- training ------------------------------------------------------------------------------- */

static whet_train_opts train_opts(const cli_recipe *r) {
  return (whet_train_opts){.loss = (whet_loss)r->loss,
                           .optimizer = (whet_optimizer)r->optimizer,
                           .schedule = (whet_schedule)r->schedule,
                           .rounded = (whet_rounded)r->rounded,
                           .keep_zeros = r->keep_zeros,
                           .rate = r->rate,
                           .momentum = r->momentum,
                           .beta2 = r->beta2,
                           .decay = r->decay,
                           .nesterov = r->nesterov,
                           .step_factor = r->step_factor,
                           .step_epochs = (int32_t)r->step_epochs,
                           .warmup = r->warmup,
                           .smoothing = r->smoothing,
                           .epochs = (int32_t)r->epochs,
                           .batch = (int32_t)r->batch,
                           .last = (int32_t)r->last,
                           .seed = (uint64_t)r->seed,
                           .threads = (int)r->threads,
                           .augment = {(int32_t)r->shift, r->flip, (float)r->crop, (float)r->mixup,
                                       (int32_t)r->time_shift, (float)r->noise},
                           .checkpoint = r->checkpoint,
                           .checkpoint_steps = r->checkpoint_steps,
                           .restart = r->restart};
}

/* The test half of the same data; NULL when there is none. */
static whet_set *test_half(const cli_recipe *r, const whet_set *set) {
  whet_set_opts so = cli_set_opts(true, r->split, r->labels, r->target, r->sound_rate);
  return r->no_test || cli_set_mel(&so, r->mel) ? NULL : whet__test_half(r->data, &so, set, cli_mem());
}

static json_t *epochs_of(const whet_trainer *t) {
  size_t n;
  const whet_epoch *e = whet__trainer_epochs(t, &n);
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++) {
    json_t *one =
        json_pack("{s:i, s:I, s:o, s:o, s:o}", "epoch", e[i].epoch, "step", (json_int_t)e[i].step, "loss",
                  cli_json_real(e[i].loss), "rate", cli_json_real(e[i].rate), "seconds", cli_json_real(e[i].seconds));
    if (e[i].accuracy >= 0) json_object_set_new(one, "accuracy", cli_json_real(e[i].accuracy));
    if (e[i].test_loss >= 0) json_object_set_new(one, "test_loss", cli_json_real(e[i].test_loss));
    if (e[i].test_accuracy >= 0) json_object_set_new(one, "test_accuracy", cli_json_real(e[i].test_accuracy));
    json_array_append_new(list, one);
  }
  return list;
}

/* The teacher's part of the options; the model is the caller's to close. */
static whet_status open_teach(const cli_recipe *r, whet_teach *t, whet_err *err) {
  *t = (whet_teach){
      .temperature = r->temperature, .mix = r->mix, .cache = r->teacher_cache, .match_weight = r->match_weight};
  if (!r->teacher) return WHET_OK;
  if (r->match) {
    const char *mid = strchr(r->match, '=');
    t->match = cli_keep_str(r->match, (size_t)(mid - r->match));
    t->match_teacher = mid + 1;
  }
  return whet_model_open(r->teacher, NULL, &t->model, err);
}

int cli_fit_check(const cli_recipe *r) {
  const cli_input_opts given = {.range = r->range, .mean = r->mean, .std = r->std};
  if (!r->data) return cli_wrong("say what is learnt: --data DIR");
  int status = cli_input_check(&given);
  if (status) return status;
  if (!r->teacher && (r->match || r->teacher_cache || r->mix >= 0 || r->temperature > 0))
    return cli_wrong("temperature, mix, match and cache are a teacher's: --teacher FILE");
  const char *mid = r->match ? strchr(r->match, '=') : NULL;
  if (r->match && (!mid || mid == r->match || !mid[1]))
    return cli_wrong("--match names a tensor of each model: MINE=ITS");
  return 0;
}

int cli_fit_open(const cli_recipe *r, whet_set **set) {
  whet_set_opts so = cli_set_opts(true, r->split, r->labels, r->target, r->sound_rate);
  int status = cli_set_mel(&so, r->mel);
  if (status) return status;
  whet_err err = {0};
  return whet__set_open(r->data, &so, cli_mem(), set, &err) ? cli_fail_err(r->data, &err) : 0;
}

whet_trainer_opts cli_fit_opts(const cli_recipe *r, whet_model *m, whet_feed *feed) {
  whet_trainer_opts o = {.how = train_opts(r)};
  *feed = (whet_feed){0};
  cli_feed_numbers(m, r->range, r->mean, r->std, feed);
  o.feed = feed;
  return o;
}

int cli_fit(const cli_recipe *r, const whet_set *set, whet_model *m, const whet_sparsity *sparsity, bool json,
            cli_fitted *out) {
  struct show w = {.r = r, .json = json, .tty = isatty(2) && !json};
  whet_feed feed = {0};
  whet_trainer_opts o = cli_fit_opts(r, m, &feed);
  whet_set *test = test_half(r, set);
  whet_err err = {0};
  *out = (cli_fitted){0};
  o.progress = progress;
  o.user = &w;
  o.test = test;
  o.sparsity = sparsity;
  whet_status s = open_teach(r, &o.how.teach, &err);
  if (s) {
    whet__set_close(&test);
    return cli_fail_err(r->teacher, &err);
  }
  s = whet__trainer_open(m, set, &o, cli_mem(), &w.t, &err);
  if (!s) {
    size_t n;
    const whet_epoch *e = whet__trainer_epochs(w.t, &n);
    w.from = n ? e[n - 1].step : 0;
    if (!json)
      printf("%s weights, %s items of %s%s\n", cli_count(whet__trainer_weights(w.t)), cli_count(whet__set_count(set)),
             whet__set_kind(set), n ? cli_keep_printf(", going on after epoch %zu", n) : "");
    w.began = now();
    s = whet__trainer_run(w.t, &err);
    if (w.tty) fprintf(stderr, "\r\033[K");
  }
  if (!s) s = whet__trainer_model(w.t, &out->model, &err);
  if (!s) out->weights = whet__trainer_weights(w.t);
  if (!s && json) out->epochs = epochs_of(w.t);
  int status = s ? cli_fail_err(NULL, &err) : 0;
  whet__trainer_close(&w.t);
  whet_model_close(&o.how.teach.model);
  whet__set_close(&test);
  return status;
}
