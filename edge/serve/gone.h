/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_GONE_H
#define WHET_EDGE_SERVE_GONE_H

/* Versions that nobody refers to any more. The last to refer to one is a thread that answers, which must not spend
 * its time on closing a model: it is put here, and whoever buries closes it. */

#include "edge/serve/version.h"

typedef struct serve_gone {
  pthread_mutex_t lock;
  serve_version *first;
  int wake; /* eventfd: readable when something came, or gone_wake was called. -1: nobody is told */
} serve_gone;

void gone_init(serve_gone *g);
void gone_done(serve_gone *g);
/* Have whoever comes told over g->wake. */
bool gone_tell(serve_gone *g);
void gone_wake(serve_gone *g);
/* The `gone` of a version_source whose gone_user is a serve_gone. Any thread. */
void gone_take(void *gone, serve_version *v);
/* Close what is here. Any thread; one that ends soon, because it keeps small blocks of what it frees until then. */
void gone_bury(serve_gone *g);

#endif
