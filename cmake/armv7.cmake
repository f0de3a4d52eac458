# SPDX-License-Identifier: Apache-2.0
# Cross build for 32-bit Arm (Armv7) on Debian: gcc-arm-linux-gnueabihf.
set(CMAKE_SYSTEM_PROCESSOR armv7)
set(whet_triplet arm-linux-gnueabihf)
set(whet_debian armhf)
set(whet_qemu qemu-arm)
include(${CMAKE_CURRENT_LIST_DIR}/arm_debian.cmake)
