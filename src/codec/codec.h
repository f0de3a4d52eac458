/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CODEC_CODEC_H
#define WHET_CODEC_CODEC_H

/* The codecs that the core has. */

#include "base/base.h"
#include "whet/codec.h"

extern const whet_codec whet__codec_bmp, whet__codec_pnm;

#endif
