/* SPDX-License-Identifier: Apache-2.0 */
#include "export/attrs.h"

static const void *field(const whet_node *n, const char *name, uint16_t *kind) {
  for (const whet_attr_desc *d = n->op->attrs; d && d->name && n->attr; d++)
    if (!strcmp(d->name, name)) {
      *kind = d->kind;
      return (const char *)n->attr + d->offset;
    }
  return NULL;
}

int64_t whet__at_int(const whet_node *n, const char *name) {
  uint16_t kind;
  const void *p = field(n, name, &kind);
  if (!p) return 0;
  switch (kind) {
    case WHET_ATTR_I32: return *(const int32_t *)p;
    case WHET_ATTR_I64: return *(const int64_t *)p;
    case WHET_ATTR_BOOL:
    case WHET_ATTR_U8: return *(const uint8_t *)p;
    default: return 0;
  }
}

float whet__at_float(const whet_node *n, const char *name) {
  uint16_t kind;
  const void *p = field(n, name, &kind);
  return p && kind == WHET_ATTR_F32 ? *(const float *)p : 0;
}

whet_ints whet__at_ints(const whet_node *n, const char *name) {
  uint16_t kind;
  const void *p = field(n, name, &kind);
  return p && kind == WHET_ATTR_I64S ? *(const whet_ints *)p : (whet_ints){NULL, 0};
}
