# SPDX-License-Identifier: Apache-2.0
"""Operators of com.microsoft against onnxruntime: microsoft.py FOLDER WHET [SWEEP]

Writes a model for each case below with random inputs, and onnxruntime's outputs, and checks them all. Quantised results may be
one step apart. SWEEP refuses allocations of a few models in turn.
"""
import itertools
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

import suite

R = np.random.default_rng(7)
CASES = []


def f(*shape, scale=1.0):
    return (R.standard_normal(shape) * scale).astype(np.float32)


def u8(*shape):
    return R.integers(0, 256, shape).astype(np.uint8)


def s8(*shape):
    return R.integers(-128, 128, shape).astype(np.int8)


def ints(*values, t=np.int32):
    return np.array(values, t)


def scalar(x, t=np.float32):
    return np.array(x, t)


class Const:
    """An input that is an initializer."""

    def __init__(self, x):
        self.x = x


def case(name, op, ins, outs=1, tolerance="rel:1e-5", domain="com.microsoft", model_opset=17, skip=(), want=None, **attrs):
    """ins: arrays, Const(array) or None; outs: how many outputs, or a list of 0 and 1. skip: outputs whose contents nobody
    promises. want: the outputs, where onnxruntime has no kernel for CPUs."""
    CASES.append((name, op, ins, [1] * outs if isinstance(outs, int) else outs, tolerance, domain, model_opset, skip, want,
                  attrs))


def write(folder):
    """The number of cases that onnxruntime took."""
    made = 0
    for name, op, ins, outs, tolerance, domain, opset, skip, told, attrs in CASES:
        names, inputs, inits, feeds = [], [], [], {}
        for i, x in enumerate(ins):
            if x is None:
                names.append("")
                continue
            names.append(f"x{i}")
            a = x.x if isinstance(x, Const) else x
            if isinstance(x, Const):
                inits.append(x.x if isinstance(x.x, TensorProto) else numpy_helper.from_array(a, f"x{i}"))
                inits[-1].name = f"x{i}"
            else:
                inputs.append(helper.make_tensor_value_info(f"x{i}", helper.np_dtype_to_tensor_dtype(a.dtype), a.shape))
                feeds[f"x{i}"] = a
        outputs = [f"y{o}" if wanted else "" for o, wanted in enumerate(outs)]
        node = helper.make_node(op, names, outputs, domain=domain, **attrs)
        graph = helper.make_graph([node], "g", inputs, [helper.make_empty_tensor_value_info(o) for o in outputs if o], inits)
        model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", opset),
                                                                       helper.make_opsetid("com.microsoft", 1)])
        try:
            options = ort.SessionOptions()
            options.log_severity_level = 4
            session = told is None and ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
            want = session.run(None, feeds) if session else told
        except Exception as e:  # noqa: BLE001 - whatever onnxruntime cannot run is no case
            print(f"onnxruntime does not take {name}: {str(e)[:160]}")
            continue
        home = folder / name
        data = home / "case0"
        data.mkdir(parents=True)
        (home / "model.onnx").write_bytes(model.SerializeToString())
        kind, _, value = tolerance.partition(":")
        (data / "meta.json").write_text(json.dumps({"tolerance": {"kind": kind, "value": float(value or 0)}}))
        for i, x in enumerate(feeds.values()):
            np.save(data / f"input_{i}.npy", x)
        for o, x in enumerate(want):
            if o not in skip:
                np.save(data / f"output_{o}.npy", x)
        made += 1
    return made


# ---- attention ----------------------------------------------------------------------------------------------------------

def attention():
    b, s, n, h = 2, 5, 3, 8
    d = n * h
    x, w, bias = f(b, s, d), f(d, 3 * d, scale=0.2), f(3 * d, scale=0.2)
    case("attention", "Attention", [x, Const(w), Const(bias)], num_heads=n)
    case("attention_unidirectional", "Attention", [x, Const(w), Const(bias)], num_heads=n, unidirectional=1)
    case("attention_lengths", "Attention", [x, Const(w), Const(bias), ints(3, 5)], num_heads=n)
    case("attention_ends_starts", "Attention", [x, Const(w), Const(bias), ints(4, 5, 1, 0)], num_heads=n)
    m2 = np.ones((b, s), np.int32)
    m2[0, 3:] = 0
    case("attention_mask2", "Attention", [x, Const(w), Const(bias), m2], num_heads=n)
    m3 = (R.random((b, s, s)) < 0.7).astype(np.int32)
    m3[:, :, 0] = 1
    case("attention_mask3", "Attention", [x, Const(w), Const(bias), m3], num_heads=n)
    past = f(2, b, n, 4, h)
    case("attention_past", "Attention", [x, Const(w), Const(bias), None, past], 2, num_heads=n, unidirectional=1)
    case("attention_bias", "Attention", [x, Const(w), Const(bias), None, None, f(b, n, s, s)], num_heads=n)
    case("attention_sizes", "Attention", [x, Const(f(d, 2 * d + 2 * n, scale=0.2)), Const(f(2 * d + 2 * n, scale=0.2))],
         num_heads=n, qkv_hidden_sizes=[d, d, 2 * n])
    case("attention_scale", "Attention", [x, Const(w), Const(bias)], num_heads=n, scale=0.2)
    xq, wq = u8(b, s, d), u8(d, 3 * d)
    q = [xq, Const(wq), Const(bias), Const(scalar(0.02)), Const(scalar(0.01)), None, Const(scalar(120, np.uint8)),
         Const(scalar(128, np.uint8))]
    case("qattention", "QAttention", q, tolerance="rel:1e-3", num_heads=n)
    q[5] = m2
    case("qattention_mask", "QAttention", q, tolerance="rel:1e-3", num_heads=n, unidirectional=1)

    q3, k3, v3 = f(b, s, d), f(b, 7, d), f(b, 7, d)
    case("mha", "MultiHeadAttention", [q3, k3, v3], num_heads=n)
    case("mha_bias", "MultiHeadAttention", [q3, k3, v3, Const(bias)], num_heads=n)
    case("mha_self_causal", "MultiHeadAttention", [q3, f(b, s, d), f(b, s, d)], num_heads=n, unidirectional=1)
    m7 = (R.random((b, 7)) < 0.7).astype(np.int32)
    m7[:, 0] = 1
    case("mha_mask2", "MultiHeadAttention", [q3, k3, v3, None, m7], num_heads=n)
    case("mha_lengths", "MultiHeadAttention", [q3, k3, v3, None, ints(3, 7)], num_heads=n)
    case("mha_attention_bias", "MultiHeadAttention", [q3, k3, v3, None, None, f(b, n, s, 7)], num_heads=n)
    case("mha_attention_bias_shared", "MultiHeadAttention", [q3, k3, v3, None, m7, f(1, n, s, 7)], num_heads=n)
    case("mha_past", "MultiHeadAttention", [q3, f(b, s, d), f(b, s, d), None, None, None, f(b, n, 4, h), f(b, n, 4, h)], 3,
         num_heads=n)
    case("mha_present", "MultiHeadAttention", [q3, f(b, s, d), f(b, s, d)], 3, num_heads=n)
    case("mha_cross", "MultiHeadAttention", [q3, f(b, n, 6, h), f(b, n, 6, h)], num_heads=n)
    case("mha_wide_values", "MultiHeadAttention", [q3, k3, f(b, 7, n * 5)], num_heads=n)
    case("mha_long", "MultiHeadAttention", [f(1, 40, 64), f(1, 300, 64), f(1, 300, 64)], num_heads=2, scale=0.1)

    kn, total = 1, 9
    for name, extra in (("", {}), ("_softcap", {"softcap": 2.0}), ("_window", {"local_window_size": 4})):
        past_k, past_v = f(1, kn, total - s, h), f(1, kn, total - s, h)
        case(f"gqa_prompt{name}", "GroupQueryAttention",
             [f(1, s, d), f(1, s, kn * h), f(1, s, kn * h), None, None, ints(s - 1), scalar(s, np.int32)], 3, num_heads=n,
             kv_num_heads=kn, **extra)
        case(f"gqa_step{name}", "GroupQueryAttention",
             [f(1, 1, d), f(1, 1, kn * h), f(1, 1, kn * h), f(1, kn, 8, h), f(1, kn, 8, h), ints(8), scalar(9, np.int32)], 3,
             num_heads=n, kv_num_heads=kn, **extra)
        case(f"gqa_some{name}", "GroupQueryAttention",
             [f(1, s, d), f(1, s, kn * h), f(1, s, kn * h), past_k, past_v, ints(total - 1), scalar(total, np.int32)], 3,
             num_heads=n, kv_num_heads=kn, **extra)
    sink = Const(f(n))
    for name, extra in (("", {}), ("_softcap", {"softcap": 2.0}), ("_window", {"local_window_size": 4})):
        case(f"gqa_smooth{name}", "GroupQueryAttention",
             [f(1, s, d), f(1, s, kn * h), f(1, s, kn * h), None, None, ints(s - 1), scalar(s, np.int32)], 3, num_heads=n,
             kv_num_heads=kn, smooth_softmax=1, **extra)
        case(f"gqa_sink{name}", "GroupQueryAttention",
             [f(1, 1, d), f(1, 1, kn * h), f(1, 1, kn * h), f(1, kn, 8, h), f(1, kn, 8, h), ints(8), scalar(9, np.int32), None, None,
              None, None, sink], 3, num_heads=n, kv_num_heads=kn, **extra)
    case("gqa_sink_bias", "GroupQueryAttention",
         [f(2, s, d), f(2, s, kn * h), f(2, s, kn * h), None, None, ints(s - 1, s - 1), scalar(s, np.int32), None, None, None,
          f(1, 1, s, s), sink], 3, num_heads=n, kv_num_heads=kn)
    h = 16
    angle = np.outer(np.arange(32), 1.0 / 10 ** (np.arange(h // 2)))
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    for inter in (0, 1):
        case(f"gqa_rotary{inter}", "GroupQueryAttention",
             [f(2, 1, n * h), f(2, 1, kn * h), f(2, 1, kn * h), f(2, kn, 8, h), f(2, kn, 8, h), ints(8, 8), scalar(9, np.int32),
              Const(cos), Const(sin)], 3, num_heads=n, kv_num_heads=kn, do_rotary=1, rotary_interleaved=inter)
    case("gqa_packed", "GroupQueryAttention",
         [f(1, s, (n + 2 * kn) * h), None, None, None, None, ints(s - 1), scalar(s, np.int32), Const(cos), Const(sin)], 3,
         num_heads=n, kv_num_heads=kn, do_rotary=1)
    ids = R.integers(0, 32, (b, s)).astype(np.int64)
    d = n * h
    case("rotary", "RotaryEmbedding", [f(b, s, d), ids, Const(cos), Const(sin)])
    case("rotary_heads", "RotaryEmbedding", [f(b, n, s, h), ids, Const(cos), Const(sin)], interleaved=1)
    case("rotary_offset", "RotaryEmbedding", [f(b, s, d), ints(3, t=np.int64), Const(cos), Const(sin)])
    case("rotary_part", "RotaryEmbedding", [f(b, s, d), ids, Const(cos[:, :2]), Const(sin[:, :2])], num_heads=n,
         rotary_embedding_dim=4)


# ---- norms, activations, products ---------------------------------------------------------------------------------------

def floats():
    x, g, be = f(2, 5, 24), Const(f(24)), Const(f(24))
    case("skip_layer", "SkipLayerNormalization", [x, f(2, 5, 24), g, be, Const(f(24))], [1, 0, 0, 1], epsilon=1e-5)
    case("skip_layer_plain", "SkipLayerNormalization", [x, f(2, 5, 24), g, be], epsilon=1e-5)
    case("skip_rms", "SkipSimplifiedLayerNormalization", [x, f(2, 5, 24), g], [1, 0, 0, 1], epsilon=1e-6)
    case("simplified", "SimplifiedLayerNormalization", [x, g], domain="", epsilon=1e-6, axis=-1)
    ids = R.integers(0, 30, (2, 5)).astype(np.int32)
    mask = np.ones((2, 5), np.int32)
    mask[1, 3:] = 0
    tables = [Const(f(30, 24)), Const(f(8, 24)), Const(f(2, 24)), g, be]
    case("embed", "EmbedLayerNormalization", [ids, ids % 2, *tables, mask], 2, epsilon=1e-5)
    case("embed_plain", "EmbedLayerNormalization", [ids, None, tables[0], tables[1], None, g, be], [1, 1, 1], epsilon=1e-5)
    case("bias_gelu", "BiasGelu", [x, Const(f(24))])
    case("fast_gelu", "FastGelu", [x, Const(f(24))])
    case("fast_gelu_plain", "FastGelu", [x])
    case("quick_gelu", "QuickGelu", [x], alpha=1.702)
    case("gelu", "Gelu", [x])
    for act, extra in (("Relu", {}), ("Tanh", {}), ("Sigmoid", {}), ("LeakyRelu", {"activation_alpha": 0.3})):
        case(f"fused_gemm_{act}", "FusedGemm", [f(5, 8), Const(f(8, 6)), Const(f(6))], activation=act, alpha=0.5, **extra)
    case("fused_matmul", "FusedMatMul", [f(2, 3, 8, 5), f(2, 3, 8, 6)], transA=1, alpha=0.25)
    case("fused_matmul_batch", "FusedMatMul", [f(5, 2, 3, 8), f(2, 3, 8, 6)], transBatchA=1)
    case("fused_matmul_batches", "FusedMatMul", [f(5, 2, 8), f(6, 2, 8)], transBatchA=1, transBatchB=1, transB=1, alpha=0.5)
    case("fused_matmul_b", "FusedMatMul", [f(2, 3, 5, 8), f(2, 3, 6, 8)], transB=1)
    case("fused_conv", "FusedConv", [f(1, 4, 9, 9), Const(f(6, 4, 3, 3)), Const(f(6))], activation="Relu", pads=[1, 1, 1, 1])
    case("fused_conv_add", "FusedConv", [f(1, 4, 9, 9), Const(f(6, 4, 3, 3)), Const(f(6)), f(1, 6, 7, 7)], activation="Relu")
    case("inverse", "Inverse", [f(3, 4, 4) + 3 * np.eye(4, dtype=np.float32)])
    case("trilu", "Trilu", [f(3, 4, 5)], upper=0)
    case("unique", "Unique", [f(4)[[0, 1, 1, 2, 0, 3]]], 3, tolerance="exact")
    case("expand_dims", "ExpandDims", [f(3, 4), Const(scalar(1, np.int32))])
    case("nhwc_max_pool", "NhwcMaxPool", [u8(1, 7, 7, 6)], tolerance="exact", kernel_shape=[3, 3], strides=[2, 2],
         pads=[1, 1, 1, 1])


# ---- quantised ----------------------------------------------------------------------------------------------------------

def quantised():
    step = "abs:1"
    for t, draw, z in ((np.uint8, u8, 120), (np.int8, s8, -5)):
        def zp(v):
            return Const(scalar(v, t))

        def sc(v):
            return Const(scalar(v))
        k = t.__name__
        for op in ("QLinearAdd", "QLinearMul"):
            out = 0.06 if op == "QLinearAdd" else 0.4
            case(f"{op}_{k}", op, [draw(2, 3, 5, 7), sc(0.03), zp(z), draw(2, 3, 5, 7), sc(0.02), zp(z + 1), sc(out), zp(z)],
                 tolerance=step)
            case(f"{op}_broadcast_{k}", op, [draw(2, 3, 5, 7), sc(0.03), zp(z), Const(draw(3, 1, 1)), sc(0.02), zp(z + 1),
                                             sc(out), zp(z)], tolerance=step)
        case(f"QLinearConcat_{k}", "QLinearConcat", [sc(0.05), zp(z), draw(2, 3, 4), sc(0.03), zp(z), draw(2, 2, 4), sc(0.05),
                                                     zp(z)], tolerance=step, axis=1)
        case(f"QLinearSigmoid_{k}", "QLinearSigmoid", [draw(40), sc(0.05), zp(z), sc(1 / 256), zp(0 if t == np.uint8 else -128)],
             tolerance=step)
        case(f"QLinearLeakyRelu_{k}", "QLinearLeakyRelu", [draw(40), sc(0.05), zp(z), sc(0.04), zp(z)], tolerance=step,
             alpha=0.2)
        case(f"QLinearSoftmax_{k}", "QLinearSoftmax", [draw(3, 20), sc(0.05), zp(z), sc(1 / 256),
                                                       zp(0 if t == np.uint8 else -128)], tolerance=step, axis=-1, opset=13)
        case(f"QLinearAveragePool_{k}", "QLinearAveragePool", [draw(1, 4, 8, 8), sc(0.05), zp(z), sc(0.04), zp(z)],
             tolerance=step, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        case(f"QLinearAveragePool_last_{k}", "QLinearAveragePool", [draw(1, 8, 8, 4), sc(0.05), zp(z), sc(0.04), zp(z)],
             tolerance=step, kernel_shape=[2, 2], channels_last=1)
        case(f"QLinearGlobalAveragePool_{k}", "QLinearGlobalAveragePool", [draw(2, 4, 8, 8), sc(0.05), zp(z), sc(0.02), zp(z)],
             tolerance=step, channels_last=0)
        case(f"QLinearWhere_{k}", "QLinearWhere", [R.random((3, 8)) < 0.5, draw(3, 8), sc(0.03), zp(z), draw(3, 8), sc(0.05),
                                                   zp(z + 2), sc(0.06), zp(z)], tolerance=step)
        case(f"QGemm_{k}", "QGemm", [draw(5, 16), sc(0.03), zp(z), Const(s8(16, 7)), sc(0.02), Const(scalar(0, np.int8)),
                                     Const(R.integers(-500, 500, 7).astype(np.int32)), sc(0.3), zp(z)], tolerance=step)
        case(f"QGemm_float_{k}", "QGemm", [draw(5, 16), sc(0.03), zp(z), Const(s8(16, 7)), sc(0.02), Const(scalar(0, np.int8)),
                                           Const(R.integers(-500, 500, 7).astype(np.int32))])
        case(f"MatMulIntegerToFloat_{k}", "MatMulIntegerToFloat", [draw(5, 16), Const(s8(16, 7)), sc(0.03), Const(f(7) * 0.01),
                                                                   zp(z), None, Const(f(7))])
        case(f"QLinearConv_last_{k}", "QLinearConv", [draw(1, 8, 8, 4), sc(0.03), zp(z), Const(s8(6, 4, 3, 3)), sc(0.02),
                                                      Const(scalar(0, np.int8)), sc(0.5), zp(z)], tolerance=step,
             channels_last=1, kernel_shape=[3, 3])
        case(f"dq_{k}", "DequantizeLinear", [draw(3, 8), sc(0.03), zp(z)])
        case(f"q_{k}", "QuantizeLinear", [f(3, 8) * 3, sc(0.03), zp(z)], tolerance="exact")
    case("dq_u16", "DequantizeLinear", [R.integers(0, 65536, (3, 8)).astype(np.uint16), Const(scalar(0.01)),
                                        Const(scalar(30000, np.uint16))])
    case("q_s16", "QuantizeLinear", [f(3, 8) * 100, Const(scalar(0.01)), Const(scalar(-3, np.int16))], tolerance="exact")
    case("DynamicQuantizeMatMul", "DynamicQuantizeMatMul", [f(5, 16), Const(u8(16, 7)), Const(scalar(0.02)),
                                                            Const(scalar(128, np.uint8)), Const(f(7))], tolerance="rel:1e-4")
    case("DynamicQuantizeMatMul_s8", "DynamicQuantizeMatMul", [f(5, 16), Const(s8(16, 7)), Const(f(7) * 0.01)],
         tolerance="rel:1e-4")
    case("DynamicQuantizeLSTM", "DynamicQuantizeLSTM",
         [f(6, 2, 10), Const(s8(1, 10, 32)), Const(s8(1, 8, 32)), Const(f(1, 64) * 0.1), None, None, None, None,
          Const(scalar([0.004])), Const(np.zeros(1, np.int8)), Const(scalar([0.004])), Const(np.zeros(1, np.int8))], 3,
         tolerance="rel:0.03", hidden_size=8)


def few_bits():
    k, n, block = 32, 6, 16
    for bits in (2, 4, 8):
        bytes_ = block * bits // 8
        b, s = u8(n, k // block, bytes_), np.abs(f(n * k // block)) * 0.1
        z = u8(n, (k // block * bits + 7) // 8)
        name = f"matmul_{bits}bits"
        case(name, "MatMulNBits", [f(3, k), Const(b), Const(s)], tolerance="rel:1e-4", K=k, N=n, bits=bits, block_size=block)
        case(f"{name}_zeros", "MatMulNBits", [f(3, k), Const(b), Const(s), Const(z)], tolerance="rel:1e-4", K=k, N=n, bits=bits,
             block_size=block)
    g = np.repeat(np.arange(k // block), block).astype(np.int32)
    g[[3, 20]] = g[[20, 3]]
    case("matmul_4bits_order", "MatMulNBits", [f(3, k), Const(u8(n, k // block, block // 2)), Const(np.abs(f(n * k // block))),
                                               None, Const(g)], tolerance="rel:1e-4", K=k, N=n, bits=4, block_size=block)
    case("matmul_4bits_bias", "MatMulNBits", [f(3, k), Const(u8(n, k // block, block // 2)), Const(np.abs(f(n * k // block))),
                                              None, None, Const(f(n))], tolerance="rel:1e-4", K=k, N=n, bits=4, block_size=block)
    case("matmul_4bits_float_zeros", "MatMulNBits", [f(3, k), Const(u8(n, k // block, block // 2)),
                                                     Const(np.abs(f(n * k // block))), Const(f(n * k // block) + 8)],
         tolerance="rel:1e-4", K=k, N=n, bits=4, block_size=block)
    rows = R.integers(0, 10, (2, 3)).astype(np.int64)
    q = helper.make_tensor("q", TensorProto.UINT4, [10, 32], R.integers(0, 16, 320).tolist())
    z = helper.make_tensor("z", TensorProto.UINT4, [10, 2], R.integers(0, 16, 20).tolist())
    case("gather_block", "GatherBlockQuantized", [Const(q), rows, Const(f(10, 2))], block_size=16, quantize_axis=1)
    case("gather_block_zeros", "GatherBlockQuantized", [Const(q), rows, Const(f(10, 2)), Const(z)], block_size=16,
         quantize_axis=1)
    case("gather_block_bytes", "GatherBlockQuantized", [Const(u8(10, 16)), rows, Const(f(10, 2))], block_size=16,
         quantize_axis=1, bits=4)


    for kind in (0, 1):  # FP4, NF4
        case(f"matmul_bnb4_{kind}", "MatMulBnb4", [f(3, 32), Const(u8(7 * 32 // 2)), Const(np.abs(f(7 * 32 // 16)))], K=32, N=7,
             block_size=16, quant_type=kind)


# ---- experts --------------------------------------------------------------------------------------------------------------

def experts():
    n, d, i, many = 5, 16, 12, 4  # tokens, hidden, inner, experts
    x, router = f(n, d), f(n, many)
    one, two = [Const(f(many, i, d)), Const(f(many, i))], [Const(f(many, d, i)), Const(f(many, d))]
    for act in ("relu", "gelu", "silu", "identity"):
        for norm in (0, 1):
            case(f"moe_{act}_{norm}", "MoE", [x, router, *one, *two], k=2, activation_type=act, normalize_routing_weights=norm)
    case("moe_plain", "MoE", [f(2, 3, d), f(6, many), one[0], None, two[0]])
    both = [Const(f(many, 2 * i, d)), Const(f(many, 2 * i))]
    for name, extra in (("", {}), ("_clamped", {"swiglu_limit": 0.7, "activation_alpha": 1.702, "activation_beta": 1.0})):
        case(f"moe_swiglu{name}", "MoE", [x, router, *both, *two], k=2, activation_type="swiglu", swiglu_fusion=1,
             normalize_routing_weights=1, **extra)
    n, d, i = 5, 32, 32
    x, router, picked = f(n, d), f(n, many), np.abs(f(n, many))

    def packed(rows, columns, bits, block):
        at = (many, rows, columns // block) if block else (many, rows)
        return [Const(u8(many, rows, columns * bits // 8)), Const(f(*at, scale=0.1)), Const(f(many, rows))]

    for bits in (2, 4, 8):
        for block in (None, 16):
            extra = {"block_size": block} if block else {}
            one, two = packed(2 * i, d, bits, block), packed(d, i, bits, block)
            zeros = [Const(u8(many, r, -(-2 * bits // 8)) if block else u8(many, r * bits // 8)) for r in (2 * i, d)]
            for name, rest in (("", []), ("_zeros", [None, None, None, *zeros])):
                # Bytes in blocks: onnxruntime rounds what they are multiplied with to bytes, too.
                case(f"qmoe_{bits}_{block}{name}", "QMoE", [x, router, *one, *two, *rest], k=2,
                     tolerance="rel:0.04" if bits == 8 and block else "rel:1e-4", activation_type="swiglu", swiglu_fusion=1, expert_weight_bits=bits, normalize_routing_weights=1, **extra)
    one, two = packed(i, d, 4, 16), packed(d, i, 4, 16)
    case("qmoe_silu_weights", "QMoE", [x, router, *one, *two, *[None] * 6, picked], tolerance="rel:1e-4", k=2,
         activation_type="silu", block_size=16, normalize_routing_weights=1)
    case("qmoe_weights_as_they_are", "QMoE", [x, router, *one, *two, *[None] * 6, picked], tolerance="rel:1e-4", k=3,
         activation_type="relu", block_size=16)


# ---- sequences without padding ----------------------------------------------------------------------------------------------

def packed_sequences():
    lengths, s, n, h = np.array([2, 5, 1], np.int32), 5, 3, 4
    b, d = len(lengths), n * h
    real = np.arange(s) < lengths[:, None]
    at = np.flatnonzero(real.ravel())
    offsets = np.concatenate([at, np.flatnonzero(~real.ravel())]).reshape(b, s).astype(np.int32)
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    whole = f(b, s, d)
    tokens = whole.reshape(-1, d)[at]
    zeroed = np.where(real[..., None], whole, 0).astype(np.float32)
    case("remove_padding", "RemovePadding", [whole, lengths], 4, want=[tokens, offsets, ends, lengths.max(keepdims=True)])
    case("restore_padding", "RestorePadding", [tokens, offsets], want=[zeroed])

    def attend(q, k, v, bias, scale):
        """Of each sequence on its own. q, k, v: [token, n * width]."""
        out = []
        for a, e in itertools.pairwise(ends):
            parts = [t[a:e].reshape(e - a, n, -1).swapaxes(0, 1) for t in (q, k, v)]
            score = parts[0] @ parts[1].swapaxes(1, 2) * scale + bias[..., :e - a, :e - a][0]
            score = np.exp(score - score.max(-1, keepdims=True))
            out.append((score / score.sum(-1, keepdims=True) @ parts[2]).swapaxes(0, 1).reshape(e - a, -1))
        return np.concatenate(out).astype(np.float32)

    w, c, extra = f(d, 3 * d, scale=0.3), f(3 * d, scale=0.3), f(1, n, s, s)
    q, k, v = np.split(tokens @ w + c, 3, 1)
    case("packed_attention", "PackedAttention", [tokens, Const(w), Const(c), offsets, ends], num_heads=n,
         want=[attend(q, k, v, np.zeros_like(extra), h**-0.5)])
    case("packed_attention_bias", "PackedAttention", [tokens, Const(w), Const(c), offsets, ends, extra], num_heads=n, scale=0.4,
         want=[attend(q, k, v, extra, 0.4)])
    wide = f(len(at), n * 6)
    q, k = f(len(at), d), f(len(at), d)
    case("packed_mha", "PackedMultiHeadAttention", [q, k, wide, None, offsets, ends], num_heads=n,
         want=[attend(q, k, wide, np.zeros_like(extra), h**-0.5)])
    c = f(3 * d)
    case("packed_mha_bias", "PackedMultiHeadAttention", [q, k, q, c, offsets, ends], num_heads=n,
         want=[attend(q + c[:d], k + c[d:2 * d], q + c[2 * d:], np.zeros_like(extra), h**-0.5)])
    case("packed_mha_one", "PackedMultiHeadAttention", [np.stack([t.reshape(-1, n, h) for t in (q, k, k)], 2), None, None, None,
                                                        offsets, ends], num_heads=n,
         want=[attend(q, k, k, np.zeros_like(extra), h**-0.5)])


# ---- the rest ---------------------------------------------------------------------------------------------------------------

def others():
    x = f(2, 3, 4)
    case("gather_nd", "GatherND", [x, ints([0, 2], [1, 0])], tolerance="exact")
    for mode in ("bilinear", "nearest", "bicubic"):
        case(f"grid_sample_{mode}", "GridSample", [f(1, 2, 5, 6), np.clip(f(1, 3, 4, 2), -1.2, 1.2)], mode=mode,
             padding_mode="border", align_corners=1)
    case("grid_sample", "GridSample", [f(1, 2, 5, 6), f(1, 3, 4, 2)])
    case("pad", "Pad", [x, ints(0, 1, 2, 1, 0, 0, t=np.int64), scalar([3.5])], tolerance="exact")
    case("pad_reflect", "Pad", [x, ints([0, 1, 2, 0, 0, 1], t=np.int64)], tolerance="exact", mode="reflect")
    for t in (np.float32, np.int32, np.int64):
        case(f"range_{t.__name__}", "Range", [scalar(2, t), scalar([11], t), scalar(3, t)], tolerance="exact")
    case("range_of_two", "Range", [scalar(2, np.int32), scalar(7, np.int32)], tolerance="exact")
    for last in (0, 1):
        x, state = f(2, 6, 7), f(2, 6, 3)
        if last:
            x, state = x.swapaxes(1, 2), state.swapaxes(1, 2)
        extra = {"channels_last": 1} if last else {}
        w, c = Const(f(6, 1, 4)), Const(f(6))
        case(f"causal_conv_{last}", "CausalConvWithState", [x, w, c, state], 2, activation="silu", **extra)
        case(f"causal_conv_start_{last}", "CausalConvWithState", [x, w], 2, **extra)
    for rule in ("linear", "gated", "delta", "gated_delta"):
        decay = -np.abs(f(2, 5, 2)) if "gated" in rule else None
        beta = 1 / (1 + np.exp(-f(2, 5, 2))) if "delta" in rule else None
        case(f"linear_attention_{rule}", "LinearAttention", [f(2, 5, 8), f(2, 5, 8, scale=0.3), f(2, 5, 12), f(2, 2, 4, 6), decay,
                                                             beta], 2, update_rule=rule, q_num_heads=2, kv_num_heads=2)
    h, n = 12, 2
    angle = np.outer(np.arange(32), 1.0 / 10 ** np.arange(h // 2))
    tables = [Const(np.cos(angle).astype(np.float32)), Const(np.sin(angle).astype(np.float32))]
    ids = R.integers(0, 32, (3, 2, 5)).astype(np.int64)
    for layout in (0, 1):
        case(f"mrotary_{layout}", "MRotaryEmbedding", [f(2, 5, n * h), ids, *tables], num_heads=n, rotary_embedding_dim=h,
             mrope_section=[2, 2, 2], mrope_layout=layout)
        case(f"mrotary_heads_{layout}", "MRotaryEmbedding", [f(2, n, 5, h), ids, *tables], mrope_section=[3, 2, 1],
             mrope_layout=layout, interleaved=1)
    words = R.integers(0, 30, (2, 5)).astype(np.int32)
    tables = [Const(u8(30, 24)), Const(u8(8, 24)), Const(u8(2, 24)), Const(u8(24)), Const(u8(24))]
    scales, zeros = [Const(scalar(v)) for v in (0.02, 0.01, 0.03, 0.01, 0.02)], [Const(scalar(v, np.uint8)) for v in (9, 120, 7, 3, 128)]
    case("qembed", "QEmbedLayerNormalization", [words, words % 2, *tables, np.ones((2, 5), np.int32), *scales, *zeros], 2,
         epsilon=1e-5)
    for act in ("Relu", "Tanh", "Sigmoid", "LeakyRelu", "HardSigmoid", "Elu", "Softplus", "Softsign", "Softmax"):
        a, b = f(2, 8, 5), f(2, 8, 6)
        y = (a.swapaxes(1, 2) @ b * 0.5).astype(np.float64)
        e = np.exp(y - y.max(-1, keepdims=True))
        made = {"Relu": np.maximum(y, 0), "Tanh": np.tanh(y), "Sigmoid": 1 / (1 + np.exp(-y)), "Softmax": e / e.sum(-1, keepdims=True),
                "LeakyRelu": np.where(y < 0, 0.3 * y, y), "HardSigmoid": np.clip(0.3 * y + 0.5, 0, 1), "Softsign": y / (1 + np.abs(y)),
                "Elu": np.where(y < 0, 0.3 * np.expm1(y), y), "Softplus": np.log1p(np.exp(y))}[act].astype(np.float32)
        extra = {"activation_alpha": 0.3} if act in ("LeakyRelu", "HardSigmoid", "Elu") else {}
        case(f"fused_matmul_{act}", "FusedMatMulActivation", [a, b], transA=1, alpha=0.5, activation=act, want=[made], **extra)
    x, skip, g, c = f(2, 3, 5, 8), f(2, 8), f(8), f(8)
    for last in (0, 1):
        for act in (0, 1):
            given, s = (x, x + skip[:, None, None]) if last else (x.transpose(0, 3, 1, 2), x)
            p = s.reshape(2, 15, 4, 2).astype(np.float64)
            y = (p - p.mean((1, 3), keepdims=True)) / np.sqrt(p.var((1, 3), keepdims=True) + 1e-4)
            y = y.reshape(x.shape) * g + c
            y = (y / (1 + np.exp(-y)) if act else y).astype(np.float32)
            if last:
                case(f"skip_group_norm_{act}", "SkipGroupNorm", [given, g, c, skip], 2, groups=4, epsilon=1e-4, activation=act,
                     want=[y, s])
            else:
                case(f"group_norm_{act}", "GroupNorm", [given, Const(g), Const(c)], groups=4, epsilon=1e-4, activation=act,
                     channels_last=0, want=[y.transpose(0, 3, 1, 2)])


# ---- half floats, as language models are exported ----------------------------------------------------------------------------

def halves():
    def half(*shape, scale=1.0):
        return f(*shape, scale=scale).astype(np.float16)

    loose = "rel:0.01"
    k, n, block = 40, 6, 16
    blocks = -(-k // block)
    for bits in (4, 8):
        w = [Const(u8(n, blocks, block * bits // 8)), Const(np.abs(half(n * blocks, scale=0.1)))]
        zeros = Const(u8(n, -(-blocks * bits // 8)))
        for name, rest in (("", []), ("_zeros", [zeros])):
            case(f"half_matmul_{bits}bits{name}", "MatMulNBits", [half(3, k), *w, *rest], tolerance=loose, K=k, N=n, bits=bits,
                 block_size=block)
    case("matmul_4bits_end", "MatMulNBits", [f(2, 3, k), Const(u8(n, blocks, 8)), Const(np.abs(f(n * blocks)))], tolerance="rel:1e-4",
         K=k, N=n, bits=4, block_size=block)
    rows = R.integers(0, 10, (2, 3)).astype(np.int64)
    for name, data, scales, zeros, extra in (
            ("half", u8(10, 16), half(10, 2), u8(10, 1), {"bits": 4}), ("bytes", u8(10, 32), f(10, 2), u8(10, 2), {"bits": 8}),
            ("bytes_plain", u8(10, 32), f(10, 2), None, {"bits": 8})):
        case(f"gather_block_{name}_zeros", "GatherBlockQuantized", [Const(data), rows, Const(scales), Const(zeros) if zeros is not None
                                                                      else None], tolerance=loose, block_size=16, quantize_axis=1, **extra)
    x, g = half(2, 5, 24), Const(half(24))
    case("half_skip_rms", "SkipSimplifiedLayerNormalization", [x, half(2, 5, 24), g], [1, 0, 0, 1], tolerance=loose, epsilon=1e-6)
    case("half_skip_layer", "SkipLayerNormalization", [x, half(2, 5, 24), g, Const(half(24)), Const(half(24))], tolerance=loose)
    case("half_quick_gelu", "QuickGelu", [x], tolerance=loose)
    case("half_rms", "SimplifiedLayerNormalization", [x, g], domain="", tolerance=loose, epsilon=1e-6, axis=-1)
    s, heads, kv, h = 5, 4, 2, 16
    angle = np.outer(np.arange(32), 1.0 / 10 ** np.arange(h // 2))
    tables = [Const(np.cos(angle).astype(np.float16)), Const(np.sin(angle).astype(np.float16))]
    ids = R.integers(0, 32, (2, s)).astype(np.int64)
    case("half_rotary", "RotaryEmbedding", [half(2, s, heads * h), ids, *tables], tolerance=loose)
    case("half_gqa", "GroupQueryAttention", [half(1, s, heads * h), half(1, s, kv * h), half(1, s, kv * h), None, None, ints(s - 1),
                                             scalar(s, np.int32), *tables], 3, tolerance=loose, num_heads=heads, kv_num_heads=kv,
         do_rotary=1)
    case("half_gqa_step", "GroupQueryAttention", [half(1, 1, heads * h), half(1, 1, kv * h), half(1, 1, kv * h), half(1, kv, 8, h),
                                                  half(1, kv, 8, h), ints(8), scalar(9, np.int32), *tables], 3, tolerance=loose,
         num_heads=heads, kv_num_heads=kv, do_rotary=1)
    case("half_mha", "MultiHeadAttention", [half(2, s, 32), half(2, 7, 32), half(2, 7, 32)], tolerance=loose, num_heads=4)
    many = 4
    case("half_qmoe", "QMoE", [half(5, 32), half(5, many), Const(u8(many, 32, 16)), Const(half(many, 32, 2, scale=0.05)), None,
                               Const(u8(many, 32, 16)), Const(half(many, 32, 2, scale=0.05))], tolerance=loose, k=2, block_size=16,
         activation_type="silu", normalize_routing_weights=1)


def main():
    for add in (attention, floats, quantised, few_bits, experts, packed_sequences, others, halves):
        add()
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    print(f"onnxruntime {ort.__version__}, onnx {onnx.__version__}: {write(folder)} of {len(CASES)} cases")
    status = suite.check(folder, sys.argv[2], [])
    sweep = "".join(sys.argv[3:])
    for kind in ("causal_conv_1", "group_norm_1", "linear_attention_delta", "matmul_bnb4_1", "moe_swiglu_clamped", "qmoe_2_None_zeros",
                 "qmoe_4_16_zeros"):
        if sweep and subprocess.run([sweep, folder / kind / "model.onnx"]).returncode:
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
