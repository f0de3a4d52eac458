/* SPDX-License-Identifier: Apache-2.0 */
/* The module whet._core: state, errors, shared helpers, functions about the machine. */

#include "codecs.h"
#include "core.h"

#include <stdarg.h>
#include <stdio.h>

core_state *core_state_of(PyTypeObject *t) {
  for (; t; t = (PyTypeObject *)PyType_GetSlot(t, Py_tp_base)) {
    PyObject *m = PyType_GetModule(t);
    if (m) return PyModule_GetState(m);
    PyErr_Clear();
  }
  return NULL;
}

void *core_raise(core_state *st, whet_status s, const whet_err *err) {
  const char *text = err && err->code ? err->text : whet_status_text(s);
  PyObject *words = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
  PyObject *e = words ? PyObject_CallFunction(st->make_error, "isO", (int)s, whet_status_name(s), words) : NULL;
  Py_XDECREF(words);
  if (e) PyErr_SetObject((PyObject *)Py_TYPE(e), e);
  Py_XDECREF(e);
  return NULL;
}

void *core_fail(core_state *st, whet_status s, const char *fmt, ...) {
  whet_err e = {.code = s};
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(e.text, sizeof e.text, fmt, ap);
  va_end(ap);
  return core_raise(st, s, &e);
}

void *core_new(PyTypeObject *t) {
  allocfunc alloc = (allocfunc)PyType_GetSlot(t, Py_tp_alloc);
  return alloc(t, 0);
}

void core_free(PyObject *o) {
  PyTypeObject *t = Py_TYPE(o);
  freefunc f = (freefunc)PyType_GetSlot(t, Py_tp_free);
  f(o);
  Py_DECREF(t);
}

const char *core_format(whet_dtype t) {
  static const char *const k_format[WHET_DTYPE_COUNT] = {
      [WHET_F32] = "f", [WHET_U8] = "B",   [WHET_S8] = "b",  [WHET_U16] = "H", [WHET_S16] = "h",
      [WHET_S32] = "i", [WHET_S64] = "q",  [WHET_BOOL] = "?", [WHET_F16] = "e", [WHET_F64] = "d",
      [WHET_U32] = "I", [WHET_U64] = "Q",  [WHET_C64] = "Zf", [WHET_C128] = "Zd", [WHET_BF16] = "H"};
  return (unsigned)t < WHET_DTYPE_COUNT && k_format[t] ? k_format[t] : "B";
}

whet_dtype core_dtype_of(const char *f, Py_ssize_t item) {
  static const whet_dtype k_signed[9] = {[1] = WHET_S8, [2] = WHET_S16, [4] = WHET_S32, [8] = WHET_S64};
  static const whet_dtype k_unsigned[9] = {[1] = WHET_U8, [2] = WHET_U16, [4] = WHET_U32, [8] = WHET_U64};
  if (!f) return item == 1 ? WHET_U8 : WHET_NONE;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  if (*f == '@' || *f == '=' || *f == '<') f++;
#else
  if (*f == '@' || *f == '=' || *f == '>' || *f == '!') f++;
#endif
  if (item < 1 || item > 16) return WHET_NONE;
  if (f[0] == 'Z') return f[1] == 'f' && !f[2] ? WHET_C64 : f[1] == 'd' && !f[2] ? WHET_C128 : WHET_NONE;
  if (!f[0] || f[1]) return WHET_NONE;
  switch (f[0]) {
    case 'f':
      return WHET_F32;
    case 'd':
      return WHET_F64;
    case 'e':
      return WHET_F16;
    case '?':
      return WHET_BOOL;
    case 'b':
    case 'h':
    case 'i':
    case 'l':
    case 'q':
      return item <= 8 ? k_signed[item] : WHET_NONE;
    case 'B':
    case 'H':
    case 'I':
    case 'L':
    case 'Q':
      return item <= 8 ? k_unsigned[item] : WHET_NONE;
    default:
      return WHET_NONE;
  }
}

void core_strides(whet_dtype t, int rank, const int64_t *dims, Py_ssize_t *d, Py_ssize_t *strides) {
  Py_ssize_t step = (Py_ssize_t)whet_dtype_bytes(t, 1);
  for (int i = rank - 1; i >= 0; i--) {
    d[i] = (Py_ssize_t)dims[i];
    strides[i] = step;
    step *= d[i];
  }
}

PyObject *core_tuple(const int64_t *v, int32_t n) {
  PyObject *t = PyTuple_New(n);
  for (int32_t i = 0; t && i < n; i++) {
    PyObject *x = PyLong_FromLongLong(v[i]);
    if (!x || PyTuple_SetItem(t, i, x)) Py_CLEAR(t);
  }
  return t;
}

int32_t core_ints(PyObject *o, int64_t *out, int32_t most) {
  Py_ssize_t n = PySequence_Size(o);
  if (n < 0) return -1;
  if (n > most) {
    PyErr_Format(PyExc_ValueError, "%zd dimensions; at most %d are possible", n, (int)most);
    return -1;
  }
  for (Py_ssize_t i = 0; i < n; i++) {
    PyObject *x = PySequence_GetItem(o, i), *whole = x ? PyNumber_Index(x) : NULL;
    Py_XDECREF(x);
    long long v = whole ? PyLong_AsLongLong(whole) : -1;
    Py_XDECREF(whole);
    if (v == -1 && PyErr_Occurred()) return -1;
    out[i] = v;
  }
  return (int32_t)n;
}

int core_fill_buffer(PyObject *owner, Py_buffer *b, int flags, void *data, whet_dtype t, size_t bytes, int rank, Py_ssize_t *dims,
                     Py_ssize_t *strides, bool readonly) {
  static char k_nothing;
  if (readonly && (flags & PyBUF_WRITABLE) == PyBUF_WRITABLE) {
    PyErr_SetString(PyExc_BufferError, "this memory is for reading");
    b->obj = NULL;
    return -1;
  }
  b->buf = data ? data : &k_nothing;
  b->obj = Py_NewRef(owner);
  b->len = (Py_ssize_t)bytes;
  b->itemsize = (Py_ssize_t)whet_dtype_bytes(t, 1);
  b->readonly = readonly;
  b->format = (flags & PyBUF_FORMAT) ? (char *)core_format(t) : NULL;
  b->ndim = rank;
  b->shape = (flags & PyBUF_ND) ? dims : NULL;
  b->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? strides : NULL;
  b->suboffsets = NULL;
  b->internal = NULL;
  return 0;
}

/* Text of the library as str: names come from files and may be any bytes. */
static PyObject *text(const char *s) {
  return s ? PyUnicode_DecodeUTF8(s, (Py_ssize_t)strlen(s), "surrogateescape") : Py_NewRef(Py_None);
}

/* (axis, scales, zeros), or None. */
static PyObject *quant(const whet_quant_info *q) {
  if (q->n <= 0) return Py_NewRef(Py_None);
  PyObject *scale = PyTuple_New(q->n), *zero = PyTuple_New(q->n);
  for (int32_t i = 0; scale && zero && i < q->n; i++) {
    PyObject *s = PyFloat_FromDouble(q->scale[i]), *z = PyLong_FromLong(q->zero ? q->zero[i] : 0);
    if (!s || !z) {
      Py_XDECREF(s);
      Py_XDECREF(z);
      Py_CLEAR(scale);
      break;
    }
    PyTuple_SetItem(scale, i, s);
    PyTuple_SetItem(zero, i, z);
  }
  PyObject *all = scale && zero ? Py_BuildValue("(iOO)", (int)q->axis, scale, zero) : NULL;
  Py_XDECREF(scale);
  Py_XDECREF(zero);
  return all;
}

PyObject *core_info(core_state *st, const whet_info *i) {
  static const char *const k_kind[] = {"tensor", "sequence", "map", "optional"};
  PyObject *shape = i->rank < 0 ? Py_NewRef(Py_None) : PyTuple_New(i->rank);
  for (int32_t k = 0; shape && k < i->rank; k++) {
    PyObject *d = i->dims[k] >= 0 ? PyLong_FromLongLong(i->dims[k]) : text(i->symbol[k]);
    if (!d || PyTuple_SetItem(shape, k, d)) Py_CLEAR(shape);
  }
  PyObject *name = text(i->name), *q = quant(&i->quant), *all = NULL;
  if (shape && name && q)
    all = PyObject_CallFunction(st->make_info, "OssOO", name, (unsigned)i->kind < 4 ? k_kind[i->kind] : "",
                                whet_dtype_name(i->dtype), shape, q);
  Py_XDECREF(shape);
  Py_XDECREF(name);
  Py_XDECREF(q);
  return all;
}

/* ---- functions --------------------------------------------------------------------------------------------------
 */

/* cpu(level=None): the level in use and the cores. */
static PyObject *cpu(PyObject *module, PyObject *const *args, Py_ssize_t n) {
  const char *level = n && args[0] != Py_None ? PyUnicode_AsUTF8AndSize(args[0], NULL) : NULL;
  if (PyErr_Occurred()) return NULL;
  whet_cpu_info i = {.size = sizeof i};
  whet_err err = {0};
  whet_status s = whet_cpu(level, &i, &err);
  if (s) return core_raise(PyModule_GetState(module), s, &err);
  return Py_BuildValue("(si)", i.level, i.cores);
}

/* kernels(level=None): a list of (family, name, exact, usable). */
static PyObject *kernels(PyObject *module, PyObject *const *args, Py_ssize_t n) {
  const char *level = n && args[0] != Py_None ? PyUnicode_AsUTF8AndSize(args[0], NULL) : NULL;
  if (PyErr_Occurred()) return NULL;
  PyObject *list = PyList_New(0);
  for (size_t i = 0; list; i++) {
    whet_kernel_info k = {.size = sizeof k};
    whet_err err = {0};
    whet_status s = whet_kernel(i, level, &k, &err);
    if (s == WHET_E_MISUSE && i) break;
    PyObject *row = s ? core_raise(PyModule_GetState(module), s, &err)
                      : Py_BuildValue("(ssNN)", k.family, k.name, PyBool_FromLong(k.exact), PyBool_FromLong(k.usable));
    if (!row || PyList_Append(list, row)) Py_CLEAR(list);
    Py_XDECREF(row);
  }
  return list;
}

/* threads(): how many a run could use at most. */
static PyObject *threads(PyObject *module, PyObject *unused) { return PyLong_FromLong(whet_pool_width(NULL)); }

/* dtypes(): (number, name, bits) of every element type. */
static PyObject *dtypes(PyObject *module, PyObject *unused) {
  PyObject *list = PyList_New(0);
  for (int t = 1; list && t < WHET_DTYPE_COUNT; t++) {
    PyObject *row = Py_BuildValue("(isI)", t, whet_dtype_name((whet_dtype)t), whet_dtype_bits((whet_dtype)t));
    if (!row || PyList_Append(list, row)) Py_CLEAR(list);
    Py_XDECREF(row);
  }
  return list;
}

/* codecs(): kinds of pictures that are decoded beside BMP and PNM. */
static PyObject *codecs(PyObject *module, PyObject *unused) {
  PyObject *list = PyList_New(0);
  for (size_t i = 0; list && whet_codec_name(i); i++) {
    PyObject *x = PyUnicode_FromString(whet_codec_name(i));
    if (!x || PyList_Append(list, x)) Py_CLEAR(list);
    Py_XDECREF(x);
  }
  return list;
}

/* What whet._media needs of this module. */
static const core_codecs k_codecs = {whet_codec_register,   whet_canvas_open,    whet_resampler_create,
                                        whet_resampler_close, whet_resampler_room, whet_resampler_run};

static PyMethodDef k_functions[] = {
    {"cpu", (PyCFunction)(void (*)(void))cpu, METH_FASTCALL, "cpu(level=None) -> (level, cores)"},
    {"kernels", (PyCFunction)(void (*)(void))kernels, METH_FASTCALL,
     "kernels(level=None) -> [(family, name, exact, usable)]"},
    {"threads", threads, METH_NOARGS, "threads() -> most threads of a run"},
    {"dtypes", dtypes, METH_NOARGS, "dtypes() -> [(number, name, bits)]"},
    {"codecs", codecs, METH_NOARGS, "codecs() -> names of the codecs that there are"},
    {"wrap", (PyCFunction)(void (*)(void))core_wrap, METH_FASTCALL,
     "wrap(array, dtype, shape) -> Value over the array's memory, without a copy"},
    {"strings", (PyCFunction)(void (*)(void))core_strings, METH_FASTCALL, "strings(list_of_bytes, shape) -> Value"},
    {"sequence", (PyCFunction)(void (*)(void))core_sequence, METH_FASTCALL, "sequence(values) -> Value"},
    {"map", (PyCFunction)(void (*)(void))core_map, METH_FASTCALL, "map(keys, values) -> Value"},
    {"optional", (PyCFunction)(void (*)(void))core_optional, METH_FASTCALL, "optional(value_or_none) -> Value"},
    {"from_dlpack", (PyCFunction)(void (*)(void))core_from_dlpack, METH_FASTCALL,
     "from_dlpack(object) -> Value over the object's memory, without a copy"},
    {"layers", core_layers, METH_VARARGS, "layers(text, seed=1) -> Model"},
    {"train", core_train, METH_VARARGS, "train(model, path, options, progress) -> Model"},
    {"export", core_export, METH_VARARGS, "export(model, path, onnx, opset, dense)"},
    {NULL, NULL, 0, NULL}};

/* An attribute of a module that may have to be imported; NULL with an exception. */
static PyObject *attribute(const char *module, const char *name) {
  PyObject *m = PyImport_ImportModule(module), *x = m ? PyObject_GetAttrString(m, name) : NULL;
  Py_XDECREF(m);
  return x;
}

/* numpy.dtype objects of the types that NumPy has. */
static int numpy_types(core_state *st) {
  static const char *const k_name[WHET_DTYPE_COUNT] = {
      [WHET_F32] = "float32", [WHET_U8] = "uint8", [WHET_S8] = "int8",   [WHET_U16] = "uint16",
      [WHET_S16] = "int16",   [WHET_S32] = "int32", [WHET_S64] = "int64", [WHET_BOOL] = "bool",
      [WHET_F16] = "float16", [WHET_F64] = "float64", [WHET_U32] = "uint32", [WHET_U64] = "uint64",
      [WHET_C64] = "complex64", [WHET_C128] = "complex128"};
  PyObject *make = attribute("numpy", "dtype");
  for (int t = 0; make && t < WHET_DTYPE_COUNT; t++)
    if (k_name[t] && !(st->dtype[t] = PyObject_CallFunction(make, "s", k_name[t]))) Py_CLEAR(make);
  int bad = make ? 0 : -1;
  Py_XDECREF(make);
  return bad;
}

/* Make a type of the module; NULL with an exception. */
static PyTypeObject *add_type(PyObject *m, PyType_Spec *spec) {
  PyTypeObject *t = (PyTypeObject *)PyType_FromModuleAndSpec(m, spec, NULL);
  if (t && PyModule_AddType(m, t)) Py_CLEAR(t);
  return t;
}

static int exec(PyObject *m) {
  core_state *st = PyModule_GetState(m);
  if (!(st->np_empty = attribute("numpy", "empty")) || !(st->np_asarray = attribute("numpy", "asarray")) ||
      !(st->np_require = attribute("numpy", "require")) || numpy_types(st) ||
      !(st->make_error = attribute("whet._errors", "make")) || !(st->make_info = attribute("whet._types", "Info")) ||
      !(st->to_input = attribute("whet._arrays", "to_input")) || !(st->to_array = attribute("whet._arrays", "to_array")))
    return -1;
  if (!(st->model = add_type(m, &core_model_spec)) || !(st->program = add_type(m, &core_program_spec)) ||
      !(st->session = add_type(m, &core_session_spec)) || !(st->value = add_type(m, &core_value_spec)) ||
      !(st->memory = add_type(m, &core_memory_spec)) || !(st->cancel = add_type(m, &core_cancel_spec)))
    return -1;
  PyObject *capsule = PyCapsule_New((void *)&k_codecs, CORE_CODECS, NULL);
  int bad = capsule ? PyModule_AddObjectRef(m, "codecs_capsule", capsule) : -1;
  Py_XDECREF(capsule);
  return bad ? bad : PyModule_AddStringConstant(m, "version", whet_version());
}

static int traverse(PyObject *m, visitproc visit, void *arg) {
  core_state *st = PyModule_GetState(m);
  Py_VISIT(st->model);
  Py_VISIT(st->program);
  Py_VISIT(st->session);
  Py_VISIT(st->value);
  Py_VISIT(st->memory);
  Py_VISIT(st->cancel);
  Py_VISIT(st->np_empty);
  Py_VISIT(st->np_asarray);
  Py_VISIT(st->np_require);
  Py_VISIT(st->make_error);
  Py_VISIT(st->make_info);
  Py_VISIT(st->to_input);
  Py_VISIT(st->to_array);
  return 0;
}

static int clear(PyObject *m) {
  core_state *st = PyModule_GetState(m);
  Py_CLEAR(st->model);
  Py_CLEAR(st->program);
  Py_CLEAR(st->session);
  Py_CLEAR(st->value);
  Py_CLEAR(st->memory);
  Py_CLEAR(st->cancel);
  Py_CLEAR(st->np_empty);
  Py_CLEAR(st->np_asarray);
  Py_CLEAR(st->np_require);
  Py_CLEAR(st->make_error);
  Py_CLEAR(st->make_info);
  Py_CLEAR(st->to_input);
  Py_CLEAR(st->to_array);
  for (int t = 0; t < WHET_DTYPE_COUNT; t++) Py_CLEAR(st->dtype[t]);
  return 0;
}

static void module_free(void *m) { clear(m); }

static PyModuleDef_Slot k_slots[] = {{Py_mod_exec, (void *)exec}, {0, NULL}};

static struct PyModuleDef k_module = {.m_base = PyModuleDef_HEAD_INIT,
                                      .m_name = "whet._core",
                                      .m_doc = "The C side of the package whet; its Python is what programs use.",
                                      .m_size = sizeof(core_state),
                                      .m_methods = k_functions,
                                      .m_slots = k_slots,
                                      .m_traverse = traverse,
                                      .m_clear = clear,
                                      .m_free = module_free};

PyMODINIT_FUNC PyInit__core(void);
PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&k_module); }
