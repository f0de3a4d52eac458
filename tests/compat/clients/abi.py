# SPDX-License-Identifier: Apache-2.0
"""Rust that compiles when the crate ort-sys agrees with whet's table: abi.py LIST ABI VERSION > main.rs

LIST is whet's list of functions, ABI the test that says where the fields of structures stand. Of the functions up to API version
VERSION the place in the table, the number of parameters, and what each is (pointers, numbers by their size, enumerations by name) are
compared, of structures their fields.
"""
import pathlib
import re
import sys

import table

NAMES = {"AddExternalInitializersFromFilesInMemory": "AddExternalInitializersFromMemory"}  # where the crate has its own
MUTABLE = ("CopyTensors", "Graph_GetModelMetadata")  # where it writes *mut for the header's const
SINCE = {"Shrink": 25, "GetStats": 23, "AllocOnStream": 23, "Reserve": 18, "GetMayInplace": 18, "ReleaseMayInplace": 18, "GetAliasMap": 18,
         "ReleaseAliasMap": 18}  # fields that came later than the oldest version here
LACKS = ("OrtExternal",)  # structures that the crate knows as handles alone
SCALARS = {"int": "i32", "int32_t": "i32", "uint32_t": "u32", "int64_t": "i64", "uint64_t": "u64", "size_t": "usize",
           "float": "f32", "bool": "bool", "OrtStatus *": "OrtStatusPtr", "void": "()"}


def main():
    listed, abi = (pathlib.Path(p).read_text() for p in sys.argv[1:3])
    version = int(sys.argv[3])
    lines = ["#![allow(unused, deprecated)]", "use core::mem::{offset_of, size_of};", "use ort_sys::*;"]
    functions = table.functions(listed, version)
    for at, (name, answer, params) in enumerate(functions):
        lines.append(f'const _: () = assert!(offset_of!(OrtApi, {NAMES.get(name, name)}) == {at} * size_of::<usize>(), "{name}");')
    lines.append(f"const _: () = assert!(size_of::<OrtApi>() == {len(functions)} * size_of::<usize>());")
    fields = [f for f in table.fields(abi) if not f[0].startswith(LACKS) and SINCE.get(f[1], 0) <= version]
    for kind, field, at in fields:
        lines.append(f"const _: () = assert!(offset_of!({kind}, {field}) == {at});")
    lines.append("fn parameters(api: &OrtApi) {")
    for name, answer, params in functions:
        types = ["_" if name in MUTABLE else rust(p) for p in params if p != "void"]
        lines.append(f'    let _: unsafe extern "system" fn({", ".join(types)}) -> {rust(answer, False)} = api.{NAMES.get(name, name)};')
    lines.append("}")
    lines.append(f'fn main() {{ println!("API version {version}: {len(functions)} functions, {len(fields)} fields"); }}')
    print("\n".join(lines))


def rust(text, named=True):
    """The Rust type that a C parameter has, or an answer, which has no name."""
    if "(*" in text:
        return "_"
    words = [w for w in re.findall(r"\w+|\*|\[\]", text) if w not in ("enum", "struct")]
    array = words.pop() if words[-1] == "[]" else None
    if named:
        words.pop()
    if array:
        words.append("*")
    if words[-1] == "const":
        words.pop()
    if words[-1] != "*" or words == ["OrtStatus", "*"] and not named:
        return SCALARS.get(" ".join(words), words[-1])
    below = words[:-1]
    return "*const _" if below[-1] == "const" or "*" not in below and "const" in below else "*mut _"


if __name__ == "__main__":
    main()
