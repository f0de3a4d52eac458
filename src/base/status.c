/* SPDX-License-Identifier: Apache-2.0 */
/* Names and texts of status codes, and the one place where an error record is filled. */

#include <stdarg.h>
#include <stdio.h>

#include "base/base.h"

struct status_row {
  whet_status code;
  const char *name, *text;
  int http, exit;
};

static const struct status_row k_rows[] = {
#define ROW(name, value, text, http, exit) {WHET_##name, #name, text, http, exit},
    WHET_STATUS_MAP(ROW)
#undef ROW
};

/* The row of a status; unknown codes have that of E_INTERNAL, the last. */
static const struct status_row *row(whet_status s) {
  for (size_t i = 0; i < WHET_COUNT(k_rows); i++)
    if (k_rows[i].code == s) return &k_rows[i];
  return &k_rows[WHET_COUNT(k_rows) - 1];
}

const char *whet_status_name(whet_status s) { return row(s)->name; }
const char *whet_status_text(whet_status s) { return row(s)->text; }
int whet_status_http(whet_status s) { return row(s)->http; }
int whet_status_exit(whet_status s) { return row(s)->exit; }

void whet__one_line(char *text) {
  for (; *text; text++)
    if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = '?';
}

whet_status whet__fail(whet_err *err, whet_status code, const char *fmt, ...) {
  if (!err || err->code) return code;
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(err->text, sizeof err->text, fmt, ap);
  va_end(ap);
  whet__one_line(err->text);
  err->code = code;
  return code;
}

whet_status whet__fail_in(whet_err *err, const char *fmt, ...) {
  if (!err) return WHET_E_INTERNAL;
  char where[400], old[sizeof err->text];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(where, sizeof where, fmt, ap);
  va_end(ap);
  memcpy(old, err->text, sizeof old);
  old[sizeof old - 1] = 0;
  snprintf(err->text, sizeof err->text, "%.399s: %.1598s", where, old);
  return err->code;
}

whet_status whet__take_opts(const char *what, const void *user, size_t own, void *out, whet_err *err) {
  size_t size;
  if (!user) return WHET_OK;
  memcpy(&size, user, sizeof size);
  if (size <= sizeof size)
    return whet__fail(err, WHET_E_MISUSE, "%s: size is %zu; set it to sizeof(%s)", what, size, what);
  for (size_t i = own; i < size; i++)
    if (((const char *)user)[i])
      return whet__fail(err, WHET_E_MISUSE, "%s: an option that this version of whet does not know", what);
  memcpy(out, user, size < own ? size : own);
  return WHET_OK;
}

const char *whet_version(void) { return WHET_VERSION; }
