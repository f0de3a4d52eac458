/* SPDX-License-Identifier: Apache-2.0 */
/* The page of `whet inspect --html`: cli/page/page.html with the marks @STYLE@, @SCRIPT@, @TITLE@ and @DATA@
 * replaced. */

#include "page.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/str.h"

/* The files of cli/page/ as bytes; the build writes them. */
static const char k_html[] = {
#include "page_html.inc"
    0};
static const char k_style[] = {
#include "page_css.inc"
    0};
static const char k_script[] = {
#include "page_js.inc"
    0};

/* Append text that stands between tags. */
static void add_text(whet_text *t, const char *s) {
  for (; *s; s++) {
    if (*s == '<')
      whet__text_add(t, "&lt;", 4);
    else if (*s == '&')
      whet__text_add(t, "&amp;", 5);
    else
      whet__text_add(t, s, 1);
  }
}

/* Append JSON inside a script element: "<" could end it. */
static void add_json(whet_text *t, const char *s) {
  for (; *s; s++) {
    if (*s == '<')
      whet__text_add(t, "\\u003c", 6);
    else
      whet__text_add(t, s, 1);
  }
}

int cli_page_write(const cli_report *r, const char *file) {
  whet_text t = {.mem = cli_mem()};
  whet_err err = {0};
  json_t *j = cli_report_json(r, true, true);
  char *data = j ? json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
  json_decref(j);
  if (!data) return cli_fail("out of memory");
  const char *base = strrchr(r->path, '/');
  for (const char *s = k_html; *s;) {
    const char *mark = strchr(s, '@');
    whet__text_add(&t, s, mark ? (size_t)(mark - s) : strlen(s));
    if (!mark) break;
    if (!strncmp(mark, "@STYLE@", 7)) {
      whet__text_add(&t, k_style, strlen(k_style));
      s = mark + 7;
    } else if (!strncmp(mark, "@SCRIPT@", 8)) {
      whet__text_add(&t, k_script, strlen(k_script));
      s = mark + 8;
    } else if (!strncmp(mark, "@TITLE@", 7)) {
      add_text(&t, cli_clean(base ? base + 1 : r->path));
      s = mark + 7;
    } else if (!strncmp(mark, "@DATA@", 6)) {
      add_json(&t, data);
      s = mark + 6;
    } else {
      whet__text_add(&t, "@", 1);
      s = mark + 1;
    }
  }
  free(data);
  whet_status s =
      t.bad ? whet__fail(&err, WHET_E_MEMORY, "no memory for the page") : whet__file_write(file, t.p, t.n, &err);
  whet__text_free(&t);
  return s ? cli_fail_err(NULL, &err) : CLI_DONE;
}
