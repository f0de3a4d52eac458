# SPDX-License-Identifier: Apache-2.0
"""What `whet serve` does when the machine misbehaves: the disk is full, the clock is set, models are damaged, the process is killed and
begun anew, requests end in the middle. A status that says what is wrong, the old model, nothing lost that was answered."""
import concurrent.futures as futures
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import numpy as np

from server import SANITIZED, SHARED, WHET, Server, free_port, need, put, serving, wait_for

need(f"the models in {SHARED}", (SHARED / "models/mnist_cnn.onnx").exists())
DIGIT = np.zeros((1, 1, 28, 28), np.float32)


def body_of(**more):
    head = json.dumps({"inputs": [{"name": "Input3", "shape": [1, 1, 28, 28], "datatype": "FP32", "parameters": {"binary_data_size": DIGIT.nbytes}}],
                       "parameters": {"binary_data_output": True, **more}}).encode()
    return head + DIGIT.tobytes(), {"Inference-Header-Content-Length": str(len(head))}


def digits(s, model="digits", **more):
    return s.ask("POST", f"/v2/models/{model}/infer", *body_of(**more))


def raw(body, headers, path="/v2/models/digits/infer", length=None):
    head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) if length is None else length}\r\n{head}\r\n".encode() + body


def disk_full(folder):
    """Traces go to a disk without room: requests go on, it is told once, and when there is room again the file has whole lines."""
    models = folder / "models"
    put(models, "digits", 1, "mnist_cnn.onnx")
    disk = folder / "disk"
    disk.mkdir()
    mounted = os.geteuid() == 0 and not subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", disk], capture_output=True).returncode
    try:
        file = disk / "traces" if mounted else pathlib.Path("/dev/full")
        with serving(models, "--trace-file", str(file)) as s:
            assert s.json("POST", "/v2/trace/setting", {"trace_level": ["TIMESTAMPS"], "trace_rate": "1", "trace_count": "-1"})[0] == 200
            for _ in range(300):
                assert digits(s)[0] == 200
            wait_for(lambda: "traces are lost: the disk is full" in s.said())
            assert s.said().count("traces are lost") == 1
            if mounted:
                before = file.stat().st_size
                os.truncate(file, before - 3000)  # as if somebody had made room
                for _ in range(3):
                    assert digits(s)[0] == 200
                assert "traces are written again" in s.said()
                lines = file.read_text().split("\n")
                whole = 0
                for line in lines:
                    try:
                        whole += json.loads(line)["status"] == 200
                    except ValueError:
                        continue
                assert len(lines) - whole <= 3, lines[-6:]  # one cut by hand, one for want of room, the end
                assert all(json.loads(l)["status"] == 200 for l in lines[-4:-1]), lines[-4:]
        if mounted:  # a model that is copied to a full disk is cut off: refused, and the one before stays
            full = disk / "models"
            shutil.rmtree(disk / "models", ignore_errors=True)
            file.unlink()
            subprocess.run(["mount", "-o", "remount,size=48k", disk], check=True)
            put(full, "digits", 1, "mnist_cnn.onnx", goldens=False)
            with serving(full) as s:
                try:
                    shutil.copy(SHARED / "models/mnist_cnn.onnx", full / "digits/1/model.onnx.new")
                    raise SystemExit("the disk was not full")
                except OSError:
                    os.replace(full / "digits/1/model.onnx.new", full / "digits/1/model.onnx")
                wait_for(lambda: "refused, and the one before stays" in s.said())
                assert digits(s)[0] == 200
        else:
            print("disk_full: no tmpfs of its own, /dev/full instead")
        # the log as well
        with open("/dev/full", "w") as sink:
            p = subprocess.Popen([WHET, "serve", "--models", models, "--port", "0", "--log", "request"], stdout=subprocess.PIPE, stderr=sink, text=True,
                                 env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
            port = int(p.stdout.readline().rsplit(":", 1)[1])
            for _ in range(5):
                c = http.client.HTTPConnection("127.0.0.1", port)
                c.request("POST", "/v2/models/digits/infer", *body_of())
                assert c.getresponse().status == 200
                c.close()
            p.send_signal(signal.SIGTERM)
            assert p.wait(60) == 0
    finally:
        if mounted:
            subprocess.run(["umount", "-l", disk], check=True)


def clock_jumps(folder):
    """The time of day is set years forth and back while requests wait: deadlines, delays, idle and slow connections keep their time."""
    library = WHET.parent / "libwhet_clock_step.so"
    if SANITIZED or not library.exists():
        print("clock_jumps: left out, needs a build without sanitizers")
        return
    models = folder / "models"
    put(models, "digits", 1, "mnist_cnn.onnx")
    put(models, "batched", 1, "kws_int8.tflite", "batch: {max: 4, delay: 300ms}\n")
    step = folder / "step"
    step.write_bytes(struct.pack("q", 0))

    def jump(seconds):
        with open(step, "r+b") as f:  # in place: it is mapped
            f.write(struct.pack("q", seconds))

    with serving(models, "--idle", "3", "--slow", "1", "--poll", "1", env={**os.environ, "LD_PRELOAD": str(library), "WHET_CLOCK_STEP": str(step)}) as s:
        name = s.json("GET", "/v2/models/batched")[1]["inputs"][0]["name"]
        waits = json.dumps({"inputs": [{"name": name, "shape": [1, 49, 10, 1], "datatype": "INT8", "data": [1] * 490}]})
        kept, idle_since = http.client.HTTPConnection(s.host, s.port), time.monotonic()

        def ask_kept():
            """On a connection that stays open, which must not end before its 3 seconds without a request."""
            nonlocal idle_since
            for _ in range(2):
                asked = time.monotonic()
                try:
                    kept.request("POST", "/v2/models/digits/infer", *body_of())
                    r = kept.getresponse()
                    r.read()
                    idle_since = asked
                    assert r.status == 200, r.status
                    return r.headers["Date"]
                except (OSError, http.client.HTTPException):
                    assert asked - idle_since > 1.9, "an idle connection was closed early"  # it counts whole seconds
                    kept.close()
            raise AssertionError("a new connection was closed")

        dates = [ask_kept()]
        for seconds in (400_000_000, -400_000_000, 0, 86_400, -86_400):
            loris, opened = socket.create_connection((s.host, s.port)), time.monotonic()
            loris.sendall(b"POST /v2/models/digits/infer HTTP/1.1\r\nX: ")
            took = []

            def timed():
                began = time.monotonic()
                took.append((s.ask("POST", "/v2/models/batched/infer", waits)[0], time.monotonic() - began))

            t = threading.Thread(target=timed)
            t.start()
            time.sleep(0.1)
            jump(seconds)
            t.join()
            assert took[0][0] == 200 and 0.25 < took[0][1] < 30, took
            dates.append(ask_kept())
            assert digits(s, timeout=60_000_000)[0] == 200
            assert digits(s, timeout=1)[0] == 504

            def cut():
                try:
                    loris.sendall(b"y")
                    loris.settimeout(0.05)
                    return loris.recv(10) == b""
                except TimeoutError:
                    return False
                except OSError:
                    return True

            assert not cut() or time.monotonic() - opened > 0.9, "a slow connection was cut by the jump"
            wait_for(cut, 300)
            assert time.monotonic() - opened > 0.9, "a slow connection was cut early"
            ask_kept()
        assert len({d[-17:-13] for d in dates if d}) > 1, dates  # the jumps were seen
        silent, opened = socket.create_connection((s.host, s.port)), time.monotonic()
        jump(1_000_000)
        silent.settimeout(60)
        assert silent.recv(1) == b"" and time.monotonic() - opened > 1.9, "an idle connection was closed by the jump"
        shutil.copy(SHARED / "models/mnist_cnn.onnx", models / "digits/1/new")
        os.replace(models / "digits/1/new", models / "digits/1/model.onnx")
        wait_for(lambda: s.said().count("digits version 1 is served") >= 2)


def damaged_models(folder):
    """A model cut off anywhere, with bytes that were turned, or what is no model: refused by name, or as good as any; the server lives."""
    models = folder / "models"
    for name, file in (("digits", "mnist_cnn.onnx"), ("kws", "kws_int8.tflite")):
        put(models, name, 1, file)
    good = (SHARED / "models/mnist_cnn.onnx").read_bytes()
    rng = np.random.default_rng(5)
    with serving(models) as s:
        for name in ("digits", "kws"):
            at = next((models / name / "1").glob("model.*"))
            whole = at.read_bytes()
            for k in range(25):
                bad = bytearray(whole[: rng.integers(len(whole))] if k % 2 else whole)
                for _ in range(rng.integers(1, 30)):
                    if bad:
                        bad[rng.integers(min(len(bad), 4000))] ^= 1 << rng.integers(8)
                (at.parent / "new").write_bytes(bad)
                os.replace(at.parent / "new", at)
                status, text = s.json("POST", f"/v2/repository/models/{name}/load", {})
                assert status in (200, 400) and (status == 200 or "version 1" in text["error"]), (status, text)
                assert s.ask("GET", f"/v2/models/{name}/ready")[0] == 200
            (at.parent / "new").write_bytes(whole)
            os.replace(at.parent / "new", at)
            assert s.json("POST", f"/v2/repository/models/{name}/load", {})[0] == 200
        assert good == (models / "digits/1/model.onnx").read_bytes() and digits(s)[0] == 200


def killed_and_begun_anew(folder):
    """kill -9 under load while models are replaced, then the same port again at once: what was answered was whole, clients go on."""
    models = folder / "models"
    put(models, "digits", 1, "mnist_cnn.onnx")
    port, end, seen, wrong = free_port(), threading.Event(), [], []
    want = {}

    def ask():
        while not end.is_set():
            c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                while not end.is_set():
                    body, h = body_of()
                    c.request("POST", "/v2/models/digits/infer", body, h)
                    r = c.getresponse()
                    out = r.read()
                    n = int(r.headers.get("Inference-Header-Content-Length") or 0)
                    if r.status != 200 or out[n:] != want["bytes"]:
                        wrong.append((r.status, out[:200]))
                    seen.append(time.monotonic())
            except (OSError, http.client.HTTPException):
                time.sleep(0.005)  # it was killed
            finally:
                c.close()

    words = [str(WHET), "serve", "--models", str(models), "--port", str(port)]
    s = Server(models, command=words)
    status, h, out = digits(s)
    assert status == 200
    want["bytes"] = out[int(h["Inference-Header-Content-Length"]):]
    threads = [threading.Thread(target=ask) for _ in range(6)]
    for t in threads:
        t.start()
    for k in range(6):
        wait_for(lambda n=len(seen): len(seen) > n + 30)
        shutil.copy(SHARED / "models/mnist_cnn.onnx", models / "digits/1/new")
        os.replace(models / "digits/1/new", models / "digits/1/model.onnx")
        time.sleep(0.02 * k)
        s.process.send_signal(signal.SIGKILL)
        s.process.wait()
        s = Server(models, command=words)
    wait_for(lambda n=len(seen): len(seen) > n + 30)
    end.set()
    for t in threads:
        t.join()
    assert not wrong, wrong[:3]
    s.end()


def cut_bodies(folder):
    """Requests that end anywhere, in the head, the JSON, the tensor, or claim more than they send: no answer or a status, and no memory
    is held."""
    models = folder / "models"
    put(models, "digits", 1, "mnist_cnn.onnx")
    whole = raw(*body_of())
    with serving(models, "--slow", "1") as s:
        for at in (1, 10, 60, 120, 200, 250, 300, 1000, len(whole) - 1):
            with socket.create_connection((s.host, s.port)) as c:
                c.sendall(whole[:at])
                c.shutdown(socket.SHUT_WR)
                c.settimeout(20)
                try:
                    got = c.recv(100)
                except OSError:
                    got = b""
                assert not got.startswith(b"HTTP/1.1 200"), at
        body, h = body_of()
        head = int(h["Inference-Header-Content-Length"])
        for cut in (0, 1, head - 1, head, head + 1, head + 3135):  # whole by its Content-Length, short by what its JSON says
            for n in {head, min(head, cut)}:
                r = s.ask("POST", "/v2/models/digits/infer", body[:cut], {"Inference-Header-Content-Length": str(n)})
                assert r[0] == 400 and json.loads(r[2])["error"], (cut, n, r)
        with futures.ThreadPoolExecutor(20) as pool:  # a body of 1 GB, twenty times

            def huge(k):
                with socket.create_connection((s.host, s.port)) as c:
                    with contextlib.suppress(OSError):  # it may be refused before all of this is sent
                        c.sendall(raw(b"x" * 70000, {}, length=1 << 30))
                    c.settimeout(60)
                    return c.recv(100)

            assert all(r.startswith(b"HTTP/1.1 413") for r in pool.map(huge, range(20)))
        assert digits(s)[0] == 200
        wait_for(lambda: "whet_body_bytes 0\n" in s.ask("GET", "/metrics")[2].decode())
        assert SANITIZED or s.status("VmHWM") < 60_000, s.status("VmHWM")


with tempfile.TemporaryDirectory() as folder:
    for f in (disk_full, clock_jumps, damaged_models, killed_and_begun_anew, cut_bodies):
        place = pathlib.Path(folder) / f.__name__
        place.mkdir()
        f(place)
        print(f.__name__, "passed", flush=True)
