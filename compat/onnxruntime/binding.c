/* SPDX-License-Identifier: Apache-2.0 */
/* IoBinding: inputs and outputs that stay from run to run. */

#include "shim.h"

/* What is bound: a value for a name; none for an output that every run makes anew. */
typedef struct bound {
  char **name;
  OrtValue **value; /* a reference of the binding's own, in an OrtValue of its own */
  bool *made;       /* of outputs: by a run, to be made anew by the next */
  size_t n;
} bound;

struct OrtIoBinding {
  OrtSession *session;
  bound in, out;
};

OrtStatus *API(CreateIoBinding)(OrtSession *s, OrtIoBinding **out) {
  NEED(s);
  NEED(out);
  OrtIoBinding *b = calloc(1, sizeof *b);
  if (!b) return no_memory();
  b->session = s;
  *out = b;
  return NULL;
}

static void clear(bound *b) {
  for (size_t i = 0; i < b->n; i++) free(b->name[i]), API(ReleaseValue)(b->value[i]);
  free(b->name);
  free(b->value);
  free(b->made);
  *b = (bound){0};
}
void API(ClearBoundInputs)(OrtIoBinding *b) {
  if (b) clear(&b->in);
}
void API(ClearBoundOutputs)(OrtIoBinding *b) {
  if (b) clear(&b->out);
}
void API(ReleaseIoBinding)(OrtIoBinding *b) {
  if (!b) return;
  clear(&b->in);
  clear(&b->out);
  free(b);
}

/* A second handle of a value; NULL of NULL. */
static OrtStatus *share(const OrtValue *x, OrtValue **out) {
  *out = NULL;
  if (!x) return NULL;
  TRY(value_own(whet_value_ref(x->v), out));
  (*out)->sparse = sparse_ref(x->sparse);
  return NULL;
}

/* Bind x (may be NULL) to a name. */
static OrtStatus *bind(bound *b, const char *name, const OrtValue *x) {
  OrtValue *v;
  size_t i = 0;
  TRY(share(x, &v));
  while (i < b->n && strcmp(b->name[i], name) != 0) i++;
  if (i < b->n) {
    API(ReleaseValue)(b->value[i]);
  } else {
    char **names = realloc(b->name, (i + 1) * sizeof *names);
    if (names) b->name = names;
    OrtValue **values = names ? realloc(b->value, (i + 1) * sizeof *values) : NULL;
    if (values) b->value = values;
    bool *made = values ? realloc(b->made, (i + 1) * sizeof *made) : NULL;
    if (made) b->made = made;
    if (!made || !(b->name[i] = strdup(name))) {
      API(ReleaseValue)(v);
      return no_memory();
    }
    b->n++;
  }
  b->value[i] = v;
  b->made[i] = !x;
  return NULL;
}

/* Whether the session has that name in a list. */
static bool has(const port *p, size_t n, const char *name) { return port_find(p, n, name, n) < n; }

OrtStatus *API(BindInput)(OrtIoBinding *b, const char *name, const OrtValue *x) {
  NEED(b);
  NEED(name);
  NEED(x);
  const OrtSession *s = b->session;
  if (!has(s->in, s->n_in, name) && !has(s->over, s->n_over, name))
    return fail(ORT_FAIL, "Failed to find input name in the mapping: %s", name);
  return bind(&b->in, name, x);
}
OrtStatus *API(BindOutput)(OrtIoBinding *b, const char *name, const OrtValue *x) {
  NEED(b);
  NEED(name);
  NEED(x);
  if (!has(b->session->out, b->session->n_out, name))
    return fail(ORT_INVALID_ARGUMENT, "Failed to find output name in the mapping: %s", name);
  return bind(&b->out, name, x);
}
OrtStatus *API(BindOutputToDevice)(OrtIoBinding *b, const char *name, const OrtMemoryInfo *m) {
  NEED(b);
  NEED(name);
  NEED(m);
  if (m->device != OrtMemoryInfoDeviceType_CPU)
    return fail(ORT_INVALID_ARGUMENT, "output \"%s\" bound to memory of \"%s\": whet runs on the CPU", name, m->name);
  if (!has(b->session->out, b->session->n_out, name))
    return fail(ORT_INVALID_ARGUMENT, "Failed to find output name in the mapping: %s", name);
  return bind(&b->out, name, NULL);
}
/* Nothing runs elsewhere: there is nothing to wait for. */
OrtStatus *API(SynchronizeBoundInputs)(OrtIoBinding *b) {
  NEED(b);
  return NULL;
}
OrtStatus *API(SynchronizeBoundOutputs)(OrtIoBinding *b) {
  NEED(b);
  return NULL;
}

OrtStatus *API(RunWithBinding)(OrtSession *s, const OrtRunOptions *o, const OrtIoBinding *b) {
  NEED(s);
  NEED(b);
  if (s != b->session) return fail(ORT_INVALID_ARGUMENT, "the binding is of another session");
  bound *out = (bound *)&b->out;
  for (size_t i = 0; i < out->n; i++) {
    if (!out->made[i] || !out->value[i]) continue;
    API(ReleaseValue)(out->value[i]);
    out->value[i] = NULL;
  }
  if (!out->n) return fail(ORT_INVALID_ARGUMENT, "RunWithBinding: no output is bound");
  return session_run(s, o, (const char *const *)b->in.name, (const OrtValue *const *)b->in.value, b->in.n,
                     (const char *const *)out->name, out->n, out->value);
}

OrtStatus *API(GetBoundOutputNames)(const OrtIoBinding *b, OrtAllocator *a, char **buffer, size_t **lengths,
                                    size_t *n) {
  NEED(b);
  NEED(a);
  NEED(buffer);
  NEED(lengths);
  NEED(n);
  *buffer = NULL;
  *lengths = NULL;
  *n = 0;
  if (!b->out.n) return NULL;
  size_t all = 0;
  for (size_t i = 0; i < b->out.n; i++) all += strlen(b->out.name[i]);
  char *text = a->Alloc(a, all + 1);
  size_t *length = a->Alloc(a, b->out.n * sizeof *length);
  if (!text || !length) {
    if (text) a->Free(a, text);
    if (length) a->Free(a, length);
    return no_memory();
  }
  for (size_t i = 0, at = 0; i < b->out.n; at += length[i++]) {
    length[i] = strlen(b->out.name[i]);
    memcpy(text + at, b->out.name[i], length[i]);
  }
  text[all] = 0;
  *buffer = text;
  *lengths = length;
  *n = b->out.n;
  return NULL;
}
OrtStatus *API(GetBoundOutputValues)(const OrtIoBinding *b, OrtAllocator *a, OrtValue ***values, size_t *n) {
  NEED(b);
  NEED(a);
  NEED(values);
  NEED(n);
  *values = NULL;
  *n = 0;
  if (!b->out.n) return NULL;
  OrtValue **list = a->Alloc(a, b->out.n * sizeof *list);
  if (!list) return no_memory();
  for (size_t i = 0; i < b->out.n; i++) {
    OrtStatus *st = share(b->out.value[i], &list[i]);
    if (!st) continue;
    while (i) API(ReleaseValue)(list[--i]);
    a->Free(a, list);
    return st;
  }
  *values = list;
  *n = b->out.n;
  return NULL;
}
