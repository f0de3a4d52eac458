/* SPDX-License-Identifier: Apache-2.0 */
/* Cases that wait for the remote on the disk: a thread that puts them there, and the outbox's own that asks. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/cascade/inner.h"

/* A record: this, then the tensor's bytes. */
struct stored {
  char magic[4]; /* "cas1" */
  int32_t rank;
  int64_t dims[REMOTE_RANK];
};
enum { GROUP = 64 };

/* ---- to the disk ------------------------------------------------------------------------------- */

static whet_status put(cascade *c, cascade_job *const *job, size_t n, uint8_t **text, whet_err *err) {
  outbox_record r[GROUP];
  size_t bytes = 0, at = 0;
  for (size_t i = 0; i < n; i++) bytes += sizeof(struct stored) + job[i]->bytes;
  uint8_t *p = realloc(*text, bytes);
  if (!p) return WHET_E_MEMORY;
  *text = p;
  for (size_t i = 0; i < n; i++) {
    struct stored head = {"cas1", job[i]->rank, {0}};
    memcpy(head.dims, job[i]->dims, sizeof head.dims);
    r[i] = (outbox_record){
        .key = job[i]->key, .type = "application/x-whet-case", .data = p + at, .n = sizeof head + job[i]->bytes};
    memcpy(p + at, &head, sizeof head);
    memcpy(p + at + sizeof head, job[i]->data, job[i]->bytes);
    at += r[i].n;
  }
  return outbox_put(c->box, r, n, err);
}

static void *write_cases(void *arg) {
  cascade *c = arg;
  cascade_job *job[GROUP];
  uint8_t *text = NULL;
  pthread_mutex_lock(&c->lock);
  for (;;) {
    size_t n = 0;
    while (n < GROUP && (job[n] = cascade_pop(&c->store))) n++;
    if (n) { /* also at the end: nothing that was taken on is lost */
      whet_err err = {0};
      c->in_hand += (int64_t)n;
      pthread_mutex_unlock(&c->lock);
      whet_status s = put(c, job, n, &text, &err);
      pthread_mutex_lock(&c->lock);
      c->in_hand -= (int64_t)n;
      if (s) c->stats.kept_queue += n;
      for (size_t i = 0; i < n; i++) cascade_job_drop(job[i]);
      pthread_cond_broadcast(&c->change);
      continue;
    }
    if (c->end) break;
    pthread_cond_wait(&c->change, &c->lock);
  }
  pthread_mutex_unlock(&c->lock);
  free(text);
  return NULL;
}

/* ---- from the disk to the remote ----------------------------------------------------------------- */

/* The outbox's sender: cases become jobs of the workers, answers corrections. */
static whet_status batch(sender *s, const outbox_batch *b, outbox_answer *a, int64_t *bytes, whet_err *err) {
  cascade *c = s->own;
  cascade_job **job = calloc(b->n, sizeof *job);
  if (!job) return edge_fail(err, WHET_E_MEMORY, "no memory for a batch");
  send_all(a, 0, b->n, OUTBOX_UNREACHED, 0, "the link is down");
  pthread_mutex_lock(&c->lock);
  bool open = c->open;
  c->in_hand += (int64_t)b->n;
  for (size_t i = 0; i < b->n && !open; i++) {
    const outbox_item *x = &b->item[i];
    struct stored head = {0};
    if (x->n >= sizeof head) memcpy(&head, x->data, sizeof head);
    if (memcmp(head.magic, "cas1", 4) || head.rank < 0 || head.rank > REMOTE_RANK) {
      send_all(a, i, i + 1, OUTBOX_REFUSED, 0, "not a case");
      continue;
    }
    job[i] =
        cascade_job_new(x->key, head.rank, head.dims, (const uint8_t *)x->data + sizeof head, x->n - sizeof head);
    if (!job[i]) continue;
    job[i]->ref++;
    cascade_push(&c->ask, job[i]);
  }
  pthread_cond_broadcast(&c->change);
  for (size_t i = 0; i < b->n; i++) {
    cascade_job *j = job[i];
    if (!j) continue;
    while (!j->done && !c->end) pthread_cond_wait(&c->change, &c->lock);
    if (j->done && !j->status) {
      bool given = cascade_correct(c, j);
      send_all(a, i, i + 1, given ? OUTBOX_SENT : OUTBOX_AGAIN, 0, given ? "" : "the correction was not taken");
    } else if (j->done) {
      outbox_fate f = cascade_refused(j->status)  ? OUTBOX_REFUSED
                      : j->status == WHET_E_LIMIT ? OUTBOX_AGAIN
                                                  : OUTBOX_UNREACHED;
      send_all(a, i, i + 1, f, 0, j->why);
    }
    *bytes += (int64_t)j->bytes;
    cascade_job_drop(j);
  }
  c->in_hand -= (int64_t)b->n;
  pthread_mutex_unlock(&c->lock);
  free(job);
  return WHET_OK;
}

static void nothing(sender *s) { (void)s; }
static const send_kind k_kind = {.batch = batch, .close = nothing};

whet_status cascade_store_open(cascade *c, whet_err *err) {
  if (!c->o.outbox) return WHET_OK;
  const outbox_opts o = {.path = c->o.outbox,
                         .max_bytes = c->o.outbox_bytes > 0 ? c->o.outbox_bytes : 256 << 20,
                         .when_full = OUTBOX_DROP_OLDEST,
                         .ttl = c->o.ttl > 0 ? c->o.ttl / c->o.speed : 0,
                         .retry_min = 0.5 / c->o.speed,
                         .retry_max = 30 / c->o.speed};
  EDGE_TRY(outbox_open(&o, &c->box, err));
  EDGE_TRY(send_open_kind(&k_kind, c, &c->sender, err));
  const outbox_drain_opts d = {.batch = (size_t)(4 * c->o.workers), .batch_bytes = 16 << 20};
  EDGE_TRY(outbox_drain_start(c->box, c->sender, &d, &c->drain, err));
  c->has_writer = !pthread_create(&c->writer, NULL, write_cases, c);
  return c->has_writer ? WHET_OK : edge_fail(err, WHET_E_MEMORY, "no thread for the outbox");
}

void cascade_store_close(cascade *c) {
  if (c->has_writer) pthread_join(c->writer, NULL);
  (void)!outbox_drain_stop(&c->drain, NULL);
  send_close(&c->sender);
  outbox_close(&c->box);
}
