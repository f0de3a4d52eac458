# SPDX-License-Identifier: Apache-2.0
"""The server's figures, beside a bare libmicrohttpd and MLServer: bench/serve/measure.py [--shared ../shared] [--mlserver PYTHON] [PART]...

Parts: latency, rate, idle, memory, overload; all unless told. What is asked is a digits request (a picture of 28 x 28, mnist_cnn.onnx)
over loopback by build/serve_load, whose connections stay open; both sides of a comparison get the same client in turns. In latency and
overload each server has one processor and the client the others: where a wake-up leads to decides more than the server does. Both are
compared piece by piece, half a second each, and the median of the pieces counts, because a machine that is shared changes its speed.
MLServer is a virtual environment's Python that has mlserver and onnxruntime; its model class is the few lines of bench/serve/digits.py.
Each figure is printed beside its bar; the exit status is 1 when one is missed.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PIECE = 0.5  # seconds
SERVER, CLIENT = ("0", f"1-{os.cpu_count() - 1}") if os.cpu_count() > 1 else (None, None)
TINY = ("ad01_int8", "kws_int8", "resnet8_int8", "vww_int8")
missed = []


def tell(what, value, unit, bar=None, keeps=True, more=""):
    """One line of the report."""
    word = "" if bar is None else f"   bar {bar}: {'kept' if keeps else 'MISSED'}"
    print(f"{what:<58} {value:>12,.{1 if value < 1000 else 0}f} {unit}{word}{'   ' + more if more else ''}", flush=True)
    if not keeps:
        missed.append(what)


class Running:
    """A server's process, ended with the block."""

    def __init__(self, words, cores=None, **more):
        pin = ["taskset", "-c", cores] if cores else []
        self.process = subprocess.Popen([*pin, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def rss(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1])


def whet(a, models, *options, cores=None):
    r = Running([a.build / "whet", "serve", "--models", models, "--port", "0", "--log", "error", *options], cores)
    r.port = int(r.process.stdout.readline().rsplit(":", 1)[1])
    return r


def echo(a):
    r = Running([a.build / "serve_echo", "1"], SERVER)
    r.port = int(r.process.stdout.readline())
    return r


def mlserver(a, folder):
    ports = {"http_port": 18080, "grpc_port": 18081, "metrics_port": 18082}
    (folder / "settings.json").write_text(json.dumps({"debug": False, "parallel_workers": 0, "host": "127.0.0.1", **ports}))
    (folder / "model-settings.json").write_text(json.dumps({"name": "digits", "implementation": "digits.Digits",
                                                            "parameters": {"uri": str(a.model), "version": "1"}}))
    r = Running([a.mlserver, "-m", "mlserver.cli.main", "start", folder], env={**os.environ, "PYTHONPATH": str(TOP / "bench/serve")},
                cwd=folder, start_new_session=True)
    r.port = 18080
    for _ in range(300):
        try:
            urllib.request.urlopen("http://127.0.0.1:18080/v2/models/digits/ready", timeout=1).read()
            return r
        except OSError:
            time.sleep(0.2)
    raise SystemExit("MLServer does not become ready")


def put(models, name, file, config=None):
    to = models / name / "1"
    to.mkdir(parents=True)
    shutil.copy(file, to / ("model" + file.suffix))
    if config:
        (models / name / "config.yaml").write_text(config)


def request(path, body, *headers):
    return "".join([f"POST {path} HTTP/1.1\r\nHost: bench\r\n", *(h + "\r\n" for h in headers), f"Content-Length: {len(body)}\r\n\r\n"]).encode() + body


def digit(a):
    """The picture as floats, from the model's first stored case."""
    raw = (a.shared / "goldens/mnist_cnn.onnx/case0/input_0.npy").read_bytes()[-784 * 4:]
    return raw, list(struct.unpack("<784f", raw))


def write_requests(a, folder):
    """Files of requests: one with JSON, one with binary tensors."""
    raw, values = digit(a)
    entry = {"name": "Input3", "shape": [1, 1, 28, 28], "datatype": "FP32"}
    body = json.dumps({"inputs": [{**entry, "data": values}]}).encode()
    (folder / "json").write_bytes(request("/v2/models/digits/infer", body, "Content-Type: application/json"))
    head = json.dumps({"inputs": [{**entry, "parameters": {"binary_data_size": len(raw)}}], "parameters": {"binary_data_output": True}}).encode()
    (folder / "binary").write_bytes(request("/v2/models/digits/infer", head + raw, "Content-Type: application/octet-stream",
                                            f"Inference-Header-Content-Length: {len(head)}"))
    return len(head) + len(raw)


def load(a, port, kind, file, *more, cores=None):
    pin = ["taskset", "-c", cores] if cores else []
    return json.loads(subprocess.run([*pin, a.build / "serve_load", str(port), kind, file, *map(str, more)], capture_output=True, text=True, check=True).stdout)


def ask(port, path):
    return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10).read()


def answer_bytes(port, file):
    """How long the body of the answer to a request is."""
    head, _, body = file.read_bytes().partition(b"\r\n\r\n")
    names = dict(l.split(": ", 1) for l in head.decode().split("\r\n")[1:])
    r = urllib.request.Request(f"http://127.0.0.1:{port}/v2/models/digits/infer", body, names)
    return len(urllib.request.urlopen(r, timeout=10).read())


def pieces(a):
    """How many pieces make the turns."""
    return max(3, round(a.turns * a.seconds / PIECE))


def latency(a, folder):
    """One client, binary tensors, beside the echo of bodies of the same sizes, in turns."""
    def runs():
        s = json.loads(ask(w.port, "/v2/models/digits/stats"))["model_stats"][0]["inference_stats"]["compute_infer"]
        return s["count"], s["ns"] / 1e3

    with whet(a, folder / "digits", cores=SERVER) as w, echo(a) as e:
        n = answer_bytes(w.port, folder / "binary")
        body = (folder / "binary").read_bytes().partition(b"\r\n\r\n")[2]
        (folder / "echo").write_bytes(request(f"/?bytes={n}", body, "Content-Type: application/octet-stream"))
        ours, bare, run = [], [], []
        for _ in range(pieces(a)):
            bare.append(load(a, e.port, "closed", folder / "echo", PIECE, cores=CLIENT))
            count, us = runs()
            ours.append(load(a, w.port, "closed", folder / "binary", PIECE, cores=CLIENT))
            more, later = runs()
            run.append((later - us) / (more - count))
    above = [o["p50"] - r - b["p50"] for o, r, b in zip(ours, run, bare)]
    p99 = [o["p99"] - r for o, r in zip(ours, run)]
    middle = statistics.median
    tell("latency: the echo's median", middle(b["p50"] for b in bare), "us")
    tell("latency: whet's median", middle(o["p50"] for o in ours), "us", more=f"of it the run itself {middle(run):.1f} us")
    tell("latency: median above the echo, the run taken off", middle(above), "us", "20", middle(above) <= 20)
    tell("latency: the echo's 99th percentile", middle(b["p99"] for b in bare), "us")
    times = middle(p / b["p99"] for p, b in zip(p99, bare))
    tell("latency: whet's 99th percentile, the run taken off", middle(p99), "us", "3 x the echo's", times <= 3, f"{times:.2f} x")


def rate(a, folder):
    """Requests a second of one client process that holds 1, 8 and 32 connections; MLServer has no binary tensors over HTTP."""
    counts = (1, 8, 32)
    best = {}
    with whet(a, folder / "digits") as w:
        for kind in ("json", "binary"):
            for n in counts:
                best["whet", kind, n] = max(load(a, w.port, "closed", folder / kind, a.seconds, n)["per_second"] for _ in range(a.turns))
                tell(f"rate: whet, {kind}, {n} connections", best["whet", kind, n], "/s")
    if not a.mlserver:
        print("rate: MLServer was not told (--mlserver PYTHON)")
        return
    (folder / "mlserver").mkdir()
    with mlserver(a, folder / "mlserver") as m:
        load(a, m.port, "closed", folder / "json", 1, 1)
        for n in counts:
            best["mlserver", n] = max(load(a, m.port, "closed", folder / "json", a.seconds, n)["per_second"] for _ in range(a.turns))
            tell(f"rate: MLServer, json, {n} connections", best["mlserver", n], "/s")
    ours, theirs = max(best["whet", "json", n] for n in counts), max(best["mlserver", n] for n in counts)
    tell("rate: whet's best beside MLServer's best, json", ours / theirs, "times", "20", ours / theirs >= 20)


def idle(a, folder):
    """Connections that are open and say nothing."""
    with whet(a, folder / "digits", "--idle", "300") as w:
        load(a, w.port, "closed", folder / "binary", 0.5, 8)
        before = w.rss()
        c = subprocess.Popen([a.build / "serve_load", str(w.port), "idle", str(a.idle), "30"], stdout=subprocess.PIPE, text=True)
        said = c.stdout.readline()
        time.sleep(1)
        each = (w.rss() - before) / a.idle
        began = time.perf_counter()
        live = said == "open\n" and ask(w.port, "/v2/health/live") is not None
        took = time.perf_counter() - began
        c.kill()
        c.wait()
    tell(f"idle: memory of each of {a.idle:,} connections", each, "kB", "16", each < 16 and live, f"a new one is answered in {took * 1e3:.1f} ms")


def memory(a, folder):
    """The four int8 models of MLPerf Tiny, nobody connected."""
    for name in TINY:
        put(folder / "tiny", name, a.shared / f"models/{name}.tflite")
    with whet(a, folder / "tiny") as w:
        time.sleep(1)
        rss = w.rss()
    tell("memory: resident with the four MLPerf Tiny models", rss / 1024, "MB", "12", rss < 12 * 1024)


def overload(a, folder):
    """Five times what one processor carries, by the clock: what is answered in time, and how late what is accepted comes. MobileNet V2,
    int8, whose run is long beside what turning a request away costs. The capacity is taken before and after each piece, by as many
    clients as keep the server busy and none of them waiting for its deadline."""
    deadline = 200
    n = 224 * 224 * 3
    put(folder / "wide", "mobilenet", a.shared / "models/mobilenet_v2_quant.tflite", "queue: 24\n")
    with whet(a, folder / "wide", cores=SERVER) as w:
        entry = json.loads(ask(w.port, "/v2/models/mobilenet"))["inputs"][0]
        head = json.dumps({"inputs": [{**entry, "parameters": {"binary_data_size": n}}],
                           "parameters": {"binary_data_output": True, "timeout": deadline * 1000}}).encode()
        (folder / "timed").write_bytes(request("/v2/models/mobilenet/infer", head + bytes(n), f"Inference-Header-Content-Length: {len(head)}"))

        def carries():
            return load(a, w.port, "closed", folder / "timed", PIECE, 8, cores=CLIENT)["per_second"]

        capacity, runs = [carries(), carries()][1:], []  # the first warms up
        for _ in range(pieces(a)):
            runs.append(load(a, w.port, "open", folder / "timed", PIECE, 5 * capacity[-1], deadline, 1024, cores=CLIENT))
            capacity.append(carries())
    around = [(c + d) / 2 for c, d in zip(capacity, capacity[1:])]
    away = sum(r["4xx"] + r["5xx"] for r in runs) / len(runs) / PIECE
    tell("overload: capacity on one processor", statistics.median(capacity), "/s",
         more=f"then in time {statistics.median(r['per_second'] for r in runs):,.1f}/s, turned away {away:,.1f}/s")
    sent = statistics.median((r["2xx"] + r["4xx"] + r["5xx"]) / PIECE / c for r, c in zip(runs, around))
    good = statistics.median(r["per_second"] / c for r, c in zip(runs, around))
    tell("overload: answered in time, of capacity", 100 * good, "%", "90", good >= 0.9, f"of {sent:.2f} x as many")
    late = sum(r["late"] for r in runs) / max(1, sum(r["good"] + r["late"] for r in runs))
    tell("overload: accepted and later than the deadline", 100 * late, "%", "1", late < 0.01,
         f"99 % within {max(r['p99'] for r in runs) / 1e3:.1f} ms of {deadline}")


def main():
    parts = {f.__name__: f for f in (latency, rate, idle, memory, overload)}
    p = argparse.ArgumentParser()
    p.add_argument("part", nargs="*", choices=[[], *parts], default=[])
    p.add_argument("--build", type=pathlib.Path, default=TOP / "build")
    p.add_argument("--shared", type=pathlib.Path, default=pathlib.Path(os.environ.get("WHET_SHARED") or TOP / ".." / "shared"))
    p.add_argument("--mlserver", help="a Python that has mlserver and onnxruntime")
    p.add_argument("--seconds", type=float, default=2)
    p.add_argument("--turns", type=int, default=3)
    p.add_argument("--idle", type=int, default=10000)
    a = p.parse_args()
    a.shared = a.shared.resolve()
    a.model = a.shared / "models/mnist_cnn.onnx"
    if not a.model.exists():
        raise SystemExit(f"needs the models in {a.shared}")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        put(folder / "digits", "digits", a.model)
        write_requests(a, folder)
        for name in a.part or parts:
            parts[name](a, folder)
    sys.exit(1 if missed else 0)


main()
