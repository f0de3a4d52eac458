/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP by libcurl, through its multi interface, whose waiting another thread can end. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pack.h"
#include "edge/send/curl.h"
#include "edge/send/inner.h"
#include "edge/serve/json.h"

enum { ANSWER_MOST = 4 << 20, COMPRESS_FROM = 1024 };

struct http {
  CURLM *multi;
  CURL *easy;
  serve_buf body, packed, answer;
};

static size_t take(char *p, size_t one, size_t n, void *user) {
  serve_buf *b = user;
  if (b->n + n <= ANSWER_MOST) buf_put(b, p, n); /* the rest tells nothing that we need */
  return one * n;
}

static whet_status open_http(sender *s, whet_err *err) {
  struct http *h = calloc(1, sizeof *h);
  if (!h) return edge_fail(err, WHET_E_MEMORY, "no memory for a sender");
  s->own = h;
  h->multi = curl_multi_init();
  h->easy = send_curl(s->o.ca, s->o.cert, s->o.key);
  if (!h->multi || !h->easy) return edge_fail(err, WHET_E_MEMORY, "no memory for a sender");
  CURL *c = h->easy;
  bool bad = curl_easy_setopt(c, CURLOPT_URL, s->o.url) != CURLE_OK;
  curl_easy_setopt(c, CURLOPT_POST, 1L);
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(s->o.timeout * 1000));
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(fmin(s->o.timeout, 10) * 1000));
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &h->answer);
  return bad ? edge_fail(err, WHET_E_DATA, "%.200s: not a URL", s->o.url) : WHET_OK;
}

static void close_http(sender *s) {
  struct http *h = s->own;
  if (!h) return;
  if (h->easy) curl_easy_cleanup(h->easy);
  if (h->multi) curl_multi_cleanup(h->multi);
  buf_free(&h->body);
  buf_free(&h->packed);
  buf_free(&h->answer);
  free(h);
}

static void wake(sender *s) {
  struct http *h = s->own;
  curl_multi_wakeup(h->multi);
}

/* The request; *code: of the answer, 0: none came, and why says so. */
static CURLcode perform(sender *s, long *code) {
  struct http *h = s->own;
  CURLcode result = CURLE_ABORTED_BY_CALLBACK;
  int running = 1, left;
  *code = 0;
  if (curl_multi_add_handle(h->multi, h->easy)) return CURLE_FAILED_INIT;
  while (running && !atomic_load(&s->woken)) {
    if (curl_multi_perform(h->multi, &running)) break;
    if (running) curl_multi_poll(h->multi, NULL, 0, 1000, NULL);
  }
  for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));)
    if (m->msg == CURLMSG_DONE && m->easy_handle == h->easy) result = m->data.result;
  if (!result) curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, code);
  curl_multi_remove_handle(h->multi, h->easy);
  return result;
}

/* "Idempotency-Key: " and the key as a string of structured fields (RFC 9651, 3.3.3): quotes and backslashes behind a
 * backslash. Such a string is visible ASCII: other bytes go as %XX, and so does the percent sign, so that two keys
 * never become one. */
static struct curl_slist *key_header(struct curl_slist *list, bool *bad, const char *key) {
  serve_buf text = {0};
  for (const unsigned char *p = (const unsigned char *)key; *p; p++) {
    if (*p < 32 || *p > 126 || *p == '%')
      buf_printf(&text, "%%%02X", *p);
    else
      buf_printf(&text, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
  }
  buf_put(&text, "", 1);
  if (text.bad)
    *bad = true;
  else
    list = send_header(list, bad, "Idempotency-Key: \"", text.p, "\"");
  buf_free(&text);
  return list;
}

/* Send items from..to of a batch; *code as above. */
static CURLcode request(sender *s, const outbox_batch *b, size_t from, size_t to, long *code, int64_t *bytes,
                        bool *no_memory) {
  struct http *h = s->own;
  bool single = to - from == 1;
  struct curl_slist *list = NULL;
  h->body.n = h->answer.n = 0;
  for (size_t i = from; i < to; i++) {
    if (single) {
      buf_put(&h->body, b->item[i].data, b->item[i].n);
    } else {
      send_record(&h->body, &b->item[i]);
      buf_text(&h->body, "\n");
    }
  }
  bool packed = s->o.compress && h->body.n >= COMPRESS_FROM && pack_deflate(&h->body, true, 6, &h->packed),
       bad = h->body.bad;
  const serve_buf *body = packed ? &h->packed : &h->body;
  list = send_header(list, &bad, "Content-Type: ", single ? b->item[from].type : "application/x-ndjson", "");
  list = send_header(list, &bad, "Expect:", "", "");
  /* Only of a record alone: lines carry their own keys, and a batch that is tried again may hold other records, which
   * a receiver that knows its first one's key would throw away. */
  if (single) list = key_header(list, &bad, b->item[from].key);
  if (single && *b->item[from].stream) list = send_header(list, &bad, "X-Stream: ", b->item[from].stream, "");
  list = send_bearer(list, &bad, s->o.token);
  if (packed) list = send_header(list, &bad, "Content-Encoding: ", "gzip", "");
  CURLcode r = CURLE_OUT_OF_MEMORY;
  *no_memory = bad;
  if (!bad) {
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->n);
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, body->n ? body->p : "");
    r = perform(s, code);
    curl_off_t up = 0;
    long head = 0;
    curl_easy_getinfo(h->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(h->easy, CURLINFO_REQUEST_SIZE, &head);
    *bytes += (int64_t)up + (head > (long)up ? head - (long)up : head);
  }
  curl_slist_free_all(list);
  return r;
}

/* An answer to who we are or where we knock, not to what we bring: a token that ran out, a proxy, a path that moved.
 * No record is to blame, and all of them wait until somebody has put it right. NULL: it is none of these. */
static const char *shut(long code) {
  return code == 401   ? "HTTP 401: not let in (which token?); records wait"
         : code == 403 ? "HTTP 403: not allowed; records wait"
         : code == 404 ? "HTTP 404: nobody takes records there; they wait"
         : code == 407 ? "HTTP 407: a proxy does not let us through; records wait"
                       : NULL;
}

/* A redirection is tried again, too: it is what a network's sign-in page answers, not the receiver. */
static outbox_fate fate_of(long code) {
  if (code >= 200 && code < 300) return OUTBOX_SENT;
  bool passes = code == 408 || code == 425 || code == 429;
  return code >= 400 && code < 500 && !passes ? OUTBOX_REFUSED : OUTBOX_AGAIN;
}

static double retry_after(struct http *h) {
  curl_off_t s = 0;
  curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &s);
  return s > 0 ? (double)s : 0;
}

/* What an answer {"results":[{"key":"...","status":200,"error":"..."}]} says of items. */
static void read_results(struct http *h, const outbox_batch *b, size_t from, size_t to, outbox_answer *a) {
  whet_err err = {0};
  json_in j;
  json_text key, name, text;
  int64_t status;
  size_t at = from;
  jin_init(&j, h->answer.p, h->answer.n, &err);
  if (jin_peek(&j) != '{') return;
  for (jin_begin(&j, '{'); jin_next(&j, '}');) {
    jin_key(&j, &name);
    if (!text_is(name, "results") || jin_peek(&j) != '[') {
      jin_skip(&j);
      continue;
    }
    for (jin_begin(&j, '['); jin_next(&j, ']');) {
      key = (json_text){0}, text = (json_text){0}, status = 200;
      for (jin_begin(&j, '{'); jin_next(&j, '}');) {
        jin_key(&j, &name);
        if (text_is(name, "key"))
          jin_string(&j, &key);
        else if (text_is(name, "status"))
          jin_int(&j, &status);
        else if (text_is(name, "error"))
          jin_string(&j, &text);
        else
          jin_skip(&j);
      }
      if (j.bad) return;
      for (size_t n = to - from; n-- > 0; at = at + 1 < to ? at + 1 : from) { /* mostly in order */
        if (b->item[at].key == NULL || strlen(b->item[at].key) != key.n || memcmp(b->item[at].key, key.p, key.n))
          continue;
        a[at].fate = fate_of((long)status);
        snprintf(a[at].why, sizeof a[at].why, "%lld %.*s", (long long)status, (int)(text.n < 100 ? text.n : 100),
                 text.p ? text.p : "");
        break;
      }
    }
  }
}

/* Items from..to in one request. False: stop with the batch. */
static bool send_some(sender *s, const outbox_batch *b, size_t from, size_t to, outbox_answer *a, int64_t *bytes,
                      bool *no_memory) {
  struct http *h = s->own;
  long code;
  char why[120];
  CURLcode r = request(s, b, from, to, &code, bytes, no_memory);
  if (*no_memory) return false;
  if (r) {
    send_all(a, from, b->n, OUTBOX_UNREACHED, 0, atomic_load(&s->woken) ? "stopped" : curl_easy_strerror(r));
    return false;
  }
  if (shut(code)) {
    send_all(a, from, b->n, OUTBOX_UNREACHED, retry_after(h), shut(code));
    return false;
  }
  snprintf(why, sizeof why, "HTTP %ld", code);
  outbox_fate f = fate_of(code);
  send_all(a, from, to, f, f == OUTBOX_AGAIN ? retry_after(h) : 0, f == OUTBOX_SENT ? "" : why);
  if (f == OUTBOX_SENT && to - from > 1) read_results(h, b, from, to, a);
  if (f == OUTBOX_AGAIN) {
    send_all(a, to, b->n, OUTBOX_UNREACHED, a[from].after, why);
    return false;
  }
  return true;
}

static whet_status batch(sender *s, const outbox_batch *b, outbox_answer *a, int64_t *bytes, whet_err *err) {
  bool no_memory = false;
  if (b->n > 1 && !s->o.single) {
    bool on = send_some(s, b, 0, b->n, a, bytes, &no_memory);
    bool refused = on && a[0].fate == OUTBOX_REFUSED && !strncmp(a[0].why, "HTTP", 4);
    if (no_memory) return edge_fail(err, WHET_E_MEMORY, "no memory for a batch");
    if (!refused) return WHET_OK; /* else: which of them is it? */
  }
  for (size_t i = 0; i < b->n; i++)
    if (!send_some(s, b, i, i + 1, a, bytes, &no_memory)) break;
  return no_memory ? edge_fail(err, WHET_E_MEMORY, "no memory for a batch") : WHET_OK;
}

const send_kind send_http = {.open = open_http, .batch = batch, .wake = wake, .close = close_http};
