/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several ways a node is planned: by rank and estimate, or as it was measured. */

#include "plan/choice.h"

#include "base/str.h"
#include "plan/planner.h"

uint64_t whet__choice_key(unsigned family, const void *params, size_t size) {
  const char *name = whet__family(family)->name;
  return whet__hash(whet__hash(WHET_HASH_SEED, name, strlen(name)), params, size);
}

static void note(whet_trial *t, const whet_trial_note *n) {
  if (!whet__grow(t->mem, (void **)&t->note, &t->cap, t->n + 1, sizeof *t->note))
    t->full = true;
  else
    t->note[t->n++] = *n;
}

int whet__pl_choose(whet_planner *p, unsigned family, const void *params, size_t size, const char *const *name, int n) {
  const whet_choices *c = &p->program->choices;
  whet_trial *t = p->program->trial;
  if (n < 2 || (!t && !c->n)) return 0;
  uint64_t key = whet__choice_key(family, params, size);
  if (t) {
    int32_t node = p->now ? (int32_t)(p->now - p->g->node) : -1;
    if (t->n && t->note[t->n - 1].node == node) return 0; /* one choice for a node: what it leads to is not varied */
    int way = t->number < n ? t->number : 0;
    note(t, &(whet_trial_note){key, name[way], node, way, n});
    return way;
  }
  for (size_t i = 0; i < c->n; i++)
    for (int k = 0; c->of[i].key == key && k < n; k++)
      if (!strcmp(c->of[i].name, name[k])) return k;
  return 0;
}

const whet_kern *whet__pl_pick(whet_planner *p, unsigned family, const void *params, size_t size) {
  const whet_kern *row[WHET_CHOICE_WAYS];
  const char *name[WHET_CHOICE_WAYS];
  int most = p->program->trial || p->program->choices.n ? WHET_CHOICE_WAYS : 1;
  int n = whet__kern_fitting(family, &p->program->target, p->program->opts.exact != 0, params, row, most);
  if (!n) {
    whet__pl_fail(p, WHET_E_INTERNAL, "no kernel of family %s fits", whet__family(family)->name);
    return NULL;
  }
  for (int i = 0; i < n; i++) name[i] = row[i]->name;
  return row[whet__pl_choose(p, family, params, size, name, n)];
}
