# SPDX-License-Identifier: Apache-2.0
"""whet runs trained neural networks: .onnx and .tflite files, as they are.

    import whet
    session = whet.load("digits.tflite")
    probabilities, = session.run(picture)

Model, Program and Session are the library's three lifetimes: what a file says, that made ready for this machine, and one
run at a time of it. `load` makes all three. Programs written for other runtimes find their own names in whet.tflite and
whet.onnxruntime; whet.backend is the interface of ONNX's own tests.
"""
from ._errors import (Cancelled, DataError, DeadlineError, DtypeError, Error, FileError, FormatError, LimitError, MisuseError,
                      NotFound, OutOfMemory, ShapeError, SystemRefused, UnsupportedError)
from ._types import CustomOp, Info, dtype_name, numpy_dtype
from . import _core
from ._core import Cancel, Model, Program, Session, Value
from ._inspect import inspect, kernels
from ._make import export, layers, train
from ._arrays import any_value as value

try:  # decoders of JPEG, PNG and more, for ImageDecoder: where their libraries are
    from . import _media
except ImportError:
    _media = None  # type: ignore[assignment]

__version__ = _core.version
__all__ = ["Cancel", "Cancelled", "CustomOp", "DataError", "DeadlineError", "DtypeError", "Error", "FileError", "FormatError", "Info",
           "LimitError", "MisuseError", "Model", "NotFound", "OutOfMemory", "Program", "Session", "ShapeError",
           "SystemRefused", "UnsupportedError", "Value", "codecs", "dtype_name", "export", "from_dlpack", "inspect", "kernels", "layers", "load",
           "numpy_dtype", "threads", "train", "value"]

_MODEL_OPTIONS = ("format", "copy", "memory_limit", "node_limit", "depth_limit", "load_ms", "data_folder", "rules", "custom")


def load(source, **options):
    """A session for a model: `source` is a path or bytes; options are those of Model and Program."""
    model = Model(source, **{k: options.pop(k) for k in _MODEL_OPTIONS if k in options})
    return Session(Program(model, **options))


def from_dlpack(x):
    """A Value over the memory of any object with __dlpack__, without a copy."""
    return _core.from_dlpack(x)


def codecs():
    """Kinds of pictures that models with ImageDecoder can read."""
    return _core.codecs()


def threads():
    """Most threads that a run could use: CPU set and quota considered."""
    return _core.threads()
