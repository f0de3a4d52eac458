/* SPDX-License-Identifier: Apache-2.0 */
/* Storing tiles of sums on AVX-512 with VBMI. */
#include "kern/x86/out_q8_tile512.h"
