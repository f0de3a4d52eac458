/* SPDX-License-Identifier: Apache-2.0 */
/* Worker threads that runs lease.
 *
 * Each worker has a slot of its own. A lease claims free workers by clearing their bits in `idle` with one
 * compare-and-swap; while it holds them it hands out work by raising the slot's `ticket`. A worker that sees it says
 * so in `begun`, and when it is through in `done`. Between steps of one run workers spin for a short while; outside a
 * lease, or when the process shares its cores or has a quota of part of one, they sleep at once.
 *
 * Every thread of a step has a run of neighbouring parts of its own, and when these are through takes what others
 * have left: cores differ in speed, and the system takes them away. A ticket that its worker has not begun by then is
 * taken back.
 *
 * Lock rank: `make` (guards starting and stopping workers) is never held while a lease runs. */

#include "base/pool.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/target.h"

enum { POOL_MAX = 64, SPIN_US = 60 };

/* The parts of a step, in a run for each thread: the next one to take, and where the run ends. */
struct share {
  _Alignas(64) _Atomic int next;
  int end;
};
struct job {
  whet_part_fn fn;
  void *arg;
  int parts, width;
  struct share share[POOL_MAX + 1];
};

struct slot {
  _Alignas(128) _Atomic uint32_t ticket; /* raised for every piece of work; futex word */
  _Atomic uint32_t asleep;               /* the worker waits on the futex, or is about to */
  _Atomic uint32_t begun;                /* the last ticket that the worker took up, or the leaseholder took back */
  struct job *job;                       /* NULL: only wake */
  int at;                                /* the thread that it is in the job */
  _Alignas(128) _Atomic uint32_t done;   /* the last ticket that was served; futex word */
  _Atomic uint32_t awaited;              /* the leaseholder sleeps on `done` */
  whet_pool *pool;
  pthread_t thread;
  void *handle;
};

struct whet_pool {
  _Atomic uint64_t idle; /* bit i: worker i may be leased */
  _Atomic int started;   /* workers that run */
  _Atomic int leases;    /* leases that hold workers now */
  _Atomic int stop;
  _Atomic unsigned born; /* fork generation in which the workers were started */
  whet_pool_opts o;
  int width, spin_us;
  struct slot *slot;
};

static _Atomic unsigned k_forks; /* raised in every child */
static _Atomic(whet_pool *) k_default;
static pthread_once_t k_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t k_make = PTHREAD_MUTEX_INITIALIZER;

static void before_fork(void) { pthread_mutex_lock(&k_make); }
static void after_in_parent(void) { pthread_mutex_unlock(&k_make); }
/* Pools stay usable, but none of their workers came along. */
static void after_in_child(void) {
  atomic_fetch_add(&k_forks, 1);
  pthread_mutex_unlock(&k_make);
}
static void once(void) { pthread_atfork(before_fork, after_in_parent, after_in_child); }

static void futex_wait(_Atomic uint32_t *w, uint32_t value) {
  syscall(SYS_futex, w, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}
static void futex_wake(_Atomic uint32_t *w) { syscall(SYS_futex, w, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield");
#endif
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Whether those who wait for one another within a lease may spin: one lease alone holds workers. */
static inline bool may_spin(const whet_pool *p) {
  return atomic_load_explicit(&p->leases, memory_order_relaxed) == 1;
}

/* Wait until *w is not `old`: spin up to the pool's time while that is allowed, then sleep. `asleep` tells the waker.
 */
static void wait_change(const whet_pool *p, _Atomic uint32_t *w, uint32_t old, _Atomic uint32_t *asleep) {
  int64_t until = 0;
  for (unsigned n = 1; p->spin_us > 0 && may_spin(p); n++) {
    if (atomic_load_explicit(w, memory_order_acquire) != old) return;
    relax();
    if (n % 64) continue;
    int64_t t = now_ns();
    if (!until) until = t + (int64_t)p->spin_us * 1000;
    if (t > until) break;
  }
  atomic_store(asleep, 1);
  while (atomic_load(w) == old) futex_wait(w, old);
  atomic_store(asleep, 0);
}

/* The parts of thread t, then those that others have left. */
static void work(struct job *j, int t) {
  for (int k = 0; k < j->width; k++) {
    struct share *s = &j->share[t + k < j->width ? t + k : t + k - j->width];
    while (atomic_load_explicit(&s->next, memory_order_relaxed) < s->end) {
      int i = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed);
      if (i < s->end) j->fn(j->arg, i, j->parts, t);
    }
  }
}

/* Be the one who takes up `ticket` of a slot. */
static bool take(struct slot *s, uint32_t ticket) {
  uint32_t before = ticket - 1;
  return atomic_compare_exchange_strong(&s->begun, &before, ticket);
}

static void serve(void *arg) {
  struct slot *s = arg;
  whet_pool *p = s->pool;
  uint32_t seen = 0;
  for (;;) {
    wait_change(p, &s->ticket, seen, &s->asleep);
    seen = atomic_load_explicit(&s->ticket, memory_order_acquire);
    if (atomic_load(&p->stop)) return;
    if (!take(s, seen)) continue;
    if (s->job) work(s->job, s->at);
    atomic_store(&s->done, seen);
    if (atomic_load(&s->awaited)) futex_wake(&s->done);
  }
}

static void *serve_posix(void *arg) {
  serve(arg);
  return NULL;
}

/* Start one worker, with all signals blocked so that the program's handlers run on its own threads. */
static bool start_one(whet_pool *p, struct slot *s) {
  sigset_t all, old;
  bool ok;
  memset(s, 0, sizeof *s);
  s->pool = p;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  if (p->o.start)
    ok = (s->handle = p->o.start(p->o.user, serve, s)) != NULL;
  else
    ok = !pthread_create(&s->thread, NULL, serve_posix, s);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return ok;
}

/* Start workers up to `want`, as far as the system lets us. */
static void start_workers(whet_pool *p, int want) {
  pthread_mutex_lock(&k_make);
  unsigned forks = atomic_load(&k_forks);
  if (atomic_load(&p->born) != forks) { /* we are a child: none of the workers came along, and no lease is ours */
    atomic_store(&p->started, 0);
    atomic_store(&p->idle, 0);
    atomic_store(&p->leases, 0);
    atomic_store(&p->born, forks);
  }
  for (int i = atomic_load(&p->started); i < want && start_one(p, &p->slot[i]); i++) {
    atomic_store(&p->started, i + 1);
    atomic_fetch_or(&p->idle, UINT64_C(1) << i);
  }
  pthread_mutex_unlock(&k_make);
}

whet_pool_opts whet_pool_opts_default(void) {
  return (whet_pool_opts){.size = sizeof(whet_pool_opts), .spin_us = -1};
}

whet_status whet_pool_create(const whet_pool_opts *user, whet_pool **out, whet_err *err) {
  pthread_once(&k_once, once);
  *out = NULL;
  whet_pool_opts o = whet_pool_opts_default();
  WHET_TRY(whet__take_opts("whet_pool_opts", user, sizeof o, &o, err));
  if (!o.start != !o.join) return whet__fail(err, WHET_E_MISUSE, "whet_pool_create: start and join come together");
  int cores = whet__target_cores(), width = o.threads > 0 ? o.threads : cores;
  if (width > POOL_MAX + 1) width = POOL_MAX + 1;
  whet_pool *p = NULL;
  if (posix_memalign((void **)&p, 128, sizeof *p)) return whet__fail(err, WHET_E_MEMORY, "out of memory: pool");
  memset(p, 0, sizeof *p);
  if (posix_memalign((void **)&p->slot, 128, sizeof *p->slot * (size_t)(width > 1 ? width - 1 : 1))) {
    free(p);
    return whet__fail(err, WHET_E_MEMORY, "out of memory: pool of %d threads", width);
  }
  p->o = o;
  p->width = width;
  atomic_store(&p->born, atomic_load(&k_forks));
  p->spin_us = o.spin_us >= 0 ? o.spin_us : width <= cores && !whet__target_quota() ? SPIN_US : 0;
  *out = p;
  return WHET_OK;
}

void whet_pool_close(whet_pool **pp) {
  whet_pool *p = pp ? *pp : NULL;
  if (!p) return;
  *pp = NULL;
  if (atomic_load(&p->born) == atomic_load(&k_forks)) {
    atomic_store(&p->stop, 1);
    for (int i = 0; i < atomic_load(&p->started); i++) {
      struct slot *s = &p->slot[i];
      atomic_fetch_add(&s->ticket, 1);
      futex_wake(&s->ticket);
      if (p->o.join)
        p->o.join(p->o.user, s->handle);
      else
        pthread_join(s->thread, NULL);
    }
  }
  free(p->slot);
  free(p);
}

whet_pool *whet__pool_default(void) {
  pthread_once(&k_once, once);
  whet_pool *p = atomic_load(&k_default);
  if (p) return p;
  whet_pool *mine = NULL, *none = NULL;
  if (whet_pool_create(NULL, &mine, NULL)) return NULL;
  if (atomic_compare_exchange_strong(&k_default, &none, mine)) return mine;
  whet_pool_close(&mine);
  return none;
}

int whet_pool_width(whet_pool *p) {
  if (!p) p = whet__pool_default();
  return p ? p->width : 1;
}

/* Give a slot its next ticket. */
static void post(struct slot *s) {
  atomic_fetch_add(&s->ticket, 1);
  if (atomic_load(&s->asleep)) futex_wake(&s->ticket);
}

/* Wait until a slot has served its last ticket, or take that back. */
static void await(struct slot *s) {
  uint32_t ticket = atomic_load_explicit(&s->ticket, memory_order_relaxed), done;
  if (atomic_load_explicit(&s->done, memory_order_acquire) == ticket) return;
  if (take(s, ticket)) {
    atomic_store(&s->done, ticket);
    return;
  }
  while ((done = atomic_load_explicit(&s->done, memory_order_acquire)) != ticket)
    wait_change(s->pool, &s->done, done, &s->awaited);
}

void whet__lease_take(whet_pool *p, int want, whet_lease *out) {
  *out = (whet_lease){.pool = p, .width = 1};
  if (!p || want < 2) return;
  if (want > p->width) want = p->width;
  if (atomic_load(&p->started) < want - 1 || atomic_load(&p->born) != atomic_load(&k_forks))
    start_workers(p, want - 1);
  uint64_t idle = atomic_load(&p->idle), take;
  do {
    take = 0;
    for (uint64_t left = idle; left && __builtin_popcountll(take) < want - 1; left &= left - 1) take |= left & -left;
    if (!take) return;
  } while (!atomic_compare_exchange_weak(&p->idle, &idle, idle & ~take));
  atomic_fetch_add(&p->leases, 1);
  out->workers = take;
  out->width = 1 + __builtin_popcountll(take);
  out->born = atomic_load(&p->born);
  for (uint64_t m = take; m; m &= m - 1) { /* wake now, so that the first shared step finds them awake */
    struct slot *s = &p->slot[__builtin_ctzll(m)];
    s->job = NULL;
    post(s);
  }
}

/* Whether the lease was taken before a fork that made this process: its workers are not here. */
static inline bool orphan(const whet_lease *l) {
  return l->born != atomic_load_explicit(&k_forks, memory_order_relaxed);
}

void whet__lease_drop(whet_lease *l) {
  if (l->workers && !orphan(l)) {
    for (uint64_t m = l->workers; m; m &= m - 1) await(&l->pool->slot[__builtin_ctzll(m)]);
    atomic_fetch_sub(&l->pool->leases, 1);
    atomic_fetch_or(&l->pool->idle, l->workers);
  }
  l->workers = 0;
  l->width = 1;
}

void whet__lease_run(const whet_lease *l, int parts, whet_part_fn fn, void *arg) {
  int width = l->width < parts ? l->width : parts, t = 1;
  if (width > 1 && orphan(l)) width = 1;
  if (width <= 1) {
    for (int i = 0; i < parts; i++) fn(arg, i, parts, 0);
    return;
  }
  struct job j;
  j.fn = fn, j.arg = arg, j.parts = parts, j.width = width;
  for (int k = 0; k < width; k++) {
    atomic_init(&j.share[k].next, (int)((int64_t)parts * k / width));
    j.share[k].end = (int)((int64_t)parts * (k + 1) / width);
  }
  for (uint64_t m = l->workers; t < width; m &= m - 1, t++) {
    struct slot *s = &l->pool->slot[__builtin_ctzll(m)];
    await(s); /* it may still be answering the wake-up call */
    s->job = &j;
    s->at = t;
    post(s);
  }
  work(&j, 0);
  t = 1;
  for (uint64_t m = l->workers; t < width; m &= m - 1, t++) await(&l->pool->slot[__builtin_ctzll(m)]);
}
