/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_FORMAT_MODEL_H
#define WHET_FORMAT_MODEL_H

/* whet_model from inside: the file's bytes, the canonical graph that was read from them, and beside it the source
 * graph: the file's own tensors and nodes, for messages, numbers and writers. All of it is written while the model is
 * opened and never again, so any number of threads may read it. */

#include "base/file.h"
#include "ir/graph.h"
#include "whet/custom.h"
#include "whet/model.h"

/* A tensor as the file has it. */
typedef struct whet_source_tensor {
  const char *name;
  uint8_t dtype; /* whet_dtype; NONE: the file does not say */
  uint8_t kind;  /* whet_kind */
  bool constant;
  whet_shape shape;    /* rank -1: the file does not say */
  const whet_quant *q; /* NULL: plain numbers */
  int32_t val;         /* the graph's first value for it, -1: none was needed */
  const char *type;    /* ONNX's spelling of a type that is no tensor; NULL: a tensor */
} whet_source_tensor;

/* A node as the file has it. Inputs and outputs are numbers of source tensors, -1: absent. */
typedef struct whet_source_node {
  const char *name;   /* "" when the file gives none */
  const char *type;   /* operator */
  const char *domain; /* "" (ai.onnx), "ai.onnx.ml", "tflite", "tflite.custom" ... */
  int32_t since;      /* opset of the domain, or operator version */
  int32_t index;      /* place in its graph */
  const int32_t *in, *out;
  int32_t n_in, n_out;
} whet_source_node;

/* A graph of the file: where its tensors and nodes begin in the lists of all, and how many they are. */
typedef struct whet_source_graph {
  int32_t tensor, n_tensor, node, n_node;
} whet_source_graph;

typedef struct whet_source {
  whet_source_tensor *tensor;
  int32_t n_tensor;
  int32_t n_main; /* tensors of the main graph; they come first */
  size_t cap_tensor;
  whet_source_node *node;
  int32_t n_node;
  int32_t n_main_node; /* nodes of the main graph; they come first */
  size_t cap_node;
  whet_source_graph *graph; /* TFLite: one for each subgraph; NULL: the main graph alone is known */
  int32_t n_graph;
} whet_source;

/* A named entry: the region that it runs and the names that callers give to its inputs and outputs. in[k] is called
 * name_in[k]; the session's input k. */
typedef struct whet_signature {
  const char *key;
  whet_region *region; /* &graph.main when it is the main graph */
  int32_t graph;       /* number of the file's subgraph */
  const char **name_in, **name_out;
  int32_t n_in, n_out;
  int32_t *in, *out; /* value numbers, one for each name */
} whet_signature;

typedef struct whet_meta {
  const char *key, *value;
  size_t n;
} whet_meta;

/* Where a node can be planned in several ways: the one that was measured to be the fastest (plan/choice.h). */
typedef struct whet_choice {
  uint64_t key;     /* hash of family and parameters */
  const char *name; /* "conv_f32__avx512_direct" */
} whet_choice;

typedef struct whet_choices {
  const whet_choice *of;
  size_t n;
} whet_choices;

struct whet_model {
  whet_mem mem; /* everything below is charged to it */
  _Atomic int ref;
  whet_format format;
  whet_limits limits; /* with defaults filled in; memory_bytes 0: none */
  bool micro;         /* tflite-micro's integer rules where the two differ */
  bool loose;         /* what cannot run is kept: see whet__model_open_loose */
  bool copy;          /* files are read into memory of our own */
  whet_log_fn log;
  void *log_user;
  const whet_custom_domain *const *custom;
  size_t n_custom;
  const uint8_t *bytes; /* the model file */
  size_t n_bytes;
  const char *folder; /* where external data may lie; NULL: nowhere */
  whet_file *file;    /* the model file (if it was a file) and files of external data */
  int32_t n_file;
  size_t cap_file;
  whet_graph graph; /* canonical, not optimised */
  whet_source source;
  int32_t *override; /* value numbers of constants that a caller may have as inputs */
  int32_t n_override;
  whet_signature *signature;
  int32_t n_signature;
  whet_meta *meta;
  int32_t n_meta;
  size_t cap_meta;
  struct whet_stored *stored; /* packed weights that the file holds (format/whet_file.h) */
  size_t n_stored;
  whet_choices choices; /* that the file holds */
  const struct whet_block *block; /* its blocks with their checksums */
  size_t n_block;
  whet_model *base; /* the model that this one was made from, whose memory it uses; one reference. NULL: none */
};

/* Packed weights of a file have at most so many constants as sources. */
enum { WHET_STORED_SRC = 6 };

/* A piece of a .whet file that has a checksum. */
typedef struct whet_block {
  const uint8_t *p;
  size_t n, at; /* bytes; offset in the file */
  uint32_t crc;
} whet_block;

/* whet_model_open for those who only look at models: an operator that is not supported becomes a node of a record
 * that has nothing but the operator's name, and the log says of each what is wrong. No program can be made of such a
 * model. */
WHET_MUST whet_status whet__model_open_loose(const char *path, const whet_model_opts *o, whet_model **out,
                                             whet_err *err);

/* An empty model that pays for itself, with one reference: for readers, and for whoever makes graphs. NULL when
 * memory is refused. */
whet_model *whet__model_new(const whet_model_opts *o, whet_err *err);
/* A model that starts as a copy of base's main graph and may then be changed. It shares base's constants, attributes and
 * source and keeps it alive; inputs and outputs, signatures of the main graph and texts are the same. */
WHET_MUST whet_status whet__model_derive(whet_model *base, whet_model **out, whet_err *err);
/* A text of a derived model's metadata, in place of what its base has under that key. E_MEMORY. */
WHET_MUST whet_status whet__model_note(whet_model *m, const char *key, const char *text, whet_err *err);
/* Let value v take the place of input (output) number i of a derived model, in its signatures too. */
void whet__model_set_input(whet_model *m, int32_t i, int32_t v);
void whet__model_set_output(whet_model *m, int32_t i, int32_t v);
/* What the public calls say of a value. */
void whet__model_info(const whet_model *m, int32_t value, whet_info *out);
/* The same of the file's tensor of that number. */
void whet__model_source_info(const whet_model *m, int32_t tensor, whet_info *out);

/* A copy of the model's graph, counted against mem, whose main region is that of a signature (NULL: the main graph).
 * Nodes of other signatures are dead in it. E_NAME lists the signatures. */
WHET_MUST whet_status whet__model_graph(const whet_model *m, const char *signature, whet_mem *mem, whet_graph *out,
                                        whet_err *err);
/* The signature of that key, or NULL. */
const whet_signature *whet__model_signature(const whet_model *m, const char *key);

/* One line to the caller's log; nothing when there is none. */
void whet__model_log(const whet_model *m, int level, const char *fmt, ...) WHET_PRINTF(3, 4);

#endif
