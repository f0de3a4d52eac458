# SPDX-License-Identifier: Apache-2.0
"""The TensorFlow Lite interpreter's interface over whet: `from whet.tflite import Interpreter`, or, for programs that import a
module, `from whet.tflite import interpreter`."""
from . import interpreter
from .interpreter import (Delegate, Interpreter, InterpreterWithCustomOps, OpResolverType, SignatureRunner, load_delegate)

__all__ = ["Delegate", "Interpreter", "InterpreterWithCustomOps", "OpResolverType", "SignatureRunner", "interpreter",
           "load_delegate"]
