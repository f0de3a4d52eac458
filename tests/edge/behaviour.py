# SPDX-License-Identifier: Apache-2.0
"""What `whet serve` does under load and change: reloads, refused models, deadlines, priorities, full queues, clients that leave,
faults. Nothing here asks how fast anything is."""
import concurrent.futures as futures
import contextlib
import gzip
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import numpy as np

from server import SANITIZED, SHARED, Server, need, put, serving, wait_for

need(f"the models in {SHARED}", (SHARED / "models/mnist_cnn.onnx").exists())


def infer_body(name, shape, datatype, array, id="", **more):
    j = json.dumps({"id": id, "inputs": [{"name": name, "shape": list(shape), "datatype": datatype, "parameters": {"binary_data_size": array.nbytes}}],
                    "parameters": {"binary_data_output": True, **more}}).encode()
    return j + array.tobytes(), {"Inference-Header-Content-Length": str(len(j))}


DIGIT = np.zeros((1, 1, 28, 28), np.float32)
FACES = np.zeros((1, 3, 240, 320), np.float32)


def digits(s, model="digits", **more):
    body, h = infer_body("Input3", DIGIT.shape, "FP32", DIGIT, **more)
    return s.ask("POST", f"/v2/models/{model}/infer", body, h)


def faces(s, model="slow", **more):
    body, h = infer_body("input", FACES.shape, "FP32", FACES, **more)
    return s.ask("POST", f"/v2/models/{model}/infer", body, h)


def burst(s, model, requests):
    """Faces for a model, each over a connection of its own, all there but for a byte; then these bytes in order. The answers: status, headers, body."""
    open_ones = []
    for more in requests:
        body, h = infer_body("input", FACES.shape, "FP32", FACES, **more)
        head = "".join(f"{k}: {v}\r\n" for k, v in h.items())
        c = socket.create_connection((s.host, s.port), timeout=120)
        c.sendall(f"POST /v2/models/{model}/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body[:-1])
        open_ones.append((c, body[-1:]))
    for c, end in open_ones:
        c.sendall(end)
    answers = []
    for c, _ in open_ones:
        r = http.client.HTTPResponse(c)
        r.begin()
        answers.append((r.status, r.headers, r.read()))
        c.close()
    return answers


def state(s, model, version="1"):
    return next((m for m in s.json("POST", "/v2/repository/index", {})[1] if m["name"] == model and m.get("version") == version), None)


def reloads(models):
    """A new file replaces the old one without a failed request; a broken one, or one that fails its golden case, does not."""
    put(models, "digits", 1, "mnist_cnn.onnx")
    with serving(models, "--poll", "1") as s:
        end, bad, count = threading.Event(), [], [0]

        def ask():
            c = http.client.HTTPConnection(s.host, s.port)
            body, h = infer_body("Input3", DIGIT.shape, "FP32", DIGIT)
            while not end.is_set():
                c.request("POST", "/v2/models/digits/infer", body, h)
                r = c.getresponse()
                r.read()
                count[0] += 1
                if r.status != 200:
                    bad.append(r.status)
            c.close()

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for t in threads:
            t.start()
        files, rss = s.files(), []
        for k in range(12):
            shutil.copy(SHARED / "models/mnist_cnn.onnx", models / "digits/1/new")
            os.replace(models / "digits/1/new", models / "digits/1/model.onnx")
            wait_for(lambda: s.said().count("digits version 1 is served") >= k + 2)
            rss.append(s.status("VmRSS"))
        (models / "digits/1/model.onnx").write_bytes(b"\x08\x07broken")
        wait_for(lambda: "refused, and the one before stays" in s.said())
        assert state(s, "digits")["state"] == "READY" and state(s, "digits")["reason"]
        golden = next((models / "digits/1").glob("case0/output_0.npy"))
        good = golden.read_bytes()
        golden.write_bytes(good[:-40] + np.full(10, 1e3, np.float32).tobytes())
        shutil.copy(SHARED / "models/mnist_cnn.onnx", models / "digits/1/model.onnx")
        wait_for(lambda: "golden case" in s.said())
        golden.write_bytes(good)
        shutil.copytree(models / "digits/1", models / "digits/2")
        wait_for(lambda: s.ask("GET", "/v2/models/digits/versions/2/ready")[0] == 200)
        shutil.rmtree(models / "digits/2")
        wait_for(lambda: s.ask("GET", "/v2/models/digits/versions/2/ready")[0] == 404)
        end.set()
        for t in threads:
            t.join()
        assert not bad and count[0] > 50, (bad, count)
        assert SANITIZED or rss[-1] < rss[3] + 2000, rss
        wait_for(lambda: s.files() <= files)
        put(models, "boxes", 1, "mnist_cnn.onnx", "picture: {fit: stretch}\ndetect: {kind: scores-boxes}\n", goldens=False)
        wait_for(lambda: "boxes version 1 is refused: detect: a detector of scores and boxes has outputs" in s.said())
        put(models, "later", 1, "kws_int8.tflite")
        wait_for(lambda: s.ask("GET", "/v2/models/later/ready")[0] == 200)
        shutil.rmtree(models / "later")
        wait_for(lambda: s.ask("GET", "/v2/models/later")[0] == 404)


def admission(models):
    """A queue is bounded, deadlines hold, the first class goes first, a client that leaves is not served."""
    put(models, "slow", 1, "ultraface_rfb320.onnx", "instances: 1\nqueue: 4\npriorities: 3\n", goldens=False)
    put(models, "wide", 1, "ultraface_rfb320.onnx", "instances: 1\nqueue: 64\ndeadline: 200s\n", goldens=False)
    traces = models.parent / "traces"
    with serving(models, "--at-once", "0", "--trace-file", str(traces)) as s:
        for _ in range(20):  # until they come faster than they are done
            got = burst(s, "slow", [{}] * 40)
            codes = {c for c, _, _ in got}
            assert 200 in codes and codes <= {200, 429}, codes
            if 429 in codes:
                break
        full = next(g for g in got if g[0] == 429)
        assert int(full[1]["Retry-After"]) >= 1 and b"queue" in full[2]
        with futures.ThreadPoolExecutor(5) as pool:
            first = [pool.submit(faces, s) for _ in range(3)]  # with the late one no more than the queue holds
            late = pool.submit(faces, s, timeout=100).result()
            assert late[0] in (503, 504), late
            assert all(f.result()[0] == 200 for f in first)
        assert faces(s, timeout=1)[0] == 504
        # many of the last class wait, then one of the first comes and overtakes some; how many depends on how fast they come
        assert s.json("POST", "/v2/models/wide/trace/setting", {"trace_level": ["TIMESTAMPS"], "trace_rate": "1", "trace_count": "-1"})[0] == 200

        def overtaken(n):
            answers = burst(s, "wide", [{"id": f"last {n}", "priority": 3}] * 40 + [{"id": f"first {n}", "priority": 1}])
            assert {a[0] for a in answers} == {200}
            lines = [json.loads(l) for l in traces.read_text().splitlines()]
            times = {k: [l["timestamps"] for l in lines if l["id"] == f"{k} {n}"] for k in ("first", "last")}
            assert len(times["first"]) == 1 and len(times["last"]) == 40
            me = times["first"][0]
            return sum(t["REQUEST_START"] < me["REQUEST_START"] and t["COMPUTE_START"] > me["COMPUTE_START"] for t in times["last"])

        assert any(overtaken(n) >= 5 for n in range(20))

        def rejected():
            text = s.ask("GET", "/metrics")[2].decode()
            return next(int(l.split()[-1]) for l in text.splitlines() if l.startswith("whet_request_rejected_total{") and 'model="wide"' in l)

        def early():
            """What cannot be done in time is turned away when its JSON is there, though the rest of its body is not."""
            body, h = infer_body("input", FACES.shape, "FP32", FACES, timeout=1000)
            n = int(h["Inference-Header-Content-Length"])
            head = f"POST /v2/models/wide/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nInference-Header-Content-Length: {n}\r\n\r\n".encode()
            with futures.ThreadPoolExecutor(1) as pool:
                others = pool.submit(burst, s, "wide", [{}] * 40)
                found = False
                while not found and not others.done():
                    before = rejected()
                    c = socket.create_connection((s.host, s.port), timeout=60)
                    c.sendall(head + body[: n + 100])
                    time.sleep(0.02)
                    found = rejected() > before
                    c.sendall(body[n + 100 :])
                    r = http.client.HTTPResponse(c)
                    r.begin()
                    said = r.status, r.read()
                    c.close()
                assert not found or (said[0] == 503 and b"deadline" in said[1]), said
                return found

        assert any(early() for _ in range(20))
        body, h = infer_body("input", FACES.shape, "FP32", FACES)
        raw = f"POST /v2/models/slow/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n" \
              f"Inference-Header-Content-Length: {h['Inference-Header-Content-Length']}\r\n\r\n"
        raw = raw.encode() + body

        def leave():
            for _ in range(5):
                c = socket.create_connection((s.host, s.port))
                c.sendall(raw)
                c.close()

        def cancelled():
            leave()
            text = s.ask("GET", "/metrics")[2].decode()
            return int(next(l for l in text.splitlines() if l.startswith("whet_request_cancelled_total{")).split()[-1]) > 0

        wait_for(cancelled)
        wait_for(lambda: "whet_requests_in_flight 1\n" in s.ask("GET", "/metrics")[2].decode())
        assert faces(s)[0] == 200


def limits(models):
    """Bodies, nesting, codings, paths, methods; each with its status, and the server goes on."""
    put(models, "digits", 1, "mnist_cnn.onnx")
    with serving(models, "--body", "1M", "--slow", "600", "--idle", "600", "--per-address", "200") as s:
        assert s.ask("POST", "/v2/models/digits/infer", b"x" * (2 << 20))[0] == 413
        c = socket.create_connection((s.host, s.port))
        with contextlib.suppress(OSError):  # it may be refused before all of this is sent
            c.sendall(b"POST /v2/models/digits/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n" + b"x" * 100000)
        assert c.recv(100).startswith(b"HTTP/1.1 413"), "a body of 1 GB"
        c.close()
        c = socket.create_connection((s.host, s.port))
        c.sendall(b"POST /v2/models/digits/infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(40):
                c.sendall(b"10000\r\n" + b"y" * 65536 + b"\r\n")
            c.sendall(b"0\r\n\r\n")
        except OSError:
            pass
        assert c.recv(100).startswith(b"HTTP/1.1 413"), "a chunked body over the limit"
        c.close()
        bomb = gzip.compress(b" " * (4 << 20))
        assert s.ask("POST", "/v2/models/digits/infer", bomb, {"Content-Encoding": "gzip"})[0] == 413
        assert s.ask("POST", "/v2/models/digits/infer", bomb[:100], {"Content-Encoding": "gzip"})[0] == 400
        assert s.ask("POST", "/v2/models/digits/infer", b"{}", {"Content-Encoding": "br"})[0] == 415
        assert s.ask("POST", "/v2/models/digits/infer", b"[" * 100000)[0] == 400
        assert s.ask("POST", "/v2/models/digits/infer", b'{"inputs":' + b"[" * 100)[0] == 400
        status, h, _ = s.ask("DELETE", "/v2/models/digits")
        assert status == 405 and h["Allow"] == "GET, HEAD"
        assert s.ask("GET", "/v2/" + "a" * 1000)[0] == 414
        assert s.ask("GET", "/../../etc/passwd")[0] == 404 and s.ask("GET", "/v2/models/..%2f..%2fetc")[0] == 404
        assert s.ask("HEAD", "/v2/health/live")[0] == 200
        for json_n in ("-1", "99999999999", "x", ""):
            assert s.ask("POST", "/v2/models/digits/infer", b"{}", {"Inference-Header-Content-Length": json_n})[0] == 400
        huge = b'{"inputs":[{"name":"Input3","shape":[4294967295,4294967295,4294967295,4294967295],"datatype":"FP32","data":[1]}]}'
        assert s.ask("POST", "/v2/models/digits/infer", huge)[0] == 400
        for _ in range(50):
            c = socket.create_connection((s.host, s.port))
            c.sendall(b"POST /v2/models/digits/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{\"inputs\":[")
            c.close()
        assert digits(s)[0] == 200
        wait_for(lambda: "whet_body_bytes 0\n" in s.ask("GET", "/metrics")[2].decode())
        # who takes long to send all, then closes their end, still gets the answer
        body, h = infer_body("Input3", DIGIT.shape, "FP32", DIGIT)
        head = f"POST /v2/models/digits/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n" \
               f"Inference-Header-Content-Length: {h['Inference-Header-Content-Length']}\r\n\r\n"
        c = socket.create_connection((s.host, s.port))
        c.sendall(head.encode() + body[:100])
        time.sleep(2.2)
        c.sendall(body[100:])
        c.shutdown(socket.SHUT_WR)
        assert c.recv(20).startswith(b"HTTP/1.1 200")
        c.close()
    # a client that sends a byte now and then is cut off, a silent one is not
    with serving(models, "--slow", "1", "--idle", "600") as s:
        slow, quiet = socket.create_connection((s.host, s.port)), socket.create_connection((s.host, s.port))
        cut = False
        for b in b"POST /v2/models/digits/infer HTTP/1.1\r\nX: " + b"y" * 60:
            try:
                slow.sendall(bytes([b]))
                slow.settimeout(0.2)
                cut = slow.recv(10) == b""
            except TimeoutError:
                continue
            except OSError:
                cut = True
            if cut:
                break
        assert cut, "slow-loris"
        quiet.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert quiet.recv(20).startswith(b"HTTP/1.1 200")


def numbers(models):
    """JSON numbers of every kind, and what does not fit."""
    put(models, "digits", 1, "mnist_cnn.onnx")
    put(models, "kws", 1, "kws_int8.tflite")
    with serving(models) as s:
        x = np.random.default_rng(3).integers(-9, 9, (1, 1, 28, 28)).astype(np.float32) / 8
        body, h = infer_body("Input3", x.shape, "FP32", x)
        out = s.ask("POST", "/v2/models/digits/infer", body, h)
        want = np.frombuffer(out[2][int(out[1]["Inference-Header-Content-Length"]):], np.float32)
        for text in (lambda v: repr(float(v)), lambda v: f"{v:.25e}", lambda v: f"{v * 1000:.3f}e-3", lambda v: f"{int(v * 8) * 125}E-3"):
            data = "[[[" + ",".join("[" + ",".join(text(v) for v in row) + "]" for row in x[0, 0]) + "]]]"
            r = s.ask("POST", "/v2/models/digits/infer", '{"inputs":[{"data":%s,"shape":[1,1,28,28],"datatype":"FP32","name":"Input\\u0033"}]}' % data)
            assert r[0] == 200, r
            assert np.array_equal(np.array(json.loads(r[2])["outputs"][0]["data"], np.float32), want)
        name = s.json("GET", "/v2/models/kws")[1]["inputs"][0]["name"]

        def kws(value, n=490):
            data = ",".join([value] * n)
            return s.ask("POST", "/v2/models/kws/infer", '{"inputs":[{"name":"%s","shape":[1,49,10,1],"datatype":"INT8","data":[%s]}]}' % (name, data))

        assert kws("-128")[0] == 200 and kws("1.0")[0] == 200 and kws("1e2")[0] == 200
        for value in ("128", "-129", "0.5", "1e40", "01", "+1", "1.", ".5", "NaN", "null", '"1"', "1e"):
            assert kws(value)[0] == 400, value
        assert kws("1", 489)[0] == 400 and kws("1", 491)[0] == 400


def killed(models):
    """kill -9 under load, and again: what answers is whole, and nothing is left that stands in the way."""
    put(models, "digits", 1, "mnist_cnn.onnx")
    for _ in range(3):
        s = Server(models)
        with futures.ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(digits, s) for _ in range(200)]
            time.sleep(0.05)
            s.process.send_signal(signal.SIGKILL)
            s.process.wait()
            for j in jobs:
                try:
                    status, h, body = j.result()
                    assert status == 200 and len(body) == int(h["Content-Length"])
                except (OSError, http.client.HTTPException):
                    pass
    with serving(models) as s:
        assert digits(s)[0] == 200


def drains(models):
    """SIGTERM answers what runs."""
    put(models, "slow", 1, "ultraface_rfb320.onnx", "instances: 1\nqueue: 64\ndeadline: 10min\n", goldens=False)
    s = Server(models, "--at-once", "0", "--drain", "300")
    with futures.ThreadPoolExecutor(20) as pool:
        jobs = [pool.submit(faces, s) for _ in range(20)]
        running = 0

        def busy():
            nonlocal running
            running = int(re.search(r"whet_requests_in_flight (\d+)", s.ask("GET", "/metrics")[2].decode())[1]) - 1  # but for this one
            return running > 0

        wait_for(busy)
        s.end()
        got = []
        for j in jobs:
            try:
                got.append(j.result()[0])
            except (OSError, http.client.HTTPException):
                pass  # it was not accepted any more
        assert got.count(200) >= running and set(got) <= {200, 503}, (running, got)  # 503: it came when the last had been answered


def ends(models):
    """SIGTERM while clients ask without a pause, and no time is left to answer them: what was accepted is answered whole or not at
    all, and the end is clean."""
    put(models, "digits", 1, "mnist_cnn.onnx")
    put(models, "queued", 1, "mnist_cnn.onnx", "instances: 1\nqueue: 3\n")
    for k in range(4):
        s = Server(models, "--drain", "0.01", *(("--at-once", "0") if k % 2 else ()))
        seen = []

        def ask(model):
            c = http.client.HTTPConnection(s.host, s.port, timeout=60)
            body, h = infer_body("Input3", DIGIT.shape, "FP32", DIGIT)
            try:
                while True:
                    c.request("POST", f"/v2/models/{model}/infer", body, h)
                    r = c.getresponse()
                    assert len(r.read()) == int(r.headers["Content-Length"])
                    seen.append(r.status)
            except (OSError, http.client.HTTPException):
                pass  # the server is gone

        threads = [threading.Thread(target=ask, args=(m,)) for m in ("digits", "queued") * 6]
        for t in threads:
            t.start()
        wait_for(lambda: seen.count(200) > 20)
        s.end()
        for t in threads:
            t.join()
        assert 200 in seen and set(seen) <= {200, 429, 503}, set(seen)


def tokens(models):
    """Tokens open what they name."""
    put(models, "digits", 1, "mnist_cnn.onnx")
    put(models, "kws", 1, "kws_int8.tflite")
    file = models.parent / "tokens"
    file.write_text("# tokens\nof-digits-0123456789 models=digits\nof-everything-01234567\nof-the-admin-012345678 admin\n")
    with serving(models, "--token-file", str(file)) as s:
        def ask(path, token, method="GET"):
            return s.ask(method, path, headers={"Authorization": "Bearer " + token} if token else {})[0]

        assert ask("/v2/health/ready", None) == 200 and ask("/v2/models/digits", None) == 401 and ask("/metrics", None) == 401
        assert ask("/v2/models/digits", "of-digits-012345678") == 401 and ask("/v2/models/digits", "of-digits-0123456789x") == 401
        assert ask("/v2/models/digits", "of-digits-0123456789") == 200 and ask("/v2/models/kws", "of-digits-0123456789") == 403
        assert ask("/v2/models/kws", "of-everything-01234567") == 200 and ask("/v2/logging", "of-everything-01234567") == 403
        assert ask("/v2/repository/models/kws/unload", "of-digits-0123456789", "POST") == 403
        assert ask("/v2/repository/models/kws/unload", "of-the-admin-012345678", "POST") == 200
        assert ask("/v2/models/kws", "of-the-admin-012345678") == 404
    file.write_text("short\n")
    try:
        Server(models, "--token-file", str(file))
        raise AssertionError("a short token")
    except SystemExit as e:
        assert "tokens:1" in str(e), e


def tls(models):
    """TLS 1.2 and 1.3 with the certificate that was given; plain HTTP is not answered."""
    if not shutil.which("openssl"):
        print("tls: left out, needs openssl to make a certificate")
        return
    put(models, "digits", 1, "mnist_cnn.onnx")
    cert, key = models.parent / "cert.pem", models.parent / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    with serving(models, "--tls-cert", str(cert), "--tls-key", str(key)) as s:
        assert s.url.startswith("https://")
        for least, most in ((ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2), (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3)):
            context = ssl.create_default_context(cafile=str(cert))
            context.minimum_version, context.maximum_version = least, most
            c = http.client.HTTPSConnection(s.host, s.port, context=context, timeout=30)
            body, h = infer_body("Input3", DIGIT.shape, "FP32", DIGIT)
            for _ in range(3):
                c.request("POST", "/v2/models/digits/infer", body, h)
                r = c.getresponse()
                assert r.status == 200 and len(r.read()) > 40
            c.close()
        try:
            s.ask("GET", "/v2/health/live")
            raise AssertionError("plain HTTP was answered")
        except (OSError, http.client.HTTPException):
            pass
    key.write_text(cert.read_text())
    try:
        Server(models, "--tls-cert", str(cert), "--tls-key", str(key))
        raise AssertionError("a key that is none")
    except SystemExit as e:
        assert "certificate and key" in str(e), e


def shut_in(models):
    """Where the kernel has Landlock, a link that leads out of the folder of the models is not followed; seccomp holds."""
    put(models, "digits", 1, "mnist_cnn.onnx")
    outside = models.parent / "outside.onnx"
    shutil.copy(SHARED / "models/mnist_cnn.onnx", outside)
    (models / "link/1").mkdir(parents=True)
    (models / "link/1/model.onnx").symlink_to(outside)
    with serving(models, "--no-sandbox") as s:
        assert state(s, "link")["state"] == "READY"
    with serving(models) as s:
        if "only the models can be read" in s.said():
            assert state(s, "link")["state"] == "UNAVAILABLE", state(s, "link")
        if "only those that serving needs" in s.said():
            assert s.status("Seccomp") == 2 and s.status("NoNewPrivs") == 1
        assert digits(s)[0] == 200


def energy(models):
    """Joules where the machine tells them, by whatever counter there is, since the start and also within the sandbox; else none."""
    put(models, "digits", 1, "mnist_cnn.onnx")
    told = re.compile(r'whet_energy_joules_total\{source="(\w+)"\} ([\d.]+)')
    tree = models.parent / "sys"
    with serving(models, "--sysfs", str(tree)) as s:
        assert not told.search(s.ask("GET", "/metrics")[2].decode())
    for path, text in (("powercap/intel-rapl:0/name", "package-0"), ("powercap/intel-rapl:0/energy_uj", "7000000"), ("powercap/intel-rapl:1/name", "package-1"),
                       ("powercap/intel-rapl:1/energy_uj", "1000000")):
        (tree / "class" / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / "class" / path).write_text(text)
    with serving(models, "--sysfs", str(tree)) as s:
        assert told.search(s.ask("GET", "/metrics")[2].decode()).groups() == ("rapl", "0.000000")
        (tree / "class/powercap/intel-rapl:0/energy_uj").write_text("9000000")
        (tree / "class/powercap/intel-rapl:1/energy_uj").write_text("1500000")
        assert told.search(s.ask("GET", "/metrics")[2].decode()).groups() == ("rapl", "2.500000")


with tempfile.TemporaryDirectory() as folder:
    for f in (reloads, admission, limits, numbers, killed, drains, ends, tokens, tls, shut_in, energy):
        models = pathlib.Path(folder) / f.__name__ / "models"
        models.mkdir(parents=True)
        f(models)
        print(f.__name__, "passed", flush=True)
