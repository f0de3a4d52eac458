/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_WIRE_FLEX_H
#define WHET_WIRE_FLEX_H

/* FlexBuffers, as custom operators of TFLite keep their options: a map from names to numbers, strings and vectors.
 * Bounded reading of untrusted bytes: whatever leads outside is answered as absent.
 *
 * Layout (flatbuffers' "FlexBuffers" format page): values are written bottom up, the last three pieces are the root,
 * its packed type (type << 2 | log2 of width) and its width. A map is a vector of values that is preceded by the
 * offset of its keys, the keys' width and its length, and followed by one packed type for each value. */

#include "base/base.h"

typedef struct whet_flex {
  const uint8_t *p; /* the whole buffer */
  size_t n;
  size_t at;      /* place of a value, or of a vector's first element */
  uint8_t type;   /* FlexBuffers' type */
  uint8_t width;  /* bytes of the value, or of a vector's elements */
  uint8_t parent; /* bytes of an offset stored at `at` */
} whet_flex;

/* The root; type 0 (null) when the bytes are none. */
whet_flex whet__flex_root(const void *p, size_t n);
/* The value under a key of a map; null when it is no map or has no such key. */
whet_flex whet__flex_get(whet_flex map, const char *key);
/* Length of a vector or map, and its i-th value. */
size_t whet__flex_size(whet_flex v);
whet_flex whet__flex_at(whet_flex v, size_t i);
static inline bool whet__flex_has(whet_flex v) { return v.type != 0; }
/* A number as integer or float, converted as C does with clamping; dflt when it is no number. */
int64_t whet__flex_int(whet_flex v, int64_t dflt);
double whet__flex_float(whet_flex v, double dflt);
/* A string or key; n 0 and p NULL when it is none. */
whet_str whet__flex_str(whet_flex v);

#endif
