# The row functions a second time, as LLVM bitcode inside the module of the JIT.

# mlp_kernel_bitcode(OUT [EXCLUDE name...]) sets OUT to a source file that defines
#   extern "C" const unsigned char mlp_kernels_bc[];
#   extern "C" const size_t mlp_kernels_bc_size;
# The same sources as room_kernels, by clang, for the baseline CPU: the JIT inlines them into
# loops that it compiles for the CPU it runs on. Contraction is off there too, so the bits are equal.
# EXCLUDE names files (table for kernels/table.cpp) that hold nothing to inline.
function(mlp_kernel_bitcode out)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/kernels/*.cpp)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "EXCLUDE")
  foreach(name IN LISTS arg_EXCLUDE)
    list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/kernels/${name}.cpp)
  endforeach()
  set(dir ${CMAKE_BINARY_DIR}/gen/kernels)
  file(MAKE_DIRECTORY ${dir})
  set(march "")
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    set(march -march=x86-64)
  endif()
  set(parts "")
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM LAST_ONLY name)
    set(part ${dir}/${name}.bc)
    add_custom_command(
      OUTPUT ${part}
      COMMAND ${MLP_CLANGXX} -std=c++23 -O2 ${march} -ffp-contract=off -fno-exceptions -fno-rtti
        -fno-math-errno -fno-asynchronous-unwind-tables -fno-stack-protector -Wall
        -I${CMAKE_SOURCE_DIR} -I${CMAKE_BINARY_DIR} -I${CMAKE_BINARY_DIR}/gen
        -MD -MF ${part}.d -MT ${part} -emit-llvm -c ${source} -o ${part}
      DEPENDS ${source} ${MLP_GENERATED_HEADERS} DEPFILE ${part}.d
      COMMENT "Compiling kernels/${name}.cpp to bitcode" VERBATIM)
    list(APPEND parts ${part})
  endforeach()

  set(linked ${dir}/kernels.bc)
  if(parts)
    add_custom_command(OUTPUT ${linked}
      COMMAND ${MLP_LLVM_BINDIR}/llvm-link ${parts} -o ${linked}
      DEPENDS ${parts} COMMENT "Linking kernels.bc" VERBATIM)
  else()
    file(WRITE ${linked} "")
  endif()

  set(MLP_KERNELS_BC ${linked})
  set(embedded ${dir}/embedded_kernels.cpp)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/embedded_kernels.cpp.in ${embedded} @ONLY)
  set_source_files_properties(${embedded} PROPERTIES OBJECT_DEPENDS ${linked})
  set(${out} ${embedded} PARENT_SCOPE)
endfunction()
