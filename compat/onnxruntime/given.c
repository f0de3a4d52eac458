/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller gives in place of a model's own: values of initialisers, files of external data. Options keep a
 * reference to each value, and so do the sessions that are made with them. */

#include "shim.h"

/* Room for one more of n elements in a list; false when memory is refused. */
static bool more(void *list, size_t n, size_t each) {
  void *p = realloc(*(void **)list, (n + 1) * each);
  if (p) *(void **)list = p;
  return p != NULL;
}

/* Append a value under a name. */
static OrtStatus *add(given *g, const char *name, whet_value *v, bool external) {
  for (size_t i = 0; i < g->n_init; i++)
    if (!strcmp(g->init[i].name, name))
      return fail(ORT_INVALID_ARGUMENT, "An OrtValue for this name has already been added: %s", name);
  char *copy = strdup(name);
  if (!copy || !more(&g->init, g->n_init, sizeof *g->init)) {
    free(copy);
    return no_memory();
  }
  g->init[g->n_init++] = (struct given_init){copy, whet_value_ref(v), external};
  return NULL;
}

/* The same after the checks of what callers give. */
static OrtStatus *add_checked(given *g, const char *name, const OrtValue *x, bool external) {
  if (!name) return fail(ORT_INVALID_ARGUMENT, "Received nullptr for name");
  if (!x) return fail(ORT_INVALID_ARGUMENT, "Received nullptr for OrtValue");
  if (whet_value_kind(x->v) != WHET_TENSOR)
    return fail(ORT_INVALID_ARGUMENT, "Received OrtValue is not a tensor. Only tensors are supported.");
  return add(g, name, x->v, external);
}

/* Append a file: its bytes are the caller's until the session is made. */
static OrtStatus *add_file(given *g, const char *name, const void *p, size_t n) {
  for (size_t i = 0; i < g->n_file; i++)
    if (!strcmp(g->file[i].name, name))
      return fail(ORT_INVALID_ARGUMENT, "An entry for this name has already been added: %s", name);
  char *copy = strdup(name);
  if (!copy || !more(&g->file, g->n_file, sizeof *g->file)) {
    free(copy);
    return no_memory();
  }
  g->file[g->n_file++] = (whet_data_file){copy, p, n};
  return NULL;
}

OrtStatus *given_copy(given *to, const given *from) {
  for (size_t i = 0; i < from->n_init; i++) TRY(add(to, from->init[i].name, from->init[i].v, from->init[i].external));
  for (size_t i = 0; i < from->n_file; i++)
    TRY(add_file(to, from->file[i].name, from->file[i].bytes, from->file[i].n));
  return NULL;
}

void given_free(given *g) {
  for (size_t i = 0; i < g->n_init; i++) {
    free(g->init[i].name);
    whet_value_unref(&g->init[i].v);
  }
  for (size_t i = 0; i < g->n_file; i++) free((char *)g->file[i].name);
  free(g->init);
  free(g->file);
  *g = (given){0};
}

OrtStatus *given_opts(const given *g, whet_model_opts *o, whet_initializer **list) {
  *list = NULL;
  o->data_files = g->file;
  o->n_data_files = g->n_file;
  if (!g->n_init) return NULL;
  *list = calloc(g->n_init, sizeof **list);
  if (!*list) return no_memory();
  for (size_t i = 0; i < g->n_init; i++) {
    whet_value *v = g->init[i].v;
    (*list)[i] = (whet_initializer){g->init[i].name,    whet_value_dtype(v),      whet_value_rank(v),
                                    whet_value_dims(v), whet_value_const_data(v), g->init[i].external};
  }
  o->initializers = *list;
  o->n_initializers = g->n_init;
  return NULL;
}

OrtStatus *API(AddInitializer)(OrtSessionOptions *o, const char *name, const OrtValue *x) {
  NEED(o);
  return add_checked(&o->given, name, x, false);
}
OrtStatus *API(AddExternalInitializers)(OrtSessionOptions *o, const char *const *names, const OrtValue *const *x,
                                        size_t n) {
  NEED(o);
  if (n) NEED(names);
  if (n) NEED(x);
  for (size_t i = 0; i < n; i++) TRY(add_checked(&o->given, names[i], x[i], true));
  return NULL;
}
OrtStatus *API(AddExternalInitializersFromFilesInMemory)(OrtSessionOptions *o, const char *const *names,
                                                         char *const *bytes, const size_t *sizes, size_t n) {
  NEED(o);
  if (n) NEED(names);
  if (n) NEED(bytes);
  if (n) NEED(sizes);
  for (size_t i = 0; i < n; i++) {
    NEED(names[i]);
    if (sizes[i]) NEED(bytes[i]);
    TRY(add_file(&o->given, names[i], bytes[i], sizes[i]));
  }
  return NULL;
}
