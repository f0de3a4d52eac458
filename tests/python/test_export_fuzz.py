#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random graphs through the exporters: export_fuzz.py COUNT

Each graph is drawn as ONNX, written as .onnx and .tflite, read back and written again. What is read back must give the same
outputs, by name, to 1e-5 of the greatest; written again in the same format it must give the same bits, an .onnx file with the same
bytes. A refusal must name a node. Files pass onnx.checker with full shape inference and, where it is
installed, run in LiteRT. A seed is printed; WHET_SEED repeats it, and WHET_KEEP names a folder for graphs that failed.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import numpy as np

import lib
import whet

WHET = pathlib.Path(os.environ["WHET_BUILD"]) / "whet"
try:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError:
    Interpreter = None


class Draw:
    """One graph, drawn node by node; every value that nothing reads becomes an output."""

    def __init__(self, rng):
        self.rng, self.nodes, self.init, self.count = rng, [], [], 0
        self.shape, self.read = {}, set()
        rank4 = rng.random() < 0.75
        shape = [int(rng.integers(1, 3)), int(rng.integers(1, 9)), int(rng.integers(4, 12)), int(rng.integers(4, 12))]
        self.inputs = [self.value(shape if rank4 else [int(rng.integers(1, 5)), int(rng.integers(2, 20))])]
        if rng.random() < 0.2:
            self.inputs.append(self.value(list(self.shape[self.inputs[0]])))
        for _ in range(int(rng.integers(1, 12))):
            self.step()
        self.outputs = [v for v in self.shape if v not in self.read and v not in self.inputs]

    def value(self, shape):
        self.count += 1
        name = f"v{self.count}"
        self.shape[name] = [int(d) for d in shape]
        return name

    def const(self, array):
        from onnx import numpy_helper
        self.count += 1
        self.init.append(numpy_helper.from_array(np.asarray(array), f"c{self.count}"))
        return f"c{self.count}"

    def weights(self, *shape, scale=0.4):
        w = (self.rng.standard_normal(shape) * scale).astype("f")
        if w.ndim > 1 and self.rng.random() < 0.25:  # so sparse that exporters leave zeros out
            w *= self.rng.random(shape) < 0.1
        return self.const(w)

    def add(self, op, inputs, shape, **attr):
        out = self.value(shape)
        self.read.update(i for i in inputs if i in self.shape)
        self.nodes.append(lib.node(op, inputs, [out], **attr))
        return out

    def step(self):
        """One more operator on a value there is; most often the newest."""
        names = list(self.shape)
        x = names[-1] if self.rng.random() < 0.7 else names[int(self.rng.integers(len(names)))]
        shape = self.shape[x]
        every = [self.pointwise, self.pair, self.softmax, self.concat, self.cut, self.reduce]
        if len(shape) == 4:
            every += [self.conv, self.conv, self.conv, self.deconv, self.pool, self.norm, self.pad, self.resize, self.flatten, self.squeeze_excite]
        elif len(shape) == 2:
            every += [self.dense, self.dense, self.matmul, self.layer_norm, self.fold]
        every[int(self.rng.integers(len(every)))](x, shape)

    def pick(self, *of):
        return of[int(self.rng.integers(len(of)))]

    def pointwise(self, x, shape):
        op, attr = self.pick(("Relu", {}), ("Sigmoid", {}), ("Tanh", {}), ("LeakyRelu", {"alpha": 0.1}), ("HardSwish", {}), ("Elu", {}), ("Exp", {}),
                             ("Neg", {}), ("Abs", {}), ("Softplus", {}), ("Floor", {}), ("Identity", {}), ("Clip", {}))
        extra = [self.const(np.float32(self.pick(0, -1))), self.const(np.float32(self.pick(6, 1)))] if op == "Clip" else []
        if op == "Exp":  # kept from growing
            x = self.add("Tanh", [x], shape)
        self.add(op, [x, *extra], shape, **attr)

    def pair(self, x, shape):
        op = self.pick("Add", "Sub", "Mul", "Max", "Min")
        same = [v for v, s in self.shape.items() if s == shape]
        if self.rng.random() < 0.5:
            dims = [d if self.rng.random() < 0.5 else 1 for d in shape]
            if len(shape) == 4 and self.rng.random() < 0.5:
                dims = [1, shape[1], 1, 1]
            other = self.const(self.rng.standard_normal(dims).astype("f"))
        else:
            other = self.pick(*same)
        both = [x, other] if self.rng.random() < 0.8 or op != "Sub" else [other, x]
        self.add(op, both, shape)

    def softmax(self, x, shape):
        self.add("Softmax", [x], shape, axis=self.pick(-1, 1))

    def concat(self, x, shape):
        axis = int(self.rng.integers(len(shape)))
        others = [v for v, s in self.shape.items() if len(s) == len(shape) and all(a == b for k, (a, b) in enumerate(zip(s, shape)) if k != axis)]
        y = self.pick(*others)
        dims = list(shape)
        dims[axis] += self.shape[y][axis]
        if np.prod(dims) < 20000:
            self.add("Concat", [x, y], dims, axis=axis)

    def cut(self, x, shape):
        axis = int(self.rng.integers(len(shape)))
        if shape[axis] < 3:
            return
        a = int(self.rng.integers(0, shape[axis] - 1))
        b = int(self.rng.integers(a + 1, shape[axis] + 1))
        dims = list(shape)
        dims[axis] = b - a
        ints = [self.const(np.array([v], np.int64)) for v in (a, b, axis)]
        self.add("Slice", [x, *ints], dims)

    def reduce(self, x, shape):
        axis = int(self.rng.integers(1, len(shape)))
        dims = list(shape)
        dims[axis] = 1
        self.add(self.pick("ReduceMean", "ReduceMax"), [x], dims, axes=[axis], keepdims=1)

    def conv(self, x, shape):
        n, c, h, w = shape
        depthwise = self.rng.random() < 0.3
        group = c if depthwise else 1
        out = c * int(self.rng.integers(1, 3)) if depthwise else int(self.rng.integers(1, 20))
        k = [int(self.rng.integers(1, 4)), int(self.rng.integers(1, 4))]
        stride, dilation = int(self.rng.integers(1, 3)), self.pick(1, 1, 1, 2)
        attr = {"group": group, "dilations": [dilation] * 2, "kernel_shape": k}
        if stride > 1 and dilation > 1:
            stride = 1  # TFLite has not both
        if self.rng.random() < 0.4:
            attr["auto_pad"] = self.pick("SAME_UPPER", "VALID")
            pads = None
        else:
            attr["pads"] = pads = [int(self.rng.integers(0, 2)) for _ in range(4)]
        attr["strides"] = [stride] * 2
        dims = [n, out]
        for i, size in enumerate((h, w)):
            reach = (k[i] - 1) * dilation + 1
            if pads is not None:
                d = (size + pads[i] + pads[i + 2] - reach) // stride + 1
            elif attr["auto_pad"] == "VALID":
                d = (size - reach) // stride + 1
            else:
                d = -(-size // stride)
            if d < 1:
                return
            dims.append(d)
        bias = [self.weights(out)] if self.rng.random() < 0.6 else []
        y = self.add("Conv", [x, self.weights(out, c // group, *k), *bias], dims, **attr)
        if self.rng.random() < 0.5:
            self.add("Relu", [y], dims)

    def deconv(self, x, shape):
        n, c, h, w = shape
        if h > 12 or w > 12:
            return
        k, s, out = int(self.rng.integers(1, 4)), int(self.rng.integers(1, 3)), int(self.rng.integers(1, 6))
        self.add("ConvTranspose", [x, self.weights(c, out, k, k)], [n, out, (h - 1) * s + k, (w - 1) * s + k], strides=[s, s], kernel_shape=[k, k])

    def pool(self, x, shape):
        n, c, h, w = shape
        k, s = self.pick((2, 2), (3, 2), (3, 1), (2, 1))
        if min(h, w) < k:
            return
        if self.rng.random() < 0.3:
            self.add("GlobalAveragePool", [x], [n, c, 1, 1])
        else:
            self.add(self.pick("MaxPool", "AveragePool"), [x], [n, c, (h - k) // s + 1, (w - k) // s + 1], kernel_shape=[k, k], strides=[s, s])

    def norm(self, x, shape):
        c = shape[1]
        var = self.const((self.rng.random(c) + 0.5).astype("f"))
        self.add("BatchNormalization", [x, self.weights(c), self.weights(c), self.weights(c), var], shape)

    def pad(self, x, shape):
        pads = [0, 0, *self.rng.integers(0, 3, 2), 0, 0, *self.rng.integers(0, 3, 2)]
        dims = [d + int(pads[i]) + int(pads[i + 4]) for i, d in enumerate(shape)]
        if max(dims) < 24:
            self.add("Pad", [x, self.const(np.array(pads, np.int64))], dims)

    def resize(self, x, shape):
        n, c, h, w = shape
        if max(h, w) > 10:
            return
        how = self.pick({"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, {"mode": "linear"})
        self.add("Resize", [x, "", self.const(np.array([1, 1, 2, 2], "f"))], [n, c, 2 * h, 2 * w], **how)

    def flatten(self, x, shape):
        self.add("Flatten", [x], [shape[0], int(np.prod(shape[1:]))])

    def squeeze_excite(self, x, shape):
        n, c, _, _ = shape
        a = self.add("GlobalAveragePool", [x], [n, c, 1, 1])
        b = self.add("Sigmoid", [a], [n, c, 1, 1])
        self.add("Mul", [x, b], shape)

    def dense(self, x, shape):
        out = int(self.rng.integers(1, 24))
        self.add("Gemm", [x, self.weights(out, shape[1]), self.weights(out)], [shape[0], out], transB=1)

    def matmul(self, x, shape):
        out = int(self.rng.integers(1, 24))
        self.add("MatMul", [x, self.weights(shape[1], out)], [shape[0], out])

    def layer_norm(self, x, shape):
        self.add("LayerNormalization", [x, self.weights(shape[1]), self.weights(shape[1])], shape, axis=-1)

    def fold(self, x, shape):
        for h in (2, 3, 4):
            if shape[1] % (h * h) == 0:
                dims = [shape[0], shape[1] // (h * h), h, h]
                self.add("Reshape", [x, self.const(np.array(dims, np.int64))], dims)
                return

    def model(self):
        def info(names):
            return [(v, "FLOAT", self.shape[v]) for v in names]
        return lib.model(self.nodes, info(self.inputs), info(self.outputs), self.init, opset=17)


class Wrong(Exception):
    pass


def convert(source, target):
    """True when it is written; False when it is refused by node."""
    r = subprocess.run([WHET, "convert", source, "-o", target], capture_output=True, text=True)
    if r.returncode == 1 and re.search(r'node -?\d+ "|output "', r.stderr):
        return False
    if r.returncode:
        raise Wrong(f"{source.name} -> {target.name}: {r.stderr.strip()}")
    return True


def outputs(path, feed):
    s = whet.Session(whet.Program(whet.Model(str(path))))
    return {o.name: np.array(y) for o, y in zip(s.outputs, s.run(feed))}


def alike(what, a, b, tolerance, least=1e-30):
    """Differences up to a part of the greatest number, or of `least` where sums of numbers like 1 cancelled."""
    if list(a) != list(b):
        raise Wrong(f"{what}: outputs {list(a)} became {list(b)}")
    for name in a:
        if a[name].shape != b[name].shape:
            raise Wrong(f"{what}: {name} is {b[name].shape}, was {a[name].shape}")
        worst, most = np.max(np.abs(a[name] - b[name]), initial=0), np.max(np.abs(a[name]), initial=least)
        if not worst <= tolerance * most:
            raise Wrong(f"{what}: {name} differs by {worst:.3g}, its greatest is {most:.3g}")


def litert(path, feed, want):
    i = Interpreter(str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    run = i.get_signature_runner()
    alike(f"LiteRT, {path.name}", want, {k: v for k, v in sorted(run(**feed).items(), key=lambda kv: list(want).index(kv[0]))}, 1e-4, 0.01)


def one(at, draw):
    """Check one graph; how many files were written."""
    onnx = lib.onnx()
    start = at / "graph.onnx"
    start.write_bytes(draw.model())
    onnx.checker.check_model(onnx.load(start), full_check=True)
    feed = {v: draw.rng.standard_normal(draw.shape[v]).astype("f") for v in draw.inputs}
    want, written = outputs(start, feed), 0
    for end, other in ((".onnx", ".tflite"), (".tflite", ".onnx")):
        first, second, back = at / f"first{end}", at / f"second{end}", at / f"back{other}"
        if not convert(start, first):
            continue
        written += 1
        got = outputs(first, feed)
        alike(first.name, want, got, 1e-5)
        if not convert(first, second):
            raise Wrong(f"{first.name} cannot be written again")
        alike(f"{first.name} written again", got, outputs(second, feed), 0)
        if end == ".onnx" and first.read_bytes() != second.read_bytes():  # TFLite: values inside get other names
            raise Wrong(f"{first.name} written again has other bytes")
        if end == ".onnx":
            onnx.checker.check_model(onnx.load(first), full_check=True)
        elif Interpreter:
            litert(first, feed, got)
        if convert(first, back):
            alike(f"{first.name} -> {back.name}", want, outputs(back, feed), 1e-5)
    return written


def main():
    count = int(sys.argv[1])
    seed = int(os.environ.get("WHET_SEED", time.time_ns() % 1000000))
    print(f"seed {seed}{'' if Interpreter else '; LiteRT is not installed'}")
    written = failed = 0
    with tempfile.TemporaryDirectory() as d:
        at = pathlib.Path(d)
        for k in range(count):
            draw = Draw(np.random.default_rng([seed, k]))
            if not draw.outputs:
                continue
            try:
                written += one(at, draw)
            except Exception as e:
                failed += 1
                print(f"graph {k} of seed {seed}: {type(e).__name__}: {e}", file=sys.stderr)
                keep = os.environ.get("WHET_KEEP")
                if keep:
                    (pathlib.Path(keep) / f"{seed}_{k}.onnx").write_bytes(draw.model())
    print(f"{count} graphs, {written} files of two formats, {failed} failed")
    sys.exit(failed > 0 or written < count)


if __name__ == "__main__":
    main()
