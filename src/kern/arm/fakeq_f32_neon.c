/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/arm/vec_neon.h"

#define ISA neon
#define ISA_BITS WHET_ISA_NEON
#include "kern/fakeq_f32_body.h"
