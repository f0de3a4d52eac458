# SPDX-License-Identifier: Apache-2.0
"""The TensorFlow Lite interpreter's interface over whet: change the import, keep the program.

    from whet.tflite import Interpreter

Names, arguments, dictionaries and exceptions are those of the TensorFlow Lite (LiteRT) Python API. What belongs to its
delegates and its C++ side is refused by name.
"""
import enum
import os

import numpy as np

from .. import _core
from .._arrays import tensor_value
from .._errors import Error
from .._types import numpy_dtype

__all__ = ["Interpreter", "InterpreterWithCustomOps", "OpResolverType", "SignatureRunner", "load_delegate"]

_LOOKED_AT = ("There is at least 1 reference to internal data in the interpreter, an array or a slice of one: hold only the "
              "function that tensor() gives.")


@enum.unique
class OpResolverType(enum.Enum):
    """Which kernels a program asks for. whet has one set, and results do not depend on it."""

    AUTO = 0
    BUILTIN = 1
    BUILTIN_REF = 2
    BUILTIN_WITHOUT_DEFAULT_DELEGATES = 3


class Delegate:
    """whet loads no delegates: making one raises ValueError."""

    def __init__(self, library, options=None):
        raise ValueError(f"whet runs on the CPU and loads no delegates: {library}")


def load_delegate(library, options=None):
    """Raises ValueError, which programs take as the sign to go on without a delegate."""
    return Delegate(library, options)


def _scalar_type(name):
    """NumPy's type as this interface has it: strings are bytes, four bits a byte; None for handles of variables and tables."""
    if name in ("string", "int4", "none"):
        return {"string": np.bytes_, "int4": np.int8, "none": None}[name]
    return numpy_dtype(name).type


def _type_word(dtype):
    return "STRING" if dtype.kind in "OUS" else dtype.name.upper()


class SignatureRunner:
    """Runs one signature: call it with arrays by name, get a dict of arrays by name."""

    def __init__(self, interpreter=None, signature_key=None):
        if not interpreter:
            raise ValueError("None interpreter provided.")
        if not signature_key:
            raise ValueError("None signature_key provided.")
        full = interpreter._get_full_signature_list()
        if signature_key not in full:
            raise ValueError(f'Invalid signature_key provided: "{signature_key}".')
        self._interpreter = interpreter
        self._signature_key = signature_key
        self._inputs = full[signature_key]["inputs"]
        self._outputs = full[signature_key]["outputs"]
        self._subgraph_index = next(s[1] for s in interpreter.program.model.signatures if s[0] == signature_key)
        self._session = interpreter._signature_session(signature_key)
        self._names = list(self._outputs)

    def __call__(self, **kwargs):
        """Run with inputs by name; answers a dict of outputs by name."""
        if len(kwargs) != len(self._inputs):
            raise ValueError("Invalid number of inputs provided for running a SignatureDef, expected %s vs provided %s" %
                             (len(self._inputs), len(kwargs)))
        for name in kwargs:
            if name not in self._inputs:
                raise ValueError("Invalid Input name (%s) for SignatureDef" % name)
        try:
            values = self._session.run(kwargs, outputs=self._names)
        except (Error, TypeError) as e:
            raise ValueError(str(e)) from e
        return dict(zip(self._names, [_bytes(v) for v in values]))

    def _details(self, side, infos):
        shapes = {i.name: i.shape for i in infos}
        return {name: self._interpreter._details(self._subgraph_index, index, shapes.get(name)) for name, index in side.items()}

    def get_input_details(self):
        """Details of the inputs by name, as Interpreter.get_input_details() has them."""
        return self._details(self._inputs, self._session.inputs)

    def get_output_details(self):
        """Details of the outputs by name."""
        return self._details(self._outputs, self._session.outputs)


def _bytes(a):
    """Strings are bytes in this interface, and four bits a byte."""
    if not isinstance(a, np.ndarray) or a.dtype.kind in "fiubc":
        return a
    if a.dtype == object:
        out = np.empty(a.shape, object)
        out.reshape(-1)[:] = [s.encode("utf-8", "surrogateescape") for s in a.reshape(-1)]
        return out
    return a.astype(np.int8) if a.dtype.name == "int4" else a


class Interpreter(_core.Session):
    """Interpreter(model_path=None, model_content=None, experimental_delegates=None, num_threads=None, ...)

    Call allocate_tensors() before the first invoke() and after a resize. Errors are ValueError and RuntimeError.
    """

    def __init__(self, model_path=None, model_content=None, experimental_delegates=None, num_threads=None,
                 experimental_op_resolver_type=OpResolverType.AUTO, experimental_preserve_all_tensors=False,
                 experimental_disable_delegate_clustering=False, experimental_default_delegate_latest_features=False,
                 experimental_compress_quantization_zero_points=False, experimental_disable_delegate_node_fusion=False,
                 experimental_force_delegate_node_profiling=False):
        if not isinstance(experimental_op_resolver_type, OpResolverType) and \
           getattr(experimental_op_resolver_type, "name", None) not in OpResolverType.__members__:
            raise ValueError(f"Unrecognized passed in op resolver type: {experimental_op_resolver_type}")
        if num_threads is not None:
            if not isinstance(num_threads, int):
                raise ValueError("type of num_threads should be int")
            if num_threads < 1:
                raise ValueError("num_threads should >= 1")
        if experimental_delegates:
            raise ValueError(f"whet runs on the CPU and takes no delegates: {experimental_delegates}")
        if model_path and model_content:
            raise ValueError("Can't both provide `model_path` and `model_content`")
        if not model_path and not model_content:
            raise ValueError("`model_path` or `model_content` must be specified.")
        self.experimental_compress_quantization_zero_points = experimental_compress_quantization_zero_points
        self._options = {"threads": num_threads or 1}
        if experimental_preserve_all_tensors:
            self._options["keep"] = "all"
        try:
            model = _core.Model(os.fspath(model_path) if model_path else model_content, format="tflite")
            super().__init__(_core.Program(model, **self._options))
        except Error as e:
            raise ValueError(str(e)) from e
        self.guard()
        self._model = model
        self._graphs = model.graphs()
        self._in = [model.io(0, i) for i in range(len(model.inputs))]
        self._out = [model.io(1, i) for i in range(len(model.outputs))]
        self._in_of = {t: i for i, t in reversed(list(enumerate(self._in)))}
        self._out_of = {t: i for i, t in reversed(list(enumerate(self._out)))}
        self._as_is = frozenset(i for i, info in enumerate(model.outputs) if info.dtype in _PLAIN)
        self._static = {}
        self._runners = {}

    # ---- tensors ----

    def allocate_tensors(self):
        """Plan for the shapes that the inputs have and take memory. RuntimeError: the model cannot take these shapes."""
        self._ensure_safe()
        try:
            self.prepare()
        except Error as e:
            raise RuntimeError(str(e)) from e

    def set_tensor(self, tensor_index, value):
        """Copy an array into an input tensor. ValueError when its type or shape is another."""
        i = self._in_of.get(tensor_index)
        if i is None or not self.prepared or not self.put(i, value):
            self._set_slowly(tensor_index, value)

    def _set_slowly(self, tensor_index, value):
        self._check_index(tensor_index)
        i = self._in_of.get(tensor_index)
        if i is None:
            raise ValueError(f"Cannot set tensor: tensor {tensor_index} is no input")
        if not self.prepared:
            raise ValueError("Cannot set tensor: Tensor is unallocated. Try calling allocate_tensors() first")
        info = self.inputs[i]
        value = np.asarray(value)
        want = np.dtype(_scalar_type(info.dtype)) if info.dtype == "int4" else numpy_dtype(info.dtype)
        if _type_word(value.dtype) != _type_word(want):
            raise ValueError(f"Cannot set tensor: Got value of type {_type_word(value.dtype)} but expected type "
                             f"{_type_word(want)} for input {tensor_index}, name: {info.name} ")
        if value.ndim != len(info.shape):
            raise ValueError(f"Cannot set tensor: Dimension mismatch. Got {value.ndim} but expected {len(info.shape)} for "
                             f"input {tensor_index}.")
        for k, (got, expected) in enumerate(zip(value.shape, info.shape)):
            if got != expected:
                raise ValueError(f"Cannot set tensor: Dimension mismatch. Got {got} but expected {expected} for dimension {k} "
                                 f"of input {tensor_index}.")
        if info.dtype not in _PLAIN:
            self._ensure_safe()
            self.set(i, tensor_value(value, info.dtype, info.name))
        else:
            self.put(i, np.require(value, want, ["C", "A"]).reshape(value.shape))

    def get_tensor(self, tensor_index, subgraph_index=0):
        """A copy of a tensor: an output, an input, a constant, or any tensor when all are preserved."""
        if not subgraph_index and self.prepared:
            i = self._out_of.get(tensor_index)
            if i is not None:
                try:
                    return self.get(i) if i in self._as_is else _bytes(self.get(i))
                except Error as e:
                    raise ValueError(str(e)) from e
        return self._get_slowly(tensor_index, subgraph_index)

    def _get_slowly(self, tensor_index, subgraph_index):
        self._check_index(tensor_index, subgraph_index)
        info, number, _, constant, _, _ = self._model.tensor(subgraph_index, int(tensor_index))
        if constant:
            data = self._model.constant(subgraph_index, int(tensor_index))
            if data is not None and info.dtype in _PLAIN:
                return np.frombuffer(data, numpy_dtype(info.dtype)).reshape(info.shape).copy()
        if not self.prepared:
            raise ValueError("Tensor data is null. Run allocate_tensors() first")
        i = self._in_of.get(tensor_index) if not subgraph_index else None
        if i is not None:
            return self.input(i).copy()
        try:
            return _bytes(self.kept(number)[1])
        except Error as e:
            raise ValueError(f"Tensor {tensor_index} cannot be read: {e}; make the interpreter with "
                             "experimental_preserve_all_tensors=True to read inner tensors") from e

    def tensor(self, tensor_index):
        """A function that gives an array over an input's or output's memory. Hold the function, not the array: while one is
        held the interpreter neither runs nor moves."""
        self._check_index(tensor_index)

        def look():
            if not self.prepared:
                raise ValueError("Tensor data is null. Run allocate_tensors() first")
            i = self._out_of.get(tensor_index)
            if i is not None:
                return self.output_memory(i)
            i = self._in_of.get(tensor_index)
            return self.input(i) if i is not None else self.get_tensor(tensor_index)

        return look

    def resize_tensor_input(self, input_index, tensor_size, strict=False):
        """Give an input another shape; allocate_tensors() follows. strict: only dimensions that the model leaves open."""
        self._ensure_safe()
        i = self._in_of.get(input_index)
        if i is None:
            self._check_index(input_index)
            raise ValueError(f"Tensor {input_index} is no input of the model")
        size = [int(d) for d in np.asarray(tensor_size).reshape(-1)]
        if strict:
            declared = self._model.inputs[i].shape
            fits = declared is None or (len(declared) == len(size) and
                                        all(not isinstance(d, int) or d == s for d, s in zip(declared, size)))
            if not fits:
                raise ValueError("ResizeInputTensorStrict only allows mutating unknown dimensions identified by -1: "
                                 f"expected {declared}, got {size}")
        try:
            self.resize(i, size)
        except Error as e:
            raise ValueError(str(e)) from e

    def reset_all_variables(self):
        """State that lives from run to run back to its first value."""
        self.reset()
        for session in self._runners.values():
            session.reset()

    # ---- what there is ----

    def num_subgraphs(self):
        """How many subgraphs the model has."""
        return len(self._graphs)

    def get_input_details(self):
        """A dict for each input: name, index, shape, shape_signature, dtype, quantization, quantization_parameters,
        sparsity_parameters."""
        return [self._get_tensor_details(t, 0) for t in self._in]

    def get_output_details(self):
        """The same for each output."""
        return [self._get_tensor_details(t, 0) for t in self._out]

    def get_tensor_details(self, subgraph_index=0):
        """The same for every tensor of a subgraph that has details."""
        if not 0 <= subgraph_index < len(self._graphs):
            raise ValueError(f"subgraph_index is out of range: {subgraph_index} for the model, which has {len(self._graphs)} "
                             "subgraphs.")
        found = []
        for t in range(self._graphs[subgraph_index][0]):
            try:
                found.append(self._get_tensor_details(t, subgraph_index))
            except ValueError:
                pass  # handles of variables and tables
        return found

    def _get_tensor_details(self, tensor_index, subgraph_index):
        shape = None
        if not subgraph_index:
            for side, infos in ((self._in_of, self.inputs), (self._out_of, self.outputs)):
                if tensor_index in side:
                    shape = infos[side[tensor_index]].shape
        return self._details(subgraph_index, tensor_index, shape)

    def _details(self, graph, index, shape):
        """Details of a tensor; `shape` where a session knows better than the file."""
        index = int(index)
        self._check_index(index, graph)
        key = (graph, index)
        known = self._static.get(key)
        if known is None:
            known = self._static[key] = self._model.tensor(graph, index)
        info, _, block, _, _, _ = known
        if info.dtype == "none":
            raise ValueError("Could not get tensor details")
        declared = [d if isinstance(d, int) else -1 for d in info.shape or ()]
        now = declared if shape is None else [d if isinstance(d, int) else -1 for d in shape]
        axis, scales, zeros = info.quant or (0, (), ())
        return {"name": info.name, "index": index,
                "shape": np.array([1 if d < 0 else d for d in now], np.int32),
                "shape_signature": np.array(declared, np.int32), "dtype": _scalar_type(info.dtype),
                "quantization": (scales[0], zeros[0]) if len(scales) == 1 else (0.0, 0),
                "quantization_parameters": {"scales": np.array(scales, np.float32), "zero_points": np.array(zeros, np.int32),
                                            "quantized_dimension": axis, "block_size": block},
                "sparsity_parameters": {}}  # sparse constants are dense once they are read

    def _get_op_details(self, op_index):
        kind, _, _, _, inputs, outputs = self._model.node(0, op_index)

        def types(list_):
            return [_scalar_type(self._model.tensor(0, t)[0].dtype) for t in list_ if t >= 0]

        return {"index": int(op_index), "op_name": kind, "inputs": np.array(inputs, np.int32),
                "outputs": np.array(outputs, np.int32), "operand_types": types(inputs), "result_types": types(outputs)}

    def _get_ops_details(self):
        return [self._get_op_details(i) for i in range(self._graphs[0][1])]

    # ---- signatures ----

    def _get_full_signature_list(self):
        first = [self._model.tensor(g, 0)[1] if n else 0 for g, (n, _) in enumerate(self._graphs)]
        return {key: {"inputs": {n: t - first[g] for n, t in sorted(i)}, "outputs": {n: t - first[g] for n, t in sorted(o)}}
                for key, g, i, o in self._model.signatures}

    def get_signature_list(self):
        """{key: {"inputs": names, "outputs": names}} of the model's signatures."""
        return {key: {side: list(names) for side, names in s.items()} for key, s in self._get_full_signature_list().items()}

    def get_signature_runner(self, signature_key=None):
        """A SignatureRunner; the key may be left out when there is one signature only."""
        keys = list(self._get_full_signature_list())
        if signature_key is None:
            if len(keys) != 1:
                raise ValueError(f"SignatureDef signature_key is None and model has {len(keys)} Signatures. None is only allowed "
                                 "when the model has 1 SignatureDef")
            signature_key = keys[0]
        return SignatureRunner(interpreter=self, signature_key=signature_key)

    def _signature_session(self, key):
        """One session for each signature, over the same variables."""
        session = self._runners.get(key)
        if session is None:
            try:
                session = _core.Session(_core.Program(self._model, signature=key, **self._options))
                session.share(self)
            except Error as e:
                raise ValueError(str(e)) from e
            self._runners[key] = session
        return session

    # ---- checks ----

    def _check_index(self, index, graph=0):
        if not 0 <= graph < len(self._graphs):
            raise ValueError(f"subgraph_index is out of range: {graph}")
        n = self._graphs[graph][0]
        if not 0 <= index < n:
            raise ValueError(f"Invalid tensor index {index} exceeds max tensor index {n}")

    def _safe_to_run(self):
        return not self.views

    def _ensure_safe(self):
        if self.views:
            raise RuntimeError(_LOOKED_AT)


_PLAIN = {"float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "bool", "float16", "float64", "uint32", "uint64",
          "complex64", "complex128"}


class InterpreterWithCustomOps(Interpreter):
    """Interpreter; operators registered through TensorFlow Lite's C++ resolver are refused by name."""

    def __init__(self, custom_op_registerers=None, **kwargs):
        if custom_op_registerers:
            raise ValueError(f"whet cannot call TensorFlow Lite's registerers of custom operators: {custom_op_registerers}")
        super().__init__(**kwargs)
