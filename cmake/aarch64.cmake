# SPDX-License-Identifier: Apache-2.0
# Cross build for aarch64 on Debian: gcc-aarch64-linux-gnu.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(whet_triplet aarch64-linux-gnu)
set(whet_debian arm64)
set(whet_qemu qemu-aarch64)
include(${CMAKE_CURRENT_LIST_DIR}/arm_debian.cmake)
