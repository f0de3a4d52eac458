/* SPDX-License-Identifier: Apache-2.0 */
/* An epoll set of sockets whose requests wait, and a list of all connections that is gone through now and then. */

#include "edge/serve/watch.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TICK_MS = 10, SWEEP_MS = 1000, SLOTS = 1024 };

typedef struct slot {
  void *what; /* NULL: free */
  int fd;
  uint32_t turn; /* tickets of earlier uses do not fit */
} slot;

struct watch_conn {
  int fd;
  watch_conn *next, **at;
  _Atomic int64_t whole; /* when a request last arrived whole, or the connection opened */
  uint64_t seen;         /* bytes received up to then; watch lock */
  int64_t since;         /* when bytes past them were first seen; 0: none are; watch lock */
  bool ended;            /* the last look found no more to come; watch lock */
  _Atomic bool reset;    /* a request arrived whole since the last look */
};

struct serve_watch {
  watch_opts o;
  int poll, wake;
  pthread_t thread;
  _Atomic bool running;
  pthread_mutex_t lock;  /* slots */
  pthread_mutex_t conns; /* the list of connections */
  slot *slot;
  size_t n_slot, used;
  watch_conn *first;
};

/* Has the client closed its end, with nothing left unread? Then what it began never becomes whole; libmicrohttpd does
 * not see that when the end came with the last bytes. */
static bool ended(int fd) {
  char c;
  return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Look at every connection: has it begun a request longer than `slow` ago, or left it unfinished? The end must be
 * seen twice: what was read a moment ago is about to be whole. */
static void sweep(serve_watch *w) {
  int64_t now = edge_now(), most = (int64_t)(w->o.slow * 1e9);
  pthread_mutex_lock(&w->conns);
  for (watch_conn *c = w->first; c; c = c->next) {
    struct tcp_info info;
    socklen_t n = sizeof info;
    if (now - c->whole < SWEEP_MS * 1000000ll) continue;
    if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &n) || n < offsetof(struct tcp_info, tcpi_bytes_received) + 8)
      continue;
    if (atomic_exchange(&c->reset, false)) {
      c->seen = info.tcpi_bytes_received;
      c->since = 0;
    } else if (info.tcpi_bytes_received == c->seen) {
      c->since = 0;
    } else if (!c->since) {
      c->since = now;
      c->ended = false;
    } else {
      bool over = ended(c->fd);
      if (now - c->since > most || (over && c->ended)) {
        shutdown(c->fd, SHUT_RDWR);
        c->since = now;
      }
      c->ended = over;
    }
  }
  pthread_mutex_unlock(&w->conns);
}

static void *run(void *arg) {
  serve_watch *w = arg;
  struct epoll_event e[64];
  int64_t swept = edge_now();
  for (;;) {
    pthread_mutex_lock(&w->lock);
    bool busy = w->used > 0;
    pthread_mutex_unlock(&w->lock);
    int n = epoll_wait(w->poll, e, 64, busy ? TICK_MS : SWEEP_MS);
    for (int i = 0; i < n; i++) {
      uint64_t t = e[i].data.u64;
      if (!t) {
        uint64_t count;
        if (read(w->wake, &count, sizeof count) < 0 && errno != EAGAIN) return NULL;
        if (!w->running) return NULL;
        continue;
      }
      pthread_mutex_lock(&w->lock); /* held during the call: a drop waits for it */
      size_t at = (size_t)(t & 0xffffffffu) - 1;
      if (at < w->n_slot && w->slot[at].what && w->slot[at].turn == t >> 32) w->o.left(w->o.user, w->slot[at].what);
      pthread_mutex_unlock(&w->lock);
    }
    if (busy) w->o.tick(w->o.user);
    if (edge_now() - swept > SWEEP_MS * 1000000ll) {
      sweep(w);
      swept = edge_now();
    }
  }
}

whet_status watch_create(const watch_opts *o, serve_watch **out, whet_err *err) {
  serve_watch *w = calloc(1, sizeof *w);
  struct epoll_event e = {.events = EPOLLIN};
  *out = NULL;
  if (!w) return edge_fail(err, WHET_E_MEMORY, "no memory for the watch");
  w->o = *o;
  w->poll = epoll_create1(EPOLL_CLOEXEC);
  w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  pthread_mutex_init(&w->lock, NULL);
  pthread_mutex_init(&w->conns, NULL);
  if (w->poll < 0 || w->wake < 0 || epoll_ctl(w->poll, EPOLL_CTL_ADD, w->wake, &e)) {
    watch_close(&w);
    return edge_fail(err, WHET_E_SYSTEM, "no descriptors for the watch");
  }
  w->running = true;
  if (pthread_create(&w->thread, NULL, run, w)) {
    w->running = false;
    watch_close(&w);
    return edge_fail(err, WHET_E_SYSTEM, "no thread for the watch");
  }
  *out = w;
  return WHET_OK;
}

void watch_close(serve_watch **at) {
  serve_watch *w = *at;
  uint64_t one = 1;
  *at = NULL;
  if (!w) return;
  if (w->running) {
    w->running = false;
    if (write(w->wake, &one, sizeof one) == sizeof one) pthread_join(w->thread, NULL);
  }
  if (w->poll >= 0) close(w->poll);
  if (w->wake >= 0) close(w->wake);
  pthread_mutex_destroy(&w->lock);
  pthread_mutex_destroy(&w->conns);
  free(w->slot);
  free(w);
}

watch_ticket watch_add(serve_watch *w, int fd, void *what) {
  uint64_t t = 0, one = 1;
  pthread_mutex_lock(&w->lock);
  size_t at = 0;
  while (at < w->n_slot && w->slot[at].what) at++;
  if (at == w->n_slot && w->n_slot < (size_t)1 << 20) {
    size_t n = w->n_slot ? 2 * w->n_slot : SLOTS;
    slot *p = realloc(w->slot, n * sizeof *p);
    if (p) {
      memset(p + w->n_slot, 0, (n - w->n_slot) * sizeof *p);
      w->slot = p;
      w->n_slot = n;
    }
  }
  if (at < w->n_slot) {
    slot *s = &w->slot[at];
    s->turn++;
    t = (uint64_t)s->turn << 32 | (at + 1);
    struct epoll_event e = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.u64 = t};
    if (epoll_ctl(w->poll, EPOLL_CTL_ADD, fd, &e)) {
      t = 0;
    } else {
      s->what = what;
      s->fd = fd;
      if (!w->used++ && write(w->wake, &one, sizeof one) < 0) t = t; /* the tick comes a second later then */
    }
  }
  pthread_mutex_unlock(&w->lock);
  return t;
}

void watch_drop(serve_watch *w, watch_ticket t) {
  if (!t) return;
  pthread_mutex_lock(&w->lock);
  slot *s = &w->slot[(t & 0xffffffffu) - 1];
  if (s->what && s->turn == t >> 32) {
    epoll_ctl(w->poll, EPOLL_CTL_DEL, s->fd, NULL);
    s->what = NULL;
    w->used--;
  }
  pthread_mutex_unlock(&w->lock);
}

watch_conn *watch_open(serve_watch *w, int fd) {
  watch_conn *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->fd = fd;
  c->whole = edge_now();
  pthread_mutex_lock(&w->conns);
  c->next = w->first;
  c->at = &w->first;
  if (c->next) c->next->at = &c->next;
  w->first = c;
  pthread_mutex_unlock(&w->conns);
  return c;
}

void watch_whole(watch_conn *c) {
  atomic_store_explicit(&c->whole, edge_now(), memory_order_relaxed);
  atomic_store_explicit(&c->reset, true, memory_order_relaxed);
}

void watch_gone(serve_watch *w, watch_conn **at) {
  watch_conn *c = *at;
  *at = NULL;
  if (!c) return;
  pthread_mutex_lock(&w->conns);
  *c->at = c->next;
  if (c->next) c->next->at = c->at;
  pthread_mutex_unlock(&w->conns);
  free(c);
}
