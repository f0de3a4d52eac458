#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""whet train under kill -9: test_train_killed.py TIMES

Each time training is killed at a random point of its course, perhaps more than once, and goes on from its checkpoint with another number of threads:
the model must be that of an undisturbed run to the byte. A seed is printed; WHET_SEED repeats it.
"""
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

WHET = pathlib.Path(os.environ["WHET_BUILD"]) / "whet"


def data(path):
    """Two rings, one in the other."""
    with open(path, "w") as f:
        for i in range(600):
            angle, r = i * 2.39996, 2 + 0.3 * math.sin(i * 1.7) if i % 2 else 0.7 + 0.3 * math.sin(i * 2.3)
            f.write(f"{r * math.cos(angle):.4f},{r * math.sin(angle):.4f},{'out' if i % 2 else 'in'}\n")


def start(at, name, threads):
    return subprocess.Popen([WHET, "train", "--data", at / "rings.csv", "--layers", "2,64:relu,64:relu,2:softmax", "--rate", "0.01", "--batch", "20",
                             "--epochs", "20", "--optimizer", "adamw", "--schedule", "cosine", "--threads", str(threads), "--checkpoint",
                             at / f"{name}.ckpt", "--checkpoint-steps", "5", "-o", at / f"{name}.whet"], stdout=subprocess.DEVNULL)


def main():
    times = int(sys.argv[1])
    seed = int(os.environ.get("WHET_SEED", time.time_ns() % 1000000))
    rng = random.Random(seed)
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as d:
        at = pathlib.Path(d)
        data(at / "rings.csv")
        began = time.monotonic()
        assert start(at, "whole", 1).wait() == 0
        whole, took = (at / "whole.whet").read_bytes(), time.monotonic() - began
        kills = late = 0
        while kills < times:
            name, here = f"t{kills}_{late}", 0
            while here < rng.choice((1, 1, 2, 3)):
                p = start(at, name, rng.choice((1, 2)))
                time.sleep(rng.uniform(0, took))
                p.kill()
                if p.wait() == 0:
                    late += 1  # it was through before
                    break
                here += 1
            kills += here
            assert late < 20 * times + 20, "training ends before it can be killed"
            assert start(at, name, rng.choice((1, 2))).wait() == 0, f"seed {seed}: it does not go on after kill {kills}"
            assert (at / f"{name}.whet").read_bytes() == whole, f"seed {seed}: other weights after kill {kills}"
            for f in at.glob(f"{name}*"):
                f.unlink()
        print(f"{kills} kills, {late} came too late; an undisturbed run takes {took:.2f} s")


if __name__ == "__main__":
    main()
