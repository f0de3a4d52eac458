# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document has the routes of edge/serve/routes.def and no others, its references lead somewhere, and each of its
operations is answered by the server as it says; a method that it does not list is refused with 405 and the list."""
import json
import os
import pathlib
import re
import subprocess
import tempfile

from server import WHET, serving

source = pathlib.Path(os.environ.get("WHET_SOURCE", "."))
rows = re.findall(r'^ROUTE\("(\w+)", "([^"]+)", (\w+), (\w+), "(\w+)", "([^"]*)",\s*"([^"]*)",\s*"([^"]*)"\)', (source / "edge/serve/routes.def").read_text(), re.M)
assert len(rows) == (source / "edge/serve/routes.def").read_text().count("\nROUTE("), "a line that is not read here"
doc = json.loads(subprocess.run([WHET, "serve", "--openapi"], capture_output=True, check=True).stdout)
told = {(m.upper(), p): o for p, item in doc["paths"].items() for m, o in item.items()}
assert set(told) == {(r[0], r[1]) for r in rows}, set(told) ^ {(r[0], r[1]) for r in rows}
ids = [o["operationId"] for o in told.values()]
assert len(set(ids)) == len(ids)
for method, path, _, who, name, summary, takes, gives in rows:
    o = told[method, path]
    assert o["operationId"] == name and o["summary"] == summary
    assert [p["name"] for p in o["parameters"]] == re.findall(r"\{(\w+)\}", path)
    assert ("requestBody" in o) == bool(takes) and ("content" in o["responses"]["200"]) == bool(gives)
    assert (o["security"] == []) == (who == "ROUTE_OPEN")
for ref in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(doc)):
    assert ref in doc["components"]["schemas"], ref
with tempfile.TemporaryDirectory() as models, serving(models, "--shared-memory") as s:
    assert s.json("GET", "/openapi.json")[1] == doc
    for (method, path), o in told.items():
        at = re.sub(r"\{\w+\}", "1", path)
        status, _, body = s.ask(method, at, "{}" if "requestBody" in o else None)
        assert str(status) in o["responses"], (path, status)
        assert status != 404 or "no /" not in body.decode(), (path, body)
        there = {m for m, p in told if p == path}
        for other in {"GET", "POST", "PUT", "DELETE", "PATCH"} - there:
            status, h, _ = s.ask(other, at)
            assert status == 405 and set(h["Allow"].split(", ")) - {"HEAD"} == there, (other, path, status)
print(len(rows), "routes")
