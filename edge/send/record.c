/* SPDX-License-Identifier: Apache-2.0 */
/* Records as lines of JSON, and answers for many of them. */

#include <stdio.h>
#include <string.h>

#include "edge/send/inner.h"

void send_all(outbox_answer *a, size_t from, size_t n, outbox_fate fate, double after, const char *why) {
  for (size_t i = from; i < n; i++) {
    a[i].fate = fate;
    a[i].after = after;
    snprintf(a[i].why, sizeof a[i].why, "%s", why);
  }
}

static void base64(serve_buf *to, const uint8_t *p, size_t n) {
  static const char k[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char *out = buf_room(to, (n + 2) / 3 * 4);
  if (!out) return;
  for (size_t i = 0; i < n; i += 3) {
    uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
    *out++ = k[v >> 18];
    *out++ = k[v >> 12 & 63];
    *out++ = i + 1 < n ? k[v >> 6 & 63] : '=';
    *out++ = i + 2 < n ? k[v & 63] : '=';
  }
  to->n += (n + 2) / 3 * 4;
}

static bool one_line(const char *p, size_t n) { return !memchr(p, '\n', n) && !memchr(p, '\r', n); }

void send_record(serve_buf *to, const outbox_item *x) {
  buf_text(to, "{\"key\":");
  buf_json_str(to, x->key);
  if (*x->stream) {
    buf_text(to, ",\"stream\":");
    buf_json_str(to, x->stream);
  }
  buf_printf(to, ",\"time\":%.6f", x->created);
  bool json = !strcmp(x->type, "application/json") && x->n && one_line(x->data, x->n);
  if (!json) {
    buf_text(to, ",\"type\":");
    buf_json_str(to, x->type);
  }
  if (json) {
    buf_text(to, ",\"data\":");
    buf_put(to, x->data, x->n);
  } else if (!strncmp(x->type, "text/", 5)) {
    buf_text(to, ",\"data\":");
    buf_json(to, x->data, x->n);
  } else {
    buf_text(to, ",\"encoding\":\"base64\",\"data\":\"");
    base64(to, x->data, x->n);
    buf_text(to, "\"");
  }
  buf_text(to, "}");
}
