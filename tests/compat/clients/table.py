# SPDX-License-Identifier: Apache-2.0
"""What whet's sources say of ONNX Runtime's table: its functions, and where the fields of structures stand."""
import re


def functions(listed, version):
    """Name, answer and parameters of each function of the list up to an API version."""
    found = []
    for m in re.finditer(r"^ORT_(\w+)\((.*?)\)\n(?=ORT_|\Z)", listed.split("*/", 2)[2], re.M | re.S):
        part = [" ".join(p.split()) for p in re.split(r",(?![^(]*\))", m[2])]
        if m[1] == "RELEASE":
            one = part[1], "Release" + part[0], "void", [f"Ort{part[0]} *input"]
        elif m[1] == "STATUS":
            one = part[1], part[0], "OrtStatus *", part[2:]
        else:
            one = part[2], part[1], part[0], part[3:]
        if int(one[0]) > version:
            break
        found.append(one[1:])
    return found


def fields(abi):
    """Structure, field and offset of each that the test names."""
    return re.findall(r"^FIELD\((\w+), (\w+), (\d+)\)", abi, re.M)
