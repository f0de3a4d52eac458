/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_ARM_DOTS_3X3_H
#define WHET_KERN_ARM_DOTS_3X3_H

/* Depthwise 3 x 3 on dotprod along a row of results, eight channels, written out as all registers are needed. A column is
 * four pixels one below the other, interleaved so that a lane of 32 bits has those of one channel: an SDOT with a column of
 * the kernel is a third of four results. Where results are as near as pixels the same columns, with kernels one byte
 * further down, give the row below.
 *
 * Columns come in turns: left of the picture, within, right of it. Registers: kernel columns v0 .. v5 and those of the row
 * below v6 .. v11; bias v12, v13; factors v14, v15; zero point v16; what turns bytes into signed ones v17; places for TBL v18,
 * v19; columns v20 .. v25; sums v28 .. v31. */

#include <stdint.h>

/* Columns that lie evenly: n of them, pixels a[] of the first, channel 0, `step` bytes apart. n 0: the end. */
typedef struct dots_turn {
  int64_t n;
  const uint8_t *a[4];
  int64_t step[4];
} dots_turn;

/* What a row of results needs. Two rows: w[6 ..] and out[1], step[1] count. */
typedef struct dots_row {
  int8_t w[12][16];
  int32_t bias[8];
  float real[8];
  int16_t zero[8];
  uint8_t turned[16], places[2][16];
  uint8_t *out[2]; /* of bytes, or of sums as s32 */
  int64_t step[2]; /* bytes from a result to the next */
  int64_t c;       /* the first channel */
} dots_row;

#define D3_LOAD_ALL                                                                                                   \
  "ldp q0, q1, [%[r]]\n ldp q2, q3, [%[r], #32]\n ldp q4, q5, [%[r], #64]\n ldp q6, q7, [%[r], #96]\n"               \
  "ldp q8, q9, [%[r], #128]\n ldp q10, q11, [%[r], #160]\n ldp q12, q13, [%[r], #192]\n ldp q14, q15, [%[r], #224]\n" \
  "ldp q16, q17, [%[r], #256]\n ldp q18, q19, [%[r], #288]\n ldp x9, x10, [%[r], #320]\n ldp x11, x12, [%[r], #336]\n" \
  "ldr x13, [%[r], #352]\n"
/* The next turn, or the end. */
#define D3_TURN                                                                                       \
  "ldp x8, x0, [%[t]]\n cbz x8, 9f\n ldp x1, x2, [%[t], #16]\n ldp x3, x4, [%[t], #32]\n"            \
  "ldp x5, x6, [%[t], #48]\n ldr x7, [%[t], #64]\n add %[t], %[t], #72\n" \
  "add x0, x0, x13\n add x1, x1, x13\n add x2, x2, x13\n add x3, x3, x13\n"
/* A column to c and d. */
#define D3_COLUMN(c, d)                                                                                               \
  "ld1 {v26.8b}, [x0], x4\n ld1 {v27.8b}, [x2], x6\n ld1 {v26.d}[1], [x1], x5\n ld1 {v27.d}[1], [x3], x7\n"           \
  "eor v26.16b, v26.16b, v17.16b\n eor v27.16b, v27.16b, v17.16b\n"                                                   \
  "tbl v" #c ".16b, {v26.16b, v27.16b}, v18.16b\n tbl v" #d ".16b, {v26.16b, v27.16b}, v19.16b\n"
#define D3_COUNT(label) "subs x8, x8, #1\n b.ne " #label "f\n" D3_TURN #label ":\n"
#define D3_DOT(s, c, w) "sdot v" #s ".4s, v" #c ".16b, v" #w ".16b\n"
/* Results of columns a, b, c of two registers each. */
#define D3_ONE(a, a_, b, b_, c, c_)                                                                \
  "mov v28.16b, v12.16b\n mov v29.16b, v13.16b\n"                                                  \
  D3_DOT(28, a, 0) D3_DOT(29, a_, 1) D3_DOT(28, b, 2) D3_DOT(29, b_, 3) D3_DOT(28, c, 4) D3_DOT(29, c_, 5)
#define D3_TWO(a, a_, b, b_, c, c_)                                                                  \
  "mov v30.16b, v12.16b\n mov v31.16b, v13.16b\n" D3_ONE(a, a_, b, b_, c, c_)                        \
  D3_DOT(30, a, 6) D3_DOT(31, a_, 7) D3_DOT(30, b, 8) D3_DOT(31, b_, 9) D3_DOT(30, c, 10) D3_DOT(31, c_, 11)
/* Sums as they are. */
#define D3_SUMS_ONE "st1 {v28.4s, v29.4s}, [x9], x11\n"
#define D3_SUMS_TWO D3_SUMS_ONE "st1 {v30.4s, v31.4s}, [x10], x12\n"
/* Bytes by the rule of OUT_NEAR, all of them within the bounds; OP: sqxtn or sqxtun. */
#define D3_NEAR(s, f)                                                                                              \
  "scvtf v" #s ".4s, v" #s ".4s\n fmul v" #s ".4s, v" #s ".4s, v" #f ".4s\n fcvtns v" #s ".4s, v" #s ".4s\n"
#define D3_BYTES_ONE(OP)                                                                                                \
  D3_NEAR(28, 14) D3_NEAR(29, 15) "sqxtn v28.4h, v28.4s\n sqxtn2 v28.8h, v29.4s\n sqadd v28.8h, v28.8h, v16.8h\n" OP \
  " v28.8b, v28.8h\n st1 {v28.8b}, [x9], x11\n"
#define D3_BYTES_TWO(OP)                                                                                             \
  D3_NEAR(30, 14) D3_NEAR(31, 15) D3_BYTES_ONE(OP) "sqxtn v30.4h, v30.4s\n sqxtn2 v30.8h, v31.4s\n"                   \
  "sqadd v30.8h, v30.8h, v16.8h\n" OP " v30.8b, v30.8h\n st1 {v30.8b}, [x10], x12\n"

#define D3_CLOBBERS                                                                                                   \
  "memory", "cc", "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "v0", "v1", "v2", \
      "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19",  \
      "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31"

/* Two rows, results as near as pixels: every new column is the third of a result. */
#define D3_NEAR_ROWS(name, end)                                                                                            \
  static void name(const dots_row *r, const dots_turn *t) {                                                                \
    __asm__ volatile(D3_LOAD_ALL D3_TURN D3_COLUMN(20, 21) D3_COUNT(1) D3_COLUMN(22, 23) D3_COUNT(2)                       \
                     D3_COLUMN(24, 25) D3_TWO(20, 21, 22, 23, 24, 25) end D3_COUNT(3)                                      \
                     D3_COLUMN(20, 21) D3_TWO(22, 23, 24, 25, 20, 21) end D3_COUNT(4)                                      \
                     D3_COLUMN(22, 23) D3_TWO(24, 25, 20, 21, 22, 23) end                                                  \
                     "subs x8, x8, #1\n b.ne 2b\n" D3_TURN "b 2b\n9:\n"                                                    \
                     : [t] "+r"(t) : [r] "r"(r) : D3_CLOBBERS);                                                            \
  }
/* One row, results two pixels apart. */
#define D3_FAR_ROW(name, end)                                                                                              \
  static void name(const dots_row *r, const dots_turn *t) {                                                                \
    __asm__ volatile(D3_LOAD_ALL D3_TURN D3_COLUMN(20, 21) D3_COUNT(1)                                                     \
                     D3_COLUMN(22, 23) D3_COUNT(2) D3_COLUMN(24, 25) D3_ONE(20, 21, 22, 23, 24, 25) end D3_COUNT(3)        \
                     D3_COLUMN(22, 23) D3_COUNT(4) D3_COLUMN(20, 21) D3_ONE(24, 25, 22, 23, 20, 21) end                    \
                     "subs x8, x8, #1\n b.ne 1b\n" D3_TURN "b 1b\n9:\n"                                                    \
                     : [t] "+r"(t) : [r] "r"(r) : D3_CLOBBERS);                                                            \
  }
D3_NEAR_ROWS(dots_near_sums, D3_SUMS_TWO)
D3_NEAR_ROWS(dots_near_u8, D3_BYTES_TWO("sqxtun"))
D3_NEAR_ROWS(dots_near_s8, D3_BYTES_TWO("sqxtn"))
D3_FAR_ROW(dots_far_sums, D3_SUMS_ONE)
D3_FAR_ROW(dots_far_u8, D3_BYTES_ONE("sqxtun"))
D3_FAR_ROW(dots_far_s8, D3_BYTES_ONE("sqxtn"))

#endif
