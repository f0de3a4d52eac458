/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_RUN_LATE_H
#define WHET_RUN_LATE_H

/* Runs whose sizes only data tell: the program is cut into segments, each planned when what it needs is there. A
 * session whose plan covers the whole graph has no such state and pays nothing for it. */

#include "run/session.h"

/* Make or drop the state that the session's plan needs. */
WHET_MUST whet_status whet__late_prepare(whet_session *s, whet_err *err);
void whet__late_free(whet_session *s);
/* The rest of a run, after the steps of the first plan. */
WHET_MUST whet_status whet__late_run(whet_session *s, whet_run *r);
/* Nodes [from, ...) of a region, segment by segment, in the environment of the run. */
WHET_MUST whet_status whet__late_region(whet_session *s, whet_run *r, const whet_region *region, int32_t from);
/* Plan a whole region for every round of a loop: in the environment its inputs have the shapes that they keep, and where they lie
 * they stay; their contents are not looked at. *frame: what whet__late_again runs, until a mark before it is released. LATE
 * when shapes or steps depend on the contents: frames may have been made and go with the mark. */
WHET_MUST whet_status whet__late_steady(whet_session *s, whet_run *r, const whet_region *region, size_t *frame);
WHET_MUST whet_status whet__late_again(whet_session *s, const whet_run *r, size_t frame);
/* An operator that runs bodies (bodies.c). */
WHET_MUST whet_status whet__late_bodies(whet_session *s, whet_run *r, const whet_node *n);
/* Memory of this run: zeroed; NULL when refused. Dropped with the run, or by whet__late_drop (NULL accepted). */
void *whet__late_block(whet_session *s, size_t n);
void whet__late_drop(whet_session *s, void *p);
/* Segments, outputs of late nodes and objects made after a mark can be let go: their values are then gone. */
typedef struct whet_late_mark {
  size_t frames, objects;
  void *temp;
} whet_late_mark;
whet_late_mark whet__late_mark(const whet_session *s);
void whet__late_release(whet_session *s, whet_late_mark m);
/* Take over a reference until the end of the run, or the release of a mark. False when memory is refused: it is
 * dropped. */
bool whet__late_hold(whet_session *s, whet_value *v);
/* Value v is that object, which somebody holds. */
void whet__late_set_object(whet_session *s, int32_t v, whet_value *x);
/* Value v is made in the region that uses it, and used once: the node that sees it is the last. */
bool whet__late_last(const whet_session *s, int32_t v);
struct whet_env *whet__late_env(whet_session *s);
/* Tell the run of a value; where one lies now. */
void whet__late_set(whet_session *s, int32_t v, whet_dtype t, const whet_shape *shape, void *data);
const void *whet__late_data(const whet_session *s, int32_t v);
/* The value is made after the first segment. */
bool whet__late_owns(const whet_session *s, int32_t v);
/* Type and shape of a value after the last run, or of the plan; rank -1 where not known. */
void whet__late_shape(const whet_session *s, int32_t v, whet_dtype *t, whet_shape *shape);
/* whet_session_output and whet_session_get_output. */
const void *whet__late_output(whet_session *s, size_t i, size_t *bytes, whet_err *err);
whet_status whet__late_get(whet_session *s, size_t i, whet_value **out, whet_err *err);

#endif
