/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata of models: fields of metadata_schema.fbs (TFLite Metadata, file identifier M001) by their numbers, the
 * image keys of ONNX's MetadataProps, and what whet train notes. */

#include "metadata.h"

#include "data/set.h"
#include "wire/fb.h"

/* Numbers of a vector of floats, at most four, all finite; how many there were. */
static uint32_t floats(whet_fb_vec v, float out[4]) {
  for (uint32_t i = 0; i < v.n && i < 4; i++) out[i] = whet__fb_vec_float(v, i);
  return v.n;
}

/* The first NormalizationOptions among a tensor's process units, and its colour space. */
static void tensor(whet_fb_table t, cli_metadata *out) {
  enum { CONTENT = 3, PROCESS_UNITS = 4, NORMALIZATION = 1, IMAGE = 2, RGB = 1, GRAYSCALE = 2 };
  whet_fb_vec units = whet__fb_vec(t, PROCESS_UNITS, 4);
  for (uint32_t i = 0; i < units.n && !out->normalised; i++) {
    whet_fb_table u = whet__fb_vec_table(units, i);
    if (whet__fb_uint(u, 0, 1, 0) != NORMALIZATION) continue;
    whet_fb_table norm = whet__fb_table(u, 1);
    out->n_mean = floats(whet__fb_vec(norm, 0, 4), out->mean);
    out->n_std = floats(whet__fb_vec(norm, 1, 4), out->std);
    out->normalised = out->n_mean && out->n_std && out->n_mean <= 4 && out->n_std <= 4;
    out->ranged = out->normalised;
    out->lo = 0;
    out->hi = 255;
  }
  whet_fb_table content = whet__fb_table(t, CONTENT);
  if (whet__fb_uint(content, 0, 1, 0) == IMAGE) {
    uint64_t space = whet__fb_uint(whet__fb_table(content, 1), 0, 1, 0);
    out->colored = space == RGB || space == GRAYSCALE;
    out->color = space == GRAYSCALE ? WHET_PIXEL_GRAY : WHET_PIXEL_RGB;
  }
}

/* TFLite Metadata: of input i of the first subgraph. */
static void tflite(const void *p, size_t n, size_t i, cli_metadata *out) {
  enum { SUBGRAPHS = 3, INPUTS = 2 };
  whet_fb fb = {.p = p, .n = n};
  if (n < 8 || memcmp(fb.p + 4, "M001", 4)) return;
  whet_fb_vec graphs = whet__fb_vec(whet__fb_root(&fb), SUBGRAPHS, 4);
  if (!graphs.n) return;
  whet_fb_vec inputs = whet__fb_vec(whet__fb_vec_table(graphs, 0), INPUTS, 4);
  if (i < inputs.n) tensor(whet__fb_vec_table(inputs, (uint32_t)i), out);
  if (fb.bad) *out = (cli_metadata){0};
}

/* What whet train wrote: how the samples were that it learnt from, which wins over all else. */
static bool trained(const whet_model *m, cli_metadata *out) {
  size_t n;
  whet_feed f = {0};
  const char *p = whet_model_meta(m, whet__fed_key, &n);
  if (!p || !whet__fed_read(p, n, &f)) return false;
  out->ranged = true;
  out->lo = f.lo, out->hi = f.hi;
  out->normalised = f.n_mean || f.n_std;
  if (!out->normalised) return true;
  out->n_mean = f.n_mean ? (uint32_t)f.n_mean : 1, out->n_std = f.n_std ? (uint32_t)f.n_std : 1;
  for (int k = 0; k < 4; k++) out->mean[k] = f.n_mean ? f.mean[k] : 0, out->std[k] = f.n_std ? f.std[k] : 1;
  return true;
}

void cli_metadata_read(const whet_model *m, size_t i, cli_metadata *out) {
  static const struct {
    const char *text;
    whet_pixel color;
  } k_color[] = {{"Gray8", WHET_PIXEL_GRAY},
                 {"Rgb8", WHET_PIXEL_RGB},
                 {"Bgr8", WHET_PIXEL_BGR},
                 {"Rgba8", WHET_PIXEL_RGBA},
                 {"Bgra8", WHET_PIXEL_BGRA}};
  static const struct {
    const char *text;
    float lo, hi;
  } k_range[] = {{"NominalRange_0_255", 0, 255}, {"Normalized_0_1", 0, 1}, {"Normalized_1_1", -1, 1}};
  *out = (cli_metadata){0};
  size_t n;
  const char *p = whet_model_meta(m, "TFLITE_METADATA", &n);
  if (p) tflite(p, n, i, out);
  bool told = i == 0 && trained(m, out);
  p = whet_model_meta(m, "Image.BitmapPixelFormat", &n);
  for (size_t k = 0; p && k < WHET_COUNT(k_color); k++)
    if (n == strlen(k_color[k].text) && !memcmp(p, k_color[k].text, n))
      out->colored = true, out->color = k_color[k].color;
  p = told ? NULL : whet_model_meta(m, "Image.NominalPixelRange", &n);
  for (size_t k = 0; p && k < WHET_COUNT(k_range); k++)
    if (n == strlen(k_range[k].text) && !memcmp(p, k_range[k].text, n))
      out->ranged = true, out->lo = k_range[k].lo, out->hi = k_range[k].hi;
}
