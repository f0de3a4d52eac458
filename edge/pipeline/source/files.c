/* SPDX-License-Identifier: Apache-2.0 */
/* The source `files`: files by name or pattern, one behind the other, once or again and again. */

#include <glob.h>

#include "edge/pipeline/play.h"

typedef struct files {
  pl_node n;
  pl_play play;
  conf_strs files;
  int64_t repeat; /* 0: without end */
} files;

#define AT(field) offsetof(files, field)
static const conf_key k_keys[] = {{.name = "files", CONF_STRS, AT(files), NULL, 0, 0, true},
                                  {.name = "repeat", CONF_INT, AT(repeat), NULL, 0, 1e12},
                                  PL_PLAY_KEYS(files, play),
                                  {0}};
static const files k_defaults = {.play = PL_PLAY_DEFAULTS, .repeat = 1};

static whet_status open_files(pl_node *n, whet_err *err) {
  files *s = (files *)n;
  const char **path = pl_keep(n, (s->files.n + 1) * sizeof *path, err);
  if (!path) return WHET_E_MEMORY;
  for (size_t i = 0; i < s->files.n; i++)
    if (!(path[i] = pl_path(n, s->files.v[i], err))) return WHET_E_MEMORY;
  s->files.v = path;
  return pl_payload_open(n, &s->play.payload, err);
}

static whet_status run(pl_node *n, pl_frame *none, whet_err *err) {
  files *s = (files *)n;
  (void)none;
  for (int64_t round = 0; !s->repeat || round < s->repeat; round++) {
    size_t played = 0;
    for (size_t i = 0; i < s->files.n; i++) {
      glob_t g = {0};
      if (glob(s->files.v[i], GLOB_NOCHECK, NULL, &g))
        return edge_fail(err, WHET_E_MEMORY, "no memory for names of files");
      bool go = true;
      for (size_t k = 0; go && k < g.gl_pathc; k++, played++) go = pl_play_file(&s->play, n, g.gl_pathv[k]);
      globfree(&g);
      if (!go) return WHET_OK;
    }
    if (!played) return WHET_OK;
    if (!n->out) return WHET_OK; /* none of them gave a frame: again will not help */
  }
  return WHET_OK;
}

static void close_files(pl_node *n) { pl_play_close(&((files *)n)->play); }

const pl_kind pl_source_files = {.name = "files",
                                 .size = sizeof(files),
                                 .keys = k_keys,
                                 .lone = "files",
                                 .defaults = &k_defaults,
                                 .open = open_files,
                                 .run = run,
                                 .close = close_files};
