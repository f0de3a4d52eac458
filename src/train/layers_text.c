/* SPDX-License-Identifier: Apache-2.0 */
/* Layers in one line: "784,128:relu,10:softmax" or "28x28x1,conv16,pool2,64:relu,10:softmax". */

#include <stdlib.h>

#include "train/layers.h"

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

/* One part of the list. */
static whet_status part(whet_arena *a, char *s, bool first, int32_t *rank, int64_t *size, whet_layer *l, whet_err *err) {
  const char *whole = whet__arena_str(a, s, strlen(s));
  if (!whole) return whet__fail(err, WHET_E_MEMORY, "out of memory: layers");
  if (first)
    return dims(s, rank, size) ? WHET_OK
                               : whet__fail(err, WHET_E_DATA, "layers begin with the shape of an item, 784 or 28x28x1; \"%.60s\" is none", whole);
  l->where = whet__arena_printf(a, "layer \"%s\"", whole);
  if (!l->where) return whet__fail(err, WHET_E_MEMORY, "out of memory: layers");
  if (layer(s, l)) return WHET_OK;
  return whet__fail(err, WHET_E_DATA,
                    "\"%.60s\" is no layer; 128:relu, conv16:relu, depthwise, pool2, mean, lstm64, gru64, norm and flatten are, and "
                    "relu, relu6, sigmoid, tanh, softmax, gelu, swish, hard_swish, elu and leaky_relu may follow a colon",
                    whole);
}

whet_status whet__layers_read(const char *text, whet_arena *a, int32_t *rank, int64_t size[WHET_MAX_RANK], whet_layer **out, int *n,
                              whet_err *err) {
  char *copy = whet__arena_str(a, text, strlen(text)), *save = NULL;
  whet_layer *list = whet__arena_array(a, MOST, sizeof *list);
  bool first = true;
  if (!copy || !list) return whet__fail(err, WHET_E_MEMORY, "out of memory: layers");
  *n = 0;
  for (char *s = strtok_r(copy, ",", &save); s; s = strtok_r(NULL, ",", &save), first = false) {
    if (*n == MOST) return whet__fail(err, WHET_E_LIMIT, "more than %d layers", MOST);
    WHET_TRY(part(a, s, first, rank, size, &list[*n], err));
    *n += !first;
  }
  if (!*n) return whet__fail(err, WHET_E_DATA, "no layers after the shape of an item");
  *out = list;
  return WHET_OK;
}

whet_status whet_model_layers(const char *text, uint64_t seed, whet_model **out, whet_err *err) {
  whet_err mine = {0};
  if (!err) err = &mine;
  *err = (whet_err){0};
  if (out) *out = NULL;
  if (!text || !out) return whet__fail(err, WHET_E_MISUSE, "whet_model_layers: layers and out must be given");
  whet_mem mem;
  whet_arena a;
  whet__mem_init(&mem, NULL, NULL, 0);
  whet__arena_init(&a, &mem);
  int32_t rank = 0;
  int64_t size[WHET_MAX_RANK];
  whet_layer *list;
  int n;
  whet_status s = whet__layers_read(text, &a, &rank, size, &list, &n, err);
  if (!s) s = whet__layers_build(list, n, rank, size, seed, out, err);
  whet__arena_free(&a);
  return s;
}
