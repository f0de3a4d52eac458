/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_f32 on NEON. */
#include "kern/arm/vec_neon.h"

#define ISA neon
#define ISA_BITS WHET_ISA_NEON
#define ROWS 2
#include "kern/lstm_f32_body.h"
