/* SPDX-License-Identifier: Apache-2.0 */
/* A pipeline from a program: numbers go in by whet_pipeline_push, events come out by a function.
 *
 *   cc pipeline.c $(pkg-config --cflags --libs whet_edge) -o pipeline && ./pipeline     a made-up temperature, told of
 *                                                                         when it is too high
 *   ./pipeline FILE.yaml                                                  a pipeline of yours, until its sources end */

#include <stdio.h>
#include <string.h>

#include "whet/pipeline.h"

static const char k_text[] =
    "source: {app: {format: jsonl, fields: [celsius]}}\n"
    "queue: {full: block}\n"
    "stages:\n"
    "  - values: [celsius]\n"
    "  - threshold: {of: celsius, on: 80, off: 70, pass: turns}\n"
    "sinks: [app]\n";

/* From a thread of the pipeline. */
static void event(void *user, const char *sink, const char *json, size_t n) {
  (void)user, (void)sink;
  printf("%.*s\n", (int)n, json);
}

static void line(void *user, int level, const char *text) {
  (void)user;
  if (level < 2) fprintf(stderr, "%s\n", text);
}

int main(int argc, char **argv) {
  whet_pipeline_opts o = whet_pipeline_opts_default();
  whet_pipeline *p = NULL;
  whet_err err = {0};
  o.event = event;
  o.log = line;
  o.drain = 10; /* everything that was pushed is to be seen */
  whet_status s = argc > 1 ? whet_pipeline_open(argv[1], &o, &p, &err) : whet_pipeline_parse(k_text, strlen(k_text), "here", &o, &p, &err);
  if (!s) s = whet_pipeline_start(p, &err);
  for (int i = 0; !s && argc < 2 && i < 60; i++) {
    char json[60];
    int n = snprintf(json, sizeof json, "{\"celsius\": %d}", i < 30 ? 60 + i : 120 - i);
    s = whet_pipeline_push(p, "main", json, (size_t)n, 0, &err);
  }
  if (!s && argc < 2) whet_pipeline_stop(p);
  if (!s) s = whet_pipeline_wait(p, -1, &err);
  if (s) fprintf(stderr, "%s\n", err.text);
  whet_pipeline_close(&p);
  return s ? 1 : 0;
}
