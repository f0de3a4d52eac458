#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training the classic digits net, beside Keras, in one run: bench/train.py MNIST [rounds]

784-128-10, Adam, batch 32, 5 epochs, all cores. Keras: the time of fit() alone, after a warm-up. whet: the whole command, from start to the file
written. Needs tensorflow (tensorflow-cpu of PyPI) in the Python that runs it; WHET names the command (default build/whet)."""
import gzip
import os
import pathlib
import subprocess
import sys
import tempfile
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf


def idx(folder, what, skip):
    p = next(p for p in sorted(folder.iterdir()) if p.name.startswith("train") and what in p.name)
    raw = p.read_bytes()
    return np.frombuffer((gzip.decompress(raw) if p.suffix == ".gz" else raw)[skip:], np.uint8)


def keras(x, y):
    layers = tf.keras.layers
    m = tf.keras.Sequential([layers.Input((784,)), layers.Dense(128, activation="relu"), layers.Dense(10, activation="softmax")])
    m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    m.fit(x[:3200], y[:3200], batch_size=32, epochs=1, verbose=0)
    began = time.perf_counter()
    m.fit(x, y, batch_size=32, epochs=5, verbose=0)
    return time.perf_counter() - began


def whet(folder):
    with tempfile.TemporaryDirectory() as d:
        began = time.perf_counter()
        subprocess.run([os.environ.get("WHET", "build/whet"), "train", "--layers", "784,128:relu,10:softmax", "--data", folder, "--optimizer", "adam",
                        "--epochs", "5", "--no-test", "-o", f"{d}/digits.tflite"], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began


folder, rounds = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2
x, y = idx(folder, "images", 16).reshape(-1, 784).astype(np.float32) / 255, idx(folder, "labels", 8).astype(np.int32)
a, b = [], []
for _ in range(rounds):
    a.append(keras(x, y))
    b.append(whet(folder))
    print(f"keras {a[-1]:.2f} s, whet {b[-1]:.2f} s")
print(f"keras / whet, best of {rounds}: {min(a) / min(b):.1f}")
