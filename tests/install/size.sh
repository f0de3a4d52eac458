#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libwhet.so with every operator, and it with the kernels for AVX-512 that lie beside it, stripped, are no larger than this. The
# numbers follow what was reached: what needs room finds it elsewhere. The bars are 1500000 and 2000000. Prints where the bytes are.
set -eu
most=1392000 most_both=1992000
command -v strip >/dev/null && command -v size >/dev/null || { echo "skipped: needs binutils"; exit 77; }
own=$(mktemp)
trap 'rm -f "$own"' EXIT
both=0
for name in libwhet_avx512.so.0 libwhet.so; do
  strip -s -o "$own" "$WHET_BUILD/$name"
  bytes=$(wc -c <"$own")
  both=$((both + bytes))
  echo "$name stripped: $bytes bytes"
  size -A -d "$own" | awk '$2 > 4096 && $1 ~ /^\./ {print "  " $1, $2}'
done
echo "libwhet.so: $bytes bytes of at most $most; both: $both of at most $most_both"
[ "$bytes" -le "$most" ] && [ "$both" -le "$most_both" ]
