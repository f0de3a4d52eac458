/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8: layout of packed weights, and packing. */

#include "kern/conv_q8.h"
#include "base/dtype.h"

whet_conv_q8_shape whet__conv_q8_shape_of(const whet_conv_q8 *p, uint8_t form) {
  return (whet_conv_q8_shape){.groups = p->groups,
                              .in_c = p->in_c,
                              .out_c = p->out_c,
                              .kh = p->kh,
                              .kw = p->kw,
                              .apart = p->dil_w > 1,
                              .w_zeros = p->w_zeros,
                              .form = form,
                              .out = whet__factors_of(&p->out)};
}

whet_conv_q8_layout whet__conv_q8_layout(const whet_conv_q8_shape *s) {
  whet_conv_q8_layout l = {.ic = s->in_c / s->groups, .oc = s->out_c / s->groups};
  l.segs = s->apart ? (int64_t)s->kh * s->kw : s->kh;
  l.seg_k = s->apart ? l.ic : l.ic * s->kw;
  l.k4 = whet__ceil_div(l.seg_k, 4);
  if (s->form == WHET_CONV_Q8_STEPS && l.k4) {
    int64_t steps = whet__conv_q8_steps(l.k4);
    l.k4 = steps * (steps < 16 ? whet__ceil_div(l.k4, steps) : 16);
  }
  if (s->form == WHET_CONV_Q8_EIGHTS) l.k4 += l.k4 % 2;
  l.blocks = whet__ceil_div(l.oc, 16);
  l.block = s->form == WHET_CONV_Q8_TURNED ? 4 * whet__conv_q8_fours(l.segs * l.k4) : l.segs * l.k4 * 64;
  l.n = s->groups * l.blocks * 16;
  l.factors = whet__round_up((size_t)l.n * 4, 64);
  l.w_zero = l.factors + whet__round_up(whet__factors_bytes(&s->out, l.n), 64);
  l.weights = l.w_zero + (s->w_zeros ? whet__round_up((size_t)l.n * 4, 64) : 0);
  if (s->form == WHET_CONV_Q8_WINO)
    l.group = (size_t)(36 * l.blocks * whet__ceil_div(l.ic, 2)) * 64;
  else if (whet__conv_q8_panels(s->form))
    l.group = (size_t)(l.blocks * l.block);
  else
    l.group = (size_t)l.oc * whet__round_up((size_t)(l.segs * l.k4) * 4, 16);
  l.bytes = l.weights + (size_t)s->groups * l.group;
  return l;
}

bool whet__conv_q8_inside(const whet_conv_q8 *p) {
  return !p->pad_top && !p->pad_left &&
         (int64_t)(p->out_h - 1) * p->stride_h + (int64_t)(p->kh - 1) * p->dil_h < p->in_h &&
         (int64_t)(p->out_w - 1) * p->stride_w + (int64_t)(p->kw - 1) * p->dil_w < p->in_w;
}

size_t whet__conv_q8_bytes(const void *params) {
  return whet__conv_q8_layout(&((const whet_conv_q8_pack *)params)->shape).bytes;
}

/* One weight as a signed byte. */
static int weight(const whet_conv_q8_pack *p, const void *w, int64_t i) {
  switch (p->w_type) {
    case WHET_S8:
      return ((const int8_t *)w)[i];
    case WHET_U8:
      return ((const uint8_t *)w)[i] - 128;
    default:
      return (int)whet__get_i64((whet_dtype)p->w_type, w, i);
  }
}

/* n bytes `step` apart to places i.. of a row whose `few` neighbours stand together every `apart` bytes; their sum. flip: 0x80
 * for unsigned ones. */
static uint32_t pack_bytes(const uint8_t *from, int64_t step, int64_t n, uint8_t flip, int8_t *to, int64_t i, int64_t few,
                           int64_t apart) {
  const int64_t in = few - 1; /* few is a power of two */
  int64_t c = 0, at = i / few * apart;
  uint32_t sum = 0;
  if (few == 4 && step == 1 && i % 4 == 0)
    for (; c + 4 <= n; c += 4, at += apart) {
      uint32_t q;
      memcpy(&q, from + c, 4);
      q ^= 0x01010101u * flip;
      memcpy(to + at, &q, 4);
      for (int b = 0; b < 32; b += 8) sum += (uint32_t)(int8_t)(q >> b);
    }
  for (i += c; c < n; c++, i++) {
    int8_t v = (int8_t)(from[c * step] ^ flip);
    to[at + (i & in)] = v;
    sum += (uint32_t)v;
    if ((i & in) == in) at += apart;
  }
  return sum;
}

/* The weights of output o of group g at the places of its form, which are zeroed; their sum. */
static int32_t pack_output(const whet_conv_q8_pack *p, const whet_conv_q8_layout *l, int64_t g, int64_t o,
                           const void *w, int8_t *to) {
  uint8_t form = p->shape.form;
  bool panels = whet__conv_q8_panels(form), apart = p->shape.apart, turned = form == WHET_CONV_Q8_TURNED;
  int64_t row = (int64_t)l->group / (l->oc ? l->oc : 1);
  /* of k that stand side by side in a panel */
  const int64_t few = form == WHET_CONV_Q8_LANES    ? 1
                      : form == WHET_CONV_Q8_WORDS  ? 2
                      : form == WHET_CONV_Q8_EIGHTS ? 8
                                                    : 4;
  const int64_t step = turned ? WHET_CONV_Q8_FOURS : panels ? 16 * few : few;
  int8_t *at = turned   ? to + o / 16 * l->block + o % 16 / 4 * (l->block / 4) + 4 + o % 4 * 4
               : panels ? to + o / 16 * l->block + o % 16 * few
                        : to + o * row;
  const int64_t parts = p->parts ? p->parts : 1, part = o / (l->oc / parts), ic = l->ic / parts;
  g = g * parts + part, o -= part * (l->oc / parts);
  uint32_t sum = 0;
  for (int64_t seg = 0; seg < l->segs; seg++) {
    int64_t y = apart ? seg / p->shape.kw : seg, x = apart ? seg % p->shape.kw : 0, end = apart ? x + 1 : p->shape.kw;
    for (int64_t i = seg * l->k4 * 4 + part * ic; x < end; x++, i += l->ic - ic) {
      int64_t from = p->at + g * p->at_g + o * p->at_o + y * p->at_y + x * p->at_x;
      if (whet_dtype_bits((whet_dtype)p->w_type) == 8) {
        sum += pack_bytes((const uint8_t *)w + from, p->at_i, ic, p->w_type == WHET_U8 ? 0x80 : 0, at, i, panels ? few : 1,
                          panels ? step : 1);
        i += ic;
        continue;
      }
      for (int64_t c = 0; c < ic; c++, i++, from += p->at_i) {
        int v = weight(p, w, from);
        at[panels ? i / few * step + i % few : i] = (int8_t)v;
        sum += (uint32_t)v;
      }
    }
  }
  return (int32_t)sum;
}

/* Do products of activations with two weights fit in 16 bits? */
static bool pair_fits(int a, int b) {
  return (a > 0 ? a : 0) + (b > 0 ? b : 0) <= 128 && (a < 0 ? a : 0) + (b < 0 ? b : 0) >= -128;
}

/* Form 9: turn pairs of a block where need be. sum[] receives what its outputs' activations taken from 255 are multiplied by. */
static void turn_block(const whet_conv_q8_layout *l, int8_t *block, uint32_t sum[16]) {
  const int64_t groups = l->segs * l->k4;
  for (int o = 0; o < 16; o++) {
    int8_t *four = block + o / 4 * (l->block / 4), *w = four + 4, *least = w + groups * WHET_CONV_Q8_FOURS;
    sum[o] = 0;
    for (int64_t g = 0; g < groups; g++, w += WHET_CONV_Q8_FOURS) {
      uint8_t turned = 0;
      for (int j = 0; j < 2; j++) {
        int8_t *pair = w + o % 4 * 4 + 2 * j;
        if (pair_fits(pair[0], pair[1])) continue;
        turned |= (uint8_t)(64 << j);
        if (pair[0] == INT8_MIN) four[0] = 1, least[g] |= (int8_t)(1 << (2 * (o % 4) + j)), pair[0]++;
        sum[o] += (uint32_t)pair[0];
        pair[0] = (int8_t)-pair[0];
      }
      w[16 + o % 4] = (int8_t)turned;
    }
  }
}

/* 32 numbers g[0] a + g[1] b + g[2] c; nothing leaves 16 bits. */
static void combine(const int8_t g[3], const int16_t *a, const int16_t *b, const int16_t *c, int16_t *to) {
  const int16_t x = g[0], y = g[1], z = g[2];
  for (int e = 0; e < 32; e++) to[e] = (int16_t)(x * a[e] + y * b[e] + z * c[e]);
}

/* Form 3: U = G w G' of the kernels of outputs [o0, o0 + n), zeros for what fills their block; two channels of
 * sixteen outputs at once, in the order in which they are stored. */
static void pack_winograd(const whet_conv_q8_pack *p, const whet_conv_q8_layout *l, const int32_t *zero, int64_t o0,
                          int64_t n, const void *w, int16_t *to) {
  static const int8_t g[6][3] = {{6, 0, 0}, {1, 1, 1}, {1, -1, 1}, {1, 2, 4}, {1, -2, 4}, {0, 0, 6}};
  int64_t k2 = whet__ceil_div(l->ic, 2);
  int16_t d[9][32] = {{0}}, h[6][3][32];
  for (int64_t k = 0; k < k2; k++) {
    for (int64_t e = 0; e < 2 * n; e++) {
      int64_t i = 2 * k + e % 2, from = p->at + (o0 + e / 2) * p->at_o + i * p->at_i;
      for (int t = 0; t < 9; t++)
        d[t][e] =
            i < l->ic ? (int16_t)(weight(p, w, from + t / 3 * p->at_y + t % 3 * p->at_x) - zero[e / 2]) : (int16_t)0;
    }
    for (int i = 0; i < 6; i++)
      for (int x = 0; x < 3; x++) combine(g[i], d[x], d[3 + x], d[6 + x], h[i][x]);
    for (int i = 0; i < 36; i++)
      combine(g[i % 6], h[i / 6][0], h[i / 6][1], h[i / 6][2], to + ((i * l->blocks + o0 / 16) * k2 + k) * 32);
  }
}

/* The sum of the weights of output o of group g. */
static uint32_t sum_of(const whet_conv_q8_pack *p, const whet_conv_q8_layout *l, int64_t g, int64_t o, const void *w) {
  uint32_t sum = 0;
  for (int64_t y = 0; y < p->shape.kh; y++)
    for (int64_t x = 0; x < p->shape.kw; x++)
      for (int64_t c = 0; c < l->ic; c++)
        sum += (uint32_t)weight(p, w, p->at + g * p->at_g + o * p->at_o + y * p->at_y + x * p->at_x + c * p->at_i);
  return sum;
}

void whet__conv_q8_do_pack(const void *params, const void *const *src, void *dst, int part, int parts) {
  const whet_conv_q8_pack *p = params;
  whet_conv_q8_layout l = whet__conv_q8_layout(&p->shape);
  char *base = dst;
  int32_t *bias = dst, *w_zero = (int32_t *)(void *)(base + l.w_zero);
  const float *scale = whet__conv_q8_scales(p);
  const int32_t *zero = whet__conv_q8_zeros(p);
  const bool winograd = p->shape.form == WHET_CONV_Q8_WINO;
  const uint32_t zero_seen = (uint32_t)(p->in_zero - (winograd || whet__conv_q8_signed(p->shape.form) ? 128 : 0));
  int64_t from, to;
  bool made = false; /* the factor of an output, which is all outputs' where they share a scale */
  whet_rescale r = {0};
  float half = 0;
  whet__split(p->shape.groups * l.blocks, part, parts, &from, &to);
  for (int64_t b = from; b < to; b++) {
    int64_t g = b / l.blocks, o0 = b % l.blocks * 16, n = whet__min_i(16, l.oc - o0);
    int8_t *weights = (int8_t *)base + l.weights + (size_t)g * l.group;
    int32_t w_zeros[16] = {0};
    for (int64_t j = 0; j < n; j++)
      if (p->n_zero) w_zeros[j] = zero[p->n_zero > 1 ? g * l.oc + o0 + j : 0] - (p->w_type == WHET_U8 ? 128 : 0);
    uint32_t sums[16], turned[16] = {0};
    if (winograd)
      pack_winograd(p, &l, w_zeros, o0, n, src[0], (int16_t *)(void *)weights);
    else if (whet__conv_q8_panels(p->shape.form))
      memset(weights + o0 / 16 * l.block, 0, (size_t)l.block);
    else if (n > 0)
      memset(weights + o0 * (int64_t)(l.group / (size_t)l.oc), 0, (size_t)n * (l.group / (size_t)l.oc));
    for (int64_t j = 0; j < n; j++)
      sums[j] = winograd ? sum_of(p, &l, g, o0 + j, src[0]) : (uint32_t)pack_output(p, &l, g, o0 + j, src[0], weights);
    if (p->shape.form == WHET_CONV_Q8_TURNED) turn_block(&l, weights + o0 / 16 * l.block, turned);
    for (int64_t j = 0; j < 16; j++) {
      int64_t at = b * 16 + j, o = g * l.oc + o0 + j;
      bias[at] = 0;
      if (p->shape.w_zeros) w_zero[at] = 0;
      if (j < n) {
        uint32_t k = (uint32_t)(l.segs * l.seg_k), own = 0;
        int32_t wz = w_zeros[j];
        if (p->bias_type) memcpy(&own, (const char *)src[1] + o * 4, 4); /* it may lie anywhere in a file */
        bias[at] = (int32_t)(own + 255 * turned[j] - zero_seen * sums[j] + k * zero_seen * (uint32_t)wz);
        if (p->shape.w_zeros) w_zero[at] = wz;
        if (!made || p->n_scale > 1) {
          r = whet__rescale(p->in_scale, scale[p->n_scale > 1 ? o : 0], p->out_scale);
          half = whet__factor_half(&p->shape.out, &r);
          made = true;
        }
        whet__factors_put(&p->shape.out, base + l.factors, l.n, at, &r, half);
      } else {
        whet__factors_set(&p->shape.out, base + l.factors, l.n, at, &(whet_rescale){0});
      }
    }
  }
}
