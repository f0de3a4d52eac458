# SPDX-License-Identifier: Apache-2.0
"""whet.layers, whet.train and whet.export: a net learns from arrays, stops when told to, and says what cannot be."""
import os
import tempfile
import unittest

import numpy as np

import lib  # noqa: F401  (finds the package)
import whet


def points(n=400, seed=0):
    """Points of the plane; the class is on which side of a circle they lie."""
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 2)).astype(np.float32)
    return x, ((x ** 2).sum(1) < 0.6).astype(np.int64)


def share(model, x, y):
    out, = whet.load(model).run(x) if isinstance(model, str) else whet.Session(whet.Program(model)).run(x)
    return (out.argmax(1) == y).mean()


class Train(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.data = points()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def learn(self, model="2,16:relu,2:softmax", **options):
        return whet.train(model, self.data, **{"epochs": 20, "rate": 0.02, "batch": 20, **options})

    def test_learns_and_leaves(self):
        epochs = []
        model = self.learn(progress=lambda state, epoch: epochs.append(epoch) if epoch else None)
        self.assertEqual([e["epoch"] for e in epochs], list(range(1, 21)))
        self.assertLess(epochs[-1]["loss"], epochs[0]["loss"])
        self.assertIsNone(epochs[-1]["test_loss"])
        x, y = points(500, 1)
        self.assertGreater(share(model, x, y), 0.85)
        for name in ("net.onnx", "net.tflite", "net.whet"):
            whet.export(model, self.path(name))
            np.testing.assert_allclose(whet.load(self.path(name)).run(x)[0], whet.Session(whet.Program(model)).run(x)[0], atol=1e-5)

    def test_same_bytes(self):
        x, _ = self.data
        runs = [whet.Session(whet.Program(self.learn(epochs=3, threads=t))).run(x)[0] for t in (1, 2)]
        np.testing.assert_array_equal(*runs)

    def test_numbers(self):
        x, _ = self.data
        model = whet.train("2,16:tanh,1", (x, x.sum(1, keepdims=True)), epochs=40, rate=0.02, loss="mse")
        out, = whet.Session(whet.Program(model)).run(x)
        self.assertLess(np.abs(out[:, 0] - x.sum(1)).mean(), 0.1)

    def test_goes_on(self):
        whet.export(self.learn(), self.path("net.onnx"))
        before = whet.Model(self.path("net.onnx"))
        after = self.learn(before, last=1, epochs=2)
        x, y = self.data
        self.assertGreater(share(after, x, y), 0.9)
        del before
        self.assertGreater(share(after, x, y), 0.9)

    def test_stops_and_resumes(self):
        x, _ = self.data
        whole = self.learn(epochs=6)
        net = whet.layers("2,16:relu,2:softmax")
        with self.assertRaises(whet.Cancelled):
            self.learn(net, epochs=6, checkpoint=self.path("at"), progress=lambda state, epoch: state["step"] > 50)
        resumed = self.learn(net, epochs=6, checkpoint=self.path("at"))
        np.testing.assert_array_equal(*[whet.Session(whet.Program(m)).run(x)[0] for m in (whole, resumed)])

    def test_teacher(self):
        x, y = self.data
        teacher = self.learn()
        pupil = self.learn("2,6:relu,2:softmax", epochs=30, teacher=teacher, temperature=2, mix=0.5)
        self.assertGreater(share(pupil, x, y), 0.85)

    def test_progress_raises(self):
        def boom(state, epoch):
            raise KeyError("mine")
        with self.assertRaises(KeyError):
            self.learn(progress=boom)

    def test_refuses(self):
        x, y = self.data
        for error, options in ((TypeError, {"epoch": 3}), (ValueError, {"optimizer": "adan"}), (whet.Error, {"batch": -2}),
                               (ValueError, {"mean": [1, 2, 3, 4, 5]}), (TypeError, {"rate": "fast"}), (TypeError, {"teacher": 3}),
                               (ValueError, {"range": [1]})):
            with self.subTest(options), self.assertRaises(error):
                self.learn(**options)
        with self.assertRaisesRegex(whet.Error, "zz"):
            whet.layers("2,zz")
        with self.assertRaises(ValueError):
            whet.train("2,2:softmax", (x, y[:-1]))
        with self.assertRaises(whet.Error):
            whet.train("2,2:softmax", self.path("nowhere"))
        with self.assertRaisesRegex(whet.Error, "5 numbers"):
            whet.train("5,2:softmax", (x, y))
        with self.assertRaisesRegex(ValueError, "ending"):
            whet.export(whet.layers("2,2"), self.path("net.bin"))
        with self.assertRaises(TypeError):
            whet.export("net", self.path("net.onnx"))


if __name__ == "__main__":
    unittest.main()
