#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""whet convert: files of the other format give the same outputs, back and forth; what cannot be said is named."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np

import lib
import whet

WHET = pathlib.Path(os.environ["WHET_BUILD"]) / "whet"
RNG = np.random.default_rng(5)


def weights(name, *shape, scale=0.3):
    from onnx import numpy_helper
    return numpy_helper.from_array((RNG.standard_normal(shape) * scale).astype("f"), name)


def ints(name, *values):
    from onnx import numpy_helper
    return numpy_helper.from_array(np.array(values, np.int64), name)


def net(nodes, shape, out, *init, opset=17):
    """A model of one float input x and one float output y."""
    return lib.model(nodes, [("x", "FLOAT", shape)], [("y", "FLOAT", out)], init, opset=opset)


def cases():
    """Name, model; each says something that the two formats say in different words."""
    n = lib.node
    conv = [n("Conv", ["x", "w", "b"], ["c"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), n("Relu", ["c"], ["y"])]
    yield "conv_pads", net(conv, [1, 3, 16, 16], [1, 8, 8, 8], weights("w", 8, 3, 3, 3), weights("b", 8))
    same = [n("Conv", ["x", "w"], ["y"], auto_pad="SAME_UPPER", strides=[2, 2])]
    yield "conv_same", net(same, [1, 3, 15, 16], [1, 4, 8, 8], weights("w", 4, 3, 3, 3))
    deep = [n("Conv", ["x", "w", "b"], ["c"], group=6, pads=[1, 1, 1, 1]), n("Clip", ["c", "lo", "hi"], ["y"])]
    yield "depthwise", net(deep, [1, 6, 9, 9], [1, 6, 9, 9], weights("w", 6, 1, 3, 3), weights("b", 6), number("lo", 0), number("hi", 6))
    yield "groups", net([n("Conv", ["x", "w"], ["y"], group=2)], [1, 4, 8, 8], [1, 6, 6, 6], weights("w", 6, 2, 3, 3))
    norm = [n("Conv", ["x", "w"], ["c"]), n("BatchNormalization", ["c", "s", "b", "m", "v"], ["y"])]
    yield "batchnorm", net(norm, [1, 3, 8, 8], [1, 4, 6, 6], weights("w", 4, 3, 3, 3), weights("s", 4), weights("b", 4),
                           weights("m", 4), positive("v", 4))
    pool = [n("MaxPool", ["x"], ["p"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), n("GlobalAveragePool", ["p"], ["g"]),
            n("Flatten", ["g"], ["f"]), n("Gemm", ["f", "w", "b"], ["z"], transB=1), n("Softmax", ["z"], ["y"])]
    yield "pools", net(pool, [1, 5, 12, 12], [1, 7], weights("w", 7, 5), weights("b", 7))
    yield "up", net([n("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])], [1, 3, 6, 6], [1, 4, 13, 13], weights("w", 3, 4, 3, 3))
    mean = [n("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=1), n("Sigmoid", ["m"], ["s"]), n("Mul", ["x", "s"], ["y"])]
    yield "squeeze_excite", net(mean, [1, 4, 5, 5], [1, 4, 5, 5])
    yield "layernorm", net([n("LayerNormalization", ["x", "s", "b"], ["y"], axis=-1)], [2, 3, 16], [2, 3, 16], weights("s", 16), weights("b", 16))
    cut = [n("Split", ["x", "sizes"], ["a", "b"], axis=1), n("Concat", ["b", "a"], ["c"], axis=1),
           n("Slice", ["c", "st", "en", "ax", "by"], ["d"]), n("Transpose", ["d"], ["e"], perm=[0, 2, 1]), n("Reshape", ["e", "sh"], ["y"])]
    yield "moves", net(cut, [2, 6, 8], [2, 24], ints("sizes", 2, 4), ints("st", 7), ints("en", -9), ints("ax", 2), ints("by", -2), ints("sh", 2, 24))
    act = [n("LeakyRelu", ["x"], ["a"], alpha=0.2), n("HardSigmoid", ["a"], ["b"], alpha=0.3, beta=0.4), n("Elu", ["b"], ["c"]),
           n("Tanh", ["c"], ["d"]), n("Pow", ["d", "two"], ["e"]), n("Exp", ["e"], ["f"]), n("Sqrt", ["f"], ["y"])]
    yield "functions", net(act, [3, 20], [3, 20], number("two", 2))
    up = [n("Resize", ["x", "", "sc"], ["y"], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")]
    yield "nearest", net(up, [1, 2, 5, 5], [1, 2, 10, 10], from_floats("sc", 1, 1, 2, 2))
    yield "linear", net([n("Resize", ["x", "", "sc"], ["y"], mode="linear")], [1, 2, 5, 5], [1, 2, 10, 10], from_floats("sc", 1, 1, 2, 2))
    yield "product", net([n("Transpose", ["x"], ["t"], perm=[0, 2, 1]), n("MatMul", ["x", "t"], ["y"])], [2, 4, 6], [2, 4, 4])


def number(name, value):
    from onnx import numpy_helper
    return numpy_helper.from_array(np.array(value, np.float32), name)


def positive(name, *shape):
    from onnx import numpy_helper
    return numpy_helper.from_array((RNG.random(shape) + 0.5).astype("f"), name)


def from_floats(name, *values):
    from onnx import numpy_helper
    return numpy_helper.from_array(np.array(values, np.float32), name)


def session(path):
    return whet.Session(whet.Program(whet.Model(str(path))))


def outputs(path, feed):
    return [np.array(y) for y in session(path).run(*feed)]


class Convert(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.at = pathlib.Path(self.dir.name)

    def tearDown(self):
        self.dir.cleanup()

    def convert(self, source, target, *options):
        r = subprocess.run([WHET, "convert", source, "-o", target, *options], capture_output=True, text=True)
        self.assertEqual(r.returncode, 0, f"{source} -> {target}: {r.stderr}")
        if str(target).endswith(".onnx"):
            onnx = lib.onnx()
            onnx.checker.check_model(onnx.load(target), full_check=True)

    def agree(self, name, a, b):
        self.assertEqual(len(a), len(b), name)
        for x, y in zip(a, b):
            self.assertEqual(x.shape, y.shape, name)
            self.assertLessEqual(np.max(np.abs(x - y), initial=0), 1e-5 * np.max(np.abs(x), initial=1e-30), name)

    def test_there_and_back(self):
        for name, model in cases():
            with self.subTest(name):
                files = [self.at / f"{name}{end}" for end in (".onnx", "_1.tflite", "_2.onnx", "_3.tflite", "_13.onnx")]
                files[0].write_bytes(model)
                shape = [d.dim_value for d in lib.onnx().load_from_string(model).graph.input[0].type.tensor_type.shape.dim]
                feed = [RNG.standard_normal(shape).astype("f")]
                want = outputs(files[0], feed)
                for source, target in zip(files[:3], files[1:4]):
                    self.convert(source, target)
                    self.agree(target.name, want, outputs(target, feed))
                if name != "layernorm":
                    self.convert(files[0], files[4], "--opset", "13")
                    self.agree(files[4].name, want, outputs(files[4], feed))

    def test_demo_models(self):
        for source in (lib.DIGITS, lib.DIGITS_MLP, lib.DIGITS_ONNX):
            shape = session(source).inputs[0].shape
            feed = [RNG.random(shape).astype("f")]
            try:
                want = outputs(source, feed)
            except TypeError:
                continue  # bytes in: an integer model
            for end in (".onnx", ".tflite"):
                self.convert(source, self.at / f"demo{end}")
                self.agree(f"{source.name} -> {end}", want, outputs(self.at / f"demo{end}", feed))

    def test_names_stay(self):
        model = lib.model([lib.node("Add", ["left", "right"], ["sum"]), lib.node("Relu", ["sum"], ["top"])],
                          [("right", "FLOAT", [2, 3]), ("left", "FLOAT", [2, 3])], [("top", "FLOAT", [2, 3]), ("sum", "FLOAT", [2, 3])])
        (self.at / "n.onnx").write_bytes(model)
        for end in (".tflite", ".onnx"):
            self.convert(self.at / "n.onnx", self.at / f"m{end}")
            s = session(self.at / f"m{end}")
            self.assertEqual([i.name for i in s.inputs], ["right", "left"])
            self.assertEqual([o.name for o in s.outputs], ["top", "sum"])

    def test_names_stay_where_layouts_turn(self):
        """Transposes at the ends come and go; outputs that nothing makes, or that are another's copy, have nodes of their own."""
        nodes = [lib.node("Conv", ["x", "w"], ["left"]), lib.node("Identity", ["left"], ["copy"]), lib.node("Identity", ["x"], ["same"])]
        model = lib.model(nodes, [("x", "FLOAT", [1, 3, 8, 8])], [("left", "FLOAT", [1, 4, 6, 6]), ("copy", "FLOAT", [1, 4, 6, 6]),
                                                                  ("same", "FLOAT", [1, 3, 8, 8])], [weights("w", 4, 3, 3, 3)], opset=17)
        x = RNG.standard_normal((1, 3, 8, 8)).astype("f")
        (self.at / "0.onnx").write_bytes(model)
        want = outputs(self.at / "0.onnx", [x])
        for a, b in (("0.onnx", "1.onnx"), ("1.onnx", "2.tflite"), ("2.tflite", "3.tflite"), ("3.tflite", "4.onnx")):
            self.convert(self.at / a, self.at / b)
            self.assertEqual([o.name for o in session(self.at / b).outputs], ["left", "copy", "same"], b)
            self.agree(b, want, outputs(self.at / b, [x]))

    def test_texts_do_not_grow(self):
        """Who wrote a file is no text of the model; its own texts stay."""
        onnx = lib.onnx()
        m = onnx.load_from_string(lib.model([lib.node("Relu", ["x"], ["y"])], [("x", "FLOAT", [2])], [("y", "FLOAT", [2])]))
        m.producer_name, m.doc_string = "somebody", "what it is for"
        onnx.helper.set_model_props(m, {"labels": "a,b"})
        (self.at / "0.onnx").write_bytes(m.SerializeToString())
        for a, b in (("0.onnx", "1.onnx"), ("1.onnx", "2.tflite"), ("2.tflite", "3.tflite"), ("3.tflite", "4.onnx")):
            self.convert(self.at / a, self.at / b)
            meta = whet.Model(str(self.at / b)).meta
            self.assertEqual((meta["labels"], meta["description"]), (b"a,b", b"what it is for"), b)
        m = onnx.load(self.at / "4.onnx")
        self.assertEqual([p.key for p in m.metadata_props], ["labels"])
        self.assertEqual((m.producer_name, m.doc_string), ("whet", "what it is for"))

    def same_again(self, name, model, feed):
        """Written in its own format: the same outputs, and the second time the same bytes."""
        files = [self.at / f"{name}{k}.onnx" for k in range(3)]
        files[0].write_bytes(model)
        for a, b in zip(files, files[1:]):
            self.convert(a, b)
        self.assertEqual(files[1].read_bytes(), files[2].read_bytes(), name)
        for x, y in zip(outputs(files[0], feed), outputs(files[1], feed)):
            np.testing.assert_array_equal(x, y, name)

    def test_recurrent(self):
        x = RNG.standard_normal((6, 2, 3)).astype("f")
        cells = {"LSTM": (4, {"input_forget": 1}, ["HardSigmoid", "Affine", "ScaledTanh"]), "RNN": (1, {}, ["Elu"]),
                 "GRU": (3, {"linear_before_reset": 1}, ["LeakyRelu", "Softsign"])}
        for op, (gates, more, acts) in cells.items():
            for direction, n in (("forward", 1), ("reverse", 1), ("bidirectional", 2)):
                for options in ({}, {**more, "clip": 3.0, "activations": acts * n}):
                    init = [weights("w", n, gates * 4, 3), weights("r", n, gates * 4, 4), weights("b", n, gates * 8), weights("h", n, 2, 4)]
                    node = lib.node(op, ["x", "w", "r", "b", "", "h"], ["y", "last"], name="cell", hidden_size=4, direction=direction, **options)
                    model = lib.model([node], [("x", "FLOAT", [6, 2, 3])], [("y", "FLOAT", [6, n, 2, 4]), ("last", "FLOAT", [n, 2, 4])], init)
                    self.same_again(f"{op}_{direction}_{len(options)}", model, [x])
        (self.at / "cell.onnx").write_bytes(model)
        r = subprocess.run([WHET, "convert", self.at / "cell.onnx", "-o", self.at / "cell.tflite"], capture_output=True, text=True)
        self.assertEqual(r.returncode, 1)
        self.assertIn('"cell" (GRU)', r.stderr)

    def test_branches(self):
        """A branch may give a value of the graph around it, and a value of a shape that only running tells."""
        h = lib.onnx().helper
        outer = h.make_graph([], "outer", [], [h.make_tensor_value_info("a", 1, None)])
        inner = h.make_graph([h.make_node("Squeeze", ["x"], ["o"])], "inner", [], [h.make_tensor_value_info("o", 1, None)])
        nodes = [lib.node("Relu", ["x"], ["a"]), lib.node("ReduceMax", ["x"], ["m"], keepdims=0), lib.node("Greater", ["m", "zero"], ["c"]),
                 h.make_node("If", ["c"], ["s"], then_branch=outer, else_branch=inner), lib.node("Exp", ["s"], ["e"]),
                 lib.node("Reshape", ["e", "row"], ["y"])]
        model = lib.model(nodes, [("x", "FLOAT", [1, 3])], [("y", "FLOAT", ["k"])], [number("zero", 0), ints("row", -1)])
        for x in ([[1, 2, 3]], [[-1, -2, -3]]):
            self.same_again("branches", model, [np.array(x, "f")])

    def test_refusal_names_every_node(self):
        model = lib.model([lib.node("Det", ["x"], ["a"], name="first"), lib.node("Det", ["x"], ["b"], name="second")],
                          [("x", "FLOAT", [3, 3])], [("a", "FLOAT", []), ("b", "FLOAT", [])])
        (self.at / "d.onnx").write_bytes(model)
        target = self.at / "d.tflite"
        r = subprocess.run([WHET, "convert", self.at / "d.onnx", "-o", target], capture_output=True, text=True)
        self.assertEqual(r.returncode, 1)
        self.assertIn('"first" (Det)', r.stderr)
        self.assertIn('"second" (Det)', r.stderr)
        self.assertFalse(target.exists())


if __name__ == "__main__":
    unittest.main()
