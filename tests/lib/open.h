/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_LIB_OPEN_H
#define TESTS_LIB_OPEN_H

/* Opening models made in memory, for tests of the readers. */

#include <stdio.h>
#include <string.h>

#include "format/model.h"
#include "lib/build.h"
#include "lib/test.h"

/* Open a model from bytes that are freed by close_made; fails the test when it cannot be. */
static inline whet_model *open_made(buf *b, const whet_model_opts *o) {
  whet_model *m = NULL;
  whet_err err = {0};
  if (whet_model_open_memory(b->p, b->n, o, &m, &err)) fail_msg("%s: %s", whet_status_name(err.code), err.text);
  return m;
}
static inline void close_made(whet_model **m, buf *b) {
  whet_model_close(m);
  buf_free(b);
}

/* The model cannot be opened: with status s and a text that holds each of the words (NULL at the end). b is freed. */
static inline void open_fails(buf *b, const whet_model_opts *o, whet_status s, const char *const *words) {
  whet_model *m = NULL;
  whet_err err = {0};
  whet_status got = whet_model_open_memory(b->p, b->n, o, &m, &err);
  assert_null(m);
  if (got != s || err.code != s)
    fail_msg("expected %s, got %s: %s", whet_status_name(s), whet_status_name(got), err.text);
  for (; *words; words++)
    if (!strstr(err.text, *words)) fail_msg("no \"%s\" in: %s", *words, err.text);
  buf_free(b);
}
#define OPEN_FAILS(b, o, s, ...) open_fails(b, o, s, (const char *const[]){__VA_ARGS__, NULL})

/* The value of that name, failing the test when there is none. */
static inline const whet_val *val_named(const whet_model *m, const char *name) {
  for (int32_t i = 0; i < m->graph.n_val; i++)
    if (!strcmp(m->graph.val[i].name, name)) return &m->graph.val[i];
  fail_msg("no value \"%s\"", name);
  return NULL;
}
/* Node i of the main region. */
static inline const whet_node *main_node(const whet_model *m, int i) {
  assert_in_range(i, 0, m->graph.main.n_node - 1);
  return &m->graph.node[m->graph.main.node[i]];
}

#endif
