/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes painted, or made unrecognisable. */

#include "edge/pipe/draw.h"

int pipe_pixel_bytes(whet_pixel p) {
  switch (p) {
    case WHET_PIXEL_GRAY:
      return 1;
    case WHET_PIXEL_GRAYA:
      return 2;
    case WHET_PIXEL_RGBA:
    case WHET_PIXEL_BGRA:
      return 4;
    default:
      return 3;
  }
}

pipe_box pipe_box_within(const whet_picture *p, pipe_box b) {
  if (b.x0 < 0) b.x0 = 0;
  if (b.y0 < 0) b.y0 = 0;
  if (b.x1 > p->width) b.x1 = p->width;
  if (b.y1 > p->height) b.y1 = p->height;
  return b;
}

uint8_t *pipe_pixel_at(const whet_picture *p, int32_t x, int32_t y) {
  return (uint8_t *)(uintptr_t)p->data + y * p->stride + (ptrdiff_t)x * pipe_pixel_bytes(p->pixel);
}

void pipe_paint(whet_picture *p, pipe_box b, const uint8_t colour[3]) {
  int n = pipe_pixel_bytes(p->pixel), c = n == 2 ? 1 : n > 3 ? 3 : n;
  bool bgr = p->pixel == WHET_PIXEL_BGR || p->pixel == WHET_PIXEL_BGRA;
  b = pipe_box_within(p, b);
  for (int32_t y = b.y0; y < b.y1; y++)
    for (int32_t x = b.x0; x < b.x1; x++)
      for (int k = 0; k < c; k++)
        pipe_pixel_at(p, x, y)[k] = c == 1 ? (uint8_t)((colour[0] * 299 + colour[1] * 587 + colour[2] * 114) / 1000)
                                : colour[bgr ? 2 - k : k];
}

void pipe_mosaic(whet_picture *p, pipe_box b, int cells) {
  int n = pipe_pixel_bytes(p->pixel);
  b = pipe_box_within(p, b);
  int32_t w = b.x1 - b.x0, h = b.y1 - b.y0;
  if (w <= 0 || h <= 0) return;
  int32_t nx = w < cells ? w : cells, ny = h < cells ? h : cells;
  for (int32_t cy = 0; cy < ny; cy++)
    for (int32_t cx = 0; cx < nx; cx++) {
      int32_t x0 = b.x0 + cx * w / nx, x1 = b.x0 + (cx + 1) * w / nx, y0 = b.y0 + cy * h / ny,
              y1 = b.y0 + (cy + 1) * h / ny;
      uint64_t sum[4] = {0}, count = (uint64_t)(x1 - x0) * (uint64_t)(y1 - y0);
      for (int32_t y = y0; y < y1; y++)
        for (int32_t x = x0; x < x1; x++)
          for (int k = 0; k < n; k++) sum[k] += pipe_pixel_at(p, x, y)[k];
      for (int32_t y = y0; y < y1; y++)
        for (int32_t x = x0; x < x1; x++)
          for (int k = 0; k < n; k++) pipe_pixel_at(p, x, y)[k] = (uint8_t)(sum[k] / count);
    }
}
