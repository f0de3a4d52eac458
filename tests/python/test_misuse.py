# SPDX-License-Identifier: Apache-2.0
"""Wrong use ends in exceptions; nothing is leaked; forks and several threads are survived."""
import gc
import os
import sys
import threading
import unittest
import weakref

import numpy as np

import lib
import whet
import whet.onnxruntime as ort
from whet.tflite import Interpreter


def picture(d=5):
    return lib.picture(d).astype(np.float32).reshape(1, 784)


class Misuse(unittest.TestCase):
    def setUp(self):
        self.s = whet.load(lib.DIGITS_MLP)
        self.x = picture()
        self.y, = self.s.run(self.x)

    def tearDown(self):
        if not self.s.closed:  # whatever happened, the session still works
            np.testing.assert_array_equal(self.s.run(self.x)[0], self.y)

    def test_types(self):
        for dtype in (np.float64, np.float16, np.int32, np.uint8, np.bool_, np.complex64, object, "S3", "U3", "M8[s]", ">f8"):
            with self.assertRaises(TypeError, msg=str(dtype)):
                self.s.run(self.x.astype(np.float64).astype("i4").astype(dtype) if dtype == "M8[s]" else self.x.astype(dtype))
        for wrong in (None, "text", object(), {"a": 1}, [[["deep"]]], [{}]):
            with self.assertRaises((TypeError, LookupError), msg=repr(wrong)):
                self.s.run(wrong)

    def test_shapes(self):
        for shape in ((784,), (1, 783), (1, 1, 784), (), (0, 784), (1, 785)):
            with self.assertRaises(whet.ShapeError, msg=str(shape)):
                self.s.run(np.zeros(shape, np.float32))
        with self.assertRaises(whet.ShapeError):
            self.s.run(3.5)

    def test_names(self):
        with self.assertRaises(LookupError):
            self.s.run()
        with self.assertRaises(LookupError):
            self.s.run(self.x, self.x)
        with self.assertRaises(LookupError):
            self.s.run({"nope": self.x})
        with self.assertRaises(LookupError):
            self.s.run({self.s.inputs[0].name: self.x, 3: self.x})
        with self.assertRaises(LookupError):
            self.s.run(self.x, outputs=["nope"])
        with self.assertRaises(LookupError):
            self.s.run(self.x, outputs=[0, 0])
        with self.assertRaises(LookupError):
            self.s.run(self.x, outputs=[1])
        for call in (self.s.input, self.s.output, self.s.get):
            with self.assertRaises(LookupError):
                call("nope")
            with self.assertRaises(LookupError):
                call(5)
            with self.assertRaises(LookupError):
                call(-1)
            with self.assertRaises(TypeError):
                call()
            with self.assertRaises((TypeError, LookupError)):
                call(1.5)

    def test_arrays_to_write(self):
        for bad in (np.zeros((1, 10), np.float64), np.zeros((1, 9), np.float32), np.zeros(10, np.float32),
                    np.zeros((10, 1), np.float32).T[:, ::-1], b"bytes", 3, np.zeros((1, 10), ">f4")):
            with self.assertRaises((whet.Error, BufferError, TypeError, ValueError), msg=repr(bad)):
                self.s.run(self.x, out=[bad])
        locked = np.zeros((1, 10), np.float32)
        locked.flags.writeable = False
        with self.assertRaises((ValueError, BufferError)):
            self.s.run(self.x, out=[locked])
        with self.assertRaises(LookupError):
            self.s.run(self.x, out=[])

    def test_arguments(self):
        for call in (lambda: self.s.run(self.x, nope=1), lambda: self.s.run(self.x, cancel=3), lambda: self.s.resize(0),
                     lambda: self.s.resize(0, "ab"), lambda: self.s.resize(0, 3), lambda: self.s.share(3), lambda: self.s.put(0),
                     lambda: self.s.set(0, self.x), lambda: whet.Model(3), lambda: whet.Model(), lambda: whet.Program(3),
                     lambda: whet.Session(3), lambda: whet.Session(), lambda: self.s.run(self.x, deadline_ms="soon"),
                     lambda: whet.Program(self.s.program.model, dims=3), lambda: whet.Program(self.s.program.model, keep=[3]),
                     lambda: whet.Model(lib.DIGITS_MLP, data_folder=3)):
            with self.assertRaises(TypeError):
                call()
        for call in (lambda: self.s.resize(0, [1] * 9), lambda: whet.Model(lib.DIGITS_MLP, format="zip"),
                     lambda: whet.Program(self.s.program.model, keep="some"), lambda: self.s.resize(0, (-1, 784)),
                     lambda: whet.Model(lib.DIGITS_MLP, memory_limit=-1)):
            with self.assertRaises(ValueError):
                call()

    def test_closed(self):
        self.s.close()
        self.s.close()
        for call in (lambda: self.s.run(self.x), self.s.invoke, lambda: self.s.inputs, lambda: self.s.input(0), self.s.prepare,
                     self.s.reset, self.s.steps, self.s.cost, lambda: self.s.kept(0), lambda: self.s.resize(0, (1, 784))):
            with self.assertRaises(whet.MisuseError):
                call()
        with whet.load(lib.DIGITS_MLP) as s:
            s.run(self.x)
        self.assertTrue(s.closed)
        never = whet.Session.__new__(whet.Session)
        with self.assertRaises(whet.MisuseError):
            never.invoke()
        with self.assertRaises(whet.MisuseError):
            whet.Model.__new__(whet.Model).inputs
        with self.assertRaises(whet.MisuseError):
            whet.Program(whet.Model.__new__(whet.Model))
        with self.assertRaises(whet.MisuseError):
            whet.Session(whet.Program.__new__(whet.Program))

    def test_two_threads_one_session(self):
        """Calls that meet raise; results of those that went through are right."""
        refused, wrong = [], []

        def work():
            for _ in range(3000):
                try:
                    y, = self.s.run(self.x)
                    if not np.array_equal(y, self.y):
                        wrong.append(y)
                except whet.MisuseError as e:
                    refused.append(e)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])

    def test_an_array_that_calls_back(self):
        session = self.s

        class Nasty:
            def __array__(self, dtype=None, copy=None):
                session.run(self.x)

            x = self.x

        with self.assertRaises(whet.MisuseError):
            self.s.run(Nasty())

        class Closer:
            def __array__(self, dtype=None, copy=None):
                session.close()

        with self.assertRaises(whet.MisuseError):
            self.s.run(Closer())

    def test_bytes_are_held(self):
        raw = bytearray(lib.DIGITS_MLP.read_bytes())
        kept = memoryview(bytes(raw))
        s = whet.load(kept)
        with self.assertRaises(BufferError):
            kept.release()  # the model reads from it
        del s
        gc.collect()
        kept.release()

    def test_fork(self):
        r, w = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(r)
            try:
                own = whet.load(lib.DIGITS_MLP).run(self.x)[0]
                good = np.array_equal(self.s.run(self.x)[0], self.y) and np.array_equal(own, self.y)
                os.write(w, b"1" if good else b"0")
            finally:
                os._exit(0)
        os.close(w)
        with os.fdopen(r, "rb") as f:
            self.assertEqual(f.read(), b"1")
        os.waitpid(pid, 0)

    def test_interpreter_misuse(self):
        i = Interpreter(str(lib.DIGITS_MLP))
        with self.assertRaises(RuntimeError):
            i.invoke()
        i.allocate_tensors()
        index = i.get_input_details()[0]["index"]
        for bad in (self.x.astype(np.float64), self.x[0], self.x[:, :5], [["a"]], None):
            with self.assertRaises(ValueError):
                i.set_tensor(index, bad)
        for bad in (-1, 1000):
            with self.assertRaises(ValueError):
                i.get_tensor(bad)
        look = i.tensor(index)
        held = look()
        for call in (i.invoke, i.allocate_tensors, lambda: i.resize_tensor_input(index, [2, 784])):
            with self.assertRaises(RuntimeError):
                call()
        del held
        i.invoke()


class Leaks(unittest.TestCase):
    def test_references(self):
        s = whet.load(lib.DIGITS_MLP)
        x = picture()
        out = np.zeros((1, 10), np.float32)
        feed = {s.inputs[0].name: x}
        bad = x.astype(np.float64)

        def work():
            s.run(x)
            s.run(feed, out=[out])
            s.input(0)
            s.output(0)
            for wrong in (bad, x[0], None):
                try:
                    s.run(wrong)
                except whet.Error:
                    pass
            try:
                s.run(x, out=[bad])
            except whet.Error:
                pass

        for _ in range(50):
            work()
        before = [sys.getrefcount(o) for o in (x, out, feed, bad, s, np.dtype(np.float32))]
        for _ in range(500):
            work()
        after = [sys.getrefcount(o) for o in (x, out, feed, bad, s, np.dtype(np.float32))]
        self.assertTrue(all(b <= a + 2 for a, b in zip(before, after)), f"{before} {after}")

    def test_sessions_die(self):
        s = whet.load(lib.DIGITS_MLP)
        view = s.output(0)
        i = Interpreter(str(lib.DIGITS_MLP))
        o = ort.InferenceSession(lib.DIGITS_ONNX)
        gone = [weakref.ref(x) for x in (i, o)]
        del i, o
        gc.collect()
        self.assertEqual([g() for g in gone], [None, None])
        del s
        self.assertEqual(view.shape, (1, 10))

    def test_memory(self):
        raw = lib.DIGITS_MLP.read_bytes()
        x = picture()

        def whole():
            s = whet.load(raw, threads=1)
            s.run(x)
            s.output(0)
            whet.inspect(s)
            i = Interpreter(model_content=raw)
            i.allocate_tensors()
            i.get_tensor_details()
            try:
                whet.load(raw[:1000])
            except whet.Error:
                pass

        self.assertLess(lib.growth(whole, 60), 1 << 20)
        v = whet.value([np.zeros(1000), np.array(["text"] * 50, object)])
        self.assertLess(lib.growth(lambda: (v.numpy(), whet.value({1: 2.0}), np.from_dlpack(whet.value(np.zeros(10000)))), 300), 1 << 20)


if __name__ == "__main__":
    lib.main()
