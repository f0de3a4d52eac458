/* SPDX-License-Identifier: Apache-2.0 */
/* Family resize_lin in loops that the compiler turns into vectors; the including file defines ISA, ISA_BITS and MIN_INNER. A row is
 * mixed from two rows of the input first, as far as columns need it, then stretched. */

#include "kern/resize_lin.h"

#include "kern/row_name.h"

/* Is the whole row mixed, or only what each column looks at? */
static inline bool whole(const whet_resize_lin *p) { return p->in_w <= 2 * p->out_w; }
/* Elements of scratch for a mixed row. */
static inline int64_t room(const whet_resize_lin *p) { return (whole(p) ? p->in_w : 2) * p->inner; }

static inline int32_t halves_away(int64_t sum) {
  return (int32_t)(sum > 0 ? (sum + (1 << 19)) >> 20 : -((-sum + (1 << 19)) >> 20));
}
static inline int32_t halves_away32(int32_t sum) {
  int32_t sign = sum >> 31, size = (sum ^ sign) - sign;
  return (((size + (1 << 19)) >> 20) ^ sign) - sign;
}
static inline int32_t byte(float sum) {
  int32_t v = (int32_t)(sum + 0.5f);
  return v < 0 ? 0 : v > 255 ? 255 : v;
}

enum { BLOCK = 8 };
/* Few channels of few bits are made in blocks of whole vectors, and narrowed a row at a time. */
static inline bool in_blocks(const whet_resize_lin *p) {
  return p->inner >= BLOCK && p->inner < 8 * BLOCK && p->out_pixel == p->inner;
}

/* MIX fills t[i], and u[i] = t[half + i], from a[i] and b[i] by weights v, w; OUT makes an element of l, h (m, k of u) by
 * f, g. */
#define KIND(NAME, T, ACC, RESULT, WEIGHT, FIRST, SECOND, MIX, OUT)                                                    \
  static __attribute__((noinline)) void NAME##_mix(ACC *restrict t, ACC *restrict u, const T *a, const T *b, WEIGHT v, \
                                                   WEIGHT w, int64_t n) {                                              \
    (void)u;                                                                                                           \
    for (int64_t i = 0; i < n; i++) {                                                                                  \
      MIX;                                                                                                             \
    }                                                                                                                  \
  }                                                                                                                    \
  /* n elements; BLOCK of them, not made narrow yet. */                                                                         \
  static inline void NAME##_out(T *restrict to, const ACC *tl, const ACC *th, int64_t half, WEIGHT f, WEIGHT g,        \
                                int64_t n) {                                                                           \
    for (int64_t i = 0; i < n; i++) {                                                                                  \
      const ACC l = tl[i], h = th[i], m = tl[half + i], k = th[half + i];                                              \
      (void)m, (void)k;                                                                                                \
      to[i] = (T)(OUT);                                                                                                \
    }                                                                                                                  \
  }                                                                                                                    \
  static inline void NAME##_wide(RESULT *restrict to, const ACC *tl, const ACC *th, int64_t half, WEIGHT f, WEIGHT g) { \
    for (int64_t i = 0; i < BLOCK; i++) {                                                                              \
      const ACC l = tl[i], h = th[i], m = tl[half + i], k = th[half + i];                                              \
      (void)m, (void)k;                                                                                                \
      to[i] = (OUT);                                                                                                   \
    }                                                                                                                  \
  }                                                                                                                    \
  static void NAME##_row(const whet_resize_lin *p, const void *from, int64_t at, void *to, int64_t out_at,             \
                         const whet_resize_place *y, const whet_resize_place *x, ACC *t) {                             \
    const T *a = (const T *)from + at + y->low * p->in_row, *b = (const T *)from + at + y->high * p->in_row;           \
    T *out = (T *)to + out_at;                                                                                         \
    const int64_t n = p->inner, half = room(p), all = p->out_w * n;                                                    \
    const WEIGHT v = y->FIRST, w = y->SECOND;                                                                          \
    ACC *u = t + half;                                                                                                 \
    RESULT *r = (RESULT *)(t + 2 * half);                                                                              \
    if (whole(p) && p->in_pixel == n)                                                                                  \
      NAME##_mix(t, u, a, b, v, w, p->in_w * n);                                                                       \
    else if (whole(p))                                                                                                 \
      for (int64_t i = 0; i < p->in_w; i++)                                                                            \
        NAME##_mix(t + i * n, u + i * n, a + i * p->in_pixel, b + i * p->in_pixel, v, w, n);                           \
    for (int64_t i = 0; i < p->out_w; i++, out += p->out_pixel, r += n) {                                              \
      int64_t l = x[i].low * n, h = x[i].high * n;                                                                     \
      if (!whole(p)) {                                                                                                 \
        const int64_t il = x[i].low * p->in_pixel, ih = x[i].high * p->in_pixel;                                       \
        NAME##_mix(t, u, a + il, b + il, v, w, n);                                                                     \
        NAME##_mix(t + n, u + n, a + ih, b + ih, v, w, n);                                                             \
        l = 0, h = n;                                                                                                  \
      }                                                                                                                \
      if (n == 1)                                                                                                      \
        NAME##_out(out, t + l, t + h, half, x[i].FIRST, x[i].SECOND, 1);                                               \
      else if (!in_blocks(p) || sizeof(T) == sizeof(RESULT))                                                           \
        NAME##_out(out, t + l, t + h, half, x[i].FIRST, x[i].SECOND, n);                                               \
      else                                                                                                             \
        for (int64_t c = 0;; c = whet__min_i(c + BLOCK, n - BLOCK)) { /* the last block overlaps */                    \
          NAME##_wide(r + c, t + l + c, t + h + c, half, x[i].FIRST, x[i].SECOND);                                     \
          if (c == n - BLOCK) break;                                                                                   \
        }                                                                                                              \
    }                                                                                                                  \
    if (!in_blocks(p) || sizeof(T) == sizeof(RESULT)) return;                                                          \
    out -= all;                                                                                                        \
    r -= all;                                                                                                          \
    for (int64_t i = 0; i < all; i++) out[i] = (T)r[i];                                                                \
  }

/* `fixed` stands for both whole numbers. */
KIND(f32, float, float, float, float, before, after, t[i] = a[i] * v + b[i] * w, l *f + h * g)
KIND(s8, int8_t, int32_t, int32_t, int32_t, fixed, fixed, (void)w; t[i] = a[i] * (1024 - v) + b[i] * v,
     ((void)g, halves_away32(l * (1024 - f) + h * f)))
KIND(s16, int16_t, int32_t, int32_t, int32_t, fixed, fixed, (void)w; t[i] = a[i] * (1024 - v) + b[i] * v,
     ((void)g, halves_away((int64_t)l * (1024 - f) + (int64_t)h * f)))
KIND(u8, uint8_t, float, int32_t, float, before, after, t[i] = (float)a[i] * v; u[i] = (float)b[i] * w,
     byte(((l * f + m * f) + h * g) + k * g))

static size_t scratch(const void *params) {
  const whet_resize_lin *p = params;
  return (size_t)(2 * room(p) + (in_blocks(p) ? p->out_w * p->inner : 0)) * sizeof(float);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_resize_lin *p = params;
  const whet_resize_place *rows = ptr[1], *columns = rows + p->out_h;
  void *t = ptr[3];
  int64_t from, to;
  whet__split(p->outer * p->out_h, part, parts, &from, &to);
  to -= WHET_BUG(to > from && part + 1 == parts);
  for (int64_t r = from; r < to; r++) {
    int64_t o = r / p->out_h, y = r % p->out_h, at = o * p->in_outer, out = o * p->out_outer + y * p->out_row;
    switch (p->kind) {
      case WHET_RESIZE_F32:
        f32_row(p, ptr[0], at, ptr[2], out, &rows[y], columns, t);
        break;
      case WHET_RESIZE_S8:
        s8_row(p, ptr[0], at, ptr[2], out, &rows[y], columns, t);
        break;
      case WHET_RESIZE_S16:
        if (!(ISA_BITS)) s16_row(p, ptr[0], at, ptr[2], out, &rows[y], columns, t);
        break;
      default:
        u8_row(p, ptr[0], at, ptr[2], out, &rows[y], columns, t);
    }
  }
}

/* Wide vectors want pixels that fill them; 16-bit numbers are rare and left to the portable row. */
static bool fits(const void *params) {
  const whet_resize_lin *p = params;
  return p->inner >= MIN_INNER && (!(ISA_BITS) || p->kind != WHET_RESIZE_S16);
}

extern const whet_kern WHET_ROW_SYMBOL(resize_lin, ISA);
const whet_kern WHET_ROW_SYMBOL(resize_lin, ISA) = {.name = WHET_ROW_TEXT(resize_lin, ISA),
                                                    .isa = ISA_BITS,
                                                    .exact = VEC_EXACT,
                                                    .fits = fits,
                                                    .scratch = scratch,
                                                    .run = run};
