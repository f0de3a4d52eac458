/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_ARM_LOOPS_H
#define WHET_KERN_ARM_LOOPS_H

/* Inner loops of products on aarch64, written out for cores that issue in order (Cortex-A53, A55): compilers put
 * loads together, where each waits, or run out of registers, of which all are needed. A loop of R rows by Q registers
 * of sums is
 *
 *   for each group of four steps:  for lane 0 .. 3, for q < Q, for r < R:  sum[r][q] += op(w[step][q], a[r] lane)
 *
 * Weights are a stream of registers: one is used by every row, then loaded anew with what comes two or four further,
 * so that the loads stand between products and none waits for its own. Behind the weights 64 bytes are read at most
 * (less than WHET_SLACK more). The next four of a row of A are loaded by the last product that uses those before; in
 * the last round those are the same once more, so nothing is read behind A.
 *
 * Operands: acc: the sums, rows LOOP_STRIDE bytes apart; a[]: where the last sixteen bytes of each row are; w:
 * weights; at: 16 - the bytes of a row, which are a multiple of 16. */

#include <stdint.h>

/* The product: sums in c, weights in b, lane l of x. */
#define LOOP_FMLA(c, b, x, l) "fmla v" #c ".4s, v" #b ".4s, v" #x ".s[" #l "]\n"

#define LOOP_W(b, at) "ldr q" #b ", [%[w], #(" #at ")]\n"
#define LOOP_A(x, i) "ldr q" #x ", [%[a" #i "], %[next]]\n"
#define LOOP_A_FIRST(x, i) "ldr q" #x ", [%[a" #i "], %[at]]\n"
#define LOOP_IN(i, stride, at, c, d) "ldp q" #c ", q" #d ", [%[acc], #(" #i " * " #stride " + " #at ")]\n"
#define LOOP_OUT(i, stride, at, c, d) "stp q" #c ", q" #d ", [%[acc], #(" #i " * " #stride " + " #at ")]\n"
#define LOOP_BEGIN "1:\n"
#define LOOP_NEXT "adds %[at], %[at], #16\n"
#define LOOP_ON(bytes) "and %[next], %[at], %[at], asr #63\nadd %[w], %[w], #" #bytes "\n"
#define LOOP_END "b.le 1b\n"
#define LOOP_CLOBBERS                                                                                            \
  "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", \
      "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",   \
      "v30", "v31"

/* 6 rows by 4 registers: A in v0 .. v5, weights in v6 and v7. */
#define LOOP_6(OP, l, b, c0, c1, c2, c3, c4, c5) \
  OP(c0, b, 0, l) OP(c1, b, 1, l) OP(c2, b, 2, l) OP(c3, b, 3, l) OP(c4, b, 4, l) OP(c5, b, 5, l)
#define LOOP_6X4_LANE(OP, l, at)                                                 \
  LOOP_6(OP, l, 6, 8, 9, 10, 11, 12, 13)                                         \
  LOOP_W(6, at + 32) LOOP_6(OP, l, 7, 14, 15, 16, 17, 18, 19) LOOP_W(7, at + 48) \
      LOOP_6(OP, l, 6, 20, 21, 22, 23, 24, 25) LOOP_W(6, at + 64)
#define LOOP_6X4_SUMS(DO, stride)                                                                           \
  DO(0, stride, 0, 8, 14)                                                                                   \
  DO(0, stride, 32, 20, 26) DO(1, stride, 0, 9, 15) DO(1, stride, 32, 21, 27) DO(2, stride, 0, 10, 16)      \
      DO(2, stride, 32, 22, 28) DO(3, stride, 0, 11, 17) DO(3, stride, 32, 23, 29) DO(4, stride, 0, 12, 18) \
          DO(4, stride, 32, 24, 30) DO(5, stride, 0, 13, 19) DO(5, stride, 32, 25, 31)
#define LOOP_6X4(OP, stride, acc_, a_, w_, at_)                                                                    \
  do {                                                                                                             \
    int64_t at__ = at_, next__;                                                                                    \
    const void *w__ = w_;                                                                                          \
    __asm__ volatile(                                                                                              \
        LOOP_6X4_SUMS(LOOP_IN, stride) LOOP_A_FIRST(0, 0) LOOP_A_FIRST(1, 1) LOOP_A_FIRST(2, 2) LOOP_A_FIRST(3, 3) \
            LOOP_A_FIRST(4, 4) LOOP_A_FIRST(5, 5) LOOP_W(6, 0) LOOP_W(7, 16) LOOP_BEGIN LOOP_6X4_LANE(OP, 0, 0)    \
                LOOP_6(OP, 0, 7, 26, 27, 28, 29, 30, 31) LOOP_W(7, 80) LOOP_NEXT LOOP_6X4_LANE(OP, 1, 64)          \
                    LOOP_6(OP, 1, 7, 26, 27, 28, 29, 30, 31) LOOP_W(7, 144) LOOP_6X4_LANE(OP, 2, 128) LOOP_6(      \
                        OP, 2, 7, 26, 27, 28, 29, 30, 31) LOOP_W(7, 208) LOOP_ON(256) LOOP_6X4_LANE(OP, 3, -64)    \
                        OP(26, 7, 0, 3) LOOP_A(0, 0) OP(27, 7, 1, 3) LOOP_A(1, 1) OP(28, 7, 2, 3) LOOP_A(2, 2)     \
                            OP(29, 7, 3, 3) LOOP_A(3, 3) OP(30, 7, 4, 3) LOOP_A(4, 4) OP(31, 7, 5, 3) LOOP_A(5, 5) \
                                LOOP_W(7, 16) LOOP_END LOOP_6X4_SUMS(LOOP_OUT, stride)                             \
        : [w] "+r"(w__), [at] "+r"(at__), [next] "=&r"(next__)                                                     \
        : [acc] "r"(acc_), [a0] "r"((a_)[0]), [a1] "r"((a_)[1]), [a2] "r"((a_)[2]), [a3] "r"((a_)[3]),             \
          [a4] "r"((a_)[4]), [a5] "r"((a_)[5])                                                                     \
        : LOOP_CLOBBERS);                                                                                          \
  } while (0)

/* 8 rows by 2 registers: A in v0 .. v7, weights in v8 and v9. */
#define LOOP_8(OP, l, b, c0, c1, c2, c3, c4, c5, c6, c7) \
  LOOP_6(OP, l, b, c0, c1, c2, c3, c4, c5) OP(c6, b, 6, l) OP(c7, b, 7, l)
#define LOOP_8X2_LANE(OP, l, at) LOOP_8(OP, l, 8, 16, 17, 18, 19, 20, 21, 22, 23) LOOP_W(8, at + 32)
#define LOOP_8X2_SUMS(DO, stride)                                                                     \
  DO(0, stride, 0, 16, 24)                                                                            \
  DO(1, stride, 0, 17, 25) DO(2, stride, 0, 18, 26) DO(3, stride, 0, 19, 27) DO(4, stride, 0, 20, 28) \
      DO(5, stride, 0, 21, 29) DO(6, stride, 0, 22, 30) DO(7, stride, 0, 23, 31)
#define LOOP_8X2(OP, stride, acc_, a_, w_, at_)                                                                    \
  do {                                                                                                             \
    int64_t at__ = at_, next__;                                                                                    \
    const void *w__ = w_;                                                                                          \
    __asm__ volatile(                                                                                              \
        LOOP_8X2_SUMS(LOOP_IN, stride) LOOP_A_FIRST(0, 0) LOOP_A_FIRST(1, 1) LOOP_A_FIRST(2, 2) LOOP_A_FIRST(3, 3) \
            LOOP_A_FIRST(4, 4) LOOP_A_FIRST(5, 5) LOOP_A_FIRST(6, 6) LOOP_A_FIRST(7, 7) LOOP_W(8, 0) LOOP_W(9, 16) \
                LOOP_BEGIN LOOP_8X2_LANE(OP, 0, 0) LOOP_8(OP, 0, 9, 24, 25, 26, 27, 28, 29, 30, 31) LOOP_W(9, 48)  \
                    LOOP_NEXT LOOP_8X2_LANE(OP, 1, 32) LOOP_8(OP, 1, 9, 24, 25, 26, 27, 28, 29, 30, 31)            \
                        LOOP_W(9, 80) LOOP_8X2_LANE(OP, 2, 64) LOOP_8(OP, 2, 9, 24, 25, 26, 27, 28, 29, 30, 31)    \
                            LOOP_W(9, 112) LOOP_ON(128) LOOP_8X2_LANE(OP, 3, -32) OP(24, 9, 0, 3) LOOP_A(0, 0)     \
                                OP(25, 9, 1, 3) LOOP_A(1, 1) OP(26, 9, 2, 3) LOOP_A(2, 2) OP(27, 9, 3, 3)          \
                                    LOOP_A(3, 3) OP(28, 9, 4, 3) LOOP_A(4, 4) OP(29, 9, 5, 3) LOOP_A(5, 5)         \
                                        OP(30, 9, 6, 3) LOOP_A(6, 6) OP(31, 9, 7, 3) LOOP_A(7, 7) LOOP_W(9, 16)    \
                                            LOOP_END LOOP_8X2_SUMS(LOOP_OUT, stride)                               \
        : [w] "+r"(w__), [at] "+r"(at__), [next] "=&r"(next__)                                                     \
        : [acc] "r"(acc_), [a0] "r"((a_)[0]), [a1] "r"((a_)[1]), [a2] "r"((a_)[2]), [a3] "r"((a_)[3]),             \
          [a4] "r"((a_)[4]), [a5] "r"((a_)[5]), [a6] "r"((a_)[6]), [a7] "r"((a_)[7])                               \
        : LOOP_CLOBBERS);                                                                                          \
  } while (0)

/* 4 rows by 6 registers: A in v0 .. v3, weights in v4 .. v7. */
#define LOOP_4(OP, l, b, c0, c1, c2, c3) OP(c0, b, 0, l) OP(c1, b, 1, l) OP(c2, b, 2, l) OP(c3, b, 3, l)
/* Two steps: after six registers weights are two further on. */
#define LOOP_4X6_EVEN(OP, l, at)                                                                               \
  LOOP_4(OP, l, 4, 8, 9, 10, 11)                                                                               \
  LOOP_W(4, at + 64) LOOP_4(OP, l, 5, 12, 13, 14, 15) LOOP_W(5, at + 80) LOOP_4(OP, l, 6, 16, 17, 18, 19)      \
      LOOP_W(6, at + 96) LOOP_4(OP, l, 7, 20, 21, 22, 23) LOOP_W(7, at + 112) LOOP_4(OP, l, 4, 24, 25, 26, 27) \
          LOOP_W(4, at + 128) LOOP_4(OP, l, 5, 28, 29, 30, 31) LOOP_W(5, at + 144)
#define LOOP_4X6_ODD(OP, l, at)                                                                           \
  LOOP_4(OP, l, 6, 8, 9, 10, 11)                                                                          \
  LOOP_W(6, at + 64) LOOP_4(OP, l, 7, 12, 13, 14, 15) LOOP_W(7, at + 80) LOOP_4(OP, l, 4, 16, 17, 18, 19) \
      LOOP_W(4, at + 96) LOOP_4(OP, l, 5, 20, 21, 22, 23) LOOP_W(5, at + 112)
#define LOOP_4X6_SUMS(DO, stride)                                                                            \
  DO(0, stride, 0, 8, 12)                                                                                    \
  DO(0, stride, 32, 16, 20) DO(0, stride, 64, 24, 28) DO(1, stride, 0, 9, 13) DO(1, stride, 32, 17, 21)      \
      DO(1, stride, 64, 25, 29) DO(2, stride, 0, 10, 14) DO(2, stride, 32, 18, 22) DO(2, stride, 64, 26, 30) \
          DO(3, stride, 0, 11, 15) DO(3, stride, 32, 19, 23) DO(3, stride, 64, 27, 31)
#define LOOP_4X6(OP, stride, acc_, a_, w_, at_)                                                                    \
  do {                                                                                                             \
    int64_t at__ = at_, next__;                                                                                    \
    const void *w__ = w_;                                                                                          \
    __asm__ volatile(                                                                                              \
        LOOP_4X6_SUMS(LOOP_IN, stride) LOOP_A_FIRST(0, 0) LOOP_A_FIRST(1, 1) LOOP_A_FIRST(2, 2) LOOP_A_FIRST(3, 3) \
            LOOP_W(4, 0) LOOP_W(5, 16) LOOP_W(6, 32) LOOP_W(7, 48) LOOP_BEGIN LOOP_4X6_EVEN(OP, 0, 0)              \
                LOOP_NEXT LOOP_4X6_ODD(OP, 1, 96) LOOP_4(OP, 1, 6, 24, 25, 26, 27) LOOP_W(6, 224)                  \
                    LOOP_4(OP, 1, 7, 28, 29, 30, 31) LOOP_W(7, 240) LOOP_4X6_EVEN(OP, 2, 192) LOOP_ON(384)         \
                        LOOP_4X6_ODD(OP, 3, -96) OP(24, 6, 0, 3) OP(28, 7, 0, 3) LOOP_A(0, 0) OP(25, 6, 1, 3)      \
                            OP(29, 7, 1, 3) LOOP_A(1, 1) OP(26, 6, 2, 3) OP(30, 7, 2, 3) LOOP_A(2, 2)              \
                                OP(27, 6, 3, 3) OP(31, 7, 3, 3) LOOP_A(3, 3) LOOP_W(6, 32) LOOP_W(7, 48)           \
                                    LOOP_END LOOP_4X6_SUMS(LOOP_OUT, stride)                                       \
        : [w] "+r"(w__), [at] "+r"(at__), [next] "=&r"(next__)                                                     \
        : [acc] "r"(acc_), [a0] "r"((a_)[0]), [a1] "r"((a_)[1]), [a2] "r"((a_)[2]), [a3] "r"((a_)[3])              \
        : LOOP_CLOBBERS);                                                                                          \
  } while (0)

#endif
