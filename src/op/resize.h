/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_RESIZE_H
#define WHET_OP_RESIZE_H

/* What Resize, its quantised meaning and its tables share: attributes, sizes, where each output element looks. */

#include "kern/resize_lin.h"
#include "op/op.h"

enum { WHET_RESIZE_NEAREST, WHET_RESIZE_LINEAR, WHET_RESIZE_CUBIC };
enum {                            /* where output place o looks, with s = out / in or the given scale */
       WHET_RESIZE_HALF_PIXEL,    /* (o + 1/2) / s - 1/2 */
       WHET_RESIZE_SYMMETRIC,     /* the same about the middle of s * in places */
       WHET_RESIZE_PYTORCH,       /* the same; one output place alone looks at -1/2 */
       WHET_RESIZE_ALIGN_CORNERS, /* o (in - 1) / (out - 1) */
       WHET_RESIZE_ASYMMETRIC,    /* o / s */
       WHET_RESIZE_TF_HALF_PIXEL, /* (o + 1/2) / s */
       WHET_RESIZE_CROP           /* a region of interest, corners aligned */
};
/* ROUND: halves go down or up; SIMPLE (Resize-10): down, but up where the axis shrinks. */
enum { WHET_RESIZE_ROUND_DOWN, WHET_RESIZE_ROUND_UP, WHET_RESIZE_FLOOR, WHET_RESIZE_CEIL, WHET_RESIZE_SIMPLE };
enum { WHET_RESIZE_STRETCH, WHET_RESIZE_NOT_LARGER, WHET_RESIZE_NOT_SMALLER };

/* Inputs: x, region of interest (starts, then ends), scales, sizes; of the last two one is there. */
typedef struct whet_resize_attr {
  whet_ints axes;         /* to which the other inputs belong; n 0: all in order */
  float cubic_a, outside; /* coefficient of the cubic; value outside the input (CROP) */
  uint8_t mode, place, nearest, policy;
  bool antialias, exclude; /* widen the filter when shrinking; weights outside the input count as 0 */
  bool single;             /* TFLite: places are computed in f32 */
} whet_resize_attr;

/* One dimension. */
typedef struct whet_resize_axis {
  int64_t in, out;
  double scale, from, to; /* region of interest as parts of in - 1 */
  bool active;            /* false: elements stay where they are */
} whet_resize_axis;

/* How many input elements each output element of an axis looks at. */
int64_t whet__resize_taps(const whet_resize_attr *a, const whet_resize_axis *x);
/* At which (into index, within the input) and with which weights. False: outside (CROP). */
bool whet__resize_look(const whet_resize_attr *a, const whet_resize_axis *x, int64_t o, int64_t *index,
                       double *weight);

/* Sizes of a reference call and of a planned node; false when roi, scales or sizes are not known to the plan. */
void whet__ref_resize(const whet_args *a, whet_resize_axis axis[WHET_MAX_RANK]);
bool whet__pl_resize(const whet_planner *p, const whet_node *n, whet_resize_axis axis[WHET_MAX_RANK]);

/* Quantised meaning, input of 8 or 16 bits with a scale: resize_q8.c. */
whet_status whet__resize_q8_plan(whet_planner *p, const whet_node *n);
whet_status whet__resize_q8_ref(const whet_args *a);
/* A step of family resize_lin for a node that resizes dimensions h and h + 1 linearly; places: those of both dimensions'
 * outputs. WHET_LATE when the values do not lie as the family wants them. */
whet_status whet__pl_resize_lin(whet_planner *p, const whet_node *n, int32_t h, uint8_t kind,
                                const whet_resize_place *places);
/* The same over real numbers, whatever the types are. */
whet_status whet__resize_real(const whet_args *a);

#endif
