/* SPDX-License-Identifier: Apache-2.0 */
/* Operators written in Python: a function that gets arrays and gives arrays, and perhaps one that tells shapes first. */

#include "core.h"

#include <stddef.h>

static const char k_capsule[] = "whet._core.custom";

/* One operator: what the library calls, and the functions. */
struct op {
  whet_custom_op op;
  core_state *st;
  PyObject *run, *shape; /* shape NULL: sizes come with the result */
  PyObject *name;        /* holds op.name */
};

/* All operators of a model, each in a domain of its own line. */
struct set {
  size_t n;
  struct op *op;
  const whet_custom_op **one;
  whet_custom_domain *domain;
  const whet_custom_domain **list;
  PyObject *held; /* what holds the texts of the domains */
};

static void set_free(struct set *s) {
  for (size_t i = 0; s->op && i < s->n; i++) {
    Py_XDECREF(s->op[i].run);
    Py_XDECREF(s->op[i].shape);
    Py_XDECREF(s->op[i].name);
  }
  Py_XDECREF(s->held);
  PyMem_Free(s->op);
  PyMem_Free(s->one);
  PyMem_Free(s->domain);
  PyMem_Free(s->list);
  PyMem_Free(s);
}

static void capsule_free(PyObject *c) { set_free(PyCapsule_GetPointer(c, k_capsule)); }

/* What the exception that is raised now says, for the library's error. */
static whet_status hand_error(whet_custom_ctx *c) {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  PyObject *name = type ? PyObject_GetAttrString(type, "__name__") : NULL,
           *text = name ? PyUnicode_FromFormat("%U: %S", name, value ? value : Py_None) : NULL;
  const char *s = text ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
  whet_custom_error(c, s ? s : "the operator's function failed");
  Py_XDECREF(name);
  Py_XDECREF(text);
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(trace);
  PyErr_Clear();
  return WHET_E_DATA;
}

/* node.attr(name): an attribute by its name, whatever its type; None when absent. `self` is a capsule over the context. */
static PyObject *attr(PyObject *self, PyObject *arg) {
  const whet_custom_ctx *c = PyCapsule_GetPointer(self, k_capsule);
  const char *name = PyUnicode_AsUTF8AndSize(arg, NULL);
  int64_t i;
  float f;
  const int64_t *is;
  const float *fs;
  const char *s;
  size_t n;
  if (!c) return PyErr_SetString(PyExc_RuntimeError, "attributes can be read during the call only"), NULL;
  if (!name) return NULL;
  if (whet_custom_attr_int(c, name, &i)) return PyLong_FromLongLong(i);
  if (whet_custom_attr_float(c, name, &f)) return PyFloat_FromDouble((double)f);
  if (whet_custom_attr_string(c, name, &s, &n)) return PyBytes_FromStringAndSize(s, (Py_ssize_t)n);
  bool ints = whet_custom_attr_ints(c, name, &is, &n) != 0;
  if (!ints && !whet_custom_attr_floats(c, name, &fs, &n)) Py_RETURN_NONE;
  PyObject *list = PyList_New((Py_ssize_t)n);
  for (size_t k = 0; list && k < n; k++) {
    PyObject *x = ints ? PyLong_FromLongLong(is[k]) : PyFloat_FromDouble((double)fs[k]);
    if (!x || PyList_SetItem(list, (Py_ssize_t)k, x)) Py_CLEAR(list);
  }
  return list;
}
static PyMethodDef k_attr = {"attr", attr, METH_O, "attr(name) -> int, float, bytes, a list of either, or None"};

/* A copy of an input, the constant's in a shape rule; None when it is absent or not known. */
static PyObject *array_of(core_state *st, const whet_info *i, const void *data) {
  if (!data || !(unsigned)i->dtype || (unsigned)i->dtype >= WHET_DTYPE_COUNT || !st->dtype[i->dtype]) Py_RETURN_NONE;
  Py_buffer b;
  PyObject *shape = core_tuple(i->dims, i->rank),
           *a = shape ? PyObject_CallFunctionObjArgs(st->np_empty, shape, st->dtype[i->dtype], NULL) : NULL;
  Py_XDECREF(shape);
  if (!a) return NULL;
  if (PyObject_GetBuffer(a, &b, PyBUF_WRITABLE)) {
    Py_DECREF(a);
    return NULL;
  }
  if (b.len) memcpy(b.buf, data, (size_t)b.len);
  PyBuffer_Release(&b);
  return a;
}

/* Call a function with (attr, input...): inputs are Info in a shape rule, arrays in a kernel; answers a list or tuple. */
static PyObject *call(struct op *o, PyObject *fn, whet_custom_ctx *c, bool shapes) {
  size_t n = whet_custom_inputs(c);
  PyObject *node = PyCapsule_New(c, k_capsule, NULL), *get = node ? PyCFunction_NewEx(&k_attr, node, NULL) : NULL,
           *args = get ? PyTuple_New((Py_ssize_t)n + 1) : NULL, *out = NULL;
  if (args) PyTuple_SetItem(args, 0, Py_NewRef(get));
  for (size_t i = 0; args && i < n; i++) {
    whet_info info;
    const void *data = NULL;
    PyObject *x = whet_custom_input(c, i, &info, &data) || !info.dtype ? Py_NewRef(Py_None)
                  : shapes                                              ? core_info(o->st, &info)
                                                                        : array_of(o->st, &info, data);
    if (!x || PyTuple_SetItem(args, (Py_ssize_t)i + 1, x)) Py_CLEAR(args);
  }
  if (args) out = PyObject_Call(fn, args, NULL);
  Py_XDECREF(args);
  if (node) PyCapsule_SetName(node, NULL); /* the function may have kept it */
  Py_XDECREF(get);
  Py_XDECREF(node);
  if (!out || PyTuple_Check(out) || PyList_Check(out)) return out;
  PyObject *one = PyTuple_New(1);
  if (one)
    PyTuple_SetItem(one, 0, out);
  else
    Py_DECREF(out);
  return one;
}

/* As many results as outputs; false with an exception. */
static bool counted(PyObject *list, const whet_custom_ctx *c) {
  Py_ssize_t n = list ? PySequence_Size(list) : -1;
  if (n < 0 || (size_t)n == whet_custom_outputs(c)) return n >= 0;
  PyErr_Format(PyExc_ValueError, "%zd results; the node has %zu outputs", n, whet_custom_outputs(c));
  return false;
}

/* The shape rule answers (dtype, shape) for each output. */
static whet_status op_shape(void *user, void *state, whet_custom_ctx *c) {
  struct op *o = user;
  PyGILState_STATE g = PyGILState_Ensure();
  PyObject *list = call(o, o->shape, c, true);
  whet_status s = counted(list, c) ? WHET_OK : WHET_E_DATA;
  for (size_t i = 0; !s && i < whet_custom_outputs(c); i++) {
    PyObject *x = PySequence_GetItem(list, (Py_ssize_t)i), *type = x ? PySequence_GetItem(x, 0) : NULL,
             *shape = type ? PySequence_GetItem(x, 1) : NULL;
    int64_t dims[WHET_MAX_RANK];
    const char *name = shape ? PyUnicode_AsUTF8AndSize(type, NULL) : NULL;
    int32_t rank = name ? core_ints(shape, dims, WHET_MAX_RANK) : -1;
    s = rank < 0 ? WHET_E_DATA : whet_custom_output(c, i, whet_dtype_from_name(name), rank, dims, NULL);
    Py_XDECREF(x);
    Py_XDECREF(type);
    Py_XDECREF(shape);
  }
  if (PyErr_Occurred()) s = hand_error(c);
  Py_XDECREF(list);
  PyGILState_Release(g);
  return s;
}

/* The kernel answers an array for each output. */
static whet_status op_run(void *user, void *state, whet_custom_ctx *c) {
  struct op *o = user;
  PyGILState_STATE g = PyGILState_Ensure();
  PyObject *list = call(o, o->run, c, false);
  whet_status s = counted(list, c) ? WHET_OK : WHET_E_DATA;
  for (size_t i = 0; !s && i < whet_custom_outputs(c); i++) {
    PyObject *given = PySequence_GetItem(list, (Py_ssize_t)i),
             *x = given ? PyObject_CallFunction(o->st->np_require, "OOs", given, Py_None, "C") : NULL;
    Py_buffer b = {.obj = NULL};
    int64_t dims[WHET_MAX_RANK];
    void *to = NULL;
    if (!x || PyObject_GetBuffer(x, &b, PyBUF_ND | PyBUF_FORMAT) || b.ndim > WHET_MAX_RANK) {
      s = WHET_E_DATA;
    } else {
      for (int k = 0; k < b.ndim; k++) dims[k] = b.shape[k];
      whet_dtype t = core_dtype_of(b.format, b.itemsize);
      s = t ? whet_custom_output(c, i, t, b.ndim, dims, &to) : WHET_E_TYPE;
      if (!t) PyErr_SetString(PyExc_TypeError, "a result of a type that whet does not have");
      if (!s && to && b.len) memcpy(to, b.buf, (size_t)b.len);
    }
    if (b.obj) PyBuffer_Release(&b);
    Py_XDECREF(x);
    Py_XDECREF(given);
  }
  if (PyErr_Occurred()) s = hand_error(c);
  Py_XDECREF(list);
  PyGILState_Release(g);
  return s;
}

/* Operator i from (domain, name, run, shape or None). */
static bool take(core_state *st, struct set *s, size_t i, PyObject *x) {
  struct op *o = &s->op[i];
  PyObject *domain = PySequence_GetItem(x, 0), *shape;
  if (!domain || PyList_Append(s->held, domain)) return Py_XDECREF(domain), false;
  Py_DECREF(domain);
  o->st = st;
  o->name = PySequence_GetItem(x, 1);
  o->run = o->name ? PySequence_GetItem(x, 2) : NULL;
  shape = o->run ? PySequence_GetItem(x, 3) : NULL;
  if (!shape) return false;
  if (shape == Py_None)
    Py_DECREF(shape);
  else
    o->shape = shape;
  const char *name = PyUnicode_AsUTF8AndSize(o->name, NULL), *in = name ? PyUnicode_AsUTF8AndSize(domain, NULL) : NULL;
  if (!in) return false;
  if (!PyCallable_Check(o->run) || (o->shape && !PyCallable_Check(o->shape)))
    return PyErr_SetString(PyExc_TypeError, "a custom operator's run and shape are functions"), false;
  o->op = (whet_custom_op){.size = sizeof o->op, .name = name, .max_in = -1, .max_out = -1, .run = op_run, .user = o,
                           .thread_safe = 1}; /* the interpreter lets one in at a time */
  if (o->shape) o->op.shape = op_shape;
  s->one[i] = &o->op;
  s->domain[i] = (whet_custom_domain){sizeof *s->domain, in, &s->one[i], 1};
  s->list[i] = &s->domain[i];
  return true;
}

PyObject *core_custom_new(core_state *st, PyObject *ops, const whet_custom_domain *const **list, size_t *n) {
  PyObject *all = PySequence_List(ops);
  if (!all) return NULL;
  size_t count = (size_t)PyList_Size(all);
  struct set *s = PyMem_Calloc(1, sizeof *s);
  if (s) {
    s->op = PyMem_Calloc(count + 1, sizeof *s->op);
    s->one = PyMem_Calloc(count + 1, sizeof *s->one);
    s->domain = PyMem_Calloc(count + 1, sizeof *s->domain);
    s->list = PyMem_Calloc(count + 1, sizeof *s->list);
    s->held = PyList_New(0);
    s->n = s->op ? count : 0;
  }
  bool ok = s && s->op && s->one && s->domain && s->list && s->held;
  if (!ok) PyErr_NoMemory();
  for (size_t i = 0; ok && i < count; i++) ok = take(st, s, i, PyList_GetItem(all, (Py_ssize_t)i));
  Py_DECREF(all);
  PyObject *c = ok ? PyCapsule_New(s, k_capsule, capsule_free) : NULL;
  if (!c) {
    if (s) set_free(s);
    return NULL;
  }
  *list = s->list;
  *n = count;
  return c;
}
