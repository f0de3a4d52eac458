# SPDX-License-Identifier: Apache-2.0
# The .def lists are the source of what is built: files are named by their lines, never globbed.

# Lines of a .def file that start with MACRO( , as a list of their first arguments (or of all, joined by '|').
function(whet_def_lines file macro out)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} lines REGEX "^${macro}\\(")
  set(result)
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^${macro}\\(([^)]*)\\).*" "\\1" args "${line}")
    string(REGEX REPLACE " *, *" "|" args "${args}")
    list(APPEND result "${args}")
  endforeach()
  set(${out} "${result}" PARENT_SCOPE)
endfunction()
