#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libwhet.so exports public names only, has a versioned soname, and needs nothing but libc and libm; every public function
# that a header declares is there; libwhet.a defines no global name without the prefix.
set -eu
so=$WHET_BUILD/libwhet.so a=$WHET_BUILD/libwhet.a bad=0
no() { echo "$*"; bad=1; }
command -v readelf >/dev/null && command -v nm >/dev/null || { echo "skipped: needs binutils"; exit 77; }

exported=$(nm -D --defined-only "$so" | awk '{print $3}' | sed 's/@.*//' | grep -v '^__asan_\|^__ubsan_\|^__tsan_\|^__odr_asan' || true)
echo "$exported" | grep -v '^whet_[a-z0-9]' && no "exported without the prefix whet_: see above"
echo "$exported" | grep '^whet__' && no "internal names are exported: see above"

declared=$(cat "$WHET_SOURCE"/include/whet/*.h | tr '\n' ' ' | grep -o 'WHET_API [^;]*;' | grep -o 'whet_[a-z0-9_]*(' | tr -d '(' | sort -u)
for f in $declared; do
  echo "$exported" | grep -qx "$f" || missing="${missing:-}$f "
done
[ -z "${missing:-}" ] || echo "declared but not there yet: $missing"

soname=$(readelf -d "$so" | sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p')
case $soname in libwhet.so.[0-9]*) ;; *) no "soname: \"$soname\"" ;; esac
[ -e "$WHET_BUILD/$soname" ] || no "no link $soname"
needed=$(readelf -d "$so" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' | grep -v '^lib[cm]\.so\.' || true)
case $needed in *san.so*) needed= ;; esac # a sanitizer's build has its own needs
[ -z "$needed" ] || no "libwhet.so needs more than libc and libm: $needed"

nm -g --defined-only "$a" 2>/dev/null | awk 'NF == 3 {print $3}' | grep -v '^whet_\|^__asan\|^__odr_asan\|^__tsan' && no "global names without the prefix in libwhet.a: see above"
exit $bad
