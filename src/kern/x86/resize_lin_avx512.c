/* SPDX-License-Identifier: Apache-2.0 */
/* Family resize_lin on AVX512. */

#define ISA avx512
#define MIN_INNER 64
#define ISA_BITS WHET_ISA_AVX512
#include "kern/resize_lin_body.h"
