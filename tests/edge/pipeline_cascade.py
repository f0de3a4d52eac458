# SPDX-License-Identifier: Apache-2.0
"""A cascade within a pipeline: digits through a small model, the unsure ones to a larger one behind `whet serve`: in time, or as
corrections; and with no server at all, whose cases a later run brings. A remote that goes on from what the small model made."""
import gzip
import json
import pathlib
import subprocess
import tempfile

from server import SHARED, WHET, need, put, serving

N = 400


def idx(name, head):
    return gzip.decompress((SHARED / "data/mnist" / name).read_bytes())[head:]


def field(number, value):
    """A field of protobuf: bytes, text or a small number."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    value = value.encode() if isinstance(value, str) else value
    assert len(value) < 1 << 14
    return bytes([number << 3 | 2]) + (bytes([len(value)]) if len(value) < 128 else bytes([len(value) & 127 | 128, len(value) >> 7])) + value


def head_model():
    """An .onnx file: y = -x for ten int8 numbers, so that the class that it tells is the least likely of the scores that it gets."""
    shape = b"".join(field(1, field(1, n)) for n in (1, 10))
    value = [field(n, field(1, name) + field(2, field(1, field(1, 3) + field(2, shape)))) for n, name in ((11, "x"), (12, "y"))]
    graph = field(1, field(1, "x") + field(2, "y") + field(4, "Neg")) + field(2, "head") + b"".join(value)
    return field(1, 8) + field(7, graph) + field(8, field(2, 17))


def run(folder, url, frames, more, status=0, to="picture: {range: [0, 255]}, shape: [1, 1, 28, 28]", model="big"):
    file = pathlib.Path(folder) / "p.yaml"
    file.write_text(f"models: {{small: {(SHARED / 'models/mnist_pytorch.onnx').resolve()}}}\n"
                    "source: {stdin: {format: raw, width: 28, height: 28, pixel: gray}}\nqueue: {full: block}\nstages:\n"
                    "  - picture: {range: [0, 1]}\n  - infer: small\n"
                    f"  - cascade: {{url: '{url}', model: {model}, threshold: 0.9, {to}, outbox: cases.db, {more}}}\n"
                    "sinks: [stdout]\n")
    said = subprocess.run([str(WHET), "pipeline", str(file), "--stats", folder + "/stats.json"], input=frames, capture_output=True)
    assert said.returncode == status, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()], json.loads((pathlib.Path(folder) / "stats.json").read_text())


def right(events, labels):
    """Of the last word on every digit."""
    last = {}
    for e in events:
        if e["seq"] not in last or e.get("event") == "correction":
            last[e["seq"]] = e["classes"][0]["class"]
    assert len(last) == N
    return sum(last[i + 1] == labels[i] for i in range(N))


def main():
    need("the shared folder", (SHARED / "data/mnist").exists())
    frames, labels = idx("t10k-images-idx3-ubyte.gz", 16)[:784 * N], idx("t10k-labels-idx1-ubyte.gz", 8)[:N]
    with tempfile.TemporaryDirectory() as top:
        put(top + "/models", "big", 1, "mnist_cnn.onnx", goldens=False)
        with tempfile.TemporaryDirectory() as folder:  # no server: every case waits
            events, stats = run(folder, "http://127.0.0.1:9", frames, "mode: correct, wait: 0, queue: 1000")
            alone, hard = right(events, labels), sum(e.get("event") == "provisional" for e in events)
            assert len(events) == N and 20 < hard < N / 2, hard
            assert stats["branches"][0]["stages"][2]["cascade"]["hard"] == hard
            with serving(top + "/models") as s:
                events += run(folder, s.url, b"", "mode: correct, wait: 30s, queue: 1000, outbox_bytes: 64M, bytes: 1G")[0]
                fixed = right(events, labels)
                late = [e for e in events if e.get("event") == "correction"]
                assert len(late) == hard, (len(late), hard)
                first = {e["key"]: e for e in events if e.get("event") == "provisional"}
                assert all(first[e["key"]]["seq"] == e["seq"] and first[e["key"]]["time"] == e["time"] for e in late)
                assert fixed > alone, (fixed, alone)
        with tempfile.TemporaryDirectory() as folder, serving(top + "/models") as s:
            events, _ = run(folder, s.url, frames, "mode: wait, deadline: 5s")
            assert len(events) == N and sum(e.get("event") == "remote" for e in events) == hard
            assert right(events, labels) == fixed
            events, _ = run(folder, s.url, frames, "mode: correct, wait: 30s, queue: 1000")
            assert sum(e.get("event") == "correction" for e in events) == hard and right(events, labels) == fixed
        (pathlib.Path(top) / "models/head/1").mkdir(parents=True)
        (pathlib.Path(top) / "models/head/1/model.onnx").write_bytes(head_model())
        with tempfile.TemporaryDirectory() as folder, serving(top + "/models") as s:  # ten bytes of scores instead of a picture
            to = "features: 0, type: INT8, scale: 4"
            events, stats = run(folder, s.url, frames, "mode: wait, deadline: 5s", to=to, model="head")
            assert sum(e.get("event") == "remote" for e in events) == hard, stats
            c = stats["branches"][0]["stages"][2]["cascade"]
            assert c["answered"] == hard and c["bytes_up"] < hard * 784, c
            small = {e["seq"]: e["classes"][0]["class"] for e in run(folder, s.url, frames, "mode: correct, wait: 0, requests: 1, price: 1, money: 1", to=to, model="head")[0]
                     if e.get("event") != "correction"}
            assert all(small[e["seq"]] != e["classes"][0]["class"] for e in events if e.get("event") == "remote")
            assert all(small[e["seq"]] == e["classes"][0]["class"] for e in events if e.get("event") != "remote")
            stats = run(folder, s.url, frames, "mode: wait, deadline: 5s, price: 1, money: 3", to=to, model="head")[1]
            c = stats["branches"][0]["stages"][2]["cascade"]
            assert c["kept_budget"] >= hard - 4 and 3 <= c["offloaded"] <= 4, c  # an hour's money is there at the start
            for bad, why in (("features: 3", "features: the model has no output 3"), ("features: 0, shape: [1, 11]", "shape has 11 numbers, the model's output 10")):
                file = pathlib.Path(folder) / "p.yaml"
                run(folder, s.url, frames[:784], "mode: wait", to="features: 0", model="head")
                file.write_text(file.read_text().replace("features: 0", bad))
                said = subprocess.run([str(WHET), "pipeline", str(file)], input=frames[:784], capture_output=True, text=False)
                assert said.returncode == 1 and why in said.stderr.decode(), said
        print(f"{N} digits: {alone} right alone, {hard} offloaded, {fixed} right then")


main()
