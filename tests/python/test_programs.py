# SPDX-License-Identifier: Apache-2.0
"""Whole programs: the examples, with whet and with the runtime that they were written for; only the import differs."""
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import lib

EXAMPLES = lib.SOURCE / "examples"
BUILD = pathlib.Path(os.environ.get("WHET_BUILD", lib.SOURCE / "build"))
ORIGINAL = {"from whet.tflite import Interpreter": ("ai_edge_litert", "from ai_edge_litert.interpreter import Interpreter"),
            "import whet.onnxruntime as onnxruntime": ("onnxruntime", "import onnxruntime")}


def said(program, *args):
    """What a program prints."""
    r = subprocess.run([sys.executable, str(program), *map(str, args)], capture_output=True, text=True)
    if r.returncode:
        raise AssertionError(f"{program} {args}: {r.stderr}")
    return r.stdout


def with_original(name, *args):
    """What an example prints with its import changed to the original's; None where that is not installed."""
    text = (EXAMPLES / name).read_text()
    mine = next(line for line in ORIGINAL if line in text)
    module, theirs = ORIGINAL[mine]
    if not importlib.util.find_spec(module):
        print(f"skipped: {name} with the original needs the Python module {module}")
        return None
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / name
        copy.write_text(text.replace(mine, theirs))
        return said(copy, *args)


def close(test, mine, theirs, tolerance):
    """The same words in the same order; numbers within the tolerance."""
    a, b = mine.split(), theirs.split()
    test.assertEqual(len(a), len(b), f"{mine} {theirs}")
    for x, y in zip(a, b):
        if x != y:
            test.assertAlmostEqual(float(x), float(y), delta=tolerance, msg=f"{mine} {theirs}")


class Programs(unittest.TestCase):
    def test_digits(self):
        for d in range(10):
            picture = lib.DEMO / "samples" / f"{d}.pgm"
            self.assertEqual(said(EXAMPLES / "digits.py", lib.DIGITS_MLP, picture).split()[0], str(d))
            for model in (lib.DIGITS_MLP, lib.DIGITS):
                mine = said(EXAMPLES / "digits_tflite.py", model, picture)
                self.assertEqual(mine[0], str(d))
                theirs = with_original("digits_tflite.py", model, picture)
                if theirs is not None:
                    close(self, mine, theirs, 0.004)

    def test_resnet18(self):
        """The program in C prints the same classes."""
        models = [p for p in (BUILD / "models" / "resnet18.onnx", *map(pathlib.Path, filter(None, [os.environ.get("WHET_RESNET18")])))
                  if p.exists()]
        c = BUILD / "example_resnet18"
        if not models or not c.exists():
            raise unittest.SkipTest("needs a resnet18.onnx: the test install/usable makes one")
        for model in models:
            mine = said(EXAMPLES / "resnet18_onnxruntime.py", model)
            by_c = subprocess.run([str(c), str(model)], capture_output=True, text=True, check=True).stdout
            close(self, mine, by_c, 0.002)
            theirs = with_original("resnet18_onnxruntime.py", model)
            if theirs is not None:
                close(self, mine, theirs, 0.02)


if __name__ == "__main__":
    lib.main()
