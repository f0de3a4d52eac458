/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "media.h"

whet_status media_fail(whet_err *err, whet_status code, const char *fmt, ...) {
  if (!err || err->code) return code;
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(err->text, sizeof err->text, fmt, ap);
  va_end(ap);
  err->code = code;
  return code;
}
