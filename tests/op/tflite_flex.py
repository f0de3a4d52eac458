# SPDX-License-Identifier: Apache-2.0
"""FlexBuffers for options of custom operators: one map of numbers and truth values, all 8 bytes wide."""
import struct

INT, FLOAT, MAP, BOOL, KEY = 1, 3, 9, 26, 4
WIDE = 3  # log2 of the width in bytes


def options(values):
    """The map as bytes: keys, their offsets, the values, the values' types, the root."""
    out, places = bytearray(), []
    for k in sorted(values):
        places.append(len(out))
        out += k.encode() + b"\0"
    out += bytes(-len(out) % 8)
    out += struct.pack("<q", len(places))
    keys = len(out)
    for at in places:
        out += struct.pack("<q", len(out) - at)
    out += struct.pack("<qqq", len(out) - keys, 8, len(places))
    start, types = len(out), bytearray()
    for k in sorted(values):
        v = values[k]
        kind = BOOL if isinstance(v, bool) else FLOAT if isinstance(v, float) else INT
        out += struct.pack("<d" if kind == FLOAT else "<q", v)
        types.append(kind << 2 | WIDE)
    out += types
    out += struct.pack("<B", len(out) - start) if len(out) - start < 256 else b""
    return bytes(out + bytes([MAP << 2 | WIDE, 1]))
