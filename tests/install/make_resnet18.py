# SPDX-License-Identifier: Apache-2.0
"""Writes ResNet-18 (He et al., 2015, table 1) with random weights as .onnx, and beside it, as FILE.txt, what examples/resnet18.c
must print for its ramp, computed here with numpy: make_resnet18.py FILE"""
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools" / "demo_model"))
import onnx_file


class Net:
    """Collects nodes and weights while it computes."""

    def __init__(self):
        self.rng, self.nodes, self.weights, self.n = np.random.default_rng(18), [], {}, 0

    def name(self, kind):
        self.n += 1
        return f"{kind}{self.n}"

    def weight(self, kind, array):
        name = self.name(kind)
        self.weights[name] = array.astype(np.float32)
        return name

    def node(self, op, inputs, value, **attributes):
        name = self.name(op.lower())
        self.nodes.append(onnx_file.node(op, inputs, [name], **attributes))
        return name, value

    def conv(self, x, o, k, stride):
        """Convolution without bias, then batch normalisation, as exporters write it."""
        name, v = x
        c, pad = v.shape[0], k // 2
        w = self.rng.normal(0, np.sqrt(2 / (c * k * k)), (o, c, k, k)).astype(np.float32)
        p = np.pad(v, ((0, 0), (pad, pad), (pad, pad)))
        win = np.lib.stride_tricks.sliding_window_view(p, (k, k), axis=(1, 2))[:, ::stride, ::stride]
        y = np.tensordot(w, win, ([1, 2, 3], [0, 3, 4])).astype(np.float32)
        x = self.node("Conv", [name, self.weight("w", w)], y, kernel_shape=[k, k], strides=[stride] * 2, pads=[pad] * 4)
        scale, shift, mean, var = (self.rng.uniform(.6, 1, o), self.rng.normal(0, .1, o), self.rng.normal(0, .1, o),
                                   self.rng.uniform(.8, 1.2, o))
        y = (y - mean[:, None, None]) / np.sqrt(var + 1e-5)[:, None, None] * scale[:, None, None] + shift[:, None, None]
        names = [self.weight(k, a) for k, a in (("scale", scale), ("shift", shift), ("mean", mean), ("var", var))]
        return self.node("BatchNormalization", [x[0], *names], y.astype(np.float32), epsilon=1e-5)

    def relu(self, x):
        return self.node("Relu", [x[0]], np.maximum(x[1], 0))

    def block(self, x, o, stride):
        y = self.conv(self.relu(self.conv(x, o, 3, stride)), o, 3, 1)
        if stride != 1 or x[1].shape[0] != o:
            x = self.conv(x, o, 1, stride)
        return self.relu(self.node("Add", [y[0], x[0]], y[1] + x[1]))


def main():
    net, path = Net(), pathlib.Path(sys.argv[1])
    i = np.arange(3 * 224 * 224)
    x = ("image", ((i % 224).astype(np.float32) / 112 - 1).reshape(3, 224, 224))
    x = net.relu(net.conv(x, 64, 7, 2))
    p = np.pad(x[1], ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    win = np.lib.stride_tricks.sliding_window_view(p, (3, 3), axis=(1, 2))[:, ::2, ::2]
    x = net.node("MaxPool", [x[0]], win.max((3, 4)), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for o, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        x = net.block(net.block(x, o, stride), o, 1)
    x = net.node("GlobalAveragePool", [x[0]], x[1].mean((1, 2), keepdims=True))
    x = net.node("Flatten", [x[0]], x[1].reshape(-1), axis=1)
    w, b = net.rng.normal(0, .05, (1000, 512)).astype(np.float32), net.rng.normal(0, .1, 1000).astype(np.float32)
    net.nodes.append(onnx_file.node("Gemm", [x[0], net.weight("w", w), net.weight("b", b)], ["classes"], transB=1))
    y = w @ x[1] + b
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(onnx_file.model("resnet18", net.nodes, net.weights, [("image", ["batch", 3, 224, 224])],
                                     [("classes", ["batch", 1000])]))
    best = np.argsort(-y)[:5]
    path.with_name(path.name + ".txt").write_text("".join(f"class {k}: {y[k]:g}\n" for k in best))
    print(f"{path}: {path.stat().st_size:,} bytes; best {best.tolist()}")


if __name__ == "__main__":
    main()
