/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses, and texts by name. */

#include "shim.h"

struct OrtStatus {
  OrtErrorCode code;
  char text[];
};

/* What is answered when there is no memory for a status. */
static struct {
  OrtErrorCode code;
  char text[16];
} out_of_memory = {ORT_RUNTIME_EXCEPTION, "out of memory"};

OrtStatus *no_memory(void) { return (OrtStatus *)(void *)&out_of_memory; }

OrtStatus *API(CreateStatus)(OrtErrorCode code, const char *text) {
  size_t n = text ? strlen(text) : 0;
  OrtStatus *s = malloc(sizeof *s + n + 1);
  if (!s) return no_memory();
  s->code = code;
  if (n) memcpy(s->text, text, n);
  s->text[n] = 0;
  return s;
}

OrtStatus *fail(OrtErrorCode code, const char *format, ...) {
  char text[2300];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  return API(CreateStatus)(code, text);
}

OrtStatus *of_whet(whet_status s, const whet_err *err) {
  static const OrtErrorCode code[] = {
      [-WHET_E_MEMORY] = ORT_RUNTIME_EXCEPTION, [-WHET_E_LIMIT] = ORT_RUNTIME_EXCEPTION, [-WHET_E_IO] = ORT_NO_SUCHFILE,
      [-WHET_E_FORMAT] = ORT_INVALID_PROTOBUF,  [-WHET_E_UNSUPPORTED] = ORT_NOT_IMPLEMENTED,
      [-WHET_E_SHAPE] = ORT_INVALID_ARGUMENT,   [-WHET_E_TYPE] = ORT_INVALID_ARGUMENT,
      [-WHET_E_NAME] = ORT_INVALID_ARGUMENT,    [-WHET_E_DATA] = ORT_INVALID_ARGUMENT,
      [-WHET_E_MISUSE] = ORT_INVALID_ARGUMENT,  [-WHET_E_INTERNAL] = ORT_RUNTIME_EXCEPTION};
  if (!s) return NULL;
  if (s == WHET_E_CANCELLED) return fail(ORT_FAIL, "Exiting due to terminate flag being set to true.");
  size_t i = (size_t)-(int)s;
  OrtErrorCode c = i < sizeof code / sizeof *code && code[i] ? code[i] : ORT_FAIL;
  return API(CreateStatus)(c, err && err->code ? err->text : whet_status_text(s));
}

OrtErrorCode API(GetErrorCode)(const OrtStatus *s) { return s ? s->code : ORT_OK; }
const char *API(GetErrorMessage)(const OrtStatus *s) { return s ? s->text : ""; }
void API(ReleaseStatus)(OrtStatus *s) {
  if (s != no_memory()) free(s);
}

/* The place of a key, or n. */
static size_t find(const pairs *p, const char *key) {
  size_t i = 0;
  while (i < p->n && strcmp(p->key[i], key) != 0) i++;
  return i;
}

const char *pairs_get(const pairs *p, const char *key) {
  size_t i = find(p, key);
  return i < p->n ? p->value[i] : NULL;
}

OrtStatus *pairs_set(pairs *p, const char *key, const char *value) {
  size_t i = find(p, key);
  char *v = strdup(value);
  if (!v) return no_memory();
  if (i == p->n) {
    char **k = realloc(p->key, (p->n + 1) * sizeof *k);
    if (k) p->key = k;
    char **w = k ? realloc(p->value, (p->n + 1) * sizeof *w) : NULL;
    if (w) p->value = w;
    char *name = w ? strdup(key) : NULL;
    if (!name) {
      free(v);
      return no_memory();
    }
    p->key[p->n] = name;
    p->value[p->n++] = v;
    return NULL;
  }
  free(p->value[i]);
  p->value[i] = v;
  return NULL;
}

OrtStatus *pairs_copy(pairs *to, const pairs *from) {
  for (size_t i = 0; i < from->n; i++) TRY(pairs_set(to, from->key[i], from->value[i]));
  return NULL;
}

void pairs_free(pairs *p) {
  for (size_t i = 0; i < p->n; i++) free(p->key[i]), free(p->value[i]);
  free(p->key);
  free(p->value);
  *p = (pairs){0};
}

/* OrtKeyValuePairs: the same as an object of its own. */
void API(CreateKeyValuePairs)(OrtKeyValuePairs **out) {
  if (out) *out = calloc(1, sizeof **out);
}
void API(AddKeyValuePair)(OrtKeyValuePairs *p, const char *key, const char *value) {
  if (p && key && *key && value) API(ReleaseStatus)(pairs_set(&p->p, key, value));
}
const char *API(GetKeyValue)(const OrtKeyValuePairs *p, const char *key) {
  return p && key ? pairs_get(&p->p, key) : NULL;
}
void API(GetKeyValuePairs)(const OrtKeyValuePairs *p, const char *const **keys, const char *const **values, size_t *n) {
  if (keys) *keys = p ? (const char *const *)p->p.key : NULL;
  if (values) *values = p ? (const char *const *)p->p.value : NULL;
  if (n) *n = p ? p->p.n : 0;
}
void API(RemoveKeyValuePair)(OrtKeyValuePairs *p, const char *key) {
  size_t i = p && key ? find(&p->p, key) : 0;
  if (!p || !key || i == p->p.n) return;
  free(p->p.key[i]);
  free(p->p.value[i]);
  p->p.n--;
  memmove(p->p.key + i, p->p.key + i + 1, (p->p.n - i) * sizeof *p->p.key);
  memmove(p->p.value + i, p->p.value + i + 1, (p->p.n - i) * sizeof *p->p.value);
}
void API(ReleaseKeyValuePairs)(OrtKeyValuePairs *p) {
  if (!p) return;
  pairs_free(&p->p);
  free(p);
}
