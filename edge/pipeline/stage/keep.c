/* SPDX-License-Identifier: Apache-2.0 */
/* The privacy stage `keep`: an allow-list of the parts of an event; sinks see no other, whatever comes behind it. */

#include <stdio.h>
#include <string.h>

#include "edge/pipeline/kind.h"

static const char *const k_field[] = {
#define FIELD(name, text) text,
    PL_FIELDS(FIELD)
#undef FIELD
};

typedef struct keep {
  pl_node n;
  conf_strs fields;
  uint32_t shown;
  const char **value; /* names of values that are kept; all where "values" is */
  size_t n_value;
} keep;

static const conf_key k_keys[] = {{.name = "fields", CONF_STRS, offsetof(keep, fields), NULL, 0, 0, true}, {0}};

static whet_status unknown(const keep *s, const char *name, whet_err *err) {
  char list[500] = "";
  size_t n = 0;
  for (size_t i = 0; i < EDGE_COUNT(k_field); i++)
    n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", k_field[i]);
  return pl_fail(&s->n, err, "there is no field \"%.60s\"; there are %s, values.NAME", name, list);
}

static whet_status open_keep(pl_node *n, whet_err *err) {
  keep *s = (keep *)n;
  if (!(s->value = pl_keep(n, (s->fields.n + 1) * sizeof *s->value, err))) return WHET_E_MEMORY;
  bool part = false;
  for (size_t i = 0; i < s->fields.n; i++) {
    const char *name = s->fields.v[i];
    size_t k = 0;
    if (!strncmp(name, "values.", 7) && name[7]) {
      s->value[s->n_value++] = name + 7;
      s->shown |= 1u << PL_FIELD_VALUES;
      continue;
    }
    while (k < EDGE_COUNT(k_field) && strcmp(name, k_field[k])) k++;
    if (k == EDGE_COUNT(k_field)) return unknown(s, name, err);
    s->shown |= 1u << k;
    if (!strncmp(name, "objects.", 8)) part = true;
    if (k == PL_FIELD_VALUES) s->n_value = 0;
  }
  /* parts of objects make objects; objects alone mean all their parts */
  if (part)
    s->shown |= 1u << PL_FIELD_OBJECTS;
  else if (s->shown >> PL_FIELD_OBJECTS & 1)
    for (int k = PL_FIELD_OBJECT_CLASS; k <= PL_FIELD_OBJECT_POINTS; k++) s->shown |= 1u << k;
  return WHET_OK;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  keep *s = (keep *)n;
  f->hidden |= ~s->shown;
  size_t kept = 0;
  for (size_t i = 0; s->n_value && i < f->n_value; i++) {
    bool is = false;
    for (size_t k = 0; !is && k < s->n_value; k++) is = !strcmp(s->value[k], f->value[i].name);
    if (is) f->value[kept++] = f->value[i];
  }
  if (s->n_value) f->n_value = kept;
  return pl_pass(n, f, err);
}

const pl_kind pl_stage_keep = {
    .name = "keep", .size = sizeof(keep), .keys = k_keys, .lone = "fields", .open = open_keep, .run = run};
