#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""whet quantize: other runtimes take the files and compute what whet computes. LiteRT's reference kernels give the same bytes; ONNX Runtime
without optimisations computes the same integers."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np

import lib
import whet

WHET = pathlib.Path(os.environ["WHET_BUILD"]) / "whet"
RNG = np.random.default_rng(11)


def weights(name, *shape, scale=0.4):
    from onnx import numpy_helper
    return numpy_helper.from_array((RNG.standard_normal(shape) * scale).astype("f"), name)


def nets():
    """Name, model, input shape: what small vision nets are made of. The last node is a product, so that its steps are the output's."""
    n = lib.node
    head = [n("GlobalAveragePool", ["h"], ["g"]), n("Flatten", ["g"], ["f"]), n("Gemm", ["f", "wg", "bg"], ["y"], transB=1)]
    residual = [n("Conv", ["x", "w1", "b1"], ["a"], pads=[1, 1, 1, 1]), n("Relu", ["a"], ["b"]),
                n("Conv", ["b", "w2", "b1"], ["c"], pads=[1, 1, 1, 1], group=8), n("Clip", ["c", "lo", "hi"], ["d"]),
                n("Conv", ["d", "w3"], ["e"]), n("Add", ["b", "e"], ["h"])]
    yield "residual", residual + head, [1, 3, 12, 12], [weights("w1", 8, 3, 3, 3), weights("b1", 8), weights("w2", 8, 1, 3, 3),
                                                        weights("w3", 8, 8, 1, 1), number("lo", 0), number("hi", 6), weights("wg", 5, 8),
                                                        weights("bg", 5)]
    branches = [n("Conv", ["x", "w1", "b1"], ["a"], strides=[2, 2]), n("Relu", ["a"], ["b"]),
                n("MaxPool", ["b"], ["p"], kernel_shape=[2, 2], strides=[1, 1]), n("Conv", ["b", "w2"], ["q"]),
                n("Sigmoid", ["q"], ["s"]), n("Concat", ["p", "s"], ["h"], axis=1)]
    yield "branches", branches + head, [1, 2, 13, 13], [weights("w1", 6, 2, 3, 3), weights("b1", 6), weights("w2", 4, 6, 2, 2),
                                                        weights("wg", 3, 10), weights("bg", 3)]


def number(name, value):
    from onnx import numpy_helper
    return numpy_helper.from_array(np.array(value, np.float32), name)


def without_optimisations():
    import onnxruntime
    plain = onnxruntime.SessionOptions()
    plain.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    plain.log_severity_level = 3
    return plain


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def make(self, nodes, shape, init, out, *options):
        """Quantise a net on samples of its own; the path of the file, samples that it has not seen."""
        x = [d for d in init if d.name == "bg"][0].dims[0]
        (self.folder / "net.onnx").write_bytes(lib.model(nodes, [("x", "FLOAT", shape)], [("y", "FLOAT", [1, x])], init, opset=13))
        smooth = RNG.standard_normal([160] + shape[1:]).astype("f").cumsum(-1) * 0.5
        np.save(self.folder / "x.npy", smooth[:120])
        path = self.folder / out
        subprocess.run([WHET, "quantize", self.folder / "net.onnx", "--data", self.folder / "x.npy", "--eval", "0", "-o", path, *options],
                       check=True, stdout=subprocess.DEVNULL)
        return path, smooth[120:]

    def test_litert(self):
        try:
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
        except ImportError:
            self.skipTest("LiteRT is not there")
        for name, nodes, shape, init in nets():
            for options in ([], ["--float-ends"], ["--granularity", "tensor", "--symmetric"], ["--scheme", "int16x8"]):
                with self.subTest(net=name, options=options):
                    path, samples = self.make(nodes, shape, init, "net.tflite", *options)
                    theirs = Interpreter(str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
                    theirs.allocate_tensors()
                    given, taken = theirs.get_input_details()[0], theirs.get_output_details()[0]
                    ours = whet.Session(whet.Program(whet.Model(str(path))))
                    for x in samples:
                        x = x.reshape(given["shape"])
                        if given["dtype"] != np.float32:
                            scale, zero = given["quantization"]
                            bounds = np.iinfo(given["dtype"])
                            x = np.clip(np.round(x / np.float32(scale)) + zero, bounds.min, bounds.max).astype(given["dtype"])
                        theirs.set_tensor(given["index"], x)
                        theirs.invoke()
                        self.assertEqual(theirs.get_tensor(taken["index"]).tobytes(), ours.run({given["name"]: x})[0].tobytes())

    def test_onnxruntime(self):
        try:
            import onnx
            import onnxruntime
        except ImportError:
            self.skipTest("ONNX Runtime is not there")
        plain = without_optimisations()
        for name, nodes, shape, init in nets():
            for options in ([], ["--activations", "int8"], ["--granularity", "tensor"], ["--any-scales"]):
                with self.subTest(net=name, options=options):
                    path, samples = self.make(nodes, shape, init, "net_q.onnx", *options)
                    model = onnx.load(path)
                    onnx.checker.check_model(model, full_check=True)
                    last = [n for n in model.graph.node if "y" in n.output][0]
                    scale = onnx.numpy_helper.to_array([t for t in model.graph.initializer if t.name == last.input[1]][0])
                    theirs = onnxruntime.InferenceSession(str(path), plain, providers=["CPUExecutionProvider"])
                    ours = whet.Session(whet.Program(whet.Model(str(path))))
                    steps = [np.abs(theirs.run(None, {"x": x[None]})[0] - ours.run({"x": x[None]})[0]) / scale for x in samples]
                    if options == ["--any-scales"]:  # results near a tie go the other way
                        self.assertLess(np.max(steps), 1.01)
                        self.assertLess(np.mean(np.array(steps) > 0.5), 0.02)
                    else:
                        self.assertEqual(np.max(steps), 0)

    def test_small_weights(self):
        """Schemes with float arithmetic: the file is small, and both runtimes agree to float accuracy."""
        try:
            import onnx
            import onnxruntime
        except ImportError:
            self.skipTest("ONNX Runtime is not there")
        n = lib.node
        nodes = [n("MatMul", ["x", "w"], ["m"]), n("Add", ["m", "bg"], ["y"])]
        init = [weights("w", 256, 64), weights("bg", 64)]
        for options, most in ((["--weights", "8"], 24), (["--weights", "4"], 15), (["--weights", "4", "--group", "32"], 20)):
            with self.subTest(options=options):
                path, samples = self.make(nodes, [1, 256], init, "small.onnx", "--scheme", "weights", *options)
                self.assertLess(path.stat().st_size, most << 10)
                onnx.checker.check_model(onnx.load(path), full_check=True)
                theirs = onnxruntime.InferenceSession(str(path), without_optimisations(), providers=["CPUExecutionProvider"])
                ours = whet.Session(whet.Program(whet.Model(str(path))))
                for x in samples:
                    y = theirs.run(None, {"x": x[None]})[0]
                    self.assertLess(np.abs(y - ours.run({"x": x[None]})[0]).max(), 1e-4 * np.abs(y).max())


if __name__ == "__main__":
    unittest.main()
