# `cmake --install BUILD --prefix P`: the program, the library with its modules side by side, two headers, and what
# find_package(mlp) and pkg-config need. Everything finds its parts by relative paths, so P may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
if(NOT TARGET mlpc-bin)
  return()
endif()
get_property(modules GLOBAL PROPERTY MLP_MODULES)
install(PROGRAMS $<TARGET_FILE:mlpc-bin> DESTINATION bin)
install(PROGRAMS $<TARGET_FILE:mlp> DESTINATION lib)
foreach(module IN LISTS modules)
  install(PROGRAMS $<TARGET_FILE:${module}> DESTINATION lib)
endforeach()
if(TARGET ext::duckdb)
  install(PROGRAMS ${MLP_DUCKDB}/libduckdb.so DESTINATION lib)
endif()
install(FILES runtime/embed/mlp.h runtime/embed/mlp.hpp DESTINATION include/mlp)
file(WRITE ${CMAKE_BINARY_DIR}/gen/mlpConfig.cmake [[
# mlp::mlp: the library, for C and C++17 and later.
get_filename_component(mlp_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET mlp::mlp)
  add_library(mlp::mlp SHARED IMPORTED)
  set_target_properties(mlp::mlp PROPERTIES
    IMPORTED_LOCATION "${mlp_PREFIX}/lib/libmlp.so"
    IMPORTED_NO_SONAME ON
    INTERFACE_INCLUDE_DIRECTORIES "${mlp_PREFIX}/include")
endif()
]])
write_basic_package_version_file(${CMAKE_BINARY_DIR}/gen/mlpConfigVersion.cmake VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/gen/mlpConfig.cmake ${CMAKE_BINARY_DIR}/gen/mlpConfigVersion.cmake DESTINATION lib/cmake/mlp)
file(WRITE ${CMAKE_BINARY_DIR}/gen/mlp.pc "prefix=\${pcfiledir}/../..
Name: mlp
Description: ${PROJECT_DESCRIPTION}
Version: ${PROJECT_VERSION}
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib -lmlp
")
install(FILES ${CMAKE_BINARY_DIR}/gen/mlp.pc DESTINATION lib/pkgconfig)
