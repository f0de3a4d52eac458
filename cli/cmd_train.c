/* SPDX-License-Identifier: Apache-2.0 */
/* whet train: train a net from a list of layers, or go on with a model. */

#include "fit.h"
#include "out.h"
#include "samples.h"
#include "save.h"

#define AT(field) offsetof(cli_recipe, field)
static const cli_opt k_net[] = {
    {"layers", 'l', CLI_TEXT, AT(layers), "LIST",
     "the net: shape of an item, then layers: "
     " 784,128:relu,10:softmax or 28x28x1,conv16:relu,pool2,10:softmax",
     0, 0},
    {"model", 'm', CLI_TEXT, AT(model), "FILE", "go on with this .onnx, .tflite or .whet model instead", 0, 0},
    {"last", 0, CLI_INT, AT(last), "N", "train only the last N layers of it (default: all)", 1, 1e6},
    {"keep-zeros", 0, CLI_FLAG, AT(keep_zeros), NULL,
     "weights of its layers that are zero stay zero: whet prune made them so", 0, 0},
    {"output", 'o', CLI_TEXT, AT(output), "FILE", "the trained model; its ending says the format", 0, 0},
    {0}};

static const cli_use k_use = {
    .synopsis = "[RECIPE.yaml] --data DIR -o FILE [OPTION]...",
    .about =
        "Trains a net that --layers or a recipe lists, or goes on with a model (--model), on the items of a data "
        "set, "
        "and writes the model. A recipe "
        "is a YAML file that has the long options as its keys (with _ for -) and the net as a list of layers; "
        "options win over it.\n"
        "The same seed gives the same bytes with any number of threads, and after a run that was killed and went on "
        "from its checkpoint.",
    .examples =
        "  whet train --layers 784,128:relu,10:softmax --data mnist --optimizer adam --epochs 5 -o digits.tflite\n"
        "  whet train cifar.yaml --data cifar10 -o net.onnx --checkpoint net.ckpt --log net.csv --chart net.svg\n"
        "  whet train --model digits.onnx --data mine --last 1 --epochs 3 -o mine.whet\n"
        "  whet train --layers 784,32:relu,10:softmax --data mnist --teacher big.onnx -o small.tflite\n",
    .least = 0,
    .most = 1,
    .missing = NULL};

static whet_status start_model(cli_recipe *r, const whet_set *set, whet_model **m, whet_err *err) {
  if (r->model) return whet_model_open(r->model, NULL, m, err);
  if (!r->rank) {
    r->rank = whet__set_dims(set, r->dims);
    if (!r->rank)
      return whet__fail(err, WHET_E_SHAPE, "%s: items have no common shape; say it: input: [32, 32, 3]", r->data);
  }
  return whet__layers_build(r->layer, r->n_layer, r->rank, r->dims, (uint64_t)r->seed, m, err);
}

/* Are the options whole? */
static int check(cli_recipe *r) {
  int status = cli_fit_check(r);
  if (status) return status;
  if (!r->output) return cli_wrong("name the file to write: --output FILE");
  if ((status = cli_save_check(r->output))) return status;
  if (r->layers && (status = cli_layers_parse(r))) return status;
  if (!r->model && !r->n_layer)
    return cli_wrong("say what is trained: --layers LIST, a recipe with layers, or --model FILE");
  if (r->model && r->n_layer) return cli_wrong("a model is trained or layers are, not both");
  if (r->keep_zeros && !r->model) return cli_wrong("--keep-zeros keeps those of a model: --model FILE");
  return 0;
}

static int train(cli_recipe *r, whet_set *set, whet_model *m, bool json) {
  cli_fitted made;
  whet_err err = {0};
  if (cli_save_could(m, r->output, &err)) return cli_fail_err(r->output, &err);
  if (r->model) cli_feed_doubt(r->model, m, set, r->range, r->mean, r->std);
  int status = cli_fit(r, set, m, NULL, json, &made);
  if (!status && cli_save(made.model, r->output, false, &err)) status = cli_fail_err(NULL, &err);
  if (!status && json)
    status = cli_json(
        json_pack("{s:s, s:I, s:o}", "output", r->output, "weights", (json_int_t)made.weights, "epochs", made.epochs),
        9);
  else if (!status)
    printf("%s\n", cli_clean(r->output));
  whet_model_close(&made.model);
  return status;
}

int cli_train(int argc, char **argv) {
  cli_recipe r = cli_fit_default;
  cli_use use = k_use;
  use.tables[0] = (cli_table){"data", cli_fit_data, &r};
  use.tables[1] = (cli_table){"net", k_net, &r};
  use.tables[2] = (cli_table){"learning", cli_fit_learn, &r};
  use.tables[3] = (cli_table){"augmentation", cli_fit_augment, &r};
  use.tables[4] = (cli_table){"teacher", cli_fit_teach, &r};
  use.tables[5] = (cli_table){"files", cli_fit_files, &r};
  bool json;
  char **arg, **again = cli_keep((size_t)(argc + 1) * sizeof *again);
  int n_arg, status;
  memcpy(again, argv, (size_t)argc * sizeof *again);
  if (!cli_parse(&use, &json, argc, argv, &arg, &n_arg, &status)) return status;
  if (n_arg) { /* the recipe first, then the options over it */
    r = cli_fit_default;
    if ((status = cli_recipe_read(arg[0], &r))) return status;
    if (!cli_parse(&use, &json, argc, again, &arg, &n_arg, &status)) return status;
  }
  if ((status = check(&r))) return status;
  whet_set *set;
  whet_model *m = NULL;
  whet_err err = {0};
  if ((status = cli_fit_open(&r, &set))) return status;
  status = start_model(&r, set, &m, &err) ? cli_fail_err(r.model, &err) : train(&r, set, m, json);
  whet_model_close(&m);
  whet__set_close(&set);
  return status;
}
