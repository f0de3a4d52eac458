/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a program to a .whet file: format/whet_file.h. */

#include "format/whet_file.h"
#include "plan/program.h"

whet_save_opts whet_save_opts_default(void) { return (whet_save_opts){.size = sizeof(whet_save_opts)}; }

/* The file's packed weights, in memory that the caller frees; NULL when it is refused. */
static whet_stored *list(whet_program *p, size_t *n) {
  *n = whet__packs_list(p->packs, NULL, 0);
  whet_stored *s = whet__alloc_array(&p->mem, *n + 1, sizeof *s);
  size_t room = *n;
  if (s) *n = whet__packs_list(p->packs, s, room);
  if (*n > room) *n = room;
  return s;
}

whet_status whet_program_save(whet_program *p, const char *path, const whet_save_opts *user, whet_err *err) {
  whet_err mine = {0};
  if (!err) err = &mine;
  *err = (whet_err){0};
  if (!p || !path) return whet__fail(err, WHET_E_MISUSE, "whet_program_save: program and path must be given");
  whet_save_opts o = whet_save_opts_default();
  WHET_TRY(whet__take_opts("whet_save_opts", user, sizeof o, &o, err));
  size_t n = 0;
  whet_stored *stored = list(p, &n);
  if (!stored) return whet__no_memory(&p->mem, 0, err, "the file's index");
  whet_file_req r = {.model = p->model,
                     .graph = &p->graph,
                     .signature = p->signature,
                     .level = whet__isa_level(p->target.isa),
                     .precision = p->opts.precision,
                     .exact = p->opts.exact != 0,
                     .memory = p->opts.prefer == WHET_PREFER_MEMORY,
                     .stored = stored,
                     .n_stored = o.without_packed ? 0 : n,
                     .choices = p->choices,
                     .mem = &p->mem};
  whet_status s = whet__file_save(&r, path, err);
  whet__free(&p->mem, stored);
  return s;
}
