# SPDX-License-Identifier: Apache-2.0
"""A cascade within a pipeline: digits through a small model, the unsure ones to a larger one behind `whet serve`: in time, or as
corrections; and with no server at all, whose cases a later run brings."""
import gzip
import json
import pathlib
import subprocess
import tempfile

from server import SHARED, WHET, need, put, serving

N = 400


def idx(name, head):
    return gzip.decompress((SHARED / "data/mnist" / name).read_bytes())[head:]


def run(folder, url, frames, more, status=0):
    file = pathlib.Path(folder) / "p.yaml"
    file.write_text(f"models: {{small: {(SHARED / 'models/mnist_pytorch.onnx').resolve()}}}\n"
                    "source: {stdin: {format: raw, width: 28, height: 28, pixel: gray}}\nqueue: {full: block}\nstages:\n"
                    "  - picture: {range: [0, 1]}\n  - infer: small\n"
                    f"  - cascade: {{url: '{url}', model: big, threshold: 0.9, picture: {{range: [0, 255]}}, shape: [1, 1, 28, 28], outbox: cases.db, {more}}}\n"
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
                events += run(folder, s.url, b"", "mode: correct, wait: 30s, queue: 1000")[0]
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
        print(f"{N} digits: {alone} right alone, {hard} offloaded, {fixed} right then")


main()
