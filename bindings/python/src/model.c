/* SPDX-License-Identifier: Apache-2.0 */
/* whet.Model and whet.Program, and whet.Cancel. */

#include "core.h"

static PyObject *model_make(PyTypeObject *t, PyObject *args, PyObject *kw) {
  model_object *o = core_new(t);
  if (o) o->st = core_state_of(t);
  return (PyObject *)o;
}

static void model_drop(model_object *o) {
  whet_model_close(&o->m);
  if (o->bytes.obj) PyBuffer_Release(&o->bytes);
  Py_CLEAR(o->custom);
}

static void model_free(PyObject *self) {
  model_drop((model_object *)self);
  core_free(self);
}

/* The number that stands for a word of a list; -1 with an exception. */
static int word(const char *what, const char *s, const char *const *list) {
  for (int i = 0; list[i]; i++)
    if (!strcmp(s, list[i])) return i;
  PyErr_Format(PyExc_ValueError, "%s \"%s\": expected one of those in the documentation", what, s);
  return -1;
}

/* A list of names, as C has it. */
struct names {
  PyObject *list; /* holds the texts */
  const char **v;
  size_t n;
};

static bool take_names(PyObject *x, struct names *out) {
  if (!(out->list = PySequence_List(x))) return false;
  Py_ssize_t n = PyList_Size(out->list);
  if (!(out->v = PyMem_Calloc((size_t)n + 1, sizeof *out->v))) return PyErr_NoMemory(), false;
  for (; out->n < (size_t)n; out->n++)
    if (!(out->v[out->n] = PyUnicode_AsUTF8AndSize(PyList_GetItem(out->list, (Py_ssize_t)out->n), NULL))) return false;
  return true;
}

static void free_names(struct names *n) {
  Py_XDECREF(n->list);
  PyMem_Free(n->v);
}

/* Model(source, *, format=None, copy=False, memory_limit=0, node_limit=0, depth_limit=0, load_ms=0, data_folder=None,
 * rules=None, custom=None, inputs=None) */
static int model_init(PyObject *self, PyObject *args, PyObject *kw) {
  static char *k_names[] = {"source", "format", "copy", "memory_limit", "node_limit", "depth_limit", "load_ms", "data_folder",
                            "rules", "custom", "inputs", NULL};
  static const char *const k_formats[] = {"auto", "onnx", "tflite", "whet", NULL};
  model_object *o = (model_object *)self;
  PyObject *source, *custom = Py_None, *path = NULL, *folder = NULL, *folder_arg = Py_None, *inputs = Py_None;
  struct names in = {0};
  const char *format = NULL, *rules = NULL;
  int copy = 0, depth = 0;
  Py_ssize_t memory = 0;
  long long nodes = 0, load_ms = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kw, "O|$zpnLiLOzOO:Model", k_names, &source, &format, &copy, &memory, &nodes, &depth,
                                   &load_ms, &folder_arg, &rules, &custom, &inputs))
    return -1;
  whet_model_opts opts = whet_model_opts_default();
  int f = format ? word("format", format, k_formats) : 0;
  if (f < 0) return -1;
  if (memory < 0) {
    PyErr_SetString(PyExc_ValueError, "memory_limit is negative");
    return -1;
  }
  opts.format = (whet_format)f;
  opts.limits.memory_bytes = (size_t)memory;
  opts.limits.nodes = nodes;
  opts.limits.depth = depth;
  opts.limits.load_ms = load_ms;
  opts.rules = rules;
  opts.map = copy ? WHET_MAP_PRIVATE_COPY : WHET_MAP_FILE;
  model_drop(o);
  if (folder_arg != Py_None) {
    if (!PyUnicode_FSConverter(folder_arg, &folder)) return -1;
    opts.data_folder = PyBytes_AsString(folder);
  }
  int bad = -1;
  whet_err err = {0};
  whet_status s = WHET_OK;
  if (inputs != Py_None && !take_names(inputs, &in)) goto done;
  opts.inputs = in.v;
  opts.n_inputs = in.n;
  if (custom != Py_None && !(o->custom = core_custom_new(o->st, custom, &opts.custom, &opts.n_custom))) goto done;
  if (PyObject_CheckBuffer(source)) {
    if (PyObject_GetBuffer(source, &o->bytes, PyBUF_SIMPLE)) goto done;
    if (!o->bytes.readonly) opts.map = WHET_MAP_PRIVATE_COPY; /* somebody else may write there */
    Py_BEGIN_ALLOW_THREADS
    s = whet_model_open_memory(o->bytes.buf, (size_t)o->bytes.len, &opts, &o->m, &err);
    Py_END_ALLOW_THREADS
    if (s || opts.map == WHET_MAP_PRIVATE_COPY) PyBuffer_Release(&o->bytes);
  } else {
    if (!PyUnicode_FSConverter(source, &path)) goto done;
    const char *at = PyBytes_AsString(path);
    Py_BEGIN_ALLOW_THREADS
    s = whet_model_open(at, &opts, &o->m, &err);
    Py_END_ALLOW_THREADS
  }
  if (s)
    core_raise(o->st, s, &err);
  else
    bad = 0;
done:
  free_names(&in);
  Py_XDECREF(path);
  Py_XDECREF(folder);
  return bad;
}

/* The open model, or NULL with an exception. */
static whet_model *model_of(PyObject *self) {
  model_object *o = (model_object *)self;
  return o->m ? o->m : core_fail(o->st, WHET_E_MISUSE, "the model is closed");
}

typedef size_t (*count_fn)(const whet_model *);
typedef whet_status (*info_fn)(const whet_model *, size_t, whet_info *);

/* A list of Info. */
static PyObject *infos(PyObject *self, count_fn count, info_fn get) {
  whet_model *m = model_of(self);
  PyObject *list = m ? PyList_New(0) : NULL;
  for (size_t i = 0; list && i < count(m); i++) {
    whet_info info;
    get(m, i, &info);
    PyObject *x = core_info(((model_object *)self)->st, &info);
    if (!x || PyList_Append(list, x)) Py_CLEAR(list);
    Py_XDECREF(x);
  }
  return list;
}

static PyObject *model_inputs(PyObject *self, void *unused) {
  return infos(self, whet_model_inputs, whet_model_input);
}
static PyObject *model_outputs(PyObject *self, void *unused) {
  return infos(self, whet_model_outputs, whet_model_output);
}
static PyObject *model_overridables(PyObject *self, void *unused) {
  return infos(self, whet_model_overridables, whet_model_overridable);
}

static PyObject *model_format(PyObject *self, void *unused) {
  whet_model *m = model_of(self);
  if (!m) return NULL;
  whet_format f = whet_model_format(m);
  return PyUnicode_FromString(f == WHET_FORMAT_ONNX ? "onnx" : f == WHET_FORMAT_TFLITE ? "tflite" : "whet");
}

static PyObject *model_meta(PyObject *self, void *unused) {
  whet_model *m = model_of(self);
  PyObject *d = m ? PyDict_New() : NULL;
  for (size_t i = 0; d && i < whet_model_metas(m); i++) {
    const char *key = whet_model_meta_key(m, i);
    size_t n = 0;
    const char *v = whet_model_meta(m, key, &n);
    PyObject *k = PyUnicode_DecodeUTF8(key, (Py_ssize_t)strlen(key), "surrogateescape"),
             *x = PyBytes_FromStringAndSize(v, (Py_ssize_t)n);
    if (!k || !x || PyDict_SetItem(d, k, x)) Py_CLEAR(d);
    Py_XDECREF(k);
    Py_XDECREF(x);
  }
  return d;
}

/* [(key, graph, [(name, tensor)...], [(name, tensor)...])] */
static PyObject *model_signatures(PyObject *self, void *unused) {
  whet_model *m = model_of(self);
  PyObject *list = m ? PyList_New(0) : NULL;
  for (size_t i = 0; list && i < whet_model_signatures(m); i++) {
    PyObject *side[2] = {PyList_New(0), PyList_New(0)};
    for (int o = 0; o < 2; o++)
      for (size_t k = 0; side[o] && k < (o ? whet_model_signature_outputs(m, i) : whet_model_signature_inputs(m, i)); k++) {
        PyObject *x = Py_BuildValue("(si)", o ? whet_model_signature_output(m, i, k) : whet_model_signature_input(m, i, k),
                                    (int)(o ? whet_model_signature_output_tensor(m, i, k)
                                            : whet_model_signature_input_tensor(m, i, k)));
        if (!x || PyList_Append(side[o], x)) Py_CLEAR(side[o]);
        Py_XDECREF(x);
      }
    PyObject *x = side[0] && side[1] ? Py_BuildValue("(siOO)", whet_model_signature_key(m, i),
                                                     (int)whet_model_signature_graph(m, i), side[0], side[1])
                                     : NULL;
    if (!x || PyList_Append(list, x)) Py_CLEAR(list);
    Py_XDECREF(x);
    Py_XDECREF(side[0]);
    Py_XDECREF(side[1]);
  }
  return list;
}

/* graphs(): [(tensors, nodes)] of the file. */
static PyObject *model_graphs(PyObject *self, PyObject *unused) {
  whet_model *m = model_of(self);
  PyObject *list = m ? PyList_New(0) : NULL;
  for (size_t g = 0; list && g < whet_model_graphs(m); g++) {
    PyObject *x = Py_BuildValue("(nn)", (Py_ssize_t)whet_model_graph_tensors(m, g), (Py_ssize_t)whet_model_graph_nodes(m, g));
    if (!x || PyList_Append(list, x)) Py_CLEAR(list);
    Py_XDECREF(x);
  }
  return list;
}

/* Two numbers from the arguments; false with an exception. */
static bool two(PyObject *const *args, Py_ssize_t n, size_t *a, size_t *b) {
  if (n != 2) {
    PyErr_SetString(PyExc_TypeError, "takes graph and index");
    return false;
  }
  *a = PyLong_AsSize_t(args[0]);
  *b = PyErr_Occurred() ? 0 : PyLong_AsSize_t(args[1]);
  return !PyErr_Occurred();
}

/* tensor(graph, i): (Info, number, block, constant, variable, type). */
static PyObject *model_tensor(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  core_state *st = ((model_object *)self)->st;
  whet_model *m = model_of(self);
  size_t g, i;
  if (!m || !two(args, n, &g, &i)) return NULL;
  whet_tensor_info t = {.size = sizeof t};
  whet_status s = whet_model_graph_tensor(m, g, i, &t);
  if (s) return core_fail(st, WHET_E_NAME, "there is no tensor %zu in graph %zu", i, g);
  PyObject *info = core_info(st, &t.info);
  if (!info) return NULL;
  return Py_BuildValue("(NiiNNz)", info, (int)t.number, (int)t.block, PyBool_FromLong(t.constant), PyBool_FromLong(t.variable),
                       t.type);
}

/* constant(graph, i): the elements of a constant tensor as bytes, or None. */
static PyObject *model_constant(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  core_state *st = ((model_object *)self)->st;
  whet_model *m = model_of(self);
  size_t g, i;
  if (!m || !two(args, n, &g, &i)) return NULL;
  whet_tensor_info t = {.size = sizeof t};
  if (whet_model_graph_tensor(m, g, i, &t)) return core_fail(st, WHET_E_NAME, "there is no tensor %zu in graph %zu", i, g);
  if (!t.data || t.info.dtype == WHET_STRING) Py_RETURN_NONE;
  return PyBytes_FromStringAndSize(t.data, (Py_ssize_t)t.bytes);
}

/* node(graph, i): (type, name, domain, since, inputs, outputs). */
static PyObject *model_node(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  core_state *st = ((model_object *)self)->st;
  whet_model *m = model_of(self);
  size_t g, i;
  if (!m || !two(args, n, &g, &i)) return NULL;
  whet_node_info x = {.size = sizeof x};
  if (whet_model_graph_node(m, g, i, &x)) return core_fail(st, WHET_E_NAME, "there is no node %zu in graph %zu", i, g);
  PyObject *side[2] = {PyTuple_New((Py_ssize_t)x.n_in), PyTuple_New((Py_ssize_t)x.n_out)};
  for (int o = 0; o < 2 && side[0] && side[1]; o++)
    for (size_t k = 0; k < (o ? x.n_out : x.n_in); k++) {
      PyObject *v = PyLong_FromLong(o ? x.out[k] : x.in[k]);
      if (!v || PyTuple_SetItem(side[o], (Py_ssize_t)k, v)) Py_CLEAR(side[0]);
      if (!side[0]) break;
    }
  PyObject *all = side[0] && side[1] ? Py_BuildValue("(sssiOO)", x.type, x.name, x.domain, (int)x.since, side[0], side[1]) : NULL;
  Py_XDECREF(side[0]);
  Py_XDECREF(side[1]);
  return all;
}

/* io(output, i): number of the file's tensor that is input or output i. */
static PyObject *model_io(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  whet_model *m = model_of(self);
  size_t o, i;
  if (!m || !two(args, n, &o, &i)) return NULL;
  return PyLong_FromLong(o ? whet_model_output_tensor(m, i) : whet_model_input_tensor(m, i));
}

static PyGetSetDef k_model_fields[] = {
    {"inputs", model_inputs, NULL, "What the model takes: a list of Info.", NULL},
    {"outputs", model_outputs, NULL, "What the model gives: a list of Info.", NULL},
    {"overridables", model_overridables, NULL, "Initialisers that Model's inputs= may make inputs: a list of Info.", NULL},
    {"format", model_format, NULL, "\"onnx\", \"tflite\" or \"whet\".", NULL},
    {"meta", model_meta, NULL, "Texts that the file carries: a dict of bytes.", NULL},
    {"signatures", model_signatures, NULL, "[(key, graph, [(name, tensor)], [(name, tensor)])] of a TFLite model.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

#define FAST(f) (PyCFunction)(void (*)(void))f, METH_FASTCALL

static PyMethodDef k_model_methods[] = {
    {"graphs", model_graphs, METH_NOARGS, "graphs() -> [(tensors, nodes)] of the file's graphs; 0 is the main one"},
    {"tensor", FAST(model_tensor), "tensor(graph, i) -> (Info, number, block, constant, variable, type)"},
    {"constant", FAST(model_constant), "constant(graph, i) -> the bytes of a constant tensor, or None"},
    {"node", FAST(model_node), "node(graph, i) -> (type, name, domain, since, inputs, outputs)"},
    {"io", FAST(model_io), "io(output, i) -> number of the tensor that is input (0) or output (1) i; -1: none"},
    {NULL, NULL, 0, NULL}};

static PyType_Slot k_model_slots[] = {
    {Py_tp_doc, "Model(source, *, format=None, copy=False, memory_limit=0, node_limit=0, depth_limit=0, load_ms=0,\n"
                "data_folder=None, rules=None, custom=None, inputs=None)\n\n"
                "A model read from a file (a path) or from bytes, which are not copied. Any bytes are safe: they end in an Error\n"
                "or in a model that cannot crash the process. Immutable; may be shared between threads. custom: a list of CustomOp.\n"
                "inputs: names of overridables that shall be inputs, after the others."},
    {Py_tp_new, (void *)model_make},
    {Py_tp_init, (void *)model_init},
    {Py_tp_dealloc, (void *)model_free},
    {Py_tp_getset, k_model_fields},
    {Py_tp_methods, k_model_methods},
    {0, NULL}};
PyType_Spec core_model_spec = {"whet._core.Model", sizeof(model_object), 0, Py_TPFLAGS_DEFAULT, k_model_slots};

/* ---- Program ----------------------------------------------------------------------------------------------------
 */

static PyObject *program_make(PyTypeObject *t, PyObject *args, PyObject *kw) {
  program_object *o = core_new(t);
  if (o) o->st = core_state_of(t);
  return (PyObject *)o;
}

static void program_free(PyObject *self) {
  program_object *o = (program_object *)self;
  whet_program_close(&o->p);
  Py_CLEAR(o->model);
  core_free(self);
}

/* Lists of the options, as C has them. */
struct lists {
  struct names keep;
  whet_dim_override *dims;
};

/* keep: names, or "all". */
static bool take_keep(PyObject *keep, whet_program_opts *o, struct lists *l) {
  if (keep == Py_None) return true;
  if (PyUnicode_Check(keep)) {
    o->keep_all = PyUnicode_CompareWithASCIIString(keep, "all") == 0;
    if (!o->keep_all) PyErr_SetString(PyExc_ValueError, "keep: a list of names, or \"all\"");
    return o->keep_all;
  }
  if (!take_names(keep, &l->keep)) return false;
  o->keep = l->keep.v;
  o->n_keep = l->keep.n;
  return true;
}

/* dims: a dict of names and numbers. */
static bool take_dims(PyObject *dims, whet_program_opts *o, struct lists *l) {
  if (dims == Py_None) return true;
  Py_ssize_t n = PyDict_Check(dims) ? PyDict_Size(dims) : -1, at = 0, i = 0;
  PyObject *k, *v;
  if (n < 0) return PyErr_SetString(PyExc_TypeError, "dims: a dict of names and sizes"), false;
  if (!(l->dims = PyMem_Calloc((size_t)n + 1, sizeof *l->dims))) return PyErr_NoMemory(), false;
  while (PyDict_Next(dims, &at, &k, &v)) {
    l->dims[i].symbol = PyUnicode_AsUTF8AndSize(k, NULL);
    l->dims[i].value = l->dims[i].symbol ? PyLong_AsLongLong(v) : 0;
    if (PyErr_Occurred()) return false;
    i++;
  }
  o->dims = l->dims;
  o->n_dims = (size_t)n;
  return true;
}

/* Program(model, *, threads=0, cpu=None, prefer=None, exact=False, precision=None, group=True, keep=None, dims=None,
 * signature=None, max_plans=0, tune=False) */
static int program_init(PyObject *self, PyObject *args, PyObject *kw) {
  static char *k_names[] = {"model", "threads", "cpu", "prefer", "exact", "precision", "group", "keep", "dims", "signature",
                            "max_plans", "tune", NULL};
  static const char *const k_prefer[] = {"speed", "memory", NULL};
  program_object *o = (program_object *)self;
  whet_program_opts opts = whet_program_opts_default();
  PyObject *model, *keep = Py_None, *dims = Py_None;
  const char *prefer = NULL;
  int group = 1, tune = 0;
  Py_ssize_t plans = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kw, "O!|$izzpzpOOznp:Program", k_names, o->st->model, &model, &opts.threads, &opts.cpu,
                                   &prefer, &opts.exact, &opts.precision, &group, &keep, &dims, &opts.signature, &plans, &tune))
    return -1;
  int f = prefer ? word("prefer", prefer, k_prefer) : 0;
  whet_model *m = model_of(model);
  if (f < 0 || !m) return -1;
  opts.prefer = (whet_prefer)f;
  opts.no_group = !group;
  opts.max_plans = plans > 0 ? (size_t)plans : 0;
  whet_program_close(&o->p);
  Py_CLEAR(o->model);
  struct lists l = {0};
  whet_err err = {0};
  whet_status s = WHET_E_MISUSE;
  bool ok = take_keep(keep, &opts, &l) && take_dims(dims, &opts, &l);
  if (ok) {
    Py_BEGIN_ALLOW_THREADS
    s = tune ? whet_program_create_tuned(m, &opts, &o->p, NULL, &err) : whet_program_create(m, &opts, &o->p, &err);
    Py_END_ALLOW_THREADS
    if (s) core_raise(o->st, s, &err);
  }
  free_names(&l.keep);
  PyMem_Free(l.dims);
  if (!ok || s) return -1;
  o->model = Py_NewRef(model);
  o->signature = opts.signature != NULL;
  return 0;
}

static PyObject *program_model(PyObject *self, void *unused) {
  PyObject *m = ((program_object *)self)->model;
  return Py_NewRef(m ? m : Py_None);
}

static PyObject *program_cost(PyObject *self, PyObject *unused) {
  program_object *o = (program_object *)self;
  whet_cost c = {.size = sizeof c};
  whet_err err = {0};
  if (!o->p) return core_fail(o->st, WHET_E_MISUSE, "the program is closed");
  whet_status s = whet_program_cost(o->p, &c, &err);
  if (s) return core_raise(o->st, s, &err);
  return Py_BuildValue("{s:n,s:n,s:n,s:n,s:n,s:n,s:L,s:K,s:N}", "weights_bytes", (Py_ssize_t)c.weights_bytes, "mapped_bytes",
                       (Py_ssize_t)c.mapped_bytes, "arena_bytes", (Py_ssize_t)c.arena_bytes, "variable_bytes",
                       (Py_ssize_t)c.variable_bytes, "plan_bytes", (Py_ssize_t)c.plan_bytes, "bound_bytes",
                       (Py_ssize_t)c.bound_bytes, "macs", (long long)c.macs, "fingerprint", (unsigned long long)c.fingerprint,
                       "complete", PyBool_FromLong(c.complete));
}

/* save(path) */
static PyObject *program_save(PyObject *self, PyObject *arg) {
  program_object *o = (program_object *)self;
  PyObject *path;
  whet_err err = {0};
  whet_status s;
  if (!o->p) return core_fail(o->st, WHET_E_MISUSE, "the program is closed");
  if (!PyUnicode_FSConverter(arg, &path)) return NULL;
  const char *at = PyBytes_AsString(path);
  Py_BEGIN_ALLOW_THREADS
  s = whet_program_save(o->p, at, NULL, &err);
  Py_END_ALLOW_THREADS
  Py_DECREF(path);
  if (s) return core_raise(o->st, s, &err);
  Py_RETURN_NONE;
}

static PyGetSetDef k_program_fields[] = {{"model", program_model, NULL, "The Model that it was made of.", NULL},
                                         {NULL, NULL, NULL, NULL, NULL}};
static PyMethodDef k_program_methods[] = {
    {"save", program_save, METH_O, "save(path): write the program to a .whet file, which opens at once"},
    {"cost", program_cost, METH_NOARGS, "cost() -> dict: what the program and one session cost, in bytes and multiply-adds"},
    {NULL, NULL, 0, NULL}};
static PyType_Slot k_program_slots[] = {
    {Py_tp_doc, "Program(model, *, threads=0, cpu=None, prefer=None, exact=False, precision=None, group=True, keep=None,\n"
                "dims=None, signature=None, max_plans=0, tune=False)\n\n"
                "A model made ready for this machine: optimised graph, packed weights, plans. Sessions made from one program\n"
                "share its weights and may run at once in several threads. tune: measure which kernels are the fastest here."},
    {Py_tp_new, (void *)program_make},
    {Py_tp_init, (void *)program_init},
    {Py_tp_dealloc, (void *)program_free},
    {Py_tp_getset, k_program_fields},
    {Py_tp_methods, k_program_methods},
    {0, NULL}};
PyType_Spec core_program_spec = {"whet._core.Program", sizeof(program_object), 0, Py_TPFLAGS_DEFAULT, k_program_slots};

/* ---- Cancel -----------------------------------------------------------------------------------------------------
 */

static PyObject *cancel_raise(PyObject *self, PyObject *unused) {
  whet_cancel_raise(&((cancel_object *)self)->c);
  Py_RETURN_NONE;
}
static PyObject *cancel_clear(PyObject *self, PyObject *unused) {
  ((cancel_object *)self)->c.flag = 0;
  Py_RETURN_NONE;
}
static PyObject *cancel_raised(PyObject *self, void *unused) { return PyBool_FromLong(whet_cancel_raised(&((cancel_object *)self)->c)); }

static PyMethodDef k_cancel_methods[] = {
    {"cancel", cancel_raise, METH_NOARGS, "cancel(): end the runs that were given this object at their next step"},
    {"clear", cancel_clear, METH_NOARGS, "clear(): let runs go on again"},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef k_cancel_fields[] = {{"cancelled", cancel_raised, NULL, "Whether cancel() was called.", NULL},
                                        {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot k_cancel_slots[] = {
    {Py_tp_doc, "Cancel()\n\nGiven to a run, it ends that run from another thread."},
    {Py_tp_dealloc, (void *)core_free},
    {Py_tp_methods, k_cancel_methods},
    {Py_tp_getset, k_cancel_fields},
    {0, NULL}};
PyType_Spec core_cancel_spec = {"whet._core.Cancel", sizeof(cancel_object), 0, Py_TPFLAGS_DEFAULT, k_cancel_slots};
