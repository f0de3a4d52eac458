# SPDX-License-Identifier: Apache-2.0
"""Runs `whet verify --suite` and sorts what comes out: suite.py FOLDER WHET [OPTION]...

A wrong answer, a crash, or an error about a model that is right fails the test; an operator or a combination of types that whet
refuses by name is counted and listed.
"""
import collections
import json
import pathlib
import re
import subprocess
import sys

REFUSED = re.compile(r"not supported|not taken|hybrid")


def verify(folder, whet, options):
    """The cases as whet verify reports them."""
    run = subprocess.run([whet, "verify", "--suite", folder, "--json", *options], capture_output=True, text=True)
    if run.returncode not in (0, 1):
        sys.exit(f"whet verify ended with {run.returncode}: {run.stderr[-1000:]}")
    return json.loads(run.stdout)["cases"]


def check(folder, whet, options, loose=(), ignore=None, refuse=True, by_case=False):
    """Print the findings; the exit status. loose: pairs of a pattern of names and the tolerance for cases that their own
    does not suit. ignore: pattern of names whose answers nobody can know. refuse: operators may be refused. by_case:
    list what was refused by the cases' names without their numbers."""
    cases = verify(folder, whet, options)
    wrong = [c for c in cases if not c["passed"] and not (refuse and REFUSED.search(c["why"]))]
    refused = collections.Counter()
    for c in cases:
        if not c["passed"] and c not in wrong:
            m = re.search(r"supported: (\S+)", c["why"])
            what = m.group(1) if m else re.sub(r"^[^(]*", "", c["why"])[:80]
            refused[re.sub(r"_\d+_[a-z]+$", "", c["name"]) if by_case else what] += 1
    again = [(c, t) for pattern, t in loose for c in wrong if re.search(pattern, c["name"])]
    for c, tolerance in again:
        retry = verify(folder, whet, [*options, "--only", c["name"], "--tolerance", tolerance])
        if c in wrong and all(r["passed"] for r in retry if r["name"] == c["name"]):
            wrong.remove(c)
    wrong = [c for c in wrong if not (ignore and re.search(ignore, c["name"]))]
    for c in wrong:
        print(f"{c['name']}: {c['why'][:300]}")
    if refused:
        print("refused: " + ", ".join(f"{k} ({n})" for k, n in refused.most_common()))
    good = sum(c["passed"] for c in cases)
    print(f"{good} right, {refused.total()} refused by name, {len(wrong)} wrong")
    return 1 if wrong or not good else 0


if __name__ == "__main__":
    if not pathlib.Path(sys.argv[1]).is_dir():
        print(f"skipped: {sys.argv[1]} is not there")
        sys.exit(77)
    sys.exit(check(sys.argv[1], sys.argv[2], sys.argv[3:]))
