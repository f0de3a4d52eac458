/* SPDX-License-Identifier: Apache-2.0 */
/* Contract: any bytes given as a picture or a sound end in a named error or a result within the limits; a picture
 * never has more pixels than allowed. */

#include <stdlib.h>

#include "whet/media.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  whet_err err = {0};
  whet_picture pic;
  whet_decode_opts o = whet_decode_opts_default();
  o.max_pixels = 1 << 16;
  o.convert = n & 1;
  if (whet_media_register()) abort();
  whet_status s = whet_picture_decode(p, n, &o, &pic, &err);
  if (s == WHET_OK ? !pic.data || (int64_t)pic.width * pic.height > o.max_pixels : !err.text[0] || pic.data) abort();
  whet_picture_free(&pic);
  whet_sound sound;
  whet_sound_opts so = whet_sound_opts_default();
  so.max_frames = 1 << 20;
  so.mono = n & 1;
  if (!whet_sound_decode(p, n, &so, &sound, &err) && (!sound.data || sound.frames > so.max_frames)) abort();
  whet_sound_free(&sound);
  return 0;
}
