#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# whet compat check: the lists that it goes by are the libraries' own, it names what is missing, and broken files do no harm.
# check.sh COMPILER
cc=$1
whet=$WHET_BUILD/whet
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
fail() { echo "$*"; exit 1; }

# The lists beside the libraries.
for one in tflite:libtensorflowlite_c.so onnxruntime:libonnxruntime.so.1; do
  list=$WHET_SOURCE/compat/${one%%:*}/functions.def
  sed -n 's/^FUNCTION(\(.*\))/\1/p; s/^\(RELEASE\|CURRENT\)(\(.*\))/VERS_\2/p' "$list" | sort >"$dir/listed"
  nm -D --defined-only "$WHET_BUILD/compat/${one##*:}" | sed 's/.* //; s/@.*//' | grep -E '^(TfLite|Ort|VERS_1\.[1-9])' | sort -u >"$dir/there"
  diff "$dir/listed" "$dir/there" || fail "$list is not what ${one##*:} offers"
done

# Programs that were linked with other libraries of the same names.
program() { # NAME SONAME VERSION FUNCTION...
  name=$1 soname=$2 version=$3
  shift 3
  : >"$dir/lib.c"
  echo 'int main(void) { return 0' >"$dir/calls"
  : >"$dir/declared"
  printf '%s { global: *; };\n' "$version" >"$dir/map"
  for f; do
    echo "int $f(void) { return 0; }" >>"$dir/lib.c"
    echo "int $f(void);" >>"$dir/declared"
    echo " + $f()" >>"$dir/calls"
  done
  { cat "$dir/declared" "$dir/calls"; echo '; }'; } >"$dir/main.c"
  "$cc" -w -shared -fPIC "$dir/lib.c" -Wl,--version-script="$dir/map" -Wl,-soname,"$soname" -o "$dir/lib.so" &&
    "$cc" -w "$dir/main.c" "$dir/lib.so" -o "$dir/$name" || fail "cannot build $name"
}
says() { # STATUS TEXT FILE...
  want=$1 text=$2
  shift 2
  said=$("$whet" compat check "$@" 2>&1)
  got=$?
  [ $got = "$want" ] || fail "status $got, not $want: $said"
  case $said in *"$text"*) ;; *) fail "no \"$text\" in: $said" ;; esac
}
program good libtensorflowlite_c.so VERS_1.0 TfLiteInterpreterCreate TfLiteInterpreterInvoke
says 0 "asks for 2 functions, whet has all of them" "$dir/good"
says 0 "TfLiteInterpreterInvoke " --all "$dir/good"
program lacks libtensorflowlite_c.so VERS_1.0 TfLiteInterpreterCreate TfLiteSomethingElse
says 1 "whet lacks 1" "$dir/lacks"
says 1 "TfLiteSomethingElse " "$dir/good" "$dir/lacks"
program ort libonnxruntime.so.1 VERS_1.30.0 OrtGetApiBase
says 0 "linked with it, asks for 1 function, whet has all of them" "$dir/ort"
program wheel libonnxruntime-9a682863.so.1.14.1 VERS_1.14.1 OrtGetApiBase
says 0 "put whet's libonnxruntime.so.1 in place of its libonnxruntime-9a682863.so.1.14.1" "$dir/wheel"
program other libonnxruntime-extras.so.1 VERS_1.14.1 OrtGetApiBase
says 0 "asks for nothing of" "$dir/other"
program late libonnxruntime.so.1 VERS_1.99.0 OrtGetApiBase
says 1 "VERS_1.99.0  not in this version" "$dir/late"
strip "$dir/lacks" 2>/dev/null && says 1 "TfLiteSomethingElse " "$dir/lacks"
echo 'int main(void) { return 0; }' >"$dir/main.c"
"$cc" "$dir/main.c" -o "$dir/plain" && says 0 "asks for nothing of" "$dir/plain"
"$cc" "$dir/main.c" -static -o "$dir/static" 2>/dev/null && says 0 "asks for nothing of" "$dir/static"
printf '#include <dlfcn.h>\nint main(void) { return !dlopen("libonnxruntime.so.1", RTLD_NOW); }\n' >"$dir/main.c"
"$cc" "$dir/main.c" -ldl -o "$dir/loads" && says 0 "loaded by name while it runs" "$dir/loads"
says 0 "has it inside" "$WHET_BUILD/compat/libtensorflowlite_c.so"
"$whet" compat check "$dir/lacks" --json | grep -q '"missing": *1' || fail "no JSON"

# What is no such file, and broken ones.
says 1 "no ELF file" "$WHET_SOURCE/README.md"
says 1 "No such file" "$dir/none"
said=$("$whet" compat look "$dir/good" 2>&1)
[ $? = 2 ] || fail "not 2: $said"
size=$(wc -c <"$dir/good")
i=1
while [ $i -le 60 ]; do
  at=$((i * 7919 % size))
  head -c "$at" "$dir/good" >"$dir/short"
  cp "$dir/good" "$dir/odd"
  # half of the changes fall among headers and the dynamic part
  [ $((i % 2)) = 0 ] && at=$((i * 13 % 1024))
  printf '\377\376\375\374' | dd of="$dir/odd" bs=1 seek="$at" conv=notrunc 2>/dev/null
  for f in short odd; do
    "$whet" compat check "$dir/$f" >/dev/null 2>&1
    got=$?
    [ $got -le 1 ] || fail "status $got for $f $i"
  done
  i=$((i + 1))
done
