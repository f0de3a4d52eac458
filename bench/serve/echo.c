/* SPDX-License-Identifier: Apache-2.0 */
/* The yardstick of the server: libmicrohttpd alone, that takes a body and answers with one of the size that the query
 * asks for: echo [THREADS]; POST /?bytes=N. Prints its port. */

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A body on its way. */
struct body {
  char *p;
  size_t n;
};

static enum MHD_Result handle(void *cls, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *data, size_t *n, void **at) {
  struct body *b = *at;
  (void)cls, (void)url, (void)method, (void)version;
  if (!b) {
    *at = b = calloc(1, sizeof *b);
    return b ? MHD_YES : MHD_NO;
  }
  if (*n) {
    char *p = realloc(b->p, b->n + *n);
    if (!p) return MHD_NO;
    memcpy(p + b->n, data, *n);
    b->p = p;
    b->n += *n;
    *n = 0;
    return MHD_YES;
  }
  const char *text = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "bytes");
  size_t bytes = text ? strtoul(text, NULL, 10) : 0;
  char *out = calloc(1, bytes + 1);
  struct MHD_Response *r = MHD_create_response_from_buffer(bytes, out, MHD_RESPMEM_MUST_FREE);
  MHD_add_response_header(r, "Content-Type", "application/octet-stream");
  enum MHD_Result q = MHD_queue_response(c, 200, r);
  MHD_destroy_response(r);
  return q;
}

static void completed(void *cls, struct MHD_Connection *c, void **at, enum MHD_RequestTerminationCode why) {
  struct body *b = *at;
  (void)cls, (void)c, (void)why;
  if (b) free(b->p);
  free(b);
}

int main(int argc, char **argv) {
  unsigned threads = argc > 1 ? (unsigned)atoi(argv[1]) : 2;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct MHD_OptionItem more[] = {{threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, NULL},
                                  {MHD_OPTION_END, 0, NULL}};
  struct MHD_Daemon *d =
      MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, &at,
                       MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
  const union MHD_DaemonInfo *i = d ? MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT) : NULL;
  if (!i) return 1;
  printf("%u\n", i->port);
  fflush(stdout);
  for (;;) pause();
}
