# SPDX-License-Identifier: Apache-2.0
"""Which digit is it?   digits.py MODEL.tflite PICTURE.pgm      (as digits.c)"""
import sys

import numpy as np

import whet

if len(sys.argv) != 3:
    sys.exit(f"usage: {sys.argv[0]} MODEL.tflite PICTURE.pgm")
with open(sys.argv[2], "rb") as f:
    picture = np.frombuffer(f.read()[-784:], np.uint8).astype(np.float32).reshape(1, 784)
probabilities, = whet.load(sys.argv[1]).run(picture)
best = int(probabilities.argmax())
print(f"{best} ({100 * probabilities[0, best]:.1f} %)")
