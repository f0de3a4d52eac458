# SPDX-License-Identifier: Apache-2.0
"""The package's own interface: load, run, views, values, errors, threads."""
import pathlib
import pickle
import tempfile
import threading
import time
import unittest

import numpy as np

import lib
import whet


def picture(d=5):
    return lib.picture(d).astype(np.float32).reshape(1, 784)


class Run(unittest.TestCase):
    def setUp(self):
        self.s = whet.load(lib.DIGITS_MLP)
        self.x = picture()
        self.y, = self.s.run(self.x)

    def test_every_way_to_give_inputs(self):
        self.assertEqual(self.y.shape, (1, 10))
        self.assertEqual(self.y.dtype, np.float32)
        self.assertEqual(int(self.y.argmax()), 5)
        name = self.s.inputs[0].name
        for given in ({name: self.x}, self.x.tolist(), np.asfortranarray(self.x), self.x.astype(">f4"), whet.value(self.x),
                      np.repeat(self.x, 2, axis=1)[:, ::2], np.frombuffer(b"\0" + self.x.tobytes(), np.uint8)[1:].view(np.float32)
                      .reshape(1, 784)):
            np.testing.assert_array_equal(self.s.run(given)[0], self.y)

    def test_outputs(self):
        name = self.s.outputs[0].name
        np.testing.assert_array_equal(self.s.run(self.x, outputs=[name])[0], self.y)
        np.testing.assert_array_equal(self.s.run(self.x, outputs=[0])[0], self.y)
        self.assertEqual(self.s.run(self.x, outputs=[]), [])
        mine = np.zeros((1, 10), np.float32)
        got, = self.s.run(self.x, out=[mine])
        self.assertIs(got, mine)
        np.testing.assert_array_equal(mine, self.y)
        first, = self.s.run(self.x)
        second, = self.s.run(picture(1))
        np.testing.assert_array_equal(first, self.y)  # arrays that were given stay as they were
        self.assertFalse(np.shares_memory(first, second))

    def test_bytes_and_paths(self):
        for source in (str(lib.DIGITS_MLP), lib.DIGITS_MLP.read_bytes(), bytearray(lib.DIGITS_MLP.read_bytes())):
            np.testing.assert_array_equal(whet.load(source).run(self.x)[0], self.y)
        changed = bytearray(lib.DIGITS_MLP.read_bytes())
        s = whet.load(changed)
        changed[:] = bytes(len(changed))  # a copy was taken, because these bytes can change
        np.testing.assert_array_equal(s.run(self.x)[0], self.y)
        np.testing.assert_array_equal(whet.load(lib.DIGITS_MLP, copy=True).run(self.x)[0], self.y)

    def test_views(self):
        a = self.s.input(0)
        a[:] = self.x
        self.s.invoke()
        b = self.s.output(self.s.outputs[0].name)
        np.testing.assert_array_equal(b, self.y)
        self.assertFalse(b.flags.writeable)
        self.assertEqual(self.s.views, 2)
        slice_of_it = b[0, :3]
        del a, b
        self.assertEqual(self.s.views, 1)
        with self.assertRaises(BufferError):
            self.s.resize(0, (2, 784))
        with self.assertRaises(BufferError):
            self.s.close()
        owner = self.s
        del self.s  # the array keeps its session
        np.testing.assert_array_equal(slice_of_it, self.y[0, :3])
        del slice_of_it
        self.assertEqual(owner.views, 0)
        owner.close()
        self.assertTrue(owner.closed)

    def test_model(self):
        m = self.s.program.model
        self.assertEqual(m.format, "tflite")
        self.assertEqual(m.inputs[0], whet.Info("image", "tensor", "float32", (1, 784), None))
        self.assertEqual(len(m.graphs()), 1)
        info, number, block, constant, variable, kind = m.tensor(0, m.io(0, 0))
        self.assertEqual((info.name, number, block, constant, variable, kind), ("image", m.io(0, 0), 0, False, False, None))
        kinds = [m.node(0, i)[0] for i in range(m.graphs()[0][1])]
        self.assertIn("FULLY_CONNECTED", kinds)
        weights = [m.constant(0, i) for i in range(m.graphs()[0][0])]
        self.assertTrue(any(w and len(w) > 1000 for w in weights))
        with self.assertRaises(whet.NotFound):
            m.tensor(0, 10000)
        with self.assertRaises(whet.NotFound):
            m.node(7, 0)

    def test_cost_profile_kernels(self):
        self.assertGreater(self.s.program.cost()["macs"], 100000)
        self.assertGreater(self.s.cost()["arena_bytes"], 0)
        self.s.profile()
        for _ in range(20):
            self.s.run(self.x)
        steps = self.s.steps()
        self.assertGreater(sum(s[4] for s in steps), 0)
        self.s.profile(False)
        seen = whet.inspect(lib.DIGITS_MLP)
        self.assertEqual(seen["operators"]["FULLY_CONNECTED"], 2)
        self.assertEqual(seen["format"], "tflite")
        rows = whet.kernels()
        self.assertTrue(all(r["usable"] for r in rows if "__c_" in r["name"]))
        self.assertTrue(all("__c_" in r["name"] for r in whet.kernels("c") if r["usable"]))
        with self.assertRaises(whet.NotFound):
            whet.kernels("no such level")

    def test_kept_values(self):
        s = whet.Session(whet.Program(whet.Model(lib.DIGITS_MLP), keep="all", threads=1))
        s.run(self.x)
        m = s.program.model
        seen = 0
        for i in range(m.graphs()[0][0]):
            info = m.tensor(0, i)[0]
            try:
                about, a = s.kept(i)
            except whet.NotFound:
                continue
            self.assertEqual(about.dtype, info.dtype)
            self.assertEqual(a.shape, about.shape)
            seen += 1
        self.assertGreater(seen, 4)
        with self.assertRaises(whet.NotFound):
            self.s.kept(10000)

    def test_saved_programs(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "digits.whet"
            self.s.program.save(path)
            s = whet.load(path)
            self.assertEqual(s.program.model.format, "whet")
            np.testing.assert_array_equal(s.run(self.x)[0], self.y)
            with self.assertRaises(OSError):
                self.s.program.save(pathlib.Path(folder) / "none" / "x.whet")

    def test_options(self):
        s = whet.Session(whet.Program(whet.Model(lib.DIGITS_MLP), threads=1, cpu="c", exact=True, group=False, prefer="memory"))
        np.testing.assert_allclose(s.run(self.x)[0], self.y, atol=1e-5)
        with self.assertRaises(whet.NotFound):
            whet.load(lib.DIGITS_MLP, cpu="nonsense")
        with self.assertRaises(whet.NotFound):
            whet.load(lib.DIGITS_MLP, signature="nonsense")
        with self.assertRaises(ValueError):
            whet.load(lib.DIGITS_MLP, prefer="nonsense")
        with self.assertRaises((whet.LimitError, MemoryError)):
            whet.load(lib.DIGITS_MLP, memory_limit=1000)
        with self.assertRaises(whet.LimitError):
            whet.load(lib.DIGITS_MLP, node_limit=1)


class Shapes(unittest.TestCase):
    def test_free_dimensions_follow_the_arrays(self):
        raw = lib.model([lib.node("Relu", ["x"], ["y"])], [("x", "FLOAT", ["n", 3])], [("y", "FLOAT", ["n", 3])])
        s = whet.load(raw)
        self.assertEqual(s.program.model.inputs[0].shape, ("n", 3))
        for n in (1, 4, 0, 7, 4):
            x = np.random.default_rng(n).standard_normal((n, 3)).astype(np.float32)
            np.testing.assert_array_equal(s.run(x)[0], np.maximum(x, 0))
        with self.assertRaises(whet.ShapeError):
            s.run(np.zeros((2, 4), np.float32))
        s.resize("x", (5, 3))
        self.assertEqual(s.inputs[0].shape, (5, 3))
        fixed = whet.load(raw, dims={"n": 2})
        self.assertEqual(fixed.inputs[0].shape, (2, 3))

    def test_sizes_that_only_data_tell(self):
        """As many boxes as stand apart; the same session again and again."""
        s = whet.load(lib.model([lib.node("NonMaxSuppression", ["b", "s", "m"], ["y"])],
                                [("b", "FLOAT", [1, 4, 4]), ("s", "FLOAT", [1, 1, 4]), ("m", "INT64", [])], [("y", "INT64", ["k", 3])]))
        self.assertEqual(s.outputs[0].shape, (None, 3))
        boxes = np.array([[[0, 0, 1, 1], [2, 2, 3, 3], [4, 4, 5, 5], [6, 6, 7, 7]]], np.float32)
        scores = np.array([[[4, 3, 2, 1]]], np.float32)
        for most in (1, 3, 4, 2):
            y, = s.run(boxes, scores, np.array(most))
            np.testing.assert_array_equal(y, [[0, 0, i] for i in range(most)])
            np.testing.assert_array_equal(s.output(0), y)
            self.assertEqual(s.views, 0)  # the memory goes with the next run: copies are given
        with self.assertRaises(whet.DtypeError):
            s.run(boxes, scores, np.array(1), out=[np.zeros((1, 3), np.int64)])

    def test_scalars_and_empty_arrays(self):
        s = whet.load(lib.model([lib.node("Neg", ["x"], ["y"])], [("x", "FLOAT", [])], [("y", "FLOAT", [])]))
        for x in (np.float32(3), np.array(3, np.float32), 3.0):
            y, = s.run(x)
            self.assertEqual((y.shape, float(y)), ((), -3.0))

    def test_outputs_that_are_inputs_or_constants(self):
        from onnx import numpy_helper
        c = numpy_helper.from_array(np.arange(3, dtype=np.float32), "c")
        s = whet.load(lib.model([lib.node("Identity", ["x"], ["y"]), lib.node("Identity", ["c"], ["z"])],
                                [("x", "FLOAT", [3])], [("y", "FLOAT", [3]), ("z", "FLOAT", [3])], [c]))
        x = np.array([5, 6, 7], np.float32)
        y, z = s.run(x)
        np.testing.assert_array_equal(y, x)
        np.testing.assert_array_equal(z, [0, 1, 2])
        self.assertFalse(np.shares_memory(y, x))


    def test_a_concat_around_another_takes_the_same_value(self):
        """The outer one finds a place for the value; the inner one must copy it from there."""
        x = np.random.default_rng(2).standard_normal((2, 3)).astype("f")
        for axis in (0, 1):
            nodes = [lib.node("Relu", ["x"], ["r"]), lib.node("Concat", ["r", "r"], ["a"], axis=axis), lib.node("Concat", ["a", "r"], ["b"], axis=axis),
                     lib.node("Neg", ["b"], ["y"])]
            dims = [6, 3] if axis == 0 else [2, 9]
            s = whet.load(lib.model(nodes, [("x", "FLOAT", [2, 3])], [("y", "FLOAT", dims)]))
            self.assertTrue(np.array_equal(s.run(x)[0], -np.concatenate([np.maximum(x, 0)] * 3, axis)))


class Types(unittest.TestCase):
    def test_every_type_of_numpy(self):
        for onnx_name, dtype in (("FLOAT", np.float32), ("DOUBLE", np.float64), ("FLOAT16", np.float16), ("INT8", np.int8),
                                 ("UINT8", np.uint8), ("INT16", np.int16), ("UINT16", np.uint16), ("INT32", np.int32),
                                 ("UINT32", np.uint32), ("INT64", np.int64), ("UINT64", np.uint64), ("BOOL", np.bool_),
                                 ("COMPLEX64", np.complex64), ("COMPLEX128", np.complex128)):
            s = whet.load(lib.model([lib.node("Identity", ["x"], ["y"])], [("x", onnx_name, [2, 2])], [("y", onnx_name, [2, 2])]))
            x = np.array([[0, 1], [1, 0]]).astype(dtype)
            y, = s.run(x)
            self.assertEqual(y.dtype, dtype)
            np.testing.assert_array_equal(y, x)

    def test_types_that_numpy_has_not(self):
        lib.onnx()
        try:
            import ml_dtypes as ml
        except ImportError:
            raise unittest.SkipTest("needs the Python module ml_dtypes") from None
        for onnx_name, dtype, values in (("BFLOAT16", ml.bfloat16, [1.5, -2, 0]), ("FLOAT8E4M3FN", ml.float8_e4m3fn, [1.5, -2, 0]),
                                         ("INT4", ml.int4, [-8, 7, 3]), ("UINT4", ml.uint4, [15, 0, 9])):
            s = whet.load(lib.model([lib.node("Identity", ["x"], ["y"])], [("x", onnx_name, [3])], [("y", onnx_name, [3])]))
            x = np.array(values).astype(dtype)
            y, = s.run(x)
            self.assertEqual(y.dtype, x.dtype)
            self.assertEqual(y.tolist(), x.tolist())

    def test_strings(self):
        s = whet.load(lib.model([lib.node("Identity", ["x"], ["y"])], [("x", "STRING", [2])], [("y", "STRING", [2])]))
        for x in (np.array(["a", "ä\0b"], object), np.array(["a", "ä\0b"]), ["a", "ä\0b"]):
            y, = s.run(x)
            self.assertEqual((y.dtype, y.tolist()), (np.dtype(object), ["a", "ä\0b"]))

    def test_sequences(self):
        onnx = lib.onnx()
        from onnx import helper
        kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, None))
        raw = lib.model([lib.node("Identity", ["s"], ["t"]), lib.node("Neg", ["x"], ["n"])],
                        [onnx.helper.make_value_info("s", kind), ("x", "FLOAT", [2])],
                        [onnx.helper.make_value_info("t", kind), ("n", "FLOAT", [2])])
        s = whet.load(raw)
        self.assertEqual(s.inputs[0].kind, "sequence")
        self.assertEqual(s.program.model.tensor(0, s.program.model.io(0, 0))[5], "seq(tensor(float))")
        a, b = np.ones(3, np.float32), np.array([4, 5], np.float32)
        t, n = s.run({"s": [a], "x": b})
        np.testing.assert_array_equal(n, -b)
        self.assertEqual(len(t), 1)
        np.testing.assert_array_equal(t[0], a)
        for wrong in (a, {"x": 1}, None):
            with self.assertRaises(TypeError):
                s.run({"s": wrong, "x": b})

    def test_values(self):
        v = whet.value({"a": 1.0, "b": 2.0})
        self.assertEqual((v.kind, v.numpy()), ("map", {"a": 1.0, "b": 2.0}))
        v = whet.value([np.zeros(2), np.ones((1, 1))])
        self.assertEqual((v.kind, len(v.items())), ("sequence", 2))
        self.assertIsNone(whet.value(None).numpy())
        with self.assertRaises(TypeError):
            whet.value(np.zeros(2, "M8[s]"))
        with self.assertRaises(TypeError):
            whet.Value()


class Custom(unittest.TestCase):
    """Operators written in Python."""

    def load(self, run, shape=None, **attrs):
        raw = lib.model([lib.node("Relu", ["x"], ["r"]), lib.node("Mine", ["r"], ["y"], name="it", domain="here", **attrs),
                         lib.node("Add", ["y", "y"], ["z"])], [("x", "FLOAT", ["n"])], [("z", "FLOAT", None)], domains=[("here", 1)])
        return whet.load(raw, custom=[whet.CustomOp("here", "Mine", run, shape)])

    def test_with_and_without_a_shape_rule(self):
        seen = []

        def run(attr, x):
            seen.append((attr("factor"), attr("word"), attr("list"), attr("reals"), attr("none")))
            return np.repeat(x, 2) * attr("factor")

        def shape(attr, x):
            self.assertEqual(x.kind, "tensor")
            return [(x.dtype, (2 * x.shape[0],))]

        for rule in (None, shape):
            s = self.load(run, rule, factor=3.0, word="w", list=[1, 2], reals=[0.5])
            for n in (1, 4, 2):
                x = np.arange(n, dtype=np.float32)
                np.testing.assert_array_equal(s.run(x)[0], np.repeat(x, 2) * 6)
        self.assertEqual(seen[0], (3.0, b"w", [1, 2], [0.5], None))

    def test_what_goes_wrong(self):
        def fails(attr, x):
            raise RuntimeError("no mood")

        for run, shape, kind, text in ((fails, None, whet.DataError, "RuntimeError: no mood"),
                                       (lambda attr, x: [x, x], None, whet.DataError, "2 results; the node has 1 outputs"),
                                       (lambda attr, x: "text", None, whet.Error, "Mine"),
                                       (lambda attr, x: x, lambda attr, x: [("float32", (99,))], whet.ShapeError, "shape rule")):
            s = self.load(run, shape)
            with self.assertRaisesRegex(kind, text):
                s.run(np.zeros(3, np.float32))
        with self.assertRaises(TypeError):
            self.load(3)
        with self.assertRaises(whet.UnsupportedError):
            whet.load(lib.model([lib.node("Mine", ["x"], ["y"], domain="here")], [("x", "FLOAT", [1])], [("y", "FLOAT", [1])],
                                domains=[("here", 1)]))

    def test_attributes_end_with_the_call(self):
        kept = []
        s = self.load(lambda attr, x: (kept.append(attr), x)[1], a=1)
        s.run(np.zeros(1, np.float32))
        with self.assertRaises((RuntimeError, ValueError)):
            kept[0]("a")

    def test_the_session_is_busy(self):
        met = []

        def run(attr, x):
            try:
                s.run(x)
            except whet.MisuseError as e:
                met.append(e)
            return x

        s = self.load(run)
        s.run(np.zeros(1, np.float32))
        self.assertEqual(len(met), 1)


class Exchange(unittest.TestCase):
    def test_dlpack_both_ways(self):
        x = np.arange(6, dtype=np.float32).reshape(2, 3)
        v = whet.from_dlpack(x)
        self.assertEqual((v.shape, v.dtype, v.data), ((2, 3), "float32", x.ctypes.data))
        back = np.from_dlpack(v)
        self.assertTrue(np.shares_memory(back, x))
        self.assertEqual(v.__dlpack_device__(), (1, 0))
        del v
        np.testing.assert_array_equal(back, [[0, 1, 2], [3, 4, 5]])
        fresh = whet.value(np.array([True, False]))
        np.testing.assert_array_equal(np.from_dlpack(fresh), [True, False])

    def test_capsules(self):
        x = np.arange(4, dtype=np.int16)
        v = whet.value(x)
        for version in (None, (0, 8), (1, 0)):
            unused = v.__dlpack__(max_version=version)
            del unused
        c = v.__dlpack__()
        whet.from_dlpack(c)
        with self.assertRaises((TypeError, AttributeError)):
            whet.from_dlpack(c)  # it was taken
        with self.assertRaises(BufferError):
            v.__dlpack__(dl_device=(2, 0))
        with self.assertRaises(BufferError):
            whet.value(np.array(["s"], object)).__dlpack__()
        with self.assertRaises(whet.ShapeError):
            whet.from_dlpack(np.arange(8, dtype=np.float32)[::2])
        with self.assertRaises((AttributeError, TypeError)):
            whet.from_dlpack([1, 2])

    def test_inputs_by_dlpack_alone(self):
        class Foreign:
            def __init__(self, a):
                self.a = a

            def __dlpack__(self, **kw):
                return self.a.__dlpack__(**kw)

            def __dlpack_device__(self):
                return self.a.__dlpack_device__()

        s = whet.load(lib.DIGITS_MLP)
        np.testing.assert_array_equal(s.run(Foreign(picture()))[0], s.run(picture())[0])


class Errors(unittest.TestCase):
    def test_what_they_carry(self):
        with self.assertRaises(whet.Error) as c:
            whet.load(b"no model at all")
        self.assertEqual((c.exception.code, c.exception.status), ("E_FORMAT", -4))
        self.assertIsInstance(c.exception, ValueError)
        with self.assertRaises(OSError) as c:
            whet.load("/nowhere/at/all.onnx")
        self.assertEqual(c.exception.code, "E_IO")
        again = pickle.loads(pickle.dumps(c.exception))
        self.assertEqual((again.code, str(again)), (c.exception.code, str(c.exception)))

    def test_the_node_is_named(self):
        raw = lib.model([lib.node("NoSuchThing", ["x"], ["y"], name="here")], [("x", "FLOAT", [1])], [("y", "FLOAT", [1])])
        with self.assertRaises(NotImplementedError) as c:
            whet.load(raw)
        self.assertIn("NoSuchThing", str(c.exception))
        raw = lib.model([lib.node("Gather", ["x", "i"], ["y"], name="pick")], [("x", "FLOAT", [2]), ("i", "INT64", [1])],
                        [("y", "FLOAT", [1])])
        s = whet.load(raw)
        with self.assertRaises(whet.DataError) as c:
            s.run(np.zeros(2, np.float32), np.array([7]))
        self.assertEqual((c.exception.node[1], c.exception.node[2]), ("pick", "Gather"))
        self.assertIn("pick", c.exception.place)
        s.run(np.zeros(2, np.float32), np.array([1]))  # and it runs again


class Threads(unittest.TestCase):
    def test_the_interpreter_goes_on(self):
        """While one thread runs a model, another thread of Python goes on."""
        n = 400
        raw = lib.model([lib.node("MatMul", ["x", "x"], ["y"]), lib.node("MatMul", ["y", "x"], ["z"]),
                         lib.node("MatMul", ["z", "x"], ["w"])], [("x", "FLOAT", [n, n])], [("w", "FLOAT", [n, n])])
        s = whet.load(raw, threads=1)
        x = np.random.default_rng(1).standard_normal((n, n)).astype(np.float32)
        s.run(x)
        done, counted = threading.Event(), [0]

        def work():
            for _ in range(30):
                s.run(x)
            done.set()

        t = threading.Thread(target=work)
        t.start()
        while not done.is_set():
            counted[0] += 1
            time.sleep(0)
        t.join()
        self.assertGreater(counted[0], 100)

    def test_sessions_of_one_program_run_at_once(self):
        p = whet.Program(whet.Model(lib.DIGITS_MLP), threads=1)
        want = [whet.Session(p).run(picture(d))[0] for d in range(10)]
        wrong = []

        def work(d):
            s = whet.Session(p)
            for _ in range(200):
                if not np.array_equal(s.run(picture(d))[0], want[d]):
                    wrong.append(d)

        threads = [threading.Thread(target=work, args=(d,)) for d in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])

    def test_cancel_and_deadline(self):
        s = whet.load(lib.DIGITS_MLP)
        c = whet.Cancel()
        self.assertFalse(c.cancelled)
        s.run(picture(), cancel=c)
        c.cancel()
        with self.assertRaises(whet.Cancelled):
            s.run(picture(), cancel=c)
        c.clear()
        self.assertEqual(int(s.run(picture(), cancel=c, deadline_ms=60000)[0].argmax()), 5)


if __name__ == "__main__":
    lib.main()
