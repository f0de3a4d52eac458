/* SPDX-License-Identifier: Apache-2.0 */
/* Pipelines from inside: queues, frames, filters and privacy on frames with known findings, and the interface in C.
 */

#include "lib/test.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/pipe/fft.h"
#include "edge/heard.h"
#include "edge/pipeline/event.h"
#include "edge/pipeline/inner.h"
#include "whet/media.h"

static pl_frame *numbered(pl_pool *p, uint64_t seq, bool begin) {
  pl_frame *f = pl_frame_new(p);
  f->seq = seq;
  f->begin = begin;
  return f;
}

/* What a queue of 3 gives back of frames 1..5, of which 1 and 4 begin items. */
static void queue_gives(pl_full full, const char *want) {
  pl_pool pool;
  pl_queue q;
  whet_err err;
  char got[100] = "";
  pl_pool_init(&pool, 1 << 20);
  assert_int_equal(pl_queue_init(&q, 3, full, &err), WHET_OK);
  for (uint64_t i = 1; i <= 5; i++) assert_true(pl_queue_put(&q, numbered(&pool, i, i == 1 || i == 4)));
  pl_queue_close(&q, false);
  assert_false(pl_queue_put(&q, numbered(&pool, 6, false)));
  for (pl_frame *f; (f = pl_queue_take(&q)); pl_frame_free(f))
    sprintf(got + strlen(got), "%llu%s ", (unsigned long long)f->seq, f->begin ? "b" : "");
  assert_string_equal(got, want);
  assert_int_equal(q.in, 6);
  assert_int_equal(q.dropped, 3);
  assert_int_equal(q.deepest, 3);
  pl_queue_free(&q);
  pl_pool_free(&pool);
}

static void queues_drop(void **state) {
  queue_gives(PL_DROP_OLDEST, "3b 4b 5 "); /* the item that 1 began is known by 3 */
  queue_gives(PL_DROP_NEWEST, "1b 2 3 ");
}

static void *put_late(void *arg) {
  pl_queue *q = arg;
  usleep(30000);
  pl_frame_free(pl_queue_take(q));
  return NULL;
}

static void queues_block(void **state) {
  pl_pool pool;
  pl_queue q;
  whet_err err;
  pthread_t t;
  pl_pool_init(&pool, 1 << 20);
  assert_int_equal(pl_queue_init(&q, 1, PL_BLOCK, &err), WHET_OK);
  assert_true(pl_queue_put(&q, numbered(&pool, 1, false)));
  pthread_create(&t, NULL, put_late, &q);
  double begun = test_seconds();
  assert_true(pl_queue_put(&q, numbered(&pool, 2, false)));
  assert_true(test_seconds() - begun > 0.02);
  pthread_join(t, NULL);
  pl_queue_close(&q, true); /* in a hurry: nothing is left */
  assert_null(pl_queue_take(&q));
  assert_int_equal(q.dropped, 1);
  pl_queue_free(&q);
  pl_pool_free(&pool);
}

/* Takes until the end; the sum of the frames' numbers. */
static void *take_all(void *arg) {
  uint64_t sum = 0;
  for (pl_frame *f; (f = pl_queue_take(arg)); pl_frame_free(f)) sum += f->seq;
  return (void *)(uintptr_t)sum;
}
static bool lent(pl_queue *q) {
  for (int i = 0; i < 10000; i++) {
    if (pl_queue_lend(q)) return true;
    usleep(1000);
  }
  return false;
}

/* Who takes can be stood in for while they wait, and takes nothing meanwhile; not where frames may be dropped. */
static void queues_lend(void **state) {
  pl_pool pool;
  pl_queue q;
  whet_err err;
  pthread_t t;
  void *sum;
  (void)state;
  pl_pool_init(&pool, 1 << 20);
  for (int k = 0; k < 2; k++) {
    assert_int_equal(pl_queue_init(&q, 3, k ? PL_BLOCK : PL_DROP_OLDEST, &err), WHET_OK);
    assert_false(pl_queue_lend(&q)); /* nobody waits */
    pthread_create(&t, NULL, take_all, &q);
    if (!k) {
      usleep(20000);
      assert_false(pl_queue_lend(&q));
    } else {
      assert_true(lent(&q));
      assert_false(pl_queue_lend(&q));
      pl_queue_put(&q, numbered(&pool, 1, false));
      pl_queue_put(&q, numbered(&pool, 2, false));
      usleep(20000);
      pthread_mutex_lock(&q.lock);
      assert_int_equal(q.n, 2);
      pthread_mutex_unlock(&q.lock);
      pl_queue_return(&q);
      assert_true(lent(&q));
      pl_queue_put(&q, numbered(&pool, 4, false));
    }
    pl_queue_close(&q, false);
    assert_false(pl_queue_lend(&q));
    if (k) pl_queue_return(&q);
    pthread_join(t, &sum);
    assert_int_equal((uintptr_t)sum, k ? 7 : 0);
    pl_queue_free(&q);
  }
  pl_pool_free(&pool);
}

/* Frames and blobs come back; contents are shared until one is drawn into; the limit holds. */
static void frames_share(void **state) {
  pl_pool pool;
  whet_err err = {0};
  pl_pool_init(&pool, 100000);
  pl_frame *a = pl_frame_new(&pool);
  assert_int_equal(pl_frame_picture(a, 10, 10, WHET_PIXEL_RGB, &err), WHET_OK);
  memset(a->blob->p, 7, 300);
  pl_add_object(a)->label = "x";
  pl_frame *b = pl_frame_copy(a);
  assert_ptr_equal(a->blob, b->blob);
  assert_int_equal(b->n_object, 1);
  assert_int_equal(pl_frame_own(b, &err), WHET_OK);
  assert_ptr_not_equal(a->blob, b->blob);
  b->blob->p[0] = 1;
  assert_int_equal(a->blob->p[0], 7);
  assert_int_equal(b->blob->p[299], 7);
  assert_int_equal(pl_frame_picture(b, 1000, 100, WHET_PIXEL_RGB, &err), WHET_E_LIMIT);
  pl_frame_free(a);
  pl_frame_free(b);
  uint64_t taken = pool.taken;
  for (int i = 0; i < 100; i++) {
    a = pl_frame_new(&pool);
    assert_int_equal(pl_frame_picture(a, 10, 9, WHET_PIXEL_RGB, &err), WHET_OK);
    b = pl_frame_copy(a);
    pl_frame_free(a);
    pl_frame_free(b);
  }
  assert_int_equal(pool.taken, taken);
  pl_pool_free(&pool);
}

static void times(void **state) {
  static const struct {
    const char *text;
    int64_t ns;
  } k[] = {{"1970-01-01T00:00:00Z", 0},
           {"2001-09-09T01:46:40Z", INT64_C(1000000000000000000)},
           {"2001-09-09T03:16:40.25+01:30", INT64_C(1000000000250000000)},
           {"2001-09-08T17:46:40.000000001-08:00", INT64_C(1000000000000000001)},
           {"1000000000", INT64_C(1000000000000000000)},
           {"1000000000.5", INT64_C(1000000000500000000)},
           {"1000000000000", INT64_C(1000000000000000000)},
           {"1000000000000000", INT64_C(1000000000000000000)},
           {"1000000000000000001", INT64_C(1000000000000000001)}};
  static const char *const bad[] = {"",
                                    "x",
                                    "2001-13-01T00:00:00Z",
                                    "2001-01-01T00:00:00",
                                    "2001-01-01T25:00:00Z",
                                    "-1",
                                    "nan",
                                    "1e30",
                                    "2001-01-01T00:00:00+1:00",
                                    "2001-01-01T00:00:00Zx",
                                    "63666666666",
                                    "9300000000",
                                    "9300000000000"};
  int64_t ns;
  char text[PL_TIME];
  (void)state;
  for (size_t i = 0; i < EDGE_COUNT(k); i++) {
    if (!pl_time_read(k[i].text, strlen(k[i].text), &ns)) fail_msg("%s is a time", k[i].text);
    if (ns != k[i].ns) fail_msg("%s: %lld", k[i].text, (long long)ns);
  }
  for (size_t i = 0; i < EDGE_COUNT(bad); i++)
    if (pl_time_read(bad[i], strlen(bad[i]), &ns)) fail_msg("%s is no time", bad[i]);
  pl_time_text(INT64_C(1000000000000001999), text);
  assert_string_equal(text, "2001-09-09T01:46:40.000001Z");
}

/* Numbers of boxes and scores, as events show them. */
static void numbers_in_events(void **state) {
  static const struct {
    float v;
    const char *pixel, *score;
  } k[] = {{0, "0", "0"},
           {1, "1", "1"},
           {10, "10", "10"},
           {100.5f, "100.5", "100.5"},
           {0.01f, "0.01", "0.01"},
           {0.05f, "0.05", "0.05"},
           {0.004f, "0", "0.004"},
           {-0.001f, "0", "-0.001"},
           {-12.25f, "-12.25", "-12.25"},
           {999.999f, "1000", "999.999023"},
           {0.1234567f, "0.12", "0.123457"},
           {1.999f, "2", "1.999"},
           {1e12f, "999999995904", "1e+12"},
           {INFINITY, "null", "null"},
           {10.01f, "10.01", "10.01"}};
  pl_pool pool;
  (void)state;
  pl_pool_init(&pool, 1 << 20);
  for (size_t i = 0; i < EDGE_COUNT(k); i++) {
    char want[200];
    serve_buf b = {0};
    pl_frame *f = pl_frame_new(&pool);
    f->objects = true;
    f->hidden = ~(1u << PL_FIELD_OBJECTS | 1u << PL_FIELD_OBJECT_SCORE | 1u << PL_FIELD_OBJECT_BOX);
    *pl_add_object(f) = (pl_object){.x0 = k[i].v, .y0 = 1, .x1 = 2, .y1 = k[i].v, .score = k[i].v};
    pl_event(f, "", &b);
    buf_put(&b, "", 1);
    snprintf(want, sizeof want, "{\"objects\":[{\"score\":%s,\"box\":[%s,1,2,%s]}]}", k[i].score, k[i].pixel,
             k[i].pixel);
    assert_string_equal(b.p, want);
    free(b.p);
    pl_frame_free(f);
  }
  pl_pool_free(&pool);
}

static void spectra(void **state) {
  static const size_t k_n[] = {1, 2, 3, 8, 12, 30, 49, 64, 97, 100, 128, 131};
  for (size_t t = 0; t < EDGE_COUNT(k_n); t++) {
    size_t n = k_n[t];
    float x[131], re[131], im[131];
    whet_err err = {0};
    pipe_fft *f;
    uint32_t r = 1;
    for (size_t i = 0; i < n; i++) x[i] = (float)((r = r * 1664525 + 1013904223) >> 8) / 16777216.0f - 0.5f;
    assert_int_equal(pipe_fft_create(n, &f, &err), WHET_OK);
    pipe_fft_run(f, x, re, im);
    for (size_t k = 0; k <= n / 2; k++) {
      double a = 0, b = 0;
      for (size_t i = 0; i < n; i++) {
        double w = -2 * 3.14159265358979323846 * (double)(k * i % n) / (double)n;
        a += (double)x[i] * cos(w);
        b += (double)x[i] * sin(w);
      }
      if (fabs(a - (double)re[k]) > 1e-5 || fabs(b - (double)im[k]) > 1e-5)
        fail_msg("%zu samples, frequency %zu", n, k);
    }
    pipe_fft_close(&f);
  }
}

/* ---- stages on frames with known findings
 * ---------------------------------------------------------------------------- */

static pl_object *object(pl_frame *f, const char *label, uint32_t index, float x, float y, float size) {
  pl_object *o = pl_add_object(f);
  *o = (pl_object){.label = label, .index = index, .x0 = x, .y0 = y, .x1 = x + size, .y1 = y + size, .score = 0.5f};
  return o;
}

/* How often a text stands in another. */
static size_t times_in(const char *text, const char *what) {
  size_t n = 0;
  for (; text && (text = strstr(text, what)); text += strlen(what)) n++;
  return n;
}

#define FROM_APP "source: app\nqueue: {size: 1000, full: block}\ndrain: 5s\nsinks: [app]\nstages:\n"

static void tracks(void **state) {
  heard h;
  whet_pipeline *p = open_text(FROM_APP "  - track: {overlap: 0.3, lost: 1}\n", &h);
  for (int i = 0; i < 6; i++) { /* a walks, b stands and is away for two frames, c is of another class where a is */
    pl_frame *f = frame_at(p, i);
    object(f, "c", 2, 10 + 2 * (float)i, 10, 20);
    if (i != 2 && i != 3) object(f, "b", 1, 60, 60, 20);
    object(f, "a", 1, 10 + 2 * (float)i, 10, 20);
    give(p, f);
  }
  h = finish(p, &h);
  assert_int_equal(h.lines, 6);
  assert_int_equal(times_in(h.text, "\"label\":\"a\",\"class\":1,\"score\":0.5,\"box\":[10,10,30,30],\"track\":3"),
                   1);
  assert_int_equal(times_in(h.text, "\"track\":1}"), 6); /* c */
  assert_int_equal(times_in(h.text, "\"track\":2}"), 2); /* b, before it was away */
  assert_int_equal(times_in(h.text, "\"track\":3}"), 6); /* a */
  assert_int_equal(times_in(h.text, "\"track\":4}"), 2); /* b again */
  free(h.text);
}

static void zones(void **state) {
  heard h;
  whet_pipeline *p = open_text(FROM_APP
                               "  - track: {overlap: 0.1}\n  - zone: {pass: events, anchor: centre, zones: [{name: "
                               "door, points: [[0.5, 0], [1, 0], "
                               "[1, 1], [0.5, 1]]}], lines: [{name: gate, points: [[0.3, 0], [0.3, 1]]}]}\n",
                               &h);
  static const float k_x[] = {10, 20, 32, 45, 55, 45, 32, 20};
  for (size_t i = 0; i < EDGE_COUNT(k_x); i++) {
    pl_frame *f = frame_at(p, (int64_t)i);
    object(f, "a", 1, k_x[i] - 10, 40, 20);
    give(p, f);
  }
  h = finish(p, &h);
  assert_int_equal(h.lines, 4);
  const char *cross = strstr(h.text, "\"event\":\"cross\",\"subject\":\"gate\""),
             *enter = strstr(h.text, "\"event\":\"enter\",\"subject\":\"door\"");
  assert_true(cross && enter && cross < enter);
  assert_non_null(strstr(enter, "\"event\":\"leave\",\"subject\":\"door\""));
  assert_int_equal(times_in(h.text, "\"direction\":1}"), 1);
  assert_int_equal(times_in(h.text, "\"direction\":-1}"), 1);
  free(h.text);
}

/* The seqs of events as a text. */
static void seqs(const heard *h, const char *want) {
  char got[400] = "";
  for (const char *at = h->text; at && (at = strstr(at, "\"seq\":")); at += 6)
    sprintf(got + strlen(got), "%d ", atoi(at + 6));
  assert_string_equal(got, want);
}

/* Frames 100 ms apart that say a, b or (.) nothing, through one stage. */
static void says(const char *stage, const char *what, const char *want) {
  heard h;
  char text[600];
  snprintf(text, sizeof text, FROM_APP "  - %s\n", stage);
  whet_pipeline *p = open_text(text, &h);
  for (int i = 0; what[i]; i++) {
    pl_frame *f = frame_at(p, 100 * (i + 1));
    if (what[i] != '.') object(f, what[i] == 'a' ? "a" : "b", (uint32_t)what[i], 10, 10, 10)->track = what[i];
    give(p, f);
  }
  h = finish(p, &h);
  seqs(&h, want);
  free(h.text);
}

static void filters(void **state) {
  says("rate: 300ms", "aaaaaaa", "1 4 7 ");
  says("rate: {every: 1s, most: 2}", "aaaaaaaaaaaa", "1 2 6 11 ");
  says("rate: {every: 1s, by: says}", "abababaaaaaaa", "1 2 11 ");
  says("debounce: 3", "aababbb.bbb", "7 11 ");
  says("debounce: {for: 200ms}", "aaaab", "3 4 ");
  says("change", "aa.bb..a", "1 3 4 6 8 ");
  says("change: {again: 250ms}", "aaaaaaa", "1 4 7 ");
  says("change: {of: count, step: 1}", "aab.", "1 4 ");
  says("duplicates: 300ms", "abaab.a", "1 2 4 5 6 7 ");
  says("duplicates: {for: 300ms, by: track}", "aaaab", "1 4 5 ");
  says("threshold: {of: count, on: 1}", "a.b.", "1 3 ");
  says("threshold: {of: count, label: b, on: 1}", "a.bb", "3 4 ");
}

/* A picture and two objects through stages that hide. */
static void privacy(void **state) {
  heard h;
  whet_err err = {0};
  whet_pipeline *p = open_text(
      "branches:\n  main: {source: app, privacy: [{blur: {label: a, cells: 1, grow: 0}}, {mask: {regions: [{name: r, "
      "points: [[0, 0.9], "
      "[1, 0.9], [1, 1], [0, 1]]}], colour: [9, 8, 7]}}], sinks: [app]}\n  next: {from: main, sinks: [app]}\ndrain: "
      "5s\n",
      &h);
  pl_frame *f = frame_at(p, 1);
  assert_int_equal(pl_frame_picture(f, 100, 100, WHET_PIXEL_BGR, &err), WHET_OK);
  for (int i = 0; i < 30000; i++) f->blob->p[i] = (uint8_t)i;
  pl_blob *blob = f->blob;
  atomic_fetch_add(&blob->ref, 1); /* held here too: drawing must leave it alone */
  object(f, "a", 1, 10, 10, 10);
  object(f, "b", 1, 50, 50, 10);
  pl_frame *seen = pl_frame_copy(f);
  /* run the stages by hand to look at the pixels, then the whole by the queue */
  pl_node *blur = p->branch[0].stage[0], *mask = p->branch[0].stage[1];
  assert_int_equal(mask->kind->run(mask, seen, &err), WHET_OK);
  assert_ptr_not_equal(seen->blob, blob);
  assert_int_equal(blob->p[95 * 300], (uint8_t)(95 * 300));
  assert_true(seen->blob->p[95 * 300] == 7 && seen->blob->p[95 * 300 + 2] == 9 &&
              seen->blob->p[89 * 300] == (uint8_t)(89 * 300));
  assert_int_equal(blur->kind->run(blur, seen, &err), WHET_OK);
  assert_true(!memcmp(seen->blob->p + 10 * 300 + 30, seen->blob->p + 19 * 300 + 57, 3));
  assert_true(memcmp(seen->blob->p + 50 * 300 + 150, seen->blob->p + 59 * 300 + 150, 3));
  pl_frame_free(seen);
  give(p, f);
  pl_blob_drop(&p->pool, &blob);
  h = finish(p, &h);
  free(h.text);

  p = open_text(FROM_APP "  - keep: [time, objects.label, values.x]\nprivacy: [drop_raw]\n", &h);
  f = frame_at(p, 1);
  assert_int_equal(pl_frame_picture(f, 10, 10, WHET_PIXEL_RGB, &err), WHET_OK);
  object(f, "a", 1, 1, 1, 1);
  pl_set_value(f, "x", 1);
  pl_set_value(f, "y", 2);
  give(p, f);
  h = finish(p, &h);
  assert_string_equal(
      h.text, "{\"time\":\"1970-01-01T00:00:00.001000Z\",\"objects\":[{\"label\":\"a\"}],\"values\":{\"x\":1}}\n");
  free(h.text);
}

/* A part of a picture, then the parts of its objects: pixels, places, and what is drawn there. */
static void parts(void **state) {
  heard h;
  whet_err err = {0};
  whet_pipeline *p = open_text(
      FROM_APP "  - crop: [0.2, 0.5, 1, 1]\n  - each: {label: a, grow: 0}\n  - mask: {what: objects}\n", &h);
  (void)state;
  pl_frame *f = frame_at(p, 1);
  assert_int_equal(pl_frame_picture(f, 100, 100, WHET_PIXEL_GRAY, &err), WHET_OK);
  for (int i = 0; i < 10000; i++) f->blob->p[i] = 200;
  object(f, "a", 1, 30, 60, 10);
  object(f, "b", 1, 50, 60, 10);
  object(f, "a", 1, 15, 45, 10); /* half of it is cut off */
  object(f, "a", 1, 0, 0, 10);   /* nothing of it is left */
  pl_node *crop = p->branch[0].stage[0], *mask = p->branch[0].stage[2];
  pl_frame *c = pl_frame_copy(f);
  assert_int_equal(crop->kind->run(crop, c, &err), WHET_OK); /* goes through all stages, too: two events */
  assert_true(c->pic.width == 80 && c->pic.height == 50 && c->crop_x == 20 && c->crop_y == 50 && c->width == 100);
  assert_int_equal(mask->kind->run(mask, c, &err), WHET_OK); /* and one */
  const uint8_t *own = c->pic.data;
  assert_true(own[10 * c->pic.stride + 10] == 0 && own[10 * c->pic.stride + 9] == 200 &&
              own[19 * c->pic.stride + 39] == 0 && own[0] == 0);
  assert_int_equal(f->blob->p[60 * 100 + 30], 200);
  pl_frame_free(c);
  pl_frame_free(f);
  h = finish(p, &h);
  assert_int_equal(h.lines, 3);
  assert_int_equal(times_in(h.text, "\"box\":[30,60,40,70]"), 2);
  assert_int_equal(times_in(h.text, "\"box\":[15,45,25,55]"), 2);
  free(h.text);
}

/* How many clips a folder holds, and how many pictures each has, as a text. */
static void clips(const char *folder, const char *want) {
  char got[200] = "", path[700];
  struct dirent **e;
  int n = scandir(folder, &e, NULL, alphasort);
  assert_true(n >= 0);
  for (int i = 0; i < n; i++) {
    static uint8_t b[1 << 20];
    if (e[i]->d_name[0] != '.') {
      snprintf(path, sizeof path, "%s/%s", folder, e[i]->d_name);
      FILE *f = fopen(path, "rb");
      size_t size = fread(b, 1, sizeof b, f), at = 224, frames = 0;
      fclose(f);
      assert_true(size > 224 && !memcmp(b, "RIFF", 4) && !memcmp(b + 8, "AVI LIST", 8) &&
                  !memcmp(b + 220, "movi", 4));
      assert_int_equal(b[4] | b[5] << 8 | b[6] << 16, size - 8);
      for (; !memcmp(b + at, "00dc", 4); frames++) {
        size_t k = b[at + 4] | (size_t)b[at + 5] << 8;
        assert_true(b[at + 8] == 0xff && b[at + 9] == 0xd8 && b[at + 8 + k - 1] == 0xd9);
        at += 8 + k + (k & 1);
      }
      assert_true(!memcmp(b + at, "idx1", 4) && size - at == 8 + 16 * frames);
      assert_int_equal(b[48], frames);
      sprintf(got + strlen(got), "%zu ", frames);
    }
    free(e[i]);
  }
  free(e);
  assert_string_equal(got, want);
}

/* Frames each 100 ms; it happens at the frames 20 to 22, 40, and at the end. */
static void clip_files(void **state) {
  heard h;
  char text[900];
  whet_err err = {0};
  const char *dir = test_folder();
  (void)state;
  if (strstr(whet_media_left_out(), "jpeg")) skip();
  snprintf(text, sizeof text,
           "source: app\nqueue: {size: 100, full: block}\ndrain: 9s\nsinks: [{clip: {folder: %s/c, before: 500ms, "
           "after: 300ms, rate: 10, most: 2}}, app]\n",
           dir);
  for (int round = 0; round < 2; round++) {
    whet_pipeline *p = open_text(text, &h);
    for (int i = 0; i < (round ? 10 : 61); i++) {
      pl_frame *f = frame_at(p, 100 * (i + 100 * (round + 1)));
      assert_int_equal(pl_frame_picture(f, 32, 16, WHET_PIXEL_RGB, &err), WHET_OK);
      memset(f->blob->p, i, 32 * 16 * 3);
      if (round ? i == 0 : (i >= 20 && i <= 22) || i == 40 || i == 60) object(f, "a", 1, 1, 1, 5);
      give(p, f);
    }
    h = finish(p, &h);
    assert_int_equal(times_in(h.text, "\"file\":\""), round ? 1 : 5);
    free(h.text);
    /* 5 before, those at which it happens, 3 after; the third ends with the pipeline. Then the two newest are left */
    clips(test_join(dir, "c"), round ? "6 4 " : "9 6 ");
  }
}

/* The interface in C: messages in, events out, errors. */
static void pushes(void **state) {
  heard h;
  whet_err err = {0};
  char stats[4000];
  whet_pipeline *p =
      open_text("source: {app: {format: jsonl, fields: [a]}}\nqueue: {full: block}\ndrain: 5s\nsinks: [app]\n", &h);
  for (int i = 0; i < 100; i++) {
    char text[40];
    snprintf(text, sizeof text, "{\"a\": %d}", i);
    assert_int_equal(whet_pipeline_push(p, "main", text, strlen(text), i + 1, &err), WHET_OK);
  }
  assert_int_equal(whet_pipeline_push(p, "main", "\n{\n", 3, 0, &err), WHET_E_DATA);
  assert_non_null(strstr(err.text, "line 2: "));
  assert_int_equal(whet_pipeline_push(p, "other", "{}", 2, 0, &err), WHET_E_NAME);
  assert_int_equal(whet_pipeline_wait(p, 0, &err), WHET_E_DEADLINE);
  whet_pipeline_stop(p);
  assert_int_equal(whet_pipeline_wait(p, 10, &err), WHET_OK);
  assert_int_equal(whet_pipeline_push(p, "main", "{}", 2, 0, &err), WHET_E_MISUSE);
  size_t n = whet_pipeline_stats(p, stats, sizeof stats);
  assert_true(n < sizeof stats && strstr(stats, "\"events\":100"));
  assert_true(whet_pipeline_stats(p, stats, 10) > n / 2); /* figures go on changing: joules, memory */
  assert_int_equal(strlen(stats), 9);
  assert_int_equal(whet_pipeline_start(p, &err), WHET_E_MISUSE);
  whet_pipeline_close(&p);
  whet_pipeline_close(&p);
  assert_int_equal(h.lines, 100);
  free(h.text);
}

/* Messages of many rows from several threads at once do not mix, though the queue makes each wait again and again. */
static void *push_rows(void *arg) {
  whet_pipeline *p = arg;
  static _Atomic int next = 1;
  whet_err err = {0};
  for (int i = 0; i < 50; i++) {
    char text[1000] = "";
    for (int k = 0, who = next++; k < 40; k++) sprintf(text + strlen(text), "%d,%d\n", who, who + k);
    if (whet_pipeline_push(p, "main", text, strlen(text), 1, &err)) return arg;
  }
  return NULL;
}
static void pushes_at_once(void **state) {
  heard h;
  pthread_t t[4];
  void *bad = NULL;
  (void)state;
  whet_pipeline *p = open_text(
      "source: {app: {format: csv}}\nqueue: {size: 1, full: block}\ndrain: 5s\nsinks: [app]\nstages:\n"
      "  - values: {names: [who, row]}\n",
      &h);
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&t[i], NULL, push_rows, p), 0);
  for (int i = 0; i < 4; i++) {
    void *r;
    pthread_join(t[i], &r);
    bad = bad ? bad : r;
  }
  assert_null(bad);
  h = finish(p, &h);
  assert_int_equal(h.lines, 4 * 50 * 40);
  int k = 0, who = 0;
  for (const char *at = h.text; (at = strstr(at, "\"who\":")); at++, k++) {
    int w = atoi(at + 6), row = atoi(strstr(at, "\"row\":") + 6);
    if (k % 40 == 0) who = w;
    if (w != who || row != who + k % 40) fail_msg("row %d: %d, %d", k, w, row);
  }
  free(h.text);
}

/* Rows at half the rate, whatever the pieces; what the filter holds back comes at the item's end, and times are kept.
 */
static void resampled(void **state) {
  (void)state;
  for (int piece = 1; piece < 120; piece = piece * 3 + 4) {
    heard h;
    whet_err err = {0};
    whet_pipeline *p = open_text(
        "source: {app: {format: floats, rate: 100}}\nqueue: {full: block}\ndrain: 5s\nsinks: [app]\nstages:\n  - "
        "resample: 50\n"
        "  - window: {length: 100, hop: 100, rest: pad}\n  - values: {names: [a], of: mean}\n",
        &h);
    float x[1000];
    for (int i = 0; i < 1000; i++) x[i] = 0.5f;
    for (int i = 0; i < 1000; i += piece) {
      int n = 1000 - i < piece ? 1000 - i : piece;
      assert_int_equal(whet_pipeline_push(p, "main", x + i, (size_t)n * sizeof *x, 1 + (int64_t)i * 10000000, &err),
                       WHET_OK);
    }
    h = finish(p, &h);
    assert_int_equal(h.lines, 5);
    size_t k = 0;
    for (const char *at = h.text; (at = strstr(at, "\"a\":")); at++, k++)
      if (k > 1 && k < 3) assert_true(fabs(atof(at + 4) - 0.5) < 1e-4);
    assert_int_equal(times_in(h.text, "1970-01-01T00:00:04.0"), 1); /* the third window */
    free(h.text);
  }
}

/* A window's rows and places, whatever the pieces that they come in. */
static void windows(void **state) {
  for (int piece = 1; piece < 8; piece += 3) {
    heard h;
    whet_err err = {0};
    char text[300];
    snprintf(text, sizeof text,
             "source: {app: {format: floats, rate: 10}}\nqueue: {full: block}\ndrain: 5s\nsinks: [app]\nstages:\n  - "
             "window: {length: 500ms, hop: 3, "
             "before: 1, rest: pad}\n  - anomaly: numbers\n");
    whet_pipeline *p = open_text(text, &h);
    float x[14];
    for (int i = 0; i < 14; i++) x[i] = (float)i + 1;
    for (int i = 0; i < 14; i += piece) {
      int n = 14 - i < piece ? 14 - i : piece;
      assert_int_equal(
          whet_pipeline_push(p, "main", x + i, (size_t)n * 4, INT64_C(1000000000) + i * INT64_C(100000000), &err),
          WHET_OK);
    }
    h = finish(p, &h);
    assert_int_equal(h.lines, 5); /* 0..4, 3..7, 6..10, 9..13, 12..14 and two zeros */
    static const double k_sum[] = {30, 9 + 16 + 25 + 36 + 49, 36 + 49 + 64 + 81 + 100, 81 + 100 + 121 + 144 + 169,
                                   144 + 169 + 196};
    const char *at = h.text;
    for (int i = 0; i < 5; i++) {
      double v = atof(strstr(at, "\"anomaly\":") + 10), from = atof(strstr(at, "\"at\":") + 5),
             to = atof(strstr(at, "\"until\":") + 8);
      if (fabs(v - k_sum[i] / 5) > 1e-9) fail_msg("window %d in pieces of %d: %g", i, piece, v);
      assert_true(fabs(from - 0.3 * i) < 1e-6 && fabs(to - fmin(0.3 * i + 0.4, 1.4)) < 1e-6);
      char time[60];
      snprintf(time, sizeof time, "\"time\":\"1970-01-01T00:00:0%d.%d00000Z\"", 1 + 3 * i / 10, 3 * i % 10);
      if (strncmp(at + 1, time, strlen(time)))
        fail_msg("window %d in pieces of %d: %.60s, expected %s", i, piece, at, time);
      at = strchr(at, '\n') + 1;
    }
    free(h.text);
  }
}

#define SEED(name, bytes) \
  { name, bytes, sizeof(bytes) - 1 }
/* Beginnings for the fuzzer (tests/fuzz/pipeline.c). */
static void corpus(void **state) {
  static const struct {
    const char *name, *bytes;
    size_t n;
  } k[] = {
      SEED("csv",
           "\x08\x06"
           "a,t,b\n1,2,3"),
      SEED("jsonl", "\x07\x0e{\"a\":[1,2],\"b\":[3,4],\"t\":\"2001-01-01T00:00:00Z\"}"),
      SEED("raw",
           "\x04\x05"
           "0123456789ab"),
      SEED("pcm",
           "\x05\x01"
           "0123"),
      SEED("pgm", "\x01\x01P5 2 1 255\nab"),
      SEED("npy", "\x03\x01\x93NUMPY\x01\x00\x3a\x00{'descr':'<f4','fortran_order':False,'shape':(1,)}       \n1234"),
      SEED("file",
           "\x80source: {stdin: csv}\nstages: [{window: 3}, {spectrum: {bands: 2}}, {threshold: 1}]\nsinks: [{send: "
           "{url: '-'}}, stdout]\n"),
      SEED("branches",
           "\x80"
           "branches:\n  a: {source: {app: csv}}\n  b: {from: a, privacy: [drop_raw, {keep: [time]}], sinks: "
           "[app]}\n"),
      SEED("zone",
           "\x80source: app\nstages: [{track: {}}, {zone: {pass: events, zones: [{name: a, points: "
           "[[0,0],[1,0],[1,1]]}]}}]\nsinks: [app]\n")};
  const char *build = getenv("WHET_BUILD");
  (void)state;
  if (!build) skip();
  char path[600];
  snprintf(path, sizeof path, "%s/corpus", build);
  mkdir(path, 0777);
  snprintf(path, sizeof path, "%s/corpus/pipeline", build);
  mkdir(path, 0777);
  for (size_t i = 0; i < EDGE_COUNT(k); i++) test_write(path, k[i].name, k[i].bytes, k[i].n);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(queues_drop),  cmocka_unit_test(queues_block), cmocka_unit_test(queues_lend),
      cmocka_unit_test(frames_share), cmocka_unit_test(times),        cmocka_unit_test(numbers_in_events),
      cmocka_unit_test(spectra),      cmocka_unit_test(tracks),       cmocka_unit_test(zones),
      cmocka_unit_test(filters),      cmocka_unit_test(privacy),      cmocka_unit_test(parts),
      cmocka_unit_test(clip_files),   cmocka_unit_test(pushes),       cmocka_unit_test(pushes_at_once),
      cmocka_unit_test(windows),      cmocka_unit_test(resampled),    cmocka_unit_test(corpus)};
  whet_media_register();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
