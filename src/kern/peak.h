/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_PEAK_H
#define WHET_KERN_PEAK_H

/* How many multiply-adds one core of this machine does, measured: the yardstick of kernel benchmarks and profiles. */

#include "base/target.h"

/* Operations (multiply and add count one each) in a second with the widest registers among the instruction sets `isa`, in
 * float32 or, `q8`, in 8-bit integers summed in 32 bits. Measured at the first call for each, some milliseconds. Not
 * thread safe. */
double whet__peak(uint32_t isa, bool q8);

#endif
