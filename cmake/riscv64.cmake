# SPDX-License-Identifier: Apache-2.0
# Cross build for riscv64 on Debian; tests run under qemu-user, with vectors where QEMU_CPU asks for them, as in
# QEMU_CPU=rv64,v=true,vext_spec=v1.0,vlen=128 (tools/check_all.sh tries several lengths). Headers, libraries and linker are those of gcc-riscv64-linux-gnu.
# The compiler is clang where there is one that has the vector extension as kernels use it (19 or newer), else gcc, which
# leaves the vector kernels out before 14.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
find_program(WHET_RISCV_CLANG NAMES clang-21 clang-20 clang-19)
if(WHET_RISCV_CLANG)
  set(CMAKE_C_COMPILER ${WHET_RISCV_CLANG})
  set(CMAKE_C_COMPILER_TARGET riscv64-linux-gnu)
else()
  set(CMAKE_C_COMPILER riscv64-linux-gnu-gcc)
endif()
set(CMAKE_FIND_ROOT_PATH /usr/riscv64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} /usr/riscv64-linux-gnu/lib/pkgconfig) # never the building machine's libraries
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-riscv64 -L /usr/riscv64-linux-gnu)
