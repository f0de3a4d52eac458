/* SPDX-License-Identifier: Apache-2.0 */
/* The client of the Open Inference Protocol v2 (and its binary tensor extension), by libcurl. */

#include <curl/curl.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/cascade/remote.h"
#include "edge/pack.h"
#include "edge/serve/buf.h"
#include "edge/serve/dtype.h"

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
  float *numbers;
  size_t cap;
  char why[200];
  _Atomic bool woken;
};

static pthread_once_t k_once = PTHREAD_ONCE_INIT;
static void begin(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

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
  free(r->numbers);
  free(r);
  *pr = NULL;
}

static whet_status open_remote(const remote_opts *o, remote **out, whet_err *err) {
  *out = NULL;
  pthread_once(&k_once, begin);
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
    CURL *c = r->ask[i].easy = curl_easy_init();
    if (!c || !r->multi) {
      s = edge_fail(err, WHET_E_MEMORY, "no memory for a remote model");
      break;
    }
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "whet");
    curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &r->ask[i]);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, &r->ask[i]);
    if (o->ca) curl_easy_setopt(c, CURLOPT_CAINFO, r->o.ca);
    if (o->cert) curl_easy_setopt(c, CURLOPT_SSLCERT, r->o.cert);
    if (o->key) curl_easy_setopt(c, CURLOPT_SSLKEY, r->o.key);
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

/* Headers of every request, and one more. */
static bool heads(remote *r, const char *more) {
  char text[700];
  curl_slist_free_all(r->list);
  r->list = curl_slist_append(NULL, "Expect:");
  if (r->o.token) {
    snprintf(text, sizeof text, "Authorization: Bearer %s", r->o.token);
    text[strcspn(text, "\r\n")] = 0;
    r->list = curl_slist_append(r->list, text);
  }
  if (more && *more) r->list = curl_slist_append(r->list, more);
  return r->list != NULL;
}

static bool ready(remote *r) {
  char url[700];
  long http;
  snprintf(url, sizeof url, "%s/ready", r->base);
  return heads(r, NULL) && perform(r, url, NULL, &http, NULL) && http == 200;
}

/* ---- metadata ---------------------------------------------------------------------------------- */

static void copy(json_text t, char *to) { snprintf(to, REMOTE_NAME, "%.*s", (int)t.n, t.p ? t.p : ""); }

/* The first of "inputs" or "outputs". */
static void read_tensor(json_in *j, char *name, whet_dtype *type, int32_t *rank, int64_t *dims) {
  json_text key, text;
  bool first = true;
  for (jin_begin(j, '['); jin_next(j, ']'); first = false) {
    if (!first) {
      jin_skip(j);
      continue;
    }
    for (jin_begin(j, '{'); jin_next(j, '}');) {
      jin_key(j, &key);
      if (text_is(key, "name")) {
        jin_string(j, &text);
        copy(text, name);
      } else if (text_is(key, "datatype")) {
        jin_string(j, &text);
        const serve_dtype *d = dtype_named(text);
        *type = d ? d->whet : WHET_NONE;
      } else if (text_is(key, "shape") && rank) {
        *rank = 0;
        for (jin_begin(j, '['); jin_next(j, ']');) {
          int64_t v = 0;
          jin_int(j, &v);
          if (*rank < REMOTE_RANK) dims[*rank] = v;
          ++*rank;
        }
      } else {
        jin_skip(j);
      }
    }
  }
}

static whet_status describe(remote *r, remote_info *out, whet_err *err) {
  long http;
  json_in j;
  json_text key;
  whet_err why = {0};
  struct ask *a;
  if (r->described) return *out = r->info, WHET_OK;
  if (!heads(r, NULL)) return edge_fail(err, WHET_E_MEMORY, "no memory for a request");
  if (!(a = perform(r, r->base, NULL, &http, NULL))) return edge_fail(err, WHET_E_IO, "%.200s: %s", r->base, r->why);
  if (http != 200) return edge_fail(err, http == 404 ? WHET_E_NAME : WHET_E_IO, "%.200s: HTTP %ld", r->base, http);
  remote_info x = {.in_rank = -1};
  jin_init(&j, a->answer.p, a->answer.n, &why);
  for (jin_begin(&j, '{'); jin_next(&j, '}');) {
    jin_key(&j, &key);
    if (text_is(key, "inputs") && jin_peek(&j) == '[')
      read_tensor(&j, x.input, &x.in_type, &x.in_rank, x.in_dims);
    else if (text_is(key, "outputs") && jin_peek(&j) == '[')
      read_tensor(&j, x.output, &x.out_type, NULL, NULL);
    else
      jin_skip(&j);
  }
  if (j.bad) return edge_fail(err, WHET_E_DATA, "%.200s: %s", r->base, why.text);
  if (x.in_rank > REMOTE_RANK)
    return edge_fail(err, WHET_E_UNSUPPORTED, "%.200s: an input of %d dimensions", r->base, x.in_rank);
  /* Which extensions there are, the server says itself. */
  char url[700];
  snprintf(url, sizeof url, "%.*s", (int)(strstr(r->base, "/v2/models/") + 3 - r->base), r->base);
  if (!r->o.json && (a = perform(r, url, NULL, &http, NULL)) && http == 200 && a->answer.n) {
    buf_put(&a->answer, "", 1);
    x.binary =
        !a->answer.bad && (strstr(a->answer.p, "binary_tensor_data") || strstr(a->answer.p, "\"binary_data\""));
  }
  r->info = *out = x;
  r->described = true;
  return WHET_OK;
}

/* ---- inference --------------------------------------------------------------------------------- */

static double number(whet_dtype t, const uint8_t *p, size_t i) {
  union {
    float f;
    double d;
    uint32_t u;
    int32_t i;
    int64_t l;
    uint16_t h;
  } v = {0};
  switch (t) {
    case WHET_F32:
      memcpy(&v.f, p + 4 * i, 4);
      return (double)v.f;
    case WHET_F64:
      memcpy(&v.d, p + 8 * i, 8);
      return v.d;
    case WHET_S64:
      memcpy(&v.l, p + 8 * i, 8);
      return (double)v.l;
    case WHET_S32:
      memcpy(&v.i, p + 4 * i, 4);
      return v.i;
    case WHET_U8:
      return p[i];
    case WHET_S8:
      return (int8_t)p[i];
    default:
      return NAN;
  }
}

static bool json_takes(whet_dtype t) {
  return t == WHET_F32 || t == WHET_F64 || t == WHET_S64 || t == WHET_S32 || t == WHET_U8 || t == WHET_S8;
}

static whet_status write_body(remote *r, const remote_info *x, const char *id, int32_t rank, const int64_t *dims,
                              const void *data, size_t bytes, bool binary, size_t *json_n, whet_err *err) {
  serve_buf *b = &r->body;
  const serve_dtype *d = dtype_of(x->in_type);
  b->n = 0;
  if (!d || !d->bytes)
    return edge_fail(err, WHET_E_UNSUPPORTED, "%.200s: an input of another type than numbers", r->base);
  if (!binary && !json_takes(x->in_type))
    return edge_fail(err, WHET_E_UNSUPPORTED, "%.200s: the server takes no binary tensors, and JSON has no %s",
                     r->base, d->name);
  buf_text(b, "{\"id\":");
  buf_json_str(b, id ? id : "0"); /* optional by the protocol, and wanted by KServe */
  buf_text(b, ",\"inputs\":[{\"name\":");
  buf_json_str(b, x->input);
  buf_printf(b, ",\"datatype\":\"%s\",\"shape\":", d->name);
  buf_dims(b, rank, dims);
  if (binary) {
    buf_printf(b, ",\"parameters\":{\"binary_data_size\":%zu}}],\"parameters\":{\"binary_data_output\":true}}",
               bytes);
  } else {
    buf_text(b, ",\"data\":[");
    for (size_t i = 0, n = bytes / d->bytes; i < n; i++) {
      if (i) buf_text(b, ",");
      double v = number(x->in_type, data, i);
      if (!isfinite(v)) return edge_fail(err, WHET_E_DATA, "element %zu is not finite, which JSON cannot say", i);
      if (x->in_type == WHET_F32)
        buf_float(b, (float)v);
      else if (x->in_type == WHET_F64)
        buf_double(b, v);
      else
        buf_int(b, (int64_t)v);
    }
    buf_text(b, "]}]}");
  }
  *json_n = b->n;
  if (binary) buf_put(b, data, bytes);
  return b->bad ? edge_fail(err, WHET_E_MEMORY, "no memory for a request") : WHET_OK;
}

static bool room(remote *r, size_t n) {
  if (n <= r->cap) return true;
  float *more = realloc(r->numbers, n * sizeof *more);
  if (!more) return false;
  r->numbers = more, r->cap = n;
  return true;
}

/* Numbers of a "data" list, nested or not. */
static bool read_numbers(json_in *j, remote *r, size_t *n, int depth) {
  for (jin_begin(j, '['); jin_next(j, ']');) {
    if (jin_peek(j) == '[') {
      if (depth > 8 || !read_numbers(j, r, n, depth + 1)) return false;
      continue;
    }
    double v = 0;
    if (!room(r, *n < 16 ? 16 : *n + *n / 2 + 1)) return false;
    jin_double(j, &v);
    r->numbers[(*n)++] = (float)v;
  }
  return !j->bad;
}

/* The first output of an answer. */
static whet_status read_answer(remote *r, struct ask *a, remote_answer *out, whet_err *err) {
  json_in j;
  json_text key, text, type = {0};
  whet_err why = {0};
  char *end;
  size_t head = *a->head ? strtoull(a->head, &end, 10) : a->answer.n, n = 0;
  int64_t bytes = -1;
  bool first = true, have = false;
  if (head > a->answer.n) return edge_fail(err, WHET_E_DATA, "%.200s: the answer is cut short", r->base);
  jin_init(&j, a->answer.p, head, &why);
  for (jin_begin(&j, '{'); jin_next(&j, '}');) {
    jin_key(&j, &key);
    if (!text_is(key, "outputs") || jin_peek(&j) != '[') {
      jin_skip(&j);
      continue;
    }
    for (jin_begin(&j, '['); jin_next(&j, ']'); first = false) {
      if (!first) {
        jin_skip(&j);
        continue;
      }
      for (jin_begin(&j, '{'); jin_next(&j, '}');) {
        jin_key(&j, &key);
        if (text_is(key, "datatype")) {
          jin_string(&j, &type);
        } else if (text_is(key, "data") && jin_peek(&j) == '[') {
          have = read_numbers(&j, r, &n, 0);
        } else if (text_is(key, "parameters") && jin_peek(&j) == '{') {
          for (jin_begin(&j, '{'); jin_next(&j, '}');) {
            jin_key(&j, &text);
            if (text_is(text, "binary_data_size"))
              jin_int(&j, &bytes);
            else
              jin_skip(&j);
          }
        } else {
          jin_skip(&j);
        }
      }
    }
  }
  if (j.bad) return edge_fail(err, WHET_E_DATA, "%.200s: %s", r->base, why.text);
  if (bytes >= 0) {
    const serve_dtype *d = dtype_named(type);
    if (!d || !json_takes(d->whet) || (uint64_t)bytes > a->answer.n - head || (size_t)bytes % d->bytes ||
        !room(r, (size_t)bytes / d->bytes + 1))
      return edge_fail(err, WHET_E_DATA, "%.200s: an output that is no list of numbers", r->base);
    n = (size_t)bytes / d->bytes;
    for (size_t i = 0; i < n; i++) r->numbers[i] = (float)number(d->whet, (const uint8_t *)a->answer.p + head, i);
    have = true;
  }
  if (!have || !n) return edge_fail(err, WHET_E_DATA, "%.200s: the answer has no output", r->base);
  out->numbers = r->numbers;
  out->n = n;
  return WHET_OK;
}

static whet_status infer(remote *r, const char *id, int32_t rank, const int64_t *dims, const void *data, size_t bytes,
                         remote_answer *a, whet_err *err) {
  remote_info x;
  size_t json_n = 0;
  char url[700], head[100] = "";
  long http;
  *a = (remote_answer){.why = r->why};
  *r->why = 0;
  whet_status s = describe(r, &x, err);
  if (s) {
    snprintf(r->why, sizeof r->why, "%.199s", err ? err->text : "no description");
    return s == WHET_E_NAME ? WHET_E_LIMIT : s; /* a model may come */
  }
  s = write_body(r, &x, id, rank, dims, data, bytes, x.binary, &json_n, err);
  if (s) {
    snprintf(r->why, sizeof r->why, "%.199s", err ? err->text : "");
    return s;
  }
  bool packed = r->o.compress && pack_deflate(&r->body, true, 6, &r->packed);
  if (x.binary) snprintf(head, sizeof head, "Inference-Header-Content-Length: %zu", json_n);
  if (!heads(r, head)) return edge_fail(err, WHET_E_MEMORY, "no memory for a request");
  r->list = curl_slist_append(r->list,
                              x.binary ? "Content-Type: application/octet-stream" : "Content-Type: application/json");
  if (packed) r->list = curl_slist_append(r->list, "Content-Encoding: gzip");
  snprintf(url, sizeof url, "%s/infer", r->base);
  struct ask *won = perform(r, url, packed ? &r->packed : &r->body, &http, a);
  a->http = http;
  if (!won) return edge_fail(err, WHET_E_IO, "%.200s: %s", r->base, r->why);
  if (http == 200) {
    s = read_answer(r, won, a, err);
    if (s) snprintf(r->why, sizeof r->why, "%.199s", err ? err->text : "not an answer of the protocol");
    return s;
  }
  size_t n = won->answer.n < 120 ? won->answer.n : 120;
  snprintf(r->why, sizeof r->why, "HTTP %ld %.*s", http, (int)n, n ? won->answer.p : "");
  bool later = http == 408 || http == 429 || http >= 500 || http == 404;
  return edge_fail(err, later ? WHET_E_LIMIT : WHET_E_UNSUPPORTED, "%.200s: %s", r->base, r->why);
}

const remote_kind remote_http;
const remote_kind remote_http = {open_remote, close_remote, ready, describe, infer, wake};
