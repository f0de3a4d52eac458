/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_COMPARE_H
#define WHET_CLI_COMPARE_H

/* Comparing values with what they should be. */

#include "base/base.h"
#include "whet/value.h"

typedef struct cli_tolerance {
  enum {
    CLI_TOL_EXACT, /* equal; NaN equals NaN, -0 equals 0 */
    CLI_TOL_ABS,   /* |got - want| <= value */
    CLI_TOL_REL,   /* |got - want| <= value times the greatest magnitude in the wanted tensor; integers: equal */
    CLI_TOL_CLOSE, /* |got - want| <= value + rtol * |want| */
    CLI_TOL_RANDOM /* type and shape only */
  } kind;
  double value, rtol;
} cli_tolerance;

/* "exact", "abs:0.01", "rel:1e-4", "close:1e-7:1e-3"; false for anything else. */
bool cli_tolerance_parse(const char *s, cli_tolerance *out);

/* How far two values are apart. */
typedef struct cli_difference {
  bool fine;        /* within the tolerance */
  bool comparable;  /* of one kind, type and shape; else text says what differs */
  size_t n, differ; /* elements, and those past the tolerance */
  double worst;     /* greatest difference of numbers, 0 when all are equal */
  double allowed;   /* what the tolerance allows there */
  char text[400];   /* not fine: "3 of 1000 differ; worst at [0, 12]: got 0.5, expected 0.25, ..." */
} cli_difference;

void cli_compare(const whet_value *got, const whet_value *want, const cli_tolerance *t, cli_difference *out);

#endif
