# SPDX-License-Identifier: Apache-2.0
"""OrtValue over whet's counted values, and devices, of which there is one."""
import ctypes

import numpy as np

from .. import _core
from .._arrays import any_value, tensor_value, to_array
from .._types import CARRIER, PACKED, dtype_name, numpy_dtype

# Element types by ONNX's number and name.
NUMBER = {name: number for number, name, _ in _core.dtypes()}
NAME = {number: name for name, number in NUMBER.items()}


def onnx_name(dtype):
    """ONNX's name of an element type: "float"."""
    return {"float32": "float", "float64": "double"}.get(dtype, dtype)


def element_name(t):
    """whet's name of an element type given as a NumPy type or ONNX's number."""
    name = NAME.get(t) if isinstance(t, int) else dtype_name(t)
    if name is None:
        raise TypeError(f"whet has no element type like {t}")
    return name


def array_at(address, shape, dtype):
    """An array over foreign memory, for which the caller vouches."""
    kind = numpy_dtype(dtype)
    bytes_ = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    raw = (ctypes.c_ubyte * bytes_).from_address(int(address)) if bytes_ else b""
    return np.frombuffer(raw, kind if kind.num < 256 else CARRIER[dtype]).reshape(shape).view(kind)


class OrtDevice:
    """A device: the CPU."""

    def __init__(self, name="cpu", device_id=0):
        self._name, self._id = name, device_id

    @staticmethod
    def make(ort_device_name, device_id, vendor_id=-1):
        """The CPU; RuntimeError for other names."""
        check_device(ort_device_name)
        return OrtDevice(ort_device_name, device_id)

    def device_id(self):
        """Its number."""
        return self._id

    def device_type(self):
        """0: the CPU."""
        return 0


def check_device(name):
    """RuntimeError unless the name is that of the CPU."""
    name = name if isinstance(name, str) else getattr(name, "_name", "cpu")
    if name.lower() not in ("cpu", "cpu_pinned"):
        raise RuntimeError(f"Unsupported device type: {name}; whet runs on the CPU")


class OrtValue:
    """A tensor, sequence, map or optional that a session takes and gives."""

    def __init__(self, value):
        self._whet_value = value

    @classmethod
    def ortvalue_from_numpy(cls, numpy_obj, device_type="cpu", device_id=0, vendor_id=-1):
        """A value with a copy of an array."""
        check_device(device_type)
        return cls(tensor_value(np.array(numpy_obj, order="C", copy=True)))

    @classmethod
    def ortvalue_from_numpy_with_onnx_type(cls, data, /, onnx_element_type):
        """A value with a copy of an array whose bits are of ONNX's type of that number."""
        return cls(tensor_value(np.array(data, order="C", copy=True), element_name(onnx_element_type)))

    @classmethod
    def ortvalue_from_shape_and_type(cls, shape=None, element_type=None, device_type="cpu", device_id=0, vendor_id=-1):
        """A tensor of zeros."""
        if shape is None or element_type is None:
            raise ValueError("`element_type` and `shape` are to be provided if pre-allocated memory is provided")
        check_device(device_type)
        name = element_name(element_type)
        if name == "string":
            return cls(_core.strings([b""] * int(np.prod(shape, dtype=np.int64)), tuple(shape)))
        return cls(tensor_value(np.zeros(tuple(shape), numpy_dtype(name)), name))

    @classmethod
    def from_dlpack(cls, data, /):
        """A value over the memory of any object with __dlpack__, without a copy."""
        return cls(_core.from_dlpack(data))

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        return self._whet_value.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self):
        return self._whet_value.__dlpack_device__()

    def __array__(self, dtype=None, copy=None):
        a = to_array(self._whet_value)
        return np.array(a, dtype=dtype, copy=True) if copy or dtype is not None else a

    def _get_c_value(self):
        return self

    def numpy(self):
        """A copy of a tensor as an array."""
        if not self.is_tensor():
            raise RuntimeError("Only OrtValues that are Tensors are currently supported")
        return np.array(to_array(self._whet_value))

    def to_python(self):
        """An array, list, dict or None over the value's memory."""
        return to_array(self._whet_value)

    def data_ptr(self):
        """Address of the elements."""
        return self._whet_value.data

    def device_name(self):
        """"cpu"."""
        return "cpu"

    def shape(self):
        """Dimensions of a tensor."""
        if not self.is_tensor():
            raise RuntimeError("OrtValue is not a tensor: it has no shape")
        return list(self._whet_value.shape)

    def _type(self, v):
        kind = v.kind
        if kind == "tensor":
            return f"tensor({onnx_name(v.dtype)})"
        items = v.items()
        if kind == "map":
            return f"map({onnx_name(items[0].dtype)},{self._type(items[1])})"
        word = "seq" if kind == "sequence" else "optional"
        return f"{word}({self._type(items[0]) if items else 'tensor(float)'})"

    def data_type(self):
        """"tensor(float)" and the like."""
        return self._type(self._whet_value)

    def element_type(self):
        """ONNX's number of the element type."""
        return NUMBER[self._whet_value.dtype]

    def tensor_size_in_bytes(self):
        """Bytes of a tensor."""
        return self._whet_value.nbytes

    def has_value(self):
        """Whether it is no empty optional."""
        return self._whet_value.kind != "optional" or bool(self._whet_value.items())

    def is_tensor(self):
        """Whether it is a tensor."""
        return self._whet_value.kind == "tensor"

    def is_sparse_tensor(self):
        """False: whet has dense tensors."""
        return False

    def is_tensor_sequence(self):
        """Whether it is a sequence."""
        return self._whet_value.kind == "sequence"

    def update_inplace(self, data):
        """Write an array of the same shape and type over the elements."""
        into = self._whet_value
        if not self.is_tensor() or into.dtype == "string":
            raise RuntimeError("Inplace update of OrtValues is currently only supported for Tensors of numbers")
        fresh = tensor_value(np.ascontiguousarray(data), into.dtype if into.dtype in PACKED or into.dtype in CARRIER else None)
        if fresh.dtype != into.dtype or tuple(fresh.shape) != tuple(into.shape):
            raise RuntimeError(f"The input data is {fresh.dtype} {tuple(fresh.shape)}; the OrtValue is {into.dtype} "
                               f"{tuple(into.shape)}")
        memoryview(into).cast("B")[:] = memoryview(fresh).cast("B") if into.nbytes else b""


def value_of(x):
    """An OrtValue for what a run gave."""
    return OrtValue(any_value(x))
