/* SPDX-License-Identifier: Apache-2.0 */
/* Variants of a model for whet shrink: fewer channels, then smaller numbers. */

#include <stdio.h>

#include "compress/prune.h"
#include "out.h"
#include "shrink.h"

const cli_shrink_way cli_shrink_ways[] = {
    {.name = "as it is", .plain = true, .tflite = true, .onnx = true, .cut = true},
    {"float16 weights", WHET_SCHEME_FLOAT16, 8, 0, false, false, true, true, true},
    {"int8 weights", WHET_SCHEME_WEIGHTS, 8, 0, false, false, true, true, false},
    {"int4 weights", WHET_SCHEME_WEIGHTS, 4, 0, false, false, false, true, false},
    {"dynamic int8", WHET_SCHEME_DYNAMIC, 8, 0, false, false, true, false, false},
    {"int8", WHET_SCHEME_INT8, 8, 0, false, false, true, true, true},
    {"int8 where it keeps the score", WHET_SCHEME_INT8, 8, 0, false, true, true, true, true},
};
const int cli_shrink_n_ways = (int)WHET_COUNT(cli_shrink_ways);

static whet_status trained(void *user, const whet_train_state *s, const whet_epoch *e) {
  cli_progress(user, s->step, s->steps);
  return WHET_OK;
}

whet_status cli_shrink_cut(const cli_shrink_plan *p, double keep, whet_model **out, whet_err *err) {
  const cli_samples_opts *so = p->calibration->o;
  whet_model *cut;
  whet_prune_report report;
  whet_prune_opts how = {.keep = keep};
  whet_feed feed = {0};
  const bool classes = whet__set_classes(p->calibration->set) > 0;
  WHET_TRY(whet__prune(p->real, &how, &cut, &report, err));
  whet_trainer_opts t = {.how = whet_train_opts_default(), .feed = &feed, .progress = trained};
  t.how.rate = p->rate;
  t.how.schedule = WHET_RATE_COSINE;
  t.how.epochs = p->epochs;
  t.user = cli_keep_printf("%.0f %% of the multiply-adds: training", 100 * keep);
  t.how.teach = (whet_teach){.model = p->real, .temperature = 2, .mix = classes ? 0.7 : 1};
  cli_feed_numbers(p->real, so->range, so->mean, so->std, &feed);
  whet_status s = whet__trained(cut, p->calibration->set, &t, cli_mem(), out, err);
  whet_model_close(&cut);
  return s;
}

static int progress(void *user, const char *what, int64_t done, int64_t all) {
  cli_progress(cli_keep_printf("%s: %s", (const char *)user, what), done, all);
  return 0;
}

whet_status cli_shrink_make(const cli_shrink_plan *p, const cli_shrink_way *w, const char *name, whet_model *from, double drop,
                            whet_model **out, whet_err *err) {
  cli_feed feed;
  if (w->plain) {
    *out = whet_model_ref(from);
    return WHET_OK;
  }
  WHET_TRY(cli_feed_open(&feed, p->calibration, from, err));
  whet_quantize_opts q = whet_quantize_opts_default();
  whet_samples samples = {.n = p->calibration->n, .fill = cli_feed_fill, .user = &feed};
  whet_search search = {.size = sizeof search, .max_drop = drop, .score = cli_score, .user = p->scorer};
  q.format = p->format;
  q.scheme = w->scheme;
  q.weight_bits = w->bits;
  q.group = w->group;
  q.progress = progress;
  q.user = (void *)(uintptr_t)name;
  whet_status s = w->searched ? whet_quantize_within(from, &samples, &q, &search, out, NULL, NULL, err)
                              : whet_quantize(from, &samples, &q, out, NULL, err);
  cli_feed_close(&feed);
  return s;
}
