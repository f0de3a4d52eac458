/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and keys of frames. */

#include "edge/pipeline/measure.h"

#include "edge/pipeline/inner.h"
#include "edge/pipeline/label.h"

#include <string.h>

static bool counts(const pl_measure *m, const char *label) {
  return !m->label || (label && !strcmp(label, m->label));
}

static bool gives(const pl_node *n, const char *name) { return n && n->kind->gives && n->kind->gives(n, name); }

whet_status pl_measure_known(const pl_node *n, const pl_measure *m, whet_err *err) {
  const char *label = m->label;
  if (label) EDGE_TRY(pl_labels_known(n, &(conf_strs){.v = &label, .n = 1}, err));
  if (!strcmp(m->of, "score") || !strcmp(m->of, "count") || !n->branch) return WHET_OK;
  bool stage = false; /* else it is a sink, behind all stages */
  for (size_t i = 0; i < n->branch->n_stage; i++) stage |= n->branch->stage[i] == n;
  for (const pl_branch *b = n->branch; b; b = b->from) {
    if (gives(b->source, m->of)) return WHET_OK;
    for (size_t i = 0; i < b->n_stage; i++)
      if (gives(b->stage[i], m->of) && (!stage || b != n->branch || pl_leads_to(b->stage[i], n))) return WHET_OK;
  }
  return pl_fail(n, err, "of: expected score, count or a value; nothing before it gives the value \"%.60s\"", m->of);
}

double pl_measured(const pl_measure *m, const pl_frame *f) {
  double v = 0;
  if (!strcmp(m->of, "count")) {
    for (size_t i = 0; i < f->n_object; i++) v += counts(m, f->object[i].label);
    return v;
  }
  if (strcmp(m->of, "score")) return pl_get_value(f, m->of, &v) ? v : 0;
  for (size_t i = 0; i < f->n_object; i++)
    if (counts(m, f->object[i].label) && (double)f->object[i].score > v) v = (double)f->object[i].score;
  for (size_t i = 0; i < f->n_class; i++)
    if (counts(m, f->class[i].label) && (double)f->class[i].score > v) v = (double)f->class[i].score;
  return v;
}

/* FNV-1a of a text and its end. */
static uint64_t mix(uint64_t h, const char *s) {
  for (; s && *s; s++) h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
  return (h ^ 0xff) * UINT64_C(0x100000001b3);
}
static uint64_t mix_number(uint64_t h, uint64_t v) {
  for (int i = 0; i < 8; i++, v >>= 8) h = (h ^ (v & 255)) * UINT64_C(0x100000001b3);
  return h;
}

uint64_t pl_says(const pl_frame *f) {
  const uint64_t seed = UINT64_C(0xcbf29ce484222325);
  uint64_t h = mix(mix(seed, f->event), f->subject), objects = 0;
  if (!f->event && !f->subject && !f->n_object && !f->n_class) return 0;
  for (size_t i = 0; i < f->n_object; i++) /* in whatever order */
    objects += mix(mix_number(mix(seed, f->object[i].zone), f->object[i].index), f->object[i].label);
  h = mix_number(h, objects);
  if (f->n_class) h = mix(mix_number(h, f->class[0].index), f->class[0].label);
  return h ? h : 1;
}
