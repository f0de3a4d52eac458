/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PREP_PIXEL_H
#define WHET_PREP_PIXEL_H

/* Orders of samples and how to come from one to another. */

#include "kern/prep_color.h"
#include "whet/prep.h"

/* Samples of a pixel; 0 for a number that is no order. */
int32_t whet__pixel_samples(whet_pixel p);
/* The parameters that turn n pixels of one order into another; false when they are the same already. */
bool whet__pixel_convert(whet_pixel from, whet_pixel to, int64_t n, whet_prep_color *out);

#endif
