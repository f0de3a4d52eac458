/* SPDX-License-Identifier: Apache-2.0 */
/* A model over a data set. */

#include "train/measure.h"

#include <math.h>
#include <time.h>

#include "base/dtype.h"

struct run {
  whet_session *s;
  whet_reader *reader;
  int64_t batch;
  whet_info out;
  whet_mem *mem;
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static whet_status open_run(whet_model *m, const whet_set *set, const whet_measure_opts *o, int64_t most, struct run *r, whet_err *err) {
  whet_program_opts po = whet_program_opts_default();
  whet_program *p;
  whet_info in;
  whet_feed f;
  po.threads = o->threads;
  if (whet_model_inputs(m) != 1)
    return whet__fail(err, WHET_E_UNSUPPORTED, "the model has %zu inputs; models of one run over a data set", whet_model_inputs(m));
  WHET_TRY(whet_program_create(m, &po, &p, err));
  whet_status s = whet_session_create(p, &r->s, err);
  whet_program_close(&p);
  WHET_TRY(s);
  WHET_TRY(whet_model_input(m, 0, &in));
  WHET_TRY(whet__feed_of(set, &in, &f, err));
  whet__feed_numbers(&f, o->feed);
  WHET_TRY(whet__reader_create(set, &f, &r->reader, err));
  r->batch = in.dims[0] > 0 ? in.dims[0] : whet__min_i(32, most);
  int64_t dims[WHET_MAX_RANK] = {r->batch};
  memcpy(dims + 1, f.dims, (size_t)f.rank * sizeof *dims);
  return whet_session_resize(r->s, 0, f.rank + 1, dims, err);
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
  if (label >= x->numbers) return;
  for (int64_t k = 0; k < x->numbers; k++) above += score[k] > score[label] || (score[k] == score[label] && k < label);
  x->in5 += above < 5;
  bool shares = least >= 0 && fabs(sum - 1) < 0.05;
  top = (double)score[best];
  double all = 0;
  for (int64_t k = 0; k < x->numbers; k++) all += shares ? (double)score[k] : exp((double)score[k] - top);
  double p_label = shares ? (double)score[label] / all : exp((double)score[label] - top) / all;
  x->loss -= log(fmax(p_label, 1e-12));
}

static whet_status walk(struct run *r, const whet_set *set, const whet_measure_opts *o, whet_measure *x, whet_err *err) {
  size_t bytes, each = whet__reader_bytes(r->reader), out_bytes;
  int64_t targets = whet__set_targets(set);
  float *score, *target;
  for (int64_t i = 0; i < x->n; i += r->batch) {
    char *in = whet_session_input(r->s, 0, &bytes, err);
    if (!in) return err->code;
    int64_t n = whet__min_i(r->batch, x->n - i);
    for (int64_t k = 0; k < r->batch; k++) {
      int64_t item = i + whet__min_i(k, n - 1);
      target = x->target ? x->target + item * targets : NULL;
      WHET_TRY(whet__reader_get(r->reader, item, in + (size_t)k * each, target, err));
    }
    double began = now();
    WHET_TRY(whet_session_run(r->s, NULL, err));
    x->seconds += now() - began;
    const void *out = whet_session_output(r->s, 0, &out_bytes, err);
    if (!out) return err->code;
    WHET_TRY(whet_session_output_info(r->s, 0, &r->out));
    int64_t count = 1;
    for (int32_t d = 0; d < r->out.rank; d++) count *= r->out.dims[d];
    if (!i) {
      x->numbers = count / r->batch;
      if (!x->numbers || count % r->batch || !(whet__is_float(r->out.dtype) || whet__is_int(r->out.dtype)))
        return whet__fail(err, WHET_E_SHAPE, "output 0 (%s, %lld numbers) is not one answer for each item", whet_dtype_name(r->out.dtype),
                          (long long)count);
      if (targets && x->numbers != targets)
        return whet__fail(err, WHET_E_SHAPE, "the model gives %lld numbers, the data have %lld for each item", (long long)x->numbers,
                          (long long)targets);
      x->score = whet__alloc_array(r->mem, (size_t)((o->scores ? x->n : 1) * x->numbers), sizeof *x->score);
      if (!x->score) return whet__no_memory(r->mem, (size_t)(x->n * x->numbers) * 4, err, "scores");
    }
    for (int64_t k = 0; k < n; k++) {
      score = x->score + (o->scores ? (i + k) * x->numbers : 0);
      take(x, i + k, &r->out, out, k * x->numbers, score);
      if (!x->target) continue;
      const float *t = x->target + (i + k) * targets;
      for (int64_t j = 0; j < targets; j++) x->loss += (double)(score[j] - t[j]) * (double)(score[j] - t[j]) / (double)targets;
    }
    if (o->progress) WHET_TRY(o->progress(o->user, i + n, x->n));
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
  if (targets) x->target = whet__alloc_array(mem, (size_t)(x->n * targets), sizeof *x->target);
  whet_status st = WHET_OK;
  if (!x->label || !x->told || (targets && !x->target)) st = whet__no_memory(mem, (size_t)x->n * 8, err, "results");
  for (int64_t i = 0; !st && i < x->n; i++) x->label[i] = whet__set_label(s, i);
  if (!st) st = open_run(m, s, o, x->n, &r, err);
  if (!st) st = walk(&r, s, o, x, err);
  whet__reader_close(&r.reader);
  whet_session_close(&r.s);
  if (st) whet__measure_free(x, mem);
  return st;
}

void whet__measure_free(whet_measure *x, whet_mem *mem) {
  void *own[] = {x->label, x->told, x->score, x->target};
  for (size_t i = 0; i < WHET_COUNT(own); i++) whet__free(mem, own[i]);
  *x = (whet_measure){0};
}
