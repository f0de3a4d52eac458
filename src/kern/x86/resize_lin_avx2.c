/* SPDX-License-Identifier: Apache-2.0 */
/* Family resize_lin on AVX2. */

#define ISA avx2
#define MIN_INNER 1
#define ISA_BITS WHET_ISA_AVX2
#include "kern/resize_lin_body.h"
