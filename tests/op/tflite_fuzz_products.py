# SPDX-License-Identifier: Apache-2.0
"""Families of tflite_fuzz.py: convolutions, products and pools in all the types that converters write."""
import numpy as np

from tflite_draw import RANGE


def window(n, k, stride, same, dilation=1):
    return -(-n // stride) if same else (n - (k - 1) * dilation - 1) // stride + 1


def pool(d):
    name = d.pick("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D")
    dtype = "float32" if name == "L2_POOL_2D" else d.pick("float32", "int8", "uint8", "int16")
    shape, k, s, same = [d.size(1, 2), d.size(3, 9), d.size(3, 9), d.pick(d.size(1, 9), d.size(1, 80))], (d.size(1, 3), d.size(1, 3)), (d.size(1, 3), d.size(1, 3)), d.chance()
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
                     ("int16", "int8", "int64"), ("int16", "int8", "int32"), ("uint8", "uint8", "int32"), ("float32", "int8", "float32"),
                     ("float32", "int4", "float32"), ("int8", "int2", "int32"), ("int16", "int4", "int64"))
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
    ic = d.pick(d.size(1, 9), d.size(1, 40))
    mult = d.pick(1, 1, 2, 3)
    oc = ic * mult if depth else d.pick(d.size(1, 9), d.size(1, 70))
    if depth and (xt, wt) == ("int16", "int4"):
        wt = "int8"  # LiteRT would read two weights as one
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
    rows, n, k = d.pick(d.size(1, 5), d.size(1, 40)), d.pick(d.size(1, 20), d.size(1, 150)), 4 * d.pick(d.size(1, 10), d.size(1, 60))
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
    m, n, k, batch = d.pick(d.size(), d.size(1, 40)), d.pick(d.size(), d.size(1, 40)), d.pick(d.size(1, 12), d.size(1, 70)), d.shape(d.size(0, 2), 3)
    other = [b if d.chance(0.7) else 1 for b in batch]
    ta, tb = d.chance(), d.chance()
    q = d.quant(dtype)
    if dtype == "int32":
        ta = tb = False
    x = d.input([*batch, *((k, m) if ta else (m, k))], dtype, d.quant(dtype))
    y = d.either([*other, *((n, k) if tb else (k, n))], dtype, q)
    d.done(f"BATCH_MATMUL_{dtype}", "BATCH_MATMUL", [x, y], [d.m.output([*batch, m, n], dtype, **d.quant(dtype, 4))], int(ta), int(tb), 0,
           version=3, tolerance=1e-5 if dtype == "float32" else 0)


def conv_3d(d):
    k, s, same = [d.size(1, 3) for _ in range(3)], [d.size(1, 2) for _ in range(3)], d.chance()
    n, size, ic, oc = d.size(1, 2), [d.size(3, 6) for _ in range(3)], d.size(1, 5), d.size(1, 5)
    ins = [d.input([n, *size, ic], "float32"), d.m.const(d.data([*k, ic, oc], "float32", -1, 1)), d.m.const(d.data([oc], "float32"))]
    result = [window(a, b, c, same) for a, b, c in zip(size, k, s)]
    d.done("CONV_3D", "CONV_3D", ins, [d.m.output([n, *result, oc])], int(not same), s[0], s[2], s[1], d.pick(0, 1, 3), 1, 1, 1, tolerance=1e-5)


def constants(d):
    """DEQUANTIZE of constants as converters leave them: half floats, few bits, a scale for each channel."""
    kind, shape = d.pick("float16", "int4", "int8", "int2"), d.shape(d.size(1, 4))
    axis = d.size(0, len(shape) - 1)
    if kind == "float16":
        w = d.m.const(d.data(shape, kind))
    else:
        lim = {"int8": 127, "int4": 7, "int2": 1}[kind]
        n = shape[axis] if d.chance(0.7) else 1
        w = d.m.tensor(shape, kind, d.rng.integers(-lim, lim + 1, shape).astype(np.int8), scale=d.rng.uniform(0.01, 1, n), zero=0, axis=axis)
    x, y = d.input(shape, "float32"), d.m.tensor(shape, "float32")
    d.m.op("DEQUANTIZE", [w], [y], version=5)
    d.done(f"DEQUANTIZE_{kind}_constant", "ADD", [x, y], [d.m.output(shape)], 0)


FAMILIES = [pool, conv, conv, dense, transpose_conv, batch_matmul, conv_3d, constants]
