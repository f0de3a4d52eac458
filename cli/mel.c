/* SPDX-License-Identifier: Apache-2.0 */
#include "mel.h"

#include <math.h>
#include <stdlib.h>

#include "base/str.h"
#include "opts.h"
#include "out.h"

enum { MOST_SAMPLES = 1 << 20 };

/* "25ms", "0.025s", or samples. */
static bool length_of(const char *text, double *v, bool *samples) {
  char *end;
  *v = strtod(text, &end);
  if (end == text || !(*v > 0)) return false;
  *samples = !*end;
  if (!strcmp(end, "ms"))
    *v *= 1e-3;
  else if (*end && strcmp(end, "s"))
    return false;
  return true;
}

/* One KEY=VALUE. */
static bool take(cli_mel *m, const char *key, const char *value) {
  static const char *const k_kind[] = {"librosa", "torchaudio", "kaldi"};
  struct {
    const char *name;
    size_t *n;
    double *v;
  } k[] = {{"bands", &m->o.bands, NULL}, {"cepstra", &m->o.cepstra, NULL}, {"fft", &m->o.n_fft, NULL},
           {"lo", NULL, &m->o.lo},       {"hi", NULL, &m->o.hi},           {"lifter", NULL, &m->o.lifter},
           {"scale", NULL, &m->scale}};
  char *end;
  if (!strcmp(key, "window")) return length_of(value, &m->window, &m->window_n);
  if (!strcmp(key, "hop")) return length_of(value, &m->hop, &m->hop_n);
  for (int i = 0; i < 3 && !strcmp(key, "kind"); i++)
    if (!strcmp(value, k_kind[i])) return m->o.kind = (pipe_mel_kind)i, true;
  for (size_t i = 0; i < WHET_COUNT(k); i++) {
    if (strcmp(key, k[i].name)) continue;
    double v = strtod(value, &end);
    if (end == value || *end || !isfinite(v) || (k[i].n && (v != floor(v) || v < 0 || v > MOST_SAMPLES)))
      return false;
    if (k[i].n)
      *k[i].n = (size_t)v;
    else
      *k[i].v = v;
    return true;
  }
  return false;
}

int cli_mel_parse(const char *text, cli_mel *out) {
  *out = (cli_mel){.o = {.bands = 40}, .window = 0.025, .hop = 0.01, .scale = 1};
  char *copy = cli_keep_printf("%s", text), *rest = NULL;
  for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
    char *is = strchr(word, '=');
    if (is) *is = 0;
    if (!is || !take(out, word, is + 1))
      return cli_wrong("--mel %.40s%s%.40s: expected as window=25ms,hop=10ms,bands=40", word, is ? "=" : "",
                       is ? is + 1 : "");
  }
  return out->o.cepstra > out->o.bands ? cli_wrong("--mel: cepstra are at most as many as bands") : CLI_DONE;
}

int64_t cli_mel_width(const cli_mel *m) { return (int64_t)(m->o.cepstra ? m->o.cepstra : m->o.bands); }

static int64_t in_samples(double v, bool samples, int32_t rate) { return llround(samples ? v : v * rate); }

int64_t cli_mel_samples(const cli_mel *m, int32_t rate, int64_t rows) {
  return rows > 0 ? (rows - 1) * in_samples(m->hop, m->hop_n, rate) + in_samples(m->window, m->window_n, rate) : 0;
}

whet_status cli_sound_fit(whet_sound *s, int64_t frames, whet_err *err) {
  float *p = realloc(s->data, (size_t)(frames > 0 ? frames : 1) * sizeof *p);
  if (!p) return whet__fail(err, WHET_E_MEMORY, "no memory for %lld samples", (long long)frames);
  for (int64_t i = s->frames; i < frames; i++) p[i] = 0;
  s->data = p;
  s->frames = frames;
  return WHET_OK;
}

whet_status cli_mel_run(void *user, whet_sound *s, whet_err *err) {
  const cli_mel *m = user;
  int64_t window = in_samples(m->window, m->window_n, s->rate), hop = in_samples(m->hop, m->hop_n, s->rate);
  if (window < 1 || hop < 1 || window > MOST_SAMPLES)
    return whet__fail(err, WHET_E_DATA, "--mel: windows of %lld samples, %lld apart", (long long)window,
                      (long long)hop);
  if (s->frames < window)
    return whet__fail(err, WHET_E_DATA, "--mel: %lld samples are less than a window of %lld", (long long)s->frames,
                      (long long)window);
  pipe_mel_opts o = m->o;
  o.rate = s->rate, o.length = (size_t)window;
  pipe_mel *mel;
  WHET_TRY(pipe_mel_create(&o, &mel, err));
  int64_t rows = (s->frames - window) / hop + 1, width = cli_mel_width(m);
  float *to = malloc((size_t)(rows * width) * sizeof *to);
  whet_status st = to ? WHET_OK : whet__fail(err, WHET_E_MEMORY, "no memory for %lld rows", (long long)rows);
  if (!st && m->scale != 1)
    for (int64_t i = 0; i < s->frames; i++) s->data[i] = (float)((double)s->data[i] * m->scale);
  for (int64_t i = 0; !st && i < rows; i++) pipe_mel_run(mel, s->data + i * hop, to + i * width);
  pipe_mel_close(&mel);
  if (st) return st;
  free(s->data);
  s->data = to;
  s->frames = rows;
  s->channels = (int32_t)width;
  return WHET_OK;
}

whet_status cli_mel_hear(void *user, whet_sound *s, int64_t samples, whet_err *err) {
  if (samples) WHET_TRY(cli_sound_fit(s, samples, err));
  return cli_mel_run(user, s, err);
}
