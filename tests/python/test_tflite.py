# SPDX-License-Identifier: Apache-2.0
"""whet.tflite: the interpreter's names and behaviour; beside the original where it is installed."""
import unittest
import warnings

import numpy as np

import lib
import whet
from whet import tflite
from whet.tflite import Interpreter

try:
    from ai_edge_litert.interpreter import Interpreter as Original
except ImportError:
    Original = None

KEYS = ["name", "index", "shape", "shape_signature", "dtype", "quantization", "quantization_parameters", "sparsity_parameters"]


def same(test, a, b):
    """Details of a tensor are equal to the last type."""
    test.assertEqual(list(a), list(b))
    for k in a:
        if isinstance(a[k], dict):
            same(test, a[k], b[k])
        elif isinstance(a[k], np.ndarray):
            test.assertEqual(a[k].dtype, b[k].dtype, k)
            np.testing.assert_array_equal(a[k], b[k])
        else:
            test.assertEqual((k, type(a[k]), a[k]), (k, type(b[k]), b[k]))


class Basic(unittest.TestCase):
    def setUp(self):
        self.i = Interpreter(model_path=str(lib.DIGITS_MLP), num_threads=1)
        self.i.allocate_tensors()
        self.input = self.i.get_input_details()[0]
        self.output = self.i.get_output_details()[0]
        self.x = lib.picture(3).astype(np.float32).reshape(self.input["shape"])

    def ask(self):
        self.i.set_tensor(self.input["index"], self.x)
        self.i.invoke()
        return self.i.get_tensor(self.output["index"])

    def test_details(self):
        self.assertEqual(list(self.input), KEYS)
        self.assertEqual(self.input["name"], "image")
        self.assertIs(self.input["dtype"], np.float32)
        self.assertEqual(self.input["shape"].dtype, np.int32)
        self.assertEqual(self.input["quantization"], (0.0, 0))
        self.assertEqual(list(self.input["quantization_parameters"]), ["scales", "zero_points", "quantized_dimension", "block_size"])
        inner = [d for d in self.i.get_tensor_details() if d["quantization_parameters"]["scales"].size]
        self.assertGreater(len(inner), 3)
        for d in inner:
            self.assertEqual(d["quantization_parameters"]["zero_points"].shape, d["quantization_parameters"]["scales"].shape)
        self.assertEqual([d["op_name"] for d in self.i._get_ops_details()].count("FULLY_CONNECTED"), 2)
        self.assertEqual(self.i.num_subgraphs(), 1)

    def test_tensors(self):
        y = self.ask()
        self.assertEqual(int(y.argmax()), 3)
        np.testing.assert_array_equal(y, whet.load(lib.DIGITS_MLP).run(self.x)[0])
        y[:] = 0  # a copy
        self.assertEqual(int(self.i.get_tensor(self.output["index"]).argmax()), 3)
        np.testing.assert_array_equal(self.i.get_tensor(self.input["index"]), self.x)
        look, see = self.i.tensor(self.input["index"]), self.i.tensor(self.output["index"])
        look()[:] = lib.picture(8).reshape(1, 784)
        self.i.invoke()
        self.assertEqual(int(see().argmax()), 8)
        see()[:] = 7
        self.assertEqual(self.i.get_tensor(self.output["index"])[0, 0], 7)
        constants = [t for t in self.i.get_tensor_details() if t["index"] not in (self.input["index"], self.output["index"])]
        read = 0
        for t in constants:
            try:
                self.assertEqual(self.i.get_tensor(t["index"]).shape, tuple(t["shape"]))
                read += 1
            except ValueError as e:
                self.assertIn("experimental_preserve_all_tensors", str(e))
        self.assertGreater(read, 1)

    def test_content_and_threads(self):
        want = self.ask()
        for kw in ({"model_path": lib.DIGITS_MLP}, {"model_content": lib.DIGITS_MLP.read_bytes()}):
            for threads in (None, 1, 2, 4):
                i = Interpreter(**kw, num_threads=threads)
                i.allocate_tensors()
                i.set_tensor(self.input["index"], self.x)
                i.invoke()
                np.testing.assert_array_equal(i.get_tensor(self.output["index"]), want)

    def test_every_argument(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            i = Interpreter(str(lib.DIGITS_MLP), None, None, 1, tflite.OpResolverType.BUILTIN_REF, True, True, True, True, True, True)
        i.allocate_tensors()
        i.set_tensor(self.input["index"], self.x)
        i.invoke()
        for t in i.get_tensor_details():  # all are preserved
            self.assertEqual(i.get_tensor(t["index"]).shape, tuple(t["shape"]))
        for bad, kind in (({}, ValueError), ({"model_path": "x", "model_content": b"y"}, ValueError),
                          ({"model_path": "/nowhere.tflite"}, ValueError), ({"model_content": b"TFL3" * 9}, ValueError),
                          ({"model_path": str(lib.DIGITS_ONNX)}, ValueError),
                          ({"model_path": str(lib.DIGITS_MLP), "num_threads": 0}, ValueError),
                          ({"model_path": str(lib.DIGITS_MLP), "num_threads": "2"}, ValueError),
                          ({"model_path": str(lib.DIGITS_MLP), "experimental_op_resolver_type": 7}, ValueError),
                          ({"model_path": str(lib.DIGITS_MLP), "experimental_delegates": [object()]}, ValueError)):
            with self.assertRaises(kind, msg=str(bad)):
                Interpreter(**bad)
        with self.assertRaisesRegex(ValueError, "libedgetpu.so.1"):
            tflite.load_delegate("libedgetpu.so.1", {"device": "usb"})
        with self.assertRaisesRegex(ValueError, "MyRegisterer"):
            tflite.InterpreterWithCustomOps(custom_op_registerers=["MyRegisterer"], model_path=str(lib.DIGITS_MLP))

    def test_resize(self):
        self.i.resize_tensor_input(self.input["index"], [3, 784])
        with self.assertRaises(RuntimeError):
            self.i.invoke()
        with self.assertRaises(ValueError):
            self.i.set_tensor(self.input["index"], np.zeros((3, 784), np.float32))
        self.i.allocate_tensors()
        x = np.stack([lib.picture(d).reshape(784) for d in (1, 2, 7)]).astype(np.float32)
        self.i.set_tensor(self.input["index"], x)
        self.i.invoke()
        self.assertEqual(self.i.get_tensor(self.output["index"]).argmax(1).tolist(), [1, 2, 7])
        self.assertEqual(self.i.get_input_details()[0]["shape"].tolist(), [3, 784])
        self.assertEqual(self.i.get_output_details()[0]["shape"].tolist(), [3, 10])
        with self.assertRaises(ValueError):
            self.i.resize_tensor_input(self.input["index"], [4, 784], strict=True)
        self.i.resize_tensor_input(self.input["index"], [4, 7])
        with self.assertRaises(RuntimeError):
            self.i.allocate_tensors()
        self.i.resize_tensor_input(self.input["index"], [1, 784])
        self.i.allocate_tensors()
        self.assertEqual(int(self.ask().argmax()), 3)

    def test_no_signatures(self):
        self.assertEqual(self.i.get_signature_list(), {})
        with self.assertRaises(ValueError):
            self.i.get_signature_runner()
        with self.assertRaises(ValueError):
            self.i.get_signature_runner("serving_default")
        self.i.reset_all_variables()

    def test_subclass(self):
        class Mine(Interpreter):
            def __init__(self, path):
                super().__init__(model_path=path)
                self.allocate_tensors()

            def ask(self, x):
                self.set_tensor(self.get_input_details()[0]["index"], x)
                self.invoke()
                return self.get_tensor(self.get_output_details()[0]["index"])

        np.testing.assert_array_equal(Mine(str(lib.DIGITS_MLP)).ask(self.x), self.ask())


@unittest.skipUnless(Original, "needs the Python module ai_edge_litert")
class Beside(unittest.TestCase):
    """The same answers as the original's to the same questions."""

    def test_details(self):
        for path in (lib.DIGITS_MLP, lib.DIGITS):
            mine, theirs = Interpreter(str(path)), Original(str(path))
            for what in ("get_input_details", "get_output_details", "get_tensor_details"):
                a, b = getattr(mine, what)(), getattr(theirs, what)()
                for x, y in zip(a, b):
                    if x["quantization_parameters"]["scales"].size == y["quantization_parameters"]["scales"].size:
                        same(self, x, y)
            self.assertEqual([d["op_name"] for d in mine._get_ops_details()],
                             [d["op_name"] for d in theirs._get_ops_details() if d["op_name"] != "DELEGATE"])

    def test_names(self):
        """Every public name of the original's interpreter is there, with arguments that it takes."""
        import inspect
        for name, f in inspect.getmembers(Original, inspect.isfunction):
            if name.startswith("_"):
                continue
            self.assertTrue(hasattr(Interpreter, name), name)
            mine = getattr(Interpreter, name)
            if name in ("invoke",):
                continue
            self.assertEqual(list(inspect.signature(mine).parameters), list(inspect.signature(f).parameters), name)
        self.assertEqual(list(inspect.signature(Interpreter.__init__).parameters), list(inspect.signature(Original.__init__).parameters))


if __name__ == "__main__":
    lib.main()
