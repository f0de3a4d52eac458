/* SPDX-License-Identifier: Apache-2.0 */
/* Recipes of training. */

#include "recipe.h"

#include <string.h>

#include "out.h"

int cli_layers_parse(cli_recipe *r) {
  whet_arena a;
  whet_err err = {0};
  whet_layer *list;
  whet__arena_init(&a, cli_mem());
  bool bad = whet__layers_read(r->layers, &a, &r->rank, r->dims, &list, &r->n_layer, &err) != WHET_OK;
  whet_layer *kept = bad ? NULL : cli_keep((size_t)r->n_layer * sizeof *kept);
  for (int i = 0; !bad && i < r->n_layer; i++) {
    kept[i] = list[i];
    kept[i].where = cli_keep_str(list[i].where, strlen(list[i].where));
    if (list[i].activation) kept[i].activation = cli_keep_str(list[i].activation, strlen(list[i].activation));
  }
  whet__arena_free(&a);
  r->layer = kept;
  return bad ? cli_wrong("--layers: %s", cli_clean(err.text)) : 0;
}

#ifdef WHET_HAVE_CONF
#include "conf/conf.h"

enum { DEEPEST = 6 };

/* One entry of the list of layers: exactly one of the words that say its kind, then what belongs to it. */
struct entry {
  int64_t dense, conv, depthwise, max_pool, mean_pool, lstm, gru, stride, kernel;
  bool flatten, layer_norm, norm;
  const conf_node *residual;
  const char *activation;
};
#define AT(field) offsetof(struct entry, field)
static const conf_key k_entry[] = {{"dense", CONF_INT, AT(dense), NULL, 1, 1 << 20, false},
                                   {"conv", CONF_INT, AT(conv), NULL, 1, 1 << 16, false},
                                   {"depthwise", CONF_INT, AT(depthwise), NULL, 1, 31, false},
                                   {"max_pool", CONF_INT, AT(max_pool), NULL, 1, 1024, false},
                                   {"mean_pool", CONF_INT, AT(mean_pool), NULL, 0, 1024, false},
                                   {"lstm", CONF_INT, AT(lstm), NULL, 1, 1 << 14, false},
                                   {"gru", CONF_INT, AT(gru), NULL, 1, 1 << 14, false},
                                   {"flatten", CONF_BOOL, AT(flatten), NULL, 0, 0, false},
                                   {"layer_norm", CONF_BOOL, AT(layer_norm), NULL, 0, 0, false},
                                   {"residual", CONF_NODE, AT(residual), NULL, 0, 0, false},
                                   {"kernel", CONF_INT, AT(kernel), NULL, 1, 31, false},
                                   {"stride", CONF_INT, AT(stride), NULL, 1, 31, false},
                                   {"norm", CONF_BOOL, AT(norm), NULL, 0, 0, false},
                                   {"activation", CONF_STR, AT(activation), NULL, 0, 0, false},
                                   {0}};
#undef AT

static whet_status layers(conf_file *f, const conf_node *list, int depth, whet_layer **out, int *n, whet_err *err);

static whet_status layer(conf_file *f, const conf_node *node, int depth, whet_layer *l, whet_err *err) {
  struct entry e = {.mean_pool = -1};
  if (node->kind != CONF_MAP) return conf_fail(f, node, err, "a layer is a map, as {conv: 16, activation: relu}");
  WHET_TRY(conf_fill(f, node, "a layer", k_entry, &e, err));
  int kinds = (e.dense > 0) + (e.conv > 0) + (e.depthwise > 0) + (e.max_pool > 0) + (e.mean_pool >= 0) + (e.lstm > 0) + (e.gru > 0) +
              e.flatten + e.layer_norm + (e.residual != NULL);
  l->where = cli_keep_printf("%s:%d", f->name, node->line);
  l->activation = e.activation ? cli_keep_str(e.activation, strlen(e.activation)) : NULL;
  l->norm = e.norm;
  l->stride = e.stride;
  l->kernel[0] = l->kernel[1] = e.kernel ? e.kernel : 3;
  if (l->activation && !whet__layer_activation(l->activation))
    return conf_fail(f, conf_get(node, "activation"), err, "no activation is called \"%.40s\"; relu, relu6, sigmoid, tanh, softmax, gelu, swish, "
                     "hard_swish, elu and leaky_relu are", l->activation);
  if (!kinds && e.activation) {
    l->kind = WHET_LAYER_ACTIVATION;
    return WHET_OK;
  }
  if (kinds != 1)
    return conf_fail(f, node, err, "a layer is one of dense, conv, depthwise, max_pool, mean_pool, lstm, gru, flatten, layer_norm, residual or "
                     "activation; this is %s", kinds ? "several" : "none");
  if (e.dense) l->kind = WHET_LAYER_DENSE, l->units = e.dense;
  if (e.conv) l->kind = WHET_LAYER_CONV, l->units = e.conv;
  if (e.depthwise) l->kind = WHET_LAYER_DEPTHWISE, l->kernel[0] = l->kernel[1] = e.depthwise;
  if (e.max_pool) l->kind = WHET_LAYER_MAX_POOL, l->kernel[0] = l->kernel[1] = e.max_pool;
  if (e.mean_pool >= 0) l->kind = WHET_LAYER_MEAN_POOL, l->kernel[0] = l->kernel[1] = e.mean_pool;
  if (e.lstm) l->kind = WHET_LAYER_LSTM, l->units = e.lstm;
  if (e.gru) l->kind = WHET_LAYER_GRU, l->units = e.gru;
  if (e.flatten) l->kind = WHET_LAYER_FLATTEN;
  if (e.layer_norm) l->kind = WHET_LAYER_NORM;
  if (!e.residual) return WHET_OK;
  whet_layer *inner;
  l->kind = WHET_LAYER_RESIDUAL;
  WHET_TRY(layers(f, e.residual, depth + 1, &inner, &l->n_inner, err));
  l->inner = inner;
  return WHET_OK;
}

static whet_status layers(conf_file *f, const conf_node *list, int depth, whet_layer **out, int *n, whet_err *err) {
  if (list->kind != CONF_LIST || !list->n) return conf_fail(f, list, err, "expected a list of layers");
  if (depth > DEEPEST) return conf_fail(f, list, err, "blocks nested more than %d deep", DEEPEST);
  *out = cli_keep(list->n * sizeof **out);
  *n = (int)list->n;
  for (size_t i = 0; i < list->n; i++) WHET_TRY(layer(f, &list->item[i], depth, &(*out)[i], err));
  return WHET_OK;
}

#define AT(field) offsetof(cli_recipe, field)
static const conf_key k_augment[] = {{"shift", CONF_INT, AT(shift), NULL, 0, 1000, false},
                                     {"flip", CONF_BOOL, AT(flip), NULL, 0, 0, false},
                                     {"crop", CONF_REAL, AT(crop), NULL, 0, 1, false},
                                     {"mixup", CONF_REAL, AT(mixup), NULL, 0, 10, false},
                                     {"time_shift", CONF_INT, AT(time_shift), NULL, 0, 1e9, false},
                                     {"noise", CONF_REAL, AT(noise), NULL, 0, 1e6, false},
                                     {0}};

struct file {
  cli_recipe r;
  const conf_node *layers, *augment;
  conf_reals input;
};
#undef AT
#define AT(field) offsetof(struct file, field)
#define R(field) offsetof(struct file, r.field)
static const conf_key k_file[] = {{"data", CONF_STR, R(data), NULL, 0, 0, false},
                                  {"split", CONF_STR, R(split), NULL, 0, 0, false},
                                  {"labels", CONF_STR, R(labels), NULL, 0, 0, false},
                                  {"target", CONF_STR, R(target), NULL, 0, 0, false},
                                  {"range", CONF_STR, R(range), NULL, 0, 0, false},
                                  {"mean", CONF_STR, R(mean), NULL, 0, 0, false},
                                  {"std", CONF_STR, R(std), NULL, 0, 0, false},
                                  {"mel", CONF_STR, R(mel), NULL, 0, 0, false},
                                  {"sound_rate", CONF_INT, R(sound_rate), NULL, 1, 1e7, false},
                                  {"model", CONF_STR, R(model), NULL, 0, 0, false},
                                  {"output", CONF_STR, R(output), NULL, 0, 0, false},
                                  {"input", CONF_REALS, AT(input), NULL, 1, 1 << 24, false},
                                  {"layers", CONF_NODE, AT(layers), NULL, 0, 0, false},
                                  {"augment", CONF_NODE, AT(augment), NULL, 0, 0, false},
                                  {"loss", CONF_CHOICE, R(loss), "auto|cross-entropy|mse|kl", 0, 0, false},
                                  {"optimizer", CONF_CHOICE, R(optimizer), "sgd|adam|adamw", 0, 0, false},
                                  {"schedule", CONF_CHOICE, R(schedule), "constant|step|cosine", 0, 0, false},
                                  {"rate", CONF_REAL, R(rate), NULL, 0, 1000, false},
                                  {"momentum", CONF_REAL, R(momentum), NULL, 0, 1, false},
                                  {"beta2", CONF_REAL, R(beta2), NULL, 0, 1, false},
                                  {"decay", CONF_REAL, R(decay), NULL, 0, 1, false},
                                  {"step_factor", CONF_REAL, R(step_factor), NULL, 0, 1, false},
                                  {"step_epochs", CONF_INT, R(step_epochs), NULL, 1, 1e6, false},
                                  {"warmup", CONF_REAL, R(warmup), NULL, 0, 1e6, false},
                                  {"smoothing", CONF_REAL, R(smoothing), NULL, 0, 1, false},
                                  {"nesterov", CONF_BOOL, R(nesterov), NULL, 0, 0, false},
                                  {"epochs", CONF_INT, R(epochs), NULL, 1, 1e6, false},
                                  {"batch", CONF_INT, R(batch), NULL, 1, 1e6, false},
                                  {"keep_zeros", CONF_BOOL, R(keep_zeros), NULL, 0, 0, false},
                                  {"last", CONF_INT, R(last), NULL, 0, 1e6, false},
                                  {"seed", CONF_INT, R(seed), NULL, 0, 1e15, false},
                                  {"threads", CONF_INT, R(threads), NULL, 0, 1024, false},
                                  {"quantization_aware", CONF_CHOICE, R(rounded), "no|int8|int16x8|weights|int4", 0, 0, false},
                                  {"teacher", CONF_STR, R(teacher), NULL, 0, 0, false},
                                  {"temperature", CONF_REAL, R(temperature), NULL, 0.01, 1000, false},
                                  {"mix", CONF_REAL, R(mix), NULL, 0, 1, false},
                                  {"teacher_cache", CONF_STR, R(teacher_cache), NULL, 0, 0, false},
                                  {"match", CONF_STR, R(match), NULL, 0, 0, false},
                                  {"match_weight", CONF_REAL, R(match_weight), NULL, 0, 1e9, false},
                                  {"checkpoint", CONF_STR, R(checkpoint), NULL, 0, 0, false},
                                  {"checkpoint_steps", CONF_INT, R(checkpoint_steps), NULL, 1, 1e12, false},
                                  {"log", CONF_STR, R(log), NULL, 0, 0, false},
                                  {"chart", CONF_STR, R(chart), NULL, 0, 0, false},
                                  {0}};

static whet_status read_file(conf_file *f, struct file *x, whet_err *err) {
  whet_layer *l;
  WHET_TRY(conf_fill(f, &f->root, "a recipe", k_file, x, err));
  if (x->augment) {
    if (x->augment->kind != CONF_MAP) return conf_fail(f, x->augment, err, "augment is a map, as {shift: 4, flip: true}");
    WHET_TRY(conf_fill(f, x->augment, "augment", k_augment, &x->r, err));
  }
  if (x->input.n > 3) return conf_fail(f, conf_get(&f->root, "input"), err, "an input of %zu dimensions; 1 to 3 are taken", x->input.n);
  if (x->input.n) x->r.rank = (int32_t)x->input.n;
  for (size_t i = 0; i < x->input.n; i++) x->r.dims[i] = (int64_t)x->input.v[i];
  if (!x->layers) return WHET_OK;
  WHET_TRY(layers(f, x->layers, 0, &l, &x->r.n_layer, err));
  x->r.layer = l;
  return WHET_OK;
}

/* Paths and other texts that are read from the file live until the process ends. */
int cli_recipe_read(const char *path, cli_recipe *r) {
  conf_file *f = cli_keep(sizeof *f);
  struct file x = {.r = *r};
  whet_err err = {0};
  whet_status s = conf_open(path, cli_mem(), f, &err);
  if (!s) s = read_file(f, &x, &err);
  if (s) return cli_fail_err(NULL, &err);
  *r = x.r;
  return 0;
}
#else
int cli_recipe_read(const char *path, cli_recipe *r) {
  return cli_fail("%.200s: this build reads no recipes: it has no libyaml (Debian: libyaml-dev); options say the same", path);
}
#endif
