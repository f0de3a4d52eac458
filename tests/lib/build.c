/* SPDX-License-Identifier: Apache-2.0 */
/* Writers for the tiny models of tests. */

#include "lib/build.h"

#include <stdlib.h>
#include <string.h>

void buf_add(buf *b, const void *p, size_t n) {
  if (b->n + n > b->cap) {
    b->cap = (b->n + n) * 2 + 64;
    b->p = realloc(b->p, b->cap);
    if (!b->p) abort();
  }
  if (p)
    memcpy(b->p + b->n, p, n);
  else
    memset(b->p + b->n, 0, n);
  b->n += n;
}

void buf_free(buf *b) {
  free(b->p);
  *b = (buf){0};
}

/* ---- protocol buffers -------------------------------------------------------------------------------------------
 */

void pb_varint(buf *b, uint64_t v) {
  do {
    uint8_t c = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
    buf_add(b, &c, 1);
    v >>= 7;
  } while (v);
}

void pb_int(buf *b, unsigned field, int64_t v) {
  pb_varint(b, field << 3);
  pb_varint(b, (uint64_t)v);
}

void pb_float(buf *b, unsigned field, float v) {
  pb_varint(b, field << 3 | 5);
  buf_add(b, &v, 4);
}

void pb_bytes(buf *b, unsigned field, const void *p, size_t n) {
  pb_varint(b, field << 3 | 2);
  pb_varint(b, n);
  if (n) buf_add(b, p, n);
}

void pb_str(buf *b, unsigned field, const char *s) { pb_bytes(b, field, s, strlen(s)); }

void pb_msg(buf *b, unsigned field, buf *sub) {
  pb_bytes(b, field, sub->p, sub->n);
  buf_free(sub);
}

/* ---- ONNX -------------------------------------------------------------------------------------------------------
 */

buf ox_tensor(const char *name, int type, int rank, const int64_t *dims, const void *raw, size_t bytes) {
  buf b = {0};
  for (int i = 0; i < rank; i++) pb_int(&b, 1, dims[i]);
  pb_int(&b, 2, type);
  if (name) pb_str(&b, 8, name);
  if (raw) pb_bytes(&b, 9, raw, bytes);
  return b;
}

buf ox_info(const char *name, int type, int rank, const int64_t *dims, const char *symbol) {
  buf shape = {0}, tensor = {0}, t = {0}, b = {0};
  for (int i = 0; i < rank; i++) {
    buf d = {0};
    if (dims[i] >= 0)
      pb_int(&d, 1, dims[i]);
    else if (symbol)
      pb_str(&d, 2, symbol);
    pb_msg(&shape, 1, &d);
  }
  if (type) pb_int(&tensor, 1, type);
  if (rank >= 0) pb_msg(&tensor, 2, &shape);
  pb_msg(&t, 1, &tensor);
  pb_str(&b, 1, name);
  pb_msg(&b, 2, &t);
  return b;
}

/* Append names that stand with commas between them. */
static void add_names(buf *b, unsigned field, const char *names) {
  if (!*names) return;
  for (;;) {
    size_t n = strcspn(names, ",");
    pb_bytes(b, field, names, n);
    if (!names[n]) return;
    names += n + 1;
  }
}

static buf attr_message(const ox_attr *a) {
  buf b = {0};
  pb_str(&b, 1, a->name);
  if (a->ref) {
    pb_str(&b, 21, a->ref);
  } else {
    if (a->type == 1) pb_float(&b, 2, a->f);
    if (a->type == 2) pb_int(&b, 3, a->i);
    if (a->type == 3) pb_str(&b, 4, a->s);
    if (a->type == 4) pb_msg(&b, 5, a->t);
    if (a->type == 5) pb_msg(&b, 6, a->t);
    if (a->type == 11) pb_msg(&b, 22, a->t);
    for (int i = 0; i < a->n && a->type == 6; i++) pb_float(&b, 7, a->floats[i]);
    for (int i = 0; i < a->n && a->type == 7; i++) pb_int(&b, 8, a->ints[i]);
    for (int i = 0; i < a->n && a->type == 8; i++) pb_str(&b, 9, a->s);
    if (a->type == 8 && !a->n) add_names(&b, 9, a->s);
  }
  pb_int(&b, 20, a->type);
  return b;
}

buf ox_node_in(const char *domain, const char *op, const char *name, const char *in, const char *out,
               const ox_attr *attrs) {
  buf b = {0};
  add_names(&b, 1, in);
  add_names(&b, 2, out);
  if (name) pb_str(&b, 3, name);
  pb_str(&b, 4, op);
  for (; attrs && attrs->type; attrs++) {
    buf a = attr_message(attrs);
    pb_msg(&b, 5, &a);
  }
  if (domain) pb_str(&b, 7, domain);
  return b;
}

buf ox_node(const char *op, const char *in, const char *out, const ox_attr *attrs) {
  return ox_node_in(NULL, op, NULL, in, out, attrs);
}

void ox_add_node(buf *graph, buf node) { pb_msg(graph, 1, &node); }
void ox_add_init(buf *graph, buf tensor) { pb_msg(graph, 5, &tensor); }
void ox_add_in(buf *graph, buf info) { pb_msg(graph, 11, &info); }
void ox_add_out(buf *graph, buf info) { pb_msg(graph, 12, &info); }

buf ox_model(buf graph, int ir, int opset) {
  buf b = {0}, o = {0};
  pb_int(&b, 1, ir);
  pb_str(&o, 1, "");
  pb_int(&o, 2, opset);
  pb_msg(&b, 8, &o);
  pb_msg(&b, 7, &graph);
  return b;
}

/* ---- FlatBuffers ------------------------------------------------------------------------------------------------
 */

static void put(buf *b, size_t pos, int64_t v, int bytes) {
  for (int i = 0; i < bytes; i++) b->p[pos + (size_t)i] = (uint8_t)((uint64_t)v >> (8 * i));
}

static void align(buf *b, size_t to, size_t rest) {
  while (b->n % to != rest) buf_add(b, NULL, 1);
}

void fb_begin(buf *b, const char *id) {
  *b = (buf){0};
  buf_add(b, NULL, 4);
  buf_add(b, id, 4);
}

fb_tab fb_table(buf *b, int n) {
  fb_tab t;
  align(b, 4, 0);
  t.vt = b->n;
  buf_add(b, NULL, 4 + 2 * (size_t)n);
  align(b, 8, 4); /* so that fields, from 4 bytes on, are aligned to 8 */
  t.pos = b->n;
  buf_add(b, NULL, 4 + 8 * (size_t)n);
  put(b, t.vt, 4 + 2 * n, 2);
  put(b, t.vt + 2, 4 + 8 * n, 2);
  put(b, t.pos, (int64_t)(t.pos - t.vt), 4);
  if (t.vt == 8) put(b, 0, (int64_t)t.pos, 4);
  return t;
}

/* The place of field id, which from now on is there. */
static size_t slot(buf *b, fb_tab t, int id) {
  put(b, t.vt + 4 + 2 * (size_t)id, 4 + 8 * id, 2);
  return t.pos + 4 + 8 * (size_t)id;
}

void fb_num(buf *b, fb_tab t, int id, int bytes, int64_t v) { put(b, slot(b, t, id), v, bytes); }

void fb_float(buf *b, fb_tab t, int id, float v) {
  uint32_t u;
  memcpy(&u, &v, 4);
  fb_num(b, t, id, 4, (int64_t)u);
}

void fb_ref(buf *b, fb_tab t, int id, size_t pos) {
  size_t at = slot(b, t, id);
  put(b, at, (int64_t)(pos - at), 4);
}

size_t fb_vec(buf *b, const void *p, size_t n, size_t each) {
  align(b, 16, 12); /* the elements, behind the length, are aligned to 16 */
  size_t pos = b->n;
  buf_add(b, NULL, 4);
  put(b, pos, (int64_t)n, 4);
  buf_add(b, p, n * each);
  return pos;
}

size_t fb_refs(buf *b, size_t n) { return fb_vec(b, NULL, n, 4); }

void fb_item(buf *b, size_t vec, size_t k, size_t pos) {
  size_t at = vec + 4 + 4 * k;
  put(b, at, (int64_t)(pos - at), 4);
}

size_t fb_str(buf *b, const char *s) {
  size_t pos = fb_vec(b, s, strlen(s), 1);
  buf_add(b, NULL, 1);
  return pos;
}

/* ---- TFLite -----------------------------------------------------------------------------------------------------
 */

static void write_quant(buf *b, fb_tab tensor, const tf_tensor *t) {
  fb_tab q = fb_table(b, 7);
  fb_ref(b, tensor, 4, q.pos);
  fb_num(b, q, 6, 4, t->axis);
  fb_ref(b, q, 2, fb_vec(b, t->scale, (size_t)t->n_quant, 4));
  fb_ref(b, q, 3, fb_vec(b, t->zero, (size_t)t->n_quant, 8));
}

/* A SparseIndexVector of a DimensionMetadata: its kind is field `id`, its table the next one. */
static void write_places(buf *b, fb_tab dim, int id, int kind, const void *v, int n, size_t each) {
  fb_num(b, dim, id, 1, kind);
  fb_tab x = fb_table(b, 1);
  fb_ref(b, dim, id + 1, x.pos);
  fb_ref(b, x, 0, fb_vec(b, v, (size_t)n, each));
}

static void write_sparsity(buf *b, fb_tab tensor, const tf_tensor *t) {
  enum { INT32 = 1, UINT8 = 3 };
  fb_tab s = fb_table(b, 3);
  fb_ref(b, tensor, 6, s.pos);
  fb_ref(b, s, 0, fb_vec(b, t->order, (size_t)t->n_level, 4));
  if (t->n_block) fb_ref(b, s, 1, fb_vec(b, t->block, (size_t)t->n_block, 4));
  size_t levels = fb_refs(b, (size_t)t->n_level);
  fb_ref(b, s, 2, levels);
  for (int i = 0; i < t->n_level; i++) {
    const tf_level *l = &t->level[i];
    fb_tab d = fb_table(b, 6);
    fb_item(b, levels, (size_t)i, d.pos);
    fb_num(b, d, 0, 1, !l->size);
    fb_num(b, d, 1, 4, l->size);
    if (l->size) continue;
    write_places(b, d, 2, INT32, l->segment, l->n_segment, 4);
    write_places(b, d, 4, UINT8, l->index, l->n_index, 1);
  }
}

static void write_tensor(buf *b, size_t vec, size_t k, const tf_tensor *t, int buffer) {
  fb_tab x = fb_table(b, 9);
  fb_item(b, vec, k, x.pos);
  fb_num(b, x, 1, 1, t->type);
  fb_num(b, x, 2, 4, buffer);
  if (t->variable) fb_num(b, x, 5, 1, 1);
  fb_num(b, x, 8, 1, 1);
  fb_ref(b, x, 0, fb_vec(b, t->dim, (size_t)t->rank, 4));
  if (t->name) fb_ref(b, x, 3, fb_str(b, t->name));
  if (t->n_quant) write_quant(b, x, t);
  if (t->n_level) write_sparsity(b, x, t);
}

static void write_op(buf *b, size_t vec, size_t k, const tf_op *o, int code) {
  fb_tab x = fb_table(b, 9);
  fb_item(b, vec, k, x.pos);
  fb_num(b, x, 0, 4, code);
  fb_ref(b, x, 1, fb_vec(b, o->in, (size_t)o->n_in, 4));
  fb_ref(b, x, 2, fb_vec(b, o->out, (size_t)o->n_out, 4));
  if (!o->options) return;
  fb_num(b, x, 3, 1, o->options);
  fb_tab f = fb_table(b, 8);
  fb_ref(b, x, 4, f.pos);
  for (int i = 0; i < o->n_field; i++) fb_num(b, f, o->field[i].id, o->field[i].bytes, o->field[i].v);
}

/* Names of a signature: a vector of TensorMap. */
static size_t write_names(buf *b, int n, const char *const *name, const int *tensor) {
  size_t v = fb_refs(b, (size_t)n);
  for (int i = 0; i < n; i++) {
    fb_tab m = fb_table(b, 2);
    fb_item(b, v, (size_t)i, m.pos);
    fb_num(b, m, 1, 4, tensor[i]);
    fb_ref(b, m, 0, fb_str(b, name[i]));
  }
  return v;
}

buf tf_model(const tf_graph *g, int n_graph, const tf_sig *sig, int n_sig) {
  buf b;
  int n_buffer = 1, n_code = 0, buffer = 1, code = 0;
  for (int i = 0; i < n_graph; i++) {
    for (int k = 0; k < g[i].n_tensor; k++) n_buffer += g[i].tensor[k].data != NULL;
    n_code += g[i].n_op;
  }
  fb_begin(&b, "TFL3");
  fb_tab root = fb_table(&b, 8);
  fb_num(&b, root, 0, 4, 3);
  size_t codes = fb_refs(&b, (size_t)n_code), graphs = fb_refs(&b, (size_t)n_graph),
         buffers = fb_refs(&b, (size_t)n_buffer);
  fb_ref(&b, root, 1, codes);
  fb_ref(&b, root, 2, graphs);
  fb_ref(&b, root, 4, buffers);
  fb_item(&b, buffers, 0, fb_table(&b, 1).pos);
  for (int i = 0; i < n_graph; i++) {
    fb_tab x = fb_table(&b, 5);
    fb_item(&b, graphs, (size_t)i, x.pos);
    size_t tensors = fb_refs(&b, (size_t)g[i].n_tensor), ops = fb_refs(&b, (size_t)g[i].n_op);
    fb_ref(&b, x, 0, tensors);
    fb_ref(&b, x, 3, ops);
    fb_ref(&b, x, 1, fb_vec(&b, g[i].in, (size_t)g[i].n_in, 4));
    fb_ref(&b, x, 2, fb_vec(&b, g[i].out, (size_t)g[i].n_out, 4));
    for (int k = 0; k < g[i].n_tensor; k++) {
      const tf_tensor *t = &g[i].tensor[k];
      write_tensor(&b, tensors, (size_t)k, t, t->data ? buffer : 0);
      if (!t->data) continue;
      fb_tab d = fb_table(&b, 1);
      fb_item(&b, buffers, (size_t)buffer++, d.pos);
      fb_ref(&b, d, 0, fb_vec(&b, t->data, t->bytes, 1));
    }
    for (int k = 0; k < g[i].n_op; k++) {
      const tf_op *o = &g[i].op[k];
      fb_tab c = fb_table(&b, 4);
      fb_item(&b, codes, (size_t)code, c.pos);
      fb_num(&b, c, 0, 1, o->code < 127 ? o->code : 127);
      fb_num(&b, c, 3, 4, o->code);
      fb_num(&b, c, 2, 4, o->version ? o->version : 1);
      if (o->custom) fb_ref(&b, c, 1, fb_str(&b, o->custom));
      write_op(&b, ops, (size_t)k, o, code++);
    }
  }
  if (!n_sig) return b;
  size_t sigs = fb_refs(&b, (size_t)n_sig);
  fb_ref(&b, root, 7, sigs);
  for (int i = 0; i < n_sig; i++) {
    fb_tab s = fb_table(&b, 5);
    fb_item(&b, sigs, (size_t)i, s.pos);
    fb_num(&b, s, 4, 4, sig[i].graph);
    fb_ref(&b, s, 2, fb_str(&b, sig[i].key));
    fb_ref(&b, s, 0, write_names(&b, sig[i].n_in, sig[i].in_name, sig[i].in));
    fb_ref(&b, s, 1, write_names(&b, sig[i].n_out, sig[i].out_name, sig[i].out));
  }
  return b;
}
