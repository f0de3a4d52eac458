#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Conformance cases written again, in their own format and the other: convert_suite.py FOLDER...

Each case's model goes through whet convert; the cases then run on what was written. A refusal must name a node, a signature or
a value; in the file's own format results must be as exact as the case says, in the other one to 1e-4, integers to two steps (whole nets; one operator: one)."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WHET = pathlib.Path(os.environ["WHET_BUILD"]) / "whet"
NAMED = re.compile(r'node -?\d+ "|signature "|"[^"]*" is |output "|node "')


def convert(case, model, target):
    """True when a file was written, False when it was refused by name."""
    r = subprocess.run([WHET, "convert", model, "-o", target], capture_output=True, text=True)
    if r.returncode not in (0, 1) or (r.returncode == 1 and not NAMED.search(r.stderr)):
        sys.exit(f"{case.name}: status {r.returncode}: {r.stderr.strip()[:300]}")
    return r.returncode == 0


def sweep(root, end, own):
    """Write and verify all cases of a suite; the number of failures."""
    written = refused = 0
    with tempfile.TemporaryDirectory() as folder:
        for case in sorted(p for p in root.iterdir() if p.is_dir()):
            model = next(iter(case.glob("model.*")), None)
            if not model:
                continue
            target = pathlib.Path(folder) / case.name
            shutil.copytree(case, target, ignore=shutil.ignore_patterns("model.*"))
            if convert(case, model, target / f"model{end}"):
                written += 1
            else:
                refused += 1
                shutil.rmtree(target)
        args = [] if own else ["--tolerance", "close:2.01:1e-3"]
        r = subprocess.run([WHET, "verify", "--suite", folder, *args], capture_output=True, text=True)
    last = r.stdout.strip().splitlines()[-1]
    print(f"{root} -> {end}: {written} written, {refused} refused by name; {last}")
    if r.returncode:
        print("\n".join(line for line in r.stdout.splitlines() if "FAILED" in line))
    return r.returncode != 0 or not written


def main():
    failed = False
    for name in sys.argv[1:]:
        root = pathlib.Path(name)
        end = ".tflite" if "tflite" in name else ".onnx"
        failed |= sweep(root, end, True)
        failed |= sweep(root, ".onnx" if end == ".tflite" else ".tflite", False)
    sys.exit(failed)


if __name__ == "__main__":
    main()
