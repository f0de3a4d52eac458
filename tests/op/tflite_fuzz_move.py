# SPDX-License-Identifier: Apache-2.0
"""Families of tflite_fuzz.py: operators that move elements."""
import numpy as np

MOVED = ["float32", "int8", "uint8", "int16", "int32", "int64", "bool"]


def move(d):
    op = d.pick("RESHAPE", "TRANSPOSE", "SLICE", "STRIDED_SLICE", "PAD", "PADV2", "MIRROR_PAD", "CONCATENATION", "PACK", "UNPACK", "SPLIT", "SPLIT_V",
                "GATHER", "TILE", "BROADCAST_TO", "EXPAND_DIMS", "SQUEEZE", "SELECT", "SELECT_V2", "ONE_HOT", "REVERSE_V2", "DEPTH_TO_SPACE",
                "SPACE_TO_DEPTH", "FILL", "GATHER_ND", "SCATTER_ND", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND", "REVERSE_SEQUENCE",
                "DYNAMIC_UPDATE_SLICE", "SHAPE", "RANK", "RANGE", "WHERE", "MATRIX_DIAG", "MATRIX_SET_DIAG", "UNIQUE", "SEGMENT_SUM")
    dtype = d.pick(*MOVED, "uint32", "float16", "uint16")
    if op in ("MATRIX_DIAG", "MATRIX_SET_DIAG"):  # LiteRT reads other types as floats, past their ends
        dtype = d.pick("float32", "int8", "uint8", "int16", "int32", "int64")
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


FAMILIES = [move, move, move, move]
