# SPDX-License-Identifier: Apache-2.0
"""The image that tools/image.sh wrote: its only layer is under 6 MB, and the server runs by chroot into it, with TLS. Needs root
and the image: image.py FILE.tar."""
import http.client
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tarfile
import tempfile

from server import SHARED, Server, need

tar = pathlib.Path(sys.argv[1])
need(f"{tar} (tools/image.sh writes it)", tar.exists())
need("root, openssl and the shared models", os.geteuid() == 0 and shutil.which("openssl") and (SHARED / "models/mnist_cnn.onnx").exists())
with tempfile.TemporaryDirectory() as folder:
    oci, root = pathlib.Path(folder) / "oci", pathlib.Path(folder) / "root"
    with tarfile.open(tar) as t:
        t.extractall(oci)
    blob = lambda d: oci / "blobs/sha256" / d.removeprefix("sha256:")
    manifest = json.loads(blob(json.loads((oci / "index.json").read_text())["manifests"][0]["digest"]).read_text())
    config = json.loads(blob(manifest["config"]["digest"]).read_text())
    (layer,) = manifest["layers"]
    assert blob(layer["digest"]).stat().st_size == layer["size"] < 6_000_000, layer
    assert config["rootfs"]["diff_ids"] == [layer["digest"]]
    with tarfile.open(blob(layer["digest"])) as t:
        assert sorted(t.getnames()) == ["models", "whet"]
        t.extractall(root)
    (root / "models/digits/1").mkdir(parents=True)
    shutil.copy(SHARED / "models/mnist_cnn.onnx", root / "models/digits/1/model.onnx")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", root / "key.pem", "-out",
                    root / "cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    chroot = ["chroot", "--userspec=0:0", str(root), *config["config"]["Entrypoint"], "--models", "/models", "--port", "0"]
    s = Server(None, "--tls-cert", "/cert.pem", "--tls-key", "/key.pem", command=chroot)
    try:
        c = http.client.HTTPSConnection(s.host, s.port, context=ssl.create_default_context(cafile=str(root / "cert.pem")), timeout=30)
        c.request("POST", "/v2/models/digits/infer", json.dumps({"inputs": [{"name": "Input3", "shape": [1, 1, 28, 28], "datatype": "FP32", "data": [0.5] * 784}]}))
        r = c.getresponse()
        assert r.status == 200 and len(json.loads(r.read())["outputs"][0]["data"]) == 10
        c.close()
        s.end()
    finally:
        if s.process.poll() is None:
            s.process.kill()
print(layer["size"], "bytes")
