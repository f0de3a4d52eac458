/* SPDX-License-Identifier: Apache-2.0 */
/* The status page: three files of its own (edge/serve/page/), nothing from elsewhere. It reads what any client may
 * read. */

#include "edge/serve/server.h"

static const unsigned char k_html[] = {
#include "serve_html.inc"
};
static const unsigned char k_css[] = {
#include "serve_css.inc"
};
static const unsigned char k_js[] = {
#include "serve_js.inc"
};

static void fixed(serve_req *r, const void *p, size_t n, const char *type) {
  r->fixed = p;
  r->n_fixed = n;
  serve_ok(r, type);
}

void route_page(serve_req *r) { fixed(r, k_html, sizeof k_html, "text/html; charset=utf-8"); }
void route_page_css(serve_req *r) { fixed(r, k_css, sizeof k_css, "text/css; charset=utf-8"); }
void route_page_js(serve_req *r) { fixed(r, k_js, sizeof k_js, "text/javascript; charset=utf-8"); }
