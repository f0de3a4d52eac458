#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run a test written in Python: with_python.sh "MODULE MODULE" SCRIPT ARG...  Skipped by name where a module is not there.
modules=$1
shift
for python in "${WHET_PYTHON:-}" "$WHET_BUILD/venv/bin/python" "$WHET_SOURCE/build/venv/bin/python" python3; do
  [ -n "$python" ] && "$python" -c "import sys${modules:+, $(echo "$modules" | tr -s ' ' ',')}" 2>/dev/null && exec "$python" "$@"
done
echo "skipped: needs Python with ${modules:-nothing else}"
exit 77
