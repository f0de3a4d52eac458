#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run a Python test with the package of this build: with_whet.sh "MODULE..." SCRIPT ARG...  Skipped by name where Python is too
# old or a module is not there.
modules=$1
shift
PYTHONPATH=$WHET_BUILD/python PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH PYTHONDONTWRITEBYTECODE
exec sh "$WHET_SOURCE/tests/lib/with_python.sh" "$modules whet" "$@"
