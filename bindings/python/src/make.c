/* SPDX-License-Identifier: Apache-2.0 */
/* whet.layers, whet.train and whet.export: what makes models. */

#include <stddef.h>

#include "core.h"
#include "whet/export.h"
#include "whet/train.h"

/* A Model over a reference that is taken; `from` is a Model whose memory it uses, or NULL. */
static PyObject *model_over(core_state *st, whet_model *m, PyObject *from) {
  model_object *o = core_new(st->model);
  if (!o) {
    whet_model_close(&m);
    return NULL;
  }
  o->st = st;
  o->m = m;
  o->custom = from ? Py_NewRef(from) : NULL;
  return (PyObject *)o;
}

/* The open model of an argument, or NULL with an exception. */
static whet_model *model_in(core_state *st, PyObject *x) {
  model_object *o = (model_object *)x;
  if (!PyObject_TypeCheck(x, st->model)) {
    PyErr_SetString(PyExc_TypeError, "expected a whet.Model");
    return NULL;
  }
  return o->m ? o->m : core_fail(st, WHET_E_MISUSE, "the model is closed");
}

PyObject *core_layers(PyObject *module, PyObject *args) {
  core_state *st = PyModule_GetState(module);
  const char *text;
  unsigned long long seed = 1;
  whet_model *m = NULL;
  whet_err err = {0};
  if (!PyArg_ParseTuple(args, "s|K:layers", &text, &seed)) return NULL;
  whet_status s = whet_model_layers(text, seed, &m, &err);
  return s ? core_raise(st, s, &err) : model_over(st, m, NULL);
}

PyObject *core_export(PyObject *module, PyObject *args) {
  core_state *st = PyModule_GetState(module);
  PyObject *model, *path;
  int onnx, opset, dense;
  whet_err err = {0};
  whet_status s;
  if (!PyArg_ParseTuple(args, "OO&pip:export", &model, PyUnicode_FSConverter, &path, &onnx, &opset, &dense)) return NULL;
  whet_model *m = model_in(st, model);
  whet_export_opts o = whet_export_opts_default();
  const char *at = PyBytes_AsString(path);
  if (opset) o.opset = opset;
  o.dense = dense;
  if (m) {
    Py_BEGIN_ALLOW_THREADS
    s = whet_model_export(m, at, onnx ? WHET_FORMAT_ONNX : WHET_FORMAT_TFLITE, &o, &err);
    Py_END_ALLOW_THREADS
    if (s) core_raise(st, s, &err);
  }
  Py_DECREF(path);
  if (PyErr_Occurred()) return NULL;
  Py_RETURN_NONE;
}

/* ---- options of training ------------------------------------------------------------------------------------------ */

enum kind { TEXT, WHOLE, SEED, FLAG, REAL, SHARE, STEPS, WORD, FLOATS, TEACHER };

/* What belongs to the options while training lasts. */
typedef struct training {
  core_state *st;
  whet_train_opts o;
  float range[2], mean[4], std[4];
  PyObject *progress;
  PyThreadState *caller; /* of whoever trains, while the interpreter is let go */
} training;

#define AT(field) offsetof(training, o.field)
static const struct option {
  const char *name;
  enum kind kind;
  size_t at;
  const char *words;
} k_options[] = {{"split", TEXT, AT(split), NULL},
                 {"labels", TEXT, AT(labels), NULL},
                 {"target", TEXT, AT(target), NULL},
                 {"no_test", FLAG, AT(no_test), NULL},
                 {"range", FLOATS, offsetof(training, range), "2"},
                 {"mean", FLOATS, offsetof(training, mean), "4"},
                 {"std", FLOATS, offsetof(training, std), "4"},
                 {"loss", WORD, AT(loss), "auto|cross-entropy|mse|kl"},
                 {"optimizer", WORD, AT(optimizer), "sgd|adam|adamw"},
                 {"schedule", WORD, AT(schedule), "constant|step|cosine"},
                 {"quantization_aware", WORD, AT(rounded), "no|int8|int16x8|weights|int4"},
                 {"rate", REAL, AT(rate), NULL},
                 {"momentum", REAL, AT(momentum), NULL},
                 {"beta2", REAL, AT(beta2), NULL},
                 {"epsilon", REAL, AT(epsilon), NULL},
                 {"decay", REAL, AT(decay), NULL},
                 {"nesterov", FLAG, AT(nesterov), NULL},
                 {"step_factor", REAL, AT(step_factor), NULL},
                 {"step_epochs", WHOLE, AT(step_epochs), NULL},
                 {"warmup", REAL, AT(warmup), NULL},
                 {"smoothing", REAL, AT(smoothing), NULL},
                 {"epochs", WHOLE, AT(epochs), NULL},
                 {"batch", WHOLE, AT(batch), NULL},
                 {"last", WHOLE, AT(last), NULL},
                 {"seed", SEED, AT(seed), NULL},
                 {"threads", WHOLE, AT(threads), NULL},
                 {"shift", WHOLE, AT(augment.shift), NULL},
                 {"flip", FLAG, AT(augment.flip), NULL},
                 {"crop", SHARE, AT(augment.crop), NULL},
                 {"mixup", SHARE, AT(augment.mixup), NULL},
                 {"noise", SHARE, AT(augment.noise), NULL},
                 {"keep_zeros", FLAG, AT(keep_zeros), NULL},
                 {"checkpoint", TEXT, AT(checkpoint), NULL},
                 {"checkpoint_steps", STEPS, AT(checkpoint_steps), NULL},
                 {"restart", FLAG, AT(restart), NULL},
                 {"teacher", TEACHER, AT(teach.model), NULL},
                 {"temperature", REAL, AT(teach.temperature), NULL},
                 {"mix", REAL, AT(teach.mix), NULL},
                 {"teacher_cache", TEXT, AT(teach.cache), NULL},
                 {"match", TEXT, AT(teach.match), NULL},
                 {"match_teacher", TEXT, AT(teach.match_teacher), NULL},
                 {"match_weight", REAL, AT(teach.match_weight), NULL}};

/* The place of a word in "a|b|c"; -1 with an exception. */
static int place(const char *name, const char *s, const char *words) {
  size_t n = strlen(s);
  int i = 0;
  for (const char *w = words;; w++, i++) {
    const char *end = strchr(w, '|');
    size_t len = end ? (size_t)(end - w) : strlen(w);
    if (len == n && !memcmp(w, s, n)) return i;
    if (!end) break;
    w = end;
  }
  PyErr_Format(PyExc_ValueError, "%s=\"%s\": expected one of %s", name, s, words);
  return -1;
}

/* Numbers of a sequence into to; how many, -1 with an exception. */
static int floats(const struct option *k, PyObject *x, float *to) {
  PyObject *list = PySequence_List(x);
  Py_ssize_t n = list ? PyList_Size(list) : -1, most = k->words[0] - '0';
  if (n > most) PyErr_Format(PyExc_ValueError, "%s: %zd numbers, expected at most %zd", k->name, n, most);
  for (Py_ssize_t i = 0; i < n && !PyErr_Occurred(); i++) to[i] = (float)PyFloat_AsDouble(PyList_GetItem(list, i));
  Py_XDECREF(list);
  return PyErr_Occurred() ? -1 : (int)n;
}

static void take_floats(training *t, const struct option *k, PyObject *x, float *to) {
  int n = floats(k, x, to);
  if (n < 0) return;
  if (to == t->mean) t->o.mean = to, t->o.n_mean = n;
  if (to == t->std) t->o.std = to, t->o.n_std = n;
  if (to != t->range) return;
  t->o.range = to;
  if (n != 2) PyErr_Format(PyExc_ValueError, "range: %d numbers, expected 2", n);
}

/* One option; an exception is set when it cannot be. */
static void take(training *t, const struct option *k, PyObject *x) {
  void *to = (char *)t + k->at;
  const char *s = k->kind == TEXT || k->kind == WORD ? PyUnicode_AsUTF8AndSize(x, NULL) : NULL;
  if (PyErr_Occurred()) return;
  switch (k->kind) {
    case TEXT:
      *(const char **)to = s;
      break;
    case WORD:
      *(int *)to = place(k->name, s, k->words);
      break;
    case WHOLE:
      *(int32_t *)to = (int32_t)PyLong_AsLong(x);
      break;
    case SEED:
      *(uint64_t *)to = PyLong_AsUnsignedLongLong(x);
      break;
    case STEPS:
      *(int64_t *)to = PyLong_AsLongLong(x);
      break;
    case FLAG:
      *(int *)to = PyObject_IsTrue(x);
      break;
    case REAL:
      *(double *)to = PyFloat_AsDouble(x);
      break;
    case SHARE:
      *(float *)to = (float)PyFloat_AsDouble(x);
      break;
    case FLOATS:
      take_floats(t, k, x, to);
      break;
    case TEACHER:
      *(whet_model **)to = model_in(t->st, x);
      break;
  }
}

static int take_all(training *t, PyObject *options) {
  PyObject *key, *x;
  Py_ssize_t at = 0;
  while (PyDict_Next(options, &at, &key, &x)) {
    const char *name = PyUnicode_AsUTF8AndSize(key, NULL);
    size_t i = 0, n = sizeof k_options / sizeof *k_options;
    while (name && i < n && strcmp(k_options[i].name, name)) i++;
    if (name && i == n) PyErr_Format(PyExc_TypeError, "train() has no option \"%s\"", name);
    if (!PyErr_Occurred() && x != Py_None) take(t, &k_options[i], x);
    if (PyErr_Occurred()) return -1;
  }
  return 0;
}

/* ---- training ----------------------------------------------------------------------------------------------------- */

static PyObject *share(double x) { return x < 0 ? Py_NewRef(Py_None) : PyFloat_FromDouble(x); }

/* Tell Python, which has been let go; not 0: stop. */
static int tell(void *user, const whet_train_state *s, const whet_epoch *e) {
  training *t = user;
  int stop = 1;
  PyEval_RestoreThread(t->caller);
  PyObject *state = Py_BuildValue("{s:L,s:L,s:i,s:i,s:d,s:N,s:d}", "step", (long long)s->step, "steps", (long long)s->steps, "epoch",
                                  (int)s->epoch, "epochs", (int)s->epochs, "loss", s->loss, "accuracy", share(s->accuracy), "rate", s->rate);
  PyObject *epoch = !e ? Py_NewRef(Py_None)
                       : Py_BuildValue("{s:i,s:L,s:d,s:N,s:N,s:N,s:d,s:d}", "epoch", (int)e->epoch, "step", (long long)e->step, "loss",
                                       e->loss, "accuracy", share(e->accuracy), "test_loss", share(e->test_loss), "test_accuracy",
                                       share(e->test_accuracy), "rate", e->rate, "seconds", e->seconds);
  PyObject *said = state && epoch ? PyObject_CallFunctionObjArgs(t->progress, state, epoch, NULL) : NULL;
  if (said) stop = PyObject_IsTrue(said);
  if (!stop) stop = PyErr_CheckSignals();
  Py_XDECREF(said);
  Py_XDECREF(state);
  Py_XDECREF(epoch);
  t->caller = PyEval_SaveThread();
  return stop != 0;
}

PyObject *core_train(PyObject *module, PyObject *args) {
  core_state *st = PyModule_GetState(module);
  PyObject *model, *path, *options;
  training t = {.st = st, .o = whet_train_opts_default()};
  whet_model *made = NULL;
  whet_err err = {0};
  if (!PyArg_ParseTuple(args, "OO&O!O:train", &model, PyUnicode_FSConverter, &path, &PyDict_Type, &options, &t.progress)) return NULL;
  whet_model *m = model_in(st, model);
  if (t.progress != Py_None) t.o.progress = tell, t.o.user = &t;
  if (m && !take_all(&t, options)) {
    const char *at = PyBytes_AsString(path);
    t.caller = PyEval_SaveThread();
    whet_status s = whet_train(m, at, &t.o, &made, &err);
    PyEval_RestoreThread(t.caller);
    if (s && !PyErr_Occurred()) core_raise(st, s, &err);
  }
  Py_DECREF(path);
  if (PyErr_Occurred()) {
    whet_model_close(&made);
    return NULL;
  }
  return model_over(st, made, model);
}
