/* SPDX-License-Identifier: Apache-2.0 */
/* Family pool_f32, portable. */
#include "kern/vec_c.h"

#define ISA c
#define ISA_BITS 0
#include "kern/pool_f32_body.h"
