# SPDX-License-Identifier: Apache-2.0
"""The same, written for TensorFlow Lite's interpreter:   digits_tflite.py MODEL.tflite PICTURE.pgm

Only the import names whet; with `from ai_edge_litert.interpreter import Interpreter` the program runs on LiteRT."""
import sys

import numpy as np

from whet.tflite import Interpreter

interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
source = interpreter.get_input_details()[0]
target = interpreter.get_output_details()[0]
with open(sys.argv[2], "rb") as f:
    picture = np.frombuffer(f.read()[-784:], np.uint8).astype(source["dtype"]).reshape(source["shape"])
interpreter.set_tensor(source["index"], picture)
interpreter.invoke()
answer = interpreter.get_tensor(target["index"])[0]
for digit in np.argsort(-answer.astype(np.float64), kind="stable")[:3]:
    print(f"{digit}: {float(answer[digit]):.3f}")
