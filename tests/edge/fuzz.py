# SPDX-License-Identifier: Apache-2.0
"""Requests that are damaged at random: fuzz.py [COUNT [SEED]]. Whatever comes, the server answers a status of its document or
closes the connection, and goes on. Meant for a build with sanitizers."""
import json
import os
import pathlib
import random
import socket
import sys
import tempfile

import numpy as np

from server import SANITIZED, SHARED, need, put, serving

need(f"the models in {SHARED}", (SHARED / "models/mnist_cnn.onnx").exists())
count, seed = int((sys.argv[1:] or ["1000"])[0]), int((sys.argv[2:] or ["1"])[0])
rng = random.Random(seed)


def request(method, path, body=b"", headers=()):
    head = "".join(f"{k}: {v}\r\n" for k, v in headers)
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


def seeds():
    x = np.zeros((1, 1, 28, 28), np.float32)
    entry = {"name": "Input3", "shape": [1, 1, 28, 28], "datatype": "FP32"}
    j = json.dumps({"id": "a\\u0041\U0001F600", "inputs": [{**entry, "parameters": {"binary_data_size": x.nbytes}}], "parameters": {"binary_data_output": True},
                    "outputs": [{"name": "Plus214_Output_0", "parameters": {"classification": 3, "binary_data": True}}]}).encode()
    yield request("POST", "/v2/models/digits/infer", j + x.tobytes(), [("Inference-Header-Content-Length", len(j))])
    yield request("POST", "/v2/models/digits/infer", json.dumps({"inputs": [{**entry, "data": x.tolist()}]}).encode(), [("Accept-Encoding", "gzip")])
    yield request("POST", "/v2/models/digits/infer", json.dumps({"inputs": [{**entry, "parameters": {"shared_memory_region": "r", "shared_memory_byte_size": 3136}}]}).encode())
    import gzip
    yield request("POST", "/v2/models/digits/versions/1/infer", gzip.compress(json.dumps({"inputs": [{**entry, "data": [1.5e-3] * 784}]}).encode()), [("Content-Encoding", "gzip")])
    name = "x"
    text = json.dumps({"inputs": [{"name": name, "shape": [1, 49, 10, 1], "datatype": "INT8", "data": [-128] * 490}]}).encode()
    yield request("POST", "/v2/models/batched/infer", text)
    for path, body in (("/v2/repository/index", {"ready": True}), ("/v2/logging", {"log_verbose_level": 0, "log_format": "default"}),
                       ("/v2/trace/setting", {"trace_rate": "3", "trace_count": 2}), ("/v2/systemsharedmemory/region/r/register", {"key": "/no", "offset": 0, "byte_size": 8}),
                       ("/v2/repository/models/digits/load", {"parameters": {}})):
        yield request("POST", path, json.dumps(body).encode())
    for path in ("/v2", "/v2/models/digits/config", "/v2/models/stats", "/metrics", "/openapi.json", "/v2/models/digits/versions/1/stats"):
        yield request("GET", path)
    bmp = b"BM" + (54 + 12).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little") + (1).to_bytes(4, "little") * 2 + b"\1\0\x18\0" + bytes(24) + bytes(12)
    yield request("POST", "/whet/models/digits/picture", bmp)


WORDS = [b"0", b"-1", b"4294967296", b"18446744073709551616", b"1e999", b"null", b"[[[[", b"}", b"\"", b"\\u", b"\\ud800", b"\xff\xfe", b"\0", b"\r\n", b"{" * 40, b"999999999999",
         b"binary_data_size", b"shared_memory_offset", b"%2e%2e%2f", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"FP64", b"BYTES", b"classification"]


def damage(raw):
    raw = bytearray(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 12))):
        i = rng.randrange(len(raw) + 1) if rng.random() < 0.4 else rng.randrange(min(len(raw), 700) + 1)
        what = rng.randrange(6)
        if what == 0 and i < len(raw):
            raw[i] ^= 1 << rng.randrange(8)
        elif what == 1:
            raw[i:i] = rng.choice(WORDS)
        elif what == 2:
            del raw[i : i + rng.choice((1, 3, 20, 500))]
        elif what == 3:
            w = rng.choice(WORDS)
            raw[i : i + len(w)] = w
        elif what == 4:
            k = rng.randrange(len(raw) + 1)
            raw[i:i] = raw[k : k + rng.randrange(60)]
        else:
            del raw[max(i, 20) :]
    return bytes(raw)


def fix_length(raw):
    """Half of the damaged bodies get a Content-Length that fits, so that they reach what reads them."""
    head, end, body = raw.partition(b"\r\n\r\n")
    if not end:
        return raw
    lines = [l for l in head.split(b"\r\n") if not l.lower().startswith(b"content-length")]
    return b"\r\n".join(lines[:1] + [b"Content-Length: %d" % len(body)] + lines[1:]) + end + body


with tempfile.TemporaryDirectory() as folder:
    models = pathlib.Path(folder) / "models"
    put(models, "digits", 1, "mnist_cnn.onnx")
    put(models, "batched", 1, "kws_int8.tflite", "batch: {max: 4, delay: 1ms}\n")
    with serving(models, "--shared-memory", "--log", "error", "--body", "1M", *(["--no-sandbox"] if SANITIZED else []), env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1", "WHET_LOG": "0"}) as s:
        name = s.json("GET", "/v2/models/batched")[1]["inputs"][0]["name"].encode()
        base = [r.replace(b'"name": "x"', b'"name": "' + name + b'"') for r in seeds()]
        base = [fix_length(r) for r in base]
        statuses = {}
        for r in base:
            with socket.create_connection((s.host, s.port)) as c:
                c.sendall(r)
                assert c.recv(12)[:9] == b"HTTP/1.1 "
        for k in range(count):
            raw = damage(rng.choice(base))
            if rng.random() < 0.5:
                raw = fix_length(raw)
            with socket.create_connection((s.host, s.port)) as c:
                c.settimeout(0.05)  # what is not whole is not answered
                try:
                    c.sendall(raw)
                    if rng.random() < 0.9:
                        c.shutdown(socket.SHUT_WR)
                        got = c.recv(4096)
                    else:
                        got = b"left"
                except OSError:
                    got = b"reset"
                key = got[9:12].decode() if got.startswith(b"HTTP/1.1 ") else got.decode(errors="replace")[:5]
                statuses[key] = statuses.get(key, 0) + 1
            assert s.process.poll() is None, (k, seed, raw, s.said()[-4000:])
            assert key != "500", (k, seed, raw, got)
        assert s.ask("GET", "/v2/health/live")[0] == 200
        print(count, "requests:", dict(sorted(statuses.items())))
