/* SPDX-License-Identifier: Apache-2.0 */
/* Runners: a session and the tensors around it. */

#include "shim.h"

/* Bytes of a tensor as it is shown before its memory is made; free dimensions count as 1 there. */
static size_t declared(const whet_info *f) {
  size_t n = 1;
  for (int32_t i = 0; i < f->rank; i++) n *= f->dims[i] < 0 ? 1 : (size_t)f->dims[i];
  return f->rank < 0 ? 0 : whet_dtype_bytes(f->dtype, n);
}

/* Describe every tensor anew, and point it to its memory where that is settled. */
static bool refresh(runner *r, bool memory) {
  for (int side = 0; side < 2; side++)
    for (size_t i = 0; i < (side ? r->n_out : r->n_in); i++) {
      port *p = side ? &r->out[i] : &r->in[i];
      whet_info info;
      whet_err err = {0};
      size_t bytes = 0;
      if (side ? whet_session_output_info(r->session, i, &info) : whet_session_input_info(r->session, i, &info))
        return false;
      if (!port_describe(p, &info)) return false;
      p->t.allocation_type = kTfLiteArenaRw;
      if (info.dtype == WHET_STRING) {
        p->t.allocation_type = kTfLiteDynamic;
        continue;
      }
      void *data = !memory ? NULL
                   : side  ? (void *)whet_session_output(r->session, i, &bytes, &err)
                           : whet_session_input(r->session, i, &bytes, &err);
      p->t.data.data = data;
      p->t.bytes = data ? bytes : declared(&info);
      if (memory && side && !data) p->t.allocation_type = kTfLiteDynamic; /* its size is known after a run */
    }
  return true;
}

/* Tensor numbers of inputs or outputs. */
static int *indices(const runner *r, bool out, size_t n) {
  int *list = calloc(n + 1, sizeof *list);
  for (size_t i = 0; list && i < n; i++)
    list[i] = r->signature >= 0
                  ? (out ? whet_model_signature_output_tensor(r->model, (size_t)r->signature, i)
                         : whet_model_signature_input_tensor(r->model, (size_t)r->signature, i))
                  : (out ? whet_model_output_tensor(r->model, i) : whet_model_input_tensor(r->model, i));
  return list;
}

static bool ports(runner *r) {
  r->n_in = whet_session_inputs(r->session);
  r->n_out = whet_session_outputs(r->session);
  r->in = calloc(r->n_in + 1, sizeof *r->in);
  r->out = calloc(r->n_out + 1, sizeof *r->out);
  r->in_index = indices(r, false, r->n_in);
  r->out_index = indices(r, true, r->n_out);
  if (!r->in || !r->out || !r->in_index || !r->out_index) return false;
  for (size_t i = 0; i < r->n_in; i++) r->in[i].r = r, r->in[i].i = i, r->in[i].index = r->in_index[i];
  for (size_t i = 0; i < r->n_out; i++)
    r->out[i].r = r, r->out[i].i = i, r->out[i].out = true, r->out[i].index = r->out_index[i];
  return true;
}

bool runner_open(runner *r, whet_model *m, const char *key, int32_t threads) {
  whet_program_opts o = whet_program_opts_default();
  whet_err err = {0};
  r->model = m;
  r->signature = -1;
  for (size_t i = 0; key && i < whet_model_signatures(m); i++)
    if (!strcmp(whet_model_signature_key(m, i), key)) r->signature = (int32_t)i;
  o.threads = threads > 0 ? threads : 1; /* the original takes one where nothing is said */
  o.signature = key;
  if (whet_program_create(m, &o, &r->program, &err) || whet_session_create(r->program, &r->session, &err)) {
    report_say(&r->report, "%s", err.text);
    runner_close(r);
    return false;
  }
  if (!ports(r) || !refresh(r, false)) {
    report_say(&r->report, "out of memory");
    runner_close(r);
    return false;
  }
  return true;
}

void runner_close(runner *r) {
  for (size_t i = 0; r->in && i < r->n_in; i++) port_free(&r->in[i]);
  for (size_t i = 0; r->out && i < r->n_out; i++) port_free(&r->out[i]);
  free(r->in);
  free(r->out);
  free(r->in_index);
  free(r->out_index);
  whet_session_close(&r->session);
  whet_program_close(&r->program);
  r->in = r->out = NULL;
  r->in_index = r->out_index = NULL;
}

TfLiteStatus runner_resize(runner *r, size_t input, const int *dims, int32_t n) {
  int64_t d[WHET_MAX_RANK];
  whet_err err = {0};
  if (input >= r->n_in || n < 0 || n > WHET_MAX_RANK || (!dims && n)) {
    report_say(&r->report, "TfLiteInterpreterResizeInputTensor: input %zu of %zu to %d dimensions", input, r->n_in,
               (int)n);
    return kTfLiteError;
  }
  for (int32_t i = 0; i < n; i++) {
    d[i] = dims[i];
    if (d[i] >= 0) continue;
    report_say(&r->report, "TfLiteInterpreterResizeInputTensor: dimension %d is %d", (int)i, dims[i]);
    return kTfLiteError;
  }
  r->ready = false;
  if (whet_session_resize(r->session, input, n, d, &err)) {
    report_say(&r->report, "%s", err.text);
    return kTfLiteError;
  }
  return refresh(r, false) ? kTfLiteOk : kTfLiteError;
}

TfLiteStatus runner_allocate(runner *r) {
  whet_cost cost = {.size = sizeof cost};
  whet_err err = {0};
  r->ready = false;
  if (whet_session_cost(r->session, &cost, &err)) {
    report_say(&r->report, "%s", err.text);
    return kTfLiteError;
  }
  for (size_t i = 0; i < r->n_in; i++) {
    whet_info info;
    if (whet_session_input_info(r->session, i, &info) || info.dtype == WHET_STRING) continue;
    if (whet_session_input(r->session, i, NULL, &err)) continue;
    report_say(&r->report, "%s", err.text);
    return kTfLiteError;
  }
  r->ready = refresh(r, true);
  return r->ready ? kTfLiteOk : kTfLiteError;
}

/* What a run made: outputs whose sizes it told, and strings. */
static TfLiteStatus collect(runner *r) {
  for (size_t i = 0; i < r->n_out; i++) {
    port *p = &r->out[i];
    whet_err err = {0};
    whet_info info;
    if (p->t.allocation_type != kTfLiteDynamic) continue;
    if (whet_session_output_info(r->session, i, &info) || !port_describe(p, &info)) return kTfLiteError;
    p->t.allocation_type = kTfLiteDynamic;
    if (p->t.type != kTfLiteString) {
      p->t.data.data = (void *)whet_session_output(r->session, i, &p->t.bytes, &err);
      continue;
    }
    whet_value *v = NULL;
    if (whet_session_get_output(r->session, i, &v, &err)) {
      report_say(&r->report, "%s", err.text);
      return kTfLiteError;
    }
    free(p->text);
    p->text = p->t.data.raw = strings_pack(whet_value_const_data(v), whet_value_count(v), &p->t.bytes);
    whet_value_unref(&v);
    if (!p->text) return kTfLiteError;
  }
  return kTfLiteOk;
}

TfLiteStatus runner_invoke(runner *r) {
  whet_run_opts o = {.size = sizeof o, .cancel = &r->cancel};
  whet_err err = {0};
  if (!r->ready) {
    report_say(&r->report, "Invoke called on model that is not ready: allocate tensors first");
    return kTfLiteError;
  }
  r->cancel.flag = 0;
  whet_status s = whet_session_run(r->session, r->can_cancel ? &o : NULL, &err);
  if (!s) return collect(r);
  if (s == WHET_E_CANCELLED) return kTfLiteCancelled;
  report_say(&r->report, "%s", err.text);
  return kTfLiteError;
}
