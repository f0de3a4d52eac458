# SPDX-License-Identifier: Apache-2.0
"""The backend interface of the onnx package over whet: prepare, run_model, run_node, supports_device.

    import onnx.backend.test
    onnx.backend.test.BackendTest(whet.backend)
"""
import numpy as np
import onnx
from onnx import helper
from onnx.backend.base import Backend, BackendRep, namedtupledict

from . import _core
from ._types import dtype_name

# What run_node() may be asked for: the newest operator set of the installed package.
_NEWEST = onnx.defs.onnx_opset_version()


class WhetRep(BackendRep):
    """A model that is ready to run."""

    def __init__(self, model, **options):
        self._model = _core.Model(model.SerializeToString(), format="onnx")
        self._session = _core.Session(_core.Program(self._model, **options))
        self._inputs = [i.name for i in self._model.inputs]
        self._outputs = [o.name for o in self._model.outputs]

    def run(self, inputs, **kwargs):
        """Run on a list of inputs in the model's order, a dict by name, or one array; answers a named tuple."""
        if isinstance(inputs, dict):
            feed = dict(inputs)
        else:
            if not isinstance(inputs, (list, tuple)):
                inputs = [inputs]
            if len(inputs) > len(self._inputs):
                raise RuntimeError(f"{len(inputs)} inputs for a model that takes {len(self._inputs)}: {self._inputs}")
            feed = dict(zip(self._inputs, inputs))
        return namedtupledict("Outputs", self._outputs)(*[_compact(x) for x in self._session.run(feed)])


def _compact(x):
    return [_compact(e) for e in x] if isinstance(x, (list, tuple)) else x


class WhetBackend(Backend):
    """whet as a backend of the onnx package."""

    @classmethod
    def is_compatible(cls, model, device="CPU", **kwargs):
        """True: what cannot run is refused by prepare(), by name."""
        return cls.supports_device(device)

    @classmethod
    def supports_device(cls, device):
        """The CPU."""
        return device.split(":")[0] == "CPU"

    @classmethod
    def prepare(cls, model, device="CPU", **kwargs):
        """A WhetRep of a ModelProto, of its bytes, or of a file. Options are those of whet.Program."""
        if not cls.supports_device(device):
            raise RuntimeError(f"whet runs on the CPU, not on {device}")
        if isinstance(model, WhetRep):
            return model
        if not isinstance(model, onnx.ModelProto):
            model = onnx.load(model) if not isinstance(model, bytes) else onnx.load_from_string(model)
        options = {k: v for k, v in kwargs.items() if k in ("threads", "cpu", "exact", "dims", "precision")}
        return WhetRep(model, **options)

    @classmethod
    def run_model(cls, model, inputs, device="CPU", **kwargs):
        """Prepare and run once."""
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def run_node(cls, node, inputs, device="CPU", outputs_info=None, **kwargs):
        """Run one node on arrays; empty names stand for absent inputs."""
        version = kwargs.pop("opset_version", _NEWEST)
        given = dict(zip([n for n in node.input if n], inputs)) if not isinstance(inputs, dict) else inputs
        infos = []
        for name, x in given.items():
            x = np.asarray(x)
            kind = onnx.TensorProto.STRING if dtype_name(x.dtype) == "string" else helper.np_dtype_to_tensor_dtype(x.dtype)
            infos.append(helper.make_tensor_value_info(name, kind, x.shape))
        outs = []
        for i, name in enumerate(n for n in node.output if n):
            if outputs_info is not None and i < len(outputs_info):
                kind, shape = outputs_info[i]
                outs.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), shape))
            else:
                outs.append(helper.make_empty_tensor_value_info(name))
        graph = helper.make_graph([node], node.op_type, infos, outs)
        imports = [helper.make_opsetid(node.domain, version)]
        if node.domain:
            imports.append(helper.make_opsetid("", _NEWEST))
        model = helper.make_model(graph, opset_imports=imports)
        model.ir_version = min(model.ir_version, onnx.IR_VERSION)
        return cls.run_model(model, {k: v for k, v in given.items()}, device, **kwargs)


is_compatible = WhetBackend.is_compatible
prepare = WhetBackend.prepare
run = WhetBackend.run_model
run_model = WhetBackend.run_model
run_node = WhetBackend.run_node
supports_device = WhetBackend.supports_device
