# SPDX-License-Identifier: Apache-2.0
# find_package(onnxruntime): whet's library with ONNX Runtime's interface, as the target onnxruntime::onnxruntime.
get_filename_component(_ort_lib "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
find_path(_ort_include onnxruntime_c_api.h NO_DEFAULT_PATH
          PATHS "${_ort_lib}/../../../include/whet/compat/onnxruntime" "${_ort_lib}/../../../../include/whet/compat/onnxruntime")
if(NOT TARGET onnxruntime::onnxruntime)
  add_library(onnxruntime::onnxruntime SHARED IMPORTED)
  set_target_properties(onnxruntime::onnxruntime PROPERTIES IMPORTED_LOCATION "${_ort_lib}/libonnxruntime.so.1"
                        INTERFACE_INCLUDE_DIRECTORIES "${_ort_include}")
endif()
set(onnxruntime_VERSION 1.31.0)
set(onnxruntime_FOUND TRUE)
unset(_ort_include CACHE)
