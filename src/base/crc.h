/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BASE_CRC_H
#define WHET_BASE_CRC_H

#include "base/base.h"

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4) of n bytes, continued from `crc` (0 to begin). */
uint32_t whet__crc32c(uint32_t crc, const void *p, size_t n);

#endif
