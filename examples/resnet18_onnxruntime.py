# SPDX-License-Identifier: Apache-2.0
"""ResNet-18, written for ONNX Runtime:   resnet18_onnxruntime.py MODEL.onnx [PICTURE.npy]

Only the import names whet; with `import onnxruntime` the program runs on ONNX Runtime."""
import sys

import numpy as np

import whet.onnxruntime as onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
source = session.get_inputs()[0]
if len(sys.argv) > 2:
    picture = np.load(sys.argv[2])
else:
    picture = np.resize(np.arange(224, dtype=np.float32) / 112 - 1, (1, 3, 224, 224)).astype(np.float32)
answer = session.run([session.get_outputs()[0].name], {source.name: picture})[0].reshape(-1)
for best in np.argsort(-answer)[:5]:
    print(f"class {best}: {answer[best]:.3f}")
