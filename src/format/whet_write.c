/* SPDX-License-Identifier: Apache-2.0 */
/* Writing .whet files: see whet_file.h and docs/whet-format.md.
 *
 * Only what the main region needs is written; values are numbered anew in the order of their numbers. Blocks are
 * written from where they lie. */

#include "base/crc.h"
#include "base/dtype.h"
#include "format/whet_file.h"
#include "op/op.h"

struct writer {
  const whet_file_req *r;
  const whet_graph *g;
  whet_err *err;
  whet_text t;     /* the index ... */
  whet_text head;  /* ... and the list of blocks, which stands before it */
  int32_t *number; /* by value: its number in the file, -1: not written */
  int32_t n_val;
  whet_block *block;
  size_t n_block, cap_block;
  uint64_t at; /* where the next block goes */
};

/* ---- data -------------------------------------------------------------------------------------------------------
 */

static void put(struct writer *w, const void *p, size_t n) { whet__text_add(&w->t, p, n); }
static void put_u8(struct writer *w, unsigned v) {
  uint8_t b = (uint8_t)v;
  put(w, &b, 1);
}
static void put_u(struct writer *w, uint64_t v) {
  uint8_t b[10];
  size_t n = 0;
  for (; v >= 128; v >>= 7) b[n++] = (uint8_t)(v | 128);
  b[n++] = (uint8_t)v;
  put(w, b, n);
}
static void put_s(struct writer *w, int64_t v) { put_u(w, (uint64_t)v << 1 ^ (uint64_t)(v >> 63)); }
static void put_u32(struct writer *w, uint32_t v) {
  uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
  put(w, b, 4);
}
static void put_f32(struct writer *w, float v) {
  uint32_t u;
  memcpy(&u, &v, 4);
  put_u32(w, u);
}
static void put_bytes(struct writer *w, const void *p, size_t n) {
  put_u(w, n);
  put(w, p, n);
}
static void put_str(struct writer *w, const char *s) { put_bytes(w, s ? s : "", s ? strlen(s) : 0); }

/* Number of the block of these bytes, a new one when there is none. SIZE_MAX when memory is refused. */
static size_t block_of(struct writer *w, const void *p, size_t n) {
  for (size_t i = 0; i < w->n_block; i++)
    if (w->block[i].p == p && w->block[i].n == n) return i;
  if (!whet__grow(w->r->mem, (void **)&w->block, &w->cap_block, w->n_block + 1, sizeof *w->block)) {
    w->t.bad = true;
    return SIZE_MAX;
  }
  w->block[w->n_block] = (whet_block){p, n, (size_t)w->at, whet__crc32c(0, p, n)};
  w->at = whet__round_up(w->at + n + WHET_SLACK, WHET_FILE_ALIGN);
  return w->n_block++;
}

/* ---- values -----------------------------------------------------------------------------------------------------
 */

static void need(struct writer *w, int32_t v) {
  if (v >= 0) w->number[v] = 0;
}

/* Mark what a region needs. */
static void need_region(struct writer *w, const whet_region *r) {
  for (int32_t i = 0; i < r->n_in; i++) need(w, r->in[i]);
  for (int32_t i = 0; i < r->n_out; i++) need(w, r->out[i]);
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &w->g->node[r->node[i]];
    for (int k = 0; k < n->n_in; k++) need(w, n->in[k]);
    for (int k = 0; k < n->n_out; k++) need(w, n->out[k]);
    for (int b = 0; b < n->n_body; b++) need_region(w, n->body[b]);
  }
}

static void put_shape(struct writer *w, const whet_shape *s) {
  put_u(w, (uint64_t)(s->rank + 1));
  for (int32_t i = 0; i < s->rank; i++) {
    int32_t sym = whet__dim_symbol(s->d[i]);
    put_s(w, whet__dim_known(s->d[i]) ? s->d[i] : sym < 0 ? WHET_FILE_DIM_ANY : (int64_t)WHET_FILE_DIM_SYMBOL - sym);
  }
}

static void put_quant(struct writer *w, const whet_quant *q) {
  put_u(w, q ? (uint64_t)q->n : 0);
  if (!q) return;
  put_s(w, q->axis);
  put_u(w, (uint64_t)q->block);
  for (int32_t i = 0; i < q->n; i++) put_f32(w, q->scale[i]);
  for (int32_t i = 0; i < q->n; i++) put_s(w, q->zero ? q->zero[i] : 0);
}

static whet_status put_value(struct writer *w, const whet_val *v) {
  static const int8_t k_same[WHET_MAX_RANK] = {0};
  bool turned = memcmp(v->perm, k_same, sizeof k_same) != 0;
  if (v->data && v->dtype == WHET_STRING)
    return whet__fail(w->err, WHET_E_UNSUPPORTED, "constant \"%.80s\": a .whet file cannot hold strings", v->name);
  put_str(w, v->name);
  put_u8(w, v->dtype);
  put_u8(w, v->kind);
  put_u8(w, v->role);
  put_u8(w, v->flags);
  put_shape(w, &v->shape);
  put_s(w, v->origin);
  put_u8(w, turned);
  if (turned) put(w, v->perm, WHET_MAX_RANK);
  put_quant(w, v->q);
  put_u(w, v->data ? block_of(w, v->data->p, v->data->n) + 1 : 0);
  return WHET_OK;
}

static whet_status put_values(struct writer *w) {
  put_u(w, (uint64_t)w->n_val);
  for (int32_t v = 0; v < w->g->n_val; v++)
    if (w->number[v] >= 0) WHET_TRY(put_value(w, &w->g->val[v]));
  return WHET_OK;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------
 */

/* A list of values, shifted by one where -1 stands for an absent one. */
static void put_list(struct writer *w, const int32_t *v, int32_t n) {
  put_u(w, (uint64_t)n);
  for (int32_t i = 0; i < n; i++) put_u(w, v[i] < 0 ? 0 : (uint64_t)w->number[v[i]] + 1);
}

static void put_attr(struct writer *w, const whet_attr_desc *d, const void *attr) {
  const char *at = (const char *)attr + d->offset;
  put_str(w, d->name);
  put_u8(w, d->kind);
  switch ((whet_attr_kind)d->kind) {
    case WHET_ATTR_I32:
      put_s(w, *(const int32_t *)(const void *)at);
      break;
    case WHET_ATTR_I64:
      put_s(w, *(const int64_t *)(const void *)at);
      break;
    case WHET_ATTR_F32:
      put_f32(w, *(const float *)(const void *)at);
      break;
    case WHET_ATTR_BOOL:
      put_u(w, *(const bool *)at);
      break;
    case WHET_ATTR_U8:
      put_u(w, *(const uint8_t *)at);
      break;
    case WHET_ATTR_I64S: {
      const whet_ints *l = (const void *)at;
      put_u(w, (uint64_t)l->n);
      for (int32_t i = 0; i < l->n; i++) put_s(w, l->v[i]);
      break;
    }
    case WHET_ATTR_F32S: {
      const whet_floats *l = (const void *)at;
      put_u(w, (uint64_t)l->n);
      for (int32_t i = 0; i < l->n; i++) put_f32(w, l->v[i]);
      break;
    }
    case WHET_ATTR_STR: {
      const whet_str *s = (const void *)at;
      put_bytes(w, s->p, s->n);
      break;
    }
    case WHET_ATTR_STRS: {
      const whet_strs *l = (const void *)at;
      put_u(w, (uint64_t)l->n);
      for (int32_t i = 0; i < l->n; i++) put_bytes(w, l->v[i].p, l->v[i].n);
      break;
    }
  }
}

static whet_status put_region(struct writer *w, const whet_region *r);

static whet_status put_node(struct writer *w, const whet_node *n) {
  const whet_attr_desc *d = n->op->attrs;
  uint64_t fields = 0;
  if (whet__op_find(n->op->name) != n->op || (n->op->attr_size && !n->op->attrs)) /* attributes that are functions */
    return whet__fail(w->err, WHET_E_UNSUPPORTED,
                      "node \"%.80s\" (%.60s): a .whet file cannot hold operators that a program registers", n->name,
                      n->op->name);
  if (n->op->flags & WHET_OP_FROM_FILE)
    return whet__fail(w->err, WHET_E_UNSUPPORTED, "node \"%.80s\": a .whet file cannot hold operator %.60s", n->name,
                      n->op->name);
  for (; n->op->attr_size && d && d[fields].name; fields++) {
  }
  put_str(w, n->op->name);
  put_str(w, n->name);
  put_s(w, n->origin);
  put_u8(w, n->round);
  put_list(w, n->in, n->n_in);
  put_list(w, n->out, n->n_out);
  put_u(w, fields);
  for (uint64_t i = 0; i < fields; i++) put_attr(w, &d[i], n->attr);
  put_u(w, n->n_body);
  for (int b = 0; b < n->n_body; b++) WHET_TRY(put_region(w, n->body[b]));
  return WHET_OK;
}

static whet_status put_region(struct writer *w, const whet_region *r) {
  put_str(w, r->name);
  put_list(w, r->in, r->n_in);
  put_list(w, r->out, r->n_out);
  put_u(w, (uint64_t)r->n_node);
  for (int32_t i = 0; i < r->n_node; i++) WHET_TRY(put_node(w, &w->g->node[r->node[i]]));
  return WHET_OK;
}

/* ---- the rest ---------------------------------------------------------------------------------------------------
 */

static void put_head(struct writer *w) {
  const whet_model *m = w->r->model;
  put_str(w, whet_version());
  put_str(w, w->r->level);
  put_str(w, w->r->precision ? w->r->precision : "f32");
  put_u8(w, w->r->exact);
  put_u8(w, w->r->memory);
  put_u8(w, m->micro);
  put_u(w, (uint64_t)m->n_meta);
  for (int32_t i = 0; i < m->n_meta; i++) {
    put_str(w, m->meta[i].key);
    put_bytes(w, m->meta[i].value, m->meta[i].n);
  }
  put_u(w, (uint64_t)w->g->n_symbol);
  for (int32_t i = 0; i < w->g->n_symbol; i++) put_str(w, w->g->symbol[i]);
}

static void put_plain_list(struct writer *w, const int32_t *v, int32_t n) {
  put_u(w, (uint64_t)n);
  for (int32_t i = 0; i < n; i++) put_u(w, (uint64_t)(v[i] + 1));
}

static void put_source(struct writer *w) {
  const whet_source *s = &w->r->model->source;
  put_u(w, (uint64_t)s->n_tensor);
  put_u(w, (uint64_t)s->n_main);
  for (int32_t i = 0; i < s->n_tensor; i++) {
    const whet_source_tensor *t = &s->tensor[i];
    put_str(w, t->name);
    put_u8(w, t->dtype);
    put_u8(w, t->kind);
    put_u8(w, t->constant);
    put_shape(w, &t->shape);
    put_quant(w, t->q);
    put_u(w, t->val < 0 || t->val >= w->g->n_val || w->number[t->val] < 0 ? 0 : (uint64_t)w->number[t->val] + 1);
  }
  put_u(w, (uint64_t)s->n_node);
  put_u(w, (uint64_t)s->n_main_node);
  for (int32_t i = 0; i < s->n_node; i++) {
    const whet_source_node *n = &s->node[i];
    put_str(w, n->name);
    put_str(w, n->type);
    put_str(w, n->domain);
    put_s(w, n->since);
    put_s(w, n->index);
    put_plain_list(w, n->in, n->n_in);
    put_plain_list(w, n->out, n->n_out);
  }
}

/* Place of value v among a region's inputs or outputs; -1. */
static int32_t place(const int32_t *list, int32_t n, int32_t v) {
  for (int32_t i = 0; i < n; i++)
    if (list[i] == v) return i;
  return -1;
}

static void put_names(struct writer *w, const char *const *name, const int32_t *v, int32_t n, const int32_t *list,
                      int32_t n_list) {
  put_u(w, (uint64_t)n);
  for (int32_t i = 0; i < n; i++) {
    put_str(w, name[i]);
    put_u(w, (uint64_t)(place(list, n_list, v[i]) + 1));
  }
}

/* The signatures that the main region stands for. Passes keep the order of inputs and outputs, so that a place says
 * which one a name is for. */
static void put_signatures(struct writer *w) {
  const whet_model *m = w->r->model;
  uint64_t n = 0;
  for (int pass = 0; pass < 2; pass++) {
    if (pass) put_u(w, n);
    for (int32_t i = 0; i < m->n_signature; i++) {
      const whet_signature *s = &m->signature[i];
      if (w->r->signature ? s != w->r->signature : s->region != &m->graph.main) continue;
      n++;
      if (!pass) continue;
      put_str(w, s->key);
      put_names(w, s->name_in, s->in, s->n_in, s->region->in, s->region->n_in);
      put_names(w, s->name_out, s->out, s->n_out, s->region->out, s->region->n_out);
    }
  }
}

static void put_stored(struct writer *w) {
  put_u(w, w->r->n_stored);
  for (size_t i = 0; i < w->r->n_stored; i++) {
    const whet_stored *p = &w->r->stored[i];
    put_str(w, p->kind);
    put_bytes(w, p->params, p->params_size);
    put_u(w, (uint64_t)p->n_src);
    for (int k = 0; k < p->n_src; k++) put_u(w, p->src[k] ? block_of(w, p->src[k]->p, p->src[k]->n) + 1 : 0);
    put_u(w, block_of(w, p->bytes, p->n) + 1);
  }
}

static void put_u64(struct writer *w, uint64_t v) {
  put_u32(w, (uint32_t)v);
  put_u32(w, (uint32_t)(v >> 32));
}

static void put_choices(struct writer *w) {
  put_u(w, w->r->choices.n);
  for (size_t i = 0; i < w->r->choices.n; i++) {
    put_u64(w, w->r->choices.of[i].key);
    put_str(w, w->r->choices.of[i].name);
  }
}

/* The list of blocks. It is written last, when all are known, and stands first, for whoever reads. */
static void put_blocks(struct writer *w) {
  whet_text t = w->t;
  w->t = w->head;
  put_u(w, w->n_block);
  for (size_t i = 0; i < w->n_block; i++) {
    put_u(w, w->block[i].at);
    put_u(w, w->block[i].n);
    put_u32(w, w->block[i].crc);
  }
  w->head = w->t;
  w->t = t;
}

/* ---- the file ---------------------------------------------------------------------------------------------------
 */

static void set64(uint8_t *p, uint64_t v) {
  for (int i = 0; i < 8; i++) p[i] = (uint8_t)(v >> 8 * i);
}
static void set32(uint8_t *p, uint32_t v) {
  for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> 8 * i);
}

/* The index. */
static whet_status fill_index(struct writer *w) {
  for (int32_t v = 0; v < w->g->n_val; v++) w->number[v] = -1;
  need_region(w, &w->g->main);
  for (int32_t v = 0; v < w->g->n_val; v++)
    if (!w->number[v]) w->number[v] = w->n_val++;
  put_head(w);
  WHET_TRY(put_values(w));
  WHET_TRY(put_region(w, &w->g->main));
  put_source(w);
  put_signatures(w);
  put_stored(w);
  put_choices(w);
  put_blocks(w);
  return w->t.bad || w->head.bad ? whet__no_memory(w->r->mem, w->t.n, w->err, "the file's index") : WHET_OK;
}

static whet_status write_file(struct writer *w, const char *path) {
  static const uint8_t k_zeros[WHET_FILE_ALIGN + WHET_SLACK] = {0};
  uint8_t head[WHET_FILE_HEADER] = {0};
  size_t n = 0;
  whet_piece *piece = whet__alloc_array(w->r->mem, 2 * w->n_block + 3, sizeof *piece);
  if (!piece) return whet__no_memory(w->r->mem, w->n_block * sizeof *piece, w->err, "the file's blocks");
  memcpy(head, WHET_FILE_MAGIC, 8);
  set32(head + WHET_FILE_AT_VERSION, WHET_FILE_VERSION);
  set64(head + WHET_FILE_AT_BYTES, w->at + w->head.n + w->t.n);
  set64(head + WHET_FILE_AT_INDEX, w->at);
  set64(head + WHET_FILE_AT_INDEX_BYTES, w->head.n + w->t.n);
  set32(head + WHET_FILE_AT_INDEX_CRC, whet__crc32c(whet__crc32c(0, w->head.p, w->head.n), w->t.p, w->t.n));
  set32(head + WHET_FILE_AT_CRC, whet__crc32c(0, head, WHET_FILE_AT_CRC));
  piece[n++] = (whet_piece){head, sizeof head};
  for (size_t i = 0; i < w->n_block; i++) {
    uint64_t end = i + 1 < w->n_block ? w->block[i + 1].at : w->at;
    piece[n++] = (whet_piece){w->block[i].p, w->block[i].n};
    piece[n++] = (whet_piece){k_zeros, (size_t)(end - w->block[i].at - w->block[i].n)};
  }
  piece[n++] = (whet_piece){w->head.p, w->head.n};
  piece[n++] = (whet_piece){w->t.p, w->t.n};
  whet_status s = whet__file_write_pieces(path, piece, n, w->err);
  whet__free(w->r->mem, piece);
  return s;
}

whet_status whet__file_save(const whet_file_req *r, const char *path, whet_err *err) {
  struct writer w = {.r = r, .g = r->graph, .err = err, .t.mem = r->mem, .head.mem = r->mem, .at = WHET_FILE_HEADER};
  w.number = whet__alloc_array(r->mem, (size_t)r->graph->n_val + 1, sizeof *w.number);
  whet_status s =
      w.number ? fill_index(&w) : whet__no_memory(r->mem, (size_t)r->graph->n_val, err, "the file's index");
  if (!s) s = write_file(&w, path);
  whet__free(r->mem, w.number);
  whet__free(r->mem, w.block);
  whet__text_free(&w.head);
  whet__text_free(&w.t);
  return s;
}
