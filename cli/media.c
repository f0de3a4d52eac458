/* SPDX-License-Identifier: Apache-2.0 */
/* Loading libwhet_media: the command exports whet_* for it (cli/whet.exports), so that its codecs come into the
 * command's own list. It is looked for beside the command, in ../lib, and where the system looks (the command's run
 * path). */

#include "media.h"

#include <dlfcn.h>

#include "cmd.h"
#include "whet/media.h"

const char *cli_media_load(void) {
  static const char *why;
  static bool tried;
  if (tried) return why;
  tried = true;
  void *lib = dlopen(MEDIA_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (!lib) return why = cli_keep_printf("%s is not there: %s", MEDIA_LIBRARY, dlerror());
  whet_status (*fn)(void);
  *(void **)&fn = dlsym(lib, "whet_media_register");
  if (!fn || fn()) why = MEDIA_LIBRARY " cannot be used";
  return why;
}
