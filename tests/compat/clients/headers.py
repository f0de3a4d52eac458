# SPDX-License-Identifier: Apache-2.0
"""A C file that compiles when a header of the original agrees with whet's table: headers.py HEADER LIST ABI > check.c

HEADER is the original's onnxruntime_c_api.h of any API version, LIST whet's list of functions, ABI the test that says where the fields
of structures stand. Of that version's functions the place in the table and the parameters are compared, of structures the fields.
"""
import pathlib
import re
import sys

import table

header, listed, abi = (pathlib.Path(p).read_text() for p in sys.argv[1:4])
version = int(re.search(r"#define ORT_API_VERSION (\d+)", header)[1])
lines = ['#include "onnxruntime_c_api.h"', "#include <stddef.h>", "#include <stdbool.h>", "void check(const OrtApi *api);",
         "void check(const OrtApi *api) {"]
listed = re.sub(r"(?<!enum )\bOrtSparseIndicesFormat\b", "enum OrtSparseIndicesFormat", listed)  # a tag alone
functions = table.functions(listed, version)
for at, (name, answer, params) in enumerate(functions):
    lines.append(f"  _Static_assert(offsetof(OrtApi, {name}) == {at} * sizeof(void *), \"{name}\");")
    lines.append(f"  {{ {answer} (*p)({', '.join(params) or 'void'}) = api->{name}; (void)p; }}")
count = len(functions)
lines.append(f"  _Static_assert(sizeof(OrtApi) == {count} * sizeof(void *), \"OrtApi of version {version}\");")
fields = 0
for kind, field, at in table.fields(abi):
    body = re.search(r"(?:typedef )?struct %s \{(.*?)\n\}" % kind, header, re.S)
    if body and re.search(r"\b%s\b" % field, body[1]):
        lines.append(f"  _Static_assert(offsetof({kind}, {field}) == {at}, \"{kind}.{field}\");")
        fields += 1
lines.append("}")
print("\n".join(lines))
print(f"API version {version}: {count} functions, {fields} fields", file=sys.stderr)
sys.exit(fields < 30 or count < 100)
