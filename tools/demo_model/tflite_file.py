# SPDX-License-Identifier: Apache-2.0
"""Writes .tflite files (schema version 3): a FlatBuffer laid out front to back, each table before what it points to."""
import struct

import numpy as np

TYPES = {np.dtype(np.float32): 0, np.dtype(np.int32): 2, np.dtype(np.int8): 9}
CONV_2D, FULLY_CONNECTED, MAX_POOL_2D, RESHAPE, SOFTMAX, DEQUANTIZE, QUANTIZE = 3, 9, 17, 22, 25, 6, 114
NO_ACTIVATION, RELU = 0, 1
SAME, VALID = 0, 1


class Scalar:
    """A number in a table: struct code and value."""

    def __init__(self, code, value):
        self.code, self.value = code, value


def byte(v):
    return Scalar("b", v)


def u8(v):
    return Scalar("B", v)


def i32(v):
    return Scalar("i", v)


def u32(v):
    return Scalar("I", v)


def i64(v):
    return Scalar("q", v)


def f32(v):
    return Scalar("f", v)


class Writer:
    """Values: a dict is a table {field: value}, a list a vector of tables, text a string, an array a vector of numbers."""

    def __init__(self):
        self.out = bytearray(b"\0\0\0\0TFL3")

    def align(self, n, ahead=0):
        self.out += bytes(-(len(self.out) + ahead) % n)

    def point(self, at):
        """Make the offset at `at` point to the end of what is written."""
        struct.pack_into("<I", self.out, at, len(self.out) - at)

    def value(self, v):
        """Write text, numbers or a list at the end of the file."""
        if isinstance(v, str):
            self.out += struct.pack("<I", len(v.encode())) + v.encode() + b"\0"
        elif isinstance(v, np.ndarray):
            self.out += struct.pack("<I", v.size) + v.tobytes()
        else:
            self.out += struct.pack("<I", len(v))
            at = len(self.out)
            self.out += bytes(4 * len(v))
            for i, item in enumerate(v):
                self.place(at + 4 * i, item)

    def place(self, at, v):
        """Align, point the offset at `at` here, write."""
        if isinstance(v, dict):
            self.align(8 if self.wide(v) else 4, self.vtable_bytes(v))
            vtable_at = len(self.out)
            self.out += self.vtable(v)
            self.point(at)
            self.table(v, vtable_at)
            return
        self.align(16 if isinstance(v, np.ndarray) else 4, 4)  # the elements are aligned, not their count
        self.point(at)
        self.value(v)

    @staticmethod
    def vtable_bytes(v):
        return 4 + 2 * (max(v) + 1 if v else 0)

    @staticmethod
    def wide(v):
        """The fields of 8 bytes."""
        return [k for k in sorted(v) if isinstance(v[k], Scalar) and v[k].code == "q"]

    @classmethod
    def layout(cls, v):
        """Offset of each field in the table, and the table's size: fields of 8 bytes first, all others take 4."""
        wide = cls.wide(v)
        rest, start = [k for k in sorted(v) if k not in wide], 8 + 8 * len(wide) if wide else 4
        at = {k: 8 + 8 * i for i, k in enumerate(wide)} | {k: start + 4 * i for i, k in enumerate(rest)}
        return at, start + 4 * len(rest)

    def vtable(self, v):
        at, size = self.layout(v)
        slots = [at.get(k, 0) for k in range(max(v) + 1 if v else 0)]
        return struct.pack(f"<HH{len(slots)}H", 4 + 2 * len(slots), size, *slots)

    def table(self, v, vtable_at):
        at, size = self.layout(v)
        start = len(self.out)
        self.out += struct.pack("<i", start - vtable_at) + bytes(size - 4)
        for k, x in sorted(v.items()):
            if isinstance(x, Scalar):
                struct.pack_into("<" + x.code, self.out, start + at[k], x.value)
        for k, x in sorted(v.items()):
            if not isinstance(x, Scalar):
                self.place(start + at[k], x)


class Model:
    """Collects tensors and operators of one subgraph; bytes() is the file."""

    def __init__(self, name):
        self.name, self.tensors, self.buffers, self.operators, self.codes, self.notes = name, [], [{}], [], [], []

    def tensor(self, name, shape, dtype, data=None, scale=None, zero=0, axis=0):
        """A tensor; with data a constant. scale: one number or one for each index along axis."""
        t = {0: np.array(shape, np.int32), 1: byte(TYPES[np.dtype(dtype)]), 2: u32(0), 3: name}
        if data is not None:
            t[2] = u32(len(self.buffers))
            self.buffers.append({0: np.frombuffer(np.ascontiguousarray(data, dtype).tobytes(), np.uint8)})
        if scale is not None:
            scale = np.atleast_1d(np.asarray(scale, np.float32))
            t[4] = {2: scale, 3: np.full(scale.size, zero, np.int64), 6: i32(axis)}
        self.tensors.append(t)
        return len(self.tensors) - 1

    def operator(self, code, inputs, outputs, options_type=0, options=None, version=1):
        key = (code, version)
        if key not in self.codes:
            self.codes.append(key)
        op = {0: u32(self.codes.index(key)), 1: np.array(inputs, np.int32), 2: np.array(outputs, np.int32)}
        if options is not None:
            op[3], op[4] = u8(options_type), options
        self.operators.append(op)

    def conv(self, x, w, b, y, stride, activation):
        self.operator(CONV_2D, [x, w, b], [y], 1, {0: byte(SAME), 1: i32(stride), 2: i32(stride), 3: byte(activation),
                                                   4: i32(1), 5: i32(1)})

    def pool(self, x, y):
        self.operator(MAX_POOL_2D, [x], [y], 5, {0: byte(VALID), 1: i32(2), 2: i32(2), 3: i32(2), 4: i32(2)})

    def dense(self, x, w, b, y, activation, version=1):
        self.operator(FULLY_CONNECTED, [x, w, b], [y], 8, {0: byte(activation)}, version)

    def reshape(self, x, y, shape):
        self.operator(RESHAPE, [x, self.tensor("shape", [len(shape)], np.int32, shape)], [y], 17,
                      {0: np.array(shape, np.int32)})

    def softmax(self, x, y):
        self.operator(SOFTMAX, [x], [y], 9, {0: f32(1.0)})

    def note(self, key, text):
        """A text of the model's metadata."""
        self.notes.append({0: key, 1: u32(len(self.buffers))})
        self.buffers.append({0: np.frombuffer(text.encode(), np.uint8)})

    def bytes(self, inputs, outputs):
        codes = [{0: byte(min(c, 127)), 2: i32(v), 3: i32(c)} for c, v in self.codes]
        graph = {0: self.tensors, 1: np.array(inputs, np.int32), 2: np.array(outputs, np.int32), 3: self.operators,
                 4: "main"}
        w = Writer()
        w.place(0, {0: u32(3), 1: codes, 2: [graph], 3: self.name, 4: self.buffers} | ({6: self.notes} if self.notes else {}))
        return bytes(w.out)
