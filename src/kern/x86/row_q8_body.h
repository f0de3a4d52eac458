/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 for a product of one row with a matrix: every weight is used once, so several blocks of 16 outputs
 * are summed side by side, and nothing is computed beforehand that such small work would notice. Over the names of
 * out_q8_avx2.h or out_q8_avx512.h and
 *
 *   ROW_MOST    blocks at once: 4 or 8
 *   row_elem    what activations are multiplied as: uint8_t, then they may be read in place, or int16_t
 *   ROW_STEP    bytes of a block's weights that are multiplied by four bytes of row_elem, a step
 *   row_dot()   such a product, added to OUT_LANES sums
 *   row_copy()  activations to elements, bits turned */

enum { ROW_VECTORS = 16 / OUT_LANES, ROW_PER_VECTOR = ROW_STEP / ROW_VECTORS };

/* One step of nb blocks, which are `block` bytes apart. */
OUT_INLINE void row_step(out_int *sum, const char *a, const int8_t *b, int64_t block, int nb) {
  int32_t four;
  memcpy(&four, a, 4);
  const out_int u = out_set_i(four);
  OUT_UNROLL for (int j = 0; j < nb * ROW_VECTORS; j++) sum[j] =
      row_dot(sum[j], u, b + j / ROW_VECTORS * block + j % ROW_VECTORS * ROW_PER_VECTOR);
}

/* Sums of nb blocks. Where registers allow it there are two sets of them, so that the latency of one is hidden by the
 * other. */
OUT_INLINE void row_sums(const row_elem *a, int64_t steps, const int8_t *b, const int32_t *bias, int32_t *out,
                         int nb) {
  const char *from = (const char *)a;
  const int64_t block = steps * ROW_STEP;
  const bool two = nb < 4 || OUT_LANES > 8;
  out_int x[ROW_MOST * ROW_VECTORS], y[ROW_MOST * ROW_VECTORS];
  OUT_UNROLL for (int j = 0; j < nb * ROW_VECTORS; j++) x[j] = out_load_int(bias + j * OUT_LANES), y[j] = out_zero();
  for (; two && steps > 1; steps -= 2, from += 8, b += 2 * ROW_STEP) {
    row_step(x, from, b, block, nb);
    row_step(y, from + 4, b + ROW_STEP, block, nb);
  }
  for (; steps > 0; steps--, from += 4, b += ROW_STEP) row_step(x, from, b, block, nb);
  OUT_UNROLL for (int j = 0; j < nb * ROW_VECTORS; j++)
      out_store_int(out + j * OUT_LANES, two ? out_add_i(x[j], y[j]) : x[j]);
}
#define ROW_SUMS(NB)                                                                                                \
  static void row_sums_##NB(const row_elem *a, int64_t steps, const int8_t *b, const int32_t *bias, int32_t *out) { \
    row_sums(a, steps, b, bias, out, NB);                                                                           \
  }
ROW_SUMS(1)
ROW_SUMS(2)
ROW_SUMS(4)
#if ROW_MOST > 4
ROW_SUMS(8)
#else
#define row_sums_8 NULL
#endif

static bool row_fits(const void *params) {
  const whet_conv_q8 *p = params;
  return p->images == 1 && p->in_h == 1 && p->in_w == 1 && p->out_h == 1 && p->out_w == 1 && p->kh == 1 &&
         p->kw == 1 && p->groups == 1 && !p->pad_top && !p->pad_left && !p->w_zeros && p->dil_w == 1 &&
         (out_way(&p->out) >= 0 || p->out.live);
}

static size_t row_scratch(const void *params) {
  const whet_conv_q8 *p = params;
  const bool copies = sizeof(row_elem) > 1 || p->in_signed || p->in_c % 4;
  return copies ? (size_t)p->in_c * sizeof(row_elem) + 64 : 0;
}

static void row_run(const void *params, void *const *ptr, int part, int parts) {
  const whet_conv_q8 *p = params;
  whet_sums_live live;
  const uint8_t *table = whet__conv_q8_table(p, ptr, &live);
  const size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  const row_elem *a = ptr[0];
  int64_t k4 = (p->in_c + 3) / 4, blocks = (p->out_c + 15) / 16, n = blocks * 16, from = 0, to = blocks;
  const char *pack = ptr[1];
  const int8_t *weights = (const int8_t *)pack + n * 4 + whet__round_up(whet__factors_bytes(&p->out, n), 64);
  if (row_scratch(p)) {
    row_elem *own = ptr[4];
    row_copy(own, ptr[0], p->in_c, p->in_signed ? 0x80 : 0);
    a = own;
  }
  if (parts > 1) {
    whet__split((blocks + 3) / 4, part, parts, &from, &to);
    from *= 4, to = whet__min_i(to * 4, blocks);
  }
  for (int64_t b = from, nb; b < to; b += nb) {
    _Alignas(64) int32_t acc[16 * ROW_MOST];
    const int8_t *w = weights + b * k4 * 64;
    const int32_t *bias = (const int32_t *)(const void *)pack + b * 16;
    const int64_t left = to - b;
    nb = left >= ROW_MOST ? ROW_MOST : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    (nb == 1   ? row_sums_1
     : nb == 2 ? row_sums_2
     : nb == 4 ? row_sums_4
               : row_sums_8)(a, k4 * 64 / ROW_STEP, w, bias, acc);
    for (int64_t i = 0; i < nb; i += 4) {
      int64_t o = (b + i) * 16;
      whet_factors f = whet__factors_at(&p->out, pack + n * 4, n, o);
      out_tile(&p->out, &f, acc + 16 * i, 64, 1, whet__min_i(whet__min_i(64, 16 * nb), p->out_c - o), table,
               (char *)ptr[2] + (size_t)o * bytes, 0);
    }
  }
}
