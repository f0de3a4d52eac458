/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_FORMAT_WHET_FILE_H
#define WHET_FORMAT_WHET_FILE_H

/* The native file: an optimised graph, its constants, and packed weights, to be mapped and used as they lie.
 * docs/whet-format.md describes the bytes. Little-endian throughout:
 *
 *   header  64 bytes, checksummed: magic, version, sizes, place and checksum of the index
 *   blocks  constants and packed weights, each aligned to 64 bytes with 64 bytes of zeros or of the next after it
 *   index   everything else as varints: texts, values, nodes, and where the blocks lie with their checksums
 *
 * The file is as untrusted as any model: the index is read with bounds and verified like a graph from elsewhere,
 * shapes are inferred and plans made anew. A packed weight is used only for the constants and parameters that a plan
 * asks for, and only of kinds whose bytes are plain numbers. */

#include "format/import.h"
#include "format/model.h"

#define WHET_FILE_MAGIC "\x89WHT\r\n\x1a\n"
enum { WHET_FILE_VERSION = 1, WHET_FILE_HEADER = 64, WHET_FILE_ALIGN = 64 };

/* What the header holds: offsets of its fields. */
enum {
  WHET_FILE_AT_VERSION = 8,
  WHET_FILE_AT_BYTES = 16, /* of the whole file */
  WHET_FILE_AT_INDEX = 24, /* offset; blocks lie before it */
  WHET_FILE_AT_INDEX_BYTES = 32,
  WHET_FILE_AT_INDEX_CRC = 40,
  WHET_FILE_AT_CRC = 60 /* of the 60 bytes before it */
};

/* How a datum of the index is tagged. */
enum { WHET_FILE_DIM_ANY = -1, WHET_FILE_DIM_SYMBOL = -2 /* symbol i: -2 - i */ };

/* A packed weight on its way to a file or in one. */
typedef struct whet_stored {
  const char *kind; /* whet_pack_kind's name */
  const void *params;
  size_t params_size;
  const whet_data *src[WHET_STORED_SRC]; /* NULL: absent */
  int n_src;
  const void *bytes;
  size_t n;
} whet_stored;

/* What a writer is given. The graph's `main` is what is written, with all that it needs. */
typedef struct whet_file_req {
  const whet_model *model; /* texts, source graph, signatures */
  const whet_graph *graph;
  const whet_signature *signature; /* the one that main is, or NULL */
  const char *level, *precision;   /* what the weights were packed for */
  bool exact, memory;
  const whet_stored *stored;
  size_t n_stored;
  whet_choices choices;
  whet_mem *mem; /* pays for the index while it is written */
} whet_file_req;

/* Write a file, all or nothing. E_UNSUPPORTED names what the format cannot hold: constants of strings, operators of
 * the caller's own. */
WHET_MUST whet_status whet__file_save(const whet_file_req *r, const char *path, whet_err *err);

bool whet__whet_looks_like_model(const uint8_t *p, size_t n);
WHET_MUST whet_status whet__whet_read(whet_import *im);

#endif
