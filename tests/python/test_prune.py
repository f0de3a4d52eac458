#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""whet prune: channels that do nothing go first, and the outputs stay; what is joined goes together; zeros come in the pattern that was
asked for, the least weights first, also while the model is trained; misuse is told."""
import json
import os
import pathlib
import subprocess
import tempfile
import time
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
        for args, text in (("-p 4:2", "N:M with N below M"), ("-p 2:65", "at most 64"), ("-p 2:4x", "expected channels"), ("-p 0x16", "IxO"),
                           ("-p 2:4 --keep 10%", "says what stays"), ("-p weights --align 4", "is for channels"),
                           ("--across model", "--across is for weights"), ("--ramp 0.5", "--ramp is for weights"),
                           ("--keep-dense a", "--keep-dense is for weights"), ("-p 1:2 --across layer", "every layer keeps the same part"),
                           ("-p weights --epochs 3", "need data"), ("-p weights --ramp 0.5", "--ramp is a part of the training"),
                           ("-p weights --score gradient", "gradients come with training"), ("--score gradient", "gradients come with training"),
                           ("-p weights --score gradient --data x --optimizer sgd", "the gradients are Adam's"),
                           ("-p weights --data x --match a", "a teacher's")):
            self.assertIn(text, self.prune("-o", self.at / "x.onnx", *args.split(), status=2), args)
        self.assertIn('no layer is called "nix"', self.prune("-o", self.at / "x.onnx", "-p", "weights", "--keep-dense", "nix", status=1))
        self.assertFalse((self.at / "x.onnx").exists())


def matrix(path, name):
    """Weights of an .onnx file, outputs first."""
    import onnx
    from onnx import numpy_helper
    w = {i.name: numpy_helper.to_array(i) for i in onnx.load(path).graph.initializer}[name]
    return np.moveaxis(w, 1, -1).reshape(w.shape[0], -1)  # inputs of one tap follow each other


class Zeros(Prune):
    """Patterns of zeros in the net above."""
    test_idle_channels_go_first = test_batch_norms_stay = test_less_than_there_is = test_whole = test_misuse = None

    def pruned(self, *args):
        told = json.loads(self.prune(*args, "--dense", "--json", "-o", self.at / "out.onnx"))
        return told, {w: (matrix(self.at / "net.onnx", w), matrix(self.at / "out.onnx", w)) for w in ("w1", "w3", "w4", "w5", "w2")}

    def test_weights(self):
        told, w = self.pruned("-p", "weights", "--keep", "30%")
        self.assertEqual([layer["operator"] for layer in told["layers"]], ["Conv", "Conv", "Conv", "Gemm"], "not the depthwise one")
        for layer, name in zip(told["layers"], ("w1", "w3", "w4", "w5")):
            was, now = w[name]
            self.assertEqual(layer["had"], was.size)
            self.assertEqual(layer["has"], np.count_nonzero(now))
            most = was.size - int(np.ceil(0.7 * was.size - 1e-6))
            self.assertEqual(layer["has"], min(most, np.count_nonzero(was)))
            self.assertTrue(np.array_equal(now[now != 0], was[now != 0]))
            self.assertLessEqual(np.abs(was[now == 0]).max(), np.abs(now[now != 0]).min())
        self.assertTrue(np.array_equal(*w["w2"]))

    def test_across_and_keep_dense(self):
        told, w = self.pruned("-p", "weights", "--keep", "0.3", "--across", "model", "--keep-dense", "d")
        self.assertTrue(np.array_equal(*w["w3"]), "d is its output")
        one = [np.concatenate([w[n][k].ravel() for n in ("w1", "w4", "w5")]) for k in (0, 1)]
        self.assertEqual(np.count_nonzero(one[1] == 0), int(np.ceil(0.7 * one[0].size - 1e-6)))
        self.assertLessEqual(np.abs(one[0][one[1] == 0]).max(), np.abs(one[1][one[1] != 0]).min())

    def test_neighbours(self):
        for n, m in ((2, 4), (1, 4), (3, 8)):
            _, w = self.pruned("-p", f"{n}:{m}")
            for name in ("w1", "w3", "w4", "w5"):
                was, now = w[name]
                for at in range(0, was.shape[1], m):
                    a, b = was[:, at:at + m], now[:, at:at + m]
                    stay = -(-n * a.shape[1] // m)
                    want = np.where(np.argsort(np.argsort(-np.abs(a), axis=1, kind="stable"), axis=1, kind="stable") < stay, a, 0)
                    self.assertTrue(np.array_equal(np.count_nonzero(b, axis=1), np.count_nonzero(want, axis=1)))
                    self.assertTrue(np.array_equal(np.abs(b).sum(axis=1), np.abs(want).sum(axis=1)))

    def test_blocks(self):
        _, w = self.pruned("-p", "4x2", "--keep", "25%")
        was, now = w["w5"][0], w["w5"][1]
        blocks = [(np.abs(was[o:o + 2, i:i + 4]).mean(), np.count_nonzero(now[o:o + 2, i:i + 4]), now[o:o + 2, i:i + 4].size)
                  for o in range(0, 5, 2) for i in range(0, was.shape[1], 4)]
        self.assertTrue(all(n in (0, size) for _, n, size in blocks))
        self.assertLessEqual(max(s for s, n, _ in blocks if not n), min(s for s, n, _ in blocks if n) * (1 + 1e-6))
        self.assertAlmostEqual(np.count_nonzero(now) / now.size, 0.25, delta=8 / now.size)


class Files(Prune):
    """Zeros cost a file next to nothing, and it means the same, here and for the other runtimes that are installed."""
    test_idle_channels_go_first = test_batch_norms_stay = test_less_than_there_is = test_whole = test_misuse = None

    def setUp(self):
        super().setUp()
        for end in (".onnx", ".tflite"):
            self.prune("-p", "weights", "--keep", "10%", "-o", self.at / f"sparse{end}")
            self.prune("-p", "weights", "--keep", "10%", "--dense", "-o", self.at / f"dense{end}")
        self.x = RNG.standard_normal((1, 3, 8, 8)).astype("f")
        self.want = self.run_model("dense.onnx", self.x)

    def size(self, name):
        return (self.at / name).stat().st_size

    def convert(self, a, b, *args):
        subprocess.run([WHET, "convert", self.at / a, "-o", self.at / b, *args], check=True, capture_output=True)

    def test_sizes_and_round_trips(self):
        for end in (".onnx", ".tflite"):
            self.assertLess(self.size(f"sparse{end}"), 0.7 * self.size(f"dense{end}"))
            self.convert(f"sparse{end}", f"back{end}", "--dense")
            self.assertAlmostEqual(self.size(f"back{end}"), self.size(f"dense{end}"), delta=200)
            for name in (f"sparse{end}", f"dense{end}", f"back{end}"):
                np.testing.assert_allclose(self.run_model(name, self.x), self.want, rtol=0, atol=2e-6 * np.abs(self.want).max())
        # The same weights, bit for bit, through both formats and back.
        self.convert("sparse.onnx", "a.tflite")
        self.convert("a.tflite", "b.onnx", "--dense")
        want = matrix(self.at / "dense.onnx", "w5")
        import onnx
        from onnx import numpy_helper
        self.assertTrue(any(np.array_equal(numpy_helper.to_array(i), want) for i in onnx.load(self.at / "b.onnx").graph.initializer if len(i.dims) == 2))

    def test_half_is_not_enough(self):
        self.prune("-p", "weights", "--keep", "50%", "-o", self.at / "a.onnx")
        self.prune("-p", "weights", "--keep", "50%", "--dense", "-o", self.at / "b.onnx")
        self.assertEqual((self.at / "a.onnx").read_bytes(), (self.at / "b.onnx").read_bytes())

    def test_onnx(self):
        import onnx
        m = onnx.load(self.at / "sparse.onnx")
        onnx.checker.check_model(m, full_check=True)
        sparse = [n for n in m.graph.node if n.op_type == "Constant"]
        self.assertTrue(sparse and all(n.attribute[0].name == "sparse_value" for n in sparse))
        try:
            import onnxruntime
        except ImportError:
            self.skipTest("needs onnxruntime")
        s = onnxruntime.InferenceSession(str(self.at / "sparse.onnx"), providers=["CPUExecutionProvider"])
        np.testing.assert_allclose(s.run(None, {"x": self.x})[0], self.want, rtol=0, atol=1e-5 * np.abs(self.want).max())

    def test_litert(self):
        try:
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
        except ImportError:
            self.skipTest("needs ai-edge-litert")
        for how in (OpResolverType.BUILTIN_REF, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, OpResolverType.AUTO):
            i = Interpreter(str(self.at / "sparse.tflite"), experimental_op_resolver_type=how)
            i.allocate_tensors()
            sparse = [d for d in i.get_tensor_details() if d["sparsity_parameters"]]
            self.assertTrue(sparse)
            i.set_tensor(i.get_input_details()[0]["index"], self.x)
            i.invoke()
            np.testing.assert_allclose(i.get_tensor(i.get_output_details()[0]["index"]), self.want, rtol=0, atol=1e-5 * np.abs(self.want).max())

    def test_integers(self):
        """Rounding to 8 bits leaves zeros what they are."""
        (self.at / "d.csv").write_text("".join(",".join(f"{v:.3f}" for v in RNG.standard_normal(192)) + f",{k % 5}\n" for k in range(80)))
        subprocess.run([WHET, "quantize", self.at / "sparse.onnx", "--data", self.at / "d.csv", "--samples", "60", "--eval", "0", "-o", self.at / "q.onnx"],
                       check=True, capture_output=True)
        import onnx
        from onnx import numpy_helper
        m = onnx.load(self.at / "q.onnx")
        onnx.checker.check_model(m, full_check=True)
        w = [numpy_helper.to_array(i) for i in m.graph.initializer if i.data_type == onnx.TensorProto.INT8 and len(i.dims) > 1]
        was = {x.size: x for x in (matrix(self.at / "dense.onnx", n) for n in ("w1", "w3", "w4"))}
        checked = 0
        for x in w:
            if x.size not in was:
                continue
            self.assertLessEqual(np.count_nonzero(x), np.count_nonzero(was[x.size]))
            checked += 1
        self.assertGreater(checked, 0)


class WhileTrained(unittest.TestCase):
    """Two classes of points; further columns of nothing and of noise."""
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.at = pathlib.Path(self.dir.name)
        rng = np.random.default_rng(5)
        angle, out = rng.uniform(0, 6.28, 900), np.arange(900) % 2
        r = np.where(out, 2, 0.7) + rng.uniform(-0.3, 0.3, 900)
        x = np.stack([r * np.cos(angle), r * np.sin(angle)] + 8 * [np.zeros(900)] + list(rng.standard_normal((6, 900)) * 0.3), axis=1)
        (self.at / "d.csv").write_text("".join(",".join(f"{v:.4f}" for v in row) + f",{'out' if o else 'in'}\n" for row, o in zip(x, out)))
        self.whet("train", "--layers", "16,32:relu,2:softmax", "--rate", "0.01", "--epochs", "15", "-o", "net.onnx")

    def tearDown(self):
        self.dir.cleanup()

    def whet(self, verb, *args):
        r = subprocess.run([WHET, verb, "--data", "d.csv", *args], capture_output=True, text=True, cwd=self.at)
        self.assertEqual(r.returncode, 0, r.stderr)
        return r.stdout

    def weights(self, name):
        import onnx
        from onnx import numpy_helper
        subprocess.run([WHET, "convert", self.at / name, "--dense", "-o", self.at / "w.onnx"], check=True, capture_output=True)
        return [w for w in map(numpy_helper.to_array, onnx.load(self.at / "w.onnx").graph.initializer) if w.ndim == 2]

    HOW = ("-p", "weights", "--keep", "10%", "--score", "gradient", "--across", "model", "--epochs", "20", "--rate", "0.01", "--batch", "20")

    def test_gradients_tell_what_is_idle(self):
        told = json.loads(self.whet("prune", "net.onnx", *self.HOW, "--json", "-o", "s.onnx"))
        w = self.weights("s.onnx")
        count = sum(np.count_nonzero(x) for x in w)
        self.assertEqual(count, sum(layer["has"] for layer in told["layers"]))
        self.assertEqual(count, sum(x.size for x in w) - int(np.ceil(0.9 * sum(x.size for x in w) - 1e-6)))
        first = next(x for x in w if x.shape in ((16, 32), (32, 16)))
        first = first if first.shape[0] == 16 else first.T
        self.assertEqual(np.count_nonzero(first[2:10]), 0, "inputs that are always 0")
        self.assertGreater(np.count_nonzero(first[:2]), np.count_nonzero(first[2:]))
        self.assertGreater(told["epochs"][-1]["accuracy"], 0.95)
        # Zeros stay through further training, when they are to.
        self.whet("train", "--model", "s.onnx", "--keep-zeros", "--epochs", "2", "-o", "t.onnx")
        self.whet("train", "--model", "s.onnx", "--epochs", "2", "-o", "u.onnx")
        for a, b, c in zip(w, self.weights("t.onnx"), self.weights("u.onnx")):
            self.assertTrue(np.array_equal(a == 0, b == 0) and not np.array_equal(a, b))
            self.assertGreater(np.count_nonzero(c), np.count_nonzero(a))

    def test_threads_and_kills(self):
        """The same bytes whatever the threads are, and after going on from a checkpoint."""
        self.whet("prune", "net.onnx", *self.HOW, "--threads", "1", "-o", "a.whet")
        self.whet("prune", "net.onnx", *self.HOW, "--threads", "2", "-o", "b.whet")
        want = (self.at / "a.whet").read_bytes()
        self.assertEqual(want, (self.at / "b.whet").read_bytes())
        args = [WHET, "prune", "--data", "d.csv", "net.onnx", *self.HOW, "-c", "c.ckpt", "--checkpoint-steps", "7", "-o", "c.whet"]
        p = subprocess.Popen(args, cwd=self.at, stdout=subprocess.DEVNULL)
        while p.poll() is None and not (self.at / "c.ckpt").exists():
            time.sleep(0.001)
        p.kill()
        p.wait()
        self.whet(*args[1:2], *args[4:])
        self.assertEqual(want, (self.at / "c.whet").read_bytes())

    def test_patterns(self):
        for pattern, share in (("1:4", 0.25), ("1x16", 0.5)):
            told = json.loads(self.whet("prune", "net.onnx", "-p", pattern, "--epochs", "10", "--rate", "0.01", "--json", "-o", "p.onnx"))
            w = next(x for x in self.weights("p.onnx") if x.size == 512)
            w = w if w.shape[0] == 16 else w.T  # inputs first
            self.assertAlmostEqual(np.count_nonzero(w) / w.size, share)
            groups = w.reshape(4, 4, 32).transpose(0, 2, 1) if pattern == "1:4" else w.reshape(32, 16)
            self.assertLessEqual(set(np.count_nonzero(groups, axis=-1).ravel()), {1} if pattern == "1:4" else {0, 16})
            self.assertGreater(told["epochs"][-1]["accuracy"], 0.8)

    def test_channels(self):
        """Cut by gradients, then trained: in one command."""
        told = json.loads(self.whet("prune", "net.onnx", "--keep", "50%", "--align", "1", "--score", "gradient", "--epochs", "10", "--rate", "0.01",
                                    "--json", "-o", "h.onnx"))
        self.assertEqual(told["layers"][0]["has"], 16)
        self.assertGreater(told["epochs"][-1]["accuracy"], 0.95)
        self.assertEqual(sorted(x.size for x in self.weights("h.onnx")), [32, 256])


if __name__ == "__main__":
    unittest.main()
