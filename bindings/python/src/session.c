/* SPDX-License-Identifier: Apache-2.0 */
/* whet.Session: shapes, memory, everything but the run itself (run.c). */

#include "session.h"

session_object *core_enter(PyObject *self) {
  session_object *o = (session_object *)self;
  if (o->s && !o->busy) return o;
  if (o->s) return core_fail(o->st, WHET_E_MISUSE, "the session is in use by another thread: give each thread its own");
  return o->st ? core_fail(o->st, WHET_E_MISUSE, "the session is closed") : NULL;
}

/* Write what the library says of an input or output into a port. */
static bool note(session_object *o, core_port *p, const whet_info *i, bool known) {
  bool same = p->plain && p->rank == i->rank && !memcmp(p->dims, i->dims, (size_t)(i->rank < 0 ? 0 : i->rank) * sizeof *p->dims);
  p->kind = i->kind;
  p->dtype = i->dtype;
  p->rank = i->rank;
  size_t count = 1;
  bool fixed = known && i->kind == WHET_TENSOR && i->rank >= 0 && (unsigned)i->dtype < WHET_DTYPE_COUNT && o->st->dtype[i->dtype];
  for (int32_t k = 0; k < i->rank; k++) {
    p->dims[k] = i->dims[k];
    fixed &= i->dims[k] >= 0;
    count *= i->dims[k] >= 0 ? (size_t)i->dims[k] : 0;
  }
  p->plain = fixed;
  p->bytes = fixed ? whet_dtype_bytes(i->dtype, count) : 0;
  if (same && fixed && p->shape) return true;
  Py_XDECREF(p->shape);
  p->shape = fixed ? core_tuple(p->dims, p->rank) : NULL;
  return !fixed || p->shape;
}

bool core_settle(session_object *o) {
  if (o->settled) return true;
  whet_cost cost = {.size = sizeof cost};
  whet_status s;
  int busy = o->busy;
  o->busy = 1;
  Py_BEGIN_ALLOW_THREADS
  s = whet_session_cost(o->s, &cost, &o->err);
  Py_END_ALLOW_THREADS
  o->busy = busy;
  if (s) return core_raise(o->st, s, &o->err), false;
  o->late = !cost.complete;
  whet_info info;
  for (size_t i = 0; i < o->n_in; i++)
    if (whet_session_input_info(o->s, i, &info) || !note(o, &o->in[i], &info, true)) return false;
  for (size_t i = 0; i < o->n_out; i++)
    if (whet_session_output_info(o->s, i, &info) || !note(o, &o->out[i], &info, !o->late)) return false;
  o->settled = true;
  return true;
}

bool core_movable(session_object *o) {
  if (!o->views) return true;
  PyErr_Format(PyExc_BufferError, "%zd arrays look at the session's memory: let them go before it moves", o->views);
  return false;
}

bool core_reshape(session_object *o, size_t i, int32_t rank, const int64_t *dims) {
  core_port *p = &o->in[i];
  if (!core_movable(o)) return false;
  whet_status s = whet_session_resize(o->s, i, rank, dims, &o->err);
  if (s) return core_raise(o->st, s, &o->err), false;
  p->rank = rank;
  memcpy(p->dims, dims, (size_t)rank * sizeof *dims);
  Py_CLEAR(p->shape);
  o->settled = false;
  return true;
}

Py_ssize_t core_port_number(session_object *o, PyObject *key, bool output) {
  const core_port *list = output ? o->out : o->in;
  size_t n = output ? o->n_out : o->n_in;
  if (PyUnicode_Check(key)) {
    for (size_t i = 0; i < n; i++)
      if (list[i].name == key) return (Py_ssize_t)i;
    for (size_t i = 0; i < n; i++)
      if (!PyUnicode_Compare(list[i].name, key)) return (Py_ssize_t)i;
    const char *name = PyUnicode_AsUTF8AndSize(key, NULL);
    if (!name) PyErr_Clear();
    core_fail(o->st, WHET_E_NAME, "there is no %s \"%.200s\"", output ? "output" : "input", name ? name : "?");
    return -1;
  }
  Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
  if (i == -1 && PyErr_Occurred()) return -1;
  if (i >= 0 && (size_t)i < n) return i;
  core_fail(o->st, WHET_E_NAME, "there is no %s %zd; there are %zu", output ? "output" : "input", i, n);
  return -1;
}

/* ---- its life ---------------------------------------------------------------------------------------------------
 */

static PyObject *make(PyTypeObject *t, PyObject *args, PyObject *kw) {
  session_object *o = core_new(t);
  if (o) o->st = core_state_of(t);
  return (PyObject *)o;
}

static void drop_ports(core_port *p, size_t n) {
  for (size_t i = 0; p && i < n; i++) {
    Py_XDECREF(p[i].name);
    Py_XDECREF(p[i].shape);
  }
  PyMem_Free(p);
}

static void drop(session_object *o) {
  whet_session_close(&o->s);
  drop_ports(o->in, o->n_in);
  drop_ports(o->out, o->n_out);
  o->in = o->out = NULL;
  o->n_in = o->n_out = 0;
  o->settled = false;
  Py_CLEAR(o->program);
}

static void session_free(PyObject *self) {
  drop((session_object *)self);
  core_free(self);
}

/* Which dimensions of an input a run may change: those that the model leaves open; all where a signature runs, whose inputs
 * are numbered by themselves. */
static void open_dims(session_object *o, size_t i) {
  program_object *p = (program_object *)o->program;
  const whet_model *m = ((model_object *)p->model)->m;
  whet_info info;
  core_port *port = &o->in[i];
  port->open = ~0u;
  if (p->signature || whet_model_input(m, i, &info) || info.rank < 0) return;
  port->open = 0;
  port->rank_fixed = true;
  for (int32_t k = 0; k < info.rank; k++)
    if (info.dims[k] < 0) port->open |= 1u << k;
}

/* Names of inputs or outputs. */
static core_port *make_ports(session_object *o, bool output, size_t n) {
  core_port *p = PyMem_Calloc(n + 1, sizeof *p);
  if (!p) return PyErr_NoMemory(), NULL;
  for (size_t i = 0; i < n; i++) {
    whet_info info;
    whet_status s = output ? whet_session_output_info(o->s, i, &info) : whet_session_input_info(o->s, i, &info);
    const char *name = s ? "" : info.name;
    PyObject *text = PyUnicode_DecodeUTF8(name, (Py_ssize_t)strlen(name), "surrogateescape");
    if (text) PyUnicode_InternInPlace(&text);
    p[i].name = text;
    if (text && note(o, &p[i], &info, false)) continue;
    drop_ports(p, n);
    return NULL;
  }
  return p;
}

/* Session(program) */
static int session_init(PyObject *self, PyObject *args, PyObject *kw) {
  static char *k_names[] = {"program", NULL};
  session_object *o = (session_object *)self;
  PyObject *program;
  if (!PyArg_ParseTupleAndKeywords(args, kw, "O!:Session", k_names, o->st->program, &program)) return -1;
  program_object *p = (program_object *)program;
  if (!p->p) return core_fail(o->st, WHET_E_MISUSE, "the program is closed"), -1;
  if (o->busy || !core_movable(o)) return o->busy ? (core_enter(self), -1) : -1;
  drop(o);
  whet_status s = whet_session_create(p->p, &o->s, &o->err);
  if (s) return core_raise(o->st, s, &o->err), -1;
  o->program = Py_NewRef(program);
  size_t n_in = whet_session_inputs(o->s), n_out = whet_session_outputs(o->s);
  if ((o->in = make_ports(o, false, n_in))) o->n_in = n_in;
  if (o->in && (o->out = make_ports(o, true, n_out))) o->n_out = n_out;
  if (!o->in || !o->out) return drop(o), -1;
  for (size_t i = 0; i < n_in; i++) open_dims(o, i);
  return 0;
}

static PyObject *session_close(PyObject *self, PyObject *unused) {
  session_object *o = (session_object *)self;
  if (o->s && (!core_enter(self) || !core_movable(o))) return NULL;
  drop(o);
  Py_RETURN_NONE;
}
static PyObject *session_enter(PyObject *self, PyObject *unused) { return Py_NewRef(self); }
static PyObject *session_exit(PyObject *self, PyObject *const *args, Py_ssize_t n) { return session_close(self, NULL); }

/* ---- what it has ------------------------------------------------------------------------------------------------
 */

static PyObject *list_infos(PyObject *self, bool output) {
  session_object *o = core_enter(self);
  PyObject *list = o ? PyList_New(0) : NULL;
  for (size_t i = 0; list && i < (output ? o->n_out : o->n_in); i++) {
    whet_info info;
    if (output)
      whet_session_output_info(o->s, i, &info);
    else
      whet_session_input_info(o->s, i, &info);
    PyObject *x = core_info(o->st, &info);
    if (!x || PyList_Append(list, x)) Py_CLEAR(list);
    Py_XDECREF(x);
  }
  return list;
}
static PyObject *get_inputs(PyObject *self, void *unused) { return list_infos(self, false); }
static PyObject *get_outputs(PyObject *self, void *unused) { return list_infos(self, true); }
static PyObject *get_program(PyObject *self, void *unused) {
  PyObject *p = ((session_object *)self)->program;
  return Py_NewRef(p ? p : Py_None);
}
static PyObject *get_closed(PyObject *self, void *unused) { return PyBool_FromLong(!((session_object *)self)->s); }
static PyObject *get_views(PyObject *self, void *unused) { return PyLong_FromSsize_t(((session_object *)self)->views); }
static PyObject *get_settled(PyObject *self, void *unused) { return PyBool_FromLong(((session_object *)self)->settled); }

/* resize(input, shape) */
static PyObject *session_resize(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  session_object *o = core_enter(self);
  int64_t dims[WHET_MAX_RANK];
  if (!o) return NULL;
  if (n != 2) return PyErr_SetString(PyExc_TypeError, "resize(input, shape)"), NULL;
  Py_ssize_t i = core_port_number(o, args[0], false);
  int32_t rank = i < 0 ? -1 : core_ints(args[1], dims, WHET_MAX_RANK);
  return rank >= 0 && core_reshape(o, (size_t)i, rank, dims) ? Py_NewRef(Py_None) : NULL;
}

/* prepare() */
static PyObject *session_prepare(PyObject *self, PyObject *unused) {
  session_object *o = core_enter(self);
  if (!o || (!o->settled && !core_movable(o)) || !core_settle(o)) return NULL;
  Py_RETURN_NONE;
}

/* An array over memory of the session. */
static PyObject *look(session_object *o, const core_port *p, void *data, bool readonly) {
  memory_object *m = core_new(o->st->memory);
  if (!m) return NULL;
  m->owner = (session_object *)Py_NewRef((PyObject *)o);
  o->views++;
  m->data = data;
  m->bytes = p->bytes;
  m->dtype = p->dtype;
  m->readonly = readonly;
  m->rank = p->rank;
  core_strides(p->dtype, p->rank, p->dims, m->dims, m->strides);
  PyObject *a = PyObject_CallFunctionObjArgs(o->st->np_asarray, (PyObject *)m, NULL);
  Py_DECREF((PyObject *)m);
  return a;
}

static PyObject *view(PyObject *self, PyObject *const *args, Py_ssize_t n, bool output, bool readonly) {
  session_object *o = core_enter(self);
  if (!o) return NULL;
  if (n != 1) return PyErr_SetString(PyExc_TypeError, "takes a name or a number"), NULL;
  Py_ssize_t i = core_port_number(o, args[0], output);
  if (i < 0 || !core_settle(o)) return NULL;
  const core_port *p = output ? &o->out[i] : &o->in[i];
  if (output && !p->plain) return core_fetch(o, (size_t)i);
  if (!p->plain)
    return core_fail(o->st, WHET_E_TYPE, "input %zd is no tensor of a type that NumPy has: give it to run()", i);
  void *data = output ? (void *)whet_session_output(o->s, (size_t)i, NULL, &o->err)
                      : whet_session_input(o->s, (size_t)i, NULL, &o->err);
  if (!data) return core_raise(o->st, o->err.code ? o->err.code : WHET_E_MISUSE, &o->err);
  return look(o, p, data, readonly);
}
static PyObject *session_input(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  return view(self, args, n, false, false);
}
static PyObject *session_output(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  return view(self, args, n, true, true);
}
static PyObject *session_output_rw(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  return view(self, args, n, true, false);
}

/* kept(tensor): (Info, array) of an inner value. */
static PyObject *session_kept(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  session_object *o = core_enter(self);
  if (!o) return NULL;
  size_t t = n == 1 ? PyLong_AsSize_t(args[0]) : (PyErr_SetString(PyExc_TypeError, "kept(tensor)"), 0);
  if (PyErr_Occurred()) return NULL;
  whet_info info;
  const void *data;
  whet_status s = whet_session_kept(o->s, t, &info, &data, &o->err);
  if (s) return core_raise(o->st, s, &o->err);
  core_port p = {.rank = 0};
  PyObject *array = NULL, *about = NULL;
  if (info.kind != WHET_TENSOR || info.dtype == WHET_STRING)
    core_fail(o->st, WHET_E_TYPE, "tensor %zu cannot be read: it holds no numbers", t);
  else if (note(o, &p, &info, true)) {
    if (p.plain) {
      array = core_copy(o, &p, data);
    } else { /* a type of its own, or packed: as a value */
      whet_value *v;
      if ((s = whet_value_create(info.dtype, info.rank, info.dims, &v)))
        core_fail(o->st, s, "tensor %zu: its size is not known", t);
      else
        memcpy(whet_value_data(v), data, whet_value_bytes(v)), array = core_value_array(o->st, v);
    }
  }
  Py_XDECREF(p.shape);
  if (array) about = core_info(o->st, &info);
  if (about) return Py_BuildValue("(NN)", about, array);
  Py_XDECREF(array);
  return NULL;
}

static PyObject *session_guard(PyObject *self, PyObject *unused) {
  session_object *o = core_enter(self);
  if (!o) return NULL;
  o->guarded = true;
  Py_RETURN_NONE;
}

static PyObject *session_reset(PyObject *self, PyObject *unused) {
  session_object *o = core_enter(self);
  if (!o) return NULL;
  whet_status s = whet_session_reset(o->s);
  if (s) return core_raise(o->st, s, NULL);
  Py_RETURN_NONE;
}

static PyObject *session_share(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  session_object *o = core_enter(self);
  if (!o) return NULL;
  if (n != 1 || !PyObject_TypeCheck(args[0], o->st->session)) return PyErr_SetString(PyExc_TypeError, "share(session)"), NULL;
  session_object *with = core_enter(args[0]);
  if (!with || !core_movable(o)) return NULL;
  whet_status s = whet_session_share(o->s, with->s, &o->err);
  if (s) return core_raise(o->st, s, &o->err);
  o->settled = false;
  Py_RETURN_NONE;
}

/* cost(): bytes for the shapes that the session has now. */
static PyObject *session_cost(PyObject *self, PyObject *unused) {
  session_object *o = core_enter(self);
  whet_cost c = {.size = sizeof c};
  if (!o) return NULL;
  whet_status s = whet_session_cost(o->s, &c, &o->err);
  if (s) return core_raise(o->st, s, &o->err);
  return Py_BuildValue("{s:n,s:n,s:n,s:n,s:L,s:N}", "arena_bytes", (Py_ssize_t)c.arena_bytes, "variable_bytes",
                       (Py_ssize_t)c.variable_bytes, "plan_bytes", (Py_ssize_t)c.plan_bytes, "weights_bytes",
                       (Py_ssize_t)c.weights_bytes, "macs", (long long)c.macs, "complete", PyBool_FromLong(c.complete));
}

/* profile(on=True) */
static PyObject *session_profile(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  session_object *o = core_enter(self);
  int on = o && n ? PyObject_IsTrue(args[0]) : 1;
  if (!o || on < 0) return NULL;
  whet_status s = whet_session_profile(o->s, on, &o->err);
  if (s) return core_raise(o->st, s, &o->err);
  Py_RETURN_NONE;
}

/* steps(): [(node, name, op, kernel, ns)] */
static PyObject *session_steps(PyObject *self, PyObject *unused) {
  session_object *o = core_enter(self);
  PyObject *list = o && core_settle(o) ? PyList_New(0) : NULL;
  for (size_t i = 0; list && i < whet_session_steps(o->s); i++) {
    whet_step_info t = {.size = sizeof t};
    whet_session_step(o->s, i, &t);
    PyObject *x = Py_BuildValue("(isssK)", (int)t.node, t.name, t.op, t.kernel, (unsigned long long)t.ns);
    if (!x || PyList_Append(list, x)) Py_CLEAR(list);
    Py_XDECREF(x);
  }
  return list;
}

#define FAST(f) (PyCFunction)(void (*)(void))f, METH_FASTCALL

static PyMethodDef k_methods[] = {
    {"run", (PyCFunction)(void (*)(void))core_run, METH_FASTCALL | METH_KEYWORDS,
     "run(*inputs, outputs=None, out=None, cancel=None, deadline_ms=0) -> list of outputs\n\n"
     "Inputs in the model's order, or one dict by name. Dense arrays of the right type are used where they lie; others are\n"
     "copied. outputs: names of those wanted (all). out: arrays that they are written to instead of new ones, None for each that has none."},
    {"invoke", core_invoke, METH_NOARGS, "invoke(): run on the session's own memory"},
    {"put", FAST(core_put), "put(input, array) -> False when the array does not fit as it is: nothing was copied then"},
    {"set", FAST(core_set), "set(input, Value): use this value for the input, without a copy, until another is set"},
    {"guard", session_guard, METH_NOARGS, "guard(): from now on invoke() wants prepare() first, and no array over the memory"},
    {"get", FAST(core_get), "get(output) -> a copy of an output of the last run"},
    {"input", FAST(session_input), "input(name_or_number) -> array over the session's memory, to be filled before invoke()"},
    {"output", FAST(session_output), "output(name_or_number) -> array over the session's memory, to be read after invoke()"},
    {"output_memory", FAST(session_output_rw), "output_memory(name_or_number) -> the same, to be written too"},
    {"resize", FAST(session_resize), "resize(input, shape): takes effect with the next run"},
    {"prepare", session_prepare, METH_NOARGS, "prepare(): plan and take memory now"},
    {"kept", FAST(session_kept), "kept(tensor) -> (Info, array) of an inner value that the program keeps, by its number"},
    {"reset", session_reset, METH_NOARGS, "reset(): variables back to their first values"},
    {"share", FAST(session_share), "share(session): use that session's variables from now on"},
    {"cost", session_cost, METH_NOARGS, "cost() -> dict: bytes for the shapes that the session has now"},
    {"profile", FAST(session_profile), "profile(on=True): sum the time of each step"},
    {"steps", session_steps, METH_NOARGS, "steps() -> [(node, name, op, kernel, nanoseconds)]"},
    {"close", session_close, METH_NOARGS, "close(): free it now; BufferError while arrays look at its memory"},
    {"__enter__", session_enter, METH_NOARGS, NULL},
    {"__exit__", FAST(session_exit), NULL},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef k_fields[] = {
    {"inputs", get_inputs, NULL, "Its inputs with their shapes now: a list of Info.", NULL},
    {"outputs", get_outputs, NULL, "Its outputs; dimensions that only a run tells are None: a list of Info.", NULL},
    {"program", get_program, NULL, "The Program that it runs.", NULL},
    {"closed", get_closed, NULL, "Whether it was closed.", NULL},
    {"views", get_views, NULL, "Arrays that look at its memory now.", NULL},
    {"prepared", get_settled, NULL, "Whether shapes are planned and memory is taken.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot k_slots[] = {
    {Py_tp_doc, "Session(program)\n\n"
                "One run at a time of a program: its memory, shapes and variables. Give each thread its own."},
    {Py_tp_new, (void *)make},
    {Py_tp_init, (void *)session_init},
    {Py_tp_dealloc, (void *)session_free},
    {Py_tp_methods, k_methods},
    {Py_tp_getset, k_fields},
    {0, NULL}};
PyType_Spec core_session_spec = {"whet._core.Session", sizeof(session_object), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                 k_slots};
