/* SPDX-License-Identifier: Apache-2.0 */
/* A pipeline that frames are given to. */

#include "edge/heard.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/test.h"

static pthread_mutex_t g_lock = PTHREAD_MUTEX_INITIALIZER; /* texts: each sink has a branch's thread */

static void hear(void *user, const char *sink, const char *json, size_t n) {
  heard *h = user;
  pthread_mutex_lock(&g_lock);
  h->text = realloc(h->text, h->n + n + 2);
  memcpy(h->text + h->n, json, n);
  memcpy(h->text + h->n + n, "\n", 2);
  h->n += n + 1;
  h->lines++;
  pthread_mutex_unlock(&g_lock);
}

whet_pipeline *open_under(const char *text, const char *sysfs, const char *procfs, heard *h) {
  whet_pipeline_opts o = whet_pipeline_opts_default();
  whet_pipeline *p;
  whet_err err = {0};
  *h = (heard){0};
  o.event = hear;
  o.user = h;
  o.sysfs = sysfs;
  o.procfs = procfs;
  if (whet_pipeline_parse(text, strlen(text), "text", &o, &p, &err)) fail_msg("%s", err.text);
  if (whet_pipeline_start(p, &err)) fail_msg("%s", err.text);
  return p;
}

whet_pipeline *open_text(const char *text, heard *h) { return open_under(text, NULL, NULL, h); }

/* A frame at `ms` milliseconds of a picture of 100 x 100. */
pl_frame *frame_at(whet_pipeline *p, int64_t ms) {
  pl_frame *f = pl_source_frame(p->branch[0].source);
  f->time = ms * 1000000;
  f->width = f->height = 100;
  f->objects = true;
  return f;
}

void give(whet_pipeline *p, pl_frame *f) { assert_true(pl_source_give(p->branch[0].source, f)); }

heard finish(whet_pipeline *p, heard *h) {
  whet_err err = {0};
  pl_queue_close(&p->branch[0].queue, false); /* as when a source ends */
  whet_pipeline_stop(p);
  if (whet_pipeline_wait(p, 10, &err)) fail_msg("%s", err.text);
  whet_pipeline_close(&p);
  return *h;
}
