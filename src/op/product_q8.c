/* SPDX-License-Identifier: Apache-2.0 */
/* What quantised convolutions and matrix products share. */

#include "op/product_q8.h"

#include <math.h>

#include "base/dtype.h"
#include "kern/dw_q8.h"
#include "op/sums.h"

whet_round whet__product_rule(const whet_node *n, whet_dtype x) {
  (void)x;
  return n->round == WHET_ROUND_NONE ? WHET_ROUND_TFL_FIX : (whet_round)n->round;
}

whet_status whet__infer_scales(whet_infer *f, int i, int64_t channels) {
  const whet_quant *q = whet__in_has(f, i) ? whet__in_quant(f, i) : NULL;
  if (!q || q->n == 1 || (channels >= 0 && q->n == channels && !q->block)) return WHET_OK;
  return whet__infer_fail(f, WHET_E_UNSUPPORTED, "input %d has %d scales, expected one%s", i, (int)q->n,
                          channels < 0 ? "" : " or one for each output channel");
}

whet_product_out whet__product_out(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *y = &a->out[0];
  whet_product_out p = {.round = whet__product_rule(a->node, x->dtype),
                        .wide = whet_dtype_bits(x->dtype) == 16,
                        .sx = x->q->scale[0],
                        .w = a->in[1].q,
                        .plain = !y->q,
                        .t = y->dtype};
  p.y = whet__q8(y->dtype, y->q);
  return p;
}

void whet__product_store(const whet_product_out *p, const whet_tensor *y, int64_t at, int64_t o, int64_t sum) {
  if (!p->wide) sum = (int32_t)(uint32_t)(uint64_t)sum;
  whet_rescale r = whet__rescale(p->sx, whet__q_scale(p->w, o), p->plain ? 1 : p->y.scale);
  if (p->plain && p->t == WHET_F32)
    ((float *)y->data)[at] = (float)sum * r.real32;
  else if (p->plain)
    whet__set_i64(p->t, y->data, at, sum);
  else
    whet__set_i64(p->t, y->data, at,
                  whet__add_zero(whet__rescale_apply(p->round, &r, sum), p->y.zero, p->y.lo, p->y.hi));
}

bool whet__pl_product_out(whet_planner *p, const whet_node *n, whet_out_q8 *o, whet_arg *table) {
  whet_dtype t = whet__pl_dtype(p, n->out[0]), last = whet__pl_dtype(p, whet__pl_group_out(p));
  const whet_quant *q = whet__pl_quant(p, n->out[0]);
  uint8_t map[256];
  *table = whet__none();
  *o = (whet_out_q8){.dtype = (uint8_t)t, .round = (uint8_t)whet__product_rule(n, whet__pl_dtype(p, n->in[0]))};
  o->live = whet__pl_group(p, 1) && t == WHET_S32;
  if (!q) return o->live || ((t == WHET_S32 || t == WHET_F32) && !whet__pl_group(p, 1));
  if ((t != WHET_U8 && t != WHET_S8 && t != WHET_S16) || q->n != 1) return false;
  whet_q8 y = whet__q8(t, q);
  o->zero = y.zero;
  o->lo = y.lo;
  o->hi = y.hi;
  if (t == WHET_S16) return !whet__pl_group(p, 1);
  if (!whet__pl_epi_table(p, n, map)) return !whet__pl_group(p, 1);
  if (t == last && whet__table_clamps(map, t, &o->lo, &o->hi)) return true;
  o->lo = y.lo;
  o->hi = y.hi;
  o->table = 1;
  *table = whet__bl(whet__pl_blob(p, map, sizeof map));
  return true;
}

bool whet__pl_product_live(whet_planner *p, whet_conv_q8 *c, whet_arg arg[WHET_PRODUCT_ARGS], int *n) {
  *n = c->out.live ? WHET_PRODUCT_ARGS : WHET_PRODUCT_ARGS - WHET_SUMS_LIVE;
  if (!c->out.live) return true;
  bool fits = whet__pl_sums(p, whet__pl_group(p, 1), &c->sums, arg + *n - WHET_SUMS_LIVE);
  c->sums.y_pitch = c->out_pitch;
  return fits;
}

bool whet__pl_product_quick(const whet_planner *p, const whet_node *n, int64_t channels, int64_t k) {
  const whet_quant *x = whet__pl_quant(p, n->in[0]), *w = whet__pl_quant(p, n->in[1]),
                   *y = whet__pl_quant(p, n->out[0]);
  int64_t most = 0;
  if (!y || k > (1 << 29) / (255 * 255)) return false;
  if (n->n_in > 2 && n->in[2] >= 0) {
    const whet_data *b = whet__pl_data(p, n->in[2]);
    if (!b || whet__pl_dtype(p, n->in[2]) != WHET_S32) return false;
    for (int64_t i = 0; i < channels; i++) {
      int32_t v32;
      memcpy(&v32, (const char *)b->p + i * 4, 4);
      int64_t v = v32;
      most = whet__max_i(most, v < 0 ? -v : v);
    }
  }
  if (most >= 1 << 29) return false;
  for (int64_t i = 0; i < (w && w->n > 1 ? channels : 1); i++) {
    whet_rescale r = whet__rescale(x->scale[0], whet__q_scale(w, i), y->scale[0]);
    if (r.shift > -1 || r.shift < -30) return false;
  }
  return true;
}

/* How far the n weights of output o are from their zero point, all together: weights at[1 ..] apart, k[] of them. */
static int64_t distance(const whet_data *w, whet_dtype t, const whet_quant *q, int64_t o, const int64_t k[3], const int64_t at[4]) {
  int64_t sum = 0, wz = whet__q_zero(q, o);
  for (int64_t a = 0; a < k[0]; a++)
    for (int64_t b = 0; b < k[1]; b++)
      for (int64_t c = 0; c < k[2]; c++) {
        int64_t i = o * at[0] + a * at[1] + b * at[2] + c * at[3];
        int64_t d = (t == WHET_S8 ? ((const int8_t *)w->p)[i] : ((const uint8_t *)w->p)[i]) - wz;
        sum += d < 0 ? -d : d;
      }
  return sum;
}

bool whet__pl_product_small(const whet_planner *p, const whet_node *n, int64_t channels, const int64_t k[3],
                            const int64_t at[4]) {
  const whet_data *w = whet__pl_data(p, n->in[1]);
  const whet_quant *q = whet__pl_quant(p, n->in[1]);
  whet_dtype t = whet__pl_dtype(p, n->in[1]);
  const int64_t limit = ((INT64_C(1) << 25) - 1) / 128;
  if (!w || whet_dtype_bits(t) != 8) return false;
  for (int64_t o = 0; o < channels; o++)
    if (distance(w, t, q, o, k, at) > limit) return false;
  return true;
}

bool whet__pl_product_tight(const whet_planner *p, const whet_node *n, int64_t channels, const int64_t k[3], const int64_t at[4]) {
  const whet_data *w = whet__pl_data(p, n->in[1]), *b = n->n_in > 2 && n->in[2] >= 0 ? whet__pl_data(p, n->in[2]) : NULL;
  const whet_quant *x = whet__pl_quant(p, n->in[0]), *q = whet__pl_quant(p, n->in[1]), *y = whet__pl_quant(p, n->out[0]);
  whet_dtype t = whet__pl_dtype(p, n->in[1]);
  if (!w || !y || whet_dtype_bits(t) != 8 || (n->n_in > 2 && n->in[2] >= 0 && !b)) return false;
  const int64_t zero = whet__pl_byte_zero(p, n->in[0]), far = whet__max_i(zero, 255 - zero);
  for (int64_t o = 0; o < channels; o++) {
    int32_t bias = 0;
    if (b) memcpy(&bias, (const char *)b->p + o * 4, 4);
    const double most = (double)far * (double)distance(w, t, q, o, k, at) + fabs((double)bias);
    if (!(most * whet__rescale(x->scale[0], whet__q_scale(q, o), y->scale[0]).real32 < WHET_TIGHT)) return false;
  }
  return true;
}

bool whet__pl_w_zeros(const whet_planner *p, int32_t v, int64_t channels) {
  const whet_quant *q = whet__pl_quant(p, v);
  int32_t none = whet__pl_dtype(p, v) == WHET_U8 ? 128 : 0;
  for (int64_t i = 0; i < (q && q->n > 1 ? channels : 1); i++)
    if (whet__q_zero(q, i) != none) return true;
  return false;
}

int32_t whet__pl_byte_zero(const whet_planner *p, int32_t v) {
  return whet__pl_quant(p, v)->zero[0] + (whet__pl_dtype(p, v) == WHET_S8 ? 128 : 0);
}

bool whet__pl_takes_bytes(const whet_planner *p, const whet_node *n) {
  whet_dtype x = whet__pl_dtype(p, n->in[0]), w = whet__pl_dtype(p, n->in[1]);
  int32_t bias = n->n_in > 2 ? n->in[2] : -1;
  return (x == WHET_S8 || x == WHET_U8) && (w == WHET_S8 || w == WHET_U8 || w == WHET_S4 || w == WHET_U4) &&
         (bias < 0 || whet__pl_dtype(p, bias) == WHET_S32);
}

whet_conv_q8 whet__pl_rows_conv(const whet_planner *p, const whet_node *n, int64_t m, int64_t groups, int64_t k, int64_t cols) {
  return (whet_conv_q8){.images = 1,
                        .in_h = 1,
                        .in_w = (int32_t)m,
                        .in_c = (int32_t)(groups * k),
                        .out_h = 1,
                        .out_w = (int32_t)m,
                        .out_c = (int32_t)(groups * cols),
                        .kh = 1,
                        .kw = 1,
                        .stride_h = 1,
                        .stride_w = 1,
                        .dil_h = 1,
                        .dil_w = 1,
                        .groups = (int32_t)groups,
                        .in_pitch = groups * k,
                        .out_pitch = groups * cols,
                        .in_zero = whet__pl_byte_zero(p, n->in[0]),
                        .in_signed = whet__pl_dtype(p, n->in[0]) == WHET_S8};
}

static const whet_pack_kind k_conv = {"conv_q8", 0, whet__conv_q8_bytes, whet__conv_q8_do_pack, false};

whet_arg whet__pl_weights_q8(whet_planner *p, const whet_node *n, const whet_conv_q8_pack *base) {
  int32_t w = n->in[1], bias = n->n_in > 2 ? n->in[2] : -1, channels = base->shape.out_c;
  const whet_quant *q = whet__pl_quant(p, w), *y = whet__pl_quant(p, n->out[0]);
  int32_t n_scale = q && q->n > 1 ? channels : 1,
          n_zero = base->shape.w_zeros || whet__pl_dtype(p, w) == WHET_U8 ? n_scale : 0;
  size_t size = whet__conv_q8_pack_size(n_scale, n_zero);
  whet_conv_q8_pack *d = whet__pl_memory(p, size);
  if (!d) return whet__none();
  *d = *base;
  d->size = (uint32_t)size;
  d->w_type = (uint8_t)whet__pl_dtype(p, w);
  d->bias_type = bias >= 0 ? (uint8_t)whet__pl_dtype(p, bias) : 0;
  d->in_scale = whet__pl_quant(p, n->in[0])->scale[0];
  d->out_scale = y ? y->scale[0] : 1;
  d->n_scale = n_scale;
  d->n_zero = n_zero;
  for (int32_t i = 0; i < n_scale; i++) whet__conv_q8_scales(d)[i] = whet__q_scale(q, i);
  for (int32_t i = 0; i < n_zero; i++) whet__conv_q8_zeros(d)[i] = whet__q_zero(q, i);
  const int32_t src[2] = {w, bias};
  if (whet__pl_data(p, w) && (bias < 0 || whet__pl_data(p, bias))) {
    int32_t pack = whet__pl_pack(p, &k_conv, d, src, 2);
    return pack < 0 ? whet__none() : whet__pk(pack);
  }
  int32_t temp = whet__pl_pack_step(p, &k_conv, d, src, 2);
  return temp < 0 ? whet__none() : whet__tm(temp, false);
}

double whet__pl_macs_q8_ns(const whet_planner *p, double macs) {
  uint32_t isa = whet__pl_target(p)->isa;
  return macs / (isa & WHET_ISA_VNNI ? 150.0 : isa & WHET_ISA_AVX2 ? 60.0 : 10.0);
}
