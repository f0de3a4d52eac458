#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Write the server as an OCI image without a container daemon: image.sh [FILE.tar]  (default build-image/whet-serve.tar)
# One layer: /whet, static, with TLS, and an empty /models. GnuTLS and libmicrohttpd are built from Debian's sources, without
# p11-kit, which has no static library there. Needs what `./do build` needs, m4, and libnettle, libgmp, libtasn1 as libraries
# (Debian: nettle-dev libgmp-dev libtasn1-6-dev). Load it with: skopeo copy oci-archive:FILE docker-daemon:whet-serve:latest,
# podman load -i FILE.
set -eu
cd "$(dirname "$0")/.."
top=$PWD work=$PWD/build-image
out=${1:-$work/whet-serve.tar}
case $out in /*) ;; *) out=$PWD/$out ;; esac
tls=${WHET_TLS_PREFIX:-$work/tls}
flags="-Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables"
jobs=${WHET_JOBS:-$(nproc)}
mkdir -p "$work"

# The sources of two packages from where this system's packages come from, checked by apt's signatures.
fetch() {
  mkdir -p "$work/src/lists/partial" "$work/src/parts"
  cd "$work/src"
  for f in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    [ -f "$f" ] && grep -qi debian "$f" || continue
    case $f in
      *.sources) sed 's/^Types:.*/Types: deb-src/' "$f" >"parts/${f##*/}" ;;
      *.list) sed -n 's/^deb /deb-src /p' "$f" >"parts/${f##*/}" ;;
    esac
  done
  set -- -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$PWD/parts" -o Dir::State::lists="$PWD/lists"
  apt-get "$@" -qq update
  apt-get "$@" -qq source --only-source gnutls28 libmicrohttpd
}

tls() {
  [ -f "$tls/lib/libmicrohttpd.a" ] && return
  [ -n "$(ls -d "$work"/src/gnutls28-* 2>/dev/null)" ] || (fetch)
  gnutls=$(ls -d "$work"/src/gnutls28-*/ | head -1)
  mhd=$(ls -d "$work"/src/libmicrohttpd-*/ | head -1)
  mkdir -p "$work/gnutls" "$work/mhd"
  cd "$work/gnutls"
  "$gnutls/configure" --prefix="$tls" --disable-shared --enable-static --without-p11-kit --with-included-unistring --without-idn --disable-nls \
    --without-tpm --without-tpm2 --without-zlib --without-brotli --without-zstd --disable-doc --disable-tools --disable-tests --disable-cxx \
    --disable-guile --disable-libdane --disable-openssl-compatibility --disable-gost --disable-srp-authentication --disable-heartbeat-support \
    --disable-dtls-srtp-support --disable-maintainer-mode CFLAGS="$flags" >configure.log
  make -j"$jobs" >make.log 2>&1
  make install >install.log 2>&1
  # Debian's patch adds a list of gnulib to its shared build only.
  for f in gl_linkedhash_list gl_list; do
    ar t "$tls/lib/libgnutls.a" | grep -q "$f" || { "${CC:-cc}" $flags -fPIC -DHAVE_CONFIG_H -I. -Igl -I"$gnutls/gl" -c "$gnutls/gl/$f.c" -o "$f.o"; ar r "$tls/lib/libgnutls.a" "$f.o"; }
  done
  cd "$work/mhd"
  LIBS="-lgnutls -lhogweed -lnettle -lgmp -ltasn1" LDFLAGS="-L$tls/lib" CPPFLAGS="-I$tls/include" PKG_CONFIG_PATH=$tls/lib/pkgconfig \
    "$mhd/configure" --prefix="$tls" --disable-shared --enable-static --enable-https --with-gnutls="$tls" --disable-doc --disable-examples \
    --disable-curl --disable-dauth --disable-bauth --disable-postprocessor CFLAGS="$flags" >configure.log 2>&1
  make -j"$jobs" >make.log 2>&1
  make install >install.log 2>&1
}

program() {
  cd "$top"
  # project() would set the suffixes anew. What no request waits for is made small.
  cat >"$work/static.cmake" <<'END'
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
function(make_small)
  set(small -Os)
  if(WHET_CC_OZ)
    set(small -Oz)
  endif()
  foreach(t whet whet_make_static whet_pipeline whet_conf)
    if(TARGET ${t})
      target_compile_options(${t} PRIVATE ${small})
    endif()
  endforeach()
endfunction()
cmake_language(DEFER CALL make_small)
END
  rm -f "$work/build/CMakeCache.txt"
  # Only the libraries that the server needs: codecs of pictures are loaded at run time elsewhere, and left out here.
  mkdir -p "$work/pc"
  for pc in jansson yaml-0.1 zlib nettle hogweed libtasn1 gmp; do
    f=$(ls /usr/lib/*/pkgconfig/$pc.pc /usr/share/pkgconfig/$pc.pc 2>/dev/null | head -1)
    [ -z "$f" ] || { rm -f "$work/pc/$pc.pc"; sed "s|^libdir=.*|libdir=$work/lib|" "$f" >"$work/pc/$pc.pc"; }
  done
  # Nothing is thrown through these libraries: without the tables for that.
  mkdir -p "$work/lib"
  for lib in jansson yaml z nettle hogweed tasn1 gmp; do
    f=$(echo /usr/lib/*/lib$lib.a)
    [ ! -f "$f" ] || objcopy -R .eh_frame "$f" "$work/lib/lib$lib.a"
  done
  PKG_CONFIG_LIBDIR=$tls/lib/pkgconfig:$work/pc cmake -S . -B "$work/build" -DCMAKE_BUILD_TYPE=Release -DWHET_BUILD_TESTS=OFF -DWHET_BUILD_PYTHON=OFF \
    -DCMAKE_PROJECT_INCLUDE="$work/static.cmake" -DCMAKE_C_FLAGS="-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables" \
    -DCMAKE_EXE_LINKER_FLAGS="-static -no-pie -Wl,--gc-sections -s" \
    -DCMAKE_C_STANDARD_LIBRARIES="-L$work/lib -L$tls/lib -lgnutls -lhogweed -lnettle -ltasn1 -lgmp" >"$work/configure.log"
  cmake --build "$work/build" -j"$jobs" --target whet >"$work/build.log" 2>&1 || { tail -20 "$work/build.log" >&2; exit 1; }
}

digest() { sha256sum "$1" | cut -d' ' -f1; }
bytes() { wc -c <"$1" | tr -d ' '; }

# Move a file to the blobs; its digest.
blob() {
  d=$(digest "$1")
  mv "$1" "$work/oci/blobs/sha256/$d"
  echo "$d"
}

image() {
  rm -rf "$work/oci" "$work/root"
  mkdir -p "$work/oci/blobs/sha256" "$work/root/models"
  cp "$work/build/whet" "$work/root/whet"
  cd "$work"
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C root -cf layer.tar models whet
  size=$(bytes layer.tar)
  diff=$(digest layer.tar)
  case $(uname -m) in aarch64) arch=arm64 ;; x86_64) arch=amd64 ;; *) arch=$(uname -m) ;; esac
  layer=$(blob layer.tar)
  printf '{"architecture":"%s","os":"linux","config":{"User":"65534:65534","ExposedPorts":{"8000/tcp":{}},"Entrypoint":["/whet","serve"],"Cmd":["--models","/models","--host","0.0.0.0"],"WorkingDir":"/"},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$arch" "$diff" >config.json
  config_size=$(bytes config.json)
  config=$(blob config.json)
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%s}]}' "$config" "$config_size" "$layer" "$size" >manifest.json
  manifest_size=$(bytes manifest.json)
  manifest=$(blob manifest.json)
  printf '{"imageLayoutVersion":"1.0.0"}' >oci/oci-layout
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"whet-serve:latest"}}]}' "$manifest" "$manifest_size" >oci/index.json
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C oci -cf "$out" .
  echo "$out: image of $size bytes uncompressed"
}

(tls)
(program)
image
