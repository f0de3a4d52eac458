#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Leave a wheel of the Python package: wheel.sh [FOLDER [OPTION]...]   (default build/wheel; options are pip's). Needs Python 3.11
# or newer with its headers; the build backend comes from PyPI. Objects are kept in build-python/: it is quick the second time.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$top/build/wheel}
[ $# -eq 0 ] || shift
mkdir -p "$out" "$top/build"
venv=$top/build/venv-wheel
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
rm -f "$out"/whet-*.whl
"$venv/bin/pip" wheel -q --disable-pip-version-check --retries 1 --timeout 20 --no-deps --wheel-dir "$out" "$@" "$top"
ls "$out"/whet-*.whl
