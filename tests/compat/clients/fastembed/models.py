# SPDX-License-Identifier: Apache-2.0
"""Models of texts with a tokenizer, as the crate fastembed takes them: models.py FOLDER. Weights by rule."""
import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "quick", "brown", "red", "fox", "jumps", "over", "lazy", "dog"]
WIDTH = 8


def model(rank=False):
    rng = np.random.default_rng(8)
    table = nh.from_array(rng.standard_normal((len(WORDS), WIDTH)).astype(np.float32), "table")
    kinds = nh.from_array(rng.standard_normal((2, WIDTH)).astype(np.float32), "kinds")
    inits = [table, kinds, nh.from_array(rng.standard_normal((WIDTH, WIDTH)).astype(np.float32), "w"),
             nh.from_array(np.array([-1], np.int64), "last"), nh.from_array(np.ones(WIDTH, np.float32), "one"),
             nh.from_array(np.zeros(WIDTH, np.float32), "nought")]
    nodes = [h.make_node("Gather", ["table", "input_ids"], ["a"]), h.make_node("Gather", ["kinds", "token_type_ids"], ["b"]),
             h.make_node("Add", ["a", "b"], ["c"]), h.make_node("Cast", ["attention_mask"], ["m0"], to=T.FLOAT),
             h.make_node("Unsqueeze", ["m0", "last"], ["m"]), h.make_node("Mul", ["c", "m"], ["d"]),
             h.make_node("MatMul", ["d", "w"], ["e"]), h.make_node("LayerNormalization", ["e", "one", "nought"], ["f"]),
             h.make_node("Tanh", ["f"], ["last_hidden_state"])]
    out = h.make_tensor_value_info("last_hidden_state", 1, ["batch", "n", WIDTH])
    if rank:
        inits.append(nh.from_array(rng.standard_normal((WIDTH, 1)).astype(np.float32), "v"))
        nodes += [h.make_node("ReduceMax", ["last_hidden_state"], ["best"], axes=[1], keepdims=0), h.make_node("MatMul", ["best", "v"], ["logits"])]
        out = h.make_tensor_value_info("logits", 1, ["batch", 1])
    ids = [h.make_tensor_value_info(k, T.INT64, ["batch", "n"]) for k in ("input_ids", "attention_mask", "token_type_ids")]
    m = h.make_model(h.make_graph(nodes, "texts", ids, [out], inits), opset_imports=[h.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(m)
    return m


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "embed.onnx").write_bytes(model().SerializeToString())
    (folder / "rank.onnx").write_bytes(model(rank=True).SerializeToString())
    m = model()
    table = m.graph.initializer[0]
    (folder / "table.bin").write_bytes(table.raw_data)
    onnx.external_data_helper.set_external_data(table, "table.bin", length=len(table.raw_data))
    table.ClearField("raw_data")
    (folder / "apart.onnx").write_bytes(m.SerializeToString())
    special = [{"id": i, "content": w, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
               for i, w in enumerate(WORDS[:4])]
    ends = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    second = [{"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}]
    tokens = {k: {"id": k, "ids": [WORDS.index(k)], "tokens": [k]} for k in ("[CLS]", "[SEP]")}
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"}, "decoder": None,
        "post_processor": {"type": "TemplateProcessing", "single": ends, "pair": ends + second, "special_tokens": tokens},
        "model": {"type": "WordLevel", "vocab": {w: i for i, w in enumerate(WORDS)}, "unk_token": "[UNK]"}}))
    (folder / "config.json").write_text(json.dumps({"pad_token_id": 0}))
    (folder / "special_tokens_map.json").write_text(
        json.dumps({"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 64, "pad_token": "[PAD]"}))


main()
