/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of a pipeline's stages. */

#include "edge/pipeline/label.h"

#include <string.h>

#include "edge/pipeline/inner.h"

bool pl_has_label(const pipe_labels *l, const char *name) {
  for (size_t i = 0; i < l->n; i++)
    if (!strcmp(l->name[i], name)) return true;
  return false;
}

whet_status pl_labels(const pl_node *n, const char *path, const pipe_labels **out, whet_err *err) {
  *out = NULL;
  if (!path) return WHET_OK;
  path = pl_path(n, path, err);
  if (!path) return WHET_E_MEMORY;
  for (struct pl_labels_file *l = n->p->labels; l; l = l->next)
    if (!strcmp(l->path, path)) return *out = &l->labels, WHET_OK;
  struct pl_labels_file *l = pl_keep(n, sizeof *l, err);
  if (!l) return WHET_E_MEMORY;
  if (pipe_labels_open(path, &l->labels, err)) return pl_fail_here(n, err);
  l->path = path;
  l->next = n->p->labels;
  n->p->labels = l;
  *out = &l->labels;
  return WHET_OK;
}

/* What the stages of a pipeline say to a label. */
struct finders {
  bool some, files, given; /* one finds things; one has a file of names for them; one has this name */
};

static whet_status ask_branch(const pl_branch *b, const char *label, struct finders *a, whet_err *err) {
  for (size_t i = 0; i < b->n_stage && !a->given; i++) {
    const pl_node *s = b->stage[i];
    const pipe_labels *l;
    if (!s->kind->labels) continue;
    EDGE_TRY(pl_labels(s, s->kind->labels(s), &l, err));
    a->some = true;
    a->files |= l != NULL;
    a->given = l && pl_has_label(l, label);
  }
  return WHET_OK;
}

/* Any stage of the pipeline may give it: privacy stages stand in every branch, whatever that finds. */
static whet_status known(const pl_node *n, const char *label, whet_err *err) {
  struct finders a = {0};
  for (size_t i = 0; i < n->p->n_branch; i++) EDGE_TRY(ask_branch(&n->p->branch[i], label, &a, err));
  if (a.given || !a.some) return WHET_OK;
  return pl_fail(n, err, "label: %s \"%.60s\"",
                 a.files ? "no file of labels has" : "what is found has no names; give a file of labels with", label);
}

whet_status pl_labels_known(const pl_node *n, const conf_strs *chosen, whet_err *err) {
  for (size_t i = 0; i < chosen->n; i++) EDGE_TRY(known(n, chosen->v[i], err));
  return WHET_OK;
}

bool pl_chosen(const conf_strs *chosen, const char *label) {
  for (size_t i = 0; label && i < chosen->n; i++)
    if (!strcmp(label, chosen->v[i])) return true;
  return !chosen->n;
}
