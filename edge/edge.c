/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a failure, the clock, and waiting by it. */

#include "edge/edge.h"
#include "edge/wait.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Texts hold names from outside: they stay one line whatever those are. */
static void one_line(char *s) {
  for (; *s; s++)
    if ((unsigned char)*s < 32 || *s == 127) *s = '?';
}

whet_status edge_fail(whet_err *err, whet_status code, const char *fmt, ...) {
  if (!err) return code;
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(err->text, sizeof err->text, fmt, ap);
  va_end(ap);
  one_line(err->text);
  return err->code = code;
}

whet_status edge_fail_in(whet_err *err, const char *fmt, ...) {
  char where[300], text[sizeof err->text];
  if (!err) return WHET_E_INTERNAL;
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(where, sizeof where, fmt, ap);
  va_end(ap);
  memcpy(text, err->text, sizeof text);
  snprintf(err->text, sizeof err->text, "%s: %.*s", where, (int)(sizeof text - sizeof where - 4), text);
  one_line(err->text);
  return err->code;
}

/* Knuth's multiplier (MMIX); the low bits of such a row are poor, 53 high ones make the number. */
double edge_draw(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return (double)(*seed >> 11) / 9007199254740992.0;
}

int64_t edge_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void edge_cond_init(pthread_cond_t *cond) {
  pthread_condattr_t a;
  pthread_condattr_init(&a);
  pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
  pthread_cond_init(cond, &a);
  pthread_condattr_destroy(&a);
}

bool edge_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ns) {
  struct timespec t = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
  return pthread_cond_timedwait(cond, lock, &t) != ETIMEDOUT;
}
