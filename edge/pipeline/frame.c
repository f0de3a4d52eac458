/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, their bytes, and the pool of both. */

#include "edge/pipeline/frame.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "edge/pipe/draw.h"

void pl_pool_init(pl_pool *p, size_t most) {
  *p = (pl_pool){.most = most};
  pthread_mutex_init(&p->lock, NULL);
}

static void frame_destroy(pl_frame *f) {
  free(f->object);
  free(f->class);
  free(f->point);
  free(f);
}

void pl_pool_free(pl_pool *p) {
  while (p->frame) {
    pl_frame *f = p->frame;
    p->frame = f->next;
    frame_destroy(f);
  }
  while (p->blob) {
    pl_blob *b = p->blob;
    p->blob = b->next;
    free(b->p);
    free(b);
  }
  pthread_mutex_destroy(&p->lock);
}

/* Take the free blob that fits best: the smallest that is large enough, else the largest. Under the lock. */
static pl_blob *best_of(pl_pool *p, size_t n) {
  pl_blob **best = NULL;
  for (pl_blob **at = &p->blob; *at; at = &(*at)->next)
    if (!best || ((*at)->cap >= n ? (*best)->cap < n || (*at)->cap < (*best)->cap
                                  : (*best)->cap < n && (*at)->cap > (*best)->cap))
      best = at;
  if (!best) return NULL;
  pl_blob *b = *best;
  *best = b->next;
  return b;
}

pl_blob *pl_blob_new(pl_pool *p, size_t n) {
  pthread_mutex_lock(&p->lock);
  pl_blob *b = best_of(p, n);
  size_t have = b ? b->cap : 0, want = (n + 63) & ~(size_t)63;
  bool grow = !b || have < n, ok = !grow || (want >= n && want - have <= p->most - p->bytes);
  if (ok && grow) p->bytes += want - have, p->taken++;
  if (!ok && b) b->next = p->blob, p->blob = b;
  pthread_mutex_unlock(&p->lock);
  if (!ok) return NULL;
  if (grow) {
    if (b)
      free(b->p);
    else
      b = calloc(1, sizeof *b);
    if (b) b->p = aligned_alloc(64, want ? want : 64);
    if (!b || !b->p) {
      pthread_mutex_lock(&p->lock);
      p->bytes -= want;
      pthread_mutex_unlock(&p->lock);
      free(b);
      return NULL;
    }
    b->cap = want;
  }
  b->next = NULL;
  b->ref = 1;
  return b;
}

void pl_blob_drop(pl_pool *p, pl_blob **at) {
  pl_blob *b = *at;
  *at = NULL;
  if (!b || atomic_fetch_sub(&b->ref, 1) != 1) return;
  pthread_mutex_lock(&p->lock);
  b->next = p->blob;
  p->blob = b;
  pthread_mutex_unlock(&p->lock);
}

pl_frame *pl_frame_new(pl_pool *p) {
  pthread_mutex_lock(&p->lock);
  pl_frame *f = p->frame;
  if (f)
    p->frame = f->next;
  else
    p->taken++;
  pthread_mutex_unlock(&p->lock);
  if (!f && !(f = calloc(1, sizeof *f))) return NULL;
  /* the lists stay with the frame; all else begins anew */
  pl_frame keep = {.object = f->object,
                   .cap_object = f->cap_object,
                   .class = f->class,
                   .cap_class = f->cap_class,
                   .point = f->point,
                   .cap_point = f->cap_point};
  *f = keep;
  f->pool = p;
  f->at = f->until = -1;
  return f;
}

void pl_frame_free(pl_frame *f) {
  if (!f) return;
  pl_pool *p = f->pool;
  pl_blob_drop(p, &f->blob);
  pthread_mutex_lock(&p->lock);
  f->next = p->frame;
  p->frame = f;
  pthread_mutex_unlock(&p->lock);
}

/* Room for `need` entries of a list. */
static bool room(void **p, size_t *cap, size_t need, size_t each, pl_pool *pool) {
  if (need <= *cap) return true;
  size_t want = *cap ? 2 * *cap : 16;
  while (want < need) want *= 2;
  void *q = realloc(*p, want * each);
  if (!q) return false;
  pthread_mutex_lock(&pool->lock);
  pool->taken++;
  pthread_mutex_unlock(&pool->lock);
  *p = q;
  *cap = want;
  return true;
}

pl_object *pl_add_object(pl_frame *f) {
  if (!room((void **)&f->object, &f->cap_object, f->n_object + 1, sizeof *f->object, f->pool)) return NULL;
  f->object[f->n_object] = (pl_object){0};
  return &f->object[f->n_object++];
}

pl_class *pl_add_class(pl_frame *f) {
  if (!room((void **)&f->class, &f->cap_class, f->n_class + 1, sizeof *f->class, f->pool)) return NULL;
  f->class[f->n_class] = (pl_class){0};
  return &f->class[f->n_class++];
}

pl_point *pl_add_point(pl_frame *f) {
  if (!room((void **)&f->point, &f->cap_point, f->n_point + 1, sizeof *f->point, f->pool)) return NULL;
  f->point[f->n_point] = (pl_point){0};
  return &f->point[f->n_point++];
}

void pl_set_value(pl_frame *f, const char *name, double v) {
  size_t i = 0;
  while (i < f->n_value && strcmp(f->value[i].name, name)) i++;
  if (i == PL_VALUES) return;
  f->value[i] = (pl_value){name, v};
  if (i == f->n_value) f->n_value++;
}

bool pl_get_value(const pl_frame *f, const char *name, double *v) {
  for (size_t i = 0; i < f->n_value; i++)
    if (!strcmp(f->value[i].name, name)) return *v = f->value[i].v, true;
  return false;
}

pl_frame *pl_frame_copy(const pl_frame *f) {
  pl_frame *c = pl_frame_new(f->pool);
  if (!c) return NULL;
  pl_frame lists = *c;
  if (!room((void **)&lists.object, &lists.cap_object, f->n_object, sizeof *f->object, f->pool) ||
      !room((void **)&lists.class, &lists.cap_class, f->n_class, sizeof *f->class, f->pool) ||
      !room((void **)&lists.point, &lists.cap_point, f->n_point, sizeof *f->point, f->pool)) {
    c->object = lists.object, c->cap_object = lists.cap_object; /* what grew stays */
    c->class = lists.class, c->cap_class = lists.cap_class;
    c->point = lists.point, c->cap_point = lists.cap_point;
    pl_frame_free(c);
    return NULL;
  }
  *c = *f;
  c->next = NULL;
  c->object = lists.object, c->cap_object = lists.cap_object;
  c->class = lists.class, c->cap_class = lists.cap_class;
  c->point = lists.point, c->cap_point = lists.cap_point;
  if (f->n_object) memcpy(c->object, f->object, f->n_object * sizeof *f->object);
  if (f->n_class) memcpy(c->class, f->class, f->n_class * sizeof *f->class);
  if (f->n_point) memcpy(c->point, f->point, f->n_point * sizeof *f->point);
  if (c->blob) atomic_fetch_add(&c->blob->ref, 1);
  c->n_output = 0;
  c->loaded = false;
  c->resume = NULL;
  return c;
}

void pl_frame_from(pl_frame *to, const pl_frame *f) {
  to->seq = f->seq;
  to->time = f->time;
  to->arrived = f->arrived;
  to->at = f->at;
  to->until = f->until;
  to->source = f->source;
  to->rate = f->rate;
  to->width = f->width;
  to->height = f->height;
  to->hidden = f->hidden;
  memcpy(to->item, f->item, sizeof to->item);
}

size_t pl_frame_bytes(const pl_frame *f) {
  if (f->content == PL_PICTURE)
    return (size_t)f->pic.width * (size_t)f->pic.height * (size_t)pl_pixel_bytes(f->pic.pixel);
  return f->content == PL_NUMBERS ? whet_dtype_bytes(f->numbers.dtype, f->numbers.n) : 0;
}

void pl_frame_bare(pl_frame *f) {
  pl_blob_drop(f->pool, &f->blob);
  f->content = PL_NOTHING;
  f->pic = (whet_picture){0};
  f->numbers = (pipe_tensor){0};
}

int pl_pixel_bytes(whet_pixel p) { return pipe_pixel_bytes(p); }

/* New bytes for a frame instead of what it held. */
static whet_status content(pl_frame *f, size_t bytes, whet_err *err) {
  pl_frame_bare(f);
  f->blob = pl_blob_new(f->pool, bytes);
  if (f->blob) return WHET_OK;
  return edge_fail(err, bytes > f->pool->most / 2 ? WHET_E_LIMIT : WHET_E_MEMORY,
                   "no room for a frame of %zu bytes: frames hold %zu of %zu", bytes, f->pool->bytes, f->pool->most);
}

whet_status pl_frame_picture(pl_frame *f, int32_t width, int32_t height, whet_pixel pixel, whet_err *err) {
  if (width <= 0 || height <= 0 || width > 1 << 24 || height > 1 << 24)
    return edge_fail(err, WHET_E_DATA, "a picture of %d x %d pixels", width, height);
  size_t row = (size_t)width * (size_t)pl_pixel_bytes(pixel);
  EDGE_TRY(content(f, row * (size_t)height, err));
  f->content = PL_PICTURE;
  f->pic = (whet_picture){.size = sizeof f->pic,
                          .data = f->blob->p,
                          .width = width,
                          .height = height,
                          .stride = (ptrdiff_t)row,
                          .pixel = pixel};
  f->width = width;
  f->height = height;
  f->crop_x = f->crop_y = 0;
  return WHET_OK;
}

whet_status pl_frame_numbers(pl_frame *f, whet_dtype t, int32_t rank, const int64_t *dims, whet_err *err) {
  size_t n = 1, each = whet_dtype_bits(t) / 8;
  bool ok = each && rank >= 0 && rank <= WHET_MAX_RANK && t != WHET_STRING;
  for (int32_t i = 0; ok && i < rank; i++) {
    ok = dims[i] >= 0 && (!dims[i] || n <= SIZE_MAX / 64 / (size_t)dims[i]);
    n *= ok ? (size_t)dims[i] : 0;
  }
  if (!ok)
    return edge_fail(err, WHET_E_SHAPE, "numbers of this type or shape are none that a frame can hold (%s)",
                     whet_dtype_name(t));
  EDGE_TRY(content(f, n * each, err));
  f->content = PL_NUMBERS;
  f->numbers = (pipe_tensor){.name = "numbers", .dtype = t, .rank = rank, .data = f->blob->p, .n = n};
  for (int32_t i = 0; i < rank; i++) f->numbers.dims[i] = dims[i];
  return WHET_OK;
}

whet_status pl_frame_own(pl_frame *f, whet_err *err) {
  if (f->content != PL_PICTURE) return edge_fail(err, WHET_E_TYPE, "the frame holds no picture");
  size_t row = (size_t)f->pic.width * (size_t)pl_pixel_bytes(f->pic.pixel);
  if (atomic_load(&f->blob->ref) == 1) return WHET_OK;
  pl_blob *b = pl_blob_new(f->pool, row * (size_t)f->pic.height);
  if (!b) return edge_fail(err, WHET_E_MEMORY, "no room for a copy of a picture");
  for (int32_t y = 0; y < f->pic.height; y++)
    memcpy(b->p + (size_t)y * row, (const uint8_t *)f->pic.data + y * f->pic.stride, row);
  pl_blob_drop(f->pool, &f->blob);
  f->blob = b;
  f->pic.data = b->p;
  f->pic.stride = (ptrdiff_t)row;
  return WHET_OK;
}

whet_status pl_frame_rows(const pl_frame *f, size_t *rows, size_t *columns, const float **p, whet_err *err) {
  const pipe_tensor *t = &f->numbers;
  if (f->content != PL_NUMBERS)
    return edge_fail(err, WHET_E_TYPE, "expected numbers, got %s",
                     f->content ? "a picture" : "a frame without content");
  if (t->dtype != WHET_F32) return edge_fail(err, WHET_E_TYPE, "expected float32, got %s", whet_dtype_name(t->dtype));
  *columns = t->rank > 1 ? (size_t)t->dims[t->rank - 1] : 1;
  *rows = *columns ? t->n / *columns : 0;
  *p = t->data;
  return WHET_OK;
}

int64_t pl_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
