/* SPDX-License-Identifier: Apache-2.0 */
/* base/target: what the host is, and levels that limit it. */

#include <stdio.h>
#include <stdlib.h>

#include "base/target.h"
#include "lib/test.h"

static void host(void **state) {
  const whet_target *h = whet__target_host();
  assert_ptr_equal(h, whet__target_host());
  assert_true(h->cores >= 1);
  assert_true(h->cache[0] >= 4096 && h->cache[0] <= h->cache[1]);
  assert_true(h->cpu[0] && memchr(h->cpu, 0, sizeof h->cpu));
  printf("# %s, %d cores, level %s, L1 %zu L2 %zu L3 %zu\n", h->cpu, h->cores, whet__isa_level(h->isa), h->cache[0],
         h->cache[1], h->cache[2]);
  /* What the compiler's own detection says. */
#if defined(__x86_64__)
  assert_int_equal(!!(h->isa & WHET_ISA_AVX2), !!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")));
  assert_int_equal(!!(h->isa & WHET_ISA_AVX512),
                   !!(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")));
  if (h->isa & WHET_ISA_VNNI) assert_true(__builtin_cpu_supports("avx512vnni"));
#endif
}

static void levels(void **state) {
  uint32_t b, lower;
  const char *order[] = {"avx2", "avxvnni", "avx512", "vnni", "amx"};
  assert_true(whet__isa_of_level("c", &b));
  assert_int_equal(b, 0);
  assert_string_equal(whet__isa_level(0), "c");
  lower = 0;
  for (size_t i = 0; i < WHET_COUNT(order); i++) { /* each holds the one before, and more */
    whet__isa_of_level(order[i], &b);
    assert_int_equal(b & lower, lower);
    assert_true(__builtin_popcount(b) > __builtin_popcount(lower));
    assert_string_equal(whet__isa_level(b), order[i]);
    lower = b;
  }
  whet__isa_of_level("sve2", &b); /* no mixing of architectures */
  assert_int_equal(b & lower, 0);
  assert_false(whet__isa_of_level("sse2", &b));
  assert_false(whet__isa_of_level("", &b));
}

static void limits(void **state) {
  whet_target t;
  whet_err e = {0};
  unsetenv("WHET_CPU");
  assert_int_equal(whet__target_at(NULL, &t, &e), WHET_OK);
  assert_int_equal(t.isa, whet__target_host()->isa);
  assert_int_equal(whet__target_at("c", &t, &e), WHET_OK);
  assert_int_equal(t.isa, 0);
  setenv("WHET_CPU", "c", 1);
  assert_int_equal(whet__target_at("", &t, &e), WHET_OK);
  assert_int_equal(t.isa, 0);
#if defined(__x86_64__)
  assert_int_equal(whet__target_at("avx2", &t, &e), WHET_OK); /* asked for beats the environment */
  assert_int_equal(t.isa, whet__target_host()->isa & WHET_ISA_AVX2);
  assert_int_equal(whet__target_at("amx", &t, &e), WHET_OK); /* more than there is: what there is */
  assert_int_equal(t.isa, whet__target_host()->isa);
  const char *other = "neon";
#else
  const char *other = "avx2";
#endif
  assert_int_equal(whet__target_at(other, &t, &e), WHET_E_NAME);
  assert_non_null(strstr(e.text, other));
  assert_non_null(strstr(e.text, "known are: c"));
  e = (whet_err){0};
  setenv("WHET_CPU", "fast", 1);
  assert_int_equal(whet__target_at(NULL, &t, &e), WHET_E_NAME);
  assert_non_null(strstr(e.text, "\"fast\""));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(host), cmocka_unit_test(levels), cmocka_unit_test(limits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
