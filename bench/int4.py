# SPDX-License-Identifier: Apache-2.0
"""Dense layers with weights of 4 bits beside the memory's speed: bench/int4.py [--threads N]

Sixteen products of one row with 4096 x 4096 (MatMulNBits, blocks of 32) in turn, more than caches hold; bytes of packed weights
in a second as a share of what a plain read of as many bytes takes (numpy's dot of floats with themselves). Floors: 85 % where
activations are quantised in the run (accuracy_level 4), 60 % where they stay floats.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto, helper

WHET = pathlib.Path(__file__).resolve().parent.parent / "build" / "whet"
N, LAYERS, BLOCK = 4096, 16, 32


def model(path, level):
    """The file; answers bytes of weights and scales."""
    rng = np.random.default_rng(1)
    nodes, init, total = [], [], 0
    for i in range(LAYERS):
        w = rng.integers(0, 256, (N, N // BLOCK, BLOCK // 2), dtype=np.uint8)
        s = (rng.random((N, N // BLOCK), dtype=np.float32) + 0.5) / 256
        for name, a in ((f"w{i}", w), (f"s{i}", s)):
            init.append(onnx.numpy_helper.from_array(a, name))
            total += a.nbytes
        nodes.append(helper.make_node("MatMulNBits", [f"x{i}", f"w{i}", f"s{i}"], [f"x{i + 1}"], domain="com.microsoft", K=N, N=N, bits=4,
                                      block_size=BLOCK, accuracy_level=level))
    io = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, N]) for n in ("x0", f"x{LAYERS}")]
    graph = helper.make_graph(nodes, "int4", io[:1], io[1:], init)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)], ir_version=9), path)
    return total


def plain(total):
    """Seconds of reading so many bytes."""
    a, best = np.ones(total // 4, np.float32), float("inf")
    for _ in range(12):
        t = time.perf_counter()
        np.dot(a, a)
        best = min(best, time.perf_counter() - t)
    return best


def whet(path, threads):
    """Seconds of a run, and bytes of packed weights."""
    said = json.loads(subprocess.run([str(WHET), "bench", path, "--threads", str(threads), "--min-time", "2", "--json"],
                                     capture_output=True, text=True, check=True).stdout)
    return said["latency_us"]["min"] / 1e6, said["weights_bytes"] + said["mapped_bytes"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--threads", type=int, default=1)
    o = p.parse_args()
    low = False
    with tempfile.TemporaryDirectory() as folder:
        for level, floor in ((4, 0.85), (0, 0.6)):
            path = f"{folder}/int4_{level}.onnx"
            total = model(path, level)
            read = plain(total)
            run, packed = whet(path, o.threads)
            read = min(read, plain(total))
            share = read / run
            low |= share < floor
            print(f"accuracy_level {level}: {total / 1e6:.0f} MB ({packed / 1e6:.0f} packed), plain read {total / read / 1e9:.1f} GB/s, "
                  f"whet {total / run / 1e9:.1f} GB/s: {share:.0%} (floor {floor:.0%})")
    sys.exit(low)


main()
