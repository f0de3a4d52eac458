/* SPDX-License-Identifier: Apache-2.0 */
/* whet prune: a model with fewer channels. */

#include "compress/prune.h"

#include "model.h"
#include "op/op.h"
#include "out.h"
#include "save.h"

struct options {
  const char *output, *keep;
  int64_t align;
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_options[] = {
    {"output", 'o', CLI_TEXT, AT(output), "FILE", "the file to write; its ending says the format: " CLI_SAVE_ENDINGS, 0, 0},
    {"keep", 0, CLI_TEXT, AT(keep), "N%", "part of the multiply-adds that stays (default: 50%)", 0, 0},
    {"align", 0, CLI_INT, AT(align), "N", "channels that stay are a multiple of N (default: 8)", 1, 1024},
    {0}};

static const cli_use k_use = {
    .synopsis = "MODEL -o OUT [OPTION]...",
    .about = "Cuts whole channels out of a float model, so that its graph really becomes smaller and every runtime gains. Channels that a "
             "residual, a concatenation or a depthwise convolution joins go together; those whose filters are smallest go first, the same share "
             "everywhere. Inputs and outputs stay. What was lost is learnt again with whet train --model OUT.",
    .examples = "  whet prune net.onnx --keep 50% -o half.onnx\n"
                "  whet train --model half.onnx --data cifar10 --epochs 10 --rate 0.002 -o half-tuned.onnx\n"
                "  whet eval net.onnx half-tuned.onnx --data cifar10\n",
    .least = 1,
    .most = 1,
    .missing = "name a model"};

/* "50%" or "0.5". */
static bool part(const char *s, double *out) {
  size_t n = strlen(s);
  char number[40];
  if (!n || n >= sizeof number) return false;
  memcpy(number, s, n + 1);
  bool percent = s[n - 1] == '%';
  if (percent) number[n - 1] = 0;
  if (!cli_parse_real(number, out)) return false;
  if (percent) *out /= 100;
  return *out > 0 && *out <= 1;
}

static int report(const char *path, const struct options *o, const whet_model *m, const whet_prune_report *r, bool json) {
  json_t *list = json_array();
  if (!json) printf("%s -> %s\nmultiply-adds %.4g -> %.4g (%.1f %%)\n\n  had  has  layer\n", cli_clean(path), cli_clean(o->output), r->had_macs,
                    r->macs, 100 * r->macs / r->had_macs);
  for (size_t i = 0; i < r->n_layer; i++) {
    const whet_node *n = &m->graph.node[r->layer[i].node];
    const char *name = *n->name ? n->name : m->graph.val[n->out[0]].name;
    if (json)
      json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I}", "layer", name, "operator", n->op->name, "had", (json_int_t)r->layer[i].had,
                                            "has", (json_int_t)r->layer[i].has));
    else
      printf("%5lld%5lld  %s (%s)\n", (long long)r->layer[i].had, (long long)r->layer[i].has, cli_clean(name), n->op->name);
  }
  if (json)
    return cli_json(json_pack("{s:s, s:s, s:o, s:o, s:o}", "model", path, "output", o->output, "macs", cli_json_real(r->macs), "macs_before",
                              cli_json_real(r->had_macs), "layers", list), 9);
  json_decref(list);
  return CLI_DONE;
}

int cli_prune(int argc, char **argv) {
  struct options o = {.keep = "50%"};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"options", k_options, &o};
  bool json;
  char **arg;
  int n_arg, status;
  whet_err err = {0};
  whet_model *m, *out;
  whet_prune_report r;
  whet_prune_opts po = {0};
  if (!cli_parse(&use, &json, argc, argv, &arg, &n_arg, &status)) return status;
  if (!o.output) return cli_wrong("name the file to write: --output FILE");
  if ((status = cli_save_check(o.output))) return status;
  if (!part(o.keep, &po.keep)) return cli_wrong("--keep %.40s: expected a part above 0 and at most 1, as 50%% or 0.5", o.keep);
  po.align = (int32_t)o.align;
  if (whet_model_open(arg[0], NULL, &m, &err)) return cli_fail_err(arg[0], &err);
  if (whet__prune(m, &po, &out, &r, &err)) {
    whet_model_close(&m);
    return cli_fail_err(arg[0], &err);
  }
  status = cli_save(out, o.output, &err) ? cli_fail_err(o.output, &err) : report(arg[0], &o, out, &r, json);
  whet_model_close(&out);
  whet_model_close(&m);
  return status;
}
