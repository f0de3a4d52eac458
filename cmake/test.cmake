# SPDX-License-Identifier: Apache-2.0
# How tests are hung up. A test's ctest name is FOLDER/NAME, its program FOLDER_NAME; what it is for is said by labels:
#
#   quick   belongs to every build: seconds each        full   minutes; `./do test` runs quick and full
#   slow    tens of minutes: `./do check-all` only      shared needs the shared folder (WHET_SHARED, or beside the checkout)
#   plant   must go red in the build with planted bugs  fuzz   a fuzz target that replays its corpus
#
# A test that cannot run here says why on its first line and ends with status 77: ctest then lists it as skipped.
find_path(WHET_CMOCKA_INCLUDE cmocka.h)
find_library(WHET_CMOCKA_LIBRARY cmocka)
if(WHET_CMOCKA_INCLUDE AND WHET_CMOCKA_LIBRARY)
  set(WHET_HAVE_CMOCKA 1)
else()
  set(WHET_HAVE_CMOCKA 0)
  message(STATUS "cmocka is not there: unit tests are left out (Debian: libcmocka-dev)")
endif()

# The properties that all tests have: labels, time limit, where things lie.
function(whet_test_properties name labels timeout)
  if(NOT labels)
    set(labels quick)
  endif()
  if(NOT timeout)
    set(timeout 300)
  endif()
  if(CMAKE_CROSSCOMPILING) # an emulator takes twenty times as long, and a machine that does other things, too, longer yet
    math(EXPR timeout "10 * ${timeout}")
  endif()
  # A sanitizer's dlopen does not look where the program says its libraries are.
  set(env "WHET_SOURCE=${PROJECT_SOURCE_DIR};WHET_BUILD=${PROJECT_BINARY_DIR}")
  if(WHET_SANITIZE)
    list(APPEND env "LD_LIBRARY_PATH=${PROJECT_BINARY_DIR}")
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout} SKIP_RETURN_CODE 77
    ENVIRONMENT "${env}")
endfunction()

# A test program over the static library, with the internal headers and cmocka.
#   whet_unit_test(NAME [file...] [LABELS l...] [ARGS a...] [LIBS l...] [TIMEOUT seconds])     default file: NAME.c
function(whet_unit_test name)
  if(NOT WHET_HAVE_CMOCKA)
    return()
  endif()
  cmake_parse_arguments(T "" "TIMEOUT" "LABELS;ARGS;LIBS" ${ARGN})
  if(NOT T_UNPARSED_ARGUMENTS)
    set(T_UNPARSED_ARGUMENTS ${name}.c)
  endif()
  get_filename_component(room ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  add_executable(${room}_${name} ${T_UNPARSED_ARGUMENTS})
  target_link_libraries(${room}_${name} PRIVATE whet_testlib ${T_LIBS})
  add_test(NAME ${room}/${name} COMMAND ${room}_${name} ${T_ARGS})
  whet_test_properties(${room}/${name} "${T_LABELS}" "${T_TIMEOUT}")
endfunction()

# The test of a kernel family: every variant against portable C, over the harness kern/check.c. In a build with planted
# bugs it must find one, and nothing else is asked of it.
#   whet_kern_test(FAMILY [file...] [LABELS l...] [ARGS a...] [TIMEOUT seconds])               default file: FAMILY.c
function(whet_kern_test family)
  cmake_parse_arguments(T "" "TIMEOUT" "LABELS;ARGS" ${ARGN})
  if(NOT T_UNPARSED_ARGUMENTS)
    set(T_UNPARSED_ARGUMENTS ${family}.c)
  endif()
  add_executable(kern_${family} ${T_UNPARSED_ARGUMENTS})
  target_link_libraries(kern_${family} PRIVATE whet_check)
  if(WHET_PLANT)
    add_test(NAME kern/${family} COMMAND kern_${family} ${T_ARGS} --planted)
    whet_test_properties(kern/${family} plant "${T_TIMEOUT}")
  else()
    add_test(NAME kern/${family} COMMAND kern_${family} ${T_ARGS})
    whet_test_properties(kern/${family} "${T_LABELS}" "${T_TIMEOUT}")
  endif()
endfunction()

# A test that is a command, run in the build folder.
#   whet_command_test(NAME COMMAND word... [LABELS l...] [TIMEOUT seconds])
function(whet_command_test name)
  cmake_parse_arguments(T "" "TIMEOUT" "COMMAND;LABELS" ${ARGN})
  get_filename_component(room ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  add_test(NAME ${room}/${name} COMMAND ${T_COMMAND} WORKING_DIRECTORY ${PROJECT_BINARY_DIR})
  whet_test_properties(${room}/${name} "${T_LABELS}" "${T_TIMEOUT}")
endfunction()

# A fuzz target: NAME.c defines LLVMFuzzerTestOneInput. With WHET_FUZZ (clang) it is a libFuzzer program fuzz_NAME; in
# every other build the same file runs over its corpus: the folder corpus/NAME of the build, and regress/NAME of the tree.
#   whet_fuzz_target(NAME [file...])                                                           default file: NAME.c
function(whet_fuzz_target name)
  if(NOT ARGN)
    set(ARGN ${name}.c)
  endif()
  if(WHET_FUZZ)
    add_executable(fuzz_${name} ${ARGN})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(fuzz_${name} ${ARGN} ${PROJECT_SOURCE_DIR}/tests/fuzz/replay.c)
  endif()
  target_link_libraries(fuzz_${name} PRIVATE whet_testlib)
  add_test(NAME fuzz/${name} COMMAND fuzz_${name} -runs=0 ${PROJECT_BINARY_DIR}/corpus/${name}
                                     ${PROJECT_SOURCE_DIR}/tests/regress/fuzz_${name})
  whet_test_properties(fuzz/${name} "quick;fuzz" 300)
endfunction()
