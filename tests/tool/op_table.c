/* SPDX-License-Identifier: Apache-2.0 */
/* op_table: every operator of every file format that whet reads, one line each, fields by tabs: domain ("tflite",
 * "tflite.custom", or ONNX's), name, the version since which this reading holds, the operator that it becomes ("=": a
 * formula of others). Names that only formulas say, whet_..., are left out. tools/operators makes docs/operators.md of it. */

#include <stdio.h>

#include "op/op.h"

static void line(const char *domain, const char *name, int since, const char *becomes) {
  printf("%s\t%s\t%d\t%s\n", domain, name, since, becomes);
}

int main(void) {
  for (size_t i = 0; i < whet__n_ops; i++)
    for (const whet_from *f = whet__ops[i]->from; f && f->name; f++)
      if (strncmp(f->name, "whet_", 5)) line(f->domain, f->name, f->since, whet__ops[i]->name);
#define EXPAND(domain, name, since, signature, text) line(domain, #name, since, "=");
#include "op/expand.def"
  return 0;
}
