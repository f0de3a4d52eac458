#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each public header alone, and twice, in C99, C11, C17 and C++17, with pedantic warnings as errors: alone.sh COMPILER
set -eu
cc=$1 include=$WHET_SOURCE/include flags="-Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror -fsyntax-only"
try() { # language standard header
  case $1 in c++) f=$(printf %s "$flags" | sed 's/-Wstrict-prototypes//') ;; *) f=$flags ;; esac
  printf '#include "%s"\n#include "%s"\nint whet_header_test;\n' "$3" "$3" |
    "$cc" $f -x "$1" "-std=$2" -I "$include" - || { echo "$3 does not stand alone in $2"; exit 1; }
}
cxx=yes
echo 'int main() { return 0; }' | "$cc" -fsyntax-only -x c++ -std=c++17 - 2>/dev/null || cxx=no
n=0
for h in "$include"/whet/*.h; do
  name=whet/${h##*/}
  for std in c99 c11 c17; do try c $std "$name"; done
  [ $cxx = no ] || try c++ c++17 "$name"
  n=$((n + 1))
done
[ $n -gt 0 ] || { echo "no headers in $include/whet"; exit 1; }
[ $cxx = yes ] || echo "C++ was not tried: $cc has no C++ compiler"
echo "$n headers"
