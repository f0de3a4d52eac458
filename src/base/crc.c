/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C, eight bytes at a time: table k holds what a byte does k places before the end. */

#include "base/crc.h"

#include <pthread.h>

enum { SLICES = 8 };
static uint32_t s_table[SLICES][256];
static pthread_once_t s_once = PTHREAD_ONCE_INIT;

static void fill(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++) c = c >> 1 ^ (c & 1 ? UINT32_C(0x82f63b78) : 0);
    s_table[0][i] = c;
  }
  for (int s = 1; s < SLICES; s++)
    for (int i = 0; i < 256; i++) s_table[s][i] = s_table[s - 1][i] >> 8 ^ s_table[0][s_table[s - 1][i] & 255];
}

uint32_t whet__crc32c(uint32_t crc, const void *p, size_t n) {
  const uint8_t *b = p;
  uint32_t c = ~crc;
  pthread_once(&s_once, fill);
  for (; n >= 8; n -= 8, b += 8) {
    c ^= b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    c = s_table[7][c & 255] ^ s_table[6][c >> 8 & 255] ^ s_table[5][c >> 16 & 255] ^ s_table[4][c >> 24] ^
        s_table[3][b[4]] ^ s_table[2][b[5]] ^ s_table[1][b[6]] ^ s_table[0][b[7]];
  }
  for (; n; n--) c = c >> 8 ^ s_table[0][(c ^ *b++) & 255];
  return ~c;
}
