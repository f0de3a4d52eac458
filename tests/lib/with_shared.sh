#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run a test that needs something of the shared folder: with_shared.sh NAME COMMAND...   A word @ of the command becomes its
# path. Skipped by name where it is not there.
name=$1
shift
path=${WHET_SHARED:-$WHET_SOURCE/../shared}/$name
[ -e "$path" ] || { echo "skipped: $path is not there (WHET_SHARED names the shared folder)"; exit 77; }
for word in "$@"; do
  shift
  [ "$word" != @ ] || word=$path
  set -- "$@" "$word"
done
exec "$@"
