# SPDX-License-Identifier: Apache-2.0
"""Writes .onnx files: the few protobuf messages of onnx.proto that a plain network needs, byte by byte."""
import numpy as np

TYPES = {np.dtype(np.float32): 1, np.dtype(np.int64): 7}


def varint(v):
    v &= (1 << 64) - 1
    out = bytearray()
    while v > 127:
        out.append(v & 127 | 128)
        v >>= 7
    out.append(v)
    return bytes(out)


def field(number, value):
    """One field: an int as varint, text or bytes with its length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fixed32(number, value):
    return varint(number << 3 | 5) + np.float32(value).tobytes()


def tensor(name, array):
    """TensorProto with raw_data."""
    array = np.asarray(array)
    dims = b"".join(field(1, int(d)) for d in array.shape)
    return dims + field(2, TYPES[array.dtype]) + field(8, name) + field(9, array.tobytes())


def attribute(name, value):
    """AttributeProto: int, float, or list of ints."""
    if isinstance(value, float):
        return field(1, name) + fixed32(2, value) + field(20, 1)
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    return field(1, name) + b"".join(field(8, int(v)) for v in value) + field(20, 7)


def node(op, inputs, outputs, **attributes):
    return (b"".join(field(1, n) for n in inputs) + b"".join(field(2, n) for n in outputs) + field(3, outputs[0]) +
            field(4, op) + b"".join(field(5, attribute(k, v)) for k, v in attributes.items()))


def value_info(name, dims):
    """ValueInfoProto of a float tensor; a dimension that is text is free."""
    shape = b"".join(field(1, field(1, d) if isinstance(d, int) else field(2, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def model(name, nodes, weights, inputs, outputs, opset=17, notes=()):
    """ModelProto: nodes from node(), weights by name, inputs and outputs as (name, dims); notes: pairs of metadata."""
    graph = (b"".join(field(1, n) for n in nodes) + field(2, name) +
             b"".join(field(5, tensor(k, v)) for k, v in weights.items()) +
             b"".join(field(11, value_info(*i)) for i in inputs) + b"".join(field(12, value_info(*o)) for o in outputs))
    return field(1, 8) + field(2, "whet") + field(7, graph) + field(8, field(1, "") + field(2, opset)) + \
        b"".join(field(14, field(1, k) + field(2, v)) for k, v in notes)
