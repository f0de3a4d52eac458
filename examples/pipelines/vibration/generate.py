# SPDX-License-Identifier: Apache-2.0
"""Vibration of a motor as CSV: healthy.csv to learn from, and today.csv, in which a bearing begins to fail after half of the time.

usage: generate.py FOLDER [SECONDS]
"""
import math
import pathlib
import random
import sys

RATE = 1000  # rows in a second


def rows(seconds, seed, fails_at=None):
    r = random.Random(seed)
    ring = [0.0, 0.0]  # what the last knocks of the bearing left
    for i in range(int(seconds * RATE)):
        t = i / RATE
        turn = 2 * math.pi * 24.5 * t + 0.3 * math.sin(2 * math.pi * 0.2 * t)
        x = 1.0 * math.sin(turn) + 0.3 * math.sin(2 * turn + 1) + r.gauss(0, 0.05)
        y = 0.8 * math.cos(turn) + 0.2 * math.sin(3 * turn) + r.gauss(0, 0.05)
        if fails_at is not None and t > fails_at and i % 11 == 0:
            ring[0] += 0.5 * min(1, (t - fails_at) / 3)
        # a resonance at 310 Hz that rings out
        w = 2 * math.pi * 310 / RATE
        ring = [0.85 * (ring[0] * math.cos(w) - ring[1] * math.sin(w)), 0.85 * (ring[0] * math.sin(w) + ring[1] * math.cos(w))]
        yield t, x + ring[0], y + 0.6 * ring[1]


def main():
    folder, seconds = pathlib.Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 60
    folder.mkdir(parents=True, exist_ok=True)
    for name, seed, fails in (("healthy.csv", 1, None), ("today.csv", 2, seconds / 2)):
        with open(folder / name, "w") as f:
            f.write("t,x,y\n")
            for t, x, y in rows(seconds, seed, fails):
                f.write(f"{t:.3f},{x:.5f},{y:.5f}\n")


main()
