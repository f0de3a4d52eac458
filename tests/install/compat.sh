#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install, move, then build programs of ONNX Runtime's and TensorFlow Lite's interfaces against what was installed and nothing else: by
# pkg-config, by find_package, and by -l alone; then run them. compat.sh COMPILER CMAKE
set -eu
cc=$1 cmake=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
no() { echo "$*"; exit 1; }

"$cmake" --install "$WHET_BUILD" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved"
root=$work/moved
lib=$(dirname "$(find "$root" -name libonnxruntime.so.1)")
include=$root/include/whet/compat
[ -e "$lib/libtensorflowlite_c.so" ] || no "libtensorflowlite_c.so is not installed"
[ "$(find "$root/lib" "$root/include" -maxdepth 1 -name '*onnx*' -o -maxdepth 1 -name '*tensorflow*')" = "" ] ||
  no "the other runtimes' names lie where their own would"

cat >"$work/ort.c" <<'END'
#include <onnxruntime_c_api.h>
#include <string.h>
int main(void) {
  const OrtApi *api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  OrtEnv *env = NULL;
  if (!api || api->CreateEnv(ORT_LOGGING_LEVEL_WARNING, "it", &env)) return 1;
  api->ReleaseEnv(env);
  return strncmp(OrtGetApiBase()->GetVersionString(), "1.31", 4) != 0;
}
END
cat >"$work/tfl.c" <<'END'
#include "tensorflow/lite/c/c_api.h"
#include "tensorflow/lite/delegates/xnnpack/xnnpack_delegate.h"
int main(int n, char **name) {
  TfLiteModel *m = TfLiteModelCreateFromFile(name[n - 1]);
  TfLiteInterpreterOptions *o = TfLiteInterpreterOptionsCreate();
  TfLiteXNNPackDelegateOptions x = TfLiteXNNPackDelegateOptionsDefault();
  TfLiteDelegate *d = TfLiteXNNPackDelegateCreate(&x);
  TfLiteInterpreterOptionsAddDelegate(o, d);
  TfLiteInterpreter *it = TfLiteInterpreterCreate(m, o);
  int bad = !it || TfLiteInterpreterAllocateTensors(it) || TfLiteInterpreterInvoke(it);
  TfLiteInterpreterDelete(it);
  TfLiteXNNPackDelegateDelete(d);
  TfLiteInterpreterOptionsDelete(o);
  TfLiteModelDelete(m);
  return bad;
}
END
mkdir "$work/cmake"
cat >"$work/cmake/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.18)
project(user C)
find_package(onnxruntime 1.17 REQUIRED)
find_package(tensorflowlite_c 2.16 REQUIRED)
add_executable(ort ../ort.c)
target_link_libraries(ort onnxruntime::onnxruntime)
add_executable(tfl ../tfl.c)
target_link_libraries(tfl tensorflowlite_c::tensorflowlite_c)
END
generator=
command -v make >/dev/null || generator="-G Ninja" # what CMake would take by itself is not there
# shellcheck disable=SC2086
"$cmake" -S "$work/cmake" -B "$work/cmake/build" $generator -DCMAKE_C_COMPILER="$cc" -Donnxruntime_DIR="$lib/cmake/onnxruntime" \
  -Dtensorflowlite_c_DIR="$lib/cmake/tensorflowlite_c" >"$work/log" 2>&1 || { cat "$work/log"; no "find_package failed"; }
"$cmake" --build "$work/cmake/build" >"$work/log" 2>&1 || { cat "$work/log"; no "building with find_package failed"; }

flags="-std=c11 -Wall -Wextra -Wpedantic -Werror"
if command -v pkg-config >/dev/null; then
  export PKG_CONFIG_PATH="$lib/pkgconfig"
  "$cc" $flags "$work/ort.c" -o "$work/ort_pc" $(pkg-config --cflags --libs libonnxruntime)
  "$cc" $flags "$work/tfl.c" -o "$work/tfl_pc" $(pkg-config --cflags --libs tensorflowlite_c)
fi
"$cc" $flags "$work/ort.c" -o "$work/ort_l" -I"$include/onnxruntime" -L"$lib" -lonnxruntime
"$cc" $flags "$work/tfl.c" -o "$work/tfl_l" -I"$include/tflite" -L"$lib" -ltensorflowlite_c
for program in "$work"/ort_* "$work"/tfl_* "$work/cmake/build/ort" "$work/cmake/build/tfl"; do
  LD_LIBRARY_PATH=$lib "$program" "$WHET_SOURCE/tools/demo_model/digits.tflite" || no "$program failed"
done
