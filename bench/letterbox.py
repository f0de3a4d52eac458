# SPDX-License-Identifier: Apache-2.0
"""A camera's picture into a detector's input, beside OpenCV, both on one thread: bench/letterbox.py [LIBWHET.so]

1080p RGB is letterboxed to 320 x 320 int8, bilinear. OpenCV: resize, copyMakeBorder and subtract(128) to int8, each into memory that
is there already. Rounds of both alternate; the least time of each counts, so that other work on the machine does not. Fails when the
two differ by more than one step anywhere. Needs numpy and cv2.
"""
import ctypes
import pathlib
import sys
import time

import cv2
import numpy as np

TOP = pathlib.Path(__file__).resolve().parent.parent
W, H, SIDE, PAD = 1920, 1080, 320, 114
RGB, LETTERBOX, BILINEAR = 1, 2, 1  # whet/prep.h


class Opts(ctypes.Structure):
    """whet_prep_opts"""
    _fields_ = [("size", ctypes.c_size_t), ("width", ctypes.c_int32), ("height", ctypes.c_int32), ("color", ctypes.c_int),
                ("layout", ctypes.c_int), ("fit", ctypes.c_int), ("filter", ctypes.c_int), ("lo", ctypes.c_float),
                ("hi", ctypes.c_float), ("mean", ctypes.c_float * 4), ("std", ctypes.c_float * 4), ("pad", ctypes.c_uint8 * 4),
                ("dtype", ctypes.c_int), ("scale", ctypes.c_float), ("zero", ctypes.c_int32), ("cpu", ctypes.c_char_p)]


class Picture(ctypes.Structure):
    """whet_picture"""
    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.c_void_p), ("width", ctypes.c_int32), ("height", ctypes.c_int32),
                ("stride", ctypes.c_ssize_t), ("pixel", ctypes.c_int)]


class Err(ctypes.Structure):
    """whet_err"""
    _fields_ = [("code", ctypes.c_int), ("text", ctypes.c_char * 2000)]


def whet(lib, picture, out):
    """A function that makes `out` of the picture once. Int8 as a quantised input has it: scale 1/255, zero -128."""
    lib = ctypes.CDLL(str(lib))
    lib.whet_prep_opts_default.restype = Opts
    lib.whet_dtype_from_name.argtypes = [ctypes.c_char_p]
    o, err, prep = lib.whet_prep_opts_default(), Err(), ctypes.c_void_p()
    assert o.size == ctypes.sizeof(Opts), (o.size, ctypes.sizeof(Opts))
    o.width = o.height = SIDE
    o.color, o.fit, o.filter = RGB, LETTERBOX, BILINEAR
    o.dtype, o.scale, o.zero, o.hi = lib.whet_dtype_from_name(b"int8"), 1 / 255, -128, 1
    o.pad = (PAD,) * 4
    run = lib.whet_prep_run
    run.argtypes = [ctypes.c_void_p, ctypes.POINTER(Picture), ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(Err)]
    status = lib.whet_prep_create(ctypes.byref(o), ctypes.byref(prep), ctypes.byref(err))
    assert not status, err.text
    p = Picture(ctypes.sizeof(Picture), picture.ctypes.data, W, H, 0, RGB)
    to, n = out.ctypes.data, out.nbytes

    def once():
        if run(prep, p, to, n, err):
            raise ValueError(err.text)
    return once


def opencv(picture, out):
    inner, whole = np.zeros((180, 320, 3), np.uint8), np.zeros((SIDE, SIDE, 3), np.uint8)

    def once():
        cv2.resize(picture, (320, 180), inner, interpolation=cv2.INTER_LINEAR)
        cv2.copyMakeBorder(inner, 70, 70, 0, 0, cv2.BORDER_CONSTANT, whole, (PAD,) * 3)
        cv2.subtract(whole, (128,) * 4, out, dtype=cv2.CV_8S)
    return once


def main():
    cv2.setNumThreads(1)
    lib = sys.argv[1] if len(sys.argv) > 1 else TOP / "build" / "libwhet.so"
    r = np.random.default_rng(1)
    small = r.integers(0, 256, (68, 120, 3), np.uint8)
    picture = cv2.resize(small, (W, H), interpolation=cv2.INTER_CUBIC)
    picture ^= r.integers(0, 8, picture.shape, np.uint8)
    ours, theirs = np.zeros((SIDE, SIDE, 3), np.int8), np.zeros((SIDE, SIDE, 3), np.int8)
    one, two = whet(lib, picture, ours), opencv(picture, theirs)
    best = [1e9, 1e9]
    for _ in range(100):
        for i, f in enumerate((one, two)):
            for _ in range(5):
                t = time.perf_counter()
                f()
                best[i] = min(best[i], time.perf_counter() - t)
    apart = int(np.abs(ours.astype(int) - theirs).max())
    print(f"whet {best[0] * 1e3:.3f} ms, OpenCV {cv2.__version__} {best[1] * 1e3:.3f} ms: {best[1] / best[0]:.2f} times as fast, "
          f"at most {apart} step{'s' * (apart != 1)} apart")
    return apart > 1


if __name__ == "__main__":
    sys.exit(main())
