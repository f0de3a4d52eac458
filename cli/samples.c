/* SPDX-License-Identifier: Apache-2.0 */
/* Items of data sets for calibration and comparison. */

#include "samples.h"

#include "base/dtype.h"
#include "base/rng.h"
#include "input.h"
#include "media.h"
#include "metadata.h"
#include "out.h"
#include "picture.h"
#include "whet/whet.h"

#define AT(field) offsetof(cli_samples_opts, field)
const cli_opt cli_samples_options[] = {
    {"data", 'd', CLI_TEXT, AT(data), "DIR",
     "samples: a folder, archive or file of MNIST, CIFAR, classes of pictures or sounds, .npy or CSV", 0, 0},
    {"samples", 'n', CLI_INT, AT(samples), "N", "how many are taken (default: 200; whet doctor: 16)", 1, 1e9},
    {"split", 0, CLI_TEXT, AT(split), "NAME",
     "which part of the data, where they hold several: train, test ... (default: train)", 0, 0},
    {"labels", 0, CLI_TEXT, AT(labels), "NAMES", "the classes in order, \"a,b,c\" or a file with a line for each", 0,
     0},
    {"range", 0, CLI_TEXT, AT(range), "LO..HI",
     "what samples of 0..255 become (default: as the model's metadata say, else 0..1 for idx files and 0..255)", 0,
     0},
    {"mean", 0, CLI_TEXT, AT(mean), "A,B,C", "is then taken away from each channel", 0, 0},
    {"std", 0, CLI_TEXT, AT(std), "A,B,C", "by which each channel is then divided", 0, 0},
    CLI_SOUND_OPTIONS(AT(rate), AT(mel)),
    {0}};

whet_set_opts cli_set_opts(bool training, const char *split, const char *labels, const char *target, int64_t rate) {
  return (whet_set_opts){.training = training,
                         .split = split,
                         .labels = labels,
                         .target = target,
                         .rate = (int32_t)rate,
                         .codecs = cli_media_load,
                         .sound = whet_sound_decode,
                         .sound_free = whet_sound_free};
}

int cli_set_mel(whet_set_opts *so, const char *mel) {
  cli_mel *m = mel ? cli_keep(sizeof *m) : NULL;
  int status = m ? cli_mel_parse(mel, m) : CLI_DONE;
  if (status || !m) return status;
  so->hear = cli_mel_hear;
  so->hear_user = m;
  return CLI_DONE;
}

void cli_samples_choose(cli_samples *s, int64_t want, const cli_samples *without) {
  int64_t all = whet__set_count(s->set), taken = 0;
  uint8_t *used = cli_keep((size_t)all + 1);
  for (int64_t i = 0; without && i < without->n; i++)
    if (without->item[i] < all) used[without->item[i]] = 1, taken++;
  s->n = whet__max_i(whet__min_i(want, all - taken), 0);
  s->item = cli_keep((size_t)(s->n + 1) * sizeof *s->item);
  for (int64_t i = 0; i < s->n; i++) {
    uint32_t r[4];
    double stretch = (double)all / (double)s->n;
    int64_t from = (int64_t)((double)i * stretch), to = (int64_t)((double)(i + 1) * stretch);
    whet__rng_block(17, 0, (uint64_t)i, r);
    int64_t at = from + (int64_t)((double)whet__rng_unit(r[0]) * (double)whet__max_i(to - from, 1));
    while (used[at % all]) at++; /* there are enough */
    s->item[i] = at % all;
    used[at % all] = 1;
  }
}

int cli_samples_open(cli_samples *s, const cli_samples_opts *o, int64_t want, const cli_samples *without) {
  cli_input_opts given = {.range = o->range, .mean = o->mean, .std = o->std};
  int status = cli_input_check(&given);
  *s = (cli_samples){.o = o};
  if (status) return status;
  whet_set_opts so = cli_set_opts(true, o->split, o->labels, NULL, o->rate);
  if ((status = cli_set_mel(&so, o->mel))) return status;
  whet_err err = {0};
  if (whet__set_open(o->data, &so, cli_mem(), &s->set, &err)) return cli_fail_err(o->data, &err);
  cli_samples_choose(s, want, without);
  if (s->n) return 0;
  cli_samples_close(s);
  return cli_fail("%s: there are no samples in it", o->data);
}

void cli_samples_close(cli_samples *s) { whet__set_close(&s->set); }

/* What the model's metadata say of its input, for what the command line leaves open. */
static void by_metadata(whet_model *m, whet_feed *f) {
  cli_metadata meta;
  cli_metadata_read(m, 0, &meta);
  if (meta.ranged || meta.normalised) {
    f->ranged = true;
    f->lo = meta.ranged ? meta.lo : 0;
    f->hi = meta.ranged ? meta.hi : 255;
  }
  if (!meta.normalised) return;
  f->n_mean = (int)meta.n_mean, f->n_std = (int)meta.n_std;
  memcpy(f->mean, meta.mean, sizeof f->mean);
  memcpy(f->std, meta.std, sizeof f->std);
}

void cli_feed_numbers(whet_model *m, const char *range, const char *mean, const char *std, whet_feed *f) {
  if (!range && !mean && !std) by_metadata(m, f);
  if (range) f->ranged = cli_range(range, &f->lo, &f->hi);
  if (mean) f->n_mean = cli_numbers(mean, f->mean);
  if (std) f->n_std = cli_numbers(std, f->std);
}

whet_status cli_feed_open(cli_feed *f, const cli_samples *s, whet_model *m, whet_err *err) {
  whet_info in;
  whet_feed feed;
  *f = (cli_feed){.samples = s};
  if (whet_model_inputs(m) != 1)
    return whet__fail(err, WHET_E_UNSUPPORTED, "the model has %zu inputs: samples of a data set fill one",
                      whet_model_inputs(m));
  WHET_TRY(whet_model_input(m, 0, &in));
  WHET_TRY(whet__feed_of(s->set, &in, &feed, err));
  cli_feed_numbers(m, s->o->range, s->o->mean, s->o->std, &feed);
  return whet__reader_create(s->set, &feed, &f->reader, err);
}

void cli_feed_close(cli_feed *f) {
  if (f->reader) whet__reader_close(&f->reader);
}

whet_status cli_feed_fill(void *user, int64_t i, size_t input, void *to, size_t bytes, whet_err *err) {
  cli_feed *f = user;
  size_t has = whet__reader_bytes(f->reader);
  if (input || has != bytes)
    return whet__fail(err, WHET_E_SHAPE, "a sample makes %zu bytes, the model takes %zu for a batch of one", has,
                      bytes);
  return whet__reader_get(f->reader, f->samples->item[i], to, NULL, err);
}

static int32_t greatest(const void *p, whet_dtype t, int64_t n) {
  int64_t best = 0;
  for (int64_t k = 1; k < n; k++)
    if (whet__get_f64(t, p, k) > whet__get_f64(t, p, best)) best = k;
  return (int32_t)best;
}

static whet_status answer(const cli_samples *s, whet_session *session, cli_feed *feed, const char *what,
                          cli_answers *out, whet_err *err) {
  whet_info in;
  int64_t dims[WHET_MAX_RANK], right = 0;
  WHET_TRY(whet_session_input_info(session, 0, &in));
  for (int32_t k = 0; k < in.rank; k++) dims[k] = in.dims[k] < 0 ? 1 : in.dims[k];
  WHET_TRY(whet_session_resize(session, 0, in.rank, dims, err));
  for (int64_t i = 0; i < s->n; i++) {
    size_t bytes, n_out;
    void *to = whet_session_input(session, 0, &bytes, err);
    if (!to) return err->code;
    WHET_TRY(cli_feed_fill(feed, i, 0, to, bytes, err));
    WHET_TRY(whet_session_run(session, NULL, err));
    const void *y = whet_session_output(session, 0, &n_out, err);
    whet_info info;
    if (!y || whet_session_output_info(session, 0, &info)) return err->code ? err->code : WHET_E_INTERNAL;
    out->best[i] = greatest(y, info.dtype, (int64_t)(n_out / whet__max_i((int64_t)whet__dtype_size(info.dtype), 1)));
    right += out->best[i] == whet__set_label(s->set, s->item[i]);
    cli_progress(what, i + 1, s->n);
  }
  out->right = whet__set_classes(s->set) > 0 ? (double)right / (double)s->n : -1;
  return WHET_OK;
}

whet_status cli_answer(const cli_samples *s, whet_model *m, const char *what, cli_answers *out, whet_err *err) {
  whet_program *p = NULL;
  whet_session *session = NULL;
  cli_feed feed = {0};
  *out = (cli_answers){.best = cli_keep((size_t)s->n * sizeof *out->best), .n = s->n};
  whet_status st = cli_feed_open(&feed, s, m, err);
  if (!st) st = whet_program_create(m, NULL, &p, err);
  if (!st) st = whet_session_create(p, &session, err);
  if (!st) st = answer(s, session, &feed, what, out, err);
  cli_feed_close(&feed);
  whet_session_close(&session);
  whet_program_close(&p);
  return st;
}

whet_status cli_score(void *user, whet_model *m, double *out, whet_err *err) {
  cli_scorer *j = user;
  cli_answers a;
  int64_t same = 0;
  WHET_TRY(cli_answer(j->samples, m, "judging", &a, err));
  if (!j->have) j->first = a, j->have = true;
  for (int64_t i = 0; i < a.n; i++) same += a.best[i] == j->first.best[i];
  *out = 100 * (a.right >= 0 ? a.right : (double)same / (double)a.n);
  return WHET_OK;
}

bool cli_parse_percent(const char *text, double *out) {
  size_t n = strlen(text);
  if (n && text[n - 1] == '%') n--;
  return cli_parse_real(cli_keep_str(text, n), out) && *out >= 0 && *out <= 100;
}
