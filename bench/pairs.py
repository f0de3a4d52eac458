# SPDX-License-Identifier: Apache-2.0
"""Whether bytes are ever slower than floats: bench/pairs.py [--into FILE] [--for SECONDS] [--levels L,L] [--only WORD,WORD] FOLDER...

Pairs of models of the folders, X_int8.EXT beside X.EXT or X_fp32.EXT, in turns, one thread, at each CPU level that this machine has; of
each the least time of all turns. Prints float / int8, and at the end what is below 0.97. --into keeps what was measured, so that a
second call goes on where the first one's seconds ended.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

WHET = pathlib.Path(__file__).resolve().parent.parent / "build" / "whet"
LEVELS = ["c", "avx2", "avxvnni", "avx512", "vnni", "bf16", "amx"] # lowest first
LEAST = 0.97


def levels():
    """Those that this machine has."""
    top = json.loads(subprocess.run([str(WHET), "kernels", "--json"], capture_output=True, text=True, check=True).stdout)["level"]
    return LEVELS[: LEVELS.index(top) + 1]


def pairs(folders):
    """(name, file in floats, file in bytes)"""
    for folder in folders:
        for int8 in sorted(pathlib.Path(folder).glob("*_int8.*")):
            name = int8.stem.removesuffix("_int8")
            for fp32 in (int8.with_stem(name), int8.with_stem(name + "_fp32")):
                if fp32.exists():
                    yield name + int8.suffix, fp32, int8


def least(model, level, seconds):
    """Microseconds of one run."""
    said = subprocess.run([str(WHET), "bench", str(model), "--threads", "1", "--cpu", level, "--min-time", str(seconds), "--json"],
                          capture_output=True, text=True, check=True).stdout
    return float(json.loads(said)["latency_us"]["min"])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--into", type=pathlib.Path)
    p.add_argument("--for", type=float, dest="seconds", default=float("inf"))
    p.add_argument("--levels", type=lambda s: s.split(","))
    p.add_argument("--only", type=lambda s: s.split(","), help="pairs whose name holds one of the words")
    p.add_argument("--turns", type=int, default=3)
    p.add_argument("--min-time", type=float, default=0.1)
    p.add_argument("folders", nargs="+")
    o = p.parse_args()
    seen = json.loads(o.into.read_text()) if o.into and o.into.exists() else {}
    end, left, low = time.monotonic() + o.seconds, 0, []
    for level in o.levels or levels():
        for name, *files in pairs(o.folders):
            key = f"{level} {name}"
            if o.only and not any(w in name for w in o.only):
                continue
            if key not in seen and time.monotonic() < end:
                turns = [[least(f, level, o.min_time) for f in files] for _ in range(o.turns)]
                seen[key] = [min(t) for t in zip(*turns)]
                if o.into:
                    o.into.write_text(json.dumps(seen, indent=1))
                print(f"{level:8} {name:34} {seen[key][0]:12,.2f} {seen[key][1]:12,.2f} {seen[key][0] / seen[key][1]:6.2f}", flush=True)
            if key not in seen:
                left += 1
            elif seen[key][0] < LEAST * seen[key][1]:
                low.append(f"{key}: {seen[key][0] / seen[key][1]:.2f}")
    print(*(low or ["none is slower in bytes"]), sep="\n")
    if left:
        print(f"{left} still to be measured")
    sys.exit(bool(low))


main()
