/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PLUGINS_GST_ANALYTICS_H
#define WHET_PLUGINS_GST_ANALYTICS_H

/* Regions of interest beside GstAnalyticsRelationMeta, the metadata of GStreamer's own library for results of models
 * (since 1.24). Where this build lacks it nothing happens. */

#include <gst/gst.h>

#ifdef WHET_HAVE_ANALYTICS
/* Objects that an element of somebody else found become regions, where the buffer has no regions yet. */
void gst_whet_analytics_read(GstBuffer *b);
/* The buffer's regions as objects, or as classes (`whole`: regions are the whole picture), instead of those of
 * before. What else the metadata hold stays only where no object has to go. */
void gst_whet_analytics_write(GstBuffer *b, gboolean whole);
#else
static inline void gst_whet_analytics_read(GstBuffer *b) { (void)b; }
static inline void gst_whet_analytics_write(GstBuffer *b, gboolean whole) { (void)b, (void)whole; }
#endif

#endif
