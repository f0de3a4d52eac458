# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime's Python interface over whet: change the import, keep the program.

    import whet.onnxruntime as onnxruntime

Sessions, options, bindings, values and exceptions are there under their names. There is one execution provider, the CPU;
what needs another, or ONNX Runtime's own libraries, is refused by name.
"""
from .. import __version__ as whet_version
from .. import _core
from . import capi
from ._options import (ExecutionMode, ExecutionOrder, GraphOptimizationLevel, OrtAllocatorType, OrtMemType, RunOptions,
                       SessionOptions)
from ._session import InferenceSession, IOBinding, ModelMetadata, NodeArg, get_available_providers, get_device
from ._values import OrtDevice, OrtValue
from .capi import _pybind_state, onnxruntime_inference_collection, onnxruntime_pybind11_state

__version__ = "1.32.0"  # of ONNX Runtime, whose interface this follows
__all__ = ["ExecutionMode", "ExecutionOrder", "GraphOptimizationLevel", "IOBinding", "InferenceSession", "ModelMetadata",
           "NodeArg", "OrtAllocatorType", "OrtDevice", "OrtMemType", "OrtValue", "RunOptions", "SessionOptions", "capi",
           "disable_telemetry_events", "enable_telemetry_events", "get_all_providers", "get_available_providers",
           "get_build_info", "get_device", "get_version_string", "has_collective_ops", "preload_dlls", "print_debug_info",
           "set_default_logger_severity", "set_default_logger_verbosity", "set_global_thread_pool_sizes", "set_seed"]


def get_all_providers():
    """["CPUExecutionProvider"]"""
    return get_available_providers()


def get_version_string():
    """Version of ONNX Runtime whose interface this follows."""
    return __version__


def get_build_info():
    """What really runs."""
    return f"whet {whet_version}, {_core.cpu()[0]}"


def set_default_logger_severity(severity):
    """Accepted: whet says nothing of its own accord."""
    if not 0 <= int(severity) <= 4:
        raise RuntimeError(f"Invalid logging severity. Must be in range [0, 4]. Got: {severity}")


def set_default_logger_verbosity(verbosity):
    """Accepted: whet says nothing of its own accord."""


def set_seed(seed):
    """Accepted: random operators without a seed of their own draw anew in every process."""


def set_global_thread_pool_sizes(intra_op_num_threads, inter_op_num_threads):
    """Accepted: sessions share the process's pool already."""


def has_collective_ops():
    """False."""
    return False


def disable_telemetry_events():
    """There is no telemetry."""


def enable_telemetry_events():
    """There is no telemetry, and it cannot be turned on."""


def preload_dlls(cuda=True, cudnn=True, msvc=True, directory=None):
    """Nothing is to be loaded."""


def print_debug_info():
    """Print what runs here."""
    print(f"whet {whet_version} under the interface of onnxruntime {__version__}")
    print(f"CPU level {_core.cpu()[0]}, {_core.threads()} threads")
