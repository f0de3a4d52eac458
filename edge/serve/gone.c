/* SPDX-License-Identifier: Apache-2.0 */
/* A list and an eventfd. */

#include "edge/serve/gone.h"

#include <sys/eventfd.h>
#include <unistd.h>

void gone_init(serve_gone *g) {
  *g = (serve_gone){.wake = -1};
  pthread_mutex_init(&g->lock, NULL);
}

void gone_done(serve_gone *g) {
  gone_bury(g);
  if (g->wake >= 0) close(g->wake);
  pthread_mutex_destroy(&g->lock);
}

bool gone_tell(serve_gone *g) {
  g->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return g->wake >= 0;
}

void gone_wake(serve_gone *g) {
  uint64_t one = 1;
  if (g->wake >= 0 && write(g->wake, &one, sizeof one) < 0) return; /* it is readable: the number is at its end */
}

void gone_take(void *gone, serve_version *v) {
  serve_gone *g = gone;
  pthread_mutex_lock(&g->lock);
  v->next_gone = g->first;
  g->first = v;
  pthread_mutex_unlock(&g->lock);
  gone_wake(g);
}

void gone_bury(serve_gone *g) {
  pthread_mutex_lock(&g->lock);
  serve_version *v = g->first;
  g->first = NULL;
  pthread_mutex_unlock(&g->lock);
  while (v) {
    serve_version *next = v->next_gone;
    version_close(&v);
    v = next;
  }
}
