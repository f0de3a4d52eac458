#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything that can be checked: check_all.sh [PART]...   One line for each part, the logs in build/check/; status 1 when a
# part failed. FUZZ_SECONDS is how long each fuzz target runs (default 600).
set -u
cd "$(dirname "$0")/.." || exit 1
: "${WHET_JOBS:=2}" "${FUZZ_SECONDS:=600}"
logs=build/check
mkdir -p "$logs"
failed=
skipped=

# Configure, build, and run the tests with a preset; further arguments are ctest's.
preset() {
  name=$1
  shift
  cmake --preset "$name" && cmake --build "build-$name" -j "$WHET_JOBS" &&
    (cd "build-$name" && ctest --output-on-failure --no-tests=error -j "$WHET_JOBS" "$@")
}

# The CPU levels that this machine has, lowest first.
levels() {
  top=$(build/whet kernels --json | sed -n 's/^ *"level": "\(.*\)".*/\1/p')
  case $(uname -m) in
    x86_64) every="c avx2 avxvnni avx512 vnni amx" ;;
    aarch64) every="c neon dotprod i8mm sve2" ;;
    *) every="c rvv" ;;
  esac
  for level in $every; do
    echo "$level"
    [ "$level" != "$top" ] || break
  done
}

part_gcc() { preset release -L 'quick|full'; }
part_clang() { preset clang -L 'quick|full'; }
part_asan() { preset asan -L 'quick|full'; }
part_tsan() { TSAN_OPTIONS="halt_on_error=1 ${TSAN_OPTIONS:-}" preset tsan -L 'quick|full'; }
part_plant() { preset plant -L plant; }
part_levels() {
  cmake --build build -j "$WHET_JOBS" || return 1
  for level in $(levels); do
    echo "== WHET_CPU=$level"
    (cd build && WHET_CPU=$level ctest --output-on-failure --no-tests=error -j "$WHET_JOBS" -L 'quick|full' -E '^kern/') || return 1
  done
}
part_slow() { sh tools/python.sh onnx numpy ai_edge_litert; cmake --build build -j "$WHET_JOBS" && (cd build && ctest --output-on-failure -j "$WHET_JOBS" -L slow); }
# Of 32-bit Arm the kernels: the rest is the same C as elsewhere.
part_arm() {
  sh tools/sysroot.sh arm64 && preset aarch64 -L quick && sh tools/sysroot.sh armhf &&
    preset armv7 -L quick -R '^kern/(binary|conv|convpool|dw|few|gemm|norm|pool|quantize|reduce|softmax|spmm|unary|lut|copy)'
}
# Vectors as short and as long as machines have them; without any once, for the portable code.
part_riscv() {
  QEMU_CPU=rv64,v=true,vext_spec=v1.0,vlen=128 preset riscv64 -L quick || return 1
  for vlen in 256 512; do
    (cd build-riscv64 && QEMU_CPU=rv64,v=true,vext_spec=v1.0,vlen=$vlen ctest --output-on-failure --no-tests=error -j "$WHET_JOBS" -L quick) || return 1
  done
  (cd build-riscv64 && QEMU_CPU=rv64 ctest --output-on-failure --no-tests=error -j "$WHET_JOBS" -L quick)
}
part_fuzz() {
  cmake --preset fuzz && cmake --build build-fuzz -j "$WHET_JOBS" && build-fuzz/fuzz_corpus build-fuzz/corpus || return 1
  [ ! -x build-fuzz/edge_serve_json ] || WHET_BUILD=build-fuzz build-fuzz/edge_serve_json || return 1 # writes where fuzz_serve begins
  for target in build-fuzz/fuzz_*; do
    name=${target##*/fuzz_}
    [ -x "$target" ] && [ ! -d "$target" ] && [ "$name" != corpus ] || continue
    mkdir -p "build-fuzz/corpus/$name" "build-fuzz/found/$name"
    set -- "build-fuzz/corpus/$name"
    [ ! -d "tests/regress/fuzz_$name" ] || set -- "$@" "tests/regress/fuzz_$name"
    echo "== $name"
    "$target" -max_total_time="$FUZZ_SECONDS" -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 \
      -artifact_prefix="build-fuzz/found/$name/" "$@" >"$logs/fuzz_$name.log" 2>&1
    status=$?
    tail -40 "$logs/fuzz_$name.log"
    [ $status = 0 ] || { echo "$name found something, or did not run: see build-fuzz/found/$name"; return 1; }
  done
}

part_clients() { sh tools/python.sh onnx numpy onnxruntime; cmake --build build -j "$WHET_JOBS" && sh tests/compat/clients/clients.sh build; }

all="gcc clang asan tsan plant levels slow arm riscv fuzz clients"
for part in ${*:-$all}; do
  case " $all " in *" $part "*) ;; *) echo "There is no part \"$part\". Parts: $all" >&2; exit 2 ;; esac
done
for part in ${*:-$all}; do
  started=$(date +%s)
  "part_$part" >"$logs/$part.log" 2>&1 </dev/null
  status=$?
  took=$(($(date +%s) - started))
  case $status in
    0) word=passed ;;
    77) word=skipped skipped="$skipped $part" ;;
    *) word=FAILED failed="$failed $part" ;;
  esac
  printf '%-8s %-8s %5d s   %s\n' "$part" "$word" "$took" "$logs/$part.log"
  [ $status = 0 ] || grep -E 'FAILED|Failed|\*\*\*|ERROR:|error:' "$logs/$part.log" | head -8
done
[ -z "$skipped" ] || echo "skipped:$skipped"
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
