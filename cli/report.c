/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a model, its program and its plan for reports. */

#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/dtype.h"
#include "format/model.h"
#include "plan/program.h"
#include "run/session.h"
#include "steps.h"

/* Lines that the reader logs of operators that are not there. */
struct log {
  const char **line;
  size_t n, cap;
};

static void take_line(void *user, int level, const char *line) {
  struct log *l = user;
  const char *mark = "not supported: ";
  if (level || strncmp(line, mark, strlen(mark))) return;
  if (l->n == l->cap) {
    size_t cap = l->cap ? l->cap * 2 : 16;
    const char **v = cli_keep(cap * sizeof *v);
    if (l->n) memcpy(v, l->line, l->n * sizeof *v);
    l->line = v;
    l->cap = cap;
  }
  line += strlen(mark);
  l->line[l->n++] = cli_keep_str(line, strlen(line));
}

/* The most memory that a run takes: what loading took at its highest, or what the process has now and the arena,
 * which no one has touched yet, on top. */
static size_t predict_peak(size_t arena) {
  char line[256];
  long now = 0, most = 0;
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "VmRSS: %ld", &now) != 1 && sscanf(line, "VmHWM: %ld", &most) == 1) continue;
  if (f) fclose(f);
  size_t run = (size_t)now * 1024 + arena, load = (size_t)most * 1024;
  return run > load ? run : load;
}

/* The reason that a logged line "TYPE: why, place" or "TYPE (domain n), place" gives for operator `type`, or NULL. */
static const char *reason(const struct log *l, const char *type) {
  size_t n = strlen(type);
  for (size_t i = 0; i < l->n; i++) {
    const char *s = l->line[i];
    if (strncmp(s, type, n)) continue;
    const char *place = strstr(s, ", node ");
    size_t len = place ? (size_t)(place - s) : strlen(s);
    if (s[n] == ':') return cli_keep_str(s + n + 2, len - n - 2);
    if (s[n] == ' ') return cli_keep_printf("no such operator %.*s", (int)(len - n - 1), s + n + 1);
  }
  return NULL;
}

/* Nodes that the loose reading kept without a record of their own. */
static void find_blocked(cli_report *r, const struct log *l) {
  const whet_graph *g = &r->m.model->graph;
  r->blocked = cli_keep(((size_t)g->n_node + 1) * sizeof *r->blocked);
  for (int32_t i = 0; i < g->n_node; i++) {
    const whet_node *n = &g->node[i];
    if (n->dead || whet__op_find(n->op->name) == n->op) continue;
    const char *type = n->origin >= 0 ? r->m.model->source.node[n->origin].type : n->op->name, *why = reason(l, type);
    r->blocked[r->n_blocked++] = (cli_blocked){n->origin >= 0 ? cli_source_name(r, n->origin) : n->name,
                                               cli_keep_str(type, strlen(type)), why ? why : "not supported"};
  }
}

const char *cli_source_op(const cli_report *r, int32_t node) {
  const whet_source_node *n = &r->m.model->source.node[node];
  bool plain = !n->domain[0] || !strcmp(n->domain, "ai.onnx") || !strcmp(n->domain, "tflite");
  return cli_clean(plain ? n->type : cli_keep_printf("%s:%s", n->domain, n->type));
}

const char *cli_source_name(const cli_report *r, int32_t node) {
  const whet_source_node *n = &r->m.model->source.node[node];
  return n->name[0] ? cli_clean(n->name) : cli_keep_printf("#%d", n->index);
}

static int more_nodes(const void *a, const void *b) {
  const cli_op_count *x = a, *y = b;
  return x->n != y->n ? (x->n < y->n ? 1 : -1) : strcmp(x->op, y->op);
}

/* Multiply-adds and references by node of the file, counted through the steps. */
static void count_ops(cli_report *r) {
  const whet_source *s = &r->m.model->source;
  r->op = cli_keep(((size_t)s->n_node + 1) * sizeof *r->op);
  int32_t *kind = cli_keep(((size_t)s->n_node + 1) * sizeof *kind);
  for (int32_t i = 0; i < s->n_node; i++) {
    const char *op = cli_source_op(r, i);
    size_t k = 0;
    while (k < r->n_op && strcmp(r->op[k].op, op)) k++;
    if (k == r->n_op) r->op[r->n_op++] = (cli_op_count){.op = op};
    r->op[k].n++;
    kind[i] = (int32_t)k;
  }
  for (int32_t i = 0; r->plan && i < r->plan->n_step; i++) {
    int32_t lead = r->plan->step[i].node;
    int32_t origin = lead >= 0 ? r->graph->node[lead].origin : -1;
    if (origin < 0 || origin >= s->n_node) continue;
    r->op[kind[origin]].macs += cli_step_macs(r->graph, r->plan, r->node_step, i);
    r->op[kind[origin]].reference += r->plan->step[i].kind == WHET_STEP_REF;
  }
  qsort(r->op, r->n_op, sizeof *r->op, more_nodes);
}

/* Weights: constants of the file that are floats, integers of 8 bits or less, or quantised. */
static void count_parameters(cli_report *r) {
  const whet_graph *g = &r->m.model->graph;
  for (int32_t i = 0; i < g->n_val; i++) {
    const whet_val *v = &g->val[i];
    if (v->role != WHET_ROLE_CONST || v->origin < 0 ||
        !(whet__is_float(v->dtype) || v->q || (whet__is_int(v->dtype) && whet_dtype_bits(v->dtype) <= 8)))
      continue;
    int64_t n = whet__shape_count(&v->shape);
    if (n <= 0) continue;
    r->parameters += n;
    r->parameter_bytes += whet_dtype_bytes((whet_dtype)v->dtype, (size_t)n);
  }
}

/* Program, session and plan; a model that cannot run is no failure: r->error says why. */
static int settle(cli_report *r, const cli_model_opts *o, whet_model *model) {
  whet_err err = {0};
  if (cli_model_make(&r->m, model, r->path, o, &err)) {
    r->m.model = whet_model_ref(model);
    r->error = cli_keep_str(err.text, strlen(err.text));
    return CLI_DONE;
  }
  int status = cli_model_shapes(&r->m, o);
  if (status) return status;
  r->plan = cli_plan_of(&r->m, &err);
  r->cost.size = sizeof r->cost;
  if (!r->plan || whet_session_cost(r->m.session, &r->cost, &err)) {
    r->error = cli_keep_str(err.text, strlen(err.text));
    r->open_sizes = err.code == WHET_E_SHAPE && cli_open_input(&r->m) >= 0;
    r->plan = NULL;
    return CLI_DONE;
  }
  r->runs = true;
  r->graph = cli_graph_of(&r->m);
  r->node_step = cli_node_steps(r->graph, r->plan);
  r->late = !r->cost.complete;
  r->peak_bytes = predict_peak(r->cost.arena_bytes);
  return CLI_DONE;
}

int cli_report_make(cli_report *r, const char *path, const cli_model_opts *o) {
  struct stat st;
  struct log l = {0};
  whet_model *model = NULL;
  whet_target target;
  whet_err err = {0};
  *r = (cli_report){.path = path, .m = {.path = path}};
  if (whet__target_at(o->cpu, &target, &err)) return cli_wrong("%s%s", o->cpu ? "--cpu: " : "", err.text);
  whet_model_opts mo = cli_model_open_opts(o);
  mo.log = take_line;
  mo.log_user = &l;
  whet_status s = whet_model_open(path, &mo, &model, &err);
  if (s == WHET_E_UNSUPPORTED) {
    whet_err loose = {0};
    l.n = 0;
    if (whet__model_open_loose(path, &mo, &r->m.model, &loose)) return cli_fail_err(path, &loose);
    find_blocked(r, &l);
    r->error = cli_keep_str(err.text, strlen(err.text));
  } else if (s) {
    return cli_fail_err(path, &err);
  } else {
    int status = settle(r, o, model);
    whet_model_close(&model);
    if (status) {
      cli_report_free(r);
      return status;
    }
  }
  r->file_bytes = stat(path, &st) ? 0 : (size_t)st.st_size;
  count_parameters(r);
  count_ops(r);
  return CLI_DONE;
}

void cli_report_free(cli_report *r) { cli_model_close(&r->m); }

void cli_report_port(const cli_report *r, bool out, size_t i, whet_info *info) {
  if (!r->m.session) {
    out ? whet_model_output(r->m.model, i, info) : whet_model_input(r->m.model, i, info);
  } else if (!out) {
    cli_input_info(&r->m, i, info);
  } else {
    whet_session_output_info(r->m.session, i, info);
    whet_info declared;
    bool main =
        whet_session_outputs(r->m.session) == whet_model_outputs(r->m.model) && !r->m.session->program->signature;
    if (main && !r->m.shaped && !whet_model_output(r->m.model, i, &declared) && declared.rank >= 0) *info = declared;
  }
}

/* One attribute as text. */
static const char *attr_text(const whet_attr_desc *d, const void *attr) {
  const char *at = (const char *)attr + d->offset, *text = "";
  switch ((whet_attr_kind)d->kind) {
    case WHET_ATTR_I32:
      return cli_keep_printf("%d", *(const int32_t *)at);
    case WHET_ATTR_I64:
      return cli_keep_printf("%lld", (long long)*(const int64_t *)at);
    case WHET_ATTR_F32:
      return cli_keep_printf("%g", (double)*(const float *)at);
    case WHET_ATTR_BOOL:
      return *(const bool *)at ? "yes" : "no";
    case WHET_ATTR_U8:
      return cli_keep_printf("%d", *(const uint8_t *)at);
    case WHET_ATTR_I64S: {
      const whet_ints *v = (const whet_ints *)at;
      return v->n <= WHET_MAX_RANK ? cli_keep_str(cli_dims(v->n, v->v, NULL), strlen(cli_dims(v->n, v->v, NULL)))
                                   : cli_keep_printf("%d numbers", v->n);
    }
    case WHET_ATTR_F32S: {
      const whet_floats *v = (const whet_floats *)at;
      for (int32_t i = 0; i < v->n && i < 8; i++)
        text = cli_keep_printf("%s%s%g", text, i ? ", " : "", (double)v->v[i]);
      return cli_keep_printf("[%s%s]", text, v->n > 8 ? ", ..." : "");
    }
    case WHET_ATTR_STR: {
      const whet_str *s = (const whet_str *)at;
      return s->n ? cli_clean(cli_keep_str(s->p, s->n < 100 ? s->n : 100)) : "\"\"";
    }
    case WHET_ATTR_STRS:
      return cli_keep_printf("%d texts", ((const whet_strs *)at)->n);
  }
  return "";
}

const char *cli_source_attrs(const cli_report *r, int32_t node) {
  const whet_graph *g = &r->m.model->graph;
  for (int32_t i = 0; i < g->n_node; i++) {
    const whet_node *n = &g->node[i];
    if (n->origin != node || n->dead || !n->op->attrs || !n->attr) continue;
    const char *text = "";
    for (const whet_attr_desc *d = n->op->attrs; d->name; d++)
      text = cli_keep_printf("%s%s%s %s", text, *text ? ", " : "", d->name, attr_text(d, n->attr));
    return text;
  }
  return "";
}

size_t cli_source_steps(const cli_report *r, int32_t node, int32_t *steps, size_t most) {
  size_t n = 0;
  for (int32_t i = 0; r->plan && i < r->graph->n_node && n < most; i++) {
    int32_t s = r->graph->node[i].dead || r->graph->node[i].origin != node ? -1 : r->node_step[i];
    size_t k = 0;
    while (k < n && steps[k] != s) k++;
    if (s >= 0 && k == n) steps[n++] = s;
  }
  return n;
}

int32_t cli_step_out(const cli_report *r, int32_t step) {
  const whet_step *s = &r->plan->step[step];
  int32_t out = -1;
  for (int a = 0; a < s->n_arg; a++) {
    const whet_place *q = &r->plan->place[s->args + (uint32_t)a];
    if (q->write && q->val >= 0 && q->val < r->plan->n_val && out < 0) out = q->val;
  }
  return out;
}

/* The variant of a row's name: "avx512_direct" of "conv_f32__avx512_direct". */
static const char *variant(const whet_kern *k) {
  const char *at = strstr(k->name, "__");
  return at ? at + 2 : k->name;
}

const char *cli_step_why(const cli_report *r, int32_t step) {
  const whet_step *s = &r->plan->step[step];
  const whet_target *t = &r->m.session->program->target;
  bool exact = r->m.session->program->opts.exact;
  if (s->kind == WHET_STEP_REF) return "no kernel takes this";
  if (s->kind != WHET_STEP_KERN || !s->row) return "";
  const whet_family *f = whet__family(s->family);
  const void *params = r->plan->params + s->params;
  const char *text = "";
  int fit = 0;
  const whet_kern *k;
  for (size_t i = 0; f && (k = whet__family_next(f, &i));) {
    if ((k->isa & t->isa) != k->isa) continue;
    bool fits = !k->fits || k->fits(params), kept = !exact || k->exact;
    fit += fits && kept;
    if (k == s->row) break;
    if (!kept)
      text = cli_keep_printf("%s%s%s is not exact", text, *text ? ", " : "", variant(k));
    else if (!fits)
      text = cli_keep_printf("%s%s%s does not fit", text, *text ? ", " : "", variant(k));
    else if (k->cost && s->row->cost)
      text = cli_keep_printf("%s%s%s would take %s", text, *text ? ", " : "", variant(k),
                             cli_time(k->cost(params, t) * 1e-3));
  }
  const char *mine = s->row->cost         ? cli_keep_printf("estimated %s", cli_time(s->row->cost(params, t) * 1e-3))
                     : fit == 1 && !*text ? (f->n == 1 ? "only row" : "best row")
                                          : "";
  return cli_keep_printf("%s%s%s", mine, *mine && *text ? "; " : "", text);
}
