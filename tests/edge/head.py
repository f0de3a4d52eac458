# SPDX-License-Identifier: Apache-2.0
"""A model that goes on from what a small one made, as the bytes of a file."""


def field(number, value):
    """A field of protobuf: bytes, text or a small number."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    value = value.encode() if isinstance(value, str) else value
    assert len(value) < 1 << 14
    return bytes([number << 3 | 2]) + (bytes([len(value)]) if len(value) < 128 else bytes([len(value) & 127 | 128, len(value) >> 7])) + value


def head_model(op="Neg"):
    """An .onnx file: ten int8 numbers into as many; Neg: the class that it tells is the least likely of the scores that it gets."""
    shape = b"".join(field(1, field(1, n)) for n in (1, 10))
    value = [field(n, field(1, name) + field(2, field(1, field(1, 3) + field(2, shape)))) for n, name in ((11, "x"), (12, "y"))]
    graph = field(1, field(1, "x") + field(2, "y") + field(4, op)) + field(2, "head") + b"".join(value)
    return field(1, 8) + field(7, graph) + field(8, field(2, 17))
