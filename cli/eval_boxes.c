/* SPDX-License-Identifier: Apache-2.0 */
/* Average precision of detectors. Everingham et al.: "The Pascal Visual Object Classes Challenge" (2010), every point
 * of the curve; Lin et al.: "Microsoft COCO" (2014), the mean over ten overlaps. */

#include "eval_boxes.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "edge/edge.h"
#include "edge/pipe/detect.h"
#include "edge/pipe/picture.h"
#include "media.h"
#include "cmd.h"
#include "out.h"
#include "picture.h"
#include "whet/whet.h"

enum { OVERLAPS = 10 };

/* A true box, or one that was told. */
typedef struct box {
  int32_t picture, class;
  float score;
  pipe_object at;
} box;

typedef struct boxes {
  box *v;
  size_t n, cap;
} boxes;

static box *more(boxes *b) {
  if (!whet__grow(cli_mem(), (void **)&b->v, &b->cap, b->n + 1, sizeof *b->v)) return NULL;
  return &b->v[b->n++];
}

typedef struct truth {
  boxes boxes;
  const char **picture, **class;
  size_t n_picture, cap_picture, n_class, cap_class;
} truth;

/* The number of a name, new or not. */
static int32_t number_of(const char ***list, size_t *n, size_t *cap, const char *name) {
  for (size_t i = *n; i-- > 0;)
    if (!strcmp((*list)[i], name)) return (int32_t)i;
  if (!whet__grow(cli_mem(), (void **)list, cap, *n + 1, sizeof **list)) return -1;
  (*list)[*n] = cli_keep_str(name, strlen(name));
  return (int32_t)(*n)++;
}

static char *next_field(char **at) {
  char *p = *at;
  if (!p) return NULL;
  char *end = strchr(p, ',');
  if (end) *end = 0;
  *at = end ? end + 1 : NULL;
  while (*p == ' ') p++;
  return p;
}

static whet_status read_line(truth *t, char *line, const char *file, int number, whet_err *err) {
  char *at = line, *name = next_field(&at), *class = next_field(&at), *rest[4];
  float v[4] = {0};
  for (int i = 0; i < 4; i++) {
    char *end = NULL;
    rest[i] = next_field(&at);
    if (rest[i]) v[i] = strtof(rest[i], &end);
    if (class && *class && (!rest[i] || end == rest[i] || *end)) {
      if (number == 1) return WHET_OK; /* the columns' names */
      return whet__fail(err, WHET_E_DATA, "%s:%d: expected picture,class,x0,y0,x1,y1", file, number);
    }
  }
  int32_t picture = number_of(&t->picture, &t->n_picture, &t->cap_picture, name);
  if (picture < 0) return whet__fail(err, WHET_E_MEMORY, "no memory for boxes");
  if (!class || !*class) return WHET_OK;
  if (!(v[2] > v[0] && v[3] > v[1]))
    return whet__fail(err, WHET_E_DATA, "%s:%d: a box without an area", file, number);
  box *b = more(&t->boxes);
  if (!b) return whet__fail(err, WHET_E_MEMORY, "no memory for boxes");
  char *end;
  long c = strtol(class, &end, 10);
  *b = (box){.picture = picture,
             .class = *end ? number_of(&t->class, &t->n_class, &t->cap_class, class) : (int32_t)c,
             .at = {.x0 = v[0], .y0 = v[1], .x1 = v[2], .y1 = v[3]}};
  return WHET_OK;
}

/* Names of classes come first from --labels, so that they have the detector's numbers. */
static whet_status read_truth(const eval_boxes_opts *o, truth *t, whet_err *err) {
  char path[4096], line[4096];
  const char *file = o->boxes ? o->boxes : path;
  snprintf(path, sizeof path, "%s/boxes.csv", o->data);
  for (const char *p = o->labels; p && *p;) {
    size_t n = strcspn(p, ",");
    if (number_of(&t->class, &t->n_class, &t->cap_class, cli_keep_str(p, n)) < 0)
      return whet__fail(err, WHET_E_MEMORY, "no memory for labels");
    p += n + (p[n] == ',');
  }
  FILE *f = fopen(file, "r");
  if (!f) return whet__fail(err, WHET_E_IO, "%s: %s", file, strerror(errno));
  whet_status s = WHET_OK;
  for (int n = 1; !s && fgets(line, sizeof line, f); n++) {
    line[strcspn(line, "\r\n")] = 0;
    if (*line && *line != '#') s = read_line(t, line, file, n, err);
  }
  fclose(f);
  if (!s && !t->boxes.n) s = whet__fail(err, WHET_E_DATA, "%s: there are no boxes in it", file);
  return s;
}

/* ---- detecting --------------------------------------------------------------------------------- */

struct detector {
  whet_session *session;
  pipe_picture *picture;
  pipe_detect *detect;
  double seconds;
};

static whet_status open_detector(const char *path, const eval_boxes_opts *o, struct detector *d, whet_err *err) {
  static const struct {
    const char *name;
    pipe_detector kind;
    bool objectness;
  } k[] = {{"scores-boxes", PIPE_DETECT_SCORES_BOXES, false},
           {"yolo", PIPE_DETECT_YOLO, false},
           {"yolo-objectness", PIPE_DETECT_YOLO, true},
           {"ssd", PIPE_DETECT_SSD, false},
           {"boxes", PIPE_DETECT_BOXES, false}};
  size_t i = 0;
  while (i < WHET_COUNT(k) && (!o->detector || strcmp(k[i].name, o->detector))) i++;
  if (i == WHET_COUNT(k))
    return whet__fail(err, WHET_E_NAME,
                      "say how its outputs are read: --detector scores-boxes, yolo, yolo-objectness, ssd or boxes");
  whet_program_opts po = whet_program_opts_default();
  whet_info in;
  po.threads = o->threads;
  WHET_TRY(whet_session_open(path, NULL, &po, &d->session, err));
  WHET_TRY(whet_session_input_info(d->session, 0, &in));
  pipe_picture_opts p = {0};
  if (o->range) p.ranged = cli_range(o->range, &p.lo, &p.hi);
  if (o->mean) p.n_mean = cli_numbers(o->mean, p.mean);
  if (o->std) p.n_std = cli_numbers(o->std, p.std);
  WHET_TRY(pipe_picture_create(&in, false, &p, &d->picture, err));
  pipe_detect_opts x = pipe_detect_opts_default(k[i].kind);
  x.least_score = 0.01f; /* the whole curve */
  x.most = 1000;
  x.objectness = k[i].objectness;
  return pipe_detect_create(&x, &d->detect, err);
}

static void close_detector(struct detector *d) {
  pipe_detect_close(&d->detect);
  pipe_picture_close(&d->picture);
  whet_session_close(&d->session);
}

static whet_status detect(struct detector *d, const whet_picture *p, int32_t number, boxes *out, whet_err *err) {
  int32_t rank, width, height;
  int64_t dims[WHET_MAX_RANK];
  size_t bytes, n = whet_session_outputs(d->session), count;
  whet_prep_place place;
  pipe_tensor t[8];
  const pipe_object *v;
  WHET_TRY(pipe_picture_shape(d->picture, p->width, p->height, &rank, dims, &bytes, err));
  WHET_TRY(whet_session_resize(d->session, 0, rank, dims, err));
  void *in = whet_session_input(d->session, 0, NULL, err);
  if (!in) return err->code;
  WHET_TRY(pipe_picture_run(d->picture, p, in, bytes, err));
  WHET_TRY(pipe_picture_placed(d->picture, p->width, p->height, &place, err));
  pipe_picture_size(d->picture, &width, &height);
  int64_t began = edge_now();
  WHET_TRY(whet_session_run(d->session, NULL, err));
  d->seconds += 1e-9 * (double)(edge_now() - began);
  if (n > WHET_COUNT(t)) n = WHET_COUNT(t);
  for (size_t i = 0; i < n; i++) WHET_TRY(pipe_tensor_output(d->session, i, &t[i], err));
  WHET_TRY(pipe_detect_run(d->detect, t, n, width, height, &place, p->width, p->height, &v, &count, err));
  for (size_t i = 0; i < count; i++) {
    box *b = more(out);
    if (!b) return whet__fail(err, WHET_E_MEMORY, "no memory for boxes");
    *b = (box){.picture = number, .class = (int32_t)v[i].index, .score = v[i].score, .at = v[i]};
  }
  return WHET_OK;
}

static whet_status detect_file(struct detector *d, const eval_boxes_opts *o, const char *name, int32_t number,
                               boxes *out, whet_err *err) {
  whet_file f;
  whet_picture p = {.size = sizeof p};
  WHET_TRY(whet__file_open_in(o->data, name, true, cli_mem(), &f, err));
  whet_decode_opts dec = whet_decode_opts_default();
  whet_status s = whet_picture_decode(f.p, f.n, &dec, &p, err);
  if (!s) s = detect(d, &p, number, out, err);
  whet_picture_free(&p);
  whet__file_close(&f);
  return s;
}

/* ---- average precision --------------------------------------------------------------------------- */

static int by_score(const void *a, const void *b) {
  float x = ((const box *)a)->score, y = ((const box *)b)->score;
  return (x < y) - (x > y);
}

/* Told boxes (best first) and true ones of one class; NaN: none are true. */
static double precision_of(const boxes *told, const truth *t, int32_t class, double overlap) {
  size_t n_true = 0, seen = 0, hit = 0, k = 0;
  bool *used = cli_keep(t->boxes.n + 1);
  double *precision = cli_keep((told->n + 1) * sizeof *precision), *recall = cli_keep((told->n + 1) * sizeof *recall),
         ap = 0, best = 0, last = 0;
  for (size_t i = 0; i < t->boxes.n; i++) n_true += t->boxes.v[i].class == class;
  if (!n_true) return NAN;
  for (size_t i = 0; i < told->n; i++) {
    if (told->v[i].class != class) continue;
    size_t match = t->boxes.n;
    double most = overlap;
    for (size_t j = 0; j < t->boxes.n; j++) {
      const box *b = &t->boxes.v[j];
      if (b->picture != told->v[i].picture || b->class != class || used[j]) continue;
      double iou = (double)pipe_overlap(&told->v[i].at, &b->at);
      if (iou >= most) most = iou, match = j;
    }
    seen++;
    if (match < t->boxes.n) used[match] = true, hit++;
    precision[k] = (double)hit / (double)seen;
    recall[k++] = (double)hit / (double)n_true;
  }
  for (size_t i = k; i-- > 0;) { /* the precision that at least this recall can be had with */
    best = fmax(best, precision[i]);
    last = i ? recall[i - 1] : 0;
    ap += best * (recall[i] - last);
  }
  return ap;
}

struct result {
  const char *path;
  double half, mean, ms; /* mAP at 0.5 and over all overlaps */
  double *class_half, *class_mean;
};

static whet_status one(const char *path, const eval_boxes_opts *o, const truth *t, int32_t classes, struct result *r,
                       whet_err *err) {
  struct detector d = {0};
  boxes told = {0};
  size_t n = o->items && (size_t)o->items < t->n_picture ? (size_t)o->items : t->n_picture;
  whet_status s = open_detector(path, o, &d, err);
  for (size_t i = 0; i < n && !s; i++) {
    s = detect_file(&d, o, t->picture[i], (int32_t)i, &told, err);
    cli_progress(path, (int64_t)i + 1, (int64_t)n);
  }
  cli_progress_end();
  *r = (struct result){.path = path, .ms = 1e3 * d.seconds / (double)(n ? n : 1)};
  close_detector(&d);
  if (s) return s;
  qsort(told.v, told.n, sizeof *told.v, by_score);
  r->class_half = cli_keep((size_t)(classes + 1) * sizeof(double)),
  r->class_mean = cli_keep((size_t)(classes + 1) * sizeof(double));
  int32_t count = 0;
  for (int32_t c = 0; c < classes; c++) {
    double sum = 0;
    for (int k = 0; k < OVERLAPS; k++) {
      double ap = precision_of(&told, t, c, 0.5 + 0.05 * k);
      if (!k) r->class_half[c] = ap;
      sum += ap;
    }
    r->class_mean[c] = sum / OVERLAPS;
    if (isnan(sum)) continue;
    r->half += r->class_half[c], r->mean += r->class_mean[c];
    count++;
  }
  r->half /= count, r->mean /= count;
  return WHET_OK;
}

static const char *class_name(const truth *t, int32_t c) {
  return (size_t)c < t->n_class ? t->class[c] : cli_keep_printf("%d", (int)c);
}

static int report(const eval_boxes_opts *o, const truth *t, const struct result *r, int n, int32_t classes) {
  if (o->json) {
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
      json_t *by = json_array();
      for (int32_t c = 0; c < classes; c++)
        if (!isnan(r[i].class_half[c]))
          json_array_append_new(by, json_pack("{s:o, s:f, s:f}", "name", cli_json_text(class_name(t, c)), "ap50",
                                              r[i].class_half[c], "ap", r[i].class_mean[c]));
      json_array_append_new(list, json_pack("{s:o, s:f, s:f, s:f, s:o}", "model", cli_json_text(r[i].path), "map50",
                                            r[i].half, "map", r[i].mean, "ms", r[i].ms, "classes", by));
    }
    return cli_json(json_pack("{s:I, s:I, s:o}", "pictures", (json_int_t)t->n_picture, "boxes",
                              (json_int_t)t->boxes.n, "models", list),
                    9);
  }
  printf("%s pictures with %s boxes\n\n", cli_count((int64_t)t->n_picture), cli_count((int64_t)t->boxes.n));
  cli_grid g;
  cli_grid_init(&g, "lrrr");
  cli_grid_head(&g, "model", "mAP at 0.5", "mAP 0.5..0.95", "ms each", NULL);
  for (int i = 0; i < n; i++) {
    cli_grid_cell(&g, "%s", cli_clean(r[i].path));
    cli_grid_cell(&g, "%.4f", r[i].half);
    cli_grid_cell(&g, "%.4f", r[i].mean);
    cli_grid_cell(&g, "%.3f", r[i].ms);
  }
  cli_grid_print(&g, stdout);
  if (classes < 2) return 0;
  printf("\n");
  cli_grid_init(&g, "lrr");
  cli_grid_head(&g, "class", "AP at 0.5", "AP 0.5..0.95", NULL);
  for (int32_t c = 0; c < classes; c++) {
    if (isnan(r[0].class_half[c])) continue;
    cli_grid_cell(&g, "%s", cli_clean(class_name(t, c)));
    cli_grid_cell(&g, "%.4f", r[0].class_half[c]);
    cli_grid_cell(&g, "%.4f", r[0].class_mean[c]);
  }
  cli_grid_print(&g, stdout);
  return 0;
}

int eval_boxes(char **path, int n, const eval_boxes_opts *o) {
  truth t = {0};
  whet_err err = {0};
  int32_t classes = 0;
  struct result *r = cli_keep((size_t)n * sizeof *r);
  if (o->html) return cli_wrong("--html draws classes, not boxes: --json has the figures");
  const char *why = cli_media_load();
  if (read_truth(o, &t, &err)) return cli_fail_err(NULL, &err);
  for (size_t i = 0; i < t.boxes.n; i++) classes = t.boxes.v[i].class >= classes ? t.boxes.v[i].class + 1 : classes;
  for (int i = 0; i < n; i++)
    if (one(path[i], o, &t, classes, &r[i], &err))
      return why && err.code == WHET_E_UNSUPPORTED ? cli_fail("%s: %s; %s", path[i], err.text, why)
                                                   : cli_fail_err(path[i], &err);
  return report(o, &t, r, n, classes);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}
double cli_eval_quantile(double *v, size_t n, double p) {
  if (!n) return NAN;
  qsort(v, n, sizeof *v, by_value);
  return v[(size_t)fmin(floor(p * (double)n), (double)n - 1)];
}
