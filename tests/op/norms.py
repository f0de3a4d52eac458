# SPDX-License-Identifier: Apache-2.0
"""Normalisations that converters write out, in each form that src/pass/norms.c names and a few near them that are none: the same numbers,
and one operator where it should be.

   norms.py FOLDER WHET [CASES [SEED]]"""
import pathlib
import random
import shutil
import subprocess
import sys

import numpy as np

from tflite_case import Model, write_case


class Net:
    """A model of one input [n, t, c] whose mean over the last dimension the forms need."""

    def __init__(self, rng):
        self.m, self.shape = Model(), [rng.randint(1, 3), rng.randint(1, 5), rng.randint(1, 70)]
        self.one = self.shape[:2] + [1]
        self.x = self.m.input(self.shape)
        self.axis = self.m.const(np.array([2], np.int32))
        self.epsilon = self.m.const(np.array(rng.choice((1e-3, 1e-5)), np.float32))

    def op(self, name, ins, one=False, *options):
        y = self.m.tensor(self.one if one else self.shape)
        self.m.op(name, ins, [y], *options)
        return y

    def mean(self, v):
        return self.op("MEAN", [v, self.axis], True, True)

    def root(self, squares):
        return self.op("RSQRT", [self.op("ADD", [self.mean(squares), self.epsilon], True)], True)


def spread(n, scale, bias, sign):
    """x s + (bias - mean s), s = scale / sqrt(var); without bias x s + (-mean) s; sign 1 makes it + mean s, which is no normalisation."""
    mean = n.mean(n.x)
    s = n.op("MUL", [n.root(n.op("SQUARED_DIFFERENCE", [n.x, mean])), n.m.const(scale)])
    xs = n.op("MUL", [n.x, s])
    if bias is not None:
        return "ADD", [xs, n.op("SUB", [n.m.const(bias), n.op("MUL", [mean, s])])]
    return "ADD", [xs, n.op("MUL", [n.op("NEG", [mean], True) if sign < 0 else mean, s])]


def case(folder, seed):
    rng, np_rng = random.Random(seed), np.random.default_rng(seed)
    n = Net(rng)
    x = np_rng.normal(rng.choice((0, 2)), 1, n.shape).astype(np.float32)
    scale, bias = (np_rng.uniform(-2, 2, n.shape[2]).astype(np.float32) for _ in range(2))
    form = rng.choice(("bias", "neg", "neg", "other", "rms"))
    epsilon = np.float64(np.frombuffer(n.m.buffers[2][0].tobytes(), np.float32)[0])
    wide = x.astype(np.float64)
    mean = wide.mean(-1, keepdims=True)
    if form == "rms":
        last = "MUL", [n.op("MUL", [n.x, n.root(n.op("MUL", [n.x, n.x]))]), n.m.const(scale)]
        want = wide / np.sqrt((wide ** 2).mean(-1, keepdims=True) + epsilon) * scale
    else:
        last = spread(n, scale, bias if form == "bias" else None, 1 if form == "other" else -1)
        by = scale / np.sqrt(((wide - mean) ** 2).mean(-1, keepdims=True) + epsilon)
        want = wide * by + {"bias": bias - mean * by, "neg": -mean * by, "other": mean * by}[form]
    n.m.op(last[0], last[1], [n.m.output(n.shape)])
    write_case(folder / f"{form}_{seed}", n.m.bytes(), [x], [want.astype(np.float32)], 2e-5)


def main():
    folder, whet = pathlib.Path(sys.argv[1]), sys.argv[2]
    cases, first = (int(v) for v in (sys.argv[3:] + ["40", "1"][len(sys.argv[3:]):]))
    shutil.rmtree(folder, ignore_errors=True)
    for seed in range(first, first + cases):
        case(folder, seed)
    for level in (["--cpu", "c"], []):
        r = subprocess.run([whet, "verify", "--suite", folder, *level], capture_output=True, text=True)
        print(*level, r.stdout.strip().splitlines()[-1:])
        if r.returncode:
            sys.exit(r.stdout + r.stderr)
    for model in sorted(folder.glob("*/model.tflite")):
        plan = subprocess.run([whet, "inspect", model, "--plan"], capture_output=True, text=True, check=True).stdout
        form, found = model.parent.name.partition("_")[0], "Normalization " in plan.partition("\nstep ")[2]
        if found != (form != "other"):
            sys.exit(f"{model}: {'found' if found else 'not found'}\n{plan}")


main()
