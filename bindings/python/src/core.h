/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BINDINGS_PYTHON_SRC_CORE_H
#define WHET_BINDINGS_PYTHON_SRC_CORE_H

/* whet._core: the C side of the Python package, over the public headers and Python's stable ABI (3.11).
 *
 * Objects hold what they stand on: a Session its Program, a Program its Model, a Model the bytes that it was read from.
 * Calls that take long let the interpreter go; a session that runs says so in `busy`, and whoever calls it meanwhile
 * gets an error instead of a race. */

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <string.h>
#include <whet/whet.h>

/* What the module keeps: types, and what it calls of NumPy and of the package's own Python. */
typedef struct core_state {
  PyTypeObject *model, *program, *session, *value, *memory, *cancel;
  PyObject *np_empty;                  /* numpy.empty */
  PyObject *np_asarray;                /* numpy.asarray */
  PyObject *np_require;                /* numpy.require */
  PyObject *dtype[WHET_DTYPE_COUNT];   /* numpy's type; NULL: NumPy itself has none */
  PyObject *make_error;                /* whet._errors.make(status, name, text) */
  PyObject *make_info;                 /* whet._types.Info */
  PyObject *to_input;                  /* whet._arrays.to_input(object, dtype, kind, name) */
  PyObject *to_array;                  /* whet._arrays.to_array(Value) */
} core_state;

/* whet.Model. */
typedef struct model_object {
  PyObject_HEAD
  core_state *st;
  whet_model *m;      /* NULL: never opened, or closed */
  Py_buffer bytes;    /* obj NULL: read from a file, or copied */
  PyObject *custom;   /* what holds its custom operators; NULL: none */
} model_object;

/* whet.Program. */
typedef struct program_object {
  PyObject_HEAD
  core_state *st;
  whet_program *p; /* NULL: closed */
  PyObject *model;
  bool signature; /* it runs a signature */
} program_object;

/* An input or output of a session, as its plan has it now. */
typedef struct core_port {
  PyObject *name;   /* str */
  whet_kind kind;
  whet_dtype dtype;
  int32_t rank;     /* -1: not known before a run */
  int64_t dims[WHET_MAX_RANK];
  size_t bytes;
  bool plain;       /* a tensor of a type that NumPy has, of known size */
  bool rank_fixed;  /* inputs: a run may not change the rank, and only the dimensions in `open` */
  uint32_t open;    /* one bit for each dimension */
  PyObject *shape;  /* tuple of dims when plain */
} core_port;

/* whet.Session. */
typedef struct session_object {
  PyObject_HEAD
  core_state *st;
  whet_session *s;   /* NULL: closed */
  PyObject *program;
  int busy;          /* a call that has let the interpreter go is inside */
  Py_ssize_t views;  /* Memory objects over its memory */
  size_t n_in, n_out;
  core_port *in, *out;
  bool settled;      /* ports are those of the plan */
  bool late;         /* some sizes only a run tells */
  bool guarded;      /* invoke() wants prepare() first, and that nobody looks at the memory */
  whet_err err;
} session_object;

/* whet.Value: one counted value of the library. */
typedef struct value_object {
  PyObject_HEAD
  core_state *st;
  whet_value *v;
  Py_ssize_t dims[WHET_MAX_RANK], strides[WHET_MAX_RANK]; /* for those who ask for its buffer */
} value_object;

/* Memory of a session that somebody looks at: it keeps the session, and while it lives the session may not move. */
typedef struct memory_object {
  PyObject_HEAD
  session_object *owner;
  void *data;
  size_t bytes;
  whet_dtype dtype;
  bool readonly;
  int rank;
  Py_ssize_t dims[WHET_MAX_RANK], strides[WHET_MAX_RANK];
} memory_object;

/* whet.Cancel. */
typedef struct cancel_object {
  PyObject_HEAD
  whet_cancel c;
} cancel_object;

/* The state of the module that a type, or one it was derived from, belongs to. */
core_state *core_state_of(PyTypeObject *t);
/* Raise what the library said; answers NULL. */
void *core_raise(core_state *st, whet_status s, const whet_err *err);
/* Raise an error of our own with a code; answers NULL. */
void *core_fail(core_state *st, whet_status s, const char *fmt, ...);
/* Empty object of a type; its memory is zeroed. */
void *core_new(PyTypeObject *t);
/* Free an object of a heap type. */
void core_free(PyObject *o);

/* whet.Info of what the library says of a value. */
PyObject *core_info(core_state *st, const whet_info *i);
/* The letter of a type in the buffer protocol; "B" or "H" for those without one. */
const char *core_format(whet_dtype t);
/* The type that a buffer's format and item size mean; NONE: none of ours, or of another byte order. */
whet_dtype core_dtype_of(const char *format, Py_ssize_t item);
/* Fill dims and strides of a dense tensor, in bytes. */
void core_strides(whet_dtype t, int rank, const int64_t *dims, Py_ssize_t *d, Py_ssize_t *strides);
/* A tuple of integers. */
PyObject *core_tuple(const int64_t *v, int32_t n);
/* Read a sequence of integers; answers how many, -1 with an exception. */
int32_t core_ints(PyObject *o, int64_t *out, int32_t most);
/* dims, strides and the rest for a buffer of dense memory. */
int core_fill_buffer(PyObject *owner, Py_buffer *b, int flags, void *data, whet_dtype t, size_t bytes, int rank, Py_ssize_t *dims,
                     Py_ssize_t *strides, bool readonly);

/* A Value over a reference that is taken, also on failure. */
PyObject *core_value(core_state *st, whet_value *v);
/* The array, or list, dict, None, that stands for a value in Python. Takes the reference. */
PyObject *core_value_array(core_state *st, whet_value *v);

/* Module functions. */
PyObject *core_wrap(PyObject *module, PyObject *const *args, Py_ssize_t n);
PyObject *core_strings(PyObject *module, PyObject *const *args, Py_ssize_t n);
PyObject *core_sequence(PyObject *module, PyObject *const *args, Py_ssize_t n);
PyObject *core_map(PyObject *module, PyObject *const *args, Py_ssize_t n);
PyObject *core_optional(PyObject *module, PyObject *const *args, Py_ssize_t n);
PyObject *core_from_dlpack(PyObject *module, PyObject *const *args, Py_ssize_t n);
/* make.c: layers(text, seed=1), train(model, path, options, progress), export(model, path, onnx, opset, dense). */
PyObject *core_layers(PyObject *module, PyObject *args);
PyObject *core_train(PyObject *module, PyObject *args);
PyObject *core_export(PyObject *module, PyObject *args);
/* Methods of Value that dlpack.c has. */
PyObject *core_dlpack(PyObject *self, PyObject *args, PyObject *kw);
PyObject *core_dlpack_device(PyObject *self, PyObject *unused);

/* Custom operators from Python: a capsule that holds them and the list for whet_model_opts; NULL with an exception. */
PyObject *core_custom_new(core_state *st, PyObject *ops, const whet_custom_domain *const **list, size_t *n);

extern PyType_Spec core_model_spec, core_program_spec, core_session_spec, core_value_spec, core_memory_spec, core_cancel_spec;

#endif
