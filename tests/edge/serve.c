/* SPDX-License-Identifier: Apache-2.0 */
/* The server's parts alone: requests, the scheduler, shared runs, the store and
 * its reloads. */

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "edge/serve/sched.h"
#include "edge/serve/spin.h"
#include "edge/serve/store.h"
#include "edge/wait.h"
#include "lib/test.h"

#define MODEL "tools/demo_model/digits_mlp.tflite" /* 1 x 784 floats to 10, rows free */

/* ---- requests -------------------------------------------------------------------------------------------------- */

static whet_status version_from(const char *folder, const char *config, serve_version **out, whet_err *err) {
  const char *text = config ? test_write(folder, "config.yaml", config, strlen(config)) : NULL;
  version_source from = {.name = "d",
                         .folder = folder,
                         .model_folder = folder,
                         .file = test_source(MODEL),
                         .config = text,
                         .number = 1,
                         .deadline = 30};
  return version_open(&from, out, err);
}

static serve_version *version_of(const char *config) {
  whet_err err = {0};
  serve_version *v = NULL;
  if (version_from(test_folder(), config, &v, &err)) fail_msg("%s", err.text);
  return v;
}

/* A request of `rows` rows of `value`, and `more` parameters. */
static serve_infer *request(serve_version *v, int rows, float value, const char *more) {
  whet_err err = {0};
  serve_infer *x = NULL;
  size_t bytes = (size_t)rows * 784 * sizeof(float);
  char *body = malloc(bytes + 500);
  int n = snprintf(body, 500,
                   "{\"inputs\":[{\"name\":\"image\",\"shape\":[%d,784],\"datatype\":\"FP32\",\"parameters\":{"
                   "\"binary_data_size\":%zu}}],"
                   "\"parameters\":{\"binary_data_output\":true%s%s}}",
                   rows, bytes, more ? "," : "", more ? more : "");
  for (size_t i = 0; i < bytes / sizeof value; i++) {
    float pixel = value + (float)(i % 7) / 8;
    memcpy(body + n + i * sizeof value, &pixel, sizeof value);
  }
  if (infer_read(version_ref(v), NULL, body, (size_t)n + bytes, (size_t)n, &x, &err)) fail_msg("%s", err.text);
  x->req = (struct serve_req *)body; /* to be freed with it */
  x->reply = calloc(1, sizeof *x->reply);
  return x;
}

static void drop(serve_infer *x) {
  if (!x) return;
  void *body = x->req;
  serve_buf *reply = x->reply;
  infer_free(&x);
  free(body);
  free(reply->p);
  free(reply);
}

static void requests_refused(void **state) {
  static const struct {
    const char *text, *why;
  } k[] = {
      {"{}", "without inputs"},
      {"{\"inputs\":[]}", "missing"},
      {"{\"inputs\":[{\"name\":\"image\",\"shape\":[1,784],\"datatype\":\"FP32\"}]}", "no data"},
      {"{\"inputs\":[{\"name\":\"image\",\"shape\":[1,784],\"datatype\":\"FP32\",\"data\":[1]}]}",
       "more than its data"},
      {"{\"inputs\":[{\"name\":\"image\",\"shape\":[1,783],\"datatype\":\"FP32\",\"data\":[]}]}",
       "the model takes [1,784]"},
      {"{\"inputs\":[{\"name\":\"image\",\"shape\":[4294967296,4294967296,4294967296],\"datatype\":\"FP32\",\"data\":"
       "[1]}]}",
       "than fit into memory"},
      {"{\"inputs\":[{\"name\":\"image\",\"shape\":[1,1,1,1,1,1,1,1,1,1,1,1],\"datatype\":\"FP32\",\"data\":[1]}]}",
       "at most 8 dimensions"},
      {"{\"inputs\":[{\"name\":\"image\",\"shape\":[-1,784],\"datatype\":\"FP32\",\"data\":[1]}]}", "at least 0"},
      {"{\"inputs\":[{\"name\":\"other\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1]}]}", "no input \"other\""},
      {"{\"inputs\":[{\"name\":\"image\",\"shape\":[1,784],\"datatype\":\"INT8\",\"data\":[1]}]}", "is FP32"},
      {"{\"inputs\":[{\"name\":\"image\",\"shape\":[1,784],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_"
       "size\":3136}}]}",
       "0 bytes left"},
      {"{\"inputs\":[{\"name\":\"image\",\"shape\":[1,784],\"datatype\":\"FP32\",\"parameters\":{\"shared_memory_"
       "region\":\"r\"}}]}",
       "not asked for"},
      {"{\"inputs\":[],\"parameters\":{\"sequence_id\":7}}", "sequences"},
      {"{\"inputs\":[],\"inputs\":[]}", "twice"}};
  serve_version *v = version_of(NULL);
  (void)state;
  for (size_t i = 0; i < EDGE_COUNT(k); i++) {
    whet_err err = {0};
    serve_infer *x = NULL;
    size_t n = strlen(k[i].text);
    char *copy = malloc(n);
    memcpy(copy, k[i].text, n);
    assert_int_not_equal(infer_read(version_ref(v), NULL, copy, n, n, &x, &err), WHET_OK);
    assert_null(x);
    if (!strstr(err.text, k[i].why)) fail_msg("%s: %s", k[i].text, err.text);
    free(copy);
  }
  assert_int_equal(v->refs, 1);
  version_unref(&v);
}

/* ---- the scheduler --------------------------------------------------------------------------------------------- */

static pthread_mutex_t g_lock = PTHREAD_MUTEX_INITIALIZER;
static serve_infer *g_done[64];
static size_t g_n;

static void note(serve_infer *x) {
  pthread_mutex_lock(&g_lock);
  g_done[g_n++] = x;
  pthread_mutex_unlock(&g_lock);
}

static size_t done_count(void) {
  pthread_mutex_lock(&g_lock);
  size_t n = g_n;
  pthread_mutex_unlock(&g_lock);
  return n;
}

/* Until n are done; fails after some seconds. */
static void wait_done(size_t n) {
  for (int64_t end = edge_after(20); done_count() < n;) {
    if (edge_now() > end) fail_msg("%zu of %zu are done", done_count(), n);
    usleep(500);
  }
}

static serve_sched *begin(int workers, double at_once) {
  whet_err err = {0};
  serve_sched *s = NULL;
  sched_opts o = {.workers = workers, .at_once = at_once, .done = note};
  g_n = 0;
  assert_int_equal(sched_create(&o, &s, &err), WHET_OK);
  return s;
}

/* A job that holds a worker until it is let go. */
typedef struct gate {
  _Atomic bool in, open;
} gate;
static void hold(void *arg) {
  gate *g = arg;
  g->in = true;
  while (!g->open) usleep(200);
}
static void shut(serve_sched *s, gate *g) {
  *g = (gate){false, false};
  assert_true(sched_job(s, hold, g));
  while (!g->in) usleep(200);
}

static void queue(serve_sched *s, serve_infer *x) {
  int64_t wait;
  assert_int_equal(sched_queue(s, x, &wait), SCHED_QUEUED);
}

static void by_priority(void **state) {
  serve_version *v = version_of("instances: 1\npriorities: 3\n");
  serve_sched *s = begin(1, 0);
  serve_infer *x[5];
  static const char *const k_class[] = {"\"priority\":3", "\"priority\":2", "\"priority\":1", "\"priority\":3",
                                        "\"priority\":1"};
  static const int k_order[] = {2, 4, 1, 0, 3}; /* by class, then as they came */
  gate g;
  (void)state;
  shut(s, &g);
  for (int i = 0; i < 5; i++) queue(s, x[i] = request(v, 1, 1, k_class[i]));
  assert_int_equal(sched_waiting(s), 5);
  g.open = true;
  wait_done(5);
  for (int i = 0; i < 5; i++) {
    assert_ptr_equal(g_done[i], x[k_order[i]]);
    assert_int_equal(x[i]->err.code, WHET_OK);
    assert_true(x[i]->json_bytes > 0 && x[i]->reply->n == x[i]->json_bytes + 10 * sizeof(float));
  }
  assert_int_equal(sched_waiting(s), 0);
  sched_close(&s);
  for (int i = 0; i < 5; i++) drop(x[i]);
  assert_int_equal(v->refs, 1);
  version_unref(&v);
}

static void turned_away(void **state) {
  serve_version *v = version_of("instances: 1\nqueue: 3\n");
  serve_sched *s = begin(1, 0);
  serve_infer *x[5];
  int64_t wait;
  gate g;
  (void)state;
  shut(s, &g);
  x[0] = request(v, 1, 1, NULL), x[1] = request(v, 1, 1, "\"timeout\":20000"), x[2] = request(v, 1, 1, NULL);
  for (int i = 0; i < 3; i++) queue(s, x[i]);
  x[3] = request(v, 1, 1, NULL);
  assert_int_equal(sched_queue(s, x[3], &wait), SCHED_FULL);
  assert_int_equal(v->stats.rejected, 1);
  whet_cancel_raise(&x[2]->cancel); /* its client leaves */
  sched_expire(s);
  wait_done(1);
  assert_ptr_equal(g_done[0], x[2]);
  assert_int_equal(x[2]->err.code, WHET_E_CANCELLED);
  v->run_ns = 50000000; /* runs of 50 ms: two wait, the third would be done in 150 */
  x[4] = request(v, 1, 1, "\"timeout\":100000");
  assert_int_equal(sched_queue(s, x[4], &wait), SCHED_LATE);
  assert_true(wait >= 100000000 && wait <= 200000000);
  v->run_ns = 0;
  usleep(30000); /* past the deadline of one */
  sched_expire(s);
  wait_done(2);
  assert_ptr_equal(g_done[1], x[1]);
  assert_int_equal(x[1]->err.code, WHET_E_DEADLINE);
  assert_int_equal(v->stats.expired, 1);
  assert_int_equal(v->stats.cancelled, 1);
  g.open = true;
  wait_done(3);
  assert_int_equal(x[0]->err.code, WHET_OK);
  sched_close(&s);
  for (int i = 0; i < 5; i++) drop(x[i]);
  version_unref(&v);
}

static void ends(void **state) {
  serve_version *v = version_of("instances: 1\n");
  serve_sched *s = begin(1, 0);
  serve_infer *a = request(v, 1, 1, NULL), *b = request(v, 1, 1, NULL);
  int64_t wait;
  gate g, late = {false, true};
  (void)state;
  shut(s, &g);
  queue(s, a);
  assert_true(sched_job(s, hold, &late)); /* accepted, so it is done */
  g.open = true;
  sched_end(s);
  assert_true(late.in);
  assert_int_equal(done_count(), 1);
  assert_true(a->err.code == WHET_E_CANCELLED || a->err.code == WHET_OK);
  assert_int_equal(sched_queue(s, b, &wait), SCHED_ENDS);
  assert_false(sched_job(s, hold, &late));
  sched_expire(s); /* the watch ticks until it is closed */
  sched_close(&s);
  assert_null(s);
  drop(a), drop(b);
  version_unref(&v);
}

static void at_once(void **state) {
  serve_version *v = version_of("instances: 1\n");
  serve_sched *s = begin(1, 1);
  serve_infer *x = request(v, 1, 1, NULL), *y = request(v, 1, 1, NULL);
  whet_err err = {0};
  (void)state;
  assert_true(sched_at_once(s, x));
  assert_int_equal(done_count(), 0); /* answered without */
  assert_int_equal(x->err.code, WHET_OK);
  serve_instance *i = version_take(v, &err);
  assert_non_null(i);
  assert_false(sched_at_once(s, y)); /* busy: it waits */
  version_give(v, i);
  v->run_ns = 2000000000;
  assert_false(sched_at_once(s, y)); /* too long for the thread that reads */
  sched_close(&s);
  drop(x), drop(y);
  version_unref(&v);
}

typedef struct taker {
  serve_version *v;
  serve_instance *got;
} taker;
static void *take_one(void *arg) {
  taker *t = arg;
  whet_err err = {0};
  t->got = version_wait(t->v, edge_after(20), &err);
  return NULL;
}

static void instances_wait(void **state) {
  serve_version *v = version_of("instances: 1\n");
  whet_err err = {0};
  taker t = {v, NULL};
  pthread_t thread;
  (void)state;
  serve_instance *i = version_take(v, &err);
  assert_non_null(i);
  assert_null(version_take(v, &err));
  assert_int_equal(err.code, WHET_OK);
  int64_t began = edge_now();
  assert_null(version_wait(v, edge_after(0.02), &err));
  assert_int_equal(err.code, WHET_E_DEADLINE);
  assert_true(edge_now() - began >= 20000000);
  assert_int_equal(pthread_create(&thread, NULL, take_one, &t), 0);
  usleep(10000);
  version_give(v, i);
  pthread_join(thread, NULL);
  assert_ptr_equal(t.got, i);
  version_give(v, i);
  version_unref(&v);
}

/* ---- runs that requests share ---------------------------------------------------------------------------------- */

/* The ten numbers of row `row` of a reply. */
static const char *row_of(const serve_infer *x, int row) {
  return x->reply->p + x->json_bytes + (size_t)row * 10 * sizeof(float);
}

static void shared_runs(void **state) {
  serve_version *v = version_of("instances: 1\nbatch: {max: 4, delay: 60ms}\n"),
                *alone = version_of("instances: 1\n");
  serve_sched *s = begin(2, 1);
  serve_infer *x[6], *one[6];
  static const int k_rows[] = {1, 2, 1, 4, 1, 1};
  (void)state;
  assert_false(sched_at_once(s, x[0] = request(v, 1, 0, NULL))); /* others may come */
  for (int i = 1; i < 3; i++) x[i] = request(v, k_rows[i], (float)i / 4, NULL);
  int64_t began = edge_now();
  for (int i = 0; i < 3; i++) queue(s, x[i]); /* four rows: nothing to wait for */
  wait_done(3);
  assert_int_equal(v->stats.executions, 1);
  assert_int_equal(v->stats.inferences, 4);
  assert_int_equal(v->stats.batch[4].count, 1);
  assert_true(edge_now() - began < 1000000000);
  queue(s, x[3] = request(v, 4, 0.75f, NULL)); /* a run of its own */
  wait_done(4);
  assert_int_equal(v->stats.executions, 2);
  x[4] = request(v, 1, 1, NULL), x[5] = request(v, 1, 1.25f, NULL);
  began = edge_now();
  queue(s, x[4]), queue(s, x[5]); /* two rows: the delay, then together */
  wait_done(6);
  assert_true(edge_now() - began >= 60000000);
  assert_int_equal(v->stats.executions, 3);
  assert_int_equal(v->stats.batch[2].count, 1);
  for (int i = 0; i < 6; i++) { /* each has the rows that it would have had alone */
    assert_int_equal(x[i]->err.code, WHET_OK);
    assert_int_equal(x[i]->reply->n - x[i]->json_bytes, (size_t)k_rows[i] * 10 * sizeof(float));
    one[i] = NULL;
    if (k_rows[i] > 1) continue;
    one[i] = request(alone, 1, (float)i / 4, NULL);
    assert_true(sched_at_once(s, one[i]));
    assert_memory_equal(row_of(x[i], 0), row_of(one[i], 0), 10 * sizeof(float));
  }
  sched_close(&s);
  for (int i = 0; i < 6; i++) drop(x[i]), drop(one[i]);
  version_unref(&v), version_unref(&alone);
}

static void batches_refused(void **state) {
  whet_err err = {0};
  serve_version *v = NULL;
  serve_infer *x = NULL;
  (void)state;
  assert_int_not_equal(version_from(test_folder(), "batch: {max: 0}\n", &v, &err), WHET_OK);
  assert_null(v);
  assert_non_null(strstr(err.text, "config.yaml:1"));
  err = (whet_err){0};
  v = version_of("batch: {max: 2, delay: 1ms}\n");
  char text[] =
      "{\"inputs\":[{\"name\":\"image\",\"shape\":[3,784],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":"
      "9408}}]}";
  size_t n = sizeof text - 1;
  char *body = calloc(1, n + 9408);
  memcpy(body, text, n);
  assert_int_equal(infer_read(version_ref(v), NULL, body, n + 9408, n, &x, &err), WHET_E_SHAPE);
  assert_non_null(strstr(err.text, "3 rows"));
  free(body);
  version_unref(&v);
}

/* ---- the store ------------------------------------------------------------------------------------------------- */

static char g_log[20][300];
static size_t g_lines;
static void log_line(void *user, int level, const char *line) {
  (void)user, (void)level;
  snprintf(g_log[g_lines++ % 20], sizeof g_log[0], "%s", line);
}

/* FOLDER/d/NUMBER/model.tflite: the model, or what `bytes` says. */
static void put(const char *root, int number, const char *bytes) {
  char command[3000], path[1000];
  snprintf(path, sizeof path, "%s/d/%d", root, number);
  snprintf(command, sizeof command, "mkdir -p '%s' && cp '%s' '%s/new'", path, test_source(MODEL), path);
  assert_int_equal(system(command), 0);
  if (bytes) test_write(path, "new", bytes, strlen(bytes));
  snprintf(command, sizeof command, "mv '%s/new' '%s/model.tflite'", path, path);
  assert_int_equal(system(command), 0);
}

static json_text word(const char *s) { return (json_text){s, strlen(s)}; }

static whet_status g_verdict;
static whet_status check(void *user, const char *folder, whet_program *p, whet_err *err) {
  (void)user, (void)folder, (void)p;
  return g_verdict ? edge_fail(err, g_verdict, "the golden case fails") : WHET_OK;
}

/* The number of the version that answers a name, 0: none. */
static int64_t served(serve_store *s, const char *version) {
  whet_err err = {0};
  serve_version *v = store_find(s, word("d"), word(version), &err);
  int64_t n = v ? v->number : 0;
  assert_int_equal(!v, err.code == WHET_E_NAME);
  version_unref(&v);
  return n;
}

static char g_reason[300];
static void look(void *user, const store_entry *e) {
  if (e->version && !strcmp(e->version, user)) snprintf(g_reason, sizeof g_reason, "%s", e->reason);
}
static const char *reason_of(serve_store *s, const char *version) {
  strcpy(g_reason, "not listed");
  store_each(s, look, (void *)(uintptr_t)version);
  return g_reason;
}

static double cpu_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* What comes while it is looked for stays to be read; looks in vain become rare. */
static void looks_for_more(void **state) {
  int at[2];
  char c = 'x';
  (void)state;
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, at), 0);
  double began = cpu_ms();
  for (int k = 0; k < 60; k++) spin_look(at[0], 10000000);
  assert_true(cpu_ms() - began < 200); /* 600 were each a look */
  assert_int_equal(write(at[1], &c, 1), 1);
  for (int k = 0; k < 200; k++) spin_look(at[0], 10000000);
  assert_true(cpu_ms() - began < 220); /* it was there: looks end at once */
  c = 0;
  assert_int_equal(read(at[0], &c, 1), 1);
  assert_int_equal(c, 'x');
  close(at[0]);
  close(at[1]);
}

/* Blocks of all sizes: their places do not meet, what was given back is used again, closing leaves nothing. */
static void memory_of_a_version(void **state) {
  enum { N = 400 };
  static uint8_t *p[N];
  static size_t n[N];
  (void)state;
  uint32_t seed = 7;
  serve_heap *h = heap_create();
  assert_non_null(h);
  const whet_allocator *a = heap_allocator(h);
  for (int k = 0; k < 20000; k++) {
    seed = seed * 1664525 + 1013904223;
    size_t i = seed >> 8 & 0xffff, most = seed >> 28 ? 4000 : seed >> 26 & 1 ? 40000 : 3 << 20;
    i %= N;
    if (p[i]) {
      for (size_t b = 0; b < n[i]; b += n[i] / 7 + 1) assert_int_equal(p[i][b], i % 251);
      assert_int_equal(p[i][n[i] - 1], i % 251);
      a->free(a->user, p[i], n[i]);
      p[i] = NULL;
      continue;
    }
    n[i] = 1 + (seed * 2654435761u >> 4) % most;
    p[i] = a->alloc(a->user, n[i], 64);
    assert_non_null(p[i]);
    assert_int_equal((uintptr_t)p[i] % 64, 0);
    memset(p[i], (int)(i % 251), n[i]);
  }
  for (size_t i = 0; i < N; i++)
    if (p[i]) a->free(a->user, p[i], n[i]);
  uint8_t *first = a->alloc(a->user, 1000, 64);
  a->free(a->user, first, 1000);
  assert_ptr_equal(a->alloc(a->user, 1000, 64), first);
  heap_close(&h);
  assert_null(h);
}

static void reloads(void **state) {
  const char *root = test_folder();
  char command[1200];
  serve_store *s = NULL;
  whet_err err = {0};
  store_opts o = {.folder = root, .deadline = 1, .poll = 0.05, .check = check, .log = log_line};
  (void)state;
  g_verdict = WHET_OK;
  put(root, 1, NULL);
  assert_int_equal(store_open(&o, &s, &err), WHET_OK);
  assert_int_equal(served(s, ""), 1);
  serve_version *old = store_find(s, word("d"), word(""), &err), *v;
  store_scan(s); /* nothing changed: nothing is loaded */
  v = store_find(s, word("d"), word("1"), &err);
  assert_ptr_equal(v, old);
  version_unref(&v);
  put(root, 1, NULL);
  store_scan(s);
  v = store_find(s, word("d"), word("1"), &err);
  assert_ptr_not_equal(v, old); /* the new one answers; who has the old one keeps it */
  assert_int_equal(old->refs, 1);
  version_unref(&old), version_unref(&v);
  put(root, 1, "no model");
  store_scan(s);
  assert_int_equal(served(s, "1"), 1); /* the one before stays, and the index says why */
  assert_non_null(strstr(reason_of(s, "1"), "model.tflite"));
  assert_null(strstr(reason_of(s, "1"), root)); /* without the folder's place */
  g_verdict = WHET_E_DATA;
  put(root, 1, NULL);
  put(root, 3, NULL);
  store_scan(s);
  assert_int_equal(served(s, ""), 1); /* the new version fails its case: none of it is served */
  assert_int_equal(served(s, "3"), 0);
  assert_non_null(strstr(reason_of(s, "3"), "golden"));
  g_verdict = WHET_OK;
  store_scan(s);
  assert_int_equal(served(s, "3"), 0); /* nothing changed since */
  char path[1000];
  snprintf(path, sizeof path, "%s/d/3", root);
  test_write(path, "labels.txt", "a\n", 2);
  store_scan(s);
  assert_int_equal(served(s, "3"), 3); /* what it may have been short of has come */
  g_verdict = WHET_E_DATA;
  put(root, 3, NULL);
  store_scan(s);
  g_verdict = WHET_OK;
  assert_int_equal(store_load(s, word("d"), &err), WHET_OK); /* by name it is tried again */
  assert_int_equal(served(s, ""), 3);
  assert_string_equal(reason_of(s, "3"), "");
  assert_int_equal(store_unload(s, word("d"), &err), WHET_OK);
  assert_int_equal(served(s, ""), 0);
  put(root, 4, NULL);
  store_scan(s);
  assert_int_equal(served(s, ""), 0); /* unloaded stays so */
  assert_int_equal(store_load(s, word("d"), &err), WHET_OK);
  assert_int_equal(served(s, ""), 4);
  assert_int_equal(store_load(s, word("../d"), &err), WHET_E_NAME);
  assert_int_equal(store_unload(s, word("nobody"), &err), WHET_E_NAME);
  snprintf(command, sizeof command, "rm -r '%s/d/4' && mkdir '%s/d/05' '%s/d/x' '%s/.hidden'", root, root, root,
           root);
  assert_int_equal(system(command), 0);
  store_scan(s);
  assert_int_equal(served(s, ""), 3);
  snprintf(command, sizeof command, "%s/d", root);
  test_write(command, "config.yaml", "versions: 1\n", 12);
  store_scan(s); /* settings that changed are a change: only the newest is served */
  store_scan(s);
  assert_int_equal(served(s, "1"), 0);
  assert_int_equal(served(s, "3"), 3);
  snprintf(command, sizeof command, "rm -r '%s/d'", root);
  err = (whet_err){0};
  assert_int_equal(store_watch(s, &err), WHET_OK);
  assert_int_equal(system(command), 0);
  for (int64_t end = edge_after(20); served(s, "");) { /* seen by itself */
    assert_true(edge_now() < end);
    usleep(5000);
  }
  store_close(&s);
  assert_null(s);
}

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(WHET_SANITIZE)
#define COUNTS_MEMORY
#endif

#ifdef COUNTS_MEMORY
/* Threads that answer requests keep nothing of models that went while they held them. */
enum { HOLDERS = 4 };
typedef struct holder {
  pthread_t thread;
  pthread_barrier_t step;
  serve_store *s;
  serve_version *v;
} holder;

static void *keep_version(void *arg) {
  holder *h = arg;
  whet_err err = {0};
  h->v = store_find(h->s, word("d"), word(""), &err);
  pthread_barrier_wait(&h->step);
  pthread_barrier_wait(&h->step); /* it was replaced */
  version_unref(&h->v);
  pthread_barrier_wait(&h->step);
  pthread_barrier_wait(&h->step); /* what is in use was counted */
  return NULL;
}

#endif

static void keeps_nothing(void **state) {
#ifdef COUNTS_MEMORY
  const char *root = test_folder();
  serve_store *s = NULL;
  whet_err err = {0};
  holder h[HOLDERS];
  store_opts o = {.folder = root, .deadline = 1, .poll = 0.05, .check = check, .log = log_line};
  (void)state;
  mallopt(M_ARENA_MAX, 1); /* what mallinfo2 tells of */
  g_verdict = WHET_OK;
  put(root, 1, NULL);
  assert_int_equal(store_open(&o, &s, &err), WHET_OK);
  for (int i = 0; i < 3; i++) put(root, 1, NULL), store_scan(s);
  size_t before = mallinfo2().uordblks; /* with what threads keep */
  for (int i = 0; i < HOLDERS; i++) {
    h[i].s = s;
    pthread_barrier_init(&h[i].step, NULL, 2);
    assert_int_equal(pthread_create(&h[i].thread, NULL, keep_version, &h[i]), 0);
    pthread_barrier_wait(&h[i].step);
    assert_non_null(h[i].v);
    put(root, 1, NULL);
    store_scan(s);
    pthread_barrier_wait(&h[i].step);
    pthread_barrier_wait(&h[i].step);
    assert_null(h[i].v);
  }
  store_scan(s);
  size_t after = mallinfo2().uordblks;
  print_message("in use: %zu bytes, then %zu\n", before, after);
  assert_true(after < before + HOLDERS * 4096);
  for (int i = 0; i < HOLDERS; i++) {
    pthread_barrier_wait(&h[i].step);
    pthread_join(h[i].thread, NULL);
    pthread_barrier_destroy(&h[i].step);
  }
  store_close(&s);
#else
  (void)state;
  skip(); /* no malloc of the C library's own */
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(requests_refused), cmocka_unit_test(by_priority),
                                     cmocka_unit_test(turned_away),      cmocka_unit_test(ends),
                                     cmocka_unit_test(at_once),          cmocka_unit_test(instances_wait),
                                     cmocka_unit_test(shared_runs),      cmocka_unit_test(batches_refused),
                                     cmocka_unit_test(reloads),          cmocka_unit_test(keeps_nothing),
                                     cmocka_unit_test(looks_for_more),   cmocka_unit_test(memory_of_a_version)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
