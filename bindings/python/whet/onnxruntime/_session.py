# SPDX-License-Identifier: Apache-2.0
"""InferenceSession and IOBinding. One program holds the weights; each thread that runs at the same time gets a session of
whet of its own, made when it is first needed and kept for the next run."""
import collections.abc
import json
import os
import threading
import time
import warnings

import numpy as np

from .. import _core
from .. import _errors as whet
from .._arrays import to_array
from .._types import dtype_name
from ._errors import InvalidArgument, NotImplemented, error, of_load, of_run
from ._options import SessionOptions
from ._values import OrtValue, array_at, check_device, element_name, onnx_name, value_of

_CPU = "CPUExecutionProvider"


def get_available_providers():
    """["CPUExecutionProvider"]"""
    return [_CPU]


def get_device():
    """"CPU"."""
    return "CPU"


class NodeArg:
    """An input or output: name, type ("tensor(float)"), shape (sizes, names of free dimensions, None)."""

    def __init__(self, name, type_, shape):
        self.name, self.type, self.shape = name, type_, shape

    def __repr__(self):
        return f"NodeArg(name={self.name!r}, type={self.type!r}, shape={self.shape!r})"

    __str__ = __repr__


class ModelMetadata:
    """Texts of the model's file."""

    _FIXED = ("producer_name", "producer_version", "domain", "graph_name", "description", "version", "graph_description")

    def __init__(self, meta):
        text = {k: v.decode("utf-8", "replace") for k, v in meta.items()}
        self.producer_name = text.get("producer_name", "")
        self.graph_name = text.get("graph_name", "")
        self.domain = text.get("domain", "")
        self.description = text.get("description", "")
        self.graph_description = text.get("graph_description", "")
        self.version = int(text.get("version", "0") or 0)
        self.custom_metadata_map = {k: v for k, v in text.items() if k not in self._FIXED}


def _args(model, infos, output):
    """NodeArgs of a list of Info; output None: of initialisers."""
    found = []
    for i, info in enumerate(infos):
        kind = f"tensor({onnx_name(info.dtype)})"
        if info.kind != "tensor":
            kind = model.tensor(0, model.io(int(output), i))[5] or info.kind
        found.append(NodeArg(info.name, kind, list(info.shape or [])))
    return found


def _providers(asked, options):
    """The providers that are there, of those asked for; warns of the others."""
    if asked is None:
        return [_CPU]
    if not isinstance(asked, collections.abc.Sequence) or isinstance(asked, str):
        raise ValueError("'providers' should be a sequence.")
    if options is not None and len(options) != len(asked):
        raise ValueError("'providers' and 'provider_options' should be the same length if both are given.")
    for p in asked:
        name = p[0] if isinstance(p, tuple) and len(p) == 2 else p
        if not isinstance(name, str):
            raise ValueError("'providers' values must be either strings or (string, dict) tuples.")
        if name != _CPU:
            warnings.warn(f"Specified provider '{name}' is not in available provider names. Available providers: '{_CPU}'")
    return [_CPU]


class _Idle(list):
    """Sessions of one program that no run uses at the moment."""

    def __init__(self, program):
        super().__init__()
        self.program = program


class Session:
    """What InferenceSession does; programs make an InferenceSession."""

    # ---- what the model is ----

    def get_inputs(self):
        """NodeArgs of the inputs."""
        return self._inputs_meta

    def get_outputs(self):
        """NodeArgs of the outputs."""
        return self._outputs_meta

    def get_overridable_initializers(self):
        """NodeArgs of initialisers that the model lists as inputs too."""
        return self._overridable

    def get_modelmeta(self):
        """ModelMetadata of the file."""
        return self._meta

    def get_session_options(self):
        """The SessionOptions."""
        return self._sess_options

    def get_providers(self):
        """["CPUExecutionProvider"]"""
        return self._providers

    def get_provider_options(self):
        """{"CPUExecutionProvider": {}}"""
        return {_CPU: {}}

    def set_providers(self, providers=None, provider_options=None):
        """Accepts the CPU; warns of the others."""
        self._providers = _providers(providers, provider_options)

    def disable_fallback(self):
        """Changes nothing: there is one provider."""

    def enable_fallback(self):
        """Changes nothing: there is one provider."""

    def set_ep_dynamic_options(self, options):
        """Refused by name."""
        raise error(NotImplemented, f"options of a running execution provider ({', '.join(options)})")

    # ---- running ----

    def _idle_for(self, feed):
        """Where the sessions are whose inputs are those of the model and the initialisers in the feed: the model is read once
        more for each set of them, and the others stay constants."""
        names = tuple(o.name for o in self._overridable if o.name in feed)
        idle = self._idle_of.get(names)
        if idle is None:
            try:
                idle = _Idle(self._make(_core.Model(self._source, format="onnx", inputs=names)))
            except whet.Error as e:
                raise of_run(e) from None
            idle = self._idle_of.setdefault(names, idle)
        return idle

    def _make(self, model):
        options = self._sess_options
        return _core.Program(model, threads=max(0, int(options.intra_op_num_threads)), dims=options._dims or None)

    def _take(self, idle):
        try:
            return idle.pop()
        except IndexError:
            session = _core.Session(idle.program)
            if self._sess_options.enable_profiling:
                session.profile(True)
                self._profiled.append(session)
            return session

    def run(self, output_names, input_feed, run_options=None):
        """Run on a dict of inputs by name; answers a list: arrays, lists for sequences, dicts for maps. Any number of threads
        may call it at once."""
        idle = self._idle_for(input_feed) if self._overridable else self._idle
        session = self._take(idle)
        try:
            if run_options is None:
                return session.run(input_feed, outputs=output_names or None)
            return session.run(input_feed, outputs=output_names or None, cancel=run_options._cancel)
        except (whet.Error, TypeError) as e:
            return self._again(session, e, output_names, input_feed, run_options)
        finally:
            idle.append(session)

    def _again(self, session, e, output_names, input_feed, run_options):
        """After a failed run: what was meant, where that can be told; else the error in ONNX Runtime's words."""
        cancel = run_options._cancel if run_options is not None else None
        names = list(output_names) if output_names else [o.name for o in self._outputs_meta]
        if not isinstance(input_feed, dict):
            input_feed = dict(input_feed.items())
            return session.run(input_feed, outputs=names, cancel=cancel)
        if not isinstance(e, whet.Error):
            raise e
        missing = [i.name for i in self._inputs_meta if i.name not in input_feed and not i.type.startswith("optional")]
        if missing:
            raise ValueError(f"Required inputs ({missing}) are missing from input feed ({list(input_feed)}).") from None
        known = {i.name for i in self._inputs_meta + self._overridable}
        for name in input_feed:
            if name in known:
                continue
            raise error(InvalidArgument, f"Invalid input name: {name}") from None
        for name in names:
            if name not in {o.name for o in self._outputs_meta}:
                raise error(InvalidArgument, f"Invalid output name: {name}") from None
        if len(set(names)) < len(names):
            once = list(dict.fromkeys(names))
            got = dict(zip(once, session.run(input_feed, outputs=once, cancel=cancel)))
            return [got[n] for n in names]
        self._explain(input_feed)
        raise of_run(e) from None

    def _explain(self, feed):
        """Say in ONNX Runtime's words which input does not fit."""
        for arg in self._inputs_meta + self._overridable:
            x = feed.get(arg.name)
            if not arg.type.startswith("tensor") or not isinstance(x, np.ndarray):
                continue
            got = dtype_name(x.dtype)
            if got is not None and arg.type != f"tensor({onnx_name(got)})":
                raise error(InvalidArgument, f"Unexpected input data type for input: {arg.name}. Actual: "
                                             f"(tensor({onnx_name(got)})) , expected: ({arg.type})") from None
            want = arg.shape
            if want and x.ndim != len(want):
                raise error(InvalidArgument, f"Invalid rank for input: {arg.name} Got: {x.ndim} Expected: {len(want)} Please fix "
                                             "either the inputs/outputs or the model.") from None
            bad = [f" index: {k} Got: {g} Expected: {w}" for k, (g, w) in enumerate(zip(x.shape, want))
                   if isinstance(w, int) and g != w]
            if bad:
                raise error(InvalidArgument, f"Got invalid dimensions for input: {arg.name} for the following indices\n" +
                            "\n".join(bad) + "\n Please fix either the inputs/outputs or the model.") from None

    def run_async(self, output_names, input_feed, callback, user_data, run_options=None):
        """Run in a thread of its own, then call callback(results, user_data, error text)."""

        def work():
            try:
                results, text = self.run(output_names, input_feed, run_options), ""
            except Exception as e:  # noqa: BLE001 - it is handed to the callback
                results, text = [], str(e)
            callback(results, user_data, text)

        threading.Thread(target=work, name="whet run_async", daemon=True).start()

    def run_with_ort_values(self, output_names, input_dict_ort_values, run_options=None):
        """Run on OrtValues, which are used where they lie; answers a list of OrtValues."""
        return [value_of(x) for x in self.run(output_names, input_dict_ort_values, run_options)]

    def io_binding(self):
        """An IOBinding for this session."""
        return IOBinding(self)

    def run_with_iobinding(self, iobinding, run_options=None):
        """Run on what was bound; outputs that were bound to memory are written there."""
        names = list(iobinding._outputs)
        into = [iobinding._outputs[n] for n in names]
        idle = self._idle_for(iobinding._inputs) if self._overridable else self._idle
        session = self._take(idle)
        try:
            got = session.run(dict(iobinding._inputs), outputs=names or None,
                              out=[None if x is None else to_array(x) for x in into] if names else None,
                              cancel=run_options._cancel if run_options is not None else None)
        except whet.Error as e:
            got = self._again(session, e, names, iobinding._inputs, run_options)
        finally:
            idle.append(session)
        names = names or [o.name for o in self._outputs_meta]
        iobinding._results = {n: OrtValue(x) if x is not None else value_of(g)
                              for n, x, g in zip(names, into or [None] * len(names), got)}

    def create_ortvalue_from_shape_and_type(self, shape, element_type, device_type, device_id=0, vendor_id=-1):
        """A tensor of zeros for this session."""
        return OrtValue.ortvalue_from_shape_and_type(shape, element_type, device_type, device_id)

    # ---- profiling ----

    def get_profiling_start_time_ns(self):
        """When profiling began, comparable to time.monotonic_ns(); 0 without it."""
        return self._profile_start

    def end_profiling(self):
        """Write what was measured as a trace that Perfetto and chrome://tracing read; answers the file's name, "" without
        profiling. Each step stands there once, with the sum of its time over all runs."""
        options = self._sess_options
        if not options.enable_profiling or self._profile_start == 0:
            return ""
        events, at = list(self._events), max((e["ts"] + e["dur"] for e in self._events), default=0)
        for session in self._profiled:
            for node, name, op, kernel, ns in session.steps():
                events.append({"cat": "Node", "pid": os.getpid(), "tid": 1, "dur": ns // 1000, "ts": at, "ph": "X",
                               "name": f"{name or op}_kernel_time",
                               "args": {"op_name": op, "node_index": str(node), "provider": _CPU, "kernel": kernel,
                                        "nanoseconds": str(ns)}})
                at += ns // 1000
            session.profile(False)
        self._profiled, self._profile_start = [], 0
        path = f"{options.profile_file_prefix}_{time.strftime('%Y-%m-%d_%H-%M-%S')}_{time.monotonic_ns() % 1000:03d}.json"
        with open(path, "w", encoding="utf-8") as f:
            json.dump(events, f)
        return path


class InferenceSession(Session):
    """InferenceSession(path_or_bytes, sess_options=None, providers=None, provider_options=None)"""

    def __init__(self, path_or_bytes, sess_options=None, providers=None, provider_options=None, **kwargs):
        if isinstance(path_or_bytes, (str, os.PathLike)):
            source = os.fspath(path_or_bytes)
        elif isinstance(path_or_bytes, (bytes, bytearray, memoryview)):
            source = path_or_bytes
        else:
            raise TypeError(f"Unable to load from type '{type(path_or_bytes)}'")
        options = self._sess_options = sess_options if sess_options is not None else SessionOptions()
        self._providers = _providers(providers, provider_options)
        if options._refused:
            raise error(NotImplemented, "; ".join(options._refused))
        if options.optimized_model_filepath:
            raise error(NotImplemented, f"writing the optimized model (to {options.optimized_model_filepath})")
        begun = time.monotonic_ns()
        self._events = []
        try:
            model = _core.Model(source, format="onnx")
            loaded = time.monotonic_ns()
            self._source, self._profiled = source, []
            self._idle = _Idle(self._make(model))
            self._idle_of = {(): self._idle}
            self._idle.append(self._take(self._idle))
        except whet.Error as e:
            raise of_load(e, source if isinstance(source, str) else "bytes") from None
        self._profile_start = begun if options.enable_profiling else 0
        for name, start, end in (("model_loading_uri", begun, loaded), ("session_initialization", loaded, time.monotonic_ns())):
            self._events.append({"cat": "Session", "pid": os.getpid(), "tid": 1, "dur": (end - start) // 1000,
                                 "ts": (start - begun) // 1000, "ph": "X", "name": name, "args": {}})
        self._inputs_meta = _args(model, model.inputs, False)
        self._outputs_meta = _args(model, model.outputs, True)
        if options._dims:
            for arg in self._inputs_meta + self._outputs_meta:
                arg.shape = [options._dims.get(d, d) if isinstance(d, str) else d for d in arg.shape]
        self._overridable = _args(model, model.overridables, None)
        self._meta = ModelMetadata(model.meta)


class IOBinding:
    """Inputs and outputs bound once for many runs."""

    def __init__(self, session):
        self._session = session
        self._inputs, self._outputs, self._results = {}, {}, {}

    def _check(self, name, args, what):
        if name not in {a.name for a in args}:
            raise RuntimeError(f"Error when binding {what}: Failed to find {what} name in the mapping: {name}")

    def bind_cpu_input(self, name, arr_on_cpu):
        """Use an array where it lies."""
        self._check(name, self._session._inputs_meta + self._session._overridable, "input")
        self._inputs[name] = arr_on_cpu

    def bind_input(self, name, device_type, device_id, element_type, shape, buffer_ptr):
        """Use foreign memory, for which the caller vouches."""
        check_device(device_type)
        self._check(name, self._session._inputs_meta + self._session._overridable, "input")
        self._inputs[name] = array_at(buffer_ptr, tuple(shape), element_name(element_type))

    def bind_ortvalue_input(self, name, ortvalue):
        """Use an OrtValue."""
        self._check(name, self._session._inputs_meta + self._session._overridable, "input")
        self._inputs[name] = ortvalue

    def bind_output(self, name, device_type="cpu", device_id=0, element_type=None, shape=None, buffer_ptr=None):
        """Ask for an output: in memory that each run makes, or in the caller's."""
        check_device(device_type)
        self._check(name, self._session._outputs_meta, "output")
        if shape is None or element_type is None:
            if buffer_ptr is not None:
                raise ValueError("`element_type` and `shape` are to be provided if pre-allocated memory is provided")
            self._outputs[name] = None
        elif buffer_ptr is None:
            self._outputs[name] = OrtValue.ortvalue_from_shape_and_type(shape, element_type)._whet_value
        else:
            dtype = element_name(element_type)
            self._outputs[name] = _core.wrap(array_at(buffer_ptr, tuple(shape), dtype), dtype, tuple(shape))

    def bind_ortvalue_output(self, name, ortvalue):
        """Write an output into an OrtValue."""
        self._check(name, self._session._outputs_meta, "output")
        self._outputs[name] = ortvalue._whet_value

    def synchronize_inputs(self):
        """Nothing to wait for on the CPU."""

    def synchronize_outputs(self):
        """Nothing to wait for on the CPU."""

    def get_outputs(self):
        """OrtValues of the last run, in the order of binding."""
        return list(self._results.values())

    def get_outputs_as_ortvaluevector(self):
        """The same."""
        return self.get_outputs()

    def copy_outputs_to_cpu(self):
        """Copies of the outputs of the last run."""
        return [v.numpy() if v.is_tensor() else v.to_python() for v in self._results.values()]

    def clear_binding_inputs(self):
        """Forget the inputs."""
        self._inputs.clear()

    def clear_binding_outputs(self):
        """Forget the outputs."""
        self._outputs.clear()
        self._results.clear()
