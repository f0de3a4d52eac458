# SPDX-License-Identifier: Apache-2.0
"""Every model of the shared folder through the other runtimes' interfaces, against stored outputs: test_goldens.py MODELS.
Where the originals are installed, what they say of inputs and outputs must be the same."""
import json
import pathlib
import sys

import numpy as np

import lib  # noqa: F401 - its path
import whet.onnxruntime as ort
from whet.tflite import Interpreter

try:
    from ai_edge_litert.interpreter import Interpreter as TheirInterpreter
except ImportError:
    TheirInterpreter = None
try:
    import onnxruntime as their_ort
except ImportError:
    their_ort = None


def case_data(folder, what):
    found = []
    while (folder / f"{what}_{len(found)}.npy").exists():
        found.append(np.load(folder / f"{what}_{len(found)}.npy"))
    return found


def far(got, want, tolerance):
    """Why an output is wrong, or None."""
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype} {got.shape}, expected {want.dtype} {want.shape}"
    if tolerance["kind"] == "exact" or want.dtype.kind not in "fc":
        return None if np.array_equal(got, want) else f"{np.count_nonzero(got != want)} values differ"
    limit = tolerance["value"] * (np.abs(want).max() if tolerance["kind"] == "rel" and want.size else 1)
    error = np.abs(got.astype(np.float64) - want).max() if want.size else 0
    return None if error <= limit else f"difference {error}, at most {limit}"


def run_tflite(path, inputs):
    i = Interpreter(model_path=str(path))
    i.allocate_tensors()
    details = i.get_input_details()
    for d, x in zip(details, inputs):
        if list(d["shape"]) != list(x.shape):
            i.resize_tensor_input(d["index"], x.shape)
    i.allocate_tensors()
    for d, x in zip(details, inputs):
        i.set_tensor(d["index"], x)
    i.invoke()
    return [i.get_tensor(d["index"]) for d in i.get_output_details()]


def run_onnx(path, inputs):
    s = ort.InferenceSession(str(path))
    return s.run(None, {a.name: x for a, x in zip(s.get_inputs(), inputs)})


def beside(path):
    """What the originals say of the model's inputs and outputs and whet does not."""
    if path.suffix == ".onnx" and their_ort:
        mine, theirs = ort.InferenceSession(str(path)), their_ort.InferenceSession(str(path))
        a = [(x.name, x.type, x.shape) for x in mine.get_inputs() + mine.get_outputs()]
        b = [(x.name, x.type, x.shape) for x in theirs.get_inputs() + theirs.get_outputs()]
        return [f"{x} is {y} in the original" for x, y in zip(a, b) if x != y]
    if path.suffix == ".tflite" and TheirInterpreter:
        try:
            theirs = TheirInterpreter(str(path))
        except (ValueError, RuntimeError):
            return []  # it cannot open the model
        mine = Interpreter(str(path))
        found = []
        for x, y in zip(mine.get_input_details() + mine.get_output_details(), theirs.get_input_details() + theirs.get_output_details()):
            for k in x:
                if repr(x[k]) != repr(y[k]):
                    found.append(f"{x['name']}: {k} is {x[k]}, {y[k]} in the original")
        return found
    return []


def main():
    models = pathlib.Path(sys.argv[1])
    bad = cases = 0
    for path in sorted([*models.glob("*.onnx"), *models.glob("*.tflite")]):
        goldens = models.parent / "goldens" / path.name
        tolerance = json.loads((goldens / "meta.json").read_text())["tolerance"]
        for line in beside(path):
            bad += 1
            print(f"{path.name}: {line}")
        for case in sorted(goldens.glob("case*")):
            inputs = case_data(case, "input")
            got = run_onnx(path, inputs) if path.suffix == ".onnx" else run_tflite(path, inputs)
            cases += 1
            for k, want in enumerate(case_data(case, "output")):
                why = far(got[k], want, tolerance)
                other = case / f"output_{k}.tflite-micro.npy"
                if why and other.exists() and not far(got[k], np.load(other), tolerance):
                    why = None
                if why:
                    bad += 1
                    print(f"{path.name}, {case.name}, output {k}: {why}")
    print(f"{cases} cases, {bad} findings")
    return 1 if bad or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
