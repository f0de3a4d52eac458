#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Time the kernels of this machine, one line per row of a family and case: bench.sh [FAMILY...] [OPTION...]
# Options are those of the kernel tests (--bench TEXT: cases whose name has TEXT; --cpu LEVEL; --row NAME; --ms N for each
# case); families are named as in src/kern/families.def. Time it on an idle machine.
set -eu
cd "$(dirname "$0")/.."
all=$(sed -n 's/^whet_kern_test(\([a-z0-9_]*\).*/\1/p' tests/kern/CMakeLists.txt)
some=
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '3,5s/^# //p' "$0"; exit 0 ;;
    -*) break ;;
  esac
  echo "$all" | grep -qx -- "$1" || { echo "There is no family \"$1\". There are: $(echo "$all" | tr '\n' ' ')" >&2; exit 2; }
  some="$some $1"
  shift
done
case " $* " in *" --bench "*) ;; *) set -- "$@" --bench ;; esac
for family in ${some:-$all}; do
  cmake --build build --target "kern_$family" >build/bench.log 2>&1 || { tail -15 build/bench.log >&2; exit 1; }
done
for family in ${some:-$all}; do
  "build/kern_$family" "$@"
done
