/* SPDX-License-Identifier: Apache-2.0 */
/* Initialisers that callers replace while running ("overridable": listed as inputs, too). As long as nobody does,
 * they are constants, and packed as such. A run that is given some opens the model once more with those as inputs,
 * and the session that comes of it serves every run that is given the same names. */

#include "shim.h"

typedef struct variant {
  struct variant *next;
  OrtSession *s;
  bool named[]; /* of the overridable initialisers */
} variant;

OrtStatus *variants_keep(OrtSession *s, const OrtEnv *env, const char *path, const void *bytes, size_t n,
                         bool lasting, const OrtSessionOptions *o, whet_packs *packs) {
  variants *v = &s->variants;
  v->env = env;
  v->packs = packs;
  v->n = n;
  v->bytes = bytes;
  if (path && !(v->path = strdup(path))) return no_memory();
  if (!path && !lasting) {
    v->own = malloc(n);
    if (!v->own) return no_memory();
    memcpy(v->own, bytes, n);
    v->bytes = v->own;
  }
  TRY(API(CloneSessionOptions)(o, &v->options));
  TRY(API(DisableProfiling)(v->options));
  free(v->options->optimized); /* the first session has written it */
  v->options->optimized = NULL;
  return NULL;
}

void variants_free(variants *v) {
  for (variant *x; (x = v->list);) {
    v->list = x->next;
    API(ReleaseSession)(x->s);
    free(x);
  }
  API(ReleaseSessionOptions)(v->options);
  free(v->path);
  free(v->own);
  pthread_mutex_destroy(&v->lock);
}

/* Open the model for a set of names. */
static OrtStatus *make(OrtSession *s, variant *x) {
  const variants *v = &s->variants;
  const char **inputs = malloc(s->n_over * sizeof *inputs);
  size_t n = 0;
  if (!inputs) return no_memory();
  for (size_t i = 0; i < s->n_over; i++)
    if (x->named[i]) inputs[n++] = s->over[i].info.name;
  OrtStatus *st = v->options->given.n_file
                      ? fail(ORT_NOT_IMPLEMENTED,
                             "initialiser \"%s\" is replaced, and the model's files of external data were the "
                             "caller's only until the session was made",
                             inputs[0])
                      : session_open(v->env, v->path, v->bytes, v->n, v->options, v->packs, inputs, n, &x->s);
  free(inputs);
  return st;
}

OrtStatus *variant_of(OrtSession *s, const char *const *name, size_t n, OrtSession **out) {
  variants *v = &s->variants;
  variant *want = NULL;
  for (size_t k = 0; k < n; k++) {
    NEED(name[k]);
    if (port_find(s->in, s->n_in, name[k], k) < s->n_in) continue;
    size_t i = port_find(s->over, s->n_over, name[k], 0);
    if (i == s->n_over) continue; /* the run says so */
    if (!want && !(want = calloc(1, sizeof *want + s->n_over))) return no_memory();
    want->named[i] = true;
  }
  if (!want) return NULL;
  OrtStatus *st = NULL;
  pthread_mutex_lock(&v->lock);
  variant *x = v->list;
  while (x && memcmp(x->named, want->named, s->n_over) != 0) x = x->next;
  if (!x && !(st = make(s, want))) {
    want->next = v->list;
    v->list = x = want;
  }
  pthread_mutex_unlock(&v->lock);
  if (x != want) free(want);
  if (x) *out = x->s;
  return st;
}
