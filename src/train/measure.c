/* SPDX-License-Identifier: Apache-2.0 */
/* A model over a data set. */

#include "train/measure.h"

#include <math.h>
#include <time.h>

#include "base/dtype.h"
#include "plan/program.h"
#include "run/session.h"
#include "train/pace.h"

struct run {
  whet_session *s;
  whet_reader *reader;
  int64_t batch;
  int64_t rows; /* inputs that an item makes */
  char *fed;    /* what a run was given, where it is compared: a run may overwrite its inputs */
  char *item;   /* the one whose inputs are on their way, when rows > 1 */
  int64_t has;  /* which */
  size_t each;  /* bytes of an input */
  whet_info in, out;
  whet_mem *mem;
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* How many inputs an item of numbers makes. */
static int64_t rows_of(const whet_set *set, const whet_feed *f) {
  int64_t dims[WHET_MAX_RANK], items = 1, takes = 1;
  int32_t rank = whet__set_dims(set, dims);
  if (whet__set_item_kind(set) != WHET_ITEM_NUMBERS || f->rank + 1 > WHET_MAX_RANK) return 1;
  for (int32_t i = 0; i < rank; i++) items *= dims[i];
  for (int32_t i = 0; i < f->rank; i++) takes *= f->dims[i];
  return takes > 0 && items > takes && items % takes == 0 ? items / takes : 1;
}

bool whet__rebuilds(const whet_model *m) {
  whet_info in, out;
  int64_t takes = 1, tells = 1;
  if (whet_model_inputs(m) != 1 || whet_model_input(m, 0, &in) || whet_model_output(m, 0, &out) || in.rank < 2 || out.rank < 2) return false;
  for (int32_t i = 1; i < in.rank; i++) takes *= in.dims[i];
  for (int32_t i = 1; i < out.rank; i++) tells *= out.dims[i];
  return takes > 1 && takes == tells;
}

static whet_status open_run(whet_model *m, const whet_set *set, const whet_measure_opts *o, int64_t most, struct run *r, whet_err *err) {
  whet_program_opts po = whet_program_opts_default();
  whet_program *p;
  whet_feed f;
  po.threads = o->threads;
  po.precision = o->precision;
  if (whet_model_inputs(m) != 1)
    return whet__fail(err, WHET_E_UNSUPPORTED, "the model has %zu inputs; models of one run over a data set", whet_model_inputs(m));
  WHET_TRY(whet_program_create(m, &po, &p, err));
  whet_status s = whet_session_create(p, &r->s, err);
  whet_program_close(&p);
  WHET_TRY(s);
  WHET_TRY(whet_model_input(m, 0, &r->in));
  WHET_TRY(whet__feed_of(set, &r->in, &f, err));
  whet__feed_numbers(&f, o->feed);
  r->rows = o->rebuild ? rows_of(set, &f) : 1;
  r->batch = r->in.dims[0] > 0 ? r->in.dims[0] : whet__min_i(32, most * r->rows);
  int64_t dims[WHET_MAX_RANK] = {r->batch};
  memcpy(dims + 1, f.dims, (size_t)f.rank * sizeof *dims);
  WHET_TRY(whet_session_resize(r->s, 0, f.rank + 1, dims, err));
  if (r->rows > 1) {
    memmove(f.dims + 1, f.dims, (size_t)f.rank * sizeof *f.dims);
    f.dims[0] = r->rows;
    f.rank++;
  }
  WHET_TRY(whet__reader_create(set, &f, &r->reader, err));
  r->each = whet__reader_bytes(r->reader) / (size_t)r->rows;
  r->has = -1;
  if (o->rebuild && !(r->fed = whet__alloc(r->mem, (size_t)r->batch * r->each))) return whet__no_memory(r->mem, r->each, err, "inputs");
  if (r->rows > 1 && !(r->item = whet__alloc(r->mem, whet__reader_bytes(r->reader)))) return whet__no_memory(r->mem, r->each, err, "an item");
  return WHET_OK;
}

/* Input number u into `to`. */
static whet_status fill(struct run *r, int64_t u, char *to, float *target, whet_err *err) {
  if (r->rows == 1) return whet__reader_get(r->reader, u, to, target, err);
  if (r->has != u / r->rows) WHET_TRY(whet__reader_get(r->reader, u / r->rows, r->item, target, err));
  r->has = u / r->rows;
  memcpy(to, r->item + (size_t)(u % r->rows) * r->each, r->each);
  return WHET_OK;
}

double whet__real(const whet_info *o, const void *p, int64_t i) {
  double v = whet__get_f64(o->dtype, p, i);
  if (!o->quant.n) return v;
  int32_t zero = o->quant.zero ? o->quant.zero[0] : 0;
  return (double)o->quant.scale[0] * (v - zero);
}

/* One item's outputs into the results. */
static void take(whet_measure *x, int64_t i, const whet_info *o, const void *p, int64_t at, float *score) {
  int64_t best = 0, above = 0;
  double sum = 0, least = 0, top;
  for (int64_t k = 0; k < x->numbers; k++) {
    double v = whet__real(o, p, at + k);
    score[k] = (float)v;
    sum += v;
    least = v < least ? v : least;
    if (score[k] > score[best]) best = k;
  }
  int32_t label = x->label[i];
  x->told[i] = (int32_t)(x->numbers == 1 ? score[0] > 0.5f : best);
  if (label < 0) return;
  x->right += x->told[i] == label;
  if (x->numbers == 1 && score[0] >= 0 && score[0] <= 1) x->loss -= log(fmax(label ? (double)score[0] : 1 - (double)score[0], 1e-12));
  if (label >= x->numbers || x->numbers == 1) return;
  for (int64_t k = 0; k < x->numbers; k++) above += score[k] > score[label] || (score[k] == score[label] && k < label);
  x->in5 += above < 5;
  bool shares = least >= 0 && fabs(sum - 1) < 0.05;
  top = (double)score[best];
  double all = 0;
  for (int64_t k = 0; k < x->numbers; k++) all += shares ? (double)score[k] : exp((double)score[k] - top);
  double p_label = shares ? (double)score[label] / all : exp((double)score[label] - top) / all;
  x->loss -= log(fmax(p_label, 1e-12));
}

/* Outputs of the first run: how many numbers there are for an input. */
static whet_status settle(struct run *r, int64_t count, const whet_measure_opts *o, int64_t targets, whet_measure *x, whet_err *err) {
  x->numbers = count / r->batch;
  if (!x->numbers || count % r->batch || !(whet__is_float(r->out.dtype) || whet__is_int(r->out.dtype)))
    return whet__fail(err, WHET_E_SHAPE, "output 0 (%s, %lld numbers) is not one answer for each item", whet_dtype_name(r->out.dtype),
                      (long long)count);
  if (targets && x->numbers != targets)
    return whet__fail(err, WHET_E_SHAPE, "the model gives %lld numbers, the data have %lld for each item", (long long)x->numbers,
                      (long long)targets);
  if (o->rebuild && (size_t)x->numbers * whet__dtype_size(r->in.dtype) != r->each)
    return whet__fail(err, WHET_E_SHAPE, "the model gives %lld numbers and takes %zu: it does not tell its input again", (long long)x->numbers,
                      r->each / whet__dtype_size(r->in.dtype));
  x->score = whet__alloc_array(r->mem, (size_t)((o->scores ? x->n : 1) * x->numbers), sizeof *x->score);
  return x->score ? WHET_OK : whet__no_memory(r->mem, (size_t)(x->n * x->numbers) * 4, err, "scores");
}

/* The answer to input u, number k of the batch. */
static void take_one(struct run *r, const whet_measure_opts *o, whet_measure *x, int64_t targets, int64_t u, int64_t k, const void *out) {
  int64_t item = u / r->rows;
  if (o->rebuild) {
    double sum = 0;
    for (int64_t j = k * x->numbers; j < (k + 1) * x->numbers; j++) {
      double d = whet__real(&r->out, out, j) - whet__real(&r->in, r->fed, j);
      sum += d * d;
    }
    sum /= (double)(x->numbers * r->rows);
    x->error[item] += (float)sum;
    x->loss += sum;
    return;
  }
  float *score = x->score + (o->scores ? item * x->numbers : 0);
  take(x, item, &r->out, out, k * x->numbers, score);
  if (!x->target) return;
  const float *t = x->target + item * targets;
  for (int64_t j = 0; j < targets; j++) x->loss += (double)(score[j] - t[j]) * (double)(score[j] - t[j]) / (double)targets;
}

static whet_status walk(struct run *r, const whet_set *set, const whet_measure_opts *o, whet_measure *x, whet_err *err) {
  size_t bytes, out_bytes;
  int64_t targets = whet__set_targets(set), all = x->n * r->rows;
  whet_pace pace;
  whet__pace_start(&pace, r->s->program->threads);
  for (int64_t i = 0; i < all; i += r->batch) {
    char *in = whet_session_input(r->s, 0, &bytes, err);
    if (!in) return err->code;
    int64_t n = whet__min_i(r->batch, all - i);
    for (int64_t k = 0; k < r->batch; k++) {
      int64_t u = i + whet__min_i(k, n - 1);
      WHET_TRY(fill(r, u, in + (size_t)k * r->each, x->target ? x->target + u / r->rows * targets : NULL, err));
    }
    if (r->fed) memcpy(r->fed, in, (size_t)r->batch * r->each);
    WHET_TRY(whet_session_reset(r->s)); /* items are apart: what a recurrent net keeps belongs to one */
    r->s->width = whet__pace_width(&pace);
    double began = now();
    WHET_TRY(whet_session_run(r->s, NULL, err));
    double took = now() - began;
    whet__pace_took(&pace, took);
    x->seconds += took;
    const void *out = whet_session_output(r->s, 0, &out_bytes, err);
    if (!out) return err->code;
    WHET_TRY(whet_session_output_info(r->s, 0, &r->out));
    int64_t count = 1;
    for (int32_t d = 0; d < r->out.rank; d++) count *= r->out.dims[d];
    if (!i) WHET_TRY(settle(r, count, o, targets, x, err));
    for (int64_t k = 0; k < n; k++) take_one(r, o, x, targets, i + k, k, out);
    if (o->progress) WHET_TRY(o->progress(o->user, (i + n) / r->rows, x->n));
  }
  x->loss /= (double)x->n;
  return WHET_OK;
}

whet_status whet__measure(whet_model *m, const whet_set *s, const whet_measure_opts *o, whet_mem *mem, whet_measure *x, whet_err *err) {
  struct run r = {.mem = mem};
  *x = (whet_measure){.n = whet__set_count(s), .classes = whet__set_classes(s)};
  if (o->most > 0) x->n = whet__min_i(x->n, o->most);
  x->label = whet__alloc_array(mem, (size_t)x->n + 1, sizeof *x->label);
  x->told = whet__alloc_array(mem, (size_t)x->n + 1, sizeof *x->told);
  int64_t targets = whet__set_targets(s);
  if (o->rebuild) x->error = whet__alloc_array(mem, (size_t)x->n + 1, sizeof *x->error);
  if (targets) x->target = whet__alloc_array(mem, (size_t)(x->n * targets), sizeof *x->target);
  whet_status st = WHET_OK;
  if (!x->label || !x->told || (targets && !x->target) || (o->rebuild && !x->error)) st = whet__no_memory(mem, (size_t)x->n * 8, err, "results");
  for (int64_t i = 0; !st && i < x->n; i++) x->label[i] = whet__set_label(s, i), x->told[i] = -1;
  for (int64_t i = 0; !st && o->rebuild && i < x->n; i++) x->error[i] = 0;
  if (!st) st = open_run(m, s, o, x->n, &r, err);
  if (!st) st = walk(&r, s, o, x, err);
  whet__reader_close(&r.reader);
  whet__free(mem, r.fed);
  whet__free(mem, r.item);
  whet_session_close(&r.s);
  if (st) whet__measure_free(x, mem);
  return st;
}

void whet__measure_free(whet_measure *x, whet_mem *mem) {
  void *own[] = {x->label, x->told, x->score, x->target, x->error};
  for (size_t i = 0; i < WHET_COUNT(own); i++) whet__free(mem, own[i]);
  *x = (whet_measure){0};
}
