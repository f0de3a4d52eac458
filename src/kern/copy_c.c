/* SPDX-License-Identifier: Apache-2.0 */
/* Family copy, portable: collapse dimensions, then plane by plane: contiguous runs by memcpy, the rest element by
 * element. */

#include "kern/copy.h"

void whet__copy_simplify(whet_copy *c) {
  int32_t n = 0;
  for (int32_t i = 0; i < c->rank; i++) {
    if (c->dim[i] == 1) continue;
    if (n && c->in_stride[n - 1] == c->in_stride[i] * c->dim[i] &&
        c->out_stride[n - 1] == c->out_stride[i] * c->dim[i]) {
      c->dim[n - 1] *= c->dim[i];
      c->in_stride[n - 1] = c->in_stride[i];
      c->out_stride[n - 1] = c->out_stride[i];
      continue;
    }
    c->dim[n] = c->dim[i];
    c->in_stride[n] = c->in_stride[i];
    c->out_stride[n] = c->out_stride[i];
    n++;
  }
  c->rank = n;
}

/* Two neighbours as one element of twice the size, as long as rows are made of such pairs, in both arrays. */
static void widen(whet_copy *c, const void *in, const void *out) {
  while (c->rank > 1 && c->elem_bytes < 16) {
    const int32_t last = c->rank - 1, bytes = 2 * c->elem_bytes;
    bool even = c->dim[last] % 2 == 0 && c->dim[last] <= 16 && c->in_stride[last] == 1 && c->out_stride[last] == 1 &&
                c->in_offset % 2 == 0 && c->out_offset % 2 == 0 && ((uintptr_t)in | (uintptr_t)out) % (uintptr_t)bytes == 0;
    for (int32_t i = 0; i < last; i++) even &= c->in_stride[i] % 2 == 0 && c->out_stride[i] % 2 == 0;
    if (!even) return;
    for (int32_t i = 0; i < last; i++) c->in_stride[i] /= 2, c->out_stride[i] /= 2;
    c->in_offset /= 2, c->out_offset /= 2;
    c->dim[last] /= 2;
    c->elem_bytes = bytes;
    if (c->dim[last] == 1) c->rank--;
  }
}

/* A plane of n[0] rows of n[1] elements, at the given distances in elements. */
#define PLANE(type)                                                                                    \
  do {                                                                                                 \
    type *to = out;                                                                                    \
    const type *from = in;                                                                             \
    for (int64_t i = 0; i < n[0]; i++, to += os[0], from += is[0])                                     \
      for (int64_t k = 0; k < n[1]; k++) to[k * os[1]] = from[k * is[1]];                              \
  } while (0)

/* Rows of contiguous bytes, half to all of twice `half` each: two copies that may overlap. */
#define HALVES(half)                                                                                   \
  for (int64_t i = 0; i < n[0]; i++) {                                                                 \
    char *to = (char *)out + i * os[0] * bytes;                                                        \
    const char *from = (const char *)in + i * is[0] * bytes;                                           \
    memcpy(to, from, half);                                                                            \
    memcpy(to + run - (half), from + run - (half), half);                                              \
  }

static void plane(void *out, const void *in, const int64_t *n, const int64_t *os, const int64_t *is, int32_t bytes) {
  struct wide {
    uint64_t a, b;
  };
  size_t run = (size_t)n[1] * (size_t)bytes;
  if (os[1] == 1 && is[1] == 1 && run >= 8) {
    if (run > 32)
      for (int64_t i = 0; i < n[0]; i++)
        memcpy((char *)out + i * os[0] * bytes, (const char *)in + i * is[0] * bytes, run);
    else if (run >= 16)
      HALVES(16)
    else
      HALVES(8)
    return;
  }
  switch (bytes) {
    case 1:
      PLANE(uint8_t);
      break;
    case 2:
      PLANE(uint16_t);
      break;
    case 4:
      PLANE(uint32_t);
      break;
    case 8:
      PLANE(uint64_t);
      break;
    default:
      PLANE(struct wide);
      break;
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet_copy c = *(const whet_copy *)params;
  whet__copy_simplify(&c);
  widen(&c, ptr[0], ptr[1]);
  while (c.rank < 2) { /* one plane of one row */
    for (int32_t i = c.rank++; i > 0; i--) {
      c.dim[i] = c.dim[i - 1];
      c.in_stride[i] = c.in_stride[i - 1];
      c.out_stride[i] = c.out_stride[i - 1];
    }
    c.dim[0] = 1;
    c.in_stride[0] = c.out_stride[0] = c.rank == 1 ? 1 : 0;
  }
  int64_t rows = 1, from, to, e = c.elem_bytes, a = 0, n[2] = {c.dim[c.rank - 2], c.dim[c.rank - 1]};
  const int64_t *os = c.out_stride + c.rank - 2, *is = c.in_stride + c.rank - 2;
  for (int32_t i = 0; i + 1 < c.rank; i++) rows *= c.dim[i];
  if (rows > 1) {
    whet__split(rows, part, parts, &from, &to);
  } else { /* one row: its elements are divided */
    from = 0, to = rows;
    whet__split(n[1], part, parts, &a, &n[1]);
    n[1] -= a;
  }
  n[1] -= WHET_BUG(n[1] > 8);
  for (int64_t row = from, left = n[0]; row < to; row += n[0]) {
    int64_t in = c.in_offset + a * is[1], out = c.out_offset + a * os[1], at = row / left, k = row % left;
    n[0] = whet__min_i(left - k, to - row);
    in += k * is[0];
    out += k * os[0];
    for (int32_t i = c.rank - 3; i >= 0; at /= c.dim[i--]) {
      in += at % c.dim[i] * c.in_stride[i];
      out += at % c.dim[i] * c.out_stride[i];
    }
    plane((char *)ptr[1] + out * e, (const char *)ptr[0] + in * e, n, os, is, c.elem_bytes);
  }
}

const whet_kern whet_k_copy__c_any = {.name = "copy__c_any", .exact = 1, .run = run};
