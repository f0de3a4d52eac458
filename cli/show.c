/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text and as JSON. */

#include "show.h"

#include <math.h>
#include <stdlib.h>

#include "base/dtype.h"
#include "base/file.h"
#include "cmd.h"

enum { SMALL = 16, FIRST = 8, BAR = 24 };

whet_status cli_labels_read(const char *path, cli_labels *out, whet_err *err) {
  whet_file f;
  *out = (cli_labels){0};
  WHET_TRY(whet__file_open(path, false, cli_mem(), &f, err));
  size_t lines = 1;
  for (size_t i = 0; i < f.n; i++) lines += f.p[i] == '\n';
  out->v = cli_keep(lines * sizeof *out->v);
  for (size_t at = 0; at < f.n;) {
    const uint8_t *end = memchr(f.p + at, '\n', f.n - at);
    size_t n = end ? (size_t)(end - f.p) - at : f.n - at, len = n;
    if (len && f.p[at + len - 1] == '\r') len--;
    out->v[out->n++] = cli_clean(cli_keep_str((const char *)f.p + at, len));
    at += n + 1;
  }
  whet__file_close(&f);
  return WHET_OK;
}

/* Element i as a real number, through the quantisation of `q` if it is one scale. */
static double real(const whet_value *v, const whet_quant_info *q, size_t i) {
  double x = whet__get_f64(whet_value_dtype(v), whet_value_const_data(v), (int64_t)i);
  if (!q || q->n != 1 || !whet__is_int(whet_value_dtype(v))) return x;
  return (x - (q->zero ? q->zero[0] : 0)) * q->scale[0];
}

const char *cli_element(const whet_value *v, size_t i) {
  const void *p = whet_value_const_data(v);
  whet_dtype t = whet_value_dtype(v);
  if (t == WHET_STRING) {
    const whet_str *s = (const whet_str *)p + i;
    return cli_clean(cli_keep_printf("\"%.*s\"", (int)(s->n < 200 ? s->n : 200), s->n ? s->p : ""));
  }
  if (t == WHET_BOOL) return ((const uint8_t *)p)[i] ? "true" : "false";
  if (t == WHET_C64)
    return cli_keep_printf("%.6g%+.6gi", (double)((const float *)p)[2 * i], (double)((const float *)p)[2 * i + 1]);
  if (t == WHET_C128)
    return cli_keep_printf("%.9g%+.9gi", ((const double *)p)[2 * i], ((const double *)p)[2 * i + 1]);
  if (t == WHET_U64) return cli_keep_printf("%llu", (unsigned long long)((const uint64_t *)p)[i]);
  if (whet__is_int(t)) return cli_keep_printf("%lld", (long long)whet__get_i64(t, p, (int64_t)i));
  return cli_keep_printf("%.6g", whet__get_f64(t, p, (int64_t)i));
}

const char *cli_index(const whet_value *v, size_t i) {
  int64_t at[WHET_MAX_RANK];
  for (int32_t d = whet_value_rank(v) - 1; d >= 0; d--) {
    size_t n = (size_t)whet_value_dims(v)[d];
    at[d] = (int64_t)(i % n);
    i /= n;
  }
  return cli_dims(whet_value_rank(v), at, NULL);
}

bool cli_show_scores(const whet_value *v, const cli_labels *labels) {
  if (whet_value_kind(v) != WHET_TENSOR || whet_value_dtype(v) == WHET_STRING ||
      whet__is_complex(whet_value_dtype(v)))
    return false;
  size_t n = whet_value_count(v);
  if (labels && labels->n) return n == labels->n;
  int wide = 0;
  for (int32_t d = 0; d < whet_value_rank(v); d++) wide += whet_value_dims(v)[d] != 1;
  return wide == 1 && n > 1;
}

/* What sorts scores: the score, and where it stands. */
struct score {
  double v;
  size_t at;
};

/* Greatest first, NaN last, equal ones in their order. */
static int compare(const void *a, const void *b) {
  const struct score *x = a, *y = b;
  bool nx = isnan(x->v), ny = isnan(y->v);
  if (nx != ny) return nx ? 1 : -1;
  if (!nx && x->v != y->v) return x->v < y->v ? 1 : -1;
  return x->at < y->at ? -1 : 1;
}

/* All scores, greatest first; *n of them. */
static struct score *sorted(const cli_shown *s, size_t *n) {
  *n = whet_value_count(s->value);
  struct score *v = cli_keep(*n * sizeof *v);
  for (size_t i = 0; i < *n; i++) v[i] = (struct score){real(s->value, &s->info.quant, i), i};
  qsort(v, *n, sizeof *v, compare);
  return v;
}

/* The greatest scores as bars: of the whole for probabilities, else from the least to the greatest of all. */
static void show_top(const cli_shown *s, int64_t top, const cli_labels *labels) {
  size_t n;
  struct score *v = sorted(s, &n);
  double sum = 0, low = 0, high = v[0].v;
  for (size_t i = 0; i < n; i++) {
    sum += v[i].v;
    if (v[i].v < low) low = v[i].v;
  }
  bool share = low >= 0 && sum > 0.98 && sum < 1.02;
  if (share) low = 0, high = 1;
  for (size_t i = 0; i < n && i < (size_t)top; i++) {
    double part = high > low ? (v[i].v - low) / (high - low) : 0;
    printf("  %10.*f  %s  ", share ? 4 : 3, v[i].v, cli_bar(part, BAR));
    if (labels && labels->n)
      printf("%s%s%s %s(%zu)%s\n", cli_bold(), labels->v[v[i].at], cli_plain(), cli_dim(), v[i].at, cli_plain());
    else
      printf("%zu\n", v[i].at);
  }
}

/* All of a small tensor, or the first numbers and the range of a large one. */
static void show_numbers(const cli_shown *s) {
  const whet_value *v = s->value;
  size_t n = whet_value_count(v), shown = n <= SMALL ? n : FIRST;
  whet_dtype t = whet_value_dtype(v);
  printf(" ");
  for (size_t i = 0; i < shown; i++) printf(" %s", cli_element(v, i));
  printf(n > shown ? " ...\n" : "\n");
  if (n <= shown || t == WHET_STRING || whet__is_complex(t)) return;
  size_t least = 0, most = 0, nan = 0;
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    double x = whet__get_f64(t, whet_value_const_data(v), (int64_t)i);
    if (isnan(x)) {
      nan++;
      continue;
    }
    sum += x;
    if (isnan(whet__get_f64(t, whet_value_const_data(v), (int64_t)least)) ||
        x < whet__get_f64(t, whet_value_const_data(v), (int64_t)least))
      least = i;
    if (isnan(whet__get_f64(t, whet_value_const_data(v), (int64_t)most)) ||
        x > whet__get_f64(t, whet_value_const_data(v), (int64_t)most))
      most = i;
  }
  if (nan == n) {
    printf("  %sall of them NaN%s\n", cli_dim(), cli_plain());
    return;
  }
  printf("  %smin %s at %s, ", cli_dim(), cli_element(v, least), cli_index(v, least));
  printf("max %s at %s, mean %.6g", cli_element(v, most), cli_index(v, most), sum / (double)(n - nan));
  if (nan) printf(", %s NaN", cli_count((int64_t)nan));
  printf("%s\n", cli_plain());
}

/* A value of any kind, `indent` steps in. */
static void show_value(const cli_shown *s, int indent) {
  const whet_value *v = s->value;
  if (whet_value_kind(v) == WHET_TENSOR) {
    show_numbers(s);
    return;
  }
  size_t n = whet_value_items(v);
  if (!n) printf("%*s%s\n", indent * 2 + 2, "", whet_value_kind(v) == WHET_OPTIONAL ? "nothing" : "empty");
  for (size_t i = 0; i < n && i < FIRST; i++) {
    cli_shown item = {.value = whet_value_item(v, i)};
    bool tensor = whet_value_kind(item.value) == WHET_TENSOR;
    static const char *part[] = {"keys", "values"};
    printf("%*s", indent * 2 + 2, "");
    if (whet_value_kind(v) == WHET_MAP)
      printf("%s", part[i & 1]);
    else
      printf("[%zu]", i);
    if (tensor)
      printf(" %s %s", whet_dtype_name(whet_value_dtype(item.value)),
             cli_dims(whet_value_rank(item.value), whet_value_dims(item.value), NULL));
    printf("\n%*s", indent * 2, "");
    show_value(&item, indent + 1);
  }
  if (n > FIRST) printf("%*s... %zu in all\n", indent * 2 + 2, "", n);
}

void cli_show(const cli_shown *s, int64_t top, const cli_labels *labels) {
  const whet_value *v = s->value;
  static const char *kind[] = {"", "sequence of ", "map of ", "optional "};
  printf("%s%s%s  ", cli_bold(), cli_clean(s->info.name), cli_plain());
  if (whet_value_kind(v) == WHET_TENSOR)
    printf("%s %s", whet_dtype_name(whet_value_dtype(v)), cli_dims(whet_value_rank(v), whet_value_dims(v), NULL));
  else
    printf("%s%zu", kind[whet_value_kind(v) & 3], whet_value_items(v));
  if (s->info.quant.n == 1)
    printf("%s, scale %g, zero %d%s", cli_dim(), (double)s->info.quant.scale[0],
           s->info.quant.zero ? s->info.quant.zero[0] : 0, cli_plain());
  if (s->file) printf("  %s-> %s%s", cli_dim(), cli_clean(s->file), cli_plain());
  putchar('\n');
  if (whet_value_kind(v) == WHET_TENSOR && !whet_value_count(v))
    printf("  no elements\n");
  else if (top > 0 && cli_show_scores(v, labels))
    show_top(s, top, labels);
  else
    show_value(s, 0);
}

/* Element i as JSON. */
static json_t *element_json(const whet_value *v, size_t i) {
  const void *p = whet_value_const_data(v);
  whet_dtype t = whet_value_dtype(v);
  if (t == WHET_STRING) {
    const whet_str *s = (const whet_str *)p + i;
    json_t *j = json_stringn(s->n ? s->p : "", s->n);
    return j ? j : cli_json_text(cli_keep_str(s->p, s->n));
  }
  if (t == WHET_BOOL) return json_boolean(((const uint8_t *)p)[i]);
  if (t == WHET_C64)
    return json_pack("[oo]", cli_json_real(((const float *)p)[2 * i]), cli_json_real(((const float *)p)[2 * i + 1]));
  if (t == WHET_C128)
    return json_pack("[oo]", cli_json_real(((const double *)p)[2 * i]),
                     cli_json_real(((const double *)p)[2 * i + 1]));
  if (whet__is_int(t)) return json_integer(whet__get_i64(t, p, (int64_t)i));
  return cli_json_real(whet__get_f64(t, p, (int64_t)i));
}

/* Dimensions from d on as nested arrays; *at counts elements. */
static json_t *nested(const whet_value *v, int32_t d, size_t *at) {
  if (d == whet_value_rank(v)) return element_json(v, (*at)++);
  json_t *a = json_array();
  for (int64_t i = 0; i < whet_value_dims(v)[d]; i++) json_array_append_new(a, nested(v, d + 1, at));
  return a;
}

static json_t *contents(const whet_value *v);

/* A map as an object: keys as text, whatever they are. */
static json_t *map_contents(const whet_value *v) {
  const whet_value *keys = whet_value_item(v, 0), *values = whet_value_item(v, 1);
  json_t *o = json_object();
  for (size_t i = 0; i < whet_value_count(keys); i++) {
    const char *key;
    if (whet_value_dtype(keys) == WHET_STRING) {
      whet_str s = ((const whet_str *)whet_value_const_data(keys))[i];
      key = cli_clean(cli_keep_str(s.n ? s.p : "", s.n));
    } else {
      key = cli_element(keys, i);
    }
    json_object_set_new(o, key, whet_value_kind(values) == WHET_TENSOR ? element_json(values, i) : contents(whet_value_item(values, i)));
  }
  return o;
}

/* Contents of any kind of value. */
static json_t *contents(const whet_value *v) {
  size_t at = 0;
  if (whet_value_kind(v) == WHET_TENSOR) return nested(v, 0, &at);
  if (whet_value_kind(v) == WHET_OPTIONAL) return whet_value_items(v) ? contents(whet_value_item(v, 0)) : json_null();
  if (whet_value_kind(v) == WHET_MAP) return map_contents(v);
  json_t *a = json_array();
  for (size_t i = 0; i < whet_value_items(v); i++) json_array_append_new(a, contents(whet_value_item(v, i)));
  return a;
}

json_t *cli_show_json(const cli_shown *s, int64_t top, const cli_labels *labels) {
  const whet_value *v = s->value;
  static const char *kind[] = {"tensor", "sequence", "map", "optional"};
  json_t *j = json_object();
  json_object_set_new(j, "name", cli_json_text(s->info.name));
  json_object_set_new(j, "kind", json_string(kind[whet_value_kind(v) & 3]));
  if (whet_value_kind(v) == WHET_TENSOR) {
    json_object_set_new(j, "dtype", json_string(whet_dtype_name(whet_value_dtype(v))));
    json_object_set_new(j, "shape", cli_json_dims(whet_value_rank(v), whet_value_dims(v)));
  }
  if (s->info.quant.n == 1) {
    json_object_set_new(j, "scale", cli_json_real((double)s->info.quant.scale[0]));
    json_object_set_new(j, "zero_point", json_integer(s->info.quant.zero ? s->info.quant.zero[0] : 0));
  }
  if (top > 0 && whet_value_count(v) && cli_show_scores(v, labels)) {
    size_t n;
    struct score *v2 = sorted(s, &n);
    json_t *list = json_array();
    for (size_t i = 0; i < n && i < (size_t)top; i++) {
      json_t *one = json_object();
      json_object_set_new(one, "index", json_integer((json_int_t)v2[i].at));
      if (labels && labels->n) json_object_set_new(one, "label", cli_json_text(labels->v[v2[i].at]));
      json_object_set_new(one, "score", cli_json_real(v2[i].v));
      json_array_append_new(list, one);
    }
    json_object_set_new(j, "top", list);
  }
  if (s->file)
    json_object_set_new(j, "file", cli_json_text(s->file));
  else
    json_object_set_new(j, "values", contents(v));
  return j;
}
