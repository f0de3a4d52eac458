/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_MODEL_H
#define WHET_MODEL_H

/* whet_model: the bytes of a file and the graph read from them. Immutable, counted, shared between threads.
 *
 * Any bytes are safe: they end in a named error or in a model that cannot crash the process. */

#include "whet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct whet_model whet_model;

/* Replaces the allocator. alloc returns `bytes` bytes aligned to `align` (a power of two) or NULL. Called from any
 * thread. Must outlive everything that was made with it. */
typedef struct whet_allocator {
  void *(*alloc)(void *user, size_t bytes, size_t align);
  void (*free)(void *user, void *p, size_t bytes);
  void *user;
} whet_allocator;

/* Receives one line of text without newline. level: 0 error, 1 warning, 2 information, 3 debug. Any thread. */
typedef void (*whet_log_fn)(void *user, int level, const char *line);

/* Bounds for what bytes from outside may cost. 0: the default that is given here. */
typedef struct whet_limits {
  size_t size;         /* sizeof(whet_limits) */
  size_t memory_bytes; /* everything allocated for a model, its programs and sessions together; default: no limit */
  int64_t nodes;       /* operators in all subgraphs after expansion; default 1,000,000 */
  int32_t depth;       /* nesting of subgraphs and functions; default 32 */
  int64_t load_ms;     /* time for reading, passes and folding; default: no limit */
} whet_limits;

typedef enum whet_format { WHET_FORMAT_AUTO = 0, WHET_FORMAT_ONNX = 1, WHET_FORMAT_TFLITE = 2, WHET_FORMAT_WHET = 3,
                           WHET_FORMAT_FORCE_INT = 0x7fffffff } whet_format;

/* How bytes of a file come in. MAP: the file is mapped; nobody may rewrite it while the model lives. COPY: read into
 * private memory, safe whatever happens to the file. */
typedef enum whet_map { WHET_MAP_FILE = 0, WHET_MAP_PRIVATE_COPY = 1, WHET_MAP_FORCE_INT = 0x7fffffff } whet_map;

typedef struct whet_custom_domain whet_custom_domain; /* whet/custom.h */

/* Contents for an initialiser of an ONNX model's main graph, used in place of the file's, whose element type and
 * dimensions they must have (E_TYPE, E_SHAPE). They are not copied and must outlive the model. A name that no initialiser
 * has is without effect; with `external` it is E_NAME, and E_DATA where the file itself has the contents. */
typedef struct whet_initializer {
  const char *name;
  whet_dtype dtype;
  int32_t rank;
  const int64_t *dims;
  const void *data; /* dense; STRING: an array of whet_str */
  int32_t external; /* 1: of an initialiser whose contents lie in another file */
} whet_initializer;

/* A file of ONNX external data that is in memory: looked for before the folder is. Like a model's bytes it must outlive the
 * model, unless map is PRIVATE_COPY. */
typedef struct whet_data_file {
  const char *name; /* as the model names it */
  const void *bytes;
  size_t n;
} whet_data_file;

typedef struct whet_model_opts {
  size_t size;                     /* sizeof(whet_model_opts) */
  whet_format format;              /* AUTO: by the bytes */
  whet_map map;
  whet_limits limits;
  const whet_allocator *allocator; /* NULL: the C library's */
  whet_log_fn log;                 /* NULL: silent */
  void *log_user;
  const whet_custom_domain *const *custom; /* operators of the caller's own; n_custom of them; must outlive the model */
  size_t n_custom;
  const char *data_folder;         /* memory models: folder for ONNX external data; NULL: none allowed */
  const char *rules;               /* "litert" (default) or "micro": whose integer rules where the two differ */
  const whet_initializer *initializers; /* n_initializers of them, each name once; read while opening */
  size_t n_initializers;
  const whet_data_file *data_files; /* n_data_files of them, each name once; read while opening */
  size_t n_data_files;
  const char *const *inputs;       /* overridable initialisers (below) that shall be inputs, by name, n_inputs of them: they */
  size_t n_inputs;                 /* follow the other inputs; what a session is given takes the place of the file's value */
} whet_model_opts;

WHET_API whet_model_opts whet_model_opts_default(void);

/* Read a model. Failures: E_IO, E_FORMAT, E_UNSUPPORTED (every unsupported operator is listed), E_LIMIT, E_MEMORY ...
 * On failure *out is NULL. o may be NULL. */
WHET_API whet_status whet_model_open(const char *path, const whet_model_opts *o, whet_model **out, whet_err *err);
/* The same over bytes in memory; they are not copied and must outlive the model, unless map is PRIVATE_COPY. */
WHET_API whet_status whet_model_open_memory(const void *bytes, size_t n, const whet_model_opts *o, whet_model **out,
                                            whet_err *err);
WHET_API whet_model *whet_model_ref(whet_model *m);
/* Drops the caller's reference and sets *m to NULL; NULL is accepted. */
WHET_API void whet_model_close(whet_model **m);

WHET_API whet_format whet_model_format(const whet_model *m);

/* Compare the checksums of a .whet model's constants and packed weights, which loading does not read: E_FORMAT names the
 * first block that is damaged. Models of other formats have none and pass. */
WHET_API whet_status whet_model_check(const whet_model *m, whet_err *err);

/* Inputs and outputs of the main graph in the file's order. E_MISUSE past the end. */
WHET_API size_t whet_model_inputs(const whet_model *m);
WHET_API size_t whet_model_outputs(const whet_model *m);
WHET_API whet_status whet_model_input(const whet_model *m, size_t i, whet_info *out);
WHET_API whet_status whet_model_output(const whet_model *m, size_t i, whet_info *out);
/* Initialisers that a caller may replace (ONNX: listed as graph inputs too, IR version 4 and later). They are constants,
 * unless whet_model_opts.inputs names them when the model is opened. */
WHET_API size_t whet_model_overridables(const whet_model *m);
WHET_API whet_status whet_model_overridable(const whet_model *m, size_t i, whet_info *out);

/* Signatures (TFLite): named sets of inputs and outputs. Names within a signature map to input and output numbers of
 * a session created for it. */
WHET_API size_t whet_model_signatures(const whet_model *m);
WHET_API const char *whet_model_signature_key(const whet_model *m, size_t i);
WHET_API size_t whet_model_signature_inputs(const whet_model *m, size_t i);
WHET_API size_t whet_model_signature_outputs(const whet_model *m, size_t i);
WHET_API const char *whet_model_signature_input(const whet_model *m, size_t i, size_t k);
WHET_API const char *whet_model_signature_output(const whet_model *m, size_t i, size_t k);

/* The file's tensors as it numbers them (TFLite: tensor index in the main subgraph; ONNX: order of appearance). */
WHET_API size_t whet_model_tensors(const whet_model *m);
WHET_API whet_status whet_model_tensor(const whet_model *m, size_t i, whet_info *out);
/* Number of that tensor among inputs, or outputs; -1 if it is none. */
WHET_API int32_t whet_model_input_tensor(const whet_model *m, size_t input);
WHET_API int32_t whet_model_output_tensor(const whet_model *m, size_t output);

/* Texts that the file carries: "producer_name", "producer_version", "domain", "graph_name", "description", "version", and
 * its own key-value pairs. whet_model_meta answers NULL for a key that is not there; keys are listed by number. */
WHET_API size_t whet_model_metas(const whet_model *m);
WHET_API const char *whet_model_meta_key(const whet_model *m, size_t i);
WHET_API const char *whet_model_meta(const whet_model *m, const char *key, size_t *n);

#ifdef __cplusplus
}
#endif
#endif
