/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles of words on 256 bits, between wino_q8_vec.h and wino_q8_body.h: an ISA file defines words_add() first. No include
 * guard: part of one translation unit each. */

WORDS_TILE(1) WORDS_TILE(2) WORDS_TILE(3) WORDS_TILE(4) WORDS_TILE(5) WORDS_TILE(6)
enum { WORDS_NV = 1 };
static const int8_t words_mr[2] = {0, 6};
static void words(int mr, int nv, const int16_t *a, int64_t lda, int64_t k2, const int8_t *b, int64_t block,
                  int64_t next, int pass, int32_t *out) {
  static const words_fn tiles_of[] = {0, words_1, words_2, words_3, words_4, words_5, words_6};
  (void)nv, (void)block, (void)next, (void)pass;
  tiles_of[mr](a, lda, k2, b, out);
}
