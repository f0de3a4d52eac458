/* SPDX-License-Identifier: Apache-2.0 */
/* Family resize_lin, portable. */

#define ISA c
#define MIN_INNER 1
#define ISA_BITS 0
#include "kern/resize_lin_body.h"
