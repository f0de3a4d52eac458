/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG by libjpeg-turbo with its defaults: the accurate integer transform and smooth chroma upsampling. CMYK as Adobe
 * writes it (inverted) becomes RGB. Files that end early and progressive files with very many scans are refused. */

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "media.h"

enum { MOST_SCANS = 500 };

/* libjpeg's error record with a way back, and what the way back needs. */
struct state {
  struct jpeg_error_mgr errors; /* first: libjpeg hands out a pointer to it */
  jmp_buf back;
  whet_err *err;
  struct jpeg_progress_mgr progress;
};

static int knows(const uint8_t *p, size_t n) { return n >= 3 && p[0] == 0xff && p[1] == 0xd8 && p[2] == 0xff; }

/* Called by libjpeg for what it cannot survive. */
static void fatal(j_common_ptr c) {
  struct state *s = (struct state *)c->err;
  char text[JMSG_LENGTH_MAX];
  c->err->format_message(c, text);
  media_fail(s->err, WHET_E_FORMAT, "JPEG: %s", text);
  longjmp(s->back, 1);
}

/* Called for warnings: missing data is none. */
static void message(j_common_ptr c, int level) {
  if (level < 0 && (c->err->msg_code == JWRN_JPEG_EOF || c->err->msg_code == JWRN_HIT_MARKER)) fatal(c);
}

static void silent(j_common_ptr c) { (void)c; }

/* Called now and then while a progressive file is read. */
static void progress(j_common_ptr c) {
  struct state *s = (struct state *)c->err;
  if (c->is_decompressor && ((j_decompress_ptr)c)->input_scan_number > MOST_SCANS) {
    media_fail(s->err, WHET_E_LIMIT, "JPEG: more than %d scans", MOST_SCANS);
    longjmp(s->back, 1);
  }
}

/* One row of inverted CMYK in place to RGB. */
static void from_cmyk(const uint8_t *in, uint8_t *out, unsigned n) {
  for (unsigned x = 0; x < n; x++)
    for (unsigned k = 0; k < 3; k++) out[x * 3 + k] = (uint8_t)((in[x * 4 + k] * in[x * 4 + 3] + 127) / 255);
}

static whet_status decode(const uint8_t *p, size_t n, whet_canvas *to, whet_err *err) {
  struct jpeg_decompress_struct c;
  struct state s = {.err = err, .progress = {.progress_monitor = progress}};
  uint8_t *volatile row = NULL;
  memset(&c, 0, sizeof c);
  c.err = jpeg_std_error(&s.errors);
  s.errors.error_exit = fatal;
  s.errors.emit_message = message;
  s.errors.output_message = silent;
  if (setjmp(s.back)) {
    jpeg_destroy_decompress(&c);
    free(row);
    return err->code;
  }
  jpeg_create_decompress(&c);
  c.progress = &s.progress;
  jpeg_mem_src(&c, p, (unsigned long)n);
  jpeg_read_header(&c, TRUE);
  bool gray = c.jpeg_color_space == JCS_GRAYSCALE;
  bool cmyk = c.jpeg_color_space == JCS_CMYK || c.jpeg_color_space == JCS_YCCK;
  c.out_color_space = gray ? JCS_GRAYSCALE : cmyk ? JCS_CMYK : JCS_RGB;
  uint8_t *out = whet_canvas_open(to, c.image_width, c.image_height, gray ? WHET_PIXEL_GRAY : WHET_PIXEL_RGB, err);
  if (!out || (cmyk && !(row = malloc((size_t)c.image_width * 4)))) {
    if (out) media_fail(err, WHET_E_MEMORY, "JPEG: no memory for a row");
    jpeg_destroy_decompress(&c);
    return err->code;
  }
  jpeg_start_decompress(&c);
  size_t stride = (size_t)c.output_width * (gray ? 1 : 3);
  while (c.output_scanline < c.output_height) {
    uint8_t *line = out + stride * c.output_scanline;
    JSAMPROW rows[1] = {cmyk ? row : line};
    jpeg_read_scanlines(&c, rows, 1);
    if (cmyk) from_cmyk(row, line, c.output_width);
  }
  jpeg_finish_decompress(&c);
  jpeg_destroy_decompress(&c);
  free(row);
  return WHET_OK;
}

/* Where compressed bytes go: memory of the caller's, grown when it is full. */
struct place {
  struct jpeg_destination_mgr m; /* first, as with errors */
  whet_room_fn room;
  void *user;
  uint8_t *p;
  size_t cap;
};

enum { FIRST = 32 << 10 };

/* Memory of `cap` bytes, with `used` of them written. */
static void grow(j_compress_ptr c, size_t cap, size_t used) {
  struct place *d = (struct place *)c->dest;
  struct state *s = (struct state *)c->err;
  uint8_t *p = d->room(d->user, cap);
  if (!p) {
    media_fail(s->err, WHET_E_MEMORY, "JPEG: no memory for %zu bytes", cap);
    longjmp(s->back, 1);
  }
  d->p = p;
  d->cap = cap;
  d->m.next_output_byte = p + used;
  d->m.free_in_buffer = cap - used;
}

static void begin_place(j_compress_ptr c) { grow(c, FIRST, 0); }
static boolean full_place(j_compress_ptr c) {
  struct place *d = (struct place *)c->dest;
  grow(c, 2 * d->cap, d->cap);
  return TRUE;
}
static void end_place(j_compress_ptr c) { (void)c; }

static whet_status encode(const whet_picture *p, int quality, whet_room_fn room, void *user, size_t *n, whet_err *err) {
  static const J_COLOR_SPACE k_space[] = {JCS_GRAYSCALE, JCS_EXT_RGB, JCS_EXT_BGR, JCS_EXT_RGBX, JCS_EXT_BGRX};
  struct jpeg_compress_struct c;
  struct state s = {.err = err};
  struct place d = {.room = room, .user = user};
  if (p->pixel > WHET_PIXEL_BGRA) return media_fail(err, WHET_E_UNSUPPORTED, "JPEG: grey with alpha is not written");
  memset(&c, 0, sizeof c);
  c.err = jpeg_std_error(&s.errors);
  s.errors.error_exit = fatal;
  s.errors.output_message = silent;
  if (setjmp(s.back)) {
    jpeg_destroy_compress(&c);
    return err->code;
  }
  jpeg_create_compress(&c);
  d.m.init_destination = begin_place;
  d.m.empty_output_buffer = full_place;
  d.m.term_destination = end_place;
  c.dest = &d.m;
  c.image_width = (JDIMENSION)p->width;
  c.image_height = (JDIMENSION)p->height;
  c.input_components = p->pixel == WHET_PIXEL_GRAY ? 1 : p->pixel < WHET_PIXEL_RGBA ? 3 : 4;
  c.in_color_space = k_space[p->pixel];
  ptrdiff_t stride = p->stride ? p->stride : (ptrdiff_t)p->width * c.input_components;
  jpeg_set_defaults(&c);
  jpeg_set_quality(&c, quality < 1 ? 1 : quality > 100 ? 100 : quality, TRUE);
  jpeg_start_compress(&c, TRUE);
  while (c.next_scanline < c.image_height) {
    JSAMPROW row[1] = {(JSAMPROW)(uintptr_t)p->data + (ptrdiff_t)c.next_scanline * stride};
    jpeg_write_scanlines(&c, row, 1);
  }
  jpeg_finish_compress(&c);
  *n = d.cap - d.m.free_in_buffer;
  jpeg_destroy_compress(&c);
  return WHET_OK;
}

const whet_codec media_jpeg = {sizeof(whet_codec), "jpeg", knows, decode, encode};
