/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PLUGINS_GST_OBJECTS_H
#define WHET_PLUGINS_GST_OBJECTS_H

/* Detections on buffers: a GstVideoRegionOfInterestMeta each, whose roi_type is the label (or "class-N") and whose
 * parameter "detection" has confidence (double), label-id (uint) and label (string). */

#include <gst/video/gstvideometa.h>

typedef struct gst_whet_object {
  const char *label; /* NULL: "class-N" */
  guint id;
  double score;
  guint x, y, w, h;
} gst_whet_object;

void gst_whet_object_add(GstBuffer *b, const gst_whet_object *o);
/* What a region says; regions of others have no score: 1. The label lives as long as the process. */
gst_whet_object gst_whet_object_of(const GstVideoRegionOfInterestMeta *m);
/* The next region after *state (NULL at first). */
GstVideoRegionOfInterestMeta *gst_whet_object_next(GstBuffer *b, gpointer *state);
/* Post the element message NAME: pts (uint64), count (int), objects (an array of structures). */
void gst_whet_objects_post(GstElement *e, const char *name, GstBuffer *b);
/* Is a label one of "a,b,c"? NULL and "" are all labels. */
gboolean gst_whet_label_in(const char *label, const char *list);

#endif
