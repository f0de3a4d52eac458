/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_AUTH_H
#define WHET_EDGE_SERVE_AUTH_H

/* Bearer tokens (RFC 6750) from a file, a token a line with what it opens:
 *
 *   TOKEN                       every model
 *   TOKEN models=digits,faces   these models
 *   TOKEN admin                 every model, the repository and settings
 *
 * Lines that start with # and empty ones are passed over. Tokens have 16 to 200 characters of those that RFC 6750
 * allows. */

#include "edge/serve/json.h"

typedef struct serve_auth serve_auth;

EDGE_MUST whet_status auth_open(const char *path, serve_auth **out, whet_err *err);
void auth_close(serve_auth **a);

typedef enum auth_verdict { AUTH_NO, AUTH_ANY, AUTH_MODEL, AUTH_ADMIN } auth_verdict;
/* What an Authorization header opens; model.p NULL: of no model in particular. The time does not tell which tokens
 * are near. */
auth_verdict auth_ask(const serve_auth *a, const char *header, json_text model);

#endif
