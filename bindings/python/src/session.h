/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BINDINGS_PYTHON_SRC_SESSION_H
#define WHET_BINDINGS_PYTHON_SRC_SESSION_H

/* What session.c and run.c share. */

#include "core.h"

/* The session when it is open and idle; else NULL with an exception. */
session_object *core_enter(PyObject *self);
/* Plan for the shapes that it has and read the ports; false with an exception. */
bool core_settle(session_object *o);
/* Nobody looks at its memory; false with BufferError. */
bool core_movable(session_object *o);
/* Give input i a shape; takes effect when the session is settled next. False with an exception. */
bool core_reshape(session_object *o, size_t i, int32_t rank, const int64_t *dims);
/* Number of an input or output by name or number; -1 with an exception. */
Py_ssize_t core_port_number(session_object *o, PyObject *key, bool output);
/* A new array with a copy of memory that is as the port says. */
PyObject *core_copy(session_object *o, const core_port *p, const void *data);
/* Output i of the last run as an array of its own, list, dict or None. */
PyObject *core_fetch(session_object *o, size_t i);

/* Methods that run.c has. */
PyObject *core_run(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names);
PyObject *core_invoke(PyObject *self, PyObject *unused);
PyObject *core_put(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *core_set(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *core_get(PyObject *self, PyObject *const *args, Py_ssize_t n);

#endif
