/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, daemons, tokens. */

#include "edge/pipeline/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static bool address(const char *host, int64_t port, struct sockaddr_storage *a) {
  struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)a;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)a;
  memset(a, 0, sizeof *a);
  if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    return true;
  }
  if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1) return false;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons((uint16_t)port);
  return true;
}

bool pl_listen_good(const char *host) {
  struct sockaddr_storage a;
  return address(host, 0, &a);
}

whet_status pl_listen_start(pl_node *n, const pl_listen *l, struct MHD_Daemon **out, whet_err *err) {
  struct sockaddr_storage a;
  bool ok = address(l->host, l->port, &a), v6 = a.ss_family == AF_INET6;
  unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | (v6 ? MHD_USE_IPv6 : 0);
  errno = 0;
  *out = !ok ? NULL
             : MHD_start_daemon(flags, (uint16_t)l->port, NULL, NULL, l->handle, l->user, MHD_OPTION_SOCK_ADDR,
                                (struct sockaddr *)&a, MHD_OPTION_CONNECTION_LIMIT, (unsigned)l->connections,
                                MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)l->slow, MHD_OPTION_NOTIFY_COMPLETED,
                                l->done, l->user, MHD_OPTION_END);
  if (!*out) {
    edge_fail(err, WHET_E_SYSTEM, "cannot listen at %s port %lld: %s", l->host, (long long)l->port, strerror(errno));
    return pl_fail_here(n, err);
  }
  const union MHD_DaemonInfo *i = MHD_get_daemon_info(*out, MHD_DAEMON_INFO_BIND_PORT);
  pl_log(n, 2, "listens at http://%s%s%s:%u%s", v6 ? "[" : "", l->host, v6 ? "]" : "", i ? i->port : 0u, l->path);
  return WHET_OK;
}

bool pl_listen_allowed(const char *token, struct MHD_Connection *c) {
  if (!token) return true;
  const char *given = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
  if (!given || strncmp(given, "Bearer ", 7)) return false;
  given += 7;
  size_t n = strlen(given), m = strlen(token);
  unsigned differ = n != m;
  for (size_t i = 0; i < n; i++) differ |= (unsigned)(given[i] ^ token[m ? i % m : 0]);
  return !differ;
}
