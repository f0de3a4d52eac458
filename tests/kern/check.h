/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TESTS_KERN_CHECK_H
#define WHET_TESTS_KERN_CHECK_H

/* The kernel checker: pits every row of a family that this machine has against the family's portable row and against
 * a naive reference, over random cases, and times the same code.
 *
 * A family's test is one file, tests/kern/<family>.c, with one kc_test and KC_MAIN. The checker calls draw() with a
 * seed; draw() chooses sizes, fills the parameters and declares the arguments in the order of the family's header.
 * Then, for every row: pack() makes what depends on the row's packed form, the row runs (whole and in parts), and
 *   - the last row of the family (portable C) must pass check();
 *   - an exact row must give the bytes of that row (any NaN equals any NaN); other rows must pass check() themselves;
 *   - whatever `parts` is, the bytes must be the same as with one part;
 *   - bytes of output buffers that no element of the portable row's result covers must be untouched;
 *   - inputs must be untouched, nothing outside a buffer may be read or written: each ends (or starts) at a guard
 * page.
 *
 * Options of every test: --seed S (one case), --row NAME, --cpu LEVEL, --cases N, --ms N (time limit; of each row
 * with --bench), --planted (succeed only if a failure is found: for builds with WHET_PLANT), --bench [TEXT] (time the
 * bench cases whose name contains TEXT). */

#include <stdint.h>

#include "base/base.h"
#include "base/dtype.h"
#include "kern/kern.h"

/* How the inputs of a case are filled; drawn for each case, kc_in obeys. */
typedef enum kc_fill {
  KC_RANDOM,    /* floats uniform in -1..1, integers over their whole range */
  KC_INTS,      /* small integers -3..3 (unsigned 0..6): sums of floats are exact */
  KC_MIN,       /* integers: the least value; floats: -1 */
  KC_MAX,       /* integers: the greatest value; floats: 1 */
  KC_ALTERNATE, /* least, greatest, least, ... ; floats: -1, 1 */
  KC_SPECIAL,   /* floats: random with NaN, Inf, denormals, -0 and huge ones strewn in; integers: random extremes */
  KC_FILLS
} kc_fill;

enum { KC_ARGS = 16, KC_PARAMS_MAX = 2048 };

/* What an argument is. */
enum { KC_NONE, KC_IN, KC_OUT, KC_INOUT, KC_PACKED, KC_ALIAS };

typedef struct kc_arg {
  uint8_t kind;
  uint8_t dtype;      /* whet_dtype */
  int alias;          /* KC_ALIAS: number of the argument that it lies on */
  int64_t n;          /* elements */
  size_t bytes;       /* of the elements */
  unsigned char *p;   /* the elements */
  unsigned char *map; /* the mapping with its guard pages */
  size_t map_bytes;
  unsigned char *init; /* contents before a run: KC_IN, KC_OUT, KC_INOUT */
  unsigned char *base; /* contents after the portable row: KC_OUT, KC_INOUT */
} kc_arg;

typedef struct kc kc;

typedef struct kc_test {
  unsigned family;                           /* WHET_FAMILY_ */
  size_t state_bytes;                        /* of k->state, zeroed before draw() */
  uint32_t fills;                            /* bit i: kc_fill i makes sense; 0: RANDOM and INTS */
  void (*draw)(kc *k);                       /* choose a case */
  void (*pack)(kc *k, const whet_kern *row); /* make the KC_PACKED arguments for a row; NULL: there are none */
  void (*check)(kc *k);                      /* compare the outputs with the reference: kc_want_... */
  int n_bench;
  void (*bench)(kc *k, int i); /* as draw(), for bench case i */
} kc_test;

struct kc {
  const kc_test *test;
  const whet_kern *row; /* the row under test */
  void *state;          /* the test's own */
  uint64_t seed, drawn; /* of the case; numbers drawn so far */
  kc_fill fill;
  bool bench; /* timing: buffers are aligned and not guarded */
  _Alignas(64) unsigned char params[KC_PARAMS_MAX];
  kc_arg arg[KC_ARGS];
  int n_arg;
  int scratch;    /* the argument that is scratch; 0: the one after the last */
  double ops;     /* operations of the case: multiply and add count one each */
  double bytes;   /* bytes that it has to move, 0: not told */
  char name[160]; /* what the case is, for messages */
  int failures;   /* of this case */
  struct kc_block *mem;
};

/* Numbers that depend on the seed only. */
uint32_t kc_u32(kc *k);
int64_t kc_range(kc *k, int64_t lo, int64_t hi); /* lo..hi */
bool kc_chance(kc *k, int percent);
float kc_f32(kc *k); /* -1..1 */
/* A size in 1..max, often at or beside a multiple of 8, 16, 32, 64 or a power of two, often small. */
int64_t kc_size(kc *k, int64_t max);

/* The zeroed parameter block of the case (n <= KC_PARAMS_MAX). */
void *kc_params(kc *k, size_t n);
/* The next argument: an input filled as the case's fill says, an output (filled with a pattern), both, the memory of
 * an earlier argument (in place), absent, or made by pack(). Each answers the pointer; draw() may write other contents
 * there. */
void *kc_in(kc *k, whet_dtype t, int64_t n);
/* The next argument: an input, or input and output, with the given contents. */
void *kc_given(kc *k, whet_dtype t, int64_t n, const void *from);
void *kc_inout_given(kc *k, whet_dtype t, int64_t n, const void *from);
void *kc_out(kc *k, whet_dtype t, int64_t n);
void *kc_inout(kc *k, whet_dtype t, int64_t n);
void *kc_alias(kc *k, int arg);
void kc_absent(kc *k);
/* The next argument is scratch, which otherwise comes after the last. */
void kc_scratch(kc *k);
/* Reserve the next argument for pack(); answers its number. */
int kc_packed(kc *k);
/* In pack(): `bytes` for that argument, aligned to WHET_ALIGN, WHET_SLACK readable after them. */
void *kc_pack_bytes(kc *k, int arg, size_t bytes);
/* Memory that lives as long as the case; zeroed. */
void *kc_mem(kc *k, size_t bytes);
/* Fill an array as kc_in does. */
void kc_fill_array(kc *k, whet_dtype t, void *p, int64_t n, kc_fill how);
/* Say what the case is. */
void kc_name(kc *k, const char *fmt, ...) WHET_PRINTF(2, 3);

/* In check(): element i of argument `arg` must be `want`: within tol (floats; a NaN demands a NaN), or exactly. */
void kc_want(kc *k, int arg, int64_t i, double want, double tol);
void kc_want_int(kc *k, int arg, int64_t i, int64_t want);
/* The float must have these very bits; any NaN equals any NaN. */
void kc_want_f32(kc *k, int arg, int64_t i, float want);
/* A factor of a product as the row under test sees it: rounded to bf16 where it rounds. */
float kc_factor(const kc *k, float x);
/* A sum of n products whose sizes add up to `size`, those of their factors to `factors`. */
typedef struct kc_sum {
  double size, factors;
  int64_t n;
} kc_sum;
static inline void kc_add(kc_sum *s, float x, float y) {
  double a = x < 0 ? -(double)x : x, b = y < 0 ? -(double)y : y;
  s->size += a * b;
  s->factors += a + b;
  s->n++;
}
/* As kc_want_f32 for rows that are exact; others sum in an order of their own and take numbers below 2^-126 as zeros. times: what
 * the epilogue multiplies the sum by. */
void kc_want_sum(kc *k, int arg, int64_t i, float want, const kc_sum *s, double times);
/* Numbers as factors, n of them, in a copy. */
const float *kc_factors(kc *k, const float *x, int64_t n);
/* For rows that round, results within `share` of the greatest of n; where one is not finite nothing can be said. For others as
 * kc_want_f32. Element i is argument `arg`'s element at[i]. */
void kc_want_near(kc *k, int arg, const int64_t *at, const float *want, int64_t n, double share);
/* Report a failure of the case. */
void kc_fail(kc *k, const char *fmt, ...) WHET_PRINTF(2, 3);

/* Seconds of a steady clock. */
double kc_now(void);

int kc_main(const kc_test *t, int argc, char **argv);
#define KC_MAIN(test) \
  int main(int argc, char **argv) { return kc_main(&(test), argc, argv); }

#endif
