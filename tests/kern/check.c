/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel checker: cases, guarded buffers, comparison, timing. check.h says what it demands. */

#include "kern/check.h"

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/rng.h"
#include "kern/peak.h"

enum { PAGE = 4096, CANARY = 0xFD };

struct kc_block {
  struct kc_block *next;
  _Alignas(64) unsigned char bytes[];
};

/* Options of the command line. */
typedef struct options {
  const char *row;    /* only this row (and the portable one) */
  const char *bench;  /* time the cases with this in their names; NULL: check */
  whet_target target; /* what may be used */
  uint64_t seed;      /* the first case, or the only one */
  bool one, planted;
  int64_t cases, ms;
} options;

#ifdef WHET_EMULATED
enum { MILLISECONDS = 15000 }; /* in which an emulator tries about as much */
#else
enum { MILLISECONDS = 1500 };
#endif
static const char *g_self; /* argv[0] */
static kc *g_now;          /* the case that runs, for the signal handler */

double kc_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- drawing ----------------------------------------------------------------------------------------------------
 */

uint32_t kc_u32(kc *k) {
  uint32_t out[4];
  whet__rng_block(k->seed, 1, k->drawn++, out);
  return out[0];
}

int64_t kc_range(kc *k, int64_t lo, int64_t hi) { return lo + (int64_t)(kc_u32(k) % (uint64_t)(hi - lo + 1)); }

bool kc_chance(kc *k, int percent) { return kc_range(k, 0, 99) < percent; }

float kc_f32(kc *k) { return 2.0f * whet__rng_unit(kc_u32(k)) - 1.0f; }

int64_t kc_size(kc *k, int64_t max) {
  int64_t n;
  switch (kc_range(k, 0, 5)) {
    case 0:
      n = kc_range(k, 1, 4);
      break;
    case 1:
      n = (int64_t)8 * kc_range(k, 1, 16) + kc_range(k, -1, 1);
      break;
    case 2:
      n = (int64_t)16 * kc_range(k, 1, 12) + kc_range(k, -1, 1);
      break;
    case 3:
      n = ((int64_t)1 << kc_range(k, 1, 10)) + kc_range(k, -1, 1);
      break;
    case 4:
      n = kc_range(k, 1, 40);
      break;
    default:
      n = kc_range(k, 1, max);
      break;
  }
  return n <= max ? n : kc_range(k, 1, max);
}

void kc_name(kc *k, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(k->name, sizeof k->name, fmt, ap);
  va_end(ap);
}

/* Ends the process: the checker itself cannot go on. */
static void die(const char *what) {
  fprintf(stderr, "check: %s\n", what);
  exit(2);
}

void *kc_mem(kc *k, size_t bytes) {
  struct kc_block *b = NULL;
  if (posix_memalign((void **)&b, 64, sizeof *b + whet__round_up(bytes, 64))) die("out of memory");
  memset(b->bytes, 0, bytes);
  b->next = k->mem;
  k->mem = b;
  return b->bytes;
}

void *kc_params(kc *k, size_t n) {
  if (n > KC_PARAMS_MAX) die("parameters too large");
  memset(k->params, 0, sizeof k->params);
  return k->params;
}

/* A float of a fill. */
static float draw_float(kc *k, kc_fill how, int64_t i) {
#ifdef __arm__ /* vectors take numbers below 2^-126 as zeros */
  enum { LEAST = 0x00800000u, BELOW = 0x00800000u };
#else
  enum { LEAST = 0x00000001u, BELOW = 0x007fffffu };
#endif
  static const uint32_t special[] = {0x7fc00000u,         0x7f800000u, 0xff800000u, 0x80000000u, LEAST,
                                     0x80000000u | BELOW, 0x7f7fffffu, 0xff7fffffu, 0x00000000u, 0x3f800001u};
  float f;
  switch (how) {
    case KC_INTS:
      return (float)kc_range(k, -3, 3);
    case KC_MIN:
      return -1;
    case KC_MAX:
      return 1;
    case KC_ALTERNATE:
      return i & 1 ? 1 : -1;
    case KC_SPECIAL:
      if (kc_chance(k, 90)) return kc_f32(k);
      memcpy(&f, &special[kc_range(k, 0, (int64_t)WHET_COUNT(special) - 1)], 4);
      return f;
    default:
      return kc_f32(k);
  }
}

/* An integer of a fill for a type's range. */
static int64_t draw_int(kc *k, whet_dtype t, kc_fill how, int64_t i) {
  int64_t lo = whet__dtype_min(t), hi = whet__dtype_max(t);
  switch (how) {
    case KC_INTS:
      return lo < 0 ? kc_range(k, -3, 3) : kc_range(k, 0, hi < 6 ? hi : 6);
    case KC_MIN:
      return lo;
    case KC_MAX:
      return hi;
    case KC_ALTERNATE:
      return i & 1 ? hi : lo;
    case KC_SPECIAL:
      return kc_chance(k, 50) ? lo : hi;
    default:
      break;
  }
  uint64_t r = (uint64_t)kc_u32(k) << 32 | kc_u32(k);
  uint64_t span = (uint64_t)hi - (uint64_t)lo;
  return span == UINT64_MAX ? (int64_t)r : (int64_t)((uint64_t)lo + r % (span + 1));
}

void kc_fill_array(kc *k, whet_dtype t, void *p, int64_t n, kc_fill how) {
  for (int64_t i = 0; i < n; i++)
    if (whet__is_float(t))
      whet__set_f64(t, p, i, draw_float(k, how, i));
    else
      whet__set_i64(t, p, i, draw_int(k, t, how, i));
}

/* ---- buffers ----------------------------------------------------------------------------------------------------
 */

/* The pages between the guards. */
static unsigned char *pages(const kc_arg *a) { return a->map + PAGE; }
static size_t page_bytes(const kc_arg *a) { return a->map_bytes - 2 * PAGE; }

/* Map an argument's memory: its end, or its start, lies at a page that may not be touched. */
static void map_arg(kc *k, kc_arg *a, size_t slack) {
  size_t room = whet__round_up(a->bytes + slack, WHET_ALIGN);
  if (slack == 0 && !k->bench) room = a->bytes;
  size_t n = whet__round_up(room ? room : 1, PAGE);
  a->map_bytes = n + 2 * PAGE;
  a->map = mmap(NULL, a->map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (a->map == MAP_FAILED) die("out of memory");
  memset(pages(a), CANARY, n);
  a->p = k->bench || kc_chance(k, 25) ? pages(a) : pages(a) + n - room;
  if (mprotect(a->map, PAGE, PROT_NONE) || mprotect(a->map + PAGE + n, PAGE, PROT_NONE)) die("mprotect");
}

/* The next argument, mapped. */
static kc_arg *next_arg(kc *k, int kind, whet_dtype t, int64_t n) {
  if (k->n_arg == KC_ARGS) die("too many arguments");
  kc_arg *a = &k->arg[k->n_arg++];
  *a = (kc_arg){.kind = (uint8_t)kind, .dtype = (uint8_t)t, .n = n};
  if (kind == KC_NONE || kind == KC_PACKED || kind == KC_ALIAS) return a;
  a->bytes = (size_t)n * whet__dtype_size(t);
  map_arg(k, a, 0);
  return a;
}

/* Remember what the pages hold before a run. */
static void *remember(kc *k, kc_arg *a) {
  if (k->bench) return a->p;
  a->init = kc_mem(k, page_bytes(a));
  memcpy(a->init, pages(a), page_bytes(a));
  if (a->kind != KC_IN) a->base = kc_mem(k, page_bytes(a));
  return a->p;
}

void *kc_in(kc *k, whet_dtype t, int64_t n) {
  kc_arg *a = next_arg(k, KC_IN, t, n);
  kc_fill_array(k, t, a->p, n, k->fill);
  return remember(k, a);
}

void *kc_given(kc *k, whet_dtype t, int64_t n, const void *from) {
  kc_arg *a = next_arg(k, KC_IN, t, n);
  memcpy(a->p, from, a->bytes);
  return remember(k, a);
}

void *kc_inout_given(kc *k, whet_dtype t, int64_t n, const void *from) {
  kc_arg *a = next_arg(k, KC_INOUT, t, n);
  memcpy(a->p, from, a->bytes);
  return remember(k, a);
}

void *kc_out(kc *k, whet_dtype t, int64_t n) { return remember(k, next_arg(k, KC_OUT, t, n)); }

void *kc_inout(kc *k, whet_dtype t, int64_t n) {
  kc_arg *a = next_arg(k, KC_INOUT, t, n);
  kc_fill_array(k, t, a->p, n, k->fill);
  return remember(k, a);
}

void *kc_alias(kc *k, int arg) {
  kc_arg *a = next_arg(k, KC_ALIAS, WHET_NONE, 0);
  a->alias = arg;
  return k->arg[arg].p;
}

void kc_scratch(kc *k) {
  k->scratch = k->n_arg;
  kc_absent(k);
}

void kc_absent(kc *k) { next_arg(k, KC_NONE, WHET_NONE, 0); }

int kc_packed(kc *k) {
  next_arg(k, KC_PACKED, WHET_U8, 0);
  return k->n_arg - 1;
}

void *kc_pack_bytes(kc *k, int arg, size_t bytes) {
  kc_arg *a = &k->arg[arg];
  if (a->map) munmap(a->map, a->map_bytes);
  a->n = (int64_t)bytes;
  a->bytes = bytes;
  map_arg(k, a, WHET_SLACK);
  return a->p;
}

/* Give back everything that a case holds. */
static void end_case(kc *k) {
  for (int i = 0; i < k->n_arg; i++)
    if (k->arg[i].map) munmap(k->arg[i].map, k->arg[i].map_bytes);
  for (struct kc_block *b = k->mem, *next; b; b = next) {
    next = b->next;
    free(b);
  }
  free(k->state);
  free(k);
}

/* A new case, not drawn yet. */
static kc *new_case(const kc_test *t, uint64_t seed) {
  kc *k = NULL;
  if (posix_memalign((void **)&k, 64, sizeof *k)) die("out of memory");
  memset(k, 0, sizeof *k);
  k->test = t;
  k->seed = seed;
  k->state = calloc(1, t->state_bytes ? t->state_bytes : 1);
  if (!k->state) die("out of memory");
  return k;
}

/* ---- comparison -------------------------------------------------------------------------------------------------
 */

/* How to see the failure again. */
static void print_replay(const kc *k) {
  fprintf(stderr, "  case: %s\n  replay: %s --seed %llu --row %s\n", k->name, g_self, (unsigned long long)k->seed,
          k->row ? k->row->name : "");
}

void kc_fail(kc *k, const char *fmt, ...) {
  if (k->failures++) return;
  va_list ap;
  va_start(ap, fmt);
  fprintf(stderr, "FAIL %s seed %llu: ", k->row ? k->row->name : "?", (unsigned long long)k->seed);
  vfprintf(stderr, fmt, ap);
  fprintf(stderr, "\n");
  va_end(ap);
  print_replay(k);
}

void kc_want(kc *k, int arg, int64_t i, double want, double tol) {
  double got = whet__get_f64((whet_dtype)k->arg[arg].dtype, k->arg[arg].p, i);
  if (!k->row->exact && k->arg[arg].dtype == WHET_F32)
    tol += FLT_MIN; /* such rows may take numbers below it as zeros */
  if (isnan(want) ? isnan(got) : got == want || fabs(got - want) <= tol) return;
  kc_fail(k, "argument %d element %lld: got %.9g, expected %.9g within %.3g", arg, (long long)i, got, want, tol);
}

void kc_want_int(kc *k, int arg, int64_t i, int64_t want) {
  int64_t got = whet__get_i64((whet_dtype)k->arg[arg].dtype, k->arg[arg].p, i);
  if (got != want)
    kc_fail(k, "argument %d element %lld: got %lld, expected %lld", arg, (long long)i, (long long)got,
            (long long)want);
}

void kc_want_f32(kc *k, int arg, int64_t i, float want) {
  float got;
  memcpy(&got, k->arg[arg].p + 4 * i, 4);
  if (!memcmp(&got, &want, 4) || (isnan(got) && isnan(want))) return;
  kc_fail(k, "argument %d element %lld: got %.9g (%a), expected %.9g (%a)", arg, (long long)i, (double)got,
          (double)got, (double)want, (double)want);
}

float kc_factor(const kc *k, float x) {
  if (!k->row->bf16) return x;
  if (fabsf(x) < FLT_MIN) return 0;
  return whet__bf16_to_f32(whet__f32_to_bf16(x));
}

void kc_want_sum(kc *k, int arg, int64_t i, float want, const kc_sum *s, double times) {
  double n = (double)s->n + 8, off = s->size * 1e-7 * n + (s->factors + n) * FLT_MIN;
  if (k->row->exact)
    kc_want_f32(k, arg, i, want);
  else if (!(s->size < INFINITY))
    kc_want(k, arg, i, want, 0);
  else if (s->size < FLT_MAX / 4 && times < INFINITY) /* else the order of sums tells whether they overflow */
    kc_want(k, arg, i, want, times * off + 2.4e-7 * fabs((double)want));
}

const float *kc_factors(kc *k, const float *x, int64_t n) {
  float *to = kc_mem(k, (size_t)n * sizeof *to);
  for (int64_t i = 0; i < n; i++) to[i] = kc_factor(k, x[i]);
  return to;
}

void kc_want_near(kc *k, int arg, const int64_t *at, const float *want, int64_t n, double share) {
  double most = 0;
  for (int64_t i = 0; i < n; i++) most = isfinite(want[i]) ? fmax(most, fabs((double)want[i])) : INFINITY;
  for (int64_t i = 0; i < n && !k->failures; i++) {
    if (k->row->bf16) {
      if (most < 1e30) kc_want(k, arg, at[i], want[i], share * most + FLT_MIN);
#ifdef __arm__ /* whose vectors take numbers below 2^-126 as zeros of their sign, which a clamp may keep */
    } else if (!k->row->exact) {
      kc_want(k, arg, at[i], want[i], FLT_MIN);
#endif
    } else {
      kc_want_f32(k, arg, at[i], want[i]);
    }
  }
}

/* Whether elements a and b of a type are the same bytes, or both NaN. */
static bool same_element(whet_dtype t, const void *a, const void *b) {
  if (!memcmp(a, b, whet__dtype_size(t))) return true;
  return whet__is_float(t) && isnan(whet__get_f64(t, a, 0)) && isnan(whet__get_f64(t, b, 0));
}

/* Outputs against what `base` holds. With `gaps_only`, only elements that the base run did not write. */
static void compare_base(kc *k, int part_count, bool gaps_only, const char *with) {
  for (int j = 0; j < k->n_arg; j++) {
    const kc_arg *a = &k->arg[j];
    if (a->kind != KC_OUT && a->kind != KC_INOUT) continue;
    whet_dtype t = (whet_dtype)a->dtype;
    size_t e = whet__dtype_size(t), at = (size_t)(a->p - pages(a));
    for (int64_t i = 0; i < a->n; i++) {
      const unsigned char *want = a->base + at + (size_t)i * e, *got = a->p + (size_t)i * e;
      if (gaps_only && (!whet__is_float(t) || memcmp(want, a->init + at + (size_t)i * e, e))) continue;
      if (same_element(t, got, want)) continue;
      if (whet__is_float(t))
        kc_fail(k, "argument %d element %lld, %d parts: %.9g, but %.9g %s", j, (long long)i, part_count,
                whet__get_f64(t, got, 0), whet__get_f64(t, want, 0), with);
      else
        kc_fail(k, "argument %d element %lld, %d parts: %lld, but %lld %s", j, (long long)i, part_count,
                (long long)whet__get_i64(t, got, 0), (long long)whet__get_i64(t, want, 0), with);
      return;
    }
  }
}

/* Bytes that no run may change: inputs, and the room around every buffer. */
static void check_untouched(kc *k) {
  for (int j = 0; j < k->n_arg; j++) {
    const kc_arg *a = &k->arg[j];
    if (!a->init) continue;
    size_t before = (size_t)(a->p - pages(a));
    if (a->kind == KC_IN && memcmp(a->p, a->init + before, a->bytes))
      kc_fail(k, "argument %d, an input, was changed", j);
    if (memcmp(pages(a), a->init, before) ||
        memcmp(a->p + a->bytes, a->init + before + a->bytes, page_bytes(a) - before - a->bytes))
      kc_fail(k, "bytes beside argument %d were changed", j);
  }
}

/* ---- running ----------------------------------------------------------------------------------------------------
 */

/* Run the row in `parts` parts, last part first, each with its scratch. */
static void run_row(kc *k, const whet_kern *row, int parts, void *scratch) {
  void *ptr[KC_ARGS + 1] = {0};
  for (int i = 0; i < k->n_arg; i++) ptr[i] = k->arg[i].kind == KC_ALIAS ? k->arg[k->arg[i].alias].p : k->arg[i].p;
  ptr[k->scratch ? k->scratch : k->n_arg] = scratch;
  for (int p = parts - 1; p >= 0; p--) row->run(k->params, ptr, p, parts);
}

/* The row's outputs from a clean start. */
static void run_clean(kc *k, const whet_kern *row, int parts, const kc_arg *scratch) {
  for (int j = 0; j < k->n_arg; j++) {
    const kc_arg *a = &k->arg[j];
    if (a->init) memcpy(pages(a), a->init, page_bytes(a));
  }
  if (scratch->map) memset(pages(scratch), CANARY, page_bytes(scratch));
  run_row(k, row, parts, scratch->p);
}

/* Scratch for one thread of a row, guarded. */
static void scratch_for(kc *k, const whet_kern *row, kc_arg *s) {
  *s = (kc_arg){.bytes = whet__round_up(row->scratch ? row->scratch(k->params) : 0, 128)};
  if (s->bytes) map_arg(k, s, WHET_SLACK);
}

/* One row of one case. `base`: it is the portable one, whose outputs are kept. */
static void check_row(kc *k, const whet_kern *row, bool base) {
  static const int more_parts[] = {2, 3, 7};
  kc_arg scratch;
  k->row = row;
  if (k->test->pack) k->test->pack(k, row);
  scratch_for(k, row, &scratch);
  run_clean(k, row, 1, &scratch);
  check_untouched(k);
  if (base || !row->exact) k->test->check(k);
  if (!base) compare_base(k, 1, !row->exact, row->exact ? "from the portable row" : "there before the run");
  for (int j = 0; j < k->n_arg; j++)
    if (k->arg[j].base && (base || !row->exact)) memcpy(k->arg[j].base, pages(&k->arg[j]), page_bytes(&k->arg[j]));
  for (size_t i = 0; i < WHET_COUNT(more_parts) && !k->failures; i++) {
    run_clean(k, row, more_parts[i], &scratch);
    compare_base(k, more_parts[i], false, row->exact ? "from the portable row" : "with one part");
    check_untouched(k);
  }
  if (scratch.map) munmap(scratch.map, scratch.map_bytes);
}

/* Whether the machine and the options allow a row. */
static bool may_run(const options *o, const whet_kern *row) { return (row->isa & o->target.isa) == row->isa; }

/* RANDOM half of the time, else any of the fills that the test allows. */
static kc_fill draw_fill(kc *k, uint32_t allowed) {
  kc_fill f = KC_RANDOM;
  if (!allowed) allowed = 1u << KC_RANDOM | 1u << KC_INTS;
  if (allowed & 1u << KC_RANDOM && kc_chance(k, 50)) return f;
  do {
    f = (kc_fill)kc_range(k, 0, KC_FILLS - 1);
  } while (!(allowed >> f & 1));
  return f;
}

/* One case over all rows; answers its failures. A row that is not exact overwrites the kept outputs, so that those
 * come last. */
static int check_case(const kc_test *t, const options *o, uint64_t seed) {
  const whet_family *f = whet__family(t->family);
  kc *k = new_case(t, seed);
  g_now = k;
  k->fill = draw_fill(k, t->fills);
  t->draw(k);
  for (int i = 0; i < k->n_arg; i++)
    if (k->arg[i].init) memcpy(k->arg[i].init, pages(&k->arg[i]), page_bytes(&k->arg[i])); /* what draw() wrote too */
  check_row(k, f->rows[f->n - 1], true);
  const whet_kern *row;
  for (int exact = 1; exact >= 0; exact--)
    for (size_t i = 0; (row = whet__family_next(f, &i)) && i < f->n && !k->failures;) {
      if (row->exact != exact || !may_run(o, row) || (o->row && strcmp(o->row, row->name))) continue;
      /* Rows that round multiply missing taps, and what follows a run, by zero, which makes infinities NaN. */
      if (row->bf16 && k->fill == KC_SPECIAL) continue;
      if (!row->fits || row->fits(k->params)) check_row(k, row, false);
    }
  int failures = k->failures;
  g_now = NULL;
  end_case(k);
  return failures;
}

/* Time one row of a bench case and print the line. */
static void bench_row(kc *k, const whet_kern *row, double seconds) {
  kc_arg scratch;
  k->row = row;
  if (k->test->pack) k->test->pack(k, row);
  scratch_for(k, row, &scratch);
  run_row(k, row, 1, scratch.p);
  double once = kc_now(), best = 1e30, spent = 0;
  run_row(k, row, 1, scratch.p);
  once = kc_now() - once;
  int inner = once < 20e-6 ? (int)(20e-6 / (once + 1e-9)) + 1 : 1;
  for (int r = 0; r < 5 || spent < seconds; r++) {
    double t = kc_now();
    for (int i = 0; i < inner; i++) run_row(k, row, 1, scratch.p);
    t = kc_now() - t;
    spent += t;
    if (t / inner < best) best = t / inner;
  }
  if (scratch.map) munmap(scratch.map, scratch.map_bytes);
  printf("%-44s %-32s %10.2f us", k->name, row->name, best * 1e6);
  if (k->ops)
    printf(" %8.1f Gop/s %5.1f %% of peak", k->ops / best * 1e-9,
           100 * k->ops / best / whet__peak(row->isa, strstr(row->name, "q8")));
  if (k->bytes) printf(" %7.1f GB/s", k->bytes / best * 1e-9);
  printf("\n");
  fflush(stdout);
}

/* All bench cases that the options name, over all rows. */
static void bench_all(const kc_test *t, const options *o) {
  const whet_family *f = whet__family(t->family);
  for (int i = 0; i < t->n_bench; i++) {
    kc *k = new_case(t, o->seed + (uint64_t)i);
    g_now = k;
    k->bench = true;
    t->bench(k, i);
    const whet_kern *row;
    for (size_t r = 0; strstr(k->name, o->bench) && (row = whet__family_next(f, &r));) {
      if (!may_run(o, row) || (o->row && strcmp(o->row, row->name)) || (row->fits && !row->fits(k->params))) continue;
      bench_row(k, row, (double)o->ms * 1e-3);
    }
    g_now = NULL;
    end_case(k);
  }
}

/* A crash inside a case: say where, as a failed case does. */
static void on_crash(int sig) {
  if (g_now) {
    fprintf(stderr, "FAIL %s seed %llu: signal %d (a read or write outside a buffer?)\n",
            g_now->row ? g_now->row->name : "draw", (unsigned long long)g_now->seed, sig);
    print_replay(g_now);
  }
  _exit(1);
}

/* The number after an option; ends the process when there is none. */
static uint64_t number(const char *text) {
  char *end;
  uint64_t v = strtoull(text ? text : "", &end, 0);
  if (!text || end == text || *end) die("a number was expected");
  return v;
}

/* Read the command line into o. */
static void parse(options *o, int argc, char **argv) {
  const char *level = NULL;
  for (int i = 1; i < argc; i++) {
    const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : NULL;
    if (!strcmp(a, "--seed"))
      o->seed = number(v), o->one = true, i++;
    else if (!strcmp(a, "--cases"))
      o->cases = (int64_t)number(v), i++;
    else if (!strcmp(a, "--ms"))
      o->ms = (int64_t)number(v), i++;
    else if (!strcmp(a, "--row") && v)
      o->row = v, i++;
    else if (!strcmp(a, "--cpu") && v)
      level = v, i++;
    else if (!strcmp(a, "--planted"))
      o->planted = true;
    else if (!strcmp(a, "--bench")) {
      o->bench = "";
      if (v && v[0] != '-') o->bench = v, i++;
    } else
      die("options: --seed S --row NAME --cpu LEVEL --cases N --ms N --planted --bench [TEXT]");
  }
  whet_err err = {0};
  if (whet__target_at(level, &o->target, &err)) die(err.text);
}

int kc_main(const kc_test *t, int argc, char **argv) {
  options o = {.seed = 1, .cases = 4000};
  g_self = argv[0];
  parse(&o, argc, argv);
  signal(SIGSEGV, on_crash);
  signal(SIGBUS, on_crash);
  signal(SIGILL, on_crash);
  signal(SIGFPE, on_crash);
  if (!o.ms) o.ms = o.bench ? 300 : MILLISECONDS;
  if (o.bench) {
    bench_all(t, &o);
    return 0;
  }
  if (o.one) o.cases = 1;
  const clock_t start = clock(); /* of the processor: a busy machine shall not try less */
  int64_t done = 0, failed = 0;
  while (done < o.cases && failed < 5 && (double)(clock() - start) * 1e3 < (double)o.ms * CLOCKS_PER_SEC)
    failed += check_case(t, &o, o.seed + (uint64_t)done++) != 0;
  printf("%s: %lld cases, %lld failed, at level %s\n", whet__family(t->family)->name, (long long)done,
         (long long)failed, whet__isa_level(o.target.isa));
  if (o.planted) printf(failed ? "the planted bug was found\n" : "FAIL: the planted bug was not found\n");
  return o.planted ? !failed : failed != 0;
}
