#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install, then build the examples against what was installed and nothing else: with pkg-config (shared), with the static
# library, and with find_package; then run them. usable.sh COMPILER CMAKE
set -eu
cc=$1 cmake=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
no() { echo "$*"; exit 1; }

"$cmake" --install "$WHET_BUILD" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved" # whoever packages it may put it elsewhere
root=$work/moved
lib=$(dirname "$(find "$root" -name libwhet.so)")
for f in "$root/include/whet/whet.h" "$lib/libwhet.a" "$lib/libwhet.so.0" "$lib/pkgconfig/whet.pc" "$lib/cmake/whet/whetConfig.cmake"; do
  [ -e "$f" ] || no "not installed: $f"
done
[ ! -e "$WHET_BUILD/libwhet_avx512.so.0" ] || [ -e "$lib/libwhet_avx512.so.0" ] || no "not installed: libwhet_avx512.so.0"
if [ -e "$WHET_BUILD/whet" ]; then
  [ "$("$root/bin/whet" --version)" = "$("$WHET_BUILD/whet" --version)" ] || no "the installed command is not the one built"
fi

mkdir "$work/cmake"
cat >"$work/cmake/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.18)
project(user C)
find_package(whet 0.1 REQUIRED)
foreach(e digits resnet18)
  add_executable(${e} ${EXAMPLES}/${e}.c)
  target_link_libraries(${e} whet::whet)
  add_executable(${e}_static ${EXAMPLES}/${e}.c)
  target_link_libraries(${e}_static whet::static)
endforeach()
if(TARGET whet::edge)
  add_executable(pipeline ${EXAMPLES}/pipeline.c)
  target_link_libraries(pipeline whet::edge)
endif()
END
generator=
command -v make >/dev/null || generator="-G Ninja" # what CMake would take by itself is not there
# shellcheck disable=SC2086
"$cmake" -S "$work/cmake" -B "$work/cmake/build" $generator -DCMAKE_PREFIX_PATH="$root" -DCMAKE_C_COMPILER="$cc" \
  -DEXAMPLES="$WHET_SOURCE/examples" >"$work/log" 2>&1 || { cat "$work/log"; no "find_package(whet) failed"; }
"$cmake" --build "$work/cmake/build" >"$work/log" 2>&1 || { cat "$work/log"; no "building with find_package(whet) failed"; }

export PKG_CONFIG_PATH="$lib/pkgconfig" LD_LIBRARY_PATH="$lib"
flags="-std=c11 -Wall -Wextra -Wpedantic -Werror"
for e in digits resnet18; do
  if command -v pkg-config >/dev/null; then
    "$cc" $flags -o "$work/$e" "$WHET_SOURCE/examples/$e.c" $(pkg-config --cflags --libs whet)
  else
    "$cc" $flags -o "$work/$e" "$WHET_SOURCE/examples/$e.c" -I"$root/include" -L"$lib" -lwhet
  fi
  "$cc" $flags -o "$work/${e}_static" "$WHET_SOURCE/examples/$e.c" -I"$root/include" "$lib/libwhet.a" -lm -pthread
done

if [ -e "$lib/libwhet_edge.so" ] && command -v pkg-config >/dev/null; then # it finds the libraries beside it without help
  (
    unset LD_LIBRARY_PATH
    "$cc" $flags -o "$work/pipeline" "$WHET_SOURCE/examples/pipeline.c" $(pkg-config --cflags --libs whet_edge) -Wl,-rpath,"$lib"
    for program in "$work/pipeline" "$work/cmake/build/pipeline"; do
      [ "$("$program" | grep -c '"event":"o')" = 2 ] || exit 1
    done
  ) || no "the pipeline in C is not as it should be"
fi

models=$WHET_SOURCE/tools/demo_model
for program in "$work/digits" "$work/digits_static" "$work/cmake/build/digits" "$work/cmake/build/digits_static"; do
  for d in 0 1 2 3 4 5 6 7 8 9; do
    said=$("$program" "$models/digits_mlp.tflite" "$models/samples/$d.pgm")
    [ "${said%% *}" = "$d" ] || no "$program takes $d.pgm for $said"
  done
done
"$work/digits" "$models/digits_mlp.tflite" "$models/README.md" 2>/dev/null && no "a text file passed for a picture"
"$work/digits" "$models/README.md" "$models/samples/1.pgm" 2>"$work/text" && no "a text file passed for a model"
[ "$(wc -l <"$work/text")" = 1 ] || no "not one line of error: $(cat "$work/text")"

model=$WHET_BUILD/models/resnet18.onnx
if [ ! -f "$model" ]; then
  sh "$WHET_SOURCE/tests/lib/with_python.sh" numpy "$WHET_SOURCE/tests/install/make_resnet18.py" "$model" ||
    { echo "resnet18.c was built but not run: the model could not be made"; exit 0; }
fi
for program in "$work/resnet18" "$work/resnet18_static" "$work/cmake/build/resnet18"; do
  "$program" "$model" >"$work/text" || no "$program failed"
  paste -d' ' "$work/text" "$model.txt" | awk '{ d = $3 - $6; if ($2 != $5 || d > 2e-3 || d < -2e-3) bad = 1 } END { exit bad || NR != 5 }' ||
    no "$program says $(cat "$work/text"), expected $(cat "$model.txt")"
done
