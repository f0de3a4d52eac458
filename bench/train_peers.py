# SPDX-License-Identifier: Apache-2.0
"""Training beside Keras: bench/train_peers.py MNIST [--epochs 5] [--whet build/whet] [--only whet|keras]

The net 784-128-10, batches of 32, Adam, on MNIST's idx files (.gz), both with all cores, one after the other in this one run. Keras is timed
in `fit` alone, whet as a whole process: start, reading and unpacking the data, training, writing the model. Both then tell the test
digits, so that the same work was done. Needs tensorflow-cpu and NumPy.

bench/train_peers.py CIFAR --conv: two nets of convolutions on CIFAR-10's pictures instead, in pictures a second: whet learns the first 6,400
of the data, Keras as many of random numbers.
"""
import argparse
import gzip
import json
import os
import pathlib
import subprocess
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent


def by_whet(a):
    """Seconds of the process, those of the epochs, and the share of test digits told rightly."""
    with tempfile.TemporaryDirectory() as d:
        out = os.path.join(d, "digits.tflite")
        began = time.perf_counter()
        said = subprocess.run([a.whet, "train", "--layers", "784,128:relu,10:softmax", "--data", a.mnist, "--optimizer", "adam",
                               "--epochs", str(a.epochs), "--no-test", "-o", out, "--json"], capture_output=True, text=True, check=True)
        took = time.perf_counter() - began
        inner = sum(e["seconds"] for e in json.loads(said.stdout)["epochs"])
        told = subprocess.run([a.whet, "eval", out, "--data", a.mnist, "--json"], capture_output=True, text=True, check=True)
        return took, inner, json.loads(told.stdout)["models"][0]["top1"]


def idx(path, head):
    import numpy as np
    return np.frombuffer(gzip.open(path).read(), np.uint8)[head:]


def by_keras(a):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    m = pathlib.Path(a.mnist)
    x, y = idx(m / "train-images-idx3-ubyte.gz", 16).reshape(-1, 784) / 255.0, idx(m / "train-labels-idx1-ubyte.gz", 8)
    tx, ty = idx(m / "t10k-images-idx3-ubyte.gz", 16).reshape(-1, 784) / 255.0, idx(m / "t10k-labels-idx1-ubyte.gz", 8)
    x, tx = x.astype("float32"), tx.astype("float32")
    keras.utils.set_random_seed(1)
    net = keras.Sequential([keras.Input((784,)), keras.layers.Dense(128, activation="relu"), keras.layers.Dense(10, activation="softmax")])
    net.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    net.fit(x[:640], y[:640], batch_size=32, epochs=1, verbose=0)  # what is traced once does not count
    began = time.perf_counter()
    net.fit(x, y, batch_size=32, epochs=a.epochs, verbose=0)
    took = time.perf_counter() - began
    return took, took, net.evaluate(tx, ty, verbose=0)[1]


CONV = 6400
RESNET8 = [{"conv": 16}, [16, 1], [32, 2], [64, 2]]
MOBILE = [{"conv": 32}, {"depthwise": 1}, {"conv": 64, "kernel": 1}, {"depthwise": 2}, {"conv": 96, "kernel": 1}, {"depthwise": 1},
          {"conv": 96, "kernel": 1}, {"depthwise": 2}, {"conv": 128, "kernel": 1}]


def recipe(net):
    """The net as whet's recipe; every convolution has a batch norm."""
    out = ["optimizer: adamw", "epochs: 1", "batch: 64", "layers:"]
    for layer in net:
        if isinstance(layer, list):
            units, stride = layer
            out += ["  - residual:", f"      - {{conv: {units}, stride: {stride}, norm: true, activation: relu}}",
                    f"      - {{conv: {units}, norm: true}}", "  - {activation: relu}"]
        elif "conv" in layer:
            out.append(f"  - {{conv: {layer['conv']}, kernel: {layer.get('kernel', 3)}, norm: true, activation: relu}}")
        else:
            out.append(f"  - {{depthwise: 3, stride: {layer['depthwise']}, norm: true, activation: relu}}")
    return "\n".join(out + ["  - {mean_pool: 0}", "  - {dense: 10, activation: softmax}", ""])


def conv_by_whet(a, net):
    with tempfile.TemporaryDirectory() as d:
        (pathlib.Path(d) / "net.yaml").write_text(recipe(net))
        said = subprocess.run([a.whet, "train", os.path.join(d, "net.yaml"), "--data", a.data, "--split", f"train:0..{CONV}", "--no-test", "-o",
                               os.path.join(d, "net.onnx"), "--json"], capture_output=True, text=True, check=True)
        return CONV / json.loads(said.stdout)["epochs"][0]["seconds"]


def conv_by_keras(net):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import numpy as np
    k = keras.layers
    rest = {"padding": "same", "use_bias": False}

    def norm(t, relu=True):
        t = k.BatchNormalization()(t)
        return k.Activation("relu")(t) if relu else t
    t = first = keras.Input((32, 32, 3))
    for layer in net:
        if isinstance(layer, list):
            units, stride = layer
            inner = norm(k.Conv2D(units, 3, strides=stride, **rest)(t))
            inner = norm(k.Conv2D(units, 3, **rest)(inner), False)
            t = k.Activation("relu")(k.Add()([norm(k.Conv2D(units, 1, strides=stride, **rest)(t), False) if stride > 1 else t, inner]))
        elif "conv" in layer:
            t = norm(k.Conv2D(layer["conv"], layer.get("kernel", 3), **rest)(t))
        else:
            t = norm(k.DepthwiseConv2D(3, strides=layer["depthwise"], **rest)(t))
    t = k.Dense(10, activation="softmax")(k.GlobalAveragePooling2D()(t))
    m = keras.Model(first, t)
    m.compile(optimizer=keras.optimizers.AdamW(1e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = np.random.rand(CONV, 32, 32, 3).astype("float32"), np.random.randint(0, 10, CONV)
    m.fit(x[:640], y[:640], batch_size=64, verbose=0)  # what is traced once does not count
    began = time.perf_counter()
    m.fit(x, y, batch_size=64, verbose=0)
    return CONV / (time.perf_counter() - began)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("mnist")
    p.add_argument("--epochs", type=int, default=5)
    p.add_argument("--whet", default=str(TOP / "build" / "whet"))
    p.add_argument("--only", choices=["whet", "keras"])
    p.add_argument("--conv", action="store_true")
    a = p.parse_args()
    a.data = a.mnist
    for name, net in (("resnet8", RESNET8), ("depthwise", MOBILE)) if a.conv else ():
        one, other = conv_by_whet(a, net), conv_by_keras(net)
        print(f"{name:10} whet {one:6.0f} pictures/s, Keras {other:6.0f}, ratio {one / other:.2f}", flush=True)
    if a.conv:
        return
    took = {}
    for name, f in (("whet", by_whet), ("keras", by_keras)):
        if a.only not in (None, name):
            continue
        took[name], inner, right = f(a)
        print(f"{name:6}{took[name]:8.2f} s for {a.epochs} epochs ({inner / a.epochs:.3f} s each in the loop), {100 * right:.2f} % of the test digits",
              flush=True)
    if len(took) == 2:
        print(f"whet is {took['keras'] / took['whet']:.1f} times as fast")


if __name__ == "__main__":
    main()
