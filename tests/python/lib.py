# SPDX-License-Identifier: Apache-2.0
"""What the Python tests share."""
import gc
import os
import pathlib
import sys
import unittest

import numpy as np

SOURCE = pathlib.Path(os.environ.get("WHET_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
DEMO = SOURCE / "tools" / "demo_model"
DIGITS = DEMO / "digits.tflite"
DIGITS_MLP = DEMO / "digits_mlp.tflite"
DIGITS_ONNX = DEMO / "digits.onnx"


def picture(digit):
    """A sample picture, 28x28 grey values."""
    raw = (DEMO / "samples" / f"{digit}.pgm").read_bytes()
    return np.frombuffer(raw[-784:], np.uint8).reshape(28, 28)


def onnx():
    """The onnx package, or a skip by name."""
    try:
        import onnx
        return onnx
    except ImportError:
        raise unittest.SkipTest("needs the Python module onnx") from None


def model(nodes, inputs, outputs, initializers=(), opset=21, domains=()):
    """Bytes of an ONNX model; inputs and outputs are (name, element type's name, shape) or ValueInfoProto."""
    m = onnx()
    from onnx import helper

    def info(x):
        return x if not isinstance(x, tuple) else helper.make_tensor_value_info(x[0], getattr(m.TensorProto, x[1]), x[2])

    graph = helper.make_graph(list(nodes), "g", [info(x) for x in inputs], [info(x) for x in outputs], list(initializers))
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), *[helper.make_opsetid(*d) for d in domains]])
    proto.ir_version = min(proto.ir_version, 10)
    return proto.SerializeToString()


def node(*args, **kwargs):
    """A NodeProto."""
    onnx()
    from onnx import helper
    return helper.make_node(*args, **kwargs)


def resident():
    """Bytes of memory that the process holds now."""
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def growth(work, rounds):
    """How much memory `rounds` calls of work leave behind, after as many to warm up."""
    for _ in range(rounds):
        work()
    gc.collect()
    before = resident()
    for _ in range(rounds):
        work()
    gc.collect()
    return resident() - before


def main():
    """Run the tests of the calling file; status 1 when one failed."""
    program = unittest.main(module="__main__", argv=[sys.argv[0]], exit=False, verbosity=1)
    sys.exit(0 if program.result.wasSuccessful() else 1)
