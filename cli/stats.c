/* SPDX-License-Identifier: Apache-2.0 */
#include "stats.h"

#include <stdlib.h>
#include <time.h>

#include "cmd.h"

void cli_stats_init(cli_stats *s) { *s = (cli_stats){.us = cli_keep(CLI_STATS_ROOM * sizeof *s->us), .every = 1}; }

void cli_stats_add(cli_stats *s, double us) {
  if (!s->seen || us < s->min) s->min = us;
  s->sum += us;
  if (s->seen++ % s->every) return;
  if (s->n == CLI_STATS_ROOM) {
    s->n /= 2;
    s->every *= 2;
    for (size_t i = 0; i < s->n; i++) s->us[i] = s->us[2 * i];
    if ((s->seen - 1) % s->every) return;
  }
  s->us[s->n++] = (float)us;
}

static int ascending(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

double cli_stats_quantile(cli_stats *s, double q) {
  if (!s->n) return 0;
  qsort(s->us, s->n, sizeof *s->us, ascending);
  double at = q * (double)(s->n - 1);
  size_t i = (size_t)at;
  double rest = at - (double)i;
  return i + 1 < s->n ? (double)s->us[i] * (1 - rest) + (double)s->us[i + 1] * rest : (double)s->us[i];
}

double cli_stats_mean(const cli_stats *s) { return s->seen ? s->sum / (double)s->seen : 0; }

double cli_now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}
