# SPDX-License-Identifier: Apache-2.0
"""StableHLO operators of TFLite's schema that no public runtime has a kernel for: stablehlo.py FOLDER WHET [SWEEP]

What each should give is computed here, by NumPy or by loops that follow the StableHLO specification. SWEEP is the program that
refuses every allocation of a run in turn: it gets a model of each kind.
"""
import itertools
import pathlib
import shutil
import subprocess
import sys

import numpy as np

import suite
from tflite_case import Model, write_case

RNG = np.random.default_rng(20240607)


def draw(shape, dtype="float32", lo=-2.0, hi=2.0):
    """Random numbers of a type."""
    if dtype == "bool":
        return RNG.integers(0, 2, shape).astype(bool)
    if dtype == "complex64":
        return (RNG.uniform(lo, hi, shape) + 1j * RNG.uniform(lo, hi, shape)).astype(dtype)
    if dtype.startswith("float"):
        return RNG.uniform(lo, hi, shape).astype(dtype)
    return RNG.integers(int(lo), int(hi) + 1, shape).astype(dtype)


class Cases:
    """Writes cases of one operator each."""

    def __init__(self, folder):
        self.folder = folder

    def add(self, name, op, ins, outs, *options, tolerance=0.0, const=(), build=None):
        """ins, outs: arrays. const: which inputs are constants. build(model): makes subgraphs and answers the options."""
        m = Model()
        args, given = [], []
        for i, x in enumerate(ins):
            if i in const:
                args.append(m.const(x))
            else:
                args.append(m.input(x.shape, str(x.dtype)))
                given.append(x)
        results = [m.output(y.shape, str(y.dtype)) for y in outs]
        m.op(op, args, results, *(build(m) if build else options))
        write_case(self.folder / name, m.bytes(), given, outs, tolerance)


def body(m, op, shape=(), dtype="float32", n=2):
    """A subgraph of one operator; its number."""
    g, number = m.subgraph()
    ins = [g.input(shape, dtype) for _ in range(n)]
    g.op(op, ins, [g.output(shape, dtype)])
    return number


def elementwise(c):
    def unary(name, fn, dtype="float32", lo=-2.0, hi=2.0, tolerance=2e-6):
        x = draw([3, 5], dtype, lo, hi)
        y = np.asarray(fn(x.astype(np.float64) if dtype == "float32" else x)).astype(dtype)
        c.add(f"{name.lower()}_{dtype}", "STABLEHLO_" + name, [x], [y], tolerance=tolerance if dtype == "float32" else 0)

    unary("ABS", np.abs)
    unary("ABS", np.abs, "int32", -9, 9)
    unary("CBRT", np.cbrt)
    unary("COSINE", np.cos)
    unary("EXPONENTIAL", np.exp)
    unary("FLOOR", np.floor, lo=-9, hi=9)
    unary("LOG", np.log, lo=0.1)
    unary("LOGISTIC", lambda x: 1 / (1 + np.exp(-x)))
    unary("NEGATE", np.negative)
    unary("NEGATE", np.negative, "int32", -9, 9)
    unary("RSQRT", lambda x: 1 / np.sqrt(x), lo=0.1)
    unary("TANH", np.tanh)

    def binary(name, fn, dtype="float32", lo=-2.0, hi=2.0, tolerance=0.0):
        x, y = draw([3, 4], dtype, lo, hi), draw([3, 4], dtype, lo, hi)
        if dtype.startswith("int"):
            y[y == 0] = 3
        z = fn(x, y).astype(dtype)
        c.add(f"{name.lower()}_{dtype}", "STABLEHLO_" + name, [x, y], [z], tolerance=tolerance)

    binary("ADD", np.add, "complex64")
    binary("DIVIDE", np.divide)
    binary("DIVIDE", lambda x, y: np.trunc(x / y), "int32", -20, 20)
    binary("DIVIDE", np.divide, "complex64", tolerance=1e-6)
    binary("MULTIPLY", np.multiply, "complex64", tolerance=1e-6)
    binary("OR", np.logical_or, "bool")
    binary("OR", np.bitwise_or, "int32", 0, 255)
    binary("POWER", lambda x, y: np.power(x.astype(np.float64), y), lo=0.2, hi=3, tolerance=2e-6)
    binary("POWER", np.power, "int32", 0, 4)
    binary("REMAINDER", np.fmod, lo=-9, hi=9)
    binary("REMAINDER", np.fmod, "int32", -20, 20)
    binary("SUBTRACT", np.subtract)
    binary("SUBTRACT", np.subtract, "int32", -99, 99)
    binary("SUBTRACT", np.subtract, "complex64")
    x = draw([3, 4], "float32", -9, 9)
    for dtype in ("int32", "int8", "float16", "bool"):
        c.add(f"convert_{dtype}", "STABLEHLO_CONVERT", [x], [x.astype(dtype)])
    for shape in ([3, 4], []):
        where = np.asarray(draw(shape, "bool"))
        c.add(f"select_{len(shape)}", "STABLEHLO_SELECT", [where, x, -x], [np.where(where, x, -x)])


def comparisons(c):
    kinds = [np.equal, np.not_equal, np.greater_equal, np.greater, np.less_equal, np.less]
    for direction, fn in enumerate(kinds):
        for dtype, kind in (("float32", 1), ("int32", 3), ("uint8", 4)):
            x, y = draw([4, 6], dtype, 0, 3), draw([4, 6], dtype, 0, 3)
            y[0] = x[0]
            c.add(f"compare_{fn.__name__}_{dtype}", "STABLEHLO_COMPARE", [x, y], [fn(x, y)], direction, kind)
    for dtype, lo, hi in (("float32", [], []), ("int32", [2, 3], [2, 3])):
        x, a, b = draw([2, 3], dtype, -9, 9), draw(lo, dtype, -4, 0), draw(hi, dtype, 1, 4)
        a, b = np.asarray(a, dtype), np.asarray(b, dtype)
        c.add(f"clamp_{dtype}", "STABLEHLO_CLAMP", [a, x, b], [np.minimum(np.maximum(x, a), b)])


def reductions(c):
    for op, fn, dtype, init in (("STABLEHLO_ADD", np.sum, "float32", 0.5), ("ADD", np.sum, "int32", 7),
                                ("STABLEHLO_MULTIPLY", np.prod, "float32", 2.0), ("STABLEHLO_MAXIMUM", np.max, "float32", -9.0),
                                ("STABLEHLO_MINIMUM", np.min, "int32", 50), ("STABLEHLO_AND", np.all, "bool", True),
                                ("STABLEHLO_OR", np.any, "bool", False)):
        x, first = draw([3, 4, 5], dtype, -4, 4), np.asarray(init, dtype)
        join = {np.sum: np.add, np.prod: np.multiply, np.max: np.maximum, np.min: np.minimum, np.all: np.logical_and,
                np.any: np.logical_or}[fn]
        for axes in ((1,), (0, 2), (0, 1, 2)):
            y = np.asarray(join(fn(x, axis=axes), first)).astype(dtype)
            c.add(f"reduce_{op.lower()}_{dtype}_{''.join(map(str, axes))}", "STABLEHLO_REDUCE", [x, first], [y],
                  tolerance=1e-5 if dtype == "float32" else 0, const=(1,),
                  build=lambda m, op=op, axes=axes, dtype=dtype: (list(axes), body(m, op, dtype=dtype)))


def greatest(m):
    """The greater of two values and its number, the lower one of equal values: what an argmax reduces with."""
    g, number = m.subgraph()
    a, i, b, j = (g.input([], t) for t in ("float32", "int32") * 2)
    before, after, same, less = (g.tensor([], "bool") for _ in range(4))
    g.op("STABLEHLO_COMPARE", [a, b], [before], 3, 1)
    g.op("STABLEHLO_COMPARE", [a, b], [same], 0, 1)
    g.op("STABLEHLO_COMPARE", [i, j], [less], 5, 3)
    both, first = g.tensor([], "bool"), g.tensor([], "bool")
    g.op("STABLEHLO_AND", [same, less], [both])
    g.op("STABLEHLO_OR", [before, both], [first])
    g.op("STABLEHLO_SELECT", [first, a, b], [g.output([])])
    g.op("STABLEHLO_SELECT", [first, i, j], [g.output([], "int32")])
    return number


def bodies(c):
    """Reductions and sorts whose bodies are several operators."""
    for axes in ((1,), (2,), (0, 2), (0, 1, 2)):
        x = np.round(draw([3, 4, 5], "float32", -4, 4))
        kept = [k for k in range(3) if k not in axes]
        i = np.arange(60, dtype=np.int32).reshape(3, 4, 5)
        lines = x.transpose(*kept, *axes).reshape([x.shape[k] for k in kept] + [-1])
        at = lines.argmax(-1)[..., None]
        found = np.take_along_axis(i.transpose(*kept, *axes).reshape(lines.shape), at, -1)[..., 0]
        c.add(f"reduce_argmax_{''.join(map(str, axes))}", "STABLEHLO_REDUCE",
              [x, i, np.asarray(-np.inf, np.float32), np.asarray(-1, np.int32)],
              [np.asarray(lines.max(-1)), np.asarray(found)], build=lambda m, axes=axes: (list(axes), greatest(m)), const=(2, 3))
    x = draw([3, 6], "int32", 0, 255)
    c.add("reduce_bits", "STABLEHLO_REDUCE", [x, np.asarray(-1, np.int32)], [np.bitwise_and.reduce(x, 1)],
          build=lambda m: ([1], body(m, "STABLEHLO_AND", dtype="int32")), const=(1,))

    def two_keys(m, axis):
        g, number = m.subgraph()
        a, b, u, v = (g.input([], t) for t in ("int32", "int32", "float32", "float32"))
        g.input([], "int8"), g.input([], "int8")
        less, same, greater, both = (g.tensor([], "bool") for _ in range(4))
        g.op("STABLEHLO_COMPARE", [a, b], [less], 5, 3)
        g.op("STABLEHLO_COMPARE", [a, b], [same], 0, 3)
        g.op("STABLEHLO_COMPARE", [u, v], [greater], 3, 1)
        g.op("STABLEHLO_AND", [same, greater], [both])
        g.op("STABLEHLO_OR", [less, both], [g.output([], "bool")])
        return axis, 1, number

    for axis in (0, 1, 2, -1):
        keys = draw([3, 7, 4], "int32", 0, 2), np.round(draw([3, 7, 4])), draw([3, 7, 4], "int8", -99, 99)
        order = np.lexsort((-keys[1], keys[0]), axis=axis)
        c.add(f"sort_two_keys_{axis}", "STABLEHLO_SORT", list(keys), [np.take_along_axis(k, order, axis) for k in keys],
              build=lambda m, axis=axis: two_keys(m, axis))


def dots(c):
    letters = "abcdefgh"
    for name, left, right, out in (("matrices", "ab", "bc", "ac"), ("vectors", "a", "a", ""), ("outer", "a", "b", "ab"),
                                   ("batch", "abc", "acd", "abd"), ("batch_last", "bca", "dca", "abd"),
                                   ("two_sums", "abcd", "dbe", "ace"), ("many_free", "abc", "cde", "abde"),
                                   ("two_batches", "cabd", "dbea", "abce")):
        size = dict(zip(letters, (2, 3, 4, 5, 6, 7, 8, 9)))
        sums = [k for k in left if k in right and k not in out]
        batch = [k for k in out if k in left and k in right]
        options = [[left.index(k) for k in batch], [right.index(k) for k in batch], [left.index(k) for k in sums],
                   [right.index(k) for k in sums]]
        for dtype in ("float32", "int32"):
            x, y = draw([size[k] for k in left], dtype, -3, 3), draw([size[k] for k in right], dtype, -3, 3)
            z = np.einsum(f"{left},{right}->{out}", x, y).astype(dtype)
            c.add(f"dot_general_{name}_{dtype}", "STABLEHLO_DOT_GENERAL", [x, y], [np.asarray(z)], *options,
                  tolerance=1e-5 if dtype == "float32" else 0, const=(1,) if name == "matrices" else ())
    x, y = draw([4, 3], "int8", -99, 99), draw([4, 2], "int8", -99, 99)
    c.add("dot_general_int8_to_int32", "STABLEHLO_DOT_GENERAL", [x, y], [x.astype(np.int32).T @ y.astype(np.int32)],
          [], [], [0], [0])


def convolve(x, w, stride, pads, base, dilation, reverse, groups):
    """x: [n][spatial...][c], w: [o][spatial...][c / groups]; by the specification, element by element."""
    n, rank = x.shape[0], len(stride)
    wide = np.zeros([n, *[(d - 1) * b + 1 for d, b in zip(x.shape[1:-1], base)], x.shape[-1]])
    wide[(slice(None), *[slice(None, None, b) for b in base])] = x
    lo, hi = [p[0] for p in pads], [p[1] for p in pads]
    wide = np.pad(wide, [(0, 0), *[(max(a, 0), max(b, 0)) for a, b in pads], (0, 0)])
    wide = wide[(slice(None), *[slice(max(-a, 0), s - max(-b, 0)) for a, b, s in zip(lo, hi, wide.shape[1:])])]
    taps = w[(slice(None), *[slice(None, None, -1 if r else 1) for r in reverse])]
    k = w.shape[1:-1]
    out = [(wide.shape[1 + i] - (k[i] - 1) * dilation[i] - 1) // stride[i] + 1 for i in range(rank)]
    y = np.zeros([n, *out, w.shape[0]])
    each_in, each_out = x.shape[-1] // groups, w.shape[0] // groups
    for at in itertools.product(*map(range, out)):
        for tap in itertools.product(*map(range, k)):
            seen = wide[(slice(None), *[a * s + t * d for a, s, t, d in zip(at, stride, tap, dilation)])]
            for g in range(groups):
                o = slice(g * each_out, (g + 1) * each_out)
                y[(slice(None), *at, o)] += seen[:, g * each_in:(g + 1) * each_in] @ taps[(o, *tap)].T
    return y.astype(np.float32)


def convolutions(c):
    plain = {"stride": (1, 1), "pads": ((0, 0), (0, 0)), "base": (1, 1), "dilation": (1, 1), "reverse": (0, 0), "groups": 1}
    for name, change in (("plain", {}), ("strides_pads", {"stride": (2, 1), "pads": ((1, 2), (0, 1))}),
                         ("dilated", {"dilation": (2, 1)}), ("groups", {"groups": 2}), ("reversed", {"reverse": (1, 0)}),
                         ("input_dilated", {"base": (2, 3), "pads": ((2, 1), (1, 2)), "reverse": (1, 1)}),
                         ("cut", {"pads": ((-1, 0), (1, -2))})):
        a = plain | change
        x, w = draw([2, 7, 6, 4]), draw([6, 3, 2, 4 // a["groups"]])
        y = convolve(x, w, **a)
        for order, px, pw, py in (("nhwc_hwio", (0, 1, 2, 3), (1, 2, 3, 0), (0, 1, 2, 3)),
                                  ("nchw_oihw", (0, 3, 1, 2), (0, 3, 1, 2), (0, 3, 1, 2)),
                                  ("mixed", (1, 0, 3, 2), (2, 0, 3, 1), (3, 2, 0, 1))):
            at = [[p.index(i) for i in range(4)] for p in (px, pw, py)]  # where n, h, w, c stand
            options = [a["stride"], np.ravel(a["pads"]), a["base"], a["dilation"], a["reverse"],
                       at[0][0], at[0][3], at[0][1:3], at[1][3], at[1][0], at[1][1:3], at[2][0], at[2][3], at[2][1:3],
                       a["groups"], 1]
            c.add(f"convolution_{name}_{order}", "STABLEHLO_CONVOLUTION", [x.transpose(px), w.transpose(pw)],
                  [y.transpose(py)], *options, tolerance=1e-5, const=(1,) if order != "mixed" else ())


def control(c):
    x = draw([2, 3])

    def branches(m):
        numbers = []
        for op in ("ABS", "NEG", "SQUARE", "FLOOR"):
            g, number = m.subgraph()
            g.op(op, [g.input([2, 3])], [g.output([2, 3])])
            numbers.append(number)
        return [numbers]

    for index, fn in ((0, np.abs), (1, np.negative), (2, np.square), (3, np.floor), (7, np.floor), (-1, np.floor)):
        c.add(f"case_{index}", "STABLEHLO_CASE", [np.asarray(index, np.int32), x], [fn(x)], build=branches)

    def one(m):
        g, number = m.subgraph()
        g.op("NEG", [g.input([2, 3])], [g.output([2, 3])])
        return [[number]]

    def called(m):
        g, number = m.subgraph()
        g.op("NEG", [g.input([2, 3])], [g.output([2, 3])])
        return [number]

    c.add("call", "CALL", [x], [-x], build=called)
    c.add("case_of_one", "STABLEHLO_CASE", [np.asarray(5, np.int32), x], [-x], build=one)

    def loop(m):
        cond, first = m.subgraph()
        i = cond.input([], "int32")
        cond.input([2, 3])
        cond.op("STABLEHLO_COMPARE", [i, cond.const(np.asarray(4, np.int32))], [cond.output([], "bool")], 5, 3)
        g, second = m.subgraph()
        i, v = g.input([], "int32"), g.input([2, 3])
        g.op("STABLEHLO_ADD", [i, g.const(np.asarray(1, np.int32))], [g.output([], "int32")])
        g.op("STABLEHLO_ADD", [v, v], [g.output([2, 3])])
        return [first, second]

    c.add("while", "STABLEHLO_WHILE", [np.asarray(1, np.int32), x], [np.asarray(4, np.int32), x * 8], build=loop)


def moves(c):
    for dtype in ("float32", "int8", "int64", "bool"):
        x, y = draw([2, 3, 4], dtype, -50, 50), draw([2, 5, 4], dtype, -50, 50)
        c.add(f"concatenate_{dtype}", "STABLEHLO_CONCATENATE", [x, y, x], [np.concatenate([x, y, x], 1)], 1)
        c.add(f"reshape_{dtype}", "STABLEHLO_RESHAPE", [x], [x.reshape(4, 6)])
        c.add(f"transpose_{dtype}", "STABLEHLO_TRANSPOSE", [x], [x.transpose(2, 0, 1)], [2, 0, 1])
        c.add(f"slice_{dtype}", "STABLEHLO_SLICE", [x], [x[1:2, 0:3:2, 1:4:3]], [1, 0, 1], [2, 3, 4], [1, 2, 3])
    x = draw([2, 3])
    for name, given, at, to in (("behind", x, [2, 3], [4, 5, 2, 3]), ("front", x, [0, 1], [2, 3, 4]), ("turned", x, [2, 0], [3, 4, 2]),
                                ("ones", x[:, :1], [0, 1], [2, 6]), ("scalar", x[0, 0], [], [2, 3]), ("same", x, [0, 1], [2, 3])):
        order = np.argsort(at)
        wide = np.expand_dims(np.transpose(given, order), [i for i in range(len(to)) if i not in at])
        c.add(f"broadcast_in_dim_{name}", "STABLEHLO_BROADCAST_IN_DIM", [np.asarray(given)], [np.broadcast_to(wide, to).copy()], at)
    for dtype in ("int32", "float32", "int8", "uint8", "float16"):
        for axis, shape in ((0, [5]), (1, [2, 3, 4]), (2, [2, 3, 4])):
            y = np.broadcast_to(np.arange(shape[axis]).reshape([-1] + [1] * (len(shape) - axis - 1)), shape).astype(dtype)
            c.add(f"iota_{dtype}_{axis}", "STABLEHLO_IOTA", [], [y], axis)
    x, u = draw([4, 5]), draw([2, 3])
    for name, at in (("inside", (1, 2)), ("past", (3, 9)), ("before", (-2, -1))):
        starts = [np.asarray(v, np.int32) for v in at]
        i, j = np.clip(at[0], 0, 2), np.clip(at[1], 0, 2)
        c.add(f"dynamic_slice_{name}", "STABLEHLO_DYNAMIC_SLICE", [x, *starts], [x[i:i + 2, j:j + 3]], [2, 3])
        y = x.copy()
        y[i:i + 2, j:j + 3] = u
        c.add(f"dynamic_update_slice_{name}", "STABLEHLO_DYNAMIC_UPDATE_SLICE", [x, u, *starts], [y])
    x, v = draw([3, 4], "int32", -9, 9), np.asarray(7, np.int32)
    wide = np.full([3, 10], 7, np.int32)
    wide[:, ::3] = x
    c.add("pad_inner", "STABLEHLO_PAD", [x, v], [wide], [0, 0], [0, 0], [0, 2])
    c.add("pad_cut", "STABLEHLO_PAD", [x, v], [np.pad(wide[1:, 2:], [(0, 1), (0, 2)], constant_values=7)], [-1, -2], [1, 2], [0, 2])


def indexed(c):
    x = draw([4, 5, 3])
    i = np.asarray([[1, 0], [9, 2], [-3, 4]], np.int32)  # starts are moved inside
    y = np.stack([x[np.clip(a, 0, 2):][:2, np.clip(b, 0, 4)] for a, b in i])
    c.add("gather_clamped", "STABLEHLO_GATHER", [x, i], [y], [1, 2], [1], [0, 1], 1, [2, 1, 3], 0)
    rows = np.asarray([3, 0, 3], np.int64)  # a number each
    c.add("gather_scalars", "STABLEHLO_GATHER", [x, rows], [x[rows]], [1, 2], [0], [0], 1, [1, 5, 3], 0)
    for op, fn in (("ADD", np.add), ("MULTIPLY", np.multiply), ("MAXIMUM", np.maximum), (None, lambda a, b: b)):
        x, i, u = draw([4, 3]), np.asarray([[2], [0], [7], [-1], [2]], np.int32), draw([5, 3])
        y = x.copy()
        for (k,), row in zip(i, u):
            if 0 <= k < 4:  # others are left out
                y[k] = fn(y[k], row)

        def build(m, op=op):
            if op:
                return 0, [1], [0], [0], 1, 0, body(m, "STABLEHLO_" + op)
            g, number = m.subgraph()
            g.input([]), g.outs.append(g.input([]))
            return 0, [1], [0], [0], 1, 0, number

        c.add(f"scatter_{op}", "STABLEHLO_SCATTER", [x, i, u], [y], build=build, tolerance=1e-6)
    u, i = draw([2, 3]), np.asarray([3, -1], np.int32)  # a window of which only a part lies inside
    y = x.copy()
    y[3:, :2] += u[:1, 1:]
    c.add("scatter_window_cut", "STABLEHLO_SCATTER", [x, i, u], [y], tolerance=1e-6,
          build=lambda m: (0, [0, 1], [], [0, 1], 0, 0, body(m, "STABLEHLO_ADD")))


def sorts(c):
    for dtype, kind in (("float32", 1), ("int32", 3), ("uint8", 4)):
        for axis in (0, 1):
            for name, direction, swap in (("less", 5, False), ("greater", 3, False), ("turned", 3, True)):
                key, other = draw([4, 6], dtype, 0, 5), np.arange(24, dtype=np.int32).reshape(4, 6)
                rising = name != "greater"
                order = np.argsort(key if rising else -key.astype(np.float64), axis=axis, kind="stable")

                def build(m, axis=axis, direction=direction, swap=swap, dtype=dtype, kind=kind):
                    g, number = m.subgraph()
                    a, b = g.input([], dtype), g.input([], dtype)
                    g.input([], "int32"), g.input([], "int32")
                    g.op("STABLEHLO_COMPARE", [b, a] if swap else [a, b], [g.output([], "bool")], direction, kind)
                    return axis, 1, number

                c.add(f"sort_{name}_{dtype}_{axis}", "STABLEHLO_SORT", [key, other],
                      [np.take_along_axis(v, order, axis) for v in (key, other)], build=build)


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    for write in (elementwise, comparisons, reductions, dots, convolutions, control, moves, indexed, sorts, bodies):
        write(Cases(folder))
    status = suite.check(folder, sys.argv[2], [], refuse=False)
    sweep = "".join(sys.argv[3:])
    for kind in ("case_3", "clamp_float32", "compare_equal_int32", "convolution_input_dilated_mixed", "convolution_plain_nchw_oihw",
                 "dot_general_two_sums_float32", "reduce_add_int32_02", "reduce_argmax_02", "sort_two_keys_1", "while"):
        if sweep and subprocess.run([sweep, folder / kind / "model.tflite"]).returncode:
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
