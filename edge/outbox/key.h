/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_OUTBOX_KEY_H
#define WHET_EDGE_OUTBOX_KEY_H

/* A new key: a UUID of version 7 (RFC 9562) as text, in the order of time. */
void ob_key(char out[37]);

#endif
