/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `track`: objects keep a number from frame to frame. The pair of a track and an object of its class that
 * overlap most are one, then the next pair; objects that are left begin tracks, tracks that are left wait for `lost`
 * frames. */

#include <stdlib.h>

#include "edge/pipe/detect.h"
#include "edge/pipe/sort.h"
#include "edge/pipeline/kind.h"

enum { TRACKS = 256 };

typedef struct a_track {
  int64_t id;
  pl_object box;
  int64_t seen, lost; /* frames */
  bool taken;
} a_track;

typedef struct pair {
  float overlap;
  uint32_t track, object;
} pair;

typedef struct track {
  pl_node n;
  double overlap;
  int64_t lost, confirm, next;
  a_track t[TRACKS];
  size_t used;
  pair *pair; /* room for twice cap: they are sorted */
  size_t cap;
} track;

#define AT(field) offsetof(track, field)
static const conf_key k_keys[] = {{.name = "overlap", CONF_REAL, AT(overlap), NULL, 0, 1},
                                  {.name = "lost", CONF_INT, AT(lost), NULL, 0, 1e6},
                                  {.name = "confirm", CONF_INT, AT(confirm), NULL, 1, 1e6},
                                  {0}};
static const track k_defaults = {.overlap = 0.3, .lost = 10, .confirm = 1};

static void begin(pl_node *n) { ((track *)n)->used = 0; } /* numbers go on: they are never given twice */

static int by_overlap(const void *a, const void *b) {
  const pair *x = a, *y = b;
  if (x->overlap != y->overlap) return x->overlap > y->overlap ? -1 : 1;
  return x->track != y->track ? (x->track < y->track ? -1 : 1) : x->object < y->object ? -1 : 1;
}

static whet_status pairs(track *s, const pl_frame *f, size_t *n, whet_err *err) {
  *n = 0;
  for (size_t t = 0; t < s->used; t++)
    for (size_t o = 0; o < f->n_object; o++) {
      if (s->t[t].box.index != f->object[o].index) continue;
      pipe_object a = {s->t[t].box.x0, s->t[t].box.y0, s->t[t].box.x1, s->t[t].box.y1, 0, 0};
      pipe_object b = {f->object[o].x0, f->object[o].y0, f->object[o].x1, f->object[o].y1, 0, 0};
      float v = pipe_overlap(&a, &b);
      if (!((double)v > s->overlap)) continue;
      if (*n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 256;
        pair *p = realloc(s->pair, 2 * cap * sizeof *p);
        if (!p) return edge_fail(err, WHET_E_MEMORY, "no memory for %zu pairs", cap);
        s->pair = p;
        s->cap = cap;
      }
      s->pair[(*n)++] = (pair){v, (uint32_t)t, (uint32_t)o};
    }
  pipe_sort(s->pair, *n, sizeof *s->pair, by_overlap);
  return WHET_OK;
}

/* A place for a new track: a free one, else that of the track that was lost longest; NULL: all are seen now. */
static a_track *place(track *s) {
  if (s->used < TRACKS) return &s->t[s->used++];
  a_track *old = &s->t[0];
  for (size_t i = 1; i < TRACKS; i++)
    if (s->t[i].lost > old->lost) old = &s->t[i];
  return old->lost ? old : NULL;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  track *s = (track *)n;
  size_t n_pair, kept = 0;
  EDGE_TRY(pairs(s, f, &n_pair, err));
  for (size_t i = 0; i < s->used; i++) s->t[i].taken = false;
  for (size_t i = 0; i < f->n_object; i++) f->object[i].track = 0;
  for (size_t i = 0; i < n_pair; i++) {
    a_track *t = &s->t[s->pair[i].track];
    pl_object *o = &f->object[s->pair[i].object];
    if (t->taken || o->track) continue;
    o->track = t->id;
    t->box = *o;
    t->taken = true;
    t->lost = 0;
    t->seen++;
  }
  for (size_t i = 0; i < s->used; i++)
    if (!s->t[i].taken) s->t[i].lost++;
  for (size_t i = 0; i < s->used; i++)
    if (s->t[i].lost <= s->lost) s->t[kept++] = s->t[i];
  s->used = kept;
  for (size_t i = 0; i < f->n_object; i++) {
    pl_object *o = &f->object[i];
    a_track *t = o->track ? NULL : place(s);
    if (!t) continue;
    o->track = ++s->next;
    *t = (a_track){.id = o->track, .box = *o, .seen = 1};
  }
  if (s->confirm > 1) { /* those seen too few times are left out */
    kept = 0;
    for (size_t i = 0; i < f->n_object; i++) {
      int64_t seen = s->confirm;
      for (size_t k = 0; k < s->used; k++)
        if (s->t[k].id == f->object[i].track) seen = s->t[k].seen;
      if (seen >= s->confirm) f->object[kept++] = f->object[i];
    }
    f->n_object = kept;
  }
  return pl_pass(n, f, err);
}

static void close_track(pl_node *n) { free(((track *)n)->pair); }

const pl_kind pl_stage_track = {.name = "track",
                                .size = sizeof(track),
                                .keys = k_keys,
                                .defaults = &k_defaults,
                                .run = run,
                                .begin = begin,
                                .close = close_track};
