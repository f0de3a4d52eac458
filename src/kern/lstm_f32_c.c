/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_f32, portable. */
#include "kern/vec_c.h"

#define ISA c
#define ISA_BITS 0
#define ROWS 1
#include "kern/lstm_f32_body.h"
