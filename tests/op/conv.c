/* SPDX-License-Identifier: Apache-2.0 */
/* Conv and ConvTranspose: planned runs against references, the same bytes; what must be refused. */

#include "op/conv.h"

#include <math.h>
#include <stdio.h>

#include "lib/draw.h"
#include "lib/opcheck.h"
#include "op/batchnorm.h"
#include "op/move_attr.h"
#include "op/pool.h"

/* Sizes of a case, drawn from its number. */
typedef struct conv_case {
  whet_conv_attr a;
  int64_t list[5][6]; /* strides, dilations, pads, output padding, output shape */
  int64_t x[5], w[5], channels;
  int32_t rank;
} conv_case;

/* Where channels and positions stand in a tensor of the case. */
static int chan(const conv_case *c) { return c->a.last ? c->rank - 1 : 1; }

static void draw_case(draw *d, bool transposed, conv_case *c) {
  static const uint8_t forms[2][3] = {{WHET_CONV_OIS, WHET_CONV_OSI, WHET_CONV_1SO},
                                      {WHET_CONV_IOS, WHET_CONV_OSI, WHET_CONV_SOI}};
  *c = (conv_case){.rank = (int32_t)range(d, 3, 5)};
  int32_t n = c->rank - 2;
  c->a.last = (uint8_t)range(d, 0, 1);
  c->a.weights = forms[transposed][range(d, 0, 2)];
  int64_t groups = range(d, 0, 2) ? 1 : range(d, 2, 8), ic = range(d, 1, 9), oc = range(d, 1, 20);
  if (transposed && c->a.weights != WHET_CONV_IOS) groups = 1;
  if (c->a.weights == WHET_CONV_1SO) groups = range(d, 2, 20), ic = 1, oc = range(d, 1, 3);
  c->a.group = groups;
  c->channels = groups * oc;
  int32_t s = c->a.weights == WHET_CONV_OSI || c->a.weights == WHET_CONV_1SO ? 1
              : c->a.weights == WHET_CONV_SOI                                ? 0
                                                                             : 2;
  c->x[0] = range(d, 1, 2);
  c->x[chan(c)] = groups * ic;
  for (int32_t i = 0; i < n; i++) {
    int64_t kernel = range(d, 1, 4), stride = range(d, 1, 3), dilation = range(d, 1, 2),
            reach = (kernel - 1) * dilation + 1;
    c->w[s + i] = kernel;
    c->list[0][i] = stride;
    c->list[1][i] = dilation;
    c->list[2][i] = range(d, 0, 2);
    c->list[2][n + i] = range(d, 0, 2);
    c->list[3][i] = range(d, 0, stride - 1);
    c->x[i + (c->a.last ? 1 : 2)] = reach + range(d, 0, transposed ? 3 : 9);
    if (transposed && (c->x[i + (c->a.last ? 1 : 2)] - 1) * stride + reach <= 4)
      c->list[2][i] = c->list[2][n + i] = 0;
    c->list[4][i] = (c->x[i + (c->a.last ? 1 : 2)] - 1) * stride + reach - range(d, 0, 1);
  }
  switch (c->a.weights) {
    case WHET_CONV_OIS:
      c->w[0] = groups * oc, c->w[1] = ic;
      break;
    case WHET_CONV_OSI:
      c->w[0] = groups * oc, c->w[n + 1] = ic;
      break;
    case WHET_CONV_1SO:
      c->w[0] = 1, c->w[n + 1] = groups * oc;
      break;
    case WHET_CONV_IOS:
      c->w[0] = groups * ic, c->w[1] = oc;
      break;
    default:
      c->w[n] = groups * oc, c->w[n + 1] = ic;
      break;
  }
  c->a.strides = (whet_ints){c->list[0], n};
  c->a.dilations = (whet_ints){c->list[1], n};
  c->a.pad_mode = (uint8_t)range(d, 0, 3);
  if (c->a.pad_mode == WHET_CONV_PADS) c->a.pads = (whet_ints){c->list[2], 2 * n};
  if (transposed && range(d, 0, 1)) c->a.out_pad = (whet_ints){c->list[3], n};
  if (transposed && c->a.pad_mode == WHET_CONV_PADS && range(d, 0, 1)) c->a.out_shape = (whet_ints){c->list[4], n};
}

/* A node with a random case; some are followed by what their epilogues take in. */
static void run_case(uint64_t seed, const char *op, whet_dtype t) {
  draw d = {seed, 0};
  conv_case k;
  opcheck c;
  char what[64];
  draw_case(&d, !strcmp(op, "ConvTranspose"), &k);
  snprintf(what, sizeof what, "%s case %d", op, (int)seed);
  opcheck_begin(&c, what);
  c.seed += seed;
  c.floats_exact = true;
  int32_t in[3], y;
  in[0] = opcheck_input(&c, t, k.rank, k.x);
  in[1] = range(&d, 0, 4) ? opcheck_const(&c, t, k.rank, k.w, NULL) : opcheck_input(&c, t, k.rank, k.w);
  in[2] = range(&d, 0, 3) ? opcheck_const(&c, t, 1, &k.channels, NULL) : -1;
  y = opcheck_node(&c, op, &k.a, 3, in);
  if (range(&d, 0, 1)) y = opcheck_node(&c, "Relu", NULL, 1, &y);
  if (range(&d, 0, 2) == 0) {
    int32_t two[2] = {y, opcheck_node(&c, op, &k.a, 3, in)};
    y = opcheck_node(&c, range(&d, 0, 1) ? "Add" : "Mul", NULL, 2, two);
  }
  opcheck_output(&c, y);
  opcheck_run(&c, 0);
}

static void conv_f32(void **state) {
  for (uint64_t i = 0; i < 60; i++) run_case(i, "Conv", WHET_F32);
}
static void transposed_f32(void **state) {
  for (uint64_t i = 0; i < 60; i++) run_case(100 + i, "ConvTranspose", WHET_F32);
}
static void other_floats(void **state) {
  for (uint64_t i = 0; i < 6; i++) {
    run_case(200 + i, "Conv", i % 3 == 0 ? WHET_F16 : i % 3 == 1 ? WHET_BF16 : WHET_F64);
    run_case(300 + i, "ConvTranspose", i % 3 == 0 ? WHET_F16 : i % 3 == 1 ? WHET_BF16 : WHET_F64);
  }
}

/* Kernels wider than the input, kernels of one row, pictures of one pixel. */
static void rims(void **state) {
  static const struct {
    int64_t size, kernel, pad;
  } k[] = {{1, 1, 0}, {1, 3, 1}, {2, 5, 2}, {3, 7, 3}, {40, 31, 15}, {5, 9, 4}};
  for (size_t i = 0; i < WHET_COUNT(k); i++) {
    opcheck c;
    int64_t pads[2] = {k[i].pad, k[i].pad}, group = 1;
    for (; group <= 16; group *= 16) {
      whet_conv_attr a = {.pads = {pads, 2}, .group = group, .last = 1};
      opcheck_begin(&c, "rims");
      c.floats_exact = true;
      int32_t in[2] = {opcheck_input(&c, WHET_F32, 3, (int64_t[]){1, k[i].size, 16}),
                       opcheck_const(&c, WHET_F32, 3, (int64_t[]){16, 16 / group, k[i].kernel}, NULL)};
      opcheck_output(&c, opcheck_node(&c, "Conv", &a, 2, in));
      opcheck_run(&c, 0);
    }
  }
}

/* Convolutions large enough for Winograd's filtering, with what its epilogue takes in. */
static void winograd(void **state) {
  static const int64_t size[][4] = {{13, 11, 24, 40}, {7, 7, 96, 64}, {30, 6, 16, 70}};
  for (size_t i = 0; i < WHET_COUNT(size); i++) {
    opcheck c;
    int64_t pads[4] = {1, 1, 1, 1};
    whet_conv_attr a = {.pads = {pads, 4}, .group = 1, .last = 1};
    opcheck_begin(&c, "winograd");
    int32_t in[3] = {opcheck_input(&c, WHET_F32, 4, (int64_t[]){2, size[i][0], size[i][1], size[i][2]}),
                     opcheck_const(&c, WHET_F32, 4, (int64_t[]){size[i][3], size[i][2], 3, 3}, NULL),
                     opcheck_const(&c, WHET_F32, 1, &size[i][3], NULL)};
    int32_t y = opcheck_node(&c, "Conv", &a, 3, in);
    y = opcheck_node(&c, i == 1 ? "Sigmoid" : "Relu", NULL, 1, &y);
    int32_t two[2] = {opcheck_node(&c, "Conv", &a, 3, in), y};
    y = opcheck_node(&c, i == 2 ? "Mul" : "Add", NULL, 2, two);
    opcheck_output(&c, opcheck_node(&c, "Relu", NULL, 1, &y));
    opcheck_run(&c, 2e-6);
  }
}

/* A result that is split, joined again with what was made of a part, and pooled: nothing of it is copied. */
static void parts(void **state) {
  for (int64_t width = 4; width <= 16; width += 12) { /* short and long rows of channels */
    opcheck c;
    int64_t two = 2 * width, pads[4] = {1, 1, 1, 1}, kernel[2] = {3, 3};
    whet_conv_attr a = {.pads = {pads, 4}, .group = 1, .last = 1};
    whet_pool_attr pool = {.kernel = {kernel, 2}, .pads = {pads, 4}, .last = 1};
    whet_split split = {.axis = 3};
    whet_concat concat = {.axis = -1};
    opcheck_begin(&c, "parts");
    int32_t in[2] = {opcheck_input(&c, WHET_F32, 4, (int64_t[]){1, 9, 7, 5}),
                     opcheck_const(&c, WHET_F32, 4, (int64_t[]){two, 5, 3, 3}, NULL)};
    int32_t x = opcheck_node(&c, "Conv", &a, 2, in);
    x = opcheck_node(&c, "Sigmoid", NULL, 1, &x);
    int32_t part = opcheck_nodes(&c, "Split", &split, 1, &x, 2);
    int32_t again[2] = {part + 1, opcheck_const(&c, WHET_F32, 4, (int64_t[]){width, width, 3, 3}, NULL)};
    int32_t sum[2] = {opcheck_node(&c, "Conv", &a, 2, again), part + 1};
    int32_t all[4] = {part, part + 1, opcheck_node(&c, "Add", NULL, 2, sum), -1};
    all[3] = opcheck_node(&c, "MaxPool", &pool, 1, &all[2]);
    int32_t y[2] = {opcheck_node(&c, "Concat", &concat, 4, all),
                    opcheck_const(&c, WHET_F32, 4, (int64_t[]){3, 4 * width, 3, 3}, NULL)};
    opcheck_output(&c, opcheck_node(&c, "Conv", &a, 2, y));
    int32_t back = opcheck_node(&c, "Concat", &concat, 2, (int32_t[]){part, part + 1});
    opcheck_output(&c, opcheck_node(&c, "Relu", NULL, 1, &back));
    opcheck_run(&c, 2e-6);
  }
}

/* Factors and terms for each channel after a product, which passes move into its weights. */
static void affine(void **state) {
  for (uint64_t i = 0; i < 40; i++) {
    draw d = {400 + i, 0};
    conv_case k;
    opcheck c;
    bool transposed = range(&d, 0, 1);
    draw_case(&d, transposed, &k);
    opcheck_begin(&c, "affine");
    c.seed += i;
    int32_t in[2] = {opcheck_input(&c, WHET_F32, k.rank, k.x), opcheck_const(&c, WHET_F32, k.rank, k.w, NULL)};
    int32_t y = opcheck_node(&c, transposed ? "ConvTranspose" : "Conv", &k.a, 2, in);
    int64_t dims[WHET_MAX_RANK] = {k.channels, 1, 1, 1};
    int32_t rank = k.a.last ? 1 : k.rank - 1;
    for (int64_t n = range(&d, 1, 3); n > 0; n--) {
      static const char *const ops[] = {"Mul", "Add", "Sub"};
      int64_t kind = range(&d, 0, 3), one = 1;
      if (kind == 3) {
        whet_batchnorm_attr b = {.epsilon = 1e-3f, .last = k.a.last};
        int32_t p[5] = {y};
        for (int j = 1; j < 5; j++) {
          c.lo = j == 4 ? 0.5 : -1, c.hi = 1;
          p[j] = opcheck_const(&c, WHET_F32, 1, &k.channels, NULL);
        }
        c.lo = c.hi = 0;
        y = opcheck_node(&c, "BatchNormalization", &b, 5, p);
        continue;
      }
      int32_t two[2] = {y, range(&d, 0, 2) ? opcheck_const(&c, WHET_F32, rank, dims, NULL)
                                           : opcheck_const(&c, WHET_F32, 1, &one, NULL)};
      y = opcheck_node(&c, ops[kind], NULL, 2, two);
    }
    opcheck_output(&c, y);
    opcheck_run(&c, 1e-5);
  }
}

/* A computed factor for each channel before a convolution, which scales the weights instead; not for several images, groups, or
 * many weights. */
static void gates(void **state) {
  for (uint64_t i = 0; i < 20; i++) {
    draw d = {500 + i, 0};
    conv_case k;
    opcheck c;
    draw_case(&d, false, &k);
    bool fits = k.a.group == 1 && k.a.weights == (k.a.last ? WHET_CONV_OSI : WHET_CONV_OIS), large = range(&d, 0, 3) > 0;
    int64_t weights = 1, ch = chan(&k), s[5] = {1, 1, 1, 1, 1};
    for (int32_t j = 0; j < k.rank; j++) weights *= k.w[j];
    if (large) k.x[k.rank - 1 - k.a.last] = weights * 8 / k.x[ch] + 8;
    if (range(&d, 0, 3)) k.x[0] = 1;
    s[0] = k.x[0];
    s[ch] = k.x[ch];
    opcheck_begin(&c, "gates");
    c.seed += i;
    int32_t in[2] = {opcheck_input(&c, WHET_F32, k.rank, k.x), opcheck_input(&c, WHET_F32, k.rank, s)};
    in[1] = opcheck_node(&c, "Sigmoid", NULL, 1, &in[1]);
    if (range(&d, 0, 1)) in[0] ^= in[1], in[1] ^= in[0], in[0] ^= in[1];
    in[0] = opcheck_node(&c, "Mul", NULL, 2, in);
    in[1] = opcheck_const(&c, WHET_F32, k.rank, k.w, NULL);
    if (fits && large && k.x[0] == 1 && k.a.last) c.reads = "Conv";
    opcheck_output(&c, opcheck_node(&c, "Conv", &k.a, 2, in));
    opcheck_run(&c, 1e-5);
  }
}

/* One factor and one term for a picture before a convolution, in the ways that files write them. */
static void rescale(void **state) {
  for (uint64_t i = 0; i < 24; i++) {
    draw d = {600 + i, 0};
    conv_case k;
    opcheck c;
    draw_case(&d, false, &k);
    bool fits = k.a.group == 1 && k.a.weights != WHET_CONV_1SO, small = range(&d, 0, 3) > 0;
    float factor = 0.5f + (float)range(&d, 0, 100) / 64, term = (float)range(&d, -100, 100) / (small ? 101 : 10);
    int64_t one = 1;
    opcheck_begin(&c, "rescale");
    c.seed += i;
    int32_t x = opcheck_input(&c, WHET_F32, k.rank, k.x), w = opcheck_const(&c, WHET_F32, k.rank, k.w, NULL);
    int32_t by = opcheck_const(&c, WHET_F32, 1, &one, &factor), and = opcheck_const(&c, WHET_F32, 0, NULL, &term), y = x;
    const int64_t first = range(&d, 0, 2); /* the factor, the term, or the factor alone */
    for (int64_t j = 0; j < (first == 2 ? 1 : 2); j++) {
      if ((j == 0) == (first != 1))
        y = opcheck_node(&c, range(&d, 0, 1) ? "Div" : "Mul", NULL, 2, (int32_t[]){y, by});
      else
        y = range(&d, 0, 1) ? opcheck_node(&c, "Add", NULL, 2, (int32_t[]){and, y}) : opcheck_node(&c, "Sub", NULL, 2, (int32_t[]){y, and});
    }
    if (fits && k.a.last && (small || first == 2) && !(first == 1 && fabsf(term) > 0.3f)) c.reads = "Conv";
    y = opcheck_node(&c, "Conv", &k.a, 2, (int32_t[]){y, w});
    if (range(&d, 0, 1)) y = opcheck_node(&c, "Relu", NULL, 1, &y);
    opcheck_output(&c, y);
    opcheck_run(&c, 1e-5);
  }
}

/* Models that do not fit together. */
static void refused(void **state) {
  static const int64_t bad_stride[2] = {0, 1}, one[1] = {1}, huge[2] = {INT64_MAX, INT64_MAX};
  const struct {
    whet_conv_attr a;
    int64_t w[4];
    whet_status s;
  } k[] = {
      {{.group = 1}, {4, 5, 3, 3}, WHET_E_SHAPE},                             /* input channels */
      {{.group = 3}, {4, 1, 3, 3}, WHET_E_SHAPE},                             /* outputs in groups */
      {{.group = 1}, {4, 6, 9, 3}, WHET_E_SHAPE},                             /* kernel too large */
      {{.group = 1, .strides = {bad_stride, 2}}, {4, 6, 3, 3}, WHET_E_SHAPE}, /* stride 0 */
      {{.group = 1, .strides = {one, 1}}, {4, 6, 3, 3}, WHET_E_SHAPE},        /* one stride for two dimensions */
      {{.group = 1, .dilations = {huge, 2}}, {4, 6, 3, 3}, WHET_E_SHAPE},     /* overflow */
      {{.group = 1, .kernel = {bad_stride, 2}}, {4, 6, 3, 3}, WHET_E_SHAPE},  /* kernel_shape is another */
  };
  for (size_t i = 0; i < WHET_COUNT(k); i++) {
    opcheck c;
    opcheck_begin(&c, "refused");
    int32_t in[2] = {opcheck_input(&c, WHET_F32, 4, (int64_t[]){1, 6, 8, 8}),
                     opcheck_const(&c, WHET_F32, 4, k[i].w, NULL)};
    opcheck_output(&c, opcheck_node(&c, "Conv", &k[i].a, 2, in));
    opcheck_refused(&c, k[i].s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(conv_f32),     cmocka_unit_test(transposed_f32),
                                     cmocka_unit_test(other_floats), cmocka_unit_test(rims),
                                     cmocka_unit_test(winograd),     cmocka_unit_test(parts),
                                     cmocka_unit_test(affine),       cmocka_unit_test(gates),
                                     cmocka_unit_test(rescale),
                                     cmocka_unit_test(refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
