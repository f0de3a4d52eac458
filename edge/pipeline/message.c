/* SPDX-License-Identifier: Apache-2.0 */
/* Messages into frames. */

#include "edge/pipeline/message.h"

#include <stdio.h>
#include <string.h>

#include "edge/pipeline/inner.h"

void pl_inbox_close(pl_inbox *b) {
  pl_payload_close(&b->payload);
  buf_free(&b->copy);
}

/* One frame; *out NULL with WHET_OK: a heading. */
static whet_status one(pl_node *n, pl_inbox *b, uint8_t *bytes, size_t len, int64_t time, const char *item,
                       pl_frame **out, whet_err *err) {
  pl_frame *f = pl_source_frame(n);
  *out = NULL;
  if (!f) return edge_fail(err, WHET_E_MEMORY, "no memory for a frame");
  if (time) f->time = time;
  snprintf(f->item, sizeof f->item, "%s", item);
  whet_status st = pl_payload_frame(&b->payload, f, bytes, len, err);
  if (st) {
    n->branch->seq--;
    pl_frame_free(f);
    return st == WHET_E_CANCELLED ? WHET_OK : st;
  }
  *out = f;
  return WHET_OK;
}

whet_status pl_message(pl_node *n, pl_inbox *b, const void *bytes, size_t len, int64_t time, const char *item,
                       size_t *given, whet_err *err) {
  *given = 0;
  if (len > b->payload.longest)
    return edge_fail(err, WHET_E_LIMIT, "a message of %zu bytes, longest is %zu", len, b->payload.longest);
  bool lines = b->payload.format == PL_JSONL || b->payload.format == PL_CSV;
  whet_status first = WHET_OK;
  pthread_mutex_lock(&n->lock);
  b->payload.line = 0;
  b->copy.n = 0;
  b->copy.bad = false;
  buf_put(&b->copy, bytes, len);
  if (b->copy.bad) first = edge_fail(err, WHET_E_MEMORY, "no memory for a message of %zu bytes", len);
  for (size_t at = 0; !b->copy.bad && (at < len || (!len && !lines));) {
    uint8_t *p = (uint8_t *)b->copy.p + at, *end = lines ? memchr(p, '\n', len - at) : NULL;
    size_t k = end ? (size_t)(end - p) : len - at;
    at += k + (end ? 1 : 0);
    b->payload.line++;
    if (lines && k && p[k - 1] == '\r') k--;
    if (lines && !k) continue;
    pl_frame *f;
    whet_err why = {0};
    whet_status st = one(n, b, p, k, time, item, &f, &why);
    if (st && !first) first = edge_fail(err, st, "%s", why.text);
    if (f) {
      pl_source_give(n, f); /* where the queue blocks, messages of others wait too: the copy is this one's */
      ++*given;
    }
    if (!len) break;
  }
  pthread_mutex_unlock(&n->lock);
  return first;
}
