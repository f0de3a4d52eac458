/* SPDX-License-Identifier: Apache-2.0 */
/* GET. */

#include "get.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "stats.h"

enum { MOST = 16 << 20 };

static double now(void) { return 1e-6 * cli_now_us(); }

/* Wait until the socket is ready. */
static bool ready(int fd, short events, double until) {
  struct pollfd p = {.fd = fd, .events = events};
  double left = until - now();
  return left > 0 && poll(&p, 1, (int)(left * 1000) + 1) > 0;
}

/* A socket that is connected, or -1 with errno. */
static int reach(const char *host, const char *port, double until, whet_err *err) {
  struct addrinfo want = {.ai_socktype = SOCK_STREAM}, *list;
  int k = getaddrinfo(host, port, &want, &list), fd = -1;
  if (k) return whet__fail(err, WHET_E_IO, "%s: %s", host, gai_strerror(k)), -1;
  int why = 0;
  for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
    fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd < 0) continue;
    socklen_t n = sizeof why;
    why = connect(fd, a->ai_addr, a->ai_addrlen) ? errno : 0;
    if (why == EINPROGRESS)
      why = ready(fd, POLLOUT, until) && !getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &n) ? why : ETIMEDOUT;
    if (!why) break;
    close(fd);
    fd = -1;
  }
  freeaddrinfo(list);
  if (fd < 0) whet__fail(err, WHET_E_IO, "%s port %s: %s", host, port, strerror(why ? why : EHOSTUNREACH));
  return fd;
}

/* Send the request and read all of the answer. */
static whet_status talk(int fd, const char *ask, size_t n, double until, whet_text *out, whet_err *err) {
  char buf[16384];
  while (n) {
    ssize_t k = ready(fd, POLLOUT, until) ? send(fd, ask, n, MSG_NOSIGNAL) : -1;
    if (k <= 0) return whet__fail(err, WHET_E_IO, "the request could not be sent");
    ask += k, n -= (size_t)k;
  }
  for (;;) {
    if (!ready(fd, POLLIN, until)) return whet__fail(err, WHET_E_IO, "no answer in time");
    ssize_t k = recv(fd, buf, sizeof buf, 0);
    if (k == 0) return WHET_OK;
    if (k < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (k < 0) return whet__fail(err, WHET_E_IO, "%s", strerror(errno));
    if (out->n + (size_t)k > MOST) return whet__fail(err, WHET_E_LIMIT, "the answer has more than %d bytes", MOST);
    whet__text_add(out, buf, (size_t)k);
    if (out->bad) return whet__fail(err, WHET_E_MEMORY, "no memory for the answer");
  }
}

/* host, port and path of a URL. */
static bool parts(const char *url, char host[256], char port[8], const char **path) {
  const char *at = url + 7, *end = at + strcspn(at, "/"), *colon = NULL;
  size_t n;
  if (*at == '[') { /* an address of IPv6 */
    const char *close = memchr(at, ']', (size_t)(end - at));
    if (!close) return false;
    n = (size_t)(close - at) - 1;
    if (close[1] == ':') colon = close + 1;
    at++;
  } else {
    colon = memchr(at, ':', (size_t)(end - at));
    n = (size_t)((colon ? colon : end) - at);
  }
  if (!n || n > 255 || (colon && (end - colon < 2 || end - colon > 6))) return false;
  memcpy(host, at, n);
  host[n] = 0;
  snprintf(port, 8, "%.*s", colon ? (int)(end - colon - 1) : 2, colon ? colon + 1 : "80");
  *path = *end ? end : "/";
  return true;
}

whet_status cli_get(const char *where, const char *token, double seconds, whet_text *out, whet_err *err) {
  char host[256], port[8], ask[2048];
  const char *path;
  if (strncmp(where, "http://", 7)) {
    whet_file f;
    WHET_TRY(whet__file_open(where, true, out->mem, &f, err));
    if (f.n <= MOST) whet__text_add(out, (const char *)f.p, f.n);
    whet_status s = f.n > MOST ? whet__fail(err, WHET_E_LIMIT, "%s: more than %d bytes", where, MOST)
                    : out->bad ? whet__fail(err, WHET_E_MEMORY, "%s: no memory", where)
                               : WHET_OK;
    whet__file_close(&f);
    return s;
  }
  if (!parts(where, host, port, &path))
    return whet__fail(err, WHET_E_DATA, "%.100s: expected http://HOST[:PORT]/PATH", where);
  int n = snprintf(ask, sizeof ask, "GET %s HTTP/1.0\r\nHost: %s\r\n%s%s%s\r\n", path, host,
                   token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "");
  if (n < 0 || (size_t)n >= sizeof ask) return whet__fail(err, WHET_E_DATA, "%.100s: too long", where);
  double until = now() + seconds;
  int fd = reach(host, port, until, err);
  if (fd < 0) return WHET_E_IO;
  whet_text all = {.mem = out->mem};
  whet_status s = talk(fd, ask, (size_t)n, until, &all, err);
  close(fd);
  const char *body = !s && all.n ? strstr(all.p, "\r\n\r\n") : NULL;
  if (!s && (!body || strncmp(all.p, "HTTP/1.", 7)))
    s = whet__fail(err, WHET_E_IO, "%.100s: this is no answer of HTTP", where);
  if (!s && strncmp(all.p + 9, "200", 3))
    s = whet__fail(err, WHET_E_IO, "%.100s: %.*s%s", where, (int)strcspn(all.p + 9, "\r\n"), all.p + 9,
                   strncmp(all.p + 9, "401", 3) ? "" : " (--token)");
  if (!s) whet__text_add(out, body + 4, all.n - (size_t)(body + 4 - all.p));
  whet__text_free(&all);
  return s;
}
