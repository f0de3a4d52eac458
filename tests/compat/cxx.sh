#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The C++ header: build and run the classic program. cxx.sh COMPILER
cc=$1
here=$WHET_SOURCE/tests/compat
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
printf '#include <string>\nint main() { return 0; }\n' >"$dir/a.cc"
"$cc" -x c++ -std=c++17 "$dir/a.cc" -lstdc++ -o "$dir/a" 2>/dev/null || { echo "skipped: $cc builds no C++"; exit 77; }
"$cc" -x c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -I"$WHET_SOURCE/compat/onnxruntime/include" "$here/ort_cxx.cc" \
  -L"$WHET_BUILD/compat" -lonnxruntime -lstdc++ -o "$dir/classic" || exit 1
LD_LIBRARY_PATH="$WHET_BUILD/compat" "$dir/classic" "$WHET_SOURCE/tools/demo_model/digits.onnx" || exit 1
# As a program that another release's library was linked for: no version of the symbol may be missing.
for v in $(sed -n 's/^RELEASE(\(.*\))/\1/p' "$WHET_SOURCE/compat/onnxruntime/functions.def"); do
  printf 'VERS_%s { global: OrtGetApiBase; };\n' $v >"$dir/map"
  echo 'const void *OrtGetApiBase(void) { return 0; }' >"$dir/old.c"
  printf 'extern const void *OrtGetApiBase(void);\nint main(void) { return !OrtGetApiBase(); }\n' >"$dir/main.c"
  "$cc" -shared -fPIC "$dir/old.c" -Wl,--version-script="$dir/map" -Wl,-soname,libonnxruntime.so.1 -o "$dir/libold.so" &&
    "$cc" "$dir/main.c" "$dir/libold.so" -o "$dir/main" || exit 1
  said=$(LD_LIBRARY_PATH="$WHET_BUILD/compat" "$dir/main" 2>&1) && [ -z "$said" ] ||
    { echo "a program linked with release $v does not start: $said"; exit 1; }
done
