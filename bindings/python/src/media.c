/* SPDX-License-Identifier: Apache-2.0 */
/* The module whet._media: codecs by libraries, for the operator ImageDecoder. A module of its own, so that the package also works
 * where a library is not there: importing it then fails, and pictures of such kinds are refused by name.
 *
 * It holds no part of libwhet: what the codecs call of it are functions of whet._core, taken from a capsule. */

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <whet/media.h>

#include "codecs.h"

/* Those of whet._core; codecs are registered for the life of the process. */
static const core_codecs *k_core;

uint8_t *whet_canvas_open(whet_canvas *c, int64_t width, int64_t height, whet_pixel pixel, whet_err *err) {
  return k_core->canvas(c, width, height, pixel, err);
}

whet_status whet_codec_register(const whet_codec *c) { return k_core->add(c); }

whet_status whet_resampler_create(int32_t from, int32_t to, int32_t channels, whet_resampler **out, whet_err *err) {
  return k_core->create(from, to, channels, out, err);
}
void whet_resampler_close(whet_resampler **r) { k_core->close(r); }
size_t whet_resampler_room(const whet_resampler *r, size_t frames) { return k_core->room(r, frames); }
whet_status whet_resampler_run(whet_resampler *r, const float *in, size_t frames, int end, float *out, size_t room, size_t *n,
                               whet_err *err) {
  return k_core->run(r, in, frames, end, out, room, n, err);
}

static int exec(PyObject *m) {
  k_core = PyCapsule_Import(CORE_CODECS, 0);
  if (!k_core) return -1;
  if (whet_media_register()) {
    PyErr_SetString(PyExc_ImportError, "whet._media: too many codecs");
    return -1;
  }
  return PyModule_AddStringConstant(m, "left_out", whet_media_left_out());
}

static PyModuleDef_Slot k_slots[] = {{Py_mod_exec, (void *)exec}, {0, NULL}};
static struct PyModuleDef k_module = {.m_base = PyModuleDef_HEAD_INIT,
                                      .m_name = "whet._media",
                                      .m_doc = "Decoders of pictures by libraries.",
                                      .m_slots = k_slots};

PyMODINIT_FUNC PyInit__media(void);
PyMODINIT_FUNC PyInit__media(void) { return PyModuleDef_Init(&k_module); }
