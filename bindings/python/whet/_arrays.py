# SPDX-License-Identifier: Apache-2.0
"""Arrays into values and back, where they are not plain: lists, strings, packed types, sequences, maps, optionals.

Dense arrays of NumPy's own types never come here: they are used where they lie.
"""
import numpy as np

from . import _errors
from ._types import CARRIER, EXTRA, NATIVE, PACKED, dtype_name


def _core():
    from . import _core as core
    return core


def _array(x):
    """An array of whatever holds numbers: arrays, DLPack, lists."""
    if isinstance(x, np.ndarray):
        return x
    if hasattr(x, "__dlpack__") and not hasattr(x, "__array__"):
        return np.from_dlpack(x)
    return np.asarray(x)


def _pack(a, bits):
    """Elements of a few bits into bytes, low bits first."""
    per = 8 // bits
    flat = a.reshape(-1).view(np.uint8) & ((1 << bits) - 1)
    flat = np.concatenate([flat, np.zeros(-len(flat) % per, np.uint8)]).reshape(-1, per)
    out = np.zeros(len(flat), np.uint8)
    for i in range(per):
        out |= flat[:, i] << (i * bits)
    return out


def _unpack(raw, bits, count, signed):
    """Bytes into one element each."""
    per = 8 // bits
    out = np.empty((len(raw), per), np.uint8)
    for i in range(per):
        out[:, i] = (raw >> (i * bits)) & ((1 << bits) - 1)
    out = out.reshape(-1)[:count]
    return (out ^ (1 << (bits - 1))).view(np.int8) - np.int8(1 << (bits - 1)) if signed else out


def tensor_value(x, dtype=None, name="value"):
    """A Value of anything that holds a tensor; dtype None: the array's own."""
    core = _core()
    if isinstance(x, core.Value):
        return x
    a = _array(x)
    dtype = dtype or dtype_name(a.dtype)
    if dtype is None:
        raise _errors.DtypeError(f'{name}: whet has no element type like {a.dtype}')
    if dtype == "string":
        flat = [e if isinstance(e, bytes) else str(e).encode("utf-8", "surrogateescape") for e in a.reshape(-1).tolist()]
        return core.strings(flat, a.shape)
    if dtype in NATIVE:
        return core.wrap(np.ascontiguousarray(a, NATIVE[dtype]).reshape(a.shape), dtype, a.shape)
    own = EXTRA.get(dtype)
    if own is not None and a.dtype == own:
        bits = np.ascontiguousarray(a).view(CARRIER[dtype])
    elif a.dtype.itemsize == CARRIER[dtype].itemsize and a.dtype.kind in "iuV":
        bits = np.ascontiguousarray(a).view(CARRIER[dtype])
    elif own is not None and not isinstance(x, np.ndarray):
        bits = a.astype(own).view(CARRIER[dtype])
    else:
        raise _errors.DtypeError(f'{name}: expected {dtype}, got {a.dtype}')
    if dtype in PACKED:
        return core.wrap(_pack(bits, PACKED[dtype]), dtype, a.shape)
    return core.wrap(bits.view(np.uint8 if bits.dtype.itemsize == 1 else np.uint16), dtype, a.shape)


def any_value(x, dtype=None):
    """A Value of any kind: lists are sequences, dicts maps, None an empty optional, the rest tensors."""
    core = _core()
    x = getattr(x, "_whet_value", x)
    if isinstance(x, core.Value):
        return x
    if x is None:
        return core.optional(None)
    if isinstance(x, dict):
        keys = list(x.keys())
        texts = bool(keys) and isinstance(keys[0], (str, bytes))
        k = tensor_value(np.array(keys, object) if texts else np.array(keys, np.int64), "string" if texts else "int64")
        rows = list(x.values())
        scalars = all(np.ndim(v) == 0 and not isinstance(v, (list, tuple, dict)) for v in rows)
        return core.map(k, tensor_value(np.array(rows, object if rows and isinstance(rows[0], str) else None), dtype)
                        if scalars else core.sequence([any_value(v, dtype) for v in rows]))
    if isinstance(x, (list, tuple)):
        return core.sequence([any_value(v, dtype) for v in x])
    return tensor_value(x, dtype)


def to_input(x, dtype, kind, name):
    """What was given for an input, as an array or Value that can be bound; raises an Error that names the input."""
    core = _core()
    x = getattr(x, "_whet_value", x)  # an OrtValue
    if isinstance(x, core.Value):
        if x.kind != kind and kind != "optional":
            raise _errors.DtypeError(f'input "{name}": expected a {kind}, got a {x.kind}')
        if kind == "optional" and x.kind != "optional":
            return core.optional(x)
        if kind == "tensor" and x.dtype != dtype:
            raise _errors.DtypeError(f'input "{name}": expected {dtype}, got {x.dtype}')
        return x
    if kind == "optional":
        if x is None:
            return core.optional(None)
        return core.optional(any_value(x, None if dtype == "none" else dtype))
    if kind != "tensor":
        if not isinstance(x, dict if kind == "map" else (list, tuple)):
            raise _errors.DtypeError(f'input "{name}": expected a {kind} ({"dict" if kind == "map" else "list"}), got '
                                     f'{type(x).__name__}')
        return any_value(x, None if dtype == "none" else dtype)
    if x is None:
        raise _errors.DtypeError(f'input "{name}": expected {dtype}, got None')
    loose = not hasattr(x, "dtype") and not hasattr(x, "__dlpack__")  # lists and numbers of Python have no type to respect
    try:
        a = np.asarray(x, NATIVE[dtype]) if loose and dtype in NATIVE else _array(x)
    except (TypeError, ValueError) as e:
        raise _errors.DtypeError(f'input "{name}": expected {dtype}, got {type(x).__name__}: {e}') from None
    if dtype not in NATIVE:
        return tensor_value(a, dtype, f'input "{name}"')
    if a.dtype.newbyteorder("=") != NATIVE[dtype]:
        raise _errors.DtypeError(f'input "{name}": expected {dtype}, got {a.dtype}')
    return np.require(a, NATIVE[dtype], ["C", "A"]).reshape(a.shape)  # a copy that is dense, aligned, of this machine's order


def to_array(v):
    """An array over a Value's memory; strings as objects; lists, dicts and None for the other kinds."""
    kind = v.kind
    if kind == "sequence":
        return [to_array(x) for x in v.items()]
    if kind == "optional":
        items = v.items()
        return to_array(items[0]) if items else None
    if kind == "map":
        keys, values = v.items()
        return dict(zip(_plain(to_array(keys)), _plain(to_array(values))))
    dtype = v.dtype
    if dtype == "string":
        a = np.empty(v.shape, object)
        a.reshape(-1)[:] = [s.decode("utf-8", "surrogateescape") for s in v.strings()]
        return a
    if dtype in NATIVE:
        return np.asarray(v)
    if dtype in PACKED:
        count = int(np.prod(v.shape, dtype=np.int64))
        a = _unpack(np.asarray(v), PACKED[dtype], count, dtype.startswith("int")).reshape(v.shape)
    else:
        a = np.asarray(v).view(CARRIER[dtype])
    return a.view(EXTRA[dtype]) if dtype in EXTRA else a


def _plain(x):
    return x.tolist() if isinstance(x, np.ndarray) else x
