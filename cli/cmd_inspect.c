/* SPDX-License-Identifier: Apache-2.0 */
/* whet inspect: what is in a model and what it will cost. */

#include "format/model.h"
#include "page.h"
#include "plan/program.h"
#include "run/session.h"
#include "report.h"
#include "steps.h"

struct options {
  bool plan, check;
  const char *html;
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_options[] = {
    {"plan", 0, CLI_FLAG, AT(plan), NULL,
     "the plan: for each step its nodes, kernel, output, place in the arena, and why this kernel", 0, 0},
    {"check", 0, CLI_FLAG, AT(check), NULL,
     "compare the checksums of a .whet file's constants and packed weights first", 0, 0},
    {"html", 0, CLI_TEXT, AT(html), "FILE", "write a page that draws the graph; it needs nothing else", 0, 0},
    {0}};

static const cli_use k_use = {
    .synopsis = "MODEL [OPTION]...",
    .about =
        "Shows what is in a model and what running it will take, without running it: inputs, outputs, operators, "
        "parameters, multiply-adds, memory "
        "to the byte, and every node that cannot run, with the reason. The plan is the one that a run uses.",
    .examples =
        "  whet inspect model.onnx\n  whet inspect model.onnx --plan --cpu avx2 --shape input:1x3x640x640\n"
        "  whet inspect model.tflite --html model.html\n",
    .least = 1,
    .most = 1,
    .missing = "name a model"};

/* Inputs or outputs, one a line. */
static void print_ports(const cli_report *r, bool out) {
  size_t n = out ? whet_model_outputs(r->m.model) : whet_model_inputs(r->m.model);
  if (r->m.session) n = out ? whet_session_outputs(r->m.session) : whet_session_inputs(r->m.session);
  printf("%s%s%s\n", cli_bold(), out ? "outputs" : "inputs", cli_plain());
  cli_grid g;
  cli_grid_init(&g, "llll");
  for (size_t i = 0; i < n; i++) {
    whet_info f;
    cli_report_port(r, out, i, &f);
    cli_grid_cell(&g, " ");
    cli_grid_cell(&g, "%.80s", f.name);
    cli_grid_cell(&g, "%s", cli_info_text(&f));
    cli_grid_cell(&g, "%s",
                  f.quant.n == 1 ? cli_keep_printf("scale %g, zero %d", (double)f.quant.scale[0],
                                                   f.quant.zero ? f.quant.zero[0] : 0)
                                 : "");
  }
  cli_grid_print(&g, stdout);
}

/* Operators with counts, work and how many run on their reference. */
static void print_ops(const cli_report *r) {
  cli_grid g;
  cli_grid_init(&g, "lrlrl");
  printf("%soperators%s (%s node%s)\n", cli_bold(), cli_plain(), cli_count(r->m.model->source.n_node),
         r->m.model->source.n_node == 1 ? "" : "s");
  for (size_t i = 0; i < r->n_op; i++) {
    const cli_op_count *o = &r->op[i];
    cli_grid_cell(&g, " ");
    cli_grid_cell(&g, "%s", cli_count(o->n));
    cli_grid_cell(&g, "%s", o->op);
    cli_grid_cell(&g, "%s", o->macs ? cli_keep_printf("%s multiply-adds", cli_count(o->macs)) : "");
    cli_grid_cell(&g, "%s",
                  o->reference ? o->reference == o->n
                                     ? "reference code"
                                     : cli_keep_printf("%s on reference code", cli_count(o->reference))
                               : "");
  }
  cli_grid_print(&g, stdout);
}

/* Format, size and what the file says of itself. */
static void print_head(const cli_report *r) {
  static const char *format[] = {"", "ONNX", "TFLite", "whet"};
  const whet_model *m = r->m.model;
  printf("%s%s%s  %s, %s", cli_bold(), cli_clean(r->path), cli_plain(), format[whet_model_format(m) & 3],
         cli_bytes(r->file_bytes));
  static const char *keys[] = {"producer_name", "producer_version", "graph_name", "description"};
  for (size_t i = 0; i < WHET_COUNT(keys); i++) {
    size_t n;
    const char *v = whet_model_meta(m, keys[i], &n);
    if (v && n) printf("%s%s", i == 1 ? " " : ", ", cli_clean(cli_keep_str(v, n < 60 ? n : 60)));
  }
  printf("\n");
  for (size_t i = 0; i < whet_model_signatures(m); i++)
    printf("%s%s", i ? ", " : "signatures ", cli_clean(whet_model_signature_key(m, i)));
  if (whet_model_signatures(m)) printf("\n");
}

/* Parameters, work, memory. */
static void print_cost(const cli_report *r) {
  printf("%sparameters%s  %s (%s)\n", cli_bold(), cli_plain(), cli_count(r->parameters),
         cli_bytes(r->parameter_bytes));
  if (!r->runs) return;
  const whet_program *p = r->m.session->program;
  printf("%swork%s        %s multiply-adds\n", cli_bold(), cli_plain(), cli_count(r->cost.macs));
  printf("%smemory%s      weights %s bytes", cli_bold(), cli_plain(), cli_count((int64_t)r->cost.weights_bytes));
  if (r->cost.mapped_bytes) printf(" + %s in the mapped file", cli_count((int64_t)r->cost.mapped_bytes));
  printf(", arena %s (bound %s)", cli_count((int64_t)r->cost.arena_bytes), cli_count((int64_t)r->cost.bound_bytes));
  if (r->cost.variable_bytes) printf(", state %s", cli_count((int64_t)r->cost.variable_bytes));
  printf(", plan %s\n", cli_count((int64_t)r->cost.plan_bytes));
  printf("            predicted peak %s%s\n", cli_bytes(r->peak_bytes),
         r->late ? ", and what comes on top is known from data only" : "");
  printf("%splan%s        %s steps on %d thread%s, %s%s (%s), fingerprint %016llx\n", cli_bold(), cli_plain(),
         cli_count(r->plan->n_step), p->threads, p->threads == 1 ? "" : "s", whet__isa_level(p->target.isa),
         p->target.bf16 ? ", bf16" : "", p->target.cpu, (unsigned long long)r->cost.fingerprint);
}

/* The table of steps. */
static void print_plan(const cli_report *r) {
  cli_grid g;
  cli_grid_init(&g, "rlllrrrrlw");
  cli_grid_head(&g, "step", "node", "operators", "kernel", "parts", "MACs", "bytes", "arena at", "output", "why",
                NULL);
  for (int32_t i = 0; i < r->plan->n_step; i++) {
    const whet_step *s = &r->plan->step[i];
    int32_t out = cli_step_out(r, i);
    const whet_store *st = out >= 0 ? &r->plan->store[out] : NULL;
    bool arena = st && st->buf >= 0 && r->plan->buf[st->buf].where == WHET_IN_ARENA;
    int64_t macs = cli_step_macs(r->graph, r->plan, r->node_step, i);
    cli_grid_cell(&g, "%d", i);
    cli_grid_cell(&g, "%.40s", s->node >= 0 ? cli_node_name(r->graph, s->node) : "");
    cli_grid_cell(&g, "%s", cli_step_ops(r->graph, r->plan, r->node_step, i));
    cli_grid_cell(&g, "%s", cli_step_row(r->plan, i));
    cli_grid_cell(&g, "%d", s->parts);
    cli_grid_cell(&g, "%s", macs ? cli_count(macs) : "");
    cli_grid_cell(&g, "%s", out >= 0 ? cli_count((int64_t)cli_val_bytes(r->plan, out)) : "");
    cli_grid_cell(&g, "%s", arena ? cli_count((int64_t)(r->plan->buf[st->buf].off + st->off)) : "");
    cli_grid_cell(&g, "%s", out >= 0 ? cli_val_text(r->plan, out) : "");
    cli_grid_cell(&g, "%s", cli_step_why(r, i));
  }
  printf("\n");
  cli_grid_print(&g, stdout);
}

/* Names in lines of the terminal's width. */
static void print_names(const cli_report *r, size_t first) {
  const cli_blocked *f = &r->blocked[first];
  size_t at = 0, wide = (size_t)cli_columns();
  for (size_t i = first; i < r->n_blocked; i++) {
    if (strcmp(r->blocked[i].op, f->op) || strcmp(r->blocked[i].reason, f->reason)) continue;
    size_t n = strlen(r->blocked[i].node) + 2;
    if (at && at + n > wide) at = 0, printf("\n");
    if (!at) at = (size_t)printf("   ");
    printf(" %s", r->blocked[i].node);
    at += n;
  }
  printf("\n");
}

/* Nodes that cannot run: each operator and reason, and below it all nodes by name. */
static void print_blocked(const cli_report *r) {
  if (r->runs) return;
  if (r->open_sizes)
    printf("%sno plan with open sizes as 1%s: set them with --shape INPUT:DIMS\n", cli_bold(), cli_plain());
  else
    printf("%sthis model cannot run here%s\n", cli_bold(), cli_plain());
  for (size_t i = 0; i < r->n_blocked; i++) {
    size_t same = 0, before = 0;
    for (size_t k = 0; k < r->n_blocked; k++)
      if (!strcmp(r->blocked[i].op, r->blocked[k].op) && !strcmp(r->blocked[i].reason, r->blocked[k].reason))
        same++, before += k < i;
    if (before) continue;
    printf("  %s%s%s: %s; %s node%s\n", cli_bold(), r->blocked[i].op, cli_plain(), r->blocked[i].reason,
           cli_count((int64_t)same), same == 1 ? "" : "s");
    print_names(r, i);
  }
  if (!r->n_blocked && r->error) printf("  %s\n", cli_clean(r->error));
}

int cli_inspect(int argc, char **argv) {
  struct options o = {0};
  cli_model_opts mo = {0};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"what to show", k_options, &o};
  use.tables[1] = (cli_table){"planning", cli_model_options, &mo};
  bool json;
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &json, argc, argv, &arg, &n_arg, &status)) return status;
  cli_report r;
  if ((status = cli_report_make(&r, arg[0], &mo))) return status;
  whet_err err = {0};
  if (o.check && whet_model_check(r.m.model, &err)) {
    cli_report_free(&r);
    return cli_fail_err(arg[0], &err);
  }
  if (o.html) status = cli_page_write(&r, o.html);
  if (!status && json) {
    status = cli_json(cli_report_json(&r, o.plan, false), 9);
  } else if (!status) {
    print_head(&r);
    print_ports(&r, false);
    print_ports(&r, true);
    print_ops(&r);
    print_cost(&r);
    print_blocked(&r);
    if (o.plan && r.runs) print_plan(&r);
    if (o.html) printf("the graph is drawn in %s\n", o.html);
  }
  cli_report_free(&r);
  return status;
}
