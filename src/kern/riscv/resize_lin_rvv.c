/* SPDX-License-Identifier: Apache-2.0 */
/* Family resize_lin on RVV. */

#define ISA rvv
#define MIN_INNER 1
#define ISA_BITS WHET_ISA_RVV
#include "kern/resize_lin_body.h"
