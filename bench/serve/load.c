/* SPDX-License-Identifier: Apache-2.0 */
/* A client that measures servers, with requests that are written already:
 *
 *   load PORT closed FILE SECONDS [CLIENTS]        each client asks as soon as it is answered
 *   load PORT open FILE SECONDS RATE LATE_MS [CONNECTIONS]   RATE requests a second, whatever the server does; an
 *                        answer is good when it is 200 within LATE_MS of the time that it was due
 *   load PORT idle N SECONDS   open N connections, print "open", and hold them
 *
 * FILE holds one whole HTTP request. Answers are JSON: counts by status, times in microseconds. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 16 };

/* One connection: what of the request is sent, what of the answer has come. */
struct client {
  int fd;
  bool busy;
  size_t sent, got, whole; /* whole: bytes of the answer, 0: not known yet */
  int status;
  bool close_after;
  int64_t due;
  char head[ROOM];
};

static char *g_request;
static size_t g_n;
static int g_port;
static uint64_t g_status[6], g_late, g_missed, g_good, g_broken;
static uint64_t
    g_within; /* good ones that came before the load ended: what a server did beyond that is no speed of it */
static int64_t g_until;
static double *g_us;
static size_t g_times, g_cap;

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int dial(bool nonblock) {
  struct sockaddr_in at = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)g_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at)) {
    if (fd >= 0) close(fd);
    return -1;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (nonblock) fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

/* Take in what came; true when the answer is whole. */
static bool take(struct client *c, ssize_t n) {
  c->got += (size_t)n;
  if (!c->whole) {
    size_t in = c->got < ROOM ? c->got : ROOM - 1;
    c->head[in] = 0;
    char *end = strstr(c->head, "\r\n\r\n"), *p = strcasestr(c->head, "content-length:");
    if (!end) return false;
    c->status = atoi(c->head + 9);
    c->close_after = strcasestr(c->head, "connection: close") != NULL;
    c->whole = (size_t)(end + 4 - c->head) + (p && p < end ? strtoul(p + 15, NULL, 10) : 0);
  }
  return c->got >= c->whole;
}

/* Read without waiting; 1 whole, 0 not yet, -1 the connection ended. */
static int pull(struct client *c, bool wait) {
  static char pit[1 << 20];
  for (;;) {
    char *to = c->got < ROOM - 1 && !c->whole ? c->head + c->got : pit;
    size_t room = to == pit ? sizeof pit : ROOM - 1 - c->got;
    ssize_t n = recv(c->fd, to, room, wait ? 0 : MSG_DONTWAIT);
    if (n > 0) {
      if (take(c, n)) return 1;
      continue;
    }
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
  }
}

static int push(struct client *c) {
  while (c->sent < g_n) {
    ssize_t n = send(c->fd, g_request + c->sent, g_n - c->sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return -1;
    c->sent += (size_t)n;
  }
  return 1;
}

static void keep(double us) {
  if (g_times == g_cap) {
    g_cap = g_cap ? 2 * g_cap : 1 << 16;
    g_us = realloc(g_us, g_cap * sizeof *g_us);
    if (!g_us) exit(1);
  }
  g_us[g_times++] = us;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void report(double seconds) {
  qsort(g_us, g_times, sizeof *g_us, by_value);
  size_t n = g_times ? g_times : 1;
  static double nothing[1];
  const double *u = g_times ? g_us : nothing;
  printf(
      "{\"seconds\": %.3f, \"answers\": %zu, \"good\": %llu, \"late\": %llu, \"missed\": %llu, \"broken\": %llu, "
      "\"2xx\": %llu, \"4xx\": %llu, "
      "\"5xx\": %llu, \"per_second\": %.1f, \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": "
      "%.1f}\n",
      seconds, g_times, (unsigned long long)g_good, (unsigned long long)g_late, (unsigned long long)g_missed,
      (unsigned long long)g_broken, (unsigned long long)g_status[2], (unsigned long long)g_status[4],
      (unsigned long long)g_status[5], (double)g_within / seconds, u[n / 2], u[n * 9 / 10], u[n * 99 / 100],
      u[n * 999 / 1000], u[n - 1]);
}

/* An answer is whole: count it, make the client ready for the next. */
static void count(struct client *c, double late_us) {
  double us = (double)(now() - c->due) * 1e-3;
  g_status[c->status / 100 % 6]++;
  if (c->status == 200) {
    keep(us);
    if (late_us > 0 && us > late_us)
      g_late++;
    else
      g_good++, g_within += now() <= g_until;
  }
  c->busy = false;
  c->sent = c->got = c->whole = 0;
}

static int closed_loop(double seconds, int clients) {
  struct client *c = calloc((size_t)clients, sizeof *c);
  int64_t began = now(), until = began + (int64_t)(seconds * 1e9);
  int poll = epoll_create1(0);
  g_until = until;
  for (int i = 0; i < clients; i++) {
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &c[i]};
    if ((c[i].fd = dial(false)) < 0) return perror("connect"), 1;
    epoll_ctl(poll, EPOLL_CTL_ADD, c[i].fd, &e);
    c[i].due = now();
    push(&c[i]);
  }
  while (now() < until) {
    struct epoll_event e[64];
    int n = clients == 1 ? 1 : epoll_wait(poll, e, 64, 1000);
    for (int i = 0; i < n; i++) {
      struct client *x = clients == 1 ? c : e[i].data.ptr;
      int r = pull(x, clients == 1);
      if (r < 0) return fprintf(stderr, "the server closed a connection\n"), 1;
      if (!r) continue;
      count(x, 0);
      x->due = now();
      push(x);
    }
  }
  report(seconds);
  return 0;
}

/* Begin, or go on with, a request on a connection; on an end of it a new one is opened. */
static void renew(int poll, struct client *c) {
  struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
  if (c->fd >= 0) close(c->fd);
  c->busy = false;
  c->sent = c->got = c->whole = 0;
  c->fd = dial(true); /* -1: requests that it is given count as broken */
  if (c->fd >= 0) epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &e);
}

/* Connections that wait for a request, first come first served: a new request takes one at once, however many are
 * busy. */
struct ring {
  struct client **at;
  size_t cap, first, n;
};
static void give(struct ring *r, struct client *c) { r->at[(r->first + r->n++) % r->cap] = c; }
static struct client *get(struct ring *r) {
  if (!r->n) return NULL;
  struct client *c = r->at[r->first];
  r->first = (r->first + 1) % r->cap;
  r->n--;
  return c;
}

static int open_loop(double seconds, double rate, double late_ms, int connections) {
  struct client *c = calloc((size_t)connections, sizeof *c);
  struct ring free_ones = {calloc((size_t)connections, sizeof(struct client *)), (size_t)connections, 0, 0};
  int poll = epoll_create1(0);
  int64_t began = now(), until = began + (int64_t)(seconds * 1e9);
  uint64_t due = 0;
  prctl(PR_SET_TIMERSLACK, 1);
  for (int i = 0; i < connections; i++) {
    c[i].fd = -1;
    renew(poll, &c[i]);
    give(&free_ones, &c[i]);
  }
  began = now();
  g_until = until = began + (int64_t)(seconds * 1e9);
  int64_t end = until + (int64_t)(late_ms * 2e6);
  for (int64_t t = now(); t < end; t = now()) {
    struct epoll_event e[256];
    for (; t < until && began + (int64_t)((double)due * 1e9 / rate) <= t; due++) {
      struct client *x = get(&free_ones);
      if (!x) {
        g_missed++;
        continue;
      }
      x->busy = true;
      x->due = began + (int64_t)((double)due * 1e9 / rate);
      if (push(x) < 0) g_broken++, renew(poll, x), give(&free_ones, x);
    }
    /* Asleep until the next is due, and woken by nothing else, as a client elsewhere would be: a processor that spins
     * slows the one that it shares a core with, and waking this one for each answer is work for who sends it. */
    int64_t next = t < until ? began + (int64_t)((double)due * 1e9 / rate) - now() : 1000000;
    struct timespec pause = {.tv_nsec = next > 1000000 ? 1000000 : (long)next};
    if (next > 0) nanosleep(&pause, NULL);
    int n = epoll_wait(poll, e, 256, 0);
    for (int i = 0; i < n; i++) {
      struct client *x = e[i].data.ptr;
      if (x->busy && x->sent < g_n && push(x) < 0) {
        g_broken++;
        renew(poll, x);
        give(&free_ones, x);
        continue;
      }
      if (!(e[i].events & EPOLLIN)) continue;
      bool busy = x->busy;
      int r = pull(x, false);
      if (r < 0) {
        g_broken += busy;
        renew(poll, x);
        if (busy) give(&free_ones, x);
      } else if (r && busy) {
        bool again = x->close_after;
        count(x, late_ms * 1e3);
        if (again) renew(poll, x);
        give(&free_ones, x);
      }
    }
  }
  for (int i = 0; i < connections; i++) g_missed += c[i].busy;
  report(seconds);
  return 0;
}

static int idle(int n, double seconds) {
  struct rlimit l;
  getrlimit(RLIMIT_NOFILE, &l);
  l.rlim_cur = l.rlim_max;
  setrlimit(RLIMIT_NOFILE, &l);
  for (int i = 0; i < n; i++)
    if (dial(false) < 0) return perror("connect"), 1;
  printf("open\n");
  fflush(stdout);
  usleep((useconds_t)(seconds * 1e6));
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 5) return fprintf(stderr, "load PORT closed|open|idle ...: see the source\n"), 2;
  g_port = atoi(argv[1]);
  if (!strcmp(argv[2], "idle")) return idle(atoi(argv[3]), atof(argv[4]));
  FILE *f = fopen(argv[3], "rb");
  if (!f) return perror(argv[3]), 1;
  g_request = malloc(64 << 20);
  g_n = fread(g_request, 1, 64 << 20, f);
  fclose(f);
  if (!strcmp(argv[2], "closed")) return closed_loop(atof(argv[4]), argc > 5 ? atoi(argv[5]) : 1);
  if (argc < 7) return 2;
  return open_loop(atof(argv[4]), atof(argv[5]), atof(argv[6]), argc > 7 ? atoi(argv[7]) : 64);
}
