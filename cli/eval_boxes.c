/* SPDX-License-Identifier: Apache-2.0 */
/* Detectors over a folder of pictures with annotations.csv in it:
 *
 *   file,x0,y0,x1,y1,class      a line for each object, in pixels of the picture; this heading is optional
 *   street/7.jpg,12,30,80,95,1  class: its number as the model counts, or a name of --labels
 *   street/8.jpg                a picture without objects
 *
 * Lines of one picture may stand anywhere. Names hold no commas. */

#include <math.h>

#include "base/file.h"
#include "base/str.h"
#include "edge/pipe/detect.h"
#include "edge/pipe/labels.h"
#include "edge/pipe/picture.h"
#include "eval.h"
#include "media.h"
#include "picture.h"
#include "samples.h"
#include "stats.h"
#include "whet/codec.h"

enum { MOST_PICTURES = 10000000, MOST_CLASSES = 100000 };

/* The pictures that annotations name. */
static struct {
  const char **name;
  size_t n, cap;
} k_picture;

/* ---- annotations ----------------------------------------------------------------------------- */

static whet_status bad(const char *path, int64_t line, const char *what, whet_err *err) {
  return whet__fail(err, WHET_E_DATA, "%s:%lld: %s; expected is file,x0,y0,x1,y1,class, or a file alone", path, (long long)line, what);
}

static whet_status class_of(cli_evaluation *e, const pipe_labels *labels, const char *text, int32_t *out) {
  int64_t v;
  *out = -1;
  for (size_t i = 0; i < labels->n && *out < 0; i++)
    if (!strcmp(labels->name[i], text)) *out = (int32_t)i;
  if (*out < 0 && cli_parse_int(text, &v) && v >= 0 && v < MOST_CLASSES) *out = (int32_t)v;
  if (*out < 0 || (labels->n && (size_t)*out >= labels->n)) return WHET_E_NAME;
  e->classes = (int32_t)whet__max_i(e->classes, *out + 1);
  return WHET_OK;
}

/* The number of a picture, new or known. */
static int32_t picture_of(whet_names *names, const char *name) {
  int32_t at = whet__names_get(names, name, strlen(name));
  if (at >= 0 || k_picture.n >= MOST_PICTURES) return at;
  if (!whet__grow(cli_mem(), (void **)&k_picture.name, &k_picture.cap, k_picture.n + 1, sizeof *k_picture.name)) return -1;
  const char *own = cli_keep_str(name, strlen(name));
  k_picture.name[k_picture.n] = own;
  return whet__names_set(names, own, strlen(own), (int32_t)k_picture.n) ? (int32_t)k_picture.n++ : -1;
}

static whet_status read_line(cli_evaluation *e, const pipe_labels *labels, whet_names *names, const char *path, int64_t at, char *line, size_t *cap,
                             whet_err *err) {
  char *cell[6] = {line};
  int n = 1;
  double v[4];
  for (char *p = line; *p; p++)
    if (*p == ',') {
      if (n == 6) return bad(path, at, "more than six cells", err);
      *p = 0;
      cell[n++] = p + 1;
    }
  while (n > 1 && !*cell[n - 1]) n--;
  if (at == 1 && n == 6 && !strcmp(cell[0], "file") && !strcmp(cell[5], "class")) return WHET_OK;
  if (n != 1 && n != 6) return bad(path, at, cli_keep_printf("%d cells", n), err);
  if (!*cell[0]) return n == 1 ? WHET_OK : bad(path, at, "no file is named", err);
  int32_t pic = picture_of(names, cell[0]);
  if (pic < 0) return whet__fail(err, WHET_E_LIMIT, "%s:%lld: too many pictures", path, (long long)at);
  if (n == 1) return WHET_OK;
  whet_box b = {.picture = pic, .score = 1};
  for (int k = 0; k < 4; k++)
    if (!cli_parse_real(cell[1 + k], &v[k])) return bad(path, at, cli_keep_printf("\"%.40s\" is no number", cli_clean(cell[1 + k])), err);
  if (!(v[2] > v[0] && v[3] > v[1])) return bad(path, at, "the box is empty", err);
  if (class_of(e, labels, cell[5], &b.kind))
    return whet__fail(err, WHET_E_DATA, "%s:%lld: \"%.60s\" is no class: expected is a number, or a name of --labels", path, (long long)at,
                      cli_clean(cell[5]));
  b.x0 = (float)v[0], b.y0 = (float)v[1], b.x1 = (float)v[2], b.y1 = (float)v[3];
  if (!whet__grow(cli_mem(), (void **)&e->truth, cap, e->n_truth + 1, sizeof *e->truth)) return whet__no_memory(cli_mem(), sizeof b, err, "boxes");
  e->truth[e->n_truth++] = b;
  return WHET_OK;
}

/* Names by --labels: a file with a line for each, or "a,b,c". */
static whet_status open_labels(const char *text, pipe_labels *l, whet_err *err) {
  *l = (pipe_labels){0};
  if (!text) return WHET_OK;
  if (!strchr(text, ',')) return pipe_labels_open(text, l, err);
  size_t n = 1;
  for (const char *p = text; *p; p++) n += *p == ',';
  l->name = cli_keep(n * sizeof *l->name);
  for (const char *p = text; l->n < n; p += strcspn(p, ",") + 1) l->name[l->n++] = cli_keep_str(p, strcspn(p, ","));
  return WHET_OK;
}

whet_status cli_eval_boxes_open(cli_evaluation *e, whet_err *err) {
  const char *path = cli_keep_printf("%s/annotations.csv", e->o->data), *end;
  whet_file f;
  pipe_labels labels;
  whet_names names = {.mem = cli_mem()};
  size_t cap = 0;
  int64_t line = 0;
  WHET_TRY(open_labels(e->o->labels, &labels, err));
  WHET_TRY(whet__file_open(path, false, cli_mem(), &f, err));
  whet_status s = WHET_OK;
  e->classes = (int32_t)labels.n;
  for (const char *p = (const char *)f.p, *stop = p + f.n; !s && p < stop; p = end + 1) {
    end = memchr(p, '\n', (size_t)(stop - p));
    if (!end) end = stop;
    size_t n = (size_t)(end - p) - (end > p && end[-1] == '\r');
    line++;
    if (n > 5000 || memchr(p, 0, n))
      s = bad(path, line, "the line is no text or too long", err);
    else
      s = read_line(e, &labels, &names, path, line, cli_keep_str(p, n), &cap, err);
  }
  whet__file_close(&f);
  whet__names_free(&names);
  e->name = cli_keep((size_t)(e->classes + 1) * sizeof *e->name);
  for (int32_t i = 0; i < e->classes; i++) e->name[i] = (size_t)i < labels.n ? labels.name[i] : cli_keep_printf("%d", i);
  e->n = (int64_t)k_picture.n;
  if (e->o->limit) e->n = whet__min_i(e->n, e->o->limit);
  e->kind = "annotated pictures";
  if (!s && !e->n_truth) s = whet__fail(err, WHET_E_DATA, "%s: there are no boxes in it", path);
  return s;
}

/* ---- a detector ------------------------------------------------------------------------------ */

/* A model on its way through the pictures. */
struct run {
  const cli_evaluation *e;
  whet_session *s;
  pipe_picture *prep;
  pipe_detect *detect;
  cli_eval_model *m;
  size_t cap;
};

static whet_status one(struct run *r, int32_t at, const whet_picture *pic, whet_err *err) {
  int32_t rank, w, h;
  int64_t dims[WHET_MAX_RANK];
  size_t need, bytes, n = whet_session_outputs(r->s), found;
  pipe_tensor out[8];
  whet_prep_place place;
  const pipe_object *o;
  WHET_TRY(pipe_picture_shape(r->prep, pic->width, pic->height, &rank, dims, &need, err));
  WHET_TRY(whet_session_resize(r->s, 0, rank, dims, err));
  void *in = whet_session_input(r->s, 0, &bytes, err);
  if (!in) return err->code;
  WHET_TRY(pipe_picture_run(r->prep, pic, in, bytes, err));
  WHET_TRY(pipe_picture_placed(r->prep, pic->width, pic->height, &place, err));
  pipe_picture_size(r->prep, &w, &h);
  double began = cli_now_us();
  WHET_TRY(whet_session_run(r->s, NULL, err));
  r->m->x.seconds += 1e-6 * (cli_now_us() - began);
  if (n > WHET_COUNT(out)) n = WHET_COUNT(out);
  for (size_t i = 0; i < n; i++) WHET_TRY(pipe_tensor_output(r->s, i, &out[i], err));
  WHET_TRY(pipe_detect_run(r->detect, out, n, w, h, &place, pic->width, pic->height, &o, &found, err));
  cli_eval_model *m = r->m;
  if (!whet__grow(cli_mem(), (void **)&m->box, &r->cap, m->n_box + found + 1, sizeof *m->box))
    return whet__no_memory(cli_mem(), found * sizeof *m->box, err, "boxes");
  for (size_t i = 0; i < found; i++)
    m->box[m->n_box++] = (whet_box){o[i].x0, o[i].y0, o[i].x1, o[i].y1, o[i].score, at, (int32_t)o[i].index};
  return WHET_OK;
}

static whet_status all(struct run *r, whet_err *err) {
  const char *what = cli_keep_printf("%.60s", cli_clean(r->m->path));
  for (int32_t i = 0; i < r->e->n; i++) {
    whet_file f;
    whet_picture pic;
    whet_decode_opts o = whet_decode_opts_default();
    o.convert = 1;
    o.color = WHET_PIXEL_RGB;
    WHET_TRY(whet__file_open_in(r->e->o->data, k_picture.name[i], false, cli_mem(), &f, err));
    whet_status s = whet_picture_decode(f.p, f.n, &o, &pic, err);
    whet__file_close(&f);
    if (s) return whet__fail(err, s, "%.200s: %s", k_picture.name[i], cli_keep_str(err->text, strlen(err->text)));
    s = one(r, i, &pic, err);
    whet_picture_free(&pic);
    WHET_TRY(s);
    cli_progress(what, i + 1, r->e->n);
  }
  return WHET_OK;
}

static whet_status precision(const cli_evaluation *e, cli_eval_model *m, whet_err *err) {
  double sum = 0, sum50 = 0;
  int32_t seen = 0;
  size_t n_truth = 0;
  whet_box *truth = cli_keep((e->n_truth + 1) * sizeof *truth); /* of the pictures that were looked at */
  for (size_t i = 0; i < e->n_truth; i++)
    if (e->truth[i].picture < e->n) truth[n_truth++] = e->truth[i];
  m->class = cli_keep((size_t)(e->classes + 1) * sizeof *m->class);
  memset(m->class, 0, (size_t)(e->classes + 1) * sizeof *m->class);
  for (size_t i = 0; i < n_truth; i++) m->class[truth[i].kind].items++;
  for (size_t i = 0; i < m->n_box; i++)
    if (m->box[i].kind < e->classes) m->class[m->box[i].kind].told++;
  for (int32_t k = 0; k < e->classes; k++) {
    cli_eval_class *c = &m->class[k];
    c->precision = c->recall = c->f1 = c->auc = NAN;
    for (int i = 0; i < CLI_EVAL_OVERLAPS; i++) {
      WHET_TRY(whet__average_precision(m->box, m->n_box, truth, n_truth, k, 0.5 + 0.05 * i, cli_mem(), &c->ap[i], err));
      if (isnan(c->ap[i])) continue;
      sum += c->ap[i] / CLI_EVAL_OVERLAPS;
      if (!i) sum50 += c->ap[i], seen++;
    }
  }
  m->value = m->map = sum / whet__max_i(seen, 1);
  m->map50 = sum50 / (double)whet__max_i(seen, 1);
  m->ms = 1000 * m->x.seconds / (double)whet__max_i(e->n, 1);
  return WHET_OK;
}

static whet_status open_run(struct run *r, whet_model *model, pipe_anchor **anchor, whet_err *err) {
  const cli_eval_opts *o = r->e->o;
  whet_program_opts po = whet_program_opts_default();
  pipe_detect_opts d = pipe_detect_opts_default((pipe_detector)(o->detector - 1));
  pipe_picture_opts p = {.fit = (whet_fit)o->fit, .bgr = o->bgr};
  whet_program *program;
  whet_feed feed = {0};
  whet_info in;
  d.least_score = (float)o->score;
  d.overlap = (float)o->overlap;
  d.objectness = o->objectness;
  d.sigmoid = o->sigmoid;
  if (o->anchors) WHET_TRY(pipe_anchors_read(o->anchors, anchor, &d.n_anchor, err));
  d.anchor = *anchor;
  if (whet_model_inputs(model) != 1)
    return whet__fail(err, WHET_E_UNSUPPORTED, "the model has %zu inputs; detectors of one are measured", whet_model_inputs(model));
  cli_feed_numbers(model, o->range, o->mean, o->std, &feed);
  p.ranged = feed.ranged, p.lo = feed.lo, p.hi = feed.hi, p.n_mean = feed.n_mean, p.n_std = feed.n_std;
  memcpy(p.mean, feed.mean, sizeof p.mean);
  memcpy(p.std, feed.std, sizeof p.std);
  WHET_TRY(whet_model_input(model, 0, &in));
  WHET_TRY(pipe_picture_create(&in, whet_model_format(model) == WHET_FORMAT_ONNX, &p, &r->prep, err));
  WHET_TRY(pipe_detect_create(&d, &r->detect, err));
  po.threads = (int)o->threads;
  po.precision = cli_eval_precision(o);
  WHET_TRY(whet_program_create(model, &po, &program, err));
  whet_status s = whet_session_create(program, &r->s, err);
  whet_program_close(&program);
  return s;
}

whet_status cli_eval_boxes(cli_evaluation *e, whet_model *model, cli_eval_model *m, whet_err *err) {
  struct run r = {.e = e, .m = m};
  pipe_anchor *anchor = NULL;
  m->top1 = m->top5 = m->loss = m->mse = m->auc = m->map = m->map50 = m->lo = m->hi = m->threshold = NAN;
  const char *why = cli_media_load();
  whet_status s = open_run(&r, model, &anchor, err);
  if (!s) s = all(&r, err);
  if (s == WHET_E_UNSUPPORTED && why) cli_error("%s", why);
  cli_progress_end();
  whet_session_close(&r.s);
  pipe_detect_close(&r.detect);
  pipe_picture_close(&r.prep);
  free(anchor);
  return s ? s : precision(e, m, err);
}
