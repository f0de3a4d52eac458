#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""whet prune: channels that do nothing go first, and the outputs stay; what is joined goes together; misuse is told."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np

import lib
import whet

WHET = pathlib.Path(os.environ["WHET_BUILD"]) / "whet"
RNG = np.random.default_rng(3)


def weights(name, *shape, idle=()):
    """Random numbers; rows `idle` of the first dimension are zero."""
    from onnx import numpy_helper
    w = (RNG.standard_normal(shape) * 0.4).astype("f")
    w[list(idle)] = 0
    return numpy_helper.from_array(w, name)


IDLE = (1, 3, 4, 7)
MORE = (0, 2, 5, 6, 9, 10)


def net():
    """Residual, depthwise, concat, squeeze and excite, flattening: every way to join channels. Some of them do nothing."""
    n = lib.node
    nodes = [n("Conv", ["x", "w1", "b1"], ["a"], pads=[1, 1, 1, 1]), n("Relu", ["a"], ["b"]),
             n("Conv", ["b", "w2", "b2"], ["c"], group=8, pads=[1, 1, 1, 1]), n("Conv", ["c", "w3", "b3"], ["d"]), n("Add", ["b", "d"], ["e"]),
             n("Conv", ["e", "w4", "b4"], ["f"], pads=[1, 1, 1, 1]), n("Relu", ["f"], ["g"]), n("Concat", ["e", "g"], ["h"], axis=1),
             n("GlobalAveragePool", ["h"], ["i"]), n("Sigmoid", ["i"], ["j"]), n("Mul", ["h", "j"], ["k"]),
             n("MaxPool", ["k"], ["l"], kernel_shape=[2, 2], strides=[2, 2]), n("Flatten", ["l"], ["m"]), n("Gemm", ["m", "w5", "b5"], ["y"], transB=1)]
    init = [weights("w1", 8, 3, 3, 3, idle=IDLE), weights("b1", 8, idle=IDLE), weights("w2", 8, 1, 3, 3), weights("b2", 8, idle=IDLE),
            weights("w3", 8, 8, 1, 1, idle=IDLE), weights("b3", 8, idle=IDLE), weights("w4", 12, 8, 3, 3, idle=MORE),
            weights("b4", 12, idle=MORE), weights("w5", 5, 20 * 16), weights("b5", 5)]
    return lib.model(nodes, [("x", "FLOAT", [1, 3, 8, 8])], [("y", "FLOAT", [1, 5])], init, opset=17)


class Prune(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.at = pathlib.Path(self.dir.name)
        (self.at / "net.onnx").write_bytes(net())

    def tearDown(self):
        self.dir.cleanup()

    def prune(self, *args, status=0):
        r = subprocess.run([WHET, "prune", self.at / "net.onnx", *args], capture_output=True, text=True)
        self.assertEqual(r.returncode, status, r.stderr)
        return r.stdout if not status else r.stderr

    def run_model(self, name, x):
        return np.array(whet.Session(whet.Program(whet.Model(str(self.at / name)))).run(x)[0])

    def test_idle_channels_go_first(self):
        x = RNG.standard_normal((1, 3, 8, 8)).astype("f")
        want = self.run_model("net.onnx", x)
        for end in (".onnx", ".tflite"):
            told = json.loads(self.prune("--keep", "60%", "--align", "1", "--json", "-o", self.at / f"small{end}"))
            self.assertLessEqual(told["macs"], 0.6 * told["macs_before"])
            self.assertGreater(told["macs"], 0.4 * told["macs_before"])
            had = [(layer["had"], layer["has"]) for layer in told["layers"]]
            self.assertEqual([h for h, _ in had], [8, 8, 12, 5])
            self.assertLess(had[0][1], 8)
            self.assertEqual(had[0][1], had[1][1], "the residual's two sides")
            self.assertEqual(had[3][1], 5, "outputs stay")
            np.testing.assert_allclose(self.run_model(f"small{end}", x), want, rtol=0, atol=2e-6 * np.abs(want).max())

    def test_batch_norms_stay(self):
        """For training further; which channels go is told by what they are behind the norm."""
        n = lib.node
        idle = np.isin(np.arange(16), (0, 1, 5, 9, 10, 12, 13, 15))
        scale = np.where(idle, 1e-6, RNG.uniform(0.5, 2, 16)).astype("f")
        from onnx import numpy_helper
        init = [weights("w1", 16, 3, 3, 3), weights("w2", 5, 16), weights("m", 16), weights("b2", 5), numpy_helper.from_array(scale, "s"),
                numpy_helper.from_array(np.where(idle, 0, 0.1).astype("f"), "b"), numpy_helper.from_array(RNG.uniform(0.5, 2, 16).astype("f"), "v")]
        nodes = [n("Conv", ["x", "w1"], ["a"], pads=[1, 1, 1, 1]), n("BatchNormalization", ["a", "s", "b", "m", "v"], ["c"]), n("Relu", ["c"], ["d"]),
                 n("GlobalAveragePool", ["d"], ["e"]), n("Flatten", ["e"], ["f"]), n("Gemm", ["f", "w2", "b2"], ["y"], transB=1)]
        (self.at / "net.onnx").write_bytes(lib.model(nodes, [("x", "FLOAT", [1, 3, 8, 8])], [("y", "FLOAT", [1, 5])], init, opset=17))
        x = RNG.standard_normal((1, 3, 8, 8)).astype("f")
        want = self.run_model("net.onnx", x)
        for end in (".onnx", ".tflite"):
            told = json.loads(self.prune("--keep", "50%", "--json", "-o", self.at / f"small{end}"))
            self.assertEqual((told["layers"][0]["had"], told["layers"][0]["has"]), (16, 8))
            np.testing.assert_allclose(self.run_model(f"small{end}", x), want, rtol=0, atol=1e-5 * np.abs(want).max())
        import onnx
        small = onnx.load(self.at / "small.onnx")
        self.assertEqual([k.op_type for k in small.graph.node].count("BatchNormalization"), 1)

    def test_less_than_there_is(self):
        self.assertIn("multiply-adds are left", self.prune("--keep", "0.001", "-o", self.at / "s.onnx", status=1))
        self.assertFalse((self.at / "s.onnx").exists())

    def test_whole(self):
        x = RNG.standard_normal((1, 3, 8, 8)).astype("f")
        self.prune("--keep", "1", "-o", self.at / "same.onnx")
        want = self.run_model("net.onnx", x)
        np.testing.assert_allclose(self.run_model("same.onnx", x), want, rtol=0, atol=2e-6 * np.abs(want).max())

    def test_misuse(self):
        for args, text in ((("-o", "x.onnx", "--keep", "0"), "expected a part above 0"), (("-o", "x.onnx", "--keep", "120%"), "expected a part above 0"),
                           ((), "name the file to write"), (("-o", "x.bin"), "ending")):
            self.assertIn(text, self.prune(*args, status=2))


if __name__ == "__main__":
    unittest.main()
