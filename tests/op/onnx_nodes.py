# SPDX-License-Identifier: Apache-2.0
"""ONNX's own tests, as the onnx package makes and has them: onnx_nodes.py FOLDER WHET [OPTION]...

Writes every node case to FOLDER (once for each version of the package and of this program) in the layout of ONNX's own data, and
checks them all; then the simple and PyTorch models that lie in the package.
"""
import pathlib
import sys
import warnings
import zlib

import numpy as np
import onnx
from onnx import numpy_helper

import suite

# Cases that draw random numbers without a seed, or without the seed's numbers being the specification's.
RANDOM = r"^test_bernoulli(_double|_seed)?(_expanded)?$"
# Cases computed in half precision throughout: each step may round once more, or once less.
HALF = (r"bf16|bfloat16|fp16|float16", "rel:0.02")


def message(value, kind):
    """A value of a case as the protobuf of its declared type."""
    if kind.HasField("optional_type"):
        return numpy_helper.from_optional(value)
    if isinstance(value, list):
        return numpy_helper.from_list(value)
    if isinstance(value, dict):
        return numpy_helper.from_dict(value)
    return value if hasattr(value, "SerializeToString") else numpy_helper.from_array(np.asarray(value))


def write(folder):
    from onnx.backend.test.case.node import collect_testcases
    warnings.simplefilter("ignore")
    for case in collect_testcases(None):
        if case.model is None:
            continue
        home = folder / case.name
        home.mkdir(parents=True, exist_ok=True)
        (home / "model.onnx").write_bytes(case.model.SerializeToString())
        for k, sides in enumerate(case.data_sets):
            data = home / f"test_data_set_{k}"
            data.mkdir(exist_ok=True)
            for kind, infos, values in zip(("input", "output"), (case.model.graph.input, case.model.graph.output), sides):
                for i, v in enumerate(values):
                    if v is not None or infos[i].type.HasField("optional_type"):
                        (data / f"{kind}_{i}.pb").write_bytes(message(v, infos[i].type).SerializeToString())


def main():
    folder = pathlib.Path(sys.argv[1])
    ready = folder / "ready"
    made_by = f"{onnx.__version__} {zlib.crc32(pathlib.Path(__file__).read_bytes())}"
    if not ready.exists() or ready.read_text() != made_by:
        write(folder)
        ready.write_text(made_by)
    print(f"onnx {onnx.__version__}")
    status = suite.check(folder, sys.argv[2], sys.argv[3:], [HALF], RANDOM)
    models = pathlib.Path(onnx.__file__).parent / "backend" / "test" / "data"
    for part in ("simple", "pytorch-converted", "pytorch-operator"):
        print(part)
        status |= suite.check(models / part, sys.argv[2], sys.argv[3:])
    return status


if __name__ == "__main__":
    sys.exit(main())
