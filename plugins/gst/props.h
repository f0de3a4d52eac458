/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PLUGINS_GST_PROPS_H
#define WHET_PLUGINS_GST_PROPS_H

/* Properties of elements as tables: a row names a field of the element's struct. They are read when an element
 * starts; GStreamer shows them by gst-inspect-1.0. */

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>
#include <stddef.h>

typedef enum gst_whet_type {
  GST_WHET_STR,
  GST_WHET_INT,
  GST_WHET_REAL,
  GST_WHET_BOOL,
  GST_WHET_CHOICE
} gst_whet_type;

typedef struct gst_whet_prop {
  const char *name; /* NULL ends the table */
  gst_whet_type type;
  size_t at;                 /* of the field: char *, gint, gdouble, gboolean, gint */
  double least, most, usual; /* numbers; usual also for BOOL and CHOICE */
  const char *words;         /* CHOICE: "a|b|c"; STR: the usual text or NULL */
  const char *blurb;
} gst_whet_prop;

/* In class_init: add all rows to a class, and the functions that read and write them (ids are rows from 1). */
void gst_whet_props_install(GObjectClass *c, const gst_whet_prop *rows);
/* In init: the usual values. In finalize: texts are freed. */
void gst_whet_props_init(GObject *o, const gst_whet_prop *rows);
void gst_whet_props_free(GObject *o, const gst_whet_prop *rows);
void gst_whet_props_set(GObject *o, const gst_whet_prop *rows, guint id, const GValue *v);
void gst_whet_props_get(GObject *o, const gst_whet_prop *rows, guint id, GValue *v);

/* What every element has that changes buffers in place: `Type` and `type` as in G_DEFINE_TYPE, its table in `rows`.
 * Defines its init, and begin_class, with which class_init begins. */
#define GST_WHET_ELEMENT(Type, type, rows)                                                                         \
  static void set_property(GObject *o, guint id, const GValue *v, GParamSpec *s) {                                 \
    gst_whet_props_set(o, rows, id, v);                                                                            \
  }                                                                                                                \
  static void get_property(GObject *o, guint id, GValue *v, GParamSpec *s) { gst_whet_props_get(o, rows, id, v); } \
  static void finalize(GObject *o) {                                                                               \
    gst_whet_props_free(o, rows);                                                                                  \
    G_OBJECT_CLASS(type##_parent_class)->finalize(o);                                                              \
  }                                                                                                                \
  static GstBaseTransformClass *begin_class(Type##Class *c) {                                                      \
    GObjectClass *o = (GObjectClass *)c;                                                                           \
    o->set_property = set_property;                                                                                \
    o->get_property = get_property;                                                                                \
    o->finalize = finalize;                                                                                        \
    gst_whet_props_install(o, rows);                                                                               \
    ((GstBaseTransformClass *)c)->transform_ip_on_passthrough = FALSE;                                             \
    return (GstBaseTransformClass *)c;                                                                             \
  }                                                                                                                \
  static void type##_init(Type *s) {                                                                               \
    gst_whet_props_init((GObject *)s, rows);                                                                       \
    gst_base_transform_set_in_place((GstBaseTransform *)s, TRUE);                                                  \
  }

/* Numbers of a list "a,b,c", at most `most`: how many, or -1 when it is none. NULL and "" have none. */
int gst_whet_numbers(const char *text, float *to, int most);

#endif
