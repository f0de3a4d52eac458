/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_ARM_DOTS_H
#define WHET_KERN_ARM_DOTS_H

/* A whole tile of byte products on dotprod, six rows by sixteen outputs, written out for the reasons of loops.h: sums stay in
 * registers from the bias to the end, over all runs of k.
 *
 *   acc[r][o] = bias[o] + sum over runs s, k < bytes of row[r][at[s] + k] * w[s][k/4][o][k%4]
 *
 * A row in v0 .. v5, sixteen bytes of it at once; weights in v6 and v7, loaded in pairs, of which the last of sixteen bytes
 * is loaded one by one, as cores that issue in order wait for what is loaded last. What is left after sixteens is read
 * again with the bytes before it and multiplied by the last lanes. Nothing is read behind a row, 32 bytes behind the
 * weights. */

#include "kern/arm/loops.h"

/* The product: sums in c, weights in b, lane l of x: four bytes. */
#define LOOP_SDOT(c, b, x, l) "sdot v" #c ".4s, v" #b ".16b, v" #x ".4b[" #l "]\n"
#define DOT_PAIR(at) "ldp q6, q7, [%[w], #(" #at ")]\n"
#define DOT_LANE(l, at)                                                                                     \
  LOOP_6(LOOP_SDOT, l, 6, 8, 9, 10, 11, 12, 13)                                                             \
  LOOP_6(LOOP_SDOT, l, 7, 14, 15, 16, 17, 18, 19) DOT_PAIR(at + 32)                                         \
  LOOP_6(LOOP_SDOT, l, 6, 20, 21, 22, 23, 24, 25)
#define DOT_WHOLE(l, at) DOT_LANE(l, at) LOOP_6(LOOP_SDOT, l, 7, 26, 27, 28, 29, 30, 31) DOT_PAIR(at + 64)
/* One lane alone. */
#define DOT_ONE(l) DOT_WHOLE(l, 0) "add %[w], %[w], #64\n"
#define DOT_ROWS(at)                                                                                         \
  "ldr q0, [%[a0], " at "]\n ldr q1, [%[a1], " at "]\n ldr q2, [%[a2], " at "]\n ldr q3, [%[a3], " at "]\n" \
  "ldr q4, [%[a4], " at "]\n ldr q5, [%[a5], " at "]\n"
#define DOT_LAST(i, c, x) LOOP_SDOT(c, 7, x, 3) "ldr q" #x ", [%[a" #i "], %[k]]\n"

/* Do something with each row: its four registers of sums. */
#define DOT_EACH(DO)                                                                                              \
  DO(0, 8, 14, 20, 26) DO(1, 9, 15, 21, 27) DO(2, 10, 16, 22, 28) DO(3, 11, 17, 23, 29) DO(4, 12, 18, 24, 30) \
  DO(5, 13, 19, 25, 31)
#define DOT_BIAS(r, a, b, c, d) "ldp q" #a ", q" #b ", [%[bias]]\n ldp q" #c ", q" #d ", [%[bias], #32]\n"
#define DOT_STORE(r, a, b, c, d) \
  "stp q" #a ", q" #b ", [%[acc], #(64 * " #r ")]\n stp q" #c ", q" #d ", [%[acc], #(64 * " #r " + 32)]\n"
/* Bytes by the rule of OUT_NEAR, all of them within the bounds, two rows at once, so that no instruction waits for the one
 * before it: factors in v0 .. v3, zero points in v4. */
#define DOT_REAL(s) "scvtf v" #s ".4s, v" #s ".4s\n"
#define DOT_TIMES(s, f) "fmul v" #s ".4s, v" #s ".4s, v" #f ".4s\n"
#define DOT_ROUND(s) "fcvtns v" #s ".4s, v" #s ".4s\n"
#define DOT_FEW(a) "sqxtn v" #a ".4h, v" #a ".4s\n"
#define DOT_PACK(a, b) "sqxtn2 v" #a ".8h, v" #b ".4s\n"
/* The same where results are tight: a number below 2^22 in size added to v5, 3 * 2^22, is rounded to even in the last bits. The
 * instructions that make integers take some cores twice as long. */
#define DOT_ROUND_TIGHT(s) "fadd v" #s ".4s, v" #s ".4s, v5.4s\n"
#define DOT_FEW_TIGHT(a)
#define DOT_PACK_TIGHT(a, b) "uzp1 v" #a ".8h, v" #a ".8h, v" #b ".8h\n"
#define DOT_ZERO(a) "sqadd v" #a ".8h, v" #a ".8h, v4.8h\n"
#define DOT_BYTES(OP, a) OP " v" #a ".8b, v" #a ".8h\n"
#define DOT_BYTES_TOO(OP, a, c) OP "2 v" #a ".16b, v" #c ".8h\n"
#define DOT_PUT(a) "str q" #a ", [%[out]]\n add %[out], %[out], %[pitch]\n"
#define DOT_MAKE(OP, K, a, b, c, d, e, f, g, h)                                                                            \
  DOT_REAL(a) DOT_REAL(b) DOT_REAL(c) DOT_REAL(d) DOT_REAL(e) DOT_REAL(f) DOT_REAL(g) DOT_REAL(h)                          \
  DOT_TIMES(a, 0) DOT_TIMES(b, 1) DOT_TIMES(c, 2) DOT_TIMES(d, 3) DOT_TIMES(e, 0) DOT_TIMES(f, 1) DOT_TIMES(g, 2)          \
  DOT_TIMES(h, 3) DOT_ROUND##K(a) DOT_ROUND##K(b) DOT_ROUND##K(c) DOT_ROUND##K(d) DOT_ROUND##K(e) DOT_ROUND##K(f)          \
  DOT_ROUND##K(g) DOT_ROUND##K(h) DOT_FEW##K(a) DOT_FEW##K(c) DOT_FEW##K(e) DOT_FEW##K(g) DOT_PACK##K(a, b)                \
  DOT_PACK##K(c, d) DOT_PACK##K(e, f) DOT_PACK##K(g, h) DOT_ZERO(a) DOT_ZERO(c) DOT_ZERO(e) DOT_ZERO(g) DOT_BYTES(OP, a)   \
  DOT_BYTES(OP, e) DOT_BYTES_TOO(OP, a, c) DOT_BYTES_TOO(OP, e, g) DOT_PUT(a) DOT_PUT(e)
#define DOT_ROWS_OF(OP, K)                                                                              \
  "ldp q0, q1, [%[real]]\n ldp q2, q3, [%[real], #32]\n dup v4.8h, %w[zero]\n dup v5.4s, %w[three]\n" \
  DOT_MAKE(OP, K, 8, 14, 20, 26, 9, 15, 21, 27) DOT_MAKE(OP, K, 10, 16, 22, 28, 11, 17, 23, 29)         \
  DOT_MAKE(OP, K, 12, 18, 24, 30, 13, 19, 25, 31)

/* The sums. */
#define DOT_SUMS                                                                                                     \
  DOT_EACH(DOT_BIAS) DOT_PAIR(0)                                                                                     \
  "1:\n" /* a run: rows end where k is 0 */                                                                          \
  "ldr %[k], [%[at]], #8\n"                                                                                          \
  "ldp %[a0], %[a1], [%[row]]\n ldp %[a2], %[a3], [%[row], #16]\n ldp %[a4], %[a5], [%[row], #32]\n"                \
  "add %[k], %[k], %[last]\n"                                                                                        \
  "add %[a0], %[a0], %[k]\n add %[a1], %[a1], %[k]\n add %[a2], %[a2], %[k]\n"                                      \
  "add %[a3], %[a3], %[k]\n add %[a4], %[a4], %[k]\n add %[a5], %[a5], %[k]\n"                                      \
  "neg %[k], %[last]\n" DOT_ROWS("%[k]")                                                                             \
  "cbz %[k], 3f\n"                                                                                                   \
  "2:\n" /* sixteen bytes, with more to come */                                                                      \
  DOT_WHOLE(0, 0) "adds %[k], %[k], #16\n" DOT_WHOLE(1, 64) DOT_WHOLE(2, 128) "add %[w], %[w], #256\n"               \
  LOOP_6(LOOP_SDOT, 3, 6, 8, 9, 10, 11, 12, 13) LOOP_6(LOOP_SDOT, 3, 7, 14, 15, 16, 17, 18, 19) DOT_PAIR(-32)        \
  LOOP_6(LOOP_SDOT, 3, 6, 20, 21, 22, 23, 24, 25) "ldr q6, [%[w]]\n"                                                 \
  DOT_LAST(0, 26, 0) DOT_LAST(1, 27, 1) DOT_LAST(2, 28, 2) DOT_LAST(3, 29, 3) DOT_LAST(4, 30, 4) DOT_LAST(5, 31, 5) \
  "ldr q7, [%[w], #16]\n b.ne 2b\n"                                                                                  \
  "3:\n" /* the last sixteen */                                                                                      \
  DOT_WHOLE(0, 0) DOT_WHOLE(1, 64) DOT_WHOLE(2, 128) DOT_WHOLE(3, 192) "add %[w], %[w], #256\n"                      \
  "cbz %[tail], 6f\n" DOT_ROWS("%[tail]")                                                                            \
  "cmp %[tail], #8\n b.eq 4f\n b.lo 5f\n" DOT_ONE(1) "4:\n" DOT_ONE(2) "5:\n" DOT_ONE(3)                             \
  "6:\n subs %[runs], %[runs], #1\n b.ne 1b\n"

/* What a tile is made of; bytes: of a run, a multiple of 4 and at least 16. */
typedef struct dots_tile {
  const int8_t *const *row;
  const int64_t *at;
  int64_t runs, bytes;
  const int8_t *w;
  const int32_t *bias;
} dots_tile;

#define DOT_RUN(end, more, ...)                                                                                          \
  int64_t k, a0, a1, a2, a3, a4, a5, runs = t->runs;                                                                     \
  const int64_t *at = t->at, tail = t->bytes & 15, last = t->bytes - tail - 16;                                          \
  const int8_t *w = t->w;                                                                                                \
  __asm__ volatile(DOT_SUMS end                                                                                          \
                   : [w] "+r"(w), [at] "+r"(at), [runs] "+r"(runs), [k] "=&r"(k), [a0] "=&r"(a0), [a1] "=&r"(a1),         \
                     [a2] "=&r"(a2), [a3] "=&r"(a3), [a4] "=&r"(a4), [a5] "=&r"(a5) more                                 \
                   : [row] "r"(t->row), [last] "r"(last), [tail] "r"(tail), [bias] "r"(t->bias), __VA_ARGS__              \
                   : LOOP_CLOBBERS)
#define DOT_OUT , [out] "+r"(out)

/* Sums, rows 16 apart. */
static void dots_6x4(const dots_tile *t, int32_t *acc) { DOT_RUN(DOT_EACH(DOT_STORE), , [acc] "r"(acc)); }
/* Bytes with a zero point, rows `pitch` apart. */
#define DOT_TILE(name, OP, K)                                                                                             \
  static void name(const dots_tile *t, const float *real, int32_t zero, uint8_t *out, int64_t pitch) {                    \
    DOT_RUN(DOT_ROWS_OF(OP, K), DOT_OUT, [real] "r"(real), [zero] "r"(zero), [three] "r"(0x4b400000), [pitch] "r"(pitch)); \
  }
DOT_TILE(dots_6x4_u8, "sqxtun", )
DOT_TILE(dots_6x4_s8, "sqxtn", )
DOT_TILE(dots_6x4_u8_tight, "sqxtun", _TIGHT)
DOT_TILE(dots_6x4_s8_tight, "sqxtn", _TIGHT)

#endif
