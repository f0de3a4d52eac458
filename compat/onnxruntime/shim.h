/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_COMPAT_ONNXRUNTIME_SHIM_H
#define WHET_COMPAT_ONNXRUNTIME_SHIM_H

/* What the files of libonnxruntime.so.1 share: the objects behind ONNX Runtime's handles, made of whet's public ones.
 *
 * Every function of the table is called ort_<name>. refuse.c has a weak one for each that refuses by name; a file that
 * defines API(name) takes its place. */

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "onnxruntime_c_api.h"
#include "whet/whet.h"
#include "wire/pb_out.h"

#define API(name) ort_##name

#define ORT_STATUS(name, since, ...) OrtStatus *API(name)(__VA_ARGS__);
#define ORT_OTHER(type, name, since, ...) type API(name)(__VA_ARGS__);
#define ORT_RELEASE(what, since) void API(Release##what)(Ort##what * input);
#include "onnxruntime_c_api_functions.def"
#undef ORT_STATUS
#undef ORT_OTHER
#undef ORT_RELEASE

/* Leave with a status unless p is there. */
#define NEED(p) \
  if (!(p)) return fail(ORT_INVALID_ARGUMENT, "%s: %s is null", __func__ + 4, #p)
/* Leave with the status of a call that failed. */
#define TRY(call)                 \
  do {                            \
    OrtStatus *try_status = call; \
    if (try_status) return try_status; \
  } while (0)

/* A status with a text. Never NULL: where memory is refused, a constant one. */
OrtStatus *fail(OrtErrorCode code, const char *format, ...) __attribute__((format(printf, 2, 3)));
OrtStatus *no_memory(void);
/* The status for a failure of whet. */
OrtStatus *of_whet(whet_status s, const whet_err *err);

/* Texts by name. */
typedef struct pairs {
  char **key, **value;
  size_t n;
} pairs;
struct OrtKeyValuePairs {
  pairs p;
};
OrtStatus *pairs_set(pairs *p, const char *key, const char *value);
const char *pairs_get(const pairs *p, const char *key);
OrtStatus *pairs_copy(pairs *to, const pairs *from);
void pairs_free(pairs *p);

struct OrtMemoryInfo {
  const char *name;
  OrtAllocatorType type;
  int id;
  OrtMemType mem_type;
  OrtMemoryInfoDeviceType device;
  OrtDeviceMemoryType device_mem;
  uint32_t vendor;
};
extern const OrtMemoryInfo cpu_memory;

/* The allocator that clients get when they name none. */
extern OrtAllocator cpu_allocator;
/* A copy of a text in an allocator's memory. */
OrtStatus *text_out(OrtAllocator *a, const char *text, char **out);

/* Who hears log lines. */
typedef struct listener {
  OrtLoggingFunction fn; /* NULL: standard error */
  void *param;
  OrtLoggingLevel level;
  char id[64];
} listener;

struct OrtThreadingOptions {
  int threads;
  OrtCustomCreateThreadFn start;
  OrtCustomJoinThreadFn join;
  void *start_options;
  int spin;
};

struct OrtEnv {
  listener log;
  OrtThreadingOptions threading;
  bool global_threads;
  OrtAllocator *shared; /* registered for sessions that ask for the environment's */
};

struct OrtPrepackedWeightsContainer {
  whet_packs *packs;
};

struct OrtCustomOpDomain {
  char *name;
  const OrtCustomOp **op;
  size_t n;
};

/* What a caller gives in place of a model's own. */
typedef struct given {
  struct given_init {
    char *name;
    whet_value *v; /* one reference */
    bool external; /* AddExternalInitializers: the model must have it as external data */
  } *init;
  size_t n_init;
  whet_data_file *file; /* names are ours, bytes the caller's */
  size_t n_file;
} given;
/* Add all of `from`, with references of its own. */
OrtStatus *given_copy(given *to, const given *from);
void given_free(given *g);
/* Let a model be opened with them; *list is memory of malloc that lives until it is open. */
OrtStatus *given_opts(const given *g, whet_model_opts *o, whet_initializer **list);

/* Models in the original's own form (ortfile.c): is it one; what it is as ONNX. */
bool ort_format_is(const void *p, size_t n);
typedef struct converted {
  whet_mem mem;
  whet_text text; /* ModelProto */
} converted;
OrtStatus *ort_format_convert(const void *p, size_t n, converted **out);
void ort_format_free(converted *c);

struct OrtSessionOptions {
  int threads, inter;
  ExecutionMode mode;
  bool mem_pattern, per_session_threads, deterministic;
  int severity, verbosity; /* severity -1: the environment's */
  OrtLoggingFunction log;
  void *log_param;
  char *log_id, *profile, *optimized;
  pairs config;
  pairs dims; /* free dimensions by name: numbers as text */
  OrtCustomOpDomain **domain;
  size_t n_domain;
  given given;
  OrtCustomCreateThreadFn start;
  OrtCustomJoinThreadFn join;
  void *start_options;
  EpSelectionDelegate choose; /* among devices; NULL: nobody does */
  void *choose_state;
  bool cancel_load;
};

/* Let the caller's function choose among the devices, where there is one (device.c). */
OrtStatus *devices_choose(const OrtSessionOptions *o, const OrtEnv *env, const OrtSession *s);

struct OrtRunOptions {
  whet_cancel cancel;
  int severity, verbosity;
  char *tag;
  pairs config;
};

struct OrtTensorTypeAndShapeInfo {
  ONNXTensorElementDataType type;
  bool has_shape;
  size_t rank;
  int64_t dims[WHET_MAX_RANK];
  char *symbol[WHET_MAX_RANK]; /* NULL: none */
};

/* Also what OrtMapTypeInfo, OrtSequenceTypeInfo and OrtOptionalTypeInfo are: views of one. */
struct OrtTypeInfo {
  ONNXType type;
  OrtTensorTypeAndShapeInfo *tensor; /* of a tensor */
  ONNXTensorElementDataType key;     /* of a map */
  OrtTypeInfo *inner;                /* of a map its values, of a sequence its items, of an optional its value */
};
/* The type that whet's information and (NULL: a tensor) ONNX's text for it tell. */
OrtStatus *type_of_info(const whet_info *info, const char *text, OrtTypeInfo **out);
/* A deep copy. */
OrtStatus *type_copy(const OrtTypeInfo *from, OrtTypeInfo **out);
OrtStatus *type_of_value(const whet_value *v, OrtTypeInfo **out);
OrtStatus *tensor_type(whet_dtype t, int32_t rank, const int64_t *dims, OrtTensorTypeAndShapeInfo **out);
/* Element types in the other's numbers; UNDEFINED and NONE for those that it has not. */
ONNXTensorElementDataType onnx_type(whet_dtype t);
whet_dtype whet_type(ONNXTensorElementDataType t);
/* "tensor(float)": how texts of errors name a type. */
const char *type_text(whet_dtype t, char buf[40]);

/* What makes a value a sparse tensor (sparse.c), counted. */
typedef struct sparse sparse;
sparse *sparse_ref(sparse *x);
void sparse_unref(sparse *x);
/* Element type and dimensions of the whole. */
const whet_info *sparse_shape(const sparse *x);
/* The tensor of its values, where strings are asked for. */
OrtStatus *sparse_strings(const sparse *x, const OrtValue **values);

struct OrtValue {
  whet_value *v;
  sparse *sparse; /* NULL: it is none; else v is an optional without a value */
  const OrtMemoryInfo *memory;
  OrtAllocator *allocator; /* that its data came from; NULL: none */
};
/* Take over the reference to v. */
OrtStatus *value_own(whet_value *v, OrtValue **out);
/* A tensor whose elements lie in memory of an allocator, not cleared. */
OrtStatus *value_tensor(OrtAllocator *a, whet_dtype t, int32_t rank, const int64_t *dims, OrtValue **out);

/* A copy of a tensor of that type and shape (STRING: an array of whet_str), in an allocator's memory. */
OrtStatus *value_copy(OrtAllocator *a, const whet_info *info, const void *data, OrtValue **out);

/* The caller's own operators, as whet takes them; NULL when there are none. They outlive the model. */
typedef struct custom_set custom_set;
OrtStatus *custom_open(const OrtSessionOptions *o, const listener *log, custom_set **out);
const whet_custom_domain *const *custom_domains(const custom_set *c, size_t *n);
void custom_close(custom_set *c);

/* One of them, with what its kernels may ask for. */
typedef struct custom_op {
  const OrtCustomOp *op;
  const char *domain;
  const listener *log; /* the session's */
  int threads;         /* and its options' */
  pairs config;        /* the options' entries */
  struct kept_value *kept; /* handles over constant inputs, which live as long as the session */
  struct custom_op *next;  /* of the same name, for other types */
} custom_op;
custom_op *custom_fit(custom_op *first, const whet_custom_ctx *c);
typedef struct kept_value {
  struct kept_value *next;
  OrtValue *v;
} kept_value;

/* What CreateKernel sees, for its call; a copy: as long as the session lives. */
struct OrtKernelInfo {
  whet_custom_ctx *ctx;
  custom_op *own;
  bool copied;
};
/* Pass on why a function of the caller's failed. */
whet_status custom_passed_on(whet_custom_ctx *c, OrtStatus *s);
/* of_whet, but with the code that a function of the caller's failed with on this thread meanwhile. */
OrtStatus *custom_status(whet_status s, const whet_err *err);
/* whet_custom_op.tell: types, and by InferOutputShapeFn shapes (shapes.c). */
whet_status custom_tell(void *user, whet_custom_ctx *ctx);

/* An attribute: a list of one kind, or a tensor. */
struct OrtOpAttr {
  char *name;
  OrtOpAttrType type;
  size_t n;
  union {
    void *list;
    int64_t *ints;
    float *floats;
    whet_str *strings; /* terminated as well */
  };
  OrtValue *tensor;
};
/* That of the node, whatever its kind. */
OrtStatus *attr_of_node(const whet_custom_ctx *c, const char *name, OrtOpAttr **out);
/* Append it as an AttributeProto. */
void attr_put(const OrtOpAttr *a, uint32_t field, whet_text *to);

/* What KernelCompute sees. Handles are made when asked for. */
struct OrtKernelContext {
  whet_custom_ctx *ctx;
  const custom_op *own;
  OrtValue **in, **out;
  size_t n_in, n_out;
};

/* An input, output or replaceable initialiser. */
typedef struct port {
  whet_info info; /* free dimensions replaced */
  OrtTypeInfo *type;
} port;

/* What one run writes an output to. */
typedef struct slot {
  OrtSession *owner;
  size_t index;      /* of the output */
  bool armed;        /* whet asks for its memory */
  bool wanted;
  OrtValue *given;   /* the caller's; NULL: one is made */
  OrtValue *made;
  bool filled;       /* its memory was handed out */
  OrtStatus *why;    /* the first failure */
} slot;

/* A session of whet and what a run of it needs; idle ones wait in a list. */
typedef struct runner {
  struct runner *next;
  whet_session *s;
  slot *out;
  uint64_t *seen; /* of each input: the run that gave it */
  uint64_t turn;
} runner;

/* What a session needs to open its model once more, with initialisers that callers replace as inputs; and the sessions that came
 * of it, one for each set of names. */
typedef struct variants {
  const OrtEnv *env;
  OrtSessionOptions *options; /* a copy; NULL: nothing can be replaced */
  char *path;
  const void *bytes; /* `own` when they were copied */
  void *own;
  size_t n;
  whet_packs *packs;
  pthread_mutex_t lock; /* of the list */
  struct variant *list;
} variants;
/* Keep what is needed. The caller's bytes are copied unless they live as long as the session. */
OrtStatus *variants_keep(OrtSession *s, const OrtEnv *env, const char *path, const void *bytes, size_t n, bool lasting,
                         const OrtSessionOptions *o, whet_packs *packs);
/* The session in which all of these names are inputs: s itself, where none is an initialiser. */
OrtStatus *variant_of(OrtSession *s, const char *const *name, size_t n, OrtSession **out);
void variants_free(variants *v);

struct OrtSession {
  whet_model *model;
  whet_program *program;
  whet_pool *pool; /* NULL: the process's */
  custom_set *custom;
  given given; /* the model uses their memory */
  converted *converted; /* and this, when it was in ORT format */
  variants variants;
  port *in, *out, *over;
  size_t n_in, n_out, n_over;
  OrtAllocator *allocator; /* of outputs */
  listener log;
  OrtCustomCreateThreadFn start;
  OrtCustomJoinThreadFn join;
  void *start_options;
  char *profile; /* prefix of the file; NULL: none is kept */
  uint64_t profile_start;
  pthread_mutex_t lock;
  pthread_cond_t quiet;
  runner *idle;
  size_t pending; /* asynchronous runs */
};

/* The place of a name in a list of n, or n; hint: where it most likely is. */
size_t port_find(const port *p, size_t n, const char *name, size_t hint);

/* Make a session of a file (path) or of bytes; the initialisers named in `inputs` are inputs. */
OrtStatus *session_open(const OrtEnv *env, const char *path, const void *bytes, size_t n, const OrtSessionOptions *o,
                        whet_packs *packs, const char *const *inputs, size_t n_inputs, OrtSession **out);
/* One run: as the table's Run. */
OrtStatus *session_run(OrtSession *session, const OrtRunOptions *o, const char *const *in_names,
                       const OrtValue *const *in, size_t n_in, const char *const *out_names, size_t n_out,
                       OrtValue **out);
/* Free the idle runners of a session that goes. */
void runners_free(OrtSession *s);
/* Write the profile of all idle runners; *path (may be NULL) receives its name in memory of malloc. */
OrtStatus *profile_write(OrtSession *s, char **path);

#endif
