# SPDX-License-Identifier: Apache-2.0
"""What Python adds to a run, and whether threads run side by side: bench/python.py [RESNET18.onnx]

With build/python on PYTHONPATH. C's time is that of build/whet bench. Times are the least of many rounds, so that other work on
the machine does not count.
"""
import hashlib
import json
import pathlib
import subprocess
import sys
import threading
import time

import numpy as np

import whet
import whet.onnxruntime as onnxruntime
from whet.tflite import Interpreter

TOP = pathlib.Path(__file__).resolve().parent.parent
DEMO = TOP / "tools" / "demo_model"


def least(f, n=8, rounds=10000):
    """Microseconds of one call; short rounds, as C's time is that of its fastest run."""
    best = float("inf")
    for _ in range(rounds):
        t = time.perf_counter()
        for _ in range(n):
            f()
        best = min(best, time.perf_counter() - t)
    return best / n * 1e6


def in_c(model):
    """Microseconds of one run in C, on one thread and on zeros."""
    said = subprocess.run([str(TOP / "build" / "whet"), "bench", str(model), "--threads", "1", "--fill", "zeros", "--json"],
                          capture_output=True, text=True, check=True).stdout
    return float(json.loads(said)["latency_us"]["min"])


def digits():
    for name in ("digits_mlp.tflite", "digits.tflite"):
        model = DEMO / name
        c = in_c(model)
        i = Interpreter(str(model), num_threads=1)
        i.allocate_tensors()
        source, target = i.get_input_details()[0], i.get_output_details()[0]
        x = np.zeros(source["shape"], source["dtype"])
        s = whet.load(model, threads=1)
        feed = {s.inputs[0].name: x}

        def arrays():
            i.set_tensor(source["index"], x)
            i.invoke()
            i.get_tensor(target["index"])

        arrays()  # invoke() alone finds the same input
        print(f"{name}: C {c:.3f} us")
        for what, f in (("Interpreter.invoke()", i.invoke), ("set_tensor, invoke, get_tensor", arrays),
                        ("Session.run(array)", lambda: s.run(x)), ("Session.run(dict)", lambda: s.run(feed))):
            t = least(f)
            print(f"  {what}: {t:.3f} us, {t - c:+.3f} us")
    model = DEMO / "digits.onnx"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    s = onnxruntime.InferenceSession(str(model), options)
    x = np.zeros([d if isinstance(d, int) else 1 for d in s.get_inputs()[0].shape], np.float32)
    feed = {s.get_inputs()[0].name: x}
    c, t = in_c(model), least(lambda: s.run(None, feed))
    print(f"digits.onnx: C {c:.3f} us\n  InferenceSession.run: {t:.3f} us, {t - c:+.3f} us")


def together(list_):
    """Seconds that these functions take side by side."""
    t = time.perf_counter()
    pool = [threading.Thread(target=f) for f in list_]
    for p in pool:
        p.start()
    for p in pool:
        p.join()
    return time.perf_counter() - t


def side_by_side(one, other, rounds=20):
    """Seconds of one function alone, and how many times as long both take together."""
    alone = both = float("inf")
    for _ in range(rounds):
        alone = min(alone, together([one]))
        both = min(both, together([one, other]))
    return alone, both / alone


def threads(path, runs=4):
    model = whet.Program(whet.Model(path), threads=1)
    x = np.random.default_rng(1).standard_normal([d if isinstance(d, int) else 1 for d in model.model.inputs[0].shape]).astype(np.float32)
    sessions = [whet.Session(model) for _ in range(2)]

    def work(s):
        for _ in range(runs):
            s.run(x)

    work(sessions[0])
    work(sessions[1])
    one, times = side_by_side(lambda: work(sessions[0]), lambda: work(sessions[1]))
    block = bytes(100_000_000)  # hashing lets the interpreter go, too, and needs no memory to speak of
    _, own = side_by_side(*[lambda: hashlib.sha256(block).digest()] * 2)
    print(f"{pathlib.Path(path).name}: one thread {one / runs * 1e3:.2f} ms a run; two threads take {times:.2f} times as long for twice "
          f"the work; on this machine two that hash take {own:.2f} times")


if __name__ == "__main__":
    digits()
    if len(sys.argv) > 1:
        threads(sys.argv[1])
