/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/vec_c.h"

#define ISA c
#define ISA_BITS 0
#include "kern/fakeq_f32_body.h"
