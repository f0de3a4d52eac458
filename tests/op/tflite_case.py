# SPDX-License-Identifier: Apache-2.0
"""Models of single TFLite operators, and cases of them as `whet verify --suite` reads them.

    m = Model()
    x = m.input([2, 3], "int8", scale=0.1, zero=3)
    m.op("RELU", [x], [m.output([2, 3], "int8", scale=0.1, zero=3)])
    write_case(folder, m.bytes(), [array], [array])

Operators and their options go by the names and fields of the lists that the reader uses (src/wire/tfl_*.def).
"""
import json
import pathlib
import re
import sys

import numpy as np

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tools" / "demo_model"))

from tflite_file import Scalar, Writer, byte, f32, i32, i64, u32, u8  # noqa: E402

TYPES = {"float32": 0, "float16": 1, "int32": 2, "uint8": 3, "int64": 4, "bool": 6, "int16": 7, "complex64": 8, "int8": 9,
         "float64": 10, "uint64": 12, "uint32": 15, "uint16": 16, "int4": 17, "int2": 19}
CODES = {n: (int(c), o) for c, n, o in
         re.findall(r"^BUILTIN\((\d+), (\w+), (\w+)\)", (TOP / "src/wire/tfl_builtin.def").read_text(), re.M)}
OPTIONS = {n: (int(u), int(k), f) for u, k, n, f in
           re.findall(r"^OPT([12])\((\d+), (\w+), \"([^\"]*)\"\)", (TOP / "src/wire/tfl_options.def").read_text(), re.M)}
CUSTOM = 32


def packed(data, bits):
    """Numbers of 4 or 2 bits, the first one lowest."""
    v = np.asarray(data).astype(np.int64).ravel() & ((1 << bits) - 1)
    v = np.concatenate([v, np.zeros(-v.size % (8 // bits), np.int64)]).reshape(-1, 8 // bits)
    return (v << (np.arange(8 // bits) * bits)).sum(1).astype(np.uint8).tobytes()


def option(kind, v):
    """A value as an option field of that kind."""
    if kind in "BILF":
        return np.asarray(v, {"B": np.uint8, "I": np.int32, "L": np.int64, "F": np.float32}[kind])
    return v if kind == "s" else {"b": byte, "i": i32, "u": u32, "l": i64, "f": f32}[kind](v)


class Graph:
    """One subgraph."""

    def __init__(self, model, name):
        self.model, self.name, self.tensors, self.operators, self.ins, self.outs = model, name, [], [], [], []

    def tensor(self, shape, dtype="float32", data=None, scale=None, zero=0, axis=0):
        """A tensor; with data a constant. scale: one number or one for each index along axis."""
        t = {0: np.array(shape, np.int32), 1: byte(TYPES[dtype]), 2: u32(0), 3: f"t{len(self.tensors)}"}
        if data is not None:
            raw = packed(data, int(dtype[3:])) if dtype in ("int4", "int2") else np.ascontiguousarray(data, dtype).tobytes()
            t[2] = u32(len(self.model.buffers))
            self.model.buffers.append({0: np.frombuffer(raw, np.uint8)})
        if scale is not None:
            scale = np.atleast_1d(np.asarray(scale, np.float32))
            t[4] = {2: scale, 3: np.full(scale.size, zero, np.int64), 6: i32(axis)}
        t[8] = byte(1)
        self.tensors.append(t)
        return len(self.tensors) - 1

    def const(self, data, dtype=None, **quant):
        data = np.asarray(data)
        return self.tensor(data.shape, dtype or str(data.dtype), data, **quant)

    def input(self, *args, **quant):
        self.ins.append(self.tensor(*args, **quant))
        return self.ins[-1]

    def output(self, *args, **quant):
        self.outs.append(self.tensor(*args, **quant))
        return self.outs[-1]

    def op(self, name, ins, outs, *options, version=1, custom=None):
        """options: values of the fields in their order; None leaves one out."""
        code, table = CODES.get(name, (CUSTOM, "NONE"))
        key = (code, name if code == CUSTOM else None, version)
        if key not in self.model.codes:
            self.model.codes.append(key)
        o = {0: u32(self.model.codes.index(key)), 1: np.array(ins, np.int32), 2: np.array(outs, np.int32)}
        if table != "NONE" and table in OPTIONS:
            union, number, fields = OPTIONS[table]
            content = {i: option(fields[i], v) for i, v in enumerate(options) if v is not None}
            o[3 if union == 1 else 11], o[4 if union == 1 else 12] = u8(number), content
        if custom is not None:
            o[5] = np.frombuffer(custom, np.uint8)
        self.operators.append(o)

    def table(self):
        return {0: self.tensors, 1: np.array(self.ins, np.int32), 2: np.array(self.outs, np.int32), 3: self.operators,
                4: self.name}


class Model(Graph):
    """A model; itself the main subgraph."""

    def __init__(self):
        self.buffers, self.codes, self.graphs = [{}], [], []
        super().__init__(self, "main")
        self.graphs.append(self)

    def subgraph(self):
        """Another subgraph and its number."""
        self.graphs.append(Graph(self, f"body{len(self.graphs)}"))
        return self.graphs[-1], len(self.graphs) - 1

    def bytes(self):
        codes = []
        for code, name, version in self.codes:
            c = {0: byte(min(code, 127)), 2: i32(version), 3: i32(code)}
            if name:
                c[1] = name
            codes.append(c)
        w = Writer()
        w.place(0, {0: u32(3), 1: codes, 2: [g.table() for g in self.graphs], 3: "test", 4: self.buffers})
        return bytes(w.out)


def write_case(folder, model, ins, outs, tolerance=0.0):
    """A case; tolerance is a part of the greatest magnitude, 0: exact."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(model)
    lists = {}
    for kind, arrays in (("input", ins), ("output", outs)):
        for i, a in enumerate(arrays):
            np.save(folder / f"{kind}_{i}.npy", np.asarray(a))
        lists[kind + "s"] = [{"file": f"{kind}_{i}.npy"} for i in range(len(arrays))]
    bound = {"kind": "rel", "value": tolerance} if tolerance else {"kind": "exact"}
    (folder / "case.json").write_text(json.dumps(lists | {"tolerance": bound}))
