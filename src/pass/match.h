/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PASS_MATCH_H
#define WHET_PASS_MATCH_H

/* What passes share that look for chains of float nodes which amount to one operator. */

#include "op/unary.h"
#include "pass/pass.h"

typedef struct whet_match {
  whet_pass *p;
  whet_uses u; /* as the graph was when the pass began; nodes are changed in place only */
} whet_match;

/* Ready for a pass. False when memory is refused. */
bool whet__match_init(whet_pass *p, whet_match *m);

/* The node that makes v, or NULL. */
whet_node *whet__match_maker(const whet_match *m, int32_t v);
/* The node that makes v when it is operator `name` and v serves one node only (which may drop it), or NULL. */
whet_node *whet__match_only(const whet_match *m, int32_t v, const char *name);
/* v is a plain float tensor. */
bool whet__match_is_float(const whet_match *m, int32_t v);
/* v is one constant float that, joined with a tensor of `rank` dimensions, leaves its shape; *c its number. */
bool whet__match_scalar(const whet_match *m, int32_t v, int32_t rank, double *c);
/* Rank of a value, -1: not known. */
int32_t whet__match_rank(const whet_match *m, int32_t v);
/* Is c the number `want`, as far as type of value v tells them apart? */
bool whet__match_near(const whet_match *m, int32_t v, double c, double want);

/* v as a coefficient times factors: products and quotients by constants are opened while they serve one node only. */
enum { WHET_MATCH_FACTORS = 4 };
typedef struct whet_product_of {
  double coef;
  int32_t n, factor[WHET_MATCH_FACTORS];
} whet_product_of;
/* The product that node n computes; false when it is none, or has too many factors. */
bool whet__match_product(const whet_match *m, const whet_node *n, whet_product_of *out);
/* The same for what makes v; v itself is the only factor when nothing else serves. */
void whet__match_product_of(const whet_match *m, int32_t v, whet_product_of *out);
/* The other term when v is made by an Add of it and the constant c. -1: it is not. */
int32_t whet__match_plus(const whet_match *m, int32_t v, double c);

/* Turn node n into another operator on new inputs; its output stays. attr is copied. */
whet_status whet__match_become(const whet_match *m, whet_node *n, const char *op, const void *attr, const int32_t *in,
                               int n_in);
/* The same for a unary operator of x with attributes a and b. */
whet_status whet__match_unary(const whet_match *m, whet_node *n, const char *op, float a, float b, int32_t x);

#endif
