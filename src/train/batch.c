/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of shuffled items. */

#include "train/batch.h"

#include "base/rng.h"

struct whet_batcher {
  whet_mem *mem;
  const whet_set *set;
  const whet_train_opts *o;
  whet_feed feed;
  int64_t batch, numbers, each; /* items; floats of a target and of an item */
  whet_reader **reader;         /* one for each part */
  float *tmp;                   /* one item for each part */
  whet_err *why;
  int parts;
  int32_t *order, epoch; /* of which epoch the order is; 0: none yet */
  float *mix_x, *mix_t;  /* a batch before it is mixed */
  /* Of the batch under way. */
  int64_t at;
  float *x, *target;
  int32_t *label;
};

whet_status whet__batcher_open(const whet_set *s, const whet_feed *feed, int64_t batch, int64_t numbers, const whet_train_opts *o, whet_mem *m,
                               whet_batcher **out, whet_err *err) {
  *out = NULL;
  whet_batcher *b = whet__alloc0(m, sizeof *b);
  if (!b) return whet__no_memory(m, sizeof *b, err, "batches");
  *b = (whet_batcher){.mem = m, .set = s, .o = o, .feed = *feed, .batch = batch, .numbers = numbers, .each = 1};
  for (int32_t i = 0; i < feed->rank; i++) b->each *= feed->dims[i];
  b->parts = (int)whet__clamp_i(o->threads ? o->threads : whet_pool_width(whet__pool_default()), 1, 64);
  b->order = whet__alloc_array(m, (size_t)whet__set_count(s), sizeof *b->order);
  b->reader = whet__alloc_array(m, (size_t)b->parts, sizeof *b->reader);
  b->tmp = whet__alloc_array(m, (size_t)(b->parts * b->each), sizeof *b->tmp);
  b->why = whet__alloc_array(m, (size_t)b->parts, sizeof *b->why);
  bool ok = b->order && b->reader && b->tmp && b->why;
  if (ok && o->augment.mixup > 0) {
    b->mix_x = whet__alloc_array(m, (size_t)(batch * b->each), sizeof *b->mix_x);
    b->mix_t = whet__alloc_array(m, (size_t)(batch * numbers), sizeof *b->mix_t);
    ok = b->mix_x && b->mix_t;
  }
  whet_status r = ok ? WHET_OK : whet__no_memory(m, (size_t)(batch * b->each) * 4, err, "batches");
  for (int i = 0; i < b->parts && !r; i++) r = whet__reader_create(s, feed, &b->reader[i], err);
  if (r)
    whet__batcher_close(&b);
  else
    *out = b;
  return r;
}

void whet__batcher_close(whet_batcher **pb) {
  whet_batcher *b = *pb;
  if (!b) return;
  for (int i = 0; b->reader && i < b->parts; i++) whet__reader_close(&b->reader[i]);
  void *own[] = {b->order, b->reader, b->tmp, b->why, b->mix_x, b->mix_t, b};
  whet_mem *m = b->mem;
  for (size_t i = 0; i < WHET_COUNT(own); i++) whet__free(m, own[i]);
  *pb = NULL;
}

int64_t whet__batcher_item(const whet_batcher *b, int64_t i) { return b->order[b->at * b->batch + i]; }

int64_t whet__batcher_count(const whet_batcher *b) { return whet__set_count(b->set) / b->batch; }

/* The order of an epoch: Fisher and Yates. */
static void shuffle(whet_batcher *b, int32_t epoch) {
  int64_t n = whet__set_count(b->set);
  if (b->epoch == epoch) return;
  for (int64_t i = 0; i < n; i++) b->order[i] = (int32_t)i;
  for (int64_t i = n - 1; i > 0; i--) {
    uint32_t r[4];
    whet__rng_block(b->o->seed, WHET_DRAW_ORDER, (uint64_t)epoch << 32 | (uint64_t)i, r);
    int64_t k = (int64_t)(((uint64_t)r[0] * (uint64_t)(i + 1)) >> 32);
    int32_t t = b->order[i];
    b->order[i] = b->order[k];
    b->order[k] = t;
  }
  b->epoch = epoch;
}

static void one_hot(const whet_batcher *b, int32_t label, float *target) {
  float rest = b->numbers ? (float)(b->o->smoothing / (double)b->numbers) : 0;
  for (int64_t k = 0; k < b->numbers; k++) target[k] = rest;
  if (label >= 0 && label < b->numbers) target[label] += (float)(1 - b->o->smoothing);
}

static void fill(void *arg, int part, int parts, int thread) {
  whet_batcher *b = arg;
  int64_t from = b->batch * part / parts, to = b->batch * (part + 1) / parts;
  const whet_augment *a = &b->o->augment;
  bool any = a->shift || a->flip || a->crop > 0 || a->time_shift || a->noise > 0;
  for (int64_t i = from; i < to && !b->why[part].code; i++) {
    int64_t place = b->at * b->batch + i, item = b->order[place];
    float *x = b->x + i * b->each, *t = b->target + i * b->numbers;
    b->label[i] = whet__set_label(b->set, item);
    if (whet__reader_get(b->reader[part], item, x, whet__set_classes(b->set) ? NULL : t, &b->why[part])) return;
    if (whet__set_classes(b->set)) one_hot(b, b->label[i], t);
    if (any)
      whet__augment(a, whet__set_item_kind(b->set), &b->feed, x, b->tmp + part * b->each, b->o->seed,
                    (uint64_t)b->epoch << 32 | (uint64_t)place);
  }
}

/* Each item with the one that stands as far from the end as it from the beginning. */
static void mix(whet_batcher *b) {
  memcpy(b->mix_x, b->x, (size_t)(b->batch * b->each) * sizeof *b->x);
  memcpy(b->mix_t, b->target, (size_t)(b->batch * b->numbers) * sizeof *b->x);
  for (int64_t i = 0; i < b->batch; i++) {
    int64_t k = b->batch - 1 - i;
    float s = whet__mix_share(b->o->augment.mixup, b->o->seed, (uint64_t)b->epoch << 32 | (uint64_t)(b->at * b->batch + i));
    for (int64_t j = 0; j < b->each; j++) b->x[i * b->each + j] = s * b->mix_x[i * b->each + j] + (1 - s) * b->mix_x[k * b->each + j];
    for (int64_t j = 0; j < b->numbers; j++)
      b->target[i * b->numbers + j] = s * b->mix_t[i * b->numbers + j] + (1 - s) * b->mix_t[k * b->numbers + j];
  }
}

whet_status whet__batcher_get(whet_batcher *b, int width, int32_t epoch, int64_t at, float *x, float *target, int32_t *label, whet_err *err) {
  shuffle(b, epoch);
  b->at = at, b->x = x, b->target = target, b->label = label;
  for (int i = 0; i < b->parts; i++) b->why[i] = (whet_err){0};
  whet_lease l;
  bool few = b->batch * b->each < 20000 && whet__set_item_kind(b->set) != WHET_ITEM_SOUND; /* not worth waking anybody */
  whet__lease_take(whet__pool_default(), few && !b->o->augment.shift && !(b->o->augment.crop > 0) ? 1 : width < b->parts ? width : b->parts, &l);
  int parts = l.width < b->parts ? l.width : b->parts;
  whet__lease_run(&l, parts, fill, b);
  whet__lease_drop(&l);
  for (int i = 0; i < b->parts; i++)
    if (b->why[i].code) return whet__fail(err, b->why[i].code, "%s", b->why[i].text);
  if (b->o->augment.mixup > 0) mix(b);
  return WHET_OK;
}
