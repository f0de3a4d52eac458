# SPDX-License-Identifier: Apache-2.0
"""Making models: nets from layers, training, and files of other formats."""
import os
import tempfile

import numpy as np

from . import _core


def layers(text, seed=1):
    """A Model with first weights drawn from `seed`, from a line of layers: "784,128:relu,10:softmax" or
    "28x28x1,conv16:relu,pool2,10:softmax" (the shape of an item, channels last, then layers)."""
    return _core.layers(text, seed)


def _written(arrays, folder):
    """x (items first) and y (a class or numbers for each) as files that are streamed."""
    x, y = (np.asarray(a) for a in arrays)
    if x.ndim < 1 or y.ndim < 1 or len(x) != len(y):
        raise ValueError(f"x has {len(x) if x.ndim else 0} items and y has {len(y) if y.ndim else 0}")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    np.save(os.path.join(folder, "x.npy"), np.ascontiguousarray(x))
    np.save(os.path.join(folder, "y.npy"), np.ascontiguousarray(y))
    return folder


def train(model, data, *, progress=None, **options):
    """A new Model: `model` trained on `data`.

    model: a Model (its weights are where learning begins), or a line of layers as for `layers`. data: the path of a data set
    (MNIST's idx files, CIFAR's .bin, a folder for each class of pictures, .npy, CSV) or a pair of arrays (x, y), y being classes
    (integers) or numbers.

    progress(state, epoch) is called after every step with epoch None, and after every epoch with what it brought; both are
    dicts. Training ends with whet.Cancelled when it answers something true; the checkpoint stays.

    options, with their defaults: epochs=5, batch=32, optimizer="adam" ("sgd", "adamw"), rate=0.001 (sgd: 0.01), momentum=0.9,
    beta2=0.999, epsilon=1e-7, decay=0, nesterov=False, loss="auto" ("cross-entropy", "mse", "kl"), schedule="constant" ("step",
    "cosine"), step_factor=0.1, step_epochs, warmup=0 (epochs), smoothing=0, last=0 (train the last layers only), seed=1,
    threads=0, quantization_aware="no" ("int8", "int16x8", "weights", "int4"), keep_zeros=False; augmentation: shift, flip,
    crop, mixup, noise; a teacher: teacher (a Model), temperature=4, mix=0.7, teacher_cache, match, match_teacher, match_weight;
    the data: split, no_test, labels, target, range, mean, std; files: checkpoint, checkpoint_steps, restart.
    """
    if isinstance(model, str):
        model = layers(model, options.get("seed", 1))
    for name in ("checkpoint", "teacher_cache"):
        if options.get(name) is not None:
            options[name] = os.fspath(options[name])
    if isinstance(data, (tuple, list)):
        with tempfile.TemporaryDirectory(prefix="whet") as folder:
            return _core.train(model, _written(data, folder), options, progress)
    return _core.train(model, data, options, progress)


def export(model, path, *, opset=None, dense=False):
    """Write a Model to a file; its ending says the format: .onnx (opset 13 to 21, 17 by default), .tflite or .whet. Weights that
    are mostly zero are written sparse unless dense is true. What a format cannot say is refused by node."""
    ending = os.path.splitext(os.fspath(path))[1].lower()
    if ending == ".whet":
        return _core.Program(model).save(path)
    if ending not in (".onnx", ".tflite"):
        raise ValueError(f"{os.fspath(path)}: the ending says the format: .onnx, .tflite or .whet")
    return _core.export(model, path, ending == ".onnx", opset or 0, dense)
