/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_LIB_OPCHECK_H
#define TESTS_LIB_OPCHECK_H

/* A model made by hand, and the generic test of operators: the planned run, at every CPU level of this machine, with
 * one thread and two, in groups and alone, against the naive references run node by node.
 *
 *   opcheck c;
 *   opcheck_begin(&c, "conv 3x3");
 *   int32_t x = opcheck_input(&c, WHET_F32, 4, (int64_t[]){1, 8, 9, 16});
 *   int32_t w = opcheck_const(&c, WHET_F32, 4, (int64_t[]){4, 16, 3, 3}, NULL);   // random
 *   int32_t y = opcheck_node(&c, "Conv", &attr, 2, (int32_t[]){x, w});
 *   opcheck_output(&c, y);
 *   opcheck_run(&c, 1e-5);                                                        // 0: the same bytes */

#include "format/model.h"
#include "lib/test.h"
#include "op/op.h"

enum { OPCHECK_MAX = 64 };

typedef struct opcheck {
  const char *what;
  uint64_t seed, at; /* of the random numbers */
  whet_model *model;
  whet_graph *g;
  int32_t in[OPCHECK_MAX], out[OPCHECK_MAX];
  int n_in, n_out;
  double lo, hi;     /* range of random numbers; default -1 .. 1 for floats, the whole type for others */
  bool floats_exact; /* programs are made with `exact` */
  const char *becomes; /* an operator that programs must have after the passes; NULL: not asked */
  const char *reads;   /* an operator that must read the first input itself then; NULL: not asked */
} opcheck;

void opcheck_begin(opcheck *c, const char *what);
/* A graph input, filled with random numbers of c->lo .. c->hi; small integer range for 32- and 64-bit types unless
 * set. */
int32_t opcheck_input(opcheck *c, whet_dtype t, int32_t rank, const int64_t *dims);
/* A constant; data NULL: random. */
int32_t opcheck_const(opcheck *c, whet_dtype t, int32_t rank, const int64_t *dims, const void *data);
/* Quantisation for a value, n scales. */
void opcheck_quant(opcheck *c, int32_t v, int32_t n, int32_t axis, const float *scale, const int32_t *zero);
/* A node with one output, or several; -1 among the inputs: absent. Answers the first output's number; others follow
 * it. */
int32_t opcheck_node(opcheck *c, const char *op, const void *attr, int n_in, const int32_t *in);
int32_t opcheck_nodes(opcheck *c, const char *op, const void *attr, int n_in, const int32_t *in, int n_out);
/* The rule of rescaling of the node made last, and the type and quantisation that a file would declare for its
 * output. */
void opcheck_round(opcheck *c, whet_round r);
void opcheck_declare(opcheck *c, int32_t v, whet_dtype t);
void opcheck_output(opcheck *c, int32_t v);
/* Run and compare; fails the test with the place of the worst element. Float outputs may differ by `tolerance` times
 * the largest magnitude of the reference; others must be equal, or `tolerance` steps apart when it is 1 or more.
 * Frees c. */
void opcheck_run(opcheck *c, double tolerance);
/* The model must be refused with this status when it is planned. Frees c. */
void opcheck_refused(opcheck *c, whet_status s);

#endif
