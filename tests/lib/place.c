/* SPDX-License-Identifier: Apache-2.0 */
/* Where tests find things, and a scratch folder of their own. */

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/test.h"

/* Kept until the end: test programs are short-lived. */
const char *test_join(const char *folder, const char *name) {
  static char *kept[1024];
  static size_t n;
  size_t bytes = strlen(folder) + strlen(name) + 2;
  char *p = n < WHET_COUNT(kept) ? malloc(bytes) : NULL;
  if (!p) abort();
  snprintf(p, bytes, "%s/%s", folder, name);
  return kept[n++] = p;
}

const char *test_source(const char *name) {
  const char *top = getenv("WHET_SOURCE");
  return test_join(top ? top : WHET_TEST_SOURCE, name);
}

const char *test_shared(const char *name) {
  const char *top = getenv("WHET_SHARED");
  const char *p = test_join(top && top[0] ? top : test_source("../shared"), name);
  return access(p, R_OK) ? NULL : p;
}

static const char *k_scratch;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) { return remove(path); }
static void remove_scratch(void) { nftw(k_scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

const char *test_folder(void) {
  static int n;
  if (!k_scratch) {
    const char *tmp = getenv("TMPDIR");
    char *p = (char *)test_join(tmp && tmp[0] ? tmp : "/tmp", "whet-test-XXXXXX");
    if (!mkdtemp(p)) abort();
    k_scratch = p;
    atexit(remove_scratch);
  }
  char name[16];
  snprintf(name, sizeof name, "%d", n++);
  const char *p = test_join(k_scratch, name);
  if (mkdir(p, 0777)) abort();
  return p;
}

const char *test_write(const char *folder, const char *name, const void *p, size_t n) {
  const char *path = test_join(folder, name);
  FILE *f = fopen(path, "wb");
  if (!f || fwrite(p, 1, n, f) != n || fclose(f)) abort();
  return path;
}

double test_cpu_seconds(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

double test_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

uint64_t test_seed(uint64_t otherwise) {
  const char *s = getenv("WHET_SEED");
  uint64_t seed = s && s[0] ? strtoull(s, NULL, 0) : otherwise;
  printf("# seed %llu (WHET_SEED=%llu replays)\n", (unsigned long long)seed, (unsigned long long)seed);
  return seed;
}
