/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SEND_LOAD_H
#define WHET_EDGE_SEND_LOAD_H

/* Functions of libwhet_link, which is loaded when the first is wanted. */

#include "edge/edge.h"

/* NULL: err says why; what: who needs it, for the message. */
void *send_load(const char *name, const char *what, whet_err *err);

#endif
