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
# As programs that were linked with another release's library: each of the symbol's versions is there.
releases=$(sed -n 's/^\(RELEASE\|CURRENT\)(\(.*\))/\2/p' "$WHET_SOURCE/compat/onnxruntime/functions.def")
{
  for v in $releases; do
    tag=$(echo $v | tr . _)
    echo "extern const void *base_$tag(void); __asm__(\".symver base_$tag, OrtGetApiBase@VERS_$v\");"
  done
  echo 'int main(void) { return 0'
  for v in $releases; do echo " || !base_$(echo $v | tr . _)()"; done
  echo '; }'
} >"$dir/main.c"
"$cc" "$dir/main.c" -L"$WHET_BUILD/compat" -lonnxruntime -o "$dir/main" || exit 1
said=$(LD_LIBRARY_PATH="$WHET_BUILD/compat" "$dir/main" 2>&1) && [ -z "$said" ] ||
  { echo "a program linked with every release does not start: $said"; exit 1; }
