/* SPDX-License-Identifier: Apache-2.0 */
/* whet.Value, and the memory of sessions that NumPy looks at. Both give their memory by the buffer protocol. */

#include "core.h"

PyObject *core_value(core_state *st, whet_value *v) {
  value_object *o = v ? core_new(st->value) : NULL;
  if (!o) {
    whet_value_unref(&v);
    return NULL;
  }
  o->st = st;
  o->v = v;
  whet_dtype t = whet_value_dtype(v);
  if (whet_value_kind(v) == WHET_TENSOR && whet_dtype_bits(t) >= 8)
    core_strides(t, whet_value_rank(v), whet_value_dims(v), o->dims, o->strides);
  return (PyObject *)o;
}

PyObject *core_value_array(core_state *st, whet_value *v) {
  PyObject *value = core_value(st, v), *x = value ? PyObject_CallFunctionObjArgs(st->to_array, value, NULL) : NULL;
  Py_XDECREF(value);
  return x;
}

static void value_free(PyObject *self) {
  whet_value_unref(&((value_object *)self)->v);
  core_free(self);
}

static int value_buffer(PyObject *self, Py_buffer *b, int flags) {
  value_object *o = (value_object *)self;
  whet_dtype t = whet_value_dtype(o->v);
  b->obj = NULL;
  if (whet_value_kind(o->v) != WHET_TENSOR || t == WHET_STRING) {
    PyErr_SetString(PyExc_BufferError, "only tensors of numbers have memory to look at");
    return -1;
  }
  size_t bytes = whet_value_bytes(o->v);
  if (whet_dtype_bits(t) < 8) { /* packed: a row of bytes */
    o->dims[0] = (Py_ssize_t)bytes;
    o->strides[0] = 1;
    return core_fill_buffer(self, b, flags, whet_value_data(o->v), WHET_U8, bytes, 1, o->dims, o->strides, false);
  }
  return core_fill_buffer(self, b, flags, whet_value_data(o->v), t, bytes, whet_value_rank(o->v), o->dims, o->strides, false);
}

static PyObject *value_kind(PyObject *self, void *unused) {
  static const char *const k_kind[] = {"tensor", "sequence", "map", "optional"};
  return PyUnicode_FromString(k_kind[whet_value_kind(((value_object *)self)->v) & 3]);
}
static PyObject *value_dtype(PyObject *self, void *unused) {
  return PyUnicode_FromString(whet_dtype_name(whet_value_dtype(((value_object *)self)->v)));
}
static PyObject *value_shape(PyObject *self, void *unused) {
  const whet_value *v = ((value_object *)self)->v;
  return core_tuple(whet_value_dims(v), whet_value_rank(v));
}
static PyObject *value_nbytes(PyObject *self, void *unused) {
  return PyLong_FromSize_t(whet_value_bytes(((value_object *)self)->v));
}
static PyObject *value_data(PyObject *self, void *unused) {
  return PyLong_FromVoidPtr(whet_value_data(((value_object *)self)->v));
}

/* Items of a sequence or optional; of a map: keys and values. */
static PyObject *value_items(PyObject *self, PyObject *unused) {
  value_object *o = (value_object *)self;
  PyObject *list = PyList_New(0);
  for (size_t i = 0; list && i < whet_value_items(o->v); i++) {
    PyObject *x = core_value(o->st, whet_value_ref(whet_value_item(o->v, i)));
    if (!x || PyList_Append(list, x)) Py_CLEAR(list);
    Py_XDECREF(x);
  }
  return list;
}

/* The elements of a tensor of strings, as bytes. */
static PyObject *value_strings(PyObject *self, PyObject *unused) {
  value_object *o = (value_object *)self;
  if (whet_value_dtype(o->v) != WHET_STRING) return core_fail(o->st, WHET_E_TYPE, "the value is no tensor of strings");
  const whet_str *s = whet_value_const_data(o->v);
  size_t n = whet_value_count(o->v);
  PyObject *list = PyList_New((Py_ssize_t)n);
  for (size_t i = 0; list && i < n; i++) {
    PyObject *x = PyBytes_FromStringAndSize(s[i].p, (Py_ssize_t)s[i].n);
    if (!x || PyList_SetItem(list, (Py_ssize_t)i, x)) Py_CLEAR(list);
  }
  return list;
}

static PyObject *value_numpy(PyObject *self, PyObject *unused) {
  value_object *o = (value_object *)self;
  return PyObject_CallFunctionObjArgs(o->st->to_array, self, NULL);
}

static PyMethodDef k_value_methods[] = {
    {"items", value_items, METH_NOARGS, "items() -> values of a sequence or optional; a map's keys and values"},
    {"strings", value_strings, METH_NOARGS, "strings() -> the elements of a tensor of strings, as bytes"},
    {"numpy", value_numpy, METH_NOARGS, "numpy() -> an array over the value's memory; list, dict or None for other kinds"},
    {"__dlpack__", (PyCFunction)(void (*)(void))core_dlpack, METH_VARARGS | METH_KEYWORDS,
     "__dlpack__(*, stream=None, max_version=None, dl_device=None, copy=None) -> capsule"},
    {"__dlpack_device__", core_dlpack_device, METH_NOARGS, "__dlpack_device__() -> (1, 0): the CPU"},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef k_value_fields[] = {
    {"kind", value_kind, NULL, "\"tensor\", \"sequence\", \"map\" or \"optional\".", NULL},
    {"dtype", value_dtype, NULL, "Element type of a tensor, \"float32\".", NULL},
    {"shape", value_shape, NULL, "Dimensions of a tensor.", NULL},
    {"nbytes", value_nbytes, NULL, "Bytes of a tensor.", NULL},
    {"data", value_data, NULL, "Address of a tensor's elements.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot k_value_slots[] = {
    {Py_tp_doc, "A tensor, sequence, map or optional that the library counts. It outlives the session that made it."},
    {Py_tp_dealloc, (void *)value_free},
    {Py_tp_methods, k_value_methods},
    {Py_tp_getset, k_value_fields},
    {Py_bf_getbuffer, (void *)value_buffer},
    {0, NULL}};
PyType_Spec core_value_spec = {"whet._core.Value", sizeof(value_object), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, k_value_slots};

/* ---- making values ----------------------------------------------------------------------------------------------
 */

/* Memory of a Python object that a value stands on. */
static void release(void *user, void *data) {
  Py_buffer *b = user;
  if (Py_IsInitialized()) {
    PyGILState_STATE g = PyGILState_Ensure();
    PyBuffer_Release(b);
    PyMem_Free(b);
    PyGILState_Release(g);
  }
}

PyObject *core_wrap(PyObject *module, PyObject *const *args, Py_ssize_t n) {
  core_state *st = PyModule_GetState(module);
  int64_t dims[WHET_MAX_RANK];
  if (n != 3) return PyErr_SetString(PyExc_TypeError, "wrap(array, dtype, shape)"), NULL;
  const char *name = PyUnicode_AsUTF8AndSize(args[1], NULL);
  int32_t rank = name ? core_ints(args[2], dims, WHET_MAX_RANK) : -1;
  if (rank < 0) return NULL;
  whet_dtype t = whet_dtype_from_name(name);
  if (!t) return core_fail(st, WHET_E_TYPE, "no element type is called \"%s\"", name);
  Py_buffer *b = PyMem_Calloc(1, sizeof *b);
  if (!b) return PyErr_NoMemory();
  if (PyObject_GetBuffer(args[0], b, PyBUF_C_CONTIGUOUS)) {
    PyMem_Free(b);
    return NULL;
  }
  whet_value *v;
  whet_status s = whet_value_wrap(t, rank, dims, b->buf, (size_t)b->len, release, b, &v);
  if (!s) return core_value(st, v);
  Py_ssize_t len = b->len;
  release(b, NULL);
  return core_fail(st, s, "%zd bytes do not hold a %s tensor of that shape", len, name);
}

PyObject *core_strings(PyObject *module, PyObject *const *args, Py_ssize_t n) {
  core_state *st = PyModule_GetState(module);
  int64_t dims[WHET_MAX_RANK];
  if (n != 2) return PyErr_SetString(PyExc_TypeError, "strings(list_of_bytes, shape)"), NULL;
  int32_t rank = core_ints(args[1], dims, WHET_MAX_RANK);
  Py_ssize_t count = rank < 0 ? -1 : PySequence_Size(args[0]);
  if (count < 0) return NULL;
  whet_value *v;
  whet_status s = whet_value_create(WHET_STRING, rank, dims, &v);
  if (s) return core_fail(st, s, "a tensor of %zd strings", count);
  if ((size_t)count != whet_value_count(v)) {
    core_fail(st, WHET_E_SHAPE, "%zd strings do not fill a tensor of %zu", count, whet_value_count(v));
    whet_value_unref(&v);
    return NULL;
  }
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject *x = PySequence_GetItem(args[0], i);
    char *p = NULL;
    Py_ssize_t len = 0;
    int bad = !x || PyBytes_AsStringAndSize(x, &p, &len);
    if (!bad && whet_value_set_string(v, (size_t)i, p, (size_t)len)) bad = (PyErr_NoMemory(), 1);
    Py_XDECREF(x);
    if (bad) {
      whet_value_unref(&v);
      return NULL;
    }
  }
  return core_value(st, v);
}

/* The whet_value of a Value; NULL with an exception. */
static whet_value *value_of(core_state *st, PyObject *o) {
  if (PyObject_TypeCheck(o, st->value)) return ((value_object *)o)->v;
  PyErr_SetString(PyExc_TypeError, "expected whet.Value");
  return NULL;
}

PyObject *core_sequence(PyObject *module, PyObject *const *args, Py_ssize_t n) {
  core_state *st = PyModule_GetState(module);
  PyObject *list = n == 1 ? PySequence_List(args[0]) : (PyErr_SetString(PyExc_TypeError, "sequence(values)"), NULL);
  if (!list) return NULL;
  Py_ssize_t count = PyList_Size(list);
  whet_value **item = PyMem_Calloc((size_t)count + 1, sizeof *item), *v = NULL;
  bool ok = item || (PyErr_NoMemory(), false);
  for (Py_ssize_t i = 0; ok && i < count; i++) ok = (item[i] = value_of(st, PyList_GetItem(list, i))) != NULL;
  whet_status s = ok ? whet_value_create_sequence(item, (size_t)count, &v) : WHET_OK;
  PyMem_Free(item);
  Py_DECREF(list);
  if (!ok) return NULL;
  return s ? core_fail(st, s, "a sequence of %zd values", count) : core_value(st, v);
}

PyObject *core_map(PyObject *module, PyObject *const *args, Py_ssize_t n) {
  core_state *st = PyModule_GetState(module);
  if (n != 2) return PyErr_SetString(PyExc_TypeError, "map(keys, values)"), NULL;
  whet_value *k = value_of(st, args[0]), *x = k ? value_of(st, args[1]) : NULL, *v;
  if (!x) return NULL;
  whet_status s = whet_value_create_map(k, x, &v);
  return s ? core_fail(st, s, "a map takes int64 or string keys in one row, and as many values") : core_value(st, v);
}

PyObject *core_optional(PyObject *module, PyObject *const *args, Py_ssize_t n) {
  core_state *st = PyModule_GetState(module);
  if (n != 1) return PyErr_SetString(PyExc_TypeError, "optional(value_or_none)"), NULL;
  whet_value *x = args[0] == Py_None ? NULL : value_of(st, args[0]), *v;
  if (!x && args[0] != Py_None) return NULL;
  whet_status s = whet_value_create_optional(x, &v);
  return s ? core_fail(st, s, "an optional value") : core_value(st, v);
}

/* ---- Memory -----------------------------------------------------------------------------------------------------
 */

static void memory_free(PyObject *self) {
  memory_object *o = (memory_object *)self;
  if (o->owner) {
    o->owner->views--;
    Py_DECREF((PyObject *)o->owner);
  }
  core_free(self);
}

static int memory_buffer(PyObject *self, Py_buffer *b, int flags) {
  memory_object *o = (memory_object *)self;
  return core_fill_buffer(self, b, flags, o->data, o->dtype, o->bytes, o->rank, o->dims, o->strides, o->readonly);
}

static PyType_Slot k_memory_slots[] = {{Py_tp_doc, "Memory of a session that somebody looks at."},
                                       {Py_tp_dealloc, (void *)memory_free},
                                       {Py_bf_getbuffer, (void *)memory_buffer},
                                       {0, NULL}};
PyType_Spec core_memory_spec = {"whet._core.Memory", sizeof(memory_object), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, k_memory_slots};
