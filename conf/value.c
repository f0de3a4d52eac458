/* SPDX-License-Identifier: Apache-2.0 */
/* Texts as numbers, times and sizes. */

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/conf.h"

typedef struct unit {
  const char *name;
  double factor;
} unit;

/* A number in C's "C" spelling and one of the units behind it. */
static bool with_unit(const char *text, const unit *units, double *out) {
  char *end;
  if (!strchr("+-.0123456789", text[0]) || !text[0] || strpbrk(text, "xXpPnNiI") == text + 1) return false;
  double v = strtod(text, &end);
  if (end == text || !isfinite(v)) return false;
  while (*end == ' ') end++;
  for (; units->name; units++)
    if (!strcasecmp(end, units->name)) return *out = v * units->factor, true;
  return false;
}

bool conf_real(const char *text, double *out) {
  static const unit units[] = {{"", 1}, {"%", 0.01}, {0}};
  return with_unit(text, units, out);
}

bool conf_seconds(const char *text, double *out) {
  static const unit units[] = {{"", 1},    {"us", 1e-6}, {"ms", 1e-3}, {"s", 1},
                               {"min", 60}, {"h", 3600},  {"d", 86400}, {0}};
  return with_unit(text, units, out);
}

bool conf_bytes(const char *text, size_t *out) {
  static const unit units[] = {{"", 1},           {"b", 1},           {"k", 1 << 10},     {"kb", 1 << 10}, {"kib", 1 << 10},
                               {"m", 1 << 20},    {"mb", 1 << 20},    {"mib", 1 << 20},   {"g", 1 << 30},  {"gb", 1 << 30},
                               {"gib", 1 << 30}, {0}};
  double v;
  if (!with_unit(text, units, &v) || v < 0 || v >= 9007199254740992.0 || v != floor(v)) return false;
  *out = (size_t)v;
  return true;
}
