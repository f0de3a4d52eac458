# SPDX-License-Identifier: Apache-2.0
"""Families of tflite_fuzz.py: operators that index data, look things up, or cut and join by StableHLO's rules. Each draws one
case with the Draw that it is given."""
import numpy as np


def segments(d):
    op = d.pick("UNSORTED_SEGMENT_SUM", "UNSORTED_SEGMENT_PROD", "UNSORTED_SEGMENT_MAX", "UNSORTED_SEGMENT_MIN")
    dtype, shape, count = d.pick("float32", "int32"), d.shape(d.size(1, 4), 4), d.size(1, 5)
    lead = d.size(1, len(shape))
    lo, hi = (-2, 2) if op.endswith("PROD") else (None, None)
    x, ids = d.input(shape, dtype, None, lo, hi), d.input(shape[:lead], "int32", None, -1, count - 1)
    d.done(f"{op}_{dtype}", op, [x, ids, d.ints(count)], [d.m.output([count, *shape[lead:]], dtype)],
           tolerance=1e-6 if dtype == "float32" else 0)


def embeddings(d):
    table, n = d.shape(d.size(2, 3)), d.size()
    kind = d.pick("float32", "int8", "int8", "int4", "uint8")
    ids = d.input([n], "int32", None, 0, table[0] - 1)
    if kind == "float32":
        t = d.m.const(d.data(table, kind))
    else:
        if kind == "int4":
            table[-1] *= 2
        lim = {"int8": 127, "int4": 7, "uint8": 127}[kind]
        each = d.chance() and kind != "uint8"
        scale = d.rng.uniform(0.01, 0.2, table[0] if each else 1).astype(np.float32)
        t = d.m.tensor(table, kind, d.rng.integers(0 if kind == "uint8" else -lim, lim + 1, table).astype(np.int8), scale=scale)
    d.done(f"EMBEDDING_LOOKUP_{kind}", "EMBEDDING_LOOKUP", [ids, t], [d.m.output([n, *table[1:]])], version=4)


def sparse_embeddings(d):
    table, shape = d.shape(d.size(1, 3)), d.shape(d.size(1, 3), 4)
    rows = np.sort(d.rng.integers(0, int(np.prod(shape[:-1])), d.size(1, 8)))
    at = np.stack([*np.unravel_index(rows, shape[:-1]), d.rng.integers(0, shape[-1], rows.size)], -1) if len(shape) > 1 else \
        d.rng.integers(0, shape[-1], (rows.size, 1))
    n = len(at)
    ins = [d.input([n], "int32", None, 0, table[0] - 1), d.input(at.shape, "int32", data=at), d.ints(shape),
           d.input([n], "float32", None, 0.1, 2), d.m.const(d.data(table, "float32"))]
    combiner = d.size(0, 2)
    d.done(f"EMBEDDING_LOOKUP_SPARSE_{combiner}", "EMBEDDING_LOOKUP_SPARSE", ins, [d.m.output([*shape[:-1], *table[1:]])], combiner,
           tolerance=1e-6)


def sparse_to_dense(d):
    dtype, kind = d.pick("float32", "int32", "int64", "int8", "uint8"), d.pick("one", "vector", "matrix")
    shape = d.shape(1 if kind != "matrix" else d.size(1, 4))
    n = 1 if kind == "one" else d.size(1, int(np.prod(shape)))
    flat = np.sort(d.rng.choice(int(np.prod(shape)), n, replace=False))
    at = np.stack(np.unravel_index(flat, shape), -1) if kind == "matrix" else flat[0] if kind == "one" else flat
    index = d.pick("int32", "int64")
    values = d.input([] if kind == "one" or d.chance(0.3) else [n], dtype)
    ins = [d.input(np.shape(at), index, data=at), d.m.const(np.asarray(shape, index)), values, d.m.const(d.data([], dtype), dtype)]
    d.done(f"SPARSE_TO_DENSE_{dtype}_{kind}", "SPARSE_TO_DENSE", ins, [d.m.output(shape, dtype)], 0, version=3)


def bits(d):
    size = {"int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "float32": 4, "uint32": 4, "int64": 8, "float64": 8}
    a, b = d.pick(*size), d.pick(*size)
    shape = d.shape(d.size(0, 3))
    if size[a] > size[b]:
        result = [*shape, size[a] // size[b]]
    elif size[a] < size[b]:
        result, shape = shape, [*shape, size[b] // size[a]]
    else:
        result = shape
    d.done(f"BITCAST_{a}_to_{b}", "BITCAST", [d.input(shape, a)], [d.m.output(result, b)])


def buckets(d):
    dtype, shape = d.pick("float32", "float64", "int32", "int64"), d.shape(d.size(0, 3))
    edges = np.sort(d.rng.integers(-3, 4, d.size(1, 6)).astype(np.float32))
    x = np.asarray(d.rng.integers(-4, 5, shape), dtype)
    d.done(f"BUCKETIZE_{dtype}", "BUCKETIZE", [d.input(shape, dtype, data=x)], [d.m.output(shape, "int32")], edges)


def dilate(d):
    dtype, shape = d.pick("float32", "int32", "int8", "int16", "int64", "uint8"), d.shape(d.size(1, 4), 4)
    by = [d.size(1, 3) for _ in shape]
    d.done(f"DILATE_{dtype}", "DILATE", [d.input(shape, dtype), d.ints(by), d.m.const(d.data([], dtype), dtype)],
           [d.m.output([(n - 1) * k + 1 for n, k in zip(shape, by)], dtype)])


def pad_hlo(d):
    dtype, shape = d.pick("float32", "int32", "int8", "int16", "int64"), d.shape(d.size(1, 4), 4)
    inner = [d.size(0, 2) for _ in shape]
    wide = [n + (n - 1) * k for n, k in zip(shape, inner)]
    low = [d.size(-min(2, n - 1), 2) for n in wide]
    high = [d.size(-min(2, n + a - 1), 2) for n, a in zip(wide, low)]
    d.done(f"STABLEHLO_PAD_{dtype}", "STABLEHLO_PAD", [d.input(shape, dtype), d.input([], dtype)],
           [d.m.output([n + a + b for n, a, b in zip(wide, low, high)], dtype)], low, high, inner)


def slices_hlo(d):
    """Gathers and scatters with all their lists drawn."""
    op, dtype, shape = d.pick("STABLEHLO_GATHER", "STABLEHLO_SCATTER"), d.pick("float32", "int32", "int64"), d.shape(d.size(1, 3), 5)
    rank = len(shape)
    dropped = sorted(d.rng.choice(rank, d.size(0, rank), replace=False).tolist())
    sizes = [1 if i in dropped else d.size(1, n) for i, n in enumerate(shape)]
    mapped = d.rng.permutation(rank)[:d.size(1, rank)].tolist()
    batch = d.shape(d.size(0, 2), 4)
    vector = d.size(0, len(batch))
    window = [s for i, s in enumerate(sizes) if i not in dropped]
    at = sorted(d.rng.choice(len(batch) + len(window), len(window), replace=False).tolist())
    left, result = list(batch), []
    for i in range(len(batch) + len(window)):
        result.append(window[at.index(i)] if i in at else left.pop(0))
    index = [*batch[:vector], len(mapped), *batch[vector:]]
    starts = np.stack([d.rng.integers(0, shape[m] - sizes[m] + 1, batch) for m in mapped], vector)
    x, i = d.input(shape, dtype), d.input(index, d.pick("int32", "int64"), data=starts)
    if op.endswith("GATHER"):
        d.done(f"{op}_{dtype}", op, [x, i], [d.m.output(result, dtype)], at, dropped, mapped, vector, sizes, 0)
        return
    g, number = d.m.subgraph()
    d.done(f"{op}_{dtype}", op, [x, i, d.input(result, dtype)], [d.m.output(shape, dtype)], 0, at, dropped, mapped, vector, 0, number,
           tolerance=1e-5 if dtype == "float32" else 0)
    g.op(d.pick("STABLEHLO_ADD", "STABLEHLO_MULTIPLY", "STABLEHLO_MAXIMUM", "STABLEHLO_MINIMUM"),
         [g.input([], dtype), g.input([], dtype)], [g.output([], dtype)])


def tables(d):
    n, value = d.size(1, 8), d.shape(d.size(0, 2))
    keys = np.sort(d.rng.choice(np.arange(-20, 20), n, replace=False))
    query = d.size(1, 9)
    ins = [d.input([query], "int32", None, -20, 20), d.m.const(keys.astype(np.int32)), d.m.const(d.data([n, *value], "float32"))]
    d.done("HASHTABLE_LOOKUP", "HASHTABLE_LOOKUP", ins, [d.m.output([query, *value]), d.m.output([query], "uint8")])


def projections(d):
    seeds, shape, dtype = [d.size(1, 4), d.size(1, 8)], d.shape(d.size(1, 3), 9), d.pick("int32", "float32", "int64", "uint8", "int16")
    kind = d.pick(1, 2)
    ins = [d.m.const(d.data(seeds, "float32")), d.input(shape, dtype)]
    if d.chance():
        ins.append(d.input([shape[0]], "float32"))
    d.done(f"LSH_PROJECTION_{dtype}", "LSH_PROJECTION", ins, [d.m.output([seeds[0] * (seeds[1] if kind == 2 else 1)], "int32")], kind)


def join(d):
    """uint8 inputs under scales of their own."""
    shape = d.shape(d.size(1, 4))
    axis = d.size(0, len(shape) - 1)
    sizes = [d.size() for _ in range(d.size(1, 3))]
    ins = [d.input([*shape[:axis], n, *shape[axis + 1:]], "uint8", d.quant("uint8")) for n in sizes]
    out = d.m.output([*shape[:axis], sum(sizes), *shape[axis + 1:]], "uint8", **d.quant("uint8"))
    d.done("CONCATENATION_requantised", "CONCATENATION", ins, [out], axis, 0)


FAMILIES = [segments, embeddings, sparse_embeddings, sparse_to_dense, bits, buckets, dilate, pad_hlo, slices_hlo, slices_hlo, tables,
            projections, join]
