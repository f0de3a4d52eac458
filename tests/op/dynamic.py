# SPDX-License-Identifier: Apache-2.0
"""What onnxruntime's dynamic quantisation writes: DynamicQuantizeLinear, ConvInteger or MatMulInteger, Cast, Mul by both scales, Add of the
bias, Relu. Random ones of it against ONNX's reference; each product must run on integers, and its sums never lie in memory but for
depthwise convolutions.

   dynamic.py FOLDER WHET [CASES [SEED]]"""
import pathlib
import random
import shutil
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator


class Graph:
    def __init__(self, rng, np_rng):
        self.rng, self.np, self.nodes, self.inits = rng, np_rng, [], []

    def const(self, name, value):
        self.inits.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, op, inputs, output, n_out=1, **attrs):
        outputs = [output] if n_out == 1 else [f"{output}_{i}" for i in range(n_out)]
        self.nodes.append(helper.make_node(op, inputs, outputs, **attrs))
        return outputs[0] if n_out == 1 else outputs

    def weights(self, shape, outputs, axis):
        """Names of integer weights, their zero points (perhaps none) and their scales."""
        kind = self.rng.choice((np.int8, np.uint8))
        info = np.iinfo(kind)
        many = self.rng.random() < 0.5
        zero = self.np.integers(info.min, info.max + 1, outputs if many else ()).astype(kind)
        scale = self.np.uniform(0.001, 0.02, outputs if many else ()).astype(np.float32)
        if self.rng.random() < 0.4:
            zero = None
        w = self.const("w", self.np.integers(info.min, info.max + 1, shape).astype(kind))
        return w, "" if zero is None else self.const("zw", zero), scale, many

    def product(self, x):
        q, scale, zero = self.node("DynamicQuantizeLinear", [x], "q", 3)
        if self.rng.random() < 0.6:
            n, spatial = self.rng.choice((1, 1, 2, 3)), self.rng.choice((1, 2, 2, 2))
            group, kernel = self.rng.choice((1, 1, 1, 2, 4, 8)), [self.rng.randint(1, 4) for _ in range(spatial)]
            ic, oc = group * self.rng.randint(1, 9), group * self.rng.randint(1, 20)
            shape = [n, ic] + [self.rng.randint(8, 14) for _ in range(spatial)]
            w, zw, sw, many = self.weights([oc, ic // group] + kernel, oc, 0)
            attrs = {"group": group, "kernel_shape": kernel, "strides": [self.rng.randint(1, 2) for _ in kernel]}
            if self.rng.random() < 0.7:
                attrs["pads"] = [self.rng.randint(0, k - 1) for k in kernel * 2]
            if self.rng.random() < 0.3:
                attrs["dilations"] = [self.rng.randint(1, 2) for _ in kernel]
            y = self.node("ConvInteger", [q, w, zero, zw], "sum", **attrs)
            along = [oc] + [1] * spatial
        else:
            rank, k, oc = self.rng.randint(2, 4), self.rng.randint(1, 90), self.rng.randint(1, 70)
            shape = [self.rng.randint(1, 5) for _ in range(rank - 1)] + [k]
            w, zw, sw, many = self.weights([k, oc], oc, 1)
            y = self.node("MatMulInteger", [q, w, zero, zw], "sum")
            along = [oc]
        if many:
            sw = sw.reshape(along)
        both = self.node("Mul", self.rng.sample([scale, self.const("sw", sw)], 2), "scales")
        y = self.node("Mul", self.rng.sample([self.node("Cast", [y], "float", to=TensorProto.FLOAT), both], 2), "product")
        if self.rng.random() < 0.7:
            y = self.node("Add", self.rng.sample([y, self.const("b", self.np.uniform(-2, 2, along).astype(np.float32))], 2), "biased")
        if self.rng.random() < 0.5:
            y = self.node("Relu", [y], "positive")
        return shape, y


def in_double(model):
    """The same model with its product of integers as one of doubles, in which those are exact: the reference's own takes no zero point
    for each output."""
    copy, consts = onnx.ModelProto(), {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    copy.CopyFrom(model)
    nodes = list(copy.graph.node)
    at = next(i for i, n in enumerate(nodes) if n.op_type.endswith("Integer"))
    x, w, zero, zw = nodes[at].input
    shift = consts[zw].astype(np.float64) if zw else 0
    conv = nodes[at].op_type == "ConvInteger"
    if conv and zw and shift.ndim:
        shift = shift.reshape([-1] + [1] * (consts[w].ndim - 1))
    copy.graph.initializer.append(numpy_helper.from_array(consts[w].astype(np.float64) - shift, "w_double"))
    product = helper.make_node("Conv" if conv else "MatMul", ["x_shifted", "w_double"], ["sum_double"])
    product.attribute.extend(nodes[at].attribute)
    double = {"to": TensorProto.DOUBLE}
    nodes[at:at + 1] = [helper.make_node("Cast", [x], ["x_double"], **double), helper.make_node("Cast", [zero], ["zero_double"], **double),
                        helper.make_node("Sub", ["x_double", "zero_double"], ["x_shifted"]), product,
                        helper.make_node("Cast", ["sum_double"], ["sum"], to=TensorProto.INT32)]
    del copy.graph.node[:]
    copy.graph.node.extend(nodes)
    return copy


def case(folder, seed):
    rng, np_rng = random.Random(seed), np.random.default_rng(seed)
    g = Graph(rng, np_rng)
    shape, y = g.product("x")
    graph = helper.make_graph(g.nodes, "dynamic", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(y, TensorProto.FLOAT, None)], g.inits)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    x = np_rng.uniform(rng.choice((-3, 0, 1)), 4, shape).astype(np.float32)
    want = ReferenceEvaluator(in_double(model)).run(None, {"x": x})[0]
    data = folder / f"dynamic_{seed}" / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(model, folder / f"dynamic_{seed}" / "model.onnx")
    for name, value in (("input_0", x), ("output_0", np.asarray(want, np.float32))):
        (data / f"{name}.pb").write_bytes(numpy_helper.from_array(value).SerializeToString())


def main():
    folder, whet = pathlib.Path(sys.argv[1]), sys.argv[2]
    cases, first = (int(v) for v in (sys.argv[3:] + ["60", "1"][len(sys.argv[3:]):]))
    shutil.rmtree(folder, ignore_errors=True)
    for seed in range(first, first + cases):
        case(folder, seed)
    for level in (["--cpu", "c"], ["--no-group"], ["--threads", "2"], []):
        r = subprocess.run([whet, "verify", "--suite", folder, "--tolerance", "rel:1e-6", *level], capture_output=True, text=True)
        print(*level, r.stdout.strip().splitlines()[-1:])
        if r.returncode:
            sys.exit(r.stdout + r.stderr)
    for model in sorted(folder.glob("*/model.onnx")):
        plan = subprocess.run([whet, "inspect", model, "--plan"], capture_output=True, text=True, check=True).stdout
        slow = [line for line in plan.partition("\nstep ")[2].splitlines() if " reference " in line and " Cast " not in line]
        sums = [line for line in plan.splitlines() if "SumsToFloat" in line]
        if slow or not any("_q8__" in line and ("dw_q8" in line or "SumsToFloat" in line) for line in plan.splitlines()) or not sums:
            sys.exit(f"{model}: a product does not run on integers\n{plan}")


main()
