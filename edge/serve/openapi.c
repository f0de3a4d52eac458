/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI 3.1 document: paths from the table of routes, schemas from openapi.json. */

#include <stdio.h>
#include <string.h>

#include "edge/serve/server.h"

static const char k_schemas[] = {
#include "openapi.inc"
};

/* A schema by its name, or the media type itself. */
static void content(serve_buf *b, const char *name) {
  if (strchr(name, '/')) {
    buf_printf(b, "\"content\":{\"%s\":{\"schema\":{\"type\":\"string\"%s}}}", name,
               strncmp(name, "text/", 5) ? ",\"format\":\"binary\"" : "");
    return;
  }
  buf_printf(b, "\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}", name);
  if (!strncmp(name, "Inference", 9))
    buf_text(b, ",\"application/octet-stream\":{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}}");
  buf_text(b, "}");
}

/* The parts of a path in braces. */
static void parameters(serve_buf *b, const char *path) {
  bool more = false;
  buf_text(b, "\"parameters\":[");
  for (const char *p = path; (p = strchr(p, '{'));) {
    size_t n = strcspn(++p, "}");
    buf_printf(
        b, "%s{\"name\":\"%.*s\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"string\",\"minLength\":1}}",
        more ? "," : "", (int)n, p);
    more = true;
  }
  buf_text(b, "],");
}

static void error(serve_buf *b, const char *status, const char *text) {
  buf_printf(b,
             ",\"%s\":{\"description\":\"%s\",\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/"
             "schemas/Error\"}}}}",
             status, text);
}

static void operation(serve_buf *b, const serve_route *t) {
  bool model = t->who == ROUTE_MODEL, infer = !strncmp(t->takes, "Inference", 9);
  buf_printf(b, "\"%s\":{\"operationId\":\"%s\",\"summary\":\"%s\",", strcmp(t->method, "GET") ? "post" : "get",
             t->id, t->summary);
  parameters(b, t->path);
  if (*t->takes) {
    bool needed =
        strcmp(t->takes, "IndexRequest") && strcmp(t->takes, "LoadRequest") && strcmp(t->takes, "UnloadRequest");
    buf_printf(b, "\"requestBody\":{\"required\":%s,", needed ? "true" : "false");
    content(b, t->takes);
    buf_text(b, "},");
  }
  buf_text(b, t->who == ROUTE_OPEN ? "\"security\":[]," : "\"security\":[{},{\"bearer\":[]}],");
  buf_text(b, "\"responses\":{\"200\":{\"description\":\"Done\"");
  if (*t->gives) {
    buf_text(b, ",");
    content(b, t->gives);
  }
  buf_text(b, "}");
  error(b, "400", "The request is wrong: the text says where");
  if (t->who != ROUTE_OPEN) error(b, "401", "A token is asked for");
  if (t->who != ROUTE_OPEN) error(b, "403", "The token does not open this, or the server is read-only");
  error(b, "404", "There is no such thing");
  error(b, "405", "Not this method");
  error(b, "413", "The body is too large");
  error(b, "414", "The path is too long");
  if (*t->takes) error(b, "415", "The body's coding is unknown");
  if (infer || model) error(b, "429", "The queue is full; Retry-After says when to come again");
  if (infer || model) error(b, "500", "The run failed");
  error(b, "503", "No room, no memory, or the server ends; Retry-After says when to come again");
  if (infer || model) error(b, "504", "The deadline passed");
  buf_text(b, "}}");
}

void serve_openapi(serve_buf *b) {
  buf_printf(b,
             "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"whet serve\",\"version\":\"%s\",\"description\":\"Open "
             "Inference Protocol v2 with Triton's "
             "extensions for binary tensors, classification, statistics, configuration, repository, shared memory, "
             "traces and log.\"},\"paths\":{",
             whet_version());
  for (size_t i = 0; i < serve_n_routes; i++) {
    size_t first = 0;
    while (strcmp(serve_routes[first].path, serve_routes[i].path)) first++;
    if (first < i) continue; /* was told with the first of its path */
    buf_printf(b, "%s\"%s\":{", i ? "," : "", serve_routes[i].path);
    for (size_t k = i, more = 0; k < serve_n_routes; k++) {
      if (strcmp(serve_routes[k].path, serve_routes[i].path)) continue;
      if (more++) buf_text(b, ",");
      operation(b, &serve_routes[k]);
    }
    buf_text(b, "}");
  }
  buf_text(b, "},\"components\":");
  buf_put(b, k_schemas, sizeof k_schemas);
  buf_text(b, "}");
}

void route_openapi(serve_req *r) {
  serve_openapi(&r->out);
  serve_ok(r, NULL);
}
