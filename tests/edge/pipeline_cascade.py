# SPDX-License-Identifier: Apache-2.0
"""A cascade within a pipeline: digits through a small model, the unsure ones to a larger one behind `whet serve`: in time, or as
corrections; and with no server at all, whose cases a later run brings. A remote that goes on from what the small model made."""
import gzip
import http.server
import json
import pathlib
import struct
import subprocess
import tempfile
import threading

from head import head_model
from server import SHARED, WHET, need, put, serving

N = 400


def idx(name, head):
    return gzip.decompress((SHARED / "data/mnist" / name).read_bytes())[head:]


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


def whet(*words, status=0):
    said = subprocess.run([str(WHET), "cascade", *map(str, words)], capture_output=True, text=True)
    assert said.returncode == status, (words, said)
    return said.stdout if not status else said.stderr


def command(folder, url, head):
    """whet cascade: the same features from its file, to a server and to a model that runs here; what it refuses."""
    folder, data = pathlib.Path(folder), ("--data", SHARED / "data/mnist", "--items", N)
    small = (SHARED / "models/mnist_pytorch.onnx").resolve()
    text = f"local: {small}\nrange: 0..1\nremote: {{%s, features: 0, scale: 4, compress: yes}}\npolicy: {{measure: confidence, threshold: 0.9}}\n"
    told = []
    for name, remote in (("url", f"url: '{url}', model: head"), ("file", f"file: {head}")):
        (folder / f"{name}.yaml").write_text(text % remote + "deadline: 5s\nbudget: {requests: 100000}\n")
        r = json.loads(whet("run", folder / f"{name}.yaml", *data, "--events", folder / "events", "--json"))
        events = [json.loads(line) for line in (folder / "events").read_text().splitlines()]
        assert 20 < r["hard"] == r["offloaded"] == r["answered"] and sum(e.get("remote", False) for e in events) == r["hard"], r
        told.append([e["answer"] for e in events if "answer" in e])
        assert r["bytes_up"] < r["hard"] * 784 and (name == "url" or r["bytes_up"] == r["hard"] * 10), r
        assert r["final_percent"] < r["local_percent"], r  # it tells the least likely class
        (folder / "same.onnx").write_bytes(head_model("Identity"))
        whet("tune", folder / f"{name}.yaml", *data, "--remote", folder / "same.onnx", "--max-loss", "50%", "-o", folder / "tuned.yaml")
        tuned = (folder / "tuned.yaml").read_text()
        assert all(word in tuned for word in ("features: 0", "scale: 4", "compress: yes", "deadline: 5", "requests: 100000")), tuned
        whet("run", folder / "tuned.yaml", *data)
    assert told[0] == told[1]
    for words, why in ((("--features", 3), "has no output 3"), (("--features", 0, "--remote", SHARED / "models/mnist_cnn.onnx"), "do not fill"),
                       (("--remote-range", "0..1"), "range, mean and std are for items")):
        assert why in whet("run", folder / "url.yaml", *data, *words, status=1 + (why[:5] == "range")), (words, why)


class Other(http.server.BaseHTTPRequestHandler):
    """A server that answers class 7 in half precision, and lets in who has the whole of a long token."""
    protocol_version, token = "HTTP/1.1", "t" * 3000

    def give(self, status, body, **headers):
        self.send_response(status)
        for k, v in {"Content-Length": len(body), **headers}.items():
            self.send_header(k.replace("_", "-"), str(v))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/v2":
            return self.give(200, b'{"extensions": ["binary_tensor_data"]}')
        self.give(200, json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 1, 28, 28]}],
                                   "outputs": [{"name": "y", "datatype": self.server.kind, "shape": [1, 10]}]}).encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != "Bearer " + self.token:
            return self.give(401, b"")
        format = {"FP16": "10e", "INT16": "10h"}[self.server.kind]
        numbers = struct.pack("<" + format, *(2.5 if format == "10e" and i == 7 else int(i == 7) for i in range(10)))
        text = json.dumps({"outputs": [{"name": "y", "datatype": self.server.kind, "shape": [1, 10], "parameters": {"binary_data_size": len(numbers)}}]}).encode()
        self.give(200, text + numbers, Inference_Header_Content_Length=len(text))

    def log_message(self, *args):
        pass


def others(frames):
    """Types that whet serve does not answer in."""
    for kind in ("FP16", "INT16"):
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as s, tempfile.TemporaryDirectory() as folder:
            s.kind = kind
            threading.Thread(target=s.serve_forever, daemon=True).start()
            events, _ = run(folder, f"http://127.0.0.1:{s.server_port}", frames, f"mode: wait, deadline: 5s, token: {Other.token}")
            told = [e["classes"][0]["class"] for e in events if e.get("event") == "remote"]
            assert len(told) > 20 and set(told) == {7}, (kind, told)
            s.shutdown()


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
            command(folder, s.url, pathlib.Path(top) / "models/head/1/model.onnx")
        others(frames)
        print(f"{N} digits: {alone} right alone, {hard} offloaded, {fixed} right then")


main()
