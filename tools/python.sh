#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Python modules for tests, in a private environment made on demand: python.sh MODULE...  Says on stderr what cannot be had
# (no Python, no network) and ends with 0: tests that need it are skipped by name.
cd "$(dirname "$0")/.." || exit 1
venv=build/venv
has() { "$venv/bin/python" -c "import $(echo "$@" | tr ' ' ',')" 2>/dev/null; }
has "$@" && exit 0
mkdir -p build
command -v python3 >/dev/null || { echo "There is no python3: tests that need it ($*) are skipped." >&2; exit 0; }
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv" >build/venv.log 2>&1
"$venv/bin/pip" install -q --disable-pip-version-check --retries 1 --timeout 20 "$@" >>build/venv.log 2>&1
has "$@" || echo "Python modules $* cannot be had (see build/venv.log): tests that need them are skipped." >&2
exit 0
