/* SPDX-License-Identifier: Apache-2.0 */
/* What the operators made of products share. */

#include "op/matrix.h"

#include <math.h>

const whet_pack_kind whet__pack_f32_kind = {"panels of float weights", sizeof(whet_pack_f32), whet__pack_f32_bytes,
                                            whet__pack_f32};

whet_arg whet__pl_weights_f32(whet_planner *p, const whet_pack_f32 *pack, int32_t w, int32_t bias) {
  int32_t src[2] = {w, bias};
  bool constant = whet__pl_data(p, w) && (bias < 0 || whet__pl_data(p, bias));
  int32_t id = constant ? whet__pl_pack(p, &whet__pack_f32_kind, pack, src, 2)
                        : whet__pl_pack_step(p, &whet__pack_f32_kind, pack, src, 2);
  return id < 0 ? whet__none() : constant ? whet__pk(id) : whet__tm(id, false);
}

int32_t whet__pl_l2_kb(const whet_planner *p) {
  size_t l2 = whet__pl_target(p)->cache[1];
  return l2 ? (int32_t)whet__min_i((int64_t)(l2 >> 10), 1 << 20) : 256;
}

double whet__pl_macs_ns(const whet_planner *p, double macs) {
  uint32_t isa = whet__pl_target(p)->isa;
  return macs / (isa & WHET_ISA_AVX512 ? 60 : isa & WHET_ISA_AVX2 ? 50 : isa ? 12 : 1);
}

double whet__ref_fma(bool wide, double x, double w, double acc) {
  return wide ? fma(x, w, acc) : (double)fmaf((float)x, (float)w, (float)acc);
}
