/* SPDX-License-Identifier: Apache-2.0 */
/* libwhet_link: what talks over the network, with the libraries that it needs. */

#include <string.h>

#include "edge/cascade/remote.h"
#include "edge/send/inner.h"
#include "whet/whet.h"

/* The sender of a scheme; NULL: *lacks names the library that the build had not. */
WHET_API const send_kind *whet_link_sender(const char *scheme, const char **lacks);

const send_kind *whet_link_sender(const char *scheme, const char **lacks) {
  if (!strncmp(scheme, "http", 4)) {
#ifdef WHET_HAVE_CURL
    return &send_http;
#else
    return *lacks = "libcurl (Debian: libcurl4-openssl-dev)", NULL;
#endif
  }
#ifdef WHET_HAVE_MOSQUITTO
  return &send_mqtt;
#else
  return *lacks = "libmosquitto (Debian: libmosquitto-dev)", NULL;
#endif
}

/* The client of remote models; NULL: the build had no libcurl. */
WHET_API const remote_kind *whet_link_remote(void);

const remote_kind *whet_link_remote(void) {
#ifdef WHET_HAVE_CURL
  return &remote_http;
#else
  return NULL;
#endif
}
