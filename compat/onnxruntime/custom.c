/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of the caller's own: domains can be made and filled; a session that is to use one refuses it by name. */

#include "shim.h"

OrtStatus *custom_check(const OrtSessionOptions *o) {
  for (size_t i = 0; i < o->n_domain; i++)
    if (o->domain[i]->n)
      return fail(ORT_NOT_IMPLEMENTED, "operator \"%s\" of domain \"%s\": whet's library for this interface runs no OrtCustomOp",
                  o->domain[i]->op[0]->GetName(o->domain[i]->op[0]), o->domain[i]->name);
  return NULL;
}
