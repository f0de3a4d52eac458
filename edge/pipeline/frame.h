/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_FRAME_H
#define WHET_EDGE_PIPELINE_FRAME_H

/* What travels through a pipeline: content (a picture, or numbers), when and where it came from, and what was found
 * in it. Frames and the bytes of their contents come from a pool and go back to it, so that a pipeline that has seen
 * its largest frames allocates no more. */

#include <pthread.h>
#include <stdatomic.h>

#include "edge/pipe/tensor.h"
#include "edge/pipe/topk.h"
#include "whet/prep.h"

enum { PL_OUTPUTS = 16, PL_VALUES = 32, PL_ITEM = 200 };

struct pl_pool;

/* Counted bytes. */
typedef struct pl_blob {
  struct pl_blob *next; /* in the pool's list of free ones */
  _Atomic int ref;
  size_t cap;
  uint8_t *p;
} pl_blob;

typedef enum pl_content { PL_NOTHING, PL_PICTURE, PL_NUMBERS } pl_content;

/* A place in a picture. */
typedef struct pl_point {
  float x, y, score;
} pl_point;

/* Something found at a place. */
typedef struct pl_object {
  float x0, y0, x1, y1, score; /* pixels of the picture */
  uint32_t index;              /* class */
  const char *label;           /* NULL: none is known; lives as long as the pipeline */
  int64_t track;               /* number that stays with it from frame to frame; 0: not tracked */
  const char *zone;            /* NULL: in none */
  uint32_t point, n_point;     /* its keypoints, in the frame's list */
} pl_object;

/* Something found in the whole frame. */
typedef struct pl_class {
  uint32_t index;
  float score;
  const char *label;
} pl_class;

/* A number with a name, which lives as long as the pipeline. */
typedef struct pl_value {
  const char *name;
  double v;
} pl_value;

/* Parts of an event, for allow-lists. */
#define PL_FIELDS(X)                                                                                            \
  X(TIME, "time")                                                                                               \
  X(BRANCH, "branch")                                                                                           \
  X(SOURCE, "source")                                                                                           \
  X(ITEM, "item")                                                                                               \
  X(SEQ, "seq")                                                                                                 \
  X(AT, "at")                                                                                                   \
  X(UNTIL, "until")                                                                                             \
  X(SIZE, "size")                                                                                               \
  X(EVENT, "event")                                                                                             \
  X(SUBJECT, "subject") X(OBJECTS, "objects") X(OBJECT_CLASS, "objects.class") X(OBJECT_LABEL, "objects.label") \
      X(OBJECT_SCORE, "objects.score") X(OBJECT_BOX, "objects.box") X(OBJECT_TRACK, "objects.track")            \
          X(OBJECT_ZONE, "objects.zone") X(OBJECT_POINTS, "objects.points") X(CLASSES, "classes")               \
              X(VALUES, "values") X(FILE, "file") X(KEY, "key")
typedef enum pl_field {
#define PL_FIELD_ENUM(name, text) PL_FIELD_##name,
  PL_FIELDS(PL_FIELD_ENUM)
#undef PL_FIELD_ENUM
      PL_FIELD_COUNT
} pl_field;

typedef struct pl_frame {
  struct pl_frame *next; /* in a list of the pool or of a queue */
  struct pl_pool *pool;

  uint64_t seq;       /* number at its source, from 1 */
  int64_t time;       /* when it was taken: nanoseconds since 1970, UTC */
  int64_t arrived;    /* when the source had it, by the monotonic clock */
  double at;          /* seconds since its item began; < 0: it is no part of one */
  double until;       /* where in the item it ends, for frames that cover a time; < 0 */
  const char *source; /* branch whose source gave it; lives as long as the pipeline */
  const char *branch; /* that hands it to sinks */
  char item[PL_ITEM]; /* file, topic or the like; "" for none */
  bool begin, end;    /* first or last of an item: states begin anew, remainders are given */

  pl_content content;
  pl_blob *blob;          /* where the content lies; NULL: nowhere */
  whet_picture pic;       /* PICTURE */
  pipe_tensor numbers;    /* NUMBERS; [rows][columns] of float where stages cut or count rows */
  double rate;            /* rows in a second; 0: unknown */
  int32_t width, height;  /* of the picture as it came, also when it is gone */
  int32_t crop_x, crop_y; /* where in it `pic` begins */

  bool loaded;                    /* the next model's input holds this frame already */
  whet_prep_place place;          /* where in it the picture lies ... */
  int32_t in_w, in_h;             /* ... and how large it is; 0: it holds no picture */
  pipe_tensor output[PL_OUTPUTS]; /* of the model that ran last; borrowed from its session */
  size_t n_output;

  bool objects; /* objects were looked for, also when there are none */
  pl_object *object;
  size_t n_object, cap_object;
  pl_class *class;
  size_t n_class, cap_class;
  pl_point *point;
  size_t n_point, cap_point;
  pl_value value[PL_VALUES];
  size_t n_value;
  const char *event;   /* what happened: "on", "enter"; NULL: nothing but the frame; lives as long as the pipeline */
  const char *subject; /* whom or what it happened to: a zone, a keyword; NULL */
  char key[64];        /* by which a correction of it is known; "" */
  struct pl_node *resume; /* the frame begins behind this stage; NULL: at the first */
  char file[PL_ITEM];     /* where a sink put the picture; "" */
  uint32_t hidden;        /* bits by pl_field: parts that no sink may show */
} pl_frame;

/* Frames and blobs that are free, and what all of them hold. */
typedef struct pl_pool {
  pthread_mutex_t lock; /* the lists and counts; a leaf */
  pl_blob *blob;
  pl_frame *frame;
  size_t bytes, most; /* of blobs, and what they may hold */
  uint64_t taken;     /* allocations made so far */
} pl_pool;

void pl_pool_init(pl_pool *p, size_t most);
void pl_pool_free(pl_pool *p);

/* A frame without content, or NULL. */
pl_frame *pl_frame_new(pl_pool *p);
/* A frame with the same identity and content (shared, not copied) and the same findings; without outputs. */
pl_frame *pl_frame_copy(const pl_frame *f);
/* Take over identity and times, no content and no findings. */
void pl_frame_from(pl_frame *to, const pl_frame *f);
/* NULL is accepted. */
void pl_frame_free(pl_frame *f);

/* n bytes with one reference; NULL when memory or the limit refuses. */
pl_blob *pl_blob_new(pl_pool *p, size_t n);
void pl_blob_drop(pl_pool *p, pl_blob **b);

/* Give a frame room for a dense picture, or for numbers, without contents yet; what it held is dropped. */
EDGE_MUST whet_status pl_frame_picture(pl_frame *f, int32_t width, int32_t height, whet_pixel pixel, whet_err *err);
EDGE_MUST whet_status pl_frame_numbers(pl_frame *f, whet_dtype t, int32_t rank, const int64_t *dims, whet_err *err);
/* Bytes of its content. */
size_t pl_frame_bytes(const pl_frame *f);
/* Drop the content. */
void pl_frame_bare(pl_frame *f);
/* Make the picture the frame's own, so that it can be drawn into. */
EDGE_MUST whet_status pl_frame_own(pl_frame *f, whet_err *err);
/* Bytes of a pixel. */
int pl_pixel_bytes(whet_pixel p);
/* The samples of a frame of rows of floats, [rows][columns]: E_TYPE, E_SHAPE with what it holds instead. */
EDGE_MUST whet_status pl_frame_rows(const pl_frame *f, size_t *rows, size_t *columns, const float **p, whet_err *err);

/* Room for one more; NULL when refused. */
pl_object *pl_add_object(pl_frame *f);
pl_class *pl_add_class(pl_frame *f);
pl_point *pl_add_point(pl_frame *f);
/* Set or replace a value; past PL_VALUES it is dropped. */
void pl_set_value(pl_frame *f, const char *name, double v);
bool pl_get_value(const pl_frame *f, const char *name, double *v);

/* Nanoseconds since 1970. */
int64_t pl_clock(void);

#endif
