# SPDX-License-Identifier: Apache-2.0
"""The KServe manifest through KServe's own model classes: nothing of it is unknown to them, nothing is lost."""
import os
import pathlib
import re

import kserve
import kubernetes.client
import yaml

for name in dir(kubernetes.client):  # KServe's classes name Kubernetes' ones
    if name.startswith("V1") and not hasattr(kserve.models, name):
        setattr(kserve.models, name, getattr(kubernetes.client, name))
for name in dir(kserve.models):  # and write types in two ways, of which their reader knows one
    types = getattr(getattr(kserve.models, name), "openapi_types", {})
    for key, t in types.items():
        types[key] = re.sub(r"^Dict\[(.*)\]$", r"dict(\1)", t.replace("List[", "list["))
said = yaml.safe_load((pathlib.Path(os.environ.get("WHET_SOURCE", ".")) / "examples/serve/kserve.yaml").read_text())
client = kserve.ApiClient()
read = client._ApiClient__deserialize(said, kserve.V1alpha1ClusterServingRuntime)
assert read.spec.containers[0].name == "kserve-container" and read.spec.supported_model_formats[0].name == "onnx"
back = client.sanitize_for_serialization(read)
assert back == said, (back, said)
print("ClusterServingRuntime", read.metadata.name)
