/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: the runner sums nanoseconds by step; runs are repeated and the least time of each step is kept, so that
 * other work on the machine does not count. */

#include "profile.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "kern/peak.h"
#include "plan/program.h"
#include "run/session.h"
#include "stats.h"
#include "steps.h"

/* One run with the sums cleared before it. */
static whet_status once(const cli_profile *p, whet_err *err) {
  memset(p->live, 0, (size_t)p->plan->n_step * sizeof *p->live);
  return whet_session_run(p->m->session, &p->m->run, err);
}

int cli_profile_make(const cli_model *m, double min_us, cli_profile *out) {
  whet_err err = {0};
  *out = (cli_profile){.m = m};
  if (!(out->plan = cli_plan_of(m, &err)) || whet__session_profile(m->session, true, &out->live, &err))
    return cli_fail_err(m->path, &err);
  const whet_graph *g = cli_graph_of(m);
  const int32_t *node_step = cli_node_steps(g, out->plan);
  size_t n = (size_t)out->plan->n_step;
  out->us = cli_keep((n + 1) * sizeof *out->us);
  out->macs = cli_keep((n + 1) * sizeof *out->macs);
  out->ops = cli_keep((n + 1) * sizeof *out->ops);
  out->threads = m->session->program->threads;
  uint32_t isa = m->session->program->target.isa;
  out->peak_f32 = whet__peak(isa, false) * out->threads;
  out->peak_q8 = whet__peak(isa, true) * out->threads;
  for (size_t i = 0; i < n; i++) {
    out->macs[i] = cli_step_macs(g, out->plan, node_step, (int32_t)i);
    out->ops[i] = cli_step_ops(g, out->plan, node_step, (int32_t)i);
  }
  double end = cli_now_us() + min_us;
  for (int runs = 0; runs < 3 || (cli_now_us() < end && runs < 100000); runs++) {
    if (once(out, &err)) return cli_fail_err(m->path, &err);
    for (size_t i = 0; i < n; i++) {
      double us = (double)out->live[i] / 1e3;
      if (!runs || us < out->us[i]) out->us[i] = us;
    }
  }
  for (size_t i = 0; i < n; i++) out->total_us += out->us[i];
  return CLI_DONE;
}

/* "41 %" of the peak for a step of so many multiply-adds, or "". */
static const char *share_of_peak(const cli_profile *p, int32_t i) {
  double peak = cli_step_q8(p->plan, i) ? p->peak_q8 : p->peak_f32;
  if (!p->macs[i] || p->us[i] <= 0 || peak <= 0) return "";
  return cli_keep_printf("%.0f %%", 100 * (double)p->macs[i] * 2 / (p->us[i] * 1e-6) / peak);
}

static const char *rate(const cli_profile *p, int32_t i) {
  return p->macs[i] && p->us[i] > 0 ? cli_keep_printf("%.1f", (double)p->macs[i] / p->us[i] * 1e-3) : "";
}

/* Sums by operator. */
struct by_op {
  const char *op;
  double us;
  int64_t macs, steps;
};

static int by_time(const void *a, const void *b) {
  double x = ((const struct by_op *)a)->us, y = ((const struct by_op *)b)->us;
  return (x < y) - (x > y);
}

/* Sums of all operators, the longest first; *n of them. */
static struct by_op *sums(const cli_profile *p, size_t *n) {
  struct by_op *v = cli_keep(((size_t)p->plan->n_step + 1) * sizeof *v);
  *n = 0;
  for (int32_t i = 0; i < p->plan->n_step; i++) {
    const char *op = p->ops[i];
    size_t k = 0;
    while (k < *n && strcmp(v[k].op, op)) k++;
    if (k == *n) v[(*n)++] = (struct by_op){.op = op};
    v[k].us += p->us[i];
    v[k].macs += p->macs[i];
    v[k].steps++;
  }
  qsort(v, *n, sizeof *v, by_time);
  return v;
}

void cli_profile_print(const cli_profile *p) {
  const whet_graph *g = cli_graph_of(p->m);
  cli_grid t;
  cli_grid_init(&t, "rrllrrlw");
  cli_grid_head(&t, "us", "share", "node", "operator", "GMAC/s", "of peak", "kernel", "output", NULL);
  for (int32_t i = 0; i < p->plan->n_step; i++) {
    const whet_step *s = &p->plan->step[i];
    const char *out = "";
    for (int a = 0; a < s->n_arg; a++) {
      const whet_place *q = &p->plan->place[s->args + (uint32_t)a];
      if (q->write && q->val >= 0 && q->val < p->plan->n_val) out = cli_val_text(p->plan, q->val);
    }
    cli_grid_cell(&t, "%.2f", p->us[i]);
    cli_grid_cell(&t, "%.1f %%", p->total_us > 0 ? 100 * p->us[i] / p->total_us : 0);
    cli_grid_cell(&t, "%.40s", s->node >= 0 ? cli_node_name(g, s->node) : "");
    cli_grid_cell(&t, "%s", p->ops[i]);
    cli_grid_cell(&t, "%s", rate(p, i));
    cli_grid_cell(&t, "%s", share_of_peak(p, i));
    cli_grid_cell(&t, "%s", cli_step_row(p->plan, i));
    cli_grid_cell(&t, "%s", out);
  }
  cli_grid_print(&t, stdout);
  size_t n;
  const struct by_op *v = sums(p, &n);
  printf("\n");
  cli_grid_init(&t, "rrlrrl");
  cli_grid_head(&t, "us", "share", "operator", "steps", "GMAC/s", "", NULL);
  for (size_t i = 0; i < n; i++) {
    double part = p->total_us > 0 ? v[i].us / p->total_us : 0;
    cli_grid_cell(&t, "%.2f", v[i].us);
    cli_grid_cell(&t, "%.1f %%", 100 * part);
    cli_grid_cell(&t, "%s", v[i].op);
    cli_grid_cell(&t, "%s", cli_count(v[i].steps));
    cli_grid_cell(&t, "%s",
                  v[i].macs && v[i].us > 0 ? cli_keep_printf("%.1f", (double)v[i].macs / v[i].us * 1e-3) : "");
    cli_grid_cell(&t, "%s", cli_bar(part, 30));
  }
  cli_grid_print(&t, stdout);
  printf("%s%s in steps; measured peak %.0f GMAC/s float32, %.0f GMAC/s 8-bit on %d thread%s%s\n", cli_dim(),
         cli_time(p->total_us), p->peak_f32 / 2e9, p->peak_q8 / 2e9, p->threads, p->threads == 1 ? "" : "s",
         cli_plain());
}

json_t *cli_profile_json(const cli_profile *p) {
  const whet_graph *g = cli_graph_of(p->m);
  json_t *j = json_object(), *steps = json_array();
  for (int32_t i = 0; i < p->plan->n_step; i++) {
    const whet_step *s = &p->plan->step[i];
    json_t *one = json_object();
    json_object_set_new(one, "node", cli_json_text(s->node >= 0 ? cli_node_name(g, s->node) : ""));
    json_object_set_new(one, "operator", cli_json_text(p->ops[i]));
    json_object_set_new(one, "kernel", cli_json_text(cli_step_row(p->plan, i)));
    json_object_set_new(one, "us", json_real(p->us[i]));
    json_object_set_new(one, "macs", json_integer(p->macs[i]));
    json_array_append_new(steps, one);
  }
  json_object_set_new(j, "steps", steps);
  json_object_set_new(j, "total_us", json_real(p->total_us));
  json_object_set_new(j, "peak_f32_gmacs", json_real(p->peak_f32 / 2e9));
  json_object_set_new(j, "peak_q8_gmacs", json_real(p->peak_q8 / 2e9));
  return j;
}

/* An event of the trace: ph "X", times in microseconds. */
static void event(json_t *list, const char *name, const char *cat, double ts, double us, json_t *args) {
  json_t *e = json_object();
  json_object_set_new(e, "name", cli_json_text(name));
  json_object_set_new(e, "cat", json_string(cat));
  json_object_set_new(e, "ph", json_string("X"));
  json_object_set_new(e, "ts", json_real(ts));
  json_object_set_new(e, "dur", json_real(us));
  json_object_set_new(e, "pid", json_integer(1));
  json_object_set_new(e, "tid", json_integer(1));
  if (args) json_object_set_new(e, "args", args);
  json_array_append_new(list, e);
}

/* Names of process and thread, as Perfetto shows them. */
static void title(json_t *list, const char *what, const char *text) {
  json_t *e = json_object(), *args = json_object();
  json_object_set_new(args, "name", cli_json_text(text));
  json_object_set_new(e, "name", json_string(what));
  json_object_set_new(e, "ph", json_string("M"));
  json_object_set_new(e, "pid", json_integer(1));
  json_object_set_new(e, "tid", json_integer(1));
  json_object_set_new(e, "args", args);
  json_array_append_new(list, e);
}

int cli_profile_trace(const cli_profile *p, const char *file, int runs) {
  const whet_graph *g = cli_graph_of(p->m);
  json_t *root = json_object(), *list = json_array();
  whet_err err = {0};
  title(list, "process_name", cli_keep_printf("whet %s: %s", whet_version(), p->m->path));
  title(list, "thread_name", cli_keep_printf("%d thread%s", p->threads, p->threads == 1 ? "" : "s"));
  double zero = cli_now_us();
  for (int r = 0; r < runs; r++) {
    double start = cli_now_us() - zero, at = start;
    if (once(p, &err)) {
      json_decref(root);
      json_decref(list);
      return cli_fail_err(p->m->path, &err);
    }
    event(list, cli_keep_printf("run %d", r), "run", start, cli_now_us() - zero - start, NULL);
    for (int32_t i = 0; i < p->plan->n_step; i++) {
      const whet_step *s = &p->plan->step[i];
      double us = (double)p->live[i] / 1e3;
      if (us <= 0) continue;
      json_t *args = json_object();
      json_object_set_new(args, "node", cli_json_text(s->node >= 0 ? cli_node_name(g, s->node) : ""));
      json_object_set_new(args, "kernel", cli_json_text(cli_step_row(p->plan, i)));
      json_object_set_new(args, "macs", json_integer(p->macs[i]));
      event(list, p->ops[i], "step", at, us, args);
      if (s->kind != WHET_STEP_IF && s->kind != WHET_STEP_LOOP) at += us; /* those hold the steps that follow */
    }
  }
  json_object_set_new(root, "traceEvents", list);
  json_object_set_new(root, "displayTimeUnit", json_string("ns"));
  char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(12));
  json_decref(root);
  if (!text) return cli_fail("out of memory");
  whet_status s = whet__file_write(file, text, strlen(text), &err);
  free(text);
  return s ? cli_fail_err(NULL, &err) : CLI_DONE;
}
