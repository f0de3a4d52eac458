/* SPDX-License-Identifier: Apache-2.0 */
/* Family binary_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS. */

#include "kern/binary_f32.h"

#include "kern/lanes.h"
#include "kern/row_name.h"
#include "kern/unary_f32.h"
#include "kern/vmath.h"

#define EPI__(isa) whet__epi_f32_##isa
#define EPI_(isa) EPI__(isa)
#define EPI EPI_(ISA)

/* z = f(x, y) over n elements, n a multiple of VW; x_step and y_step are 1, or 0 (of one of them) for one element that is
 * repeated. z may be x or y. */
typedef void (*row_fn)(void *z, const float *x, const float *y, int64_t n, int64_t x_step, int64_t y_step);

/* A loop for each case. */
#define LOOP(LOAD_X, LOAD_Y, EXPR, STORE)  \
  for (int64_t i = 0; i < n; i += VW) {    \
    vf a = LOAD_X, b = LOAD_Y;             \
    STORE(z, i, EXPR);                     \
  }
#define ROW(NAME, EXPR, STORE)                                                                                 \
  static void row_##NAME(void *z, const float *x, const float *y, int64_t n, int64_t x_step, int64_t y_step) { \
    const vf x0 = vf_set(*x), y0 = vf_set(*y);                                                                 \
    if (!x_step)                                                                                               \
      LOOP(x0, vf_load(y + i), EXPR, STORE)                                                                    \
    else if (!y_step)                                                                                          \
      LOOP(vf_load(x + i), y0, EXPR, STORE)                                                                    \
    else                                                                                                       \
      LOOP(vf_load(x + i), vf_load(y + i), EXPR, STORE)                                                        \
  }
/* The same for long expressions, in one copy. */
#define ROW_ONCE(NAME, EXPR)                                                                                   \
  static void row_##NAME(void *z, const float *x, const float *y, int64_t n, int64_t x_step, int64_t y_step) { \
    for (int64_t i = 0; i < n; i += VW) {                                                                      \
      vf a = x_step ? vf_load(x + i) : vf_set(*x), b = y_step ? vf_load(y + i) : vf_set(*y);                   \
      vf_store((float *)z + i, EXPR);                                                                          \
    }                                                                                                          \
  }
#define F32_STORE(z, i, v) vf_store((float *)(z) + (i), v)
#define BOOL_STORE(z, i, v) vm_store_n((uint8_t *)(z) + (i), v, VW)

static inline vf square(vf d) { return vf_mul(d, d); }

ROW(ADD, vf_add(a, b), F32_STORE)
ROW(SUB, vf_sub(a, b), F32_STORE)
ROW(MUL, vf_mul(a, b), F32_STORE)
ROW(DIV, vf_div(a, b), F32_STORE)
ROW(MAX, vf_max_nan(a, b), F32_STORE)
ROW(MIN, vf_min_nan(a, b), F32_STORE)
ROW(PRELU, vf_sel(vf_lt(a, vf_set(0)), vf_mul(a, b), a), F32_STORE)
ROW(GATE, vf_sel(vf_gt(a, vf_set(0)), b, vf_set(0)), F32_STORE)
ROW(SQUARED_DIFFERENCE, square(vf_sub(a, b)), F32_STORE)
ROW_ONCE(FLOOR_DIV, vf_floor(vf_div(a, b)))
ROW_ONCE(POW, vf_pow(a, b))
ROW_ONCE(ATAN2, vf_atan2(a, b))
ROW(EQUAL, vf_eq(a, b), BOOL_STORE)
ROW(NOT_EQUAL, vf_ne(a, b), BOOL_STORE)
ROW(LESS, vf_lt(a, b), BOOL_STORE)
ROW(LESS_EQUAL, vf_le(a, b), BOOL_STORE)
#define row_GREATER row_LESS /* of operands that are exchanged */
#define row_GREATER_EQUAL row_LESS_EQUAL

static const row_fn k_rows[WHET_BIN_COUNT] = {
#define ENTRY(name, formula) [WHET_BIN_##name] = row_##name,
    WHET_BINARY_F32_MAP(ENTRY)
#undef ENTRY
};

/* Any number of elements: what is left after whole vectors, and one element with another, go through buffers. */
static void row(const whet_binary_f32 *p, char *z, const float *x, const float *y, int64_t n, int64_t x_step,
                int64_t y_step) {
  const row_fn fn = k_rows[p->fn];
  const int64_t size = p->fn >= WHET_BIN_EQUAL ? 1 : 4, rest = x_step || y_step ? n % VW : n, whole = n - rest;
  if (p->fn == WHET_BIN_GREATER || p->fn == WHET_BIN_GREATER_EQUAL) {
    const float *t = x;
    const int64_t t_step = x_step;
    x = y, x_step = y_step;
    y = t, y_step = t_step;
  }
  if (whole) fn(z, x, y, whole, x_step, y_step);
  if (!rest) return;
  float tx[VW], ty[VW];
  vf_store(tx, x_step ? vf_load_n(x + whole, rest) : vf_set(*x));
  vf_store(ty, y_step ? vf_load_n(y + whole, rest) : vf_set(*y));
  fn(tx, tx, ty, VW, 1, 1);
  for (int64_t i = 0; i < rest; i += VW) memcpy(z + (whole + i) * size, tx, (size_t)(whet__min_i(VW, rest - i) * size));
}

enum { BLOCK = 2048 /* elements between epilogues */ };

/* Elements from .. to of one row, epilogue included. */
static void line(const whet_binary_f32 *p, const float *x, const float *y, char *z, const float *res, int64_t n,
                 int64_t x_step, int64_t y_step) {
  int64_t bytes = p->fn >= WHET_BIN_EQUAL ? 1 : 4, step = p->epi.n ? BLOCK : n;
  for (int64_t i = 0; i < n; i += step) {
    int64_t m = whet__min_i(step, n - i);
    row(p, z + i * bytes, x + i * x_step, y + i * y_step, m - WHET_BUG(1), x_step, y_step);
    if (p->epi.n) EPI(&p->epi, (float *)(void *)(z + i * bytes), 0, res ? res + i : NULL, 0, 1, m);
  }
}

/* Short rows of which one operand repeats the same row: that row is written several times into a buffer, and many
 * rows are done at once. False when the shape is another. */
static bool short_rows(const whet_binary_f32 *p, void *const *ptr, int part, int parts) {
  enum { PATTERN = 1024 };
  if (p->rank != 2 || p->dim[1] > 64 || p->dim[0] < 8 || p->z_stride[0] != p->dim[1]) return false;
  int64_t n = p->dim[1], each = PATTERN / n, from, to, bytes = p->fn >= WHET_BIN_EQUAL ? 1 : 4;
  bool y_repeats = !p->y_stride[0] && p->y_stride[1] && p->x_stride[0] == n && p->x_stride[1];
  bool x_repeats = !p->x_stride[0] && p->x_stride[1] && p->y_stride[0] == n && p->y_stride[1];
  if (!y_repeats && !x_repeats) return false;
  float pattern[PATTERN];
  const float *row = ptr[y_repeats ? 1 : 0], *x = ptr[0], *y = ptr[1], *res = ptr[3];
  for (int64_t i = 0; i < each; i++) memcpy(pattern + i * n, row, (size_t)n * sizeof *row);
  whet__split(p->dim[0], part, parts, &from, &to);
  for (int64_t r = from; r < to; r += each) {
    int64_t m = whet__min_i(each, to - r) * n, at = r * n;
    line(p, y_repeats ? x + at : pattern, y_repeats ? pattern : y + at, (char *)ptr[2] + at * bytes,
         res ? res + at : NULL, m, 1, 1);
  }
  return true;
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet_binary_f32 p = *(const whet_binary_f32 *)params;
  whet__binary_f32_simplify(&p);
  if (short_rows(&p, ptr, part, parts)) return;
  int64_t last = p.rank - 1, n = p.rank ? p.dim[last] : 1, outer = 1, from, to, a = 0, b = n;
  int64_t xs = p.rank ? p.x_stride[last] : 0, ys = p.rank ? p.y_stride[last] : 0;
  int64_t bytes = p.fn >= WHET_BIN_EQUAL ? 1 : 4;
  for (int32_t i = 0; i < last; i++) outer *= p.dim[i];
  if (outer >= parts) {
    whet__split(outer, part, parts, &from, &to);
  } else { /* few long rows */
    from = 0, to = outer;
    whet__split(whet__ceil_div(n, 64), part, parts, &a, &b);
    a *= 64, b = whet__min_i(b * 64, n);
  }
  if (b <= a) return;
  int64_t at[WHET_MAX_RANK] = {0}, x = 0, y = 0, z = 0;
  for (int64_t i = last - 1, left = from; i >= 0; left /= p.dim[i--]) {
    at[i] = left % p.dim[i];
    x += at[i] * p.x_stride[i], y += at[i] * p.y_stride[i], z += at[i] * p.z_stride[i];
  }
  const float *px = (const float *)ptr[0] + a * xs, *py = (const float *)ptr[1] + a * ys;
  const float *res = ptr[3] ? (const float *)ptr[3] + a : NULL;
  for (int64_t o = from; o < to; o++) {
    line(&p, px + x, py + y, (char *)ptr[2] + (z + a) * bytes, res ? res + z : NULL, b - a, xs, ys);
    for (int64_t i = last - 1; i >= 0; i--) {
      x += p.x_stride[i], y += p.y_stride[i], z += p.z_stride[i];
      if (++at[i] < p.dim[i]) break;
      x -= p.x_stride[i] * p.dim[i], y -= p.y_stride[i] * p.dim[i], z -= p.z_stride[i] * p.dim[i];
      at[i] = 0;
    }
  }
}

WHET_ROW(binary_f32);
