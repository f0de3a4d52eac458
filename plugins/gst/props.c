/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of properties. */

#include "plugins/gst/props.h"

#include <math.h>
#include <string.h>

/* The type of a choice: one for each class and property. */
static GType choice(GObjectClass *c, const gst_whet_prop *p) {
  gchar *name = g_strdup_printf("%s-%s", G_OBJECT_CLASS_NAME(c), p->name);
  GType t = g_type_from_name(name);
  if (!t) {
    gchar **word = g_strsplit(p->words, "|", -1);
    guint n = g_strv_length(word);
    GEnumValue *v = g_new0(GEnumValue, n + 1); /* lives as long as the type */
    for (guint i = 0; i < n; i++) v[i] = (GEnumValue){(gint)i, g_strdup(word[i]), g_strdup(word[i])};
    t = g_enum_register_static(name, v);
    g_strfreev(word);
  }
  g_free(name);
  return t;
}

void gst_whet_props_install(GObjectClass *c, const gst_whet_prop *rows) {
  const GParamFlags f = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  for (guint i = 0; rows[i].name; i++) {
    const gst_whet_prop *p = &rows[i];
    GParamSpec *s = NULL;
    switch (p->type) {
      case GST_WHET_STR:
        s = g_param_spec_string(p->name, p->name, p->blurb, p->words, f);
        break;
      case GST_WHET_INT:
        s = g_param_spec_int(p->name, p->name, p->blurb, (gint)p->least, (gint)p->most, (gint)p->usual, f);
        break;
      case GST_WHET_REAL:
        s = g_param_spec_double(p->name, p->name, p->blurb, p->least, p->most, p->usual, f);
        break;
      case GST_WHET_BOOL:
        s = g_param_spec_boolean(p->name, p->name, p->blurb, p->usual != 0, f);
        break;
      case GST_WHET_CHOICE:
        s = g_param_spec_enum(p->name, p->name, p->blurb, choice(c, p), (gint)p->usual, f);
        break;
    }
    g_object_class_install_property(c, i + 1, s);
  }
}

static void *field(GObject *o, const gst_whet_prop *p) { return (char *)o + p->at; }

void gst_whet_props_init(GObject *o, const gst_whet_prop *rows) {
  for (; rows->name; rows++) {
    if (rows->type == GST_WHET_STR)
      *(char **)field(o, rows) = g_strdup(rows->words);
    else if (rows->type == GST_WHET_REAL)
      *(gdouble *)field(o, rows) = rows->usual;
    else
      *(gint *)field(o, rows) = (gint)rows->usual;
  }
}

void gst_whet_props_free(GObject *o, const gst_whet_prop *rows) {
  for (; rows->name; rows++)
    if (rows->type == GST_WHET_STR) g_clear_pointer((char **)field(o, rows), g_free);
}

void gst_whet_props_set(GObject *o, const gst_whet_prop *rows, guint id, const GValue *v) {
  const gst_whet_prop *p = &rows[id - 1];
  GST_OBJECT_LOCK(o);
  switch (p->type) {
    case GST_WHET_STR:
      g_free(*(char **)field(o, p));
      *(char **)field(o, p) = g_value_dup_string(v);
      break;
    case GST_WHET_INT:
      *(gint *)field(o, p) = g_value_get_int(v);
      break;
    case GST_WHET_REAL:
      *(gdouble *)field(o, p) = g_value_get_double(v);
      break;
    case GST_WHET_BOOL:
      *(gboolean *)field(o, p) = g_value_get_boolean(v);
      break;
    case GST_WHET_CHOICE:
      *(gint *)field(o, p) = g_value_get_enum(v);
      break;
  }
  GST_OBJECT_UNLOCK(o);
}

void gst_whet_props_get(GObject *o, const gst_whet_prop *rows, guint id, GValue *v) {
  const gst_whet_prop *p = &rows[id - 1];
  GST_OBJECT_LOCK(o);
  switch (p->type) {
    case GST_WHET_STR:
      g_value_set_string(v, *(char **)field(o, p));
      break;
    case GST_WHET_INT:
      g_value_set_int(v, *(gint *)field(o, p));
      break;
    case GST_WHET_REAL:
      g_value_set_double(v, *(gdouble *)field(o, p));
      break;
    case GST_WHET_BOOL:
      g_value_set_boolean(v, *(gboolean *)field(o, p));
      break;
    case GST_WHET_CHOICE:
      g_value_set_enum(v, *(gint *)field(o, p));
      break;
  }
  GST_OBJECT_UNLOCK(o);
}

int gst_whet_numbers(const char *text, float *to, int most) {
  int n = 0;
  if (!text || !*text) return 0;
  for (;;) {
    gchar *end;
    double v = g_ascii_strtod(text, &end);
    if (end == text || n == most || !isfinite(v)) return -1;
    to[n++] = (float)v;
    text = end;
    if (!*text) return n;
    if (*text++ != ',') return -1;
  }
}
