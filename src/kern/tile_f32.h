/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_TILE_F32_H
#define WHET_KERN_TILE_F32_H

/* The float micro-kernels under conv_f32, gemm_f32 and wino_f32, and the loops over them that those families share.
 *
 * A tile is `mr` rows by one panel of columns of
 *
 *   c[i][j] = bias[j] + sum over k of a(i, k) * w[k][j]
 *
 * with A read where it lies: k runs over a list of segments, each `run` neighbouring floats in every row, rows `lda`
 * apart. One segment is a matrix product; the kernel rows of a convolution in channels-last order are one segment
 * each (the columns of a kernel row and their channels are neighbours), so no im2col is made.
 *
 * Order of sums (exact): the bias (or the partial sum in c), then one chain of fused multiply-adds, k ascending, then
 * the residual. Tile sizes do not change it, so all exact rows give the same bytes.
 *
 * Packed weights of one group: the bias padded with zeros to whole vectors, then the panels; panel p holds its k rows
 * of `width` columns each, missing columns zero. A panel that starts at column n0 starts n0 * k floats after the
 * bias.
 *
 * Form BF16 (rounded to nearest, ties to even) has blocks of 16 columns after the bias, k padded with zeros to a
 * multiple of 32: [k / 2][column][k % 2], what two factors to a sum at once (vdpbf16ps, tdpbf16ps) want. Rows of that
 * form round A likewise, sum in f32 in an order of their own, and take numbers below 2^-126 as zeros: not exact.
 *
 * Form SPLIT is the same with each weight as a sum of three: hi + mid + lo, cut off one after the other, eight bits
 * each, is a float again. [k / 32][part][k % 32 / 2][column][k % 2]. Six of the nine products of such parts reach as
 * far as a float does. */

#include "kern/epilogue.h"
#include "kern/kern.h"

/* Packed forms: vector length and how columns are cut into panels. */
enum {
  WHET_PANEL_NONE,
  WHET_PANEL_16,   /* vectors of 16; panels of 32, and 48 or 16 at the end */
  WHET_PANEL_8,    /* vectors of 8; panels of 16, and 24 or 8 at the end */
  WHET_PANEL_BF16, /* weights as bf16, see below */
  WHET_PANEL_RUNS, /* of a convolution, see conv_bf16.h */
  WHET_PANEL_SPLIT /* weights as three parts of bf16 each, see below */
};

/* A run of neighbouring floats. */
typedef struct whet_seg_f32 {
  int64_t a;   /* where it starts, in floats from the tile's a */
  int64_t k;   /* its first row of the panel */
  int64_t run; /* how long it is */
} whet_seg_f32;

enum {
  WHET_TILE_ACC = 1,  /* sums go on from c; else they start from the bias */
  WHET_TILE_ADD = 2,  /* add res at the end */
  WHET_TILE_CLAMP = 4 /* then lo <= v <= hi */
};

/* One call of a micro-kernel. */
typedef struct whet_tile_f32 {
  const float *a; /* row 0; segments count from here */
  int64_t lda;    /* floats from row to row */
  const float *w; /* panel, aligned to its vectors */
  int64_t pair;   /* floats from it to the panel with the second half of the columns, where a tile takes two panels */
  const whet_seg_f32 *seg;
  int64_t n_seg;
  const float *bias; /* as wide as the panel */
  float *c;
  int64_t ldc;
  const float *res; /* read with ADD */
  int64_t ldr;
  const float *ahead; /* what to prefetch while this tile runs: WHET_TILE_AHEAD floats for each k */
  float lo, hi;
  uint32_t flags; /* WHET_TILE_ */
  uint32_t last;  /* columns that count in the last vector of the panel */
} whet_tile_f32;
typedef void (*whet_tile_f32_fn)(const whet_tile_f32 *t);

enum { WHET_TILE_MR = 14, WHET_TILE_NV = 8 };
/* Floats that a tile of nv vectors prefetches for each k; none where its loads are what limits it. */
#define WHET_TILE_AHEAD(nv) ((nv) == 1 ? 0 : 16)

struct whet_job_f32;

/* The micro-kernels of one instruction set. */
typedef struct whet_tiles_f32 {
  uint16_t form;                /* WHET_PANEL_ */
  uint8_t mr[WHET_TILE_NV + 1]; /* most rows for a panel of that many vectors */
  uint8_t pair;                 /* vectors of panels of which a tile may take two; 0: none */
  whet_tile_f32_fn fn[WHET_TILE_NV + 1][WHET_TILE_MR + 1]; /* by vectors and rows; NULL: see whet__tile_next */
  void (*epi)(const whet_epi_f32 *e, float *x, int64_t ldx, const float *res, int64_t ldr, int64_t m, int64_t n); /* see unary_f32.h */
  /* Runs whole jobs in place of fn, with `room` bytes for panels of k rows; k is not cut then. NULL: fn. */
  void (*run)(const struct whet_job_f32 *j);
  size_t (*room)(int64_t k);
} whet_tiles_f32;
/* Height of the first of *tiles tiles, of even heights, that take m rows; *tiles are left then. A height that has no
 * code becomes the next greater, or at the end two halves. */
static inline int64_t whet__tile_next(const whet_tiles_f32 *t, int nv, int64_t m, int64_t *tiles) {
  int64_t mr = whet__ceil_div(m, *tiles);
  while (mr < m && !t->fn[nv][mr]) mr++;
  if (!t->fn[nv][mr]) return whet__ceil_div(mr, 2);
  --*tiles;
  return mr;
}
extern const whet_tiles_f32 whet__tiles_f32_c;
extern const whet_tiles_f32 whet__tiles_f32_avx2;
extern const whet_tiles_f32 whet__tiles_f32_avx512;
extern const whet_tiles_f32 whet__tiles_f32_bf16;
extern const whet_tiles_f32 whet__tiles_f32_amx;
extern const whet_tiles_f32 whet__tiles_split_amx;
extern const whet_tiles_f32 whet__tiles_f32_neon;
extern const whet_tiles_f32 whet__tiles_f32_rvv;

/* Columns in a vector of a form, and columns padded to whole vectors. */
int64_t whet__panel_vec(unsigned form);
static inline int64_t whet__panel_pad(unsigned form, int64_t n) {
  int64_t v = whet__panel_vec(form);
  return whet__ceil_div(n, v) * v;
}
/* Vectors of the next panel when `left` vectors of columns are left. */
int whet__panel_next(unsigned form, int64_t left);
/* Vectors that tiles of m rows take at once where `left` ones are left, and `here` of them are to be made: those of a
 * panel, or for few rows of two. */
static inline int whet__tile_columns(const whet_tiles_f32 *t, int64_t left, int64_t here, int64_t m) {
  int nv = whet__panel_next(t->form, left);
  for (int n = nv == t->pair ? 4 : 1; n > 1; n /= 2) {
    bool same = here >= n * nv && m <= t->mr[n * nv];
    for (int i = 1; i < n && same; i++) same = whet__panel_next(t->form, left - i * nv) == nv;
    if (same) return n * nv;
  }
  return nv;
}
/* Panels of n columns. */
int64_t whet__panel_count(unsigned form, int64_t n);
/* Floats of one packed group: bias and panels of n columns, k rows. */
static inline int64_t whet__panel_floats(unsigned form, int64_t n, int64_t k) {
  if (form == WHET_PANEL_BF16) k = whet__ceil_div(k, 32) * 16; /* halves of floats */
  if (form == WHET_PANEL_SPLIT) k = whet__ceil_div(k, 32) * 48;
  return whet__panel_pad(form, n) * (k + 1);
}

/* ---- loops over tiles -------------------------------------------------------------------------------------------
 */

/* Output rows that lie at even distances and have the same segments. */
typedef struct whet_strip_f32 {
  const float *a;
  int64_t lda;
  float *c; /* column 0 of the group */
  int64_t ldc;
  const float *res; /* likewise; NULL without residual */
  int64_t ldr;
  int64_t m;          /* rows */
  int32_t seg, n_seg; /* in the job's list */
  bool first, last;   /* the sums start, end here (a long k is cut into several strips) */
  bool begun;         /* they go on from what c holds, and not from the bias */
} whet_strip_f32;

enum { WHET_JOB_STRIPS = 192, WHET_JOB_SEGS = 512 };

/* A list of strips over the same columns of the same weights: filled by a driver, run panel by panel, so that a panel
 * that has been brought into the cache serves all of them. */
typedef struct whet_job_f32 {
  const whet_tiles_f32 *tiles;
  const float *w; /* packed group */
  int64_t n, k;   /* columns, rows of its panels */
  int64_t n0, n1; /* columns to make: whole panels */
  bool ahead;     /* weights do not stay in the second cache: fetch what comes next */
  uint32_t flags; /* ADD and CLAMP that end every sum */
  float lo, hi;
  whet_epi_f32 rest; /* micro-operations after those, over each tile's stored results; n = 0: none */
  void *room;        /* for tiles->run, aligned to 64 */
  int32_t n_strip, n_seg;
  whet_strip_f32 strip[WHET_JOB_STRIPS];
  whet_seg_f32 seg[WHET_JOB_SEGS];
} whet_job_f32;

/* Divide an epilogue into what kernels do in registers (answered as WHET_TILE_ADD and WHET_TILE_CLAMP; the bounds are
 * first->a[0] and first->b[0]) and the rest. */
uint32_t whet__epi_split(const whet_epi_f32 *epi, whet_epi_f32 *first, whet_epi_f32 *rest);
/* Bytes of its room with panels of k rows. */
static inline size_t whet__job_room(const whet_tiles_f32 *t, int64_t k) {
  return t && t->room ? whet__round_up(t->room(k), 64) : 0;
}
/* Start a job: `epi` is divided into what kernels do in registers and the rest. */
void whet__job_init(whet_job_f32 *j, const whet_tiles_f32 *tiles, const float *w, int64_t n, int64_t k,
                    const whet_epi_f32 *epi);
/* Append a strip whose segments are `seg`; s->first and s->last are set by the caller. Strips that continue the one
 * before become part of it. Runs the job first when it is full. */
void whet__job_strip(whet_job_f32 *j, const whet_strip_f32 *s, const whet_seg_f32 *seg, int32_t n_seg);
/* Append a strip that has the segments of the strip appended last, sums begun and ended as there; false when the job
 * holds none or is full. */
bool whet__job_again(whet_job_f32 *j, const whet_strip_f32 *s);
/* As whet__job_strip with the segments clipped to rows k0..k1 of the panels, which also tell first and last. */
void whet__job_strip_rows(whet_job_f32 *j, const whet_strip_f32 *s, const whet_seg_f32 *seg, int32_t n_seg,
                          int64_t k0, int64_t k1);
/* Append a segment to a list of *n, or lengthen the last one where it continues it. */
static inline void whet__seg_add(whet_seg_f32 *seg, int32_t *n, int64_t a, int64_t k, int64_t run) {
  whet_seg_f32 *last = seg + *n - 1;
  if (*n && last->a + last->run == a && last->k + last->run == k)
    last->run += run;
  else
    seg[(*n)++] = (whet_seg_f32){a, k, run};
}
/* Run and empty it. */
void whet__job_run(whet_job_f32 *j);

/* One row of sums, without the ways of a job: c[j] = epilogue(bias[j] + sum over k of a[i] * w[i][j]) with `w` a packed group of n
 * columns and k rows. Only tiles with functions. Parts share the panels. */
void whet__tile_row(const whet_tiles_f32 *tiles, const whet_epi_f32 *epi, const float *a, const float *w, int64_t n, int64_t k, float *c,
                    const float *res, int part, int parts);

/* How many rows of a panel to take at once, so that a block of them stays in a second cache of l2 bytes while all
 * strips use it. */
int64_t whet__k_block(int64_t k, size_t l2);
/* The same for a job: all where its tiles run whole jobs. */
static inline int64_t whet__job_k(const whet_job_f32 *j, size_t l2) {
  return j->tiles->run ? whet__max_i(j->k, 1) : whet__k_block(j->k, l2);
}

/* Which part of rows x columns a part of a step does: a list of rectangles whose columns are whole panels. */
typedef struct whet_share {
  int64_t m0, m1, n0, n1;
} whet_share;
/* Cut m rows (at multiples of `grain`) of n columns among `parts`. by_columns: each part keeps its own panels; else
 * its own rows. Answers how many rectangles there are, at most 3. */
int whet__share(unsigned form, int64_t m, int64_t grain, int64_t n, bool by_columns, int part, int parts,
                whet_share out[3]);

#endif
