/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EXPORT_ATTRS_H
#define WHET_EXPORT_ATTRS_H

/* Attributes of a node by their names in the operator's record: writers need not know the structs. Asking for a name that is
 * not there answers 0 or nothing. */

#include "op/op.h"

int64_t whet__at_int(const whet_node *n, const char *name);
float whet__at_float(const whet_node *n, const char *name);
whet_ints whet__at_ints(const whet_node *n, const char *name);

#endif
