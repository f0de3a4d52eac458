# SPDX-License-Identifier: Apache-2.0
"""ONNX's older cases as Debian packages them (libonnx-testdata): onnx_debian.py FOLDER WHET [OPTION]...

Node cases of onnx 1.12, and its simple and PyTorch models. Bits of bfloat16 lie there as uint16.
"""
import pathlib
import sys

import suite

# Draws without a seed, which nobody can know; a model that lacks the epsilon with which its outputs were made.
UNKNOWN = r"^test_(bernoulli(_double|_seed)?(_expanded)?|adam_multiple)$"


def main():
    folder = pathlib.Path(sys.argv[1])
    if not folder.is_dir():
        print(f"skipped: {folder} is not there (Debian package libonnx-testdata)")
        return 77
    status = 0
    for part in ("node", "simple", "pytorch-converted", "pytorch-operator"):
        print(part)
        status |= suite.check(folder / part, sys.argv[2], sys.argv[3:], ignore=UNKNOWN)
    return status


if __name__ == "__main__":
    sys.exit(main())
