# SPDX-License-Identifier: Apache-2.0
"""whet.onnxruntime: sessions, options, bindings, values, exceptions; beside the original where it is installed."""
import inspect
import json
import os
import tempfile
import threading
import unittest
import warnings

import numpy as np

import lib
import whet.onnxruntime as ort
from whet.onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, InvalidProtobuf, NoSuchFile, NotImplemented

try:
    import onnxruntime as original
except ImportError:
    original = None


class Session(unittest.TestCase):
    def setUp(self):
        self.s = ort.InferenceSession(str(lib.DIGITS_ONNX), providers=["CPUExecutionProvider"])
        self.input, self.output = self.s.get_inputs()[0], self.s.get_outputs()[0]
        shape = [d if isinstance(d, int) else 1 for d in self.input.shape]
        self.x = lib.picture(7).astype(np.float32).reshape(shape)
        self.y, = self.s.run(None, {self.input.name: self.x})

    def test_what_it_is(self):
        self.assertEqual(self.input.type, "tensor(float)")
        self.assertEqual(repr(self.input), f"NodeArg(name={self.input.name!r}, type='tensor(float)', shape={self.input.shape!r})")
        self.assertEqual(self.s.get_providers(), ["CPUExecutionProvider"])
        self.assertEqual(self.s.get_provider_options(), {"CPUExecutionProvider": {}})
        meta = self.s.get_modelmeta()
        self.assertIsInstance(meta.version, int)
        self.assertIsInstance(meta.custom_metadata_map, dict)
        self.assertEqual(ort.get_device(), "CPU")
        self.assertIn("CPUExecutionProvider", ort.get_available_providers())
        ort.set_default_logger_severity(3)
        with self.assertRaises(RuntimeError):
            ort.set_default_logger_severity(9)

    def test_run(self):
        self.assertEqual(int(self.y.argmax()), 7)
        for names in ([], [self.output.name], (self.output.name,)):
            np.testing.assert_array_equal(self.s.run(names, {self.input.name: self.x})[0], self.y)
        a, b = self.s.run([self.output.name] * 2, {self.input.name: self.x})
        np.testing.assert_array_equal(a, b)
        for x in (self.x.tolist(), np.asfortranarray(self.x), ort.OrtValue.ortvalue_from_numpy(self.x)):
            np.testing.assert_array_equal(self.s.run(None, {self.input.name: x})[0], self.y)
        with open(lib.DIGITS_ONNX, "rb") as f:
            raw = f.read()
        for source in (raw, bytearray(raw), lib.DIGITS_ONNX):
            np.testing.assert_array_equal(ort.InferenceSession(source).run(None, {self.input.name: self.x})[0], self.y)

    def test_errors(self):
        name, x = self.input.name, self.x
        for feed, kind, text in (({}, ValueError, "Required inputs"), ({name: x, "other": x}, InvalidArgument, "Invalid input name: other"),
                                 ({name: x.astype(np.float64)}, InvalidArgument, r"tensor\(double\).*expected: \(tensor\(float\)\)"),
                                 ({name: x[0]}, InvalidArgument, "Invalid rank for input: .*Got: .*Expected: "),
                                 ({name: np.zeros([5] * x.ndim, np.float32)}, InvalidArgument, "index: .*Got: 5 Expected: "),
                                 ({name: None}, InvalidArgument, name), ({name: object()}, InvalidArgument, name)):
            with self.assertRaisesRegex(kind, text):
                self.s.run(None, feed)
        with self.assertRaisesRegex(InvalidArgument, "Invalid output name: nope"):
            self.s.run(["nope"], {name: x})
        with self.assertRaises(NoSuchFile):
            ort.InferenceSession("/nowhere.onnx")
        with self.assertRaises(InvalidProtobuf):
            ort.InferenceSession(b"no model at all")
        with self.assertRaises(InvalidProtobuf):
            ort.InferenceSession(str(lib.DIGITS))
        with self.assertRaises(TypeError):
            ort.InferenceSession(5)
        with self.assertRaises(AttributeError):
            self.s.run(None, [x])
        np.testing.assert_array_equal(self.s.run(None, {name: x})[0], self.y)

    def test_providers(self):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            s = ort.InferenceSession(str(lib.DIGITS_ONNX), providers=["CUDAExecutionProvider", ("CPUExecutionProvider", {})])
        self.assertIn("CUDAExecutionProvider", str(seen[0].message))
        self.assertEqual(s.get_providers(), ["CPUExecutionProvider"])
        for bad in ("CPUExecutionProvider", [3]):
            with self.assertRaises(ValueError):
                ort.InferenceSession(str(lib.DIGITS_ONNX), providers=bad)

    def test_options(self):
        o = ort.SessionOptions()
        o.intra_op_num_threads = 1
        o.inter_op_num_threads = 1
        o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        o.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        o.enable_mem_pattern = False
        o.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.assertEqual(o.get_session_config_entry("session.intra_op.allow_spinning"), "0")
        with self.assertRaises(RuntimeError):
            o.get_session_config_entry("nothing")
        s = ort.InferenceSession(str(lib.DIGITS_ONNX), o)
        np.testing.assert_array_equal(s.run(None, {self.input.name: self.x})[0], self.y)
        for refuse in (lambda q: q.register_custom_ops_library("ops.so"), lambda q: setattr(q, "optimized_model_filepath", "m.onnx"),
                       lambda q: q.add_free_dimension_override_by_denotation("DATA_BATCH", 1)):
            q = ort.SessionOptions()
            refuse(q)
            with self.assertRaises(NotImplemented):
                ort.InferenceSession(str(lib.DIGITS_ONNX), q)

    def test_free_dimensions(self):
        raw = lib.model([lib.node("Relu", ["x"], ["y"])], [("x", "FLOAT", ["batch", 3, None])], [("y", "FLOAT", ["batch", 3, None])])
        s = ort.InferenceSession(raw)
        self.assertEqual(s.get_inputs()[0].shape, ["batch", 3, None])
        for n in (1, 5, 2):
            self.assertEqual(s.run(None, {"x": np.zeros((n, 3, n + 1), np.float32)})[0].shape, (n, 3, n + 1))
        o = ort.SessionOptions()
        o.add_free_dimension_override_by_name("batch", 4)
        o.add_free_dimension_override_by_name("none_of_these", 9)
        self.assertEqual(ort.InferenceSession(raw, o).get_inputs()[0].shape, [4, 3, None])

    def test_initializers_that_are_inputs(self):
        onnx = lib.onnx()
        two, axes = (onnx.numpy_helper.from_array(v, name) for v, name in ((np.float32([2, 3]), "w"), (np.array([0]), "axes")))
        raw = lib.model([lib.node("Mul", ["x", "w"], ["t"]), lib.node("Unsqueeze", ["t", "axes"], ["y"])],
                        [("x", "FLOAT", [2]), ("w", "FLOAT", [2]), ("axes", "INT64", [1])], [("y", "FLOAT", None)], [two, axes])
        s = ort.InferenceSession(raw)
        self.assertEqual([i.name for i in s.get_inputs()], ["x"])
        self.assertEqual([(i.name, i.type, i.shape) for i in s.get_overridable_initializers()],
                         [("w", "tensor(float)", [2]), ("axes", "tensor(int64)", [1])])
        x, w, one = np.float32([5, 7]), np.float32([10, 100]), np.array([1])
        for _ in range(2):
            np.testing.assert_array_equal(s.run(None, {"x": x})[0], [[10, 21]])
            np.testing.assert_array_equal(s.run(None, {"w": w, "x": x})[0], [[50, 700]])
            np.testing.assert_array_equal(s.run(["y"], {"axes": one, "x": x})[0], [[10], [21]])
            np.testing.assert_array_equal(s.run(["y"], {"axes": one, "x": x, "w": -w})[0], [[-50], [-700]])
        b = s.io_binding()
        b.bind_cpu_input("x", x)
        b.bind_cpu_input("w", w)
        b.bind_output("y")
        s.run_with_iobinding(b)
        np.testing.assert_array_equal(b.get_outputs()[0].numpy(), [[50, 700]])
        with self.assertRaisesRegex(InvalidArgument, "Invalid rank for input: w Got: 2 Expected: 1"):
            s.run(None, {"x": x, "w": w[None]})
        with self.assertRaisesRegex(InvalidArgument, "Invalid input name: v"):
            s.run(None, {"x": x, "w": w, "v": w})
        with self.assertRaisesRegex(ValueError, "Required inputs"):
            s.run(None, {"w": w})
        if original is not None:
            theirs = original.InferenceSession(raw)
            self.assertEqual([str(i) for i in theirs.get_overridable_initializers()], [str(i) for i in s.get_overridable_initializers()])
            for feed in ({"x": x}, {"x": x, "w": w}, {"x": x, "axes": one}):
                np.testing.assert_array_equal(theirs.run(None, feed)[0], s.run(None, feed)[0])

    def test_terminate(self):
        r = ort.RunOptions()
        r.add_run_config_entry("a", "b")
        self.assertEqual(r.get_run_config_entry("a"), "b")
        self.s.run(None, {self.input.name: self.x}, r)
        r.terminate = True
        with self.assertRaisesRegex(Fail, "terminate"):
            self.s.run(None, {self.input.name: self.x}, run_options=r)
        r.terminate = False
        self.s.run(None, {self.input.name: self.x}, r)

    def test_threads_share_a_session(self):
        wrong = []

        def work(d):
            x = lib.picture(d).astype(np.float32).reshape(self.x.shape)
            want = self.s.run(None, {self.input.name: x})[0]
            for _ in range(200):
                if not np.array_equal(self.s.run(None, {self.input.name: x})[0], want):
                    wrong.append(d)

        threads = [threading.Thread(target=work, args=(d,)) for d in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])

    def test_async(self):
        done, seen = threading.Event(), []

        def back(results, user, error):
            seen.append((results, user, error))
            done.set()

        self.s.run_async([self.output.name], {self.input.name: self.x}, back, "mine")
        self.assertTrue(done.wait(30))
        np.testing.assert_array_equal(seen[0][0][0], self.y)
        self.assertEqual(seen[0][1:], ("mine", ""))
        done.clear()
        self.s.run_async(["nope"], {self.input.name: self.x}, back, None)
        self.assertTrue(done.wait(30))
        self.assertIn("nope", seen[1][2])

    def test_profiling(self):
        o = ort.SessionOptions()
        o.enable_profiling = True
        with tempfile.TemporaryDirectory() as folder:
            o.profile_file_prefix = os.path.join(folder, "trace")
            s = ort.InferenceSession(str(lib.DIGITS_ONNX), o)
            for _ in range(5):
                s.run(None, {self.input.name: self.x})
            self.assertGreater(s.get_profiling_start_time_ns(), 0)
            with open(s.end_profiling()) as f:
                events = json.load(f)
        self.assertEqual(events[0]["name"], "model_loading_uri")
        self.assertTrue(any(e["cat"] == "Node" and "Conv" in e["args"]["op_name"] for e in events))
        self.assertEqual(s.end_profiling(), "")
        self.assertEqual(self.s.end_profiling(), "")


class Values(unittest.TestCase):
    def setUp(self):
        self.s = ort.InferenceSession(str(lib.DIGITS_ONNX))
        self.input, self.output = self.s.get_inputs()[0].name, self.s.get_outputs()[0].name
        shape = [d if isinstance(d, int) else 1 for d in self.s.get_inputs()[0].shape]
        self.x = lib.picture(2).astype(np.float32).reshape(shape)
        self.y, = self.s.run(None, {self.input: self.x})

    def test_ortvalue(self):
        v = ort.OrtValue.ortvalue_from_numpy(self.x)
        self.assertEqual((v.shape(), v.data_type(), v.device_name(), v.element_type()), (list(self.x.shape), "tensor(float)", "cpu", 1))
        self.assertTrue(v.is_tensor() and v.has_value() and not v.is_sparse_tensor() and not v.is_tensor_sequence())
        self.assertEqual(v.tensor_size_in_bytes(), self.x.nbytes)
        np.testing.assert_array_equal(v.numpy(), self.x)
        self.assertFalse(np.shares_memory(v.numpy(), self.x))
        np.testing.assert_array_equal(np.asarray(v), self.x)
        v.update_inplace(self.x * 2)
        np.testing.assert_array_equal(v.numpy(), self.x * 2)
        with self.assertRaises(RuntimeError):
            v.update_inplace(self.x[..., :3])
        self.assertTrue(np.shares_memory(np.from_dlpack(v), np.asarray(v)))
        self.assertEqual(ort.OrtValue.from_dlpack(self.x).data_ptr(), self.x.ctypes.data)
        z = ort.OrtValue.ortvalue_from_shape_and_type([2, 3], np.int64)
        self.assertEqual((z.shape(), z.data_type(), z.numpy().sum()), ([2, 3], "tensor(int64)", 0))
        with self.assertRaises(RuntimeError):
            ort.OrtValue.ortvalue_from_numpy(self.x, "cuda", 0)
        got, = self.s.run_with_ort_values([self.output], {self.input: ort.OrtValue.ortvalue_from_numpy(self.x)})
        np.testing.assert_array_equal(got.numpy(), self.y)

    def test_binding(self):
        b = self.s.io_binding()
        b.bind_cpu_input(self.input, self.x)
        b.bind_output(self.output)
        self.s.run_with_iobinding(b)
        np.testing.assert_array_equal(b.copy_outputs_to_cpu()[0], self.y)
        mine = np.zeros_like(self.y)
        b = ort.IOBinding(self.s)
        b.bind_input(self.input, "cpu", 0, np.float32, self.x.shape, self.x.ctypes.data)
        b.bind_output(self.output, "cpu", 0, np.float32, mine.shape, mine.ctypes.data)
        self.s.run_with_iobinding(b)
        np.testing.assert_array_equal(mine, self.y)
        v, w = ort.OrtValue.ortvalue_from_numpy(self.x), ort.OrtValue.ortvalue_from_shape_and_type(self.y.shape, np.float32)
        b = self.s.io_binding()
        b.bind_ortvalue_input(self.input, v)
        b.bind_ortvalue_output(self.output, w)
        b.synchronize_inputs()
        self.s.run_with_iobinding(b, ort.RunOptions())
        b.synchronize_outputs()
        np.testing.assert_array_equal(w.numpy(), self.y)
        self.assertEqual(b.get_outputs()[0].data_ptr(), w.data_ptr())
        v.update_inplace(np.zeros_like(self.x))
        self.s.run_with_iobinding(b)
        self.assertFalse(np.array_equal(w.numpy(), self.y))
        b.clear_binding_inputs()
        b.clear_binding_outputs()
        with self.assertRaises(ValueError):
            self.s.run_with_iobinding(b)
        with self.assertRaises(RuntimeError):
            b.bind_cpu_input("nope", self.x)
        with self.assertRaises(RuntimeError):
            b.bind_output("nope")
        with self.assertRaises(RuntimeError):
            b.bind_output(self.output, "cuda")
        b = self.s.io_binding()
        b.bind_cpu_input(self.input, self.x)
        b.bind_output(self.output, "cpu", 0, np.float32, [1, 3], np.zeros(3, np.float32).ctypes.data)
        with self.assertRaises(InvalidArgument):
            self.s.run_with_iobinding(b)

    def test_strings_and_sequences(self):
        onnx = lib.onnx()
        from onnx import helper
        s = ort.InferenceSession(lib.model([lib.node("Identity", ["x"], ["y"])], [("x", "STRING", [2])], [("y", "STRING", [2])]))
        self.assertEqual(s.get_inputs()[0].type, "tensor(string)")
        self.assertEqual(s.run(None, {"x": np.array(["a", "b"])})[0].tolist(), ["a", "b"])
        kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, None))
        s = ort.InferenceSession(lib.model([lib.node("Identity", ["x"], ["y"])], [helper.make_value_info("x", kind)],
                                           [helper.make_value_info("y", kind)]))
        self.assertEqual(s.get_inputs()[0].type, "seq(tensor(float))")
        got = s.run(None, {"x": [np.ones(2, np.float32)]})[0]
        np.testing.assert_array_equal(got[0], [1, 1])
        v, = s.run_with_ort_values(None, {"x": ort.OrtValue(whet_sequence([np.ones(2, np.float32)]))})
        self.assertEqual((v.data_type(), v.is_tensor_sequence()), ("seq(tensor(float))", True))


def whet_sequence(x):
    import whet
    return whet.value(x)


@unittest.skipUnless(original, "needs the Python module onnxruntime")
class Beside(unittest.TestCase):
    """The same names and answers as the original's."""

    def test_answers(self):
        mine, theirs = ort.InferenceSession(str(lib.DIGITS_ONNX)), original.InferenceSession(str(lib.DIGITS_ONNX))
        for a, b in zip(mine.get_inputs() + mine.get_outputs(), theirs.get_inputs() + theirs.get_outputs()):
            self.assertEqual((a.name, a.type, a.shape, str(a)), (b.name, b.type, b.shape, str(b)))
        for name in ("producer_name", "graph_name", "domain", "description", "graph_description", "custom_metadata_map"):
            self.assertEqual(getattr(mine.get_modelmeta(), name), getattr(theirs.get_modelmeta(), name), name)
        name = mine.get_inputs()[0].name
        for d in range(10):
            x = lib.picture(d).astype(np.float32).reshape([v if isinstance(v, int) else 1 for v in mine.get_inputs()[0].shape])
            np.testing.assert_allclose(mine.run(None, {name: x})[0], theirs.run(None, {name: x})[0], atol=1e-4)

    def test_names(self):
        for kind in ("SessionOptions", "RunOptions"):
            a, b = getattr(ort, kind)(), getattr(original, kind)()
            for name in dir(b):
                if name.startswith("_") or "ep_context" in name or "provider_" in name or "cancellation" in name or \
                   name in ("add_active_adapter", "add_external_initializers_from_files_in_memory"):
                    continue
                self.assertTrue(hasattr(a, name), f"{kind}.{name}")
                if not callable(getattr(b, name)):
                    self.assertEqual(int(getattr(a, name)) if isinstance(getattr(a, name), int) else getattr(a, name),
                                     int(getattr(b, name)) if hasattr(getattr(b, name), "__int__") else getattr(b, name),
                                     f"{kind}.{name}")
        for kind in ("InferenceSession", "IOBinding"):
            for name, f in inspect.getmembers(getattr(original, kind), inspect.isfunction):
                mine = getattr(getattr(ort, kind), name, None)
                if mine is None or name.startswith("_"):
                    continue
                self.assertEqual(list(inspect.signature(mine).parameters), list(inspect.signature(f).parameters), f"{kind}.{name}")


if __name__ == "__main__":
    lib.main()
