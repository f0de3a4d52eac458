/* SPDX-License-Identifier: Apache-2.0 */
/* Family few_f32, portable. */
#include "kern/vec_c.h"

#define ISA c
#define ISA_BITS 0
#include "kern/few_f32_body.h"
