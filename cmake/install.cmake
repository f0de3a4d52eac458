# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: headers, libraries, the command, whet.pc, whet_edge.pc and the files of find_package(whet).
include(CMakePackageConfigHelpers)

set(WHET_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/whet)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/whet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
set_target_properties(whet_shared PROPERTIES EXPORT_NAME whet)
set_target_properties(whet_static PROPERTIES EXPORT_NAME static)
install(TARGETS whet_shared whet_static EXPORT whet
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET whet_avx512) # libwhet.so looks for it in its own folder
  install(TARGETS whet_avx512 LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(EXPORT whet NAMESPACE whet:: FILE whetTargets.cmake DESTINATION ${WHET_CMAKE_DIR})
if(WHET_BUILD_CLI)
  install(TARGETS whet RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/whetConfig.cmake.in ${PROJECT_BINARY_DIR}/whetConfig.cmake
                              INSTALL_DESTINATION ${WHET_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/whetConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/whetConfig.cmake ${PROJECT_BINARY_DIR}/whetConfigVersion.cmake
        DESTINATION ${WHET_CMAKE_DIR})

# They find their prefix from their own place, so that an installed tree may be moved.
file(RELATIVE_PATH WHET_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
set(whet_pc_files whet)
if(TARGET whet_edge_shared)
  list(APPEND whet_pc_files whet_edge)
endif()
foreach(pc ${whet_pc_files})
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${pc}.pc.in ${PROJECT_BINARY_DIR}/${pc}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${pc}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
