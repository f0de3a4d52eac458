/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `zone`: in which zones objects stand, and, of those that are tracked, who enters and leaves them and who
 * crosses lines. */

#include <math.h>
#include <string.h>

#include "edge/pipeline/inner.h"
#include "edge/pipeline/region.h"

enum { KNOWN = 256 };

/* A tracked object when it was last seen. */
typedef struct known {
  int64_t track;
  double x, y;
  uint64_t in;  /* bits of zones */
  uint64_t seq; /* frames of this stage */
} known;

typedef struct zone {
  pl_node n;
  const conf_node *zones_node, *lines_node;
  int anchor; /* bottom, centre */
  int pass;   /* all, inside, events */
  pl_polygon *zone, *line;
  size_t n_zone, n_line;
  known k[KNOWN];
  size_t used;
  uint64_t seq;
} zone;

#define AT(field) offsetof(zone, field)
static const conf_key k_keys[] = {{.name = "zones", CONF_NODE, AT(zones_node)},
                                  {.name = "lines", CONF_NODE, AT(lines_node)},
                                  {.name = "anchor", CONF_CHOICE, AT(anchor), "bottom|centre"},
                                  {.name = "pass", CONF_CHOICE, AT(pass), "all|inside|events"},
                                  {0}};

/* A branch that takes another's frames may get them tracked. */
static bool tracked(const pl_node *n) {
  const pl_branch *b = n->branch;
  bool is = b->from != NULL;
  for (size_t i = 0; !is && i < b->n_stage && b->stage[i] != n; i++) is = b->stage[i]->kind == &pl_stage_track;
  return is;
}

static whet_status open_zone(pl_node *n, whet_err *err) {
  zone *s = (zone *)n;
  EDGE_TRY(pl_polygons(n, s->zones_node, "zones", 3, PL_CORNERS, &s->zone, &s->n_zone, err));
  EDGE_TRY(pl_polygons(n, s->lines_node, "lines", 2, 2, &s->line, &s->n_line, err));
  if (!s->n_zone && !s->n_line) return pl_fail(n, err, "expected zones or lines");
  if (s->n_zone > 64) return pl_fail(n, err, "zones: %zu are more than 64", s->n_zone);
  if (s->n_line && s->pass != 2) return pl_fail(n, err, "lines give events: they want pass: events");
  if (s->pass == 2 && !tracked(n))
    return pl_fail(n, err, "who enters, leaves or crosses must be tracked: put the stage track before it");
  return WHET_OK;
}

static void begin(pl_node *n) { ((zone *)n)->used = 0; }

/* Hand on a copy of the frame that tells of one object. */
static whet_status event(zone *s, const pl_frame *f, const pl_object *o, const char *what, const char *subject,
                         double direction, whet_err *err) {
  pl_frame *c = pl_frame_copy(f);
  if (!c) return edge_fail(err, WHET_E_MEMORY, "no memory for a frame");
  c->object[0] = *o;
  c->n_object = 1;
  c->event = what;
  c->subject = subject;
  if (direction != 0) pl_set_value(c, "direction", direction);
  whet_status st = pl_pass(&s->n, c, err);
  pl_frame_free(c);
  return st;
}

/* On which side of a line a point lies. */
static double side(const pl_polygon *l, double x, double y) {
  return (l->x[1] - l->x[0]) * (y - l->y[0]) - (l->y[1] - l->y[0]) * (x - l->x[0]);
}

/* 1, -1: the way from (x0, y0) to (x1, y1) crosses the line from its left to its right, or back (looking from its
 * first point to its second, in a picture whose y grows downwards: from above to below a line that runs to the right
 * is 1). */
static int crosses(const pl_polygon *l, double x0, double y0, double x1, double y1) {
  double a = side(l, x0, y0), b = side(l, x1, y1);
  if ((a < 0) == (b < 0)) return 0;
  double c = (x1 - x0) * (l->y[0] - y0) - (y1 - y0) * (l->x[0] - x0),
         d = (x1 - x0) * (l->y[1] - y0) - (y1 - y0) * (l->x[1] - x0);
  return (c < 0) == (d < 0) ? 0 : b >= 0 ? 1 : -1;
}

static known *find(zone *s, int64_t track) {
  known *old = s->used ? &s->k[0] : NULL;
  for (size_t i = 0; i < s->used; i++) {
    if (s->k[i].track == track) return &s->k[i];
    if (s->k[i].seq < old->seq) old = &s->k[i];
  }
  if (s->used < KNOWN) old = &s->k[s->used++];
  *old = (known){0};
  return old;
}

/* What became of one object since it was seen last. */
static whet_status follow(zone *s, const pl_frame *f, const pl_object *o, double x, double y, uint64_t in,
                          whet_err *err) {
  known *k = find(s, o->track);
  bool new = !k->track;
  known was = *k;
  *k = (known){o->track, x, y, in, s->seq};
  for (size_t i = 0; i < s->n_zone; i++) {
    bool now = in >> i & 1, before = was.in >> i & 1;
    if (now != before) EDGE_TRY(event(s, f, o, now ? "enter" : "leave", s->zone[i].name, 0, err));
  }
  for (size_t i = 0; i < s->n_line && !new; i++) {
    int way = crosses(&s->line[i], was.x, was.y, x, y);
    if (way) EDGE_TRY(event(s, f, o, "cross", s->line[i].name, way, err));
  }
  return WHET_OK;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  zone *s = (zone *)n;
  bool inside = false;
  if (f->n_object && (f->width <= 0 || f->height <= 0)) return edge_fail(err, WHET_E_DATA, "objects of no picture");
  s->seq++;
  for (size_t i = 0; i < f->n_object; i++) {
    pl_object *o = &f->object[i];
    double x = (double)(o->x0 + o->x1) / 2 / f->width,
           y = (double)(s->anchor ? (o->y0 + o->y1) / 2 : o->y1) / f->height;
    uint64_t in = 0;
    o->zone = NULL;
    for (size_t k = s->n_zone; k-- > 0;)
      if (pl_inside(&s->zone[k], x, y)) in |= UINT64_C(1) << k, o->zone = s->zone[k].name;
    inside |= in != 0;
    if (s->pass == 2 && o->track) EDGE_TRY(follow(s, f, o, x, y, in, err));
  }
  return s->pass == 0 || (s->pass == 1 && inside) ? pl_pass(n, f, err) : WHET_OK;
}

static bool gives(const pl_node *n, const char *name) { return !strcmp(name, "direction"); }

const pl_kind pl_stage_zone = {.name = "zone",
                               .size = sizeof(zone),
                               .keys = k_keys,
                               .lone = "zones",
                               .open = open_zone,
                               .run = run,
                               .begin = begin,
                               .gives = gives};
