/* SPDX-License-Identifier: Apache-2.0 */
/* DLPack both ways: tensors handed between libraries in one process without a copy. The structs are those of DLPack's
 * published ABI, 0.8 ("dltensor") and 1.0 ("dltensor_versioned"). */

#include <stdlib.h>

#include "core.h"

enum { DL_CPU = 1, DL_CUDA_HOST = 3, DL_MAJOR = 1, DL_MINOR = 0, DL_READ_ONLY = 1 };
enum { DL_INT = 0, DL_UINT = 1, DL_FLOAT = 2, DL_BFLOAT = 4, DL_COMPLEX = 5, DL_BOOL = 6 };

typedef struct dl_tensor {
  void *data;
  int32_t device_type, device_id;
  int32_t ndim;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides; /* strides in elements; NULL: dense, row major */
  uint64_t offset;          /* in bytes */
} dl_tensor;

typedef struct dl_managed {
  dl_tensor t;
  void *ctx;
  void (*deleter)(struct dl_managed *);
} dl_managed;

typedef struct dl_versioned {
  uint32_t major, minor;
  void *ctx;
  void (*deleter)(struct dl_versioned *);
  uint64_t flags;
  dl_tensor t;
} dl_versioned;

/* What a capsule of ours stands on. */
struct exported {
  whet_value *v;
  int64_t shape[WHET_MAX_RANK], strides[WHET_MAX_RANK];
  dl_managed old;
  dl_versioned now;
};

static void drop(struct exported *e) {
  whet_value_unref(&e->v);
  free(e);
}
static void delete_old(dl_managed *m) { drop(m->ctx); }
static void delete_now(dl_versioned *m) { drop(m->ctx); }

/* Nobody took the tensor out of the capsule. */
static void capsule_old(PyObject *c) {
  if (PyCapsule_IsValid(c, "dltensor")) delete_old(PyCapsule_GetPointer(c, "dltensor"));
}
static void capsule_now(PyObject *c) {
  if (PyCapsule_IsValid(c, "dltensor_versioned")) delete_now(PyCapsule_GetPointer(c, "dltensor_versioned"));
}

/* The code of a type; -1: DLPack's first version has none. */
static int code_of(whet_dtype t) {
  switch (t) {
    case WHET_F16:
    case WHET_F32:
    case WHET_F64:
      return DL_FLOAT;
    case WHET_U8:
    case WHET_U16:
    case WHET_U32:
    case WHET_U64:
      return DL_UINT;
    case WHET_S8:
    case WHET_S16:
    case WHET_S32:
    case WHET_S64:
      return DL_INT;
    case WHET_C64:
    case WHET_C128:
      return DL_COMPLEX;
    case WHET_BF16:
      return DL_BFLOAT;
    case WHET_BOOL:
      return DL_BOOL;
    default:
      return -1;
  }
}

static whet_dtype type_of(int code, int bits) {
  for (int t = 1; t < WHET_DTYPE_COUNT; t++)
    if (code_of((whet_dtype)t) == code && (int)whet_dtype_bits((whet_dtype)t) == bits) return (whet_dtype)t;
  return WHET_NONE;
}

/* A device that a caller asks for is the one that we have: None or (1, 0). */
static bool is_cpu(PyObject *device) {
  if (!device || device == Py_None) return true;
  int64_t d[2];
  return core_ints(device, d, 2) == 2 && d[0] == DL_CPU;
}

PyObject *core_dlpack(PyObject *self, PyObject *args, PyObject *kw) {
  static char *k_names[] = {"stream", "max_version", "dl_device", "copy", NULL};
  value_object *o = (value_object *)self;
  PyObject *stream = Py_None, *version = Py_None, *device = Py_None, *copy = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, kw, "|$OOOO:__dlpack__", k_names, &stream, &version, &device, &copy)) return NULL;
  int64_t asked[2] = {0, 0};
  if (version != Py_None && core_ints(version, asked, 2) < 1) return NULL;
  if (!is_cpu(device)) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_BufferError, "the tensor lies in the memory of the CPU");
    return NULL;
  }
  if (copy == Py_True) return PyErr_SetString(PyExc_BufferError, "a copy cannot be exported: copy the array"), NULL;
  whet_dtype t = whet_value_dtype(o->v);
  int code = code_of(t);
  if (whet_value_kind(o->v) != WHET_TENSOR || code < 0) {
    PyErr_Format(PyExc_BufferError, "DLPack has no form for %s", whet_dtype_name(t));
    return NULL;
  }
  struct exported *e = calloc(1, sizeof *e);
  if (!e) return PyErr_NoMemory();
  int32_t rank = whet_value_rank(o->v);
  int64_t step = 1;
  e->v = whet_value_ref(o->v);
  for (int32_t i = rank - 1; i >= 0; i--) {
    e->shape[i] = whet_value_dims(o->v)[i];
    e->strides[i] = step;
    step *= e->shape[i];
  }
  const dl_tensor tensor = {.data = whet_value_data(o->v),
                            .device_type = DL_CPU,
                            .ndim = rank,
                            .code = (uint8_t)code,
                            .bits = (uint8_t)whet_dtype_bits(t),
                            .lanes = 1,
                            .shape = e->shape,
                            .strides = e->strides};
  e->old = (dl_managed){tensor, e, delete_old};
  e->now = (dl_versioned){DL_MAJOR, DL_MINOR, e, delete_now, 0, tensor};
  PyObject *c = asked[0] >= 1 ? PyCapsule_New(&e->now, "dltensor_versioned", capsule_now)
                              : PyCapsule_New(&e->old, "dltensor", capsule_old);
  if (!c) drop(e);
  return c;
}

PyObject *core_dlpack_device(PyObject *self, PyObject *unused) { return Py_BuildValue("(ii)", DL_CPU, 0); }

/* ---- taking -----------------------------------------------------------------------------------------------------
 */

static void let_go_old(void *user, void *data) {
  dl_managed *m = user;
  if (m->deleter) m->deleter(m);
}
static void let_go_now(void *user, void *data) {
  dl_versioned *m = user;
  if (m->deleter) m->deleter(m);
}

/* The capsule that an object gives; newer objects are told which version is known. */
static PyObject *capsule_of(PyObject *o) {
  PyObject *method = PyObject_GetAttrString(o, "__dlpack__"), *none = method ? PyTuple_New(0) : NULL,
           *kw = none ? Py_BuildValue("{s:(ii)}", "max_version", DL_MAJOR, DL_MINOR) : NULL,
           *c = kw ? PyObject_Call(method, none, kw) : NULL;
  if (!c && kw && PyErr_ExceptionMatches(PyExc_TypeError)) {
    PyErr_Clear();
    c = PyObject_Call(method, none, NULL);
  }
  Py_XDECREF(method);
  Py_XDECREF(none);
  Py_XDECREF(kw);
  return c;
}

/* A value over a foreign tensor; NULL with an exception, and the tensor still its owner's. */
static whet_value *take(core_state *st, const dl_tensor *t, whet_free_fn free_fn, void *user) {
  whet_dtype type = t->lanes == 1 ? type_of(t->code, t->bits) : WHET_NONE;
  if (t->device_type != DL_CPU && t->device_type != DL_CUDA_HOST)
    return core_fail(st, WHET_E_UNSUPPORTED, "the tensor lies on device %d; whet takes memory of the CPU", (int)t->device_type);
  if (!type)
    return core_fail(st, WHET_E_TYPE, "no element type has DLPack code %d and %d bits in %d lanes", (int)t->code, (int)t->bits,
                     (int)t->lanes);
  if (t->ndim < 0 || t->ndim > WHET_MAX_RANK)
    return core_fail(st, WHET_E_SHAPE, "%d dimensions; at most %d are possible", (int)t->ndim, WHET_MAX_RANK);
  int64_t step = 1;
  bool empty = false;
  for (int i = 0; i < t->ndim; i++) empty |= !t->shape[i];
  for (int i = t->ndim - 1; i >= 0; i--) {
    if (t->strides && !empty && t->shape[i] > 1 && t->strides[i] != step)
      return core_fail(st, WHET_E_SHAPE, "the tensor is not dense in row-major order: make it contiguous first");
    if (t->shape[i] < 0 || (step && t->shape[i] > INT64_MAX / (step ? step : 1) / 16))
      return core_fail(st, WHET_E_SHAPE, "a dimension of %lld", (long long)t->shape[i]);
    step *= t->shape[i];
  }
  whet_value *v;
  whet_status s = whet_value_wrap(type, t->ndim, t->shape, (char *)t->data + t->offset, whet_dtype_bytes(type, (size_t)step),
                                  free_fn, user, &v);
  return s ? core_fail(st, s, "a tensor of DLPack") : v;
}

PyObject *core_from_dlpack(PyObject *module, PyObject *const *args, Py_ssize_t n) {
  core_state *st = PyModule_GetState(module);
  if (n != 1) return PyErr_SetString(PyExc_TypeError, "from_dlpack(object)"), NULL;
  PyObject *c = PyCapsule_IsValid(args[0], "dltensor") || PyCapsule_IsValid(args[0], "dltensor_versioned")
                    ? Py_NewRef(args[0])
                    : capsule_of(args[0]);
  whet_value *v = NULL;
  if (!c) return NULL;
  if (PyCapsule_IsValid(c, "dltensor_versioned")) {
    dl_versioned *m = PyCapsule_GetPointer(c, "dltensor_versioned");
    if (m->major != DL_MAJOR)
      core_fail(st, WHET_E_UNSUPPORTED, "DLPack of version %u; 0 and 1 are known", (unsigned)m->major);
    else if (m->flags & DL_READ_ONLY)
      core_fail(st, WHET_E_UNSUPPORTED, "the tensor is for reading only: copy it first");
    else if ((v = take(st, &m->t, let_go_now, m)))
      PyCapsule_SetName(c, "used_dltensor_versioned");
  } else if (PyCapsule_IsValid(c, "dltensor")) {
    dl_managed *m = PyCapsule_GetPointer(c, "dltensor");
    if ((v = take(st, &m->t, let_go_old, m))) PyCapsule_SetName(c, "used_dltensor");
  } else {
    PyErr_SetString(PyExc_TypeError, "__dlpack__ gave no DLPack tensor that was not taken before");
  }
  if (v) PyCapsule_SetDestructor(c, NULL);
  Py_DECREF(c);
  return v ? core_value(st, v) : NULL;
}
