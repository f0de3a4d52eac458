/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `output`: an output of the model becomes the frame's numbers, for windows and models behind it. */

#include "edge/pipeline/inner.h"

typedef struct output {
  pl_node n;
  int64_t which;
  bool raw; /* quantised numbers as they are stored */
  double rate;
} output;

#define AT(field) offsetof(output, field)
static const conf_key k_keys[] = {{.name = "number", CONF_INT, AT(which), NULL, 0, PL_OUTPUTS - 1},
                                  {.name = "raw", CONF_BOOL, AT(raw)},
                                  {.name = "rate", CONF_REAL, AT(rate), NULL, 1e-6, 1e9},
                                  {0}};

static whet_status open_output(pl_node *n, whet_err *err) {
  return pl_is_behind_infer(n) ? WHET_OK
                               : pl_fail(n, err, "it reads a model's outputs, but no infer stands before it");
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  output *s = (output *)n;
  if ((size_t)s->which >= f->n_output)
    return edge_fail(err, WHET_E_NAME, "the model has no output %lld", (long long)s->which);
  pipe_tensor t = f->output[s->which];
  int64_t columns = t.rank > 0 ? t.dims[t.rank - 1] : 1;
  if (s->raw) t.quant.n = 0;
  pl_frame *o = pl_frame_copy(f);
  if (!o) return edge_fail(err, WHET_E_MEMORY, "no memory for a frame");
  whet_status st = pl_frame_numbers(o, WHET_F32, 2, (int64_t[]){columns ? (int64_t)t.n / columns : 0, columns}, err);
  if (!st) st = pipe_tensor_floats(&t, 0, t.n, (float *)(void *)o->blob->p, err);
  o->rate = s->rate;
  if (!st) st = pl_pass(n, o, err);
  pl_frame_free(o);
  return st;
}

const pl_kind pl_stage_output = {
    .name = "output", .size = sizeof(output), .keys = k_keys, .lone = "number", .open = open_output, .run = run};
