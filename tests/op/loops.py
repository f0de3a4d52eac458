# SPDX-License-Identifier: Apache-2.0
"""Random loops (Loop, Scan, a Loop in a Loop) against onnxruntime: carried values that exchange places, stay what they are, become views
of others, constants or what lies outside, that depend on the round, that change their shapes; rounds that stop by condition. Several
shapes of inputs follow each other in one session, which keeps what it planned for a body.

   loops.py FOLDER WHET [CASES [SEED]]"""
import pathlib
import random
import shutil
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

INFO = helper.make_tensor_value_info


class Body:
    """Nodes of a body; its values are matrices of [n, 4] whose n the inputs tell."""

    def __init__(self, rng, np_rng, tag):
        self.rng, self.np, self.tag, self.nodes, self.inits = rng, np_rng, tag, [], []

    def name(self):
        return f"{self.tag}_v{len(self.nodes)}_{len(self.inits)}"

    def const(self, value):
        name = self.name()
        self.inits.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def op(self, kind, *inputs, **attrs):
        out = self.name()
        self.nodes.append(helper.make_node(kind, inputs, [out], **attrs))
        return out

    def matrix(self):
        return self.const(self.np.uniform(-0.5, 0.5, (4, 4)).astype(np.float32))

    def step(self, values, outer, round_name):
        """What a carried value may become, from what is there."""
        a, b = self.rng.choice(values), self.rng.choice(values + [outer])
        kind = self.rng.choice(("same", "sum", "product", "view", "row", "outer", "round", "activation", "const"))
        if kind == "same":
            return self.op("Identity", a)
        if kind == "sum":
            return self.op("Tanh", self.op("Add", a, b))
        if kind == "product":
            return self.op("Add", self.op("MatMul", a, self.matrix()), b)
        if kind == "view":
            flat = self.op("Reshape", a, self.const(np.array([-1], np.int64)))
            return self.op("Reshape", flat, self.const(np.array([-1, 4], np.int64)))
        if kind == "row" and round_name:
            at = self.op("Mod", round_name, self.const(np.array(2, np.int64)))
            return self.op("Add", self.op("Gather", a, self.op("Reshape", at, self.const(np.array([1], np.int64)))), b)
        if kind == "outer":
            return self.op("Identity", outer)
        if kind == "round" and round_name:
            return self.op("Mul", a, self.op("Cast", round_name, to=TensorProto.FLOAT))
        if kind == "const":
            return self.op("Mul", a, self.const(np.float32(0.5)))
        return self.op("Sigmoid", a)


def loop(rng, np_rng, tag, values, outer, deep):
    """A Loop over `values`: its node's outputs (the carried ones, then one that is stacked)."""
    body = Body(rng, np_rng, tag)
    ins = [f"{tag}_in{i}" for i in range(len(values))]
    i, go = f"{tag}_i", f"{tag}_go"
    outs = [body.step(ins, outer, i) for _ in ins]
    if deep:
        outs[0] = body.op("Tanh", loop_into(body, rng, np_rng, f"{tag}_deep", outs, outer)[0])
    if rng.random() < 0.3:  # exchange
        outs[0], outs[-1] = (body.op("Identity", ins[-1]), body.op("Identity", ins[0]))
    if rng.random() < 0.2:  # grows
        outs[0] = body.op("Concat", ins[0], ins[-1], axis=0)
        outs = outs[:1] + [body.op("Identity", v) for v in ins[1:]]
        stacked = body.op("ReduceSum", outs[0], keepdims=0)
    else:
        stacked = body.op("ReduceMax", outs[-1], keepdims=0) if rng.random() < 0.5 else body.op("Identity", outs[-1])
        if rng.random() < 0.2:
            stacked = body.op("Cast", i, to=TensorProto.FLOAT)
    if rng.random() < 0.5:
        more = body.op("Less", i, body.const(np.array(rng.randint(0, 4), np.int64)))
    else:
        more = body.op("Identity", go)
    graph = helper.make_graph(body.nodes, tag, [INFO(i, TensorProto.INT64, []), INFO(go, TensorProto.BOOL, [])] +
                              [INFO(v, TensorProto.FLOAT, None) for v in ins],
                              [INFO(more, TensorProto.BOOL, None)] + [INFO(v, TensorProto.FLOAT, None) for v in outs + [stacked]], body.inits)
    return graph


def loop_into(body, rng, np_rng, tag, values, outer):
    graph = loop(rng, np_rng, tag, values, outer, False)
    trips = body.const(np.array(rng.randint(0, 4), np.int64))
    outs = [f"{tag}_out{i}" for i in range(len(values) + 1)]
    body.nodes.append(helper.make_node("Loop", [trips, "", *values], outs, body=graph))
    return outs


def scan(rng, np_rng, top, values):
    """A Scan with `values` as states over the rows of x."""
    body = Body(rng, np_rng, "scan")
    ins, row = [f"scan_in{i}" for i in range(len(values))], "scan_row"
    outs = [body.step(ins, row, None) for _ in ins]
    outs[0] = body.op("Add", outs[0], row)
    stacked = body.op("Add", outs[-1], row)
    graph = helper.make_graph(body.nodes, "scan", [INFO(v, TensorProto.FLOAT, None) for v in ins + [row]],
                              [INFO(v, TensorProto.FLOAT, None) for v in outs + [stacked]], body.inits)
    names = [f"scan_out{i}" for i in range(len(values) + 1)]
    top.nodes.append(helper.make_node("Scan", [*values, "sequence"], names, body=graph, num_scan_inputs=1,
                                      scan_input_directions=[rng.randint(0, 1)], scan_output_directions=[rng.randint(0, 1)]))
    return names


def case(folder, seed):
    rng, np_rng = random.Random(seed), np.random.default_rng(seed)
    n = rng.randint(1, 4)
    top = Body(rng, np_rng, "top")
    values = [f"x{i}" for i in range(n)]
    outer = top.op("Sigmoid", "x0") if rng.random() < 0.5 else top.const(np_rng.uniform(-1, 1, (1, 4)).astype(np.float32))
    if rng.random() < 0.3:
        outs = scan(rng, np_rng, top, values)
    else:
        graph = loop(rng, np_rng, "loop", values, outer, rng.random() < 0.3)
        outs = [f"out{i}" for i in range(n + 1)]
        top.nodes.append(helper.make_node("Loop", ["trips", rng.choice(("", "go")), *values], outs, body=graph))
    inputs = [INFO("trips", TensorProto.INT64, []), INFO("go", TensorProto.BOOL, []), INFO("sequence", TensorProto.FLOAT, ["t", 1, 4])]
    inputs += [INFO(v, TensorProto.FLOAT, ["n", 4]) for v in values]
    model = helper.make_model(helper.make_graph(top.nodes, "loops", inputs, [INFO(v, TensorProto.FLOAT, None) for v in outs], top.inits),
                              opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    at = folder / f"loops_{seed}"
    at.mkdir(parents=True)
    onnx.save(model, at / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        reference = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    except Exception:  # shapes that never fit
        shutil.rmtree(at)
        return
    for k, rows in enumerate((3, 3, 2, 3)):
        feed = {"trips": np.array(rng.choice((0, 1, 2, 5)) if k != 1 else 4, np.int64), "go": np.array(rng.random() < 0.8),
                "sequence": np_rng.uniform(-1, 1, (rng.randint(1, 5), 1, 4)).astype(np.float32)}
        feed.update({v: np_rng.uniform(-1, 1, (rows, 4)).astype(np.float32) for v in values})
        try:
            want = reference.run(None, feed)
        except Exception:  # shapes that do not fit
            continue
        if any(not np.size(w) for w in want):  # no round at all: nothing tells the shape of what is stacked
            continue
        data = at / f"test_data_set_{k}"
        data.mkdir()
        for i, value in enumerate(feed.values()):
            (data / f"input_{i}.pb").write_bytes(numpy_helper.from_array(value).SerializeToString())
        for i, value in enumerate(want):
            (data / f"output_{i}.pb").write_bytes(numpy_helper.from_array(np.asarray(value)).SerializeToString())
    if not list(at.glob("test_data_set_*")):
        shutil.rmtree(at)


def main():
    folder, whet = pathlib.Path(sys.argv[1]), sys.argv[2]
    cases, first = (int(v) for v in (sys.argv[3:] + ["120", "1"][len(sys.argv[3:]):]))
    shutil.rmtree(folder, ignore_errors=True)
    for seed in range(first, first + cases):
        case(folder, seed)
    if len(list(folder.iterdir())) < cases // 2:
        sys.exit("too few cases can be compared")
    for level in (["--cpu", "c"], ["--no-group"], ["--threads", "2"], []):
        r = subprocess.run([whet, "verify", "--suite", folder, "--tolerance", "rel:1e-5", *level], capture_output=True, text=True)
        print(*level, r.stdout.strip().splitlines()[-1:])
        if r.returncode:
            sys.exit(r.stdout + r.stderr)


main()
