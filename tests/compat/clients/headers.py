# SPDX-License-Identifier: Apache-2.0
"""A C file that compiles when a header of the original agrees with whet's table: headers.py HEADER LIST ABI > check.c

HEADER is the original's onnxruntime_c_api.h of any API version, LIST whet's list of functions, ABI the test that says where the fields
of structures stand. Of that version's functions the place in the table and the parameters are compared, of structures the fields.
"""
import pathlib
import re
import sys

header, listed, abi = (pathlib.Path(p).read_text() for p in sys.argv[1:4])
version = int(re.search(r"#define ORT_API_VERSION (\d+)", header)[1])
lines = ['#include "onnxruntime_c_api.h"', "#include <stddef.h>", "#include <stdbool.h>", "void check(const OrtApi *api);", "void check(const OrtApi *api) {"]
listed = re.sub(r"(?<!enum )\bOrtSparseIndicesFormat\b", "enum OrtSparseIndicesFormat", listed)  # a tag alone
count = 0
for m in re.finditer(r"^ORT_(\w+)\((.*?)\)\n(?=ORT_|\Z)", listed.split("*/", 2)[2], re.M | re.S):
    part = [" ".join(p.split()) for p in m[2].split(",")]
    if m[1] == "RELEASE":
        name, since, answer, args = "Release" + part[0], part[1], "void", f"Ort{part[0]} *input"
    elif m[1] == "STATUS":
        name, since, answer, args = part[0], part[1], "OrtStatus *", ", ".join(part[2:])
    else:
        name, since, answer, args = part[1], part[2], part[0], ", ".join(part[3:])
    if int(since) > version:
        break
    lines.append(f"  _Static_assert(offsetof(OrtApi, {name}) == {count} * sizeof(void *), \"{name}\");")
    lines.append(f"  {{ {answer} (*p)({args or 'void'}) = api->{name}; (void)p; }}")
    count += 1
lines.append(f"  _Static_assert(sizeof(OrtApi) == {count} * sizeof(void *), \"OrtApi of version {version}\");")
fields = 0
for kind, field, at in re.findall(r"^FIELD\((\w+), (\w+), (\d+)\)", abi, re.M):
    body = re.search(r"(?:typedef )?struct %s \{(.*?)\n\}" % kind, header, re.S)
    if body and re.search(r"\b%s\b" % field, body[1]):
        lines.append(f"  _Static_assert(offsetof({kind}, {field}) == {at}, \"{kind}.{field}\");")
        fields += 1
lines.append("}")
print("\n".join(lines))
print(f"API version {version}: {count} functions, {fields} fields", file=sys.stderr)
sys.exit(fields < 30 or count < 100)
