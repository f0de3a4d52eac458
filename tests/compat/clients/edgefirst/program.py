# SPDX-License-Identifier: Apache-2.0
"""edgefirst-tflite: details and outputs of models for inputs that are always the same, opened from a file, from bytes and with the
XNNPACK delegate, and resized: program.py LIBRARY MODEL..."""
import os
import sys

import numpy as np
from edgefirst_tflite import Interpreter, xnnpack_delegate

LIBRARY, MODELS = sys.argv[1], sys.argv[2:]


def fill(shape, dtype, seed):
    r = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return r.standard_normal(shape).astype(dtype)
    i = np.iinfo(dtype)
    return r.integers(max(i.min, -128), min(i.max, 255) + 1, shape).astype(dtype)


def show(name, a):
    f = np.asarray(a, dtype=np.float64).ravel()
    print(name, a.dtype, a.shape, " ".join("%.5g" % v for v in f[:: max(1, len(f) // 8)][:9]))


def tell(details):
    for x in details:
        print({k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in sorted(x.items()) if k != "sparsity_parameters"})


def run(model, kind):
    where = {"model_content": open(model, "rb").read()} if kind == "content" else {"model_path": model}
    if kind == "xnnpack":
        where["experimental_delegates"] = [xnnpack_delegate(num_threads=2, library_path=LIBRARY)]
    it = Interpreter(num_threads=2, library_path=LIBRARY, **where)
    tell(it.get_input_details())
    tell(it.get_output_details())
    for i, x in enumerate(it.get_input_details()):
        it.set_tensor(i, fill(tuple(x["shape"]), x["dtype"], i))
    it.invoke()
    for i in range(len(it.get_output_details())):
        show(kind, it.get_output_tensor(i))


def resize(model):
    it = Interpreter(model_path=model, library_path=LIBRARY)
    x = it.get_input_details()[0]
    shape = [2] + list(x["shape"][1:])
    try:
        it.set_tensor(0, np.zeros((1, 2, 3), np.float32))
        print("taken")
    except Exception as e:
        print("refused", type(e).__name__)
    try:
        it.resize_tensor_input(0, shape)
        it.allocate_tensors()
        it.set_tensor(0, fill(tuple(shape), x["dtype"], 9))
        it.invoke()
        show("resized", it.get_output_tensor(0))
    except Exception as e:
        print("not resized", type(e).__name__)


for m in MODELS:
    print("==", os.path.basename(m))
    for k in "file", "content", "xnnpack":
        run(m, k)
    resize(m)
try:
    Interpreter(model_content=b"nothing", library_path=LIBRARY)
except Exception as e:
    print("no model", type(e).__name__)
