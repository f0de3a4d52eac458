/* SPDX-License-Identifier: Apache-2.0 */
/* Family convpool_f32: rows of the convolution into a buffer, windows of it into the output. */

#include "kern/convpool_f32.h"

/* Rows of the convolution that m rows of the output look at, at most. */
static int64_t rows_of(const whet_convpool_f32 *p, int64_t m) {
  return whet__min_i((m - 1) * p->pool.stride[1] + p->pool.kernel[1], p->conv.dim[1].out);
}

static int64_t row_floats(const whet_convpool_f32 *p) { return p->conv.dim[2].out * p->conv.oc; }

void whet__convpool_set_rows(whet_convpool_f32 *p) {
  int64_t room = ((int64_t)p->conv.l2_kb << 10) / 4 / 4; /* floats: a quarter of the second cache */
  p->rows = 1;
  while (p->rows < p->pool.out[1] && rows_of(p, p->rows + 1) * row_floats(p) <= room) p->rows++;
}

/* Bytes of the rows between convolution and windows. */
static size_t buffer_bytes(const whet_convpool_f32 *p) {
  return whet__round_up((size_t)(rows_of(p, p->rows) * row_floats(p)) * sizeof(float) + WHET_SLACK, 128);
}

/* Scratch of the convolution of some rows, however many. */
static size_t conv_scratch(const whet_convpool_f32 *p, const whet_kern *conv) {
  whet_conv_f32 c = p->conv;
  size_t most = 0;
  c.batch = 1;
  for (c.dim[1].out = rows_of(p, p->rows); c.dim[1].out > 0; c.dim[1].out--) {
    size_t n = conv->scratch(&c);
    if (n > most) most = n;
  }
  return whet__round_up(most, 128);
}

size_t whet__convpool_f32_scratch(const whet_convpool_f32 *p, const whet_kern *conv) {
  return buffer_bytes(p) + conv_scratch(p, conv);
}

/* Rows y0..y1 of the convolution of image `in` to `out`. */
static void convolve(const whet_convpool_f32 *p, const float *in, const void *weights, float *out, int64_t y0,
                     int64_t y1, void *scratch, const whet_kern *conv) {
  whet_conv_f32 c = p->conv;
  void *ptr[5] = {(void *)in, out, (void *)weights, NULL, scratch};
  if (y0 >= y1) return;
  c.batch = 1;
  c.dim[1].out = y1 - y0;
  c.dim[1].pad -= y0 * c.dim[1].stride;
  c.dim[1].out_step = row_floats(p);
  c.dim[2].out_step = c.oc;
  conv->run(&c, ptr, 0, 1);
}

void whet__convpool_f32(const void *params, void *const *ptr, int part, int parts, const whet_kern *conv, const whet_kern *pool) {
  const whet_convpool_f32 *p = params;
  char *room = ptr[4];
  float *buffer = (float *)(void *)room;
  void *scratch = room + buffer_bytes(p); /* last, so that its size need not be known here */
  int64_t line = row_floats(p), tall = p->pool.out[1], from, to, m;
  int64_t b0 = 0, b1 = 0; /* rows of the convolution that the buffer holds */
  whet__split(p->conv.batch * tall, part, parts, &from, &to);
  for (int64_t at = from; at < to; at += m) {
    int64_t image = at / tall, o = at % tall, start = o * p->pool.stride[1] - p->pool.pad[1];
    m = whet__min_i(whet__min_i(p->rows, tall - o), to - at);
    int64_t y0 = whet__clamp_i(start, 0, p->conv.dim[1].out);
    int64_t y1 = whet__clamp_i(start + (m - 1) * p->pool.stride[1] + p->pool.kernel[1], y0, p->conv.dim[1].out);
    if (at == from || o == 0 || b1 < y0) b0 = b1 = y0;
    /* Rows that the windows before have looked at too are there already. */
    if (b1 > y0 && y0 > b0) memmove(buffer, buffer + (y0 - b0) * line, (size_t)((b1 - y0) * line) * sizeof *buffer);
    convolve(p, (const float *)ptr[0] + image * p->conv.in_batch, ptr[2], buffer + (b1 - y0) * line, b1, y1, scratch,
             conv);
    b0 = y0;
    b1 = y1;
    whet_pool_f32 q = p->pool;
    q.batch = 1;
    q.in[1] = y1 - y0 - WHET_BUG(y1 - y0 > 1);
    q.out[1] = m;
    q.pad[1] = y0 - start;
    q.x_pitch = p->conv.oc;
    void *windows[3] = {buffer, (float *)ptr[1] + at * p->pool.out[2] * p->pool.y_pitch, NULL};
    pool->run(&q, windows, 0, 1);
  }
}
