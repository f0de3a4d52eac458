# SPDX-License-Identifier: Apache-2.0
"""schemathesis, with all its checks, against the server and its OpenAPI document: no failure."""
import pathlib
import subprocess
import sys
import tempfile

from server import SHARED, need, put, serving

need(f"the models in {SHARED}", (SHARED / "models/mnist_cnn.onnx").exists())
examples = sys.argv[1] if len(sys.argv) > 1 else "20"
with tempfile.TemporaryDirectory() as folder:
    put(pathlib.Path(folder) / "models", "digits", 1, "mnist_cnn.onnx")
    with serving(pathlib.Path(folder) / "models", "--shared-memory", "--log", "warning") as s:
        # names that are there, so that the answers behind them are seen; a made-up body fits no model
        (pathlib.Path(folder) / "schemathesis.toml").write_text("""
[parameters]
model = "digits"
version = "1"
[[operations]]
include-path-regex = "(infer|picture)$"
[operations.parameters]
model = "none"
""")
        done = subprocess.run([sys.executable, "-m", "schemathesis.cli", "run", s.url + "/openapi.json", "--checks", "all", "--max-examples", examples,
                               "--seed", "1", "--no-color"], cwd=folder, capture_output=True, text=True)
        print(done.stdout[-6000:])
        assert done.returncode == 0, done.stderr
