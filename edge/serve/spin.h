/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_SPIN_H
#define WHET_EDGE_SERVE_SPIN_H

/* A client that asks again as soon as it is answered: the thread that answered looks for its next request for a
 * moment before it sleeps, because waking it, where processors are virtual, takes longer than many a run. */

#include <stdint.h>

/* A request over this connection was answered by this thread, and nothing else is there to be done: look until `most`
 * ns have passed, when that has been of use of late and the thread's last requests were all this connection's. */
void spin_look(int fd, int64_t most);

#endif
