# SPDX-License-Identifier: Apache-2.0
"""Random ONNX graphs of one operator, answered by onnxruntime (where that cannot, by ONNX's reference) and checked with
`whet verify`: onnx_fuzz.py FOLDER WHET [--cases N] [--seed N] [--only OPERATOR].

Every opset from 6 on, every element type that the schema has, odd shapes and attributes: onnx_case.py draws them. A case stays in
FOLDER as ONNX's own data do; its name says operator, opset, type and number, and seed and number draw it again. A wrong answer or
a crash fails; what whet refuses by name is counted.
"""
import argparse
import collections
import pathlib
import random
import re
import shutil
import sys
import warnings
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import onnx_case
import suite

NEWEST = onnx.defs.onnx_opset_version()
# What is computed in half precision is rounded after every step; what is left of a spectrum where it cancels is noise; integers
# between others are cut, and whether just below a whole number is a matter of the last bit.
LOOSE = ((r"_float16_|^(DFT|STFT)_", "rel:0.02"), (r"_bfloat16_", "rel:0.05"), (r"^(Resize|Upsample)_\d+_u?int", "abs:1"))
TYPES = {"float": TensorProto.FLOAT, "double": TensorProto.DOUBLE, "float16": TensorProto.FLOAT16,
         "bfloat16": TensorProto.BFLOAT16, "int8": TensorProto.INT8, "int16": TensorProto.INT16, "int32": TensorProto.INT32,
         "int64": TensorProto.INT64, "uint8": TensorProto.UINT8, "uint16": TensorProto.UINT16, "uint32": TensorProto.UINT32,
         "uint64": TensorProto.UINT64, "bool": TensorProto.BOOL, "string": TensorProto.STRING, "complex64": TensorProto.COMPLEX64,
         "complex128": TensorProto.COMPLEX128, **{k: getattr(TensorProto, k.upper()) for k in onnx_case.SMALL}}


def schemas(only):
    """(schema, opset at which it holds, types of its first constraint) of what there are recipes for."""
    rows = []
    by_name = collections.defaultdict(list)
    for s in onnx.defs.get_all_schemas_with_history():
        if s.domain == "":
            by_name[s.name].append(s)
    for name, recipe in onnx_case.RECIPES.items():
        if only and name != only:
            continue
        versions = sorted(by_name[name], key=lambda s: s.since_version)
        for k, s in enumerate(versions):
            end = versions[k + 1].since_version - 1 if k + 1 < len(versions) else NEWEST
            if s.deprecated or end < 6 or s.since_version > NEWEST:
                continue
            first = s.inputs[0].type_str if s.inputs else None
            allowed = next((c.allowed_type_strs for c in s.type_constraints if c.type_param_str == first), [first or ""])
            types = [t[7:-1] for t in allowed if t.startswith("tensor(") and t[7:-1] in TYPES] or ["float"]
            rows.append((s, max(6, s.since_version), min(end, NEWEST), types, recipe))
    return rows


def answer(name, model, inputs):
    """Outputs by onnxruntime or, where it has no kernel for the types, by the reference; None when neither can."""
    import onnxruntime as ort
    plain = all(x is None or x.dtype.kind in "biufO" or x.dtype.kind == "U" for x in inputs.values())
    try:
        if not plain:
            raise ValueError
        o = ort.SessionOptions()
        o.log_severity_level = 4
        o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        s = ort.InferenceSession(model.SerializeToString(), o, providers=["CPUExecutionProvider"])
        return "onnxruntime", s.run(None, inputs)
    except Exception as e:
        if not any(t in str(e) for t in ("NOT_IMPLEMENTED", "under development")) and plain:
            return None
    if model.opset_import[0].version < 7 or re.search(onnx_case.DISTRUSTED, name):
        return None
    from onnx.reference import ReferenceEvaluator
    try:
        got = ReferenceEvaluator(model).run(None, inputs)
        kinds = [numpy_helper.from_array(np.asarray(y)).data_type for y in got]
    except Exception:
        return None
    # Where the reference forgets the type it is no help.
    return ("reference", got) if kinds == [o.type.tensor_type.elem_type for o in model.graph.output] else None


def draw(rng, row):
    """A model and its inputs; None when this draw is none."""
    s, first, last, types, recipe = row
    opset = rng.randint(first, last)
    kind = rng.choice(types)
    g = onnx_case.Draw(rng, opset, kind, TYPES)
    if recipe(g) is False:
        return None
    names, values, infos, inits = [], {}, [], []
    for i, x in enumerate(g.inputs):
        names.append("" if x is None else f"x{i}")
        if x is None:
            continue
        x = np.asarray(x)
        proto = numpy_helper.from_array(x, f"x{i}")
        if i in g.fixed:
            inits.append(proto)
        else:
            infos.append(helper.make_tensor_value_info(f"x{i}", proto.data_type, x.shape))
            values[f"x{i}"] = x
    if not infos and g.inputs:
        return None
    outs = [f"y{i}" if i not in g.skip else "" for i in range(g.n_out)]
    node = helper.make_node(s.name, names, outs, **g.attrs)
    graph = helper.make_graph([node], "fuzz", infos, [onnx.ValueInfoProto(name=o) for o in outs if o], inits)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = min(10, onnx.helper.find_min_ir_version_for(model.opset_import, True) or 10)
    try:
        full = onnx.shape_inference.infer_shapes(model, strict_mode=False)
        types_of = {v.name: v for v in list(full.graph.output)}
        for o in model.graph.output:
            if types_of[o.name].type.WhichOneof("value"):
                o.type.CopyFrom(types_of[o.name].type)
    except Exception:
        return None
    for o in model.graph.output:  # functions have no rule of their own
        if not o.type.WhichOneof("value") and s.outputs[0].type_str == s.inputs[0].type_str:
            o.type.tensor_type.elem_type = TYPES[kind]
    if not all(o.type.WhichOneof("value") for o in model.graph.output):
        return None
    return f"{s.name}_{opset}_{kind}", model, values


def write(folder, name, model, inputs, outputs):
    home = folder / name
    data = home / "test_data_set_0"
    data.mkdir(parents=True)
    (home / "model.onnx").write_bytes(model.SerializeToString())
    for i, x in enumerate(inputs.values()):
        (data / f"input_{i}.pb").write_bytes(numpy_helper.from_array(x).SerializeToString())
    for i, y in enumerate(outputs):
        (data / f"output_{i}.pb").write_bytes(y.SerializeToString())


def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("whet")
    p.add_argument("--cases", type=int, default=6000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--only")
    o = p.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    rows = schemas(o.only)
    shutil.rmtree(o.folder, ignore_errors=True)
    told = collections.Counter()
    drawn = collections.Counter()
    for k in range(o.cases):
        row = rows[k % len(rows)]
        rng = random.Random(zlib.crc32(f"{o.seed} {k} {row[0].name}".encode()))
        case = draw(rng, row)
        got = case and answer(*case)
        drawn[row[0].name] += 1
        if not got:
            continue
        try:
            outputs = [numpy_helper.from_array(np.asarray(y)) for y in got[1]]
        except NotImplementedError:  # no tensor of strings
            continue
        told[row[0].name] += 1
        told[got[0]] += 1
        write(o.folder, f"{case[0]}_{k}_{got[0]}", case[1], case[2], outputs)
    print(f"onnx {onnx.__version__}, seed {o.seed}: {told['onnxruntime']} cases answered by onnxruntime, "
          f"{told['reference']} by the reference")
    silent = sorted(n for n in drawn if not told[n])
    if silent:
        print("never answered: " + ", ".join(silent))
    return suite.check(o.folder, o.whet, [], LOOSE, "|".join(onnx_case.EXPLAINED), by_case=True)


if __name__ == "__main__":
    sys.exit(main())
