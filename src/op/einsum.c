/* SPDX-License-Identifier: Apache-2.0 */
/* Einsum: products of elements of its inputs, summed over the letters that the output does not name.
 *
 * ONNX 12-28. "ab,bc->ac": each letter is a dimension, "..." stands for as many as are left; without "->" the output has
 * the ellipsis and the letters that occur once, sorted. A letter twice in a term is the diagonal; a dimension of 1 is
 * repeated. Numbers; floats are summed in double, integers wrap. Two float inputs that make a matrix product become
 * Transpose and MatMul (pass/einsum.c). */

#include "op/einsum.h"

#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

enum { MAX_IN = 16, LETTERS = 52, LABELS = LETTERS + WHET_MAX_RANK };

static const whet_attr_desc k_attrs[] = {{"equation", WHET_ATTR_STR, offsetof(whet_einsum_attr, equation)}, {0}};

/* ---- the equation ---------------------------------------------------------------------------- */

/* The dimensions of one term, as labels: letters A..Z a..z, then the ellipsis's dimensions from the last one on. */
typedef struct einsum_term {
  int8_t label[WHET_MAX_RANK];
  int32_t n;
} einsum_term;
typedef struct einsum {
  einsum_term in[MAX_IN], out;
} einsum;

/* Number of a letter; -1: it is none. */
static int letter(char c) { return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1; }

/* Read a term up to `end` (a comma, or the arrow); rank: of its tensor; -1: dots stands for *dots dimensions (an
 * output, or an input whose rank is not known). NULL on success, else what is wrong. */
static const char *read_term(const char **at, const char *end, int32_t rank, int32_t *dots, einsum_term *t) {
  int32_t letters = 0, here = 0;
  const char *p;
  for (p = *at; p < end && *p != ',' && *p != '-'; p++) letters += letter(*p) >= 0;
  t->n = 0;
  for (p = *at; p < end && *p != ',' && *p != '-'; p++) {
    int k = letter(*p);
    if (*p == ' ') continue;
    if (k >= 0) {
      if (t->n == WHET_MAX_RANK) return "a term has too many dimensions";
      t->label[t->n++] = (int8_t)k;
      continue;
    }
    if (end - p < 3 || memcmp(p, "...", 3) || here++) return "expected letters, or one \"...\"";
    int32_t left = rank < 0 ? *dots : rank - letters;
    if (left < 0 || letters + left > WHET_MAX_RANK) return "a term has more letters than its input dimensions";
    for (int32_t i = left; i-- > 0;) t->label[t->n++] = (int8_t)(LETTERS + i);
    if (rank >= 0 && left > *dots) *dots = left;
    p += 2;
  }
  *at = p;
  return rank >= 0 && t->n != rank ? "a term does not have as many letters as its input dimensions" : NULL;
}

/* Read the equation for n inputs of these ranks. NULL on success, else what is wrong. */
static const char *parse(whet_str s, int n, const int32_t *rank, einsum *e) {
  const char *at = s.p, *end = s.p + s.n, *why;
  int32_t dots = 0, count[LABELS] = {0};
  if (n < 1 || n > MAX_IN) return "expected 1 to 16 inputs";
  for (int i = 0; i < n; i++) {
    if ((why = read_term(&at, end, rank[i], &dots, &e->in[i]))) return why;
    for (int32_t k = 0; k < e->in[i].n; k++) count[e->in[i].label[k]]++;
    bool more = at < end && *at == ',';
    if (more != (i + 1 < n)) return "the equation does not have a term for each input";
    at += more;
  }
  if (at < end) {
    if (end - at < 2 || at[1] != '>') return "expected \"->\"";
    at += 2;
    if ((why = read_term(&at, end, -1, &dots, &e->out))) return why;
    if (at < end) return "something follows the output's term";
    bool seen[LABELS] = {false};
    for (int32_t k = 0; k < e->out.n; k++) {
      int8_t l = e->out.label[k];
      if (seen[l] || !count[l]) return "a letter of the output is in no input, or stands twice";
      seen[l] = true;
    }
    return NULL;
  }
  e->out.n = 0;
  for (int32_t i = dots; i-- > 0;) e->out.label[e->out.n++] = (int8_t)(LETTERS + i);
  for (int8_t l = 0; l < LETTERS; l++) {
    if (count[l] != 1) continue;
    if (e->out.n == WHET_MAX_RANK) return "the output has too many dimensions";
    e->out.label[e->out.n++] = l;
  }
  return NULL;
}

/* ---- matrix products ------------------------------------------------------------------------- */

static bool has(const einsum_term *t, int8_t label) {
  for (int32_t i = 0; i < t->n; i++)
    if (t->label[i] == label) return true;
  return false;
}

/* perm[i]: where the i-th of n labels stands in `of`. */
static void arrange(const int8_t *labels, int32_t n, const int8_t *of, int64_t *perm) {
  for (int32_t i = 0; i < n; i++)
    for (int32_t k = 0; k < n; k++)
      if (of[k] == labels[i]) perm[i] = k;
}

bool whet__einsum_product(const whet_einsum_attr *at, const int32_t rank[2], whet_einsum_product *p) {
  einsum e;
  if (parse(at->equation, 2, rank, &e)) return false;
  const einsum_term *a = &e.in[0], *b = &e.in[1], *y = &e.out;
  int8_t order[3][WHET_MAX_RANK], sum = -1, row = -1, column = -1;
  int32_t n = 0;
  for (int32_t i = 0; i < y->n; i++) {
    int8_t l = y->label[i];
    if (has(a, l) && has(b, l))
      order[0][n] = order[1][n] = order[2][n] = l, n++;
    else if (has(a, l) && row < 0)
      row = l;
    else if (has(b, l) && column < 0)
      column = l;
    else
      return false;
  }
  for (int32_t i = 0; i < a->n; i++)
    if (has(b, a->label[i]) && !has(y, a->label[i])) {
      if (sum >= 0) return false;
      sum = a->label[i];
    }
  if (row < 0 || column < 0 || sum < 0 || a->n != n + 2 || b->n != n + 2 || y->n != n + 2) return false;
  int8_t *const ends[3] = {order[0] + n, order[1] + n, order[2] + n};
  ends[0][0] = row, ends[0][1] = sum, ends[1][0] = sum, ends[1][1] = column, ends[2][0] = row, ends[2][1] = column;
  p->n = n + 2;
  for (int i = 0; i < 2; i++) arrange(order[i], p->n, e.in[i].label, p->in[i]);
  arrange(y->label, p->n, order[2], p->out);
  return true;
}

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_einsum_attr, a);
  a->equation = whet__onnx_str(im, "equation", "");
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {{"", "Einsum", 12, read}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_einsum_attr *a = n->attr;
  whet_dtype t = whet__in_dtype(f, 0);
  int32_t rank[MAX_IN] = {0};
  einsum e;
  whet_dim size[LABELS];
  if (!whet__type_in(WHET_T_NUM, t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  for (int i = 0; i < n->n_in; i++) {
    if (!whet__in_has(f, i) || whet__in_dtype(f, i) != t)
      return whet__infer_fail(f, WHET_E_TYPE, "inputs must be there, and of one type");
    if (i < MAX_IN) rank[i] = whet__in_shape(f, i)->rank;
  }
  const char *why = parse(a->equation, n->n_in, rank, &e);
  if (why)
    return whet__infer_fail(f, WHET_E_DATA, "equation \"%.*s\": %s", (int)whet__min_i((int64_t)a->equation.n, 60),
                            a->equation.p, why);
  for (int32_t l = 0; l < LABELS; l++) size[l] = 1;
  for (int i = 0; i < n->n_in; i++)
    for (int32_t k = 0; k < e.in[i].n; k++) {
      whet_dim d = whet__in_shape(f, i)->d[k], *have = &size[e.in[i].label[k]];
      if (d == 1 || d == *have) continue;
      if (*have == 1 || !whet__dim_known(*have))
        *have = d;
      else if (whet__dim_known(d))
        return whet__infer_fail(f, WHET_E_SHAPE, "input %d has %lld elements where another has %lld", i, (long long)d,
                                (long long)*have);
    }
  whet_shape *y = whet__out(f, 0, t);
  y->rank = e.out.n;
  for (int32_t k = 0; k < e.out.n; k++) y->d[k] = size[e.out.label[k]];
  whet_dim count;
  return whet__infer_count(f, y, &count);
}

/* ---- reference ------------------------------------------------------------------------------- */

/* One loop: a label's size and what it adds to the place in each input. */
struct loop {
  int64_t n, i, step[MAX_IN];
};

/* Labels as loops, those of the output first; *outer of them. How many there are. */
static int32_t loops(const whet_args *a, const einsum *e, struct loop *l, int32_t *outer) {
  int32_t place[LABELS], n = 0;
  for (int32_t k = 0; k < LABELS; k++) place[k] = -1;
  for (int32_t k = 0; k < e->out.n; k++) place[e->out.label[k]] = n++;
  *outer = n;
  for (int i = 0; i < a->n_in; i++)
    for (int32_t k = 0; k < e->in[i].n; k++)
      if (place[e->in[i].label[k]] < 0) place[e->in[i].label[k]] = n++;
  for (int32_t k = 0; k < n; k++) l[k] = (struct loop){.n = 1};
  for (int i = 0; i < a->n_in; i++)
    for (int32_t k = 0; k < e->in[i].n; k++) {
      struct loop *o = &l[place[e->in[i].label[k]]];
      if (a->in[i].dim[k] == 1) continue;
      o->n = a->in[i].dim[k];
      o->step[i] += a->in[i].stride[k];
    }
  return n;
}

/* The next round of n nested loops, moving the places of `inputs` tensors; false when all were seen. */
static bool next(struct loop *l, int32_t n, int64_t *at, int inputs) {
  for (int32_t k = n - 1; k >= 0; k--) {
    bool on = ++l[k].i < l[k].n;
    for (int i = 0; i < inputs; i++) at[i] += (on ? 1 : 1 - l[k].n) * l[k].step[i];
    if (on) return true;
    l[k].i = 0;
  }
  return false;
}

static whet_status ref(const whet_args *arg) {
  const whet_einsum_attr *a = arg->attr;
  const whet_tensor *y = &arg->out[0];
  int32_t rank[MAX_IN], outer;
  einsum e;
  struct loop l[LABELS];
  for (int i = 0; i < arg->n_in; i++) rank[i] = arg->in[i].rank;
  if (parse(a->equation, arg->n_in, rank, &e)) return whet__fail(arg->err, WHET_E_INTERNAL, "the equation does not fit");
  int32_t all = loops(arg, &e, l, &outer);
  int64_t at[MAX_IN] = {0}, count = whet__tensor_count(y), terms = 1;
  for (int32_t k = outer; k < all; k++) terms *= l[k].n;
  bool real = whet__is_float(y->dtype);
  for (int64_t o = 0; o < count; o++) {
    double s = 0;
    uint64_t w = 0;
    if (terms) do {
        double f = 1;
        uint64_t u = 1;
        for (int i = 0; i < arg->n_in; i++)
          if (real)
            f *= whet__get_f64(y->dtype, arg->in[i].data, at[i]);
          else
            u *= (uint64_t)whet__get_i64(y->dtype, arg->in[i].data, at[i]);
        s += f;
        w += u;
      } while (next(l + outer, all - outer, at, arg->n_in));
    if (real)
      whet__set_f64(y->dtype, y->data, whet__flat_offset(y, o), s);
    else
      whet__set_i64(y->dtype, y->data, whet__flat_offset(y, o), (int64_t)w);
    next(l, outer, at, arg->n_in);
  }
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_Einsum = {.name = "Einsum",
                                .attr_size = sizeof(whet_einsum_attr),
                                .attrs = k_attrs,
                                .from = k_from,
                                .infer = infer,
                                .ref = ref};
