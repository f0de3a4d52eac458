/* SPDX-License-Identifier: Apache-2.0 */
/* The client of the Open Inference Protocol v2 (and its binary tensor extension), by libcurl. */

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pack.h"
#include "edge/send/curl.h"
#include "edge/send/inner.h"
#include "edge/send/oip.h"

enum { ANSWER_MOST = 64 << 20 };

/* One request under way. */
struct ask {
  CURL *easy;
  serve_buf answer;
  char head[40]; /* Inference-Header-Content-Length of the answer */
};

struct remote {
  remote_opts o;
  CURLM *multi;
  struct ask ask[2]; /* the request and its hedge */
  struct curl_slist *list;
  char base[600]; /* .../v2/models/NAME */
  serve_buf body, packed;
  remote_info info;
  bool described;
  oip_numbers numbers;
  char why[200];
  _Atomic bool woken;
};

static size_t take(char *p, size_t one, size_t n, void *user) {
  struct ask *a = user;
  if (a->answer.n + n > ANSWER_MOST) return 0;
  buf_put(&a->answer, p, n);
  return n * one;
}
static size_t take_head(char *p, size_t one, size_t n, void *user) {
  static const char name[] = "inference-header-content-length:";
  struct ask *a = user;
  if (n > sizeof name && !strncasecmp(p, name, sizeof name - 1)) {
    size_t k = n - (sizeof name - 1) < sizeof a->head - 1 ? n - (sizeof name - 1) : sizeof a->head - 1;
    memcpy(a->head, p + sizeof name - 1, k);
    a->head[k] = 0;
  }
  return n * one;
}

static void close_remote(remote **pr) {
  remote *r = *pr;
  if (!r) return;
  for (int i = 0; i < 2; i++) {
    if (r->ask[i].easy) curl_easy_cleanup(r->ask[i].easy);
    buf_free(&r->ask[i].answer);
  }
  if (r->multi) curl_multi_cleanup(r->multi);
  curl_slist_free_all(r->list);
  const char *text[] = {r->o.url, r->o.model, r->o.version, r->o.token, r->o.ca, r->o.cert, r->o.key};
  for (size_t i = 0; i < EDGE_COUNT(text); i++) free((char *)(uintptr_t)text[i]);
  buf_free(&r->body);
  buf_free(&r->packed);
  free(r->numbers.v);
  free(r);
  *pr = NULL;
}

static whet_status open_remote(const remote_opts *o, remote **out, whet_err *err) {
  *out = NULL;
  if (strncmp(o->url, "http://", 7) && strncmp(o->url, "https://", 8))
    return edge_fail(err, WHET_E_DATA, "%.200s: expected http:// or https://", o->url);
  remote *r = calloc(1, sizeof *r);
  if (!r) return edge_fail(err, WHET_E_MEMORY, "no memory for a remote model");
  r->o = *o;
  const char **text[] = {&r->o.url, &r->o.model, &r->o.version, &r->o.token, &r->o.ca, &r->o.cert, &r->o.key};
  for (size_t i = 0; i < EDGE_COUNT(text); i++)
    if (*text[i]) *text[i] = strdup(*text[i]);
  if (!(r->o.timeout > 0)) r->o.timeout = 10;
  int n = (int)strlen(o->url);
  while (n && o->url[n - 1] == '/') n--;
  char *model = curl_easy_escape(NULL, o->model, 0);
  int used = snprintf(r->base, sizeof r->base, "%.*s/v2/models/%s%s%s", n, o->url, model ? model : "",
                      o->version ? "/versions/" : "", o->version ? o->version : "");
  curl_free(model);
  r->multi = curl_multi_init();
  whet_status s = used < (int)sizeof r->base ? WHET_OK : edge_fail(err, WHET_E_DATA, "%.100s...: too long", o->url);
  for (int i = 0; i < 2 && !s; i++) {
    CURL *c = r->ask[i].easy = send_curl(r->o.ca, r->o.cert, r->o.key);
    if (!c || !r->multi) {
      s = edge_fail(err, WHET_E_MEMORY, "no memory for a remote model");
      break;
    }
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &r->ask[i]);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, &r->ask[i]);
  }
  if (s)
    close_remote(&r);
  else
    *out = r;
  return s;
}

static void wake(remote *r) {
  atomic_store(&r->woken, true);
  curl_multi_wakeup(r->multi);
}

/* ---- requests ---------------------------------------------------------------------------------- */

static void prepare(remote *r, struct ask *a, const char *url, const serve_buf *body) {
  CURL *c = a->easy;
  a->answer.n = 0;
  a->answer.bad = false;
  *a->head = 0;
  curl_easy_setopt(c, CURLOPT_URL, url);
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)fmax(r->o.timeout * 1000, 1));
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, r->list);
  if (body) {
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->n);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, body->p);
  } else {
    curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
  }
}

/* The first answer of the request and, later, its hedge. The asked one that answered; NULL: why says. */
static struct ask *perform(remote *r, const char *url, const serve_buf *body, long *http, remote_answer *count) {
  int64_t began = edge_now();
  double hedge = body ? r->o.hedge : 0;
  struct ask *won = NULL;
  int asked = 0, open = 0, running = 0, left;
  CURLcode last = CURLE_ABORTED_BY_CALLBACK;
  *http = 0;
  while (!won && !atomic_load(&r->woken)) {
    double past = 1e-9 * (double)(edge_now() - began);
    if (!asked || (asked == 1 && hedge > 0 && (past >= hedge || !open) && open < 2 && past < r->o.timeout)) {
      if (asked && !open && !(hedge > 0)) break;
      prepare(r, &r->ask[asked], url, body);
      if (curl_multi_add_handle(r->multi, r->ask[asked].easy)) break;
      asked++, open++;
    }
    curl_multi_perform(r->multi, &running);
    for (CURLMsg *m; (m = curl_multi_info_read(r->multi, &left));) {
      if (m->msg != CURLMSG_DONE) continue;
      open--;
      last = m->data.result;
      for (int i = 0; i < 2; i++)
        if (m->easy_handle == r->ask[i].easy && !last && !won) won = &r->ask[i];
    }
    if (won || (!open && (asked == 2 || !(hedge > 0)))) break;
    double wait = asked == 1 && hedge > past ? fmin(hedge - past, 1) : 1;
    if (open) curl_multi_poll(r->multi, NULL, 0, (int)ceil(wait * 1000), NULL);
  }
  for (int i = 0; i < asked; i++) {
    curl_off_t up = 0, down = 0;
    long head = 0, more = 0;
    curl_easy_getinfo(r->ask[i].easy, CURLINFO_REQUEST_SIZE, &head);
    curl_easy_getinfo(r->ask[i].easy, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(r->ask[i].easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    curl_easy_getinfo(r->ask[i].easy, CURLINFO_HEADER_SIZE, &more);
    if (count) count->up += head > (long)up ? head : head + (int64_t)up, count->down += (int64_t)down + more;
    curl_multi_remove_handle(r->multi, r->ask[i].easy);
  }
  if (won) curl_easy_getinfo(won->easy, CURLINFO_RESPONSE_CODE, http);
  if (won && won->answer.bad) won = NULL, last = CURLE_OUT_OF_MEMORY;
  if (!won) snprintf(r->why, sizeof r->why, "%s", atomic_load(&r->woken) ? "stopped" : curl_easy_strerror(last));
  if (count) count->seconds = 1e-9 * (double)(edge_now() - began), count->hedged = won == &r->ask[1];
  return won;
}

/* Headers of every request; json: of one with a binary tensor, the bytes before it. */
static bool heads(remote *r, const char *json) {
  bool bad = false;
  curl_slist_free_all(r->list);
  r->list = send_header(NULL, &bad, "Expect:", "", "");
  r->list = send_bearer(r->list, &bad, r->o.token);
  if (json) r->list = send_header(r->list, &bad, "Inference-Header-Content-Length: ", json, "");
  return !bad;
}

static bool ready(remote *r) {
  char url[700];
  long http;
  snprintf(url, sizeof url, "%s/ready", r->base);
  return heads(r, NULL) && perform(r, url, NULL, &http, NULL) && http == 200;
}

/* ---- the protocol ------------------------------------------------------------------------------ */

static whet_status describe(remote *r, remote_info *out, whet_err *err) {
  long http;
  struct ask *a;
  if (r->described) return *out = r->info, WHET_OK;
  if (!heads(r, NULL)) return edge_fail(err, WHET_E_MEMORY, "no memory for a request");
  if (!(a = perform(r, r->base, NULL, &http, NULL))) return edge_fail(err, WHET_E_IO, "%.200s: %s", r->base, r->why);
  if (http != 200) return edge_fail(err, http == 404 ? WHET_E_NAME : WHET_E_IO, "%.200s: HTTP %ld", r->base, http);
  whet_status s = oip_read_model(&a->answer, out, err);
  if (s) return edge_fail_in(err, "%.200s", r->base), s;
  /* Which extensions there are, the server says itself. */
  char url[700];
  snprintf(url, sizeof url, "%.*s", (int)(strstr(r->base, "/v2/models/") + 3 - r->base), r->base);
  if (!r->o.json && (a = perform(r, url, NULL, &http, NULL)) && http == 200 && a->answer.n) {
    buf_put(&a->answer, "", 1);
    out->binary =
        !a->answer.bad && (strstr(a->answer.p, "binary_tensor_data") || strstr(a->answer.p, "\"binary_data\""));
  }
  r->info = *out;
  r->described = true;
  return WHET_OK;
}

/* Post the body; a->why and err say what went wrong. */
static whet_status post(remote *r, const serve_buf *body, remote_answer *a, whet_err *err) {
  char url[700], *end;
  snprintf(url, sizeof url, "%s/infer", r->base);
  struct ask *won = perform(r, url, body, &a->http, a);
  if (!won) return edge_fail(err, WHET_E_IO, "%s", r->why);
  if (a->http == 200) {
    size_t head = *won->head ? strtoull(won->head, &end, 10) : won->answer.n;
    EDGE_TRY(oip_read(&won->answer, head, &r->numbers, err));
    a->numbers = r->numbers.v;
    a->n = r->numbers.n;
    return WHET_OK;
  }
  bool later = a->http == 408 || a->http == 429 || a->http >= 500 || a->http == 404;
  return edge_fail(err, later ? WHET_E_LIMIT : WHET_E_UNSUPPORTED, "HTTP %ld %.*s", a->http,
                   (int)(won->answer.n < 120 ? won->answer.n : 120), won->answer.n ? won->answer.p : "");
}

static whet_status send_case(remote *r, const oip_case *x, remote_answer *a, whet_err *err) {
  remote_info model;
  size_t json = 0;
  char head[100] = "";
  whet_status s = describe(r, &model, err);
  if (s) return s == WHET_E_NAME ? WHET_E_LIMIT : s; /* a model may come */
  EDGE_TRY(oip_write(&model, x, &r->body, &json, err));
  bool packed = r->o.compress && pack_deflate(&r->body, true, 6, &r->packed), bad = false;
  if (model.binary) snprintf(head, sizeof head, "%zu", json);
  if (!heads(r, *head ? head : NULL)) return edge_fail(err, WHET_E_MEMORY, "no memory for a request");
  r->list = send_header(r->list, &bad,
                        "Content-Type: ", model.binary ? "application/octet-stream" : "application/json", "");
  if (packed) r->list = send_header(r->list, &bad, "Content-Encoding: ", "gzip", "");
  if (bad) return edge_fail(err, WHET_E_MEMORY, "no memory for a request");
  s = post(r, packed ? &r->packed : &r->body, a, err);
  return s ? edge_fail_in(err, "%.200s", r->base), s : WHET_OK;
}

static whet_status infer(remote *r, const char *id, int32_t rank, const int64_t *dims, const void *data, size_t bytes,
                         remote_answer *a, whet_err *err) {
  const oip_case x = {id, rank, dims, data, bytes};
  whet_err own = {0};
  if (!err) err = &own;
  *a = (remote_answer){.why = r->why};
  *r->why = 0;
  whet_status s = send_case(r, &x, a, err);
  if (s && !*r->why) snprintf(r->why, sizeof r->why, "%.199s", err->text);
  return s;
}

const remote_kind remote_http = {open_remote, close_remote, ready, describe, infer, wake};
