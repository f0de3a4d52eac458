# SPDX-License-Identifier: Apache-2.0
# What cross builds for Arm on Debian share, included by aarch64.cmake and armv7.cmake after they have set whet_triplet, whet_debian (Debian's
# name of the architecture), whet_qemu and CMAKE_SYSTEM_PROCESSOR. Tests run under qemu-user. What tools/sysroot.sh has fetched is used where it
# is there.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${whet_triplet}-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE ${whet_triplet})
set(whet_sysroot ${CMAKE_CURRENT_LIST_DIR}/../build/sysroot-${whet_debian})
set(CMAKE_FIND_ROOT_PATH /usr/${whet_triplet} ${whet_sysroot})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${whet_sysroot}/usr/lib/${whet_triplet}/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${whet_sysroot})
set(CMAKE_CROSSCOMPILING_EMULATOR ${whet_qemu} -cpu max -L /usr/${whet_triplet}
    -E LD_LIBRARY_PATH=${whet_sysroot}/usr/lib/${whet_triplet})
