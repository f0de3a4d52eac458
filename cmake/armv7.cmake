# SPDX-License-Identifier: Apache-2.0
# Cross build for 32-bit Arm (Armv7) on Debian: gcc-arm-linux-gnueabihf; tests run under qemu-user. What tools/sysroot.sh
# has fetched is used where it is there.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7)
set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE arm-linux-gnueabihf)
set(whet_sysroot ${CMAKE_CURRENT_LIST_DIR}/../build/sysroot-armhf)
set(CMAKE_FIND_ROOT_PATH /usr/arm-linux-gnueabihf ${whet_sysroot})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${whet_sysroot}/usr/lib/arm-linux-gnueabihf/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${whet_sysroot})
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm -cpu max -L /usr/arm-linux-gnueabihf
    -E LD_LIBRARY_PATH=${whet_sysroot}/usr/lib/arm-linux-gnueabihf)
