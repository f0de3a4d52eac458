/* SPDX-License-Identifier: Apache-2.0 */
/* A teacher: items turned into what it takes, run, its answers softened.
 *
 *   pupil's item ─▶ other layout, size, type ─▶ teacher ─▶ scores ─▶ shares at temperature T
 *                                                      └─▶ matched tensor ─▶ how alike the items are */

#include "train/teacher.h"

#include <float.h>
#include <math.h>

#include "base/dtype.h"
#include "pass/pass.h"
#include "train/loss.h"
#include "train/measure.h"

/* Where the sample at (y, x, c) lies in an item. */
struct grid {
  int64_t h, w, c, sy, sx, sc;
};

struct whet_teacher {
  whet_mem *mem;
  const whet_teach *o;
  whet_session *session;
  whet_feed feed;         /* the teacher's */
  int64_t batch, group;   /* items of the pupil's batch, and of one of its runs */
  int64_t numbers, width; /* floats of the answer, and with the matched tensor's */
  int64_t item, own;      /* floats of an item, the pupil's and the teacher's */
  bool soften, shares;    /* answers are scores; they are shares already */
  bool pictures;
  struct grid from, to;
  float *shown;           /* one item */
  float *row;             /* [batch][width] */
  bool *known;
  uint64_t print;
  whet_said said;
};

/* ---- items ----------------------------------------------------------------------------------- */

static int64_t count(const whet_feed *f) {
  int64_t n = 1;
  for (int32_t i = 0; i < f->rank; i++) n *= f->dims[i];
  return n;
}

static struct grid grid_of(const whet_feed *f) {
  int32_t first = f->first;
  struct grid g = {.h = f->dims[first], .w = f->dims[1 + first], .c = f->dims[first ? 0 : 2]};
  g.sy = first ? g.w : g.w * g.c;
  g.sx = first ? 1 : g.c;
  g.sc = first ? g.h * g.w : 1;
  return g;
}

/* A flat picture is one of pixels, as the readers make it. */
static struct grid flat_as(const struct grid *g) {
  return (struct grid){.h = g->h, .w = g->w, .c = g->c, .sy = g->w * g->c, .sx = g->c, .sc = 1};
}

static whet_status arrange(whet_teacher *t, const whet_set *s, const whet_feed *pupil, whet_err *err) {
  const whet_feed *own = &t->feed;
  t->item = count(pupil), t->own = count(own);
  t->pictures = whet__set_item_kind(s) == WHET_ITEM_PICTURE && (pupil->rank == 3 || own->rank == 3);
  if (t->pictures) {
    if (pupil->rank == 3) t->from = grid_of(pupil);
    if (own->rank == 3) t->to = grid_of(own);
    if (pupil->rank != 3) t->from = flat_as(&t->to);
    if (own->rank != 3) t->to = flat_as(&t->from);
  }
  bool sizes = pupil->rank == 3 && own->rank == 3;
  if (sizes ? t->from.c != t->to.c : t->item != t->own)
    return whet__fail(err, WHET_E_SHAPE, "the teacher takes items of %lld numbers%s, the model of %lld", (long long)t->own,
                      sizes ? " in other channels" : "", (long long)t->item);
  return WHET_OK;
}

/* Bilinear, centres of pixels on centres of pixels; as it is where sizes agree. */
static void resample(const struct grid *a, const float *x, const struct grid *b, float *y) {
  for (int64_t i = 0; i < b->h; i++) {
    double v = fmin(fmax(((double)i + 0.5) * (double)a->h / (double)b->h - 0.5, 0), (double)a->h - 1);
    int64_t y0 = (int64_t)v, y1 = whet__min_i(y0 + 1, a->h - 1);
    float fy = (float)(v - (double)y0);
    for (int64_t j = 0; j < b->w; j++) {
      double u = fmin(fmax(((double)j + 0.5) * (double)a->w / (double)b->w - 0.5, 0), (double)a->w - 1);
      int64_t x0 = (int64_t)u, x1 = whet__min_i(x0 + 1, a->w - 1);
      float fx = (float)(u - (double)x0);
      for (int64_t c = 0; c < b->c; c++) {
        const float *p = x + c * a->sc;
        float top = p[y0 * a->sy + x0 * a->sx] * (1 - fx) + p[y0 * a->sy + x1 * a->sx] * fx;
        float low = p[y1 * a->sy + x0 * a->sx] * (1 - fx) + p[y1 * a->sy + x1 * a->sx] * fx;
        y[i * b->sy + j * b->sx + c * b->sc] = fy > 0 ? top * (1 - fy) + low * fy : top;
      }
    }
  }
}

static void show(const whet_teacher *t, const float *x, char *in) {
  const float *y = x;
  if (t->pictures) {
    resample(&t->from, x, &t->to, t->shown);
    y = t->shown;
  }
  if (t->feed.dtype == WHET_F32)
    memcpy(in, y, (size_t)t->own * sizeof *y);
  else
    whet__feed_store(&t->feed, y, t->own, in);
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Does output 0 come from a Softmax, whatever only moves or stores it otherwise? */
static bool ends_in_softmax(const whet_graph *g) {
  static const char *const k_through[] = {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast", "QuantizeLinear", "DequantizeLinear"};
  int32_t v = g->main.out[0];
  for (int32_t i = g->main.n_node - 1; i >= 0; i--) {
    const whet_node *n = &g->node[g->main.node[i]];
    if (!n->n_out || n->out[0] != v) continue;
    if (whet__is_op(n, "Softmax")) return true;
    bool through = false;
    for (size_t k = 0; k < WHET_COUNT(k_through); k++) through |= whet__is_op(n, k_through[k]);
    if (!through) return false;
    v = n->in[0];
  }
  return false;
}

/* softmax(scores / T); of shares p, their logarithms are scores. */
static void soften(const whet_teacher *t, const float *row, float *told) {
  double most = -DBL_MAX, all = 0, temperature = t->o->temperature;
  for (int64_t k = 0; k < t->numbers; k++) {
    double z = t->shares ? log(fmax((double)row[k], (double)FLT_MIN)) : (double)row[k];
    told[k] = (float)(z / temperature);
    most = fmax(most, (double)told[k]);
  }
  for (int64_t k = 0; k < t->numbers; k++) all += exp((double)told[k] - most);
  for (int64_t k = 0; k < t->numbers; k++) told[k] = (float)(exp((double)told[k] - most) / all);
}

/* Rows of products of the matched tensor, each of length 1. */
static void compare(const whet_teacher *t, float *alike) {
  int64_t n = t->width - t->numbers;
  for (int64_t i = 0; i < t->batch; i++) {
    const float *a = t->row + i * t->width + t->numbers;
    double length = 1e-12;
    for (int64_t k = 0; k < t->batch; k++) {
      const float *b = t->row + k * t->width + t->numbers;
      double sum = 0;
      for (int64_t j = 0; j < n; j++) sum += (double)a[j] * (double)b[j];
      alike[i * t->batch + k] = (float)sum;
      length += sum * sum;
    }
    for (int64_t k = 0; k < t->batch; k++) alike[i * t->batch + k] = (float)((double)alike[i * t->batch + k] / sqrt(length));
  }
}

/* Output `out` of a run into the rows of its items. */
static whet_status take(whet_teacher *t, size_t out, int64_t from, int64_t n, int64_t at, int64_t wide, whet_err *err) {
  size_t bytes;
  whet_info info;
  const void *p = whet_session_output(t->session, out, &bytes, err);
  if (!p) return err->code;
  WHET_TRY(whet_session_output_info(t->session, out, &info));
  int64_t all = 1;
  for (int32_t d = 0; d < info.rank; d++) all *= info.dims[d];
  if (all != wide * t->group || !(whet__is_float(info.dtype) || whet__is_int(info.dtype)))
    return whet__fail(err, WHET_E_SHAPE, "the teacher's output \"%s\" (%s) has %lld numbers for %lld items, expected %lld for each",
                      info.name ? info.name : "", whet_dtype_name(info.dtype), (long long)all, (long long)t->group, (long long)wide);
  for (int64_t i = 0; i < n; i++) {
    float *to = t->row + (from + i) * t->width + at;
    for (int64_t k = 0; k < wide; k++) to[k] = (float)whet__real(&info, p, i * wide + k);
  }
  return WHET_OK;
}

static whet_status run(whet_teacher *t, const float *x, int64_t from, whet_err *err) {
  size_t bytes;
  char *in = whet_session_input(t->session, 0, &bytes, err);
  if (!in) return err->code;
  size_t each = bytes / (size_t)t->group;
  for (int64_t i = 0; i < t->group; i++) show(t, x + (from + i) * t->item, in + (size_t)i * each);
  WHET_TRY(whet_session_run(t->session, NULL, err));
  WHET_TRY(take(t, 0, from, t->group, 0, t->numbers, err));
  return t->width > t->numbers ? take(t, 1, from, t->group, t->numbers, t->width - t->numbers, err) : WHET_OK;
}

whet_status whet__teacher_tell(whet_teacher *t, const float *x, const int32_t *item, float *told, float *alike, whet_err *err) {
  for (int64_t i = 0; i < t->batch; i++) t->known[i] = whet__said_get(&t->said, item[i], t->row + i * t->width);
  for (int64_t from = 0; from < t->batch; from += t->group) {
    bool all = true;
    for (int64_t i = from; i < from + t->group; i++) all &= t->known[i];
    if (all) continue;
    WHET_TRY(run(t, x, from, err));
    for (int64_t i = from; i < from + t->group; i++)
      if (!t->known[i]) WHET_TRY(whet__said_put(&t->said, item[i], t->row + i * t->width, err));
  }
  for (int64_t i = 0; i < t->batch; i++) {
    const float *row = t->row + i * t->width;
    if (t->soften)
      soften(t, row, told + i * t->numbers);
    else
      memcpy(told + i * t->numbers, row, (size_t)t->numbers * sizeof *told);
  }
  if (alike) compare(t, alike);
  return WHET_OK;
}

uint64_t whet__teacher_print(const whet_teacher *t) { return t->print; }

/* ---- opening --------------------------------------------------------------------------------- */

/* Of what is made of the answers. */
static uint64_t print_of(const whet_teacher *t, const whet_train_opts *o) {
  const double n[] = {t->o->temperature, t->o->mix, t->o->match ? t->o->match_weight : 0, (double)o->batch};
  uint64_t h = whet__hash(WHET_HASH_SEED, n, sizeof n);
  const char *const name[] = {t->o->match, t->o->match_teacher};
  for (int i = 0; i < 2; i++)
    if (name[i]) h = whet__hash(h, name[i], strlen(name[i]));
  return h;
}

/* Of the answers alone: the model's nodes and constants, and the items. */
static whet_status print_said(const whet_teacher *t, const whet_model *m, const whet_set *s, const whet_feed *feed, uint64_t *out, whet_err *err) {
  const whet_graph *g = &m->graph;
  uint64_t h = WHET_HASH_SEED;
  for (int32_t i = 0; i < g->main.n_node; i++) {
    const char *name = g->node[g->main.node[i]].op->name;
    h = whet__hash(h, name, strlen(name));
  }
  for (int32_t v = 0; v < g->n_val; v++)
    if (g->val[v].data) h = whet__hash(h, g->val[v].data->p, g->val[v].data->n);
  if (t->o->match_teacher) h = whet__hash(h, t->o->match_teacher, strlen(t->o->match_teacher));
  whet_reader *r;
  WHET_TRY(whet__reader_create(s, feed, &r, err));
  float *x = whet__alloc_array(t->mem, (size_t)t->item, sizeof *x);
  whet_status st = x ? whet__reader_get(r, 0, x, NULL, err) : whet__no_memory(t->mem, (size_t)t->item * sizeof *x, err, "an item");
  if (!st) h = whet__hash(h, x, (size_t)t->item * sizeof *x);
  whet__free(t->mem, x);
  whet__reader_close(&r);
  *out = h;
  return st;
}

/* The teacher with the matched tensor as its second output. */
static whet_status with_match(const whet_teach *o, whet_model *m, whet_model **out, whet_err *err) {
  WHET_TRY(whet__model_derive(m, out, err));
  whet_graph *g = &(*out)->graph;
  (*out)->n_signature = 0;
  int32_t *ends = whet__arena_array(&g->arena, 2, sizeof *ends);
  whet_status s = ends ? WHET_OK : whet__fail(err, WHET_E_MEMORY, "no memory for the teacher");
  if (!s && o->match_teacher) {
    ends[0] = g->main.out[0];
    ends[1] = whet__value_called(g, &g->main, o->match_teacher);
    if (ends[1] < 0) s = whet__fail(err, WHET_E_NAME, "no tensor and no node of the teacher is called \"%.100s\"", o->match_teacher);
    g->main.out = ends, g->main.n_out = 2;
  }
  if (s) whet_model_close(out);
  return s;
}

/* A session for whole batches, or where the model has another batch of its own, for that. */
static whet_status open_session(whet_teacher *t, whet_model *m, int threads, whet_err *err) {
  whet_program_opts po = whet_program_opts_default();
  whet_program *p;
  whet_info in;
  po.threads = threads;
  WHET_TRY(whet_program_create(m, &po, &p, err));
  whet_status s = whet_session_create(p, &t->session, err);
  whet_program_close(&p);
  WHET_TRY(s);
  WHET_TRY(whet_model_input(m, 0, &in));
  int64_t dims[WHET_MAX_RANK];
  memcpy(dims + 1, t->feed.dims, (size_t)t->feed.rank * sizeof *dims);
  for (int turn = 0; turn < 2; turn++) {
    t->group = dims[0] = turn && in.dims[0] > 0 ? in.dims[0] : t->batch;
    whet_err why = {0};
    size_t bytes;
    whet_info out;
    s = whet_session_resize(t->session, 0, t->feed.rank + 1, dims, &why);
    if (!s && !whet_session_output(t->session, 0, &bytes, &why)) s = why.code ? why.code : WHET_E_SHAPE;
    if (!s) s = whet_session_output_info(t->session, 0, &out);
    int64_t all = 1;
    for (int32_t d = 0; !s && d < out.rank; d++) all *= out.dims[d];
    if (!s && all == t->numbers * t->group && t->batch % t->group == 0) return WHET_OK;
    if (!turn) continue;
    if (s) return whet__fail(err, s, "the teacher: %s", why.text);
    if (t->batch % t->group)
      return whet__fail(err, WHET_E_SHAPE, "the teacher takes %lld items at once, of which a batch of %lld is no multiple", (long long)t->group,
                        (long long)t->batch);
    return whet__fail(err, WHET_E_SHAPE, "the teacher tells %lld numbers of an item, the model %lld", (long long)(all / t->group),
                      (long long)t->numbers);
  }
  return WHET_OK;
}

static whet_status open_teacher(whet_teacher *t, whet_model *m, const whet_train_opts *o, const whet_set *s, const whet_feed *feed,
                                whet_err *err) {
  whet_info in, out;
  if (whet_model_inputs(m) != 1 || whet_model_outputs(m) < 1)
    return whet__fail(err, WHET_E_UNSUPPORTED, "the teacher has %zu inputs; models of one teach", whet_model_inputs(m));
  WHET_TRY(whet_model_input(m, 0, &in));
  WHET_TRY(whet__feed_of(s, &in, &t->feed, err));
  if (!(whet__is_float(in.dtype) || whet__is_int(in.dtype)) || whet_dtype_bits(in.dtype) < 8)
    return whet__fail(err, WHET_E_TYPE, "the teacher's input is %s; numbers of 8 bits and more are fed", whet_dtype_name(in.dtype));
  WHET_TRY(arrange(t, s, feed, err));
  WHET_TRY(open_session(t, m, o->threads, err));
  t->width = t->numbers;
  if (t->o->match_teacher) {
    int64_t all = 1;
    WHET_TRY(whet_session_output_info(t->session, 1, &out));
    for (int32_t d = 0; d < out.rank; d++) all *= out.dims[d];
    if (out.rank < 1 || all <= 0 || all % t->group)
      return whet__fail(err, WHET_E_SHAPE, "the teacher's tensor \"%s\" cannot be matched: it has not the batch in front", t->o->match_teacher);
    t->width += all / t->group;
  }
  t->shares = ends_in_softmax(&m->graph);
  t->shown = whet__alloc_array(t->mem, (size_t)t->own, sizeof *t->shown);
  t->row = whet__alloc_array(t->mem, (size_t)(t->batch * t->width), sizeof *t->row);
  t->known = whet__alloc_array(t->mem, (size_t)t->batch, sizeof *t->known);
  if (!t->shown || !t->row || !t->known) return whet__no_memory(t->mem, (size_t)(t->batch * t->width) * sizeof *t->row, err, "the teacher");
  uint64_t print;
  WHET_TRY(print_said(t, m, s, feed, &print, err));
  t->print = print ^ print_of(t, o);
  return t->o->cache ? whet__said_open(t->o->cache, print, whet__set_count(s), t->width, &t->said, err) : WHET_OK;
}

whet_status whet__teacher_open(const whet_train_opts *o, const whet_set *s, const whet_feed *feed, int64_t numbers, bool soft, whet_mem *m,
                               whet_teacher **out, whet_err *err) {
  *out = NULL;
  whet_teacher *t = whet__alloc0(m, sizeof *t);
  whet_model *model;
  if (!t) return whet__no_memory(m, sizeof *t, err, "the teacher");
  *t = (whet_teacher){.mem = m, .o = &o->teach, .batch = o->batch, .numbers = numbers, .soften = soft, .said = {.fd = -1}};
  whet_status st = with_match(t->o, o->teach.model, &model, err);
  if (!st) {
    st = open_teacher(t, model, o, s, feed, err);
    whet_model_close(&model);
  }
  if (st)
    whet__teacher_close(&t);
  else
    *out = t;
  return st;
}

void whet__teacher_close(whet_teacher **pt) {
  whet_teacher *t = *pt;
  if (!t) return;
  whet_mem *m = t->mem;
  whet__said_close(&t->said);
  whet_session_close(&t->session);
  void *own[] = {t->shown, t->row, t->known, t};
  for (size_t i = 0; i < WHET_COUNT(own); i++) whet__free(m, own[i]);
  *pt = NULL;
}
