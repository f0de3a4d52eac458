/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_ARM_DOTS_3X3_H
#define WHET_KERN_ARM_DOTS_3X3_H

/* Depthwise 3 x 3 on dotprod along a row of results, eight channels, written out as all registers are needed. A column is
 * four pixels one below the other, interleaved so that a lane of 32 bits has those of one channel: an SDOT with a column of
 * the kernel is a third of four results. Where results are as near as pixels the same columns, with kernels one byte
 * further down, give the row below.
 *
 * A step makes the sums of a result, or of two one below the other, from columns that are there and one or two that it
 * interleaves, loads the pixels of the next, turns sums of the step before into bytes and stores those of the step before
 * that: so cores that issue in order find work while they would wait. The order in a step was searched for the model of
 * the Cortex-A55. What a step does with sums are macros whose names begin with the kind: D3U and D3S bytes, D3V and D3W
 * likewise where results are tight, D3I sums as they are, D3_ nothing yet, in the first two steps.
 *
 * Columns come in turns: left of the picture, within, right of it. Registers: kernel columns v0 .. v5 and those of the row
 * below v6 .. v11, or pixels v8, v9; bytes v12, v13; factors v14, v15; zero point v16; what turns bytes into signed ones
 * v17; places for TBL v18, v19; columns v20 .. v25; pixels v26, v27; sums v28 .. v31. Pixels of the column loaded last at
 * x0 .. x3, x4 .. x7 apart, the last of x8; results at x9, x10, x11 and x12 apart. */

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
  int32_t zero[4]; /* the zero point as 16-bit numbers, or, by tight ones, see D3V */
  uint8_t turned[16], places[2][16];
  uint8_t *out[2]; /* of bytes, or of sums as s32 */
  int64_t step[2]; /* bytes from a result to the next */
  int64_t c;       /* the first channel */
} dots_row;

#define D3_LOAD_ALL                                                                                                     \
  "ldp q0, q1, [%[r]]\n ldp q2, q3, [%[r], #32]\n ldp q4, q5, [%[r], #64]\n ldp q6, q7, [%[r], #96]\n"               \
  "ldp q8, q9, [%[r], #128]\n ldp q10, q11, [%[r], #160]\n ldp q14, q15, [%[r], #224]\n"                               \
  "ldp q16, q17, [%[r], #256]\n ldp q18, q19, [%[r], #288]\n ldp x9, x10, [%[r], #320]\n ldp x11, x12, [%[r], #336]\n" \
  "ldr x13, [%[r], #352]\n mov x15, #192\n mov x16, #208\n"
/* The next turn; after the last the pixels are what can be read, and x8 counts on below zero. */
#define D3_TURN                                                                                                   \
  "ldp x8, x0, [%[t]]\n cbz x8, 5f\n ldp x1, x2, [%[t], #16]\n ldp x3, x4, [%[t], #32]\n"                         \
  "ldp x5, x6, [%[t], #48]\n ldr x7, [%[t], #64]\n add %[t], %[t], #72\n"                                         \
  "add x0, x0, x13\n add x1, x1, x13\n add x2, x2, x13\n add x3, x3, x13\n b 6f\n"                                \
  "5:\n mov x8, #-2\n mov x0, %[r]\n mov x1, %[r]\n mov x2, %[r]\n mov x3, %[r]\n"                                \
  "mov x4, #0\n mov x5, #0\n mov x6, #0\n mov x7, #0\n 6:\n"
#define D3_COLD(cold, back) #cold ":\n" D3_TURN "b " #back "b\n"
#define D3_BACK(cold, back) "b.eq " #cold "f\n" #back ":\n"
#define D3_DOWN "subs x8, x8, #1\n"
#define D3_ON(x, step) "add x" #x ", x" #x ", x" #step "\n"
#define D3_LOW(v, x) "ldr d" #v ", [x" #x ", xzr]\n"
#define D3_HIGH(v, x) "ld1 {v" #v ".d}[1], [x" #x "]\n"
#define D3_EOR(v) "eor v" #v ".16b, v" #v ".16b, v17.16b\n"
#define D3_TBL(c, v, w, at) "tbl v" #c ".16b, {v" #v ".16b, v" #w ".16b}, v" #at ".16b\n"
#define D3_DOT(s, c, w) "sdot v" #s ".4s, v" #c ".16b, v" #w ".16b\n"
#define D3_BIAS(s, at) "ldr q" #s ", [%[r], x" #at "]\n"
/* A column alone: its pixels to v and w; to c and d; what follows it. */
#define D3_PIXELS(v, w) D3_LOW(v, 0) D3_LOW(w, 2) D3_HIGH(v, 1) D3_HIGH(w, 3)
#define D3_COLUMN(c, d) D3_PIXELS(26, 27) D3_EOR(26) D3_EOR(27) D3_TBL(c, 26, 27, 18) D3_TBL(d, 26, 27, 19)
#define D3_NEXT(cold, back) D3_ON(0, 4) D3_ON(1, 5) D3_ON(2, 6) D3_ON(3, 7) D3_DOWN D3_BACK(cold, back)

/* Bytes by the rule of OUT_NEAR, all of them within the bounds: A, B and C on each register of sums, N and M narrow two of
 * them, Z adds the zero point, T makes bytes, P stores them, ON goes to the next result. */
#define D3U_A(s) "scvtf v" #s ".4s, v" #s ".4s\n"
#define D3U_B(s, f) "fmul v" #s ".4s, v" #s ".4s, v" #f ".4s\n"
#define D3U_C(s) "fcvtns v" #s ".4s, v" #s ".4s\n"
#define D3U_N(t, s, x) "sqxtn v" #t ".4h, v" #s ".4s\n"
#define D3U_M(t, s, x) "sqxtn2 v" #t ".8h, v" #s ".4s\n"
#define D3U_Z(t) "sqadd v" #t ".8h, v" #t ".8h, v16.8h\n"
#define D3U_T(t) "sqxtun v" #t ".8b, v" #t ".8h\n"
#define D3U_P(t, x) "str d" #t ", [x" #x "]\n"
#define D3U_ON D3_ON
#define D3S_A D3U_A
#define D3S_B D3U_B
#define D3S_C D3U_C
#define D3S_N D3U_N
#define D3S_M D3U_M
#define D3S_Z D3U_Z
#define D3S_T(t) "sqxtn v" #t ".8b, v" #t ".8h\n"
#define D3S_P D3U_P
#define D3S_ON D3_ON
/* The same where results are tight and the zero point is even: v16 is 3 * 2^22 and the zero point as floats, to which numbers
 * are added so that their last bits are rounded to even. */
#define D3V_A D3U_A
#define D3V_B D3U_B
#define D3V_C(s) "fadd v" #s ".4s, v" #s ".4s, v16.4s\n"
#define D3V_N(t, s, x) "xtn v" #t ".4h, v" #s ".4s\n"
#define D3V_M(t, s, x) "xtn2 v" #t ".8h, v" #s ".4s\n"
#define D3V_Z(t)
#define D3V_T D3U_T
#define D3V_P D3U_P
#define D3V_ON D3_ON
#define D3W_A D3V_A
#define D3W_B D3V_B
#define D3W_C D3V_C
#define D3W_N D3V_N
#define D3W_M D3V_M
#define D3W_Z D3V_Z
#define D3W_T D3S_T
#define D3W_P D3V_P
#define D3W_ON D3V_ON
/* Sums as they are. */
#define D3I_A(s)
#define D3I_B(s, f)
#define D3I_C(s)
#define D3I_N(t, s, x) "str q" #s ", [x" #x "]\n"
#define D3I_M(t, s, x) "str q" #s ", [x" #x ", #16]\n"
#define D3I_Z(t)
#define D3I_T(t)
#define D3I_P(t, x)
#define D3I_ON D3_ON
/* Nothing. */
#define D3__A(s)
#define D3__B(s, f)
#define D3__C(s)
#define D3__N(t, s, x)
#define D3__M(t, s, x)
#define D3__Z(t)
#define D3__T(t)
#define D3__P(t, x)
#define D3__ON(x, step)
/* All of it for the sums s and s_. */
#define D3_MAKE(K, s, s_, x) \
  K##_A(s) K##_A(s_) K##_B(s, 14) K##_B(s_, 15) K##_C(s) K##_C(s_) K##_N(12, s, x) K##_M(12, s_, x) K##_Z(12) K##_T(12) \
  K##_P(12, x)

#define D3_CLOBBERS                                                                                                   \
  "memory", "cc", "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x15", "x16", "v0",  \
      "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17",    \
      "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31"

/* Two rows, results as near as pixels, from columns p, q and the new n: sums of the row above, which NOW goes on with, in
 * v28 and v29, of the row below, which OLD goes on with in the next step, in v30 and v31; PUT9 and PUT10 store. */
#define D3_NEAR_STEP(P, P_, Q, Q_, N, N_, OLD, NOW, PUT9, PUT10, cold, back) \
  D3_ON(1, 5) D3_EOR(27) D3_EOR(26) D3_BIAS(28, 15) OLD##_A(30) D3_BIAS(29, 16) D3_ON(0, 4) D3_DOWN \
  D3_TBL(N_, 26, 27, 19) OLD##_A(31) D3_DOT(28, P, 0) D3_DOT(29, P_, 1) PUT10##_P(13, 10) OLD##_B(30, 14) \
  D3_TBL(N, 26, 27, 18) D3_DOT(28, Q, 2) D3_DOT(29, Q_, 3) OLD##_C(30) OLD##_B(31, 15) D3_DOT(28, N, 4) \
  D3_DOT(29, N_, 5) D3_ON(3, 7) D3_ON(2, 6) OLD##_N(13, 30, 10) OLD##_C(31) D3_BACK(cold, back) NOW##_A(28) \
  NOW##_A(29) D3_BIAS(30, 15) OLD##_M(13, 31, 10) D3_BIAS(31, 16) NOW##_B(28, 14) D3_DOT(30, P, 6) \
  NOW##_B(29, 15) D3_LOW(26, 0) PUT9##_P(12, 9) OLD##_Z(13) NOW##_C(28) D3_DOT(31, P_, 7) NOW##_C(29) \
  PUT9##_ON(9, 11) NOW##_N(12, 28, 9) D3_HIGH(26, 1) D3_DOT(30, Q, 8) OLD##_T(13) NOW##_M(12, 29, 9) \
  D3_DOT(31, Q_, 9) D3_LOW(27, 2) D3_DOT(30, N, 10) NOW##_Z(12) PUT10##_ON(10, 12) D3_DOT(31, N_, 11) \
  D3_HIGH(27, 3) NOW##_T(12)
#define D3_NEAR_ROWS(name, K)                                                                                            \
  static void name(const dots_row *r, const dots_turn *t) {                                                              \
    __asm__ volatile(                                                                                                    \
        D3_LOAD_ALL D3_TURN D3_COLUMN(20, 21) D3_NEXT(71, 61) D3_COLUMN(22, 23) D3_NEXT(72, 62) D3_PIXELS(26, 27)        \
        D3_NEAR_STEP(20, 21, 22, 23, 24, 25, D3_, K, D3_, D3_, 73, 63) "tbnz x8, #63, 3f\n"                            \
        D3_NEAR_STEP(22, 23, 24, 25, 20, 21, K, K, K, K##_LATE, 74, 64) "tbnz x8, #63, 2f\n 1:\n"                       \
        D3_NEAR_STEP(24, 25, 20, 21, 22, 23, K, K, K, K, 75, 65) "tbnz x8, #63, 2f\n"                                    \
        D3_NEAR_STEP(20, 21, 22, 23, 24, 25, K, K, K, K, 76, 66) "tbnz x8, #63, 2f\n"                                    \
        D3_NEAR_STEP(22, 23, 24, 25, 20, 21, K, K, K, K, 77, 67) "tbz x8, #63, 1b\n"                                     \
        "2:\n" K##_P(13, 10) K##_LATER "3:\n" K##_P(12, 9) D3_MAKE(K, 30, 31, 10) "b 9f\n"                                 \
        D3_COLD(71, 61) D3_COLD(72, 62) D3_COLD(73, 63) D3_COLD(74, 64) D3_COLD(75, 65) D3_COLD(76, 66) D3_COLD(77, 67) \
        "9:\n"                                                                                                           \
        : [t] "+r"(t) : [r] "r"(r) : D3_CLOBBERS);                                                                       \
  }
/* The row below is a step late: its bytes of the first result are stored in the third step, its sums in the second. */
#define D3U_LATE_P(t, x)
#define D3U_LATE_ON(x, step)
#define D3U_LATER D3_ON(10, 12)
#define D3S_LATE_P(t, x)
#define D3S_LATE_ON(x, step)
#define D3S_LATER D3_ON(10, 12)
#define D3V_LATE_P(t, x)
#define D3V_LATE_ON(x, step)
#define D3V_LATER D3_ON(10, 12)
#define D3W_LATE_P(t, x)
#define D3W_LATE_ON(x, step)
#define D3W_LATER D3_ON(10, 12)
#define D3I_LATE_P(t, x)
#define D3I_LATE_ON D3_ON
#define D3I_LATER

/* One row, results two pixels apart, from column p and the new n and m: sums in s and s_; those of the step before, which
 * OLD goes on with, in e and e_; PUT stores those before them. */
#define D3_FAR_STEP(P, P_, N, N_, M, M_, s, s_, e, e_, OLD, PUT, cold1, back1, cold2, back2) \
  D3_ON(2, 6) D3_ON(1, 5) D3_EOR(26) D3_EOR(8) D3_EOR(27) D3_EOR(9) D3_BIAS(s, 15) D3_DOWN OLD##_A(e_) \
  D3_ON(0, 4) OLD##_A(e) D3_TBL(N, 26, 27, 18) D3_BIAS(s_, 16) D3_TBL(N_, 26, 27, 19) D3_BACK(cold1, back1) \
  D3_LOW(26, 0) OLD##_B(e_, 15) OLD##_B(e, 14) D3_LOW(27, 2) D3_DOT(s, P, 0) D3_ON(2, 6) D3_HIGH(26, 1) \
  D3_ON(0, 4) OLD##_C(e) OLD##_C(e_) D3_TBL(M_, 8, 9, 19) D3_DOT(s, N, 2) PUT##_P(12, 9) D3_DOWN D3_ON(1, 5) \
  PUT##_ON(9, 11) OLD##_N(12, e, 9) D3_DOT(s_, P_, 1) D3_BACK(cold2, back2) D3_TBL(M, 8, 9, 18) D3_LOW(8, 0) \
  OLD##_M(12, e_, 9) D3_LOW(9, 2) D3_DOT(s_, N_, 3) D3_DOT(s, M, 4) D3_HIGH(8, 1) OLD##_Z(12) D3_DOT(s_, M_, 5) \
  OLD##_T(12)
#define D3_FAR_ROW(name, K)                                                                                              \
  static void name(const dots_row *r, const dots_turn *t) {                                                              \
    __asm__ volatile(                                                                                                    \
        D3_LOAD_ALL D3_TURN D3_COLUMN(20, 21) D3_NEXT(71, 61) D3_PIXELS(26, 27) D3_NEXT(72, 62) D3_PIXELS(8, 9)          \
        D3_FAR_STEP(20, 21, 22, 23, 24, 25, 28, 29, 30, 31, D3_, D3_, 73, 63, 74, 64) "tbnz x8, #63, 4f\n"             \
        D3_FAR_STEP(24, 25, 22, 23, 20, 21, 30, 31, 28, 29, K, D3_, 75, 65, 76, 66) "tbnz x8, #63, 3f\n 1:\n"          \
        D3_FAR_STEP(20, 21, 22, 23, 24, 25, 28, 29, 30, 31, K, K, 77, 67, 78, 68) "tbnz x8, #63, 2f\n"                   \
        D3_FAR_STEP(24, 25, 22, 23, 20, 21, 30, 31, 28, 29, K, K, 79, 69, 80, 70) "tbz x8, #63, 1b\n"                    \
        "3:\n" K##_P(12, 9) D3_ON(9, 11) D3_MAKE(K, 30, 31, 9) "b 9f\n"                                                  \
        "2:\n" K##_P(12, 9) D3_ON(9, 11) "4:\n" D3_MAKE(K, 28, 29, 9) "b 9f\n"                                           \
        D3_COLD(71, 61) D3_COLD(72, 62) D3_COLD(73, 63) D3_COLD(74, 64) D3_COLD(75, 65) D3_COLD(76, 66) D3_COLD(77, 67) \
        D3_COLD(78, 68) D3_COLD(79, 69) D3_COLD(80, 70) "9:\n"                                                           \
        : [t] "+r"(t) : [r] "r"(r) : D3_CLOBBERS);                                                                       \
  }
D3_NEAR_ROWS(dots_near_sums, D3I)
D3_NEAR_ROWS(dots_near_u8, D3U)
D3_NEAR_ROWS(dots_near_s8, D3S)
D3_NEAR_ROWS(dots_near_u8_tight, D3V)
D3_NEAR_ROWS(dots_near_s8_tight, D3W)
D3_FAR_ROW(dots_far_sums, D3I)
D3_FAR_ROW(dots_far_u8, D3U)
D3_FAR_ROW(dots_far_s8, D3S)
D3_FAR_ROW(dots_far_u8_tight, D3V)
D3_FAR_ROW(dots_far_s8_tight, D3W)

#endif
