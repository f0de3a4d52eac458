/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: batches through the training graph, rates, epochs, checkpoints. */

#include <math.h>
#include <time.h>

#include "base/str.h"
#include "op/op.h"
#include "plan/program.h"
#include "run/session.h"
#include "train/batch.h"
#include "train/checkpoint.h"
#include "train/graph.h"
#include "train/measure.h"
#include "train/pace.h"
#include "train/rounded.h"
#include "train/teacher.h"
#include "train/zeros.h"

struct whet_trainer {
  whet_mem *mem;
  whet_err *err;
  whet_trainer_opts o;
  whet_model *base;
  const whet_set *set;
  whet_train_graph graph;
  whet_session *session;
  whet_pace pace;        /* of its steps */
  whet_batcher *batches;
  whet_teacher *teacher; /* NULL: nobody teaches */
  whet_zeros *zeros;     /* NULL: zeros are weights as others */
  whet_memory *var; /* trained ones, then what the optimiser remembers */
  size_t n_var;
  whet_epoch *epoch;
  size_t n_epoch, cap_epoch;
  int32_t *label, *item; /* of the batch under way */
  uint64_t print;
  int64_t step, per_epoch;
  int64_t seen, right; /* of the epoch under way */
  double loss, began;
  bool still; /* nothing is learnt */
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- opening --------------------------------------------------------------------------------- */

static whet_status settle_teach(whet_train_opts *o, const whet_set *s, whet_err *err) {
  whet_teach *t = &o->teach;
  const whet_augment *a = &o->augment;
  if (!t->model) return WHET_OK;
  if (!(t->temperature > 0)) t->temperature = 4;
  if (t->mix < 0) t->mix = 0.7;
  if (!(t->match_weight > 0)) t->match_weight = 3000;
  if (t->mix > 1) return whet__fail(err, WHET_E_DATA, "the teacher's share of the loss is 0 to 1, not %g", t->mix);
  if (!t->match != !t->match_teacher) return whet__fail(err, WHET_E_DATA, "a match needs a tensor of the model and one of the teacher");
  if (t->cache && (a->shift || a->flip || a->crop > 0 || a->mixup > 0 || a->time_shift || a->noise > 0))
    return whet__fail(err, WHET_E_DATA, "%s: what a teacher says can be kept only where items are learnt as they are, without augmentation",
                      t->cache);
  if (t->cache && !whet__set_count(s)) return whet__fail(err, WHET_E_DATA, "%s: no items", whet__set_path(s));
  return WHET_OK;
}

/* Options with their defaults, or what is wrong with them. */
static whet_status settle(const whet_trainer_opts *from, const whet_set *s, whet_trainer_opts *out, whet_err *err) {
  whet_train_opts *o = &out->how;
  *out = *from;
  bool sgd = o->optimizer == WHET_SGD;
  if (!(o->rate > 0)) o->rate = sgd ? 0.01 : 0.001;
  if (o->momentum < 0) o->momentum = 0.9;
  if (!(o->beta2 > 0)) o->beta2 = 0.999;
  if (!(o->epsilon > 0)) o->epsilon = 1e-7;
  if (!(o->step_factor > 0)) o->step_factor = 0.1;
  if (o->epochs < 1) o->epochs = 5;
  if (o->batch < 1) o->batch = 32;
  if (o->step_epochs < 1) o->step_epochs = (int32_t)whet__max_i(1, (o->epochs + 2) / 3);
  o->batch = (int32_t)whet__min_i(o->batch, whet__set_count(s));
  if (o->loss == WHET_LOSS_AUTO) o->loss = whet__set_targets(s) ? WHET_LOSS_MSE : WHET_LOSS_CROSS_ENTROPY;
  WHET_TRY(settle_teach(o, s, err));
  bool alone = !o->teach.model || o->teach.mix < 1;
  if (alone && !whet__set_classes(s) && !whet__set_targets(s))
    return whet__fail(err, WHET_E_DATA, "%s: the data have neither classes nor targets to learn", whet__set_path(s));
  if (whet__set_count(s) > INT32_MAX) return whet__fail(err, WHET_E_LIMIT, "%s: more than %d items", whet__set_path(s), INT32_MAX);
  if (o->momentum >= 1 || o->beta2 >= 1 || o->smoothing < 0 || o->smoothing >= 1)
    return whet__fail(err, WHET_E_DATA, "moments and smoothing lie below 1");
  if (out->sparsity && !(out->sparsity->ramp > 0 && out->sparsity->ramp <= 1))
    return whet__fail(err, WHET_E_DATA, "zeros come over a share of the training, above 0 and at most 1, not %g", out->sparsity->ramp);
  return WHET_OK;
}

/* What a checkpoint must have been made by. */
static uint64_t fingerprint(const whet_trainer *t) {
  const whet_train_opts *o = &t->o.how;
  const whet_augment *a = &o->augment;
  const whet_graph *g = &t->graph.model->graph;
  double n[] = {(double)o->loss, (double)o->optimizer, o->rate, o->momentum, o->beta2, o->epsilon, o->decay, (double)(o->nesterov != 0),
                (double)o->schedule, o->step_factor, (double)o->step_epochs, o->warmup, o->smoothing, (double)o->epochs, (double)o->batch,
                (double)o->last, (double)o->seed, (double)a->shift, (double)a->flip, (double)a->crop, (double)a->mixup,
                (double)a->time_shift, (double)a->noise, (double)o->rounded, (double)whet__set_count(t->set)};
  uint64_t h = whet__hash(WHET_HASH_SEED, n, sizeof n);
  for (int32_t i = 0; i < g->main.n_node; i++) {
    const char *name = g->node[g->main.node[i]].op->name;
    h = whet__hash(h, name, strlen(name));
  }
  for (int32_t i = 0; i < t->graph.n_trained; i++) { /* the first values, too: another file is another start */
    const whet_val *x = &g->val[t->graph.trained[i].val];
    h = whet__hash(h, x->data->p, whet_dtype_bytes(WHET_F32, (size_t)whet__shape_count(&x->shape)));
  }
  if (t->o.sparsity || o->keep_zeros) {
    const whet_sparsity none = {0}, *s = t->o.sparsity ? t->o.sparsity : &none;
    double r[] = {s->zeros, s->n, s->m, s->block_in, s->block_out, (double)s->score, (double)s->across, s->ramp};
    h = whet__hash(h, r, sizeof r);
    for (size_t i = 0; i < s->n_dense; i++) h = whet__hash(h, s->dense[i], strlen(s->dense[i]));
  }
  if (t->o.feed) {
    double r[11] = {t->o.feed->ranged, (double)t->o.feed->lo, (double)t->o.feed->hi};
    for (int i = 0; i < 4; i++) {
      r[3 + i] = i < t->o.feed->n_mean ? (double)t->o.feed->mean[i] : 0;
      r[7 + i] = i < t->o.feed->n_std ? (double)t->o.feed->std[i] : 1;
    }
    h = whet__hash(h, r, sizeof r);
  }
  return t->teacher ? h ^ whet__teacher_print(t->teacher) : h;
}

static whet_status memories(whet_trainer *t) {
  t->n_var = (size_t)(t->graph.n_trained + t->graph.n_slot);
  t->var = whet__alloc_array(t->mem, t->n_var + 1, sizeof *t->var);
  t->label = whet__alloc_array(t->mem, (size_t)t->o.how.batch, sizeof *t->label);
  t->item = whet__alloc_array(t->mem, (size_t)t->o.how.batch, sizeof *t->item);
  if (!t->var || !t->label || !t->item) return whet__no_memory(t->mem, t->n_var * sizeof *t->var, t->err, "training");
  for (size_t i = 0; i < t->n_var; i++) {
    int32_t v = i < (size_t)t->graph.n_trained ? t->graph.trained[i].val : t->graph.slot[i - (size_t)t->graph.n_trained];
    t->var[i].p = whet__state_memory(t->session, v);
    t->var[i].n = whet_dtype_bytes(WHET_F32, (size_t)whet__shape_count(&t->graph.model->graph.val[v].shape));
    if (!t->var[i].p) return whet__fail(t->err, WHET_E_INTERNAL, "variable %d of the training graph is not there", v);
  }
  return WHET_OK;
}

static whet_status go_on(whet_trainer *t) {
  whet_checkpoint c;
  whet_epoch *epoch = NULL;
  bool there;
  if (!t->o.how.checkpoint || t->o.how.restart) return WHET_OK;
  WHET_TRY(whet__checkpoint_read(t->o.how.checkpoint, t->print, &c, &epoch, t->var, t->n_var, t->mem, &there, t->err));
  if (!there) return WHET_OK;
  t->step = c.step, t->seen = c.seen, t->right = c.right, t->loss = c.loss;
  t->epoch = epoch;
  t->n_epoch = (size_t)c.n_epoch;
  t->cap_epoch = (size_t)c.n_epoch + 1;
  return WHET_OK;
}

static whet_status open_trainer(whet_trainer *t) {
  const whet_train_opts *o = &t->o.how;
  bool sgd = o->optimizer == WHET_SGD;
  whet_train_how how = {.loss = o->loss, .batch = o->batch, .last = o->last, .taught = o->teach.model != NULL, .rounded = o->rounded};
  how.temperature = o->teach.temperature, how.mix = o->teach.mix;
  how.match = o->teach.match, how.match_weight = o->teach.match_weight;
  how.learn = (whet_learn){.kind = sgd ? WHET_LEARN_SGD : WHET_LEARN_ADAM, .nesterov = o->nesterov != 0, .decoupled = o->optimizer == WHET_ADAMW,
                           .a = (float)o->momentum, .b = (float)o->beta2, .epsilon = (float)o->epsilon, .decay = (float)o->decay};
  WHET_TRY(whet__train_graph(t->base, &how, t->mem, &t->graph, t->err));
  const whet_shape *x = &t->graph.x, *y = &t->graph.target;
  int64_t numbers = whet__shape_count(y) / o->batch, want = whet__set_classes(t->set) ? whet__set_classes(t->set) : whet__set_targets(t->set);
  if (!want) want = numbers; /* the teacher says how it is */
  if (y->d[0] != o->batch || numbers != want)
    return whet__fail(t->err, WHET_E_SHAPE, "the model gives %lld numbers for an item; the data have %lld %s", (long long)numbers,
                      (long long)want, whet__set_classes(t->set) ? "classes" : "targets");
  whet_info in = {.name = "input", .dtype = WHET_F32, .rank = x->rank};
  whet_feed f;
  memcpy(in.dims, x->d, sizeof in.dims);
  WHET_TRY(whet__feed_of(t->set, &in, &f, t->err));
  whet__feed_numbers(&f, t->o.feed);
  WHET_TRY(whet__batcher_open(t->set, &f, o->batch, numbers, o, t->mem, &t->batches, t->err));
  t->per_epoch = whet__batcher_count(t->batches);
  if (o->teach.model)
    WHET_TRY(whet__teacher_open(o, t->set, &f, numbers, o->loss != WHET_LOSS_MSE, t->mem, &t->teacher, t->err));
  whet_program_opts po = whet_program_opts_default();
  whet_program *p;
  po.threads = o->threads;
  WHET_TRY(whet_program_create(t->graph.model, &po, &p, t->err));
  whet_status s = whet_session_create(p, &t->session, t->err);
  whet_program_close(&p);
  WHET_TRY(s);
  whet__pace_start(&t->pace, t->session->program->threads);
  if (!whet_session_input(t->session, 0, NULL, t->err)) return t->err->code;
  WHET_TRY(memories(t));
  if (t->o.sparsity || o->keep_zeros)
    WHET_TRY(whet__zeros_open(t->base, t->o.sparsity, &t->graph, !sgd, t->var, t->mem, &t->zeros, t->err));
  t->print = fingerprint(t);
  WHET_TRY(go_on(t));
  if (t->zeros) whet__zeros_note(t->zeros);
  return WHET_OK;
}

whet_status whet__trainer_open(whet_model *m, const whet_set *data, const whet_trainer_opts *o, whet_mem *mem, whet_trainer **out,
                               whet_err *err) {
  whet_err mine = {0};
  if (!err) err = &mine;
  *out = NULL;
  whet_trainer *t = whet__alloc0(mem, sizeof *t);
  if (!t) return whet__no_memory(mem, sizeof *t, err, "training");
  *t = (whet_trainer){.mem = mem, .err = err, .base = whet_model_ref(m), .set = data};
  whet_status s = settle(o, data, &t->o, err);
  if (!s) s = open_trainer(t);
  if (s)
    whet__trainer_close(&t);
  else
    *out = t;
  return s;
}

void whet__trainer_close(whet_trainer **pt) {
  whet_trainer *t = *pt;
  if (!t) return;
  whet__batcher_close(&t->batches);
  whet__teacher_close(&t->teacher);
  whet__zeros_close(&t->zeros);
  whet_session_close(&t->session);
  whet__train_graph_free(&t->graph, t->mem);
  whet_model_close(&t->base);
  void *own[] = {t->var, t->epoch, t->label, t->item, t};
  whet_mem *m = t->mem;
  for (size_t i = 0; i < WHET_COUNT(own); i++) whet__free(m, own[i]);
  *pt = NULL;
}

/* ---- rates ----------------------------------------------------------------------------------- */

/* The rate of step number `step`, from 0. */
static double rate_at(const whet_trainer *t, int64_t step) {
  const whet_train_opts *o = &t->o.how;
  double all = (double)(t->per_epoch * o->epochs), warm = o->warmup * (double)t->per_epoch, at = (double)step;
  if (at < warm) return o->rate * (at + 1) / warm;
  if (o->schedule == WHET_RATE_COSINE) return o->rate * 0.5 * (1 + cos(3.14159265358979323846 * (at - warm) / fmax(all - warm, 1)));
  if (o->schedule == WHET_RATE_STEP) return o->rate * pow(o->step_factor, floor(at / (double)t->per_epoch / (double)o->step_epochs));
  return o->rate;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static whet_status write_checkpoint(whet_trainer *t) {
  if (!t->o.how.checkpoint) return WHET_OK;
  whet_checkpoint c = {.print = t->print, .step = t->step, .seen = t->seen, .right = t->right, .loss = t->loss, .n_epoch = t->n_epoch};
  return whet__checkpoint_write(t->o.how.checkpoint, &c, t->epoch, t->var, t->n_var, t->mem, t->err);
}

static whet_status ask_teacher(whet_trainer *t, const float *x) {
  whet_err *err = t->err;
  if (!t->teacher) return WHET_OK;
  float *told = whet_session_input(t->session, 3, NULL, err), *alike = t->o.how.teach.match ? whet_session_input(t->session, 4, NULL, err) : NULL;
  if (!told || (t->o.how.teach.match && !alike)) return err->code;
  for (int64_t i = 0; i < t->o.how.batch; i++) t->item[i] = (int32_t)whet__batcher_item(t->batches, i);
  return whet__teacher_tell(t->teacher, x, t->item, told, alike, err);
}

static whet_status step(whet_trainer *t) {
  size_t bytes;
  whet_err *err = t->err;
  float *x = whet_session_input(t->session, 0, NULL, err), *target = whet_session_input(t->session, 1, NULL, err);
  float *hyper = whet_session_input(t->session, 2, NULL, err);
  if (!x || !target || !hyper) return err->code;
  int32_t epoch = (int32_t)(t->step / t->per_epoch) + 1;
  int width = t->session->width = whet__pace_width(&t->pace);
  double began = now();
  WHET_TRY(whet__batcher_get(t->batches, width, epoch, t->step % t->per_epoch, x, target, t->label, err));
  double took = now() - began; /* without the teacher's time */
  WHET_TRY(ask_teacher(t, x));
  double n = (double)(t->step + 1);
  hyper[0] = t->still ? 0 : (float)rate_at(t, t->step);
  hyper[1] = (float)(1 / (1 - pow(t->o.how.momentum, n)));
  hyper[2] = (float)(1 / (1 - pow(t->o.how.beta2, n)));
  began = now();
  WHET_TRY(whet_session_run(t->session, NULL, err));
  whet__pace_took(&t->pace, took + now() - began);
  const float *loss = whet_session_output(t->session, 0, NULL, err), *score = whet_session_output(t->session, 1, &bytes, err);
  if (!loss || !score) return err->code;
  if (!isfinite(loss[0]))
    return whet__fail(err, WHET_E_DATA, "the loss is %g at step %lld: training has run away; a smaller rate than %g may help", (double)loss[0],
                      (long long)t->step, t->o.how.rate);
  int64_t each = (int64_t)(bytes / sizeof *score) / t->o.how.batch;
  for (int64_t i = 0; i < t->o.how.batch; i++) {
    int64_t best = 0;
    for (int64_t k = 1; k < each; k++)
      if (score[i * each + k] > score[i * each + best]) best = k;
    t->right += t->label[i] == best;
  }
  t->loss += (double)loss[0] * t->o.how.batch;
  t->seen += t->o.how.batch;
  t->step++;
  return t->zeros ? whet__zeros_step(t->zeros, t->step, t->per_epoch * t->o.how.epochs, err) : WHET_OK;
}

static void state_of(const whet_trainer *t, whet_train_state *s) {
  bool classes = whet__set_classes(t->set) > 0;
  double n = (double)whet__max_i(t->seen, 1);
  *s = (whet_train_state){.step = t->step, .steps = t->per_epoch * t->o.how.epochs, .epochs = t->o.how.epochs, .loss = t->loss / n,
                          .epoch = (int32_t)((t->step + t->per_epoch - 1) / t->per_epoch), .accuracy = classes ? (double)t->right / n : -1};
  s->rate = rate_at(t, whet__max_i(t->step - 1, 0));
}

/* The epoch is over. */
static whet_status end_epoch(whet_trainer *t) {
  whet_train_state s;
  state_of(t, &s);
  whet_epoch e = {.epoch = s.epoch, .step = t->step, .loss = s.loss, .accuracy = s.accuracy, .test_loss = -1, .test_accuracy = -1, .rate = s.rate};
  if (t->o.test) {
    whet_model *m;
    whet_measure x;
    const whet_measure_opts mo = {.threads = t->o.how.threads, .feed = t->o.feed};
    WHET_TRY(whet__trainer_model(t, &m, t->err));
    whet_status r = whet__measure(m, t->o.test, &mo, t->mem, &x, t->err);
    whet_model_close(&m);
    WHET_TRY(r);
    e.test_loss = x.loss;
    if (x.classes) e.test_accuracy = (double)x.right / (double)x.n;
    whet__measure_free(&x, t->mem);
  }
  e.seconds = now() - t->began;
  if (!whet__grow(t->mem, (void **)&t->epoch, &t->cap_epoch, t->n_epoch + 1, sizeof *t->epoch))
    return whet__no_memory(t->mem, sizeof e, t->err, "epochs");
  t->epoch[t->n_epoch++] = e;
  t->seen = t->right = 0;
  t->loss = 0;
  t->began = now();
  WHET_TRY(write_checkpoint(t));
  return t->o.progress ? t->o.progress(t->o.user, &s, &e) : WHET_OK;
}

whet_status whet__trainer_run(whet_trainer *t, whet_err *err) {
  whet_err mine = {0};
  t->err = err ? err : &mine;
  int64_t all = t->per_epoch * t->o.how.epochs;
  t->began = now();
  while (t->step < all) {
    WHET_TRY(step(t));
    if (t->step % t->per_epoch == 0) {
      WHET_TRY(end_epoch(t));
      continue;
    }
    if (t->o.how.checkpoint_steps > 0 && t->step % t->o.how.checkpoint_steps == 0) WHET_TRY(write_checkpoint(t));
    if (t->o.progress) {
      whet_train_state s;
      state_of(t, &s);
      WHET_TRY(t->o.progress(t->o.user, &s, NULL));
    }
  }
  return WHET_OK;
}

whet_status whet__trainer_look(whet_trainer *t, int64_t steps, whet_err *err) {
  whet_err mine = {0};
  t->err = err ? err : &mine;
  t->still = true;
  for (int64_t i = 0; i < whet__min_i(steps, t->per_epoch); i++) WHET_TRY(step(t));
  return WHET_OK;
}

const float *whet__trainer_square(const whet_trainer *t, int32_t val) {
  int32_t learnt = 0;
  if (t->o.how.optimizer == WHET_SGD) return NULL;
  for (int32_t i = 0; i < t->graph.n_trained; learnt += t->graph.trained[i++].learnt)
    if (t->graph.trained[i].val == val && t->graph.trained[i].learnt) return t->var[t->graph.n_trained + 2 * learnt + 1].p;
  return NULL;
}

/* ---- results --------------------------------------------------------------------------------- */

/* How samples reached it, for those who run it. */
static whet_status note_feed(const whet_trainer *t, whet_model *m, whet_err *err) {
  char text[WHET_FED_TEXT];
  whet_feed f = {0};
  whet__feed_numbers(&f, t->o.feed);
  return whet__fed_write(t->set, &f, text) ? whet__model_note(m, whet__fed_key, text, err) : WHET_OK;
}

whet_status whet__trainer_model(whet_trainer *t, whet_model **out, whet_err *err) {
  WHET_TRY(whet__model_derive(t->base, out, err));
  whet_status s = note_feed(t, *out, err);
  if (s) {
    whet_model_close(out);
    return s;
  }
  whet_graph *g = &(*out)->graph;
  for (int32_t i = 0; i < t->graph.n_trained; i++) {
    int32_t v = t->graph.trained[i].val;
    whet_data *d = whet__arena_alloc(&g->arena, sizeof *d);
    void *p = whet__arena_copy(&g->arena, t->var[i].p, t->var[i].n);
    if (!d || !p) {
      whet_model_close(out);
      return whet__no_memory(t->mem, t->var[i].n, err, "trained weights");
    }
    whet__round_weights(&t->graph.trained[i], &g->val[v].shape, p);
    *d = (whet_data){.p = p, .n = t->var[i].n, .id = g->next_data++};
    g->val[v].data = d;
  }
  return WHET_OK;
}

const whet_epoch *whet__trainer_epochs(const whet_trainer *t, size_t *n) {
  *n = t->n_epoch;
  return t->epoch;
}
int64_t whet__trainer_weights(const whet_trainer *t) { return t->graph.weights; }
whet_session *whet__trainer_session(whet_trainer *t) { return t->session; }
