#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/performance.md from measurements beside other runtimes: performance.py CPU ONE.json [TWO.json]

The files hold {"threads": N, "models": {MODEL: {ENGINE: {"us": median latency, "load_us": ..., "peak_rss_kb": ...}}}}, one for each
number of threads, as a side-by-side benchmark writes them.
"""
import json
import math
import pathlib
import re
import sys

HEAD = """# Speed beside other runtimes

One machine, one run: every runtime keeps a process of its own, they take turns, and each figure is the lowest of the medians of
its turns. Latency in microseconds of one inference, batch 1. *Ratio* is the best other runtime's time divided by whet's: above 1, whet
is faster. Figures of different machines, or of different runs on a shared machine, do not compare; ratios do, roughly.

Machine: {cpu}. Models: the public architectures (ResNet, MobileNet, EfficientNet, SqueezeNet, ViT, a YOLO) with random weights, and trained
models of MLPerf Tiny, tflite-micro, UltraFace, silero and MNIST. Other runtimes: onnxruntime, LiteRT, OpenVINO (told f32), as pip installs them.

To repeat it for one model: `build/whet bench MODEL --threads 1`, and `--profile` for the time of each node beside the machine's measured peak;
`./do bench` times the kernels alone. This page is written by [tools/performance.py](../tools/performance.py).
"""


def best(engines):
    """The name and time of the fastest other runtime; None when none runs the model."""
    peers = {k: v["us"] for k, v in engines.items() if k != "whet" and isinstance(v, dict) and v.get("us")}
    return min(peers.items(), key=lambda kv: kv[1]) if peers else None


def table(run):
    """Lines of the table of one run, and the geometric means of its ratios."""
    lines = ["| model | whet | best other | | ratio |", "|---|---:|---:|---|---:|"]
    ratios = {"float": [], "integer": []}
    for model, engines in sorted(run["models"].items()):
        mine = engines.get("whet")
        if not isinstance(mine, dict) or not mine.get("us"):
            continue
        peer = best(engines)
        us = f"{mine['us']:,.0f}" if mine["us"] >= 100 else f"{mine['us']:.3g}"
        if not peer:
            lines.append(f"| {model} | {us} | no other runs it | | |")
            continue
        ratio = peer[1] / mine["us"]
        ratios["integer" if "int8" in model or "quant" in model else "float"].append(ratio)
        theirs = f"{peer[1]:,.0f}" if peer[1] >= 100 else f"{peer[1]:.3g}"
        lines.append(f"| {model} | {us} | {theirs} | {peer[0]} | {ratio:.2f} |")
    means = ", ".join(f"{kind} {math.exp(sum(map(math.log, r)) / len(r)):.2f}" for kind, r in ratios.items() if r)
    return lines, means


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    text = HEAD.format(cpu=sys.argv[1])
    for path in sys.argv[2:]:
        run = json.loads(pathlib.Path(path).read_text())
        lines, means = table(run)
        n = run["threads"]
        text += f"\n## {n} thread{'s' if n > 1 else ''}\n\n" + "\n".join(lines) + f"\n\nGeometric mean of the ratios: {means}.\n"
    page = pathlib.Path(__file__).parent.parent / "docs/performance.md"
    # What was written by hand stays: the sections that are no tables of ratios.
    for section in re.split(r"\n(?=## )", page.read_text())[1:]:
        if not re.match(r"## \d+ thread", section):
            text += "\n" + section.rstrip("\n") + "\n"
    page.write_text(text)


if __name__ == "__main__":
    main()
