# SPDX-License-Identifier: Apache-2.0
"""What the library says of inputs, outputs and tensors; element types as NumPy has them."""
from typing import Callable, NamedTuple, Optional

import numpy as np

try:  # bfloat16, float8, int4 and their like as NumPy types, where the package is there
    import ml_dtypes as _ml
except ImportError:
    _ml = None  # type: ignore[assignment]

_NATIVE = ("float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "bool", "float16", "float64", "uint32", "uint64",
           "complex64", "complex128")
NATIVE = {name: np.dtype(name) for name in _NATIVE}
# Types without a form in NumPy: what carries their bits.
CARRIER = {"bfloat16": np.dtype(np.uint16), "float8e4m3fn": np.dtype(np.uint8), "float8e4m3fnuz": np.dtype(np.uint8),
           "float8e5m2": np.dtype(np.uint8), "float8e5m2fnuz": np.dtype(np.uint8), "float8e8m0": np.dtype(np.uint8),
           "uint4": np.dtype(np.uint8), "int4": np.dtype(np.int8), "float4e2m1": np.dtype(np.uint8),
           "uint2": np.dtype(np.uint8), "int2": np.dtype(np.int8), "float6e2m3": np.dtype(np.uint8),
           "float6e3m2": np.dtype(np.uint8)}
PACKED = {"uint4": 4, "int4": 4, "float4e2m1": 4, "uint2": 2, "int2": 2}
_ML_NAMES = {"bfloat16": "bfloat16", "float8e4m3fn": "float8_e4m3fn", "float8e4m3fnuz": "float8_e4m3fnuz",
             "float8e5m2": "float8_e5m2", "float8e5m2fnuz": "float8_e5m2fnuz", "float8e8m0": "float8_e8m0fnu",
             "uint4": "uint4", "int4": "int4", "float4e2m1": "float4_e2m1fn", "uint2": "uint2", "int2": "int2",
             "float6e2m3": "float6_e2m3fn", "float6e3m2": "float6_e3m2fn"}
EXTRA = {name: np.dtype(getattr(_ml, other)) for name, other in _ML_NAMES.items() if _ml is not None and hasattr(_ml, other)}
_NAME_OF = {**{d: n for n, d in EXTRA.items()}, **{d: n for n, d in NATIVE.items()}}


def numpy_dtype(name):
    """NumPy's type for an element type; for those that NumPy has not, that of ml_dtypes, else what carries their bits."""
    if name == "string":
        return np.dtype(object)
    for known in (NATIVE, EXTRA, CARRIER):
        if name in known:
            return known[name]
    raise KeyError(name)


def dtype_name(dtype):
    """The element type's name for a NumPy type; None when whet has none."""
    dtype = np.dtype(dtype)
    if dtype.kind in "OUST":
        return "string"
    return _NAME_OF.get(dtype.newbyteorder("=") if dtype.byteorder not in "=|" else dtype)


class Info(NamedTuple):
    """An input, output or tensor: `shape` holds sizes, names of free dimensions, None where nothing is known; `shape`
    itself is None when the number of dimensions is not known. `quant` is (axis, scales, zero_points) or None."""

    name: str
    kind: str
    dtype: str
    shape: Optional[tuple]
    quant: Optional[tuple]


class CustomOp(NamedTuple):
    """An operator of the caller's own, for both formats: `domain` is that of ONNX nodes, "" for TFLite's custom operators.

    run(attr, *arrays) answers an array, or one for each output; attr(name) reads an attribute of an ONNX node. Arrays are copies;
    absent inputs are None. shape(attr, *infos) answers (element type, shape) for each output before anything runs; without it sizes
    are those that run gives. The model holds these functions: one that holds a session of that model in turn keeps both for good.
    """

    domain: str
    name: str
    run: Callable
    shape: Optional[Callable] = None
