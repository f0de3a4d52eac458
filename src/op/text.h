/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_TEXT_H
#define WHET_OP_TEXT_H

/* Characters of UTF-8 text and their case. */

#include "base/base.h"

#define WHET_NO_CHAR UINT32_MAX

/* The character at *p, which moves behind it; WHET_NO_CHAR, and one byte further, for a byte that begins none (overlong
 * forms, surrogates and numbers past 0x10ffff are none). p < end. */
uint32_t whet__utf8_next(const char **p, const char *end);
/* Write a character; bytes written, 1 to 4. */
size_t whet__utf8_put(uint32_t c, char to[4]);
/* Case by single characters, whatever the locale. */
uint32_t whet__char_upper(uint32_t c);
uint32_t whet__char_lower(uint32_t c);
/* Room for n bytes of text in another case. */
static inline size_t whet__text_cased_room(size_t n) { return n > SIZE_MAX / 4 ? SIZE_MAX : n * 3; }
/* Text in another case; bytes written. Bytes that are no characters stay. */
size_t whet__text_cased(const char *p, size_t n, bool upper, char *to);

#endif
