# SPDX-License-Identifier: Apache-2.0
"""Random models of single TFLite operators, whet against LiteRT: tflite_fuzz.py FOLDER WHET [SEED [COUNT]]

Draws operators, types, shapes, attributes and quantisation, runs what LiteRT's reference kernels accept, and compares: integers
and moved elements exactly, floats within rounding. What LiteRT refuses or has no kernel for is left out; what whet refuses or
answers differently fails the test, unless it stands in EXPLAINED with the reason.
"""
import collections
import pathlib
import shutil
import subprocess
import sys

import numpy as np

import suite
import tflite_fuzz_index
import tflite_fuzz_move
import tflite_fuzz_products
from tflite_case import write_case
from tflite_draw import RANGE, Draw

# Pattern of case names: why whet answers otherwise on purpose.
EXPLAINED = {
    "DIV_uint8": "LiteRT shifts right by more than 31 bits, which is not defined, where a quotient is near 0; whet answers 0",
}


# ---- families: each draws one case -------------------------------------------------------------------------------------

UNARY = {
    "ABS": ("float32 int8 int16 int32", 0), "CEIL": ("float32", 0), "FLOOR": ("float32", 0), "ROUND": ("float32", 0),
    "COS": ("float32", 2e-6), "SIN": ("float32", 2e-6), "EXP": ("float32 int8 int16", 2e-6), "LOG": ("float32 int8 int16", 2e-6),
    "NEG": ("float32 int32 int64 int8 int16", 0), "RSQRT": ("float32 int8 int16", 2e-6), "SQRT": ("float32 int8 int16", 2e-6),
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


REDUCE = {"SUM": "float32 int8 uint8 int16 int32 int64 bool", "MEAN": "float32 int8 uint8 int16 int32 int64",
          "REDUCE_MAX": "float32 int8 uint8 int16 int32 int64", "REDUCE_MIN": "float32 int8 uint8 int16 int32 int64",
          "REDUCE_PROD": "float32 int32 int64 int8 int16 bool", "REDUCE_ANY": "bool", "REDUCE_ALL": "bool"}


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


def various(d):
    op = d.pick("SPARSE_TO_DENSE", "BUCKETIZE", "ADD_N", "BROADCAST_ARGS", "DILATE", "BITCAST", "LOCAL_RESPONSE_NORMALIZATION", "TOPK_V2")
    if op == "SPARSE_TO_DENSE":
        t, shape = d.pick("float32", "int32", "int64", "int8", "uint8"), d.shape(d.size(1, 3))
        spots = np.sort(d.rng.choice(int(np.prod(shape)), d.size(1, min(5, int(np.prod(shape)))), replace=False))
        index = np.stack(np.unravel_index(spots, shape), -1)
        many = d.chance(0.7)
        values = d.input([len(index)] if many else [], t)
        d.done(f"{op}_{t}", op, [d.ints(index), d.ints(shape), values, d.m.const(d.data([], t), t)], [d.m.output(shape, t)], 0, version=3)
    elif op == "BUCKETIZE":
        t, shape = d.pick("float32", "int32", "int64", "float64"), d.shape(d.size(1, 3))
        edges = np.sort(d.rng.uniform(-50 if t[0] == "i" else -3, 50 if t[0] == "i" else 3, d.size()).astype(np.float32))
        d.done(f"{op}_{t}", op, [d.input(shape, t)], [d.m.output(shape, "int32")], edges)
    elif op == "ADD_N":
        t, shape = d.pick("float32", "int32"), d.shape(d.size(1, 3))
        d.done(f"{op}_{t}", op, [d.input(shape, t) for _ in range(d.size(2, 4))], [d.m.output(shape, t)])
    elif op == "BROADCAST_ARGS":
        t, shape = d.pick("int32", "int64"), d.shape(d.size(1, 4))
        a, b = ([n if d.chance(0.6) else 1 for n in shape][d.size(0, len(shape) - 1):] for _ in range(2))
        d.done(f"{op}_{t}", op, [d.input([len(a)], t, data=a), d.ints(b, t)], [d.m.output([max(len(a), len(b))], t)])
    elif op == "DILATE":
        t, shape = d.pick("float32", "int32", "int8", "int64", "uint8"), d.shape(d.size(1, 3), 4)
        by = [d.size(1, 3) for _ in shape]
        d.done(f"{op}_{t}", op, [d.input(shape, t), d.ints(by), d.m.const(d.data([], t), t)], [d.m.output([(n - 1) * k + 1 for n, k in zip(shape, by)], t)])
    elif op == "BITCAST":
        t, to = d.pick(("float32", "int32"), ("int32", "uint32"), ("int32", "float32"), ("int16", "uint16"), ("int64", "uint64"), ("int8", "uint8"))
        shape = d.shape(d.size(1, 3))
        d.done(f"{op}_{t}_{to}", op, [d.input(shape, t)], [d.m.output(shape, to)])
    elif op == "LOCAL_RESPONSE_NORMALIZATION":
        shape = d.shape(4)
        d.done(op, op, [d.input(shape, "float32")], [d.m.output(shape)], d.size(0, 3), 1.0, np.float32(d.rng.uniform(0.1, 1)), np.float32(d.pick(0.5, 0.75, 1)), tolerance=3e-6)
    else:
        t, ti, shape = d.pick("float32", "int8", "int16", "int32"), d.pick("int16", "int32"), d.shape(d.size(1, 3))
        k, q = d.size(1, shape[-1]), {}
        outs = [d.m.output([*shape[:-1], k], t, **q), d.m.output([*shape[:-1], k], ti)]
        d.done(f"{op}_{t}_{ti}", op, [d.input(shape, t, q), d.m.const(np.asarray(k, ti), ti)], outs, version=3)


def detect(d):
    from tflite_flex import options
    boxes, classes, most, each = d.size(1, 20), d.size(1, 4), d.size(1, 6), d.size(1, 3)
    regular, background = d.chance(), d.size(0, 1)
    anchors = np.concatenate([d.rng.uniform(0.2, 0.8, (boxes, 2)), d.rng.uniform(0.1, 0.5, (boxes, 2))], 1)
    code = d.rng.normal(0, 1, (1, boxes, d.size(4, 6)))
    scores = d.rng.permutation(boxes * (classes + background)).reshape(1, boxes, -1) / (boxes * (classes + background))
    each = 1 if regular else min(each, classes)
    overlap = d.pick(0.4, 0.6, 1.0)
    if not regular:  # LiteRT leaves slots as they were that nothing fills
        most, overlap = min(most, boxes), 1.0
    slots = most * each
    o = options({"max_detections": most, "max_classes_per_detection": each, "detections_per_class": d.size(1, 8), "use_regular_nms": regular,
                 "nms_score_threshold": float(np.float32(-1.0)), "nms_iou_threshold": float(np.float32(overlap)), "num_classes": classes,
                 "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0})
    ins = [d.input(code.shape, "float32", data=code), d.input(scores.shape, "float32", data=scores), d.m.const(anchors.astype(np.float32))]
    outs = [d.m.output(s) for s in ([1, slots, 4], [1, slots], [1, slots], [1])]
    d.m.op("TFLite_Detection_PostProcess", ins, outs, custom=o)
    d.name, d.tolerance = "TFLite_Detection_PostProcess", 1e-6


FAMILIES = [unary, unary, unary, binary, binary, binary, reduce, reduce, arg_best, topk, cast, quantize, various, various, detect, resize, suppress,
            spectrum, parts, fake, bits, random, reduce_window, *tflite_fuzz_products.FAMILIES, *tflite_fuzz_move.FAMILIES,
            *tflite_fuzz_index.FAMILIES]



# LiteRT's reference kernels read the first two as uint8, and leave the last channel of a window out.
WRONG_REFERENCE = {"SUM_int8", "SUM_int16", "LOCAL_RESPONSE_NORMALIZATION"}

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
