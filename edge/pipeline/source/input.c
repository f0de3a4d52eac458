/* SPDX-License-Identifier: Apache-2.0 */
/* The source `stdin`: standard input, cut into messages. */

#include <unistd.h>

#include "edge/pipeline/play.h"

typedef struct input {
  pl_node n;
  pl_play play;
} input;

static const conf_key k_keys[] = {PL_PLAY_KEYS(input, play), {0}};
static const input k_defaults = {.play = PL_PLAY_DEFAULTS};

static whet_status open_input(pl_node *n, whet_err *err) {
  return pl_payload_open(n, &((input *)n)->play.payload, err);
}

static whet_status run(pl_node *n, pl_frame *none, whet_err *err) {
  input *s = (input *)n;
  (void)none;
  int fd = dup(STDIN_FILENO);
  if (fd < 0) return edge_fail(err, WHET_E_IO, "standard input is closed");
  pl_play_fd(&s->play, n, fd, "", 0);
  return WHET_OK;
}

static void close_input(pl_node *n) { pl_play_close(&((input *)n)->play); }

const pl_kind pl_source_input = {.name = "stdin",
                                 .size = sizeof(input),
                                 .keys = k_keys,
                                 .lone = "format",
                                 .defaults = &k_defaults,
                                 .open = open_input,
                                 .run = run,
                                 .close = close_input};
