# SPDX-License-Identifier: Apache-2.0
"""Every TFLite operator of one or two values in every type, quantised and not: tflite_types.py FOLDER WHET

What LiteRT runs, whet must run with the same result; integers exactly."""
import pathlib
import shutil
import subprocess
import sys

import numpy as np

import suite
from tflite_case import TYPES, write_case
from tflite_draw import RANGE, Draw
from tflite_file import byte
from tflite_fuzz import FIXED, litert

KINDS = [t for t in TYPES if t not in ("int4", "int2")]
# Where LiteRT's own answer means nothing: its kernel reads other types than the tensors have, or what it does is not defined in C.
SMALL = "u?int8|int16"
SCALED = ("EQUAL|NOT_EQUAL|ADD|SUB|MUL|DIV|MEAN|SUM|PRELU|RELU|RELU6|RELU_0_TO_1|RELU_N1_TO_1|AVERAGE_POOL_2D|L2_POOL_2D|ELU|EXP|LOG|SQRT|RSQRT|ABS|NEG|GELU|"
          "HARD_SWISH|LEAKY_RELU|LOGISTIC|TANH|SOFTMAX|LOG_SOFTMAX|L2_NORMALIZATION|SQUARED_DIFFERENCE|REDUCE_PROD|RESIZE_BILINEAR")
EXPLAINED = {
    rf"^({SCALED})_({SMALL})$": "without a scale: LiteRT takes it for 0",
    r"^FAKE_QUANT_(?!float32)": "the kernel reads floats whatever the tensor holds",
    r"^MATRIX_(SET_)?DIAG_(bool|float16|uint16)$": "the kernel leaves other types' elements as they were",
    r"^SUM_int8_q$": "the reference kernel reads it as uint8",
    r"^LOCAL_RESPONSE_NORMALIZATION_": "the reference kernel leaves the last channel of a window out",
    r"^PRELU_int16_q$": "products that saturate get the other sign",
}

UNARY = """ABS CEIL FLOOR ROUND COS SIN EXP LOG NEG RSQRT SQRT SQUARE ELU HARD_SWISH LOGISTIC TANH RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 SIGN
LOGICAL_NOT ZEROS_LIKE GELU LEAKY_RELU L2_NORMALIZATION LOG_SOFTMAX SOFTMAX FAKE_QUANT""".split()
BINARY = """ADD SUB MUL DIV MAXIMUM MINIMUM POW FLOOR_DIV FLOOR_MOD SQUARED_DIFFERENCE ATAN2 BITWISE_XOR RIGHT_SHIFT LOGICAL_AND LOGICAL_OR
PRELU BROADCAST_ARGS""".split()
COMPARE = "EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL".split()
REDUCE = "SUM MEAN REDUCE_PROD REDUCE_MAX REDUCE_MIN REDUCE_ANY REDUCE_ALL".split()
OPTIONS = {"SOFTMAX": (1.0,), "LEAKY_RELU": (0.25,), "FAKE_QUANT": (-1.0, 2.0, 8, False), "GELU": (False,)}

# name: function(draw, type, quantisation); inputs are [2, 3, 4] unless it matters.
MOVES = {}


def move(f):
    MOVES[f.__name__.upper()] = f
    return f


def x_of(d, t, q, shape=(2, 3, 4)):
    return d.input(list(shape), t, q)


def out(d, t, q, shape):
    return d.m.output(list(shape), t, **q)


def simple(name, shape, to, *more, options=(), **kw):
    """An operator that moves elements of its first input; more: arrays of constants."""
    def build(d, t, q):
        ins = [x_of(d, t, q, shape)] + [d.ints(c, kw.get("index", "int32")) for c in more]
        d.m.op(name, ins, [out(d, t, q, to)], *options, version=kw.get("version", 1))
    MOVES[name] = build


simple("RESHAPE", (2, 3, 4), (6, 4), [6, 4])
simple("TRANSPOSE", (2, 3, 4), (4, 2, 3), [2, 0, 1])
simple("SLICE", (2, 3, 4), (1, 2, 2), [1, 1, 1], [1, 2, 2])
simple("STRIDED_SLICE", (2, 3, 4), (1, 2, 2), [0, 0, 1], [1, 3, 4], [1, 2, 2], options=(0, 0, 0, 0, 0, False))
simple("PAD", (2, 3, 4), (3, 3, 7), [[1, 0], [0, 0], [1, 2]])
simple("MIRROR_PAD", (2, 3, 4), (2, 5, 4), [[0, 0], [1, 1], [0, 0]], options=(0,))
simple("TILE", (2, 3, 4), (4, 3, 4), [2, 1, 1])
simple("GATHER", (2, 3, 4), (2, 2, 4), [2, 0], options=(1, 0))
simple("GATHER_ND", (2, 3, 4), (2, 4), [[1, 2], [0, 0]])
simple("EXPAND_DIMS", (2, 3), (2, 1, 3), 1)
simple("SQUEEZE", (2, 1, 3), (2, 3), options=([1],))
simple("REVERSE_V2", (2, 3, 4), (2, 3, 4), [1])
simple("REVERSE_SEQUENCE", (3, 4, 2), (3, 4, 2), [1, 4, 3], options=(1, 0))
simple("SPACE_TO_DEPTH", (1, 4, 4, 2), (1, 2, 2, 8), options=(2,))
simple("DEPTH_TO_SPACE", (1, 2, 2, 8), (1, 4, 4, 2), options=(2,))
simple("SPACE_TO_BATCH_ND", (1, 4, 4, 2), (4, 2, 2, 2), [2, 2], [[0, 0], [0, 0]])
simple("BATCH_TO_SPACE_ND", (4, 2, 2, 2), (1, 4, 4, 2), [2, 2], [[0, 0], [0, 0]])
simple("BROADCAST_TO", (3, 1), (2, 3, 4), [2, 3, 4])
simple("CUMSUM", (2, 3, 4), (2, 3, 4), 1, options=(False, False))
simple("MATRIX_DIAG", (2, 3), (2, 3, 3))
simple("SEGMENT_SUM", (4, 2), (3, 2), [0, 0, 1, 2])
for name in ("PROD", "MAX", "MIN", "SUM"):
    simple(f"UNSORTED_SEGMENT_{name}", (4, 2), (3, 2), [0, 2, 1, 2], 3)
simple("RESIZE_NEAREST_NEIGHBOR", (1, 2, 3, 2), (1, 4, 6, 2), [4, 6], options=(False, False))
simple("RESIZE_BILINEAR", (1, 2, 3, 2), (1, 4, 6, 2), [4, 6], options=(False, False))
simple("MAX_POOL_2D", (1, 4, 4, 3), (1, 2, 2, 3), options=(1, 2, 2, 2, 2, 0))
simple("AVERAGE_POOL_2D", (1, 4, 4, 3), (1, 2, 2, 3), options=(1, 2, 2, 2, 2, 0))
simple("L2_POOL_2D", (1, 4, 4, 3), (1, 2, 2, 3), options=(1, 2, 2, 2, 2, 0))
simple("LOCAL_RESPONSE_NORMALIZATION", (1, 2, 2, 4), (1, 2, 2, 4), options=(1, 1.0, 0.5, 0.5))


@move
def padv2(d, t, q):
    d.m.op("PADV2", [x_of(d, t, q), d.ints([[1, 0], [0, 0], [1, 2]]), d.input([], t, q)], [out(d, t, q, (3, 3, 7))])


@move
def concatenation(d, t, q):
    d.m.op("CONCATENATION", [x_of(d, t, q), x_of(d, t, q)], [out(d, t, q, (2, 6, 4))], 1, 0)


@move
def pack(d, t, q):
    d.m.op("PACK", [x_of(d, t, q), x_of(d, t, q)], [out(d, t, q, (2, 2, 3, 4))], 2, 0)


@move
def unpack(d, t, q):
    d.m.op("UNPACK", [x_of(d, t, q)], [out(d, t, q, (3, 4)) for _ in range(2)], 2, 0)


@move
def split(d, t, q):
    d.m.op("SPLIT", [d.ints(2), x_of(d, t, q)], [out(d, t, q, (2, 3, 2)) for _ in range(2)], 2)


@move
def split_v(d, t, q):
    d.m.op("SPLIT_V", [x_of(d, t, q), d.ints([1, 3]), d.ints(2)], [out(d, t, q, (2, 3, n)) for n in (1, 3)], 2)


@move
def select(d, t, q):
    d.m.op("SELECT", [d.input([2, 3, 4], "bool"), x_of(d, t, q), x_of(d, t, q)], [out(d, t, q, (2, 3, 4))])


@move
def select_v2(d, t, q):
    d.m.op("SELECT_V2", [d.input([3, 1], "bool"), x_of(d, t, q), d.input([4], t, q)], [out(d, t, q, (2, 3, 4))])


@move
def where(d, t, q):
    d.m.op("WHERE", [x_of(d, t, q)], [d.m.output([-1, 3], "int64")])


@move
def one_hot(d, t, q):
    d.m.op("ONE_HOT", [d.ints([1, 0, 2]), d.ints(4), d.input([], t, q), d.input([], t, q)], [out(d, t, q, (3, 4))], -1)


@move
def fill(d, t, q):
    d.m.op("FILL", [d.ints([2, 3]), d.input([], t, q)], [out(d, t, q, (2, 3))])


@move
def range_of(d, t, q):
    ends = [d.m.const(np.asarray(v).astype(t), t, **q) for v in (1, 11, 3)]
    d.m.op("RANGE", ends, [out(d, t, q, (4,))])


@move
def scatter_nd(d, t, q):
    d.m.op("SCATTER_ND", [d.ints([[1], [3], [1]]), d.input([3, 2], t, q), d.ints([4, 2])], [out(d, t, q, (4, 2))])


@move
def sparse_to_dense(d, t, q):
    d.m.op("SPARSE_TO_DENSE", [d.ints([[0, 1], [2, 3]]), d.ints([3, 4]), d.input([2], t, q), d.input([], t, q)], [out(d, t, q, (3, 4))], False)


@move
def unique(d, t, q):
    d.m.op("UNIQUE", [d.input([6], t, q, data=np.array([1, 3, 1, 0, 3, 2]).astype(t))], [out(d, t, q, (-1,)), d.m.output([6], "int32")], 2)


@move
def matrix_set_diag(d, t, q):
    d.m.op("MATRIX_SET_DIAG", [d.input([2, 3, 3], t, q), d.input([2, 3], t, q)], [out(d, t, q, (2, 3, 3))])


@move
def dynamic_update_slice(d, t, q):
    d.m.op("DYNAMIC_UPDATE_SLICE", [x_of(d, t, q), d.input([1, 2, 2], t, q), d.ints([1, 1, 2])], [out(d, t, q, (2, 3, 4))])


@move
def add_n(d, t, q):
    d.m.op("ADD_N", [x_of(d, t, q) for _ in range(3)], [out(d, t, q, (2, 3, 4))])


@move
def embedding_lookup(d, t, q):
    d.m.op("EMBEDDING_LOOKUP", [d.ints([1, 0, 2]), d.m.const(d.data([3, 4], t), t, **q)], [out(d, t, q, (3, 4))])


@move
def topk_v2(d, t, q):
    x = d.input([2, 6], t, q, data=d.rng.permutation(12).reshape(2, 6).astype(t))
    d.m.op("TOPK_V2", [x, d.ints(3)], [out(d, t, q, (2, 3)), d.m.output([2, 3], "int32")])


@move
def shape(d, t, q):
    d.m.op("SHAPE", [x_of(d, t, q)], [d.m.output([3], "int32")], TYPES["int32"])


@move
def rank(d, t, q):
    d.m.op("RANK", [x_of(d, t, q)], [d.m.output([], "int32")])


@move
def bucketize(d, t, q):
    d.m.op("BUCKETIZE", [x_of(d, t, q)], [d.m.output([2, 3, 4], "int32")], np.float32([-1, 0, 2.5]))


@move
def dilate(d, t, q):
    d.m.op("DILATE", [d.input([2, 3], t, q), d.ints([2, 3]), d.input([], t, q)], [out(d, t, q, (3, 7))])


def best(op, to, at):
    def build(d, t, q):
        d.m.op(op, [d.input([3, 7], t, q), d.ints(1, at)], [d.m.output([3], to)], TYPES[to])
    return build


for op in ("ARG_MAX", "ARG_MIN"):
    for to in ("int32", "int64"):
        for at in ("int32", "int64"):
            MOVES[f"{op}_{to}_by_{at}"] = best(op, to, at)


def weights(d, shape, t):
    """Quantised weights: old files say uint8 for what is int8."""
    return d.m.const(d.rng.integers(-127, 128, shape).astype(np.int8).view(t), t, scale=0.01)


def floats(d, n):
    return d.m.const(d.rng.normal(0, 0.3, n).astype(np.float32))


def state(d, shape):
    at = d.m.tensor(list(shape))
    d.m.tensors[at][5] = byte(1)
    return at


def rnn(d, t):
    d.m.op("RNN", [d.input([2, 5], "float32"), weights(d, (4, 5), t), weights(d, (4, 4), t), floats(d, 4), state(d, (2, 4))],
           [d.m.output([2, 4])], 4, False)


def sequence_rnn(d, t):
    d.m.op("UNIDIRECTIONAL_SEQUENCE_RNN", [d.input([3, 2, 5], "float32"), weights(d, (4, 5), t), weights(d, (4, 4), t), floats(d, 4),
                                           state(d, (2, 4))], [d.m.output([3, 2, 4])], True, 4, False)


def svdf(d, t):
    d.m.op("SVDF", [d.input([2, 3], "float32"), weights(d, (8, 3), t), weights(d, (8, 5), t), floats(d, 4), state(d, (2, 40))],
           [d.m.output([2, 4])], 2, 1, False)


def sequence_lstm(d, t):
    ins = [d.input([3, 2, 5], "float32"), *(weights(d, (4, 5), t) for _ in range(4)), *(weights(d, (4, 4), t) for _ in range(4)),
           -1, -1, -1, *(floats(d, 4) for _ in range(4)), -1, -1, state(d, (2, 4)), state(d, (2, 4)), -1, -1, -1, -1]
    d.m.op("UNIDIRECTIONAL_SEQUENCE_LSTM", ins, [d.m.output([3, 2, 4])], 4, 0.0, 0.0, True, False)


def cast(a, b):
    """From values of both signs, and beyond the other type where C defines what happens."""
    def build(d):
        wide = [-300, -129, -128.75, -2.5, -1, -0.25, 0, 0.75, 1, 100.5, 127, 128, 200, 255, 256, 40000]
        v = np.array(wide)
        v = v.astype(a) if not a.startswith("u") and a != "bool" else np.abs(v).astype(a)
        if a.startswith("float") and "int" in b:
            v = np.concatenate([v, np.array([-5e9, 5e9, -1e19, 1e19, 2e19, np.nan, np.inf, -np.inf]).astype(a)])
        d.m.op("CAST", [d.input([len(v)], a, data=v)], [d.m.output([len(v)], b)], TYPES[a], TYPES[b], version=7)
    return build


def jobs():
    """(name, tolerance, function(draw))"""
    for t in KINDS:
        for quantised in (False, True) if t in RANGE else (False,):
            tag = f"{t}{'_q' if quantised else ''}"
            q = {"scale": 0.05, "zero": {"int8": -3, "uint8": 120, "int16": 0}[t]} if quantised else {}
            for op in UNARY:
                def build(d, op=op, t=t, q=q):
                    o = q
                    if q and (op, t) in FIXED:
                        o = dict(zip(("scale", "zero"), FIXED[op, t]))
                    low = 0.1 if op in ("LOG", "SQRT", "RSQRT") else None
                    d.m.op(op, [d.input([2, 3, 4], t, q, lo=None if q or not t.startswith("float") else low)], [out(d, t, o, (2, 3, 4))],
                           *OPTIONS.get(op, ()))
                yield f"{op}_{tag}", 3e-6, build
            for op in BINARY:
                def build(d, op=op, t=t, q=q):
                    low = 1 if op in ("FLOOR_DIV", "FLOOR_MOD", "RIGHT_SHIFT") or (op in ("DIV", "POW") and not q) else None
                    a = d.input([2, 3, 4], t, q, lo=low, hi=low and 3)
                    b = d.input([1, 1, 4] if op == "PRELU" else [2, 3, 4], t, q, lo=low, hi=low and 3)
                    if op == "BROADCAST_ARGS":
                        a, b = (d.m.const(np.array(v).astype(t), t) for v in ([2, 1, 4], [3, 1]))
                        d.m.op(op, [a, b], [out(d, t, q, (3,))])
                    else:
                        d.m.op(op, [a, b], [out(d, t, q, (2, 3, 4))])
                yield f"{op}_{tag}", 3e-6, build
            for op in COMPARE:
                def build(d, op=op, t=t, q=q):
                    d.m.op(op, [d.input([2, 3, 4], t, q, hi=2), d.input([2, 3, 4], t, q, hi=2)], [d.m.output([2, 3, 4], "bool")])
                yield f"{op}_{tag}", 0, build
            for op in REDUCE:
                def build(d, op=op, t=t, q=q):
                    d.m.op(op, [d.input([2, 3, 4], t, q), d.ints([1])], [out(d, t, q, (2, 4))], False)
                yield f"{op}_{tag}", 3e-6, build
            for name, f in MOVES.items():
                yield f"{name}_{tag}", 3e-6, lambda d, f=f, t=t, q=q: f(d, t, q)
    for t in ("int8", "uint8"):
        for f in (rnn, sequence_rnn, svdf, sequence_lstm):
            yield f"hybrid_{f.__name__}_{t}", 3e-6, lambda d, f=f, t=t: f(d, t)
    for a in KINDS:
        for b in KINDS:
            yield f"CAST_{a}_to_{b}", 0, cast(a, b)


def make(folder, first):
    for i, (name, tolerance, build) in enumerate(jobs()):
        if i < first:
            continue
        (folder / "log").write_text(f"{i} {name}\n")
        d = Draw(np.random.default_rng(i))
        try:
            build(d)
        except (ValueError, TypeError, KeyError, OverflowError):
            continue
        for version in (8, 7, 6, 5, 4, 3, 2, 1):  # the newest that there is
            d.m.codes[0] = (*d.m.codes[0][:2], version)
            model = d.m.bytes()
            answer = litert(model, d.given)
            if answer is not None:
                whole = all(a.dtype.kind in "iub" for a in answer)
                half = any(a.dtype == np.float16 for a in answer)
                write_case(folder / name, model, d.given, answer, 0.0 if whole else 1e-3 if half else tolerance)
                break


def main():
    if sys.argv[1] == "make":
        return make(pathlib.Path(sys.argv[2]), int(sys.argv[3]))
    folder, whet = pathlib.Path(sys.argv[1]), sys.argv[2]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "log").write_text("-1 -")
    while True:  # LiteRT may die of a model: the next process goes on behind it
        first = int((folder / "log").read_text().split()[0]) + 1
        run = subprocess.run([sys.executable, __file__, "make", folder, str(first)], capture_output=True, text=True)
        if run.returncode == 0:
            break
        if run.returncode > 0:
            sys.exit(run.stderr[-2000:])
        print(f"LiteRT died of {(folder / 'log').read_text().split()[1]}")
    return suite.check(folder, whet, [], ignore="|".join(EXPLAINED) or None, refuse=False)


if __name__ == "__main__":
    sys.exit(main())
