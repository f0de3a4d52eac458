# SPDX-License-Identifier: Apache-2.0
"""Mixed load with reloads for a long time: soak.py [SECONDS [PAUSE]]; PAUSE: seconds between a client's requests (0). JSON, binary
tensors, batches, packed bodies, pictures, shared memory, metadata, metrics, connections that come and go, while files are replaced,
versions added and removed, models loaded anew. No request fails, memory does not grow, no descriptor is left. No limit of time is
short: the machine may be stopped meanwhile."""
import gzip
import http.client
import itertools
import json
import os
import pathlib
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time

import numpy as np

from server import SANITIZED, SHARED, need, put, serving, wait_for

need(f"the models in {SHARED}", (SHARED / "models/mnist_cnn.onnx").exists())
seconds, pause = (float(v) for v in (sys.argv[1:] + ["1800", "0"][len(sys.argv) - 1 :])[:2])
MODELS = {"digits": "mnist_cnn.onnx", "kws": "kws_int8.tflite", "vww": "vww_int8.tflite", "ad": "ad01_int8.tflite"}
REGION = f"whet_soak_{os.getpid()}"
stop, failed, count = threading.Event(), [], {}
lock = threading.Lock()


def note(kind, status, body):
    with lock:
        count[kind] = count.get(kind, 0) + 1
        if status != 200 and len(failed) < 20:
            failed.append((kind, status, body[:300]))


class Client:
    """Requests of all kinds, each checked, over a connection that is renewed now and then."""

    def __init__(self, s, seed):
        self.s, self.rng, self.c, self.left = s, random.Random(seed), None, 0
        self.meta = {m: s.json("GET", f"/v2/models/{m}")[1]["inputs"][0] for m in MODELS}

    def ask(self, kind, method, path, body=None, headers={}):
        if self.left <= 0:
            if self.c:
                self.c.close()
            self.c, self.left = http.client.HTTPConnection(self.s.host, self.s.port, timeout=3600), self.rng.randrange(1, 200)
        self.left -= 1
        self.c.request(method, path, body, headers)
        r = self.c.getresponse()
        out = r.read()
        note(kind, r.status, out)
        return r, out

    def tensor(self, model):
        m = self.meta[model]
        shape = [1, *m["shape"][1:]]
        kind = {"FP32": np.float32, "INT8": np.int8}[m["datatype"]]
        return {"name": m["name"], "shape": shape, "datatype": m["datatype"]}, np.full(shape, self.rng.randrange(100), kind)

    def binary(self, model):
        entry, x = self.tensor(model)
        head = json.dumps({"inputs": [{**entry, "parameters": {"binary_data_size": x.nbytes}}], "parameters": {"binary_data_output": True}}).encode()
        r, out = self.ask("binary", "POST", f"/v2/models/{model}/infer", head + x.tobytes(), {"Inference-Header-Content-Length": str(len(head))})
        assert r.status != 200 or len(out) > int(r.headers["Inference-Header-Content-Length"])

    def json(self, model):
        entry, x = self.tensor(model)
        body = json.dumps({"id": "soak", "inputs": [{**entry, "data": x.ravel().tolist()}]}).encode()
        packed = self.rng.random() < 0.3
        r, out = self.ask("json", "POST", f"/v2/models/{model}/versions/1/infer", gzip.compress(body, 1) if packed else body,
                          {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"} if packed else {})
        if r.headers.get("Content-Encoding") == "gzip":
            out = gzip.decompress(out)
        assert r.status != 200 or json.loads(out)["id"] == "soak"

    def shared(self, model):
        entry, x = self.tensor(model)
        where = {"shared_memory_region": "soak", "shared_memory_byte_size": x.nbytes}
        self.ask("shared", "POST", f"/v2/models/{model}/infer", json.dumps({"inputs": [{**entry, "parameters": where}]}))

    def run(self):
        bmp = b"BM" + (54 + 12).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little") + (2).to_bytes(4, "little") * 2 + \
            b"\1\0\x18\0" + bytes(24) + bytes(16)
        while not stop.wait(pause):
            what, model = self.rng.random(), self.rng.choice(list(MODELS))
            if what < 0.45:
                self.binary(model)
            elif what < 0.8:
                self.json(model)
            elif what < 0.87:
                self.shared("digits")
            elif what < 0.9:
                self.ask("picture", "POST", "/whet/models/digits/picture", bmp)
            else:
                self.ask("other", "GET", self.rng.choice(("/v2", "/v2/models/kws/config", "/v2/models/stats", "/metrics", "/v2/models/ad", "/", "/openapi.json")))


def guarded(fn):
    def run(*a):
        try:
            fn(*a)
        except Exception as e:
            failed.append((fn.__qualname__, repr(e)))
            stop.set()

    return run


def as_at_first(s, models, rss):
    """Every model with its first version only, as at the start; what is resident then is compared."""
    for model in MODELS:
        for version in ("2", "3"):
            shutil.rmtree(models / model / version, ignore_errors=True)
    wait_for(lambda: all(m["version"] == "1" for m in s.json("POST", "/v2/repository/index", {})[1]))
    time.sleep(0.2)  # requests that hold a version end
    rss.append((time.monotonic(), s.status("VmRSS")))


def slope(points):
    """The median of the slopes between all pairs of points (Theil and Sen), by the hour."""
    return 3600 * statistics.median((b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.combinations(points, 2))


def reload(s, models, rss):
    """A change every half second; requests for version 1 and for the newest go on all the while."""
    rng = random.Random(7)
    for n in itertools.count():
        if stop.wait(0.5):
            return
        if n % max(1, int(seconds / 50)) == 0:
            as_at_first(s, models, rss)
        model = rng.choice(list(MODELS))
        file = next((models / model / "1").glob("model.*"))
        what = rng.randrange(4)
        if what == 0:  # the file anew
            shutil.copy(file, file.parent / "new")
            os.replace(file.parent / "new", file)
        elif what == 1 and not (models / model / "3").exists():
            note("load", s.ask("POST", f"/v2/repository/models/{model}/load", b"{}")[0], b"")
        elif what == 2:  # a second version comes and goes
            two = models / model / "2"
            shutil.rmtree(two) if two.exists() else shutil.copytree(file.parent, two)
        else:  # what is no model
            broken = models / model / "3"
            if broken.exists():
                shutil.rmtree(broken)
            else:
                broken.mkdir()
                (broken / file.name).write_bytes(file.read_bytes()[: rng.randrange(2000)])
        with lock:
            count["reload"] = count.get("reload", 0) + 1


with tempfile.TemporaryDirectory() as folder:
    models = pathlib.Path(folder) / "models"
    for name, file in MODELS.items():
        put(models, name, 1, file, "batch: {max: 4, delay: 1ms}\nqueue: 256\n" if name == "kws" else "queue: 256\n")
    region = pathlib.Path("/dev/shm") / REGION
    region.write_bytes(bytes(4096))
    try:
        with serving(models, "--shared-memory", "--log", "error", "--poll", "5", "--idle", "3600", "--slow", "3600", "--deadline", "3600") as s:
            assert s.ask("POST", "/v2/systemsharedmemory/region/soak/register", json.dumps({"key": "/" + REGION, "offset": 0, "byte_size": 4096}))[0] == 200
            files = s.files()
            rss, most = [], 0
            threads = [threading.Thread(target=guarded(Client(s, k).run)) for k in range(5)] + [threading.Thread(target=guarded(reload), args=(s, models, rss))]
            for t in threads:
                t.start()
            end = time.monotonic() + seconds
            while time.monotonic() < end and not stop.wait(min(5, seconds / 50)):
                most = max(most, s.files())
            stop.set()
            for t in threads:
                t.join()
            assert not failed, failed
            for _ in range(100):  # connections end, versions go
                if s.files() <= files:
                    break
                time.sleep(0.1)
            assert s.files() <= files, (s.files(), files)
            fifth = len(rss) // 5
            early, late = (statistics.median(kb for _, kb in part) for part in (rss[fifth : 2 * fifth], rss[-fifth:]))
            print(f"{sum(count.values())} requests and reloads in {seconds:.0f} s: {dict(sorted(count.items()))}; resident with the first versions only: {early:.0f} kB "
                  f"in the second fifth, {late:.0f} kB in the last, {max(kb for _, kb in rss)} kB at most, "
                  f"{slope(rss[fifth:]):+.0f} kB an hour after the first fifth; {files} descriptors before and after, {most} at most")
            assert SANITIZED or late < early * 1.02 + 128, rss
    finally:
        region.unlink()
