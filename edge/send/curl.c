/* SPDX-License-Identifier: Apache-2.0 */
/* Handles and headers of libcurl. */

#include "edge/send/curl.h"

#include <pthread.h>

#include "edge/serve/buf.h"

static pthread_once_t k_once = PTHREAD_ONCE_INIT;
static void begin(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

CURL *send_curl(const char *ca, const char *cert, const char *key) {
  pthread_once(&k_once, begin);
  CURL *c = curl_easy_init();
  if (!c) return NULL;
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_USERAGENT, "whet");
  curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
  if (ca) curl_easy_setopt(c, CURLOPT_CAINFO, ca);
  if (cert) curl_easy_setopt(c, CURLOPT_SSLCERT, cert);
  if (key) curl_easy_setopt(c, CURLOPT_SSLKEY, key);
  return c;
}

struct curl_slist *send_header(struct curl_slist *list, bool *bad, const char *name, const char *value,
                               const char *end) {
  serve_buf text = {0};
  buf_text(&text, name);
  buf_text(&text, value);
  buf_text(&text, end);
  buf_put(&text, "", 1);
  for (size_t i = 0; !text.bad && i + 1 < text.n; i++)
    if ((unsigned char)text.p[i] < 32) text.p[i] = ' '; /* no header ends early */
  struct curl_slist *more = text.bad ? NULL : curl_slist_append(list, text.p);
  buf_free(&text);
  if (!more) *bad = true;
  return more ? more : list;
}

struct curl_slist *send_bearer(struct curl_slist *list, bool *bad, const char *token) {
  return token ? send_header(list, bad, "Authorization: Bearer ", token, "") : list;
}
