/* SPDX-License-Identifier: Apache-2.0 */
/* The server's life: opened, shut in, answering, drained. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge/serve/server.h"
#include "whet/pool.h"

enum { CONNECTION_MEMORY = 32 * 1024, PEM_MOST = 1 << 20, MOST_LOOPS = 4 };

serve_opts serve_opts_default(void) {
  return (serve_opts){.host = "127.0.0.1",
                      .port = 8000,
                      .connections = 16384,
                      .body = 64u << 20,
                      .bodies = 512u << 20,
                      .deadline = 30,
                      .idle = 75,
                      .slow = 30,
                      .drain = 30,
                      .poll = 30,
                      .at_once = 2e-3,
                      .spin = 1e-4,
                      .compress = true,
                      .sandbox = true,
                      .level = 2};
}

void serve_log(serve_server *s, int level, const char *fmt, ...) {
  char line[2400];
  va_list ap;
  if (!settings_logs(s->settings, level)) return;
  va_start(ap, fmt);
  vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  for (char *c = line; *c; c++) /* paths come from the network: a line stays one */
    if ((unsigned char)*c < 32 || *c == 127) *c = '?';
  settings_log(s->settings, level, line);
}

static void log_store(void *user, int level, const char *line) { serve_log(user, level, "%s", line); }

/* What libmicrohttpd has to say is about single clients mostly: shown with the requests. */
static void log_http(void *user, const char *fmt, va_list ap) {
  char line[600];
  int n = vsnprintf(line, sizeof line, fmt, ap);
  if (n > 0 && n < (int)sizeof line && line[n - 1] == '\n') line[n - 1] = 0;
  serve_log(user, 3, "http: %s", line);
}

static void done(serve_infer *x) {
  serve_infer_answer(x->req);
  serve_wake(x->req);
}

static void left(void *user, void *what) {
  (void)user;
  whet_cancel_raise(&((serve_infer *)what)->cancel);
}

static void tick(void *user) {
  serve_server *s = user;
  if (s->sched) sched_expire(s->sched);
}

static void connection(void *cls, struct MHD_Connection *c, void **context,
                       enum MHD_ConnectionNotificationCode what) {
  serve_server *s = cls;
  const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    atomic_fetch_add(&s->connections, 1);
    *context = i ? watch_open(s->watch, i->connect_fd) : NULL;
  } else {
    watch_conn *w = *context;
    atomic_fetch_sub(&s->connections, 1);
    watch_gone(s->watch, &w);
    *context = NULL;
  }
}

/* A socket that listens where the options say. *where receives the address as text. */
static whet_status listen_at(const serve_opts *o, int *out, char *where, size_t room, whet_err *err) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC,
                           .ai_socktype = SOCK_STREAM,
                           .ai_flags = AI_PASSIVE | AI_NUMERICSERV},
                  *list = NULL;
  struct sockaddr_storage at;
  socklen_t n = sizeof at;
  char port[16], host[64] = "";
  int fd = -1, one = 1;
  snprintf(port, sizeof port, "%d", (int)o->port);
  int r = getaddrinfo(o->host, port, &hints, &list);
  if (r) return edge_fail(err, WHET_E_NAME, "--host %.80s: %s", o->host, gai_strerror(r));
  for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
    fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) continue;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, 4096)) {
      r = errno;
      close(fd);
      fd = -1;
    }
  }
  freeaddrinfo(list);
  if (fd < 0) return edge_fail(err, WHET_E_SYSTEM, "port %d of %.80s: %s", (int)o->port, o->host, strerror(r));
  getsockname(fd, (struct sockaddr *)&at, &n);
  bool v6 = at.ss_family == AF_INET6;
  inet_ntop(at.ss_family,
            v6 ? (void *)&((struct sockaddr_in6 *)&at)->sin6_addr : (void *)&((struct sockaddr_in *)&at)->sin_addr,
            host, sizeof host);
  snprintf(where, room, v6 ? "[%s]:%d" : "%s:%d", host,
           ntohs(v6 ? ((struct sockaddr_in6 *)&at)->sin6_port : ((struct sockaddr_in *)&at)->sin_port));
  *out = fd;
  return WHET_OK;
}

/* A PEM file, terminated; the caller frees it. */
static whet_status read_pem(const char *path, char **out, whet_err *err) {
  FILE *f = fopen(path, "re");
  if (!f) return edge_fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  char *p = calloc(1, PEM_MOST);
  size_t n = p ? fread(p, 1, PEM_MOST - 1, f) : 0;
  fclose(f);
  if (!n || !strstr(p, "-----BEGIN ")) {
    free(p);
    return edge_fail(err, WHET_E_FORMAT, "%s is no PEM file", path);
  }
  *out = p;
  return WHET_OK;
}

/* As many descriptors as the process may have. */
static void raise_files(void) {
  struct rlimit l;
  if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur >= l.rlim_max) return;
  l.rlim_cur = l.rlim_max;
  setrlimit(RLIMIT_NOFILE, &l);
}

static whet_status start_http(serve_server *s, int fd, char *cert, char *key, whet_err *err) {
  const serve_opts *o = &s->o;
  int width = whet_pool_width(NULL);
  unsigned loops = o->threads           ? (unsigned)o->threads
                   : width < 1          ? 1u
                   : width > MOST_LOOPS ? (unsigned)MOST_LOOPS
                                        : (unsigned)width;
  unsigned flags =
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (cert ? MHD_USE_TLS : 0);
  struct MHD_OptionItem more[8];
  int n = 0;
  if (loops > 1) more[n++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)loops, NULL};
  if (o->per_address)
    more[n++] = (struct MHD_OptionItem){MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)o->per_address, NULL};
  if (cert) {
    more[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, cert};
    more[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, key};
    more[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
                                        (void *)(uintptr_t) "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"};
  }
  more[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
  /* The limit is shared out among the loops, which do not fill evenly: the whole of it for each. */
  s->http =
      MHD_start_daemon(flags, 0, NULL, NULL, req_handle, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_EXTERNAL_LOGGER,
                       log_http, s, MHD_OPTION_NOTIFY_COMPLETED, req_completed, s, MHD_OPTION_NOTIFY_CONNECTION,
                       connection, s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
                       MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(o->idle + 0.5), MHD_OPTION_CONNECTION_LIMIT,
                       (unsigned)o->connections * loops, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
  if (s->http) return WHET_OK;
  return edge_fail(err, WHET_E_SYSTEM, "the HTTP server does not start%s",
                   cert ? ": certificate and key do not fit together, or this libmicrohttpd has no TLS" : "");
}

/* Everything that is opened before the process is shut in. */
static whet_status open_all(serve_server *s, int *fd, char *where, size_t room, char **cert, char **key,
                            whet_err *err) {
  const serve_opts *o = &s->o;
  pl_energy_open(&s->energy, &(power_opts){.sysfs = o->sysfs});
  EDGE_TRY(settings_create(o->level, o->trace_file, &s->settings, err));
  if (!o->tls_cert != !o->tls_key) return edge_fail(err, WHET_E_MISUSE, "a certificate and a key come together");
  if (o->tls_cert) {
    EDGE_TRY(read_pem(o->tls_cert, cert, err));
    EDGE_TRY(read_pem(o->tls_key, key, err));
  }
  if (o->token_file) EDGE_TRY(auth_open(o->token_file, &s->auth, err));
  if (o->shared_memory && !(s->regions = regions_create()))
    return edge_fail(err, WHET_E_MEMORY, "no memory for regions");
  s->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  raise_files();
  EDGE_TRY(listen_at(o, fd, where, room, err));
  return WHET_OK;
}

/* Shut in, load, answer. */
static whet_status start(serve_server *s, int fd, char *cert, char *key, whet_err *err) {
  const serve_opts *o = &s->o;
  /* Of devices: processors, and what tells energy. */
  const char *read[32] = {o->models,       "/sys/devices",  "/sys/fs/cgroup", "/proc/self",
                          "/proc/cpuinfo", "/proc/meminfo", "/etc/localtime", o->sysfs ? o->sysfs : "/sys/devices"};
  size_t n = 8;
  for (size_t i = 0; o->readable && o->readable[i] && n < EDGE_COUNT(read) - 1; i++) read[n++] = o->readable[i];
  read[n] = NULL;
  if (o->sandbox) serve_log(s, 2, "%s", sandbox_files(read, o->shared_memory));
  int workers = o->workers ? (int)o->workers : whet_pool_width(NULL);
  sched_opts so = {.workers = workers < 1 ? 1 : workers, .at_once = o->at_once, .done = done};
  watch_opts wo = {.left = left, .tick = tick, .user = s, .slow = o->slow};
  store_opts to = {.folder = o->models,
                   .cpu = o->cpu,
                   .deadline = o->deadline,
                   .poll = o->poll,
                   .check = o->check,
                   .check_user = o->check_user,
                   .log = log_store,
                   .log_user = s};
  EDGE_TRY(sched_create(&so, &s->sched, err));
  EDGE_TRY(watch_create(&wo, &s->watch, err));
  EDGE_TRY(store_open(&to, &s->store, err));
  EDGE_TRY(store_watch(s->store, err));
  s->ready = true;
  EDGE_TRY(start_http(s, fd, cert, key, err));
  if (o->sandbox) serve_log(s, 2, "%s", sandbox_calls());
  return WHET_OK;
}

/* Answer what runs, take nothing new. */
static void drain(serve_server *s) {
  int64_t until = edge_now() + (int64_t)(s->o.drain * 1e9);
  s->draining = true;
  int fd = MHD_quiesce_daemon(s->http);
  if (fd >= 0) close(fd);
  while (s->running > 0 && edge_now() < until) usleep(10000);
  serve_log(s, 2, "ends; %lld requests were not answered", (long long)s->running);
}

/* In the order in which they know each other: connections ask the scheduler until they are closed, and the watch
 * ticks it, so that it is freed when both are gone; its workers end first, because what it holds back must be
 * answered before libmicrohttpd may stop. */
static void stop(serve_server *s) {
  if (s->sched) sched_end(s->sched);
  if (s->http) MHD_stop_daemon(s->http);
  watch_close(&s->watch);
  sched_close(&s->sched);
  store_close(&s->store);
  regions_free(&s->regions);
  auth_close(&s->auth);
  settings_close(&s->settings);
  if (s->statm >= 0) close(s->statm);
  pl_energy_close(&s->energy);
}

/* Wait for a signal to end; SIGHUP looks at the folder. */
static void wait_for_end(serve_server *s, const sigset_t *set) {
  int sig;
  while (!sigwait(set, &sig) && sig == SIGHUP) store_scan(s->store);
  serve_log(s, 2, "signal %d: draining", sig);
}

whet_status serve_run(const serve_opts *o, whet_err *err) {
  serve_server s = {.o = *o, .began = edge_now(), .statm = -1};
  char where[100], *cert = NULL, *key = NULL;
  int fd = -1;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
#ifdef M_MMAP_THRESHOLD
  /* One heap: models that come and go are made and freed by whichever thread is there, and would leave holes in each
   * of many. */
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 1 << 20); /* bodies of pictures come and go: no new pages for each */
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
#endif
  whet_status st = open_all(&s, &fd, where, sizeof where, &cert, &key, err);
  if (!st) st = start(&s, fd, cert, key, err);
  if (key) explicit_bzero(key, strlen(key));
  free(key);
  free(cert);
  if (!st) {
    const char *scheme = o->tls_cert ? "https" : "http";
    if (o->json)
      printf("{\"url\": \"%s://%s\", \"pid\": %d}\n", scheme, where, (int)getpid());
    else
      printf("%s://%s\n", scheme, where);
    fflush(stdout);
    serve_log(&s, 2, "whet %s serves %s on %s://%s", whet_version(), o->models, o->tls_cert ? "https" : "http",
              where);
    wait_for_end(&s, &set);
    drain(&s);
  } else if (fd >= 0 && !s.http) {
    close(fd);
  }
  stop(&s);
  return st;
}
