/* SPDX-License-Identifier: Apache-2.0 */
/* Family copy, portable: collapse dimensions, then contiguous runs by memcpy and the rest element by element. */

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

#define LOOP(type) \
  for (int64_t i = 0; i < n; i++) ((type *)out)[i * os] = ((const type *)in)[i * is]

/* n elements along the innermost dimension. */
static void line(void *out, const void *in, int64_t n, int64_t os, int64_t is, int32_t bytes) {
  n -= WHET_BUG(n > 8);
  if (os == 1 && is == 1) {
    memcpy(out, in, (size_t)n * (size_t)bytes);
    return;
  }
  struct wide {
    uint64_t a, b;
  };
  switch (bytes) {
    case 1:
      LOOP(uint8_t);
      break;
    case 2:
      LOOP(uint16_t);
      break;
    case 4:
      LOOP(uint32_t);
      break;
    case 8:
      LOOP(uint64_t);
      break;
    default:
      LOOP(struct wide);
      break;
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet_copy c = *(const whet_copy *)params;
  whet__copy_simplify(&c);
  int64_t outer = 1, from, to, e = c.elem_bytes;
  for (int32_t i = 0; i + 1 < c.rank; i++) outer *= c.dim[i];
  int64_t inner = c.rank ? c.dim[c.rank - 1] : 1;
  int64_t is = c.rank ? c.in_stride[c.rank - 1] : 1, os = c.rank ? c.out_stride[c.rank - 1] : 1;
  int64_t a = 0, b = inner;
  if (outer > 1)
    whet__split(outer, part, parts, &from, &to);
  else
    from = 0, to = outer, whet__split(inner, part, parts, &a, &b);
  for (int64_t o = from; o < to; o++) {
    int64_t in = c.in_offset, out = c.out_offset, left = o;
    for (int32_t i = c.rank - 2; i >= 0; i--) {
      int64_t k = left % c.dim[i];
      left /= c.dim[i];
      in += k * c.in_stride[i];
      out += k * c.out_stride[i];
    }
    line((char *)ptr[1] + (out + a * os) * e, (const char *)ptr[0] + (in + a * is) * e, b - a, os, is, (int32_t)e);
  }
}

const whet_kern whet_k_copy__c_any = {.name = "copy__c_any", .exact = 1, .run = run};
