# How our code is compiled, whatever the preset. What differs between presets
# (optimisation, sanitizers) stands in CMakePresets.json.

option(MLP_FUZZ "the fuzzers, by clang (set by the preset)" OFF)
if(MLP_FUZZ AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND NOT CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  # The fuzzers and the rooms that they need; libFuzzer comes with clang.
elseif(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "mlpc is built with GCC 12 or newer; found "
    "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}. Run scripts/setup.sh.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

option(MLP_SANITIZED "built with a sanitizer (set by the presets)" OFF)
option(MLP_PARTIAL "link although symbols are missing; calling one ends the process" OFF)
set(MLP_ROOMS "" CACHE STRING "folders to link into libmlp.so; empty: all of them")
set(MLP_TESTS "" CACHE STRING "regular expression on names of C++ test files; empty: all")

# Everything below holds for generated code too: equal bits on every machine.
# No fast-math, and no fusing of a*b+c (GCC does that by default).
add_compile_options(-ffp-contract=off -fno-semantic-interposition -fno-omit-frame-pointer)
add_link_options(-Wl,--as-needed)

# Warnings of our own code are errors. Left out: warnings that GCC 12 gets wrong
# on std::string, std::variant and inlined containers, and the one that forbids
# designated initialisers with defaults.
set(MLP_WARNINGS -Wall -Wextra -Werror
  -Wno-missing-field-initializers
  -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
  -Wno-maybe-uninitialized -Wno-free-nonheap-object -Wno-dangling-pointer -Wno-psabi)

if(MLP_FUZZ)
  set(MLP_WARNINGS -Wall)  # GCC's are the ones that count
endif()

find_program(MLP_CCACHE ccache)
if(MLP_CCACHE)
  # Paths relative to the source tree: build directories, and copies of the tree, share objects.
  set(MLP_COMPILER_LAUNCHER /usr/bin/env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${MLP_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MLP_COMPILER_LAUNCHER})
endif()

find_program(MLP_MOLD mold)
if(MLP_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
