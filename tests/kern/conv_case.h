/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_KERN_CONV_CASE_H
#define TESTS_KERN_CONV_CASE_H

/* Cases of convolution, for the families that compute them: one fused multiply-add after the other. */

#include "kern/check.h"
#include "kern/conv_f32.h"
#include "kern/pack_f32.h"

typedef struct conv_case {
  whet_conv_f32 c;
  whet_pack_f32 pack;
  const float *in, *w, *bias, *res;
  int packed;
  bool one_group;  /* weights are packed as the columns of one group: depthwise */
  bool transposed; /* convt_f32 */
  bool may_copy;   /* set `patches` where the sizes allow it */
  int64_t out_floats; /* of the output, where it is not the convolution's: convpool_f32 */
} conv_case;

/* The arguments for the sizes in s->c; *_gap: floats between the channels of neighbouring pixels. */
void conv_arguments(kc *k, conv_case *s, bool bias, bool res, bool oihw, int64_t in_gap, int64_t out_gap,
                    int64_t res_gap);
/* A dimension with about n inputs. */
whet_window conv_window(kc *k, int64_t n, int64_t kernel);
/* A random epilogue. */
void conv_epilogue(kc *k, whet_epi_f32 *e);
/* Tell the sizes. */
void conv_name(kc *k, const whet_conv_f32 *c);
/* kc_test's pack and check. */
void conv_pack(kc *k, const whet_kern *row);
void conv_check(kc *k);

#endif
