/* SPDX-License-Identifier: Apache-2.0 */
/* The host: instruction sets, cores, caches. The only file that asks the CPU. */

#include "base/target.h"

#include "base/apart.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__linux__)
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

enum { ARCH_X86, ARCH_ARM, ARCH_RISCV, ARCH_NONE };
#if defined(__x86_64__)
#define ARCH ARCH_X86
#elif defined(__aarch64__) || defined(__arm__)
#define ARCH ARCH_ARM
#elif defined(__riscv)
#define ARCH ARCH_RISCV
#else
#define ARCH ARCH_NONE
#endif

static const struct {
  uint32_t bit;
  const char *level;
  int arch;
} k_isa[] = {
#define ROW(name, bit, level, arch) {1u << (bit), level, ARCH_##arch},
    WHET_ISA_MAP(ROW)
#undef ROW
};

bool whet__isa_of_level(const char *level, uint32_t *bits) {
  int arch = ARCH_NONE;
  size_t last = 0;
  *bits = 0;
  if (!strcmp(level, "c")) return true;
  for (size_t i = 0; i < WHET_COUNT(k_isa); i++)
    if (!strcmp(level, k_isa[i].level)) arch = k_isa[i].arch, last = i;
  if (arch == ARCH_NONE) return false;
  for (size_t i = 0; i <= last; i++)
    if (k_isa[i].arch == arch) *bits |= k_isa[i].bit;
  return arch == ARCH;
}

const char *whet__isa_level(uint32_t bits) {
  const char *best = "c";
  for (size_t i = 0; i < WHET_COUNT(k_isa); i++)
    if (bits & k_isa[i].bit) best = k_isa[i].level;
  return best;
}

#if !defined(__x86_64__)
static bool fast_bf16(uint32_t isa) { return isa & WHET_ISA_ARMBF16; }
#endif

#if defined(__x86_64__)
/* Which register state the operating system saves. */
static uint64_t xgetbv(void) {
  uint32_t lo, hi;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return lo | (uint64_t)hi << 32;
}

/* Ask the kernel for the tile state (arch_prctl ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA). */
static bool amx_granted(void) { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }

static uint32_t detect(void) {
  uint32_t a, b, c, d, isa = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 27)) return 0;
  bool fma = c & 1u << 12, f16c = c & 1u << 29, avx = c & 1u << 28;
  uint64_t state = xgetbv();
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  uint32_t b7 = b, c7 = c, d7 = d, a71 = 0;
  if (a >= 1) __get_cpuid_count(7, 1, &a71, &b, &c, &d);
  if (avx && fma && f16c && b7 & 1u << 5 && b7 & 1u << 8 && (state & 6) == 6) isa |= WHET_ISA_AVX2;
  if (!isa) return 0;
  if (a71 & 1u << 4) isa |= WHET_ISA_AVXVNNI;
  uint32_t need = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31; /* F DQ CD BW VL */
  if ((b7 & need) == need && (state & 0xe6) == 0xe6) {
    isa |= WHET_ISA_AVX512;
    if (c7 & 1u << 11 && c7 & 1u << 1) isa |= WHET_ISA_VNNI; /* VNNI and VBMI */
    if (a71 & 1u << 5) isa |= WHET_ISA_BF16;
    if (d7 & 1u << 24 && d7 & 1u << 25 && d7 & 1u << 22 && (state & 0x60000) == 0x60000 && isa & WHET_ISA_VNNI &&
        amx_granted())
      isa |= WHET_ISA_AMX;
  }
  return isa;
}

/* Intel's cores that have tiles, recognised by their half-precision arithmetic where a virtual machine hides the tiles, take four
 * times as long for a dot product of vectors of bf16 as for a multiply-add (measured on an Emerald Rapids). */
static bool fast_bf16(uint32_t isa) {
  uint32_t a, b, c, d;
  if (!(isa & WHET_ISA_BF16) || !__get_cpuid(0, &a, &b, &c, &d)) return false;
  bool intel = b == 0x756e6547; /* "Genu" */
  return !intel || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & 1u << 23); /* AVX512_FP16 */
}

static void cpu_name(char *out, size_t n) {
  uint32_t r[12] = {0};
  if ((uint32_t)__get_cpuid_max(0x80000000u, NULL) >= 0x80000004u)
    for (uint32_t i = 0; i < 3; i++)
      __get_cpuid(0x80000002u + i, &r[4 * i], &r[4 * i + 1], &r[4 * i + 2], &r[4 * i + 3]);
  snprintf(out, n, "%.48s", r[0] ? (const char *)r : "x86-64");
}
#elif defined(__aarch64__)
/* Bits of AT_HWCAP and AT_HWCAP2 (Linux, arch/arm64/include/uapi/asm/hwcap.h). */
static uint32_t detect(void) {
  unsigned long h = getauxval(AT_HWCAP), h2 = getauxval(AT_HWCAP2);
  uint32_t isa = WHET_ISA_NEON;
  if (h & 1ul << 10) isa |= WHET_ISA_FP16;
  if (h & 1ul << 20) isa |= WHET_ISA_DOTPROD;
  if (h2 & 1ul << 13) isa |= WHET_ISA_I8MM;
  if (h2 & 1ul << 14) isa |= WHET_ISA_ARMBF16;
  if (h2 & 1ul << 1) isa |= WHET_ISA_SVE2;
  return isa;
}
static void cpu_name(char *out, size_t n) { snprintf(out, n, "aarch64"); }
#elif defined(__arm__)
static uint32_t detect(void) {
  unsigned long h = getauxval(AT_HWCAP);
  return h & 1ul << 12 && h & 1ul << 16 ? WHET_ISA_NEON : 0; /* NEON and VFPv4 */
}
static void cpu_name(char *out, size_t n) { snprintf(out, n, "arm"); }
#elif defined(__riscv)
/* What the kernel says of an extension by riscv_hwprobe (key 4, bit 2: V 1.0); 0 and 1, -1 where it does not know. */
static int probe_v(void) {
  struct {
    int64_t key;
    uint64_t value;
  } pair = {4, 0};
  if (syscall(258, &pair, 1, 0, NULL, 0) != 0 || pair.key != 4) return -1;
  return (pair.value & 4) != 0;
}
/* Whether vectors are those of 1.0: cores with an early draft, which kernels of their makers announce by the same bit of
 * AT_HWCAP, find `vsetvli t0, zero, e8, m1, ta, ma` illegal, and say so in the top bit of vtype. */
static bool vectors_are_final(void) {
  long vtype;
  __asm__ volatile(".4byte 0x0c0072d7\n\tcsrr %0, 0xc21" : "=r"(vtype) : : "t0");
  return vtype >= 0;
}
static uint32_t detect(void) {
  int known = probe_v();
  if (known >= 0) return known ? WHET_ISA_RVV : 0;
  return getauxval(AT_HWCAP) & 1ul << ('v' - 'a') && vectors_are_final() ? WHET_ISA_RVV : 0;
}
static void cpu_name(char *out, size_t n) { snprintf(out, n, "riscv64"); }
#else
static uint32_t detect(void) { return 0; }
static void cpu_name(char *out, size_t n) { snprintf(out, n, "unknown"); }
#endif

/* A number from a small file of the kernel's; -1 when it is not there. */
static long read_number(const char *path) {
  long v = -1;
  FILE *f = fopen(path, "re");
  if (!f) return -1;
  if (fscanf(f, "%ld", &v) != 1) v = -1;
  fclose(f);
  return v;
}

/* Bytes of the data cache of a level as sysfs has it; 0: not told. */
static size_t cache_bytes(int level) {
  for (int i = 0; i < 8; i++) {
    char path[96], text[32] = "";
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/level", i);
    if (read_number(path) != level) continue;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/type", i);
    FILE *f = fopen(path, "re");
    if (f && fgets(text, sizeof text, f) && text[0] == 'I') {
      fclose(f);
      continue;
    }
    if (f) fclose(f);
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", i);
    long kb = read_number(path);
    if (kb > 0) return (size_t)kb << 10;
  }
  return 0;
}

static whet_target k_host;
static pthread_once_t k_once = PTHREAD_ONCE_INIT;

static void find_host(void) {
  k_host.isa = detect();
  k_host.cores = whet__target_cores();
  for (int i = 0; i < 3; i++) k_host.cache[i] = cache_bytes(i + 1);
  if (!k_host.cache[0]) k_host.cache[0] = 32 << 10;
  if (!k_host.cache[1]) k_host.cache[1] = 256 << 10;
  k_host.fast_fma = (ARCH == ARCH_ARM && sizeof(void *) == 8) || ARCH == ARCH_RISCV;
  k_host.fast_bf16 = fast_bf16(k_host.isa);
  cpu_name(k_host.cpu, sizeof k_host.cpu);
}

const whet_target *whet__target_host(void) {
  pthread_once(&k_once, find_host);
  return &k_host;
}

whet_status whet__target_at(const char *level, whet_target *out, whet_err *err) {
  uint32_t bits = UINT32_MAX;
  *out = *whet__target_host();
  if (!level || !level[0]) level = getenv("WHET_CPU");
  if (level && level[0] && !whet__isa_of_level(level, &bits)) {
    char known[128] = "c";
    for (size_t i = 0; i < WHET_COUNT(k_isa); i++)
      if (k_isa[i].arch == ARCH && (!i || strcmp(k_isa[i].level, k_isa[i - 1].level))) {
        strcat(known, ", ");
        strcat(known, k_isa[i].level);
      }
    return whet__fail(err, WHET_E_NAME, "CPU level \"%.40s\" is not known on this architecture; known are: %s", level,
                      known);
  }
  out->isa &= bits;
  if (out->isa & WHET_ISA_APART && !whet__apart_load()) out->isa &= ~WHET_ISA_APART;
  return WHET_OK;
}
