/* SPDX-License-Identifier: Apache-2.0 */
/* Running stored cases: state is reset between cases and never within one. */

#include "judge.h"

#include <stdio.h>

#include "input.h"
#include "out.h"

whet_status cli_judge_open(cli_judge *j, const char *path, const cli_model_opts *o, whet_err *err) {
  whet_model_opts mo = cli_model_open_opts(o);
  *j = (cli_judge){.path = path, .opts = o};
  return whet_model_open(path, &mo, &j->model, err);
}

void cli_judge_close(cli_judge *j) {
  for (size_t i = 0; i < j->n; i++) cli_model_close(&j->session[i].m);
  j->n = 0;
  whet_model_close(&j->model);
}

/* The session for a signature, made when there is none yet. */
static whet_status session(cli_judge *j, const char *signature, cli_model **out, whet_err *err) {
  if (!signature) signature = j->opts->signature;
  for (size_t i = 0; i < j->n; i++) {
    const char *s = j->session[i].signature;
    if (s == signature || (s && signature && !strcmp(s, signature))) return *out = &j->session[i].m, WHET_OK;
  }
  if (j->n == j->cap) {
    size_t cap = j->cap ? j->cap * 2 : 4;
    struct cli_judge_session *v = cli_keep(cap * sizeof *v);
    if (j->n) memcpy(v, j->session, j->n * sizeof *v);
    j->session = v;
    j->cap = cap;
  }
  cli_model m;
  cli_model_opts o = *j->opts;
  o.signature = signature;
  WHET_TRY(cli_model_make(&m, j->model, j->path, &o, err));
  if (j->n) WHET_TRY(whet_session_share(m.session, j->session[0].m.session, err));
  j->session[j->n] = (struct cli_judge_session){signature, m};
  *out = &j->session[j->n++].m;
  return WHET_OK;
}

/* The number of a run's input or output: by its name, else its place. */
static whet_status number(const cli_model *m, const cli_case_file *f, size_t i, bool out, size_t *n, whet_err *err) {
  int32_t at = !f->name ? (int32_t)i
               : out    ? whet_session_find_output(m->session, f->name)
                        : whet_session_find_input(m->session, f->name);
  size_t most = out ? whet_session_outputs(m->session) : whet_session_inputs(m->session);
  if (at < 0 || (size_t)at >= most)
    return whet__fail(err, WHET_E_NAME, "%s %zu%s%s: the model has %zu", out ? "output" : "input", i,
                      f->name ? " " : "", f->name ? f->name : "", most);
  *n = (size_t)at;
  return WHET_OK;
}

/* Give a run's inputs to the session. */
static whet_status set_inputs(const cli_model *m, const cli_case_run *r, whet_err *err) {
  for (size_t i = 0; i < r->n_in; i++) {
    size_t n;
    whet_info info;
    whet_value *v = NULL;
    if (!r->in[i].path) continue; /* an input that the case leaves out */
    WHET_TRY(number(m, &r->in[i], i, false, &n, err));
    whet_session_input_info(m->session, n, &info);
    WHET_TRY(cli_tensor_read(r->in[i].path, &info, &v, err));
    whet_status s = whet_session_set_input(m->session, n, v, err);
    whet_value_unref(&v);
    if (s) return whet__fail_in(err, "input %zu \"%.60s\"", i, info.name);
  }
  return WHET_OK;
}

/* Remember the greatest difference. */
static void widen(cli_verdict *v, const cli_difference *d) {
  if (d->worst >= v->worst) v->worst = d->worst, v->allowed = d->allowed;
}

/* Compare one output with a file. */
static bool compare(const whet_value *got, const whet_info *info, const char *path, const cli_tolerance *t,
                    cli_difference *d) {
  whet_value *want = NULL;
  whet_err err = {0};
  whet_info as = *info;
  as.kind = whet_value_kind(got);
  as.dtype = as.kind == WHET_TENSOR ? whet_value_dtype(got) : WHET_NONE;
  *d = (cli_difference){.fine = false};
  bool exotic = as.dtype == WHET_BF16 || (as.dtype >= WHET_F8E4M3FN && as.dtype <= WHET_F8E5M2FNUZ) ||
                as.dtype >= WHET_F8E8M0 || (as.dtype != WHET_NONE && whet_dtype_bits(as.dtype) < 8);
  if (!exotic) as.dtype = WHET_NONE; /* a wrong type is a difference, not an unreadable file */
  if (cli_tensor_read(path, &as, &want, &err))
    snprintf(d->text, sizeof d->text, "%.390s", err.text);
  else
    cli_compare(got, want, t, d);
  whet_value_unref(&want);
  return d->fine;
}

/* Compare the outputs of the run that the session just made. engine: use its files where there are any. */
static bool judge_outputs(const cli_model *m, const cli_case *c, size_t run, const char *engine, cli_verdict *v) {
  const cli_case_run *r = &c->run[run];
  cli_verdict mine = *v;
  for (size_t i = 0; i < r->n_out; i++) {
    size_t n;
    whet_info info;
    whet_value *got = NULL;
    whet_err err = {0};
    cli_difference d;
    const char *path = r->out[i].path, *other = engine ? cli_case_other(c, i, engine) : NULL;
    if (!path) continue;
    if (number(m, &r->out[i], i, true, &n, &err) || whet_session_get_output(m->session, n, &got, &err)) {
      snprintf(v->text, sizeof v->text, "%.490s", err.text);
      return false;
    }
    whet_session_output_info(m->session, n, &info);
    bool fine = compare(got, &info, other ? other : path, &c->tolerance, &d);
    whet_value_unref(&got);
    widen(&mine, &d);
    if (fine) continue;
    if (!engine) {
      const char *in = c->n_run > 1 ? cli_keep_printf("run %zu, ", run) : "";
      snprintf(v->text, sizeof v->text, "%soutput %zu \"%.60s\": %.380s", in, i, cli_clean(info.name), d.text);
      widen(v, &d);
    }
    return false;
  }
  *v = mine;
  return true;
}

/* The runs of a case one after the other. */
static whet_status judge_runs(cli_judge *j, const cli_case *c, cli_verdict *v, whet_err *err) {
  for (size_t k = 0; k < c->n_run; k++) {
    cli_model *m;
    WHET_TRY(session(j, c->run[k].signature, &m, err));
    WHET_TRY(set_inputs(m, &c->run[k], err));
    WHET_TRY(whet_session_run(m->session, &m->run, err));
    bool fine = judge_outputs(m, c, k, NULL, v);
    for (size_t e = 0; !fine && e < c->n_engine; e++) fine = judge_outputs(m, c, k, c->engine[e], v);
    if (!fine) return WHET_OK;
  }
  v->passed = true;
  return WHET_OK;
}

/* ---- step by step -----------------------------------------------------------------------------------------------
 */

/* An input of a sequence: where each step's contents come from. */
struct feed {
  enum { FED, CONSTANT, CARRIED } kind;
  whet_value *all; /* FED: a row for each step; CONSTANT: itself */
  size_t from;     /* CARRIED: the output of the step before */
  int32_t rank;
  int64_t dims[WHET_MAX_RANK];
};

/* Read what sequence.json says of input i. */
static whet_status read_feed(const cli_model *m, const cli_case *c, size_t i, struct feed *f, int64_t *steps,
                             whet_err *err) {
  static const char *kinds[] = {"fed", "constant", "carried"};
  const json_t *j = json_array_get(json_object_get(c->sequence, "inputs"), i), *shape = json_object_get(j, "shape");
  const char *kind = json_string_value(json_object_get(j, "kind"));
  whet_info info;
  int k = 0;
  while (k < 3 && (!kind || strcmp(kind, kinds[k]))) k++;
  if (k == 3 || !json_is_array(shape) || json_array_size(shape) > WHET_MAX_RANK)
    return whet__fail(err, WHET_E_FORMAT,
                      "%s/sequence.json: input %zu: kind fed, constant or carried and a shape are expected",
                      c->folder, i);
  f->kind = k;
  f->rank = (int32_t)json_array_size(shape);
  for (int32_t d = 0; d < f->rank; d++) f->dims[d] = json_integer_value(json_array_get(shape, (size_t)d));
  whet_session_input_info(m->session, i, &info);
  if (f->kind == CARRIED) {
    f->from = (size_t)json_integer_value(json_object_get(j, "from_output"));
    if (f->from >= whet_session_outputs(m->session))
      return whet__fail(err, WHET_E_FORMAT, "%s/sequence.json: input %zu: no output %zu", c->folder, i, f->from);
    return whet_value_create(info.dtype, f->rank, f->dims, &f->all);
  }
  if (i >= c->run->n_in || !c->run->in[i].path)
    return whet__fail(err, WHET_E_FORMAT, "%s: no file for input %zu", c->folder, i);
  WHET_TRY(cli_tensor_read(c->run->in[i].path, &info, &f->all, err));
  if (f->kind == CONSTANT) return WHET_OK;
  int64_t rows = whet_value_rank(f->all) ? whet_value_dims(f->all)[0] : 0, each = 1;
  for (int32_t d = 0; d < f->rank; d++) each *= f->dims[d];
  if (!rows || (size_t)(rows * each) != whet_value_count(f->all) || (*steps && *steps != rows))
    return whet__fail(err, WHET_E_FORMAT, "%s: input %zu has %lld rows, which do not make steps of %s", c->folder, i,
                      (long long)rows, cli_dims(f->rank, f->dims, NULL));
  *steps = rows;
  return WHET_OK;
}

/* Contents of an input for step t. */
static whet_status feed(const cli_model *m, size_t i, struct feed *f, int64_t t, whet_err *err) {
  whet_value *v = NULL;
  if (f->kind == CONSTANT) return t ? WHET_OK : whet_session_set_input(m->session, i, f->all, err);
  if (f->kind == CARRIED) {
    if (t) {
      whet_value_unref(&f->all);
      WHET_TRY(whet_session_get_output(m->session, f->from, &f->all, err));
    }
    return whet_session_set_input(m->session, i, f->all, err);
  }
  whet_dtype type = whet_value_dtype(f->all);
  if (whet_value_create(type, f->rank, f->dims, &v)) return whet__fail(err, WHET_E_MEMORY, "no memory for a step");
  memcpy(whet_value_data(v), (const char *)whet_value_const_data(f->all) + (size_t)t * whet_value_bytes(v),
         whet_value_bytes(v));
  whet_status s = whet_session_set_input(m->session, i, v, err);
  whet_value_unref(&v);
  return s;
}

/* Does the array `key` of sequence.json hold output i? */
static bool lists(const cli_case *c, const char *key, size_t i) {
  size_t k;
  json_t *one;
  json_array_foreach(json_object_get(c->sequence, key), k, one) if ((size_t)json_integer_value(one) == i) return true;
  return false;
}

/* Put output i of a step into the rows of all steps (made at the first), or keep the last one. */
static whet_status collect(const cli_model *m, const cli_case *c, size_t i, int64_t t, int64_t steps,
                           whet_value **all, whet_err *err) {
  whet_value *got = NULL;
  bool last = lists(c, "last_outputs", i);
  if (last && t + 1 < steps) return WHET_OK;
  WHET_TRY(whet_session_get_output(m->session, i, &got, err));
  if (last) {
    *all = got;
    return WHET_OK;
  }
  whet_status s = WHET_OK;
  if (!t) { /* the golden's own shape: a row for each step, of as many elements as an output */
    int64_t dims[WHET_MAX_RANK] = {steps};
    int32_t rank = whet_value_rank(got) < WHET_MAX_RANK ? whet_value_rank(got) : WHET_MAX_RANK - 1;
    memcpy(dims + 1, whet_value_dims(got), (size_t)rank * sizeof *dims);
    s = whet_value_create(whet_value_dtype(got), rank + 1, dims, all);
  }
  size_t each = whet_value_bytes(got);
  if (!s && each * (size_t)steps != whet_value_bytes(*all))
    s = whet__fail(err, WHET_E_SHAPE, "output %zu changes its size at step %lld", i, (long long)t);
  if (!s) memcpy((char *)whet_value_data(*all) + (size_t)t * each, whet_value_const_data(got), each);
  whet_value_unref(&got);
  return s ? whet__fail(err, s, "output %zu cannot be kept", i) : WHET_OK;
}

/* The same elements in the golden's shape, if there are as many; else v itself. */
static whet_value *reshaped(whet_value *v, const char *golden) {
  whet_value *want = NULL, *as = NULL;
  whet_err err = {0};
  if (!cli_tensor_read(golden, NULL, &want, &err) && whet_value_dtype(want) == whet_value_dtype(v) &&
      whet_value_count(want) == whet_value_count(v) &&
      !whet_value_create(whet_value_dtype(v), whet_value_rank(want), whet_value_dims(want), &as))
    memcpy(whet_value_data(as), whet_value_const_data(v), whet_value_bytes(v));
  whet_value_unref(&want);
  if (!as) return whet_value_ref(v);
  return as;
}

/* A case with sequence.json. */
static whet_status judge_sequence(cli_judge *j, const cli_case *c, cli_verdict *v, whet_err *err) {
  cli_model *m;
  WHET_TRY(session(j, NULL, &m, err));
  size_t n_in = whet_session_inputs(m->session), n_out = whet_session_outputs(m->session);
  struct feed *f = cli_keep((n_in + 1) * sizeof *f);
  whet_value **all = cli_keep((n_out + 1) * sizeof *all);
  int64_t steps = 0;
  whet_status s = WHET_OK;
  for (size_t i = 0; !s && i < n_in; i++) s = read_feed(m, c, i, &f[i], &steps, err);
  if (!s && !steps) s = whet__fail(err, WHET_E_FORMAT, "%s/sequence.json: no input is fed step by step", c->folder);
  for (int64_t t = 0; !s && t < steps; t++) {
    for (size_t i = 0; !s && i < n_in; i++) s = feed(m, i, &f[i], t, err);
    if (!s) s = whet_session_run(m->session, &m->run, err);
    for (size_t i = 0; !s && i < n_out && i < c->run->n_out; i++)
      if (c->run->out[i].path) s = collect(m, c, i, t, steps, &all[i], err);
  }
  v->passed = !s;
  for (size_t i = 0; v->passed && i < n_out && i < c->run->n_out; i++) {
    whet_info info;
    cli_difference d;
    if (!c->run->out[i].path) continue;
    whet_session_output_info(m->session, i, &info);
    whet_value *as = reshaped(all[i], c->run->out[i].path);
    v->passed = compare(as, &info, c->run->out[i].path, &c->tolerance, &d);
    whet_value_unref(&as);
    widen(v, &d);
    if (!v->passed)
      snprintf(v->text, sizeof v->text, "output %zu \"%.60s\" of all steps: %.380s", i, cli_clean(info.name), d.text);
  }
  for (size_t i = 0; i < n_in; i++) whet_value_unref(&f[i].all);
  for (size_t i = 0; i < n_out; i++) whet_value_unref(&all[i]);
  return s;
}

/* Is there an output to compare with in any run of a case? */
static bool has_outputs(const cli_case *c) {
  for (size_t k = 0; k < c->n_run; k++)
    if (c->run[k].n_out) return true;
  return false;
}

void cli_judge_case(cli_judge *j, const cli_case *c, cli_verdict *out) {
  whet_err err = {0};
  whet_status s = WHET_OK;
  *out = (cli_verdict){.passed = false};
  if (!has_outputs(c)) {
    snprintf(out->text, sizeof out->text, "no stored output to compare with: no output_<i> file");
    return;
  }
  for (size_t i = 0; !s && i < j->n; i++) s = whet_session_reset(j->session[i].m.session);
  if (s)
    whet__fail(&err, s, "the model's state cannot be reset");
  else
    s = c->sequence ? judge_sequence(j, c, out, &err) : judge_runs(j, c, out, &err);
  if (!s) return;
  out->passed = false;
  snprintf(out->text, sizeof out->text, "%.490s", err.text);
}
