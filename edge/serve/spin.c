/* SPDX-License-Identifier: Apache-2.0 */
/* Looking in vain costs: after it the thread lets requests pass without a look, twice as many each time. */

#include "edge/serve/spin.h"

#include <stdbool.h>
#include <sys/socket.h>

#include "edge/edge.h"

enum { ALONE = 8, MOST_SKIPPED = 1024, PAUSES = 8 };

/* Let the processor's other half work. */
static void pause_a_little(void) {
  for (int i = 0; i < PAUSES; i++) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
  }
}

/* Is there anything to be read, an end as well? */
static bool readable(int fd) {
  char c;
  return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

void spin_look(int fd, int64_t most) {
  static _Thread_local int last = -1;
  static _Thread_local unsigned row, skip, penalty;
  row = fd == last ? row + 1 : 0;
  last = fd;
  if (!most || row < ALONE) return;
  if (skip) {
    skip--;
    return;
  }
  for (int64_t until = edge_now() + most; edge_now() < until; pause_a_little())
    if (readable(fd)) {
      penalty = 0;
      return;
    }
  penalty = penalty ? penalty < MOST_SKIPPED ? 2 * penalty : MOST_SKIPPED : 1;
  skip = penalty;
}
