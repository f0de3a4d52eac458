# SPDX-License-Identifier: Apache-2.0
"""Models that the client programs run beside those of ../shared/models, and the list of what to feed: models.py FOLDER [ZOO].

FOLDER/cases has a line for each input of each model that takes tensors: file, input, type, dimensions, and a value for
inputs that are not numbers by rule, with tabs between. The programs fill inputs by one rule, so that every language feeds the
same: element k is (37 k + 11) mod 101, floats over 50.5 minus 1; bools are k mod 3 = 0; strings "s" and k.
"""
import json
import pathlib
import sys

import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

TYPES = {"float": T.FLOAT, "double": T.DOUBLE, "float16": T.FLOAT16, "bfloat16": T.BFLOAT16, "int8": T.INT8, "int16": T.INT16,
         "int32": T.INT32, "int64": T.INT64, "uint8": T.UINT8, "uint16": T.UINT16, "uint32": T.UINT32, "uint64": T.UINT64,
         "bool": T.BOOL, "string": T.STRING}
SIZES = {"N": 2, "batch": 2, "batch_size": 1, "sequence": 512}


def tensor(name, kind, dims):
    return h.make_tensor_value_info(name, kind, dims)


def model(nodes, inputs, outputs, inits=(), ml=False, **meta):
    graph = h.make_graph(nodes, meta.pop("graph", "g"), inputs, outputs, list(inits))
    ops = [h.make_opsetid("", 17)] + ([h.make_opsetid("ai.onnx.ml", 2)] if ml else [])
    props = meta.pop("props", {})
    m = h.make_model(graph, opset_imports=ops, ir_version=8, producer_name="clients", **meta)
    h.set_model_props(m, props)
    return m


def made():
    """Name and model of each."""
    import numpy as np
    for name, kind in TYPES.items():
        yield f"id_{name}", model([h.make_node("Identity", ["x"], ["y"])], [tensor("x", kind, ["N", 3])],
                                  [tensor("y", kind, ["N", 3])])
    w = nh.from_array(np.array([1, 2], np.float32), "w")
    yield "over", model([h.make_node("Add", ["x", "w"], ["y"])], [tensor("x", 1, ["N", 2]), tensor("w", 1, [2])],
                        [tensor("y", 1, ["N", 2])], [w])
    yield "add", model([h.make_node("Add", ["x", "w"], ["y"])], [tensor("x", 1, ["N", 2])], [tensor("y", 1, ["N", 2])], [w],
                       graph="sum", doc_string="adds", domain="org.example", model_version=7,
                       props={"colour": "blue", "empty": "", "unicode": "h\u00e4"})
    yield "two", model([h.make_node("Add", ["a", "b"], ["sum"]), h.make_node("Mul", ["a", "b"], ["product"])],
                       [tensor("a", 1, ["rows", 4]), tensor("b", 1, ["rows", 4])],
                       [tensor("sum", 1, ["rows", 4]), tensor("product", 1, ["rows", 4])])
    yield "dims", model([h.make_node("Identity", ["x"], ["y"]), h.make_node("Identity", ["s"], ["t"]),
                         h.make_node("Shape", ["u"], ["v"])],
                        [tensor("x", 1, ["first", 2, None, "third"]), tensor("s", 1, []), tensor("u", 7, None)],
                        [tensor("y", 1, None), tensor("t", 1, []), tensor("v", 7, [None])])
    seq = h.make_tensor_sequence_value_info
    yield "seq_out", model([h.make_node("SequenceConstruct", ["a", "b"], ["s"])],
                           [tensor("a", 1, ["N"]), tensor("b", 1, ["N"])], [seq("s", 1, None)])
    yield "seq_out_int64", model([h.make_node("SequenceConstruct", ["a", "b"], ["s"])],
                                 [tensor("a", 7, ["N"]), tensor("b", 7, ["N"])], [seq("s", 7, None)])
    yield "seq_in", model([h.make_node("SequenceLength", ["s"], ["n"]), h.make_node("ConcatFromSequence", ["s"], ["all"], axis=0)],
                          [seq("s", 1, None)], [tensor("n", 7, []), tensor("all", 1, None)])
    for name, keys in {"map_int64": {"classlabels_int64s": [10, 20, 30]}, "map_string": {"classlabels_strings": ["a", "b", "c"]}}.items():
        key = T.INT64 if name == "map_int64" else T.STRING
        z = h.make_map_type_proto(key, h.make_tensor_type_proto(1, []))
        out = h.make_value_info("z", h.make_sequence_type_proto(z))
        yield name, model([h.make_node("ZipMap", ["x"], ["z"], domain="ai.onnx.ml", **keys)], [tensor("x", 1, ["N", 3])], [out], ml=True)
    m = h.make_map_type_proto(T.STRING, h.make_tensor_type_proto(1, []))
    yield "map_in", model([h.make_node("DictVectorizer", ["m"], ["y"], domain="ai.onnx.ml", string_vocabulary=["a", "b", "c", "d"])],
                          [h.make_value_info("m", m)], [tensor("y", 1, [1, 4])], ml=True)
    # A loop of which nobody sees the end: for terminating.
    body = h.make_graph([h.make_node("Identity", ["c"], ["c2"]), h.make_node("Sin", ["v"], ["v2"])], "body",
                        [tensor("i", 7, []), tensor("c", 9, []), tensor("v", 1, [64])], [tensor("c2", 9, []), tensor("v2", 1, [64])])
    yield "endless", model([h.make_node("Loop", ["n", "", "v"], ["y"], body=body)], [tensor("n", 7, []), tensor("v", 1, [64])],
                           [tensor("y", 1, [64])])
    own = model([h.make_node("Scale", ["x"], ["y"], name="scaler", domain="org.example", by=2.5, count=3, text="hello", list=[0.5, 1.5],
                             sizes=[4, 5], words=["a", "bc"])], [tensor("x", 1, ["N", 2])], [tensor("y", 1, ["N", 2])])
    own.opset_import.append(h.make_opsetid("org.example", 1))
    yield "own_op", own
    wb = [nh.from_array(np.arange(12, dtype=np.float32).reshape(4, 3) - 5, "w"), nh.from_array(np.array([9, -9, 0.25], np.float32), "b")]
    org = {"domain": "org.example"}
    own = model([h.make_node("Wrap", ["x"], ["wrapped"], "wrapper", scale=0.75, axis=1, mode="wide", sizes=[4, 3], weights=[0.25, 4.0],
                             w=wb[0], b=wb[1], **org),
                 h.make_node("Loud", ["words"], ["loud"], **org), h.make_node("Twice", ["x"], ["twice"], **org),
                 h.make_node("Twice", ["n"], ["twice_once"], **org), h.make_node("Twice", ["twice_once"], ["twice_n"], **org),
                 h.make_node("Count", ["x", "loud", "n"], ["all", "counts"], **org)],
                [tensor("x", 1, ["N", 4]), tensor("words", 8, ["N"]), tensor("n", 7, ["N"])],
                [tensor("wrapped", 1, None), tensor("loud", 8, ["N"]), tensor("twice", 1, None), tensor("twice_n", 7, None),
                 tensor("all", 7, []), tensor("counts", 7, [None])])
    own.opset_import.append(h.make_opsetid("org.example", 1))
    yield "own_ops", own
    yield "unknown_op", model([h.make_node("NoSuchOperator", ["x"], ["y"])], [tensor("x", 1, [2])], [tensor("y", 1, [2])])


def cases(name, m, shapes):
    """Lines for the tensors that a model takes; none where it takes anything else."""
    inits = {i.name for i in m.graph.initializer}
    names = {v: k for k, v in TYPES.items()}
    lines = []
    for i in m.graph.input:
        if i.name in inits:
            continue
        if not i.type.HasField("tensor_type"):
            return []
        t = i.type.tensor_type
        dims = shapes.get(i.name)
        if dims is None:
            dims = [d.dim_value if d.HasField("dim_value") else SIZES.get(d.dim_param, 3) for d in t.shape.dim]
        fixed = "16000" if i.name == "sr" else ""
        lines.append("\t".join([name, i.name, names[t.elem_type], ",".join(map(str, dims)), fixed]))
    return lines


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, m in made():
        path = folder / (name + ".onnx")
        path.write_bytes(m.SerializeToString())
        if name not in ("endless", "own_op", "own_ops", "unknown_op"):
            lines += cases(str(path.resolve()), m, {})
    (folder / "broken.onnx").write_bytes(b"\x08\x08\x3a\x7f\xff\xff")
    if len(sys.argv) > 2:
        zoo = pathlib.Path(sys.argv[2])
        shapes = json.loads((zoo / "shapes.json").read_text()) if (zoo / "shapes.json").exists() else {}
        for path in sorted(zoo.glob("*.onnx")):
            lines += cases(str(path.resolve()), onnx.load(path), shapes.get(path.name, {}))
    (folder / "cases").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
