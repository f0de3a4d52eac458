/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of edge/pipe, each against what it must give. */

#include "lib/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/pipe/detect.h"
#include "edge/pipe/labels.h"
#include "edge/pipe/picture.h"
#include "edge/pipe/sort.h"
#include "edge/pipe/topk.h"

static void topk_sorts(void **state) {
  float score[200];
  pipe_class got[200];
  uint32_t r = 12345;
  for (size_t n = 0; n < 200; n++)
    for (size_t k = 0; k < 9; k++) {
      for (size_t i = 0; i < n; i++) score[i] = (float)((r = r * 1664525 + 1013904223) >> 28); /* with equal ones */
      if (n > 3) score[3] = NAN;
      size_t m = pipe_topk(score, n, k, got);
      assert_int_equal(m, k < n ? k : n);
      bool taken[200] = {0};
      for (size_t j = 0; j < m; j++) {
        size_t best = n;
        for (size_t i = 0; i < n; i++) {
          if (taken[i] || (isnan(score[i]) && best < n)) continue;
          if (best == n || isnan(score[best]) || score[i] > score[best]) best = i;
        }
        taken[best] = true;
        assert_int_equal(got[j].index, best);
      }
    }
}

/* What is sorted by one half of it. */
typedef struct half {
  uint32_t key, at;
} half;
static int by_key(const void *a, const void *b) {
  uint32_t x = ((const half *)a)->key, y = ((const half *)b)->key;
  return x < y ? -1 : x > y;
}

/* In order, all of them, equal ones as they came, for lists of any length and few or many equal ones. */
static void sort_is_stable(void **state) {
  enum { MOST = 70 };
  half h[2 * MOST];
  uint64_t seed = 5;
  (void)state;
  for (uint32_t n = 0; n <= MOST; n++)
    for (uint32_t keys = 1; keys < 200; keys += 11) {
      uint64_t sum = 0;
      for (uint32_t i = 0; i < n; i++) h[i] = (half){(uint32_t)(edge_draw(&seed) * keys), i};
      if (keys > 100)
        for (uint32_t i = 0; i < n; i++) h[i].key = n - i; /* falls all the way */
      pipe_sort(h, n, sizeof *h, by_key);
      for (uint32_t i = 0; i < n; i++) {
        sum += h[i].at;
        if (i) assert_true(h[i - 1].key < h[i].key || (h[i - 1].key == h[i].key && h[i - 1].at < h[i].at));
      }
      assert_int_equal(sum, (uint64_t)n * (n ? n - 1 : 0) / 2);
    }
}

static void softmax_sums_to_one(void **state) {
  float x[4] = {1000, 1001, 999, -INFINITY};
  pipe_softmax(x, 4);
  assert_true(fabsf(x[0] + x[1] + x[2] - 1) < 1e-6f && x[3] == 0 && fabsf(x[1] / x[0] - 2.7182817f) < 1e-5f);
}

static void floats_of_all_types(void **state) {
  static const float scale[2] = {0.5f, 2};
  static const int32_t zero[2] = {-1, 3};
  int8_t s8[6] = {-128, 0, 127, 1, 2, 3};
  uint16_t f16[3] = {0x3c00, 0xc000, 0x0001};
  float out[6];
  whet_err err = {0};
  pipe_tensor t = {
      .name = "t", .dtype = WHET_S8, .rank = 2, .dims = {3, 2}, .data = s8, .n = 6, .quant = {1, 0, scale, zero}};
  assert_int_equal(pipe_tensor_floats(&t, 0, 6, out, &err), WHET_OK);
  assert_true(out[0] == -63.5f && out[2] == 64);
  t.quant = (whet_quant_info){2, 1, scale, zero};
  assert_int_equal(pipe_tensor_floats(&t, 1, 2, out, &err), WHET_OK);
  assert_true(out[0] == -6 && out[1] == 64); /* 2 * (0 - 3), 0.5 * (127 + 1) */
  assert_int_equal(pipe_tensor_floats(&t, 5, 2, out, &err), WHET_E_SHAPE);
  t = (pipe_tensor){.name = "t", .dtype = WHET_F16, .rank = 1, .dims = {3}, .data = f16, .n = 3};
  assert_int_equal(pipe_tensor_floats(&t, 0, 3, out, &err), WHET_OK);
  assert_true(out[0] == 1 && out[1] == -2 && out[2] == 0x1p-24f);
  t.dtype = WHET_STRING;
  assert_int_equal(pipe_tensor_floats(&t, 0, 3, out, &err), WHET_E_TYPE);
}

/* A grey picture whose rows are 0, 85, 170, 255 into an int8 input, and into floats of free size. */
static void pictures(void **state) {
  static const uint8_t pixel[16] = {0, 0, 0, 0, 85, 85, 85, 85, 170, 170, 170, 170, 255, 255, 255, 255};
  static const float scale = 1 / 255.f;
  static const int32_t zero = -128;
  whet_picture pic = {.size = sizeof pic, .data = pixel, .width = 4, .height = 4, .pixel = WHET_PIXEL_GRAY};
  whet_info info = {.name = "x", .dtype = WHET_S8, .rank = 4, .dims = {-1, 4, 4, 1}, .quant = {1, 0, &scale, &zero}};
  pipe_picture_opts o = {0};
  pipe_picture *p;
  whet_err err = {0};
  int32_t rank;
  int64_t dims[WHET_MAX_RANK];
  size_t bytes;
  int8_t q[16];
  assert_int_equal(pipe_picture_create(&info, false, &o, &p, &err), WHET_OK);
  assert_int_equal(pipe_picture_shape(p, 4, 4, &rank, dims, &bytes, &err), WHET_OK);
  assert_true(rank == 4 && dims[0] == 1 && dims[1] == 4 && bytes == 16);
  assert_int_equal(pipe_picture_run(p, &pic, q, sizeof q, &err), WHET_OK);
  assert_true(q[0] == -128 && q[4] == -43 && q[8] == 42 && q[12] == 127);
  pipe_picture_close(&p);
  info = (whet_info){.name = "x", .dtype = WHET_F32, .rank = 4, .dims = {1, 3, -1, -1}};
  o = (pipe_picture_opts){.ranged = true, .lo = 0, .hi = 1, .n_mean = 1, .mean = {0.5f}, .n_std = 1, .std = {0.5f}};
  float f[3 * 16];
  assert_int_equal(pipe_picture_create(&info, true, &o, &p, &err), WHET_OK);
  assert_int_equal(pipe_picture_run(p, &pic, f, sizeof f, &err), WHET_E_MISUSE);
  assert_int_equal(pipe_picture_shape(p, 4, 4, &rank, dims, &bytes, &err), WHET_OK);
  assert_true(dims[1] == 3 && dims[2] == 4 && bytes == sizeof f);
  assert_int_equal(pipe_picture_run(p, &pic, f, sizeof f, &err), WHET_OK);
  assert_true(f[0] == -1 && fabsf(f[20] + 1 / 3.f) < 1e-6f && f[47] == 1);
  pipe_picture_close(&p);
  o.n_mean = 2;
  assert_int_equal(pipe_picture_create(&info, true, &o, &p, &err), WHET_E_DATA);
  info.rank = 1;
  info.dims[0] = 7;
  assert_int_equal(pipe_picture_create(&info, true, &o, &p, &err), WHET_E_SHAPE);
}

/* The same two objects, one with a lesser double, as each kind of detector tells them. The tensor is 100 x 50, the
 * picture 200 x 100 was squeezed into it. */
static void one_detector(pipe_detect_opts o, const pipe_tensor *t, size_t n) {
  static const whet_prep_place place = {0.5, 0, 0.5, 0};
  pipe_detect *d;
  const pipe_object *got;
  size_t found;
  whet_err err = {0};
  assert_int_equal(pipe_detect_create(&o, &d, &err), WHET_OK);
  assert_int_equal(pipe_detect_run(d, t, n, 100, 50, &place, 200, 100, &got, &found, &err), WHET_OK);
  assert_int_equal(found, 2);
  assert_true(got[0].index == 1 && fabsf(got[0].score - 0.9f) < 1e-6f && fabsf(got[0].x0 - 20) < 1e-3f &&
              fabsf(got[0].y1 - 60) < 1e-3f);
  assert_true(got[1].index == 2 && fabsf(got[1].x1 - 200) < 1e-3f &&
              fabsf(got[1].y0) < 1e-3f); /* cut at the border */
  assert_int_equal(pipe_detect_run(d, t, n - 1, 100, 50, &place, 200, 100, &got, &found, &err), WHET_E_SHAPE);
  pipe_detect_close(&d);
}

static void detectors(void **state) {
  float score[3 * 4] = {0.8f, 0.9f, 0, 0, 0.7f, 0.6f, 0, 0, 0, 0, 0.55f, 0.2f};
  float part[12] = {0.1f, 0.2f, 0.5f, 0.6f, 0.11f, 0.2f, 0.5f, 0.6f, 0.7f, -0.2f, 1.1f, 0.4f};
  pipe_tensor t[4] = {{.name = "s", .dtype = WHET_F32, .rank = 3, .dims = {1, 3, 4}, .data = score, .n = 12},
                      {.name = "b", .dtype = WHET_F32, .rank = 3, .dims = {1, 3, 4}, .data = part, .n = 12}};
  one_detector(pipe_detect_opts_default(PIPE_DETECT_SCORES_BOXES), t, 2);

  float yolo[7 * 9] = {0};
  for (int i = 0; i < 3; i++) {
    yolo[0 * 9 + i] = (part[4 * i] + part[4 * i + 2]) * 50;
    yolo[1 * 9 + i] = (part[4 * i + 1] + part[4 * i + 3]) * 25;
    yolo[2 * 9 + i] = (part[4 * i + 2] - part[4 * i]) * 100;
    yolo[3 * 9 + i] = (part[4 * i + 3] - part[4 * i + 1]) * 50;
    for (int c = 1; c < 3; c++) yolo[(4 + c) * 9 + i] = score[4 * i + c];
  }
  t[0] = (pipe_tensor){.name = "y", .dtype = WHET_F32, .rank = 3, .dims = {1, 7, 9}, .data = yolo, .n = 63};
  one_detector(pipe_detect_opts_default(PIPE_DETECT_YOLO), t, 1);

  float box[12], class[3] = {1, 2, 2}, best[3] = {0.9f, 0.55f, 0.3f}, count = 3;
  static const int from[3] = {0, 2, 1};
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 4; k++) box[4 * i + k] = part[4 * from[i] + (k ^ 1)];
  t[0] = (pipe_tensor){.name = "b", .dtype = WHET_F32, .rank = 3, .dims = {1, 3, 4}, .data = box, .n = 12};
  t[1] = (pipe_tensor){.name = "c", .dtype = WHET_F32, .rank = 2, .dims = {1, 3}, .data = class, .n = 3};
  t[2] = (pipe_tensor){.name = "s", .dtype = WHET_F32, .rank = 2, .dims = {1, 3}, .data = best, .n = 3};
  t[3] = (pipe_tensor){.name = "n", .dtype = WHET_F32, .rank = 1, .dims = {1}, .data = &count, .n = 1};
  one_detector(pipe_detect_opts_default(PIPE_DETECT_SSD), t, 4);

  float six[18];
  for (int i = 0; i < 3; i++) {
    for (int k = 0; k < 4; k++) six[6 * i + k] = part[4 * from[i] + k] * (k & 1 ? 50 : 100);
    six[6 * i + 4] = best[i];
    six[6 * i + 5] = class[i];
  }
  t[0] = (pipe_tensor){.name = "x", .dtype = WHET_F32, .rank = 3, .dims = {1, 3, 6}, .data = six, .n = 18};
  one_detector(pipe_detect_opts_default(PIPE_DETECT_BOXES), t, 1);

  for (int linear = 0; linear < 2; linear++) {
    static const pipe_anchor k_anchor[3] = {
        {0.4f, 0.4f, 0.5f, 0.25f}, {0.3f, 0.5f, 0.1f, 0.2f}, {0.8f, 0.1f, 0.3f, 0.6f}};
    float logit[12], code[15];
    pipe_detect_opts o = pipe_detect_opts_default(PIPE_DETECT_ANCHORS);
    o.background = true;
    o.anchor = k_anchor;
    o.n_anchor = 3;
    o.linear = linear;
    o.sigmoid = true;
    if (linear)
      for (int k = 0; k < 4; k++) o.scale[k] = 128;
    for (int i = 0; i < 12; i++) logit[i] = score[i] > 0 ? -logf(1 / score[i] - 1) : -50;
    for (int i = 0; i < 3; i++) {
      const float *b = part + 4 * i;
      const pipe_anchor *a = &k_anchor[i];
      float x = ((b[0] + b[2]) / 2 - a->x) / a->w, y = ((b[1] + b[3]) / 2 - a->y) / a->h, w = (b[2] - b[0]) / a->w,
            h = (b[3] - b[1]) / a->h;
      const float ssd[4] = {y * 10, x * 10, logf(h) * 5, logf(w) * 5}, line[4] = {x * 128, y * 128, w * 128, h * 128};
      for (int k = 0; k < 4; k++) code[5 * i + k] = linear ? line[k] : ssd[k];
      code[5 * i + 4] = 7; /* more than four numbers may stand there */
    }
    t[0] = (pipe_tensor){.name = "b", .dtype = WHET_F32, .rank = 3, .dims = {1, 3, 5}, .data = code, .n = 15};
    t[1] = (pipe_tensor){.name = "s", .dtype = WHET_F32, .rank = 3, .dims = {1, 3, 4}, .data = logit, .n = 12};
    one_detector(o, t, 2);
  }
  whet_err err = {0};
  pipe_detect *d;
  pipe_detect_opts o = pipe_detect_opts_default(PIPE_DETECT_ANCHORS);
  assert_int_equal(pipe_detect_create(&o, &d, &err), WHET_E_DATA);
}

static void anchors_from_a_file(void **state) {
  static const char k_good[] = "0.5 0.5 1 1\n\n0.25,0.75, 0.1 , 2e-1\n", k_bad[] = "1 2 3 4\n1 2 3\n",
                    k_more[] = "1 2 3 4 5\n";
  const char *dir = test_folder();
  pipe_anchor *a;
  size_t n;
  whet_err err = {0};
  (void)state;
  assert_int_equal(pipe_anchors_read(test_write(dir, "a", k_good, sizeof k_good - 1), &a, &n, &err), WHET_OK);
  assert_true(n == 2 && a[1].x == 0.25f && a[1].y == 0.75f && a[1].w == 0.1f && a[1].h == 0.2f);
  free(a);
  assert_int_equal(pipe_anchors_read(test_write(dir, "a", k_bad, sizeof k_bad - 1), &a, &n, &err), WHET_E_DATA);
  assert_non_null(strstr(err.text, "a:2: expected four numbers"));
  assert_int_equal(pipe_anchors_read(test_write(dir, "a", k_more, sizeof k_more - 1), &a, &n, &err), WHET_E_DATA);
  assert_int_equal(pipe_anchors_read(test_write(dir, "a", "\n", 1), &a, &n, &err), WHET_E_DATA);
  assert_int_equal(pipe_anchors_read("/no/such", &a, &n, &err), WHET_E_IO);
}

static void labels(void **state) {
  char path[] = "/tmp/whet_labels_XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0 && write(fd, "cat\r\ndog\nbird", 13) == 13);
  pipe_labels l;
  whet_err err = {0};
  assert_int_equal(pipe_labels_open(path, &l, &err), WHET_OK);
  assert_int_equal(l.n, 3);
  assert_string_equal(pipe_label(&l, 0), "cat");
  assert_string_equal(pipe_label(&l, 2), "bird");
  assert_null(pipe_label(&l, 3));
  pipe_labels_close(&l);
  assert_true(write(fd, "\0", 1) == 1);
  assert_int_equal(pipe_labels_open(path, &l, &err), WHET_E_DATA);
  close(fd);
  unlink(path);
  assert_int_equal(pipe_labels_open(path, &l, &err), WHET_E_IO);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(topk_sorts),          cmocka_unit_test(sort_is_stable), cmocka_unit_test(softmax_sums_to_one),
      cmocka_unit_test(floats_of_all_types), cmocka_unit_test(pictures),       cmocka_unit_test(detectors),
      cmocka_unit_test(anchors_from_a_file), cmocka_unit_test(labels)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
