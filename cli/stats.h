/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_STATS_H
#define WHET_CLI_STATS_H

/* Many timings in little memory: a full array drops every other one and takes fewer from then on. */

#include "base/base.h"

enum { CLI_STATS_ROOM = 8192 };

typedef struct cli_stats {
  float *us;       /* samples */
  size_t n;        /* of them */
  size_t every;    /* one sample in so many is kept */
  size_t seen;     /* samples offered */
  double sum, min; /* of all that were offered */
} cli_stats;

void cli_stats_init(cli_stats *s);
void cli_stats_add(cli_stats *s, double us);
/* The sample below which share `q` (0..1) of the kept ones lie; sorts them. 0 when there are none. */
double cli_stats_quantile(cli_stats *s, double q);
double cli_stats_mean(const cli_stats *s);

/* Microseconds of a steady clock. */
double cli_now_us(void);

#endif
