/* SPDX-License-Identifier: Apache-2.0 */
/* whetoverlay: regions of interest drawn into the picture, or made unrecognisable. */

#include <math.h>

#include "edge/pipe/draw.h"
#include "plugins/gst/analytics.h"
#include "plugins/gst/elements.h"
#include "plugins/gst/objects.h"
#include "plugins/gst/props.h"

enum { STYLE_BOX, STYLE_BLUR, STYLE_FILL };

typedef struct GstWhetOverlay {
  GstBaseTransform base;
  char *labels;
  gint style, thick, cells, colour;
  gdouble grow;
  GstVideoInfo info;
} GstWhetOverlay;
typedef struct GstWhetOverlayClass {
  GstBaseTransformClass base;
} GstWhetOverlayClass;

G_DEFINE_TYPE(GstWhetOverlay, gst_whet_overlay, GST_TYPE_BASE_TRANSFORM)

#define AT(field) offsetof(GstWhetOverlay, field)
static const gst_whet_prop k_props[] = {
    {"style", GST_WHET_CHOICE, AT(style), 0, 0, 0, "box|blur|fill",
     "A frame around each region; or it becomes a few squares of one colour each; or one colour"},
    {"labels", GST_WHET_STR, AT(labels), 0, 0, 0, NULL, "Only regions of these labels: a,b,c"},
    {"thickness", GST_WHET_INT, AT(thick), 1, 1000, 2, NULL, "Pixels of a frame's lines"},
    {"color", GST_WHET_INT, AT(colour), 0, 0xffffff, 0x00ff00, NULL,
     "Of frames and filled regions: red * 65536 + green * 256 + blue"},
    {"cells", GST_WHET_INT, AT(cells), 1, 64, 6, NULL, "Squares along each side of a blurred region"},
    {"grow", GST_WHET_REAL, AT(grow), 0, 10, 0, NULL, "Part of its size by which a region is grown on every side"},
    {0}};
GST_WHET_ELEMENT(GstWhetOverlay, gst_whet_overlay, k_props)

static gboolean set_caps(GstBaseTransform *t, GstCaps *in, GstCaps *out) {
  return gst_video_info_from_caps(&((GstWhetOverlay *)t)->info, in);
}

static void draw(const GstWhetOverlay *s, whet_picture *p, const gst_whet_object *o) {
  double gx = o->w * s->grow, gy = o->h * s->grow;
  uint8_t c[3] = {(uint8_t)(s->colour >> 16), (uint8_t)(s->colour >> 8), (uint8_t)s->colour};
  int32_t d = s->thick;
  /* regions of other elements may lie anywhere */
  double w = p->width, h = p->height;
  pipe_box b = {(int32_t)fmin(floor(o->x - gx), w), (int32_t)fmin(floor(o->y - gy), h),
                (int32_t)fmin(ceil((double)o->x + o->w + gx), w), (int32_t)fmin(ceil((double)o->y + o->h + gy), h)};
  if (s->style == STYLE_BLUR) {
    pipe_mosaic(p, b, s->cells);
  } else if (s->style == STYLE_FILL) {
    pipe_paint(p, b, c);
  } else {
    pipe_paint(p, (pipe_box){b.x0, b.y0, b.x1, b.y0 + d}, c);
    pipe_paint(p, (pipe_box){b.x0, b.y1 - d, b.x1, b.y1}, c);
    pipe_paint(p, (pipe_box){b.x0, b.y0, b.x0 + d, b.y1}, c);
    pipe_paint(p, (pipe_box){b.x1 - d, b.y0, b.x1, b.y1}, c);
  }
}

static GstFlowReturn transform_ip(GstBaseTransform *t, GstBuffer *b) {
  GstWhetOverlay *s = (GstWhetOverlay *)t;
  GstVideoFrame f;
  GstVideoRegionOfInterestMeta *m;
  gpointer state = NULL;
  gst_whet_analytics_read(b);
  if (!gst_buffer_get_meta(b, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) return GST_FLOW_OK;
  if (!gst_video_frame_map(&f, &s->info, b, GST_MAP_READWRITE)) {
    GST_ELEMENT_ERROR(s, STREAM, FORMAT, ("the picture cannot be drawn into"), (NULL));
    return GST_FLOW_ERROR;
  }
  whet_picture p = gst_whet_picture(&f);
  while ((m = gst_whet_object_next(b, &state))) {
    gst_whet_object o = gst_whet_object_of(m);
    if (gst_whet_label_in(o.label, s->labels)) draw(s, &p, &o);
  }
  gst_video_frame_unmap(&f);
  return GST_FLOW_OK;
}

static void gst_whet_overlay_class_init(GstWhetOverlayClass *c) {
  GstBaseTransformClass *t = begin_class(c);
  gst_whet_class((GstElementClass *)c, GST_WHET_CAPS, "whet overlay", "Filter/Effect/Video",
                 "Draws regions of interest, or hides what is in them");
  t->set_caps = set_caps;
  t->transform_ip = transform_ip;
}
