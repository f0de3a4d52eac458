# SPDX-License-Identifier: Apache-2.0
"""The digits cascade before a server: cascade_remote.py whet|mlserver|kserve. A small net here (trained on 50,000 digits), the larger one there; the
threshold from 10,000 training digits that the small net has not seen; then test digits. The server is stopped in the middle and comes back."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from server import SANITIZED, free_port

BUILD = pathlib.Path(os.environ["WHET_BUILD"])
SHARED = pathlib.Path(os.environ.get("WHET_SHARED") or pathlib.Path(os.environ["WHET_SOURCE"]) / ".." / "shared").resolve()
MNIST, CNN = SHARED / "data/mnist", SHARED / "models/mnist_cnn.onnx"
if not CNN.exists() or not MNIST.exists():
    print(f"skipped: needs {CNN} and {MNIST}")
    sys.exit(77)
DIR = pathlib.Path(tempfile.mkdtemp(prefix="cascade."))
KIND = sys.argv[1]

MLSERVER = """
import onnxruntime, numpy as np
from mlserver import MLModel, types
class Cnn(MLModel):
    async def load(self):
        self.s = onnxruntime.InferenceSession(self.settings.parameters.uri)
        return True
    async def predict(self, r):
        x = np.array(r.inputs[0].data.root if hasattr(r.inputs[0].data, "root") else r.inputs[0].data, np.float32).reshape(r.inputs[0].shape)
        y = self.s.run(None, {"Input3": x})[0]
        return types.InferenceResponse(model_name=self.name, outputs=[types.ResponseOutput(name="Plus214_Output_0", shape=list(y.shape), datatype="FP32",
                                                                                        data=y.reshape(-1).tolist())])
"""
KSERVE = """
import sys, onnxruntime, numpy as np
from kserve import Model, ModelServer, InferResponse, InferOutput
class Cnn(Model):
    def load(self):
        self.s = onnxruntime.InferenceSession(sys.argv.pop())
        self.ready = True
    async def get_input_types(self):
        return [{"name": "Input3", "datatype": "FP32", "shape": [1, 1, 28, 28]}]
    async def get_output_types(self):
        return [{"name": "Plus214_Output_0", "datatype": "FP32", "shape": [1, 10]}]
    def predict(self, r, headers=None, response_headers=None):
        y = self.s.run(None, {"Input3": r.inputs[0].as_numpy().astype(np.float32).reshape(1, 1, 28, 28)})[0]
        o = InferOutput("Plus214_Output_0", list(y.shape), "FP32")
        o.set_data_from_numpy(y, binary_data=False)
        return InferResponse(response_id=r.id, model_name=self.name, infer_outputs=[o])
m = Cnn("cnn")
m.load()
ModelServer(enable_grpc=False).start([m])
"""


def start(port):
    log = open(DIR / "server.log", "a")
    if KIND == "whet":
        (DIR / "models/cnn/1").mkdir(parents=True, exist_ok=True)
        shutil.copy(CNN, DIR / "models/cnn/1/model.onnx")
        p = subprocess.Popen([BUILD / "whet", "serve", "--models", DIR / "models", "--port", str(port)], stdout=log, stderr=log)
    elif KIND == "mlserver":
        d = DIR / "ml"
        d.mkdir(exist_ok=True)
        (d / "cnn_model.py").write_text(MLSERVER)
        (d / "settings.json").write_text(json.dumps({"http_port": port, "grpc_port": free_port(), "metrics_port": free_port(), "host": "127.0.0.1",
                                                     "parallel_workers": 0}))
        tensor = lambda name, shape: [{"name": name, "datatype": "FP32", "shape": shape}]
        (d / "model-settings.json").write_text(json.dumps({"name": "cnn", "implementation": "cnn_model.Cnn", "parameters": {"uri": str(CNN)},
                                                           "inputs": tensor("Input3", [1, 1, 28, 28]), "outputs": tensor("Plus214_Output_0", [1, 10])}))
        p = subprocess.Popen([pathlib.Path(sys.executable).parent / "mlserver", "start", d], stdout=log, stderr=log, cwd=d,
                             env={**os.environ, "PYTHONPATH": str(d)}, start_new_session=True)
    else:
        (DIR / "server.py").write_text(KSERVE)
        p = subprocess.Popen([sys.executable, DIR / "server.py", "--http_port", str(port), "--workers", "1", CNN], stdout=log, stderr=log,
                             start_new_session=True)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/models/cnn/ready", timeout=2) as r:
                if r.status == 200:
                    return p
        except OSError:
            pass
        if p.poll() is not None:
            break
        time.sleep(0.1)
    stop(p)
    sys.exit("the server does not come up:\n" + (DIR / "server.log").read_text()[-2000:])


def stop(p):
    if KIND == "whet":
        p.terminate()
    else:
        try:
            os.killpg(p.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    p.wait(20)


def whet(*args):
    r = subprocess.run([BUILD / "whet", *map(str, args)], capture_output=True, text=True, timeout=280)
    assert r.returncode == 0, (args, r.stdout, r.stderr)
    return r.stdout


def main():
    port = free_port()
    server = start(port)
    whole = KIND == "whet" and not SANITIZED
    url, few = f"http://127.0.0.1:{port}", [] if whole else ["--items", "1500"]
    mlp, cas = DIR / "mlp.tflite", DIR / "cascade.yaml"
    whet("train", "--layers", "784,128:relu,10:softmax", "--data", MNIST, "--split", "train:0..50000", "--optimizer", "adam", "--epochs", 1 if SANITIZED else 5, "-o", mlp)
    t = json.loads(whet("cascade", "tune", "--local", mlp, "--remote", url, "--model", "cnn", "--remote-range", "0..255", "--data", MNIST, "--split",
                        "train:50000..", "--max-loss", "0.2%" if whole else "0.4%", "--max-offload", "9.3%", "-o", cas, "--chart", DIR / "cascade.svg", "--json", *few))
    assert t["loss_bound_percent"] < 2 * t["allowed_percent"] and t["offload_percent"] <= 9.3 and "</svg>" in (DIR / "cascade.svg").read_text()
    r = json.loads(whet("cascade", "run", cas, "--data", MNIST, "--split", "test", "--json", *few))
    print(KIND, r)
    assert r["failed"] == 0 and r["waiting"] == 0 and r["answered"] == r["offloaded"] > 10
    if whole:
        assert r["final_percent"] >= 0.998 * 98.91 and r["offloaded_percent"] <= 10, r
    assert r["final_percent"] > r["local_percent"] + 0.4, r

    # The server goes away; the cases lie in the outbox until it is back.
    text = cas.read_text() + f"mode: correct\noutbox: {DIR}/cases.db\nbreaker: {{failures: 2, pause: 0.2s}}\n"
    cas.write_text(text)
    stop(server)
    out = json.loads(whet("cascade", "run", cas, "--data", MNIST, "--split", "test", "--items", "600", "--wait", "0.5", "--json"))
    assert out["answered"] == 0 and out["waiting"] == out["offloaded"] > 5, out
    server = start(port)
    out = json.loads(whet("cascade", "run", cas, "--data", MNIST, "--split", "test", "--items", "1", "--wait", "60", "--json"))
    assert out["waiting"] == 0 and out["corrected"] >= 5, out
    stop(server)


try:
    main()
finally:
    shutil.rmtree(DIR)
