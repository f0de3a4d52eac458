/* SPDX-License-Identifier: Apache-2.0 */
/* Rfft2D(x, length): the Fourier transform over the last two dimensions, which are cut or filled with zeros to `length`;
 * of the last one the first length / 2 + 1 frequencies are kept, as the others mirror them.
 *
 * TFLite RFFT2D: f32 in, complex64 out, lengths that are powers of two. Computed in double, rounded once. */

#include "op/fft.h"
#include "op/move.h"

enum { MAX_LENGTH = 1 << 24 };

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  if (n->n_in != 2 || !whet__in_has(f, 0) || !whet__in_has(f, 1))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected 2 inputs, got %d", n->n_in);
  if (whet__in_dtype(f, 0) != WHET_F32)
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken: expected float32",
                            whet_dtype_name(whet__in_dtype(f, 0)));
  WHET_TRY(whet__infer_rank(f, 0, 2, WHET_MAX_RANK));
  whet_shape y = *whet__in_shape(f, 0);
  whet_nums len;
  bool known = whet__nums(f, 1, &len);
  if (len.n >= 0 && len.n != 2) return whet__infer_fail(f, WHET_E_SHAPE, "%d lengths: expected 2", len.n);
  for (int32_t i = 0; i < 2; i++) {
    whet_dim d = known ? whet__num(&len, i) : WHET_DIM_ANY;
    if (whet__dim_number(d) && (!whet__is_pow2(d) || d > MAX_LENGTH))
      return whet__infer_fail(f, WHET_E_UNSUPPORTED,
                              "a transform of length %lld is not supported: expected a power of 2 up to %d", (long long)d,
                              MAX_LENGTH);
    y.d[y.rank - 2 + i] = whet__dim_known(d) ? (i ? d / 2 + 1 : d) : WHET_DIM_ANY;
  }
  *whet__out(f, 0, WHET_C64) = y;
  if (!known) return whet__nums_late(f, &len, "the lengths");
  whet_dim count;
  return whet__nums_all(&len) ? whet__infer_count(f, &y, &count) : WHET_LATE;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Rows, columns and the greater of both, of one transform that makes y. */
static int64_t lengths(const whet_tensor *y, int64_t *h, int64_t *w) {
  *h = y->dim[y->rank - 2];
  *w = whet__max_i(1, 2 * (y->dim[y->rank - 1] - 1));
  return whet__max_i(*h, *w);
}

static size_t scratch(const whet_args *a) {
  int64_t h, w, most = lengths(&a->out[0], &h, &w);
  return (size_t)(2 * h * w + whet__fft_twiddles(most)) * sizeof(double);
}

/* The picture at xo, cut or filled up to h x w complex numbers. */
static void take(const whet_tensor *x, int64_t xo, int64_t h, int64_t w, double *z) {
  const int64_t *d = x->dim + x->rank - 2, *s = x->stride + x->rank - 2;
  memset(z, 0, (size_t)(2 * h * w) * sizeof *z);
  for (int64_t i = 0; i < h && i < d[0]; i++)
    for (int64_t j = 0; j < w && j < d[1]; j++)
      z[2 * (i * w + j)] = whet__get_f64(x->dtype, x->data, xo + i * s[0] + j * s[1]);
}

static whet_status ref(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *y = &a->out[0];
  int64_t h, w, most = lengths(y, &h, &w), at[WHET_MAX_RANK] = {0};
  int32_t outer = x->rank - 2;
  double *z = a->scratch, *twiddle = z + 2 * h * w;
  if (!z) return WHET_E_UNSUPPORTED; /* while constants are folded */
  if (!whet__tensor_count(y)) return WHET_OK;
  whet__fft_twiddle(most, twiddle);
  do {
    take(x, whet__index_offset(outer, at, x->stride), h, w, z);
    for (int64_t i = 0; i < h; i++) whet__fft(w, z + 2 * i * w, 1, twiddle, most);
    for (int64_t j = 0; j <= w / 2; j++) whet__fft(h, z + 2 * j, w, twiddle, most);
    int64_t yo = whet__index_offset(outer, at, y->stride);
    for (int64_t i = 0; i < h; i++)
      for (int64_t j = 0; j <= w / 2; j++)
        for (int k = 0; k < 2; k++) {
          int64_t to = yo + i * y->stride[outer] + j * y->stride[outer + 1];
          whet__set_f64(WHET_F32, y->data, 2 * to + k, z[2 * (i * w + j) + k]);
        }
  } while (whet__index_next(outer, x->dim, at));
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

static const whet_from k_from[] = {{"tflite", "RFFT2D", 1, NULL}, {0}};
const whet_op whet_op_Rfft2D = {.name = "Rfft2D", .from = k_from, .infer = infer, .ref = ref, .scratch = scratch};
