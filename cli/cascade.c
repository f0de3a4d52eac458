/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of a cascade, and its models over a data set. */

#include "cascade.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "input.h"
#include "media.h"
#include "out.h"
#include "picture.h"
#include "samples.h"
#include "train/measure.h"
#include "edge/cascade/sim.h"
#include "edge/pipe/tensor.h"
#include "edge/serve/dtype.h"
#include "whet/whet.h"

#ifdef WHET_HAVE_CONF
struct file {
  cascade_settings s;
  const conf_node *remote, *policy, *budget, *breaker;
  conf_reals per_class, shape;
};
#define S(field) offsetof(struct file, s.field)
#define F(field) offsetof(struct file, field)
static const conf_key k_file[] = {{"local", CONF_STR, S(local), NULL, 0, 0, false},
                                  {"range", CONF_STR, S(range), NULL, 0, 0, false},
                                  {"mean", CONF_STR, S(mean), NULL, 0, 0, false},
                                  {"std", CONF_STR, S(std), NULL, 0, 0, false},
                                  {"output", CONF_INT, S(output), NULL, 0, 1000, false},
                                  {"remote", CONF_NODE, F(remote), NULL, 0, 0, false},
                                  {"policy", CONF_NODE, F(policy), NULL, 0, 0, false},
                                  {"budget", CONF_NODE, F(budget), NULL, 0, 0, false},
                                  {"breaker", CONF_NODE, F(breaker), NULL, 0, 0, false},
                                  {"mode", CONF_CHOICE, S(mode), "wait|correct", 0, 0, false},
                                  {"deadline", CONF_SECONDS, S(deadline), NULL, 0, 0, false},
                                  {"outbox", CONF_STR, S(outbox), NULL, 0, 0, false},
                                  {"outbox_bytes", CONF_BYTES, S(outbox_bytes), NULL, 0, 0, false},
                                  {"ttl", CONF_SECONDS, S(ttl), NULL, 0, 0, false},
                                  {"workers", CONF_INT, S(workers), NULL, 1, 256, false},
                                  {"queue", CONF_INT, S(queue), NULL, 1, 1e6, false},
                                  {0}};
static const conf_key k_remote[] = {{"url", CONF_STR, S(url), NULL, 0, 0, false},
                                    {"model", CONF_STR, S(model), NULL, 0, 0, false},
                                    {"version", CONF_STR, S(version), NULL, 0, 0, false},
                                    {"file", CONF_STR, S(file), NULL, 0, 0, false},
                                    {"token_file", CONF_STR, S(token_file), NULL, 0, 0, false},
                                    {"ca", CONF_STR, S(ca), NULL, 0, 0, false},
                                    {"cert", CONF_STR, S(cert), NULL, 0, 0, false},
                                    {"cert_key", CONF_STR, S(cert_key), NULL, 0, 0, false},
                                    {"range", CONF_STR, S(remote_range), NULL, 0, 0, false},
                                    {"mean", CONF_STR, S(remote_mean), NULL, 0, 0, false},
                                    {"std", CONF_STR, S(remote_std), NULL, 0, 0, false},
                                    {"features", CONF_INT, S(features), NULL, 0, 1000, false},
                                    {"scale", CONF_REAL, S(scale), NULL, -1e12, 1e12, false},
                                    {"offset", CONF_REAL, S(offset), NULL, -1e12, 1e12, false},
                                    {"type", CONF_STR, S(type), NULL, 0, 0, false},
                                    {"shape", CONF_REALS, F(shape), NULL, -1, 1e9, false},
                                    {"timeout", CONF_SECONDS, S(timeout), NULL, 0, 0, false},
                                    {"hedge", CONF_SECONDS, S(hedge), NULL, 0, 0, false},
                                    {"json", CONF_BOOL, S(json), NULL, 0, 0, false},
                                    {"compress", CONF_BOOL, S(compress), NULL, 0, 0, false},
                                    {0}};
static const conf_key k_policy[] = {{"measure", CONF_CHOICE, S(measure), CASCADE_MEASURES, 0, 0, false},
                                    {"threshold", CONF_REAL, S(threshold), NULL, -1e9, 1e9, false},
                                    {"temperature", CONF_REAL, S(temperature), NULL, 1e-6, 1e6, false},
                                    {"per_class", CONF_REALS, F(per_class), NULL, -1e9, 1e9, false},
                                    {0}};
static const conf_key k_budget[] = {{"bytes", CONF_REAL, S(budget.bytes), NULL, 0, 1e18, false},
                                    {"requests", CONF_REAL, S(budget.requests), NULL, 0, 1e18, false},
                                    {"money", CONF_REAL, S(budget.money), NULL, 0, 1e18, false},
                                    {"joules", CONF_REAL, S(budget.joules), NULL, 0, 1e18, false},
                                    {"price", CONF_REAL, S(budget.price), NULL, 0, 1e9, false},
                                    {"price_byte", CONF_REAL, S(budget.price_byte), NULL, 0, 1e9, false},
                                    {"joule", CONF_REAL, S(budget.joule), NULL, 0, 1e9, false},
                                    {"joule_byte", CONF_REAL, S(budget.joule_byte), NULL, 0, 1e9, false},
                                    {0}};
static const conf_key k_breaker[] = {{"failures", CONF_INT, S(failures), NULL, 1, 1e6, false},
                                     {"pause", CONF_SECONDS, S(failures_pause), NULL, 0, 0, false},
                                     {0}};

static whet_status read_file(conf_file *f, struct file *x, whet_err *err) {
  WHET_TRY(conf_fill(f, &f->root, "a cascade", k_file, x, err));
  const struct {
    const conf_node *node;
    const char *what;
    const conf_key *keys;
  } part[] = {{x->remote, "remote", k_remote},
              {x->policy, "policy", k_policy},
              {x->budget, "budget", k_budget},
              {x->breaker, "breaker", k_breaker}};
  for (size_t i = 0; i < WHET_COUNT(part); i++) {
    if (!part[i].node) continue;
    if (part[i].node->kind != CONF_MAP) return conf_fail(f, part[i].node, err, "%s is a map of keys", part[i].what);
    WHET_TRY(conf_fill(f, part[i].node, part[i].what, part[i].keys, x, err));
  }
  if (x->shape.n > REMOTE_RANK)
    return conf_fail(f, conf_get(x->remote, "shape"), err, "a shape of more than %d dimensions", REMOTE_RANK);
  for (size_t i = 0; i < x->shape.n; i++) x->s.shape[i] = x->shape.v[i];
  x->s.rank = x->shape.n;
  if (x->per_class.n) x->s.per_class = x->per_class.v, x->s.n_class = x->per_class.n;
  return WHET_OK;
}

static conf_file g_file; /* its texts live until the process ends */
static void close_file(void) { conf_close(&g_file); }

int cli_cascade_read(const char *path, cascade_settings *s) {
  conf_file *f = &g_file;
  struct file x = {.s = *s};
  whet_err err = {0};
  whet_status r = conf_open(path, cli_mem(), f, &err);
  if (!r) atexit(close_file);
  if (!r) r = read_file(f, &x, &err);
  if (r) return cli_fail_err(NULL, &err);
  *s = x.s;
  return 0;
}
#else
int cli_cascade_read(const char *path, cascade_settings *s) {
  return cli_fail("%.200s: this build reads no settings: it has no libyaml (Debian: libyaml-dev)", path);
}
#endif

/* ---- the models -------------------------------------------------------------------------------- */

static double seconds(void) { return 1e-9 * (double)edge_now(); }

static whet_status remote_options(const cascade_settings *s, remote_opts *o, whet_err *err) {
  *o = (remote_opts){.url = s->url,
                     .model = s->model,
                     .version = s->version,
                     .ca = s->ca,
                     .cert = s->cert,
                     .key = s->cert_key,
                     .timeout = s->timeout,
                     .hedge = s->hedge,
                     .json = s->json,
                     .compress = s->compress};
  if (s->token_file && !(o->token = cli_read_token(s->token_file, err))) return err->code;
  return s->model ? WHET_OK : whet__fail(err, WHET_E_DATA, "name the remote's model");
}

static whet_status open_remote(cli_models *c, whet_err *err) {
  const cascade_settings *s = c->s;
  if (s->url) {
    remote_opts o;
    remote_info x;
    WHET_TRY(remote_options(s, &o, err));
    WHET_TRY(remote_open(&o, &c->remote, err));
    whet_status r = remote_describe(c->remote, &x, err);
    if (r == WHET_E_IO && s->type && s->rank) { /* no link: as it was when it was tuned */
      const serve_dtype *t = dtype_named((json_text){s->type, strlen(s->type)});
      if (!t) return whet__fail(err, WHET_E_DATA, "remote: no type is called %.40s", s->type);
      *err = (whet_err){0};
      r = WHET_OK;
      x = (remote_info){.in_type = t->whet, .in_rank = (int32_t)s->rank};
      for (size_t i = 0; i < s->rank; i++) x.in_dims[i] = (int64_t)s->shape[i];
    }
    WHET_TRY(r);
    c->remote_in = (whet_info){.name = "input", .kind = WHET_TENSOR, .dtype = x.in_type, .rank = x.in_rank};
    for (int32_t i = 0; i < x.in_rank; i++) c->remote_in.dims[i] = x.in_dims[i];
    return WHET_OK;
  }
  whet_model *m;
  WHET_TRY(whet_model_open(s->file, NULL, &m, err));
  whet_status r = whet_model_inputs(m) == 1
                      ? whet_model_input(m, 0, &c->remote_in)
                      : whet__fail(err, WHET_E_UNSUPPORTED, "%s: a model of one input is asked", s->file);
  if (!r) r = whet_program_create(m, NULL, &c->remote_program, err);
  if (!r) r = whet_session_create(c->remote_program, &c->remote_session, err);
  if (!r) c->remote_in.name = "input"; /* the model goes */
  whet_model_close(&m);
  return r;
}

static whet_status has_output(const cli_models *c, const char *key, int64_t i, whet_err *err) {
  size_t n = whet_session_outputs(c->local);
  if (i < (int64_t)n) return WHET_OK;
  return whet__fail(err, WHET_E_NAME, "%s: %s has no output %lld; it has %zu, counted from 0", key, c->s->local,
                    (long long)i, n);
}

static whet_status feeds(cli_models *c, whet_model *local, whet_err *err) {
  const cascade_settings *s = c->s;
  whet_info in;
  whet_feed f;
  WHET_TRY(whet_model_input(local, 0, &in));
  WHET_TRY(whet__feed_of(c->set, &in, &f, err));
  cli_feed_numbers(local, s->range, s->mean, s->std, &f);
  WHET_TRY(whet__reader_create(c->set, &f, &c->in, err));
  int64_t dims[WHET_MAX_RANK] = {1};
  memcpy(dims + 1, f.dims, (size_t)f.rank * sizeof *dims);
  WHET_TRY(whet_session_resize(c->local, 0, f.rank + 1, dims, err));
  WHET_TRY(has_output(c, "output", s->output, err));
  if (s->features >= 0) return has_output(c, "features", s->features, err); /* the rest when there are some */
  WHET_TRY(whet__feed_of(c->set, &c->remote_in, &f, err));
  if (s->remote_range) f.ranged = cli_range(s->remote_range, &f.lo, &f.hi);
  if (s->remote_mean) f.n_mean = cli_numbers(s->remote_mean, f.mean);
  if (s->remote_std) f.n_std = cli_numbers(s->remote_std, f.std);
  WHET_TRY(whet__reader_create(c->set, &f, &c->out, err));
  c->rank = f.rank + 1;
  if (c->rank > REMOTE_RANK)
    return whet__fail(err, WHET_E_UNSUPPORTED, "the remote's input has %d dimensions", c->rank);
  c->dims[0] = 1;
  memcpy(c->dims + 1, f.dims, (size_t)f.rank * sizeof *c->dims);
  c->bytes = whet__reader_bytes(c->out);
  c->data = cli_keep(c->bytes + 1);
  return c->remote_session ? whet_session_resize(c->remote_session, 0, c->rank, c->dims, err) : WHET_OK;
}

/* How features lie in the remote's input, which is found with the first of them. */
static whet_status place(cli_models *c, const pipe_tensor *t, whet_err *err) {
  const whet_info *in = &c->remote_in;
  size_t known = 1;
  int32_t open = 0;
  for (int32_t i = 0; i < in->rank; i++)
    if (in->dims[i] < 0)
      open++;
    else
      known *= (size_t)in->dims[i];
  bool told = in->rank >= 0 && open <= 1;
  if (told ? known < 1 || (open ? t->n % known : t->n != known) : t->rank > REMOTE_RANK)
    return whet__fail(err, WHET_E_SHAPE,
                      "features: the local model's output %lld has %zu numbers, which do not fill the remote's input",
                      (long long)c->s->features, t->n);
  c->rank = told ? in->rank : t->rank;
  memcpy(c->dims, told ? in->dims : t->dims, sizeof c->dims);
  for (int32_t i = 0; i < c->rank; i++)
    if (c->dims[i] < 0) c->dims[i] = (int64_t)(t->n / known);
  c->bytes = whet_dtype_bytes(in->dtype, t->n);
  c->data = cli_keep(c->bytes + 1);
  return c->remote_session ? whet_session_resize(c->remote_session, 0, c->rank, c->dims, err) : WHET_OK;
}

/* An output of the local model as the remote wants it. */
static whet_status features(cli_models *c, whet_err *err) {
  pipe_tensor t;
  const whet_quant_info *q = &c->remote_in.quant;
  double scale = c->s->scale, offset = c->s->offset;
  WHET_TRY(pipe_tensor_output(c->local, (size_t)c->s->features, &t, err));
  if (!c->data) WHET_TRY(place(c, &t, err));
  if (whet_dtype_bytes(c->remote_in.dtype, t.n) != c->bytes)
    return whet__fail(err, WHET_E_SHAPE, "features: the local model's output changes its size");
  if (scale == 0 && q->n == 1) scale = 1 / (double)q->scale[0], offset = q->zero ? q->zero[0] : 0;
  return pipe_tensor_convert(&t, scale == 0 ? 1 : scale, offset, c->remote_in.dtype, c->data, err);
}

whet_status cli_cascade_open(cli_models *c, const cascade_settings *s, const char *data, const char *split,
                             const char *labels, whet_err *err) {
  *c = (cli_models){.s = s};
  whet_model *m;
  whet_set_opts so = cli_set_opts(false, split, labels, NULL, 0);
  WHET_TRY(whet_model_open(s->local, NULL, &m, err));
  whet_program *p = NULL;
  whet_status r = whet_model_inputs(m) == 1
                      ? WHET_OK
                      : whet__fail(err, WHET_E_UNSUPPORTED, "%s: a model of one input decides", s->local);
  if (!r) r = whet_program_create(m, NULL, &p, err);
  if (!r) r = whet_session_create(p, &c->local, err);
  whet_program_close(&p);
  if (!r) r = whet__set_open(data, &so, cli_mem(), &c->set, err);
  if (!r) r = open_remote(c, err);
  if (!r) r = feeds(c, m, err);
  whet_model_close(&m);
  if (r) cli_cascade_close(c);
  return r;
}

void cli_cascade_close(cli_models *c) {
  if (c->in) whet__reader_close(&c->in);
  if (c->out) whet__reader_close(&c->out);
  whet_session_close(&c->local);
  whet_session_close(&c->remote_session);
  whet_program_close(&c->remote_program);
  remote_close(&c->remote);
  whet__set_close(&c->set);
}

whet_status cli_cascade_local(cli_models *c, int64_t i, double *took, whet_err *err) {
  size_t n;
  whet_info out;
  void *in = whet_session_input(c->local, 0, NULL, err);
  if (!in) return err->code;
  WHET_TRY(whet__reader_get(c->in, i, in, NULL, err));
  double began = seconds();
  WHET_TRY(whet_session_run(c->local, NULL, err));
  *took = seconds() - began;
  const void *p = whet_session_output(c->local, (size_t)c->s->output, &n, err);
  if (!p) return err->code;
  WHET_TRY(whet_session_output_info(c->local, (size_t)c->s->output, &out));
  size_t count = 1;
  for (int32_t d = 0; d < out.rank; d++) count *= (size_t)out.dims[d];
  if (!c->scores) c->scores = cli_keep((count + 1) * sizeof *c->scores);
  c->n = count;
  for (size_t k = 0; k < count; k++) c->scores[k] = (float)whet__real(&out, p, (int64_t)k);
  return WHET_OK;
}

whet_status cli_cascade_case(cli_models *c, int64_t i, whet_err *err) {
  return c->s->features >= 0 ? features(c, err) : whet__reader_get(c->out, i, c->data, NULL, err);
}

whet_status cli_cascade_ask(cli_models *c, remote_answer *a, whet_err *err) {
  if (c->remote) return remote_infer(c->remote, NULL, c->rank, c->dims, c->data, c->bytes, a, err);
  static float *numbers;
  size_t n;
  whet_info out;
  *a = (remote_answer){.up = (int64_t)c->bytes};
  void *in = whet_session_input(c->remote_session, 0, NULL, err);
  if (!in) return err->code;
  memcpy(in, c->data, c->bytes);
  double began = seconds();
  WHET_TRY(whet_session_run(c->remote_session, NULL, err));
  a->seconds = seconds() - began;
  const void *p = whet_session_output(c->remote_session, 0, &n, err);
  if (!p) return err->code;
  WHET_TRY(whet_session_output_info(c->remote_session, 0, &out));
  a->n = 1;
  for (int32_t d = 0; d < out.rank; d++) a->n *= (size_t)out.dims[d];
  if (!numbers) numbers = cli_keep((a->n + 1) * sizeof *numbers);
  for (size_t k = 0; k < a->n; k++) numbers[k] = (float)whet__real(&out, p, (int64_t)k);
  a->numbers = numbers;
  a->down = (int64_t)n;
  return WHET_OK;
}

whet_status cli_cascade_link(cli_models *c, int workers, cascade_link *out, whet_err *err) {
  if (c->remote_program) {
    const sim_opts o = {.program = c->remote_program, .workers = workers};
    return sim_link(&o, out, err);
  }
  remote_opts o;
  WHET_TRY(remote_options(c->s, &o, err));
  return cascade_http(&o, workers, out, err);
}

cascade_opts cli_cascade_opts(const cascade_settings *s) {
  return (cascade_opts){.policy = {.measure = (cascade_measure)s->measure,
                                   .temperature = s->temperature,
                                   .threshold = s->threshold,
                                   .per_class = s->per_class,
                                   .n_class = s->n_class},
                        .mode = (cascade_mode)s->mode,
                        .deadline = s->deadline,
                        .outbox = s->outbox,
                        .outbox_bytes = (int64_t)s->outbox_bytes,
                        .ttl = s->ttl,
                        .budget = s->budget,
                        .failures = (int)s->failures,
                        .pause = s->failures_pause,
                        .workers = s->workers ? (int)s->workers : 4,
                        .queue = (size_t)s->queue};
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

double cli_quantile(double *v, size_t n, double p) {
  if (!n) return NAN;
  qsort(v, n, sizeof *v, by_value);
  return v[(size_t)fmin(floor(p * (double)n), (double)n - 1)];
}
