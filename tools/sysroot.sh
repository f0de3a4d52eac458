#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Libraries of another architecture for the cross build's tests: sysroot.sh ARCH puts them in build/sysroot-ARCH. Uses apt
# with state of its own: nothing of this system is changed and no rights are needed.
set -eu
cd "$(dirname "$0")/.."
arch=$1 root=$PWD/build/sysroot-$1
packages="libcmocka-dev libcmocka0 libjansson-dev libjansson4"
[ ! -f "$root/.ready" ] || exit 0
command -v apt-get >/dev/null || { echo "skipped: needs apt-get to fetch $packages for $arch"; exit 77; }
mkdir -p "$root/apt/state/lists/partial" "$root/apt/cache/archives/partial" "$root/apt/etc"
: >"$root/apt/status"
apt="apt-get -qq -o APT::Architecture=$arch -o APT::Architectures=$arch -o Dir::State=$root/apt/state
  -o Dir::State::status=$root/apt/status -o Dir::Cache=$root/apt/cache -o APT::Sandbox::User=root"
# shellcheck disable=SC2086
$apt update || : # what is downloaded may stand in the lists that could be had
# shellcheck disable=SC2086
(cd "$root/apt" && $apt download $packages)
for deb in "$root"/apt/*.deb; do dpkg-deb -x "$deb" "$root"; done
rm -rf "$root/apt"
touch "$root/.ready"
