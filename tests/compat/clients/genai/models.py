# SPDX-License-Identifier: Apache-2.0
"""A tiny language model as onnxruntime-genai takes them: models.py FOLDER. One layer of attention with a cache, weights by rule."""
import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

VOCAB, HEADS, SIZE = 61, 2, 8
WIDTH = HEADS * SIZE


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    put = {"table": rng.standard_normal((VOCAB, WIDTH)), "out": rng.standard_normal((WIDTH, VOCAB)), "scale": np.array(SIZE ** -0.5)}
    put |= {k: rng.standard_normal((WIDTH, WIDTH)) * WIDTH ** -0.5 for k in "qkv"}
    inits = [nh.from_array(v.astype(np.float32), k) for k, v in put.items()]
    inits += [nh.from_array(np.array(v, np.int64), k) for k, v in
              {"split": [0, 0, HEADS, SIZE], "join": [0, 0, WIDTH], "two": [2],
               "axes": [1, 2], "minus": [-1], "zero": [0], "one": 1, "nought": 0}.items()]
    nodes = [h.make_node("Gather", ["table", "input_ids"], ["x"])]
    for k in "qkv":
        nodes += [h.make_node("MatMul", ["x", k], [k + "0"]), h.make_node("Reshape", [k + "0", "split"], [k + "1"]),
                  h.make_node("Transpose", [k + "1"], [k + "2"], perm=[0, 2, 1, 3])]
    nodes += [h.make_node("Concat", ["past_key_values.0.key", "k2"], ["present.0.key"], axis=2),
              h.make_node("Concat", ["past_key_values.0.value", "v2"], ["present.0.value"], axis=2),
              h.make_node("Transpose", ["present.0.key"], ["kt"], perm=[0, 1, 3, 2]),
              h.make_node("MatMul", ["q2", "kt"], ["s0"]), h.make_node("Mul", ["s0", "scale"], ["s1"]),
              # Nothing sees what comes after it, nor what the mask leaves out.
              h.make_node("Shape", ["present.0.key"], ["all4"]), h.make_node("Gather", ["all4", "two"], ["all1"]),
              h.make_node("Squeeze", ["all1", "zero"], ["all"]), h.make_node("Range", ["nought", "all", "one"], ["places"]),
              h.make_node("Unsqueeze", ["position_ids", "minus"], ["at"]), h.make_node("LessOrEqual", ["places", "at"], ["past"]),
              h.make_node("Unsqueeze", ["past", "one1"], ["past4"]), h.make_node("Cast", ["attention_mask"], ["seen"], to=T.BOOL),
              h.make_node("Unsqueeze", ["seen", "axes"], ["seen4"]), h.make_node("And", ["past4", "seen4"], ["keep"]),
              h.make_node("Where", ["keep", "s1", "low"], ["s2"]), h.make_node("Softmax", ["s2"], ["p"], axis=-1),
              h.make_node("MatMul", ["p", "present.0.value"], ["y0"]), h.make_node("Transpose", ["y0"], ["y1"], perm=[0, 2, 1, 3]),
              h.make_node("Reshape", ["y1", "join"], ["y2"]), h.make_node("Add", ["x", "y2"], ["y3"]),
              h.make_node("MatMul", ["y3", "out"], ["logits"])]
    inits += [nh.from_array(np.array([1], np.int64), "one1"), nh.from_array(np.array(-1e9, np.float32), "low")]
    cache = ["batch", HEADS, "past", SIZE], ["batch", HEADS, "all", SIZE]
    t = h.make_tensor_value_info
    graph = h.make_graph(nodes, "lm", [t("input_ids", T.INT64, ["batch", "n"]), t("attention_mask", T.INT64, ["batch", "all"]),
                                       t("position_ids", T.INT64, ["batch", "n"])] +
                         [t(f"past_key_values.0.{k}", T.FLOAT, cache[0]) for k in ("key", "value")],
                         [t("logits", T.FLOAT, ["batch", "n", VOCAB])] + [t(f"present.0.{k}", T.FLOAT, cache[1]) for k in ("key", "value")], inits)
    m = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(m)
    (folder / "model.onnx").write_bytes(m.SerializeToString())
    names = {"input_ids": "input_ids", "attention_mask": "attention_mask", "position_ids": "position_ids"}
    config = {"model": {"type": "llama", "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "vocab_size": VOCAB, "context_length": 64,
                        "decoder": {"filename": "model.onnx", "head_size": SIZE, "hidden_size": WIDTH, "num_attention_heads": HEADS,
                                    "num_hidden_layers": 1, "num_key_value_heads": HEADS, "session_options": {"intra_op_num_threads": 1},
                                    "inputs": names | {f"past_{k}_names": f"past_key_values.%d.{k}" for k in ("key", "value")},
                                    "outputs": {"logits": "logits"} | {f"present_{k}_names": f"present.%d.{k}" for k in ("key", "value")}}},
              "search": {"max_length": 40, "past_present_share_buffer": False}}
    (folder / "genai_config.json").write_text(json.dumps(config))


main()
