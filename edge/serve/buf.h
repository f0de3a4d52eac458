/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_BUF_H
#define WHET_EDGE_SERVE_BUF_H

/* Bytes that grow, and JSON written into them. A failed allocation sticks: writers go on doing nothing, and whoever
 * reads looks at `bad` once. */

#include <stdint.h>

#include "edge/edge.h"

typedef struct serve_buf {
  char *p;
  size_t n, cap;
  bool bad; /* memory was refused */
} serve_buf;

void buf_free(serve_buf *b);
/* Room for n bytes more; NULL when refused. Does not count them as written. */
void *buf_room(serve_buf *b, size_t n);
void buf_put(serve_buf *b, const void *p, size_t n);
void buf_text(serve_buf *b, const char *s);
void buf_printf(serve_buf *b, const char *fmt, ...) EDGE_PRINTF(2, 3);

/* JSON. Text is quoted; what is not UTF-8 becomes U+FFFD. */
void buf_json(serve_buf *b, const char *s, size_t n);
void buf_json_str(serve_buf *b, const char *s);
void buf_int(serve_buf *b, int64_t v);
void buf_uint(serve_buf *b, uint64_t v);
/* The shortest of %.6g ... %.9g (%.15g ... %.17g) that reads back as the same number. v is finite. */
void buf_float(serve_buf *b, float v);
void buf_double(serve_buf *b, double v);
/* [1,28,28] */
void buf_dims(serve_buf *b, int32_t rank, const int64_t *dims);

#endif
