# SPDX-License-Identifier: Apache-2.0
"""Trains the digits models on digits that draw.py draws, and writes the files beside this script.

  python3 make.py [--quick] [--mnist FOLDER]

  digits.onnx, digits.tflite   the same small convolutional network, float32: 11,018 parameters
  digits_mlp.tflite            784-128-10, dense layers in int8, float input and output: what examples/digits.c runs
  samples/*.pgm                pictures that none of the networks has seen, named by what they show

All take a 28x28 picture as numbers 0..255, light digit on dark ground, and give ten probabilities. Needs numpy and about ten
minutes. --quick trains for a moment only, to try the script. --mnist measures on MNIST's test set too (the folder with
t10k-*.gz); nothing is trained on it.
"""
import argparse
import gzip
import pathlib

import numpy as np

import draw
import net
import onnx_file
import tflite_file as tfl

HERE = pathlib.Path(__file__).resolve().parent
TAKES = "whet.samples", "0..255"  # what a picture's samples are to be: whet reads it


def onnx_conv(layers):
    """The convolutional network as ONNX: channels first, 1/255 in the first weights."""
    c1, c2, c3, d = [l for l in layers if hasattr(l, "w")]
    weights, nodes, x = {}, [], "image"
    for i, (c, pool) in enumerate([(c1, True), (c2, True), (c3, False)]):
        weights[f"w{i}"] = np.ascontiguousarray((c.w / (255 if i == 0 else 1)).transpose(3, 2, 0, 1).astype(np.float32))
        weights[f"b{i}"] = c.b
        nodes += [onnx_file.node("Conv", [x, f"w{i}", f"b{i}"], [f"conv{i}"], kernel_shape=[3, 3],
                                 strides=[c.stride] * 2, pads=[1, 1, 1, 1]),
                  onnx_file.node("Relu", [f"conv{i}"], [f"relu{i}"])]
        x = f"relu{i}"
        if pool:
            nodes.append(onnx_file.node("MaxPool", [x], [f"pool{i}"], kernel_shape=[2, 2], strides=[2, 2]))
            x = f"pool{i}"
    weights["w3"] = np.ascontiguousarray(d.w.reshape(4, 4, 32, 10).transpose(2, 0, 1, 3).reshape(512, 10))
    weights["b3"] = d.b
    nodes += [onnx_file.node("Flatten", [x], ["flat"], axis=1),
              onnx_file.node("Gemm", ["flat", "w3", "b3"], ["logits"]),
              onnx_file.node("Softmax", ["logits"], ["probabilities"], axis=1)]
    return onnx_file.model("digits", nodes, weights, [("image", ["batch", 1, 28, 28])], [("probabilities", ["batch", 10])], notes=[TAKES])


def tflite_conv(layers):
    """The same as TFLite: channels last."""
    c1, c2, c3, d = [l for l in layers if hasattr(l, "w")]
    m = tfl.Model("digits")
    x = first = m.tensor("image", [1, 28, 28, 1], np.float32)
    size = 28
    for i, (c, pool) in enumerate([(c1, True), (c2, True), (c3, False)]):
        o = c.b.size
        w = m.tensor(f"w{i}", [o, 3, 3, c.w.shape[2]], np.float32, (c.w / (255 if i == 0 else 1)).transpose(3, 0, 1, 2))
        b = m.tensor(f"b{i}", [o], np.float32, c.b)
        size = -(-size // c.stride)
        y = m.tensor(f"conv{i}", [1, size, size, o], np.float32)
        m.conv(x, w, b, y, c.stride, tfl.RELU)
        x = y
        if pool:
            size //= 2
            x = m.tensor(f"pool{i}", [1, size, size, o], np.float32)
            m.pool(y, x)
    flat = m.tensor("flat", [1, 512], np.float32)
    m.reshape(x, flat, [1, 512])
    logits, out = (m.tensor(n, [1, 10], np.float32) for n in ("logits", "probabilities"))
    m.dense(flat, m.tensor("w3", [10, 512], np.float32, d.w.T), m.tensor("b3", [10], np.float32, d.b), logits,
            tfl.NO_ACTIVATION)
    m.softmax(logits, out)
    m.note(*TAKES)
    return m.bytes([first], [out])


def tflite_dense(layers, pictures):
    """784-128-10 in int8 between a Quantize and a Dequantize; activation ranges are those over `pictures`."""
    d1, _, d2 = layers
    hidden = np.maximum(pictures.reshape(-1, 784) @ d1.w + d1.b, 0)
    logits = hidden @ d2.w + d2.b
    m = tfl.Model("digits_mlp")
    first = m.tensor("image", [1, 784], np.float32)
    x, x_scale = m.tensor("image_int8", [1, 784], np.int8, scale=1.0, zero=-128), 1.0
    m.operator(tfl.QUANTIZE, [first], [x])
    span = max(-logits.min(), logits.max())
    for name, layer, gain, scale, zero, activation in (
            ("hidden", d1, 1 / 255, hidden.max() / 255, -128, tfl.RELU), ("logits", d2, 1, span / 127, 0, tfl.NO_ACTIVATION)):
        w = layer.w.T * gain
        w_scale = np.float32(np.abs(w).max() / 127)
        n, k = w.shape
        weights = m.tensor(name + "_w", [n, k], np.int8, np.clip(np.rint(w / w_scale), -127, 127), w_scale)
        bias = m.tensor(name + "_b", [n], np.int32, np.rint(layer.b / (np.float32(x_scale) * w_scale)), x_scale * w_scale)
        y = m.tensor(name, [1, n], np.int8, scale=np.float32(scale), zero=zero)
        m.dense(x, weights, bias, y, activation, version=4)
        x, x_scale = y, np.float32(scale)
    real, out = (m.tensor(n, [1, 10], np.float32) for n in ("logits_real", "probabilities"))
    m.operator(tfl.DEQUANTIZE, [x], [real], version=2)
    m.softmax(real, out)
    m.note(*TAKES)
    return m.bytes([first], [out])


def write_samples(folder):
    """One picture of each digit: the first draw after 2029 of which both networks get all ten right."""
    folder.mkdir(exist_ok=True)
    pictures, what = draw.digits(10, seed=2030)
    for p, d in zip(np.rint(pictures * 255).astype(np.uint8), what):
        (folder / f"{d}.pgm").write_bytes(b"P5 28 28 255\n" + p.tobytes())


def mnist(folder):
    """The test set's pictures in 0..1 and labels."""
    raw = [gzip.decompress(next(folder.rglob(f"t10k-{k}*.gz")).read_bytes()) for k in ("images", "labels")]
    return (np.frombuffer(raw[0], np.uint8, offset=16).reshape(-1, 28, 28).astype(np.float32) / 255,
            np.frombuffer(raw[1], np.uint8, offset=8))


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--quick", action="store_true")
    args.add_argument("--mnist", type=pathlib.Path)
    args.add_argument("--out", type=pathlib.Path, default=HERE)
    args = args.parse_args()
    n, epochs = (2000, 1) if args.quick else (60000, 8)
    print(f"drawing {n} digits")
    x, what = draw.digits(n, seed=1)
    tests = [("drawn digits, never seen", *draw.digits(2000, seed=7))]
    if args.mnist:
        tests.append(("MNIST's test set", *mnist(args.mnist)))
    nets = {}
    for name, make, shape in (("dense", net.dense_net, (784,)), ("convolutional", net.conv_net, (28, 28, 1))):
        print(f"training the {name} network")
        nets[name] = make(np.random.default_rng(3))
        net.train(nets[name], x, what, epochs, 5, shape, print)
        for test, tx, twhat in tests:
            print(f"  {100 * net.accuracy(nets[name], tx.reshape(-1, *shape), twhat):.2f} % of {test}")
    args.out.mkdir(exist_ok=True)
    files = {"digits.onnx": onnx_conv(nets["convolutional"]), "digits.tflite": tflite_conv(nets["convolutional"]),
             "digits_mlp.tflite": tflite_dense(nets["dense"], x)}
    for name, content in files.items():
        (args.out / name).write_bytes(content)
        print(f"{name}: {len(content):,} bytes")
    write_samples(args.out / "samples")


if __name__ == "__main__":
    main()
