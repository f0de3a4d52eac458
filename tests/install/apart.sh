#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libwhet_avx512.so: a program over libwhet.so has its kernels where it lies beside libwhet.so, and the same integer results without it;
# one that is cut short, of another build or no library is refused by name; it is found there and nowhere else, shows
# one name, and has no data of its own. apart.sh COMPILER
set -eu
cc=$1 file=libwhet_avx512.so.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
no() { echo "$*"; exit 1; }
unset WHET_CPU LD_LIBRARY_PATH
for tool in nm size readelf strip strings; do command -v $tool >/dev/null || { echo "skipped: needs binutils"; exit 77; }; done

names=$(nm -D --defined-only "$WHET_BUILD/$file" | awk '{print $3}')
[ "$names" = whet_avx512_families ] || no "$file shows other names than its door: $names"
data=$(size -A -d "$WHET_BUILD/$file" | awk '$1 ~ /^\.(data|bss|tdata|tbss)$/ {n += $2} END {print n + 0}')
[ "$data" -le 16 ] || no "$file has $data bytes of data, which libwhet.so does not share" # 16: what gcc puts into every library
needed=$(readelf -d "$WHET_BUILD/$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' | grep -v '^lib[cm]\.so\.' || true)
[ -z "$needed" ] || no "$file needs more than libc and libm: $needed"

"$WHET_BUILD/whet" quantize "$WHET_SOURCE/tools/demo_model/digits.tflite" --data "$WHET_SOURCE/tools/demo_model/samples" \
  -o "$work/digits.tflite" >/dev/null
"$cc" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -Wno-unused-parameter -o "$work/apart" "$WHET_SOURCE/tests/install/apart.c" \
  -I"$WHET_SOURCE/include" -L"$WHET_BUILD" -lwhet -pthread
mkdir "$work/lib" "$work/else"
cp "$WHET_BUILD/libwhet.so.0" "$work/lib"

# What the program says of a word, with the libraries of lib/.
run() { LD_LIBRARY_PATH=$work/lib "$work/apart" "$work/digits.tflite" >"$work/said" || no "$1: it fails: $(cat "$work/said")"; }
said() { sed -n "s/^$1 //p" "$work/said"; }
# Expect that the kernels are there, or not and why; $1 says when.
there() {
  run "$1"
  [ "$(said mapped) $(said lack)" = "1 " ] && [ "$(said wide)" = "$wide" ] && [ "$(said steps)" -gt 3 ] || no "$1: $(cat "$work/said")"
}
absent() {
  run "$1"
  case "$(said level)" in c | avx2 | avxvnni) ;; *) no "$1: level $(said level)" ;; esac
  [ "$(said wide) $(said steps) $(said lack)" = "0 0 $2" ] || no "$1: $(cat "$work/said")"
  [ "$(said output)" = "$output" ] || no "$1: other results"
}

run "without $file"
output=$(said output)
wide=$("$WHET_BUILD/whet" kernels --rows | grep -cE '  (avx512|vnni|bf16|amx)_') # the command has all inside
if "$WHET_BUILD/whet" kernels --rows | grep -q '  avx512_.* yes$'; then
  absent "without $file" "$file is not found beside libwhet.so"
  : >"$work/lib/$file"
  absent "an empty file" "$file is no whole library"
  echo "no library" >"$work/lib/$file"
  absent "text" "$file is no whole library"
  strip -s -o "$work/stripped" "$WHET_BUILD/$file"
  for n in 40 64 700 4096 100000 400000 $(($(wc -c <"$work/stripped") - 8192)); do
    head -c "$n" "$work/stripped" >"$work/lib/$file"
    absent "cut to $n bytes" "$file is no whole library"
  done
  rm "$work/lib/$file" && mkdir "$work/lib/$file"
  absent "a folder" "$file is no whole library"
  rmdir "$work/lib/$file"
  echo "int other(void); int other(void) { return 1; }" >"$work/other.c"
  "$cc" -shared -fPIC -o "$work/lib/$file" "$work/other.c"
  absent "another library" "$file is of another build than libwhet.so"
  id=$(strings -n 16 "$WHET_BUILD/$file" | grep -E '^[0-9]+\.[0-9]+\.[0-9]+ [0-9a-f]{16}$')
  changed=$(echo "$id" | tr '0-9' '1-90')
  LC_ALL=C sed "s/$id/$changed/" "$WHET_BUILD/$file" >"$work/lib/$file"
  absent "another build" "$file is of another build than libwhet.so"
  echo "int whet_avx512_families = 1, *f(void); int *f(void) { extern int nowhere; return &nowhere; }" >"$work/other.c"
  "$cc" -shared -fPIC -o "$work/lib/$file" "$work/other.c"
  absent "a library that lacks something" "$file cannot be loaded"

  cp "$WHET_BUILD/$file" "$work/lib"
  there "beside libwhet.so"
  [ "$(said output)" = "$output" ] || no "other results with $file"
  export WHET_CPU=avx2
  absent "WHET_CPU=avx2" ""
  [ "$(said mapped)" = 0 ] || no "WHET_CPU=avx2 maps $file"
  unset WHET_CPU

  # A relative path, from a folder that the program leaves; a link; and a file that only lies where libraries are searched.
  cd "$work"
  LD_LIBRARY_PATH=lib ./apart "$work/digits.tflite" / >"$work/said" || no "a relative path: it fails"
  [ "$(said mapped)" = 1 ] || no "a relative path: $(cat "$work/said")"
  mv lib real && mkdir lib && ln -s ../real/libwhet.so.0 lib
  there "a link to libwhet.so"
  rm lib/libwhet.so.0 && mv real/libwhet.so.0 lib
  mkdir -p else/lib && cp "real/$file" else/lib && cp "real/$file" else
  LD_LIBRARY_PATH=lib:$work/else ./apart "$work/digits.tflite" else >"$work/said" || no "elsewhere: it fails"
  [ "$(said mapped) $(said wide)" = "0 0" ] || no "elsewhere: $(cat "$work/said")"
else
  cp "$WHET_BUILD/$file" "$work/lib"
  absent "a CPU without AVX-512" ""
  [ "$(said mapped)" = 0 ] || no "$file is mapped on a CPU without AVX-512"
fi
echo "$file: $wide rows"
