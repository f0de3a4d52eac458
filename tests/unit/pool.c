/* SPDX-License-Identifier: Apache-2.0 */
/* base/pool: every part once, on every width; leases beside and within leases; sleep when idle; fork; callers'
 * threads. */

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pool.h"
#include "base/target.h"
#include "lib/test.h"

enum { PARTS = 67 };

/* Counts how often each part ran, and that a thread runs one at a time. */
struct tally {
  _Atomic int ran[PARTS], busy[PARTS];
  _Atomic int wrong;
  int parts, width; /* width 0: not looked at */
};

static void count_part(void *arg, int part, int parts, int thread) {
  struct tally *t = arg;
  if (parts != t->parts || part < 0 || part >= parts || thread < 0 || (t->width && thread >= t->width)) {
    atomic_fetch_add(&t->wrong, 1);
    return;
  }
  if (atomic_fetch_add(&t->busy[thread], 1)) atomic_fetch_add(&t->wrong, 1);
  atomic_fetch_add(&t->ran[part], 1);
  atomic_fetch_sub(&t->busy[thread], 1);
}

static void run_all(whet_lease *l) {
  for (int parts = 1; parts <= PARTS; parts += parts < 9 ? 1 : 29) {
    struct tally t = {.parts = parts, .width = l->width};
    whet__lease_run(l, parts, count_part, &t);
    assert_int_equal(t.wrong, 0);
    for (int i = 0; i < parts; i++) assert_int_equal(t.ran[i], 1);
  }
}

static whet_pool *pool_of(int threads, int spin_us) {
  whet_pool_opts o = whet_pool_opts_default();
  whet_pool *p;
  whet_err e = {0};
  o.threads = threads;
  o.spin_us = spin_us;
  assert_int_equal(whet_pool_create(&o, &p, &e), WHET_OK);
  return p;
}

static void widths(void **state) {
  for (int n = 1; n <= 7; n += 2)
    for (int spin = 0; spin < 2; spin++) {
      whet_pool *p = pool_of(n, spin ? 30 : 0);
      assert_int_equal(whet_pool_width(p), n);
      for (int want = 0; want <= n + 2; want++) {
        whet_lease l;
        whet__lease_take(p, want, &l);
        assert_int_equal(l.width, want < 1 ? 1 : want < n ? want : n);
        run_all(&l);
        whet__lease_drop(&l);
        assert_int_equal(l.width, 1);
        run_all(&l); /* a dropped lease runs alone */
      }
      whet_pool_close(&p);
      assert_null(p);
    }
  whet_lease l;
  whet__lease_take(NULL, 4, &l);
  assert_int_equal(l.width, 1);
  run_all(&l);
  whet__lease_drop(&l);
  whet_pool *none = NULL;
  whet_pool_close(&none);
  whet_pool_close(NULL);
}

static void many_steps(void **state) {
  whet_pool *p = pool_of(3, -1);
  struct tally t = {.parts = 3};
  whet_lease l;
  whet__lease_take(p, 3, &l);
  for (int i = 0; i < 20000; i++) whet__lease_run(&l, 3, count_part, &t);
  whet__lease_drop(&l);
  assert_int_equal(t.wrong, 0);
  for (int i = 0; i < 3; i++) assert_int_equal(t.ran[i], 20000);
  whet_pool_close(&p);
}

static void short_leases(void **state) {
  whet_pool *p = pool_of(3, 20);
  struct tally t = {.parts = 3};
  for (int i = 0; i < 5000; i++) {
    whet_lease l;
    whet__lease_take(p, 3, &l);
    assert_int_equal(l.width, 3);
    if (i % 3) whet__lease_run(&l, 3, count_part, &t);
    whet__lease_drop(&l);
  }
  assert_int_equal(t.ran[2], 3333);
  whet_pool_close(&p);
}

/* Several threads that lease from one pool at once. */
static void *runner(void *arg) {
  whet_pool *p = arg;
  for (int i = 0; i < 300; i++) {
    whet_lease l;
    whet__lease_take(p, 1 + i % 4, &l);
    run_all(&l);
    whet__lease_drop(&l);
  }
  return NULL;
}

static void at_once(void **state) {
  whet_pool *p = pool_of(4, -1);
  pthread_t t[4];
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&t[i], NULL, runner, p), 0);
  for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
  whet_lease l;
  whet__lease_take(p, 4, &l);
  assert_int_equal(l.width, 4); /* all came back */
  whet__lease_drop(&l);
  whet_pool_close(&p);
}

/* A part that itself leases what is left of the pool. */
static void nest(void *arg, int part, int parts, int thread) {
  whet_lease l;
  whet__lease_take(arg, 3, &l);
  run_all(&l);
  whet__lease_drop(&l);
}

static void nested(void **state) {
  whet_pool *p = pool_of(4, 0);
  whet_lease l, second;
  whet__lease_take(p, 3, &l);
  assert_int_equal(l.width, 3);
  for (int i = 0; i < 50; i++) whet__lease_run(&l, 3, nest, p);
  whet__lease_take(p, 4, &second); /* one worker is left */
  assert_int_equal(second.width, 2);
  whet__lease_drop(&second);
  whet__lease_drop(&l);
  whet_pool_close(&p);
}

/* CPU seconds that the process burns while it sleeps for `ms`. */
static double burn(int ms) {
  double before = test_cpu_seconds();
  usleep((useconds_t)ms * 1000);
  return test_cpu_seconds() - before;
}

static void idle_workers_sleep(void **state) {
  whet_pool *p = pool_of(4, -1);
  whet_lease l;
  whet__lease_take(p, 4, &l);
  run_all(&l);
  double held = burn(300); /* a run that computes alone for long: spinning ends after microseconds */
  whet__lease_drop(&l);
  double idle = burn(300);
  printf("# CPU time in 0.3 s: lease held but without work %.4f s, pool idle %.4f s\n", held, idle);
  assert_true(held < 0.03);
  assert_true(idle < 0.01);
  whet_pool_close(&p);
}

static void in_child(whet_pool *p, whet_lease *parents) {
  whet_lease l;
  alarm(20);
  run_all(parents); /* a lease from before the fork: alone, but all parts */
  whet__lease_drop(parents);
  for (int k = 0; k < 2; k++) {
    whet_pool *from = k ? whet__pool_default() : p;
    whet__lease_take(from, 3, &l);
    if (l.width != (whet_pool_width(from) < 3 ? whet_pool_width(from) : 3)) _exit(3);
    run_all(&l);
    whet__lease_drop(&l);
  }
  whet_pool_close(&p);
  _exit(0);
}

static _Atomic int k_churn;
/* Starts and stops pools, so that forks meet the lock in every state. */
static void *churn(void *arg) {
  while (k_churn) {
    whet_pool *p = pool_of(3, 0);
    whet_lease l;
    whet__lease_take(p, 3, &l);
    whet__lease_drop(&l);
    whet_pool_close(&p);
  }
  return NULL;
}

static void forks(void **state) {
#if defined(WHET_TSAN) || defined(WHET_EMULATED)
  print_message("forks: ThreadSanitizer cannot follow threads in a forked child\n");
  skip();
#endif
  whet_pool *p = pool_of(3, -1);
  pthread_t t;
  whet_lease l;
  whet__lease_take(whet__pool_default(), 3, &l);
  whet__lease_drop(&l);
#ifdef WHET_SANITIZED
  k_churn = 0; /* the sanitizer's own allocator does not survive a fork while another thread is in it */
#else
  k_churn = 1;
#endif
  assert_int_equal(pthread_create(&t, NULL, churn, NULL), 0);
  for (int i = 0; i < 40; i++) {
    int status;
    whet__lease_take(p, 3, &l);
    run_all(&l);
    pid_t pid = fork();
    if (!pid) in_child(p, &l);
    run_all(&l); /* nothing changed for the parent */
    whet__lease_drop(&l);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) fail_msg("fork %d: the child ended with 0x%x", i, status);
  }
  k_churn = 0;
  pthread_join(t, NULL);
  whet_pool_close(&p);
}

/* Threads of the caller's making. */
struct starter {
  int started, joined, allow;
};
struct started {
  pthread_t t;
  void (*fn)(void *);
  void *arg;
};
static void *trampoline(void *arg) {
  struct started *s = arg;
  s->fn(s->arg);
  return NULL;
}
static void *start(void *user, void (*fn)(void *), void *arg) {
  struct starter *u = user;
  struct started *s = u->started < u->allow ? malloc(sizeof *s) : NULL;
  if (!s) return NULL;
  *s = (struct started){.fn = fn, .arg = arg};
  if (pthread_create(&s->t, NULL, trampoline, s)) abort();
  u->started++;
  return s;
}
static void join(void *user, void *handle) {
  struct starter *u = user;
  struct started *s = handle;
  pthread_join(s->t, NULL);
  free(s);
  u->joined++;
}

static void callers_threads(void **state) {
  struct starter u = {.allow = 2};
  whet_pool_opts o = whet_pool_opts_default();
  whet_pool *p = (whet_pool *)&u;
  whet_lease l;
  whet_err e = {0};
  o.threads = 5;
  o.start = start;
  o.user = &u;
  assert_int_equal(whet_pool_create(&o, &p, &e), WHET_E_MISUSE);
  assert_null(p);
  o.join = join;
  assert_int_equal(whet_pool_create(&o, &p, &e), WHET_OK);
  whet__lease_take(p, 5, &l); /* only two could be started: the run takes what there is */
  assert_int_equal(l.width, 3);
  run_all(&l);
  whet__lease_drop(&l);
  whet_pool_close(&p);
  assert_int_equal(u.started, 2);
  assert_int_equal(u.joined, 2);
}

/* The first part that another thread takes lasts until all others are through: somebody else must run those. */
struct slow {
  _Atomic int ran, held;
};
static void hold_one(void *arg, int part, int parts, int thread) {
  struct slow *s = arg;
  if (thread && !atomic_exchange(&s->held, 1))
    while (atomic_load(&s->ran) < parts - 1) usleep(50);
  if (!thread && !atomic_load(&s->held)) usleep(200); /* let one come */
  atomic_fetch_add(&s->ran, 1);
}

static void helped(void **state) {
  whet_pool *p = pool_of(2, -1);
  whet_lease l;
  int held = 0;
  whet__lease_take(p, 2, &l);
  for (int i = 0; i < 20; i++) {
    struct slow s = {0};
    whet__lease_run(&l, 16, hold_one, &s);
    assert_int_equal(s.ran, 16);
    held += s.held;
  }
  assert_true(held > 0);
  whet__lease_drop(&l);
  whet_pool_close(&p);
}

/* Signals go to the program's own threads: workers block them all. Each part waits for the others, so that three
 * threads come. */
struct seen {
  _Atomic int here, blocked;
};
static void see_signals(void *arg, int part, int parts, int thread) {
  struct seen *n = arg;
  sigset_t s;
  atomic_fetch_add(&n->here, 1);
  while (atomic_load(&n->here) < parts) usleep(50);
  pthread_sigmask(SIG_SETMASK, NULL, &s);
  if (thread && sigismember(&s, SIGINT)) atomic_fetch_add(&n->blocked, 1);
  if (!thread && sigismember(&s, SIGINT)) atomic_fetch_add(&n->blocked, 100);
}

static void signals(void **state) {
  whet_pool *p = pool_of(3, 0);
  struct seen n = {0};
  whet_lease l;
  whet__lease_take(p, 3, &l);
  whet__lease_run(&l, 3, see_signals, &n);
  whet__lease_drop(&l);
  assert_int_equal(n.blocked, 2);
  whet_pool_close(&p);
}

/* The process's pool is as wide as its CPU set: asked of a child that is held to one CPU. */
static void cpu_set(void **state) {
  int status;
  pid_t pid = fork();
  if (!pid) {
    cpu_set_t all, one;
    sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
      if (CPU_ISSET(i, &all)) CPU_SET(i, &one);
    sched_setaffinity(0, sizeof one, &one);
    whet_pool *p = pool_of(0, -1);
    _exit(whet_pool_width(p));
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 1);
  whet_pool *p = pool_of(0, -1);
  assert_int_equal(whet_pool_width(p), whet__target_cores());
  whet_pool_close(&p);
  p = pool_of(100000, 0); /* as many as a lease can name, not started until they are leased */
  assert_true(whet_pool_width(p) >= 2 && whet_pool_width(p) <= 65);
  whet_pool_close(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(widths),  cmocka_unit_test(many_steps),      cmocka_unit_test(short_leases),
      cmocka_unit_test(at_once), cmocka_unit_test(nested),          cmocka_unit_test(idle_workers_sleep),
      cmocka_unit_test(forks),   cmocka_unit_test(callers_threads), cmocka_unit_test(helped),
      cmocka_unit_test(signals), cmocka_unit_test(cpu_set)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
