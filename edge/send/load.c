/* SPDX-License-Identifier: Apache-2.0 */
/* Loading libwhet_link: a command that talks to nobody does not wait for libcurl and its many libraries. */

#include "edge/send/load.h"

#include <dlfcn.h>
#include <pthread.h>

void *send_load(const char *name, const char *what, whet_err *err) {
#ifdef WHET_LINK_LIBRARY
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static void *lib; /* stays */
  pthread_mutex_lock(&lock);
  if (!lib) lib = dlopen(WHET_LINK_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  void *f = lib ? dlsym(lib, name) : NULL;
  if (!f) edge_fail(err, WHET_E_UNSUPPORTED, "%s needs %s: %s", what, WHET_LINK_LIBRARY, dlerror());
  pthread_mutex_unlock(&lock);
  return f;
#else
  edge_fail(err, WHET_E_UNSUPPORTED, "%s is left out of this build: it has no libcurl and no libmosquitto", what);
  return NULL;
#endif
}
