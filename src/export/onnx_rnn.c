/* SPDX-License-Identifier: Apache-2.0 */
/* LSTM, GRU and RNN as ONNX has them: inputs and outputs are as they are, attributes are spelled where they are not what the standard
 * takes without them. */

#include "export/onnx.h"
#include "op/rnn.h"

/* Activations and their parameters, when any is not the cell's usual one. */
static void activations(whet_onnx_out *o, const whet_rnn *r, const uint8_t *usual, int per_direction) {
  const char *name[6];
  float alpha[6], beta[6];
  int32_t n_alpha = 0, n_beta = 0, n = per_direction * r->dirs;
  bool differs = false;
  for (int32_t k = 0; k < n; k++) {
    name[k] = whet__rnn_act_name(r->act[k]);
    if (whet__rnn_takes_alpha(r->act[k])) alpha[n_alpha++] = r->a[k];
    if (whet__rnn_takes_beta(r->act[k])) beta[n_beta++] = r->b[k];
    differs |= r->act[k] != usual[k % per_direction];
  }
  if (!differs) return;
  whet__ox_strs(o, "activations", name, n);
  if (n_alpha) whet__ox_floats(o, "activation_alpha", alpha, n_alpha);
  if (n_beta) whet__ox_floats(o, "activation_beta", beta, n_beta);
}

whet_status whet__onnx_rnn(whet_onnx_out *o, const whet_node *n) {
  static const uint8_t lstm[] = {RNN_SIGMOID, RNN_TANH, RNN_TANH}, gru[] = {RNN_SIGMOID, RNN_TANH}, rnn[] = {RNN_TANH};
  const whet_rnn *r = n->attr;
  bool is_lstm = !strcmp(n->op->name, "LSTM"), is_gru = !strcmp(n->op->name, "GRU");
  if (r->batch_first && o->opset < 14) return whet__export_refuse(&o->x, n, "the batch stands first, which opset 14 is the first to know");
  whet__ox_int(o, "hidden_size", r->hidden);
  if (r->dirs == 2 || r->backward) whet__ox_str(o, "direction", r->dirs == 2 ? "bidirectional" : "reverse");
  if (r->batch_first) whet__ox_int(o, "layout", 1);
  if (r->couple) whet__ox_int(o, "input_forget", 1);
  if (is_gru) whet__ox_int(o, "linear_before_reset", r->reset_after);
  if (r->clip > 0) whet__ox_float(o, "clip", r->clip);
  activations(o, r, is_lstm ? lstm : is_gru ? gru : rnn, is_lstm ? 3 : is_gru ? 2 : 1);
  return whet__ox_as_is(o, n, n->op->name);
}
