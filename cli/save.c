/* SPDX-License-Identifier: Apache-2.0 */
/* Writing models. */

#include "save.h"

#include <string.h>

#include "out.h"

/* Does a path end with this, whatever the case of its letters? */
static bool ends_with(const char *path, const char *end) {
  size_t n = strlen(path), m = strlen(end);
  if (n < m) return false;
  for (size_t i = 0; i < m; i++)
    if ((path[n - m + i] | 32) != end[i]) return false;
  return true;
}

int cli_save_check(const char *path) {
  if (ends_with(path, ".whet")) return 0;
  return cli_wrong("%.200s: the ending says the format, and these are written: " CLI_SAVE_ENDINGS, path);
}

whet_format cli_save_format(const char *path) { return WHET_FORMAT_AUTO; }

whet_status cli_save(whet_model *m, const char *path, whet_err *err) {
  whet_program *p;
  WHET_TRY(whet_program_create(m, NULL, &p, err));
  whet_status s = whet_program_save(p, path, NULL, err);
  whet_program_close(&p);
  return s;
}
