/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SEND_CURL_H
#define WHET_EDGE_SEND_CURL_H

/* What everything here that speaks HTTP has in common. */

#include <curl/curl.h>
#include <stdbool.h>

/* A handle that speaks HTTP and HTTPS, with these files in PEM (NULL: the system's, none); NULL: no memory. Texts
 * need not last. */
CURL *send_curl(const char *ca, const char *cert, const char *key);
/* One more header line, of any length: a token or a key that is cut short would be another one. *bad: no memory. */
struct curl_slist *send_header(struct curl_slist *list, bool *bad, const char *name, const char *value,
                               const char *end);
/* "Authorization: Bearer ..."; token NULL: none. */
struct curl_slist *send_bearer(struct curl_slist *list, bool *bad, const char *token);

#endif
