/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes, and a path compared with its patterns part by part. */

#include <string.h>

#include "edge/serve/server.h"

const serve_route serve_routes[] = {
#define ROUTE(method, path, fn, who, id, summary, takes, gives) {method, path, fn, who, id, summary, takes, gives},
#include "edge/serve/routes.def"
#undef ROUTE
};
const size_t serve_n_routes = EDGE_COUNT(serve_routes);

/* Does a path fit a pattern? Parts in braces take any text and go to arg, in order. */
static bool fits(const char *pattern, const char *path, json_text arg[2]) {
  size_t n = 0;
  arg[0] = arg[1] = (json_text){NULL, 0};
  for (;;) {
    size_t a = strcspn(pattern, "/"), b = strcspn(path, "/");
    if (pattern[0] == '{') {
      if (!b) return false;
      arg[n++] = (json_text){path, b};
    } else if (a != b || memcmp(pattern, path, a)) {
      return false;
    }
    pattern += a;
    path += b;
    if (!*pattern || !*path) return !*pattern && !*path;
    pattern++;
    path++;
  }
}

const serve_route *route_find(serve_req *r, const char *method, const char **allow) {
  static const char *const k_allow[] = {NULL, "GET, HEAD", "POST", "GET, HEAD, POST"};
  int there = 0;
  json_text arg[2];
  const char *as = strcmp(method, "HEAD") ? method : "GET";
  *allow = NULL;
  for (size_t i = 0; i < serve_n_routes; i++) {
    const serve_route *t = &serve_routes[i];
    if (!fits(t->path, r->path, arg)) continue;
    if (!strcmp(t->method, as)) {
      memcpy(r->arg, arg, sizeof arg);
      return t;
    }
    there |= strcmp(t->method, "GET") ? 2 : 1;
  }
  *allow = k_allow[there];
  return NULL;
}
