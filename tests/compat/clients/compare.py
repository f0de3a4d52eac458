# SPDX-License-Identifier: Apache-2.0
"""Compare what two runs of a client program printed: compare.py ORIGINAL OTHER [STEP].

Every line must be the same but for numbers: those with a point may differ by 1e-4 of their size (and 1e-5), as two
libraries that add in other orders may; or by STEP, where numbers are multiples of a quantum. Words of the two runs that are
paths of the library under test do not occur.
"""
import re
import sys

NUMBER = re.compile(r"[-+]?\d+\.\d+(?:[eE][-+]?\d+)?|[-+]?\d+[eE][-+]?\d+")


def same(a, b, step):
    if a == b:
        return True
    if NUMBER.sub("#", a) != NUMBER.sub("#", b):
        # A sum may happen to be whole on one side.
        whole = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
        if whole.sub("#", a) != whole.sub("#", b):
            return False
        x, y = whole.findall(a), whole.findall(b)
    else:
        x, y = NUMBER.findall(a), NUMBER.findall(b)
    return all(abs(float(p) - float(q)) <= step + 1e-4 * abs(float(p)) for p, q in zip(x, y))


def main():
    a, b = (open(p, encoding="utf-8", errors="replace").read().splitlines() for p in sys.argv[1:3])
    step = float(sys.argv[3]) if len(sys.argv) > 3 else 1e-5
    bad = 0
    for i in range(max(len(a), len(b))):
        x, y = a[i] if i < len(a) else "(nothing)", b[i] if i < len(b) else "(nothing)"
        if not same(x, y, step):
            bad += 1
            if bad <= 20:
                print(f"line {i + 1}\n  original: {x[:300]}\n  whet:     {y[:300]}")
    print(f"{len(a)} lines, {bad} differ")
    return bad != 0 or not a


if __name__ == "__main__":
    sys.exit(main())
