/* SPDX-License-Identifier: Apache-2.0 */
/* whet_train: training in one call, over data set and trainer. */

#include "train/train.h"

whet_train_opts whet_train_opts_default(void) {
  return (whet_train_opts){.size = sizeof(whet_train_opts), .optimizer = WHET_ADAM, .momentum = -1, .seed = 1, .teach.mix = -1};
}

whet_set *whet__test_half(const char *path, const whet_set_opts *so, const whet_set *set, whet_mem *m) {
  whet_set_opts other = *so;
  whet_set *test = NULL;
  whet_err err = {0};
  char a[400], b[400];
  other.training = false;
  other.split = NULL;
  if (so->split || whet__set_open(path, &other, m, &test, &err)) return NULL;
  bool mute = !whet__set_classes(set) && !whet__set_targets(set); /* nothing to measure */
  bool same = whet__set_count(test) == whet__set_count(set) &&
              !strcmp(whet__set_where(test, 0, a, sizeof a), whet__set_where(set, 0, b, sizeof b));
  if (mute || same || whet__set_classes(test) > whet__set_classes(set)) whet__set_close(&test);
  return test;
}

whet_status whet__trained(whet_model *m, const whet_set *data, const whet_trainer_opts *o, whet_mem *mem, whet_model **out,
                          whet_err *err) {
  whet_trainer *t;
  WHET_TRY(whet__trainer_open(m, data, o, mem, &t, err));
  whet_status s = whet__trainer_run(t, err);
  if (!s) s = whet__trainer_model(t, out, err);
  whet__trainer_close(&t);
  return s;
}

/* What the caller wants to be told. */
typedef struct teller {
  const whet_train_opts *o;
  bool stopped;
} teller;

static whet_status tell(void *user, const whet_train_state *s, const whet_epoch *e) {
  teller *t = user;
  t->stopped = t->o->progress(t->o->user, s, e) != 0;
  return t->stopped ? WHET_E_CANCELLED : WHET_OK;
}

static whet_status take_numbers(const char *what, const float *from, int n, float *to, int *n_to, whet_err *err) {
  if (n < 0 || n > 4 || (n && !from)) return whet__fail(err, WHET_E_MISUSE, "whet_train: %d numbers for %s, expected at most 4", n, what);
  for (int i = 0; i < n; i++) to[i] = from[i];
  *n_to = n;
  return WHET_OK;
}

/* Options that cannot be. */
static whet_status check(const whet_train_opts *o, whet_err *err) {
  const struct {
    const char *name;
    double v, lo, hi;
  } in[] = {{"loss", o->loss, 0, WHET_LOSS_KL},         {"optimizer", o->optimizer, 0, WHET_ADAMW},  {"schedule", o->schedule, 0, WHET_RATE_COSINE},
            {"rounded", o->rounded, 0, WHET_ROUNDED_INT4}, {"rate", o->rate, 0, 1000},                {"momentum", o->momentum, -1e9, 0.999999},
            {"beta2", o->beta2, 0, 0.9999999},           {"decay", o->decay, 0, 1},                   {"smoothing", o->smoothing, 0, 0.99},
            {"warmup", o->warmup, 0, 1e6},               {"epochs", o->epochs, 0, 1e6},               {"batch", o->batch, 0, 1e6},
            {"last", o->last, 0, 1e6},                   {"threads", o->threads, 0, 1024},            {"shift", o->augment.shift, 0, 1000},
            {"crop", (double)o->augment.crop, 0, 1},     {"mixup", (double)o->augment.mixup, 0, 10}};
  for (size_t i = 0; i < WHET_COUNT(in); i++)
    if (!(in[i].v >= in[i].lo && in[i].v <= in[i].hi))
      return whet__fail(err, WHET_E_MISUSE, "whet_train: %s is %g, expected %g to %g", in[i].name, in[i].v, in[i].lo, in[i].hi);
  return WHET_OK;
}

static whet_status train(whet_model *m, const char *data, const whet_train_opts *o, whet_mem *mem, whet_model **out, whet_err *err) {
  const whet_set_opts so = {.training = true,
                            .split = o->split,
                            .labels = o->labels,
                            .target = o->target,
                            .rate = o->sound_rate,
                            .sound = o->sound,
                            .sound_free = o->sound_free};
  whet_feed feed = {.ranged = o->range != NULL};
  if (o->range) feed.lo = o->range[0], feed.hi = o->range[1];
  WHET_TRY(take_numbers("mean", o->mean, o->n_mean, feed.mean, &feed.n_mean, err));
  WHET_TRY(take_numbers("std", o->std, o->n_std, feed.std, &feed.n_std, err));
  whet_set *set = NULL, *test = NULL;
  teller who = {o, false};
  WHET_TRY(whet__set_open(data, &so, mem, &set, err));
  if (!o->no_test) test = whet__test_half(data, &so, set, mem);
  const whet_trainer_opts how = {.how = *o, .feed = &feed, .test = test, .progress = o->progress ? tell : NULL, .user = &who};
  whet_status s = whet__trained(m, set, &how, mem, out, err);
  if (s && who.stopped) s = whet__fail(err, WHET_E_CANCELLED, "training was stopped");
  whet__set_close(&test);
  whet__set_close(&set);
  return s;
}

whet_status whet_train(whet_model *m, const char *data, const whet_train_opts *user, whet_model **out, whet_err *err) {
  whet_err mine = {0};
  if (!err) err = &mine;
  *err = (whet_err){0};
  if (out) *out = NULL;
  if (!m || !data || !out) return whet__fail(err, WHET_E_MISUSE, "whet_train: model, data and out must be given");
  whet_train_opts o = whet_train_opts_default();
  WHET_TRY(whet__take_opts("whet_train_opts", user, sizeof o, &o, err));
  WHET_TRY(check(&o, err));
  whet_mem mem;
  whet__mem_init(&mem, NULL, NULL, 0);
  return train(m, data, &o, &mem, out, err);
}
