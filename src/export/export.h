/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EXPORT_EXPORT_H
#define WHET_EXPORT_EXPORT_H

/* Models as files of another format. A model is prepared first (prepare.c): a derived model whose graph is brought into the form
 * that the format wants, layout included. Then a writer walks the main region and a table says for each operator how the
 * format spells it. What it cannot spell is listed, every node of it, and nothing is written. */

#include "base/str.h"
#include "export/attrs.h"
#include "format/model.h"

typedef struct whet_export {
  const whet_model *m;
  const whet_graph *g;
  whet_err *err;
  whet_arena a;
  whet_uses uses;
  whet_text refused; /* what was refused so far ... */
  int n_refused;     /* ... and how many nodes that is */
  whet_names taken;  /* names in the file */
  const char **name; /* by value; NULL: none yet */
  int32_t fresh;     /* values made up so far */
  bool failed;       /* memory was refused */
  bool dense;        /* zeros are written as what they are */
} whet_export;

WHET_MUST whet_status whet__export_open(whet_export *x, const whet_model *m, whet_err *err);
/* s, or what was refused, or refused memory. */
whet_status whet__export_close(whet_export *x, whet_status s);
/* The name of value v in the file: its own, or one like it that nobody else has; "" for -1. */
const char *whet__export_name(whet_export *x, int32_t v);
/* A name that nobody has. */
const char *whet__export_fresh(whet_export *x, const char *like);
/* Is text i a pair of the model's own, the first of its key? Else it is a field of its file, which each format has in its own way: who
 * wrote it, versions, the graph's name; the description is written as such. */
bool whet__export_text(const whet_model *m, int32_t i);
/* Refuse node n. Answers WHET_OK, so that all that is refused is found. */
whet_status whet__export_refuse(whet_export *x, const whet_node *n, const char *fmt, ...) WHET_PRINTF(3, 4);

static inline const whet_val *whet__export_val(const whet_export *x, int32_t v) { return v < 0 ? NULL : &x->g->val[v]; }
/* Bytes of constant v, NULL when it is none. */
static inline const whet_data *whet__export_data(const whet_export *x, int32_t v) {
  return v >= 0 && x->g->val[v].role == WHET_ROLE_CONST ? x->g->val[v].data : NULL;
}
/* A constant list of integers as int64; NULL: it is none. *n numbers. */
const int64_t *whet__export_ints(whet_export *x, int32_t v, int32_t *n);
/* Bytes of constant v with its dimensions turned by perm; dims receives the new ones. NULL: no constant. */
const void *whet__export_turned(whet_export *x, int32_t v, const int8_t *perm, int64_t *dims);

/* The permutation that brings convolution weights of an order (WHET_CONV_) into another. */
void whet__export_order(int weights, int target, int rank, int8_t *perm);

/* A derived model in the form that a format wants. */
WHET_MUST whet_status whet__export_prepare(whet_model *m, whet_format to, whet_model **out, whet_err *err);
/* The same as for TFLite, but batch norms stay, channels last: for who changes layers that are then trained further. */
WHET_MUST whet_status whet__export_layers(whet_model *m, whet_model **out, whet_err *err);

/* The passes of qdq.c and join_pads.c. */
struct whet_pass;
whet_status whet__export_qdq(struct whet_pass *p);
whet_status whet__export_join_pads(struct whet_pass *p);

/* The bytes of the file of a prepared model, appended to out. opset: of ai.onnx; dense: sparse.h stays out of it. */
WHET_MUST whet_status whet__onnx_bytes(const whet_model *m, int opset, bool dense, whet_text *out, whet_err *err);
WHET_MUST whet_status whet__tflite_bytes(const whet_model *m, bool dense, whet_text *out, whet_err *err);

#endif
