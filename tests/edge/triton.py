# SPDX-License-Identifier: Apache-2.0
"""Every public call of tritonclient's HTTP client, unchanged, against `whet serve`; outputs against stored ones of other
runtimes."""
import inspect
import pathlib
import tempfile

import numpy as np
import tritonclient.http as t
import tritonclient.utils.shared_memory as shm
from tritonclient.utils import InferenceServerException

from server import SHARED, need, put, serving

need(f"the models in {SHARED}", (SHARED / "models/mnist_cnn.onnx").exists())
called = set()


def refused(what, *words):
    """The call must fail; its text holds the words."""
    try:
        what()
    except InferenceServerException as e:
        assert all(w in str(e) for w in words), e
        return e
    raise AssertionError(f"{words}: was not refused")


def client_of(s, **more):
    """A client that notes which of its public methods were called."""
    c = t.InferenceServerClient(s.address, concurrency=4, **more)

    class Noting:
        def __getattr__(self, name):
            called.add(name)
            return getattr(c, name)

    return Noting()


def case(model, k=0):
    folder = SHARED / "goldens" / model / f"case{k}"
    inputs = [np.load(folder / f"input_{i}.npy") for i in range(len(list(folder.glob("input_?.npy"))))]
    return inputs, [np.load(p) for p in sorted(folder.glob("output_?.npy"))]


TYPES = {"f": "FP32", "b": "INT8", "B": "UINT8", "i": "INT32", "l": "INT64"}


def inputs_of(c, model, arrays, binary=True):
    out = []
    for meta, a in zip(c.get_model_metadata(model)["inputs"], arrays):
        x = t.InferInput(meta["name"], list(a.shape), TYPES[a.dtype.char])
        x.set_data_from_numpy(a, binary_data=binary)
        out.append(x)
    return out


def close(got, want):
    if want.dtype.kind in "iu":
        assert np.abs(got.astype(int) - want.astype(int)).max() <= 1, (got, want)
    else:
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4 * np.abs(want).max())


def health(c):
    assert c.is_server_live() and c.is_server_ready()
    assert c.is_model_ready("digits") and c.is_model_ready("digits", "1") and not c.is_model_ready("digits", "7") and not c.is_model_ready("no")
    m = c.get_server_metadata()
    assert m["name"] == "whet" and {"binary_tensor_data", "classification", "statistics", "logging", "trace", "system_shared_memory"} <= set(m["extensions"])
    m = c.get_model_metadata("digits")
    assert m["versions"] == ["1", "3"] and m["inputs"][0]["shape"] == [1, 1, 28, 28] and m["outputs"][0]["datatype"] == "FP32", m
    assert c.get_model_metadata("digits", "1")["versions"] == ["1"]
    refused(lambda: c.get_model_metadata("no"), "no model")
    conf = c.get_model_config("batched")
    assert conf["max_batch_size"] == 8 and conf["dynamic_batching"]["max_queue_delay_microseconds"] == 50000 and conf["input"][0]["dims"] == [3, 240, 320], conf
    assert c.get_model_config("digits", "3")["input"][0]["data_type"] == "TYPE_FP32"


def inference(c):
    for model, name in (("mnist_cnn.onnx", "digits"), ("resnet8_int8.tflite", "resnet"), ("kws_fp32.tflite", "kws"), ("silero_vad.onnx", "vad")):
        for k in range(3):
            if not (SHARED / "goldens" / model / f"case{k}").is_dir():
                continue
            x, want = case(model, k)
            for binary in (True, False):
                r = c.infer(name, inputs_of(c, name, x, binary))
                outs = c.get_model_metadata(name)["outputs"]
                for o, w in zip(outs, want):
                    close(r.as_numpy(o["name"]), w)
    x, want = case("mnist_cnn.onnx")
    i = inputs_of(c, "digits", x)
    out = c.get_model_metadata("digits")["outputs"][0]["name"]
    for binary in (True, False):
        for packed in (None, "gzip", "deflate"):
            r = c.infer("digits", i, outputs=[t.InferRequestedOutput(out, binary_data=binary)], request_id="a\"1", model_version="3",
                        request_compression_algorithm=packed, response_compression_algorithm=packed, priority=1, timeout=10_000_000)
            close(r.as_numpy(out), want[0])
            assert r.get_response()["id"] == "a\"1" and r.get_response()["model_version"] == "3"
            assert r.get_output(out)["shape"] == [1, 10]
    for binary in (True, False):
        r = c.infer("digits", i, outputs=[t.InferRequestedOutput(out, binary_data=binary, class_count=3)])
        top = [v.decode() if isinstance(v, bytes) else v for v in r.as_numpy(out).reshape(-1)]
        order = np.argsort(-want[0].reshape(-1), kind="stable")[:3]
        assert [int(v.split(":")[1]) for v in top] == list(order) and top[0].split(":")[2] == f"digit {order[0]}", top
    many = [c.async_infer("digits", i, request_id=str(k)) for k in range(20)]
    for k, m in enumerate(many):
        r = m.get_result(timeout=30)
        assert r.get_response()["id"] == str(k)
        close(r.as_numpy(out), want[0])
    body, json_size = t.InferenceServerClient.generate_request_body(i, outputs=[t.InferRequestedOutput(out)])
    called.update({"generate_request_body", "parse_response_body"})
    status, h, raw = s.ask("POST", "/v2/models/digits/infer", body, {"Inference-Header-Content-Length": str(json_size)})
    r = t.InferenceServerClient.parse_response_body(raw, header_length=int(h["Inference-Header-Content-Length"]))
    close(r.as_numpy(out), want[0])


def batches(c):
    """Requests that share runs get what they get alone; the statistics show that runs were shared."""
    rng = np.random.default_rng(1)
    x = [rng.standard_normal((n, 3, 240, 320), dtype=np.float32) for n in (1, 2, 1, 3, 1, 1, 2, 1)]
    outs = [o["name"] for o in c.get_model_metadata("batched")["outputs"]]
    alone = [c.infer("batched", inputs_of(c, "batched", [a])) for a in x]
    ins = [inputs_of(c, "batched", [a]) for a in x]
    for _ in range(20):  # until some come faster than they are done
        for want, got in zip(alone, [c.async_infer("batched", i) for i in ins]):
            r = got.get_result(timeout=60)
            for o in outs:
                assert r.as_numpy(o).shape == want.as_numpy(o).shape
                np.testing.assert_allclose(r.as_numpy(o), want.as_numpy(o), rtol=1e-4, atol=1e-5)
        sizes = {b["batch_size"] for b in c.get_inference_statistics("batched")["model_stats"][0]["batch_stats"]}
        if any(b not in (1, 2, 3) for b in sizes):
            return
    raise AssertionError(sizes)


def errors(c):
    x, _ = case("mnist_cnn.onnx")
    i = inputs_of(c, "digits", x)
    bad = t.InferInput("no", [1], "FP32")
    bad.set_data_from_numpy(np.zeros(1, np.float32))
    refused(lambda: c.infer("digits", [bad]), "no input \"no\"")
    refused(lambda: c.infer("digits", i + [bad]), "no input \"no\"")
    refused(lambda: c.infer("no", i), "no model")
    refused(lambda: c.infer("digits", i, model_version="2"), "no version")
    refused(lambda: c.infer("digits", i, outputs=[t.InferRequestedOutput("no")]), "no output")
    refused(lambda: c.infer("digits", i, sequence_id=5, sequence_start=True), "sequences")
    small = t.InferInput(i[0].name(), [1, 1, 27, 28], "FP32")
    small.set_data_from_numpy(np.zeros((1, 1, 27, 28), np.float32))
    refused(lambda: c.infer("digits", [small]), "shape [1,1,27,28], the model takes [1,1,28,28]")


def statistics(c):
    one = c.get_inference_statistics("digits", "3")["model_stats"]
    assert len(one) == 1 and one[0]["version"] == "3" and one[0]["inference_stats"]["success"]["count"] > 5, one
    assert len(c.get_inference_statistics("digits")["model_stats"]) == 2
    assert {m["name"] for m in c.get_inference_statistics()["model_stats"]} == {"digits", "resnet", "kws", "vad", "batched"}


def repository(c):
    index = c.get_model_repository_index()
    assert {(m["name"], m["version"], m["state"]) for m in index} >= {("digits", "1", "READY"), ("digits", "3", "READY"), ("broken", "1", "UNAVAILABLE")}
    assert [m for m in index if m["name"] == "broken"][0]["reason"]
    c.unload_model("resnet")
    assert not c.is_model_ready("resnet")
    refused(lambda: c.infer("resnet", []), "not ready")
    c.load_model("resnet")
    assert c.is_model_ready("resnet")
    refused(lambda: c.load_model("broken"), "version 1")
    refused(lambda: c.load_model("no"), "no model")
    refused(lambda: c.load_model("resnet", config="{}"), "not taken from the network")
    refused(lambda: c.unload_model("no"), "no model")


def settings(c):
    assert c.get_trace_settings()["trace_level"] == ["OFF"]
    assert c.update_trace_settings(settings={"trace_level": ["TIMESTAMPS"], "trace_rate": "1", "trace_count": "2"})["trace_rate"] == "1"
    assert c.update_trace_settings("digits", {"trace_level": ["OFF"]})["trace_level"] == ["OFF"]
    assert c.get_trace_settings("digits")["trace_level"] == ["OFF"] and c.get_trace_settings()["trace_level"] == ["TIMESTAMPS"]
    refused(lambda: c.update_trace_settings(settings={"trace_file": "/etc/passwd"}), "no file is opened")
    refused(lambda: c.update_trace_settings(settings={"no": "1"}), "no trace setting")
    x, _ = case("resnet8_int8.tflite")
    for _ in range(4):
        c.infer("resnet", inputs_of(c, "resnet", x), request_id="traced")
    lines = traces.read_text().splitlines()
    assert len(lines) == 2 and '"id":"traced"' in lines[0], lines
    c.update_trace_settings(settings={"trace_level": None})
    assert c.get_trace_settings()["trace_level"] == ["OFF"]
    log = c.get_log_settings()
    assert log["log_info"] and log["log_format"] == "default"
    assert c.update_log_settings({"log_verbose_level": 1, "log_format": "ISO8601"})["log_verbose_level"] == 1
    refused(lambda: c.update_log_settings({"log_file": "/tmp/x"}), "no file is opened")
    refused(lambda: c.update_log_settings({"log_verbose_level": -1}), "log_verbose_level")
    c.update_log_settings({"log_verbose_level": 0, "log_format": "default"})


def shared_memory(c):
    x, want = case("mnist_cnn.onnx")
    assert c.get_system_shared_memory_status() == []
    a, b = shm.create_shared_memory_region("in", "/whet_test_in", x[0].nbytes + 64), shm.create_shared_memory_region("out", "/whet_test_out", 40)
    try:
        c.register_system_shared_memory("in", "/whet_test_in", x[0].nbytes + 64)
        c.register_system_shared_memory("out", "/whet_test_out", 40)
        refused(lambda: c.register_system_shared_memory("in", "/whet_test_in", 8), "registered already")
        refused(lambda: c.register_system_shared_memory("far", "/whet_test_in", 1 << 20), "bytes")
        refused(lambda: c.register_system_shared_memory("out of", "/../etc/passwd", 8), "slash")
        assert {r["name"] for r in c.get_system_shared_memory_status()} == {"in", "out"}
        assert c.get_system_shared_memory_status("in")[0]["key"] == "/whet_test_in"
        shm.set_shared_memory_region(a, [x[0]], offset=64)
        meta = c.get_model_metadata("digits")
        i = t.InferInput(meta["inputs"][0]["name"], list(x[0].shape), "FP32")
        i.set_shared_memory("in", x[0].nbytes, offset=64)
        o = t.InferRequestedOutput(meta["outputs"][0]["name"])
        o.set_shared_memory("out", 40)
        c.infer("digits", [i], outputs=[o])
        close(shm.get_contents_as_numpy(b, np.float32, [1, 10]), want[0])
        i.set_shared_memory("in", x[0].nbytes, offset=65)
        refused(lambda: c.infer("digits", [i]), "region")
        c.unregister_system_shared_memory("in")
        assert [r["name"] for r in c.get_system_shared_memory_status()] == ["out"]
        c.unregister_system_shared_memory()
        assert c.get_system_shared_memory_status() == []
    finally:
        shm.destroy_shared_memory_region(a)
        shm.destroy_shared_memory_region(b)
    assert c.get_cuda_shared_memory_status() == []
    refused(lambda: c.register_cuda_shared_memory("c", b"", 0, 8), "CUDA")
    c.unregister_cuda_shared_memory()


with tempfile.TemporaryDirectory() as folder:
    models, traces = pathlib.Path(folder) / "models", pathlib.Path(folder) / "traces"
    put(models, "digits", 1, "mnist_cnn.onnx", "labels: labels.txt\n")
    put(models, "digits", 3, "mnist_cnn.onnx")
    (models / "digits/labels.txt").write_text("".join(f"digit {i}\n" for i in range(10)))
    put(models, "resnet", 1, "resnet8_int8.tflite")
    put(models, "kws", 1, "kws_fp32.tflite")
    put(models, "vad", 1, "silero_vad.onnx", goldens=False)
    put(models, "batched", 1, "ultraface_rfb320.onnx", "batch: {max: 8, delay: 50ms}\n", goldens=False)
    (models / "broken/1").mkdir(parents=True)
    (models / "broken/1/model.onnx").write_bytes(b"no model at all")
    with serving(models, "--shared-memory", "--trace-file", str(traces)) as s:
        c = client_of(s)
        for f in (health, inference, batches, errors, statistics, repository, settings, shared_memory):
            f(c)
            print(f.__name__, "passed")
        c.close()
        calls = {n for n, f in inspect.getmembers(t.InferenceServerClient, callable) if not n.startswith("_")}
        # plugins are the client's own affair: they never reach a server
        missing = calls - called - {"register_plugin", "unregister_plugin", "plugin"}
        assert not missing, f"calls that were not tried: {missing}"
