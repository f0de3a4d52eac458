/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_PAYLOAD_H
#define WHET_EDGE_PIPELINE_PAYLOAD_H

/* Bytes from outside into a frame's content, and a stream of bytes into the messages that make frames. */

#include "edge/pipeline/kind.h"
#include "edge/serve/buf.h"

typedef enum pl_format {
  PL_AUTO, /* a picture, WAV or npy, by its first bytes */
  PL_JPEG, /* "picture": any kind that codecs are there for */
  PL_WAV,
  PL_NPY,
  PL_RAW,    /* pictures of a fixed size, one behind the other */
  PL_PCM,    /* samples of 16 bits, little-endian, interleaved */
  PL_FLOATS, /* float32, little-endian, rows of `columns` */
  PL_JSONL,  /* an object a line */
  PL_CSV     /* a row a line */
} pl_format;
#define PL_FORMATS "auto|picture|wav|npy|raw|pcm|floats|jsonl|csv"

/* What a file says of it. */
typedef struct pl_payload {
  int format;            /* pl_format */
  int64_t width, height; /* RAW */
  int pixel;             /* RAW: whet_pixel */
  int64_t columns;       /* PCM, FLOATS: numbers of a row; default 1 */
  int64_t chunk;         /* PCM, FLOATS: rows of a frame; default 1 */
  double rate;           /* rows in a second; 0: unknown */
  conf_strs fields;      /* JSONL: members; CSV: columns by name; n 0: all (CSV) */
  const char *time;      /* member or column that holds the time */
  size_t longest;        /* bytes of a message */
  /* of the stream */
  int *column; /* CSV: what each column is: field number, -1 nothing, -2 the time */
  size_t n_column, n_field, cap_column;
  size_t line; /* JSONL, CSV: of the stream or message, from 1, empty ones counted; by who cuts it */
  serve_buf scratch;
} pl_payload;

#define PL_PAYLOAD_KEYS(type, at)                                                                                    \
  {.name = "format", CONF_CHOICE, offsetof(type, at.format), PL_FORMATS},                                            \
      {.name = "width", CONF_INT, offsetof(type, at.width), NULL, 1, 65536},                                         \
      {.name = "height", CONF_INT, offsetof(type, at.height), NULL, 1, 65536},                                       \
      {.name = "pixel", CONF_CHOICE, offsetof(type, at.pixel), "gray|rgb|bgr|rgba|bgra"},                            \
      {.name = "columns", CONF_INT, offsetof(type, at.columns), NULL, 1, 4096},                                      \
      {.name = "chunk", CONF_INT, offsetof(type, at.chunk), NULL, 1, 1 << 24},                                       \
      {.name = "rate", CONF_REAL, offsetof(type, at.rate), NULL, 1e-6, 1e9},                                         \
      {.name = "fields", CONF_STRS, offsetof(type, at.fields)}, {.name = "time", CONF_STR, offsetof(type, at.time)}, \
  {                                                                                                                  \
    .name = "longest", CONF_BYTES, offsetof(type, at.longest)                                                        \
  }
#define PL_PAYLOAD_DEFAULTS \
  { .columns = 1, .chunk = 1, .pixel = WHET_PIXEL_RGB, .longest = (size_t)64 << 20 }

/* Check the settings. */
EDGE_MUST whet_status pl_payload_open(pl_node *n, pl_payload *p, whet_err *err);
void pl_payload_close(pl_payload *p);
/* Fill a frame from a message, whose bytes may be changed (JSONL). E_CANCELLED: it holds no frame (a heading). What
 * is wrong with a line begins with its number. */
EDGE_MUST whet_status pl_payload_frame(pl_payload *p, pl_frame *f, uint8_t *bytes, size_t n, whet_err *err);
/* A new stream begins: its first line may be a heading. */
void pl_payload_begin(pl_payload *p);

/* A descriptor, message by message. */
typedef struct pl_stream {
  int fd;
  uint8_t *buf;
  size_t cap, from, n; /* what is in buf: [from, n) */
  bool over, ready;    /* nothing more comes; what there is can always be read: a file on a disk */
} pl_stream;

void pl_stream_open(pl_stream *s, int fd);
/* Frees the buffer; the descriptor is the caller's. */
void pl_stream_close(pl_stream *s);
/* The next message; *bytes NULL: there is no more, or the pipeline ends. */
EDGE_MUST whet_status pl_stream_next(pl_stream *s, pl_node *n, pl_payload *p, uint8_t **bytes, size_t *len,
                                     whet_err *err);

/* The next `want` bytes straight into `to`, for messages of a fixed size; *len is less at the end, or when the
 * pipeline ends. Not to be mixed with pl_stream_next. */
EDGE_MUST whet_status pl_stream_into(pl_stream *s, pl_node *n, uint8_t *to, size_t want, size_t *len, whet_err *err);

#endif
