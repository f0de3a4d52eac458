/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_DW_Q8_ROWS_H
#define WHET_KERN_X86_DW_Q8_ROWS_H

/* Rows of results of family dw_q8 from taps that lie ready in scratch, 16 channels at a time. The including file includes its
 * out_q8_*.h and defines, before,
 *
 *   dw_elem       what stands for one channel of one tap, or of some taps together
 *   dw_block      what 16 channels of a call have in common, filled by dw_block_of() from channel b on
 *   dw_sums()     their sums of n results, 16 apart: of those whose taps lie `at` elements behind the pointers, and every `step`
 *                 elements
 *   dw_out()      bytes of n sums */

enum { CHUNK = 64 }; /* results whose sums are stored before they are rescaled */

/* Rows of narrow pictures that are made together. */
static int64_t dw_many(const whet_dw_q8 *p) { return whet__clamp_i(CHUNK / p->out_w, 1, p->out_h); }

/* `many` rows of channels [first, end): the `slots` taps of the first result of row r begin at tap[r * slots], pixels lie `wide`
 * elements apart. out: channel 0 of the first result. */
static void dw_rows(const whet_dw_q8 *p, const whet_dw_q8_layout *l, int64_t first, int64_t end, int64_t many, const dw_elem *const *tap,
                    int64_t slots, int64_t wide, const void *own, const char *pack, const uint8_t *table, char *out) {
  const int64_t step = p->stride_w * wide;
  const size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  for (int64_t b = first; b < end; b += 16) {
    int32_t sum[(CHUNK + 1) * 16]; /* and one more where results go in twos */
    dw_block k;
    dw_block_of(&k, p, l, own, pack, b, table);
    for (int64_t x = 0; x < p->out_w; x += CHUNK) { /* once, where there are many rows */
      const int64_t n = whet__min_i(CHUNK, p->out_w - x);
      for (int64_t r = 0; r < many; r++)
        dw_sums(&k, tap + r * slots, (int)slots, b - first + x * step, step, n, sum + r * n * 16);
      dw_out(&k, p, sum, many * n, table, out + (size_t)(x * p->out_pitch + b) * bytes);
    }
  }
}

#endif
