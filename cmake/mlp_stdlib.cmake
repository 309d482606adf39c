# The standard library is written in the language (stdlib/*.mlp). At build time
# mlp-stdlib-gen turns its declarations into C++:
#   gen/stdlib_table.cpp   the signatures, linked beside compiler/types
#   gen/native_names.h     one declaration per row function bound to native code
#   gen/kernel_table.cpp   row functions by name, linked beside kernels
#   gen/native_learn_names.h, gen/learn_table.cpp
#                          the same for transforms, models and metrics, linked beside runtime/learn
# A binding that one side lacks fails the build.

# Exists from the start, so that rooms can wait for it (USES_STDLIB); empty while
# there is no generator.
add_custom_target(mlp_generated)

file(GLOB MLP_STDLIBGEN_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/compiler/stdlibgen/*.cpp)
if(MLP_STDLIBGEN_SOURCES)
  set(MLP_GENERATED_HEADERS ${CMAKE_BINARY_DIR}/gen/native_names.h)
endif()

function(mlp_stdlib_generator)
  if(NOT MLP_STDLIBGEN_SOURCES)
    return()
  endif()
  # An archive, so that of these rooms only the objects that the generator uses are linked:
  # the others may need the table that it is about to write.
  set(parts "")
  foreach(room room_compiler_support room_compiler_diag room_compiler_types room_compiler_syntax mlp_grammar)
    if(TARGET ${room})
      list(APPEND parts $<TARGET_OBJECTS:${room}>)
    endif()
  endforeach()
  if(NOT parts)
    return()
  endif()
  add_library(mlp_stdlib_gen_parts STATIC ${parts})
  add_executable(mlp-stdlib-gen ${MLP_STDLIBGEN_SOURCES})
  mlp_own_code(mlp-stdlib-gen)
  target_link_libraries(mlp-stdlib-gen PRIVATE mlp_stdlib_gen_parts ext::fmt ext::antlr ext::json ext::openssl Threads::Threads)

  file(GLOB declarations CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/stdlib/*.mlp)
  set(gen ${CMAKE_BINARY_DIR}/gen)
  set(fresh ${gen}/fresh)
  file(MAKE_DIRECTORY ${fresh})
  set(names stdlib_table.cpp native_names.h kernel_table.cpp native_learn_names.h learn_table.cpp)
  list(TRANSFORM names PREPEND ${gen}/ OUTPUT_VARIABLE outputs)
  set(publish ${CMAKE_SOURCE_DIR}/cmake/publish_generated.cmake)
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0 $<TARGET_FILE:mlp-stdlib-gen> ${fresh} ${declarations}
    COMMAND ${CMAKE_COMMAND} -DFRESH=${fresh} -DGEN=${gen} "-DNAMES=${names}" -P ${publish}
    DEPENDS mlp-stdlib-gen ${declarations} ${publish}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    COMMENT "Generating the tables of the standard library" VERBATIM)
  add_custom_target(mlp_generated_files DEPENDS ${outputs})
  add_dependencies(mlp_generated mlp_generated_files)

  foreach(name stdlib_table kernel_table learn_table)
    add_library(mlp_${name} OBJECT ${gen}/${name}.cpp)
    mlp_own_code(mlp_${name})
    target_compile_options(mlp_${name} PRIVATE -O0 -g0)
    add_dependencies(mlp_${name} mlp_generated)
  endforeach()
  mlp_link_with_room(compiler/types mlp_stdlib_table)
  mlp_link_with_room(kernels mlp_kernel_table)
  mlp_link_with_room(runtime/learn mlp_learn_table)
endfunction()
