/* SPDX-License-Identifier: Apache-2.0 */
/* Products of words on 256 bits, after wino_q8_vec.h: an ISA file defines words_add() first. The rest of the family's
 * Winograd form is the same for all ISAs of 256 bits and stands in conv_q8_avx2.c. No include guard: part of one
 * translation unit each. */

WORDS_TILE(1) WORDS_TILE(2) WORDS_TILE(3) WORDS_TILE(4) WORDS_TILE(5) WORDS_TILE(6)
static void words(int mr, int nv, const int16_t *a, int64_t lda, int64_t k2, const int8_t *b, int64_t block,
                  int64_t next, int pass, int32_t *out) {
  static const words_fn tiles_of[] = {0, words_1, words_2, words_3, words_4, words_5, words_6};
  (void)nv, (void)block, (void)next, (void)pass;
  tiles_of[mr](a, lda, k2, b, out);
}

/* Whether this form pays at such rates (wino_pays), its scratch, and part of a convolution with these products. */
bool whet__wino_q8_pays256(const void *params, double bytes_rate, double words_rate);
size_t whet__wino_q8_scratch256(const void *params);
void whet__wino_q8_part256(const void *params, void *const *ptr, int part, int parts, wino_words *words);

static void wino_run(const void *params, void *const *ptr, int part, int parts) {
  whet__wino_q8_part256(params, ptr, part, parts, words);
}
