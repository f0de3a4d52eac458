# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime's exceptions by their names, and which of whet's errors becomes which."""
import os

from .. import _errors as whet

_HOME = "whet.onnxruntime.capi.onnxruntime_pybind11_state"


def _kind(name, number, word, doc):
    return type(name, (Exception,), {"number": number, "word": word, "__doc__": doc, "__module__": _HOME})


Fail = _kind("Fail", 1, "FAIL", "Something failed that has no name of its own.")
InvalidArgument = _kind("InvalidArgument", 2, "INVALID_ARGUMENT", "An input, a name or an option does not fit.")
NoSuchFile = _kind("NoSuchFile", 3, "NO_SUCHFILE", "The model's file is not there.")
NoModel = _kind("NoModel", 4, "NO_MODEL", "No model was given.")
EngineError = _kind("EngineError", 5, "ENGINE_ERROR", "A fault of the engine.")
RuntimeException = _kind("RuntimeException", 6, "RUNTIME_EXCEPTION", "A run failed.")
InvalidProtobuf = _kind("InvalidProtobuf", 7, "INVALID_PROTOBUF", "Bytes are no ONNX model.")
ModelLoaded = _kind("ModelLoaded", 8, "MODEL_LOADED", "A model is loaded already.")
NotImplemented = _kind("NotImplemented", 9, "NOT_IMPLEMENTED", "A named feature is not there.")
InvalidGraph = _kind("InvalidGraph", 10, "INVALID_GRAPH", "The model's graph is not valid.")
EPFail = _kind("EPFail", 11, "EP_FAIL", "An execution provider failed.")
ModelLoadCanceled = _kind("ModelLoadCanceled", 12, "MODEL_LOAD_CANCELED", "Loading was cancelled.")
ModelRequiresCompilation = _kind("ModelRequiresCompilation", 13, "MODEL_REQUIRES_COMPILATION", "The model must be compiled first.")
NotFound = _kind("NotFound", 14, "NOT_FOUND", "There is no such thing.")


def error(kind, text):
    """An exception of a kind, in ONNX Runtime's wording."""
    return kind(f"[ONNXRuntimeError] : {kind.number} : {kind.word} : {text}")


def of_load(e, source):
    """What an error of opening a model becomes."""
    if isinstance(e, whet.FileError):
        there = isinstance(source, (str, os.PathLike)) and os.path.exists(source)
        return error(Fail if there else NoSuchFile, f"Load model from {source} failed: {e}")
    if isinstance(e, whet.FormatError):
        graph = "node " in str(e) or "graph" in str(e)
        return error(InvalidGraph if graph else InvalidProtobuf, f"{e}")
    if isinstance(e, whet.UnsupportedError):
        return error(NotImplemented, str(e))
    if isinstance(e, (whet.ShapeError, whet.DtypeError, whet.NotFound, whet.DataError)):
        return error(InvalidGraph, str(e))
    return error(Fail, str(e))


def of_run(e):
    """What an error of a run becomes."""
    if isinstance(e, whet.Cancelled):
        return error(Fail, f"Exiting due to terminate flag being set to true: {e}")
    if isinstance(e, (whet.ShapeError, whet.DtypeError, whet.NotFound, whet.DataError)):
        return error(InvalidArgument, str(e))
    if isinstance(e, whet.UnsupportedError):
        return error(NotImplemented, str(e))
    return error(Fail, str(e))
