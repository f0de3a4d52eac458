# SPDX-License-Identifier: Apache-2.0
"""Models of the operators that the library onnxruntime-extensions brings (strings, tokenizers, sums), and the list of what to feed, as
../models.py has it: models.py FOLDER."""
import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

DOMAIN = "ai.onnx.contrib"
TYPES = {T.FLOAT: "float", T.INT64: "int64", T.STRING: "string"}


def info(name, kind, dims=None):
    return h.make_tensor_value_info(name, kind, dims)


def node(op, inputs, outputs, **attrs):
    return h.make_node(op, inputs, outputs, domain=DOMAIN, **attrs)


def array(name, *values, kind=None):
    return nh.from_array(np.array(values, kind or object), name)


def made():
    """Name, nodes, inputs, outputs and initializers of each."""
    s, x = [info("s", T.STRING, ["N"])], [info("x", T.FLOAT, [2, 2])]
    text, number, real = (lambda *names, kind=k: [info(n, kind) for n in names] for k in (T.STRING, T.INT64, T.FLOAT))
    yield ("case", [node("StringUpper", ["s"], ["y"]), node("StringLower", ["y"], ["z"]), node("StringLength", ["z"], ["n"])], s,
           text("y", "z") + number("n"), [])
    yield "replace", [node("StringRegexReplace", ["s", "p", "r"], ["y"])], s, text("y"), [array("p", "[0-9]+"), array("r", "<n>")]
    yield ("split", [node("StringSplit", ["s", "by", "skip"], ["i", "v", "d"])], s, number("i") + text("v") + number("d"),
           [array("by", "2"), array("skip", True, kind=bool)])
    yield ("concat", [node("StringConcat", ["s", "s"], ["y"]), node("StringEqual", ["s", "y"], ["e"])], s,
           text("y") + [info("e", T.BOOL)], [])
    yield "join", [node("StringJoin", ["s", "by", "axis"], ["y"])], s, text("y"), [array("by", "-"), array("axis", 0, kind=np.int64)]
    yield "hash", [node("StringToHashBucketFast", ["s", "n"], ["y"])], s, number("y"), [array("n", 100, kind=np.int64)]
    yield "mapping", [node("StringMapping", ["s"], ["y"], map="s1\u00e9\tone\ns2\u00e9\ttwo")], s, text("y"), []
    words = "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "s", "##1", "##2", "##e", "s1"])
    # Three texts: it takes one or two, and throws.
    yield "bert", [node("BertTokenizer", ["s"], ["ids", "types", "mask"], vocab_file=words)], s, number("ids", "types", "mask"), []
    yield ("bert_one", [node("BertTokenizer", ["s"], ["ids", "types", "mask"], vocab_file=words)], [info("s", T.STRING, [1])],
           number("ids", "types", "mask"), [])
    vocab = json.dumps({c: i for i, c in enumerate(["s", "0", "1", "2", "\u00c3", "\u00a9", "s1", "\u00c3\u00a9", "<|endoftext|>"])})
    for op, merges in (("GPT2Tokenizer", "#version: 0.2\ns 1\n\u00c3 \u00a9\n"), ("CLIPTokenizer", "#version: 0.2\ns 1\n")):
        yield op, [node(op, ["s"], ["ids", "mask"], vocab=vocab, merges=merges, padding_length=-1)], s, number("ids", "mask"), []
    yield ("wordpiece", [node("WordpieceTokenizer", ["s", "rows"], ["t", "i", "r", "l"], vocab=json.dumps({"s": 0, "##1": 1, "[UNK]": 2}),
                              suffix_indicator="##", max_input_chars_per_word=200, unknown_token="[UNK]")], s,
           text("t") + number("i", "r", "l"), [array("rows", kind=np.int64)])
    yield "inverse", [node("Inverse", ["x"], ["y"])], x, real("y"), []
    yield "signs", [node("NegPos", ["x"], ["n", "p"])], x, real("n", "p"), []
    yield "sum", [node("SegmentSum", ["x", "i"], ["y"])], x, real("y"), [array("i", 0, 1, kind=np.int64)]
    yield ("ragged", [node("RaggedTensorToDense", ["a", "b", "d", "m"], ["y"], missing_value=-1)], x, number("y"),
           [array("a", 0, 2, 3, kind=np.int64), array("b", 5, 6, 7, kind=np.int64), array("d", 0, kind=np.int64),
            array("m", 0, 1, 3, kind=np.int64)])
    yield ("stft", [node("StftNorm", ["w", "n", "hop", "window", "l"], ["y"])], [info("w", T.FLOAT, [1, 64])], real("y"),
           [array("n", 16, kind=np.int64), array("hop", 8, kind=np.int64), nh.from_array(np.hanning(16).astype(np.float32), "window"),
            array("l", 16, kind=np.int64)])


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, nodes, inputs, outputs, inits in made():
        graph = h.make_graph(nodes, name, inputs, outputs, inits)
        path = folder / (name + ".onnx")
        onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 17), h.make_opsetid(DOMAIN, 1)], ir_version=8), path)
        for i in inputs:
            t = i.type.tensor_type
            dims = ",".join(str(d.dim_value or 3) for d in t.shape.dim)
            lines.append("\t".join([str(path.resolve()), i.name, TYPES[t.elem_type], dims, ""]))
    (folder / "cases").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
