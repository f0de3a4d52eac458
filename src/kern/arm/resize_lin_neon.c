/* SPDX-License-Identifier: Apache-2.0 */
/* Family resize_lin on NEON. */

#define ISA neon
#define MIN_INNER 1
#define ISA_BITS WHET_ISA_NEON
#include "kern/resize_lin_body.h"
