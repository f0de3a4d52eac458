#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# WHET_ISA: a build that is told the processor's instruction sets is small, says what it lacks, and computes the same; a name that
# nobody knows is refused. small.sh COMPILER CMAKE
set -eu
cc=$1 cmake=$2 most=1360000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
no() { echo "$*"; exit 1; }
command -v strip >/dev/null || { echo "skipped: needs binutils"; exit 77; }
generator=
command -v make >/dev/null || generator="-G Ninja"

# shellcheck disable=SC2086
configure() {
  "$cmake" -S "$WHET_SOURCE" -B "$work/build" $generator -DCMAKE_C_COMPILER="$cc" -DCMAKE_BUILD_TYPE=Release -DWHET_BUILD_TESTS=OFF \
    -DWHET_BUILD_PYTHON=OFF -DWHET_BUILD_GSTREAMER=OFF "-DWHET_ISA=$1" >"$work/log" 2>&1
}

configure "avx2;sse9" && no "an instruction set that does not exist was taken"
grep -q '"sse9"' "$work/log" || no "the refusal does not say what is wrong: $(cat "$work/log")"
rm -rf "$work/build"
configure "avx2;neon" || no "$(cat "$work/log")"
"$cmake" --build "$work/build" --target whet_shared whet -j "$(nproc)" >"$work/log" 2>&1 || no "$(tail -20 "$work/log")"

small=$work/build/whet
strip -s -o "$work/so" "$work/build/libwhet.so"
bytes=$(wc -c <"$work/so")
echo "libwhet.so for AVX2, stripped: $bytes bytes of at most $most"
[ "$bytes" -le "$most" ] || no "too large"
[ -z "$(find "$work/build" -name 'libwhet_avx512*')" ] || no "there are kernels for AVX-512"
"$small" kernels | grep -q 'left out of this build: avxvnni avx512 vnni bf16 amx' || no "whet kernels does not say what is left out"
"$small" kernels --rows | grep -q 'avx512_' && no "whet kernels has rows of AVX-512"

for model in digits digits_mlp; do
  file=$WHET_SOURCE/tools/demo_model/$model.tflite
  for d in 0 4 9; do
    set -- run "$file" --input "$WHET_SOURCE/tools/demo_model/samples/$d.pgm" --json --cpu avx2
    "$small" "$@" --output "$work/small" >/dev/null || no "the small build does not run $model"
    "$WHET_BUILD/whet" "$@" --output "$work/whole" >/dev/null || no "the usual build does not run $model"
    cmp "$work/small"/*.npy "$work/whole"/*.npy || no "other results for $model"
  done
done
