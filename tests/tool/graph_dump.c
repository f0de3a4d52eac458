/* SPDX-License-Identifier: Apache-2.0 */
/* graph_dump MODEL...: the canonical graph of each model as text, as the readers leave it. With -q only a line for
 * each model: its numbers, or why it cannot be opened. With -s the source graph too, with -l operators that are not
 * supported stand in the graph by their names. Exit status 1 when a model cannot be opened. */

#include <stdio.h>

#include "format/model.h"
#include "op/op.h"

/* A value: %number, name, type, shape, quantisation, contents of small integer constants. */
static void print_val(const whet_graph *g, int32_t v) {
  static const char *const k_role[] = {"", " input", " const", " variable"};
  char shape[400];
  if (v < 0) {
    printf("-");
    return;
  }
  const whet_val *x = &g->val[v];
  printf("%%%d \"%s\" %s%s", (int)v, x->name, whet_dtype_name((whet_dtype)x->dtype),
         whet__shape_text(g, &x->shape, shape, sizeof shape));
  if (x->kind) printf(" kind %d", x->kind);
  printf("%s%s", k_role[x->role & 3], x->data && x->data->mapped ? " mapped" : "");
  if (x->q && x->q->n == 1) printf(" {%g, %d}", (double)x->q->scale[0], (int)x->q->zero[0]);
  if (x->q && x->q->n > 1) printf(" {%d scales, axis %d, block %d}", (int)x->q->n, (int)x->q->axis, (int)x->q->block);
  int64_t n = x->data ? whet__shape_count(&x->shape) : 0;
  if (n > 0 && n <= 8 && (x->dtype == WHET_S64 || x->dtype == WHET_S32)) {
    printf(" = ");
    for (int64_t i = 0; i < n; i++) {
      int64_t w = 0;
      memcpy(&w, (const char *)x->data->p + i * (x->dtype == WHET_S64 ? 8 : 4), x->dtype == WHET_S64 ? 8 : 4);
      printf("%s%lld", i ? "," : "", x->dtype == WHET_S64 ? (long long)w : (long long)(int32_t)w);
    }
  }
}

/* Fields of a node's attributes by their descriptions. */
static void print_attrs(const whet_node *n) {
  for (const whet_attr_desc *d = n->op->attrs; d && d->name && n->attr; d++) {
    const void *p = (const char *)n->attr + d->offset;
    printf(" %s=", d->name);
    switch (d->kind) {
      case WHET_ATTR_I32:
        printf("%d", (int)*(const int32_t *)p);
        break;
      case WHET_ATTR_I64:
        printf("%lld", (long long)*(const int64_t *)p);
        break;
      case WHET_ATTR_F32:
        printf("%g", (double)*(const float *)p);
        break;
      case WHET_ATTR_BOOL:
      case WHET_ATTR_U8:
        printf("%d", *(const uint8_t *)p);
        break;
      case WHET_ATTR_STR:
        printf("\"%.*s\"", (int)((const whet_str *)p)->n, ((const whet_str *)p)->p);
        break;
      case WHET_ATTR_I64S:
        for (int32_t i = 0; i < ((const whet_ints *)p)->n; i++)
          printf("%s%lld", i ? "," : "", (long long)((const whet_ints *)p)->v[i]);
        break;
      case WHET_ATTR_F32S:
        for (int32_t i = 0; i < ((const whet_floats *)p)->n; i++)
          printf("%s%g", i ? "," : "", (double)((const whet_floats *)p)->v[i]);
        break;
      default:
        printf("(%d strings)", (int)((const whet_strs *)p)->n);
    }
  }
}

static void print_region(const whet_graph *g, const whet_region *r, int indent);

static void print_node(const whet_graph *g, int32_t i, int indent) {
  const whet_node *n = &g->node[i];
  printf("%*s#%d ", indent, "", (int)i);
  for (int k = 0; k < n->n_out; k++) {
    if (k) printf(", ");
    print_val(g, n->out[k]);
  }
  printf(" = %s", n->op->name);
  print_attrs(n);
  if (n->round) printf(" round=%d", n->round);
  printf(" (");
  for (int k = 0; k < n->n_in; k++) {
    if (k) printf(", ");
    if (n->in[k] >= 0 && g->val[n->in[k]].role == WHET_ROLE_NODE)
      printf("%%%d", (int)n->in[k]);
    else
      print_val(g, n->in[k]);
  }
  printf(") \"%s\"\n", n->name);
  for (int b = 0; b < n->n_body; b++) print_region(g, n->body[b], indent + 4);
}

static void print_region(const whet_graph *g, const whet_region *r, int indent) {
  printf("%*sgraph \"%s\" {\n", indent, "", r->name ? r->name : "");
  for (int32_t k = 0; k < r->n_in; k++) {
    printf("%*sin ", indent + 2, "");
    print_val(g, r->in[k]);
    printf("\n");
  }
  for (int32_t i = 0; i < r->n_node; i++) print_node(g, r->node[i], indent + 2);
  for (int32_t k = 0; k < r->n_out; k++) {
    printf("%*sout ", indent + 2, "");
    print_val(g, r->out[k]);
    printf("\n");
  }
  printf("%*s}\n", indent, "");
}

static void print_source(const whet_model *m) {
  char shape[400];
  for (int32_t i = 0; i < m->source.n_tensor; i++) {
    const whet_source_tensor *t = &m->source.tensor[i];
    printf("tensor %d \"%s\" %s%s%s\n", (int)i, t->name, whet_dtype_name((whet_dtype)t->dtype),
           whet__shape_text(&m->graph, &t->shape, shape, sizeof shape), t->constant ? " const" : "");
  }
  for (int32_t i = 0; i < m->source.n_node; i++) {
    const whet_source_node *n = &m->source.node[i];
    printf("node %d \"%s\" %s %s %d (", (int)i, n->name, n->domain, n->type, (int)n->since);
    for (int32_t k = 0; k < n->n_in; k++) printf("%s%d", k ? " " : "", (int)n->in[k]);
    printf(") -> (");
    for (int32_t k = 0; k < n->n_out; k++) printf("%s%d", k ? " " : "", (int)n->out[k]);
    printf(")\n");
  }
}

static void log_line(void *user, int level, const char *line) {
  (void)user;
  fprintf(stderr, "%d: %s\n", level, line);
}

int main(int argc, char **argv) {
  bool quiet = false, source = false, loose = false;
  int failed = 0;
  for (int i = 1; i < argc; i++) {
    whet_model *m;
    whet_err err = {0};
    whet_model_opts o = whet_model_opts_default();
    if (!strcmp(argv[i], "-q")) {
      quiet = true;
      continue;
    }
    if (!strcmp(argv[i], "-l")) {
      loose = true;
      continue;
    }
    if (!strcmp(argv[i], "-s")) {
      source = true;
      continue;
    }
    if (!quiet) o.log = log_line;
    if (loose ? whet__model_open_loose(argv[i], &o, &m, &err) : whet_model_open(argv[i], &o, &m, &err)) {
      printf("%s %s\n", whet_status_name(err.code), err.text);
      failed = 1;
      continue;
    }
    const whet_graph *g = &m->graph;
    if (quiet) {
      printf("OK %s: %d nodes, %d values, %d source nodes, %d tensors, %zu bytes\n", argv[i], (int)g->n_node,
             (int)g->n_val, (int)m->source.n_node, (int)m->source.n_tensor, (size_t)m->mem.used);
    } else {
      if (source) print_source(m);
      print_region(g, &g->main, 0);
      for (int32_t k = 0; k < m->n_signature; k++) {
        printf("signature %s:\n", m->signature[k].key);
        print_region(g, m->signature[k].region, 2);
      }
    }
    whet_model_close(&m);
  }
  return failed;
}
