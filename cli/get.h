/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_GET_H
#define WHET_CLI_GET_H

/* A small document from where it is shown: http://HOST[:PORT]/PATH (plain HTTP/1.0, GET), or a file. */

#include "base/str.h"

/* Append it to out. token: a bearer token, or NULL. E_IO with what went wrong; E_LIMIT: over 16 MB. */
WHET_MUST whet_status cli_get(const char *where, const char *token, double seconds, whet_text *out, whet_err *err);

#endif
