# SPDX-License-Identifier: Apache-2.0
"""ONNX's own backend tests over whet.backend: every node, simple, converted, operator and light model case of the installed
onnx package. test_backend.py [PATTERN]"""
import os
import re
import sys
import tempfile
import unittest
import warnings

import numpy as np
import onnx
import onnx.backend.test
from onnx import TensorProto, helper, numpy_helper

import lib  # noqa: F401 - its path
import whet.backend

# What no backend can pass there, and why.
EXCLUDED = [
    ("test_bernoulli", "draws without a seed: whoever implements it draws other numbers than the package did"),
    ("test_loop16_seq_none", "the runner cannot compare a scalar in a sequence"),
]


class Interface(unittest.TestCase):
    """prepare, run_model, run_node, supports_device."""

    def test_run_node(self):
        node = helper.make_node("Add", ["a", "b"], ["c"])
        a, b = np.ones((2, 3), np.float32), np.arange(3, dtype=np.float32)
        c, = whet.backend.run_node(node, [a, b])
        np.testing.assert_array_equal(c, a + b)
        node = helper.make_node("Clip", ["x", "", "most"], ["y"])
        y, = whet.backend.run_node(node, [b, np.float32(1)])
        np.testing.assert_array_equal(y, [0, 1, 1])
        y, = whet.backend.run_node(helper.make_node("Softmax", ["x"], ["y"]), [a], opset_version=11)
        self.assertEqual(y.shape, (2, 3))

    def test_run_model(self):
        graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g",
                                  [helper.make_tensor_value_info("x", 1, [2])], [helper.make_tensor_value_info("y", 1, [2])])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        x = np.array([1, -2], np.float32)
        for given in ([x], (x,), {"x": x}, x):
            out = whet.backend.run_model(model, given)
            np.testing.assert_array_equal(out.y, -x)
            np.testing.assert_array_equal(out["y"], -x)
        ready = whet.backend.prepare(model, "CPU", threads=1)
        np.testing.assert_array_equal(ready.run([x])[0], -x)
        self.assertTrue(whet.backend.supports_device("CPU") and not whet.backend.supports_device("CUDA"))
        with self.assertRaises(RuntimeError):
            whet.backend.prepare(model, "CUDA:0")
        with self.assertRaises(RuntimeError):
            ready.run([x, x])

    def test_bernoulli(self):
        """Of what draws without a seed: type, shape, and the share of ones."""
        p = np.full((200, 100), 0.3, np.float32)
        y, = whet.backend.run_node(helper.make_node("Bernoulli", ["p"], ["y"]), [p])
        self.assertEqual((y.dtype, y.shape), (p.dtype, p.shape))
        self.assertTrue(np.isin(y, [0, 1]).all())
        self.assertAlmostEqual(float(y.mean()), 0.3, delta=0.02)

    def test_float6(self):
        """Floats of 6 bits, which have no case in the package: every code, to and from other types, raw and as numbers."""
        for name in ("float6e2m3", "float6e3m2"):
            to, kind = getattr(TensorProto, name.upper()), helper.tensor_dtype_to_np_dtype(getattr(TensorProto, name.upper()))
            codes = np.arange(64, dtype=np.uint8).view(kind)
            for n in (64, 61, 6, 3, 1, 0):
                for raw in (False, True):
                    w = numpy_helper.from_array(codes[:n], "w")
                    if not raw:
                        w = helper.make_tensor("w", to, [n], codes[:n].astype(np.float32))
                    graph = helper.make_graph([helper.make_node("Cast", ["w"], ["y"], to=1), helper.make_node("Cast", ["y"], ["z"], to=to)], "g",
                                              [], [helper.make_tensor_value_info("y", 1, [n]), helper.make_tensor_value_info("z", to, [n])], [w])
                    y, z = whet.backend.run_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 28)]), [])
                    np.testing.assert_array_equal(y, codes[:n].astype(np.float32))
                    np.testing.assert_array_equal(z.view(np.uint8), codes[:n].view(np.uint8))
            x = np.random.default_rng(5).uniform(-40, 40, 500).astype(np.float32)
            for op, given in (("Cast", {"to": to}), ("QuantizeLinear", {"output_dtype": to})):
                scale = [np.float32(0.75)] if op == "QuantizeLinear" else []
                y, = whet.backend.run_node(helper.make_node(op, ["x", "s"][:1 + len(scale)], ["y"], **given), [x, *scale], opset_version=28)
                self.assertEqual(y.dtype, kind)
                np.testing.assert_array_equal(y.view(np.uint8), (x / scale[0] if scale else x).astype(kind).view(np.uint8))
            y, = whet.backend.run_node(helper.make_node("DequantizeLinear", ["x", "s"], ["y"]), [codes, np.float32(3)], opset_version=28)
            np.testing.assert_array_equal(y, codes.astype(np.float32) * 3)

    def test_scale_of_integers(self):
        """int32 scales, which QuantizeLinear takes since opset 19 and the package has no case of."""
        x = np.arange(-40, 41, dtype=np.int32)
        for opset, given in ((19, x), (21, x), (23, x.astype(np.float32)), (28, x.astype(np.float32))):
            y, = whet.backend.run_node(helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"]), [given, np.int32(4), np.int8(3)], opset_version=opset)
            np.testing.assert_array_equal(y, (np.rint(x / 4) + 3).astype(np.int8))

    def test_attention_masks(self):
        """Masks of integers, which have no case in the package, are added as their numbers."""
        draw = np.random.default_rng(6)
        q, k, v = (draw.standard_normal((1, 2, n, 8)).astype(np.float32) for n in (4, 6, 6))
        node = helper.make_node("Attention", ["q", "k", "v", "m"], ["y"])
        mask = draw.integers(0, 4, (4, 6))
        want, = whet.backend.run_node(node, [q, k, v, mask.astype(np.float32)], opset_version=25)
        for kind in "int8 uint8 int16 uint16 int32 uint32 int64 uint64".split():
            y, = whet.backend.run_node(node, [q, k, v, mask.astype(kind)], opset_version=25)
            np.testing.assert_allclose(y, want, rtol=1e-5, atol=1e-6)


def main():
    warnings.simplefilter("ignore")
    os.environ["ONNX_HOME"] = tempfile.mkdtemp()  # light models write their data there
    tests = onnx.backend.test.BackendTest(whet.backend, __name__)
    pattern = re.compile(sys.argv[1] if len(sys.argv) > 1 else "")
    suite = unittest.TestSuite()
    suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(Interface))
    left_out = 0
    for group in tests.test_cases.values():
        for name in unittest.defaultTestLoader.getTestCaseNames(group):
            if not name.endswith("_cpu") or not pattern.search(name):
                continue
            if any(name.startswith(start) for start, _ in EXCLUDED):
                left_out += 1
            elif "Real" not in group.__name__ or is_light(name):
                suite.addTest(group(name))
    result = unittest.TestResult()
    suite.run(result)
    for case, text in [*result.failures, *result.errors]:
        lines = [line for line in text.strip().splitlines() if line.strip()]
        print(f"{case.id().split('.')[-1]}: {lines[-1].strip()[:300]}")
    for case, why in result.skipped:
        print(f"{case.id()}: skipped: {why}")
    bad = len(result.failures) + len(result.errors) + len(result.skipped)
    print(f"onnx {onnx.__version__}: {result.testsRun} run, {bad} failed or skipped, {left_out} left out by name:")
    for start, why in EXCLUDED:
        print(f"  {start}*: {why}")
    return 1 if bad or not result.testsRun else 0


def is_light(name):
    """Models that come with the package, with weights of one value."""
    return "light" in name or name.removesuffix("_cpu") in LIGHT


LIGHT = {c.name for c in onnx.backend.test.loader.load_model_tests(kind="real") if (c.url or "").startswith("onnx/")}

if __name__ == "__main__":
    sys.exit(main())
