/* SPDX-License-Identifier: Apache-2.0 */
/* Reports as JSON: for `--json`, and as the data of the page that `--html` writes. */

#include "format/model.h"
#include "plan/program.h"
#include "run/session.h"
#include "report.h"
#include "steps.h"

/* Inputs or outputs. */
static json_t *ports(const cli_report *r, bool out) {
  json_t *list = json_array();
  size_t n = out ? whet_model_outputs(r->m.model) : whet_model_inputs(r->m.model);
  if (r->m.session) n = out ? whet_session_outputs(r->m.session) : whet_session_inputs(r->m.session);
  for (size_t i = 0; i < n; i++) {
    static const char *kind[] = {"tensor", "sequence", "map", "optional"};
    whet_info f;
    cli_report_port(r, out, i, &f);
    json_t *one = json_object();
    json_object_set_new(one, "name", cli_json_text(f.name));
    json_object_set_new(one, "kind", json_string(kind[f.kind & 3]));
    json_object_set_new(one, "dtype", json_string(whet_dtype_name(f.dtype)));
    json_object_set_new(one, "shape", cli_json_dims(f.rank, f.dims));
    if (f.quant.n == 1) {
      json_object_set_new(one, "scale", cli_json_real((double)f.quant.scale[0]));
      json_object_set_new(one, "zero_point", json_integer(f.quant.zero ? f.quant.zero[0] : 0));
    }
    json_array_append_new(list, one);
  }
  return list;
}

/* The table of steps. */
static json_t *steps(const cli_report *r) {
  json_t *list = json_array();
  for (int32_t i = 0; r->plan && i < r->plan->n_step; i++) {
    const whet_step *s = &r->plan->step[i];
    int32_t out = cli_step_out(r, i);
    json_t *one = json_object();
    json_object_set_new(one, "node", cli_json_text(s->node >= 0 ? cli_node_name(r->graph, s->node) : ""));
    json_object_set_new(one, "operators", cli_json_text(cli_step_ops(r->graph, r->plan, r->node_step, i)));
    json_object_set_new(one, "kernel", cli_json_text(cli_step_row(r->plan, i)));
    json_object_set_new(one, "parts", json_integer(s->parts));
    json_object_set_new(one, "macs", json_integer(cli_step_macs(r->graph, r->plan, r->node_step, i)));
    json_object_set_new(one, "why", cli_json_text(cli_step_why(r, i)));
    if (out >= 0) {
      const whet_store *st = &r->plan->store[out];
      json_object_set_new(one, "output", cli_json_text(cli_val_text(r->plan, out)));
      json_object_set_new(one, "bytes", json_integer((json_int_t)cli_val_bytes(r->plan, out)));
      if (st->buf >= 0 && r->plan->buf[st->buf].where == WHET_IN_ARENA)
        json_object_set_new(one, "arena_offset", json_integer((json_int_t)(r->plan->buf[st->buf].off + st->off)));
    }
    json_array_append_new(list, one);
  }
  return list;
}

/* Shape of a tensor of the file: as the file says, or where it leaves sizes open, as the plan has them. */
static const char *tensor_shape(const cli_report *r, int32_t t) {
  const whet_source_tensor *s = &r->m.model->source.tensor[t];
  if (whet__shape_count(&s->shape) < 0 && r->plan && s->val >= 0 && s->val < r->plan->n_val &&
      s->val < r->graph->n_val) {
    const whet_val *v = &r->graph->val[s->val];
    const whet_shape *p = &r->plan->shape[s->val];
    if (v->origin == t && whet__shape_count(p) >= 0) {
      int64_t dims[WHET_MAX_RANK] = {0};
      bool turned = false;
      for (int32_t i = 0; i < p->rank; i++) turned |= v->perm[i] != 0;
      for (int32_t i = 0; i < p->rank; i++) dims[turned ? v->perm[i] : i] = p->d[i];
      return cli_dims(p->rank, dims, NULL);
    }
  }
  char text[200];
  if (s->shape.rank < 0) return "";
  return cli_keep_printf("%s", whet__shape_text(&r->m.model->graph, &s->shape, text, sizeof text));
}

/* What a tensor of the file is. */
static json_t *tensor(const cli_report *r, int32_t t) {
  const whet_source_tensor *s = &r->m.model->source.tensor[t];
  json_t *j = json_object();
  json_object_set_new(j, "name", cli_json_text(s->name));
  json_object_set_new(j, "type", cli_json_text(s->dtype ? whet_dtype_name((whet_dtype)s->dtype) : ""));
  json_object_set_new(j, "shape", cli_json_text(tensor_shape(r, t)));
  if (s->constant) json_object_set_new(j, "constant", json_true());
  if (s->q && s->q->n == 1)
    json_object_set_new(
        j, "quant",
        cli_json_text(cli_keep_printf("scale %g, zero %d", (double)s->q->scale[0], s->q->zero ? s->q->zero[0] : 0)));
  if (s->q && s->q->n > 1)
    json_object_set_new(j, "quant", cli_json_text(cli_keep_printf("%d scales along axis %d", s->q->n, s->q->axis)));
  return j;
}

/* The main graph of the file: nodes with the numbers of the tensors that they read and make, and the tensors. */
static json_t *graph(const cli_report *r) {
  enum { MOST_STEPS = 8 };
  const whet_source *s = &r->m.model->source;
  json_t *j = json_object(), *nodes = json_array(), *tensors = json_array(), *in = json_array(), *out = json_array();
  for (int32_t i = 0; i < s->n_main; i++) json_array_append_new(tensors, tensor(r, i));
  for (int32_t i = 0; i < s->n_main_node; i++) {
    const whet_source_node *n = &s->node[i];
    json_t *one = json_object(), *a = json_array(), *b = json_array(), *kernels = json_array();
    int32_t step[MOST_STEPS];
    size_t n_step = cli_source_steps(r, i, step, MOST_STEPS);
    for (int32_t k = 0; k < n->n_in; k++)
      json_array_append_new(a, json_integer(n->in[k] < s->n_main ? n->in[k] : -1));
    for (int32_t k = 0; k < n->n_out; k++)
      json_array_append_new(b, json_integer(n->out[k] < s->n_main ? n->out[k] : -1));
    for (size_t k = 0; k < n_step; k++) {
      json_t *kernel = json_object();
      json_object_set_new(kernel, "row", cli_json_text(cli_step_row(r->plan, step[k])));
      json_object_set_new(kernel, "step", json_integer(step[k]));
      json_object_set_new(kernel, "ops", cli_json_text(cli_step_ops(r->graph, r->plan, r->node_step, step[k])));
      json_object_set_new(kernel, "macs", json_integer(cli_step_macs(r->graph, r->plan, r->node_step, step[k])));
      json_object_set_new(kernel, "why", cli_json_text(cli_step_why(r, step[k])));
      json_array_append_new(kernels, kernel);
    }
    json_object_set_new(one, "op", cli_json_text(cli_source_op(r, i)));
    json_object_set_new(one, "name", cli_json_text(cli_source_name(r, i)));
    json_object_set_new(one, "attrs", cli_json_text(cli_source_attrs(r, i)));
    json_object_set_new(one, "in", a);
    json_object_set_new(one, "out", b);
    json_object_set_new(one, "kernels", kernels);
    for (size_t k = 0; k < r->n_blocked; k++)
      if (!strcmp(r->blocked[k].node, cli_source_name(r, i)))
        json_object_set_new(one, "blocked", cli_json_text(r->blocked[k].reason));
    json_array_append_new(nodes, one);
  }
  for (size_t i = 0; i < whet_model_inputs(r->m.model); i++)
    json_array_append_new(in, json_integer(whet_model_input_tensor(r->m.model, i)));
  for (size_t i = 0; i < whet_model_outputs(r->m.model); i++)
    json_array_append_new(out, json_integer(whet_model_output_tensor(r->m.model, i)));
  json_object_set_new(j, "nodes", nodes);
  json_object_set_new(j, "tensors", tensors);
  json_object_set_new(j, "inputs", in);
  json_object_set_new(j, "outputs", out);
  json_object_set_new(j, "inner_nodes", json_integer(s->n_node - s->n_main_node));
  return j;
}

/* Operators with their counts. */
static json_t *operators(const cli_report *r) {
  json_t *list = json_array();
  for (size_t i = 0; i < r->n_op; i++) {
    json_t *one = json_object();
    json_object_set_new(one, "operator", cli_json_text(r->op[i].op));
    json_object_set_new(one, "nodes", json_integer(r->op[i].n));
    json_object_set_new(one, "macs", json_integer(r->op[i].macs));
    json_object_set_new(one, "reference", json_integer(r->op[i].reference));
    json_array_append_new(list, one);
  }
  return list;
}

/* Texts that the file carries; long ones and those that are no text are left out. */
static json_t *metadata(const whet_model *m) {
  json_t *j = json_object();
  for (size_t i = 0; i < whet_model_metas(m); i++) {
    size_t n;
    const char *key = whet_model_meta_key(m, i), *v = whet_model_meta(m, key, &n);
    if (!v || !n || n > 2000 || memchr(v, 0, n)) continue;
    json_object_set_new(j, cli_clean(key), cli_json_text(cli_keep_str(v, n)));
  }
  return j;
}

json_t *cli_report_json(const cli_report *r, bool with_plan, bool with_graph) {
  static const char *format[] = {"unknown", "onnx", "tflite", "whet"};
  json_t *j = json_object(), *blocked = json_array(), *memory = json_object(), *signatures = json_array();
  json_object_set_new(j, "model", cli_json_text(r->path));
  json_object_set_new(j, "format", json_string(format[whet_model_format(r->m.model) & 3]));
  json_object_set_new(j, "file_bytes", json_integer((json_int_t)r->file_bytes));
  json_object_set_new(j, "metadata", metadata(r->m.model));
  json_object_set_new(j, "inputs", ports(r, false));
  json_object_set_new(j, "outputs", ports(r, true));
  for (size_t i = 0; i < whet_model_signatures(r->m.model); i++)
    json_array_append_new(signatures, cli_json_text(whet_model_signature_key(r->m.model, i)));
  json_object_set_new(j, "signatures", signatures);
  json_object_set_new(j, "nodes", json_integer(r->m.model->source.n_node));
  json_object_set_new(j, "operators", operators(r));
  json_object_set_new(j, "parameters", json_integer(r->parameters));
  json_object_set_new(j, "parameter_bytes", json_integer((json_int_t)r->parameter_bytes));
  json_object_set_new(j, "runs", json_boolean(r->runs));
  if (r->open_sizes) json_object_set_new(j, "open_sizes", json_true());
  if (r->error) json_object_set_new(j, "error", cli_json_text(r->error));
  for (size_t i = 0; i < r->n_blocked; i++) {
    json_t *one = json_object();
    json_object_set_new(one, "node", cli_json_text(r->blocked[i].node));
    json_object_set_new(one, "operator", cli_json_text(r->blocked[i].op));
    json_object_set_new(one, "reason", cli_json_text(r->blocked[i].reason));
    json_array_append_new(blocked, one);
  }
  json_object_set_new(j, "cannot_run", blocked);
  if (r->runs) {
    json_object_set_new(j, "macs", json_integer(r->cost.macs));
    json_object_set_new(memory, "weights_bytes", json_integer((json_int_t)r->cost.weights_bytes));
    json_object_set_new(memory, "mapped_bytes", json_integer((json_int_t)r->cost.mapped_bytes));
    json_object_set_new(memory, "arena_bytes", json_integer((json_int_t)r->cost.arena_bytes));
    json_object_set_new(memory, "bound_bytes", json_integer((json_int_t)r->cost.bound_bytes));
    json_object_set_new(memory, "variable_bytes", json_integer((json_int_t)r->cost.variable_bytes));
    json_object_set_new(memory, "plan_bytes", json_integer((json_int_t)r->cost.plan_bytes));
    json_object_set_new(memory, "peak_bytes", json_integer((json_int_t)r->peak_bytes));
    json_object_set_new(memory, "complete", json_boolean(!r->late));
    json_object_set_new(j, "memory", memory);
    json_object_set_new(j, "threads", json_integer(r->m.session->program->threads));
    json_object_set_new(j, "cpu", json_string(whet__isa_level(r->m.session->program->target.isa)));
    json_object_set_new(j, "precision", json_string(r->m.session->program->target.bf16 ? "bf16" : "f32"));
    json_object_set_new(j, "steps", json_integer(r->plan->n_step));
    json_object_set_new(j, "fingerprint", json_sprintf("%016llx", (unsigned long long)r->cost.fingerprint));
    if (with_plan) json_object_set_new(j, "plan", steps(r));
  } else {
    json_decref(memory);
  }
  if (with_graph) json_object_set_new(j, "graph", graph(r));
  return j;
}
