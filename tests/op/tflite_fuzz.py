# SPDX-License-Identifier: Apache-2.0
"""Random models of single TFLite operators, whet against LiteRT: tflite_fuzz.py FOLDER WHET [SEED [COUNT]]

Draws operators, types, shapes, attributes and quantisation, runs what LiteRT's reference kernels accept, and compares: integers
and moved elements exactly, floats within rounding. What LiteRT refuses or has no kernel for is left out; what whet refuses or
answers differently fails the test, unless it stands in EXPLAINED with the reason.
"""
import collections
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np

import suite
import tflite_fuzz_index
from tflite_case import Model, write_case

# Pattern of case names: why whet answers otherwise on purpose.
EXPLAINED = {
    "DIV_uint8": "LiteRT shifts right by more than 31 bits, which is not defined, where a quotient is near 0; whet answers 0",
}

FLOAT, QUANT = ["float32"], ["int8", "uint8", "int16"]
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


# ---- families: each draws one case -------------------------------------------------------------------------------------

UNARY = {
    "ABS": ("float32 int8 int16 int32", 0), "CEIL": ("float32", 0), "FLOOR": ("float32", 0), "ROUND": ("float32", 0),
    "COS": ("float32", 2e-6), "SIN": ("float32", 2e-6), "EXP": ("float32 int8 int16", 2e-6), "LOG": ("float32 int8 int16", 2e-6),
    "NEG": ("float32 int32 int64", 0), "RSQRT": ("float32 int8 int16", 2e-6), "SQRT": ("float32 int8 int16", 2e-6),
    "SQUARE": ("float32", 0), "ELU": ("float32 int8", 2e-6), "HARD_SWISH": ("float32 int8 uint8", 1e-6),
    "LOGISTIC": ("float32 int8 uint8 int16", 2e-6), "TANH": ("float32 int8 uint8 int16", 2e-6),
    "RELU": ("float32 int8 uint8 int16", 0), "RELU6": ("float32 int8 uint8 int16", 0), "RELU_N1_TO_1": ("float32 int8 uint8", 0),
    "RELU_0_TO_1": ("float32 int8 uint8", 0), "SIGN": ("float32 float64 int32", 0), "LOGICAL_NOT": ("bool", 0),
    "ZEROS_LIKE": ("float32 int32 int64", 0), "GELU": ("float32 int8 uint8 int16", 3e-6), "LEAKY_RELU": ("float32 int8 uint8 int16", 0),
    "L2_NORMALIZATION": ("float32 int8 uint8", 2e-6), "LOG_SOFTMAX": ("float32 int8 uint8", 4e-6), "SOFTMAX": ("float32 int8 uint8 int16", 4e-6),
    "CUMSUM": ("float32 int32 int64", 2e-6),
}
# Output quantisation that the kernels demand.
FIXED = {("LOGISTIC", "int8"): (1 / 256, -128), ("LOGISTIC", "uint8"): (1 / 256, 0), ("LOGISTIC", "int16"): (1 / 32768, 0),
         ("TANH", "int8"): (1 / 128, 0), ("TANH", "uint8"): (1 / 128, 128), ("TANH", "int16"): (1 / 32768, 0),
         ("SOFTMAX", "int8"): (1 / 256, -128), ("SOFTMAX", "uint8"): (1 / 256, 0), ("SOFTMAX", "int16"): (1 / 32768, 0),
         ("LOG_SOFTMAX", "int8"): (16 / 256, 127), ("LOG_SOFTMAX", "uint8"): (16 / 256, 255),
         ("L2_NORMALIZATION", "int8"): (1 / 128, 0), ("L2_NORMALIZATION", "uint8"): (1 / 128, 128)}


def unary(d):
    name = d.pick(*UNARY)
    types, tolerance = UNARY[name]
    dtype = d.pick(*types.split())
    shape, q = d.shape(d.size(1, 4)), d.quant(dtype)
    lo = 0.01 if name in ("LOG", "RSQRT", "SQRT") and dtype == "float32" else None
    if name in ("LOG", "RSQRT", "SQRT") and dtype in RANGE:
        q["zero"] = RANGE[dtype][0] if dtype != "int16" else 0  # positive numbers only
        lo = RANGE[dtype][0] + 1 if dtype != "int16" else 1
    out = d.quant(dtype)
    if (name, dtype) in FIXED:
        out = dict(zip(("scale", "zero"), FIXED[name, dtype]))
    if name == "ABS" and dtype == "int16":
        out["zero"] = q["zero"] = 0
    ins, options = [d.input(shape, dtype, q, lo)], []
    if name == "GELU":
        options = [int(d.chance())]
    elif name == "LEAKY_RELU":
        options = [float(np.float32(d.rng.uniform(0.01, 0.9)))]
    elif name == "SOFTMAX":
        options = [float(np.float32(d.pick(1.0, 0.5, 2.0)))]
    elif name == "L2_NORMALIZATION":
        options = [0]
    elif name == "CUMSUM":
        options = [int(d.chance()), int(d.chance())]
        ins.append(d.ints(d.size(-len(shape), len(shape) - 1)))
    d.done(f"{name}_{dtype}", name, ins, [d.m.output(shape, dtype, **out)], *options, version=2 if dtype in RANGE else 1,
           tolerance=tolerance if dtype == "float32" else 0)


BINARY = {
    "ADD": "float32 int8 uint8 int16 int32 int64", "SUB": "float32 int8 uint8 int16 int32 int64",
    "MUL": "float32 int8 uint8 int16 int32 int64 uint32 complex64", "DIV": "float32 int32 uint8",
    "MAXIMUM": "float32 int8 uint8 int16 int32 int64", "MINIMUM": "float32 int8 uint8 int16 int32 int64",
    "POW": "float32 int32", "SQUARED_DIFFERENCE": "float32 int8 int32", "FLOOR_DIV": "float32 int32 int8 int16",
    "FLOOR_MOD": "float32 int32 int64 int8 int16", "EQUAL": "float32 int8 uint8 int16 int32 int64 bool",
    "NOT_EQUAL": "float32 int8 uint8 int16 int32 int64 bool", "GREATER": "float32 int8 uint8 int16 int32 int64",
    "GREATER_EQUAL": "float32 int8 uint8 int16 int32 int64", "LESS": "float32 int8 uint8 int16 int32 int64",
    "LESS_EQUAL": "float32 int8 uint8 int16 int32 int64", "LOGICAL_AND": "bool", "LOGICAL_OR": "bool",
    "BITWISE_XOR": "bool int8 uint8 int16 uint16 int32 uint32", "RIGHT_SHIFT": "int8 uint8 int16 uint16 int32 uint32",
    "ATAN2": "float32 float64", "PRELU": "float32 int8 uint8",
}
PLAIN = {"FLOOR_DIV", "FLOOR_MOD", "BITWISE_XOR", "RIGHT_SHIFT"}  # integers that stand for themselves


def binary(d):
    name = d.pick(*BINARY)
    dtype = d.pick(*BINARY[name].split())
    shape = d.shape(d.size(1, 4))
    other = [n if d.chance(0.7) else 1 for n in shape][d.pick(0, 0, 0, d.size(0, len(shape) - 1)):]
    first = list(shape)
    if name == "PRELU":
        other = other[-len(shape) + 1:] if len(shape) > 1 else other
    elif d.chance(0.3):
        first = [n if m != 1 or d.chance() else 1 for n, m in zip(shape, [1] * (len(shape) - len(other)) + other)]
    quant = dtype in RANGE and name not in PLAIN
    qa, qb, out = (d.quant(dtype) if quant else {} for _ in range(3))
    if name in ("MAXIMUM", "MINIMUM"):
        qb = out = qa
    if name == "EQUAL" and d.chance():
        qb = qa
    lo = hi = None
    if name == "POW":
        lo, hi = (0.1, 2) if dtype == "float32" else (0, 4)
    if name in ("DIV", "FLOOR_DIV", "FLOOR_MOD") and dtype != "float32":
        lo, hi = (1, None) if dtype != "uint8" else (None, None)
        if dtype == "uint8":
            qb["zero"] = 0
            lo = 1
    if name == "RIGHT_SHIFT":
        lo, hi = 0, 7
    if name == "ATAN2":
        other = first = shape
    x = d.input(first, dtype, qa, lo if name == "POW" else None, hi if name == "POW" else None)
    y = d.either(other, dtype, qb, lo, hi)
    shape = list(np.broadcast_shapes(first, other))
    compare = name in ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
    z = d.m.output(shape, "bool" if compare else dtype, **({} if compare else out))
    options = [d.pick(0, 0, 1, 3)] if name in ("ADD", "SUB", "MUL", "DIV") and dtype not in ("complex64", "uint32") else []
    if name in ("ADD", "SUB") and quant:
        options.append(0)
    tolerance = {"POW": 2e-6, "ATAN2": 2e-6, "MUL": 1e-6 if dtype == "complex64" else 0}.get(name, 0)
    d.done(f"{name}_{dtype}", name, [x, y], [z], *options, version=2 if quant else 1,
           tolerance=tolerance if dtype.startswith(("float", "complex")) else 0)


REDUCE = {"SUM": "float32 int8 int16 int32 int64", "MEAN": "float32 int8 uint8 int16 int32 int64",
          "REDUCE_MAX": "float32 int8 uint8 int16 int32 int64", "REDUCE_MIN": "float32 int8 uint8 int16 int32 int64",
          "REDUCE_PROD": "float32 int32 int64 int8 int16", "REDUCE_ANY": "bool", "REDUCE_ALL": "bool"}


def reduce(d):
    name = d.pick(*REDUCE)
    dtype = d.pick(*REDUCE[name].split())
    shape = d.shape(d.size(1, 4), 5)
    axes = sorted(d.rng.choice(len(shape), d.size(1, len(shape)), replace=False).tolist())
    keep = d.chance()
    q = d.quant(dtype)
    out = d.quant(dtype, 2) if name not in ("REDUCE_MAX", "REDUCE_MIN") else q
    result = [1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes]
    negative = [a - len(shape) if d.chance(0.2) else a for a in axes]
    x = d.input(shape, dtype, q, *((-3, 3) if name == "REDUCE_PROD" and dtype in ("int32", "int64") else (None, None)))
    d.done(f"{name}_{dtype}", name, [x, d.ints(negative)], [d.m.output(result, dtype, **out)], int(keep), version=2,
           tolerance=3e-6 if dtype == "float32" else 0)


def arg_best(d):
    name, dtype = d.pick("ARG_MAX", "ARG_MIN"), d.pick("float32", "int8", "uint8", "int32", "bool")
    if name == "ARG_MIN" and dtype == "bool":
        dtype = "float32"
    shape, index = d.shape(d.size(1, 4)), d.pick("int32", "int64")
    axis = d.size(0, len(shape) - 1)
    result = shape[:axis] + shape[axis + 1:]
    x = d.input(shape, dtype, d.quant(dtype))
    axis = d.ints(axis - len(shape) if d.chance(0.3) else axis, d.pick("int32", "int64"))
    d.done(f"{name}_{dtype}", name, [x, axis], [d.m.output(result, index)], 2 if index == "int32" else 4, version=2)


def topk(d):
    dtype, shape = d.pick("float32", "int8", "uint8", "int16", "int32", "int64"), d.shape(d.size(1, 3))
    k = d.size(1, shape[-1])
    q = d.quant(dtype) if dtype in RANGE else {}
    outs = [d.m.output([*shape[:-1], k], dtype, **q), d.m.output([*shape[:-1], k], "int32")]
    d.done(f"TOPK_V2_{dtype}", "TOPK_V2", [d.input(shape, dtype, q), d.ints(k)], outs, version=2)


def cast(d):
    types = ["float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "bool", "float16"]
    a, b = d.pick(*types), d.pick(*types)
    shape = d.shape(d.size(0, 3))
    lo = 0 if a.startswith(("float", "int")) and b.startswith("u") else None
    x = d.input(shape, a, lo=lo, hi=100 if a in RANGE and b in ("int8", "uint8") else None)
    from tflite_case import TYPES
    d.done(f"CAST_{a}_to_{b}", "CAST", [x], [d.m.output(shape, b)], TYPES[a], TYPES[b], version=7)


def quantize(d):
    a = d.pick("float32", "int8", "uint8", "int16")
    b = d.pick("int8", "uint8", "int16") if a == "float32" else d.pick("int8", "uint8", "int16", "int32", "float32")
    shape = d.shape(d.size(1, 4))
    qa, qb = d.quant(a), d.quant(b)
    if b == "int32":
        qb = {"scale": 0.001, "zero": 0}
    name = "DEQUANTIZE" if b == "float32" else "QUANTIZE"
    x = d.input(shape, a, qa)
    d.done(f"{name}_{a}_to_{b}", name, [x], [d.m.output(shape, b, **qb)], version=3)


def window(n, k, stride, same, dilation=1):
    return -(-n // stride) if same else (n - (k - 1) * dilation - 1) // stride + 1


def pool(d):
    name = d.pick("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D")
    dtype = "float32" if name == "L2_POOL_2D" else d.pick("float32", "int8", "uint8", "int16")
    shape, k, s, same = [d.size(1, 2), d.size(3, 9), d.size(3, 9), d.size(1, 9)], (d.size(1, 3), d.size(1, 3)), (d.size(1, 3), d.size(1, 3)), d.chance()
    q = d.quant(dtype)
    result = [shape[0], window(shape[1], k[0], s[0], same), window(shape[2], k[1], s[1], same), shape[3]]
    d.done(f"{name}_{dtype}", name, [d.input(shape, dtype, q)], [d.m.output(result, dtype, **q)], int(not same), s[1], s[0], k[1], k[0],
           d.pick(0, 0, 1, 3), version=2, tolerance=2e-6 if dtype == "float32" else 0)


def weights(d, shape, kind, axis, channels, every=False):
    """Constant weights: float, int8 with a scale for each channel or (unless every) one, uint8, or few bits."""
    if kind == "float32":
        return d.m.const(d.data(shape, "float32", -1, 1))
    if kind == "uint8":
        return d.m.const(d.data(shape, "uint8"), "uint8", scale=float(np.float32(d.rng.uniform(0.002, 0.02))), zero=d.size(0, 255))
    n = channels if d.chance(0.7) or every else 1
    lim = {"int8": 127, "int4": 7, "int2": 1}[kind]
    data = d.rng.integers(-lim, lim + 1, shape).astype(np.int8)
    scale = d.rng.uniform(0.2, 2, n).astype(np.float32) / np.float32(lim)
    return d.m.tensor(shape, kind, data, scale=scale, zero=0, axis=axis if n > 1 else 0)


def product_types(d):
    """Types of activations, weights, bias; quantisation; the tolerance."""
    x, w, b = d.pick(("float32", "float32", "float32"), ("int8", "int8", "int32"), ("int8", "int8", "int32"), ("int8", "int4", "int32"),
                     ("int16", "int8", "int64"), ("int16", "int8", "int32"), ("uint8", "uint8", "int32"), ("float32", "int8", "float32"))
    return x, w, b


def bias(d, b, x, w, n):
    """A bias for weights tensor w, or none."""
    if b == "float32":
        return d.m.const(d.data([n], b))
    ws, xs = d.m.tensors[w][4][2], d.m.tensors[x][4][2]
    data = d.rng.integers(-3000, 3000, [n]).astype(b)
    return d.m.tensor([n], b, data, scale=(ws * xs[0]).astype(np.float32), zero=0)


def wide(b):
    """The option quantized_bias_type: LiteRT takes 16x8 biases for int64 unless it says int32."""
    return {"int32": 2, "int64": 4}.get(b, 0)


def product_name(op, x, w, b):
    return f"{op}_{x}_{w}_{b}"


def conv(d):
    xt, wt, bt = product_types(d)
    depth = d.chance(0.4)
    k, s = (d.size(1, 3), d.size(1, 3)), (d.size(1, 2), d.size(1, 2))
    dil = (d.size(1, 2), d.size(1, 2)) if s == (1, 1) and d.chance(0.4) else (1, 1)
    same, n, h, v = d.chance(), d.size(1, 2), d.size(5, 9), d.size(5, 9)
    ic = d.size(1, 9)
    mult = d.pick(1, 1, 2, 3)
    oc = ic * mult if depth else d.size(1, 9)
    groups = 1
    if not depth and d.chance(0.2) and xt == wt:
        groups = 2
        ic, oc = 2 * d.size(1, 3), 2 * d.size(1, 3)
    x = d.input([n, h, v, ic], xt, d.quant(xt))
    w = weights(d, [1, *k, oc] if depth else [oc, *k, ic // groups], wt, 3 if depth else 0, oc,
                depth and xt == "float32")  # LiteRT's hybrid reference kernel reads a scale for each channel where there is one
    b = bias(d, bt, x, w, oc)
    y = d.m.output([n, window(h, k[0], s[0], same, dil[0]), window(v, k[1], s[1], same, dil[1]), oc], xt, **d.quant(xt, 4))
    act = d.pick(0, 0, 1, 3)
    op = "DEPTHWISE_CONV_2D" if depth else "CONV_2D"
    options = [int(not same), s[1], s[0], mult, act, dil[1], dil[0]] if depth else [int(not same), s[1], s[0], act, dil[1], dil[0], wide(bt)]
    d.done(product_name(op, xt, wt, bt), op, [x, w, b], [y], *options, version=3, tolerance=1e-5 if xt == "float32" else 0)


def dense(d):
    xt, wt, bt = product_types(d)
    rows, n, k = d.size(1, 5), d.size(1, 20), 2 * d.size(1, 20)
    lead = d.pick([rows], [rows, 2], [1])
    keep = d.chance() or len(lead) == 1
    x = d.input([*lead, k], xt, d.quant(xt))
    w = weights(d, [n, k], wt, 0, n)
    ins = [x, w, bias(d, bt, x, w, n) if d.chance(0.8) else -1]
    flat = int(np.prod(lead))
    y = d.m.output([*lead, n] if keep else [flat, n], xt, **d.quant(xt, 6))
    d.done(product_name("FULLY_CONNECTED", xt, wt, bt), "FULLY_CONNECTED", ins, [y], d.pick(0, 0, 1, 3), 0, int(keep), int(xt == "float32" and d.chance()), wide(bt),
           version=6, tolerance=1e-5 if xt == "float32" else 0)


def transpose_conv(d):
    xt, wt, bt = product_types(d)
    if wt == "int4" or (xt != wt and xt == "float32"):
        xt, wt, bt = "float32", "float32", "float32"
    k, s, same = (d.size(1, 4), d.size(1, 4)), (d.size(1, 3), d.size(1, 3)), d.chance()
    n, h, v, ic, oc = d.size(1, 2), d.size(1, 5), d.size(1, 5), d.size(1, 6), d.size(1, 6)
    out = [n, h * s[0] if same else (h - 1) * s[0] + k[0], v * s[1] if same else (v - 1) * s[1] + k[1], oc]
    x = d.input([n, h, v, ic], xt, d.quant(xt))
    w = weights(d, [oc, *k, ic], wt, 0, oc)
    ins = [d.ints(out), w, x] + ([bias(d, bt, x, w, oc)] if d.chance() else [])
    d.done(product_name("TRANSPOSE_CONV", xt, wt, bt), "TRANSPOSE_CONV", ins, [d.m.output(out, xt, **d.quant(xt, 4))], int(not same), s[1], s[0],
           d.pick(0, 1) if len(ins) == 4 else 0, wide(bt), version=4 if len(ins) == 4 else 2, tolerance=1e-5 if xt == "float32" else 0)


def batch_matmul(d):
    dtype = d.pick("float32", "int8", "int16", "int32")
    m, n, k, batch = d.size(), d.size(), d.size(1, 12), d.shape(d.size(0, 2), 3)
    other = [b if d.chance(0.7) else 1 for b in batch]
    ta, tb = d.chance(), d.chance()
    q = d.quant(dtype)
    if dtype == "int32":
        ta = tb = False
    x = d.input([*batch, *((k, m) if ta else (m, k))], dtype, d.quant(dtype))
    y = d.either([*other, *((n, k) if tb else (k, n))], dtype, q)
    d.done(f"BATCH_MATMUL_{dtype}", "BATCH_MATMUL", [x, y], [d.m.output([*batch, m, n], dtype, **d.quant(dtype, 4))], int(ta), int(tb), 0,
           version=3, tolerance=1e-5 if dtype == "float32" else 0)


MOVED = ["float32", "int8", "uint8", "int16", "int32", "int64", "bool"]


def move(d):
    op = d.pick("RESHAPE", "TRANSPOSE", "SLICE", "STRIDED_SLICE", "PAD", "PADV2", "MIRROR_PAD", "CONCATENATION", "PACK", "UNPACK", "SPLIT", "SPLIT_V",
                "GATHER", "TILE", "BROADCAST_TO", "EXPAND_DIMS", "SQUEEZE", "SELECT", "SELECT_V2", "ONE_HOT", "REVERSE_V2", "DEPTH_TO_SPACE",
                "SPACE_TO_DEPTH", "FILL", "GATHER_ND", "SCATTER_ND", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND", "REVERSE_SEQUENCE",
                "DYNAMIC_UPDATE_SLICE", "SHAPE", "RANK", "RANGE", "WHERE", "MATRIX_DIAG", "MATRIX_SET_DIAG", "UNIQUE", "SEGMENT_SUM")
    dtype = d.pick(*MOVED, "uint32", "float16", "uint16")
    if op.startswith("MATRIX") and dtype in ("bool", "uint16", "uint32", "float16"):  # LiteRT leaves the output as it is
        dtype = "float32"
    shape = d.shape(d.size(1, 4))
    rank, q = len(shape), d.quant(dtype)
    name, out = f"{op}_{dtype}", lambda s, t=dtype, qq=q: d.m.output([int(v) for v in s], t, **(qq if t == dtype else {}))
    axis = d.size(0, rank - 1)
    x = lambda s=shape: d.input(s, dtype, q)  # noqa: E731
    if op == "RESHAPE":
        to = list(np.array(shape)[d.rng.permutation(rank)])
        d.done(name, op, [x(), d.ints(to)], [out(to)], to)
    elif op == "TRANSPOSE":
        perm = d.rng.permutation(rank)
        d.done(name, op, [x(), d.ints(perm)], [out([shape[p] for p in perm])], version=2)
    elif op == "SLICE":
        begin = [d.size(0, n - 1) for n in shape]
        size = [d.size(1, n - b) for n, b in zip(shape, begin)]
        d.done(name, op, [x(), d.ints(begin), d.ints([-1 if s == n - b and d.chance() else s for s, n, b in zip(size, shape, begin)])], [out(size)], version=2)
    elif op == "STRIDED_SLICE":
        begin, end, step, masks = [], [], [], [0, 0]
        for i, n in enumerate(shape):
            s = d.pick(1, 1, 2, -1, -2)
            b, e = d.size(-n - 1, n + 1), d.size(-n - 1, n + 1)
            begin.append(b), end.append(e), step.append(s)
            for k in range(2):
                masks[k] |= d.chance(0.4) << i
        index = tuple(slice(None if masks[0] >> i & 1 else b, None if masks[1] >> i & 1 else e, s) for i, (b, e, s) in enumerate(zip(begin, end, step)))
        result = np.zeros(shape)[index].shape
        if 0 in result:
            return move(d)
        d.done(name, op, [x(), d.ints(begin), d.ints(end), d.ints(step)], [out(result)], masks[0], masks[1], 0, 0, 0, version=2)
    elif op in ("PAD", "PADV2", "MIRROR_PAD"):
        mode = d.pick(0, 1)
        pads = [[d.size(0, min(3, n - 1 + mode) if op == "MIRROR_PAD" else 3) for _ in range(2)] for n in shape]
        ins = [x(), d.ints(pads, d.pick("int32", "int64"))]
        if op == "PADV2":
            ins.append(d.m.const(d.data([], dtype), dtype, **q))
        d.done(name, op, ins, [out([n + sum(p) for n, p in zip(shape, pads)])], *([mode] if op == "MIRROR_PAD" else []), version=2)
    elif op in ("CONCATENATION", "PACK"):
        count = d.size(1, 3)
        if op == "PACK":
            at = d.size(0, rank)
            result, ins = [*shape[:at], count, *shape[at:]], [x() for _ in range(count)]
            d.done(name, op, ins, [out(result)], count, at, version=2)
        else:
            sizes = [d.size() for _ in range(count)]
            ins = [x([*shape[:axis], n, *shape[axis + 1:]]) for n in sizes]
            d.done(name, op, ins, [out([*shape[:axis], sum(sizes), *shape[axis + 1:]])], axis - rank if d.chance(0.3) else axis, 0, version=2)
    elif op == "UNPACK":
        d.done(name, op, [x()], [out(shape[:axis] + shape[axis + 1:]) for _ in range(shape[axis])], shape[axis], axis, version=2)
    elif op == "SPLIT":
        count = d.size(1, 3)
        shape[axis] *= count
        part = [*shape[:axis], shape[axis] // count, *shape[axis + 1:]]
        d.done(name, op, [d.ints(axis), x()], [out(part) for _ in range(count)], count, version=2)
    elif op == "SPLIT_V":
        sizes = [d.size() for _ in range(d.size(1, 3))]
        shape[axis] = sum(sizes)
        d.done(name, op, [x(), d.ints(sizes, d.pick("int32", "int64")), d.ints(axis)], [out([*shape[:axis], n, *shape[axis + 1:]]) for n in sizes], len(sizes), version=2)
    elif op == "GATHER":
        batch = d.size(0, axis) if d.chance(0.3) else 0
        index = shape[:batch] + d.shape(d.size(0, 2), 4)
        i = d.input(index, d.pick("int32", "int64", "int16"), lo=0, hi=shape[axis] - 1)
        d.done(name, op, [x(), i], [out(shape[:axis] + index[batch:] + shape[axis + 1:])], axis, batch, version=5)
    elif op == "TILE":
        by = [d.size(1, 3) for _ in shape]
        d.done(name, op, [x(), d.ints(by, d.pick("int32", "int64"))], [out(np.multiply(shape, by))], version=3)
    elif op == "BROADCAST_TO":
        small = [n if d.chance() else 1 for n in shape][d.size(0, rank - 1):]
        d.done(name, op, [x(small), d.ints(shape, d.pick("int32", "int64"))], [out(shape)], version=3)
    elif op == "EXPAND_DIMS":
        at = d.size(0, rank)
        d.done(name, op, [x(), d.ints(at)], [out([*shape[:at], 1, *shape[at:]])])
    elif op == "SQUEEZE":
        shape[axis] = 1
        d.done(name, op, [x()], [out(shape[:axis] + shape[axis + 1:])], [axis], version=2)
    elif op in ("SELECT", "SELECT_V2"):
        c = [shape[0]] if op == "SELECT" and d.chance(0.3) else shape
        d.done(name, op, [d.input(c, "bool"), x(), x()], [out(shape)], version=2)
    elif op == "ONE_HOT":
        depth = d.size(1, 6)
        at = d.pick(-1, d.size(0, rank))
        result = shape + [depth] if at < 0 else [*shape[:at], depth, *shape[at:]]
        on, off = (d.m.const(d.data([], dtype), dtype) for _ in range(2))
        d.done(name, op, [d.input(shape, d.pick("int32", "int64"), lo=-1, hi=depth), d.ints(depth), on, off], [d.m.output(result, dtype)], at)
    elif op == "REVERSE_V2":
        axes = sorted(d.rng.choice(rank, d.size(1, rank), replace=False))
        d.done(name, op, [x(), d.ints(axes)], [out(shape)], version=3)
    elif op in ("DEPTH_TO_SPACE", "SPACE_TO_DEPTH"):
        b = d.size(1, 3)
        n, h, w, c = d.shape(4, 4)
        small, wide = [n, h, w, c * b * b], [n, h * b, w * b, c]
        a, z = (small, wide) if op == "DEPTH_TO_SPACE" else (wide, small)
        d.done(name, op, [x(a)], [out(z)], b, version=2)
    elif op == "FILL":
        d.done(name, op, [d.ints(shape, d.pick("int32", "int64")), x([])], [out(shape)], version=3)
    elif op == "GATHER_ND":
        depth, n = d.size(1, rank), d.size()
        index = np.stack([d.rng.integers(0, m, n) for m in shape[:depth]], -1)
        i = d.input(index.shape, d.pick("int32", "int64", "int16"), data=index)
        d.done(name, op, [x(), i], [out([n, *shape[depth:]])], version=3)
    elif op == "SCATTER_ND":
        depth, n = d.size(1, rank), d.size()
        index = np.stack([d.rng.integers(0, m, n) for m in shape[:depth]], -1)
        d.done(name, op, [d.input(index.shape, "int32", data=index), x([n, *shape[depth:]]), d.ints(shape)], [out(shape)], tolerance=1e-6)
    elif op == "SPACE_TO_BATCH_ND":
        b, (n, h, w, c) = [d.size(1, 3), d.size(1, 3)], d.shape(4, 4)
        pads = [[p, -(s + p) % k] for s, k, p in zip((h, w), b, (d.size(0, 2), d.size(0, 2)))]
        result = [n * b[0] * b[1], (h + sum(pads[0])) // b[0], (w + sum(pads[1])) // b[1], c]
        d.done(name, op, [x([n, h, w, c]), d.ints(b), d.ints(pads)], [out(result)], version=2)
    elif op == "BATCH_TO_SPACE_ND":
        b, (n, h, w, c) = [d.size(1, 3), d.size(1, 3)], d.shape(4, 4)
        crops = [[d.size(0, 1), 0] if s * k > 2 else [0, 0] for s, k in zip((h, w), b)]
        result = [n, h * b[0] - sum(crops[0]), w * b[1] - sum(crops[1]), c]
        d.done(name, op, [x([n * b[0] * b[1], h, w, c]), d.ints(b), d.ints(crops)], [out(result)], version=2)
    elif op == "REVERSE_SEQUENCE":
        shape = d.shape(d.size(2, 4))
        seq, batch = d.rng.choice(len(shape), 2, replace=False).tolist()
        lens = d.input([shape[batch]], d.pick("int32", "int64"), lo=1, hi=shape[seq])
        d.done(name, op, [x(shape), lens], [out(shape)], seq, batch)
    elif op == "DYNAMIC_UPDATE_SLICE":
        part = [d.size(1, n) for n in shape]
        at = d.input([rank], d.pick("int32", "int64"), lo=-1, hi=5)
        d.done(name, op, [x(), x(part), at], [out(shape)])
    elif op == "SHAPE":
        t = d.pick("int32", "int64")
        d.done(name, op, [x()], [d.m.output([rank], t)], 2 if t == "int32" else 4)
    elif op == "RANK":
        d.done(name, op, [x()], [d.m.output([], "int32")])
    elif op == "RANGE":
        t = d.pick("int32", "int64", "float32")
        start, step, n = d.size(-9, 9), d.pick(-2, 1, 3), d.size(1, 9)
        d.done(f"RANGE_{t}", op, [d.ints(np.asarray(v, t), t) for v in (start, start + step * n, step)], [d.m.output([n], t)])
    elif op == "WHERE":
        t = d.pick("bool", "float32", "int32", "int8", "uint8", "int64", "uint32")
        data = d.data(shape, t) * d.rng.integers(0, 2, shape).astype(t)
        d.done(f"WHERE_{t}", op, [d.input(shape, t, data=data)], [d.m.output([int(np.count_nonzero(data)), rank], "int64")])
    elif op == "MATRIX_DIAG":
        d.done(name, op, [x()], [out([*shape, shape[-1]])])
    elif op == "MATRIX_SET_DIAG":
        shape = d.shape(d.size(2, 4))
        d.done(name, op, [x(shape), x([*shape[:-2], min(shape[-2:])])], [out(shape)])
    elif op == "UNIQUE":
        data = d.data([12], dtype, 0, 5)
        d.done(name, op, [d.input([12], dtype, q, data=data)], [out([np.unique(data).size]), d.m.output([12], "int32")], 2)
    else:
        t, ids = d.pick("float32", "int32"), np.sort(d.rng.integers(0, 4, shape[0]))
        ids[0] = 0
        rest = shape[1:]
        d.done(f"{op}_{t}", op, [d.input(shape, t), d.input(ids.shape, "int32", data=ids)], [d.m.output([int(ids[-1]) + 1, *rest], t)], tolerance=1e-6 if t == "float32" else 0)


def resize(d):
    op, dtype = d.pick("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), d.pick("float32", "int8", "uint8", "int16")
    shape, to, q = [d.size(1, 2), d.size(1, 7), d.size(1, 7), d.size(1, 4)], [d.size(1, 12), d.size(1, 12)], d.quant(dtype)
    align, half = d.pick((0, 0), (1, 0), (0, 1))
    options = [None, None, align, half] if op == "RESIZE_BILINEAR" else [align, half]
    d.done(f"{op}_{dtype}", op, [d.input(shape, dtype, q), d.ints(to)], [d.m.output([shape[0], *to, shape[3]], dtype, **q)], *options, version=3,
           tolerance=3e-6 if dtype == "float32" else 0)


def suppress(d):
    n, most, soft = d.size(1, 30), d.size(1, 20), d.chance()
    corner, size = d.rng.uniform(0, 4, (n, 2)), d.rng.uniform(0.2, 3, (n, 2))
    boxes = np.concatenate([corner, corner + size], 1).astype(np.float32)
    scores = d.data([n], "float32", 0, 1)
    if d.chance(0.3):
        scores = np.round(scores * 4) / np.float32(4)
    ins = [d.input([n, 4], "float32", data=boxes), d.input([n], "float32", data=scores), d.ints(most)]
    ins += [d.m.const(np.float32(v)) for v in (d.pick(0.3, 0.5, 1.0), d.pick(0.0, 0.2))]
    outs = [d.m.output([most], "int32"), *([d.m.output([most], "float32")] if soft else []), d.m.output([], "int32")]
    if soft:
        ins.append(d.m.const(np.float32(d.pick(0.0, 0.3, 1.0))))
    op = f"NON_MAX_SUPPRESSION_V{5 if soft else 4}"
    d.done(op, op, ins, outs, tolerance=1e-6)


def spectrum(d):
    shape = d.shape(d.size(2, 3), 9)
    length = [2 ** d.size(1, 4), 2 ** d.size(1, 4)]
    result = [*shape[:-2], length[0], length[1] // 2 + 1]
    d.done("RFFT2D", "RFFT2D", [d.input(shape, "float32"), d.ints(length)], [d.m.output(result, "complex64")], tolerance=1e-6)


def parts(d):
    op, shape = d.pick("REAL", "IMAG", "COMPLEX_ABS"), d.shape(d.size(1, 3))
    d.done(op, op, [d.input(shape, "complex64")], [d.m.output(shape, "float32")], tolerance=1e-6 if op == "COMPLEX_ABS" else 0)


def fake(d):
    shape, lo, hi = d.shape(2), -float(d.rng.uniform(0, 5)), float(d.rng.uniform(0.1, 5))
    d.done("FAKE_QUANT", "FAKE_QUANT", [d.input(shape, "float32")], [d.m.output(shape)], np.float32(lo), np.float32(hi), d.size(2, 8), 0)


def bits(d):
    n, t = d.size(2, 3), d.pick("uint32", "int32", "uint64", "int64")
    algorithm = d.pick(0, 1, 2)
    n = 2 if algorithm == 2 else n
    state = d.rng.integers(0, 2**63, n).astype(np.uint64)
    shape = d.shape(d.size(1, 3))
    d.done(f"STABLEHLO_RNG_BIT_GENERATOR_{t}", "STABLEHLO_RNG_BIT_GENERATOR", [d.input([n], "uint64", data=state)],
           [d.m.output([n], "uint64"), d.m.output(shape, t)], algorithm)


def random(d):
    op = d.pick("RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL")
    seeds = [d.size(1, 1 << 31), d.size(-1 << 40, 1 << 40)]
    if op == "MULTINOMIAL":
        n, k, t = d.size(), d.size(), d.pick("int32", "int64")
        d.done(f"{op}_{t}", op, [d.input([n, k], "float32"), d.ints(d.size(1, 9))], [], *seeds)
        samples = int(np.frombuffer(d.m.buffers[-1][0].tobytes(), np.int32)[0])
        d.m.operators[-1][2] = np.array([d.m.output([n, samples], t)], np.int32)
    else:
        shape = d.shape(d.size(1, 3))
        d.done(op, op, [d.ints(shape)], [d.m.output(shape)], *seeds, tolerance=1e-6 if "NORMAL" in op else 0)


def reduce_window(d):
    dtype, rank = d.pick("float32", "int32", "int8", "int16", "int64", "uint8", "bool"), d.size(1, 3)
    shape, kind = d.shape(rank, 8), d.pick(5, 6) if dtype == "bool" else d.pick(1, 2, 3, 4)
    size, stride, dilation = ([d.size(1, m) for _ in shape] for m in (2, 2, 2))
    result = [max(0, (n - (s - 1) * g - 1) // t + 1) if n >= (s - 1) * g + 1 else 0 for n, s, t, g in zip(shape, size, stride, dilation)]
    if 0 in result:
        return reduce_window(d)
    ins = [d.input(shape, dtype, lo=-3 if not dtype.startswith("u") else 0, hi=3), d.m.const(d.data([], dtype, 0, 2), dtype)]
    ins += [d.ints(v, "int64") for v in (size, stride, dilation)]
    d.done(f"REDUCE_WINDOW_{dtype}", "REDUCE_WINDOW", ins, [d.m.output(result, dtype)], kind, tolerance=1e-6 if dtype == "float32" else 0)


FAMILIES = [unary, unary, unary, binary, binary, binary, reduce, reduce, arg_best, topk, cast, quantize, pool, conv, conv, dense, transpose_conv, batch_matmul,
            move, move, move, move, resize, suppress, spectrum, parts, fake, bits, random, reduce_window, *tflite_fuzz_index.FAMILIES]


# LiteRT's reference kernels read these as uint8.
WRONG_REFERENCE = {"SUM_int8", "SUM_int16"}

# ---- LiteRT ------------------------------------------------------------------------------------------------------------

def litert(model, given, plain=False):
    """What LiteRT answers: its reference kernels, or where those lack the operator (or plain) its others; None: it refuses the
    model, or two runs differ."""
    from ai_edge_litert import interpreter as I
    for kernels in (I.OpResolverType.BUILTIN_REF, I.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)[plain:]:
        answers = []
        try:
            for _ in range(2):
                it = I.Interpreter(model_content=model, experimental_op_resolver_type=kernels, num_threads=1)
                it.allocate_tensors()
                for place, x in zip(it.get_input_details(), given):
                    it.set_tensor(place["index"], x)
                it.invoke()
                answers.append([np.array(it.get_tensor(p["index"])) for p in it.get_output_details()])
        except (RuntimeError, ValueError):
            continue
        if all(a.tobytes() == b.tobytes() for a, b in zip(*answers)):
            return answers[0]
        return None
    return None


def make(folder, seed, first, count):
    """Write the cases first..count; the number of each goes to the log before LiteRT sees it."""
    for i in range(first, count):
        d = Draw(np.random.default_rng([seed, i]))
        d.pick(*FAMILIES)(d)
        with (folder / "log").open("a") as f:
            f.write(f"{i} {d.name}\n")
        answer = None
        for version in range(d.m.codes[0][2], 0, -1):  # the newest that there is
            d.m.codes[0] = (*d.m.codes[0][:2], version)
            model = d.m.bytes()
            answer = litert(model, d.given, d.name in WRONG_REFERENCE)
            if answer is not None:
                break
        if answer is not None:
            write_case(folder / f"{d.name}_{i}", model, d.given, answer, d.tolerance)
        else:
            with (folder / "refused").open("a") as f:
                f.write(d.name + "\n")


def main():
    if sys.argv[1] == "make":
        return make(pathlib.Path(sys.argv[2]), *map(int, sys.argv[3:6]))
    folder, whet = pathlib.Path(sys.argv[1]), sys.argv[2]
    seed, count = (int(v) for v in [*sys.argv[3:5], "1", "1500"][:2]) if len(sys.argv) > 4 else (int(sys.argv[3]) if len(sys.argv) > 3 else 1, 1500)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "log").write_text("")
    (folder / "refused").write_text("")
    while True:  # LiteRT may die of a model: the next process goes on behind it
        lines = (folder / "log").read_text().splitlines()
        first = int(lines[-1].split()[0]) + 1 if lines else 0
        run = subprocess.run([sys.executable, __file__, "make", folder, str(seed), str(first), str(count)], capture_output=True, text=True)
        if run.returncode == 0:
            break
        if run.returncode > 0:
            sys.exit(run.stderr[-2000:])
        print(f"LiteRT died of case {(folder / 'log').read_text().splitlines()[-1]}")
    refused = collections.Counter((folder / "refused").read_text().split())
    print(f"seed {seed}; LiteRT refuses {refused.total()}: " + ", ".join(f"{k} ({n})" for k, n in sorted(refused.items())))
    ignore = "|".join(EXPLAINED) or None
    return suite.check(folder, whet, [], ignore=ignore, refuse=False)


if __name__ == "__main__":
    sys.exit(main())
