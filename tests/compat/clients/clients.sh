#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Programs of other languages over ONNX Runtime, taken from their registries and not changed, on the original's library and on
# whet's: clients.sh BUILD [CLIENT]...   Each prints what it sees, and both must be the same (compare.py). Clients: headers abi
# cxx extensions sparse devices genai node java djl bytedeco rust vad fastembed magika go sherpa piper, and of TensorFlow Lite wake,
# edgefirst and tflite: the C program with the headers of its archive; valgrind: those before it once more, slowly.
# What a client needs and is not there (a tool, a network) is said, and the client is skipped; status 77 when all are.
# Downloads and what is built of them lie in BUILD/clients. Needs the Python module onnx (tools/python.sh).
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:?usage: clients.sh BUILD [CLIENT]...}" && pwd) || exit 2
shift
top=$(cd "$here/../../.." && pwd)
work=$build/clients
ours=$build/compat/libonnxruntime.so.1
python=${WHET_PYTHON:-$top/build/venv/bin/python}
shared=${WHET_SHARED:-$top/../shared}
mkdir -p "$work" || exit 2
[ -f "$ours" ] || { echo "there is no $ours: build first"; exit 2; }
"$python" -c 'import onnx' 2>/dev/null || { echo "skipped: needs the Python module onnx"; exit 77; }
zoo=
[ ! -d "$shared/models" ] || zoo=$shared/models
"$python" "$here/models.py" "$work/models" $zoo || exit 1

has() { command -v "$1" >/dev/null 2>&1 || { echo "skipped: needs $1"; return 77; }; }
# The first run of a download says why there is none.
fetched() { [ $? = 0 ] || { echo "skipped: cannot be downloaded, see $1"; return 77; }; }

client_node() {
  has node && has npm || return 77
  mkdir -p "$work/node" && cd "$work/node" || return 1
  [ -d node_modules/onnxruntime-node ] || npm install --no-save --ignore-scripts --no-audit --no-fund \
    "onnxruntime-node@${NODE_CLIENT:-1.30.0}" >npm.log 2>&1
  fetched "$work/node/npm.log" || return 77
  lib=$(ls node_modules/onnxruntime-node/bin/*/linux/x64/libonnxruntime.so.1* 2>/dev/null | head -1)
  [ -n "$lib" ] || { echo "skipped: the package has no library for this machine"; return 77; }
  [ -f original.so ] || cp "$lib" original.so || return 1
  cp "$here/node/program.js" .
  cp original.so "$lib" && node program.js "$work/models" >original.txt 2>original.log || { tail -5 original.log; return 1; }
  cp "$ours" "$lib" && node program.js "$work/models" >whet.txt 2>whet.log
  status=$?
  cp original.so "$lib"
  [ $status = 0 ] || { tail -5 whet.log; return 1; }
  "$python" "$here/compare.py" original.txt whet.txt
}

client_java() {
  has java && has javac && has mvn && has unzip || return 77
  mkdir -p "$work/java" && cd "$work/java" || return 1
  maven com.microsoft.onnxruntime:onnxruntime "${JAVA_CLIENT:-1.29.0}" || return 77
  javac -cp 'jar/*' -d classes "$here/java/Program.java" || return 1
  java_both Program
}

# The Maven package NAME VERSION and all that it needs, in the folder jar.
maven_flags=
maven() {
  cat >pom.xml <<END
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId>
<version>1</version><dependencies><dependency><groupId>${1%:*}</groupId><artifactId>${1#*:}</artifactId>
<version>$2</version></dependency></dependencies></project>
END
  [ -f "jar/${1#*:}-$2.jar" ] || mvn -q -B $maven_flags dependency:copy-dependencies -DoutputDirectory=jar >mvn.log 2>&1
  fetched "$PWD/mvn.log"
}

# The Java program CLASS on both libraries: on the original's of the jar, and on whet's beside the jar's own binding.
java_both() {
  mkdir -p native
  unzip -o -q -j jar/onnxruntime-1*.jar ai/onnxruntime/native/linux-x64/libonnxruntime4j_jni.so -d native || return 1
  cp "$ours" native/libonnxruntime.so && cp "$ours" native/libonnxruntime.so.1 || return 1
  java -cp 'jar/*:classes' "$1" "$work/models" >original.txt 2>original.log || { tail -5 original.log; return 1; }
  java -Donnxruntime.native.path="$PWD/native" -cp 'jar/*:classes' "$1" "$work/models" >whet.txt 2>whet.log ||
    { tail -5 whet.log; return 1; }
  "$python" "$here/compare.py" original.txt whet.txt
}

# DJL's engine, over the Java package of the release that it asks for.
client_djl() {
  has java && has javac && has mvn && has unzip || return 77
  mkdir -p "$work/djl" && cd "$work/djl" || return 1
  maven ai.djl.onnxruntime:onnxruntime-engine "${DJL_CLIENT:-0.36.0}" || return 77
  javac -cp 'jar/*' -d classes "$here/djl/Djl.java" || return 1
  DJL_CACHE_DIR=$PWD/cache java_both Djl
}

# JavaCPP's presets: the original's C++ header in a library of Java's. It is built for oneDNN's provider, whose library wants the
# original's inside before anything asks for it: an empty one stands in its place.
client_bytedeco() {
  has java && has javac && has mvn && has unzip && has cc || return 77
  mkdir -p "$work/bytedeco/place" && cd "$work/bytedeco" || return 1
  maven_flags=-Djavacpp.platform=linux-x86_64
  maven org.bytedeco:onnxruntime-platform "${BYTEDECO_CLIENT:-1.22.0-1.5.12}" || return 77
  javac -cp 'jar/*' -d classes "$here/bytedeco/Cpp.java" || return 1
  cp "$ours" place/libonnxruntime.so.1 && cc -shared -x c /dev/null -o place/libonnxruntime_providers_dnnl.so || return 1
  java -Dorg.bytedeco.javacpp.cachedir="$PWD/cache" -cp 'jar/*:classes' Cpp "$work/models" >original.txt 2>original.log ||
    { tail -5 original.log; return 1; }
  LD_LIBRARY_PATH=$PWD/place java -Dorg.bytedeco.javacpp.cachedir="$PWD/cache_whet" -Dorg.bytedeco.javacpp.pathsFirst=true \
    -cp 'jar/*:classes' Cpp "$work/models" >whet.txt 2>whet.log || { tail -5 whet.log; return 1; }
  "$python" "$here/compare.py" original.txt whet.txt
}

# Build the Rust program of folder NAME, and run it on both libraries with the models in a folder. The original's library is that of
# the Python package, or ORT_ORIGINAL. Crates that do not leave it out link with a library, too: the original's.
rust_both() { # NAME [FOLDER]
  has cargo && original_library || return 77
  mkdir -p "$work/$1/original" && cd "$work/$1" || return 1
  cp -R "$here/$1/Cargo.toml" "$here/$1/src" . || return 1
  ln -sf "$original" original/libonnxruntime.so && ln -sf "$original" original/libonnxruntime.so.1 || return 1
  ORT_LIB_LOCATION=$PWD/original ORT_PREFER_DYNAMIC_LINK=1 cargo_builds build || return
  ORT_DYLIB_PATH=$original target/debug/program ${2:+"$2"} >original.txt 2>original.log || { tail -5 original.log; return 1; }
  ORT_DYLIB_PATH=$ours target/debug/program ${2:+"$2"} >whet.txt 2>whet.log || { tail -5 whet.log; return 1; }
  "$python" "$here/compare.py" original.txt whet.txt
}
# cargo on the program that lies here.
cargo_builds() { # VERB [OPTION]...
  CARGO_TARGET_DIR=target cargo "$@" --quiet 2>cargo.log && return
  grep -q 'failed to \(download\|get\|query\)' cargo.log && { echo "skipped: cannot be downloaded, see $PWD/cargo.log"; return 77; }
  tail -20 cargo.log
  return 1
}
client_rust() { rust_both rust "$work/models"; }
# A crate that hears speech, with a model of its own and an older release of ort.
client_vad() { rust_both vad; }
# Embeddings of texts; the models are made here.
client_fastembed() {
  "$python" "$here/fastembed/models.py" "$work/fastembed/models" && rust_both fastembed "$work/fastembed/models"
}

# A crate that tells kinds of files, with a model of its own: the files here.
client_magika() { rust_both magika "$here"; }

# The Go module has tests of its own: each that passes on the original must pass on whet.
client_go() {
  has go && original_library || return 77
  mkdir -p "$work/go" && cd "$work/go" || return 1
  export GOPATH="$work/go/path" GOFLAGS=-modcacherw GOCACHE="$work/go/cache"
  dir=$(go mod download -json "github.com/yalue/onnxruntime_go@${GO_CLIENT:-v1.27.0}" 2>go.log | sed -n 's/.*"Dir": "\(.*\)",*/\1/p')
  [ -n "$dir" ] || { echo "skipped: cannot be downloaded, see $PWD/go.log"; return 77; }
  for side in original whet; do
    library=$original
    [ $side = original ] || library=$ours
    (cd "$dir" && ONNXRUNTIME_SHARED_LIBRARY_PATH=$library go test -v -timeout 20m ./...) >$side.txt 2>&1
    sed -n 's/^ *--- PASS: \([^ ]*\).*/\1/p' $side.txt | sort >$side.passed
  done
  [ -s original.passed ] || { tail -5 original.txt; return 1; }
  echo "original: $(grep -c . original.passed) pass, whet: $(grep -c . whet.passed)"
  lost=$(comm -23 original.passed whet.passed)
  [ -z "$lost" ] || { echo "pass on the original alone: $lost"; return 1; }
}

# Headers of the original, of several API versions (the releases of the Go module hold them): whet's table, the parameters of its
# functions and the fields of structures agree with each at compile time, and a program built with them runs.
client_headers() {
  has go && has cc || return 77
  mkdir -p "$work/go" "$work/headers" && cd "$work/headers" || return 1
  export GOPATH="$work/go/path" GOFLAGS=-modcacherw GOCACHE="$work/go/cache"
  for version in v1.13.0 v1.21.0 v1.25.0 v1.27.0; do
    dir=$(go mod download -json "github.com/yalue/onnxruntime_go@$version" 2>go.log | sed -n 's/.*"Dir": "\(.*\)",*/\1/p')
    [ -n "$dir" ] || { echo "skipped: cannot be downloaded, see $PWD/go.log"; return 77; }
    "$python" "$here/headers.py" "$dir/onnxruntime_c_api.h" "$top/compat/onnxruntime/include/onnxruntime_c_api_functions.def" \
      "$top/tests/compat/ort_abi.c" >check.c && cc -std=c11 -fsyntax-only -Wall -Werror -I"$dir" check.c &&
      cc -I"$dir" "$top/tests/compat/reload.c" -o reload -ldl && ./reload "$ours" "$top/tools/demo_model/digits.onnx" || return 1
  done
}

# The crate ort-sys, which has the table of every API version from 17 on: each is compared at compile time, as the headers are.
client_abi() {
  has cargo || return 77
  mkdir -p "$work/abi/src" && cd "$work/abi" && cp "$here/abi/Cargo.toml" . || return 1
  version=17
  while [ $version -le 31 ]; do
    "$python" "$here/abi.py" "$top/compat/onnxruntime/include/onnxruntime_c_api_functions.def" "$top/tests/compat/ort_abi.c" $version \
      >src/main.rs && cargo_builds run --features api-$version || return
    version=$((version + 1))
  done
}

# The original's C++ header, of two releases, as Debian's package libonnxruntime-dev holds them (CXX_HEADERS: folders to use
# instead): the program is built against each, linked with the original's library, and run on both.
client_cxx() {
  has c++ && original_library || return 77
  mkdir -p "$work/cxx/original" && cd "$work/cxx" || return 1
  ln -sf "$original" original/libonnxruntime.so.1 || return 1
  headers=${CXX_HEADERS:-$(debian_headers)}
  [ -n "$headers" ] || { echo "skipped: needs the original's C++ header (apt-get and a mirror of Debian, or CXX_HEADERS)"; return 77; }
  for dir in $headers; do
    c++ -std=c++17 -O1 -isystem "$dir" "$here/cxx/program.cc" -o program original/libonnxruntime.so.1 || return 1
    sed -n 's/^#define ORT_API_VERSION/API version/p' "$dir/onnxruntime_c_api.h"
    LD_LIBRARY_PATH=$PWD/original ./program "$work/models" >original.txt 2>original.log || { tail -5 original.log; return 1; }
    LD_LIBRARY_PATH=$build/compat ./program "$work/models" >whet.txt 2>whet.log || { tail -5 whet.log; return 1; }
    "$python" "$here/compare.py" original.txt whet.txt || return 1
  done
}

# onnxruntime-extensions: a library of custom operators in C++, which throws; it is a module of Python, so that a Python's library has to
# be there too. The program of client_cxx runs models of its operators.
client_extensions() {
  has c++ && has unzip && original_library || return 77
  mkdir -p "$work/cxx/original" "$work/extensions" && cd "$work/cxx" || return 1
  ln -sf "$original" original/libonnxruntime.so.1 || return 1
  headers=${CXX_HEADERS:-$(debian_headers)}
  [ -n "$headers" ] || { echo "skipped: needs the original's C++ header (apt-get and a mirror of Debian, or CXX_HEADERS)"; return 77; }
  c++ -std=c++17 -O1 -isystem "${headers%%[[:space:]]*}" "$here/cxx/program.cc" -o program original/libonnxruntime.so.1 || return 1
  cd "$work/extensions" || return 1
  ls ./*.whl >/dev/null 2>&1 || "$python" -m pip download --no-deps "onnxruntime-extensions==${EXTENSIONS_CLIENT:-0.15.2}" >pip.log 2>&1
  fetched "$work/extensions/pip.log" || return 77
  unzip -o -q ./*.whl && library=$(ls "$PWD"/onnxruntime_extensions/*.so) || return 1
  interpreter=$("$python" -c 'import sysconfig as c; print(c.get_config_var("LIBDIR") + "/" + c.get_config_var("INSTSONAME"))')
  [ -f "$interpreter" ] || { echo "skipped: needs $interpreter"; return 77; }
  "$python" "$here/extensions/models.py" models || return 1
  for side in original whet; do
    place=$work/cxx/original
    [ $side = original ] || place=$build/compat
    LD_PRELOAD=$interpreter LD_LIBRARY_PATH=$place "$work/cxx/program" models "$library" >$side.txt 2>$side.log || { tail -5 $side.log; return 1; }
  done
  "$python" "$here/compare.py" original.txt whet.txt
}

# C programs over one part of the interface each, linked with the original's library.
c_both() { # NAME
  has cc && original_library || return 77
  mkdir -p "$work/$1/original" && cd "$work/$1" || return 1
  ln -sf "$original" original/libonnxruntime.so.1 || return 1
  cc -std=c11 -Wall -Wextra -Werror -I"$top/compat/onnxruntime/include" "$here/$1/program.c" -o program original/libonnxruntime.so.1 || return 1
  LD_LIBRARY_PATH=$PWD/original ./program "$work/models/add.onnx" >original.txt 2>original.log || { tail -5 original.log; return 1; }
  LD_LIBRARY_PATH=$build/compat ./program "$work/models/add.onnx" >whet.txt 2>whet.log || { tail -5 whet.log; return 1; }
  "$python" "$here/compare.py" original.txt whet.txt
}
client_sparse() { c_both sparse; }
client_devices() { c_both devices; }

# Packages of Python in an environment of the client's own, which sees those of $python.
python_packages() { # FOLDER PACKAGE...
  place=$1
  shift
  [ -x "$place/bin/python" ] || "$python" -m venv "$place" >"$place.log" 2>&1
  "$place/bin/python" -m pip install --quiet --no-deps "$@" >"$place.log" 2>&1
  fetched "$place.log" || return 77
  "$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' >"$(ls -d "$place"/lib/python*/site-packages)/above.pth"
}

# onnxruntime-genai: texts of a small language model. It loads the library that lies in the Python package onnxruntime: here in folders
# that look like it.
client_genai() {
  original_library || return 77
  mkdir -p "$work/genai" && cd "$work/genai" || return 1
  python_packages "$PWD/venv" "onnxruntime-genai==${GENAI_CLIENT:-0.18.0}" || return 77
  "$python" "$here/genai/models.py" model || return 1
  for side in original whet; do
    library=$original
    [ $side = original ] || library=$ours
    mkdir -p "$side/onnxruntime/capi" && : >"$side/onnxruntime/__init__.py" && cp "$library" "$side/onnxruntime/capi/libonnxruntime.so.1" || return 1
    PYTHONPATH=$PWD/$side venv/bin/python "$here/genai/program.py" model >$side.txt 2>$side.log || { tail -5 $side.log; return 1; }
  done
  "$python" "$here/compare.py" original.txt whet.txt
}

# piper-phonemize: a C++ library of 2023, linked with release 1.14 under a name of the wheel's own.
client_piper() {
  mkdir -p "$work/piper" && cd "$work/piper" || return 1
  python_packages "$PWD/venv" "piper-phonemize==${PIPER_CLIENT:-1.1.0}" || return 77
  rm -rf original && cp -R venv/lib/python*/site-packages original && rm -rf whet && cp -R original whet || return 1
  cp "$ours" whet/piper_phonemize.libs/libonnxruntime-*.so* || return 1
  for side in original whet; do
    "$python" "$here/piper/program.py" $side >$side.txt 2>$side.log || { tail -5 $side.log; return 1; }
  done
  "$python" "$here/compare.py" original.txt whet.txt
}

# The clients without a runtime of their own under Valgrind, on whet's library: no error, and none in what they print of its results.
# What headers of the original read past texts (GetAttrString) is theirs.
client_valgrind() {
  has valgrind || return 77
  cd "$work" || return 1
  for program in rust/target/debug/program cxx/program sparse/program devices/program; do
    [ -x $program ] || { echo "skipped: needs the clients rust, cxx, sparse, devices before it"; return 77; }
    case $program in rust* | cxx*) on=$work/models ;; *) on=$work/models/add.onnx ;; esac
    (cd ${program%%/*} && ORT_DYLIB_PATH=$ours LD_LIBRARY_PATH=$build/compat valgrind -q --error-exitcode=9 \
      --suppressions="$here/valgrind.supp" ./${program#*/} "$on" >valgrind.txt 2>valgrind.log) || { tail -40 ${program%%/*}/valgrind.log; return 1; }
    "$python" "$here/compare.py" ${program%%/*}/original.txt ${program%%/*}/valgrind.txt || return 1
  done
}

# pymicro-wakeword and pyopen-wakeword: TensorFlow Lite's C interface through ctypes, with models and a Linux library of their own. The
# integer models may differ by two steps of their outputs: whet gives the bytes of the reference kernels.
client_wake() {
  mkdir -p "$work/wake" && cd "$work/wake" || return 1
  python_packages "$PWD/venv" "pymicro-wakeword==${MICRO_CLIENT:-2.5.0}" "pyopen-wakeword==${OPEN_CLIENT:-1.1.0}" pymicro-features || return 77
  venv/bin/python "$here/wake/program.py" >original.txt 2>original.log || { tail -5 original.log; return 1; }
  venv/bin/python "$here/wake/program.py" "$build/compat/libtensorflowlite_c.so" >whet.txt 2>whet.log || { tail -5 whet.log; return 1; }
  "$python" "$here/compare.py" original.txt whet.txt 0.008 || return 1
  # Their library serves the C program as well, by the names of releases from 2.17 on.
  library=$(ls "$PWD"/venv/lib/python*/site-packages/pymicro_wakeword/lib/libtensorflowlite_c.so)
  cc -std=c11 -Wall -Wextra -DNEWER -I"$top/compat/tflite/include" "$here/tflite/program.c" -o program "$library" || return 1
  for side in original whet; do
    place=${library%/*}
    [ $side = original ] || place=$build/compat
    LD_LIBRARY_PATH=$place ./program "$top/tools/demo_model/digits.tflite" >$side.txt 2>$side.log || { tail -5 $side.log; return 1; }
  done
  "$python" "$here/compare.py" original.txt whet.txt
}

# edgefirst-tflite: a Rust binding of TensorFlow Lite's C interface as a Python package; the original's library is that of client_wake.
# Floats only, for of integers whet has the bytes of the reference kernels; and no models whose operators it lacks.
client_edgefirst() {
  mkdir -p "$work/edgefirst" && cd "$work/edgefirst" || return 1
  python_packages "$PWD/venv" "edgefirst-tflite==${EDGEFIRST_CLIENT:-0.10.3}" "pymicro-wakeword==${MICRO_CLIENT:-2.5.0}" || return 77
  library=$(ls "$PWD"/venv/lib/python*/site-packages/pymicro_wakeword/lib/libtensorflowlite_c.so)
  models="$top/tools/demo_model/digits.tflite $(ls "${zoo:-.}"/*_fp32.tflite 2>/dev/null | grep -v 'audio\|kws')"
  venv/bin/python "$here/edgefirst/program.py" "$library" $models >original.txt 2>original.log || { tail -5 original.log; return 1; }
  venv/bin/python "$here/edgefirst/program.py" "$build/compat/libtensorflowlite_c.so" $models >whet.txt 2>whet.log || { tail -5 whet.log; return 1; }
  "$python" "$here/compare.py" original.txt whet.txt
}

# Folders of the headers in Debian's trixie and sid, from the mirror that this machine uses; nothing where there is none.
debian_headers() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return
  site=$(apt-get indextargets --format '$(SITE)' 'Label: Debian' 2>/dev/null | grep -v security | head -1)
  [ -n "$site" ] || return
  for suite in trixie sid; do
    at=$PWD/$suite
    mkdir -p "$at/lists/partial" "$at/cache/archives/partial" && echo "deb $site $suite main" >"$at/sources.list" || return
    apt="-o Dir::Etc::sourcelist=$at/sources.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$at/lists -o Dir::Cache=$at/cache"
    ls "$at"/*.deb >/dev/null 2>&1 || {
      apt-get $apt update && (cd "$at" && apt-get $apt download libonnxruntime-dev)
    } >"$at/apt.log" 2>&1
    dpkg-deb -x "$at"/libonnxruntime-dev_*.deb "$at" 2>/dev/null && echo "$at/usr/include/onnxruntime"
  done
}

# sherpa-onnx: a C++ library that was built with the original's C++ header, finding speech with silero's models of the zoo.
client_sherpa() {
  has node && has npm || return 77
  [ -n "$zoo" ] && ls "$zoo"/silero*.onnx >/dev/null 2>&1 || { echo "skipped: needs silero's models"; return 77; }
  mkdir -p "$work/sherpa" && cd "$work/sherpa" || return 1
  [ -d node_modules/sherpa-onnx-node ] || npm install --no-save --ignore-scripts --no-audit --no-fund \
    "sherpa-onnx-node@${SHERPA_CLIENT:-1.13.8}" >npm.log 2>&1
  fetched "$work/sherpa/npm.log" || return 77
  package=$PWD/node_modules/sherpa-onnx-linux-x64
  [ -f "$package/libonnxruntime.so" ] || { echo "skipped: the package has no library for this machine"; return 77; }
  [ -f original.so ] || cp "$package/libonnxruntime.so" original.so || return 1
  cp "$here/sherpa/vad.js" .
  for side in original whet; do
    library=original.so
    [ $side = original ] || library=$ours
    cp "$library" "$package/libonnxruntime.so" && LD_LIBRARY_PATH=$package node vad.js "$zoo"/silero*.onnx >$side.txt 2>$side.log || {
      tail -5 $side.log
      cp original.so "$package/libonnxruntime.so"
      return 1
    }
  done
  cp original.so "$package/libonnxruntime.so"
  "$python" "$here/compare.py" original.txt whet.txt
}

# TensorFlow Lite: the headers and the library of the archive org.tensorflow:tensorflow-lite. The program is built with whet's headers,
# with the original's, and linked with the original's library, which is Android's: all three run on whet's and print the same.
client_tflite() {
  has mvn && has unzip && has cc || return 77
  mkdir -p "$work/tflite" && cd "$work/tflite" || return 1
  version=${TFLITE_CLIENT:-2.16.1}
  aar=tensorflow-lite-$version.aar
  [ -f "$aar" ] || mvn -q -B dependency:copy -Dartifact=org.tensorflow:tensorflow-lite:$version:aar -DoutputDirectory=. >mvn.log 2>&1
  fetched "$work/tflite/mvn.log" || return 77
  unzip -o -q "$aar" 'headers/*' jni/x86_64/libtensorflowlite_jni.so || return 1
  mine=$top/compat/tflite/include
  flags="-std=c11 -Wall -Wextra -Wno-unused-parameter -Werror"
  cc $flags -I"$mine" "$here/tflite/program.c" -o whet -L"$build/compat" -ltensorflowlite_c -lm &&
    cc $flags -Iheaders -I"$mine" "$here/tflite/program.c" -o original -L"$build/compat" -ltensorflowlite_c -lm &&
    cc $flags -Iheaders -I"$mine" "$here/tflite/program.c" -o binary -Ljni/x86_64 -ltensorflowlite_jni -lm \
      -Wl,--unresolved-symbols=ignore-in-shared-libs || return 1
  mkdir -p place && cp "$build/compat/libtensorflowlite_c.so" place/libtensorflowlite_jni.so || return 1
  for side in whet original binary; do
    LD_LIBRARY_PATH=$PWD/place:$build/compat ./$side "$top/tools/demo_model/digits.tflite" >$side.txt || return 1
  done
  "$python" "$here/compare.py" original.txt whet.txt && "$python" "$here/compare.py" original.txt binary.txt
}

# $original: the original's library.
original_library() {
  original=${ORT_ORIGINAL:-}
  [ -n "$original" ] || original=$("$python" -c 'import glob, onnxruntime, os
print(sorted(glob.glob(os.path.dirname(onnxruntime.__file__) + "/capi/libonnxruntime.so*"))[0])' 2>/dev/null)
  [ -f "$original" ] || { echo "skipped: needs the original's library (Python module onnxruntime, or ORT_ORIGINAL)"; return 77; }
}

failed=0 passed=0
all="headers abi cxx extensions sparse devices genai node java djl bytedeco rust vad fastembed magika go sherpa piper wake edgefirst tflite valgrind"
for client in ${*:-$all}; do
  echo "== $client"
  (client_"$client")
  case $? in
    0) passed=$((passed + 1)) ;;
    77) ;;
    *) failed=$((failed + 1)); echo "$client FAILED" ;;
  esac
done
[ $failed = 0 ] || exit 1
[ $passed != 0 ] || exit 77
