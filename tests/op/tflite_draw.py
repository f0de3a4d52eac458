# SPDX-License-Identifier: Apache-2.0
"""What the families of tflite_fuzz.py draw with: a model of one operator, its inputs, shapes, types and quantisation."""
import numpy as np

from tflite_case import Model

RANGE = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}


class Draw:
    """One case while it is drawn: a model, its inputs, the operator's arguments."""

    def __init__(self, rng):
        self.rng, self.m, self.given, self.tolerance, self.name = rng, Model(), [], 0.0, ""

    def pick(self, *items):
        return items[self.rng.integers(len(items))]

    def chance(self, p=0.5):
        return self.rng.random() < p

    def size(self, lo=1, hi=6):
        return int(self.rng.integers(lo, hi + 1))

    def shape(self, rank, hi=6):
        return [self.size(1, hi) for _ in range(rank)]

    def quant(self, dtype, wide=1.0):
        """Scale and zero point of a quantised tensor; nothing for other types."""
        if dtype not in RANGE:
            return {}
        span = 256.0 if dtype != "int16" else 65536.0
        scale = float(np.float32(wide * np.exp(self.rng.uniform(np.log(0.5), np.log(12.0))) / span))
        zero = 0 if dtype == "int16" else int(self.rng.integers(RANGE[dtype][0], RANGE[dtype][1] + 1))
        return {"scale": scale, "zero": zero}

    def data(self, shape, dtype, lo=None, hi=None):
        """Random contents: a type's whole range where it is quantised, small numbers elsewhere."""
        if dtype == "bool":
            return np.asarray(self.rng.integers(0, 2, shape).astype(bool))
        if dtype.startswith("float"):
            return np.asarray(self.rng.uniform(-3 if lo is None else lo, 3 if hi is None else hi, shape).astype(dtype))
        if dtype == "complex64":
            return np.asarray((self.rng.normal(size=shape) + 1j * self.rng.normal(size=shape)).astype(dtype))
        least, most = RANGE.get(dtype, (0, 100) if dtype.startswith("u") else (-100, 100))
        least, most = least if lo is None else int(lo), most if hi is None else int(hi)
        return np.asarray(self.rng.integers(least, most + 1, shape).astype(dtype))

    def input(self, shape, dtype, q=None, lo=None, hi=None, data=None):
        """A graph input and its contents."""
        self.given.append(self.data(shape, dtype, lo, hi) if data is None else np.asarray(data, dtype))
        return self.m.input(shape, dtype, **(q or {}))

    def either(self, shape, dtype, q=None, lo=None, hi=None):
        """An input or a constant."""
        if self.chance(0.6):
            return self.input(shape, dtype, q, lo, hi)
        return self.m.const(self.data(shape, dtype, lo, hi), dtype, **(q or {}))

    def ints(self, values, dtype="int32"):
        return self.m.const(np.asarray(values, dtype))

    def done(self, name, op, ins, outs, *options, version=1, tolerance=0.0):
        self.m.op(op, ins, outs, *options, version=version)
        self.name, self.tolerance = name, tolerance
