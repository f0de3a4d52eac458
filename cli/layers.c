/* SPDX-License-Identifier: Apache-2.0 */
/* Layers in one line: "784,128:relu,10:softmax" or "28x28x1,conv16,pool2,64:relu,10:softmax". */

#include <stdio.h>
#include <stdlib.h>

#include "out.h"
#include "recipe.h"

enum { MOST = 200 };

/* "28x28x1" */
static bool dims(const char *s, int32_t *rank, int64_t *out) {
  char *end;
  for (*rank = 0; *rank < 3; s = end + 1) {
    out[*rank] = strtoll(s, &end, 10);
    if (end == s || out[*rank] < 1 || out[*rank] > 1 << 24) return false;
    ++*rank;
    if (!*end) return true;
    if (*end != 'x') return false;
  }
  return false;
}

/* One layer; false when it is none. */
static bool layer(char *s, whet_layer *l) {
  static const struct {
    const char *word;
    whet_layer_kind kind;
    bool number;
  } k[] = {{"conv", WHET_LAYER_CONV, true},    {"depthwise", WHET_LAYER_DEPTHWISE, false}, {"pool", WHET_LAYER_MAX_POOL, true},
           {"mean", WHET_LAYER_MEAN_POOL, false}, {"lstm", WHET_LAYER_LSTM, true},            {"gru", WHET_LAYER_GRU, true},
           {"flatten", WHET_LAYER_FLATTEN, false}, {"norm", WHET_LAYER_NORM, false}};
  char *colon = strchr(s, ':'), *end = s;
  if (colon) {
    *colon = 0;
    l->activation = colon + 1;
    if (!whet__layer_activation(l->activation)) return false;
  }
  l->kind = WHET_LAYER_DENSE;
  bool number = true;
  for (size_t i = 0; i < WHET_COUNT(k); i++) {
    size_t n = strlen(k[i].word);
    if (strncmp(s, k[i].word, n)) continue;
    l->kind = k[i].kind;
    number = k[i].number;
    s += n;
    break;
  }
  l->kernel[0] = l->kernel[1] = l->kind == WHET_LAYER_CONV || l->kind == WHET_LAYER_DEPTHWISE ? 3 : 0;
  if (!*s) return !number;
  int64_t units = strtoll(s, &end, 10);
  if (*end || end == s || units < 1 || units > 1 << 20) return false;
  if (l->kind == WHET_LAYER_MAX_POOL || l->kind == WHET_LAYER_MEAN_POOL)
    l->kernel[0] = l->kernel[1] = units;
  else
    l->units = units;
  return true;
}

int cli_layers_parse(cli_recipe *r) {
  char *text = cli_keep_str(r->layers, strlen(r->layers)), *save = NULL;
  whet_layer *list = cli_keep(MOST * sizeof *list);
  int n = 0;
  for (char *s = strtok_r(text, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
    const char *whole = cli_keep_str(s, strlen(s));
    if (!r->rank) {
      if (!dims(s, &r->rank, r->dims))
        return cli_wrong("--layers begins with the shape of an item, 784 or 28x28x1; \"%s\" is none", cli_clean(whole));
      continue;
    }
    if (n == MOST) return cli_wrong("--layers: more than %d layers", MOST);
    list[n].where = cli_keep_printf("--layers, \"%s\"", whole);
    if (!layer(s, &list[n++]))
      return cli_wrong("--layers: \"%s\" is no layer; 128:relu, conv16:relu, depthwise, pool2, mean, lstm64, gru64, norm and flatten are, and "
                       "relu, relu6, sigmoid, tanh, softmax, gelu, swish, hard_swish, elu and leaky_relu may follow a colon",
                       cli_clean(whole));
  }
  if (!n) return cli_wrong("--layers: no layers after the shape of an item");
  r->layer = list;
  r->n_layer = n;
  return 0;
}
