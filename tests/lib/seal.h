/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_LIB_SEAL_H
#define TESTS_LIB_SEAL_H

/* Put right the sizes and checksums of bytes that claim to be a .whet file, as whoever forges one does: what the
 * reader makes of the rest is then to be seen. */

#include "base/crc.h"
#include "format/whet_file.h"

static inline void seal_u64(uint8_t *p, uint64_t v) {
  for (int i = 0; i < 8; i++) p[i] = (uint8_t)(v >> 8 * i);
}
static inline void seal_u32(uint8_t *p, uint32_t v) {
  for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> 8 * i);
}

static inline void seal(uint8_t *p, size_t n) {
  uint64_t at = 0;
  if (n < WHET_FILE_HEADER) return;
  for (int i = 0; i < 8; i++) at |= (uint64_t)p[WHET_FILE_AT_INDEX + i] << 8 * i;
  if (at < WHET_FILE_HEADER || at > n) at = n;
  memcpy(p, WHET_FILE_MAGIC, 8);
  seal_u32(p + WHET_FILE_AT_VERSION, WHET_FILE_VERSION);
  seal_u64(p + WHET_FILE_AT_BYTES, n);
  seal_u64(p + WHET_FILE_AT_INDEX, at);
  seal_u64(p + WHET_FILE_AT_INDEX_BYTES, n - at);
  seal_u32(p + WHET_FILE_AT_INDEX_CRC, whet__crc32c(0, p + at, (size_t)(n - at)));
  seal_u32(p + WHET_FILE_AT_CRC, whet__crc32c(0, p, WHET_FILE_AT_CRC));
}

#endif
