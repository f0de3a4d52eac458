#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The front door: ./do VERB. What is missing is installed (Debian, Ubuntu), then everything is built and run; no question
# is asked. People who bring their own build use CMake: see docs/building.md.
set -eu
cd "$(dirname "$0")"
top=$PWD
: "${WHET_JOBS:=$(nproc 2>/dev/null || echo 2)}"
export WHET_JOBS

usage() {
  cat <<'END'
whet: ./do VERB

  demo        build, classify the sample pictures with the small digits model, show what came out
  test        build and run the tests (minutes)
  build       leave build/whet, build/libwhet.so, build/libwhet.a
  wheel       leave a wheel of the Python package in build/wheel: ./do wheel [FOLDER]
  bench       build and time the kernels of this machine: ./do bench [FAMILY...] [OPTION...], as tools/bench.sh --help says
  check       build and run the quick tests (under a minute)
  check-all   everything: compilers, sanitizers, CPU levels, other processors, fuzzers (hours); names of parts may follow
  check-arm   build for aarch64 and Armv7 and run the tests under qemu
  check-riscv the same for riscv64
  install     build and install to PREFIX (default /usr/local): ./do install [PREFIX]
  help        this text

Environment: CC (compiler), WHET_JOBS (processes at once), WHET_CPU (highest instruction set, as whet --cpu),
WHET_SHARED (folder with models and reference outputs, for the tests that use them).
END
}

say() { printf '%s\n' "$*" >&2; }

# Whether a probe of tools/packages.txt succeeds.
probe() {
  case $1 in
    pyheaders) python3 -c 'import os, sysconfig; os.stat(sysconfig.get_paths()["include"] + "/Python.h")' 2>/dev/null ;;
    pyvenv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    '<'*) h=${1#<}; echo "#include <${h%>}>" | "${CC:-cc}" -E -x c - >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

# The packages of some groups that are not there.
missing() {
  while read -r group package test; do
    case " $* " in *" $group "*) ;; *) continue ;; esac
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || probe "$test" || printf '%s ' "$package"
  done <tools/packages.txt
}

# Install what is missing of some groups, or say what to install. Goes on when only some of it could be had: the build
# stops by itself when it cannot do without.
need() {
  lack=$(missing "$@")
  [ -n "$lack" ] || return 0
  if ! command -v apt-get >/dev/null 2>&1; then
    say "Missing, and there is no apt-get here to install it. By their Debian names: $lack"
    return 0
  fi
  if [ "$(id -u)" = 0 ]; then as_root=; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else
    say "Missing: $lack"
    say "I may not install packages here. As root: apt-get install $lack"
    return 0
  fi
  mkdir -p build
  say "Installing: $lack"
  apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends"
  # shellcheck disable=SC2086
  { $apt install $lack || { $apt update && $apt install $lack; }; } >build/apt.log 2>&1 || {
    for one in $lack; do $apt install "$one" >>build/apt.log 2>&1 || say "apt-get could not install $one: see build/apt.log"; done
  }
}

# Run a command with its output in a log; on failure show the end of it, the errors first.
quietly() {
  log=$1
  shift
  "$@" >"$log" 2>&1 && return 0
  grep -E '(error|Error)[: ]' "$log" | head -20 >&2 || true
  tail -15 "$log" >&2
  say "failed: $* (whole output: $log)"
  return 1
}

# Configure and build in build/, or in the folder and with the options given.
build() {
  dir=${1:-build}
  [ $# -eq 0 ] || shift
  for tool in "${CC:-cc}" cmake; do command -v "${tool%% *}" >/dev/null 2>&1 || { say "Nothing can be built without $tool."; exit 1; }; done
  mkdir -p "$dir"
  gen=
  [ -f "$dir/CMakeCache.txt" ] || { command -v ninja >/dev/null 2>&1 && gen="-G Ninja"; }
  started=$(date +%s)
  # shellcheck disable=SC2086
  quietly "$dir/configure.log" cmake -S . -B "$dir" $gen "$@"
  if [ -t 2 ]; then cmake --build "$dir" -j "$WHET_JOBS" >&2; else quietly "$dir/build.log" cmake --build "$dir" -j "$WHET_JOBS"; fi
  say "built in $dir ($(($(date +%s) - started)) s)"
}

# Run the tests of a build folder; further arguments are ctest's.
run_tests() {
  dir=$1
  shift
  (cd "$dir" && ctest --output-on-failure --no-tests=error -j "$WHET_JOBS" "$@")
}

# Install the build to a prefix, as root where that is needed and allowed.
install_to() {
  mkdir -p "$1" 2>/dev/null || true
  if [ -w "$1" ]; then cmake --install build --prefix "$1"
  elif sudo -n true 2>/dev/null; then sudo -n cmake --install build --prefix "$1"
  else say "I may not write to $1. Another place: ./do install PREFIX"; exit 1; fi
}

verb=${1:-help}
[ $# -eq 0 ] || shift
case $verb in
  demo) need build media serve edge; build; exec sh tools/demo.sh "$@" ;;
  test) need build media serve edge test python; build; sh tools/python.sh onnx numpy; run_tests build -L 'quick|full' "$@" ;;
  build) need build media serve edge; build build "$@" ;;
  wheel) need build python; exec sh tools/wheel.sh "$@" ;;
  bench) need build media serve edge test; build; exec sh tools/bench.sh "$@" ;;
  check) need build media serve edge test; build; run_tests build -L quick "$@" ;;
  check-all) need build media serve edge test all arm riscv; exec sh tools/check_all.sh "$@" ;;
  check-arm) need build test arm; exec sh tools/check_all.sh arm ;;
  check-riscv) need build test riscv; exec sh tools/check_all.sh riscv ;;
  install) need build media serve edge; build; install_to "${1:-/usr/local}" ;;
  help | -h | --help) usage ;;
  *) say "There is no verb \"$verb\"."; usage >&2; exit 2 ;;
esac
