#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A wheel is built, installed into an environment of its own with NumPy, and works there; its extension uses the stable ABI and
# needs nothing but libc. wheel.sh [whole]   The library in it is that of this build; `whole`: built anew, as pip does. Skipped by
# name without network.
set -eu
no() { echo "$*"; exit 1; }
command -v python3 >/dev/null && python3 -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  { echo "skipped: needs Python 3.11 or newer with venv"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
library="--config-settings=build-dir=build-python/test --config-settings=cmake.define.WHET_LIBWHET=$WHET_BUILD/libwhet.a"
[ "${1:-}" != whole ] || library=
# shellcheck disable=SC2086
sh "$WHET_SOURCE/tools/wheel.sh" "$work/dist" $library >"$work/log" 2>&1 || {
  grep -qiE 'No matching distribution|Could not find a version|connection|network|resolution|timed out' "$work/log" && { echo "skipped: the build backend cannot be had"; exit 77; }
  tail -20 "$work/log"
  no "tools/wheel.sh failed"
}
wheel=$(ls "$work"/dist/whet-*.whl)
case $wheel in *-cp311-abi3-*) ;; *) no "not a wheel of the stable ABI: $wheel" ;; esac
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check --retries 1 --timeout 20 numpy >"$work/log" 2>&1 ||
  { echo "skipped: NumPy cannot be had"; exit 77; }
"$work/venv/bin/pip" install -q --disable-pip-version-check --no-index "$wheel" || no "the wheel asks for more than NumPy"
cd "$work"
so=$("$work/venv/bin/python" -c 'import whet._core; print(whet._core.__file__)')
case $so in "$work"/venv/*/whet/_core.abi3.so) ;; *) no "the extension lies at $so" ;; esac
if command -v readelf >/dev/null; then
  needed=$(readelf -d "$so" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' | grep -v '^lib[cm]\.so\.\|^ld-linux' || true)
  [ -z "$needed" ] || no "the extension needs more than libc and libm: $needed"
  seen=$(readelf --dyn-syms -W "$so" | awk '$7 != "UND" && $5 == "GLOBAL" {print $8}' | grep -v '^PyInit__core$' || true)
  [ -z "$seen" ] || no "the extension shows more than PyInit__core: $seen"
fi
for f in py.typed __init__.pyi _core.pyi tflite/interpreter.py backend.py onnxruntime/__init__.py; do
  [ -e "$(dirname "$so")/$f" ] || no "not in the wheel: $f"
done
for d in 0 5 9; do
  said=$("$work/venv/bin/python" "$WHET_SOURCE/examples/digits.py" "$WHET_SOURCE/tools/demo_model/digits_mlp.tflite" \
    "$WHET_SOURCE/tools/demo_model/samples/$d.pgm")
  [ "${said%% *}" = "$d" ] || no "the digit $d is taken for $said"
done
WHET_SOURCE=$WHET_SOURCE "$work/venv/bin/python" -W error "$WHET_SOURCE/tests/python/test_tflite.py" >"$work/log" 2>&1 ||
  { cat "$work/log"; no "its tests fail from the wheel"; }
