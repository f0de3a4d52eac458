# SPDX-License-Identifier: Apache-2.0
from . import interpreter as interpreter
from .interpreter import (Delegate as Delegate, Interpreter as Interpreter, InterpreterWithCustomOps as InterpreterWithCustomOps,
                          OpResolverType as OpResolverType, SignatureRunner as SignatureRunner, load_delegate as load_delegate)
