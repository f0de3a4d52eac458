/* SPDX-License-Identifier: Apache-2.0 */
/* Family softmax_f32 on NEON. */
#include "kern/arm/vec_neon.h"

/* Loads of part of a vector are branches here, and the compiler does not see that those of short rows are written. */
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#define ISA neon
#define ISA_BITS WHET_ISA_NEON
#include "kern/softmax_f32_body.h"
