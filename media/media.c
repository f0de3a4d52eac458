/* SPDX-License-Identifier: Apache-2.0 */
/* The codecs of this build: codecs.def lists all, the build says which libraries it found. */

#include "media.h"

#define IF_1(x) x
#define IF_0(x)
#define CODEC_(have, x) IF_##have(x)
#define CODEC(have, x) CODEC_(have, x)

#define MEDIA(name, have) CODEC(have, extern const whet_codec media_##name;)
#include "codecs.def"
#undef MEDIA

whet_status whet_media_register(void) {
  whet_status s = WHET_OK;
#define MEDIA(name, have) CODEC(have, if (!s) s = whet_codec_register(&media_##name);)
#include "codecs.def"
#undef MEDIA
  return s;
}

const char *whet_media_left_out(void) { return MEDIA_LEFT_OUT; }
