/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged models: damage [--every K] [--changes N] MODEL... drives every K-th prefix of each model and N copies with
 * one byte changed at random. lib/drive aborts when a promise is broken; a sanitizer sees the rest. At the end it
 * says how the copies ended. --prefix N, or --change AT=VALUE, drives that one copy only: a crash prints which it
 * was. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "lib/drive.h"
#include "lib/test.h"

struct job {
  long every, changes; /* every so many bytes a prefix; how many random changes */
  long prefix;         /* >= 0: this prefix only */
  long at;             /* >= 0: this change only */
  unsigned value;
  uint64_t seed;
};

static long k_ended[20], k_clean; /* copies by the status that ended them; copies that ran */
static char k_now[4600];          /* which copy is driven, as the options that replay it */

/* Print which copy it was. Only calls that a signal handler may make. */
static void say_where(void) {
  ssize_t ignored = write(2, k_now, strlen(k_now));
  (void)ignored;
}
static void on_signal(int sig) {
  say_where();
  signal(sig, SIG_DFL);
  raise(sig);
}
void __asan_on_error(void);
/* AddressSanitizer calls this before it reports. */
void __asan_on_error(void) { say_where(); }

/* Drive one damaged copy. */
static void one(const uint8_t *p, size_t n) {
  whet_err err = {0};
  uint8_t *copy = malloc(n ? n : 1); /* its own block: a sanitizer sees every byte too far */
  if (!copy) abort();
  if (n) memcpy(copy, p, n);
  whet_status s = drive(copy, n, &(drive_opts){.run = true}, &err);
  free(copy);
  if (s)
    k_ended[-(int)s]++;
  else
    k_clean++;
}

static void one_prefix(const char *path, const uint8_t *p, size_t n) {
  snprintf(k_now, sizeof k_now, "\nreplay: damage --prefix %zu %.4000s\n", n, path);
  one(p, n);
}

static void one_change(const char *path, uint8_t *p, size_t n, size_t at, uint8_t value) {
  uint8_t was = p[at];
  snprintf(k_now, sizeof k_now, "\nreplay: damage --change %zu=%u %.4000s\n", at, value, path);
  p[at] = value;
  one(p, n);
  p[at] = was;
}

static void campaign(const char *path, const struct job *j, uint8_t *p, size_t n) {
  one_prefix(path, p, n);
  if (!k_clean) {
    fprintf(stderr, "%s: the whole model does not run\n", path);
    exit(1);
  }
  for (size_t k = 0; k < n; k += (size_t)j->every) one_prefix(path, p, k);
  for (long i = 0; i < j->changes; i++) {
    uint32_t r[4];
    whet__rng_block(j->seed, 7, (uint64_t)i, r);
    size_t at = (size_t)(((uint64_t)r[0] << 32 | r[1]) % n);
    one_change(path, p, n, at, (uint8_t)(p[at] ^ (1 + r[2] % 255)));
  }
}

static void model(const char *path, const struct job *j) {
  whet_mem m;
  whet_file f;
  whet_err err = {0};
  whet__mem_init(&m, NULL, NULL, 0);
  if (whet__file_open(path, true, &m, &f, &err) || !f.n) {
    fprintf(stderr, "%s %s\n", path, err.text);
    exit(1);
  }
  uint8_t *p = (uint8_t *)f.p;
  memset(k_ended, 0, sizeof k_ended);
  k_clean = 0;
  if (j->prefix >= 0)
    one_prefix(path, p, (size_t)j->prefix < f.n ? (size_t)j->prefix : f.n);
  else if (j->at >= 0 && (size_t)j->at < f.n)
    one_change(path, p, f.n, (size_t)j->at, (uint8_t)j->value);
  else
    campaign(path, j, p, f.n);
  printf("%s: %ld ran", path, k_clean);
  for (int s = 1; s < 20; s++)
    if (k_ended[s]) printf(", %ld %s", k_ended[s], whet_status_name((whet_status)-s));
  printf("\n");
  whet__file_close(&f);
}

int main(int argc, char **argv) {
  struct job j = {.every = 1, .changes = 20000, .prefix = -1, .at = -1, .seed = test_seed(1)};
  const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
  for (size_t i = 0; i < WHET_COUNT(signals); i++) signal(signals[i], on_signal);
  for (int i = 1; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : "0";
    if (!strcmp(argv[i], "--every")) {
      j.every = strtol(value, NULL, 10), i++;
      if (j.every < 1) j.every = 1;
    } else if (!strcmp(argv[i], "--changes")) {
      j.changes = strtol(value, NULL, 10), i++;
    } else if (!strcmp(argv[i], "--prefix")) {
      j.prefix = strtol(value, NULL, 10), i++;
    } else if (!strcmp(argv[i], "--change")) {
      if (sscanf(value, "%ld=%u", &j.at, &j.value) != 2) return 2;
      i++;
    } else {
      model(argv[i], &j);
    }
  }
  return 0;
}
