/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox: order, keys, caps, ages, dead letters; power cuts and kills at random places, with a receiver that
 * fails. */

#include "edge/outbox/outbox.h"

#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "cut_vfs.h"

static char k_dir[200];
static const char *file(const char *name) {
  static char text[4][300];
  static int at;
  char *t = text[at++ % 4];
  snprintf(t, sizeof text[0], "%s/%s", k_dir, name);
  return t;
}

static outbox *open_box(const char *name, const outbox_opts *like) {
  outbox_opts o = like ? *like : (outbox_opts){0};
  whet_err err = {0};
  outbox *x;
  o.path = file(name);
  if (outbox_open(&o, &x, &err)) fail_msg("%s", err.text);
  if (outbox_claim(x, &err)) fail_msg("%s", err.text);
  return x;
}

static whet_status put(outbox *o, const char *stream, const char *key, const char *data, int priority, double ttl) {
  whet_err err = {0};
  const outbox_record r = {
      .stream = stream, .key = key, .data = data, .n = strlen(data), .priority = priority, .ttl = ttl};
  whet_status s = outbox_put(o, &r, 1, &err);
  assert_true(!s == !*err.text);
  return s;
}

/* What is taken, as one text; all of it is settled as `fate`. */
static const char *taken(outbox *o, size_t most, outbox_fate fate) {
  static char text[400000]; /* a hundred of the longest */
  outbox_batch b = {0};
  outbox_answer a[100] = {0};
  whet_err err = {0};
  *text = 0;
  assert_int_equal(outbox_take(o, most, 1 << 20, &b, NULL, &err), WHET_OK);
  for (size_t i = 0; i < b.n; i++) {
    assert_int_equal(strlen(b.item[i].data), b.item[i].n);
    strcat(strcat(text, i ? " " : ""), b.item[i].data);
    a[i].fate = fate;
    strcpy(a[i].why, "because");
  }
  assert_int_equal(outbox_settle(o, &b, a, &err), WHET_OK);
  outbox_batch_free(&b);
  return text;
}

static outbox_stats stats(outbox *o) {
  outbox_stats s;
  assert_int_equal(outbox_stat(o, &s, NULL), WHET_OK);
  return s;
}

static void order(void **state) {
  const outbox_opts quick = {.retry_min = 1e-6, .retry_max = 1e-6};
  outbox *o = open_box("order.db", &quick);
  put(o, "a", NULL, "a1", 0, 0);
  put(o, "b", NULL, "b1", 5, 0);
  put(o, NULL, "same", "n1", 1, 0);
  put(o, "a", NULL, "a2", 0, 0);
  put(o, NULL, "same", "again", 1, 0); /* its key waits */
  put(o, "b", NULL, "b2", 2, 0);       /* the stream's priority, now */
  assert_true(stats(o).streams == 2 && fabs(stats(o).oldest - (double)time(NULL)) < 600);
  assert_string_equal(taken(o, 100, OUTBOX_UNREACHED), "b1 b2 n1 a1 a2");
  usleep(100);
  assert_string_equal(taken(o, 3, OUTBOX_SENT), "b1 b2 n1");
  outbox_close(&o);
  o = open_box("order.db", &quick); /* as it was */
  put(o, NULL, "same", "n2", 1, 0); /* delivered: the key is free */
  assert_string_equal(taken(o, 100, OUTBOX_SENT), "n2 a1 a2");
  outbox_stats s = stats(o);
  assert_true(s.records == 0 && s.bytes == 0 && s.put == 6 && s.sent == 6 && s.streams == 0 && s.oldest == 0);
  outbox_close(&o);
}

/* A stream behind a record that fails waits; others go on. */
static void pauses(void **state) {
  const outbox_opts slow = {.retry_min = 50, .retry_max = 60};
  outbox *o = open_box("pauses.db", &slow);
  outbox_batch b = {0};
  whet_err err = {0};
  double wait;
  put(o, "a", NULL, "a1", 0, 0);
  put(o, "b", NULL, "b1", 0, 0);
  put(o, "a", NULL, "a2", 0, 0);
  assert_int_equal(outbox_take(o, 10, 1 << 20, &b, NULL, &err), WHET_OK);
  const outbox_answer a[3] = {{.fate = OUTBOX_AGAIN}, {.fate = OUTBOX_SENT}, {.fate = OUTBOX_AGAIN}};
  assert_int_equal(outbox_settle(o, &b, a, &err), WHET_OK);
  put(o, "b", NULL, "b2", 0, 0);
  assert_string_equal(taken(o, 10, OUTBOX_SENT), "b2");
  assert_int_equal(outbox_take(o, 10, 1 << 20, &b, &wait, &err), WHET_OK);
  assert_true(b.n == 0 && wait > 1 && wait <= 60);
  outbox_batch_free(&b);
  outbox_close(&o);
  o = open_box("pauses.db", &slow); /* pauses end with the process */
  assert_string_equal(taken(o, 10, OUTBOX_UNREACHED), "a1 a2");
  assert_string_equal(taken(o, 10, OUTBOX_SENT), ""); /* the link pauses */
  outbox_close(&o);
}

static void caps(void **state) {
  const outbox_opts refuse = {.max_records = 3}, drop = {.max_bytes = 6, .when_full = OUTBOX_DROP_OLDEST};
  outbox *o = open_box("refuse.db", &refuse);
  for (int i = 0; i < 3; i++) assert_int_equal(put(o, NULL, NULL, "x", 0, 0), WHET_OK);
  assert_int_equal(put(o, NULL, NULL, "x", 9, 0), WHET_E_LIMIT);
  assert_true(stats(o).records == 3);
  outbox_close(&o);
  o = open_box("drop.db", &drop);
  put(o, NULL, NULL, "h1", 5, 0);
  put(o, NULL, NULL, "l1", 0, 0);
  put(o, NULL, NULL, "l2", 0, 0);
  assert_int_equal(put(o, NULL, NULL, "m1", 3, 0), WHET_OK);     /* l1 goes */
  assert_int_equal(put(o, NULL, NULL, "m2", 3, 0), WHET_OK);     /* l2 */
  assert_int_equal(put(o, NULL, NULL, "z", 0, 0), WHET_E_LIMIT); /* nothing is as low */
  assert_int_equal(put(o, NULL, NULL, "seven b", 9, 0), WHET_E_LIMIT);
  const outbox_record both[] = {{.data = "abc", .n = 3, .priority = 9}, {.data = "defg", .n = 4, .priority = 9}};
  assert_int_equal(outbox_put(o, both, 2, NULL), WHET_E_LIMIT); /* all or none, and nothing was dropped for it */
  assert_int_equal(put(o, NULL, "known", "h2", 9, 0), WHET_OK); /* m1 goes */
  assert_true(stats(o).dropped == 3);
  for (int i = 0; i < 3; i++)
    assert_int_equal(put(o, NULL, "known", "h2", 9, 0), WHET_OK); /* it waits: nothing goes */
  assert_true(stats(o).dropped == 3);
  assert_string_equal(taken(o, 10, OUTBOX_SENT), "h2 h1 m2");
  outbox_close(&o);
}

static void ages(void **state) {
  const outbox_opts brief = {.ttl = 0.03, .daily_bytes = 10};
  outbox *o = open_box("ages.db", &brief);
  put(o, NULL, NULL, "old", 0, 0);
  put(o, NULL, NULL, "kept", 0, -1);
  usleep(50000);
  assert_string_equal(taken(o, 10, OUTBOX_UNREACHED), "kept");
  assert_true(stats(o).expired == 1 && stats(o).records == 1);
  assert_int_equal(outbox_spend(o, 10, NULL), WHET_OK);
  assert_string_equal(taken(o, 10, OUTBOX_SENT), ""); /* the day's bytes are spent */
  assert_true(stats(o).spent_today == 10);
  outbox_close(&o);
  /* What does not fit into the rest of a day waits for the next; what fits into no day goes as its day's first. */
  o = open_box("day.db", &brief);
  put(o, NULL, NULL, "larger than a day", 0, -1);
  put(o, NULL, NULL, "sevenby", 0, -1);
  assert_string_equal(taken(o, 10, OUTBOX_UNREACHED), "larger than a day");
  outbox_close(&o);
  o = open_box("rest.db", &brief);
  put(o, NULL, NULL, "sevenby", 0, -1);
  assert_int_equal(outbox_spend(o, 4, NULL), WHET_OK);
  assert_string_equal(taken(o, 10, OUTBOX_SENT), "");
  put(o, NULL, NULL, "six by", 9, -1);
  assert_string_equal(taken(o, 10, OUTBOX_SENT), "six by");
  assert_true(stats(o).records == 1);
  outbox_close(&o);
}

static void dead(void **state) {
  const outbox_opts few = {.max_attempts = 2, .retry_min = 1e-6, .retry_max = 1e-6};
  outbox *o = open_box("dead.db", &few), *other;
  whet_err err = {0};
  int64_t n;
  put(o, "s", NULL, "bad", 0, 0);
  put(o, "s", NULL, "worse", 0, 0);
  assert_string_equal(taken(o, 1, OUTBOX_REFUSED), "bad");
  for (int i = 0; i < 2; i++) {
    usleep(1000);
    assert_string_equal(taken(o, 1, OUTBOX_AGAIN), "worse");
  }
  assert_string_equal(taken(o, 1, OUTBOX_SENT), "");
  assert_true(stats(o).dead == 2 && stats(o).dead_bytes == 8 && stats(o).refused == 2);
  outbox_close(&o); /* files of earlier days have not counted them */
  sqlite3 *db;
  assert_int_equal(sqlite3_open(file("dead.db"), &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "DELETE FROM counter WHERE id>8", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
  o = open_box("dead.db", &few);
  assert_true(stats(o).dead == 2 && stats(o).dead_bytes == 8);
  assert_int_equal(outbox_revive(o, &n, NULL), WHET_OK);
  assert_true(n == 2 && stats(o).dead == 0 && stats(o).dead_bytes == 0 && stats(o).bytes == 8);
  usleep(1000);
  assert_string_equal(taken(o, 1, OUTBOX_REFUSED), "bad");
  assert_true(stats(o).dead == 1 && stats(o).dead_bytes == 3);
  assert_int_equal(outbox_purge(o, true, &n, NULL), WHET_OK);
  assert_true(n == 1 && stats(o).dead == 0 && stats(o).dead_bytes == 0);
  usleep(1000);
  assert_string_equal(taken(o, 9, OUTBOX_SENT), "worse");
  /* Who delivers is alone; who puts is not. */
  const outbox_opts same = {.path = file("dead.db")};
  assert_int_equal(outbox_open(&same, &other, NULL), WHET_OK);
  assert_int_equal(outbox_claim(other, &err), WHET_E_MISUSE);
  assert_int_equal(put(other, NULL, NULL, "more", 0, 0), WHET_OK);
  outbox_close(&other);
  assert_string_equal(taken(o, 9, OUTBOX_SENT), "more");
  outbox_close(&o);
  /* Not an outbox. */
  FILE *f = fopen(file("text.db"), "w");
  for (int i = 0; i < 1000; i++) fputs("this is no database ", f);
  fclose(f);
  const outbox_opts wrong = {.path = file("text.db")};
  assert_int_equal(outbox_open(&wrong, &o, &err), WHET_E_FORMAT);
  assert_non_null(strstr(err.text, "text.db"));
}

static void full_disk(void **state) {
  outbox_opts small = {.vfs = "cut"};
  char data[3000];
  memset(data, 'x', sizeof data);
  data[sizeof data - 1] = 0;
  for (int rule = 0; rule < 2; rule++) {
    small.when_full = rule ? OUTBOX_DROP_OLDEST : OUTBOX_REFUSE;
    cut_disk(8000000);
    outbox *o = open_box(rule ? "full1.db" : "full0.db", &small);
    int64_t ok = 0, got = 0;
    for (int i = 0; i < 3000; i++) {
      whet_status s = put(o, NULL, NULL, data, 0, 0);
      assert_true(s == WHET_OK || s == WHET_E_LIMIT);
      ok += !s;
    }
    outbox_stats s = stats(o);
    assert_true(s.put == ok && s.records == ok - s.dropped);
    assert_true(rule ? s.dropped > 0 : ok < 3000 && s.dropped == 0);
    cut_disk(0);
    for (const char *t; *(t = taken(o, 1, OUTBOX_SENT));) got += strlen(t) == sizeof data - 1;
    assert_true(got == s.records);
    outbox_close(&o);
  }
}

/* ---- campaigns --------------------------------------------------------------------------------- */

enum { STREAMS = 3, MOST = 4000000 };
static struct { bool acked, stored; } k_rec[MOST];
static int64_t k_next, k_last[STREAMS], k_twice;
static uint64_t k_seed = 1;

static uint32_t draw(uint32_t n) {
  k_seed = k_seed * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(k_seed >> 33) % n;
}

/* The receiver: honours keys, and checks that a stream's records come in order the first time. */
static void receive(const char *key) {
  int64_t i = atoll(key);
  assert_true(i >= 0 && i < k_next);
  if (k_rec[i].stored) {
    k_twice++;
    return;
  }
  k_rec[i].stored = true;
  assert_true(i > k_last[i % STREAMS]);
  k_last[i % STREAMS] = i;
}

/* Put one or more; acknowledged or not. */
static void put_some(outbox *o) {
  char key[8][24], stream[8][4], data[8][600];
  outbox_record r[8];
  size_t n = 1 + draw(8);
  if (k_next + 8 > MOST) return;
  for (size_t i = 0; i < n; i++) {
    int64_t id = k_next + (int64_t)i;
    snprintf(key[i], sizeof key[i], "%lld", (long long)id);
    snprintf(stream[i], sizeof stream[i], "s%d", (int)(id % STREAMS));
    memset(data[i], 'a' + (int)(id % 26), sizeof data[i]);
    r[i] = (outbox_record){.stream = stream[i], .key = key[i], .data = data[i], .n = 1 + draw(sizeof data[i])};
  }
  bool ok = !outbox_put(o, r, n, NULL);
  for (size_t i = 0; i < n; i++) k_rec[k_next + (int64_t)i].acked = ok;
  k_next += (int64_t)n;
}

/* Take, and have the receiver take some of it before it fails. */
static bool give_some(outbox *o, bool flaky) {
  outbox_batch b = {0};
  outbox_answer a[32] = {0};
  bool any = false;
  if (!outbox_take(o, 1 + draw(32), 1 << 20, &b, NULL, NULL)) {
    size_t through = flaky && draw(2) ? draw((uint32_t)b.n + 1) : b.n;
    any = b.n > 0;
    for (size_t i = 0; i < b.n; i++) {
      char first = 'a' + (char)(atoll(b.item[i].key) % 26);
      assert_true(b.item[i].n > 0 && ((const char *)b.item[i].data)[b.item[i].n - 1] == first);
      if (i < through || (i == through && draw(2))) receive(b.item[i].key); /* the last one's answer is lost */
      a[i].fate = i < through ? OUTBOX_SENT : OUTBOX_UNREACHED;
    }
    if (outbox_settle(o, &b, a, NULL)) any = true;
  }
  outbox_batch_free(&b);
  return any;
}

static void begin_campaign(void) {
  memset(k_rec, 0, sizeof k_rec);
  k_next = k_twice = 0;
  for (int i = 0; i < STREAMS; i++) k_last[i] = -1;
}

static void end_campaign(const char *what, int64_t cuts, outbox *o) {
  int64_t acked = 0;
  for (int quiet = 0; quiet < 50;) {
    quiet = give_some(o, false) ? 0 : quiet + 1;
    if (quiet) usleep(1000);
  }
  for (int64_t i = 0; i < k_next; i++) {
    acked += k_rec[i].acked;
    if (k_rec[i].acked && !k_rec[i].stored) fail_msg("record %lld was acknowledged and lost", (long long)i);
  }
  outbox_stats s = stats(o);
  assert_true(s.records == 0 && s.bytes == 0 && s.dropped == 0 && s.expired == 0);
  assert_true(acked > cuts / 10);
  printf("%s: %lld times, %lld records acknowledged and delivered, %lld came twice\n", what, (long long)cuts,
         (long long)acked, (long long)k_twice);
}

static int64_t k_cuts = 300, k_kills = 100;

static void power_cuts(void **state) {
  const outbox_opts opts = {.vfs = "cut", .path = file("cut.db"), .retry_min = 1e-6, .retry_max = 1e-6};
  char path[300], shm[310], lock[310];
  outbox *o;
  whet_err err = {0};
  snprintf(path, sizeof path, "%s", opts.path);
  snprintf(shm, sizeof shm, "%s-shm", path);
  snprintf(lock, sizeof lock, "%s-lock", path);
  outbox_opts own = opts;
  own.path = path;
  begin_campaign();
  for (int64_t cut = 0; cut < k_cuts; cut++) {
    cut_at(1 + draw(draw(2) ? 60 : 400));
    if (!outbox_open(&own, &o, &err)) {
      assert_int_equal(outbox_claim(o, &err), WHET_OK);
      for (int i = 0; i < 1000 && !cut_is_off(); i++) {
        if (draw(2))
          put_some(o);
        else
          give_some(o, true);
      }
    } else if (!cut_is_off()) {
      fail_msg("after cut %lld: %s", (long long)cut, err.text);
    }
    outbox_close(&o);
    unlink(shm); /* memory does not outlive the power */
    cut_lose(k_seed + (uint64_t)cut);
  }
  assert_int_equal(outbox_open(&own, &o, &err), WHET_OK);
  assert_int_equal(outbox_claim(o, &err), WHET_OK);
  end_campaign("power cuts", k_cuts, o);
  outbox_close(&o);
}

/* The child tells each put that is about to be made and each that was acknowledged, and each delivery before its
 * answer. */
static void child(int to, uint64_t seed) {
  whet_err err = {0};
  outbox *o;
  char path[300];
  snprintf(path, sizeof path, "%s", file("kill.db"));
  const outbox_opts opts = {.path = path, .retry_min = 1e-6, .retry_max = 1e-6};
  k_seed = seed;
  if (outbox_open(&opts, &o, &err) || outbox_claim(o, &err)) _exit(3);
  for (;;) {
    int64_t word[9] = {0};
    if (draw(2)) {
      int64_t from = k_next;
      put_some(o);
      if (!k_rec[from].acked) _exit(4);
      word[0] = 1, word[1] = from, word[2] = k_next;
      if (write(to, word, sizeof word) != (ssize_t)sizeof word) _exit(0);
    } else {
      outbox_batch b = {0};
      outbox_answer a[8] = {0};
      if (outbox_take(o, 7, 1 << 20, &b, NULL, &err)) _exit(5);
      word[0] = 2, word[1] = (int64_t)b.n;
      for (size_t i = 0; i < b.n; i++) word[2 + i] = atoll(b.item[i].key);
      if (b.n && write(to, word, sizeof word) != (ssize_t)sizeof word) _exit(0); /* the receiver has it */
      if (outbox_settle(o, &b, a, &err)) _exit(6);
      outbox_batch_free(&b);
    }
  }
}

static void kills(void **state) {
  begin_campaign();
  for (int64_t k = 0; k < k_kills; k++) {
    int pipe_[2];
    assert_int_equal(pipe(pipe_), 0);
    int64_t from = k_next;
    pid_t pid = fork();
    if (!pid) {
      close(pipe_[0]);
      child(pipe_[1], (uint64_t)k * 977 + 5);
    }
    close(pipe_[1]);
    struct pollfd first = {.fd = pipe_[0], .events = POLLIN};
    if (draw(4)) poll(&first, 1, 5000); /* mostly not before it has begun, however slow the machine is */
    usleep(500 + draw(12000));
    kill(pid, SIGKILL);
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
    int64_t word[9];
    k_next = from + 2000 < MOST ? from + 2000 : MOST; /* what it may have put without a word */
    int64_t most = from;
    while (read(pipe_[0], word, sizeof word) == (ssize_t)sizeof word) {
      if (word[0] == 1)
        for (int64_t i = word[1]; i < word[2]; i++) k_rec[i].acked = true;
      if (word[0] == 1) most = word[2];
      char key[24];
      for (int64_t i = 0; word[0] == 2 && i < word[1]; i++) {
        snprintf(key, sizeof key, "%lld", (long long)word[2 + i]);
        receive(key);
      }
    }
    close(pipe_[0]);
    k_next = most + 8; /* the put under way */
    assert_true(k_next < MOST - 3000);
  }
  const outbox_opts opts = {.retry_min = 1e-6, .retry_max = 1e-6};
  outbox *o = open_box("kill.db", &opts);
  end_campaign("kills", k_kills, o);
  outbox_close(&o);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(order), cmocka_unit_test(pauses),    cmocka_unit_test(caps),       cmocka_unit_test(ages),
      cmocka_unit_test(dead),  cmocka_unit_test(full_disk), cmocka_unit_test(power_cuts), cmocka_unit_test(kills)};
  if (argc > 1) k_cuts = k_kills = atoll(argv[1]);
  const char *tmp = getenv("TMPDIR");
  snprintf(k_dir, sizeof k_dir, "%s/outbox.XXXXXX", tmp ? tmp : "/tmp");
  if (!mkdtemp(k_dir)) return 1;
  cut_register();
  setvbuf(stdout, NULL, _IOLBF, 0);
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  char rm[300];
  snprintf(rm, sizeof rm, "rm -rf '%s'", k_dir);
  return system(rm) ? 1 : r;
}
