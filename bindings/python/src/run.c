/* SPDX-License-Identifier: Apache-2.0 */
/* Running a session on arrays. What lies dense, aligned and in the right type is bound where it lies; outputs of known size
 * are made before the run and written to directly. The interpreter is let go while the model runs. */

#include "session.h"

enum { FEW = 16 }; /* inputs or outputs for which no memory is asked */

/* What one run holds. */
struct call {
  session_object *o;
  PyObject **in;      /* what callers gave, by input; borrowed */
  Py_buffer *in_buf;  /* obj NULL: not held */
  PyObject **made;    /* arrays and values that were made of inputs */
  size_t *want;       /* outputs asked for */
  PyObject **out;     /* their arrays */
  Py_buffer *out_buf;
  size_t n_want;
  whet_run_opts opts;
  PyObject *cancel;
  void *block; /* memory for the lists; NULL: they lie in `few` */
  struct {
    PyObject *in[FEW], *made[FEW], *out[FEW];
    Py_buffer in_buf[FEW], out_buf[FEW];
    size_t want[FEW];
  } few;
};

/* Room for the lists of a call. */
static bool room(struct call *c, session_object *o) {
  c->o = o;
  if (o->n_in <= FEW && o->n_out <= FEW) {
    c->in = c->few.in, c->made = c->few.made, c->out = c->few.out;
    c->in_buf = c->few.in_buf, c->out_buf = c->few.out_buf, c->want = c->few.want;
    for (size_t i = 0; i < o->n_in; i++) c->in[i] = c->made[i] = NULL, c->in_buf[i].obj = NULL;
    for (size_t i = 0; i < o->n_out; i++) c->out[i] = NULL, c->out_buf[i].obj = NULL;
    return true;
  }
  size_t a = o->n_in * (2 * sizeof(PyObject *) + sizeof(Py_buffer)),
         b = o->n_out * (sizeof(PyObject *) + sizeof(Py_buffer) + sizeof(size_t));
  if (!(c->block = PyMem_Calloc(1, a + b))) return PyErr_NoMemory(), false;
  c->in_buf = c->block;
  c->out_buf = c->in_buf + o->n_in;
  c->in = (PyObject **)(c->out_buf + o->n_out);
  c->made = c->in + o->n_in;
  c->out = c->made + o->n_in;
  c->want = (size_t *)(c->out + o->n_out);
  return true;
}

/* Let go of everything; outputs that were handed on are NULL. */
static void leave(struct call *c) {
  for (size_t i = 0; i < c->o->n_in; i++) {
    if (c->in_buf[i].obj) PyBuffer_Release(&c->in_buf[i]);
    Py_XDECREF(c->made[i]);
  }
  for (size_t k = 0; k < c->n_want; k++) {
    if (c->out_buf[k].obj) PyBuffer_Release(&c->out_buf[k]);
    Py_XDECREF(c->out[k]);
  }
  PyMem_Free(c->block);
}

/* ---- inputs -----------------------------------------------------------------------------------------------------
 */

/* Is memory usable as it lies for elements of this type? */
static bool aligned(const Py_buffer *b) {
  size_t to = b->itemsize >= 8 ? 8 : (size_t)b->itemsize;
  return !to || !((uintptr_t)b->buf % to);
}

/* Hold the buffer of an object if it is a dense array of the port's type; false (no exception) when it is not. */
static bool hold(const core_port *p, PyObject *x, Py_buffer *b) {
  if (PyObject_GetBuffer(x, b, PyBUF_ND | PyBUF_FORMAT)) {
    PyErr_Clear();
    b->obj = NULL;
    return false;
  }
  if (core_dtype_of(b->format, b->itemsize) == p->dtype && b->ndim <= WHET_MAX_RANK && aligned(b)) return true;
  PyBuffer_Release(b);
  b->obj = NULL;
  return false;
}

/* Words for a shape, in a buffer of the caller's. */
static const char *words(char *text, size_t room, const Py_ssize_t *d, const int64_t *e, int n) {
  size_t at = 0;
  text[0] = 0;
  for (int i = 0; i < n && at + 24 < room; i++)
    at += (size_t)PyOS_snprintf(text + at, room - at, "%s%lld", i ? "x" : "", d ? (long long)d[i] : (long long)e[i]);
  return n ? text : "a scalar";
}

/* The shape of input i is that of the buffer now. */
static bool reshape(session_object *o, size_t i, const Py_buffer *b) {
  core_port *p = &o->in[i];
  int64_t dims[WHET_MAX_RANK];
  const bool rank = p->rank == b->ndim;
  bool same = rank, allowed = !p->rank_fixed || rank;
  for (int k = 0; k < b->ndim; k++) {
    dims[k] = b->shape[k];
    bool equal = rank && p->dims[k] == dims[k];
    allowed &= equal || p->open >> k & 1;
    same &= equal;
  }
  if (same) return true;
  if (!allowed) {
    char want[240], got[240];
    const char *name = PyUnicode_AsUTF8AndSize(p->name, NULL);
    if (!name) PyErr_Clear();
    core_fail(o->st, WHET_E_SHAPE, "input \"%.200s\": expected %s, got %s", name ? name : "?",
              words(want, sizeof want, NULL, p->dims, p->rank), words(got, sizeof got, b->shape, NULL, b->ndim));
    return false;
  }
  return core_reshape(o, i, b->ndim, dims);
}

/* Take what the caller gave for input i: a dense array as it is, else what Python makes of it. */
static bool take_input(struct call *c, size_t i) {
  session_object *o = c->o;
  core_port *p = &o->in[i];
  bool numbers = p->kind == WHET_TENSOR && o->st->dtype[p->dtype];
  if (numbers && hold(p, c->in[i], &c->in_buf[i])) return reshape(o, i, &c->in_buf[i]);
  static const char *const k_kind[] = {"tensor", "sequence", "map", "optional"};
  PyObject *x = PyObject_CallFunction(o->st->to_input, "OssO", c->in[i], whet_dtype_name(p->dtype), k_kind[p->kind & 3], p->name);
  if (!x) return false;
  c->made[i] = x;
  if (PyObject_TypeCheck(x, o->st->value)) {
    whet_value *v = ((value_object *)x)->v;
    if (whet_value_kind(v) == WHET_TENSOR && p->kind == WHET_TENSOR) {
      Py_ssize_t dims[WHET_MAX_RANK];
      Py_buffer shape = {.ndim = whet_value_rank(v), .shape = dims};
      for (int k = 0; k < shape.ndim; k++) dims[k] = (Py_ssize_t)whet_value_dims(v)[k];
      return reshape(o, i, &shape);
    }
    return true;
  }
  if (hold(p, x, &c->in_buf[i])) return reshape(o, i, &c->in_buf[i]);
  core_fail(o->st, WHET_E_TYPE, "input %zu: no array came of what was given", i);
  return false;
}

/* Point the session at the inputs of the call. */
static bool bind_inputs(struct call *c) {
  session_object *o = c->o;
  for (size_t i = 0; i < o->n_in; i++) {
    whet_status s;
    if (c->in_buf[i].obj)
      s = whet_session_bind_input(o->s, i, c->in_buf[i].buf, (size_t)c->in_buf[i].len, &o->err);
    else
      s = whet_session_set_input(o->s, i, ((value_object *)c->made[i])->v, &o->err);
    if (s) return core_raise(o->st, s, &o->err), false;
  }
  return true;
}

/* ---- outputs ----------------------------------------------------------------------------------------------------
 */

PyObject *core_copy(session_object *o, const core_port *p, const void *data) {
  Py_buffer b;
  PyObject *a = PyObject_CallFunctionObjArgs(o->st->np_empty, p->shape, o->st->dtype[p->dtype], NULL);
  if (!a || !p->bytes) return a;
  if (PyObject_GetBuffer(a, &b, PyBUF_WRITABLE)) {
    Py_DECREF(a);
    return NULL;
  }
  memcpy(b.buf, data, p->bytes);
  PyBuffer_Release(&b);
  return a;
}

PyObject *core_fetch(session_object *o, size_t i) {
  whet_info info;
  const void *data = whet_session_output(o->s, i, NULL, &o->err);
  if (data && !whet_session_output_info(o->s, i, &info) && (unsigned)info.dtype < WHET_DTYPE_COUNT && o->st->dtype[info.dtype]) {
    core_port p = {.dtype = info.dtype, .rank = info.rank, .shape = core_tuple(info.dims, info.rank)};
    size_t count = 1;
    for (int32_t k = 0; k < info.rank; k++) count *= (size_t)info.dims[k];
    p.bytes = whet_dtype_bytes(info.dtype, count);
    PyObject *a = p.shape ? core_copy(o, &p, data) : NULL;
    Py_XDECREF(p.shape);
    return a;
  }
  whet_value *v = NULL;
  whet_status s = whet_session_get_output(o->s, i, &v, &o->err);
  return s ? core_raise(o->st, s, &o->err) : core_value_array(o->st, v);
}

/* Arrays for the outputs whose sizes are known; the caller's where there are any. */
static bool make_outputs(struct call *c, PyObject *given) {
  session_object *o = c->o;
  for (size_t k = 0; k < c->n_want; k++) {
    const core_port *p = &o->out[c->want[k]];
    if (given && !(c->out[k] = PySequence_GetItem(given, (Py_ssize_t)k))) return false;
    if (c->out[k] == Py_None) Py_CLEAR(c->out[k]);
    if (c->out[k]) {
      if (!p->plain) {
        core_fail(o->st, WHET_E_TYPE, "output %zu cannot be written to an array: its size is known after a run only", c->want[k]);
        return false;
      }
    } else if (p->plain) {
      c->out[k] = PyObject_CallFunctionObjArgs(o->st->np_empty, p->shape, o->st->dtype[p->dtype], NULL);
      if (!c->out[k]) return false;
    } else {
      continue;
    }
    Py_buffer *b = &c->out_buf[k];
    if (PyObject_GetBuffer(c->out[k], b, PyBUF_ND | PyBUF_FORMAT | PyBUF_WRITABLE)) {
      b->obj = NULL;
      return false;
    }
    bool fits = core_dtype_of(b->format, b->itemsize) == p->dtype && b->ndim == p->rank && aligned(b);
    for (int32_t i = 0; fits && i < p->rank; i++) fits = b->shape[i] == p->dims[i];
    if (!fits) {
      char want[240], got[240];
      core_fail(o->st, WHET_E_SHAPE, "output %zu: expected a dense array %s of %s, got %s of \"%s\"", c->want[k],
                words(want, sizeof want, NULL, p->dims, p->rank), whet_dtype_name(p->dtype),
                words(got, sizeof got, b->shape, NULL, b->ndim), b->format ? b->format : "B");
      return false;
    }
    if (!p->bytes) continue;
    whet_status s = whet_session_bind_output(o->s, c->want[k], b->buf, (size_t)b->len, &o->err);
    if (s) return core_raise(o->st, s, &o->err), false;
  }
  return true;
}

/* Back to the session's own memory, which outlives the arrays. */
static void unbind(struct call *c) {
  session_object *o = c->o;
  for (size_t i = 0; i < o->n_in; i++)
    if (c->in_buf[i].obj || c->made[i]) (void)whet_session_bind_input(o->s, i, NULL, 0, NULL);
  for (size_t k = 0; k < c->n_want; k++)
    if (c->out_buf[k].obj) (void)whet_session_bind_output(o->s, c->want[k], NULL, 0, NULL);
}

/* Outputs that are an input or a constant under another name were not written where they were asked for. */
static void write_back(struct call *c) {
  session_object *o = c->o;
  for (size_t k = 0; k < c->n_want; k++) {
    if (!c->out_buf[k].obj || !c->out_buf[k].len) continue;
    const void *p = whet_session_output(o->s, c->want[k], NULL, &o->err);
    if (p && p != c->out_buf[k].buf) memmove(c->out_buf[k].buf, p, (size_t)c->out_buf[k].len);
  }
}

/* The list that callers get. */
static PyObject *collect(struct call *c) {
  PyObject *list = PyList_New((Py_ssize_t)c->n_want);
  for (size_t k = 0; list && k < c->n_want; k++) {
    PyObject *x = c->out[k] ? c->out[k] : core_fetch(c->o, c->want[k]);
    c->out[k] = NULL;
    if (!x || PyList_SetItem(list, (Py_ssize_t)k, x)) Py_CLEAR(list);
  }
  return list;
}

/* ---- the run ----------------------------------------------------------------------------------------------------
 */

/* Let the interpreter go and run; `busy` is set. */
static whet_status go(session_object *o, const whet_run_opts *opts) {
  whet_status s;
  Py_BEGIN_ALLOW_THREADS
  s = whet_session_run(o->s, opts, &o->err);
  Py_END_ALLOW_THREADS
  return s;
}

/* Names of inputs, for an error: "a", "b". */
static PyObject *names_of(const core_port *p, size_t n) {
  PyObject *list = PyList_New(0);
  for (size_t i = 0; list && i < n; i++)
    if (PyList_Append(list, p[i].name)) Py_CLEAR(list);
  return list;
}

/* E_NAME about the names of a dict: which input is missing, or which name is none. */
static void blame_feed(session_object *o, PyObject *feed, const core_port *missing) {
  PyObject *want = names_of(o->in, o->n_in), *got = PyDict_Keys(feed),
           *text = want && got ? PyUnicode_FromFormat(missing ? "input %R is missing: expected %R, got %R"
                                                              : "a name is no input (first: %R): expected %R, got %R",
                                                      missing ? missing->name : Py_None, want, got)
                               : NULL;
  if (text && !missing) { /* find it */
    PyObject *k, *v;
    Py_ssize_t at = 0;
    while (PyDict_Next(feed, &at, &k, &v)) {
      bool known = false;
      for (size_t i = 0; i < o->n_in && !known; i++) known = PyObject_RichCompareBool(o->in[i].name, k, Py_EQ) == 1;
      if (known) continue;
      Py_DECREF(text);
      text = PyUnicode_FromFormat("%R is no input: expected %R, got %R", k, want, got);
      break;
    }
  }
  const char *s = text ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
  if (s) core_fail(o->st, WHET_E_NAME, "%s", s);
  Py_XDECREF(want);
  Py_XDECREF(got);
  Py_XDECREF(text);
}

/* Inputs from a dict by name. */
static bool feed_dict(struct call *c, PyObject *feed) {
  session_object *o = c->o;
  Py_ssize_t found = 0;
  for (size_t i = 0; i < o->n_in; i++) {
    PyObject *x = PyDict_GetItemWithError(feed, o->in[i].name);
    if (!x && PyErr_Occurred()) return false;
    if (!x && o->in[i].kind != WHET_OPTIONAL) return blame_feed(o, feed, &o->in[i]), false;
    found += x != NULL;
    c->in[i] = x ? x : Py_None;
  }
  if (found == PyDict_Size(feed)) return true;
  blame_feed(o, feed, NULL);
  return false;
}

/* Outputs by name or number; all when none are named. */
static bool choose(struct call *c, PyObject *names) {
  session_object *o = c->o;
  if (!names || names == Py_None) {
    c->n_want = o->n_out;
    for (size_t i = 0; i < o->n_out; i++) c->want[i] = i;
    return true;
  }
  Py_ssize_t n = PySequence_Size(names);
  if (n < 0) return false;
  if ((size_t)n > o->n_out) {
    core_fail(o->st, WHET_E_NAME, "%zd outputs asked for; there are %zu", n, o->n_out);
    return false;
  }
  for (Py_ssize_t k = 0; k < n; k++) {
    PyObject *x = PySequence_GetItem(names, k);
    Py_ssize_t i = x ? core_port_number(o, x, true) : -1;
    Py_XDECREF(x);
    if (i < 0) return false;
    for (size_t j = 0; j < c->n_want; j++)
      if (c->want[j] == (size_t)i) return core_fail(o->st, WHET_E_NAME, "output %zd is asked for twice", i), false;
    c->want[c->n_want++] = (size_t)i;
  }
  return true;
}

/* Keywords of run(). */
static bool keywords(struct call *c, PyObject *const *args, PyObject *names, PyObject **outputs, PyObject **out) {
  Py_ssize_t n = names ? PyTuple_Size(names) : 0;
  for (Py_ssize_t i = 0; i < n; i++) {
    PyObject *k = PyTuple_GetItem(names, i), *v = args[i];
    if (!PyUnicode_CompareWithASCIIString(k, "outputs")) {
      *outputs = v;
    } else if (!PyUnicode_CompareWithASCIIString(k, "out")) {
      *out = v == Py_None ? NULL : v;
    } else if (!PyUnicode_CompareWithASCIIString(k, "deadline_ms")) {
      c->opts.deadline_ms = PyLong_AsLongLong(v);
      if (PyErr_Occurred()) return false;
    } else if (!PyUnicode_CompareWithASCIIString(k, "cancel")) {
      if (v == Py_None) continue;
      if (!PyObject_TypeCheck(v, c->o->st->cancel)) return PyErr_SetString(PyExc_TypeError, "cancel: a whet.Cancel"), false;
      c->cancel = v;
      c->opts.cancel = &((cancel_object *)v)->c;
    } else {
      PyErr_Format(PyExc_TypeError, "run() has no argument %R", k);
      return false;
    }
  }
  return true;
}

PyObject *core_run(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
  session_object *o = core_enter(self);
  if (!o) return NULL;
  struct call c;
  c.block = NULL, c.n_want = 0, c.cancel = NULL;
  c.opts = (whet_run_opts){.size = sizeof c.opts};
  PyObject *outputs = NULL, *out = NULL, *list = NULL;
  bool bound = false;
  if (!room(&c, o)) return NULL;
  o->busy = 1; /* what is given may run Python that wants the session */
  if (names && !keywords(&c, args + n, names, &outputs, &out)) goto done;
  if (!choose(&c, outputs)) goto done;
  if (n == 1 && PyDict_Check(args[0])) {
    if (!feed_dict(&c, args[0])) goto done;
  } else if ((size_t)n != o->n_in) {
    core_fail(o->st, WHET_E_NAME, "%zd inputs were given; the model takes %zu", n, o->n_in);
    goto done;
  } else {
    for (size_t i = 0; i < o->n_in; i++) c.in[i] = args[i];
  }
  if (out && PySequence_Size(out) != (Py_ssize_t)c.n_want) {
    if (!PyErr_Occurred()) core_fail(o->st, WHET_E_NAME, "out: as many arrays as outputs, %zu", c.n_want);
    goto done;
  }
  for (size_t i = 0; i < o->n_in; i++)
    if (!take_input(&c, i)) goto done;
  if (!core_settle(o)) goto done;
  bound = true;
  if (!bind_inputs(&c) || !make_outputs(&c, out)) goto done;
  whet_status s = go(o, c.opts.cancel || c.opts.deadline_ms ? &c.opts : NULL);
  if (s) {
    core_raise(o->st, s, &o->err);
    goto done;
  }
  write_back(&c);
  list = collect(&c);
done:
  if (bound) unbind(&c);
  leave(&c);
  o->busy = 0;
  return list;
}

PyObject *core_invoke(PyObject *self, PyObject *unused) {
  session_object *o = core_enter(self);
  if (!o) return NULL;
  if (o->guarded && (!o->settled || o->views)) {
    PyErr_SetString(PyExc_RuntimeError, o->views ? "There is at least 1 reference to internal data in the interpreter, an array or a "
                                                   "slice of one: hold only the function that tensor() gives."
                                                 : "Invoke called on model that is not ready: call allocate_tensors() first.");
    return NULL;
  }
  if (!core_settle(o)) return NULL;
  o->busy = 1;
  whet_status s = go(o, NULL);
  o->busy = 0;
  if (s) return core_raise(o->st, s, &o->err);
  Py_RETURN_NONE;
}

PyObject *core_put(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  session_object *o = core_enter(self);
  if (!o) return NULL;
  if (n != 2) return PyErr_SetString(PyExc_TypeError, "put(input, array)"), NULL;
  Py_ssize_t i = core_port_number(o, args[0], false);
  if (i < 0 || !core_settle(o)) return NULL;
  const core_port *p = &o->in[i];
  Py_buffer b;
  if (!p->plain || !hold(p, args[1], &b)) Py_RETURN_FALSE;
  bool fits = b.ndim == p->rank;
  for (int32_t k = 0; fits && k < p->rank; k++) fits = b.shape[k] == p->dims[k];
  void *to = fits ? whet_session_input(o->s, (size_t)i, NULL, &o->err) : NULL;
  if (to) memmove(to, b.buf, p->bytes);
  PyBuffer_Release(&b);
  if (fits && !to) return core_raise(o->st, o->err.code ? o->err.code : WHET_E_MISUSE, &o->err);
  return PyBool_FromLong(fits);
}

PyObject *core_set(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  session_object *o = core_enter(self);
  if (!o) return NULL;
  if (n != 2) return PyErr_SetString(PyExc_TypeError, "set(input, value)"), NULL;
  Py_ssize_t i = core_port_number(o, args[0], false);
  if (i < 0) return NULL;
  if (!PyObject_TypeCheck(args[1], o->st->value)) return PyErr_SetString(PyExc_TypeError, "set(input, value): a whet.Value"), NULL;
  if (!core_movable(o)) return NULL;
  whet_status s = whet_session_set_input(o->s, (size_t)i, ((value_object *)args[1])->v, &o->err);
  o->settled = false;
  if (s) return core_raise(o->st, s, &o->err);
  return core_settle(o) ? Py_NewRef(Py_None) : NULL;
}

PyObject *core_get(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  session_object *o = core_enter(self);
  if (!o) return NULL;
  if (n != 1) return PyErr_SetString(PyExc_TypeError, "get(output)"), NULL;
  Py_ssize_t i = core_port_number(o, args[0], true);
  if (i < 0 || !core_settle(o)) return NULL;
  const core_port *p = &o->out[i];
  if (!p->plain) return core_fetch(o, (size_t)i);
  const void *data = whet_session_output(o->s, (size_t)i, NULL, &o->err);
  return data ? core_copy(o, p, data) : core_raise(o->st, o->err.code ? o->err.code : WHET_E_MISUSE, &o->err);
}
